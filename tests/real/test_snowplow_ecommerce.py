"""A real extract of Snowplow, with entities as JSON columns and as tables, against its own files.

What is expected is counted from the files with Python's csv and json modules.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

pytestmark = pytest.mark.slow

Row = dict[str, str]

EVENTS = "snowplow_ecommerce_events.csv"
ENTITIES = "com_snowplowanalytics_snowplow_ecommerce_"
ACTION = f"unstruct_event_{ENTITIES}snowplow_ecommerce_action_1_0_0"
MOBILE_SESSION = "contexts_com_snowplowanalytics_snowplow_client_session_1_0_1"
# The files by the names that the loader gives the tables. Nothing is read of the cart; and that of
# the web page names one column twice, which no table can have.
TABLES = {
    f"{ENTITIES}action_1": f"{ENTITIES}snowplow_ecommerce_action_1",
    **{
        name: name
        for name in (
            f"{ENTITIES}checkout_step_1",
            f"{ENTITIES}page_1",
            f"{ENTITIES}product_1",
            f"{ENTITIES}transaction_1",
            f"{ENTITIES}user_1",
            "com_snowplowanalytics_snowplow_client_session_1",
            "com_snowplowanalytics_mobile_screen_1",
        )
    },
}
WAYS = ("shop_json", "shop_tables")

SEEDS = {
    "sources": "source,system\nshop_json,snowplow\nshop_tables,snowplow\n",
    "funnels": "funnel_id,subject_type,order_mode\nshop,session,furthest\n",
    "funnel_stages": (
        "funnel_id,stage_position,stage_id,stage_kind\n"
        "shop,1,product,open\nshop,2,cart,open\nshop,3,bought,won\n"
    ),
    "stage_rules": (
        "funnel_id,stage_id,rule_type,match_value\n"
        "shop,product,event,product_view\n"
        "shop,cart,event,add_to_cart\n"
        "shop,bought,event,transaction\n"
    ),
}


@pytest.fixture(scope="module")
def files(extracts: Path) -> Path:
    folder = extracts / "snowplow_ecommerce"
    if not (folder / EVENTS).is_file():
        pytest.skip(f"needs a real extract, found no {EVENTS} in {folder}")
    return folder


@cache
def rows_of(path: Path) -> list[Row]:
    csv.field_size_limit(1 << 24)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def entities(row: Row, name: str) -> list[dict[str, Any]]:
    """The entities of an event that its JSON column of a name holds."""
    found: list[dict[str, Any]] = json.loads(row[f"contexts_{ENTITIES}{name}_1_0_0"] or "[]")
    return found


def action(row: Row) -> str:
    return str(json.loads(row[ACTION] or "{}").get("type") or row["event_name"])


def mobile(row: Row) -> dict[str, str]:
    """What an app tells of session and device in place of a cookie."""
    return next(iter(json.loads(row[MOBILE_SESSION] or "[]")), {})


def session(row: Row) -> str:
    return row["domain_sessionid"] or mobile(row)["sessionId"]


def device(row: Row) -> str:
    return row["domain_userid"] or mobile(row).get("userId") or row["network_userid"]


@pytest.fixture(scope="module")
def warehouse(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The extract as one source with JSON columns, and as one with tables of entities."""
    folder = tmp_path_factory.mktemp("snowplow")
    landing, seeds = folder / "landing", folder / "seeds"
    whole = landing / "shop_json" / "events" / "events.csv"
    whole.parent.mkdir(parents=True)
    shutil.copyfile(files / EVENTS, whole)
    _write_without_entities(files / EVENTS, landing / "shop_tables" / "events" / "events.csv")
    for name, table in TABLES.items():
        target = landing / "shop_tables" / table / "entities.csv"
        target.parent.mkdir(parents=True)
        shutil.copyfile(files / f"{name}.csv", target)
    seeds.mkdir()
    for name, text in SEEDS.items():
        (seeds / f"{name}.csv").write_text(text, encoding="utf-8")
    tables = Tables(build_warehouse(landing, seeds, folder / "home"))
    yield tables
    tables.close()


def _write_without_entities(whole: Path, target: Path) -> None:
    rows = rows_of(whole)
    kept = [name for name in rows[0] if not name.startswith(("contexts_", "unstruct_event_"))]
    target.parent.mkdir(parents=True)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_every_row_is_loaded_and_kept(warehouse: Tables) -> None:
    """Prevents a real layout from being refused, in the loader or in staging."""
    assert warehouse.query("select count(*) from raw.quarantined_rows") == [(0,)]
    assert warehouse.query("select count(*) from staging.stg_quarantined_rows") == [(0,)]
    assert warehouse.query(
        "select source, rows_delivered, rows_kept from staging.stg_row_counts order by source"
    ) == [(way, 834, 834) for way in WAYS]


def test_every_column_is_known(warehouse: Tables) -> None:
    """Prevents what nobody described from being carried on as a property."""
    assert warehouse.query("select file, new_columns from raw.loads where new_columns != ''") == []
    for table in ("events", *TABLES.values()):
        assert warehouse.query(
            f"select count(*) from raw_snowplow.{table} where _extra is not null"
        ) == [(0,)]


