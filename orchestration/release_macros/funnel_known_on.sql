-- The rows of funnel_conversion_known_on for one date, as in
-- from funnel_known_on('2025-03-01'). A date that is not kept is an error that lists those that are.
-- reads: funnel_conversion_known_on
-- example: funnel_known_on('2025-03-01')
create macro funnel_known_on(known_on_date) as table
-- The date is checked on the left of a join, so that it is also where the table has no rows.
with

kept as (
    select
        max(known_on) filter (where known_on = cast(known_on_date as date)) as known_on,
        string_agg(
            distinct strftime(known_on, '%Y-%m-%d'), ', '
            order by strftime(known_on, '%Y-%m-%d')
        ) as dates
    from funnel_conversion_known_on
),

asked as (
    select
        coalesce(known_on, error(
            'funnel_known_on: expected a date that this release keeps ('
            || coalesce(dates, 'it keeps none')
            || '), found ' || coalesce(cast(known_on_date as varchar), 'null')
            || '. Add the date to known_on_dates.csv; the next night computes it.'
        )) as asked_on
    from kept
)

select $columns_of_funnel_conversion_known_on
from asked
left join funnel_conversion_known_on on known_on = asked_on
