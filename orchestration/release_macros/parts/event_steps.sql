known_names as (
    select
        event_type,
        event_name
    from fct_events
    where event_name is not null
    group by event_type, event_name
),

known_events as (
    select
        coalesce(
            string_agg(event_type || ':' || event_name, ', ' order by event_type, event_name), 'none'
        ) as names,
        coalesce(list(event_name) || list(event_type || ':' || event_name), []) as ids
    from known_names
),

unknown_events as (
    select string_agg(coalesce(listed_events.name, 'null'), ', ') as names
    from unnest(cast(events as varchar[])) as listed_events (name)
    cross join known_events
    where not coalesce(list_contains(known_events.ids, listed_events.name), false)
),

asked as (
    select
        '$name: '
        || coalesce(
            case
                when
                    coalesce(subject_type not in (
                        'visitor', 'session', 'user', 'person', 'account', 'lead', 'opportunity'
                    ), true)
                    then 'expected subject_type visitor, session, user, person, account, lead or '
                    || 'opportunity, found ' || coalesce(cast(subject_type as varchar), 'null')
            end,
            case
                when coalesce(len(cast(events as varchar[])), 0) = 0
                    then 'expected a list of events (' || known_events.names || '), found none'
            end,
            case
                when not list_has_all(known_events.ids, cast(events as varchar[]))
                    then 'expected events of fct_events (' || known_events.names || '), found '
                    || unknown_events.names
            end,
            $chain_check
            case
                when
                    mode in ('any', 'furthest')
                    and len(list_distinct(cast(events as varchar[])))
                    < len(cast(events as varchar[]))
                    then 'expected each event once in the mode ' || mode || ', found '
                    || array_to_string(cast(events as varchar[]), ', ')
            end,
            case
                when
                    not list_has_all(cast(events as varchar[])[2:], cast(optional as varchar[]))
                    then 'expected optional events among those after the first, found '
                    || array_to_string(cast(optional as varchar[]), ', ')
            end,
            case
                when
                    coalesce(breakdown not in (
                        'all', 'year', 'quarter', 'month', 'week', 'day', 'channel',
                        'landing_page', 'referrer_host', 'campaign_source', 'campaign_medium',
                        'campaign_name'
                    ), true)
                    then 'expected breakdown all, year, quarter, month, week, day, channel, '
                    || 'landing_page, referrer_host, campaign_source, campaign_medium or '
                    || 'campaign_name, found ' || coalesce(cast(breakdown as varchar), 'null')
            end
        ) as problem
    from known_events
    cross join unknown_events
),

listed as (
    select
        case when problem is not null then error(problem) else cast(events as varchar[]) end
            as names
    from asked
),

steps as (
    select
        cast(numbers.number as integer) as step,
        listed.names[numbers.number] as name,
        list_contains(cast(optional as varchar[]), listed.names[numbers.number]) as is_optional
    from listed
    cross join lateral unnest(range(1, len(listed.names) + 1)) as numbers (number)
),

-- Held against the few distinct names first, and against the many events by equality.
step_names as (
    select
        steps.step,
        known_names.event_type,
        known_names.event_name
    from steps
    inner join known_names
        on
            steps.name = known_names.event_name
            or steps.name = known_names.event_type || ':' || known_names.event_name
),

lowest_steps as (
    select
        event_type,
        event_name,
        min(step) as lowest_step
    from step_names
    group by event_type, event_name
),

subject_events as (
    select
        case subject_type
            when 'visitor' then happened.visitor_id
            when 'session' then happened.session_id
            when 'user' then happened.user_id
            when 'person' then happened.person_id
            when 'account' then happened.account_id
            when 'lead' then case happened.event_type when 'lead_status' then happened.record_id end
            when 'opportunity'
                then case happened.event_type when 'opportunity_stage' then happened.record_id end
        end as subject_id,
        happened.person_id,
        happened.event_number,
        happened.event_type,
        happened.event_name,
        happened.session_id,
        happened.occurred_at,
        lowest_steps.lowest_step
    from fct_events as happened
    left join lowest_steps
        on
            happened.event_type = lowest_steps.event_type
            and happened.event_name = lowest_steps.event_name
    -- What is not asked for matters only where nothing may lie in between.
    where lowest_steps.lowest_step is not null or mode = 'strict'
),

numbered_events as (
    select
        *,
        row_number() over (
            partition by subject_id
            order by occurred_at, lowest_step nulls last, person_id nulls last, event_number
        ) as order_number
    from subject_events
    where subject_id is not null
),

met as (
    select
        numbered_events.subject_id,
        numbered_events.order_number,
        numbered_events.occurred_at as happened_at,
        step_names.step
    from numbered_events
    inner join step_names
        on
            numbered_events.event_type = step_names.event_type
            and numbered_events.event_name = step_names.event_name
),

$chains

valued as (
    select
        results.subject_id,
        results.started_at,
        results.furthest_step,
        case
            when breakdown = 'all' then 'all'
            when breakdown in ('year', 'quarter', 'month', 'week', 'day')
                then cast(
                    cast(date_trunc($period, reporting_date(results.started_at)) as date)
                    as varchar
                )
            else coalesce(
                case breakdown
                    when 'channel' then sessions.channel
                    when 'landing_page' then sessions.landing_page
                    when 'referrer_host' then sessions.referrer_host
                    when 'campaign_source' then sessions.campaign_source
                    when 'campaign_medium' then sessions.campaign_medium
                    when 'campaign_name' then sessions.campaign_name
                end, '(missing)'
            )
        end as segment_value
    from results
    inner join numbered_events
        on
            results.subject_id = numbered_events.subject_id
            and results.start_number = numbered_events.order_number
    left join dim_sessions as sessions on numbered_events.session_id = sessions.session_id
),