@pytest.mark.parametrize("way", WAYS)
def test_events_go_by_what_was_done(warehouse: Tables, files: Path, way: str) -> None:
    """Prevents all that is done in a shop from being one event of one name."""
    expected = Counter(action(row) for row in rows_of(files / EVENTS))
    assert expected["product_view"] == 179
    if way == "shop_tables":
        # One event is of a later version of the definition, and its row is not in the extract.
        expected["checkout_step"] -= 1
        expected["snowplow_ecommerce_action"] += 1

    found = warehouse.query(
        "select event_name, count(*) from staging.stg_events where source = ? group by all", [way]
    )
    assert dict(found) == dict(expected)


@pytest.mark.parametrize("way", WAYS)
def test_sessions_devices_and_users_are_those_of_the_files(
    warehouse: Tables, files: Path, way: str
) -> None:
    """Prevents people from being lost or put together by the wrong id."""
    rows = rows_of(files / EVENTS)
    sessions = {session(row) for row in rows}
    assert len({row["domain_sessionid"] for row in rows if row["domain_sessionid"]}) == 63
    assert len(sessions) == 64  # and one of an app
    users = {user["id"] for row in rows for user in entities(row, "user") if user.get("id")}
    assert len(users) == 2

    ((found_sessions, found_users, events_of_users, emails),) = warehouse.query(
        """
        select
            list(distinct session_id),
            list(distinct user_id) filter (where user_id is not null),
            count(user_id),
            count(distinct email_hash)
        from staging.stg_events
        where source = ?
        """,
        [way],
    )
    assert set(found_sessions) == {f"{way}:{name}" for name in sessions}
    assert set(found_users) == users
    lost = way == "shop_tables"  # of one event, the entities are not in the extract
    assert events_of_users == sum(bool(entities(row, "user")) for row in rows) - lost
    assert emails == 1
    devices = warehouse.query(
        "select distinct anonymous_id from staging.stg_events where source = ?", [way]
    )
    assert {found for (found,) in devices} == {device(row) for row in rows}


@pytest.mark.parametrize("way", WAYS)
def test_transactions_and_revenue_are_those_of_the_files(
    warehouse: Tables, files: Path, way: str
) -> None:
    """Prevents revenue from being lost or counted for each product."""
    bought = [
        transaction
        for row in rows_of(files / EVENTS)
        for transaction in entities(row, "transaction")
    ]
    assert len(bought) == 29

    found = warehouse.query(
        """
        select
            count(*),
            count(distinct json_extract_string(properties, '$.transaction_id')),
            sum(cast(json_extract_string(properties, '$.amount') as decimal(18, 4)))
        from staging.stg_events
        where source = ? and properties like '%"transaction_id"%'
        """,
        [way],
    )
    revenue = sum(Decimal(each["revenue"]) for each in bought)
    assert found == [(29, len({each["transaction_id"] for each in bought}), revenue)]


@pytest.mark.parametrize("way", WAYS)
def test_a_product_is_named_where_there_is_no_other(
    warehouse: Tables, files: Path, way: str
) -> None:
    """Prevents an event from being held to the first of many products."""
    products = [
        {product["id"] for product in entities(row, "product")} for row in rows_of(files / EVENTS)
    ]
    assert any(len(those) > 1 for those in products)
    expected = Counter(those.pop() for those in products if len(those) == 1)
    found = warehouse.query(
        """
        select json_extract_string(properties, '$.product_id') as product_id, count(*)
        from staging.stg_events
        where source = ? and product_id is not null
        group by all
        """,
        [way],
    )
    assert dict(found) == dict(expected)


def test_both_ways_of_entities_tell_the_same(warehouse: Tables) -> None:
    """Prevents a change of the loader's layout from changing what events say."""
    # Numbers are spelled otherwise in the two: 13.0 and 13.
    other = warehouse.query(
        """
        select json_events.event_name, table_events.event_name
        from staging.stg_events as json_events
        inner join staging.stg_events as table_events using (event_id)
        where json_events.source = 'shop_json' and table_events.source = 'shop_tables'
            and (
                json_events.event_name, json_events.user_id, json_events.anonymous_id,
                split_part(json_events.session_id, ':', 2),
                json_events.email_hash, json_events.occurred_at,
                replace(json_events.properties, '.0"', '"')
            ) is distinct from (
                table_events.event_name, table_events.user_id, table_events.anonymous_id,
                split_part(table_events.session_id, ':', 2),
                table_events.email_hash, table_events.occurred_at,
                table_events.properties
            )
        """
    )
    assert other == [("checkout_step", "snowplow_ecommerce_action")]


def test_no_address_or_place_gets_through(warehouse: Tables) -> None:
    """Prevents what tells who or where a person is from being stored with every event."""
    ((texts,),) = warehouse.query("select string_agg(properties, chr(10)) from staging.stg_events")
    for told in ("peter@", "Mozilla", "user_ipaddress", "37.98", "Aigaleo", "_latitude"):
        assert told not in texts


@pytest.mark.parametrize(
    ("stage_id", "names"),
    [
        ("product", {"product_view"}),
        ("cart", {"add_to_cart"}),
        ("bought", {"transaction"}),
    ],
)
def test_sessions_at_each_stage_are_those_of_the_files(
    warehouse: Tables, files: Path, stage_id: str, names: set[str]
) -> None:
    """Prevents a funnel of sessions from standing on other sessions than the shop had."""
    expected = {session(row) for row in rows_of(files / EVENTS) if action(row) in names}
    assert expected

    found = warehouse.query(
        """
        select count(distinct subject_id)
        from core.fct_stage_visits
        where starts_with(subject_id, 'shop_json:') and stage_id = ?
        """,
        [stage_id],
    )
    assert found == [(len(expected),)]
