"""What must not change anything: the order of rows and files, a second delivery, one thread.

Funnels whose result hangs on the order of delivery, by their declaration, are left aside.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.semantics.cases import BOOK, build_casebook
from tests.support.tables import Tables

Lines = list[str]


def _shuffle(landing: Path) -> None:
    """Put the rows of every file into another order, and those of long files into three files."""
    random = np.random.default_rng(11)
    for path in sorted(landing.rglob("*.csv")):
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        random.shuffle(rows)
        # Longer rows than one line would be torn apart.
        assert all(row.count('"') % 2 == 0 for row in rows), "one row a line"
        if path.name == "random.csv":
            path.unlink()
            parts = {f"{name}.csv": rows[start::3] for start, name in enumerate("zma")}
        else:
            parts = {path.name: rows}
        for name, part in parts.items():
            (path.parent / name).write_text("\n".join([header, *part, ""]), encoding="utf-8")


def _double(landing: Path) -> None:
    """Deliver every file again as it is, and changes and events once more in another order."""
    for path in sorted(landing.rglob("*.csv")):
        shutil.copyfile(path, path.with_name(f"z_{path.name}"))
        header, *rows = path.read_text(encoding="utf-8").splitlines()
        if path.parent.name in ("events", "stage_changes") and len(rows) > 1:
            upside_down = "\n".join([header, *reversed(rows), ""])
            path.with_name(f"zz_{path.name}").write_text(upside_down, encoding="utf-8")


@pytest.fixture(scope="module")
def other_warehouse(
    casebook_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    """A warehouse built from the same facts, shuffled and delivered twice, by one thread."""
    folder = tmp_path_factory.mktemp("delivered_otherwise")
    shutil.copytree(casebook_folder / "landing", folder / "landing")
    _shuffle(folder / "landing")
    _double(folder / "landing")
    database = build_casebook(
        folder / "landing",
        casebook_folder,
        casebook_folder / "seeds",
        folder / "home",
        threads=1,
        with_tests=False,
    )
    tables = Tables(database)
    yield tables
    tables.close()


# What hangs on a tie is told by holding the declared order against the other one, and of the two
# one is the order of delivery.
ON_TIES = ("result_hangs_on_tie",)


# What follows from declarations that the casebook does not make: in these the formats of the
# simulated company are held against one another.
EMPTY = {
    "marts.acquisition_to_referral",
    "marts.attribution",
    "marts.before_and_after",
    "marts.customer_priority",
    "marts.customer_priority_effort",
    "marts.customer_value_backtest",
    "marts.experiment_results",
    "marts.key_accounts",
    "marts.lead_qualification",
    "marts.lead_qualification_classes",
    "marts.lead_score",
    "marts.lead_score_evaluation",
    "marts.lead_score_points",
    "marts.metric_alerts",
    "marts.metric_tests",
    "marts.referrals",
    "marts.retention_curves",
    "marts.retention_triangles",
    "marts.touchpoint_paths",
}


def _compared(table: str, columns: Sequence[str]) -> str:
    """The query for the rows of a table that must be the same."""
    funnels = ", ".join(f"'{funnel_id}'" for funnel_id in sorted(BOOK.order_dependent))
    cases = {BOOK.scope_of[funnel_id] for funnel_id in BOOK.order_dependent}
    condition = "true"
    if "funnel_id" in columns:
        condition = f"funnel_id not in ({funnels})"
    elif table == "core.control_totals":
        # How many rows were delivered is another number, as it has to be.
        funnel_of_scope = "split_part(scope, ':', 1)"
        condition = "scope_type not in ('delivery', 'table')"
        condition += f" and {funnel_of_scope} not in ({funnels})"
        condition += " and measure not like '%_by_tie'"
    elif table == "core.dim_subjects":
        listed = ", ".join(f"'{name}'" for name in sorted(cases))
        condition = f"split_part(subject_id, '.', 1) not in ({listed})"
    told = set(columns) - set(ON_TIES)
    if table == "core.fct_events":
        # Events of one instant are numbered in the order of delivery.
        told -= {"event_number"}
    same = ", ".join(column for column in columns if column in told)
    return f"select {same} from {table} where {condition} order by all"


def test_the_published_tables_are_the_same(warehouse: Tables, other_warehouse: Tables) -> None:
    """Prevents numbers that depend on how a delivery was cut, ordered, or repeated."""
    tables = [
        f"{schema}.{name}"
        for schema in ("core", "marts")
        for name in warehouse.names(schema)
        # No past date is declared here; of what was known on one, the order of delivery is part.
        if name != "funnel_conversion_known_on"
    ]
    assert len(tables) > 10
    differing, empty = [], set()
    for table in tables:
        columns = warehouse.columns(table)
        assert other_warehouse.columns(table) == columns
        ours = warehouse.query(_compared(table, columns))
        theirs = other_warehouse.query(_compared(table, columns))
        if not ours:
            empty.add(table)
        if ours != theirs:
            gone = sorted(set(map(repr, ours)) - set(map(repr, theirs)))[:3]
            new = sorted(set(map(repr, theirs)) - set(map(repr, ours)))[:3]
            differing.append(f"{table}: {len(ours)} rows, {len(theirs)} now; {gone} -> {new}")
    assert not differing, "\n".join(differing)
    assert empty == EMPTY, "all others hold something to compare"
