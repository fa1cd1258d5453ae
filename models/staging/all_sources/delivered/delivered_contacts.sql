{{ delivered_rows('contacts') }}
