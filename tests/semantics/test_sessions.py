"""Sessions by inactivity, where they came from, their channels, and traffic that is left out."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tests.semantics.cases import BOOK, assert_rows, case
from tests.support.tables import Tables, spelled, written

GAP_SOURCE = "clicks"

case("gap").declare("sources", source=GAP_SOURCE, system="generic", session_gap_minutes="30")


def assert_sessions(warehouse: Tables, name: str, expected: str) -> None:
    """Assert that the sessions of a case's visitors are those written by hand."""
    columns, rows = written(expected)
    found = [
        [spelled(cell).replace(f"{name}.", "").replace(" ", "_") for cell in row]
        for row in warehouse.query(
            f"select {', '.join(columns)} from core.dim_sessions"
            " where split_part(visitor_id, '.', 1) = ?",
            [name],
        )
    ]
    assert sorted(found) == sorted(rows)


gap = case("gap", source=GAP_SOURCE)
# 30 minutes to the second are no pause yet; what a source calls its own session does not count.
gap.events(
    "ann",
    """
    2024-01-01T10:00:00 view
    2024-01-01T10:30:00 view
    2024-01-01T11:00:01 view
    2024-01-01T11:10:00 view
    """,
    subject_type="visitor",
    session_id="of-the-source",
)
# Midnight ends no session, and delivery in another order gives the same.
gap.events("bob", "2024-01-02T00:10:00 view\n2024-01-01T23:50:00 view", subject_type="visitor")
# One who is known by a user id alone is a visitor of her own.
gap.events("eve", "2024-01-01T10:00:00 view")


def test_a_longer_pause_than_declared_begins_a_new_session(warehouse: Tables) -> None:
    """Prevents a session from lasting a day, or from ending at midnight or at the limit itself."""
    assert_sessions(
        warehouse,
        "gap",
        """
        session_id                      visitor_id  user_id  events  seconds_in_session
        clicks:ann@2024-01-01_10:00:00  ann         -        2       1800
        clicks:ann@2024-01-01_11:00:01  ann         -        2       599
        clicks:bob@2024-01-01_23:50:00  bob         -        2       1200
        clicks:eve@2024-01-01_10:00:00  eve         eve      1       0
        """,
    )


own = case("own")
own.events("ann", "2024-01-01T10:00:00 view", subject_type="visitor", session_id="own.s1")
own.events("ann", "2024-01-01T15:00:00 view", subject_type="visitor", session_id="own.s1")
own.events("ann", "2024-01-01T15:01:00 view", subject_type="visitor")


def test_without_a_gap_sessions_are_those_of_the_source(warehouse: Tables) -> None:
    """Prevents sessions from being cut anew that the source knows better, or has none of."""
    assert_sessions(
        warehouse,
        "own",
        """
        session_id  events  seconds_in_session
        s1          2       18000
        """,
    )


# Many visitors whose pauses lie around the gap, delivered in any order.
pauses = case("pauses", source=GAP_SOURCE)
_random = np.random.default_rng(7)
WALKS: dict[str, list[datetime]] = {}
for number in range(100):
    steps = _random.choice([0, 1, 1799, 1800, 1801, 7200], size=_random.integers(1, 12))
    instants = datetime(2024, 1, 1) + np.cumsum(steps) * timedelta(seconds=1)
    WALKS[f"v{number}"] = list(instants)
    rows = "\n".join(f"{at.isoformat()} view" for at in _random.permutation(instants))
    pauses.events(f"v{number}", rows, subject_type="visitor")


def test_sessions_are_those_of_a_plain_walk_through_the_events(warehouse: Tables) -> None:
    """Prevents sessions that depend on the order of delivery, or on what lies between."""
    expected = []
    for visitor, instants in WALKS.items():
        sessions: list[list[datetime]] = []
        for at in sorted(instants):
            if sessions and at - sessions[-1][-1] <= timedelta(minutes=30):
                sessions[-1].append(at)
            else:
                sessions.append([at])
        expected += [(f"pauses.{visitor}", s[0], s[-1], len(s)) for s in sessions]
    found = warehouse.query(
        "select visitor_id, started_at, ended_at, events from core.dim_sessions"
        " where split_part(visitor_id, '.', 1) = 'pauses'"
    )
    assert sorted(found) == sorted(expected)


origin = case("origin", source=GAP_SOURCE)
ORIGINS = {
    "direct": "page_path=/",
    "own_page": "page_path=/b page_host=www.shop.example page_referrer=https://shop.example/a",
    "search": "page_path=/ page_host=shop.example page_referrer=https://www.Google.co.uk/",
    "webmail": "page_path=/ page_referrer=https://mail.google.com/",
    "other_site": "page_path=/ page_referrer=https://blog.example:8080/post?x=1",
    "paid": "page_path=/ campaign_source=Google campaign_medium=CPC campaign_name=spring",
    "paid_social": "page_path=/ campaign_source=facebook campaign_medium=paid",
    "letter": "page_path=/ campaign_source=crm campaign_medium=email campaign_name=june",
    "social": "page_path=/ page_referrer=https://m.weibo.com/u/1",
    "strange": "page_path=/ campaign_source=flyer campaign_medium=qr",
    "workshop": "page_path=/ campaign_source=bing campaign_medium=cpc campaign_name=workshop",
    "told": "page_path=/a?name=told page_referrer=https://told:secret@blog.example/",
}
for visitor, properties in ORIGINS.items():
    origin.events(
        visitor,
        # What only sounds like a campaign, and a page that is empty, began nothing.
        "2024-01-01T10:00:00 start page_path= campaign=banner campaign_slot=2 campaign_source=\n"
        f"2024-01-01T10:00:01 view {properties}\n"
        "2024-01-01T10:05:00 view page_path=/late campaign_source=late",
        subject_type="visitor",
    )


