"""Rule 8: rates with their numerator, denominator and interval; rows of zeros; maturity."""

from __future__ import annotations

import pytest

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

ALL = "cohort_grain = 'all' and segment_name = 'all'"

# The published examples of the Wilson interval without continuity correction: R. G. Newcombe,
# Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998),
# table I.
NEWCOMBE = {
    (81, 263): (0.2553, 0.3662),
    (15, 148): (0.0624, 0.1605),
    (0, 20): (0.0000, 0.1611),
    (1, 29): (0.0061, 0.1718),
}
newcombe = case("newcombe")
newcombe_funnels = {}
for wins, entered in NEWCOMBE:
    newcombe_funnels[wins, entered] = newcombe.funnel(
        f"of_{entered}",
        "visit\npaid won",
        rules=[
            {"stage_id": "visit", "match_value": f"visit_{entered}"},
            {"stage_id": "paid", "match_value": f"paid_{entered}"},
        ],
    )
    for number in range(entered):
        subject = f"of_{entered}_{number}"
        newcombe.events(subject, f"2024-01-01T10:00:00 visit_{entered}")
        if number < wins:
            newcombe.events(subject, f"2024-01-01T11:00:00 paid_{entered}")


@pytest.mark.parametrize(("wins", "entered"), NEWCOMBE)
def test_rates_have_the_wilson_interval_of_the_literature(
    warehouse: Tables, wins: int, entered: int
) -> None:
    """Prevents intervals that leave 0 to 1, or shrink to nothing at no wins."""
    [row] = warehouse.query(
        "select reached, reached_previous, entered, step_rate, step_rate_low, step_rate_high,"
        " overall_rate, overall_rate_low, overall_rate_high"
        f" from marts.funnel_conversion where funnel_id = ? and stage_id = 'paid' and {ALL}",
        [newcombe_funnels[wins, entered]],
    )
    low, high = NEWCOMBE[wins, entered]
    assert row[:3] == (wins, entered, entered)
    rounded = [round(float(str(value)), 4) for value in row[3:]]
    assert rounded == [round(wins / entered, 4), low, high] * 2


# The ordering funnel of a food service on one day, ten steps from the account's home page on.
FOOD_STEPS = ["home", "catering", "online", "trip", "product"]
FOOD_STEPS += ["cart", "view", "checkout", "confirm", "paid"]
FOOD_SUBJECTS = (520, 230, 150, 60, 50, 30, 20, 18, 12, 10)
FOOD_OVERALL = (100, 44.2, 28.8, 11.5, 9.6, 5.8, 3.8, 3.5, 2.3, 1.9)
FOOD_STEP = (None, 44.2, 65.2, 40.0, 83.3, 60.0, 66.7, 90.0, 66.7, 83.3)
# A weekly sales report, six stages.
WEEK_STEPS = ["prospect", "contacted", "confirmed", "proposed", "quoted", "won"]
WEEK_SUBJECTS = (100, 80, 40, 20, 10, 5)
WEEK_OVERALL = (100, 80, 40, 20, 10, 5)
WEEK_STEP = (None, 80, 50, 50, 50, 50)

examples = case("examples")


def _ladder_of_examples(name: str, steps: list[str], subjects: tuple[int, ...]) -> str:
    funnel_id = examples.funnel(name, "\n".join([*steps[:-1], f"{steps[-1]} won"]))
    for number in range(subjects[0]):
        reached = [step for step, count in zip(steps, subjects, strict=True) if number < count]
        lines = [f"2024-01-01T10:{minute:02}:00 {step}" for minute, step in enumerate(reached)]
        examples.events(f"{name}_{number}", "\n".join(lines))
    return funnel_id


food_funnel = _ladder_of_examples("food", FOOD_STEPS, FOOD_SUBJECTS)
week_funnel = _ladder_of_examples("week", WEEK_STEPS, WEEK_SUBJECTS)


@pytest.mark.parametrize(
    ("funnel_id", "steps", "subjects", "overall", "step"),
    [
        (food_funnel, FOOD_STEPS, FOOD_SUBJECTS, FOOD_OVERALL, FOOD_STEP),
        (week_funnel, WEEK_STEPS, WEEK_SUBJECTS, WEEK_OVERALL, WEEK_STEP),
    ],
)
def test_the_published_examples_come_out(
    warehouse: Tables,
    funnel_id: str,
    steps: list[str],
    subjects: tuple[int, ...],
    overall: tuple[float, ...],
    step: tuple[float | None, ...],
) -> None:
    """Prevents rates against the wrong denominator: of the entry, or of the stage before."""
    rows = warehouse.query(
        "select stage_id, reached, round(100 * overall_rate, 1), round(100 * step_rate, 1)"
        f" from marts.funnel_conversion where funnel_id = ? and {ALL} order by stage_position",
        [funnel_id],
    )
    assert rows == list(zip(steps, subjects, overall, step, strict=True))


zeros = case("zeros")
zeros_funnel = zeros.funnel("web", "visit\ncart\npaid won")
zeros.events("ann", "2024-01-01T10:00:00 visit")


