"""The columns that a file delivers: how their names are spelled in raw, and what is missing.

What is in the columns is held against their types in `values`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from orchestration.extracts import OWN_COLUMNS, Extract
from orchestration.refusals import DuplicateColumnError, MissingColumnError


def snake_name(delivered: str, position: int) -> str:
    """The name of a delivered column in raw: `Close Date` and `closeDate` are `close_date`.

    Args:
        delivered: the name in the file; one without a letter or digit is named by its position.
        position: its place in the file, from 1.
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", delivered.strip())
    name = re.sub(r"\W+", "_", words.lower())
    name = re.sub(r"__+", "_", name).rstrip("_")
    if name in OWN_COLUMNS:
        name = name.lstrip("_")
    return name or f"column_{position}"


def snake_names(file: str, delivered: Sequence[str]) -> dict[str, str]:
    """The names in raw of all delivered columns, to the names in the file, in the file's order.

    Raises:
        DuplicateColumnError: if two of them would be the same.
    """
    names: dict[str, str] = {}
    for position, delivered_name in enumerate(delivered, start=1):
        name = snake_name(delivered_name, position)
        if name in names:
            raise DuplicateColumnError(
                file,
                "each column once",
                f"{names[name]!r} and {delivered_name!r}",
                column=name,
            )
        names[name] = delivered_name
    return names


def check_columns(file: str, extract: Extract, delivered: Sequence[str]) -> None:
    """Hold delivered column names, spelled as in raw, against the extract's declaration.

    Raises:
        MissingColumnError: naming the first column that is lost, what it may be called now, and
            the others that are lost.
    """
    required = [(column.name,) for column in extract.columns if column.is_required]
    lost = [
        names
        for names in [*required, *extract.one_of]
        if not any(name in delivered for name in names)
    ]
    if lost:
        raise _missing(file, lost, delivered, extract)


def new_columns(extract: Extract, delivered: Sequence[str]) -> tuple[str, ...]:
    """The delivered columns that are not declared, in the file's order."""
    return tuple(name for name in delivered if name not in extract.column_names)


def _missing(
    file: str, lost: Sequence[Sequence[str]], delivered: Sequence[str], extract: Extract
) -> MissingColumnError:
    names, *others = lost
    if delivered and not set(delivered) & set(extract.column_names):
        return MissingColumnError(
            file,
            f"the required column {' or '.join(names)}",
            "a header that names none of the declared columns",
            column=" or ".join(names),
            remedy="If the first line is a row, deliver the file with a header.",
        )
    undeclared = new_columns(extract, delivered)
    renamed = [name for wanted in names for name in get_close_matches(wanted, undeclared, n=1)]
    if not renamed and len(undeclared) == 1:
        renamed = [undeclared[0]]
    column = " or ".join(names)
    remedy = (
        f"{renamed[0]} may be its new name: deliver it as {names[0]}."
        if renamed
        else "Deliver the column again."
    )
    if others:
        remedy += f" Missing too: {', '.join(' or '.join(other) for other in others)}."
    return MissingColumnError(
        file,
        f"the required column {column}",
        f"the columns {', '.join(delivered)}" if delivered else "no header in the first line",
        column=column,
        remedy=remedy,
    )
