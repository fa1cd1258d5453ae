with

alerts as (
    select
        funnel_id,
        metric,
        metric in ('step_rate', 'overall_rate') as is_rate,
        stage_id,
        stage_position,
        segment_name,
        segment_value,
        period_grain,
        compared_with,
        period_date,
        period_start_date,
        period_end_date,
        cases,
        trials,
        observed,
        expected,
        difference,
        size,
        change,
        unit,
        p_value,
        tests,
        q_value,
        case when difference < 0 then 'fell' else 'rose' end as went,
        -- What is told is when it gets twice as bad, not every step there.
        cast(power(2, floor(log2(abs(size) / change))) as bigint) as times_declared,
        case
            when period_grain in ('month', 'rolling_30') then 'month'
            when period_grain in ('quarter', 'year') then period_grain
            else 'week'
        end as explained_grain,
    from {{ ref('metric_tests') }}
    where is_alert
),

trends as (
    select
        funnel_id,
        metric,
        stage_id,
        segment_name,
        segment_value,
        period_grain,
        period_date,
        difference,
        value < expected_low as is_unusually_low,
        max(period_date) over (partition by funnel_id, metric, period_grain) as last_period_date,
    from {{ ref('funnel_trends') }}
),

explanations as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        stage_id,
        rate_name,
        total_change,
        explanation,
    from {{ ref('int_leading_explanations') }}
),

-- The last change up to the end of the alert's period, if it went the same way.
explained_changes as (
    select
        alerts.funnel_id,
        alerts.metric,
        alerts.stage_id,
        alerts.period_grain,
        alerts.went,
        explanations.cohort_grain,
        explanations.cohort_date,
        explanations.total_change,
        explanations.explanation,
        row_number() over (
            partition by alerts.funnel_id, alerts.metric, alerts.stage_id, alerts.period_grain
            order by explanations.cohort_date desc
        ) as change_rank,
    from (
        select distinct
            funnel_id,
            metric,
            stage_id,
            period_grain,
            went,
            explained_grain,
            period_end_date,
        from alerts
        where segment_name = 'all'
    ) as alerts
    inner join explanations
        on
            alerts.funnel_id = explanations.funnel_id
            and alerts.metric = explanations.rate_name
            and alerts.stage_id = explanations.stage_id
            and alerts.explained_grain = explanations.cohort_grain
            and alerts.period_end_date >= explanations.cohort_date
),

leading_changes as (
    select
        funnel_id,
        metric,
        stage_id,
        period_grain,
        went,
        'In the ' || cohort_grain || ' of ' || cast(cohort_date as {{ dbt.type_string() }})
        || ', ' || explanation as explanation,
    from explained_changes
    where change_rank = 1 and (total_change < 0) = (went = 'fell')
),

-- Of a number, the segment value that lacks or adds most.
segment_parts as (
    select
        alerts.funnel_id,
        alerts.metric,
        alerts.stage_id,
        alerts.period_grain,
        alerts.went,
        trends.segment_name,
        trends.segment_value,
        trends.difference,
        row_number() over (
            partition by
                alerts.funnel_id,
                alerts.metric,
                alerts.stage_id,
                alerts.period_grain,
                alerts.went
            order by -abs(trends.difference), trends.segment_name, trends.segment_value
        ) as part_rank,
    from (
        select distinct
            funnel_id,
            metric,
            stage_id,
            period_grain,
            period_date,
            went,
        from alerts
        where segment_name = 'all' and not is_rate
    ) as alerts
    inner join trends
        on
            alerts.funnel_id = trends.funnel_id
            and alerts.metric = trends.metric
            and alerts.stage_id = trends.stage_id
            and alerts.period_grain = trends.period_grain
            and alerts.period_date = trends.period_date
    where
        trends.segment_name != 'all'
        and (trends.difference < 0) = (alerts.went = 'fell')
),

leading_parts as (
    select
        funnel_id,
        metric,
        stage_id,
        period_grain,
        went,
        'Most by ' || segment_value || ' of ' || segment_name || ' ('
        || cast(cast(difference as decimal(18, 0)) as {{ dbt.type_string() }})
        || ').' as explanation,
    from segment_parts
    where part_rank = 1
),

