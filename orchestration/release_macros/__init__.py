"""The macros of a release: what a reader asks a question of, besides the tables.

One macro a file, named for it: its description in a comment, which readers see in the file;
`reads`, the tables without which a release does not get it; `example`, a call that the audit binds;
then the statement. `$name` stands for the macro's own name, `$timezone` for the reporting time
zone, `$columns_of_<table>` for the columns of a table, `$values_table` for the one with the
segments of the cells that the macro looks behind, and any other `$part` for the file of `parts/`.

Macros name tables, and one another, without schema or database: a reader opens the file, or
attaches it and says `use`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

import duckdb

from orchestration.published_tables import PublishedTable, literal, quoted, quoted_list

FOLDER = Path(__file__).parent
KNOWN_ON_TABLE = "funnel_conversion_known_on"
HEADER = re.compile(r"((?:-- .*\n)+)(create macro (\w+)\(.*)", re.DOTALL)


class MacroError(ValueError):
    """A file of this folder that is not as the docstring of the package says."""


@dataclass(frozen=True)
class Macro:
    """A macro of a release.

    Attributes:
        name: its name in the release.
        statement: what creates it.
        description: what an analyst is told about it.
        reads: the names of the tables that it reads.
        example: a call of it, to see that it can be bound.
    """

    name: str
    statement: str
    description: str
    reads: tuple[str, ...]
    example: str

    @property
    def is_table(self) -> bool:
        """Whether it gives a table, not a value."""
        return bool(re.search(r"\) as table\s", self.statement))


def release_macros(tables: Sequence[PublishedTable], timezone: str) -> tuple[Macro, ...]:
    """The macros of a release of these tables, by name.

    Args:
        tables: what is published; a macro that reads another table is left out.
        timezone: the reporting time zone.

    Raises:
        MacroError: naming the file that is not as it should be.
    """
    names = {table.name for table in tables}
    words = {"timezone": timezone.replace("'", "''")}
    words |= {f"columns_of_{table.name}": quoted_list(table.column_names) for table in tables}
    found = [_read(path) for path in sorted(FOLDER.glob("*.sql"))]
    return tuple(_completed(macro, words) for macro in found if names.issuperset(macro.reads))


def create_macros(connection: duckdb.DuckDBPyConnection, macros: Sequence[Macro]) -> None:
    """Create the macros in the database that the connection uses."""
    for macro in macros:
        connection.execute(macro.statement)
        kind = "macro table" if macro.is_table else "macro"
        connection.execute(
            f"comment on {kind} {quoted(macro.name)} is {literal(macro.description)}"
        )


def macro_texts() -> tuple[str, ...]:
    """The files that the macros are made of: where they are others, so is the release."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(FOLDER.rglob("*.sql")))


def _read(path: Path) -> Macro:
    found = HEADER.fullmatch(path.read_text(encoding="utf-8"))
    if not found or found[3] != path.stem:
        raise MacroError(
            f"{path}: expected comments and then `create macro {path.stem}(…`, found another text."
        )
    lines = [line.removeprefix("-- ") for line in found[1].splitlines()]
    said = {
        key: line.removeprefix(f"{key}: ")
        for key in ("reads", "example")
        for line in lines
        if line.startswith(f"{key}: ")
    }
    described = [line for line in lines if not line.startswith(("reads: ", "example: "))]
    if not described or "example" not in said:
        raise MacroError(f"{path}: expected a description and an `example:`, found none.")
    return Macro(
        name=path.stem,
        statement=found[2],
        description=" ".join(described),
        reads=tuple(said["reads"].split(", ")) if "reads" in said else (),
        example=said["example"],
    )


def _completed(macro: Macro, words: dict[str, str]) -> Macro:
    """The macro with its parts put in, those of parts too."""
    parts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("parts/*.sql")}
    # Whose segments a cell is of: those of deals in the pipeline, or those of journeys.
    of_deals = [name for name in ("pipeline_deals", "pipeline_moves") if name in macro.reads]
    values_table = (of_deals or ["fct_journey_segments"])[0]
    words = {**parts, **words, "name": macro.name, "values_table": values_table}
    statement = macro.statement
    while "$" in statement:
        try:
            statement = Template(statement).substitute(words)
        except KeyError as error:
            raise MacroError(
                f"{macro.name}.sql: expected a file of parts/, found ${error.args[0]}."
            ) from error
    return Macro(macro.name, statement, macro.description, macro.reads, macro.example)
