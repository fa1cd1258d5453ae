with

measures as (
    select
        funnel_id,
        stage_id,
        measure_name,
        uplift,
        uplift_kind,
        tried_from,
    from {{ ref('win_back_measures') }}
    where tried_from is not null
),

conversions as (
    select
        funnel_id,
        stage_id,
        cohort_date,
        mature_reached_previous,
        mature_reached,
    from {{ ref('funnel_conversion') }}
    where cohort_grain = 'day' and segment_name = 'all'
),

cohorts as (
    select
        measures.funnel_id,
        measures.stage_id,
        measures.measure_name,
        measures.uplift,
        measures.uplift_kind,
        measures.tried_from,
        conversions.cohort_date >= measures.tried_from as is_since,
        conversions.mature_reached_previous,
        conversions.mature_reached,
    from measures
    left join conversions
        on
            measures.funnel_id = conversions.funnel_id
            and measures.stage_id = conversions.stage_id
),

trials as (
    select
        funnel_id,
        stage_id,
        measure_name,
        uplift,
        uplift_kind,
        tried_from,
        cast(coalesce(sum(case when not is_since then mature_reached_previous end), 0) as bigint)
            as reached_previous_before,
        cast(coalesce(sum(case when not is_since then mature_reached end), 0) as bigint)
            as reached_before,
        cast(coalesce(sum(case when is_since then mature_reached_previous end), 0) as bigint)
            as reached_previous_since,
        cast(coalesce(sum(case when is_since then mature_reached end), 0) as bigint)
            as reached_since,
    from cohorts
    group by all
),

rated_trials as (
    select
        *,
        {{ rate('reached_before', 'reached_previous_before') }} as rate_before,
        {{ rate('reached_since', 'reached_previous_since') }} as rate_since,
    from trials
)

select
    funnel_id,
    stage_id,
    measure_name,
    uplift,
    uplift_kind,
    tried_from,
    reached_previous_before,
    reached_before,
    rate_before,
    {{ wilson_low('reached_before', 'reached_previous_before') }} as rate_before_low,
    {{ wilson_high('reached_before', 'reached_previous_before') }} as rate_before_high,
    {{ is_reportable('reached_previous_before') }} as rate_before_is_reportable,
    reached_previous_since,
    reached_since,
    rate_since,
    {{ wilson_low('reached_since', 'reached_previous_since') }} as rate_since_low,
    {{ wilson_high('reached_since', 'reached_previous_since') }} as rate_since_high,
    {{ is_reportable('reached_previous_since') }} as rate_since_is_reportable,
    case
        when rate_before is not null
            then
                least(
                    1e0,
                    case uplift_kind
                        when 'relative' then rate_before * (1e0 + uplift)
                        else rate_before + uplift
                    end
                )
    end as rate_expected,
    rate_since - rate_before as rate_difference,
    {{ newcombe_bound(
        'reached_since', 'reached_previous_since', 'reached_before', 'reached_previous_before', 'low'
    ) }} as rate_difference_low,
    {{ newcombe_bound(
        'reached_since', 'reached_previous_since', 'reached_before', 'reached_previous_before',
        'high'
    ) }} as rate_difference_high,
    case
        when reached_previous_since > 0
            then reached_since - reached_previous_since * rate_before
    end as added_since,
from rated_trials
