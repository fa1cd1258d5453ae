"""Rule 12 and the rows of deliveries: as-of, late and repeated rows, records without a history."""

from __future__ import annotations

from datetime import datetime

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

DEALS = "new\nqualify\nproposal\nwon won\nlost lost"

edge = case("as_of")
edge_funnel = edge.funnel("web", "visit\ncart\npaid won")
edge.events(
    "ann",
    "2024-12-31T10:00:00 visit\n2025-01-01T04:59:59.999999 cart\n2025-01-01T05:00:00 paid",
)
edge.events("bob", "2025-01-01T05:00:00 visit")


def test_a_run_knows_only_what_is_before_its_as_of(warehouse: Tables) -> None:
    """Prevents the first instant of the next day from counting in both days."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        edge_funnel,
        """
        subject_id  furthest_stage_id  outcome
        ann         cart               open
        """,
    )


late = case("late")
late_funnel = late.funnel("web", "visit\ncart\npaid won")
late.events("ann", "2024-02-01T10:00:00 cart", file="2024-02-01.csv")
late.events("ann", "2024-01-31T10:00:00 visit", file="2024-02-05.csv")


def test_late_rows_take_their_place_by_their_instant(warehouse: Tables) -> None:
    """Prevents the day of delivery from deciding what came first."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        late_funnel,
        """
        subject_id  entered_at        furthest_stage_id
        ann         2024-01-31T10:00  cart
        """,
    )


repeated = case("repeated_rows")
repeated_funnel = repeated.funnel("web", "visit\ncart\npaid won", collapse_repeats="false")
repeated.events("by_id", "2024-01-01T10:00:00 visit", event_id="repeated_rows.1")
repeated.events("by_id", "2024-01-01T10:00:00 visit", event_id="repeated_rows.1", file="again.csv")
# Truly twice in one file, and once more in the next: two.
repeated.events("without", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:00 visit", file="once.csv")
repeated.events("without", "2024-01-01T10:00:00 visit", file="again.csv")


def test_repeated_rows_count_as_often_as_the_file_that_has_most_of_them(
    warehouse: Tables,
) -> None:
    """Prevents a second delivery from doubling rows, and from hiding what truly happened twice."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        repeated_funnel,
        """
        subject_id  visit_number
        by_id       1
        without     1
        without     2
        """,
    )


history = case("history")
history_funnel = history.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
DATED = {"created_at": "2024-01-01T10:00:00", "closed_at": "2024-01-11T10:00:00"}
history.record("won", stage="won", **DATED)
history.record("lost", stage="lost", **DATED)
history.record("first", stage="new", created_at="2024-01-01T10:00:00")
history.record("half_dated", stage="proposal", created_at="2024-01-01T10:00:00")
history.record("lost_undated", stage="lost", created_at="2024-01-01T10:00:00")
history.record("won_undated", stage="won", created_at="2024-01-01T10:00:00")
history.record("undated", stage="proposal")
history.record("undated_first", stage="new")


def test_a_record_without_stage_changes_has_its_first_stage_and_its_close(
    warehouse: Tables,
) -> None:
    """Prevents sources without a history from having no funnel, or one that looks observed."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        history_funnel,
        """
        subject_id    visit_number  stage_id  entered_at        evidence  next_stage_id
        won           1             new       2024-01-01T10:00  imputed   won
        won           2             won       2024-01-11T10:00  observed  ended
        lost          1             new       2024-01-01T10:00  imputed   lost
        lost          2             lost      2024-01-11T10:00  observed  ended
        first         1             new       2024-01-01T10:00  imputed   still_there
        half_dated    1             new       2024-01-01T10:00  imputed   proposal
        lost_undated  1             new       2024-01-01T10:00  imputed   lost
        won_undated   1             new       2024-01-01T10:00  imputed   won
        """,
        where="entered_at is not null",
    )


def test_a_record_without_any_date_is_a_current_visit_in_cohort_all(warehouse: Tables) -> None:
    """Prevents undated deals from being lost, or from getting a made-up date."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        history_funnel,
        """
        subject_id     visit_number  stage_id  is_current  next_stage_id  seconds_in_stage
        half_dated     2             proposal  yes         still_there    -
        lost_undated   2             lost      yes         ended          -
        won_undated    2             won       yes         ended          -
        undated        1             proposal  yes         still_there    -
        undated_first  1             new       yes         still_there    -
        """,
        where="entered_at is null",
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        history_funnel,
        """
        subject_id     furthest_stage_id  outcome  entered_date  is_mature
        undated        proposal           open     -             no
        undated_first  new                open     -             no
        """,
        where="entered_at is null",
    )
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        history_funnel,
        """
        cohort_grain  reached
        all           8
        year          6
        quarter       6
        month         6
        week          6
        day           6
        """,
        where="segment_name = 'all' and stage_position = 1",
    )


def test_a_closed_stage_without_a_date_ends_the_journey(warehouse: Tables) -> None:
    """Prevents deals that were lost, nobody knows when, from standing in the pipeline for ever.

    A lost stage has no position, so that it cannot be told from the first one by its number.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        history_funnel,
        """
        subject_id    entered_at        outcome  ended_at
        lost_undated  2024-01-01T10:00  lost     -
        won_undated   2024-01-01T10:00  won      -
        """,
        where="outcome != 'open' and ended_at is null",
    )


