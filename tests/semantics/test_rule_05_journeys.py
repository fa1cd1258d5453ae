"""Rule 5: how far a subject gets, in each order mode and under each entry policy."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

WEB = "visit\ncart\npaid won"

furthest = case("furthest")
furthest_funnel = furthest.funnel(
    "deals",
    "new\nqualify\nproposal\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
)
furthest.changes("skips", "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 proposal")
furthest.changes(
    "back", "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 proposal\n2024-01-03T10:00:00 qualify"
)
furthest.changes("late_start", "2024-01-01T10:00:00 proposal\n2024-01-02T10:00:00 new")
furthest.changes("straight", "2024-01-01T10:00:00 new\n2024-01-05T10:00:00 won")


def test_furthest_takes_the_highest_stage_visited(warehouse: Tables) -> None:
    """Prevents a skipped stage from holding a deal back, and a step back from undoing one."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        furthest_funnel,
        """
        subject_id  journey_number  entry_stage_id  furthest_stage_id  outcome  entered_at
        skips       1               new             proposal           open     2024-01-01T10:00
        back        1               new             proposal           open     2024-01-01T10:00
        late_start  1               proposal        proposal           open     2024-01-01T10:00
        straight    1               new             won                won      2024-01-01T10:00
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        furthest_funnel,
        """
        subject_id  stage_position  stage_id  evidence
        skips       1               new       observed
        skips       2               qualify   imputed
        skips       3               proposal  observed
        back        1               new       observed
        back        2               qualify   observed
        back        3               proposal  observed
        late_start  1               new       observed
        late_start  2               qualify   imputed
        late_start  3               proposal  observed
        straight    1               new       observed
        straight    2               qualify   imputed
        straight    3               proposal  imputed
        straight    4               won       observed
        """,
    )


ordered = case("ordered")
ordered_funnel = ordered.funnel("web", WEB)
ordered.events("skips", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 paid")
ordered.events(
    "detour",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 search
    2024-01-01T10:02:00 paid
    2024-01-01T10:03:00 cart
    2024-01-01T10:04:00 visit
    2024-01-01T10:05:00 paid
    """,
)
ordered.events("backwards", "2024-01-01T10:00:00 cart\n2024-01-01T10:05:00 visit")
ordered.events("no_entry", "2024-01-01T10:00:00 cart\n2024-01-01T10:05:00 paid")


def test_ordered_needs_each_stage_after_the_one_before(warehouse: Tables) -> None:
    """Prevents stages out of order, or a skipped one, from counting; anything may lie between."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        ordered_funnel,
        """
        subject_id  entered_at        furthest_stage_id  outcome  ended_at
        skips       2024-01-01T10:00  visit              open     -
        detour      2024-01-01T10:00  paid               won      2024-01-01T10:05
        backwards   2024-01-01T10:05  visit              open     -
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        ordered_funnel,
        """
        stage_id  reached_at
        visit     2024-01-01T10:00
        cart      2024-01-01T10:03
        paid      2024-01-01T10:05
        """,
        where="subject_id = 'ordered.detour'",
    )


windows = case("windows")
windows_best = windows.funnel("best", WEB, window=hours(1), entry_policy="best")
windows_first = windows.funnel("first", WEB, window=hours(1), entry_policy="first")
windows.events(
    "edge", "2024-01-01T10:00:00 visit\n2024-01-01T10:30:00 cart\n2024-01-01T11:00:00 paid"
)
windows.events(
    "beyond",
    "2024-01-01T10:00:00 visit\n2024-01-01T10:30:00 cart\n2024-01-01T11:00:00.000001 paid",
)
# Each step is within an hour of the one before, but the window is that of the entry.
windows.events(
    "slow", "2024-01-01T10:00:00 visit\n2024-01-01T10:50:00 cart\n2024-01-01T11:40:00 paid"
)
windows.events(
    "again",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T12:00:00 visit
    2024-01-01T12:10:00 cart
    2024-01-01T12:20:00 paid
    """,
)
windows.events(
    "same_twice",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:10:00 cart
    2024-01-01T12:00:00 visit
    2024-01-01T12:01:00 cart
    """,
)
windows.events(
    "two_starts", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 visit\n2024-01-01T10:10:00 cart"
)


