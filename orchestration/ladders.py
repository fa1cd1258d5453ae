"""The library of ladders: ready-made funnels that a company adds to its declarations.

What they are stands in `ladders/`, in the form of the declarations. What is added is only missing
what nobody else can know: which events or stages of the company's systems mean a stage.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.declaration_tables import TABLES

LIBRARY = Path(__file__).resolve().parent.parent / "ladders"

Cells = Mapping[str, str]


class LadderError(ValueError):
    """The ladder cannot be added. The message says why and what to do; no file was changed."""


@dataclass(frozen=True)
class Ladder:
    """A ready-made funnel: the cells of its row in funnels.csv, and of those of its stages."""

    ladder: str
    funnel: Cells
    stages: tuple[Cells, ...]

    @property
    def in_words(self) -> str:
        """Its stages in English, those of the ladder only."""
        return ", ".join(stage["stage_name"] for stage in self.stages if stage["stage_position"])

    @property
    def in_chinese(self) -> str:
        """Its stages in Chinese, those of the ladder only."""
        names = (stage["stage_name_zh"] for stage in self.stages if stage["stage_position"])
        return "→".join(names)


@dataclass(frozen=True)
class Added:
    """What became of the files: the lines of stage_rules.csv that are to be filled in, by stage."""

    funnel_id: str
    rules_file: Path
    lines_to_fill_in: tuple[tuple[int, str], ...]


def library() -> tuple[Ladder, ...]:
    """All ladders, in the order of the library."""
    stages = _rows((LIBRARY / "funnel_stages.csv").read_text(encoding="utf-8"))
    return tuple(
        Ladder(
            funnel["ladder"],
            funnel,
            tuple(stage for stage in stages if stage["ladder"] == funnel["ladder"]),
        )
        for funnel in _rows((LIBRARY / "funnels.csv").read_text(encoding="utf-8"))
    )


def add(ladder: str, seeds: Path, funnel_id: str = "") -> Added:
    """Add a ladder to the declarations: its funnel, its stages, and a rule to fill in for each.

    All three files are changed or none is. What is in them stays as it is.

    Args:
        ladder: its name in the library.
        seeds: where the declarations are.
        funnel_id: what to call the funnel; empty: as the ladder.

    Raises:
        LadderError: there is no such ladder, the funnel is declared already, or a file cannot be
            read as a table.
    """
    found = next((one for one in library() if one.ladder == ladder), None)
    if found is None:
        names = ", ".join(one.ladder for one in library())
        raise LadderError(f"LADDER: expected one of {names}, found {ladder!r}. See `make ladders`.")
    name = funnel_id or ladder
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise LadderError(
            f"FUNNEL: expected small letters, digits and underscores, found {name!r}. "
            "Write it as in sales_north."
        )
    if not seeds.is_dir():
        raise LadderError(f"FUNNEL_SEEDS: expected a folder, found none at {seeds}. Make it.")
    rows: dict[str, list[dict[str, str]]] = {
        "funnels": [{**found.funnel, "funnel_id": name}],
        "funnel_stages": [{**stage, "funnel_id": name} for stage in found.stages],
        "stage_rules": [
            {
                "funnel_id": name,
                "stage_id": stage["stage_id"],
                "rule_type": stage["rule_type"],
                # Purchases are completed unless the company has another word for it.
                "match_value": "completed" if stage["rule_type"] == "purchase" else "",
                "occurrence": stage["occurrence"],
            }
            for stage in found.stages
        ],
    }
    before = {table: _read(seeds / f"{table}.csv") for table in rows}
    for table, text in before.items():
        _refuse_known(name, seeds / f"{table}.csv", text)
    after = {
        table: _with_rows(seeds / f"{table}.csv", before[table], rows[table], _columns(table))
        for table in rows
    }
    _replace_all({seeds / f"{table}.csv": after[table] for table in rows})
    return Added(name, seeds / "stage_rules.csv", _lines_to_fill_in(after["stage_rules"], name))


def _columns(table: str) -> tuple[str, ...]:
    return next(one.column_names for one in TABLES if one.name == table)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def _read(path: Path) -> str:
    """The text of a file with its line ends as they are; empty where there is none."""
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise LadderError(
            f"{path}: expected text in UTF-8, found other bytes. Save it as UTF-8."
        ) from error


def _refuse_known(funnel_id: str, path: Path, text: str) -> None:
    rows = _rows(text)
    if text and (not rows or "funnel_id" not in rows[0]):
        header = text.removeprefix("\ufeff").splitlines()[0] if text.strip() else ""
        if "funnel_id" not in header.split(","):
            raise LadderError(
                f"{path}: expected a column funnel_id, found {header!r}. "
                "Columns are separated by commas."
            )
    if any(row["funnel_id"] == funnel_id for row in rows):
        raise LadderError(
            f"{path}: expected no funnel {funnel_id!r}, found it. Nothing was added. To have the "
            "ladder a second time, call it something else: FUNNEL=another_name."
        )


def _with_rows(
    path: Path, text: str, rows: Sequence[Mapping[str, str]], columns: Sequence[str]
) -> str:
    """The text with rows behind it, under its own columns; and with new columns if need be."""
    end = "\r\n" if "\r\n" in text else "\n"
    if not text.strip():
        text = ",".join(columns) + end
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = list(csv.reader(io.StringIO(text.removeprefix(mark))))
    header = [cell.strip() for cell in lines[0]]
    needed = [
        column
        for column in columns
        if column not in header and any(row.get(column) for row in rows)
    ]
    if needed:
        for place, line in enumerate(lines):
            if line:
                line += needed if place == 0 else [""] * len(needed)
        header += needed
        text = mark + _written(lines, end)
    if not text.endswith(("\n", "\r")):
        text += end
    return text + _written([[row.get(column, "") for column in header] for row in rows], end)


def _written(lines: Sequence[Sequence[str]], end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(lines)
    return text.getvalue()


def _replace_all(texts: Mapping[Path, str]) -> None:
    """Write all files, or leave all as they were."""
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    try:
        for path, text in texts.items():
            _replace(path, text.encode("utf-8"))
    except OSError as error:
        for path, content in before.items():
            if content is not None and path.read_bytes() != content:
                _replace(path, content)
            elif content is None:
                path.unlink(missing_ok=True)
        raise LadderError(f"{error.filename}: {error.strerror}. Nothing was added.") from error


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        if path.exists():
            new.chmod(path.stat().st_mode)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _lines_to_fill_in(text: str, funnel_id: str) -> tuple[tuple[int, str], ...]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return tuple(
        (reader.line_num, row["stage_id"])
        for row in reader
        if row["funnel_id"] == funnel_id and not row["match_value"]
    )
