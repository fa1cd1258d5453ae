with

changes as (
    select
        change_name,
        funnel_id,
        changed_on,
        days_compared,
        cast({{ dbt.dateadd('day', '-days_compared', 'changed_on') }} as date) as before_from,
        cast({{ dbt.dateadd('day', 'days_compared', 'changed_on') }} as date) as after_until,
    from {{ ref('changes') }}
),

conversions as (
    select
        funnel_id,
        cohort_date,
        stage_id,
        stage_position,
        mature_reached,
        mature_reached_previous,
        mature_entered,
    from {{ ref('funnel_conversion') }}
    where cohort_grain = 'day' and segment_name = 'all' and stage_position > 1
),

spans as (
    select
        funnel_id,
        first_date,
        mature_date,
    from {{ ref('int_trend_spans') }}
),

other_changes as (
    select
        changes.change_name,
        changes.funnel_id,
        min(others.change_name) as first_other_change,
        count(*) as other_changes,
    from changes
    inner join changes as others
        on
            changes.funnel_id = others.funnel_id
            and changes.change_name != others.change_name
            and changes.before_from <= others.changed_on
            and changes.after_until > others.changed_on
    group by all
),

day_rates as (
    select
        funnel_id,
        cohort_date,
        stage_id,
        stage_position,
        'step_rate' as rate_name,
        mature_reached as successes,
        mature_reached_previous as trials,
    from conversions
    union all
    select
        funnel_id,
        cohort_date,
        stage_id,
        stage_position,
        'overall_rate' as rate_name,
        mature_reached as successes,
        mature_entered as trials,
    from conversions
),

-- Only whole, mature days: the others would look worse than they will be.
compared as (
    select
        changes.change_name,
        changes.funnel_id,
        changes.changed_on,
        changes.days_compared,
        spans.first_date,
        spans.mature_date,
        changes.before_from,
        changes.after_until,
        day_rates.stage_id,
        day_rates.stage_position,
        day_rates.rate_name,
        cast(coalesce(sum(
            case when day_rates.cohort_date < changes.changed_on then day_rates.successes end
        ), 0) as bigint) as successes_before,
        cast(coalesce(sum(
            case when day_rates.cohort_date < changes.changed_on then day_rates.trials end
        ), 0) as bigint) as trials_before,
        cast(coalesce(sum(
            case when day_rates.cohort_date >= changes.changed_on then day_rates.successes end
        ), 0) as bigint) as successes_after,
        cast(coalesce(sum(
            case when day_rates.cohort_date >= changes.changed_on then day_rates.trials end
        ), 0) as bigint) as trials_after,
    from changes
    inner join spans on changes.funnel_id = spans.funnel_id
    inner join day_rates
        on
            changes.funnel_id = day_rates.funnel_id
            and changes.before_from <= day_rates.cohort_date
            and changes.after_until > day_rates.cohort_date
            and spans.mature_date >= day_rates.cohort_date
    group by all
),

measured as (
    select
        *,
        greatest(
            0,
            {{ dbt.datediff('greatest(first_date, before_from)', 'changed_on', 'day') }}
        ) as days_before,
        greatest(
            0,
            {{ dbt.datediff(
                'changed_on', "least(mature_date + interval 1 day, after_until)", 'day'
            ) }}
        ) as days_after,
        {{ rate('successes_before', 'trials_before') }} as rate_before,
        {{ rate('successes_after', 'trials_after') }} as rate_after,
        {{ rate('(successes_before + successes_after)', '(trials_before + trials_after)') }}
            as pooled_rate,
    from compared
),

scored as (
    select
        *,
        (rate_after - rate_before) / sqrt(
            nullif(
                pooled_rate * (1e0 - pooled_rate)
                * (1e0 / nullif(trials_before, 0) + 1e0 / nullif(trials_after, 0)),
                0
            )
        ) as score,
    from measured
)

select
    scored.change_name,
    scored.funnel_id,
    scored.stage_id,
    scored.stage_position,
    scored.rate_name,
    scored.changed_on,
    cast(scored.days_before as bigint) as days_before,
    cast(scored.days_after as bigint) as days_after,
    scored.successes_before,
    scored.trials_before,
    scored.rate_before,
    {{ wilson_low('scored.successes_before', 'scored.trials_before') }} as rate_before_low,
    {{ wilson_high('scored.successes_before', 'scored.trials_before') }} as rate_before_high,
    {{ is_reportable('scored.trials_before') }} as rate_before_is_reportable,
    scored.successes_after,
    scored.trials_after,
    scored.rate_after,
    {{ wilson_low('scored.successes_after', 'scored.trials_after') }} as rate_after_low,
    {{ wilson_high('scored.successes_after', 'scored.trials_after') }} as rate_after_high,
    {{ is_reportable('scored.trials_after') }} as rate_after_is_reportable,
    scored.rate_after - scored.rate_before as difference,
    {{ newcombe_bound(
        'scored.successes_after', 'scored.trials_after', 'scored.successes_before',
        'scored.trials_before', 'low'
    ) }} as difference_low,
    {{ newcombe_bound(
        'scored.successes_after', 'scored.trials_after', 'scored.successes_before',
        'scored.trials_before', 'high'
    ) }} as difference_high,
    {{ normal_two_sided_p('scored.score') }} as p_value,
    'What else changed, and the season, counts too: only an experiment tells causes.'
    || case
        when other_changes.other_changes > 0
            then ' ' || other_changes.first_other_change || ' was changed in the same time.'
        else ''
    end
    || case
        when scored.days_before < scored.days_compared
            then
                ' Only ' || cast(scored.days_before as {{ dbt.type_string() }})
                || ' days before are known.'
        else ''
    end
    || case
        when scored.days_after < scored.days_compared
            then
                ' Only ' || cast(scored.days_after as {{ dbt.type_string() }})
                || ' days after are mature yet.'
        else ''
    end
    || case
        when mod(scored.days_compared, 7) != 0 or scored.days_after != scored.days_before
            then ' The days before and after are not of the same weekdays.'
        else ''
    end
    || case
        when not {{ is_reportable('least(scored.trials_before, scored.trials_after)') }}
            then ' Few cases.'
        else ''
    end as caveats,
from scored
left join other_changes
    on
        scored.change_name = other_changes.change_name
        and scored.funnel_id = other_changes.funnel_id
