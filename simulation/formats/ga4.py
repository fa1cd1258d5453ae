"""Google Analytics 4: the BigQuery export as JSON Lines, with its nested parameters."""

from __future__ import annotations

from simulation.extracts import Table
from simulation.parameters import PLANTED_PROPERTIES

# The names that Google recommends.
NAMES = {
    "cart_added": "add_to_cart",
    "checkout_started": "begin_checkout",
    "demo_requested": "generate_lead",
    "order_paid": "purchase",
}
# The export's own fields for what the company knows of a visit.
ATTRIBUTES = {
    "channel": "campaign_name",
    "device": "device_type",
    "product": "product_id",
}
_NAME = (
    "case event " + " ".join(f"when '{a}' then '{b}'" for a, b in NAMES.items()) + " else event end"
)
_WITH_ITEMS = "event in ('cart_added', 'checkout_started', 'order_paid')"


def _parameter(key: str, *, text: str = "null", whole: str = "null", fraction: str = "null") -> str:
    return (
        f"{{key: '{key}', value: {{string_value: cast({text} as varchar), "
        f"int_value: cast({whole} as bigint), double_value: cast({fraction} as double)}}}}"
    )


_PARAMETERS = ", ".join(
    (
        _parameter("ga_session_id", whole='"session"'),
        _parameter("page_type", text="page_type"),
        _parameter("action", text="action"),
        _parameter("customer_kind", text="customer_kind"),
        *(_parameter(name, text=name) for name in PLANTED_PROPERTIES),
        _parameter("invited_by", text="user_id(inviter)"),
        _parameter("product_id", text=f"case when not {_WITH_ITEMS} then product end"),
        _parameter("transaction_id", text='shop_order_id("order")'),
        _parameter("currency", text='case when "order" is not null then currency end'),
        _parameter("value", fraction='case when "order" is not null then cents / 100 end'),
        # Google wants no address, and so gets its hash.
        _parameter("email_hash", text="sha256(email(email))"),
    )
)

TABLES = (
    Table(
        "events",
        "jsonl.gz",
        f"""
        select
            delivered,
            strftime(make_timestamp(delivered), '%Y%m%d') as event_date,
            case broken
                when 'year 2999' then epoch_us(timestamp '2999-12-31 23:59:59')
                when 'year 1970' then 0
                else occurred
            end as event_timestamp,
            {_NAME} as event_name,
            list_filter(
                [{_PARAMETERS}],
                lambda parameter: coalesce(
                    parameter.value.string_value,
                    cast(parameter.value.int_value as varchar),
                    cast(parameter.value.double_value as varchar)
                ) is not null
            ) as event_params,
            case when broken <> 'no subject' then user_id("user") end as user_id,
            case when broken <> 'no subject' then device_id(anonymous) end as user_pseudo_id,
            '1234567890' as stream_id,
            'WEB' as platform,
            {{category: device}} as device,
            {{region: region}} as geo,
            {{
                manual_campaign_name: channel,
                manual_source: campaign_source,
                manual_medium: campaign_medium
            }} as collected_traffic_source,
            case when "order" is not null
                then {{transaction_id: shop_order_id("order"), purchase_revenue: money(cents)}}
            end as ecommerce,
            case when {_WITH_ITEMS} then [{{item_id: product}}] else [] end as items,
        from events
        -- A number can be no 30 February.
        where broken <> '30 February'
        """,
    ),
)
