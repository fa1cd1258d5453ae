"""A shell for SQL, for reading only: DuckDB's own command line.

It opens a release itself, not the link, so that all answers of a session agree.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from orchestration import releases
from orchestration.release_database import DATABASE
from orchestration.releases import Release
from orchestration.settings import Settings

# Nothing is downloaded; what is shown as an instant is UTC, as in the tables.
BEFORE = (
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set TimeZone = 'UTC'",
)


class ShellError(RuntimeError):
    """A shell that cannot be opened. The message says what to do."""


def open_shell(settings: Settings) -> None:
    """Become the shell: SQL of the keyboard, or of standard input for scripts, until its end.

    Raises:
        ShellError: nothing was published yet, or the command line is not installed.
        ReleaseError: the link leads to a release that is not there.
    """
    release = releases.current_release(settings)
    if release is None:
        raise ShellError(
            f"{settings.published}: expected a release to ask, found none. `make nightly` "
            "publishes one."
        )
    database = releases.release_folder(settings.published, release.release_id) / DATABASE
    _become(database, greeting(release))


def open_build_shell(settings: Settings) -> None:
    """The same on the build, where the rows are that a gate or the quarantine speaks of.

    Raises:
        ShellError: nothing was built yet, or the command line is not installed.
    """
    if not settings.build.is_file():
        raise ShellError(f"{settings.build}: expected a build, found none. Run `make nightly`.")
    _become(
        settings.build,
        f"{settings.build}, for reading only. While this is open no night can build: leave with "
        "Ctrl-D.\n"
        "Quarantined  from raw.quarantined_rows; from staging.stg_quarantined_rows;\n"
        "Refused      select file, refused_reason from raw.loads where status = 'refused';",
    )


def _become(database: Path, welcome: str) -> None:
    program = _program()
    if sys.stdin.isatty():
        print(welcome, flush=True)
    commands = [word for command in BEFORE for word in ("-cmd", command)]
    os.execv(program, [str(program), "-readonly", *commands, str(database)])


def greeting(release: Release) -> str:
    """What a person is told first."""
    return (
        f"Release {release.release_id}, as of {release.as_of:%Y-%m-%d %H:%M} UTC: "
        f"{len(release.rows)} tables, for reading only.\n"
        "Tables      select table_name, comment from duckdb_tables() order by all;\n"
        "Columns     select column_name, comment from duckdb_columns() "
        "where table_name = 'fct_journeys';\n"
        "Macros      select function_name, parameters, comment from duckdb_functions() "
        "where not internal order by all;\n"
        "Questions   docs/ask-questions.md. A statement ends with ; and Ctrl-D leaves."
    )


def _program() -> Path:
    found = importlib.util.find_spec("duckdb_cli")
    folders = found.submodule_search_locations if found else None
    program = Path(next(iter(folders), "")) / "duckdb" if folders else None
    if program is None or not program.is_file():
        raise ShellError(
            "duckdb-cli: expected DuckDB's command line, as requirements.lock has it, found none. "
            "`make sql` installs it."
        )
    return program