def test_the_window_is_that_of_the_entry_and_its_end_is_inside(warehouse: Tables) -> None:
    """Prevents windows that slide from step to step, or that lose their last instant."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        windows_best,
        """
        subject_id  entered_at        furthest_stage_id  outcome    ended_at
        edge        2024-01-01T10:00  paid               won        2024-01-01T11:00
        beyond      2024-01-01T10:00  cart               abandoned  2024-01-01T11:00
        slow        2024-01-01T10:00  cart               abandoned  2024-01-01T11:00
        again       2024-01-01T12:00  paid               won        2024-01-01T12:20
        same_twice  2024-01-01T10:00  cart               abandoned  2024-01-01T11:00
        two_starts  2024-01-01T10:00  cart               abandoned  2024-01-01T11:00
        """,
    )


def test_only_the_first_entry_may_start_under_first(warehouse: Tables) -> None:
    """Prevents a later and luckier attempt from counting where the first one is asked for."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        windows_first,
        """
        subject_id  entered_at        furthest_stage_id  outcome
        edge        2024-01-01T10:00  paid               won
        beyond      2024-01-01T10:00  cart               abandoned
        slow        2024-01-01T10:00  cart               abandoned
        again       2024-01-01T10:00  visit              abandoned
        same_twice  2024-01-01T10:00  cart               abandoned
        two_starts  2024-01-01T10:00  cart               abandoned
        """,
    )


longest = case("longest")
longest_funnel = longest.funnel("web", "visit\nsearch optional\ncart\npaid won", window=hours(1))
longest.events(
    "most",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:10:00 cart
    2024-01-01T12:00:00 visit
    2024-01-01T12:10:00 search
    2024-01-01T12:20:00 cart
    """,
)
longest.events(
    "highest",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:05:00 search
    2024-01-01T10:10:00 cart
    2024-01-01T12:00:00 visit
    2024-01-01T12:10:00 cart
    2024-01-01T12:20:00 paid
    """,
)


def test_best_is_highest_then_most_stages_then_earliest(warehouse: Tables) -> None:
    """Prevents the choice among chains from being an accident: height goes before number."""
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        longest_funnel,
        """
        subject_id  stage_id  evidence  reached_at
        most        visit     observed  2024-01-01T12:00
        most        search    observed  2024-01-01T12:10
        most        cart      observed  2024-01-01T12:20
        highest     visit     observed  2024-01-01T12:00
        highest     search    imputed   2024-01-01T12:10
        highest     cart      observed  2024-01-01T12:10
        highest     paid      observed  2024-01-01T12:20
        """,
    )


strict = case("strict")
strict_collapsed = strict.funnel("collapsed", WEB, order_mode="strict", collapse_repeats="true")
strict_each_one = strict.funnel("each_one", WEB, order_mode="strict", collapse_repeats="false")
strict.events("clean", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 cart")
strict.events(
    "unknown", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 help\n2024-01-01T10:02:00 cart"
)
strict.events(
    "known", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 paid\n2024-01-01T10:02:00 cart"
)
strict.events(
    "repeated",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 cart
    2024-01-01T10:02:00 cart
    2024-01-01T10:03:00 paid
    """,
)
strict.events(
    "restarts",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 help
    2024-01-01T10:02:00 visit
    2024-01-01T10:03:00 cart
    2024-01-01T10:04:00 paid
    """,
)


def test_strict_breaks_at_any_other_event(warehouse: Tables) -> None:
    """Prevents a detour, to a stage or to what no rule knows, from passing as a straight way."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        strict_collapsed,
        """
        subject_id  entered_at        furthest_stage_id  outcome
        clean       2024-01-01T10:00  cart               open
        unknown     2024-01-01T10:00  visit              open
        known       2024-01-01T10:00  visit              open
        repeated    2024-01-01T10:00  paid               won
        restarts    2024-01-01T10:02  paid               won
        """,
    )


def test_strict_breaks_at_repeats_unless_they_are_collapsed(warehouse: Tables) -> None:
    """Prevents a repeated step from passing where each entry counts."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        strict_each_one,
        """
        subject_id  entered_at        furthest_stage_id  outcome
        clean       2024-01-01T10:00  cart               open
        unknown     2024-01-01T10:00  visit              open
        known       2024-01-01T10:00  visit              open
        repeated    2024-01-01T10:00  cart               open
        restarts    2024-01-01T10:02  paid               won
        """,
    )


