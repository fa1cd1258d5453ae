"""Rule 5, the outcome: won, lost, abandoned or open, for records and for events."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

DEALS = "new\nqualify\nproposal\nwon won\nlost lost"

reopened = case("reopened")
reopened_funnel = reopened.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
reopened.changes("won", "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 won")
reopened.changes("lost", "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 lost")
reopened.changes("open", "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 qualify")
reopened.changes(
    "back", "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 lost\n2024-01-04T10:00:00 qualify"
)
reopened.changes(
    "undone",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 qualify
    2024-01-03T10:00:00 won
    2024-01-04T10:00:00 qualify
    """,
)
reopened.changes(
    "undone_lost",
    """
    2024-01-01T10:00:00 new
    2024-01-03T10:00:00 won
    2024-01-04T10:00:00 qualify
    2024-01-05T10:00:00 lost
    """,
)
reopened.changes(
    "won_then_lost",
    "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 won\n2024-01-04T10:00:00 lost",
)
reopened.changes(
    "lost_then_won",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 lost
    2024-01-03T10:00:00 proposal
    2024-01-05T10:00:00 won
    """,
)
reopened.changes("straight_lost", "2024-01-02T10:00:00 lost")
reopened.changes("straight_won", "2024-01-02T10:00:00 won")


def test_the_outcome_of_a_record_is_its_last_closed_stage_unless_reopened(
    warehouse: Tables,
) -> None:
    """Prevents a reopened deal from staying closed, and an undone win from being forgotten."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        reopened_funnel,
        """
        subject_id     outcome  was_won  furthest_stage_id  ended_at          seconds_to_outcome
        won            won      yes      won                2024-01-03T10:00  172800
        lost           lost     no       new                2024-01-03T10:00  172800
        open           open     no       qualify            -                 -
        back           open     no       qualify            -                 -
        undone         open     yes      qualify            -                 -
        undone_lost    lost     yes      qualify            2024-01-05T10:00  345600
        won_then_lost  lost     yes      new                2024-01-04T10:00  259200
        lost_then_won  won      yes      won                2024-01-05T10:00  345600
        straight_lost  lost     no       new                2024-01-02T10:00  0
        straight_won   won      yes      won                2024-01-02T10:00  0
        """,
    )


def test_the_first_stage_is_imputed_where_a_record_went_straight_to_lost(
    warehouse: Tables,
) -> None:
    """Prevents deals that were lost at once from dropping out of the funnel's first number."""
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        reopened_funnel,
        """
        subject_id     stage_position  stage_id  evidence
        straight_lost  1               new       imputed
        straight_won   1               new       imputed
        straight_won   2               qualify   imputed
        straight_won   3               proposal  imputed
        straight_won   4               won       observed
        """,
        where="subject_id in ('reopened.straight_lost', 'reopened.straight_won')",
    )


closing = case("closing")
closing_funnel = closing.funnel(
    "deals", DEALS, subject_type="opportunity", order_mode="furthest", collapse_repeats="true"
)
closing.changes(
    "rewritten",
    "2024-01-01T10:00:00 new\n2024-01-03T10:00:00 won\n2024-01-08T10:00:00 won",
)


