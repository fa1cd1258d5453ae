"""Reads one delivered file into Parquet with DuckDB's readers: values as text, rows numbered.

What cannot be told apart as rows and columns is found out here; what the values mean in `values`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from orchestration.columns import check_columns, snake_name, snake_names
from orchestration.contents import Contents
from orchestration.extracts import Extract
from orchestration.landing import LandingFile, look_at
from orchestration.refusals import (
    DamagedFileError,
    EmptyFileError,
    MissingColumnError,
    MixedLineEndsError,
    UnclosedQuoteError,
    WrongDelimiterError,
    WrongEncodingError,
)
from orchestration.values import literal, path_literal, quoted, shape_of

# Row groups in the order of the rows; zstd takes a seventh of the space at the same speed.
PARQUET = "(format parquet, compression zstd)"
OTHER_DELIMITERS = (";", "\t", "|")

# What DuckDB calls a row that it cannot read, and what is told of it.
REJECTS = {
    "MISSING COLUMNS": ("too_few_columns", "{columns} columns"),
    "TOO MANY COLUMNS": ("too_many_columns", "{columns} columns"),
    "UNQUOTED VALUE": ("misplaced_quote", "quotes around a whole value, doubled within it"),
    "INVALID ENCODING": ("invalid_encoding", "text in UTF-8"),
    "LINE SIZE OVER MAXIMUM": ("line_too_long", "a line of at most 2,000,000 bytes"),
}

# With these, `text` is the whole row, and not the one value that is at fault.
WHOLE_ROW_REASONS = (
    *(reason for reason, _ in REJECTS.values()),
    *("unreadable_row", "malformed_json", "not_an_object", "missing_value", "no_subject"),
)

IS_JSON_OBJECT = "coalesce(json_type(case when json_valid(line) then line end) = 'OBJECT', false)"


@dataclass(frozen=True)
class Reading:
    """What was read of a file.

    Attributes:
        columns: names of the delivered columns, which the Parquet file has after `_row`.
        rejected: how many rows could not be read. They are in the temporary table `rejected_rows`
            (_row, column_name, reason, expected, text).
        has_gaps: whether `_row` in the Parquet file does not count all of them yet.
    """

    columns: tuple[str, ...]
    rejected: int = 0
    has_gaps: bool = False

    def numbered(self, rows: str, columns: Sequence[str]) -> str:
        """SQL: rows of the Parquet file with `_row` as in the delivered file, from 1.

        Args:
            rows: SQL of a relation with the `_row` of the Parquet file.
            columns: its other columns.
        """
        return _numbered(rows, columns) if self.has_gaps else rows


def read_file(
    connection: duckdb.DuckDBPyConnection,
    file: LandingFile,
    contents: Contents,
    extract: Extract,
    staged: Path,
) -> Reading:
    """Write the rows of a file to the Parquet file `staged`; empty texts become null.

    Raises:
        DeliveryError: of the kind that says why the file as a whole cannot be used.
    """
    if contents.damage:
        raise DamagedFileError(file.file, "a whole gzip stream", contents.damage)
    if contents.unpacked_size == 0:
        raise EmptyFileError(file.file, f"a {file.file_format} file", "no content")
    with _duckdb_errors(connection, file, staged):
        if file.file_format == "csv":
            return _read_csv(connection, file, contents, extract, staged)
        if file.file_format == "jsonl":
            return _read_jsonl(connection, file, extract, staged)
        return _read_parquet(connection, file, extract, staged)


def _read_csv(
    connection: duckdb.DuckDBPyConnection,
    file: LandingFile,
    contents: Contents,
    extract: Extract,
    staged: Path,
) -> Reading:
    names = _csv_header(file, contents, extract)
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in names)
    selected = ", ".join(quoted(name) for name in names)
    # A blank line is no row. Only among several columns does DuckDB know it from a row.
    rows = f"where {selected} is not null" if len(names) == 1 else ""
    connection.execute(
        f"""
        copy (
            select row_number() over () as _row, {selected}
            from read_csv(
                {path_literal(file.path)},
                columns = {{{columns}}}, auto_detect = false, header = true,
                delim = ',', quote = '"', escape = '"', hive_partitioning = false,
                store_rejects = true
            )
            {rows}
        ) to {literal(str(staged))} {PARQUET}
        """
    )
    rejected = _collect_rejects(connection, columns=len(names))
    if rejected:
        _check_quotes(connection, file, names, staged)
    return Reading(tuple(names), rejected, has_gaps=rejected > 0)


def _csv_header(file: LandingFile, contents: Contents, extract: Extract) -> dict[str, str]:
    """The columns of the first line, held against the extract."""
    text = contents.head.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
    delivered = _first_record(text, ",")
    try:
        "".join(delivered).encode()
    except UnicodeEncodeError:
        raise WrongEncodingError(file.file, "a header in UTF-8", "other bytes") from None
    try:
        # First, as without a header the names are values, which no message may show.
        spelled = [snake_name(name, place) for place, name in enumerate(delivered, start=1)]
        check_columns(file.file, extract, spelled)
        names = snake_names(file.file, delivered)
    except MissingColumnError:
        for delimiter in OTHER_DELIMITERS:
            if len(_first_record(text, delimiter)) > len(delivered):
                raise WrongDelimiterError(
                    file.file, "columns separated by ','", f"a header separated by {delimiter!r}"
                ) from None
        raise
    return names


def _first_record(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _check_quotes(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, names: Iterable[str], staged: Path
) -> None:
    """Refuse a file in which a misplaced quote swallowed other rows.

    DuckDB goes on at some later line and tells of one bad row only. So every line of the file must
    be found again: in an accepted row, in a rejected one, or blank.
    """
    misplaced = connection.execute(
        """
        select min(_row), bool_or(contains(text, chr(10)))
        from rejected_rows
        where reason = 'misplaced_quote'
        """
    ).fetchone()
    assert misplaced
    row, has_line_breaks = misplaced
    if row is None:
        return
    lines = _lines(file, "encoding = 'latin-1'")
    breaks = " + ".join(
        f"coalesce(length({quoted(name)}) - length(replace({quoted(name)}, chr(10), '')), 0)"
        for name in names
    )
    counts = connection.execute(
        f"""
        select
            (select count(*) from {lines} where trim(line) <> ''),
            (
                select count(*) + coalesce(sum({breaks}), 0)
                from read_parquet({literal(str(staged))})
            ),
            (select count(*) from rejected_rows)
        """
    ).fetchone()
    assert counts
    lines_found, accepted, rejected = counts
    if has_line_breaks or lines_found > 1 + accepted + rejected:
        raise UnclosedQuoteError(
            file.file,
            "quotes around a whole value, doubled within it",
            f"a quote at about row {row} that does not close and swallows the rows behind it",
        )


def _read_jsonl(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, extract: Extract, staged: Path
) -> Reading:
    key_lists = connection.execute(
        f"""
        select distinct case when {IS_JSON_OBJECT} then json_keys(line) end as keys
        from {_lines(file, "ignore_errors = true")}
        where trim(line) <> ''
        """
    ).fetchall()
    if not key_lists:
        raise EmptyFileError(file.file, "a jsonl file", "no line with content")
    keys = sorted({key for (keys,) in key_lists for key in keys or ()})
    if not keys:
        raise DamagedFileError(file.file, "one JSON object a line", "no such line")
    names = snake_names(file.file, keys)
    check_columns(file.file, extract, tuple(names))
    # A JSON object has no order of keys that could be kept: declared columns first.
    ordered = [name for name in extract.column_names if name in names]
    ordered += [name for name in names if name not in ordered]

    structure = json.dumps({names[name]: "VARCHAR" for name in ordered}, ensure_ascii=False)
    fields = ", ".join(
        # By place, as an empty key is no name for SQL.
        f"nullif(struct_extract_at(fields, {place}), '') as {quoted(name)}"
        for place, name in enumerate(ordered, start=1)
    )
    connection.execute(
        f"""
        copy (
            select _row, {fields}
            from (
                select
                    _row,
                    json_transform(
                        case when {IS_JSON_OBJECT} then line end, {literal(structure)}
                    ) as fields
                from (
                    select row_number() over () as _row, line
                    from {_lines(file, "store_rejects = true")}
                )
            )
            where fields is not null
        ) to {literal(str(staged))} {PARQUET}
        """
    )
    rejected = _collect_rejects(connection, columns=0)
    reading = Reading(tuple(ordered), rejected, has_gaps=rejected > 0)
    if any(keys is None for (keys,) in key_lists):
        if not rejected:
            _make_rejected_rows(connection)
        lines = f"""(
            select row_number() over () as _row, line from {_lines(file, "ignore_errors = true")}
        )"""
        connection.execute(
            f"""
            insert into rejected_rows
            select
                _row,
                null,
                case when json_valid(line) then 'not_an_object' else 'malformed_json' end,
                'one JSON object a line',
                rtrim(line, chr(13))
            from {reading.numbered(lines, ["line"])}
            where trim(line) <> '' and not {IS_JSON_OBJECT}
            """
        )
        reading = replace(reading, rejected=_count(connection, "rejected_rows"))
    return reading


def _read_parquet(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, extract: Extract, staged: Path
) -> Reading:
    path = path_literal(file.path)
    source = f"read_parquet({path}, hive_partitioning = false, file_row_number = true)"
    types = {
        name: data_type
        for name, data_type, *_ in connection.execute(f"describe select * from {source}").fetchall()
        if name != "file_row_number"
    }
    names = snake_names(file.file, list(types))
    check_columns(file.file, extract, tuple(names))
    texts = ", ".join(
        f"nullif({as_text(quoted(delivered), types[delivered])}, '') as {quoted(name)}"
        for name, delivered in names.items()
    )
    connection.execute(
        f"""
        copy (select file_row_number + 1 as _row, {texts} from {source})
        to {literal(str(staged))} {PARQUET}
        """
    )
    return Reading(tuple(names))


def as_text(column: str, data_type: str) -> str:
    """SQL: a value of a Parquet column as the text that a CSV file would have."""
    if data_type == "TIMESTAMP WITH TIME ZONE":
        return f"cast(timezone('UTC', {column}) as varchar) || 'Z'"
    if data_type.startswith("TIMESTAMP"):  # in seconds, milliseconds or nanoseconds
        return f"cast(cast({column} as timestamp) as varchar)"
    if data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP", "UNION")):
        return f"cast(to_json({column}) as varchar)"
    return f"cast({column} as varchar)"


def _lines(file: LandingFile, option: str) -> str:
    """SQL: the lines of a file, in their order, as the column `line`; a blank one is null."""
    # No line of text holds the delimiter, a control character; no character quotes.
    return f"""read_csv(
        {path_literal(file.path)},
        columns = {{'line': 'varchar'}}, auto_detect = false, header = false,
        delim = chr(1), quote = '', escape = '', strict_mode = false, hive_partitioning = false,
        {option}
    )"""


def _make_rejected_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create or replace temp table rejected_rows (
            _row bigint, column_name varchar, reason varchar, expected varchar, text varchar
        )
        """
    )


