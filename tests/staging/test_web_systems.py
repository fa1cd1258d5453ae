"""The same few visitors as Segment, Snowplow and Google Analytics 4 deliver them.

One warehouse of all three. What is refused of a delivery is tried without building anything.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.hash_key import email_hash
from tests.conftest import SECRET
from tests.support.tables import Tables
from tests.support.warehouse import BuildFailedError, build_warehouse, load_night

Row = dict[str, Any]

NIGHT = datetime(2024, 5, 3, 2, tzinfo=UTC)
SHOP = "com_snowplowanalytics_snowplow_ecommerce_"

SEEDS = {
    "sources": """
        source,system,event_time
        seg,segment,
        snow,snowplow,
        ga,ga4,
        seg_collected,segment,collected
        seg_received,segment,received
        snow_collected,snowplow,collected
        snow_received,snowplow,received
        ga_received,ga4,received
    """,
    "funnels": """
        funnel_id,subject_type,order_mode,window_hours
        shop,visitor,ordered,24
        visits,session,furthest,
    """,
    "funnel_stages": """
        funnel_id,stage_position,stage_id,stage_kind
        shop,1,home,open
        shop,2,product,open
        shop,3,order,won
        visits,1,home,open
        visits,2,order,won
    """,
    "excluded_traffic": """
        traffic_type,excludes,property_name,match_type,match_value
        robot,visitor,user_agent,regex,^Crawler
        robot,visitor,spider_or_robot,equals,true
        staff,event,traffic_type,equals,internal
    """,
    "stage_rules": """
        funnel_id,stage_id,rule_type,match_type,match_value,property_name,property_value
        shop,home,event,regex,^(page|page_view)$,page_path,/
        shop,product,event,equals,product_viewed,,
        shop,product,event,equals,product_view,,
        shop,product,event,equals,view_item,,
        shop,order,event,equals,order_completed,,
        shop,order,event,equals,transaction,,
        shop,order,event,equals,purchase,,
        visits,home,event,regex,^(page|page_view)$,page_path,/
        visits,order,event,equals,order_completed,,
        visits,order,event,equals,transaction,,
        visits,order,event,equals,purchase,,
    """,
}

# Who did what, when on the first of May; ann is known as user U1 from the product page on.
STORY = (
    ("ann", "home", "10:00:00"),
    ("ann", "product", "10:05:00"),
    ("ann", "order", "10:20:00.250000"),
    ("bob", "home", "11:00:00"),
    ("bob", "product", "11:01:30"),
    ("cat", "home", "12:00:00"),
    ("dan", "product", "13:00:00"),
)
ADDRESS = "https://shop.example/?utm_source=mail&email=ann@shop.example"
# Of the address, and of the SHA-256 of it.
EMAIL_HASH = email_hash(SECRET.encode(), "ann@shop.example")
PERSONAL = {
    "context_ip": "203.0.113.9",
    "context_user_agent": "Mozilla/5.0",
    "context_traits_name": "Ann Archer",
    "context_location_latitude": "52.5",
}


def instant(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-05-01 {clock}")


def is_known(visitor: str, did: str) -> bool:
    return visitor == "ann" and did != "home"


# Segment


def segment_call(call_id: str, visitor: str, at: datetime, **further: str) -> Row:
    """A row that all tables of Segment have; the client's clock is three hours ahead."""
    return {
        "id": call_id,
        "anonymous_id": f"seg-{visitor}",
        "timestamp": f"{at.isoformat(sep=' ')} UTC",
        "original_timestamp": (at + timedelta(hours=3)).isoformat() + "Z",
        "sent_at": (at + timedelta(hours=3, seconds=1)).isoformat() + "Z",
        "received_at": (at + timedelta(seconds=1)).isoformat() + "Z",
        "context_session_id": f"seg-{visitor}-1",
        **PERSONAL,
        **further,
    }


