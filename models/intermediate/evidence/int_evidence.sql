{{ config(materialized='view') }}

with

run as (
    select as_of from {{ ref('int_run') }}
),

events as (
    select
        event_name,
        user_id,
        anonymous_id,
        case when user_id is null then anonymous_id end as unknown_device_id,
        case when user_id is null then email_hash end as unknown_email_hash,
        session_id,
        properties,
        content_number,
        source_file,
        source_row,
        occurred_at,
    from {{ ref('int_events') }}
),

purchases as (
    select
        purchase_id,
        user_id,
        person_id,
        account_id,
        status,
        source_file,
        source_row,
        ordered_at,
    from {{ ref('int_purchases') }}
),

record_stages as (
    select
        record_id,
        record_type,
        pipeline,
        account_id,
        stage,
        evidence,
        source_file,
        source_row,
        source_sequence,
        is_creation,
        may_repeat_creation,
        entered_at,
    from {{ ref('int_record_stages') }}
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
),

-- Most devices and users stand for themselves: only the others are worth a look.
device_persons as (
    select
        identifier as anonymous_id,
        person_id,
    from person_identifiers
    where identifier_type = 'anonymous_id' and person_id != 'visitor:' || identifier
),

user_persons as (
    select
        identifier as user_id,
        person_id,
    from person_identifiers
    where identifier_type = 'user_id' and person_id != identifier
),

email_persons as (
    select
        identifier as email_hash,
        person_id,
    from person_identifiers
    where identifier_type = 'email'
),

record_persons as (
    select
        identifier as record_id,
        person_id,
    from person_identifiers
    where identifier_type = 'record_id'
),

event_evidence as (
    select
        'event' as evidence_type,
        events.event_name as evidence_name,
        'observed' as evidence,
        coalesce(events.anonymous_id, events.user_id) as visitor_id,
        events.session_id,
        events.user_id,
        -- Who gives an address on a device that others share is who the address is of.
        coalesce(
            user_persons.person_id,
            events.user_id,
            email_persons.person_id,
            device_persons.person_id,
            'visitor:' || events.anonymous_id
        ) as person_id,
        cast(null as varchar) as account_id,
        cast(null as varchar) as record_id,
        cast(null as varchar) as pipeline,
        events.properties,
        events.content_number,
        events.source_file,
        events.source_row,
        1 as source_sequence,
        false as is_creation,
        false as may_repeat_creation,
        events.occurred_at,
    from events
    left join user_persons
        on events.user_id = user_persons.user_id
    left join email_persons
        on events.unknown_email_hash = email_persons.email_hash
    left join device_persons
        on events.unknown_device_id = device_persons.anonymous_id
),

purchase_evidence as (
    select
        'purchase' as evidence_type,
        purchases.status as evidence_name,
        'observed' as evidence,
        purchases.user_id as visitor_id,
        cast(null as varchar) as session_id,
        purchases.user_id,
        purchases.person_id,
        purchases.account_id,
        cast(null as varchar) as record_id,
        cast(null as varchar) as pipeline,
        cast(null as varchar) as properties,
        {{ content_number(['purchases.purchase_id']) }} as content_number,
        purchases.source_file,
        purchases.source_row,
        1 as source_sequence,
        false as is_creation,
        false as may_repeat_creation,
        purchases.ordered_at as occurred_at,
    from purchases
),

record_evidence as (
    select
        case record_stages.record_type
            when 'lead' then 'lead_status'
            else 'opportunity_stage'
        end as evidence_type,
        record_stages.stage as evidence_name,
        record_stages.evidence,
        cast(null as varchar) as visitor_id,
        cast(null as varchar) as session_id,
        cast(null as varchar) as user_id,
        record_persons.person_id,
        record_stages.account_id,
        record_stages.record_id,
        record_stages.pipeline,
        cast(null as varchar) as properties,
        -- What a record shows at one instant has its own order.
        {{ content_number(['null']) }} as content_number,
        record_stages.source_file,
        record_stages.source_row,
        record_stages.source_sequence,
        record_stages.is_creation,
        record_stages.may_repeat_creation,
        record_stages.entered_at as occurred_at,
    from record_stages
    left join record_persons
        on record_stages.record_id = record_persons.record_id
),

source_files as (
    select
        source_file,
        file_number,
    from {{ ref('int_source_files') }}
),

all_evidence as (
    select * from event_evidence
    union all
    select * from purchase_evidence
    union all
    select * from record_evidence
)

select
    all_evidence.evidence_type,
    all_evidence.evidence_name,
    all_evidence.evidence,
    all_evidence.visitor_id,
    all_evidence.session_id,
    all_evidence.user_id,
    all_evidence.person_id,
    all_evidence.account_id,
    all_evidence.record_id,
    all_evidence.pipeline,
    all_evidence.properties,
    all_evidence.content_number,
    source_files.file_number,
    all_evidence.source_row,
    all_evidence.source_sequence,
    all_evidence.is_creation,
    all_evidence.may_repeat_creation,
    all_evidence.occurred_at,
from all_evidence
inner join source_files
    on all_evidence.source_file = source_files.source_file
cross join run
where all_evidence.occurred_at is null or all_evidence.occurred_at < run.as_of
