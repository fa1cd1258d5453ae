"""The contract of each system's extracts, as its dbt sources file declares it.

The file `models/staging/<system>/_<system>__sources.yml` is the one list of tables and columns; how
a value is held against its type is in `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

STAGING = Path(__file__).parents[1] / "models" / "staging"
GENERIC = "generic"
# The loader's own columns of a row; a delivered column of such a name loses its underscore.
OWN_COLUMNS = (
    "_source",
    "_file",
    "_row",
    "_load_id",
    "_delivered_at",
    "_plausible_until",
    "_is_current",
    "_extra",
)
# The one in C takes a tenth of the time, and is not in every build of PyYAML.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# By what a person is known, besides addresses. The last two are keys of their source.
PERSON_KINDS = ("user_id", "anonymous_id", "contact_id", "record_id")
DATA_TYPES = ("varchar", "timestamp", "date", "decimal", "boolean", "json", "json_array")


class ExtractsError(ValueError):
    """The declaration of the extracts cannot be used. The message names file, table and column."""


@dataclass(frozen=True)
class Column:
    """One declared column of an extract.

    Attributes:
        data_type: one of DATA_TYPES.
        person: of which kinds, of PERSON_KINDS, the identifier is that it holds, or a list of
            them; a row belongs to the person of each.
    """

    name: str
    data_type: str
    is_required: bool = False
    person: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extract:
    """One declared table.

    Attributes:
        one_of: of each of these alternatives, every row needs at least one value.
        received_at: the column that says of each row when it was received, whenever its file was
            delivered; None if there is none.
        is_web_events: whether its rows are events, whose files of some days can be read again.
    """

    table_name: str
    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    received_at: str | None = None
    is_web_events: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """The declared columns in their order."""
        return tuple(column.name for column in self.columns)


Extracts = Mapping[str, Extract]


def known_systems(staging: Path = STAGING) -> tuple[str, ...]:
    """The systems whose extracts can be loaded: those with a sources file, in order of name."""
    files = staging.glob("*/_*__sources.yml")
    return tuple(sorted(file.parent.name for file in files if file == sources_file(file.parent)))


def sources_file(folder: Path) -> Path:
    """Where the staging folder of a system declares its extracts."""
    return folder / f"_{folder.name}__sources.yml"


@cache
def read_extracts(system: str = GENERIC, staging: Path = STAGING) -> Extracts:
    """The declared extracts of a system by table name.

    The loader's own columns are declared beside those that are delivered, and left out here.

    Raises:
        ExtractsError: if a type is unknown, or `one_of` or `received_at` of a table names a column
            that is not declared.
    """
    path = sources_file(staging / system)
    (source,) = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)["sources"]
    extracts = (_extract(path, table) for table in source["tables"])
    return {extract.table_name: extract for extract in extracts}


def _extract(path: Path, table: Mapping[str, Any]) -> Extract:
    columns = tuple(
        Column(
            column["name"],
            column["data_type"],
            bool(_meta(column).get("required", False)),
            _kinds(column),
        )
        for column in table["columns"]
        if column["name"] not in OWN_COLUMNS
    )
    one_of = tuple(tuple(names) for names in _meta(table).get("one_of", []))
    received_at: str | None = _meta(table).get("received_at")
    is_web_events = bool(_meta(table).get("is_web_events", False))
    extract = Extract(table["name"], columns, one_of, received_at, is_web_events)
    for column in columns:
        if column.data_type not in DATA_TYPES:
            raise ExtractsError(
                f"{path}, {extract.table_name}.{column.name}: expected a data_type of "
                f"{', '.join(DATA_TYPES)}, found {column.data_type}. Correct the declaration."
            )
        unknown_kinds = set(column.person) - set(PERSON_KINDS)
        if unknown_kinds:
            raise ExtractsError(
                f"{path}, {extract.table_name}.{column.name}: expected person to name "
                f"{', '.join(PERSON_KINDS)}, found {', '.join(sorted(unknown_kinds))}. Correct the "
                "declaration."
            )
    named = {
        "one_of": {name for names in one_of for name in names},
        "received_at": {received_at} if received_at else set(),
    }
    for key, names in named.items():
        unknown = names - set(extract.column_names)
        if unknown:
            raise ExtractsError(
                f"{path}, {extract.table_name}: expected {key} to name declared columns, found "
                f"{', '.join(sorted(unknown))}. Declare the column or correct its name."
            )
    return extract


def _kinds(column: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = _meta(column).get("person", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _meta(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = declared.get("config", {}).get("meta", {})
    return meta