def segment_tables() -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {
        "tracks": [],
        "pages": [],
        "identifies": [],
        "event_tables/order_completed": [],
    }
    for number, (visitor, did, clock) in enumerate(STORY):
        user = {"user_id": "seg-U1"} if is_known(visitor, did) else {"user_id": ""}
        call = segment_call(f"m{number}", visitor, instant(clock), **user)
        if did == "home":
            page = {"name": "Home", "path": "/", "url": ADDRESS, "referrer": ADDRESS}
            tables["pages"].append(call | page)
        else:
            event = "product_viewed" if did == "product" else "order_completed"
            tables["tracks"].append(call | {"event": event, "event_text": "A name"})
        if did == "order":
            facts = {"revenue": "30.5", "currency": "EUR", "order_id": "O1", "coupon": "MAY"}
            tables["event_tables/order_completed"].append(call | {"event": "order_completed"})
            tables["event_tables/order_completed"][-1] |= facts
    call = segment_call("i1", "ann", instant("10:04:59"), user_id="seg-U1")
    robot = segment_call("r1", "robot", instant("20:00:00"), context_user_agent="Crawler/1.0")
    tables["pages"].append(robot | {"name": "Home", "path": "/", "url": ADDRESS})
    traits = {"email": " Ann@Shop.example", "name": "Ann Archer", "plan": "gold"}
    tables["identifies"].append(call | traits)
    return tables


# Snowplow


IS_ROBOT = '[{"spiderOrRobot": true, "category": "SPIDER_OR_ROBOT"}]'


def snowplow_event(event_id: str, visitor: str, at: datetime, **further: str) -> Row:
    """A row of atomic.events; the device's clock is three hours ahead."""
    return {
        "event_id": event_id,
        "event": "unstruct",
        "event_name": "snowplow_ecommerce_action",
        "collector_tstamp": str(at + timedelta(seconds=1)),
        "derived_tstamp": str(at),
        "dvce_created_tstamp": str(at + timedelta(hours=3)),
        "user_id": "",
        "domain_userid": f"snow-{visitor}",
        "network_userid": "n1",
        "domain_sessionid": f"snow-{visitor}-1",
        "useragent": "Mozilla/5.0",
        "user_ipaddress": "203.0.113.9",
        "geo_latitude": "52.5",
        **further,
    }


def snowplow_events() -> list[Row]:
    action = f"unstruct_event_{SHOP}snowplow_ecommerce_action_1"
    transaction = f"contexts_{SHOP}transaction_1"
    user = f"contexts_{SHOP}user_1"
    rows = []
    for number, (visitor, did, clock) in enumerate(STORY):
        row = snowplow_event(f"e{number}", visitor, instant(clock))
        row |= {action: "", transaction: "", user: "[]"}
        if did == "home":
            row |= {"event": "page_view", "event_name": "page_view"}
            row |= {
                "page_urlhost": "shop.example",
                "page_urlpath": "/",
                "page_url": ADDRESS,
                "page_referrer": ADDRESS,
            }
        if did == "product":
            row |= {action: '{"type": "product_view"}'}
        if did == "order":
            bought = {"transaction_id": "O1", "revenue": 30.5, "currency": "EUR"}
            row |= {action: '{"type": "transaction"}', transaction: json.dumps([bought])}
        if is_known(visitor, did):
            row |= {user: json.dumps([{"id": "snow-U1", "email": "ann@shop.example"}])}
        rows.append(row)
    robot = snowplow_event("r1", "robot", instant("20:00:00"), page_urlpath="/")
    robot |= {"event": "page_view", "event_name": "page_view"}
    rows.append(robot | {"contexts_com_iab_snowplow_spiders_and_robots_1": IS_ROBOT})
    return rows


# Google Analytics 4

USER_PROPERTIES = (
    ("plan", "string_value", "gold"),
    ("logins", "int_value", "12"),
    ("email", "string_value", "ann@shop.example"),
    ("fullName", "string_value", "Ann Archer"),
)


