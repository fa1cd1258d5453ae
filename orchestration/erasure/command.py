"""The command `forget`: shows what would be removed, and removes it once that is confirmed."""

from __future__ import annotations

import sys

import duckdb

from orchestration.declarations import DeclarationError
from orchestration.erasure import forget
from orchestration.erasure.deliveries import DeliveryFileError
from orchestration.erasure.journal import read_journal
from orchestration.erasure.person import PersonError
from orchestration.hash_key import HashKeyError
from orchestration.landing import LandingError
from orchestration.ledger import LedgerError
from orchestration.lock import LockHeldError
from orchestration.nightly import run_nightly
from orchestration.releases import ReleaseError
from orchestration.settings import Settings
from orchestration.suppression import SuppressionError

ERRORS = (
    DeclarationError,
    DeliveryFileError,
    HashKeyError,
    LandingError,
    LedgerError,
    LockHeldError,
    PersonError,
    ReleaseError,
    SuppressionError,
    forget.ForgetError,
)


def run_forget(settings: Settings, person: str, confirmed: str) -> int:
    """Show or remove.

    Args:
        settings: where everything is.
        person: an address or an id; not looked at where an erasure was begun: that is ended.
        confirmed: the number of rows that was shown; empty to have it shown.

    Returns:
        The exit status: 0 once the person is removed from everything, or is shown as was asked.
    """
    try:
        with forget.held(settings):
            is_resumed = read_journal(settings) is not None
            if is_resumed:
                _tell("Going on with what was begun before.")
            elif not _begin(settings, person, confirmed):
                return 1 if confirmed else 0
            forget.remove(settings, _tell)
        # It takes the lock itself, as every night does.
        if not forget.is_published(settings) and run_nightly(settings) != 0:
            raise forget.ForgetError(
                "The person is removed from all deliveries and tables, and will not be loaded "
                "again. Releases still hold them, as the night behind it failed: remove what "
                "stops it, and call `make forget` again."
            )
        left = forget.finish(settings, _tell)
    except ERRORS as error:
        print(error, file=sys.stderr)
        return 1
    except (OSError, duckdb.Error) as error:
        # Of DuckDB's errors these alone are the disk's.
        is_disk = isinstance(error, (OSError, duckdb.IOException))
        cause = ", such as a full disk or a missing right to write" if is_disk else ""
        print(
            f"{error}\nRemove the cause{cause}, and call `make forget` again: it goes on where it "
            "was.",
            file=sys.stderr,
        )
        return 1
    _tell(
        "The person is forgotten. Should rows about them be delivered again, they are not loaded."
    )
    for trace in left:
        _tell(f"Rows about others, or delivered again, still name an id of theirs: {trace.path}")
    _tell(
        "Not reached from here: backups, copies of releases, readers that have an old one open, "
        "and PostgreSQL until the next `make publish-postgres` (docs/forget-a-person.md)."
    )
    if is_resumed and person:
        _tell("If that was somebody else than PERSON, call this again.")
    return 0


def _begin(settings: Settings, person: str, confirmed: str) -> bool:
    """Begin, if it is confirmed; else say how to."""
    planned = forget.plan(settings, person)
    if confirmed == str(planned.all_rows):
        forget.begin(settings, planned)
        return True
    for line in planned.lines():
        _tell(line)
    if confirmed:
        _tell(f"CONFIRM: expected {planned.all_rows}, the number of these rows, found {confirmed}.")
    _tell(
        "Nothing is removed yet. If all of this is the person's: "
        f"make forget PERSON='{person}' CONFIRM={planned.all_rows}"
    )
    return False


def _tell(line: str) -> None:
    print(line, flush=True)
