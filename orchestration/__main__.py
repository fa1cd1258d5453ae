"""The command `python -m orchestration`: what `make` calls, one word a thing to do.

Each word imports what it needs when it is asked for: Dagster takes seconds, dbt two more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from orchestration.settings import SETTINGS, SettingError, Settings

# None of the tools may tell its maker anything about a warehouse.
NO_ANALYTICS = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status: 0 if it did what it should."""
    os.environ.update(NO_ANALYTICS)
    options, further = _parser().parse_known_args(arguments)
    if further and options.command not in (dagster, metrics):
        _parser().error(f"unrecognised: {' '.join(further)}")
    options.further = further
    try:
        settings = Settings.from_environment()
    except SettingError as error:
        return _refuse(error)
    command: Callable[[Settings, argparse.Namespace], int] = options.command
    return command(settings, options)


def nightly(settings: Settings, options: argparse.Namespace) -> int:
    """Run the night: load what is new, build, check, publish."""
    from orchestration.nightly import run_nightly

    return run_nightly(settings)


def backfill(settings: Settings, options: argparse.Namespace) -> int:
    """Read web events of some days again, and run the night that follows from it."""
    from orchestration import declarations
    from orchestration.backfill import BackfillError, ask_again, changed_subjects, read_days
    from orchestration.landing import LandingError
    from orchestration.ledger import LedgerError
    from orchestration.lock import LockHeldError, writer_lock
    from orchestration.nightly import run_nightly

    errors = BackfillError, declarations.DeclarationError, LandingError, LedgerError, LockHeldError
    try:
        first, last = read_days(getattr(options, "from"), options.to)
        sources = declarations.read(settings.seeds).sources
        # Else it would be asked for although the night that follows is refused.
        with writer_lock(settings.home, "a backfill"):
            asked = ask_again(settings, sources, first, last)
    except errors as error:
        return _refuse(error)
    print(f"{asked}.", flush=True)
    status = run_nightly(settings)
    if status == 0:
        print(f"{changed_subjects(settings)}.")
    return status


def rollback(settings: Settings, options: argparse.Namespace) -> int:
    """Give readers the release before, or the one named."""
    from orchestration import releases
    from orchestration.lock import LockHeldError

    before = releases.linked_id(settings.published)
    try:
        release = releases.rollback(settings, options.to or None)
    except (releases.ReleaseError, LockHeldError) as error:
        return _refuse(error)
    print(f"Readers now get release {release.release_id} instead of {before}.")
    if before and release.release_id < before:
        print("Remove the cause before the next night, or it publishes the same again.")
    return 0


def accept(settings: Settings, options: argparse.Namespace) -> int:
    """Let the last finding of a gate pass, for as long as it stays the same."""
    from orchestration import gates

    try:
        accepted = gates.accept(settings, options.gate, options.reason)
    except gates.AcceptanceError as error:
        return _refuse(error)
    print(
        f"Accepted: {accepted.gate} with {accepted.observed}, because {accepted.reason}. "
        "`make nightly` goes on with it; the release log will say so."
    )
    return 0


def quality(settings: Settings, options: argparse.Namespace) -> int:
    """Write the gates' results as pages."""
    from orchestration.gate_pages import render_quality

    print(f"The gates' results: {render_quality(settings)}")
    return 0


def forget(settings: Settings, options: argparse.Namespace) -> int:
    """Remove a person from everything, once the number of rows is confirmed."""
    from orchestration.erasure.command import run_forget

    return run_forget(settings, options.person, options.confirm)


def report(settings: Settings, options: argparse.Namespace) -> int:
    """Open the report of the current release in a browser."""
    from orchestration.releases import ReleaseError
    from orchestration.report import opening

    try:
        page = opening.report_page(settings)
    except (opening.NoReportError, ReleaseError) as error:
        return _refuse(error)
    print(f"The report of what readers have now: {page}")
    if not opening.show(page):
        print("No browser could be opened from here: open that file, or serve its folder.")
    return 0


def verify(settings: Settings, options: argparse.Namespace) -> int:
    """Rebuild all tables from raw, and hold those against them that were kept."""
    from orchestration import dbt, raw_views
    from orchestration.lock import LockHeldError, writer_lock
    from orchestration.verify import VerifyError
    from orchestration.verify import verify as verified

    try:
        with writer_lock(settings.home, "a verification"):
            tables = verified(settings, lambda line: print(line, flush=True))
    except (VerifyError, dbt.DbtError, LockHeldError, raw_views.RawError) as error:
        return _refuse(error)
    for table in tables:
        if not table.is_equal:
            print(
                f"{table.table}: expected the rows of a rebuild, found {table.only_kept:,} that it "
                f"does not have, and {table.only_rebuilt:,} of its rows missing."
            )
    if not all(table.is_equal for table in tables):
        print(
            f"Delete {settings.build} and run `make nightly`: the tables are then made from raw. "
            "This is a mistake in the models: please report it."
        )
        return 1
    rows = sum(table.rows for table in tables)
    print(f"All {len(tables)} tables are what a rebuild gives, row for row: {rows:,} rows.")
    return 0