def ga4_event(visitor: str | None, name: str, at: datetime, **params: str | float) -> Row:
    """A row of the export; numbers of 64 bits are texts in it."""
    microseconds = (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    return {
        "event_date": "20240501",
        "event_timestamp": str(microseconds),
        "event_name": name,
        "event_params": [
            {"key": "ga_session_id", "value": {"int_value": "1714557600"}},
            *(
                {"key": key, "value": {kind: value}}
                for key, value in params.items()
                for kind in ["string_value" if isinstance(value, str) else "double_value"]
            ),
        ],
        "user_properties": [
            {"key": key, "value": {kind: value, "set_timestamp_micros": "1714557600000000"}}
            for key, kind, value in USER_PROPERTIES
        ],
        "user_pseudo_id": f"ga-{visitor}" if visitor else None,
        "stream_id": "7",
        "platform": "WEB",
        "device": {"category": "mobile", "language": "de-de"},
        "geo": {"country": "Germany", "city": "Berlin"},
        "collected_traffic_source": {"manual_source": "mail"},
    }


def ga4_events() -> list[Row]:
    rows = []
    for visitor, did, clock in STORY:
        if did == "home":
            row = ga4_event(visitor, "page_view", instant(clock), page_location=ADDRESS)
        elif did == "product":
            row = ga4_event(visitor, "view_item", instant(clock), plan="of the item")
            row |= {"items": [{"item_id": "P1", "item_category": "Hats"}]}
        else:
            row = ga4_event(visitor, "purchase", instant(clock), value=30.5, currency="EUR")
            row |= {"ecommerce": {"transaction_id": "O1", "purchase_revenue": 30.5}}
        rows.append(row | ({"user_id": "ga-U1"} if is_known(visitor, did) else {}))
    staff = {"page_location": ADDRESS, "traffic_type": "internal"}
    rows.append(ga4_event("robot", "page_view", instant("20:00:00"), **staff))
    return rows


# The landing


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({key: cell for key, cell in row.items() if cell}) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_parquet(path: Path, rows: Sequence[Row]) -> None:
    """The rows with nested columns and true numbers, as BigQuery exports them to Parquet."""
    lines = path.with_suffix(".lines")
    write_jsonl(lines, rows)
    nested = (
        "{event_date: 'varchar', event_timestamp: 'bigint', event_name: 'varchar', event_params:"
        " 'struct(key varchar, value struct(string_value varchar, int_value bigint,"
        " float_value double, double_value double))[]', user_properties:"
        " 'struct(key varchar, value struct(string_value varchar, int_value bigint))[]',"
        " user_id: 'varchar',"
        " user_pseudo_id: 'varchar', stream_id: 'bigint', platform: 'varchar',"
        " device: 'struct(category varchar, language varchar)',"
        " geo: 'struct(country varchar, city varchar)',"
        " traffic_source: 'struct(name varchar, medium varchar, source varchar)',"
        " collected_traffic_source: 'struct(manual_source varchar)',"
        " ecommerce: 'struct(transaction_id varchar, purchase_revenue double)',"
        " items: 'struct(item_id varchar, item_category varchar)[]'}"
    )
    duckdb.connect().execute(
        f"copy (select * from read_json('{lines}', format = 'newline_delimited',"
        f" columns = {nested})) to '{path}' (format parquet)"
    )
    lines.unlink()


def write_seeds(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in SEEDS.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def deliver_story(landing: Path) -> None:
    for table, rows in segment_tables().items():
        write_csv(landing / "seg" / table / "2024-05-02.csv", rows)
    write_csv(landing / "snow" / "events" / "2024-05-02.csv", snowplow_events())
    write_jsonl(landing / "ga" / "events" / "events_intraday_20240501.jsonl", ga4_events())


def deliver_again(landing: Path) -> None:
    """All of it once more: retried calls, copies of events, and a day in its final form."""
    retried = [row | {"uuid_ts": "2024-05-02"} for row in segment_tables()["tracks"]]
    write_csv(landing / "seg" / "tracks" / "again.csv", retried)
    copies = [
        row | {"collector_tstamp": "2024-05-01 21:00:00", "etl_tstamp": "2024-05-01 21:00:01"}
        for row in snowplow_events()
    ]
    write_csv(landing / "snow" / "events" / "again.csv", copies)
    final = [
        row | {"traffic_source": {"name": "may", "medium": "mail", "source": "list"}}
        for row in ga4_events()
    ]
    # Two of one microsecond that agree in all: they are one.
    twice = ga4_event("eve", "scroll", instant("15:00:00"))
    without_consent = ga4_event(None, "page_view", instant("15:00:00"))
    write_parquet(
        landing / "ga" / "events" / "events_20240501.parquet",
        [*final, twice, twice, without_consent],
    )


def deliver_clocks(landing: Path) -> None:
    """One event of each source whose clock was ahead, and one whose clock was in 2031."""
    at = instant("10:00:00")
    for source in ("seg_collected", "seg_received"):
        rows = [
            segment_call(f"{source}1", source, at, event="click", user_id=""),
            segment_call(f"{source}2", source, at, event="broken", user_id="")
            | {"original_timestamp": "2031-01-01T00:00:00Z"},
        ]
        write_csv(landing / source / "tracks" / "a.csv", rows)
    for source in ("snow_collected", "snow_received"):
        rows = [
            snowplow_event(f"{source}1", source, at, event_name="click"),
            snowplow_event(f"{source}2", source, at, event_name="broken")
            | {"dvce_created_tstamp": "2031-01-01 00:00:00"},
        ]
        write_csv(landing / source / "events" / "a.csv", rows)
    write_jsonl(landing / "ga_received" / "events" / "a.jsonl", [ga4_event("gil", "click", at)])


def deliver_other_columns(landing: Path) -> None:
    """Files with columns more and less, and events of a company's own definition."""
    at = instant("16:00:00")
    row = segment_call("x1", "fay", at, event="quiz_done", user_id="", score="7")
    row = {key: cell for key, cell in row.items() if not key.startswith("context_")}
    write_csv(landing / "seg" / "tracks" / "other.csv", [row])
    own = {"score": 7, "ip": "203.0.113.9"}
    write_csv(
        landing / "snow" / "events" / "other.csv",
        [
            {
                "event_id": "x1",
                "collector_tstamp": "2024-05-01 16:00:00",
                "event_name": "quiz_done",
                "event_vendor": "com.acme-shop",
                "event_version": "1-0-2",
                "network_userid": "snow-fay",
                "unstruct_event_com_acme_shop_quiz_done_1_0_2": json.dumps(own),
                "contexts_com_acme_person_1_0_0": '[{"email": "fay@shop.example"}]',
                "team": "red",
            }
        ],
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    folder = tmp_path_factory.mktemp("web")
    landing, seeds = folder / "landing", folder / "seeds"
    deliver_story(landing)
    deliver_again(landing)
    deliver_clocks(landing)
    deliver_other_columns(landing)
    write_seeds(seeds)
    built = build_warehouse(landing, seeds, folder / "home", now=NIGHT, currency="EUR")
    tables = Tables(built)
    yield tables
    tables.close()


SYSTEMS = ("seg", "snow", "ga")
slow = pytest.mark.slow


def properties_of(warehouse: Tables, source: str, event_name: str) -> list[dict[str, str]]:
    found = warehouse.query(
        "select properties from staging.stg_events where source = ? and event_name = ?"
        " order by occurred_at",
        [source, event_name],
    )
    return [json.loads(text) for (text,) in found]


@slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_visitors_make_the_same_journeys(warehouse: Tables, system: str) -> None:
    """Prevents a funnel from having other results by whose export it is computed from."""
    journeys = warehouse.query(
        """
        select
            replace(subject_id, ?, ''),
            strftime(entered_at, '%H:%M:%S.%f'),
            furthest_stage_id,
            outcome,
            amount
        from core.fct_journeys
        where funnel_id = 'shop' and subject_id like ?
        order by all
        """,
        [f"{system}-", f"{system}-%"],
    )
    assert [(*journey[:4], journey[4] and float(journey[4])) for journey in journeys] == [
        ("ann", "10:00:00.000000", "order", "won", 30.5),
        ("bob", "11:00:00.000000", "product", "open", None),
        ("cat", "12:00:00.000000", "home", "open", None),
    ]


@slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_visitors_make_the_same_visits(warehouse: Tables, system: str) -> None:
    """Prevents steps from being lost, doubled or moved on their way through one of the formats."""
    visits = warehouse.query(
        """
        select
            replace(subject_id, ?, ''),
            stage_id,
            strftime(entered_at, '%H:%M:%S'),
            entries
        from core.fct_stage_visits
        where funnel_id = 'shop' and subject_id like ?
        """,
        [f"{system}-", f"{system}-%"],
    )
    assert sorted(visits) == sorted(
        (visitor, did, clock.partition(".")[0], 1) for visitor, did, clock in STORY
    )


@slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_same_sessions_are_found(warehouse: Tables, system: str) -> None:
    """Prevents sessions of two visitors from being taken for one."""
    found = warehouse.query(
        """
        select count(*), count(*) filter (where outcome = 'won')
        from core.fct_journeys
        where funnel_id = 'visits' and subject_id like ?
        """,
        [f"{system}:{system}-%"],
    )
    assert found == [(3, 1)]


@slow
def test_robots_and_staff_are_recognised_by_what_each_system_says(warehouse: Tables) -> None:
    """Prevents traffic of robots from counting because user agents do not pass staging."""
    recognised = warehouse.query(
        "select source, traffic_type, visitor_traffic_type from staging.stg_events"
        " where traffic_type is not null or ends_with(anonymous_id, '-robot') order by source"
    )
    assert recognised == [
        ("ga", "staff", None),
        ("seg", "robot", "robot"),
        ("snow", "robot", "robot"),
    ]


@slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_session_begins_where_the_visitor_came_in(warehouse: Tables, system: str) -> None:
    """Prevents the page of the site itself from being what led there, and its query from staying.

    Only Google's export says what campaign it was.
    """
    found = warehouse.query(
        "select landing_page, referrer_host, channel from core.dim_sessions where visitor_id = ?",
        [f"{system}-cat"],
    )
    assert found == [("/", None, "Other" if system == "ga" else "Direct")]


@slow
@pytest.mark.parametrize(("system", "email_hash"), [("seg", EMAIL_HASH), ("snow", EMAIL_HASH)])
def test_user_device_and_address_come_together(
    warehouse: Tables, system: str, email_hash: str
) -> None:
    """Prevents a person from being several because what identifies them was not read."""
    found = warehouse.query(
        "select distinct anonymous_id, user_id, email_hash from staging.stg_events"
        " where source = ? and user_id is not null and email_hash is not null",
        [system],
    )
    assert found == [(f"{system}-ann", f"{system}-U1", email_hash)]


@slow
def test_users_of_two_systems_with_one_address_are_one_person(warehouse: Tables) -> None:
    """Prevents the address from being read and not used."""
    found = warehouse.query(
        "select identifier, person_id from intermediate.int_person_identifiers"
        " where identifier_type = 'user_id' and identifier in ('seg-U1', 'snow-U1') order by all"
    )
    assert found == [("seg-U1", "seg-U1"), ("snow-U1", "seg-U1")]


@slow
def test_copies_count_once(warehouse: Tables) -> None:
    """Prevents retries, copies of the pipeline and a day's final table from counting twice."""
    found = warehouse.query(
        """
        select source, rows_kept, rows_repeated
        from staging.stg_row_counts
        where source in ('seg', 'snow', 'ga')
        order by source
        """
    )
    story = len(STORY) + 1  # with the robot, or one of the staff
    assert found == [
        ("ga", story + 1, story + 1),  # and what eve did twice in one microsecond
        ("seg", story + 2, 4),  # with an identify and a quiz; tracks came again
        ("snow", story + 1, story),
    ]


@slow
def test_an_event_of_nobody_is_set_aside(warehouse: Tables) -> None:
    """Prevents events without consent from being counted for a visitor without a name."""
    found = warehouse.query(
        "select source, file, column_name, reason from raw.quarantined_rows order by all"
    )
    assert found == [
        ("ga", "ga/events/events_20240501.parquet", "user_pseudo_id or user_id", "no_subject")
    ]


@slow
@pytest.mark.parametrize(
    ("source", "clock"),
    [
        ("seg", None),
        ("seg_collected", "10:00:01"),  # the client's was ahead of this, when it was received
        ("seg_received", "10:00:01"),
        ("snow", None),
        ("snow_collected", "10:00:01"),
        ("snow_received", "10:00:01"),
        ("ga_received", "10:00:00"),  # GA4 does not say when it received an event
    ],
)
def test_the_declared_clock_orders_the_events(
    warehouse: Tables, source: str, clock: str | None
) -> None:
    """Prevents another clock than the declared one from deciding what came first."""
    found = warehouse.query(
        "select min(strftime(occurred_at, '%H:%M:%S')) from staging.stg_events where source = ?"
        " and occurred_at <= '2024-05-01 13:00:00'",
        [source],
    )
    assert found == [(clock or "10:00:00",)]


@slow
def test_a_broken_clock_is_corrected_or_set_aside(warehouse: Tables) -> None:
    """Prevents a device that lives in 2031 from moving the as-of, or from being lost in need."""
    kept = warehouse.query(
        "select source from staging.stg_events where event_name = 'broken' order by all"
    )
    assert kept == [("seg_received",), ("snow_received",)]
    refused = warehouse.query(
        "select source, reason from staging.stg_quarantined_rows order by all"
    )
    assert refused == [
        ("seg_collected", "implausible_future"),
        ("snow_collected", "implausible_future"),
    ]
    counted = warehouse.query(
        "select scope, counted from core.control_totals"
        " where measure = 'events_with_corrected_time' and counted > 0 order by all"
    )
    assert counted == [("seg_collected", 1), ("snow_collected", 1)]


@slow
def test_a_page_says_which(warehouse: Tables) -> None:
    """Prevents rules from finding no page by its path or name."""
    (page, *_) = properties_of(warehouse, "seg", "page")
    assert (page["page_name"], page["page_path"]) == ("Home", "/")
    assert page["page_referrer"] == "https://shop.example/"
    (view, *_) = properties_of(warehouse, "ga", "page_view")
    assert (view["page_location"], view["page_path"]) == ("https://shop.example/", "/")
    assert (view["device_type"], view["country"]) == ("mobile", "Germany")
    (item, *_) = properties_of(warehouse, "ga", "view_item")
    assert (item["product_id"], item["product_category"]) == ("P1", "Hats")
    assert (item["plan"], item["user_plan"], item["user_logins"]) == ("of the item", "gold", "12")
    (view, *_) = properties_of(warehouse, "snow", "page_view")
    assert (view["page_path"], view["page_referrer"]) == ("/", "https://shop.example/")


@slow
@pytest.mark.parametrize(
    ("system", "event_name"),
    [("seg", "order_completed"), ("snow", "transaction"), ("ga", "purchase")],
)
def test_an_order_has_amount_and_number(warehouse: Tables, system: str, event_name: str) -> None:
    """Prevents a win from having no value because each system calls it otherwise."""
    (order,) = properties_of(warehouse, system, event_name)
    assert (order["transaction_id"], order["currency"]) == ("O1", "EUR")
    assert float(order["amount"]) == 30.5
    if system == "seg":
        assert order["coupon"] == "MAY"  # of the event's own table


@slow
def test_a_new_column_is_a_property_and_a_lost_one_is_missed_by_nobody(warehouse: Tables) -> None:
    """Prevents a change of the tracking plan from stopping the night."""
    (quiz,) = properties_of(warehouse, "seg", "quiz_done")
    assert quiz == {"score": "7", "collected_at": "2024-05-01T19:00:00Z"}
    (quiz,) = properties_of(warehouse, "snow", "quiz_done")
    assert quiz == {"score": 7, "team": "red"}


@slow
def test_nobody_can_be_told_from_properties(warehouse: Tables) -> None:
    """Prevents addresses, names, machines and places from being stored with every event."""
    ((texts,),) = warehouse.query("select string_agg(properties, chr(10)) from staging.stg_events")
    assert '"plan":"gold"' in texts  # what tells of a user, and not who it is
    for told in ("shop.example?", "ann@", "Ann@", "fay@", "Archer", "Mozilla", "203.0", "52.5"):
        assert told not in texts


# What is refused, without a build


def refusal(tmp_path: Path, source: str, table: str, rows: Sequence[Row]) -> str:
    write_csv(tmp_path / "landing" / source / table / "a.csv", rows)
    write_seeds(tmp_path / "seeds")
    with pytest.raises(BuildFailedError) as refused:
        load_night(tmp_path / "landing", tmp_path / "seeds", tmp_path / "home", NIGHT)
    return str(refused.value)


@pytest.mark.parametrize(
    ("source", "table", "column"),
    [
        ("seg", "tracks", "timestamp"),
        ("seg", "tracks", "event"),
        ("snow", "events", "collector_tstamp"),
        ("ga", "events", "event_timestamp"),
    ],
)
def test_a_lost_column_that_is_needed_is_refused_by_name(
    tmp_path: Path, source: str, table: str, column: str
) -> None:
    """Prevents a source from going on without its times or names."""
    rows = {
        "seg": segment_call("m1", "ann", instant("10:00:00"), event="click"),
        "snow": snowplow_event("e1", "ann", instant("10:00:00")),
        "ga": ga4_event("ann", "click", instant("10:00:00")) | {"event_params": "[]"},
    }
    row = {
        key: json.dumps(cell) if isinstance(cell, dict) else cell
        for key, cell in rows[source].items()
        if key != column
    }
    message = refusal(tmp_path, source, table, [row])
    assert f"the required column {column}" in message


def test_times_in_another_form_are_refused_by_name(tmp_path: Path) -> None:
    """Prevents a connector that writes numbers for times from quarantining every row."""
    row = snowplow_event("e1", "ann", instant("10:00:00")) | {"collector_tstamp": "1714557600"}
    message = refusal(tmp_path, "snow", "events", [row])
    assert "collector_tstamp" in message and "9999999999" in message
