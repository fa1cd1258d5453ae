with

events as (
    select
        session_id,
        visitor_id,
        user_id,
        person_id,
        case
            when {{ json_text('properties', 'page_path') }} != '' then properties
        end as page,
        case
            when
                {{ json_text('properties', 'campaign_source') }} != ''
                or {{ json_text('properties', 'campaign_medium') }} != ''
                or {{ json_text('properties', 'campaign_name') }} != ''
                then properties
        end as campaign,
        file_number,
        source_row,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_type = 'event' and session_id is not null
),

-- By a window, which goes to the disk where memory is short: the properties of all sessions would
-- have to fit.
placed_events as (
    select
        session_id,
        person_id,
        min(visitor_id) over session as visitor_id,
        min(user_id) over session as user_id,
        {{ first_known('page') }} over session as landing,
        {{ first_known('campaign') }} over session as campaign,
        count(*) over session as events,
        occurred_at as started_at,
        max(occurred_at) over session as ended_at,
        row_number() over (
            partition by session_id
            order by occurred_at, file_number, source_row
        ) as place,
    from events
    window session as (
        partition by session_id
        order by occurred_at, file_number, source_row
        rows between unbounded preceding and unbounded following
    )
),

sessions as (
    select * from placed_events
    where place = 1
),

described_sessions as (
    select
        session_id,
        visitor_id,
        user_id,
        person_id,
        {{ url_without_query(json_text('landing', 'page_path')) }} as landing_page,
        {{ url_host("'https://' || " ~ json_text('landing', 'page_host')) }} as landing_host,
        {{ url_host(json_text('landing', 'page_referrer')) }} as referrer_host,
        -- A campaign stands in the address that it leads to. One of a later page began nothing.
        case
            when
                coalesce(
                    {{ url_without_query(json_text('campaign', 'page_path')) }}, landing_page, ''
                ) = coalesce(landing_page, '')
                then campaign
        end as landing_campaign,
        events,
        started_at,
        ended_at,
    from sessions
)

select
    session_id,
    visitor_id,
    user_id,
    person_id,
    landing_page,
    -- A page of the site itself is where a pause ended, and no other site led here.
    nullif(referrer_host, landing_host) as referrer_host,
    {{ json_text('landing_campaign', 'campaign_source') }} as campaign_source,
    {{ json_text('landing_campaign', 'campaign_medium') }} as campaign_medium,
    {{ json_text('landing_campaign', 'campaign_name') }} as campaign_name,
    events,
    started_at,
    ended_at,
from described_sessions
