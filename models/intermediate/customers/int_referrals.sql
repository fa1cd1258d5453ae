with

acquisition_settings as (
    select
        funnel_id,
        referrer_property,
    from {{ ref('acquisition_settings') }}
    where referrer_property is not null
),

acquisitions as (
    select
        funnel_id,
        subject_id,
        person_id,
        acquired_at,
    from {{ ref('int_acquisitions') }}
    where person_id is not null and acquired_at is not null
),

evidence as (
    select
        person_id,
        properties,
        content_number,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_type = 'event' and properties is not null
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type in ('user_id', 'anonymous_id', 'contact_id')
),

-- Of one name with several meanings the user counts.
named_persons as (
    select
        identifier,
        min_by(
            person_id,
            case identifier_type when 'user_id' then 1 when 'contact_id' then 2 else 3 end
        ) as person_id,
    from person_identifiers
    group by identifier
),

asked_acquisitions as (
    select
        acquisitions.funnel_id,
        acquisitions.subject_id,
        acquisitions.person_id,
        acquisitions.acquired_at,
        acquisition_settings.referrer_property,
    from acquisitions
    inner join acquisition_settings
        on acquisitions.funnel_id = acquisition_settings.funnel_id
),

named_referrers as (
    select
        asked_acquisitions.funnel_id,
        asked_acquisitions.subject_id,
        asked_acquisitions.person_id,
        asked_acquisitions.acquired_at,
        nullif(
            trim({{ json_text_at('evidence.properties', 'asked_acquisitions.referrer_property') }}),
            ''
        ) as referrer_name,
        evidence.occurred_at as named_at,
        evidence.content_number,
    from asked_acquisitions
    inner join evidence
        on
            asked_acquisitions.person_id = evidence.person_id
            and asked_acquisitions.acquired_at >= evidence.occurred_at
),

first_referrers as (
    select
        funnel_id,
        subject_id,
        person_id,
        acquired_at,
        referrer_name,
    from named_referrers
    where referrer_name is not null
    qualify
        row_number() over (
            partition by funnel_id, subject_id
            order by named_at, content_number, referrer_name
        ) = 1
),

first_acquisitions as (
    select
        funnel_id,
        person_id,
        min(acquired_at) as acquired_at,
    from acquisitions
    group by funnel_id, person_id
)

select
    first_referrers.funnel_id,
    first_referrers.subject_id,
    first_referrers.person_id,
    named_persons.person_id as referrer_person_id,
    -- Whoever came later has brought nobody: without this a chain could be a ring.
    case
        when named_persons.person_id is null then 'unknown'
        when named_persons.person_id = first_referrers.person_id then 'self'
        when referrer_acquisitions.acquired_at >= own_acquisitions.acquired_at then 'later'
        else 'known'
    end as referrer_status,
    first_referrers.acquired_at,
from first_referrers
inner join first_acquisitions as own_acquisitions
    on
        first_referrers.funnel_id = own_acquisitions.funnel_id
        and first_referrers.person_id = own_acquisitions.person_id
left join named_persons
    on first_referrers.referrer_name = named_persons.identifier
left join first_acquisitions as referrer_acquisitions
    on
        first_referrers.funnel_id = referrer_acquisitions.funnel_id
        and named_persons.person_id = referrer_acquisitions.person_id
