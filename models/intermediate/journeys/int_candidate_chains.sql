with

funnels as (
    select
        funnel_id,
        order_mode,
        entry_policy,
        count_by,
    from {{ ref('funnels') }}
    where order_mode != 'furthest'
),

all_chains as (
    select
        start_entry_id,
        cast(null as bigint) as first_alike_number,
        funnel_id,
        subject_key,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_chains') }}

    union all

    select
        start_entry_id,
        first_alike_number,
        funnel_id,
        subject_key,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_any_order_chains') }}
),

-- The one journey of a subject comes to no end that another could begin after.
subject_chains as (
    select
        all_chains.start_entry_id,
        all_chains.funnel_id,
        all_chains.subject_key,
        funnels.order_mode,
        list_min(all_chains.event_numbers) as start_event_number,
        9223372036854775807 as end_number,
        false as is_of_several,
        true as is_ended,
        false as is_first_stage,
        list_min(all_chains.event_numbers) as begun_number,
        all_chains.last_stage_position,
        all_chains.stages_entered,
        all_chains.event_numbers,
        all_chains.stage_positions,
        all_chains.window_ends_at,
    from all_chains
    inner join funnels
        on all_chains.funnel_id = funnels.funnel_id
    where funnels.count_by = 'subject'
    -- In any order, the first entry is known once it is known which entries count.
    qualify
        funnels.entry_policy = 'best'
        or funnels.order_mode != 'any'
        or all_chains.first_alike_number = min(all_chains.first_alike_number) over (
            partition by all_chains.subject_key
        )
),

candidate_chains as (
    select * from subject_chains

    union all

    select
        journey_chains.start_entry_id,
        journey_chains.funnel_id,
        journey_chains.subject_key,
        funnels.order_mode,
        journey_chains.start_event_number,
        journey_chains.end_number,
        true as is_of_several,
        journey_chains.is_ended,
        journey_chains.is_first_stage,
        journey_chains.begun_number,
        journey_chains.last_stage_position,
        journey_chains.stages_entered,
        journey_chains.event_numbers,
        journey_chains.stage_positions,
        journey_chains.window_ends_at,
    from {{ ref('int_journey_chains') }} as journey_chains
    inner join funnels
        on journey_chains.funnel_id = funnels.funnel_id
)

select
    start_entry_id,
    funnel_id,
    subject_key,
    order_mode,
    start_event_number,
    end_number,
    is_of_several,
    is_ended,
    is_first_stage,
    begun_number,
    last_stage_position,
    stages_entered,
    event_numbers,
    stage_positions,
    window_ends_at,
from candidate_chains
