{{ config(**kept_by_load()) }}

{%- set content_columns = [
    'clock_at', 'event_name', 'user_id', 'anonymous_id', 'session_id', 'email_hash',
    'properties', 'received_at', 'other_text', 'event_id', 'source',
] %}

with

events as (
    select * from {{ ref('delivered_events') }}
),

sources as (
    select
        source,
        timezone,
        event_time,
    from {{ ref('sources') }}
),

event_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

received_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

role_addresses as (
    select local_part from {{ ref('role_addresses') }}
),

-- A delivered column that is not declared is a fact of the event like its properties.
delivered as (
    select
        events._source as source,
        {{ clean_text('events.event_id') }} as event_id,
        {{ clean_text('events.occurred_at') }} as occurred_text,
        {{ clean_text('events.received_at') }} as received_text,
        {{ clean_text('events.event_name') }} as event_name,
        {{ clean_text('events.user_id') }} as user_id,
        {{ clean_text('events.anonymous_id') }} as anonymous_id,
        {{ prefixed_id('events.session_id', 'events._source') }} as session_id,
        {{ json_merged('events._extra', clean_text('events.properties')) }} as properties,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(sources.event_time, 'occurred') as event_time,
        events._delivered_at as load_delivered_at,
        events._plausible_until as load_plausible_until,
        events._load_id as load_id,
        events._file as source_file,
        events._row as source_row,
    from events
    left join sources
        on events._source = sources.source
    where events._is_current and {{ is_of_new_load('events._load_id') }}
),

-- The source declares which of its times is the event's; a row that lacks it has `occurred_at`.
timed as (
    select
        *,
        coalesce(
            case event_time
                when 'collected'
                    then {{ clean_text(json_text('properties', 'collected_at')) }}
                when 'received' then received_text
            end,
            occurred_text
        ) as event_text,
        case when event_time != 'occurred' then occurred_text end as other_text,
    from delivered
),

converted as (
    select
        timed.*,
        {{ to_utc('timed.event_text', 'event_offsets') }} as clock_at,
        {{ to_utc('timed.received_text', 'received_offsets') }} as received_at,
        {{ is_ambiguous_time('timed.event_text', 'event_offsets') }} as is_ambiguous_time,
    from timed
    {{ join_utc_offsets('event_offsets', 'timed.timezone', 'timed.event_text') }}
    {{ join_utc_offsets('received_offsets', 'timed.timezone', 'timed.received_text') }}
),

-- Nothing can have occurred after it was received: a clock that says so runs ahead.
limited as (
    select
        *,
        coalesce(clock_at > received_at, false) as is_corrected_time,
        case when clock_at > received_at then received_at else clock_at end as occurred_at,
        coalesce(
            least({{ dbt.dateadd('day', 1, 'received_at') }}, load_plausible_until),
            load_plausible_until
        ) as plausible_until,
    from converted
),

examined as (
    select
        *,
        {{ refuse_instant('received_text', 'received_at', 'load_plausible_until') }}
            as received_at_refusal,
        coalesce(
            {{ refuse_missing('event_text') }},
            {{ refuse_instant('event_text', 'clock_at', 'plausible_until') }}
        ) as occurred_at_refusal,
        {{ refuse_missing('event_name') }} as event_name_refusal,
        case when user_id is null and anonymous_id is null then 'no_subject' end
            as user_id_refusal,
    from limited
),

judged as (
    select
        *,
        {{ quarantine_columns({
            'received_at': 'received_text',
            'occurred_at': 'event_text',
            'event_name': 'event_name',
            'user_id': 'user_id',
        }) }},
    from examined
),

described as (
    select
        judged.source,
        judged.event_id,
        judged.event_name,
        judged.user_id,
        judged.anonymous_id,
        judged.session_id,
        case
            when judged.properties like '%"email"%'
                then coalesce(
                    {{ hash_email(json_text('judged.properties', 'email')) }},
                    {{ hash_hashed_email(json_text('judged.properties', 'email_hash')) }}
                )
            when judged.properties like '%"email_hash"%'
                then {{ hash_hashed_email(json_text('judged.properties', 'email_hash')) }}
        end as email_hash,
        -- Most events hold nothing of the kind, and a look at the text is cheaper than at its keys.
        case
            when {{ matches_regex('judged.properties', names_personal_key()) }}
                then {{ json_without_keys('judged.properties', personal_keys()) }}
            else judged.properties
        end as properties,
        judged.other_text,
        role_addresses.local_part is not null as is_role_address,
        judged.is_ambiguous_time,
        judged.is_corrected_time,
        judged.clock_at,
        judged.occurred_at,
        judged.received_at,
        coalesce(judged.received_at, judged.load_delivered_at) as delivered_at,
        judged.load_id,
        judged.source_file,
        judged.source_row,
        judged.quarantine_column,
        judged.quarantine_reason,
        judged.expected,
        judged.text,
    from judged
    left join role_addresses
        on
            case
                when judged.properties like '%"email"%'
                    then {{ email_local_part(json_text('judged.properties', 'email')) }}
            end = role_addresses.local_part
)

select
    *,
    -- The same in all copies of an event.
    case
        when event_id is null then {{ narrow_hash(content_columns) }}
        else {{ narrow_hash(['source', 'event_id']) }}
    end as suspect_hash,
    {{ content_number(['event_id', 'properties']) }} as content_number,
from described
