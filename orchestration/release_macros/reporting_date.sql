-- Calendar date of an instant in the reporting time zone, as in
-- select reporting_date(entered_at) from fct_journeys. Instants in the tables are UTC.
-- example: reporting_date(timestamp '2026-01-01')
create macro reporting_date(instant) as
    cast((cast(instant as timestamp) at time zone 'UTC') at time zone '$timezone' as date)
