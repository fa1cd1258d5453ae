"""Whether what was kept from night to night is what a rebuild from raw gives, row for row."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from orchestration import dbt, declarations
from orchestration.known_on import kept_files, show_dates
from orchestration.published_tables import quoted_list
from orchestration.raw_views import create_raw_views
from orchestration.release_database import columns_of, connection_to, relations_of
from orchestration.settings import Settings
from orchestration.values import quoted

# What readers get is made of these.
SCHEMAS = ("core", "marts")


class VerifyError(RuntimeError):
    """The build cannot be held against a rebuild. The message says what to do."""


@dataclass(frozen=True)
class ComparedTable:
    """A table of the build, held against the same of a rebuild.

    Attributes:
        table: its schema and name.
        rows: how many the build has.
        only_kept: rows of the build that the rebuild does not have.
        only_rebuilt: rows of the rebuild that the build does not have.
    """

    table: str
    rows: int
    only_kept: int
    only_rebuilt: int

    @property
    def is_equal(self) -> bool:
        """Whether both have the same rows, each as often."""
        return not self.only_kept and not self.only_rebuilt


def verify(settings: Settings, tell: Callable[[str], None]) -> tuple[ComparedTable, ...]:
    """Rebuild all tables from raw beside the build, and compare. The build stays as it is.

    The caller holds the writer lock.

    Args:
        settings: where the state is.
        tell: is given a line before each long step.

    Returns:
        All tables of core and marts, by name.

    Raises:
        VerifyError: there is no finished build, or it is older than raw; a model failed.
        dbt.DbtError: dbt could not run at all.
        raw_views.RawError: raw is not as the ledger says.
    """
    if not settings.build.exists():
        raise VerifyError(f"{settings.build}: expected a build, found none. Run `make nightly`.")
    scratch = replace(settings, home=settings.home / "verify", as_of=_as_of(settings))
    declared = declarations.read(settings.declarations)
    shutil.rmtree(scratch.home, ignore_errors=True)
    scratch.home.mkdir(parents=True)
    try:
        declarations.write(declared, scratch.declarations)
        create_raw_views(settings, declared.sources, scratch.build)
        _refuse_older_build(settings, scratch)
        show_dates(scratch, kept_files(settings))
        tell(f"Rebuilding all tables from raw in {scratch.home}")
        _rebuild(scratch)
        tell("Comparing them with the build, row for row")
        return _compare(settings, scratch)
    finally:
        shutil.rmtree(scratch.home, ignore_errors=True)


def _as_of(settings: Settings) -> datetime:
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        try:
            found = connection.execute("select as_of from intermediate.int_run").fetchone()
        except duckdb.CatalogException:
            found = None
    if not found:
        raise VerifyError(
            f"{settings.build}: expected a finished build, found one without an as-of. "
            "Run `make nightly`."
        )
    as_of: datetime = found[0]
    return as_of


def _refuse_older_build(settings: Settings, scratch: Settings) -> None:
    """A night that failed behind the loading leaves a build that does not know all of raw."""
    loads = []
    for home in (settings, scratch):
        with duckdb.connect(str(home.build), read_only=True) as connection:
            loads.append(
                connection.execute(
                    "select load_id, is_current from raw.loads order by all"
                ).fetchall()
            )
    if loads[0] != loads[1]:
        raise VerifyError(
            f"{settings.build}: expected a build of all that is loaded, found files that were "
            "loaded since. Run `make nightly`."
        )


def _rebuild(scratch: Settings) -> None:
    ran = dbt.run(scratch, dbt.rebuild_arguments(scratch, "resource_type:seed", "path:models"))
    if ran.failures or not ran.results:
        raise VerifyError(
            "\n".join(
                [
                    "The rebuild: expected all models to be built, found:",
                    *ran.failure_lines,
                    "Run `make nightly`: where that builds the same models, this is a mistake in "
                    "`make verify`. Please report it.",
                ]
            )
        )


def _compare(settings: Settings, scratch: Settings) -> tuple[ComparedTable, ...]:
    attached = {"kept": (settings.build, "read_only"), "rebuilt": (scratch.build, "read_only")}
    with connection_to(scratch, attached) as connection:
        return tuple(
            _compare_table(connection, schema, table)
            for schema, table in sorted(relations_of(connection, "rebuilt"))
            if schema in SCHEMAS
        )


def _compare_table(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> ComparedTable:
    relation = f"{quoted(schema)}.{quoted(table)}"
    kept, rebuilt = f"kept.{relation}", f"rebuilt.{relation}"

    def counted(sql: str) -> int:
        found = connection.execute(f"select count(*) from ({sql})").fetchone()
        return int(found[0]) if found else 0

    columns = quoted_list(tuple(columns_of(connection, rebuilt)))
    kept, rebuilt = f"select {columns} from {kept}", f"select {columns} from {rebuilt}"
    return ComparedTable(
        table=f"{schema}.{table}",
        rows=counted(kept),
        only_kept=counted(f"{kept} except all {rebuilt}"),
        only_rebuilt=counted(f"{rebuilt} except all {kept}"),
    )
