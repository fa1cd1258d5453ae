with

tasks as (
    select * from {{ salesforce_current_rows('task') }}
),

events as (
    select * from {{ salesforce_current_rows('event') }}
),

campaign_members as (
    select * from {{ salesforce_current_rows('campaign_member') }}
),

-- What a task is about is told by its key, or where keys are masked by what else is delivered.
opportunities as (
    select distinct
        _source,
        id,
    from {{ source('salesforce', 'opportunity') }}
),

leads as (
    select distinct
        _source,
        id,
    from {{ source('salesforce', 'lead') }}
),

contacts as (
    select distinct
        _source,
        id,
    from {{ source('salesforce', 'contact') }}
),

-- An open task is a plan.
done_tasks as (
    select
        id as activity_id,
        coalesce(
            completed_date_time,
            {{ between_days_of(
                'activity_date',
                'cast(null as ' ~ dbt.type_string() ~ ')',
                'coalesce(last_modified_date, system_modstamp)'
            ) }},
            created_date
        ) as occurred_at,
        coalesce(type, task_subtype, 'Task') as activity_type,
        what_id,
        who_id,
        owner_id,
        {{ salesforce_updated_at() }} as updated_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
    from tasks
    where
        coalesce(
            try_cast(is_closed as boolean),
            completed_date_time is not null or status = 'Completed'
        )
        and not {{ salesforce_is_deleted() }}
),

-- Of a meeting with several guests Salesforce keeps a copy for each.
meetings as (
    select
        id as activity_id,
        coalesce(start_date_time, activity_date_time, activity_date, created_date) as occurred_at,
        coalesce(type, event_subtype, 'Event') as activity_type,
        what_id,
        who_id,
        owner_id,
        {{ salesforce_updated_at() }} as updated_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
    from events
    where
        not coalesce(try_cast(is_child as boolean), false)
        and not {{ salesforce_is_deleted() }}
),

-- A meeting of tomorrow is a plan.
past_meetings as (
    select *
    from meetings
    where coalesce(
        cast(try_cast(occurred_at as timestamp) as date) <= cast(_delivered_at as date), true
    )
),

responses as (
    select
        id as activity_id,
        coalesce(first_responded_date, created_date) as occurred_at,
        case
            when coalesce(try_cast(has_responded as boolean), first_responded_date is not null)
                then 'campaign response'
            else 'campaign member'
        end as activity_type,
        lead_id as record_id,
        contact_id,
        null as owner_id,
        {{ salesforce_updated_at() }} as updated_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
    from campaign_members
    where not {{ salesforce_is_deleted() }}
),

tasks_and_meetings as (
    select * from done_tasks
    union all
    select * from past_meetings
),

touches as (
    select
        activities.activity_id,
        activities.occurred_at,
        activities.activity_type,
        case
            when opportunities.id is not null or activities.what_id like '006%'
                then activities.what_id
            when leads.id is not null or activities.who_id like '00Q%' then activities.who_id
        end as record_id,
        case
            when contacts.id is not null or activities.who_id like '003%' then activities.who_id
        end as contact_id,
        activities.owner_id,
        activities.updated_at,
        activities._source,
        activities._file,
        activities._row,
        activities._load_id,
        activities._delivered_at,
        activities._plausible_until,
    from tasks_and_meetings as activities
    left join opportunities
        on
            activities._source = opportunities._source
            and activities.what_id = opportunities.id
    left join leads
        on
            activities._source = leads._source
            and activities.who_id = leads.id
    left join contacts
        on
            activities._source = contacts._source
            and activities.who_id = contacts.id

    union all

    select * from responses
)

select
    activity_id,
    occurred_at,
    activity_type,
    record_id,
    contact_id,
    owner_id,
    updated_at,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    true as _is_current,
from touches
where record_id is not null or contact_id is not null
