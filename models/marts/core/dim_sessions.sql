with

sessions as (
    select * from {{ ref('int_sessions') }}
),

session_channels as (
    select * from {{ ref('int_session_channels') }}
)

select
    sessions.session_id,
    sessions.visitor_id,
    sessions.user_id,
    sessions.person_id,
    sessions.started_at,
    sessions.ended_at,
    {{ seconds_between('sessions.started_at', 'sessions.ended_at') }} as seconds_in_session,
    sessions.events,
    session_channels.channel,
    sessions.landing_page,
    sessions.referrer_host,
    sessions.campaign_source,
    sessions.campaign_medium,
    sessions.campaign_name,
from sessions
left join session_channels
    on
        sessions.campaign_source is not distinct from session_channels.campaign_source
        and sessions.campaign_medium is not distinct from session_channels.campaign_medium
        and sessions.campaign_name is not distinct from session_channels.campaign_name
        and sessions.referrer_host is not distinct from session_channels.referrer_host
        and sessions.landing_page is not distinct from session_channels.landing_page
