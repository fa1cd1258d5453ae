with

events as (
    select
        event_name,
        event_timestamp,
        user_id,
        user_pseudo_id,
        stream_id,
        platform,
        device,
        geo,
        traffic_source,
        collected_traffic_source,
        ecommerce,
        items,
        {{ json_of_params('event_params') }} as params,
        {{ json_without_matching_keys(
            json_of_params('user_properties', prefix='user_'), personal_words()
        ) }} as user_facts,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
        _extra,
    from {{ source('ga4', 'events') }}
),

described_events as (
    select
        *,
        user_pseudo_id || '.' || {{ json_text('params', 'ga_session_id') }} as session_id,
        {{ json_of_values({
            'stream_id': 'stream_id',
            'platform': 'platform',
            'page_location': url_without_query(json_text('params', 'page_location')),
            'page_host': url_host(json_text('params', 'page_location')),
            'page_path': url_path(json_text('params', 'page_location')),
            'page_referrer': url_without_query(json_text('params', 'page_referrer')),
            'campaign_source': ga4_campaign('manual_source', 'source', 'google'),
            'campaign_medium': ga4_campaign('manual_medium', 'medium', 'cpc'),
            'campaign_name': ga4_campaign('manual_campaign_name', 'campaign'),
            'campaign_term': json_text('collected_traffic_source', 'manual_term'),
            'campaign_content': json_text('collected_traffic_source', 'manual_content'),
            'first_user_source': json_text('traffic_source', 'source'),
            'first_user_medium': json_text('traffic_source', 'medium'),
            'first_user_campaign': json_text('traffic_source', 'name'),
            'device_type': json_text('device', 'category'),
            'os_name': json_text('device', 'operating_system'),
            'locale': json_text('device', 'language'),
            'country': json_text('geo', 'country'),
            'region': json_text('geo', 'region'),
            'transaction_id': "nullif(coalesce(" ~ json_text('params', 'transaction_id') ~ ", "
            ~ json_text('ecommerce', 'transaction_id') ~ "), '(not set)')",
            'amount': 'coalesce(' ~ json_text('params', 'value') ~ ', '
            ~ json_text('ecommerce', 'purchase_revenue') ~ ')',
            'product_id': json_text_of_all('items', 'item_id'),
            'product_category': json_text_of_all('items', 'item_category'),
        }) }} as description,
    from events
)

select
    -- GA4 gives no key. The same facts delivered again, as in a final day after its intraday
    -- table, are the same event.
    {{ content_hash([
        'stream_id', 'user_pseudo_id', 'user_id', 'session_id', 'event_name', 'event_timestamp',
        'params',
    ]) }} as event_id,
    event_name,
    user_id,
    user_pseudo_id as anonymous_id,
    session_id,
    {{ timestamp_of_microseconds('event_timestamp') }} as occurred_at,
    {{ json_merged('user_facts', json_merged('params', 'description')) }} as properties,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
    _extra,
from described_events
