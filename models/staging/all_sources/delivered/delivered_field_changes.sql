{{ delivered_rows('field_changes') }}
