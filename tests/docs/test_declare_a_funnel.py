"""docs/declare-a-funnel.md: what its tables say is what the words of the semantics give."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestration.declaration_tables import TABLES
from tests.oracle.answers import answers_of
from tests.oracle.declared import Funnel, Rule, Stage
from tests.oracle.entries import Happening, entries_of_subject
from tests.oracle.journeys import Log, journeys_of_subject
from tests.oracle.segments import Segment, segment_values

PAGE = Path(__file__).parents[2] / "docs" / "declare-a-funnel.md"
STAGES = ("home", "product", "order")
MODES = ("furthest", "ordered", "strict", "any")


def _rows_of_table(first_column: str) -> list[list[str]]:
    """The cells of the table whose first column has that name, without marks."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first_column))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" *`") for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.parametrize("mode", MODES)
def test_the_examples_of_the_modes_are_right(mode: str) -> None:
    """Prevents a page that teaches another meaning than the warehouse computes."""
    rows = _rows_of_table("| subject | did | `furthest`")
    assert len(rows) == 5
    stages = tuple(
        Stage(stage, position, "won" if stage == "order" else "open")
        for position, stage in enumerate(STAGES, start=1)
    )
    rules = tuple(Rule(stage, stage) for stage in STAGES)
    for subject, did, *reached in rows:
        log = [
            Happening(
                subject, datetime(2024, 1, 1) + timedelta(minutes=minute), name, "log", minute
            )
            for minute, name in enumerate(did.split(", "))
        ]
        funnel = Funnel("shop", stages, rules, order_mode=mode)  # type: ignore[arg-type]
        journeys = answers_of(funnel, log, datetime(2024, 2, 1)).journeys
        found = journeys[subject][0][2] if journeys else "–"
        assert found == reached[MODES.index(mode)], subject


def test_the_examples_of_held_properties_are_right() -> None:
    """Prevents a page that lets other journeys hold together than the warehouse does."""
    rows = _rows_of_table("| subject | did | reached | `held_value` |")
    assert len(rows) == 3
    stages = tuple(Stage(stage, position) for position, stage in enumerate(STAGES, start=1))
    rules = tuple(Rule(stage, stage) for stage in STAGES)
    for subject, did, reached, value in rows:
        log = []
        for minute, step in enumerate(did.split(", ")):
            name, _, item = step.rstrip(")").partition(" (")
            at = datetime(2024, 1, 1) + timedelta(minutes=minute)
            properties = {"product": item} if item else {}
            log.append(Happening(subject, at, name, "log", minute, properties=properties))
        funnel = Funnel("shop", stages, rules, hold_constant="product")
        [journey] = answers_of(funnel, log, datetime(2024, 2, 1)).journeys[subject]
        assert (journey[2], journey[-1]) == (reached, value), subject


def test_the_examples_of_segments_are_right() -> None:
    """Prevents a page that teaches another value of a journey than the one that is counted."""
    rows = _rows_of_table("| subject | did | `entry`")
    assert len(rows) == 4
    stages = tuple(
        Stage(stage, position, "won" if stage == "order" else "open")
        for position, stage in enumerate(STAGES, start=1)
    )
    # mia goes from home straight to the order.
    stages = (stages[0], replace(stages[1], is_optional=True), stages[2])
    funnel = Funnel("shop", stages, tuple(Rule(stage, stage) for stage in STAGES))
    for subject, did, *expected in rows:
        log = []
        for minute, step in enumerate(did.split(", ")):
            name, _, channel = step.rstrip(")").partition(" (")
            at = datetime(2024, 1, 1) + timedelta(minutes=minute)
            properties = {"channel": channel} if channel else {}
            log.append(Happening(subject, at, name, "log", minute, properties=properties))
        known = Log(
            funnel, tuple(log), tuple(entries_of_subject(funnel, log)), datetime(2024, 2, 1)
        )
        journeys, _ = journeys_of_subject(known)
        found = [
            ", ".join(sorted(value for _, value in segment_values(known, journeys, one, None)))
            for one in (
                Segment("channel", "channel", "entry"),
                Segment("channel", "channel", "stage", "product"),
                Segment("channel", "channel", "first"),
                Segment("channel", "channel", "last"),
                Segment("channel", "channel", "each"),
            )
        ]
        assert found == expected, subject


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_of_a_declaration_has_its_row(table: object) -> None:
    """Prevents a column that only those find who read the code."""
    page = PAGE.read_text(encoding="utf-8")
    name, columns = table.name, table.column_names  # type: ignore[attr-defined]
    section = page.split(f"### `{name}.csv`", maxsplit=1)[1].split("###", maxsplit=1)[0]
    missing = [column for column in columns if f"`{column}`" not in section]
    assert missing == []