def docs(settings: Settings, options: argparse.Namespace) -> int:
    """Write the documentation of tables, columns and lineage as one page."""
    from orchestration import dbt
    from orchestration.lock import LockHeldError, writer_lock

    try:
        with writer_lock(settings.home, "the writing of documentation"):
            page = dbt.write_docs(settings)
    except (dbt.DbtError, LockHeldError) as error:
        return _refuse(error)
    print(f"Tables, columns and lineage: {page}")
    return 0


def sql(settings: Settings, options: argparse.Namespace) -> int:
    """Open a shell for SQL on the current release, for reading only."""
    from orchestration.releases import ReleaseError
    from orchestration.shell import ShellError, open_shell

    try:
        open_shell(settings)
    except (ShellError, ReleaseError) as error:
        return _refuse(error)
    return 0


def sql_build(settings: Settings, options: argparse.Namespace) -> int:
    """Open a shell for SQL on the build, where refused and quarantined rows are."""
    from orchestration.shell import ShellError, open_build_shell

    try:
        open_build_shell(settings)
    except ShellError as error:
        return _refuse(error)
    return 0


def metrics(settings: Settings, options: argparse.Namespace) -> int:
    """Ask the declared metrics of the current release, in the words of MetricFlow's mf."""
    from orchestration.dbt import DbtError
    from orchestration.metrics import MetricsError, ask
    from orchestration.releases import ReleaseError

    try:
        ask(settings, options.further or ["list", "metrics"])
    except (MetricsError, ReleaseError, DbtError) as error:
        return _refuse(error)
    return 0


def publish_postgres(settings: Settings, options: argparse.Namespace) -> int:
    """Load the current release into the PostgreSQL database of FUNNEL_POSTGRES_URL."""
    from orchestration.postgres import SCHEMA, PostgresError, publish_to_postgres
    from orchestration.releases import ReleaseError

    try:
        loaded = publish_to_postgres(settings, lambda line: print(line, flush=True))
    except (PostgresError, ReleaseError) as error:
        return _refuse(error)
    name = loaded.release.release_id
    if loaded.was_loaded:
        print(f"Readers of the schema {SCHEMA} now get release {name}.")
    else:
        print(f"The schema {SCHEMA} has release {name} already; nothing was loaded.")
    return 0


def ladders(settings: Settings, options: argparse.Namespace) -> int:
    """List the ready-made ladders that `add-funnel` adds."""
    from orchestration.ladders import library

    for ladder in library():
        print(f"{ladder.ladder} ({ladder.funnel['funnel_name']}, {ladder.funnel['subject_type']})")
        print(f"    {ladder.in_words}\n    {ladder.in_chinese}")
    return 0


def add_funnel(settings: Settings, options: argparse.Namespace) -> int:
    """Add a ready-made ladder to the declarations, but for what matches its stages."""
    from orchestration.ladders import LadderError, add

    try:
        added = add(options.ladder, settings.seeds, options.funnel)
    except LadderError as error:
        return _refuse(error)
    print(f"Added the funnel {added.funnel_id}. To fill in are, in {added.rules_file},")
    print("the match_value of the event or stage by which your systems know")
    for line, stage_id in added.lines_to_fill_in:
        print(f"    line {line}: {stage_id}")
    print("Until then nights are refused. Of a stage that nothing tells of, remove this row and")
    print("that in funnel_stages.csv, and number the stages behind it anew. What a rule may be")
    print("stands in docs/declare-a-funnel.md.")
    return 0


def show_settings(settings: Settings, options: argparse.Namespace) -> int:
    """List every setting with its default, what it may be and why."""
    for setting in SETTINGS:
        now = os.environ.get(setting.name)
        default = setting.default or "empty"
        print(f"{setting.name} (default: {default}{'; is set' if now else ''})")
        print(f"    {setting.allowed}\n    {setting.reason}")
    return 0


def dagster(settings: Settings, options: argparse.Namespace) -> int:
    """Serve Dagster's user interface, schedule and sensor on this machine."""
    from orchestration.instance import serve

    serve(settings, options.further)
    return 0


def _refuse(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="what")

    def word(name: str, command: Callable[..., int]) -> argparse.ArgumentParser:
        added = words.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.set_defaults(command=command)
        return added

    word("nightly", nightly)
    filling = word("backfill", backfill)
    filling.add_argument("--from", required=True, help="the first day, as 2026-01-31")
    filling.add_argument("--to", required=True, help="the last day")
    word("rollback", rollback).add_argument("--to", help="a release id (default: the one before)")
    accepting = word("accept", accept)
    accepting.add_argument("--gate", required=True, help="its name, as the failure said it")
    accepting.add_argument("--reason", required=True, help="why the finding is right")
    forgetting = word("forget", forget)
    forgetting.add_argument("--person", default="", help="an address, or an id as user_id:…")
    forgetting.add_argument("--confirm", default="", help="how many rows, as it was shown")
    word("report", report)
    word("quality", quality)
    word("verify", verify)
    word("docs", docs)
    word("sql", sql)
    word("sql-build", sql_build)
    word("metrics", metrics)
    word("publish-postgres", publish_postgres)
    word("ladders", ladders)
    adding = word("add-funnel", add_funnel)
    adding.add_argument("--ladder", required=True, help="its name, as `ladders` lists it")
    adding.add_argument("--funnel", default="", help="what to call the funnel (default: the same)")
    word("settings", show_settings)
    word("dagster", dagster)
    return parser


if __name__ == "__main__":
    sys.exit(main())