anyway = case("anyway")
any_ladder = "profile\ninvite\ndata\npaid won"
any_funnel = anyway.funnel("setup", any_ladder, order_mode="any", window=hours(1))
any_first = anyway.funnel(
    "first", any_ladder, order_mode="any", window=hours(1), entry_policy="first"
)
anyway.events(
    "reversed", "2024-01-01T10:00:00 data\n2024-01-01T10:20:00 invite\n2024-01-01T11:00:00 profile"
)
anyway.events("gap", "2024-01-01T10:00:00 profile\n2024-01-01T10:05:00 data")
anyway.events(
    "too_late",
    "2024-01-01T10:00:00 invite\n2024-01-01T10:30:00 data\n2024-01-01T11:00:00.000001 profile",
)
anyway.events("no_first", "2024-01-01T10:00:00 invite\n2024-01-01T10:30:00 data")
anyway.events(
    "later",
    "2024-01-01T10:00:00 profile\n2024-01-01T12:00:00 invite\n2024-01-01T12:10:00 profile",
)


def test_any_counts_stages_in_whatever_order_within_one_window(warehouse: Tables) -> None:
    """Prevents an order from being asked for, and a missing stage from being made up.

    A stage counts from when those before it are there too: all of `reversed` with its profile.

    Of `too_late` the first three stages span more than the window; the first two do not hang
    together either, so it has its profile alone. `later` does best in its second window.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        any_funnel,
        """
        subject_id  entered_at                  furthest_stage_id  furthest_stage_position
        reversed    2024-01-01T10:00            data               3
        gap         2024-01-01T10:00            profile            1
        too_late    2024-01-01T11:00:00.000001  profile            1
        later       2024-01-01T12:00            invite             2
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        any_funnel,
        """
        subject_id  stage_id  evidence  reached_at                  counted_at
        reversed    profile   observed  2024-01-01T11:00            2024-01-01T11:00
        reversed    invite    observed  2024-01-01T10:20            2024-01-01T11:00
        reversed    data      observed  2024-01-01T10:00            2024-01-01T11:00
        gap         profile   observed  2024-01-01T10:00            2024-01-01T10:00
        too_late    profile   observed  2024-01-01T11:00:00.000001  2024-01-01T11:00:00.000001
        later       profile   observed  2024-01-01T12:10            2024-01-01T12:10
        later       invite    observed  2024-01-01T12:00            2024-01-01T12:10
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        any_first,
        """
        subject_id  entered_at        furthest_stage_id
        reversed    2024-01-01T10:00  data
        gap         2024-01-01T10:00  profile
        later       2024-01-01T10:00  profile
        """,
        where="subject_id <> 'anyway.too_late'",
    )


optional = case("optional")
optional_funnel = optional.funnel("web", "visit\nsignup optional\ncart\npaid won")
optional.events("passes", "2024-01-01T10:00:00 visit\n2024-01-01T10:02:00 cart")
optional.events(
    "takes", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 signup\n2024-01-01T10:02:00 cart"
)
optional.events("required", "2024-01-01T10:00:00 visit\n2024-01-01T10:02:00 paid")
optional.events("starts", "2024-01-01T09:59:00 signup\n2024-01-01T10:00:00 visit")
optional_start = optional.funnel("start", "signup optional\nvisit\npaid won")


def test_optional_stages_may_be_passed_over(warehouse: Tables) -> None:
    """Prevents an optional step from being asked for, or a required one from being waived."""
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        optional_funnel,
        """
        subject_id  stage_id  evidence
        passes      visit     observed
        passes      signup    imputed
        passes      cart      observed
        takes       visit     observed
        takes       signup    observed
        takes       cart      observed
        required    visit     observed
        starts      visit     observed
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        optional_start,
        """
        subject_id  entry_stage_id  furthest_stage_id  entered_at
        passes      visit           visit              2024-01-01T10:00
        takes       visit           visit              2024-01-01T10:00
        required    visit           paid               2024-01-01T10:00
        starts      signup          visit              2024-01-01T09:59
        """,
    )


