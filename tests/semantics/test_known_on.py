"""Rule 12, as known on: the funnel of a past date is the one that a run on that date published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.known_deliveries import midnight
from tests.semantics.known_on_deliveries import NIGHTS, TIMEZONE, Deliveries, write_seeds
from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

# Three nights and two past dates are built: half a minute.
pytestmark = pytest.mark.slow

Row = tuple[Any, ...]
PUBLISHED = "select * from marts.funnel_conversion"


@pytest.fixture(scope="module")
def published() -> dict[date, set[Row]]:
    """The rows of `funnel_conversion` that the run on each date made."""
    return {}


@pytest.fixture(scope="module")
def last_night(
    tmp_path_factory: pytest.TempPathFactory, published: dict[date, set[Row]]
) -> Iterator[Tables]:
    """The tables of the last night, which was asked for the dates of all nights."""
    folder = tmp_path_factory.mktemp("known_on")
    landing, seeds, home = folder / "landing", folder / "seeds", folder / "home"
    deliveries = Deliveries(landing, seed=20260310)
    build = Path()
    for night in NIGHTS:
        write_seeds(seeds, known_on=NIGHTS if night == NIGHTS[-1] else ())
        deliveries.deliver(night)
        build = build_warehouse(
            landing,
            seeds,
            home,
            as_of=midnight(night, TIMEZONE),
            timezone=TIMEZONE,
            # Two o'clock in Berlin, as the schedule has it.
            now=datetime(night.year, night.month, night.day, 1, tzinfo=UTC),
            with_tests=night == NIGHTS[-1],
        )
        tables = Tables(build)
        published[night] = set(tables.query(PUBLISHED))
        tables.close()
    tables = Tables(build)
    yield tables
    tables.close()


@pytest.mark.parametrize("night", NIGHTS)
def test_known_on_a_date_is_what_a_run_on_it_published(
    last_night: Tables, published: dict[date, set[Row]], night: date
) -> None:
    """A figure of the past would be one that nobody could have known, or ever saw."""
    columns = ", ".join(last_night.columns("marts.funnel_conversion"))
    rows = last_night.query(
        f"select {columns} from marts.funnel_conversion_known_on where known_on = ?", [night]
    )
    assert len(rows) == len(published[night])
    assert len(rows) > 100
    assert set(rows) - published[night] == set()
    assert published[night] - set(rows) == set()


def test_what_came_late_restates_the_past(
    last_night: Tables, published: dict[date, set[Row]]
) -> None:
    """The test above would pass on deliveries that never change what was known."""
    restated = last_night.query(
        """
        select distinct funnel_id
        from marts.funnel_conversion_known_on
        inner join marts.funnel_conversion
            using (funnel_id, cohort_grain, cohort_date, segment_name, segment_value, stage_id)
        where
            known_on = ?
            and cohort_grain = 'day'
            and funnel_conversion_known_on.reached != funnel_conversion.reached
        order by all
        """,
        [NIGHTS[0]],
    )
    assert restated == [("anyhow",), ("deals",), ("shop",), ("trips",)]
