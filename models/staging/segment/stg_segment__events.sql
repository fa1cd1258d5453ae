{%- set nothing = 'cast(null as varchar)' -%}
{%- set calls = {
    'tracks': {'event_name': 'event', 'facts': 'properties'},
    'pages': {
        'event_name': "'page'",
        'facts': 'properties',
        'page_name': 'name',
        'page_category': 'category',
        'page_url': 'coalesce(url, context_page_url)',
        'page_path': 'coalesce(path, context_page_path)',
        'page_title': 'coalesce(title, context_page_title)',
        'page_referrer': 'coalesce(referrer, context_page_referrer)',
    },
    'screens': {
        'event_name': "'screen'",
        'facts': 'properties',
        'page_name': 'name',
        'page_category': 'category',
    },
    'identifies': {
        'event_name': "'identify'",
        'facts': 'traits',
        'email': 'coalesce(email, context_traits_email)',
    },
} -%}
{#- Traits that tell who a person is, besides those that no event may have as a property. -#}
{%- set personal_traits = [
    'name', 'address', 'avatar', 'birthday', 'description', 'username', 'website',
] -%}

with

calls as (
    {%- for table, own in calls.items() %}
        select
            '{{ table }}' as call_table,
            id as event_id,
            {{ own['event_name'] }} as event_name,
            user_id,
            anonymous_id,
            -- Libraries number sessions by the second they began in, which others share.
            coalesce(anonymous_id, user_id)
            || '.'
            || coalesce(session_id, context_session_id) as session_id,
            timestamp as occurred_at,
            original_timestamp as collected_at,
            received_at,
            {{ own.get('page_name', nothing) }} as page_name,
            {{ own.get('page_category', nothing) }} as page_category,
            {{ own.get('page_url', 'context_page_url') }} as page_url,
            {{ own.get('page_path', 'context_page_path') }} as page_path,
            {{ own.get('page_title', 'context_page_title') }} as page_title,
            {{ own.get('page_referrer', 'context_page_referrer') }} as page_referrer,
            context_campaign_source as campaign_source,
            context_campaign_medium as campaign_medium,
            context_campaign_name as campaign_name,
            context_campaign_term as campaign_term,
            context_campaign_content as campaign_content,
            context_device_type as device_type,
            context_os_name as os_name,
            context_locale as locale,
            context_user_agent as user_agent,
            context_ip as ip_address,
            {{ own.get('email', 'context_traits_email') }} as email,
            {{ own['facts'] }} as facts,
            {{ json_without_keys_like('_extra', ['context_']) }} as further_facts,
            _source,
            _file,
            _row,
            _load_id,
            _delivered_at,
            _plausible_until,
            _is_current,
        from {{ source('segment', table) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

event_tables as (
    select
        _source,
        id,
        properties as facts,
        {{ json_without_keys_like('_extra', ['context_']) }} as further_facts,
    from {{ current_rows(source('segment', 'event_tables'), 'id', ['received_at']) }}
),

facts_of_tables as (
    select
        _source,
        id,
        {{ json_merged('further_facts', 'facts') }} as facts,
    from event_tables
),

facts_of_calls as (
    select
        * exclude (facts, further_facts),
        {{ json_merged('further_facts', 'facts') }} as facts,
    from calls
),

calls_with_facts as (
    select
        facts_of_calls.* exclude (facts),
        case
            when facts_of_calls.call_table = 'identifies'
                then {{ json_without_keys(
                    json_without_keys_like('facts_of_calls.facts', ['address_']), personal_traits
                ) }}
            else {{ json_merged('facts_of_tables.facts', 'facts_of_calls.facts') }}
        end as facts,
    from facts_of_calls
    left join facts_of_tables
        on
            facts_of_calls._source = facts_of_tables._source
            and facts_of_calls.event_id = facts_of_tables.id
),

described_calls as (
    select
        *,
        {{ json_of_values({
            'collected_at': 'collected_at',
            'page_name': 'page_name',
            'page_category': 'page_category',
            'page_host': url_host('page_url'),
            'page_path': 'page_path',
            'page_title': 'page_title',
            'page_referrer': url_without_query('page_referrer'),
            'campaign_source': 'campaign_source',
            'campaign_medium': 'campaign_medium',
            'campaign_name': 'campaign_name',
            'campaign_term': 'campaign_term',
            'campaign_content': 'campaign_content',
            'device_type': 'device_type',
            'os_name': 'os_name',
            'locale': 'locale',
            'transaction_id': 'coalesce(' ~ json_text('facts', 'transaction_id') ~ ', '
            ~ json_text('facts', 'order_id') ~ ')',
            'amount': 'coalesce(' ~ json_text('facts', 'amount') ~ ', '
            ~ json_text('facts', 'revenue') ~ ', ' ~ json_text('facts', 'total') ~ ', '
            ~ json_text('facts', 'value') ~ ')',
            'email': 'email',
        }) }} as description,
    from calls_with_facts
)

select
    event_id,
    event_name,
    user_id,
    anonymous_id,
    session_id,
    user_agent,
    ip_address,
    occurred_at,
    received_at,
    {{ json_merged('facts', 'description') }} as properties,
    cast(null as varchar) as _extra,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from described_calls
