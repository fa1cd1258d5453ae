with

states as (
    select
        funnel_id,
        deal_id,
        case when stage_kind != 'open' and not is_deleted then stage_kind end as outcome,
        changed_at,
        {{ cohort_date('month', 'changed_date') }} as changed_month,
    from {{ ref('int_deal_states') }}
),

states_with_previous as (
    select
        *,
        lag(outcome) over (partition by funnel_id, deal_id order by changed_at)
            as previous_outcome,
    from states
),

-- What a closing adds, a reopening or a deletion takes away again, from its own month on.
outcome_changes as (
    select
        funnel_id,
        deal_id,
        outcome,
        1 as deals,
        changed_at,
        changed_month,
    from states_with_previous
    where outcome is not null and outcome is distinct from previous_outcome

    union all

    select
        funnel_id,
        deal_id,
        previous_outcome as outcome,
        -1 as deals,
        changed_at,
        changed_month,
    from states_with_previous
    where previous_outcome is not null and outcome is distinct from previous_outcome
),

-- Once a stage, however often a deal came to it.
visited_stages as (
    select
        funnel_id,
        deal_id,
        stage_id,
        min(entered_at) as entered_at,
    from {{ ref('int_deal_visits') }}
    where stage_kind = 'open'
    group by all
),

changes_by_month as (
    select
        outcome_changes.funnel_id,
        visited_stages.stage_id,
        outcome_changes.changed_month,
        sum(outcome_changes.deals) as closed,
        coalesce(
            sum(outcome_changes.deals) filter (where outcome_changes.outcome = 'won'), 0
        ) as won,
    from outcome_changes
    inner join visited_stages
        on
            outcome_changes.funnel_id = visited_stages.funnel_id
            and outcome_changes.deal_id = visited_stages.deal_id
            and outcome_changes.changed_at > visited_stages.entered_at
    group by all
)

select
    funnel_id,
    stage_id,
    -- Known from the first day on of the month after the last change that is counted.
    cast({{ dbt.dateadd('month', 1, 'changed_month') }} as date) as known_from,
    cast(sum(won) over earlier as bigint) as won,
    cast(sum(closed) over earlier as bigint) as closed,
from changes_by_month
window earlier as (
    partition by funnel_id, stage_id
    order by changed_month
    rows between unbounded preceding and current row
)
