"""What a person should know of a night although nobody need be woken for it, kept for its summary.

What there is to note is found out where the night is at work: in `load_notes` and `name_notes`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from orchestration.settings import Settings


def keep_notes(settings: Settings, run_id: str, notes: Sequence[str]) -> None:
    """Add notes to those of a run; those of the run before are dropped."""
    kept = dict.fromkeys([*notes_of(settings, run_id), *notes])
    settings.home.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"run_id": run_id, "notes": list(kept)}, ensure_ascii=False, indent=4)
    # A run that dies here leaves no half of a file, which no run after it could read.
    unfinished = _file(settings).with_suffix(".partial")
    unfinished.write_text(text + "\n", encoding="utf-8")
    os.replace(unfinished, _file(settings))


def notes_of(settings: Settings, run_id: str) -> tuple[str, ...]:
    """The notes of a run in the order of finding; none if another has run since."""
    try:
        kept = json.loads(_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(kept["notes"]) if kept["run_id"] == run_id else ()


def _file(settings: Settings) -> Path:
    return settings.home / "notes.json"
