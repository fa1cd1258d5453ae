"""Snowplow: `atomic.events` with its entities as columns, as for stores that keep columns."""

from __future__ import annotations

from simulation import web
from simulation.extracts import Table
from simulation.parameters import PLANTED_PROPERTIES

# What the plug-in for shops calls these.
NAMES = {
    "cart_added": "add_to_cart",
    "checkout_started": "checkout_step",
    "order_paid": "transaction",
}
# The tracker's own fields for what the company knows of a visit.
ATTRIBUTES = {
    "channel": "campaign_name",
    "device": "device_type",
    "product": "product_id",
}
_OWN_EVENTS = [name for name in web.EVENT_NAMES if name not in ("page_view", *NAMES)]
_VENDOR = "com.example"
_SHOP = "com_snowplowanalytics_snowplow_ecommerce"
_IS_IN_SHOP = "event in (" + ", ".join(f"'{name}'" for name in NAMES) + ")"
_AT = "%Y-%m-%d %H:%M:%S.%g"
_ACTION = "case event " + " ".join(f"when '{a}' then '{b}'" for a, b in NAMES.items()) + " end"


_FACTS = {
    "portal_action": "cast(json_object('action', action) as varchar)",
    "sign_up": (
        "case when inviter is null then '{}'"
        " else cast(json_object('invited_by', user_id(inviter)) as varchar) end"
    ),
}


def _own_facts(event: str) -> str:
    facts = _FACTS.get(event, "'{}'")
    column = f"unstruct_event_{_VENDOR.replace('.', '_')}_{event}_1_0_0"
    return f"case when event = '{event}' then {facts} end as {column}"


def _entity(fields: str, condition: str) -> str:
    return f"case when {condition} then cast(to_json([{{{fields}}}]) as varchar) end"


_TRANSACTION = _entity(
    'transaction_id: shop_order_id("order"), revenue: money(cents), currency: currency',
    '"order" is not null',
)

TABLES = (
    Table(
        "events",
        "parquet",
        f"""
        select
            delivered,
            'shop' as app_id,
            case when anonymous is null then 'srv' else 'web' end as platform,
            event_id(key) as event_id,
            case when event = 'page_view' then 'page_view' else 'unstruct' end as event,
            case
                when event = 'page_view' then 'com.snowplowanalytics.snowplow'
                when {_IS_IN_SHOP} then 'com.snowplowanalytics.snowplow.ecommerce'
                else '{_VENDOR}'
            end as event_vendor,
            case when {_IS_IN_SHOP} then 'snowplow_ecommerce_action' else event end as event_name,
            case when {_IS_IN_SHOP} then '1-0-2' else '1-0-0' end as event_version,
            make_timestamp(received) as collector_tstamp,
            case broken
                when 'year 2999' then '2999-12-31 23:59:59'
                when '30 February' then '2026-02-30 10:00:00'
                when 'year 1970' then '1970-01-01 00:00:00'
                else text_of(occurred, '{_AT}')
            end as derived_tstamp,
            text_of(occurred, '{_AT}') as dvce_created_tstamp,
            case when broken <> 'no subject' then user_id("user") end as user_id,
            case when broken <> 'no subject' then device_id(anonymous) end as domain_userid,
            's' || "session" as domain_sessionid,
            cast(channel as varchar) as mkt_campaign,
            cast(campaign_source as varchar) as mkt_source,
            cast(campaign_medium as varchar) as mkt_medium,
            cast(device as varchar) as dvce_type,
            cast(region as varchar) as geo_region_name,
            -- Columns that the company's own enrichment adds.
            cast(customer_kind as varchar) as customer_kind,
            {", ".join(f"cast({name} as varchar) as {name}" for name in PLANTED_PROPERTIES)},
            case when {_IS_IN_SHOP} then cast(json_object('type', {_ACTION}) as varchar) end
                as unstruct_event_{_SHOP}_snowplow_ecommerce_action_1_0_2,
            {_entity("type: page_type", "page_type is not null")} as contexts_{_SHOP}_page_1_0_0,
            {_entity("id: product", "product is not null")} as contexts_{_SHOP}_product_1_0_0,
            {_entity("step: 1", "event = 'checkout_started'")}
                as contexts_{_SHOP}_checkout_step_1_0_0,
            {_TRANSACTION} as contexts_{_SHOP}_transaction_1_0_0,
            {_entity("email: email(email)", "email is not null")} as contexts_{_SHOP}_user_1_0_0,
            {", ".join(_own_facts(name) for name in _OWN_EVENTS)},
        from events
        """,
    ),
)
