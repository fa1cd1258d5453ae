"""Salesforce, as Fivetran delivers it in snake case, and as Airbyte does under its API names."""

from __future__ import annotations

from dataclasses import dataclass

from simulation import crm
from simulation.extracts import Table


@dataclass(frozen=True)
class _Object:
    """An object of Salesforce.

    Attributes:
        name: in snake case.
        columns: SQL of each column by its name in snake case, with `{at}` for the function that
            spells an instant.
        rows: where its rows come from.
        synced: the instant at which the connector wrote a row; empty for histories, whose rows
            never change.
    """

    name: str
    columns: dict[str, str]
    rows: str
    synced: str = "updated"


def fivetran() -> tuple[Table, ...]:
    """The objects as tables of Fivetran."""
    return tuple(_fivetran(item) for item in _OBJECTS)


def airbyte() -> tuple[Table, ...]:
    """The objects as streams of Airbyte."""
    return tuple(_airbyte(item) for item in _OBJECTS)


def _fivetran(item: _Object) -> Table:
    columns = [
        f'{sql.format(at="make_timestamp")} as "{name}"' for name, sql in item.columns.items()
    ]
    if item.synced:
        columns.append("false as _fivetran_deleted")
        columns.append(f"make_timestamp({item.synced}) as _fivetran_synced")
    return Table(item.name, "csv", _select(columns, item.rows))


def _airbyte(item: _Object) -> Table:
    columns = [
        f'{sql.format(at="iso_text")} as "{_api_name(name)}"' for name, sql in item.columns.items()
    ]
    if item.synced:
        columns.append(f"{item.synced} // 1000 as _airbyte_extracted_at")
    return Table(_api_name(item.name), "jsonl", _select(columns, item.rows))


def _select(columns: list[str], rows: str) -> str:
    return f"select delivered, {', '.join(columns)} from {rows}"


def _api_name(name: str) -> str:
    """`StageName` of `stage_name`, and of custom fields `Customer_Kind__c` of `customer_kind_c`."""
    words = [word.capitalize() for word in name.removesuffix("_c").split("_")]
    return "_".join(words) + "__c" if name.endswith("_c") else "".join(words)


_RECORD_TYPE_ID = "'rt_' || name_key({0})"
_ROLE_ID = "'role_' || name_key(team_of(region, team, is_director))"
# Custom fields, but for the reason of a loss and the region.
_OWN_FIELDS = {
    "region_c": "region",
    "loss_reason_c": "reason",
    "product_c": "product",
    "customer_kind_c": "customer_kind",
    "company_size_c": "size",
}
_CHANGED = {"last_modified_date": "{at}(updated)", "system_modstamp": "{at}(updated)"}
_ACTIVITY = {
    "id": "activity_id(number, deal, activity)",
    "what_id": "case when deal is not null then record_id(number, deal) end",
    "who_id": "case when deal is null then record_id(number, deal) else contact_id(number) end",
    "owner_id": "owner_id(owner)",
    "type": "kind",
    "created_date": '{at}("at")',
    "is_deleted": "false",
    "last_modified_date": '{at}("at")',
    "system_modstamp": '{at}("at")',
}
_CHANGE = "md5(concat_ws('/', number, deal, twin, \"at\", {0}))"

