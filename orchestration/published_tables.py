"""Which tables are published, with their keys and descriptions, as dbt's manifest declares them.

How they are copied is in `publish`; what is logged about them in `release_log`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class PublishedTableError(ValueError):
    """A model that cannot be published as it is declared. The message names it and what to add."""


@dataclass(frozen=True)
class Column:
    """A published column. `data_type` is as declared, for a reader; the build's own type counts."""

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class PublishedTable:
    """A table of `build.duckdb` that goes into every release.

    Attributes:
        schema: its schema in the build; in a release all tables are in `main`.
        name: its name, in the build and in the release.
        key: the columns that together tell its rows apart (null is a value here), in sort order.
        description: what an analyst is told about it.
        columns: all its columns, in the order of the release.
    """

    schema: str
    name: str
    key: tuple[str, ...]
    description: str
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns, in the order of the release."""
        return tuple(column.name for column in self.columns)


def published_tables(manifest: Mapping[str, Any]) -> tuple[PublishedTable, ...]:
    """The tables to publish: every enabled model under `models/marts`, by name.

    Args:
        manifest: dbt's `manifest.json`, parsed.

    Raises:
        PublishedTableError: a mart without an enforced contract or without a usable
            `config.meta.key`; two marts of the same name; no mart at all.
    """
    marts = [node for node in manifest["nodes"].values() if _is_mart(node)]
    if not marts:
        raise PublishedTableError(
            "dbt's manifest: expected models under models/marts, found none. Nothing would be "
            "published; run `dbt parse` in the project and look where the models went."
        )
    tables = sorted((_published_table(node) for node in marts), key=lambda table: table.name)
    _refuse_repeats(tables)
    return tuple(tables)


def quoted(name: str) -> str:
    """`name` as an SQL identifier, whatever word it is."""
    return '"' + name.replace('"', '""') + '"'


def quoted_list(names: Iterable[str]) -> str:
    """`names` as SQL identifiers with commas."""
    return ", ".join(quoted(name) for name in names)


def literal(text: str) -> str:
    """`text` as an SQL string, for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _is_mart(node: Mapping[str, Any]) -> bool:
    return bool(
        node["resource_type"] == "model"
        and node["fqn"][1] == "marts"
        and node["config"].get("materialized") != "ephemeral"
    )


def _published_table(node: Mapping[str, Any]) -> PublishedTable:
    name = node.get("alias") or node["name"]
    where = f"{node['original_file_path']} (model {name})"
    if not node["config"].get("contract", {}).get("enforced"):
        raise PublishedTableError(
            f"{where}: expected an enforced contract, found none. Published columns are promised "
            "to readers: declare them in its yml, or move the model to models/intermediate."
        )
    columns = tuple(
        Column(column["name"], column.get("data_type") or "", column.get("description") or "")
        for column in node["columns"].values()
    )
    key = node["config"].get("meta", {}).get("key")
    if not key or not isinstance(key, list) or not all(isinstance(part, str) for part in key):
        raise PublishedTableError(
            f"{where}: expected config.meta.key, a list of the columns that tell its rows apart, "
            f"found {key!r}. Add it to the model's yml."
        )
    unknown = [part for part in key if part not in {column.name for column in columns}]
    if unknown:
        raise PublishedTableError(
            f"{where}: expected config.meta.key to name its columns, found {', '.join(unknown)}, "
            f"which the yml does not declare. Correct the key or add the column."
        )
    return PublishedTable(
        schema=node["schema"],
        name=name,
        key=tuple(key),
        description=node.get("description") or "",
        columns=columns,
    )


def _refuse_repeats(tables: Iterable[PublishedTable]) -> None:
    schemas: dict[str, str] = {}
    for table in tables:
        if table.name in schemas:
            raise PublishedTableError(
                f"{table.name}: expected one mart of this name, found it in the schemas "
                f"{schemas[table.name]} and {table.schema}. A release has one schema: rename one."
            )
        schemas[table.name] = table.schema
