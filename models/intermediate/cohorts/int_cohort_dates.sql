with

entered_dates as (
    select distinct entered_date,
    from {{ ref('int_cell_segments') }}
)

{% for grain in cohort_grains() %}
    {{ 'union all' if not loop.first }}
    select
        entered_date,
        '{{ grain }}' as cohort_grain,
        {{ cohort_date(grain, 'entered_date') }} as cohort_date,
    from entered_dates
    {% if grain != 'all' %}
        where entered_date is not null
    {% endif %}
{% endfor %}
