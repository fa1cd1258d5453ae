{{ delivered_rows('owners') }}