def _collect_rejects(connection: duckdb.DuckDBPyConnection, columns: int) -> int:
    """Fill `rejected_rows` with what DuckDB rejected, one row a rejected row; how many they are.

    DuckDB counts a record that runs over several lines as one, as is wanted here, and a header as
    the first.

    Args:
        connection: the one that read the file.
        columns: how many the header of the file names; 0 if it has none.
    """
    if not _count(connection, "reject_errors"):
        return 0
    _make_rejected_rows(connection)
    reasons = " ".join(f"when {literal(k)} then {literal(r)}" for k, (r, _) in REJECTS.items())
    expected = " ".join(
        f"when {literal(k)} then {literal(e.format(columns=columns))}"
        for k, (_, e) in REJECTS.items()
    )
    connection.execute(
        f"""
        insert into rejected_rows
        select
            cast(line - {int(columns > 0)} as bigint),
            {"column_name" if columns else "null"},
            case error_type {reasons} else 'unreadable_row' end,
            case error_type {expected} else error_message end,
            trim(csv_line, chr(10) || chr(13))
        from reject_errors
        qualify row_number() over (partition by line order by column_idx nulls last) = 1
        """
    )
    connection.execute(
        """
        create or replace temp table passed_over as
        select _row - position as accepted_before, max(position) as rejected
        from (select _row, row_number() over (order by _row) as position from rejected_rows)
        group by all
        """
    )
    _drop_duckdb_rejects(connection)
    return _count(connection, "rejected_rows")


