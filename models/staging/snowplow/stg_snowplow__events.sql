{%- set shop = 'com_snowplowanalytics_snowplow_ecommerce_' -%}
{#- Of each entity the fields that are used, each with its spelling in JSON where that differs. -#}
{%- set entities = {
    'action': {
        'name': shop ~ 'snowplow_ecommerce_action',
        'column': 'unstruct_event_',
        'versions': ['1', '1_0_0', '1_0_1', '1_0_2'],
        'fields': {'type': none},
    },
    'checkout': {'name': shop ~ 'checkout_step', 'fields': {'step': none}},
    'page': {'name': shop ~ 'page', 'fields': {'type': none}},
    'product': {'name': shop ~ 'product', 'fields': {'id': none, 'category': none}},
    'transaction': {
        'name': shop ~ 'transaction',
        'fields': {'transaction_id': none, 'revenue': none, 'currency': none},
    },
    'shop_user': {'name': shop ~ 'user', 'fields': {'id': none, 'email': none}},
    'client_session': {
        'name': 'com_snowplowanalytics_snowplow_client_session',
        'versions': ['1', '1_0_0', '1_0_1', '1_0_2'],
        'fields': {'session_id': 'sessionId', 'user_id': 'userId'},
    },
    'robot': {
        'name': 'com_iab_snowplow_spiders_and_robots',
        'fields': {'spider_or_robot': 'spiderOrRobot'},
    },
    'screen': {'name': 'com_snowplowanalytics_mobile_screen', 'fields': {'name': none}},
} -%}

with

events as (
    select
        event_id,
        event,
        event_name,
        event_vendor,
        event_version,
        collector_tstamp,
        derived_tstamp,
        dvce_created_tstamp,
        user_id,
        domain_userid,
        network_userid,
        domain_sessionid,
        app_id,
        platform,
        page_urlhost,
        page_urlpath,
        page_title,
        page_referrer,
        refr_medium,
        refr_source,
        mkt_medium,
        mkt_source,
        mkt_term,
        mkt_content,
        mkt_campaign,
        se_category,
        se_action,
        se_label,
        se_property,
        se_value,
        tr_orderid,
        tr_total,
        tr_currency,
        useragent,
        user_ipaddress,
        dvce_type,
        os_family,
        geo_country,
        geo_region_name,
        -- A loader names the column by the whole version of the definition, or its first number.
        {%- for entity, one in entities.items() %}
            coalesce(
                {%- for version in one.get('versions', ['1', '1_0_0']) %}
                    nullif({{ one.get('column', 'contexts_') ~ one['name'] ~ '_' ~ version }}, '[]')
                    {{- ',' if not loop.last }}
                {%- endfor %}
            ) as {{ entity }}_json,
        {%- endfor %}
        'unstruct_event_'
        || replace(replace(event_vendor, '.', '_'), '-', '_')
        || '_'
        || event_name
        || '_' as own_column,
        replace(event_version, '-', '_') as own_version,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
        _extra,
    from {{ source('snowplow', 'events') }}
),

events_with_entities as (
    select
        events.*,
        {%- for entity, one in entities.items() %}
            {%- for field, spelled in one['fields'].items() %}
                coalesce(
                    {{ json_text(entity ~ '_json', field) if entity == 'action'
                        else json_text_of_all(entity ~ '_json', field) }},
                    {%- if spelled %}
                        {{ json_text_of_all(entity ~ '_json', spelled) }},
                    {%- endif %}
                    {{ entity }}_rows.{{ field }}
                ) as {{ entity }}_{{ field }},
            {%- endfor %}
        {%- endfor %}
        -- What a self-describing event of any other kind says lies in a column of its own name.
        case
            when events._extra like '%"unstruct_event_%' and {{ matches_regex(
                '(events.own_column || events.own_version)', "'^[A-Za-z0-9_]+$'"
            ) }}
                then coalesce(
                    {{ json_text_at('events._extra', 'events.own_column || events.own_version') }},
                    {{ json_text_at(
                        'events._extra', "events.own_column || split_part(events.own_version, '_', 1)"
                    ) }}
                )
        end as own_facts,
    from
        events
    {%- for entity, one in entities.items() %}
        left join {{ snowplow_entities(
            one['name'] ~ '_1', one['fields'] | list
        ) }} as {{ entity }}_rows
            on
                events._source = {{ entity }}_rows._source
                and events.event_id = {{ entity }}_rows.root_id
    {%- endfor %}
),

described_events as (
    select
        *,
        {{ json_without_keys_like('_extra', ['contexts_', 'unstruct_event_']) }} as further_facts,
        {{ json_object_or_null('own_facts') }} as facts,
        {{ json_of_values({
            'collected_at': 'dvce_created_tstamp',
            'app_id': 'app_id',
            'platform': 'platform',
            'page_host': 'page_urlhost',
            'page_path': 'page_urlpath',
            'page_title': 'page_title',
            'page_type': 'page_type',
            'page_name': 'screen_name',
            'page_referrer': url_without_query('page_referrer'),
            'referrer_medium': 'refr_medium',
            'referrer_source': 'refr_source',
            'campaign_source': 'mkt_source',
            'campaign_medium': 'mkt_medium',
            'campaign_name': 'mkt_campaign',
            'campaign_term': 'mkt_term',
            'campaign_content': 'mkt_content',
            'device_type': 'dvce_type',
            'os_name': 'os_family',
            'country': 'geo_country',
            'region': 'geo_region_name',
            'se_category': 'se_category',
            'se_action': 'se_action',
            'se_label': 'se_label',
            'se_property': 'se_property',
            'se_value': 'se_value',
            'spider_or_robot': 'robot_spider_or_robot',
            'checkout_step': 'checkout_step',
            'product_id': 'product_id',
            'product_category': 'product_category',
            'transaction_id': 'coalesce(transaction_transaction_id, tr_orderid)',
            'amount': 'coalesce(transaction_revenue, tr_total)',
            'currency': 'coalesce(transaction_currency, tr_currency)',
            'email': 'shop_user_email',
        }) }} as description,
    from events_with_entities
)

select
    event_id,
    coalesce(action_type, event_name, event) as event_name,
    coalesce(user_id, shop_user_id) as user_id,
    coalesce(domain_userid, client_session_user_id, network_userid) as anonymous_id,
    coalesce(domain_sessionid, client_session_session_id) as session_id,
    coalesce(derived_tstamp, collector_tstamp) as occurred_at,
    useragent as user_agent,
    user_ipaddress as ip_address,
    collector_tstamp as received_at,
    {{ json_merged('facts', 'description') }} as properties,
    further_facts as _extra,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from described_events