begun = case("begun_before")
begun_funnel = begun.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
# Record, changed at, stage left, stage entered. The first change is not the first row.
for record_id, changed_at, previous_stage, stage in (
    ("told", "2024-01-08T10:00:00", "qualify", "won"),
    ("told", "2024-01-05T10:00:00", "new", "qualify"),
    ("passed_over", "2024-01-05T10:00:00", "qualify", "proposal"),
    ("first_untold", "2024-01-05T10:00:00", "", "qualify"),
    ("first_untold", "2024-01-08T10:00:00", "qualify", "proposal"),
    ("created_with_it", "2024-01-01T10:00:00", "new", "qualify"),
    ("created_after_it", "2023-12-31T10:00:00", "new", "qualify"),
    ("undated", "2024-01-05T10:00:00", "new", "qualify"),
):
    begun.deliver(
        "stage_changes",
        "cases.csv",
        {
            "record_id": begun.subject(record_id),
            "stage": stage,
            "previous_stage": previous_stage,
            "changed_at": changed_at,
        },
    )
for record_id in ("told", "passed_over", "first_untold", "created_with_it", "created_after_it"):
    begun.record(record_id, created_at="2024-01-01T10:00:00")
begun.record("undated")


def test_what_the_first_change_left_was_entered_at_the_creation(warehouse: Tables) -> None:
    """Prevents deals of sources whose histories begin late from missing their first stage.

    Where the first change does not tell what it left, or the record was not there before it,
    nothing is made up.
    """
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        begun_funnel,
        """
        subject_id        visit_number  stage_id  entered_at        evidence
        told              1             new       2024-01-01T10:00  imputed
        told              2             qualify   2024-01-05T10:00  observed
        told              3             won       2024-01-08T10:00  observed
        passed_over       1             qualify   2024-01-01T10:00  imputed
        passed_over       2             proposal  2024-01-05T10:00  observed
        first_untold      1             qualify   2024-01-05T10:00  observed
        first_untold      2             proposal  2024-01-08T10:00  observed
        created_with_it   1             qualify   2024-01-01T10:00  observed
        created_after_it  1             qualify   2023-12-31T10:00  observed
        undated           1             qualify   2024-01-05T10:00  observed
        """,
    )


snapshots = case("snapshots")
snapshots_funnel = snapshots.funnel(
    "deals", DEALS, subject_type="opportunity", order_mode="furthest"
)
for day, stages in {
    "2024-02-01": {"steady": "new", "moves": "new", "told": "new", "back": "lost"},
    "2024-03-01": {"steady": "new", "moves": "qualify", "told": "new", "back": "qualify"},
    "2024-04-01": {"steady": "new", "moves": "won", "told": "qualify", "back": "qualify"},
}.items():
    for name, stage in stages.items():
        snapshots.record(
            name,
            file=f"deals_{day}.csv",
            stage=stage,
            created_at="2024-01-10T10:00:00",
            updated_at=f"{day}T00:00:00",
            closed_at="2024-03-20T10:00:00" if stage == "won" else "",
        )
# A record with stage changes needs no snapshots.
snapshots.changes("told", "2024-01-10T10:00:00 new\n2024-03-25T10:00:00 qualify", has_record=False)


def test_successive_deliveries_of_another_stage_are_stage_changes(warehouse: Tables) -> None:
    """Prevents the history that only the deliveries show from being thrown away."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        snapshots_funnel,
        """
        subject_id  visit_number  stage_id  entered_at        evidence
        steady      1             new       2024-01-10T10:00  imputed
        moves       1             new       2024-01-10T10:00  imputed
        moves       2             qualify   2024-03-01T00:00  snapshot
        moves       3             won       2024-03-20T10:00  observed
        told        1             new       2024-01-10T10:00  observed
        told        2             qualify   2024-03-25T10:00  observed
        back        1             new       2024-01-10T10:00  imputed
        back        2             lost      2024-02-01T00:00  snapshot
        back        3             qualify   2024-03-01T00:00  snapshot
        """,
    )


nightly = case("nightly")
nightly_funnel = nightly.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
NIGHTS = {
    datetime(2024, 5, 1, 2): "new",
    datetime(2024, 6, 1, 2): "qualify",
    datetime(2024, 6, 2, 2): "qualify",
    datetime(2024, 7, 1, 2): "new",
}
for night, stage in NIGHTS.items():
    nightly.earlier_record(
        night, "deal", file="nightly.csv", stage=stage, created_at="2024-01-10T10:00:00"
    )
nightly.record("deal", file="nightly.csv", stage="new", created_at="2024-01-10T10:00:00")


def test_a_file_that_is_replaced_each_night_grows_a_history(warehouse: Tables) -> None:
    """Prevents content that was seen before from being taken for no delivery at all."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        nightly_funnel,
        """
        subject_id  visit_number  stage_id  entered_at        evidence
        deal        1             new       2024-01-10T10:00  imputed
        deal        2             qualify   2024-06-01T02:00  snapshot
        deal        3             new       2024-07-01T02:00  snapshot
        """,
    )


