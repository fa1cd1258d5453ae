{{ delivered_rows('events') }}
