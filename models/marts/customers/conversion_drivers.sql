{#- Of all that are named, one in so many may be chance, as in metric_tests. -#}
{%- set false_discoveries = '0.05' -%}
{#- Below this the statistic is too far from normal for its p-value to be believed. -#}
{%- set fewest_expected = 5 -%}
{#- The 97.5% quantile of the normal distribution. -#}
{%- set z = '1.959963984540054e0' -%}

with

strata as (
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_kind,
        factor_name,
        factor_value,
        cases,
        converted,
        other_cases,
        other_converted,
        cases - converted as not_converted,
        other_cases - other_converted as other_not_converted,
        converted + other_converted as all_converted,
        cases + other_cases as all_cases,
    from {{ ref('int_driver_strata') }}
),

-- In the words of Robins, Breslow and Greenland: R and S speak for and against, P and Q are the
-- shares of the cases that do.
weighed_strata as (
    select
        *,
        {{ rate('converted + other_not_converted', 'all_cases') }} as p,
        {{ rate('not_converted + other_converted', 'all_cases') }} as q,
        cast(converted as double) * other_not_converted / nullif(all_cases, 0) as r,
        cast(not_converted as double) * other_converted / nullif(all_cases, 0) as s,
        cast(cases as double) * all_converted / nullif(all_cases, 0) as expected,
        greatest(0, cases + all_converted - all_cases) as fewest_possible,
        least(cases, all_converted) as most_possible,
        coalesce(
            cast(cases as double) * other_cases * all_converted * (all_cases - all_converted)
            / nullif(cast(all_cases as double) * all_cases * (all_cases - 1), 0),
            0
        ) as variance,
    from strata
),

-- In exact decimals, whatever the order of the strata.
summed as (
    select
        funnel_id,
        from_stage_id,
        to_stage_id,
        to_stage_position,
        factor_kind,
        factor_name,
        factor_value,
        cast(sum(cases) as bigint) as cases,
        cast(sum(converted) as bigint) as converted,
        cast(sum(other_cases) as bigint) as other_cases,
        cast(sum(other_converted) as bigint) as other_converted,
        count(case when variance > 0 then 1 end) as strata,
        cast(sum(cast(r as decimal(38, 15))) as double) as r,
        cast(sum(cast(s as decimal(38, 15))) as double) as s,
        cast(sum(cast(p * r as decimal(38, 15))) as double) as pr,
        cast(sum(cast(p * s + q * r as decimal(38, 15))) as double) as ps_qr,
        cast(sum(cast(q * s as decimal(38, 15))) as double) as qs,
        cast(sum(cast(variance as decimal(38, 15))) as double) as variance,
        cast(sum(cast(expected as decimal(38, 15))) as double) as expected,
        cast(sum(fewest_possible) as bigint) as fewest_possible,
        cast(sum(most_possible) as bigint) as most_possible,
    from weighed_strata
    group by all
),

measured as (
    select
        *,
        {{ rate(
            'cast(converted as double) * (other_cases - other_converted)',
            '(cast(cases - converted as double) * other_converted)'
        ) }} as crude_odds_ratio,
        r / nullif(s, 0) as odds_ratio,
        sqrt(
            pr / nullif(2 * r * r, 0)
            + ps_qr / nullif(2 * r * s, 0)
            + qs / nullif(2 * s * s, 0)
        ) as log_error,
        (converted - expected) / sqrt(nullif(variance, 0)) as score,
        {{ is_reportable('least(cases, other_cases)') }} as is_reportable,
        least(expected - fewest_possible, most_possible - expected)
        >= {{ fewest_expected }} as is_score_normal,
    from summed
    where cases > 0 and other_cases > 0
),

tested as (
    select
        *,
        {{ normal_two_sided_p('score') }} as p_value,
        is_reportable and is_score_normal as is_tested,
        case when is_tested then p_value end as tested_p_value,
    from measured
),

counted as (
    select
        *,
        count(tested_p_value) over (partition by funnel_id) as tests,
        {{ counted_p_value('tested_p_value', 'funnel_id') }} as p_value_times,
    from tested
),

judged as (
    select
        *,
        {{ q_value('tested_p_value', 'p_value_times', 'funnel_id') }} as q_value,
    from counted
)

select
    funnel_id,
    from_stage_id,
    to_stage_id,
    to_stage_position,
    factor_kind,
    factor_name,
    factor_value,
    case
        when not is_tested then 'too few cases'
        when q_value > {{ false_discoveries }} then 'no difference found'
        when odds_ratio < 1 then 'less often'
        else 'more often'
    end as verdict,
    cases,
    converted,
    {{ rate('converted', 'cases') }} as rate,
    {{ wilson_low('converted', 'cases') }} as rate_low,
    {{ wilson_high('converted', 'cases') }} as rate_high,
    other_cases,
    other_converted,
    {{ rate('other_converted', 'other_cases') }} as other_rate,
    {{ wilson_low('other_converted', 'other_cases') }} as other_rate_low,
    {{ wilson_high('other_converted', 'other_cases') }} as other_rate_high,
    crude_odds_ratio,
    strata,
    odds_ratio,
    odds_ratio * exp(-{{ z }} * log_error) as odds_ratio_low,
    odds_ratio * exp({{ z }} * log_error) as odds_ratio_high,
    p_value,
    is_reportable,
    is_tested,
    tests,
    q_value,
from judged
