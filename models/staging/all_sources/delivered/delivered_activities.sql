{{ delivered_rows('activities') }}
