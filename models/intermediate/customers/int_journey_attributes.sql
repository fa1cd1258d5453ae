with

run as (
    select as_of from {{ ref('int_run') }}
),

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where subject_type in ('lead', 'opportunity')
),

asked_attributes as (
    select
        funnel_id,
        attribute,
    from {{ ref('qualification_rules') }}
    union
    select
        funnel_id,
        feature_name as attribute,
    from {{ ref('lead_score_features') }}
    where feature_type = 'attribute'
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entered_at,
    from {{ ref('fct_journeys') }}
),

records as (
    select
        record_id,
        record_type,
        attributes,
    from {{ ref('int_surviving_records') }}
),

attribute_history as (
    select
        record_id,
        record_type,
        attribute,
        attribute_value,
        known_from,
    from {{ ref('int_attribute_history') }}
),

attributes_with_history as (
    select distinct
        record_type,
        attribute,
    from attribute_history
),

-- Where an entry has no date, its record is known as it is at the as-of.
asked_journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        records.record_type,
        records.attributes,
        asked_attributes.attribute,
        journeys.entered_at is not null as is_dated,
        coalesce(journeys.entered_at, run.as_of) as known_at,
    from journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    inner join asked_attributes
        on journeys.funnel_id = asked_attributes.funnel_id
    inner join records
        on journeys.subject_id = records.record_id
    cross join run
)

select
    asked_journeys.funnel_id,
    asked_journeys.subject_id,
    asked_journeys.journey_number,
    asked_journeys.attribute,
    case
        when attribute_history.record_id is not null then attribute_history.attribute_value
        else {{ json_text_at('asked_journeys.attributes', 'asked_journeys.attribute') }}
    end as attribute_value,
    asked_journeys.is_dated and attributes_with_history.attribute is not null
        as is_known_at_entry,
from asked_journeys
asof left join attribute_history
    on
        asked_journeys.subject_id = attribute_history.record_id
        and asked_journeys.attribute = attribute_history.attribute
        and asked_journeys.known_at >= attribute_history.known_from
left join attributes_with_history
    on
        asked_journeys.record_type = attributes_with_history.record_type
        and asked_journeys.attribute = attributes_with_history.attribute
