"""What real data contains is in the extracts, and only as much as the parameters say."""

from __future__ import annotations

import pytest

from tests.simulation.conftest import Extracts

CHANGES = """
    (
        select
            *,
            lag(stage) over (partition by record_id order by changed_at, filename) as previous
        from (select distinct on (record_id, stage, changed_at) * from stage_changes)
    )
"""

# What is counted, and the query that counts it. A clean company has none of the first group.
DIRT = {
    "events that came a day late": """
        select count(*) from events
        where try_cast(occurred_at as timestamptz) < received_at - interval 1 day
            and occurred_at not like '1970%'
    """,
    "events delivered twice in a file": """
        select count(*) from (
            from events select event_id, filename group by all having count(*) > 1)
    """,
    "events delivered once more the next day": """
        select count(*) from (
            from events select event_id group by all having count(distinct filename) > 1)
    """,
    "devices that two users share": """
        select count(*) from (
            from events select anonymous_id where anonymous_id is not null
            group by all having count(distinct user_id) > 1)
    """,
    "users on a second device": """
        select count(*) from (
            from events select user_id where anonymous_id is not null and user_id is not null
            group by all having count(distinct anonymous_id) > 1)
    """,
    "sessions without their first event": """
        select count(*) from (
            from events select session_id where session_id is not null
            group by all
            having count(*) filter (event_name = 'session_start') = 0
                and count(*) filter (event_name = 'page_view') > 0)
    """,
    "own employees": "select count(*) from events where event_name = 'staff_login'",
    "events of 2999": "select count(*) from events where occurred_at like '2999%'",
    "events of 1970": "select count(*) from events where occurred_at like '1970%'",
    "events of 30 February": "select count(*) from events where occurred_at like '2026-02-30%'",
    "events without a subject": """
        select count(*) from events where user_id is null and anonymous_id is null
    """,
    "orders with a decimal comma": "select count(*) from orders where amount like '%,%'",
    "stage changes that came a day late": """
        select count(*) from stage_changes
        where cast(changed_at as timestamptz)
            < cast(regexp_extract(filename, '[0-9]{4}-[0-9]{2}-[0-9]{2}') as date)
    """,
    "repeated stage changes": """
        select count(*) from (
            from stage_changes select record_id, stage, changed_at, amount, owner_id
            group by all having count(*) > 1)
    """,
    "repeated record rows": """
        select count(*) from (
            from records select record_id, updated_at group by all having count(*) > 1)
    """,
    "deleted leads": """
        select count(*) from records
        where is_deleted = 'true' and deleted_at is not null and record_type = 'lead'
    """,
    "deleted opportunities": """
        select count(*) from records where is_deleted = 'true' and record_type = 'opportunity'
    """,
    "merged leads": """
        select count(*) from records where merged_into_id is not null and record_type = 'lead'
    """,
    "merged opportunities": """
        select count(*) from records
        where merged_into_id is not null and record_type = 'opportunity'
    """,
    "addresses in capitals": """
        select count(*) from records where contact_email <> lower(trim(contact_email))
    """,
}

