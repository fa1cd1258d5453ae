"""Every setting of the warehouse: name, default, range and reason.

Nothing else reads the environment. What a company declares about its funnels are seeds (see
`declarations`), not settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.hash_key import LEAST_CHARACTERS
from orchestration.memory import available_memory

# So that a unit that was left out or mistyped is refused, and not found out by a night that fails.
LEAST_MEMORY = 500_000_000
UNITS = {"MB": 1_000_000, "GB": 1_000_000_000}


class SettingError(ValueError):
    """A setting that cannot be used. The message names it, what was found and what is allowed."""


@dataclass(frozen=True)
class Setting:
    """One environment variable: its default, what it may be, and what it is for."""

    name: str
    default: str
    allowed: str
    reason: str


SETTINGS = (
    Setting(
        "FUNNEL_LANDING",
        "landing",
        "a folder",
        "Where deliveries lie, as <source>/<table>/<file>. Only the simulation writes there.",
    ),
    Setting(
        "FUNNEL_HOME",
        "warehouse",
        "a folder on one local file system",
        "All state. On two file systems a release could not be replaced in one step.",
    ),
    Setting(
        "FUNNEL_SEEDS",
        "seeds",
        "a folder of the declaration tables",
        "Lets a company keep its declarations in a repository of its own.",
    ),
    Setting(
        "FUNNEL_AS_OF",
        "",
        "an ISO 8601 instant, UTC where it has no offset; empty: from the data",
        "A run knows only instants before it. Empty means the first midnight in "
        "FUNNEL_TIMEZONE after the latest accepted event or change.",
    ),
    Setting(
        "FUNNEL_TIMEZONE",
        "UTC",
        "an IANA time zone",
        "Calendar dates, cohorts and the hour of the nightly run are in it.",
    ),
    Setting(
        "FUNNEL_CURRENCY",
        "USD",
        "three capital letters",
        "The reporting currency. An amount without a currency is taken to be in it.",
    ),
    Setting(
        "FUNNEL_MIN_REPORTABLE",
        "30",
        "a whole number from 1",
        "A rate of fewer is marked as not reportable, and takes no part in comparisons. Too low, "
        "and chance looks like news; too high, and small segments never have any.",
    ),
    Setting(
        "FUNNEL_EVENT_DAYS",
        "400",
        "a whole number from 0",
        "Events of so many days before the as-of are published in fct_events; 0 publishes none. A "
        "year and a month lets one compare with the year before. Each million events takes some "
        "40 MB in a release, and some seconds of the night.",
    ),
    Setting(
        "FUNNEL_HASH_KEY",
        "",
        f"a secret of at least {LEAST_CHARACTERS} characters; empty: that in FUNNEL_HOME/hash_key",
        "Addresses are hashed with it, and who was forgotten is known by it. Keep it in the "
        "environment, or let the first night make one, in a file that its user alone can read. "
        "With another one, nobody who was forgotten is known any more.",
    ),
    Setting(
        "FUNNEL_LOOKBACK_DAYS",
        "",
        "a whole number from 0; empty: all days",
        "Files of web events that are named for a day so long before the newest one delivered wait "
        "for `make backfill` if they come or change. Empty, and a night takes in what is late by "
        "years; too low, and what is late by days waits for somebody.",
    ),
    Setting(
        "FUNNEL_KEEP_RELEASES",
        "7",
        "a whole number from 1",
        "Past releases for rollback. Fewer than 2 leaves nothing to go back to; each takes "
        "the disk space of its changed tables.",
    ),
    Setting(
        "FUNNEL_MAX_QUARANTINE_SHARE",
        "0.05",
        "0 to 1",
        "A larger share of quarantined rows in a table stops the night. Too low, and one odd row "
        "of a small file wakes somebody; too high, and a broken extract is published.",
    ),
    Setting(
        "FUNNEL_MEMORY_LIMIT",
        "60%",
        "a size from 500MB, as 500MB or 24GB, or a share of the machine's memory, as 60%",
        "What a database of the night may hold in memory; the rest is on disk in FUNNEL_HOME/tmp. "
        "The machine's memory is that of its control group where one sets less. Too low, and sorts "
        "spill that need not, or cannot be done at all; too high, and the system kills the night, "
        "as Python and the engine need memory beside it.",
    ),
    Setting(
        "FUNNEL_SETTLE_SECONDS",
        "60",
        "a whole number from 0",
        "The sensor starts a run when no file has changed for this long. Too low, and it starts in "
        "the middle of a delivery; too high, and it starts late.",
    ),
    Setting(
        "FUNNEL_WEBHOOK_URL",
        "",
        "an http or https address; empty: none",
        "A failed run and new alerts are posted there as JSON. It may hold a token: keep it in the "
        "environment.",
    ),
    Setting(
        "FUNNEL_POSTGRES_URL",
        "",
        "an address as postgresql://user:password@host/database; empty: none",
        "`make publish-postgres` loads the current release there. It may hold a password: keep it "
        "in the environment, or the password in ~/.pgpass.",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings of one run, checked. Instants are UTC without an offset, as in the tables.

    `memory_limit` is in bytes.
    """

    landing: Path
    home: Path
    seeds: Path
    as_of: datetime | None
    reporting_timezone: str
    reporting_currency: str
    min_reportable: int
    event_days: int
    lookback_days: int | None
    keep_releases: int
    max_quarantine_share: float
    memory_limit: int
    settle_seconds: int
    hash_key_file: Path
    hash_key: str = field(repr=False)
    webhook_url: str = field(repr=False)
    postgres_url: str = field(repr=False)

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        changed: Mapping[str, str] | None = None,
    ) -> Self:
        """Read and check all settings.

        Args:
            environment: where they stand; None for that of the process.
            changed: settings that count instead of those in the environment.

        Raises:
            SettingError: naming the first setting that is not as SETTINGS allows, or that there
                is no such setting.
        """
        unknown = set(changed or {}) - {setting.name for setting in SETTINGS}
        if unknown:
            raise SettingError(
                f"{', '.join(sorted(unknown))}: expected a name that `make settings` lists, found "
                "none. Correct the name."
            )
        given = {**(os.environ if environment is None else environment), **(changed or {})}
        value = {
            setting.name: given.get(setting.name, "") or setting.default for setting in SETTINGS
        }
        return cls(
            landing=Path(value["FUNNEL_LANDING"]).resolve(),
            home=Path(value["FUNNEL_HOME"]).resolve(),
            seeds=Path(value["FUNNEL_SEEDS"]).resolve(),
            as_of=_instant("FUNNEL_AS_OF", value["FUNNEL_AS_OF"]),
            reporting_timezone=_timezone("FUNNEL_TIMEZONE", value["FUNNEL_TIMEZONE"]),
            reporting_currency=_currency("FUNNEL_CURRENCY", value["FUNNEL_CURRENCY"]),
            min_reportable=_whole("FUNNEL_MIN_REPORTABLE", value["FUNNEL_MIN_REPORTABLE"], least=1),
            event_days=_whole("FUNNEL_EVENT_DAYS", value["FUNNEL_EVENT_DAYS"], least=0),
            lookback_days=_whole("FUNNEL_LOOKBACK_DAYS", value["FUNNEL_LOOKBACK_DAYS"], least=0)
            if value["FUNNEL_LOOKBACK_DAYS"]
            else None,
            keep_releases=_whole("FUNNEL_KEEP_RELEASES", value["FUNNEL_KEEP_RELEASES"], least=1),
            max_quarantine_share=_share(
                "FUNNEL_MAX_QUARANTINE_SHARE", value["FUNNEL_MAX_QUARANTINE_SHARE"]
            ),
            memory_limit=_memory("FUNNEL_MEMORY_LIMIT", value["FUNNEL_MEMORY_LIMIT"]),
            settle_seconds=_whole("FUNNEL_SETTLE_SECONDS", value["FUNNEL_SETTLE_SECONDS"], least=0),
            # Not below a home that is worked in for a while: the secret is one.
            hash_key_file=Path(value["FUNNEL_HOME"]).resolve() / "hash_key",
            hash_key=_secret("FUNNEL_HASH_KEY", value["FUNNEL_HASH_KEY"]),
            webhook_url=_address(
                "FUNNEL_WEBHOOK_URL", value["FUNNEL_WEBHOOK_URL"], ("http://", "https://")
            ),
            postgres_url=_address(
                "FUNNEL_POSTGRES_URL",
                value["FUNNEL_POSTGRES_URL"],
                ("postgresql://", "postgres://"),
            ),
        )

    @property
    def raw(self) -> Path:
        """One Parquet file for each accepted version of a landing file."""
        return self.home / "raw"

    @property
    def quarantine(self) -> Path:
        """The rows that could not be read, with their reasons."""
        return self.home / "quarantine"

    @property
    def ledger(self) -> Path:
        """What was delivered, when, and what became of it."""
        return self.home / "ledger.duckdb"

    @property
    def suppressed(self) -> Path:
        """Keyed hashes of those who were forgotten, beside the secret that they are made with."""
        return self.hash_key_file.with_name("suppressed.txt")

    @property
    def build(self) -> Path:
        """The build's own database. Private, and made anew from raw at any time."""
        return self.home / "build.duckdb"

    @property
    def declarations(self) -> Path:
        """The checked and completed copy of the seeds that dbt reads."""
        return self.home / "declarations"

    @property
    def gates(self) -> Path:
        """The results of every gate, and the surprises that were accepted."""
        return self.home / "gates"

    @property
    def quality(self) -> Path:
        """The gates' results as pages."""
        return self.home / "quality"

    @property
    def published(self) -> Path:
        """The releases, and the link `current` to the one that readers get."""
        return self.home / "published"

    @property
    def dagster(self) -> Path:
        """Dagster's own state: runs, logs, schedules."""
        return self.home / "dagster"

    @property
    def dbt(self) -> Path:
        """What dbt writes about itself: its manifest, compiled SQL, logs."""
        return self.home / "dbt"

    @property
    def docs(self) -> Path:
        """The documentation of the models as a page."""
        return self.home / "docs"

    @property
    def temporary(self) -> Path:
        """What does not fit into memory while it is worked on."""
        return self.home / "tmp"

    @property
    def database_options(self) -> Mapping[str, str]:
        """What a DuckDB is to be opened with, in its own words."""
        return {
            "memory_limit": f"{self.memory_limit}B",
            "temp_directory": str(self.temporary),
        }

    def dbt_environment(self) -> dict[str, str]:
        """The environment that dbt is to run in, so that it sees these settings and no others."""
        return {
            "FUNNEL_HOME": str(self.home),
            "FUNNEL_AS_OF": self.as_of.isoformat(sep=" ") if self.as_of else "",
            "FUNNEL_TIMEZONE": self.reporting_timezone,
            "FUNNEL_CURRENCY": self.reporting_currency,
            "FUNNEL_MIN_REPORTABLE": str(self.min_reportable),
            "FUNNEL_EVENT_DAYS": str(self.event_days),
            "FUNNEL_HASH_KEY": self.hash_key,
            "FUNNEL_HASH_KEY_FILE": str(self.hash_key_file),
            "FUNNEL_MEMORY_LIMIT": self.database_options["memory_limit"],
            "DO_NOT_TRACK": "1",
        }


