{{ config(**kept_by_subject()) }}

with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('funnels') }}
),

ladder_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        is_optional,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
),

journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
        furthest_stage_position,
        entered_at,
    from {{ ref('int_journey_outcomes') }}
    where not {{ is_other_order('subject_key') }}
),

journey_entries as (
    select
        subject_key,
        journey_number,
        stage_position,
        evidence,
        entered_at,
    from {{ ref('int_journey_entries') }}
),

stage_visits as (
    select
        subject_key,
        journey_number,
        stage_id,
        count(*) as visits,
        sum(seconds_in_stage) as seconds_in_stage,
        sum(business_seconds_in_stage) as business_seconds_in_stage,
    from {{ ref('int_timed_visits') }}
    group by all
),

reached_stages as (
    select
        journeys.subject_key,
        journeys.journey_number,
        ladder_stages.stage_id,
        ladder_stages.stage_position,
        journeys.entered_at as journey_entered_at,
        journey_entries.evidence,
        journey_entries.entered_at,
        min(journey_entries.entered_at) over further_stages as next_entered_at,
        count(journey_entries.evidence) over further_stages as further_stages_entered,
        max(
            case
                when funnels.order_mode = 'any' and not ladder_stages.is_optional
                    then journey_entries.entered_at
            end
        ) over (
            partition by journeys.subject_key, journeys.journey_number
            order by ladder_stages.stage_position
            rows between unbounded preceding and current row
        ) as required_entered_at,
        funnels.order_mode,
    from journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    inner join ladder_stages
        on
            journeys.funnel_id = ladder_stages.funnel_id
            and journeys.furthest_stage_position >= ladder_stages.stage_position
    left join journey_entries
        on
            journeys.subject_key = journey_entries.subject_key
            and journeys.journey_number = journey_entries.journey_number
            and ladder_stages.stage_position = journey_entries.stage_position
    window
        further_stages as (
            partition by journeys.subject_key, journeys.journey_number
            order by ladder_stages.stage_position
            rows between 1 following and unbounded following
        )
),

journey_stages as (
    select
        subject_key,
        journey_number,
        stage_id,
        stage_position,
        coalesce(evidence, 'imputed') as evidence,
        -- A stage passed over was reached by the time that a further one was entered, if known.
        case
            when evidence is not null then entered_at
            when further_stages_entered > 0 then next_entered_at
            else journey_entered_at
        end as reached_at,
        required_entered_at,
    from reached_stages
    -- Of stages in any order, none is concluded from another.
    where evidence is not null or order_mode != 'any'
),

subjects as (
    select
        subject_key,
        funnel_id,
        subject_id,
    from {{ ref('int_touched_subjects') }}
)

select
    subjects.funnel_id,
    subjects.subject_id,
    journey_stages.journey_number,
    journey_stages.stage_id,
    journey_stages.stage_position,
    journey_stages.evidence,
    journey_stages.reached_at,
    -- Of stages in any order, one counts when all the required ones up to it are there.
    case
        when journey_stages.required_entered_at > journey_stages.reached_at
            then journey_stages.required_entered_at
        else journey_stages.reached_at
    end as counted_at,
    cast(coalesce(stage_visits.visits, 0) as integer) as visits,
    cast(stage_visits.seconds_in_stage as decimal(18, 6)) as seconds_in_stage,
    cast(stage_visits.business_seconds_in_stage as decimal(18, 6)) as business_seconds_in_stage,
from journey_stages
inner join subjects
    on journey_stages.subject_key = subjects.subject_key
left join stage_visits
    on
        journey_stages.subject_key = stage_visits.subject_key
        and journey_stages.journey_number = stage_visits.journey_number
        and journey_stages.stage_id = stage_visits.stage_id
