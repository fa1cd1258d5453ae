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
        taken_at,
        stage_id,
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

attribute_history as (
    select
        record_id,
        attribute,
        attribute_value,
        known_from,
        lead(known_from) over (
            partition by record_id, attribute
            order by known_from
        ) as known_until,
    from {{ ref('int_attribute_history') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entered_at,
    from {{ ref('fct_journeys') }}
    where entered_at is not null
),

-- From when on a journey is under its value: not before anybody knew it.
stage_entries as (
    select
        visits.funnel_id,
        visits.subject_id,
        visits.journey_number,
        declared_segments.segment_name,
        min(visits.entered_at) as known_from,
    from {{ ref('fct_stage_visits') }} as visits
    inner join declared_segments
        on
            visits.funnel_id = declared_segments.funnel_id
            and visits.stage_id = declared_segments.stage_id
    group by all
),

first_values as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        declared_segments.segment_name,
        min(case
            when attribute_history.attribute_value is not null then attribute_history.known_from
        end) as known_from,
    from journeys
    inner join declared_segments
        on journeys.funnel_id = declared_segments.funnel_id
    inner join attribute_history
        on
            journeys.subject_id = attribute_history.record_id
            and declared_segments.attribute = attribute_history.attribute
    where
        declared_segments.taken_at = 'first'
        and (
            attribute_history.known_until is null
            or attribute_history.known_until > journeys.entered_at
        )
    group by all
),

journey_segments as (
    select
        journey_segments.funnel_id,
        journey_segments.subject_id,
        journey_segments.segment_name,
        journey_segments.segment_value,
        case
            when declared_segments.taken_at = 'stage' then stage_entries.known_from
            else coalesce(first_values.known_from, journeys.entered_at)
        end as known_from,
        journeys.entered_at,
    from {{ ref('fct_journey_segments') }} as journey_segments
    inner join journeys
        on
            journey_segments.funnel_id = journeys.funnel_id
            and journey_segments.subject_id = journeys.subject_id
            and journey_segments.journey_number = journeys.journey_number
    inner join declared_segments
        on
            journey_segments.funnel_id = declared_segments.funnel_id
            and journey_segments.segment_name = declared_segments.segment_name
    left join stage_entries
        on
            journey_segments.funnel_id = stage_entries.funnel_id
            and journey_segments.subject_id = stage_entries.subject_id
            and journey_segments.journey_number = stage_entries.journey_number
            and journey_segments.segment_name = stage_entries.segment_name
    left join first_values
        on
            journey_segments.funnel_id = first_values.funnel_id
            and journey_segments.subject_id = first_values.subject_id
            and journey_segments.journey_number = first_values.journey_number
            and journey_segments.segment_name = first_values.segment_name
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
        case
            when declared_segments.taken_at = 'last' and attribute_history.record_id is not null
                then {{ segment_value('attribute_history.attribute_value') }}
            when
                journey_segments.segment_value is not null
                and coalesce(states.changed_at < journey_segments.known_from, true)
                then {{ segment_value('cast(null as ' ~ dbt.type_string() ~ ')') }}
            -- A deleted deal is in no journey any more; its record still tells what it was.
            else coalesce(
                journey_segments.segment_value,
                {{ segment_value(json_text_at(
                    'record_attributes.attributes', 'declared_segments.attribute'
                )) }}
            )
        end as segment_value,
    from states
    inner join declared_segments
        on states.funnel_id = declared_segments.funnel_id
    asof left join journey_segments
        on
            states.funnel_id = journey_segments.funnel_id
            and states.deal_id = journey_segments.subject_id
            and declared_segments.segment_name = journey_segments.segment_name
            and states.changed_at >= journey_segments.entered_at
    asof left join attribute_history
        on
            states.deal_id = attribute_history.record_id
            and declared_segments.attribute = attribute_history.attribute
            and states.changed_at >= attribute_history.known_from
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