def _refused(name: str, found: str) -> SettingError:
    allowed = next(setting.allowed for setting in SETTINGS if setting.name == name)
    return SettingError(
        f"{name}: expected {allowed}, found {found!r}. Correct it in the environment."
    )


def _instant(name: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _refused(name, text) from None
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def _timezone(name: str, text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused(name, text) from None
    return text


def _currency(name: str, text: str) -> str:
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise _refused(name, text)
    return text


def _whole(name: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise _refused(name, text)
    return int(text)


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        raise _refused(name, text) from None
    if not 0 <= share <= 1:
        raise _refused(name, text)
    return share


def _memory(name: str, text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(MB|GB|%)", text, re.ASCII)
    if not found:
        raise _refused(name, text)
    number, unit = float(found[1]), found[2]
    if unit == "%" and not 0 < number <= 100:
        raise _refused(name, text)
    limit = int(number * (available_memory() / 100 if unit == "%" else UNITS[unit]))
    if limit < LEAST_MEMORY:
        raise _refused(name, f"{text} ({limit / UNITS['MB']:.0f} MB)" if unit == "%" else text)
    return limit


def _secret(name: str, text: str) -> str:
    if text and len(text) < LEAST_CHARACTERS:
        raise _refused(name, "a shorter one, which is not shown")
    return text


def _address(name: str, text: str, schemes: tuple[str, ...]) -> str:
    if text and not text.startswith(schemes):
        raise _refused(name, "a value that is not shown, as it may hold a secret")
    return text
