with

qualification_rules as (
    select
        rule_position,
        funnel_id,
        dimension,
        attribute,
        match_type,
        match_value,
        finding,
    from {{ ref('qualification_rules') }}
),

ruled_funnels as (
    select distinct funnel_id,
    from qualification_rules
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        was_won,
        is_mature,
        entered_date,
    from {{ ref('fct_journeys') }}
),

journey_attributes as (
    select
        funnel_id,
        subject_id,
        journey_number,
        attribute,
        attribute_value,
        is_known_at_entry,
    from {{ ref('int_journey_attributes') }}
),

first_matches as (
    select
        journey_attributes.funnel_id,
        journey_attributes.subject_id,
        journey_attributes.journey_number,
        qualification_rules.dimension,
        qualification_rules.finding,
        journey_attributes.is_known_at_entry,
    from journey_attributes
    inner join qualification_rules
        on
            journey_attributes.funnel_id = qualification_rules.funnel_id
            and journey_attributes.attribute = qualification_rules.attribute
    where
        {{ matches_rule(
            'journey_attributes.attribute_value',
            'qualification_rules.match_type',
            'qualification_rules.match_value'
        ) }}
    qualify
        row_number() over (
            partition by
                journey_attributes.funnel_id,
                journey_attributes.subject_id,
                journey_attributes.journey_number,
                qualification_rules.dimension
            order by qualification_rules.rule_position
        ) = 1
),

findings as (
    select
        funnel_id,
        subject_id,
        journey_number,
        max(case when dimension = 'money' then finding end) as money,
        max(case when dimension = 'authority' then finding end) as authority,
        max(case when dimension = 'need' then finding end) as need,
        bool_and(is_known_at_entry) as is_known_at_entry,
    from first_matches
    group by all
),

qualified as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        coalesce(findings.money, 'unknown') as money,
        coalesce(findings.authority, 'unknown') as authority,
        coalesce(findings.need, 'unknown') as need,
        journeys.outcome,
        journeys.was_won,
        coalesce(findings.is_known_at_entry, false) as is_known_at_entry,
        journeys.is_mature,
        journeys.entered_date,
    from journeys
    inner join ruled_funnels
        on journeys.funnel_id = ruled_funnels.funnel_id
    left join findings
        on
            journeys.funnel_id = findings.funnel_id
            and journeys.subject_id = findings.subject_id
            and journeys.journey_number = findings.journey_number
)

select
    funnel_id,
    subject_id,
    journey_number,
    {{ qualification_class('money', 'authority', 'need') }} as qualification_class,
    {{ qualification_action(qualification_class('money', 'authority', 'need')) }} as action,
    money,
    authority,
    need,
    outcome,
    was_won,
    is_known_at_entry,
    is_mature,
    entered_date,
from qualified
