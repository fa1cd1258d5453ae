{{ delivered_rows('orders') }}
