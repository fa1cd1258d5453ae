"""Segment, as it writes to a warehouse: a table of calls by kind, and one for each event."""

from __future__ import annotations

from simulation import web
from simulation.extracts import Table
from simulation.parameters import PLANTED_PROPERTIES

# The library's own call for a page.
NAMES = {"page_view": "page"}
_PAGE = "page_view"
_AT = "%Y-%m-%d %H:%M:%S.%g"
_TIMESTAMP = f"""
    case broken
        when 'year 2999' then '2999-12-31 23:59:59'
        when '30 February' then '2026-02-30 10:00:00'
        when 'year 1970' then '1970-01-01 00:00:00'
        else text_of(occurred, '{_AT}')
    end"""
_CALL = f"""
    event_id(key) as id,
    {_TIMESTAMP} as timestamp,
    {_TIMESTAMP} as original_timestamp,
    make_timestamp(received) as received_at,
    case when broken <> 'no subject' then user_id("user") end as user_id,
    case when broken <> 'no subject' then device_id(anonymous) end as anonymous_id,
    's' || "session" as context_session_id,
    channel as context_campaign_name,
    campaign_source as context_campaign_source,
    campaign_medium as context_campaign_medium,
    email(email) as context_traits_email
"""
_TRAITS = ", ".join(("channel, device, region, customer_kind", *PLANTED_PROPERTIES))
_PROPERTIES = {
    "cart_added": "product",
    "checkout_started": "product",
    "demo_requested": "product",
    "order_paid": (
        'product, shop_order_id("order") as order_id, money(cents) as revenue, currency'
    ),
    "portal_action": "action",
    "sign_up": "user_id(inviter) as invited_by",
}


def _event_table(event: str) -> Table:
    properties = ", ".join(filter(None, (_TRAITS, _PROPERTIES.get(event))))
    return Table(
        f"event_tables/{event}",
        "csv.gz",
        f"""
        select
            delivered,
            event,
            event as event_text,
            {_CALL},
            {properties},
        from events
        where event = '{event}'
        """,
    )


TABLES = (
    Table(
        "tracks",
        "parquet",
        f"""
        select
            delivered,
            cast(event as varchar) as event,
            cast(event as varchar) as event_text,
            {_CALL},
        from events
        where event <> '{_PAGE}'
        """,
    ),
    Table(
        "pages",
        "parquet",
        f"""
        select
            delivered,
            page_type as name,
            {_CALL},
            page_type,
            product,
            {_TRAITS},
        from events
        where event = '{_PAGE}'
        """,
    ),
    *(_event_table(event) for event in web.EVENT_NAMES if event != _PAGE),
)
