"""One population of logs that Hypothesis comes up with, and what its results must follow from.

Beside the population stand itself a week earlier, itself under other names, and its two halves.
Their results are held against each other in `test_metamorphic_populations`, and those of the
population against the plain implementation in `test_against_oracle`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.semantics.cases import BOOK, case, hours

# hour, name, item; no two at one hour, as the order of delivery is no part of a log
Log = list[tuple[int, str, str]]

# Every window from here ends before the as-of, also a week later.
START = datetime(2024, 12, 10)
WEEK = timedelta(days=7)
LADDER = "a\nb optional\nc\nd won\nlost lost"
FUNNELS: dict[str, dict[str, str]] = {
    "furthest": {"order_mode": "furthest"},
    "furthest_journey": {"order_mode": "furthest", "count_by": "journey"},
    "ordered": {"order_mode": "ordered"},
    "ordered_first": {"order_mode": "ordered", "entry_policy": "first"},
    "ordered_journey": {"order_mode": "ordered", "entry_policy": "first", "count_by": "journey"},
    "ordered_held": {"order_mode": "ordered", "hold_constant": "item"},
    "strict": {"order_mode": "strict"},
    "any": {"order_mode": "any"},
}
POPULATIONS = ("population", "population_earlier", "population_renamed", "half_a", "half_b")

LOGS = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(["a", "a", "b", "c", "c", "d", "lost", "x"]),
        st.sampled_from(["", "1", "2"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda event: event[0],
)


def _drawn(number: int) -> list[Log]:
    drawn: list[Log] = []

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
    )
    @given(LOGS)
    def collect(log: Log) -> None:
        drawn.append(log)

    collect()
    return drawn


def other_name(subject: str) -> str:
    """The name of a subject among the renamed: the other way round in every order of names."""
    return f"{999 - int(subject):03}"


def _write(population: str, subject: str, log: Log, start: datetime) -> None:
    lines = [
        f"{(start + timedelta(hours=hour)).isoformat()} {name} {f'item={item}' if item else ''}"
        for hour, name, item in log
    ]
    case(population).events(subject, "\n".join(lines), file=f"{population}.csv")


for number, one in enumerate(_drawn(250)):
    name = f"{number:03}"
    _write("population", name, one, START)
    _write("population_earlier", name, one, START - WEEK)
    _write("population_renamed", other_name(name), one, START)
    _write("half_a" if number % 2 else "half_b", name, one, START)

for population in POPULATIONS:
    for funnel_name, options in FUNNELS.items():
        mode = options["order_mode"]
        case(population).funnel(
            funnel_name,
            LADDER,
            window=None if mode == "furthest" else hours(20),
            exclusions=[] if mode in ("furthest", "strict") else [("a", "c", "x")],
            **options,  # type: ignore[arg-type]
        )

for days in ("1", "7"):
    case("population").declare("horizons", horizon_days=days)

POPULATION_FUNNELS = tuple(
    funnel_id for funnel_id, scope in BOOK.scope_of.items() if scope == "population"
)
