"""What the published tables follow from, in short, so that the same is not built again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from orchestration import raw
from orchestration.dbt import code_digest
from orchestration.declaration_tables import TABLES
from orchestration.declarations import Declarations
from orchestration.hash_key import keyed_hash, read_key
from orchestration.release_macros import macro_texts
from orchestration.settings import Settings
from orchestration.suppression import read_suppression


def fingerprint(settings: Settings, declared: Declarations) -> str:
    """A text of 32 hexadecimal digits that is another when any table may be another.

    It covers what was delivered, what is declared, the models, the settings that they read, and the
    macros of a release.

    Raises:
        LedgerError: a run is loading.
    """
    parts = [
        raw.fingerprint(settings, declared.sources),
        *(declared.as_csv(table) for table in TABLES),
        settings.as_of.isoformat() if settings.as_of else "from the data",
        *code_and_settings(settings),
        *macro_texts(),
        # Of a person who was only in versions that count no more, the deliveries say nothing.
        *sorted(read_suppression(settings).hashes),
    ]
    return short_hash(parts)


def code_and_settings(settings: Settings) -> tuple[str, ...]:
    """The models, and all settings that they read but the as-of."""
    return (
        code_digest(),
        settings.reporting_timezone,
        settings.reporting_currency,
        str(settings.min_reportable),
        str(settings.event_days),
        keyed_hash(read_key(settings), "which key it is"),
    )


def short_hash(parts: Iterable[str]) -> str:
    """A text of 32 hexadecimal digits that is another for other parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
