"""The contract of the generic extracts, as their dbt sources file declares it.

The file is the one list of tables and columns; how a value is held against its type is in `values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STAGING = Path(__file__).parents[1] / "models" / "staging"
GENERIC_SOURCES = STAGING / "generic" / "_generic__sources.yml"
# The one in C takes a tenth of the time, and is not in every build of PyYAML.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DATA_TYPES = ("varchar", "timestamp", "date", "decimal", "boolean", "json")


class ExtractsError(ValueError):
    """The declaration of the extracts cannot be used. The message names file, table and column."""


@dataclass(frozen=True)
class Column:
    """One declared column of an extract; `data_type` is one of DATA_TYPES."""

    name: str
    data_type: str
    is_required: bool = False


@dataclass(frozen=True)
class Extract:
    """One declared table. Of each tuple in `one_of`, every row needs at least one value."""

    table_name: str
    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """The declared columns in their order."""
        return tuple(column.name for column in self.columns)


def read_extracts(path: Path = GENERIC_SOURCES) -> dict[str, Extract]:
    """The declared extracts by table name. Columns that begin with `_` are the loader's own.

    Raises:
        ExtractsError: if a type is unknown or an alternative names a column that is not declared.
    """
    (source,) = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)["sources"]
    extracts = (_extract(path, table) for table in source["tables"])
    return {extract.table_name: extract for extract in extracts}


def has_staging_of_its_own(source: str, staging: Path = STAGING) -> bool:
    """Whether a source delivers in a format of its own, not as generic extracts."""
    return source != "generic" and (staging / source).is_dir()


def _extract(path: Path, table: Mapping[str, Any]) -> Extract:
    columns = tuple(
        Column(column["name"], column["data_type"], bool(_meta(column).get("required", False)))
        for column in table["columns"]
        if not column["name"].startswith("_")
    )
    one_of = tuple(tuple(names) for names in _meta(table).get("one_of", []))
    extract = Extract(table["name"], columns, one_of)
    for column in columns:
        if column.data_type not in DATA_TYPES:
            raise ExtractsError(
                f"{path}, {extract.table_name}.{column.name}: expected a data_type of "
                f"{', '.join(DATA_TYPES)}, found {column.data_type}. Correct the declaration."
            )
    unknown = {name for names in one_of for name in names} - set(extract.column_names)
    if unknown:
        raise ExtractsError(
            f"{path}, {extract.table_name}: expected one_of to name declared columns, found "
            f"{', '.join(sorted(unknown))}. Declare the column or correct its name."
        )
    return extract


def _meta(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = declared.get("config", {}).get("meta", {})
    return meta
