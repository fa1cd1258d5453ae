"""The pipeline of each day and its waterfall: a hand-worked month, and random histories by days."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.semantics.cases import AS_OF, REPORTING_TIMEZONE, assert_rows, case
from tests.support.tables import Tables

month = case("pipeline_month")
month_funnel = month.funnel(
    "deals", "new\noffer\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
for day, rate in (("2024-01-01", "1.0"), ("2024-12-10", "1.5")):
    month.declare("exchange_rates", currency="CHF", valid_from=day, rate=rate)
month.declare(
    "deal_size_bands", funnel_id=month_funnel, band_name="small", amount_from="0", amount_below="50"
)
# For the tests of how deliveries are cut, every table has something that can be compared.
month.declare(
    "funnel_plan_targets",
    funnel_id=month_funnel,
    period_grain="month",
    period_date="2024-12-01",
    target_wins="3",
)
month.declare(
    "stage_targets",
    funnel_id=month_funnel,
    stage_id="won",
    period_grain="month",
    period_date="2024-12-01",
    target_deals="3",
    target_amount="500",
)
month.declare("what_if_steps", funnel_id=month_funnel, lever="entries", unit="percent", step="10")
month.declare(
    "win_back_measures",
    funnel_id=month_funnel,
    stage_id="offer",
    measure_name="call again",
    uplift="0.05",
    uplift_kind="points",
    tried_from="2024-12-10",
)


def _field_change(record_id: str, field: str, at: str, old: str, new: str) -> None:
    month.deliver(
        "field_changes",
        "cases.csv",
        {
            "record_id": month.subject(record_id),
            "field": field,
            "changed_at": at,
            "old_value": old,
            "new_value": new,
        },
    )


month.changes(
    "raised",
    "2024-12-02T15:00:00 new\n2024-12-10T15:00:00 won",
    amount="150",
    owner_id="ann",
    expected_close_date="2024-12-31",
)
_field_change("raised", "amount", "2024-12-05T15:00:00", "100", "150")
month.changes(
    "reopened",
    "2024-12-03T15:00:00 new\n2024-12-12T15:00:00 lost\n2024-12-14T15:00:00 offer",
    amount="40",
    currency="CHF",
    owner_id="ann",
    expected_close_date="2024-12-31",
)
month.changes(
    "pushed",
    "2024-12-04T15:00:00 new",
    amount="30",
    owner_id="bob",
    expected_close_date="2025-01-20",
    is_deleted="true",
    deleted_at="2024-12-15T15:00:00",
)
_field_change("pushed", "expected_close_date", "2024-12-08T15:00:00", "2024-12-20", "2025-01-20")
month.changes("unseen", "2024-12-04T15:00:00 won", amount="999", owner_id="bob")
month.changes("unpriced", "2024-12-16T15:00:00 new", owner_id="bob")
# Half past eleven on the evening of 30 December in New York.
month.changes("evening", "2024-12-31T04:30:00 new", amount="7", owner_id="cat")
_field_change("evening", "owner_id", "2024-12-31T15:00:00", "bob", "cat")
ALL = "segment_name = 'all'"


def test_every_change_of_a_deal_is_in_one_bucket(warehouse: Tables) -> None:
    """Prevents a waterfall that does not arrive, or that hides a rate's work among the sellers'."""
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        month_funnel,
        """
        movement_date  movement       moves  deals_change  amount_change  moves_without_amount
        2024-12-02     created        1      1             100            0
        2024-12-03     created        1      1             40             0
        2024-12-04     created        1      1             30             0
        2024-12-05     amount_raised  1      0             50             0
        2024-12-10     revalued       1      0             20             0
        2024-12-10     won            1      -1            -150           0
        2024-12-12     lost           1      -1            -60            0
        2024-12-14     reopened       1      1             60             0
        2024-12-15     deleted        1      -1            -30            0
        2024-12-16     created        1      1             0              1
        2024-12-30     created        1      1             7              0
        """,
        where=ALL,
    )


def test_what_leaves_one_month_joins_another(warehouse: Tables) -> None:
    """Prevents a pushed deal from counting in both months, in none, or as lost."""
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        month_funnel,
        """
        segment_value  movement_date  movement    deals_change  amount_change
        2024-12        2024-12-04     created     1             30
        2024-12        2024-12-08     pushed_out  -1            -30
        2025-01        2024-12-08     pulled_in   1             30
        2025-01        2024-12-15     deleted     -1            -30
        """,
        where="segment_name = 'close_month'"
        " and movement_date in ('2024-12-04', '2024-12-08', '2024-12-15')",
    )
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        month_funnel,
        """
        segment_value  movement_date  movement   deals_change  amount_change
        bob            2024-12-30     created    1             7
        bob            2024-12-31     moved_out  -1            -7
        cat            2024-12-31     moved_in   1             7
        """,
        where="segment_name = 'owner' and movement_date > '2024-12-29'",
    )


def test_a_day_tells_what_stood_at_its_end(warehouse: Tables) -> None:
    """Prevents days of another time zone, later values in earlier days, and zero for unknown."""
    assert_rows(
        warehouse,
        "marts.pipeline_daily",
        month_funnel,
        """
        snapshot_date  stage_id  open_deals  open_amount  deals_without_amount  deals_in  deals_out
        2024-12-04     new       3           170          0                     1         0
        2024-12-05     new       3           220          0                     0         0
        2024-12-10     new       2           90           0                     0         1
        2024-12-12     new       1           30           0                     0         1
        2024-12-14     new       1           30           0                     0         0
        2024-12-14     offer     1           60           0                     1         0
        2024-12-15     new       0           0            0                     0         1
        2024-12-16     new       1           0            1                     1         0
        2024-12-29     new       1           0            1                     0         0
        2024-12-31     new       2           7            1                     0         0
        2024-12-31     offer     1           60           0                     0         0
        """,
        where=f"{ALL} and (stage_id = 'new' or open_deals > 0) and snapshot_date in"
        " ('2024-12-04', '2024-12-05', '2024-12-10', '2024-12-12', '2024-12-14', '2024-12-15',"
        " '2024-12-16', '2024-12-29', '2024-12-31')"
        " and (stage_id = 'new' or snapshot_date in ('2024-12-14', '2024-12-31'))",
    )


def test_what_an_amount_is_in_follows_the_amount(warehouse: Tables) -> None:
    """Prevents a deal from staying among the small ones after a rate has made it larger."""
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        month_funnel,
        """
        segment_value  movement   deals_change  amount_change
        small          moved_out  -1            -40
        (missing)      moved_in   1             60
        """,
        where="segment_name = 'deal_size' and movement_date = '2024-12-10' and movement != 'won'",
    )


def test_days_of_random_histories_are_what_the_visits_say(warehouse: Tables) -> None:
    """Prevents counting by changes from drifting away from looking at each day anew."""
    zone = ZoneInfo(REPORTING_TIMEZONE)
    last_day = (AS_OF - timedelta(microseconds=1)).replace(tzinfo=ZoneInfo("UTC"))
    days = [last_day.astimezone(zone).date() - timedelta(days=back) for back in range(0, 400, 3)]
    visits = warehouse.query(
        """
        select
            funnel_id, subject_id, stage_id, stage_kind,
            coalesce(entered_at, max(entered_at) over by_deal) as entered_at
        from core.fct_stage_visits
        inner join core.dim_funnels using (funnel_id)
        where subject_type = 'opportunity' and order_mode = 'furthest'
        window by_deal as (partition by funnel_id, subject_id)
        qualify max(entered_at) over by_deal is not null
            and bool_and(entered_at is not null or stage_kind = 'open') over by_deal
        order by funnel_id, subject_id, visit_number
        """
    )
    deleted = {
        (funnel_id, deal_id)
        for funnel_id, deal_id in warehouse.query(
            "select funnel_id, deal_id from intermediate.int_deal_visits"
            " where deleted_at is not null"
        )
    }
    funnels_of_deleted = {funnel_id for funnel_id, _ in deleted}
    expected: Counter[tuple[str, date, str]] = Counter()
    for day in days:
        end = datetime.combine(day + timedelta(days=1), time(), zone)
        end = end.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
        present = {
            (funnel_id, deal_id): (stage_id, stage_kind)
            for funnel_id, deal_id, stage_id, stage_kind, entered_at in visits
            if entered_at < end
        }
        for (funnel_id, _), (stage_id, stage_kind) in present.items():
            if stage_kind == "open" and funnel_id not in funnels_of_deleted:
                expected[funnel_id, day, stage_id] += 1
    found = {
        (funnel_id, day, stage_id): open_deals
        for funnel_id, day, stage_id, open_deals in warehouse.query(
            "select funnel_id, snapshot_date, stage_id, open_deals from marts.pipeline_daily"
            " where segment_name = 'all' and open_deals > 0"
        )
        if day in set(days) and funnel_id not in funnels_of_deleted
    }
    assert len(expected) > 500
    assert found == dict(expected)


memory = case("pipeline_memory")
memory_funnel = memory.funnel(
    "deals", "new\noffer\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
for taken_at, stage_id in (("entry", ""), ("stage", "offer"), ("first", ""), ("last", "")):
    memory.declare(
        "segments",
        segment_name=f"place_{taken_at}",
        subject_type="opportunity",
        attribute="place",
        taken_at=taken_at,
        stage_id=stage_id,
        funnel_id=memory_funnel,
    )


def _remembers(record_id: str, field: str, at: str, old: str, new: str) -> None:
    memory.deliver(
        "field_changes",
        "cases.csv",
        {
            "record_id": memory.subject(record_id),
            "field": field,
            "changed_at": at,
            "old_value": old,
            "new_value": new,
        },
    )


memory.changes("survivor", "2024-12-02T15:00:00 new", amount="80", place="East")
_remembers("survivor", "amount", "2024-12-06T15:00:00", "50", "80")
memory.changes(
    "copy", "2024-12-03T15:00:00 new", amount="999", merged_into_id="survivor", place="East"
)
_remembers("copy", "amount", "2024-12-10T15:00:00", "500", "999")
# Nobody tells of changes of this one, but each delivery shows another amount.
for day, amount in (("2024-12-04", "10"), ("2024-12-08", "25"), ("2024-12-12", "20")):
    memory.record(
        "shown",
        file=f"deals_{day}.csv",
        stage="new",
        amount=amount,
        owner_id="ann",
        place="East",
        created_at="2024-12-04T15:00:00",
        updated_at=f"{day}T15:00:00",
    )
# Of this one, the changes of stage show it.
memory.record("staged", stage="offer", amount="9", owner_id="bob", place="East")
for at, stage, amount, owner in (
    ("2024-12-05T15:00:00", "new", "7", "ann"),
    ("2024-12-09T15:00:00", "offer", "9", "bob"),
):
    memory.deliver(
        "stage_changes",
        "told.csv",
        {
            "record_id": memory.subject("staged"),
            "stage": stage,
            "changed_at": at,
            "amount": amount,
            "owner_id": owner,
        },
    )
memory.changes(
    "moving",
    "2024-12-14T15:00:00 new\n2024-12-18T15:00:00 offer\n2024-12-24T15:00:00 lost",
    amount="3",
    place="South",
)
_remembers("moving", "place", "2024-12-16T15:00:00", "", "North")
_remembers("moving", "place", "2024-12-20T15:00:00", "North", "South")


def test_a_deal_had_the_amount_that_its_own_record_shows_of_then(warehouse: Tables) -> None:
    """Prevents a merged record's amount in its survivor's days, and today's in those of snapshots.

    The survivor is worth 50, then 80, whatever its copy was; deliveries show 10, 25 and 20; the
    changes of stage show 7 and 9.
    """
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        memory_funnel,
        """
        movement_date  movement       deals_change  amount_change
        2024-12-02     created        1             50
        2024-12-04     created        1             10
        2024-12-05     created        1             7
        2024-12-06     amount_raised  0             30
        2024-12-08     amount_raised  0             15
        2024-12-09     amount_raised  0             2
        2024-12-12     amount_cut     0             -5
        """,
        where=f"{ALL} and movement_date < '2024-12-14'",
    )
    assert_rows(
        warehouse,
        "marts.pipeline_movements",
        memory_funnel,
        """
        segment_value  movement_date  movement   deals_change  amount_change
        ann            2024-12-05     created    1             7
        ann            2024-12-09     moved_out  -1            -7
        bob            2024-12-09     moved_in   1             9
        """,
        where="segment_name = 'owner' and movement_date in ('2024-12-05', '2024-12-09')",
    )


def test_a_deal_stands_in_the_segment_that_was_known_then(warehouse: Tables) -> None:
    """Prevents a day from showing a deal under a value that only a later day told.

    Without a place at first, in the North from the 16th, an offer from the 18th, in the South from
    the 20th. The 100 of two deals in the East that never had an offer have no place at it either.
    """
    assert_rows(
        warehouse,
        "marts.pipeline_daily",
        memory_funnel,
        """
        segment_name  segment_value  snapshot_date  open_amount
        place_entry   (missing)      2024-12-15     3
        place_entry   (missing)      2024-12-17     3
        place_entry   (missing)      2024-12-19     3
        place_entry   (missing)      2024-12-21     3
        place_first   (missing)      2024-12-15     3
        place_first   North          2024-12-17     3
        place_first   North          2024-12-19     3
        place_first   North          2024-12-21     3
        place_last    (missing)      2024-12-15     3
        place_last    North          2024-12-17     3
        place_last    North          2024-12-19     3
        place_last    South          2024-12-21     3
        place_stage   (missing)      2024-12-15     103
        place_stage   (missing)      2024-12-17     103
        place_stage   North          2024-12-19     3
        place_stage   North          2024-12-21     3
        """,
        where="open_amount in (3, 103) and segment_name like 'place%'"
        " and snapshot_date in ('2024-12-15', '2024-12-17', '2024-12-19', '2024-12-21')",
    )
