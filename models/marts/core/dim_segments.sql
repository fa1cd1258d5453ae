with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
    from {{ ref('funnel_stages') }}
),

segments as (
    select
        segment_name,
        subject_type,
        attribute,
        taken_at,
        stage_id,
        funnel_id,
    from {{ ref('segments') }}
),

funnel_segments as (
    select
        funnels.funnel_id,
        segments.segment_name,
        segments.subject_type,
        segments.attribute,
        segments.taken_at,
        segments.stage_id,
    from segments
    inner join funnels
        on
            segments.subject_type = funnels.subject_type
            and coalesce(segments.funnel_id, funnels.funnel_id) = funnels.funnel_id
    left join funnel_stages
        on
            funnels.funnel_id = funnel_stages.funnel_id
            and segments.stage_id = funnel_stages.stage_id
    where segments.stage_id is null or funnel_stages.stage_id is not null
),

record_types as (
    select distinct
        funnel_id,
        case rule_type when 'lead_status' then 'lead' else 'opportunity' end as record_type,
    from {{ ref('stage_rules') }}
    where rule_type in ('lead_status', 'opportunity_stage')
),

histories as (
    select distinct
        record_type,
        attribute,
    from {{ ref('int_attribute_history') }}
),

record_segments as (
    select
        funnel_segments.funnel_id,
        funnel_segments.segment_name,
        count(histories.attribute) > 0 as has_history,
    from funnel_segments
    inner join record_types
        on funnel_segments.funnel_id = record_types.funnel_id
    left join histories
        on
            record_types.record_type = histories.record_type
            and funnel_segments.attribute = histories.attribute
    group by all
)

select
    funnel_segments.funnel_id,
    funnel_segments.segment_name,
    funnel_segments.subject_type,
    funnel_segments.attribute,
    funnel_segments.taken_at,
    funnel_segments.stage_id,
    case
        when
            not record_segments.has_history
            and not {{ is_customer_attribute('funnel_segments.attribute') }}
            then 'current_only'
        else 'at_the_time'
    end as value_known,
    funnel_segments.taken_at != 'each' as adds_up,
from funnel_segments
left join record_segments
    on
        funnel_segments.funnel_id = record_segments.funnel_id
        and funnel_segments.segment_name = record_segments.segment_name