_OBJECTS = (
    _Object(
        "opportunity",
        {
            "id": "key_of(number, deal, twin)",
            "name": "record_name(number, deal)",
            "stage_name": "stage",
            "amount": "money(cents)",
            "currency_iso_code": "currency",
            "close_date": "coalesce(cast(make_timestamp(closed) as date), day_of(expected))",
            "is_closed": "closed is not null",
            "is_won": "closed is not null and reason is null",
            "created_date": "{at}(created)",
            "last_stage_change_date": "{at}(entered)",
            "owner_id": "owner_id(owner)",
            "account_id": "account_id(account)",
            "contact_id": "contact_id(number)",
            "lead_source": "source",
            "record_type_id": _RECORD_TYPE_ID.format("pipeline"),
            **_OWN_FIELDS,
            "next_step": "next_step",
            "competitor_c": "competitor",
            # Salesforce does not merge deals: the second one is deleted.
            "is_deleted": "is_merged or deleted is not null",
            **_CHANGED,
        },
        "records where type = 'opportunity' and not is_absorption",
    ),
    _Object(
        "opportunity_history",
        {
            "id": _CHANGE.format("stage, cents"),
            "opportunity_id": "key_of(number, deal, twin)",
            "stage_name": "stage",
            "amount": "money(cents)",
            "created_date": '{at}("at")',
        },
        "stage_changes where type = 'opportunity'",
        synced="",
    ),
    _Object(
        "opportunity_field_history",
        {
            "id": _CHANGE.format("field, data_type"),
            "opportunity_id": "key_of(number, deal, twin)",
            "field": (
                "case field when 'owner_id' then 'Owner' when 'amount' then 'Amount'"
                " else 'CloseDate' end"
            ),
            "data_type": "data_type",
            "created_date": '{at}("at")',
            **{
                f"{name}_value": f"""
                    case
                        when data_type = 'EntityId' then owner_id({name})
                        when field = 'owner_id' then owner_name({name})
                        when field = 'amount' then cast(money({name}) as varchar)
                        else cast(day_of({name}) as varchar)
                    end"""
                for name in ("old", "new")
            },
        },
        # Of an owner Salesforce writes two rows.
        """(
            select
                *,
                unnest(
                    case field
                        when 'owner_id' then ['EntityId', 'Text']
                        when 'amount' then ['Currency']
                        else ['DateOnly']
                    end
                ) as data_type,
            from field_changes
        )""",
        synced="",
    ),
    _Object(
        "opportunity_stage",
        {
            "id": "'stage_' || name_key(stage)",
            "master_label": "stage",
            "api_name": "stage",
            "is_closed": "is_closed",
            "is_won": "is_won",
            "is_active": "is_active",
            "sort_order": "place + 1",
        },
        "stages",
        synced="delivered",
    ),
    _Object(
        "lead",
        {
            "id": "key_of(number, deal, twin)",
            "status": "stage",
            "created_date": "{at}(created)",
            "email": "typed_email(number, untidy)",
            "owner_id": "owner_id(owner)",
            "is_converted": "is_converted",
            "converted_date": (
                "case when is_converted then cast(make_timestamp(closed) as date) end"
            ),
            "converted_opportunity_id": "case when is_converted then record_id(number, 0) end",
            "converted_account_id": "case when is_converted then account_id(number) end",
            "converted_contact_id": "case when is_converted then contact_id(number) end",
            "master_record_id": "case when is_merged then record_id(number, deal) end",
            "lead_source": "source",
            "record_type_id": _RECORD_TYPE_ID.format("pipeline"),
            **_OWN_FIELDS,
            "is_deleted": "is_merged or deleted is not null",
            **_CHANGED,
        },
        "records where type = 'lead' and not is_absorption",
    ),
    _Object(
        "lead_history",
        {
            "id": _CHANGE.format("stage"),
            "lead_id": "key_of(number, deal, twin)",
            # The history tells that a lead was created, and not in which status.
            "field": "case when previous is null then 'created' else 'Status' end",
            "data_type": "'Text'",
            "created_date": '{at}("at")',
            "old_value": "previous",
            "new_value": "case when previous is not null then stage end",
        },
        "stage_changes where type = 'lead'",
        synced="",
    ),
    _Object(
        "account",
        {
            "id": "account_id(number)",
            "name": "'Account ' || number",
            "industry": "industry",
            "number_of_employees": "employees",
            "region_c": "region",
            "owner_id": "owner_id(owner)",
            "created_date": "{at}(created)",
            "is_deleted": "false",
            **_CHANGED,
        },
        "accounts",
    ),
    _Object(
        "contact",
        {
            "id": "contact_id(number)",
            "account_id": "account_id(number)",
            "name": "'Contact ' || number",
            "email": "typed_email(number, untidy)",
            "title": "job",
            "lead_source": "source",
            "region_c": "region",
            "user_id_c": 'user_id("user")',
            "owner_id": "owner_id(owner)",
            "created_date": "{at}(created)",
            "is_deleted": "false",
            "last_modified_date": "{at}(created)",
            "system_modstamp": "{at}(created)",
        },
        "contacts",
        synced="created",
    ),
    _Object(
        "user",
        {
            "id": "owner_id(number)",
            "name": "owner_name(number)",
            "user_role_id": _ROLE_ID,
            "manager_id": "owner_id(manager)",
            "region_c": "region",
            "is_active": "true",
            "created_date": "{at}(created)",
            **_CHANGED,
        },
        "owners",
    ),
    _Object(
        "user_role",
        {"id": _ROLE_ID, "name": "team_of(region, team, is_director)"},
        "(select distinct delivered, region, team, is_director from owners order by all)",
        synced="delivered",
    ),
    _Object(
        "record_type",
        {"id": _RECORD_TYPE_ID.format("name"), "name": "name"},
        f"(select delivered, unnest({list(crm.PIPELINES)}) as name from stages where place = 0)",
        synced="delivered",
    ),
    _Object(
        "task",
        _ACTIVITY
        | {
            "status": "'Completed'",
            "is_closed": "true",
            "completed_date_time": '{at}("at")',
            "activity_date": 'cast(make_timestamp("at") as date)',
        },
        "activities where kind in ('call', 'email')",
        synced='"at"',
    ),
    _Object(
        "event",
        _ACTIVITY
        | {
            "start_date_time": '{at}("at")',
            "activity_date": 'cast(make_timestamp("at") as date)',
            "is_child": "false",
        },
        "activities where kind not in ('call', 'email')",
        synced='"at"',
    ),
)
