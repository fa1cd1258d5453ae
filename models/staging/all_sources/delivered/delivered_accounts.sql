{{ delivered_rows('accounts') }}