LIFE = {
    "skipped stages": f"""
        select count(*) from {CHANGES}
        where previous = 'Prospecting' and stage like 'Proposal%'
    """,
    "steps back": f"""
        select count(*) from {CHANGES} where previous = 'Negotiation' and stage like 'Proposal%'
    """,
    "lost deals reopened": f"""
        select count(*) from {CHANGES} where previous = 'Closed Lost'
    """,
    "wins undone": f"select count(*) from {CHANGES} where previous = 'Closed Won'",
    "lost leads reopened": f"""
        select count(*) from {CHANGES} where previous like 'Unqualified%'
    """,
    "the same stage with a new amount": f"""
        select count(*) from {CHANGES} where previous = stage and record_type = 'opportunity'
    """,
    "leads without their first stage": f"""
        select count(*) from {CHANGES} where previous is null and stage = 'Contacted'
    """,
    "deals without their first stages": f"""
        select count(*) from {CHANGES} where previous is null and stage like 'Proposal%'
    """,
    "deals still open": """
        select count(*) from (
            from records select record_id where record_type = 'opportunity'
            group by all having count(closed_at) = 0)
    """,
    "deals without any history": """
        select count(distinct record_id) from records
        where pipeline = 'Partner' and record_id not in (select record_id from stage_changes)
    """,
    "visitors who become known": """
        select count(*) from (
            from events select anonymous_id where anonymous_id is not null group by all
            having count(*) filter (user_id is null) > 0 and count(user_id) > 0)
    """,
    "carts and checkouts in one instant": """
        select count(*) from events as cart
        inner join events as checkout using (session_id, occurred_at)
        where cart.event_name = 'cart_added' and checkout.event_name = 'checkout_started'
    """,
    "changes of a record in one instant": """
        select count(*) from (
            from stage_changes select record_id, changed_at
            group by all having count(distinct stage) > 1)
    """,
    "carts without a product view": """
        select count(*) from (
            from events select session_id group by all
            having count(*) filter (event_name = 'cart_added') > 0
                and count(*) filter (properties like '%"page_type":"product"%') = 0)
    """,
    "events that no funnel knows": "select count(*) from events where event_name = 'search'",
    "handed-over deals": "select count(*) from field_changes where field = 'owner_id'",
    "quoted amounts": "select count(*) from field_changes where field = 'amount'",
    "postponed closes": """
        select count(*) from field_changes where field = 'expected_close_date'
    """,
    "refunds": "select count(*) from orders where status = 'refunded'",
    "owners who moved": """
        select count(*) from (
            from owners select owner_id group by all having count(distinct team) > 1)
    """,
    "further deals of a customer": """
        select count(*) from records where customer_kind = 'existing'
    """,
    "quoted commas": "select count(*) from records where loss_reason like '%,%'",
}


@pytest.mark.parametrize("kind", [*DIRT, *LIFE])
def test_extracts_contain_what_real_data_contains(dirty: Extracts, kind: str) -> None:
    """A demonstration too tidy would let a warehouse pass that breaks on the first real file."""
    assert dirty.value((DIRT | LIFE)[kind]) > 0


@pytest.mark.parametrize("kind", DIRT)
def test_a_clean_company_has_no_dirt(clean: Extracts, kind: str) -> None:
    """Dirt that no parameter turns off would bias every comparison with the truth."""
    assert clean.value(DIRT[kind]) == 0


def test_dirt_has_about_its_share(dirty: Extracts) -> None:
    """A share that is off by a factor would trip, or never trip, the gates on such shares."""
    events = dirty.value("select count(distinct event_id) from events")
    repeats = dirty.value("select count(*) - count(distinct event_id) from events")
    assert 0.5 < repeats / (events * 0.004) < 1.5
    leads = "from (from records select record_id, max(is_deleted) as is_deleted, "
    leads += "count(merged_into_id) as merges where record_type = 'lead' group by all)"
    merged, all_leads = dirty.rows(f"select count(*) filter (merges > 0), count(*) {leads}")[0]
    # Only leads that begin in the first stage and stay there for 20 minutes are entered twice.
    assert 0.4 < merged / (all_leads * 0.02) < 1.6


def test_offsets_are_those_of_the_regions_clocks(dirty: Extracts) -> None:
    """A wrong offset would move an event by hours without any error."""
    found = dirty.rows(
        """
        select distinct
            properties ->> 'region' as region,
            regexp_extract(occurred_at, '(Z|[+-][0-9:]{5})$') as shown,
            case
                when cast(occurred_at as timestamptz) < timestamptz '2025-10-26 01:00:00+00'
                    then 'summer'
                when cast(occurred_at as timestamptz) < timestamptz '2025-11-02 09:00:00+00'
                    then 'between'
                else 'winter'
            end as season
        from events
        where occurred_at between '2025-08' and '2025-12-31'
        """
    )
    assert set(found) == {
        ("AMER", "-07:00", "summer"),
        ("AMER", "-07:00", "between"),
        ("AMER", "-08:00", "winter"),
        ("EMEA", "+02:00", "summer"),
        ("EMEA", "+01:00", "between"),
        ("EMEA", "+01:00", "winter"),
        ("APAC", "Z", "summer"),
        ("APAC", "Z", "between"),
        ("APAC", "Z", "winter"),
    }


def test_the_hour_that_clocks_show_twice_has_events_of_both_offsets(dirty: Extracts) -> None:
    """Without them, a warehouse that drops offsets would not be found out."""
    shown = dirty.rows(
        """
        select distinct regexp_extract(occurred_at, '[+-][0-9:]{5}$')
        from events where occurred_at like '2025-10-26T02:%' and properties like '%"EMEA"%'
        """
    )
    assert set(shown) == {("+02:00",), ("+01:00",)}