double = case("double")
double_ladder = "one optional\ntwo optional\nthree won"
double_rules = [{"stage_id": stage, "match_value": "page"} for stage in ("one", "two")]
double_funnels = [
    double.funnel(mode, double_ladder, order_mode=mode, rules=double_rules)
    for mode in ("ordered", "strict", "any")
]
DOUBLES = 40
for number in range(DOUBLES):
    double.events(f"{number:02}", "2024-01-01T10:00:00 page\n2024-01-01T10:01:00 three")


def test_an_event_serves_the_lowest_of_the_stages_that_are_as_good(warehouse: Tables) -> None:
    """Prevents two builds of the same data from telling two stories, as no order was total."""
    for funnel_id in double_funnels:
        found = warehouse.query(
            "select entry_stage_id, furthest_stage_id, count(*) from core.fct_journeys"
            " where funnel_id = ? group by all",
            [funnel_id],
        )
        assert found == [("one", "three", DOUBLES)], funnel_id


exclusions = case("exclusions")
exclusions_funnel = exclusions.funnel(
    "web", WEB, window=hours(1), exclusions=[("visit", "cart", "logout")]
)
exclusions.events(
    "between", "2024-01-01T10:00:00 visit\n2024-01-01T10:01:00 logout\n2024-01-01T10:02:00 cart"
)
exclusions.events(
    "outside",
    """
    2024-01-01T09:59:00 logout
    2024-01-01T10:00:00 visit
    2024-01-01T10:02:00 cart
    2024-01-01T10:03:00 logout
    2024-01-01T10:04:00 paid
    """,
)
exclusions.events("never_second", "2024-01-01T10:00:00 visit\n2024-01-01T10:30:00 logout")
exclusions.events("edge", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 logout")
exclusions.events("past_window", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00.000001 logout")
# The longer chain is void, the shorter one counts.
exclusions.events(
    "spared",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T10:02:00 cart
    2024-01-01T10:03:00 paid
    2024-01-01T12:00:00 visit
    2024-01-01T12:01:00 cart
    """,
)
# The second visit leads on from after the logout.
exclusions.events(
    "returns",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T10:02:00 visit
    2024-01-01T10:03:00 cart
    """,
)


def test_an_exclusion_voids_chains_before_the_best_is_chosen(warehouse: Tables) -> None:
    """Prevents excluded subjects from counting as drop-outs, and void chains from hiding others."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        exclusions_funnel,
        """
        subject_id   entered_at        furthest_stage_id  outcome
        outside      2024-01-01T10:00  paid               won
        past_window  2024-01-01T10:00  visit              abandoned
        spared       2024-01-01T12:00  cart               abandoned
        returns      2024-01-01T10:02  cart               abandoned
        """,
    )


def test_excluded_subjects_are_counted(warehouse: Tables) -> None:
    """Prevents subjects from vanishing without a number: here between, never_second and edge."""
    counted = warehouse.query(
        "select measure, counted from core.control_totals where scope_type = 'funnel'"
        " and scope = ? and measure like 'subjects%' and counted > 0 order by measure",
        [exclusions_funnel],
    )
    assert counted == [
        ("subjects_excluded", 3),
        ("subjects_with_journeys", 4),
    ]


def test_the_exclusion_that_left_a_subject_nothing_is_named(warehouse: Tables) -> None:
    """Prevents journeys from being excluded without a word by what; `spared` is not excluded."""
    assert_rows(
        warehouse,
        "core.fct_journey_exclusions",
        exclusions_funnel,
        """
        subject_id    excluded_journey_number  after_stage_id  entered_at        excluded_at
        between       1                        visit           2024-01-01T10:00  2024-01-01T10:01
        never_second  1                        visit           2024-01-01T10:00  2024-01-01T10:30
        edge          1                        visit           2024-01-01T10:00  2024-01-01T11:00
        """,
    )
    counted = warehouse.query(
        "select measure, counted from core.control_totals where scope_type = 'exclusion'"
        " and scope = ? order by measure",
        [f"{exclusions_funnel}: exclusions/logout between visit and cart"],
    )
    assert counted == [("journeys_excluded", 3), ("journeys_excluded_alone", 3)]


skipped = case("skipped_then_excluded")
skipped_funnels = [
    skipped.funnel(
        mode,
        "one optional\ntwo\nthree won",
        order_mode=mode,
        exclusions=[("two", "three", "logout")],
    )
    for mode in ("ordered", "any")
]
skipped.events("ann", "2024-01-01T10:00:00 two\n2024-01-01T10:01:00 logout")


def test_who_passed_over_the_first_stage_is_excluded_like_others(warehouse: Tables) -> None:
    """Prevents subjects from vanishing without a number who began with the second stage."""
    for funnel_id in skipped_funnels:
        counted = warehouse.query(
            "select measure, counted from core.control_totals where scope_type = 'funnel'"
            " and scope = ? and measure like 'subjects%' and counted > 0",
            [funnel_id],
        )
        assert counted == [("subjects_excluded", 1)], funnel_id


passes = case("passes")
passes_funnel = passes.funnel(
    "web",
    "visit\ncart\npaid won\nbounced lost",
    entry_policy="first",
    count_by="journey",
    window=hours(2),
)
passes.events(
    "after_win",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:10:00 visit
    2024-01-01T10:20:00 cart
    2024-01-01T10:30:00 paid
    2024-01-01T10:40:00 cart
    2024-01-01T10:50:00 visit
    2024-01-01T11:00:00 cart
    """,
)
passes.events(
    "after_loss",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:10:00 bounced
    2024-01-01T10:20:00 visit
    2024-01-01T10:30:00 cart
    """,
)
passes.events(
    "after_window",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:10:00 cart
    2024-01-01T12:00:00 visit
    2024-01-01T12:00:01 visit
    2024-01-01T12:30:00 cart
    2024-01-01T12:40:00 paid
    """,
)


def test_counting_by_journey_opens_another_after_a_win_a_loss_or_the_window(
    warehouse: Tables,
) -> None:
    """Prevents returning subjects from counting once only, and from counting again too early."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        passes_funnel,
        """
        subject_id    journey_number  entered_at           furthest_stage_id  outcome
        after_win     1               2024-01-01T10:00     paid               won
        after_win     2               2024-01-01T10:50     cart               abandoned
        after_loss    1               2024-01-01T10:00     visit              lost
        after_loss    2               2024-01-01T10:20     cart               abandoned
        after_window  1               2024-01-01T10:00     cart               abandoned
        after_window  2               2024-01-01T12:00:01  paid               won
        """,
    )


def test_a_visit_belongs_to_the_latest_journey_entered_at_or_before_it(
    warehouse: Tables,
) -> None:
    """Prevents visits from counting in the cohort of another journey."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        passes_funnel,
        """
        visit_number  journey_number  stage_id
        1             1               visit
        2             1               cart
        3             1               paid
        4             1               cart
        5             2               visit
        6             2               cart
        """,
        where="subject_id = 'passes.after_win'",
    )