closes = case("closes")
closes_funnel = closes.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
OPENED = {"created_at": "2024-01-10T10:00:00"}
SAME_DAY = {"created_at": "2024-05-01"}
# What each of the nights above shows, the last one to the end.
SHOWN = {
    "dated_by_day": [
        {"stage": "qualify", **OPENED},
        *[{"stage": "lost", "closed_at": "2024-05-01", **OPENED}] * 3,
    ],
    "dated_back": [
        {"stage": "qualify", **OPENED},
        *[{"stage": "proposal", **OPENED}] * 2,
        {"stage": "won", "closed_at": "2024-04-20T10:00:00", **OPENED},
    ],
    "same_day": [
        {"stage": "qualify", **SAME_DAY},
        *[{"stage": "lost", "closed_at": "2024-05-01", **SAME_DAY}] * 3,
    ],
    "reopened": [
        {"stage": "lost", "closed_at": "2024-04-20", **OPENED},
        *[{"stage": "proposal", **OPENED}] * 3,
    ],
    "closed_again": [
        {"stage": "lost", "closed_at": "2024-04-20", **OPENED},
        *[{"stage": "qualify", **OPENED}] * 2,
        {"stage": "won", "closed_at": "2024-06-20T10:00:00", **OPENED},
    ],
}
for name, shown in SHOWN.items():
    for night, columns in zip(NIGHTS, shown, strict=True):
        closes.earlier_record(night, name, file="closes.csv", **columns)
    closes.record(name, file="closes.csv", **shown[-1])


def test_what_was_shown_after_a_close_came_before_it(warehouse: Tables) -> None:
    """Prevents closes that are dated by the day, or back, from being reopened by the night before.

    A delivery tells by when a stage was entered, and so does the close. What was entered after it
    in truth was shown by a delivery whose record is not closed that early any more.
    """
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        closes_funnel,
        """
        subject_id    visit_number  stage_id  entered_at        evidence  next_stage_id
        dated_by_day  1             new       2024-01-10T10:00  imputed   qualify
        dated_by_day  2             qualify   2024-05-01T00:00  snapshot  lost
        dated_by_day  3             lost      2024-05-01T00:00  observed  ended
        dated_back    1             new       2024-01-10T10:00  imputed   qualify
        dated_back    2             qualify   2024-04-20T10:00  snapshot  proposal
        dated_back    3             proposal  2024-04-20T10:00  snapshot  won
        dated_back    4             won       2024-04-20T10:00  observed  ended
        same_day      1             new       2024-05-01T00:00  imputed   qualify
        same_day      2             qualify   2024-05-01T00:00  snapshot  lost
        same_day      3             lost      2024-05-01T00:00  observed  ended
        reopened      1             new       2024-01-10T10:00  imputed   lost
        reopened      2             lost      2024-05-01T02:00  snapshot  proposal
        reopened      3             proposal  2024-06-01T02:00  snapshot  still_there
        closed_again  1             new       2024-01-10T10:00  imputed   lost
        closed_again  2             lost      2024-05-01T02:00  snapshot  qualify
        closed_again  3             qualify   2024-06-01T02:00  snapshot  won
        closed_again  4             won       2024-06-20T10:00  observed  ended
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        closes_funnel,
        """
        subject_id    furthest_stage_id  outcome  ended_at          result_hangs_on_tie
        dated_by_day  qualify            lost     2024-05-01T00:00  no
        dated_back    won                won      2024-04-20T10:00  no
        same_day      qualify            lost     2024-05-01T00:00  no
        reopened      proposal           open     -                 no
        closed_again  won                won      2024-06-20T10:00  no
        """,
    )


versions = case("versions")
versions_funnel = versions.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
versions.changes("newer_first", "2024-01-01T10:00:00 new", has_record=False)
versions.record(
    "newer_first",
    stage="new",
    amount="2",
    updated_at="2024-02-02T00:00:00",
    file="versions_2024-03-01.csv",
)
versions.record(
    "newer_first",
    stage="new",
    amount="1",
    updated_at="2024-02-01T00:00:00",
    file="versions_2024-03-02.csv",
)
versions.changes("by_delivery", "2024-01-01T10:00:00 new", has_record=False)
versions.record("by_delivery", stage="new", amount="1", file="versions_2024-03-01.csv")
versions.record("by_delivery", stage="new", amount="2", file="versions_2024-03-02.csv")


def test_the_latest_version_of_a_record_wins(warehouse: Tables) -> None:
    """Prevents an old version that is delivered late from overwriting a newer one."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        versions_funnel,
        """
        subject_id   amount
        newer_first  2
        by_delivery  2
        """,
    )
