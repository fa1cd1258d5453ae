with

follow_ups as (
    select
        funnel_id,
        {{ segment_value('intent') }} as intent,
        {{ segment_value('owner_id') }} as owner_id,
        status,
        cadence,
        {{ microseconds_of('business_seconds_to_agreed_contact') }} as business_microseconds,
    from {{ ref('follow_up_timeliness') }}
),

breakdowns as (
    select
        'all' as breakdown,
        false as by_intent,
        false as by_owner,
    union all
    select
        'intent' as breakdown,
        true as by_intent,
        false as by_owner,
    union all
    select
        'owner' as breakdown,
        false as by_intent,
        true as by_owner,
    union all
    select
        'intent_and_owner' as breakdown,
        true as by_intent,
        true as by_owner,
),

follow_up_groups as (
    select
        follow_ups.funnel_id,
        breakdowns.breakdown,
        case when breakdowns.by_intent then follow_ups.intent else 'all' end as intent,
        case when breakdowns.by_owner then follow_ups.owner_id else 'all' end as owner_id,
        count(*) as journeys,
        count(case when follow_ups.status = 'kept' then 1 end) as kept,
        count(case when follow_ups.status = 'broken' then 1 end) as broken,
        count(case when follow_ups.status = 'pending' then 1 end) as pending,
        count(case when follow_ups.status = 'ended_before' then 1 end) as ended_before,
        count(case when follow_ups.status in ('no_agreement', 'undated') then 1 end) as not_judged,
        count(case when follow_ups.status in ('kept', 'broken') then 1 end) as judged,
        count(follow_ups.business_microseconds) as contacted,
        {{ sorted_numbers('follow_ups.business_microseconds') }} as sorted_microseconds,
        count(follow_ups.cadence) as cadence_judged,
        count(case when follow_ups.cadence = 'below' then 1 end) as cadence_below,
        count(case when follow_ups.cadence = 'within' then 1 end) as cadence_within,
        count(case when follow_ups.cadence = 'above' then 1 end) as cadence_above,
    from follow_ups
    cross join breakdowns
    group by all
)

select
    funnel_id,
    breakdown,
    intent,
    owner_id,
    journeys,
    kept,
    broken,
    pending,
    ended_before,
    not_judged,
    judged,
    {{ rate('kept', 'judged') }} as kept_rate,
    {{ wilson_low('kept', 'judged') }} as kept_rate_low,
    {{ wilson_high('kept', 'judged') }} as kept_rate_high,
    {{ is_reportable('judged') }} as kept_rate_is_reportable,
    contacted,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} / 3600e0
        as median_business_hours,
    {{ seconds_of(median_low('sorted_microseconds')) }} / 3600e0 as median_business_hours_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} / 3600e0 as median_business_hours_high,
    {{ is_reportable('contacted') }} as median_business_hours_is_reportable,
    cadence_judged,
    cadence_below,
    cadence_within,
    cadence_above,
    {{ rate('cadence_within', 'cadence_judged') }} as cadence_within_rate,
    {{ wilson_low('cadence_within', 'cadence_judged') }} as cadence_within_rate_low,
    {{ wilson_high('cadence_within', 'cadence_judged') }} as cadence_within_rate_high,
    {{ is_reportable('cadence_judged') }} as cadence_within_rate_is_reportable,
from follow_up_groups