def test_the_stage_is_renamed_on_the_day(dirty: Extracts) -> None:
    """The seeds' rules hold the old name until that day and the new one from it."""
    last, first = dirty.rows(
        """
        select
            max(changed_at) filter (stage = 'Proposal'),
            min(changed_at) filter (stage = 'Proposal and quote')
        from stage_changes
        """
    )[0]
    assert "2025-11-10" < last < "2025-11-16T00:00:00Z" <= first < "2025-11-23"


def test_leads_convert_to_opportunities_that_exist(dirty: Extracts) -> None:
    """A conversion into nowhere would cut the lifecycle between lead and deal."""
    converted, found = dirty.rows(
        """
        select count(distinct leads.record_id), count(distinct opportunities.record_id)
        from records as leads
        left join records as opportunities
            on leads.converted_record_id = opportunities.record_id
            and opportunities.record_type = 'opportunity'
        where leads.converted_record_id is not null
        """
    )[0]
    assert converted == found > 100


def test_merged_records_continue_as_a_record_that_exists(dirty: Extracts) -> None:
    """A survivor that is not there would lose the record altogether."""
    merged, found = dirty.rows(
        """
        select count(distinct twins.record_id), count(distinct survivors.record_id)
        from records as twins
        left join records as survivors on twins.merged_into_id = survivors.record_id
        where twins.merged_into_id is not null
        """
    )[0]
    assert merged == found > 0


def test_emails_link_the_web_and_the_crm(dirty: Extracts) -> None:
    """Without common addresses no person would be seen on both sides."""
    linked, requests = dirty.rows(
        """
        with requests as (
            select distinct properties ->> 'email' as email
            from events where event_name = 'demo_requested' and occurred_at < '2026'
        )
        select
            count(*) filter (
                email in (select lower(trim(contact_email)) from records)), count(*)
        from requests
        """
    )[0]
    assert requests > 100
    # Those of the last minutes become leads the day after the extracts end.
    assert linked >= requests - 3


def test_addresses_belong_to_nobody(dirty: Extracts) -> None:
    """An address outside the domain kept for examples might be somebody's."""
    domains = dirty.rows(
        """
        select distinct lower(trim(split_part(email, '@', 2))) from (
            select contact_email as email from records
            union all select email from contacts
            union all select properties ->> 'email' from events)
        where email is not null
        """
    )
    assert domains == [("example.com",)]


def test_nothing_is_delivered_before_it_happened(dirty: Extracts) -> None:
    """A row in the file of an earlier day would be quarantined, or move the as-of."""
    early = dirty.value(
        """
        with rows_ as (
            select cast(changed_at as timestamptz) as instant, filename from stage_changes
            union all select cast(changed_at as timestamptz), filename from field_changes
            union all select cast(updated_at || 'Z' as timestamptz), filename from records
            union all select cast(updated_at as timestamptz), filename from orders
            union all select cast(occurred_at as timestamptz), filename from activities
            union all select try_cast(occurred_at as timestamptz), filename from events
            where occurred_at < '2999'
        )
        select count(*) from rows_
        where instant >= 1 + cast(
            regexp_extract(filename, '([0-9]{4}-[0-9]{2}-[0-9]{2})[.]', 1) as date)
        """
    )
    assert early == 0


def test_every_region_sells_in_its_currencies(dirty: Extracts) -> None:
    """Amounts of one currency only would leave conversion untested."""
    found = dirty.rows("select distinct region, currency from records where currency is not null")
    assert set(found) == {
        ("AMER", "USD"),
        ("EMEA", "EUR"),
        ("EMEA", "GBP"),
        ("APAC", "CNY"),
    }


def test_weekends_are_quiet(dirty: Extracts) -> None:
    """Without weekends, calendars and weekly cohorts would show nothing."""
    weekend, working_day = dirty.rows(
        """
        select
            count(*) filter (isodow(received_at) > 5) / 2,
            count(*) filter (isodow(received_at) <= 5) / 5
        from events where event_name = 'session_start'
        """
    )[0]
    assert 0.35 < weekend / working_day < 0.75
