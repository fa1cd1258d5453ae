with

states as (
    select
        funnel_id,
        deal_id,
        state_number,
        owner_id,
        expected_close_date,
        amount,
    from {{ ref('int_deal_states') }}
    where is_open
),

owners as (
    select
        owner_id,
        team,
        region as branch,
    from {{ ref('stg_owners') }}
),

deal_size_bands as (
    select
        funnel_id,
        band_name,
        amount_from,
        amount_below,
    from {{ ref('deal_size_bands') }}
),

-- What a deal is in for as long as it is there. What may be several at a time does not add up.
declared_segments as (
    select
        funnel_id,
        segment_name,
        attribute,
    from {{ ref('dim_segments') }}
    where
        adds_up
        and segment_name not in (
            'owner', 'team', 'branch', 'deal_size',
            'close_month', 'close_quarter', 'close_year'
        )
),

record_attributes as (
    select
        record_id,
        attributes,
    from {{ ref('int_surviving_records') }}
),

last_journeys as (
    select
        funnel_id,
        subject_id,
        segment_name,
        max_by(segment_value, journey_number) as segment_value,
    from {{ ref('fct_journey_segments') }}
    group by funnel_id, subject_id, segment_name
),

told_states as (
    select
        states.funnel_id,
        states.deal_id,
        states.state_number,
        states.owner_id,
        owners.team,
        owners.branch,
        deal_size_bands.band_name as deal_size,
        substr(cast(states.expected_close_date as varchar), 1, 7) as close_month,
        substr(cast(states.expected_close_date as varchar), 1, 4) as close_year,
        substr(cast(states.expected_close_date as varchar), 1, 4)
        || '-Q' || cast(extract(quarter from states.expected_close_date) as varchar)
            as close_quarter,
    from states
    left join owners
        on states.owner_id = owners.owner_id
    left join deal_size_bands
        on
            states.funnel_id = deal_size_bands.funnel_id
            and states.amount >= deal_size_bands.amount_from
            and states.amount < coalesce(deal_size_bands.amount_below, 1e14)
),

declared_values as (
    select
        states.funnel_id,
        states.deal_id,
        states.state_number,
        declared_segments.segment_name,
        -- A deleted deal is in no journey any more; its record still tells what it was.
        coalesce(
            last_journeys.segment_value,
            {{ segment_value(json_text_at(
                'record_attributes.attributes', 'declared_segments.attribute'
            )) }}
        ) as segment_value,
    from states
    inner join declared_segments
        on states.funnel_id = declared_segments.funnel_id
    left join last_journeys
        on
            states.funnel_id = last_journeys.funnel_id
            and states.deal_id = last_journeys.subject_id
            and declared_segments.segment_name = last_journeys.segment_name
    left join record_attributes
        on states.deal_id = record_attributes.record_id
)

select
    funnel_id,
    deal_id,
    state_number,
    segment_name,
    segment_value,
from declared_values
{% for name, column in [
    ('all', "'all'"), ('owner', 'owner_id'), ('team', 'team'), ('branch', 'branch'),
    ('deal_size', 'deal_size'), ('close_month', 'close_month'),
    ('close_quarter', 'close_quarter'), ('close_year', 'close_year'),
] %}
    union all

    select
        funnel_id,
        deal_id,
        state_number,
        '{{ name }}' as segment_name,
        {{ segment_value(column) }} as segment_value,
    from told_states
{% endfor %}
