"""What is being forgotten and how far that has come, kept until it is done.

While it lasts it holds the person's addresses and ids, in a file that its user alone can read: what
was removed from most places could not be found in the others any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from orchestration.settings import Settings
from orchestration.suppression import write_secretly

Step = Literal["remove", "publish"]


@dataclass(frozen=True)
class Journal:
    """One erasure that is at work.

    Attributes:
        identifiers: kind and id, as the warehouse has them.
        email_hashes: what staging has for the addresses.
        spelled: addresses, hashes of these and ids as they are delivered, in small letters.
        step: `remove` while rows are taken out; `publish` once raw is without them.
        rewritten: by path in the landing, the hashes of the file before and after.
    """

    identifiers: tuple[tuple[str, str], ...]
    email_hashes: tuple[str, ...]
    spelled: tuple[str, ...]
    step: Step = "remove"
    rewritten: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def with_rewritten(self, file: str, before: str, after: str) -> Journal:
        """This one, with one delivered file more, or with what one has become since."""
        first, last = self.rewritten.get(file, (before, before))
        before = first if last == before else before
        return replace(self, rewritten={**self.rewritten, file: (before, after)})


def journal_file(settings: Settings) -> Path:
    """Where it is kept."""
    return settings.hash_key_file.with_name("forgetting.json")


def read_journal(settings: Settings) -> Journal | None:
    """The erasure that was begun and not finished; None if there is none."""
    try:
        fields = json.loads(journal_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Journal(
        tuple((kind, value) for kind, value in fields["identifiers"]),
        tuple(fields["email_hashes"]),
        tuple(fields["spelled"]),
        fields["step"],
        {file: (before, after) for file, (before, after) in fields["rewritten"].items()},
    )


def write_journal(settings: Settings, journal: Journal) -> None:
    """Have it on the disk before anything that relies on it."""
    write_secretly(journal_file(settings), json.dumps(asdict(journal)))


def end_journal(settings: Settings) -> None:
    """Forget what was forgotten."""
    journal_file(settings).unlink(missing_ok=True)