wins = case("wins")
wins_optional = wins.funnel(
    "optional",
    "visit\nsearch optional\npaid won\nreviewed won",
    entry_policy="first",
    count_by="journey",
)
wins_any = wins.funnel(
    "any",
    "visit\npaid won\nrated\nreviewed won",
    order_mode="any",
    entry_policy="first",
    count_by="journey",
)
# After the first payment a second visit; a longer way to a later payment would pass over it.
wins.events(
    "longer",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 paid
    2024-01-01T10:02:00 search
    2024-01-01T10:03:00 visit
    2024-01-01T10:04:00 paid
    """,
)
# What would make the first journey deeper comes after the second was opened.
wins.events(
    "deeper",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 paid
    2024-01-01T10:02:00 reviewed
    2024-01-01T10:03:00 visit
    2024-01-01T10:04:00 rated
    """,
)
# The first event counts only once the rating comes, and by then a later visit has been won.
wins.events(
    "early_bird",
    """
    2024-01-01T10:00:00 reviewed
    2024-01-01T10:01:00 visit
    2024-01-01T10:02:00 paid
    2024-01-01T10:03:00 visit
    2024-01-01T10:04:00 rated
    """,
)


def test_the_first_win_ends_a_journey_whatever_comes_of_it_later(warehouse: Tables) -> None:
    """Prevents a win of yesterday from being undone by a longer way that today makes possible."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        wins_optional,
        """
        subject_id  journey_number  entered_at        furthest_stage_id  outcome  ended_at
        longer      1               2024-01-01T10:00  paid               won      2024-01-01T10:01
        longer      2               2024-01-01T10:03  paid               won      2024-01-01T10:04
        deeper      1               2024-01-01T10:00  reviewed           won      2024-01-01T10:01
        deeper      2               2024-01-01T10:03  visit              open     -
        early_bird  1               2024-01-01T10:01  paid               won      2024-01-01T10:02
        early_bird  2               2024-01-01T10:03  visit              open     -
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        wins_any,
        """
        subject_id  journey_number  entered_at        furthest_stage_id  outcome  ended_at
        longer      1               2024-01-01T10:00  paid               won      2024-01-01T10:01
        longer      2               2024-01-01T10:03  paid               won      2024-01-01T10:04
        deeper      1               2024-01-01T10:00  paid               won      2024-01-01T10:01
        deeper      2               2024-01-01T10:03  visit              open     -
        early_bird  1               2024-01-01T10:01  paid               won      2024-01-01T10:02
        early_bird  2               2024-01-01T10:03  visit              open     -
        """,
    )


