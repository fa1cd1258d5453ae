{{ delivered_rows('records') }}