def test_a_session_has_the_channel_of_its_first_page(warehouse: Tables) -> None:
    """Prevents a channel that is of a later page, of the site itself, or of a later rule."""
    assert_sessions(
        warehouse,
        "origin",
        """
        visitor_id   channel      landing_page  referrer_host  campaign_source  campaign_medium
        direct       Direct       /             -              -                -
        own_page     Direct       /b            -              -                -
        search       Search       /             google.co.uk   -                -
        webmail      E-mail       /             mail.google.com -               -
        other_site   Referral     /             blog.example   -                -
        paid         Paid_search  /             -              Google           CPC
        paid_social  Paid_social  /             -              facebook         paid
        letter       E-mail       /             -              crm              email
        social       Social       /             m.weibo.com    -                -
        strange      Other        /             -              flyer            qr
        workshop     Paid_search  /             -              bing             cpc
        told         Referral     /a            blog.example   -                -
        """,
    )


bots = case("bots")
BOOK.seeds["excluded_traffic"] += [
    {
        "traffic_type": "internal",
        "excludes": "visitor",
        "property_name": "email",
        "match_type": "regex",
        "match_value": "@bots[.]example[.]com$",
    },
    {
        "traffic_type": "bot",
        "excludes": "event",
        "property_name": "user_agent",
        "match_type": "regex",
        "match_value": "(?i)bots-crawler",
    },
    {
        "traffic_type": "nobody's",
        "excludes": "visitor",
        "property_name": "event_name",
        "match_type": "equals",
        "match_value": "bots/never",
    },
]
bots_funnel = bots.funnel("shop", "visit\nordered won")
bots.events("ann", "2024-01-01T10:00:00 visit user_agent=Mozilla\n2024-01-01T11:00:00 ordered")
# The crawler took part of a session that was otherwise a customer's.
bots.events("bob", "2024-01-01T10:00:00 visit user_agent=Bots-Crawler/2.0")
bots.events("bob", "2024-01-01T11:00:00 visit\n2024-01-01T12:00:00 ordered")
# An employee, on the device on which she once signed in and at work, before and after.
bots.events("phone", "2023-12-31T10:00:00 visit", subject_type="visitor")
bots.events(
    "eve",
    "2024-01-01T10:00:00 sign_in email=Eve@bots.example.com",
    anonymous_id=bots.subject("phone"),
)
bots.events("eve", "2024-01-02T10:00:00 visit\n2024-01-02T11:00:00 ordered")
# An address in a column of its own tells as much as one among the properties.
bots.events("max", "2024-01-01T10:00:00 visit", file="max.csv", email="Max@bots.example.com")
# Not known to be of the company before the as-of.
bots.events("joe", "2024-01-01T10:00:00 visit\n2025-01-01T06:00:00 in email=joe@bots.example.com")


def test_traffic_of_bots_and_of_the_own_people_is_left_out(warehouse: Tables) -> None:
    """Prevents bots from diluting rates, and what is told of a visitor from holding for a day."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        bots_funnel,
        """
        subject_id  entered_at        outcome
        ann         2024-01-01T10:00  won
        bob         2024-01-01T11:00  won
        joe         2024-01-01T10:00  open
        """,
    )
    assert warehouse.query(
        "select count(*) from core.dim_persons where contains(person_id, 'bots.eve')"
        " or contains(person_id, 'bots.phone')"
    ) == [(0,)]


def test_traffic_that_is_left_out_is_counted(warehouse: Tables) -> None:
    """Prevents events from vanishing without a number, and a zero from being a missing row."""
    totals = warehouse.query(
        "select scope, measure, counted from core.control_totals where scope_type = 'traffic'"
    )
    assert sorted(totals) == [
        ("bot", "events_excluded", 1),
        ("bot", "visitors_excluded", 1),
        ("internal", "events_excluded", 5),
        ("internal", "visitors_excluded", 3),
        ("nobody's", "events_excluded", 0),
        ("nobody's", "visitors_excluded", 0),
    ]


channels = case("channels", source=GAP_SOURCE)
channels_funnel = channels.funnel("shop", "view\nordered won", subject_type="visitor")
BOOK.seeds["segments"] += [
    {
        "segment_name": name,
        "subject_type": "visitor",
        "attribute": name,
        "funnel_id": channels_funnel,
    }
    for name in ("session_channel", "session_landing_page")
]
channels.events(
    "ann",
    """
    2024-01-01T10:00:00 open page_path=/ad campaign_medium=cpc campaign_source=bing
    2024-01-01T10:01:00 view page_path=/product
    2024-01-02T10:00:00 ordered page_path=/cart
    """,
    subject_type="visitor",
)
channels.events("bob", "2024-01-01T10:00:00 view", subject_type="visitor")


def test_journeys_can_be_broken_down_by_what_their_session_is_like(warehouse: Tables) -> None:
    """Prevents the channel of a journey from being known of its very first event only."""
    assert warehouse.query(
        "select split_part(subject_id, '.', 2), segment_name, segment_value"
        " from core.fct_journey_segments where funnel_id = ? order by all",
        [channels_funnel],
    ) == [
        ("ann", "session_channel", "Paid search"),
        ("ann", "session_landing_page", "/ad"),
        ("bob", "session_channel", "Direct"),
        ("bob", "session_landing_page", "(missing)"),
    ]
