"""Keeps the funnel of declared past dates as it was known on them, one Parquet file a date.

A date is built in a database of its own, by the same models, from what was known then (see
`known_deliveries`); `home/known_on` holds the files, and a view in the build shows dbt their rows.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import yaml

from orchestration import dbt, declarations
from orchestration.database import open_database
from orchestration.declaration_tables import TABLES
from orchestration.declarations import Declarations
from orchestration.extracts import LOADER
from orchestration.fingerprint import code_and_settings, short_hash
from orchestration.known_deliveries import Known, known_on_dates, midnight
from orchestration.raw_views import create_raw_views
from orchestration.releases import sync
from orchestration.settings import Settings
from orchestration.values import literal, quoted

# The declaration table that names the dates, and the column that does.
DATES, KNOWN_ON = "known_on_dates", "known_on"
# What is kept of a date, and where dbt finds it in the build.
KEPT = "funnel_conversion"
SCHEMA = "known_on"
CONTRACT = Path("models", "marts", "funnel", "_funnel__models.yml")


class KnownOnError(RuntimeError):
    """The funnel as known on a date could not be built. The message names date and model."""


@dataclass(frozen=True)
class KeptDate:
    """A date whose funnel is kept: in which file, and how many seconds it took to build.

    `seconds` is None where the file was there already.
    """

    known_on: date
    file: Path
    seconds: float | None


def keep_known_dates(
    settings: Settings,
    declared: Declarations,
    as_of: datetime | None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[KeptDate, ...]:
    """Build what is missing of the declared dates, drop what is not asked for, show dbt the rest.

    Args:
        settings: where the state is, and the settings of the night.
        declared: the declarations of the night; past dates are built with them, too.
        as_of: the instant (UTC) up to which the night knows: later dates wait; None: none waits.
        tell: told what was done, a line a date.

    Returns:
        The dates that are kept, ascending.

    Raises:
        KnownOnError: a model failed on what was known on a date.
        raw_views.RawError: raw is not as the ledger says.
        LedgerError: a run is loading.
    """
    dates = _dates(settings, declared, as_of, tell)
    known = known_on_dates(settings, declared.sources, dates) if dates else {}
    kept = []
    for day in dates:
        file = _folder(settings) / f"{day}-{_fingerprint(settings, declared, known[day])}.parquet"
        if file.exists():
            kept.append(KeptDate(day, file, None))
            tell(f"{day}: kept")
            continue
        started = time.monotonic()
        tell(f"{day}: not kept yet, is built")
        _build(settings, declared, known[day], file)
        kept.append(KeptDate(day, file, time.monotonic() - started))
        tell(f"{day}: built in {kept[-1].seconds:.0f} s")
    for file in kept_files(settings):
        if file not in {date.file for date in kept}:
            file.unlink()
    show_dates(settings, [date.file for date in kept])
    return tuple(kept)


def kept_files(settings: Settings) -> tuple[Path, ...]:
    """The files of all dates that are kept."""
    return tuple(sorted(_folder(settings).glob("*.parquet")))


def contract_columns() -> Mapping[str, str]:
    """The columns of `funnel_conversion` and their types, as its contract declares them."""
    path = dbt.PROJECT / CONTRACT
    models = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)["models"]
    (columns,) = (model["columns"] for model in models if model["name"] == KEPT)
    return {column["name"]: column["data_type"] for column in columns}


def _folder(settings: Settings) -> Path:
    return settings.home / "known_on"


def _dates(
    settings: Settings,
    declared: Declarations,
    as_of: datetime | None,
    tell: Callable[[str], None],
) -> list[date]:
    """The declared dates that the night can look back on."""
    declared_dates = sorted(date.fromisoformat(row[KNOWN_ON]) for row in declared.tables[DATES])
    dates = []
    for day in declared_dates:
        if as_of is None or midnight(day, settings.reporting_timezone) <= as_of:
            dates.append(day)
        else:
            tell(f"{day}: later than this night, waits")
    return dates


def _fingerprint(settings: Settings, declared: Declarations, known: Known) -> str:
    """Another where the funnel of the date may be another; without the other dates."""
    return short_hash(
        [
            known.before.isoformat(),
            *known.deliveries.values(),
            "by rows",
            *known.by_rows.values(),
            *(declared.as_csv(table) for table in TABLES if table.name != DATES),
            *code_and_settings(settings),
        ]
    )


def _build(settings: Settings, declared: Declarations, known: Known, file: Path) -> None:
    """Build the funnel of a date into its file, which is there whole or not at all."""
    # A home of its own: the tables of tonight stay as they are.
    scratch = replace(settings, home=_folder(settings) / "scratch", as_of=known.before)
    _clear(scratch)
    scratch.home.mkdir(parents=True, exist_ok=True)
    declarations.write(declared, scratch.declarations)
    create_raw_views(settings, declared.sources, scratch.build, known)
    # Its rows go through the tests of the mart that shows them.
    outcome = dbt.run(scratch, dbt.rebuild_arguments(scratch, f"+{KEPT}"))
    if outcome.failures or not outcome.results:
        found = outcome.failure_lines
        raise KnownOnError(
            "\n".join(
                [
                    f"The funnel as known on {known.known_on}: expected all its models to be "
                    f"built, found:{'' if found else ' none'}",
                    *found,
                    f"More is in {scratch.dbt / 'logs' / 'dbt.log'}. Mend the model, or remove "
                    f"the date from {DATES}.csv.",
                ]
            )
        )
    unfinished = file.with_suffix(".unfinished")
    columns = ", ".join(quoted(name) for name in contract_columns())
    with open_database(scratch, scratch.build, read_only=True) as connection:
        connection.execute(
            f"copy (select date '{known.known_on}' as {KNOWN_ON}, {columns} from marts.{KEPT} "
            f"order by all) to {literal(str(unfinished))} (format parquet, compression zstd)"
        )
    sync(unfinished)
    os.replace(unfinished, file)
    _clear(scratch)


def _clear(scratch: Settings) -> None:
    for path in scratch.home.glob(f"{scratch.build.name}*"):
        path.unlink()
    shutil.rmtree(scratch.temporary, ignore_errors=True)


def show_dates(settings: Settings, files: Sequence[Path]) -> None:
    """Show dbt the rows of these files: a view in the build, without rows if there is no file."""
    columns = {KNOWN_ON: "date", **contract_columns()}
    if files:
        listed = ", ".join(literal(str(file)) for file in files)
        names = ", ".join(quoted(name) for name in columns)
        rows = f"select {names} from read_parquet([{listed}])"
    else:
        names = ", ".join(
            f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns.items()
        )
        rows = f"select {names} where false"
    with open_database(settings, settings.build) as connection:
        connection.execute(f"create schema if not exists {SCHEMA}")
        connection.execute(f"create or replace view {SCHEMA}.{KEPT} as {rows}")
