with

events as (
    select
        session_id,
        visitor_id,
        user_id,
        person_id,
        properties,
        {{ json_text('properties', 'page_path') }} != '' as has_page,
        {{ json_text('properties', 'campaign_source') }} != ''
        or {{ json_text('properties', 'campaign_medium') }} != ''
        or {{ json_text('properties', 'campaign_name') }} != '' as has_campaign,
        file_number,
        source_row,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_type = 'event' and session_id is not null
),

sessions as (
    select
        session_id,
        count(*) as events,
        min(visitor_id) as visitor_id,
        min(user_id) as user_id,
        min_by(person_id, {{ as_delivered() }}) as person_id,
        min_by(properties, {{ as_delivered() }}) filter (where has_page) as landing,
        min_by(properties, {{ as_delivered() }}) filter (where has_campaign) as campaign,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
    from events
    group by session_id
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