def _drop_duckdb_rejects(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what was rejected; DuckDB adds to these tables with each scan of the connection."""
    connection.execute("drop table if exists reject_errors")
    connection.execute("drop table if exists reject_scans")


def _numbered(rows: str, columns: Sequence[str]) -> str:
    """SQL: accepted rows with their numbers in the file, where those that DuckDB rejected count."""
    selected = ", ".join(f"accepted.{quoted(name)}" for name in columns)
    return f"""(
        select accepted._row + coalesce(passed_over.rejected, 0) as _row, {selected}
        from {rows} as accepted
        asof left join passed_over on accepted._row > passed_over.accepted_before
    )"""


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    counted = connection.execute(f"select count(*) from {table}").fetchone()
    assert counted
    return int(counted[0])


def _without_values(message: str) -> str:
    """The first line of a complaint of DuckDB's, with the shape of what it quotes from the file."""
    first = message.partition("\n")[0]
    return re.sub(r"([\"'])(.*?)\1", lambda found: found[1] + shape_of(found[2]) + found[1], first)


@contextmanager
def _duckdb_errors(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, staged: Path
) -> Iterator[None]:
    """Turn DuckDB's complaints about the file into a refusal; its own failures pass through."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.FatalException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        message = str(error)
        if str(staged) in message or "No space left" in message:
            raise
        _drop_duckdb_rejects(connection)
        look_at(file)  # gone?
        if "state machine" in message:
            raise MixedLineEndsError(
                file.file,
                "one kind of line end in the file",
                "several, or a carriage return outside quotes",
            ) from error
        raise DamagedFileError(
            file.file,
            f"a {file.file_format} file",
            f"what cannot be read: {_without_values(message)}",
        ) from error
