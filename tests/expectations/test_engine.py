"""Suites run inside the database, and leave it as it was."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from expectations.engine import GateNotMeasuredError, run_suite
from expectations.rules import Rule

RULE = Rule(
    gate="raw.volume",
    table="raw.loads",
    rule="Every source has at most 50 rows in a file.",
    measure="most_rows",
    measures="with loads as (select * from raw.loads) "
    "select source as item, max(rows_read) as most_rows, 0 as lowest, 50 as highest "
    "from loads group by source",
    observed="{most_rows}",
    expected="at most {highest}",
    offending_rows="select * from raw.loads where source = {item}",
)


def test_each_item_is_judged_by_itself(sound_build: Path) -> None:
    """Prevents one bad source from failing, or hiding behind, another."""
    suite = run_suite("raw", [RULE], sound_build)
    assert [(finding.gate, finding.is_met) for finding in suite.findings] == [
        ("raw.volume.crm", True),
        ("raw.volume.web", False),
    ]
    assert suite.validation["statistics"]["unsuccessful_expectations"] == 1


@pytest.mark.parametrize("item", ["it's", 'a "quoted" <b>name</b>', "$1 & {braces}", "支付"])
def test_names_are_only_names(item: str, sound_build: Path) -> None:
    """Prevents an event name from being taken for SQL, a template or markup."""
    literal = item.replace("'", "''")
    measures = f"select '{literal}' as item, 51 as most_rows, 0 as lowest, 50 as highest"
    suite = run_suite("raw", [replace(RULE, measures=measures)], sound_build)
    assert [finding.is_met for finding in suite.findings] == [False]


@pytest.mark.parametrize("folder", ["with space", "50%25", "a?b=c#d", "quote's", "仓库"])
def test_the_build_may_lie_anywhere(folder: str, sound_build: Path, tmp_path: Path) -> None:
    """Prevents a path from being read as part of an address."""
    build = tmp_path / folder / "build.duckdb"
    build.parent.mkdir()
    shutil.copyfile(sound_build, build)
    assert len(run_suite("raw", [RULE], build).findings) == 2


def test_the_build_can_be_written_to_afterwards(sound_build: Path, tmp_path: Path) -> None:
    """Prevents a gate from keeping the database open, so that the next layer cannot be built."""
    build = tmp_path / "build.duckdb"
    shutil.copyfile(sound_build, build)
    run_suite("raw", [RULE], build)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create table raw.written as select 1 as one")


def test_a_rule_that_cannot_be_measured_is_named(sound_build: Path) -> None:
    """Prevents a gate whose table is missing from passing, or from failing as if data were bad."""
    broken = replace(RULE, gate="raw.broken", measures="select * from raw.nothing")
    with pytest.raises(GateNotMeasuredError, match=r"raw\.broken.*nothing does not exist"):
        run_suite("raw", [RULE, broken], sound_build)
    with duckdb.connect(str(sound_build), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.loads").fetchone() == (61,)


def test_a_rule_whose_measure_is_misspelt_is_named(sound_build: Path) -> None:
    """Prevents a mistake in a rule from looking like a mistake in the data."""
    misspelt = replace(RULE, measure="mots_rows", observed="nothing")
    with pytest.raises(GateNotMeasuredError, match=r"raw\.volume.*mots_rows"):
        run_suite("raw", [misspelt], sound_build)


def test_a_measure_without_a_value_does_not_pass(sound_build: Path) -> None:
    """Prevents a null, which is neither above nor below any bound, from passing as fine."""
    measures = "select 'x' as item, cast(null as bigint) as most_rows, 0 as lowest, 50 as highest"
    suite = run_suite("raw", [replace(RULE, measures=measures)], sound_build)
    assert [finding.is_met for finding in suite.findings] == [False]


def test_a_missing_build_is_said_to_be_missing(tmp_path: Path) -> None:
    """Prevents a new empty database from being made, and judged, in place of the missing one."""
    with pytest.raises(FileNotFoundError, match="make nightly"):
        run_suite("raw", [RULE], tmp_path / "build.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_importing_the_gates_does_not_import_great_expectations() -> None:
    """Prevents every command from waiting seconds for what only the gates need."""
    code = "import orchestration.gates, sys; sys.exit('great_expectations' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