def test_every_stage_has_its_row_zeros_included(warehouse: Tables) -> None:
    """Prevents stages that nobody reached from vanishing, and 0 of 0 from becoming a rate."""
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        zeros_funnel,
        """
        stage_id  visited  reached  reached_previous  step_rate  overall_rate
        visit     1        1        -                 -          1
        cart      0        0        1                 0          0
        paid      0        0        0                 -          0
        """,
        where=ALL,
    )


windowed = case("mature_windowed")
windowed_funnel = windowed.funnel("web", "visit\npaid won", window=hours(24))
windowed.events("old", "2024-12-31T04:00:00 visit")
windowed.events("young", "2024-12-31T06:00:00 visit")
windowed.events("young_won", "2024-12-31T06:00:00 visit\n2024-12-31T07:00:00 paid")


def test_a_journey_is_mature_when_its_window_has_passed(warehouse: Tables) -> None:
    """Prevents young journeys from being compared with old ones, whether they have won or not."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        windowed_funnel,
        """
        subject_id  is_mature
        old         yes
        young       no
        young_won   no
        """,
    )


measured = case("mature_measured")
measured_funnel = measured.funnel("web", "visit\npaid won")
# Ten wins after 1, 2 … 10 days: nine tenths took at most 9.1 days, interpolated.
for day in range(1, 11):
    measured.events(f"won_{day}", f"2024-03-01T10:00:00 visit\n2024-03-{day + 1:02}T10:00:00 paid")
measured.events("ten_days", "2024-12-22T05:00:00 visit")
measured.events("nine_days", "2024-12-23T05:00:00 visit")


def test_without_a_window_the_slowest_tenth_of_the_wins_tells_maturity(
    warehouse: Tables,
) -> None:
    """Prevents an open-ended funnel from calling everything mature, or nothing."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        measured_funnel,
        """
        subject_id  is_mature
        ten_days    yes
        nine_days   no
        """,
        where="outcome <> 'won'",
    )


def test_a_cohort_is_mature_when_all_its_journeys_are(warehouse: Tables) -> None:
    """Prevents one old journey from making a young cohort look final."""
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        measured_funnel,
        """
        cohort_grain  cohort_date  is_mature
        all           -            no
        year          2024-01-01   no
        quarter       2024-01-01   yes
        quarter       2024-10-01   no
        month         2024-03-01   yes
        month         2024-12-01   no
        week          2024-02-26   yes
        week          2024-12-16   yes
        week          2024-12-23   no
        day           2024-03-01   yes
        day           2024-12-22   yes
        day           2024-12-23   no
        """,
        where="stage_position = 1 and segment_name = 'all'",
    )


winless = case("winless")
winless_funnel = winless.funnel("web", "visit\npaid won")
winless.events("old", "2020-01-01T10:00:00 visit")


def test_without_any_win_nothing_is_mature(warehouse: Tables) -> None:
    """Prevents a funnel that never won from looking finished."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        winless_funnel,
        """
        subject_id  is_mature
        old         no
        """,
    )


in_any_order = case("any_order_rates")
any_order_funnel = in_any_order.funnel(
    "setup", "profile\ntour optional\ninvite\npaid won", order_mode="any", window=hours(24 * 60)
)
# Paid first, and the profile that was due before it twenty days later.
in_any_order.events(
    "late",
    "2024-03-01T10:00:00 paid\n2024-03-02T10:00:00 tour\n2024-03-03T10:00:00 invite"
    "\n2024-03-21T10:00:00 profile",
)
in_any_order.events(
    "quick", "2024-03-01T10:00:00 profile\n2024-03-02T10:00:00 invite\n2024-03-03T10:00:00 paid"
)


def test_in_any_order_a_stage_is_reached_when_those_before_it_are_there(
    warehouse: Tables,
) -> None:
    """Prevents a payment that came first from counting within a week, with a step below no time.

    `quick` has its invitation after one day and has paid after two. `late` reaches its tour, its
    invitation and its payment all after 20 days, with its profile.
    """
    points = warehouse.query(
        "select to_stage_id, seconds / 86400, at_risk, share from marts.survival_curves"
        f" where funnel_id = ? and event = 'reached' and {ALL} order by to_stage_id, point_number",
        [any_order_funnel],
    )
    assert points == [
        ("invite", 1, 2, pytest.approx(0.5)),
        ("invite", 20, 1, pytest.approx(1)),
        ("paid", 2, 2, pytest.approx(0.5)),
        ("paid", 20, 1, pytest.approx(1)),
        ("tour", 2, 2, 0),
        ("tour", 20, 1, pytest.approx(0.5)),
    ]
    waits = warehouse.query(
        "select to_stage_id, microseconds / 86400000000, waits, events, others"
        " from intermediate.int_curve_waits inner join intermediate.int_curves using (curve_id)"
        " where funnel_id = ? and event = 'stepped' order by all",
        [any_order_funnel],
    )
    assert waits == [
        ("invite", 0, 1, 1, 0),
        ("invite", 1, 1, 1, 0),
        ("paid", 0, 1, 1, 0),
        ("paid", 1, 1, 1, 0),
        ("tour", 0, 1, 1, 0),
        ("tour", 2, 1, 0, 1),
    ]
