"""The generic extracts. Each table has a format of its own, to put every reader to work."""

from __future__ import annotations

from simulation.extracts import Table
from simulation.parameters import PLANTED_PROPERTIES

_MILLISECONDS = "%Y-%m-%dT%H:%M:%S.%g"
_SECONDS = "%Y-%m-%d %H:%M:%S"
_SECONDS_WITH_T = "%Y-%m-%dT%H:%M:%S"
_OFFSET = """
    case
        when clock = 0 then 'Z'
        else (case when clock < 0 then '-' else '+' end)
            || lpad(cast(abs(clock) // 3600000000 as varchar), 2, '0') || ':00'
    end"""

# With a comma before each, as all of them may be missing.
_PLANTED = " || ".join(
    f"""coalesce(',"{name}":"' || "{name}" || '"', '')""" for name in PLANTED_PROPERTIES
)
_EVENTS = f"""
    select
        delivered,
        case broken
            when 'year 2999' then '2999-12-31T23:59:59Z'
            when '30 February' then '2026-02-30T10:00:00Z'
            when 'year 1970' then '1970-01-01T00:00:00Z'
            else text_of(occurred + clock, '{_MILLISECONDS}') || {_OFFSET}
        end as occurred_at,
        event as event_name,
        case when broken <> 'no subject' then user_id("user") end as user_id,
        case when broken <> 'no subject' then device_id(anonymous) end as anonymous_id,
        event_id(key) as event_id,
        's' || "session" as session_id,
        '{{"channel":"' || channel || '","device":"' || device || '","region":"' || region
            || '","customer_kind":"' || customer_kind || '","campaign_name":"' || channel || '"'
            || coalesce(
                ',"campaign_source":"' || campaign_source
                || '","campaign_medium":"' || campaign_medium || '"',
                ''
            )
            || {_PLANTED}
            || coalesce(',"page_type":"' || page_type || '"', '')
            || coalesce(',"action":"' || action || '"', '')
            || coalesce(',"product":"' || product || '"', '')
            || coalesce(
                ',"order_id":"' || shop_order_id("order") || '","amount":' || money(cents)
                || ',"currency":"' || currency || '"',
                ''
            )
            || coalesce(',"email":"' || email(email) || '"', '')
            || coalesce(',"invited_by":"' || user_id(inviter) || '"', '')
            || '}}' as properties,
        make_timestamp(received) as received_at,
    from events
"""

_RECORDS = f"""
    select
        delivered,
        key_of(number, deal, twin) as record_id,
        type as record_type,
        pipeline,
        record_name(number, deal) as name,
        text_of(created, '{_SECONDS}') as created_at,
        text_of(closed, '{_SECONDS}') as closed_at,
        cast(day_of(expected) as varchar) as expected_close_date,
        stage,
        money(cents) as amount,
        case when deal is not null then currency end as currency,
        owner_id(owner) as owner_id,
        account_id(account) as account_id,
        typed_email(number, untidy) as contact_email,
        source as lead_source,
        region,
        reason as loss_reason,
        case when is_converted then record_id(number, 0) end as converted_record_id,
        case when is_merged then record_id(number, deal) end as merged_into_id,
        deleted is not null as is_deleted,
        text_of(deleted, '{_SECONDS}') as deleted_at,
        text_of(updated, '{_SECONDS}') as updated_at,
        product,
        customer_kind,
        size as company_size,
        next_step,
        competitor,
    from records
    where not is_absorption
"""

_STAGE_CHANGES = f"""
    select
        delivered,
        key_of(number, deal, twin) as record_id,
        type as record_type,
        stage,
        text_of("at", '{_SECONDS_WITH_T}') || 'Z' as changed_at,
        money(cents) as amount,
        owner_id(owner) as owner_id,
    from stage_changes
"""

_VALUE = """
    case field
        when 'owner_id' then owner_id({0})
        when 'amount' then cast(money({0}) as varchar)
        else cast(day_of({0}) as varchar)
    end"""
_FIELD_CHANGES = f"""
    select
        delivered,
        key_of(number, deal, twin) as record_id,
        type as record_type,
        field,
        text_of("at", '{_SECONDS_WITH_T}') || '+00:00' as changed_at,
        {_VALUE.format("old")} as old_value,
        {_VALUE.format("new")} as new_value,
    from field_changes
"""


def orders(account_prefix: str = "") -> Table:
    """The orders of shop and sales team, which name accounts with this in front of their keys."""
    return Table(
        "orders",
        "jsonl",
        f"""
        select
            delivered,
            case
                when is_deal then 'S' || number || '-' || (deal + 1) || '-' || (win + 1)
                else shop_order_id(number) || case when is_broken then 'x' else '' end
            end as order_id,
            text_of(ordered, '{_MILLISECONDS}') || 'Z' as ordered_at,
            case
                when is_broken
                    then to_json(replace(cast(cents / 100 as varchar), '.', ','))
                else to_json(cents / 100)
            end as amount,
            currency,
            user_id("user") as user_id,
            '{account_prefix}' || account_id(account) as account_id,
            status,
            text_of(updated, '{_MILLISECONDS}') || 'Z' as updated_at,
        from orders
        """,
    )


_ACTIVITIES = f"""
    select
        delivered,
        activity_id(number, deal, activity) as activity_id,
        text_of("at" + clock, '{_SECONDS_WITH_T}') || {_OFFSET} as occurred_at,
        kind as activity_type,
        record_id(number, deal) as record_id,
        case when deal is not null then contact_id(number) end as contact_id,
        owner_id(owner) as owner_id,
    from activities
"""

_ACCOUNTS = f"""
    select
        delivered,
        account_id(number) as account_id,
        'Account ' || number as name,
        industry,
        employees,
        region,
        owner_id(owner) as owner_id,
        text_of(created, '{_SECONDS}') as created_at,
        text_of(updated, '{_SECONDS}') as updated_at,
        cast(cast(make_timestamp(since) as date) as varchar) as customer_since,
    from accounts
"""

_CONTACTS = """
    select
        delivered,
        contact_id(number) as contact_id,
        account_id(number) as account_id,
        user_id("user") as user_id,
        'Contact ' || number as name,
        typed_email(number, untidy) as email,
        job as job_title,
        source as lead_source,
        region,
        owner_id(owner) as owner_id,
        make_timestamp(created) as created_at,
        make_timestamp(created) as updated_at,
    from contacts
"""

_OWNERS = f"""
    select
        delivered,
        owner_id(number) as owner_id,
        owner_name(number) as name,
        team_of(region, team, is_director) as team,
        owner_id(manager) as manager_id,
        region,
        true as is_active,
        text_of(created, '{_SECONDS}') as created_at,
        text_of(updated, '{_SECONDS}') as updated_at,
    from owners
"""

TABLES = (
    Table("events", "parquet", _EVENTS),
    Table("records", "csv", _RECORDS),
    Table("stage_changes", "csv.gz", _STAGE_CHANGES),
    Table("field_changes", "csv", _FIELD_CHANGES),
    orders(),
    Table("activities", "jsonl.gz", _ACTIVITIES),
    Table("accounts", "csv", _ACCOUNTS),
    Table("contacts", "parquet", _CONTACTS),
    Table("owners", "csv.gz", _OWNERS),
)