def test_rows_that_repeat_a_closed_stage_do_not_move_the_close(warehouse: Tables) -> None:
    """Prevents a later edit of a closed deal from making its cycle longer."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        closing_funnel,
        """
        subject_id  outcome  ended_at          seconds_to_outcome
        rewritten   won      2024-01-03T10:00  172800
        """,
    )


web = case("web_outcomes")
web_funnel = web.funnel(
    "web", "visit\ncart\npaid won\nrepeated won\nbounced lost", window=hours(24)
)
web.events("won", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart\n2024-01-01T12:00:00 paid")
web.events(
    "refunded",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T11:00:00 cart
    2024-01-01T12:00:00 paid
    2024-01-01T13:00:00 bounced
    """,
)
web.events(
    "extended",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T11:00:00 cart
    2024-01-01T12:00:00 paid
    2024-01-01T14:00:00 repeated
    """,
)
web.events("lost", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 bounced")
web.events(
    "lost_then_won",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:30:00 bounced
    2024-01-01T11:00:00 cart
    2024-01-01T12:00:00 paid
    """,
)
web.events("lost_before", "2024-01-01T09:00:00 bounced\n2024-01-01T10:00:00 visit")
web.events("abandoned", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart")
# The run knows what is before 05:00 on 1 January 2025.
web.events("just_over", "2024-12-31T04:59:59.999999 visit")
web.events("just_open", "2024-12-31T05:00:00 visit")
web.events(
    "paid_too_late", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 cart\n2024-01-03T10:00:00 paid"
)


def test_the_outcome_of_events(warehouse: Tables) -> None:
    """Prevents a win from being undone, and a subject from being given up before its time."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        web_funnel,
        """
        subject_id     outcome    furthest_stage_id  ended_at
        won            won        paid               2024-01-01T12:00
        refunded       won        paid               2024-01-01T12:00
        extended       won        repeated           2024-01-01T12:00
        lost           lost       visit              2024-01-01T11:00
        lost_then_won  won        paid               2024-01-01T12:00
        lost_before    abandoned  visit              2024-01-02T10:00
        abandoned      abandoned  cart               2024-01-02T10:00
        just_over      abandoned  visit              2025-01-01T04:59:59.999999
        just_open      open       visit              -
        paid_too_late  abandoned  cart               2024-01-02T10:00
        """,
    )


first_win = case("first_win")
first_win_funnels = [
    first_win.funnel(
        count_by,
        "visit\ntrial optional won\npaid won",
        order_mode="any",
        entry_policy="first",
        count_by=count_by,
    )
    for count_by in ("subject", "journey")
]
# Whoever has paid needs no trial.
first_win.events(
    "trial_later",
    "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 paid\n2024-01-01T15:00:00 trial",
)
first_win.events(
    "trial_first",
    "2024-01-01T10:00:00 trial\n2024-01-01T11:00:00 visit\n2024-01-01T15:00:00 paid",
)


def test_in_any_order_the_first_win_that_is_complete_ends_a_journey(warehouse: Tables) -> None:
    """Prevents a win from being put off by a won stage below it, which it does not need."""
    for funnel_id in first_win_funnels:
        assert_rows(
            warehouse,
            "core.fct_journeys",
            funnel_id,
            """
            subject_id   furthest_stage_id  outcome  entered_at        ended_at
            trial_later  paid               won      2024-01-01T10:00  2024-01-01T11:00
            trial_first  paid               won      2024-01-01T10:00  2024-01-01T11:00
            """,
        )


undated = case("undated_stages")
undated_accounts = undated.funnel(
    "accounts",
    DEALS,
    subject_type="account",
    order_mode="furthest",
    rules=[
        {"stage_id": stage, "match_value": stage, "rule_type": "opportunity_stage"}
        for stage in ("new", "qualify", "proposal", "won", "lost")
    ],
)
undated_funnel = undated.funnel("deals", DEALS, subject_type="opportunity", order_mode="furthest")
undated.record("later", record_type="opportunity", stage="won", created_at="2024-01-01T10:00:00")
undated.record("lost", record_type="opportunity", stage="lost", created_at="2024-01-01T10:00:00")
undated.record(
    "nowhere", record_type="opportunity", stage="lost", account_id="undated_stages.dropped"
)


def test_stages_passed_over_before_an_undated_one_are_undated(warehouse: Tables) -> None:
    """Prevents a deal from running through stages on the day it was created, as nobody knows when.

    The stage of `later` is no older than its record, and what lies between is undated like it.
    """
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        undated_funnel,
        """
        subject_id  stage_id  evidence  reached_at
        later       new       imputed   2024-01-01T10:00
        later       qualify   imputed   -
        later       proposal  imputed   -
        later       won       observed  -
        lost        new       imputed   2024-01-01T10:00
        nowhere     new       imputed   -
        """,
    )


def test_a_loss_without_a_date_is_a_loss(warehouse: Tables) -> None:
    """Prevents an account from staying open for ever that its only deal says is lost."""
    for funnel_id in (undated_funnel, undated_accounts):
        found = warehouse.query(
            "select outcome, was_won, ended_at, visits.next_stage_id"
            " from core.fct_journeys as journeys"
            " inner join core.fct_stage_visits as visits using (funnel_id, subject_id)"
            " where funnel_id = ? and journeys.entered_at is null",
            [funnel_id],
        )
        assert found == [("lost", False, None, "ended")], funnel_id


leads = case("leads")
leads_funnel = leads.funnel(
    "leads",
    "new\nworking\nconverted won\ndisqualified lost",
    subject_type="lead",
    order_mode="furthest",
)
leads_deals = leads.funnel(
    "deals", "open\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
leads.changes(
    "lead",
    "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 working\n2024-01-03T10:00:00 converted",
    record_type="lead",
    converted_record_id="deal",
)
leads.changes("deal", "2024-01-03T10:00:00 open\n2024-01-05T10:00:00 won")
leads.changes(
    "again",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 disqualified
    2024-01-09T10:00:00 working
    """,
    record_type="lead",
)


def test_a_converted_lead_and_its_opportunity_count_once_in_their_own_funnels(
    warehouse: Tables,
) -> None:
    """Prevents a conversion from being counted in both funnels, or in none."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        leads_funnel,
        """
        subject_id  outcome  furthest_stage_id
        lead        won      converted
        again       open     working
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        leads_deals,
        """
        subject_id  outcome  furthest_stage_id
        deal        won      won
        """,
    )
