"""The declarations that ship with the warehouse, in the words of another format.

A funnel is the same whatever delivers it; only what events, stages and attributes are called
differs, and which sources there are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from simulation.formats import Format

SHIPPED = Path(__file__).parent.parent / "seeds"
# Whose attributes come of events. Of persons both sides tell, by the same names.
_OF_THE_WEB = ("visitor", "session", "user")

Row = dict[str, str]


def write(folder: Path, form: Format) -> None:
    """Let `folder` hold all declarations as the format needs them."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(SHIPPED.glob("*.csv")):
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(_translated(path.stem, text, form), encoding="utf-8")


def _translated(name: str, text: str, form: Format) -> str:
    reader = csv.DictReader(io.StringIO(text))
    rows = list(reader)
    translations: Mapping[str, Callable[[Row], Row]] = {
        "stage_rules": lambda row: _rule(row, form),
        "segments": lambda row: _segment(row, form),
    }
    if name == "sources":
        columns = ["source", "system"]
        rows = [{"source": source, "system": system} for source, system in form.systems.items()]
    elif name in translations:
        columns = list(reader.fieldnames or ())
        rows = [translations[name](row) for row in rows]
    else:
        return text
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _rule(row: Row, form: Format) -> Row:
    names = {"event": form.event_names, "lead_status": form.lead_stages}.get(row["rule_type"], {})
    return row | {"match_value": _named(row["match_value"], row["match_type"], names)}


def _named(value: str, match_type: str, names: Mapping[str, str]) -> str:
    if match_type != "regex":
        return names.get(value, value)
    # The longest first: a name may be part of another.
    for name in sorted(names, key=len, reverse=True):
        value = value.replace(name, names[name])
    return value


def _segment(row: Row, form: Format) -> Row:
    if row["subject_type"] not in _OF_THE_WEB:
        return row
    return row | {"attribute": form.event_attributes.get(row["attribute"], row["attribute"])}