spared = case("spared_journeys")
spared_funnel = spared.funnel(
    "web", WEB, entry_policy="first", count_by="journey", exclusions=[("visit", "cart", "logout")]
)
spared.events(
    "passed_over",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T10:02:00 visit
    2024-01-01T10:03:00 cart
    """,
)
# The logout is of the second journey, not of the first, which was won.
spared.events(
    "its_own",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 cart
    2024-01-01T10:02:00 paid
    2024-01-01T10:03:00 visit
    2024-01-01T10:04:00 logout
    2024-01-01T10:05:00 cart
    """,
)


def test_an_exclusion_takes_its_own_journey_alone(warehouse: Tables) -> None:
    """Prevents an excluded pass from blocking the next one, or from voiding the one before."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        spared_funnel,
        """
        subject_id   journey_number  entered_at        furthest_stage_id  outcome
        passed_over  1               2024-01-01T10:02  cart               open
        its_own      1               2024-01-01T10:00  paid               won
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journey_exclusions",
        spared_funnel,
        """
        subject_id   excluded_journey_number  entered_at        excluded_at
        passed_over  1                        2024-01-01T10:00  2024-01-01T10:01
        its_own      1                        2024-01-01T10:03  2024-01-01T10:04
        """,
    )


reasons = case("reasons_of_exclusion")
reasons_funnel = reasons.funnel(
    "web",
    WEB,
    window=hours(1),
    exclusions=[("visit", "cart", "logout"), ("cart", "paid", "refund")],
)
# Of one chain, each exclusion takes part; of two, each voids one.
reasons.events(
    "both",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T10:02:00 cart
    2024-01-01T10:03:00 refund
    """,
)
reasons.events(
    "one_each",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T12:00:00 visit
    2024-01-01T12:01:00 cart
    2024-01-01T12:02:00 refund
    """,
)
reasons.events("alone", "2024-01-01T10:00:00 visit\n2024-01-01T10:30:00 logout")


def test_exclusions_that_act_together_are_each_named(warehouse: Tables) -> None:
    """Prevents a journey from being laid at the door of the first exclusion that comes to hand."""
    assert_rows(
        warehouse,
        "core.fct_journey_exclusions",
        reasons_funnel,
        """
        subject_id  after_stage_id  entered_at        excluded_at       exclusions
        both        visit           2024-01-01T10:00  2024-01-01T10:01  2
        both        cart            2024-01-01T10:00  2024-01-01T10:03  2
        one_each    visit           2024-01-01T10:00  2024-01-01T10:01  2
        one_each    cart            2024-01-01T10:00  2024-01-01T12:02  2
        alone       visit           2024-01-01T10:00  2024-01-01T10:30  1
        """,
    )
    counted = warehouse.query(
        "select scope, measure, counted from core.control_totals"
        " where scope_type = 'exclusion' and starts_with(scope, ?) order by scope, measure",
        [f"{reasons_funnel}:"],
    )
    logout = f"{reasons_funnel}: reasons_of_exclusion/logout between visit and cart"
    refund = f"{reasons_funnel}: reasons_of_exclusion/refund between cart and paid"
    assert counted == [
        (logout, "journeys_excluded", 3),
        (logout, "journeys_excluded_alone", 1),
        (refund, "journeys_excluded", 2),
        (refund, "journeys_excluded_alone", 0),
    ]


