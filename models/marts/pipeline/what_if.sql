with

run as (
    select {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

what_if_steps as (
    select
        funnel_id,
        lever,
        unit,
        step,
        cast(step as double) / 100 as change,
    from {{ ref('what_if_steps') }}
),

plan_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        mature_reached,
        mature_reached_previous,
    from {{ ref('int_plan_stages') }}
),

deals as (
    select
        funnel_id,
        outcome,
        entered_date,
        amount,
    from {{ ref('int_deals') }}
),

won_deal_stages as (
    select
        funnel_id,
        stage_id,
        seconds_in_stage,
    from {{ ref('int_deal_stages') }}
    where outcome = 'won' and seconds_in_stage is not null
),

entries as (
    select
        deals.funnel_id,
        count(*) as entries,
    from deals
    cross join run
    where
        deals.entered_date >= cast({{ dbt.dateadd('month', -3, 'run.as_of_date') }} as date)
        and deals.entered_date < run.as_of_date
    group by all
),

won_amounts as (
    select
        funnel_id,
        count(amount) as won_deals,
        count(*) - count(amount) as won_amount_unknown,
        cast({{ rate('sum(amount)', 'count(amount)') }} as decimal(18, 4)) as average_won_amount,
    from deals
    where outcome = 'won'
    group by all
),

stage_times as (
    select
        funnel_id,
        stage_id,
        count(*) as timed_deals,
        cast(
            percentile_cont(0.5) within group (order by seconds_in_stage) as decimal(18, 6)
        ) as median_seconds,
    from won_deal_stages
    group by all
),

timed_stages as (
    select
        plan_stages.funnel_id,
        plan_stages.stage_id,
        plan_stages.stage_kind,
        plan_stages.stage_position,
        plan_stages.mature_reached,
        plan_stages.mature_reached_previous,
        first_value(plan_stages.mature_reached) over whole_ladder as mature_entered,
        last_value(plan_stages.mature_reached) over whole_ladder as mature_won,
        coalesce(entries.entries, 0) as entries,
        case when plan_stages.stage_kind = 'open' then coalesce(stage_times.timed_deals, 0) end
            as timed_deals,
        case when plan_stages.stage_kind = 'open' then stage_times.median_seconds end
            as median_seconds,
        -- A stage of unknown time leaves the whole way unknown.
        case
            when
                count(*) filter (
                    where plan_stages.stage_kind = 'open' and stage_times.median_seconds is null
                ) over whole_ladder = 0
                then
                    sum(stage_times.median_seconds) filter (where plan_stages.stage_kind = 'open')
                        over whole_ladder
        end as seconds_to_win,
        coalesce(won_amounts.won_deals, 0) as won_deals,
        coalesce(won_amounts.won_amount_unknown, 0) as won_amount_unknown,
        won_amounts.average_won_amount,
    from plan_stages
    left join entries
        on plan_stages.funnel_id = entries.funnel_id
    left join won_amounts
        on plan_stages.funnel_id = won_amounts.funnel_id
    left join stage_times
        on
            plan_stages.funnel_id = stage_times.funnel_id
            and plan_stages.stage_id = stage_times.stage_id
    window whole_ladder as (
        partition by plan_stages.funnel_id
        order by plan_stages.stage_position
        rows between unbounded preceding and unbounded following
    )
),

-- A step leads to every stage but the first; time is spent in, and more can enter, the open ones.
levers as (
    select
        what_if_steps.lever,
        what_if_steps.unit,
        what_if_steps.step,
        what_if_steps.change,
        timed_stages.*,
    from what_if_steps
    inner join timed_stages
        on what_if_steps.funnel_id = timed_stages.funnel_id
    where
        (what_if_steps.lever = 'step_rate' and timed_stages.stage_position > 1)
        or (what_if_steps.lever != 'step_rate' and timed_stages.stage_kind = 'open')
),

measured_levers as (
    select
        *,
        case lever
            when 'step_rate' then {{ rate('mature_reached', 'mature_reached_previous') }}
            when 'cycle_time' then {{ rate('median_seconds', '86400') }}
            when 'entries' then entries * {{ rate('mature_reached', 'mature_entered') }}
        end as baseline_value,
    from levers
),

changed_levers as (
    select
        *,
        case
            -- The greatest of nothing and 0 would be 0.
            when baseline_value is null then null
            when lever != 'step_rate' then baseline_value * (1 + change)
            when unit = 'points' then least(greatest(baseline_value + change, 0), 1)
            else least(baseline_value * (1 + change), 1)
        end as changed_value,
        entries * {{ rate('mature_won', 'mature_entered') }} as baseline_wins,
        {{ rate('mature_won', 'mature_reached') }} as wins_of_one_more,
        {{ rate('seconds_to_win', '86400') }} as baseline_days_to_win,
    from measured_levers
),

outcomes as (
    select
        *,
        case lever
            when 'step_rate'
                then
                    entries * {{ rate('mature_reached_previous', 'mature_entered') }}
                    * (changed_value - baseline_value) * wins_of_one_more
            when 'entries' then (changed_value - baseline_value) * wins_of_one_more
            else 0
        end as wins_difference,
        case when lever = 'cycle_time' then changed_value - baseline_value else 0 end
            as days_difference,
    from changed_levers
),

-- To nine digits: what is equal but for the last bit of a float shares its rank.
ranked_outcomes as (
    select
        *,
        round(abs(case when lever = 'cycle_time' then days_difference else wins_difference end), 9)
            as gain,
    from outcomes
)

select
    ranked_outcomes.funnel_id,
    ranked_outcomes.lever,
    ranked_outcomes.unit,
    ranked_outcomes.step,
    ranked_outcomes.stage_id,
    ranked_outcomes.stage_position,
    ranked_outcomes.entries,
    ranked_outcomes.mature_reached,
    ranked_outcomes.mature_reached_previous,
    {{ rate('ranked_outcomes.mature_reached', 'ranked_outcomes.mature_reached_previous') }}
        as mature_step_rate,
    {{ wilson_low('ranked_outcomes.mature_reached', 'ranked_outcomes.mature_reached_previous') }}
        as mature_step_rate_low,
    {{ wilson_high('ranked_outcomes.mature_reached', 'ranked_outcomes.mature_reached_previous') }}
        as mature_step_rate_high,
    {{ is_reportable('ranked_outcomes.mature_reached_previous') }}
        as mature_step_rate_is_reportable,
    ranked_outcomes.timed_deals,
    {{ rate('ranked_outcomes.median_seconds', '86400') }} as median_days_in_stage,
    ranked_outcomes.won_deals,
    ranked_outcomes.won_amount_unknown,
    ranked_outcomes.average_won_amount,
    ranked_outcomes.baseline_value,
    ranked_outcomes.changed_value,
    ranked_outcomes.baseline_wins,
    ranked_outcomes.baseline_wins + ranked_outcomes.wins_difference as changed_wins,
    ranked_outcomes.wins_difference,
    cast(
        ranked_outcomes.baseline_wins * cast(ranked_outcomes.average_won_amount as double)
        as decimal(18, 4)
    ) as baseline_amount,
    cast(
        (ranked_outcomes.baseline_wins + ranked_outcomes.wins_difference)
        * cast(ranked_outcomes.average_won_amount as double) as decimal(18, 4)
    ) as changed_amount,
    cast(
        ranked_outcomes.wins_difference * cast(ranked_outcomes.average_won_amount as double)
        as decimal(18, 4)
    ) as amount_difference,
    ranked_outcomes.baseline_days_to_win,
    ranked_outcomes.baseline_days_to_win + ranked_outcomes.days_difference as changed_days_to_win,
    ranked_outcomes.days_difference,
    cast(
        {{ dbt.dateadd(
            'day', 'cast(ceil(ranked_outcomes.baseline_days_to_win) as integer)', 'run.as_of_date'
        ) }} as date
    ) as baseline_win_date,
    cast(
        {{ dbt.dateadd(
            'day',
            'cast(ceil(ranked_outcomes.baseline_days_to_win + ranked_outcomes.days_difference)'
            ~ ' as integer)',
            'run.as_of_date'
        ) }} as date
    ) as changed_win_date,
    case
        when ranked_outcomes.gain > 0
            then cast(
                rank() over (
                    partition by
                        ranked_outcomes.funnel_id,
                        ranked_outcomes.lever,
                        ranked_outcomes.unit,
                        ranked_outcomes.step
                    order by ranked_outcomes.gain desc nulls last
                ) as integer
            )
    end as gain_rank,
from ranked_outcomes
cross join run
