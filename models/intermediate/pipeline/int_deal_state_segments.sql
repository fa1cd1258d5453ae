with

states as (
    select
        funnel_id,
        deal_id,
        state_number,
        owner_id,
        expected_close_date,
        amount,
        changed_at,
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

journey_segments as (
    select
        journey_segments.funnel_id,
        journey_segments.subject_id,
        journey_segments.segment_name,
        journey_segments.segment_value,
        journeys.entered_at,
    from {{ ref('fct_journey_segments') }} as journey_segments
    inner join {{ ref('fct_journeys') }} as journeys
        on
            journey_segments.funnel_id = journeys.funnel_id
            and journey_segments.subject_id = journeys.subject_id
            and journey_segments.journey_number = journeys.journey_number
    where journeys.entered_at is not null
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
            and {{ is_in_size_band('states.amount', 'deal_size_bands') }}
),

declared_values as (
    select
        states.funnel_id,
        states.deal_id,
        states.state_number,
        declared_segments.segment_name,
        -- A deleted deal is in no journey any more; its record still tells what it was.
        coalesce(
            journey_segments.segment_value,
            {{ segment_value(json_text_at(
                'record_attributes.attributes', 'declared_segments.attribute'
            )) }}
        ) as segment_value,
    from states
    inner join declared_segments
        on states.funnel_id = declared_segments.funnel_id
    asof left join journey_segments
        on
            states.funnel_id = journey_segments.funnel_id
            and states.deal_id = journey_segments.subject_id
            and declared_segments.segment_name = journey_segments.segment_name
            and states.changed_at >= journey_segments.entered_at
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