deals = case("deals_again")
deals_funnel = deals.funnel(
    "deals",
    "new\nqualify\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
    entry_policy="first",
    count_by="journey",
)
deals.changes(
    "again",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 won
    2024-01-03T10:00:00 new
    2024-01-04T10:00:00 qualify
    2024-01-05T10:00:00 lost
    2024-01-06T10:00:00 qualify
    2024-01-07T10:00:00 new
    """,
)


def test_furthest_counts_by_journey_too(warehouse: Tables) -> None:
    """Prevents renewals from being one endless deal.

    The second journey was lost, then reopened at a stage that is not the first; the entry of the
    first stage after the loss opens the third.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        deals_funnel,
        """
        journey_number  entered_at        furthest_stage_id  outcome  was_won
        1               2024-01-01T10:00  won                won      yes
        2               2024-01-03T10:00  qualify            open     no
        3               2024-01-07T10:00  new                open     no
        """,
    )


renewals = case("renewals")
renewals_funnels = [
    renewals.funnel(
        mode,
        "new\nqualify\nwon won\nlost lost",
        subject_type="opportunity",
        order_mode=mode,
        entry_policy="first",
        count_by="journey",
    )
    for mode in ("ordered", "strict", "any")
]
renewals.changes(
    "won",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 won
    2024-01-03T10:00:00 new
    2024-01-04T10:00:00 won
    """,
)
renewals.changes(
    "lost",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 lost
    2024-01-03T10:00:00 new
    2024-01-04T10:00:00 lost
    """,
)


def test_a_record_that_was_won_is_closed_whatever_its_chain_counts(warehouse: Tables) -> None:
    """Prevents two deals that were won without the steps before from being taken for one."""
    for funnel_id in renewals_funnels:
        assert_rows(
            warehouse,
            "core.fct_journeys",
            funnel_id,
            """
            subject_id  journey_number  entered_at        entry_stage_id  outcome  ended_at
            won         1               2024-01-01T10:00  new             won      2024-01-02T10:00
            won         2               2024-01-03T10:00  new             won      2024-01-04T10:00
            lost        1               2024-01-01T10:00  new             lost     2024-01-02T10:00
            lost        2               2024-01-03T10:00  new             lost     2024-01-04T10:00
            """,
        )


sessions = case("sessions")
sessions_funnel = sessions.funnel("web", WEB, subject_type="session")
for session in ("one", "two"):
    sessions.events(
        session,
        "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 cart",
        subject_type="session",
        user_id="sessions.ann",
    )
users_of_sessions = sessions.funnel("users", WEB, subject_type="user")


def test_counting_by_session_takes_each_session_for_itself(warehouse: Tables) -> None:
    """Prevents sessions of one user from being taken together, or users from being split."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        sessions_funnel,
        """
        subject_id  furthest_stage_id
        one         cart
        two         cart
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        sessions_funnel,
        """
        subject_id  visit_number  stage_id  next_stage_id
        one         1             visit     cart
        one         2             cart      still_there
        two         1             visit     cart
        two         2             cart      still_there
        """,
    )
    counted = warehouse.query(
        "select stage_id, reached from marts.funnel_conversion where funnel_id = ?"
        " and cohort_grain = 'all' and segment_name = 'all' order by stage_position",
        [sessions_funnel],
    )
    assert counted == [("visit", 2), ("cart", 2), ("paid", 0)]
    assert_rows(
        warehouse,
        "core.fct_journeys",
        users_of_sessions,
        """
        subject_id  furthest_stage_id
        ann         cart
        """,
    )
