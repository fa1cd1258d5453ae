with

lead_score_features as (
    select
        funnel_id,
        feature_type,
        feature_name,
        is_fixed,
    from {{ ref('lead_score_features') }}
),

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entered_at,
    from {{ ref('int_lead_score_journeys') }}
),

segments as (
    select
        funnel_id,
        segment_name,
        value_known,
    from {{ ref('dim_segments') }}
    where taken_at = 'entry'
),

journey_segments as (
    select
        funnel_id,
        subject_id,
        journey_number,
        segment_name,
        segment_value,
    from {{ ref('fct_journey_segments') }}
),

journey_attributes as (
    select
        funnel_id,
        subject_id,
        journey_number,
        attribute,
        attribute_value,
        is_known_at_entry,
    from {{ ref('int_journey_attributes') }}
),

sessions as (
    select
        visitor_id,
        user_id,
        started_at,
    from {{ ref('dim_sessions') }}
),

sessions_of_subjects as (
    select
        'visitor' as subject_type,
        visitor_id as subject_id,
        started_at,
    from sessions
    where visitor_id is not null
    union all
    select
        'user' as subject_type,
        user_id as subject_id,
        started_at,
    from sessions
    where user_id is not null
),

-- Nobody's outcome may tell what was not known before it.
segment_values as (
    select
        journey_segments.funnel_id,
        journey_segments.subject_id,
        journey_segments.journey_number,
        lead_score_features.feature_name,
        case
            when segments.value_known = 'at_the_time' or lead_score_features.is_fixed
                then journey_segments.segment_value
            else '(not known at entry)'
        end as feature_value,
    from journey_segments
    inner join lead_score_features
        on
            journey_segments.funnel_id = lead_score_features.funnel_id
            and journey_segments.segment_name = lead_score_features.feature_name
            and lead_score_features.feature_type = 'segment'
    inner join segments
        on
            journey_segments.funnel_id = segments.funnel_id
            and journey_segments.segment_name = segments.segment_name
),

attribute_values as (
    select
        journey_attributes.funnel_id,
        journey_attributes.subject_id,
        journey_attributes.journey_number,
        lead_score_features.feature_name,
        case
            when journey_attributes.is_known_at_entry or lead_score_features.is_fixed
                then coalesce(journey_attributes.attribute_value, '(missing)')
            else '(not known at entry)'
        end as feature_value,
    from journey_attributes
    inner join lead_score_features
        on
            journey_attributes.funnel_id = lead_score_features.funnel_id
            and journey_attributes.attribute = lead_score_features.feature_name
            and lead_score_features.feature_type = 'attribute'
),

session_counts as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        lead_score_features.feature_name,
        count(
            case when sessions_of_subjects.started_at < journeys.entered_at then 1 end
        ) as sessions_before,
    from journeys
    inner join lead_score_features
        on
            journeys.funnel_id = lead_score_features.funnel_id
            and lead_score_features.feature_type = 'sessions'
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    left join sessions_of_subjects
        on
            funnels.subject_type = sessions_of_subjects.subject_type
            and journeys.subject_id = sessions_of_subjects.subject_id
    group by all
),

session_values as (
    select
        funnel_id,
        subject_id,
        journey_number,
        feature_name,
        case
            when sessions_before < 3 then cast(sessions_before as varchar)
            when sessions_before < 6 then '3 to 5'
            else '6 or more'
        end as feature_value,
    from session_counts
)

select
    funnel_id,
    subject_id,
    journey_number,
    feature_name,
    feature_value,
from segment_values
union all
select
    funnel_id,
    subject_id,
    journey_number,
    feature_name,
    feature_value,
from attribute_values
union all
select
    funnel_id,
    subject_id,
    journey_number,
    feature_name,
    feature_value,
from session_values