-- Where several funnels lack entries, a delivery is likelier to lack something than the market.
entries_of_funnels as (
    select
        funnel_id,
        coalesce(bool_or(is_unusually_low), false) as lacks_entries,
    from trends
    where
        metric = 'entries'
        and segment_name = 'all'
        and period_grain in ('rolling_1', 'rolling_7')
        and period_date = last_period_date
    group by all
),

deliveries as (
    select
        count(*) filter (where lacks_entries) as funnels_lacking,
        count(*) as funnels,
    from entries_of_funnels
),

explained_alerts as (
    select
        alerts.*,
        coalesce(leading_changes.explanation, leading_parts.explanation) as leading_explanation,
        case
            when alerts.segment_name != 'all'
                then 'Of ' || alerts.segment_value || ' alone, whatever the others do.'
            else 'No declared segment tells why.'
        end as other_explanation,
        case
            when
                not alerts.is_rate
                and alerts.went = 'fell'
                and deliveries.funnels_lacking > 1
                then
                    'Entries are below what is usual in '
                    || cast(deliveries.funnels_lacking as {{ dbt.type_string() }}) || ' of '
                    || cast(deliveries.funnels as {{ dbt.type_string() }})
                    || ' funnels: look first whether a source delivered less. '
            else ''
        end as hint_of_deliveries,
        case
            when alerts.metric = 'entries' then alerts.metric
            else replace(alerts.metric, '_', ' ') || ' of ' || alerts.stage_id
        end as metric_in_words,
        case
            when alerts.segment_name = 'all' then ''
            else ' with ' || alerts.segment_name || ' ' || alerts.segment_value
        end as segment_in_words,
        case alerts.compared_with
            when 'baseline' then 'expected were '
            when 'last_year' then 'last year '
            else 'the benchmark is '
        end as comparison_in_words,
        case
            when alerts.period_start_date = alerts.period_end_date then 'on '
            else 'from ' || cast(alerts.period_start_date as {{ dbt.type_string() }}) || ' to '
        end as start_in_words,
        {{ signed_size('alerts.size') }} as size_in_words,
        case
            when alerts.is_rate then {{ in_percent('alerts.observed') }}
            else cast(cast(alerts.observed as decimal(18, 0)) as {{ dbt.type_string() }})
        end as observed_in_words,
        case
            when alerts.is_rate then {{ in_percent('alerts.expected') }}
            else cast(cast(alerts.expected as decimal(18, 0)) as {{ dbt.type_string() }})
        end as expected_in_words,
        case
            when alerts.q_value < 0.001 then 'practically certain'
            when alerts.q_value < 0.01 then 'very likely'
            else 'likely'
        end as certainty,
    from alerts
    cross join deliveries
    left join leading_changes
        on
            alerts.funnel_id = leading_changes.funnel_id
            and alerts.metric = leading_changes.metric
            and alerts.stage_id = leading_changes.stage_id
            and alerts.period_grain = leading_changes.period_grain
            and alerts.went = leading_changes.went
            and alerts.segment_name = 'all'
    left join leading_parts
        on
            alerts.funnel_id = leading_parts.funnel_id
            and alerts.metric = leading_parts.metric
            and alerts.stage_id = leading_parts.stage_id
            and alerts.period_grain = leading_parts.period_grain
            and alerts.went = leading_parts.went
            and alerts.segment_name = 'all'
)

select
    funnel_id || '/' || metric || '/' || stage_id || '/' || segment_name || '=' || segment_value
    || '/' || period_grain || '/' || compared_with as alert_id,
    went || ' ' || cast(times_declared as {{ dbt.type_string() }}) || ' times the declared change'
        as alert_state,
    funnel_id,
    metric,
    stage_id,
    stage_position,
    segment_name,
    segment_value,
    period_grain,
    compared_with,
    unit,
    certainty,
    period_date,
    period_start_date,
    period_end_date,
    cases,
    trials,
    observed,
    expected,
    difference,
    size,
    change,
    times_declared,
    p_value,
    tests,
    q_value,
    funnel_id || ': ' || metric_in_words || segment_in_words || ' ' || went || ' to '
    || observed_in_words || ', ' || comparison_in_words || expected_in_words
    || ' (' || size_in_words || ' ' || unit || ', ' || certainty || '), ' || start_in_words
    || cast(period_end_date as {{ dbt.type_string() }}) || '.' as headline,
    coalesce(hint_of_deliveries || leading_explanation, other_explanation) as explanation,
from explained_alerts
