with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where subject_type in ('lead', 'opportunity')
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        entered_at,
        ended_at,
    from {{ ref('fct_journeys') }}
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        reached_at,
    from {{ ref('fct_journey_stages') }}
),

records as (
    select
        record_id,
        owner_id,
        attributes,
    from {{ ref('int_surviving_records') }}
),

intent_rules as (
    select
        rule_position,
        funnel_id,
        attribute,
        stage_id,
        match_type,
        match_value,
        intent,
    from {{ ref('intent_rules') }}
),

agreements as (
    select
        intent,
        first_contact_hours,
        contacts_from,
        contacts_to,
        contacts_per,
    from {{ ref('follow_up_agreement') }}
),

date_hours as (
    select
        calendar_date,
        opens_at,
        closes_at,
    from {{ ref('int_date_hours') }}
),

record_journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        records.owner_id,
        records.attributes,
        journeys.outcome,
        journeys.entered_at,
        journeys.ended_at,
    from journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    inner join records
        on journeys.subject_id = records.record_id
),

matches as (
    select
        record_journeys.funnel_id,
        record_journeys.subject_id,
        record_journeys.journey_number,
        intent_rules.rule_position,
        intent_rules.intent,
        record_journeys.entered_at as follow_up_from,
    from record_journeys
    inner join intent_rules
        on record_journeys.funnel_id = intent_rules.funnel_id
    where
        intent_rules.attribute is not null
        and {{ matches_rule(
            json_text_at('record_journeys.attributes', 'intent_rules.attribute'),
            'intent_rules.match_type',
            'intent_rules.match_value'
        ) }}

    union all

    select
        journey_stages.funnel_id,
        journey_stages.subject_id,
        journey_stages.journey_number,
        intent_rules.rule_position,
        intent_rules.intent,
        journey_stages.reached_at as follow_up_from,
    from journey_stages
    inner join intent_rules
        on
            journey_stages.funnel_id = intent_rules.funnel_id
            and journey_stages.stage_id = intent_rules.stage_id
),

first_matches as (
    select
        funnel_id,
        subject_id,
        journey_number,
        intent,
        follow_up_from,
    from matches
    qualify
        row_number() over (
            partition by funnel_id, subject_id, journey_number
            order by rule_position
        ) = 1
),

working_dates as (
    select
        calendar_date,
        opens_at,
        closes_at,
        min(case when opens_at is not null then calendar_date end) over (
            order by calendar_date
            rows between current row and unbounded following
        ) as working_date,
        min(opens_at) over (
            order by calendar_date
            rows between 1 following and unbounded following
        ) as next_opens_at,
    from date_hours
),

started_follow_ups as (
    select
        record_journeys.funnel_id,
        record_journeys.subject_id,
        record_journeys.journey_number,
        record_journeys.owner_id,
        record_journeys.outcome,
        record_journeys.entered_at,
        record_journeys.ended_at,
        first_matches.intent,
        first_matches.follow_up_from,
        agreements.first_contact_hours,
        agreements.contacts_from,
        agreements.contacts_to,
        agreements.contacts_per,
        case
            when first_matches.follow_up_from < working_dates.opens_at
                then working_dates.opens_at
            when first_matches.follow_up_from < working_dates.closes_at
                then first_matches.follow_up_from
            else coalesce(working_dates.next_opens_at, first_matches.follow_up_from)
        end as clock_starts_at,
    from record_journeys
    left join first_matches
        on
            record_journeys.funnel_id = first_matches.funnel_id
            and record_journeys.subject_id = first_matches.subject_id
            and record_journeys.journey_number = first_matches.journey_number
    left join agreements
        on first_matches.intent = agreements.intent
    left join working_dates
        on {{ reporting_date('first_matches.follow_up_from') }} = working_dates.calendar_date
),

elapsed_limits as (
    select
        *,
        {{ hours_after('clock_starts_at', 'first_contact_hours') }} as limit_ends_at,
    from started_follow_ups
),

moved_limits as (
    select
        elapsed_limits.*,
        working_dates.working_date,
        {{ hours_after(
            'elapsed_limits.limit_ends_at',
            '24 * coalesce(' ~ dbt.datediff(
                'working_dates.calendar_date', 'working_dates.working_date', 'day'
            ) ~ ', 0)'
        ) }} as moved_to,
    from elapsed_limits
    left join working_dates
        on {{ reporting_date('elapsed_limits.limit_ends_at') }} = working_dates.calendar_date
)

select
    moved_limits.funnel_id,
    moved_limits.subject_id,
    moved_limits.journey_number,
    moved_limits.owner_id,
    moved_limits.intent,
    moved_limits.outcome,
    moved_limits.entered_at,
    moved_limits.follow_up_from,
    moved_limits.ended_at,
    moved_limits.clock_starts_at,
    case
        when moved_limits.moved_to < working_dates.opens_at then working_dates.opens_at
        when moved_limits.moved_to > working_dates.closes_at
            then coalesce(working_dates.next_opens_at, moved_limits.moved_to)
        else moved_limits.moved_to
    end as first_contact_due_at,
    moved_limits.first_contact_hours,
    moved_limits.contacts_from,
    moved_limits.contacts_to,
    moved_limits.contacts_per,
from moved_limits
left join working_dates
    on moved_limits.working_date = working_dates.calendar_date
