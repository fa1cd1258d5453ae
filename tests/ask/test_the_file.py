"""What the file says of itself, and who can read it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.releases import current_release
from orchestration.settings import Settings
from orchestration.shell import ShellError, greeting, open_shell


def test_everything_in_the_file_is_described(reader: duckdb.DuckDBPyConnection) -> None:
    """Whoever opens the file without this repository would have to guess what a name means."""
    described = {
        "tables": "select table_name, comment from duckdb_tables()",
        "columns": "select table_name || '.' || column_name, comment from duckdb_columns() "
        "where not internal",
        "macros": "select function_name, comment from duckdb_functions() where not internal",
    }
    for kind, query in described.items():
        rows = reader.execute(query).fetchall()
        assert len(rows) > 10, kind
        assert [name for name, comment in rows if not (comment or "").strip()] == [], kind


def test_macros_are_found_where_the_file_is_attached(release_database: Path) -> None:
    """A tool that attaches the file under a name of its own could not use them."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{release_database}' as shop (read_only)")
        connection.execute("use shop")
        rows = connection.execute(
            "from shop.funnel_of_stages('web_purchase', ['visit', 'payment'])"
        ).fetchall()
        assert len(rows) == 2


def shell(settings: Settings, sql: str) -> subprocess.CompletedProcess[str]:
    """What `make sql` says to this SQL on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "sql"],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FUNNEL_HOME": str(settings.home)},
        cwd=Path(__file__).parents[2],
        timeout=60,
    )


def test_the_shell_answers_sql_of_standard_input(release_settings: Settings) -> None:
    """A script could not use it, or would have to skip words that are for people."""
    asked = ".mode csv\nselect funnel_id\nfrom dim_funnels\norder by all limit 1;\n"
    found = shell(release_settings, asked)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["funnel_id", "customer_lifecycle"]


def test_the_shell_cannot_write(release_settings: Settings) -> None:
    """An analyst could change what all others read."""
    found = shell(release_settings, "create table mine (a integer);\n")
    assert found.returncode != 0
    assert "read-only" in found.stderr


def test_a_person_is_told_what_to_ask(release_settings: Settings) -> None:
    """A newcomer would sit before an empty line."""
    release = current_release(release_settings)
    assert release is not None
    text = greeting(release)
    assert release.release_id in text
    with duckdb.connect(
        str(release_settings.published / "current" / "funnel.duckdb"), read_only=True
    ) as connection:
        for line in text.splitlines():
            if "select" in line:
                assert connection.execute(line[line.index("select") :]).fetchall()


def test_a_shell_without_a_release_says_what_to_do(tmp_path: Path) -> None:
    """An empty database would be opened, in which there is nothing to ask."""
    with pytest.raises(ShellError, match="expected a release to ask, found none"):
        open_shell(Settings.from_environment({}, {"FUNNEL_HOME": str(tmp_path)}))
