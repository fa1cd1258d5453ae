"""That the night's databases stay within the memory that they are given, and where that is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.database import open_database
from orchestration.gates import run_gate
from orchestration.memory import available_memory
from orchestration.raw import load_landing
from orchestration.raw_views import create_raw_views
from orchestration.settings import SettingError, Settings
from tests.orchestration.tiny_builds import publish_build, settings_for, write_build

SEEDS = Path(__file__).parents[2] / "seeds"
LIMIT, SHOWN = "700MB", "667.5 MiB"
ASKED = "select current_setting('memory_limit'), current_setting('temp_directory')"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {
            "FUNNEL_HOME": str(tmp_path / "home"),
            "FUNNEL_LANDING": str(tmp_path / "landing"),
            "FUNNEL_MEMORY_LIMIT": LIMIT,
        }
    )


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Limit and folder of each database that is opened while this is in use."""
    found: list[tuple[str, str]] = []
    connect = duckdb.connect

    def watched(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*arguments, **options)
        found.extend(connection.execute(ASKED).fetchall())
        return connection

    monkeypatch.setattr(duckdb, "connect", watched)
    return found


@pytest.mark.parametrize("text", ["much", "2", "GB", "2TB", "-2GB", "499MB", "0%", "120%", "1e9B"])
def test_a_limit_that_is_no_size_is_refused_by_name(text: str) -> None:
    """Prevents a night that takes all memory, or fails in the middle, over a slip of the pen."""
    with pytest.raises(SettingError, match=r"^FUNNEL_MEMORY_LIMIT: expected a size from 500MB"):
        Settings.from_environment({"FUNNEL_MEMORY_LIMIT": text})


def test_a_limit_is_a_size_or_a_share_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a share of something else than the machine's memory."""
    monkeypatch.setattr("orchestration.settings.available_memory", lambda: 10_000_000_000)

    def limit(text: str) -> int:
        return Settings.from_environment({"FUNNEL_MEMORY_LIMIT": text}).memory_limit

    assert limit("") == 6_000_000_000
    assert limit("12.5%") == 1_250_000_000
    assert limit("2GB") == limit("2000MB") == limit("2 GB") == 2_000_000_000


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/night", {"night/memory.max": "700000000"}, 700_000_000),
        ("0::/a/b", {"a/memory.max": "800000000", "a/b/memory.max": "max"}, 800_000_000),
        ("4:cpu,memory:/", {"memory/memory.limit_in_bytes": "900000000"}, 900_000_000),
        ("0::/elsewhere", {"memory.max": "600000000"}, 600_000_000),
    ],
)
def test_a_container_has_the_memory_of_its_control_group(
    own: str, limits: dict[str, str], expected: int, tmp_path: Path
) -> None:
    """Prevents a night that takes the whole machine for its own, and is killed in its container."""
    (tmp_path / "own").write_text(f"7:blkio:/\n{own}\n")
    for name, limit in limits.items():
        file = tmp_path / "cgroups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    assert available_memory(tmp_path / "cgroups", tmp_path / "own") == expected


def test_a_machine_without_control_groups_has_all_its_memory(tmp_path: Path) -> None:
    """Prevents a failure where the system knows of no control groups."""
    assert available_memory(tmp_path / "none", tmp_path / "none") > 100_000_000


def test_loading_and_gates_work_within_the_limit(
    settings: Settings, opened: list[tuple[str, str]]
) -> None:
    """Prevents the loading of a large file, or the look at it, from taking all memory."""
    events = settings.landing / "generic" / "events" / "day.csv"
    events.parent.mkdir(parents=True)
    events.write_text("event_name,occurred_at,user_id\nvisit,2024-01-01 10:00:00,ann\n")
    declared = declarations.read(SEEDS)
    load_landing(settings, declared.sources, datetime(2024, 1, 2, tzinfo=UTC), "run")
    loading = list(opened)
    assert loading.count((SHOWN, str(settings.temporary))) == 2
    opened.clear()
    create_raw_views(settings, declared.sources)
    assert opened.count((SHOWN, str(settings.temporary))) == 1
    opened.clear()
    assert run_gate("raw", settings, "run")
    # SQLAlchemy's dialect opens a database without data beside it, to ask which options there are.
    assert (SHOWN, str(settings.temporary)) in opened


def test_publishing_works_within_the_limit(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    """Prevents the sorting of a large table for its release from taking all memory."""
    settings = settings_for(tmp_path)
    write_build(settings.build, 1)
    opened.clear()
    publish_build(settings, 1)
    with open_database(settings) as connection:
        expected = connection.execute(ASKED).fetchone()
    assert opened
    assert set(opened) == {expected}


def test_dbt_works_within_the_limit(settings: Settings, opened: list[tuple[str, str]]) -> None:
    """Prevents a model of a large table from taking all memory."""
    declarations.write_empty(settings.declarations)
    settings.home.mkdir(exist_ok=True)
    arguments = ["seed", "--select", "horizons", *dbt.common_arguments(settings)]
    assert not dbt.run(settings, arguments).failures
    assert opened
    assert set(opened) == {(SHOWN, str(settings.temporary))}
