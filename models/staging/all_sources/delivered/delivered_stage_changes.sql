{{ delivered_rows('stage_changes') }}
