"""How the company's rows are spelled in files: the generic extracts, a file a table and day.

Each table has a format of its own, so that every reader of the warehouse is put to work. What the
rows say belongs to `web` and `crm`. The SQL here only spells codes as text; DuckDB does it for
millions of rows in the time in which Python would do it for thousands.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from simulation import crm, web
from simulation.columns import Columns, rows_of, take
from simulation.days import DAY, midnight, offsets
from simulation.parameters import Parameters


@dataclass(frozen=True)
class Table:
    """One table of the extracts: the ending of its files, and how its rows are spelled."""

    name: str
    ending: str
    # The codes of the table's columns, and the words that they stand for.
    words: Callable[[Parameters], Mapping[str, Sequence[str]]]
    spelling: str


def _event_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {
        "event": web.EVENT_NAMES,
        "context": web.contexts(parameters),
        "detail": web.details(parameters),
        "currency": parameters.currencies,
        "broken": web.BROKEN,
    }


def _record_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    leads, deals = parameters.lead_process, parameters.opportunity_process
    return {
        "type": crm.RECORD_TYPES,
        "pipeline": crm.PIPELINES,
        "stage": crm.stage_texts(parameters),
        "currency": parameters.currencies,
        "source": parameters.sources,
        "region": tuple(parameters.regions),
        "product": tuple(parameters.products),
        "existing": ("new", "existing"),
        "size": crm.COMPANY_SIZES,
        "lead_reason": tuple(leads.lost_reasons),
        "deal_reason": tuple(deals.lost_reasons),
    }


def _stage_change_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"type": crm.RECORD_TYPES, "stage": crm.stage_texts(parameters)}


def _field_change_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"type": crm.RECORD_TYPES, "field": crm.FIELDS}


def _order_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"currency": parameters.currencies, "status": crm.ORDER_STATUSES}


def _activity_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"type": crm.RECORD_TYPES, "kind": crm.ACTIVITY_TYPES}


def _account_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"industry": crm.INDUSTRIES, "region": tuple(parameters.regions)}


def _contact_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {
        "job": crm.JOB_TITLES,
        "region": tuple(parameters.regions),
        "source": parameters.sources,
    }


def _owner_words(parameters: Parameters) -> Mapping[str, Sequence[str]]:
    return {"region": tuple(parameters.regions)}


def _record_id(suffix: str = "") -> str:
    return "case when deal < 0 then 'L' || number else 'O' || number || '-' || (deal + 1) end" + (
        f" || {suffix}" if suffix else ""
    )


_MILLISECONDS = "strftime(make_timestamp({0}), '%Y-%m-%dT%H:%M:%S.%g')"
_SECONDS = "strftime(make_timestamp({0}), '%Y-%m-%d{1}%H:%M:%S')"
_NEVER = np.iinfo(np.int64).max
_EMAIL = """
    case
        when {1} then '  PERSON' || {0} || '@Example.com '
        else 'person' || {0} || '@example.com'
    end"""
_OFFSET = """
    case
        when clock = 0 then 'Z'
        else (case when clock < 0 then '-' else '+' end)
            || lpad(cast(abs(clock) // 3600000000 as varchar), 2, '0') || ':00'
    end"""
_TWIN = "(case when twin then 'D' else '' end)"
_OWNER = "'owner-' || lpad(cast({0} + 1 as varchar), 2, '0')"

TABLES = (
    Table(
        "events",
        "parquet",
        _event_words,
        f"""
        case broken
            when 'year 2999' then '2999-12-31T23:59:59Z'
            when '30 February' then '2026-02-30T10:00:00Z'
            when 'year 1970' then '1970-01-01T00:00:00Z'
            else {_MILLISECONDS.format("occurred + clock")} || {_OFFSET}
        end as occurred_at,
        event as event_name,
        case when "user" >= 0 and broken <> 'no subject' then 'u' || "user" end as user_id,
        case when anonymous >= 0 and broken <> 'no subject' then 'v' || anonymous end
            as anonymous_id,
        lower(to_hex(key)) as event_id,
        case when "session" >= 0 then 's' || "session" end as session_id,
        context || detail
            || case
                when "order" >= 0
                    then ',"order_id":"W' || "order" || '","amount":'
                        || cast(cents / 100 as decimal(18, 2))
                        || ',"currency":"' || currency || '"'
                else ''
            end
            || case when email >= 0 then ',"email":"person' || email || '@example.com"' else '' end
            || '}}' as properties,
        make_timestamp(received) as received_at
        """,
    ),
    Table(
        "records",
        "csv",
        _record_words,
        f"""
        {_record_id(_TWIN)} as record_id,
        type as record_type,
        pipeline,
        case when deal < 0 then 'Lead ' || number else 'Deal ' || number || '-' || (deal + 1) end
            as name,
        {_SECONDS.format("created", " ")} as created_at,
        case when closed < {_NEVER} then {_SECONDS.format("closed", " ")} end as closed_at,
        case when expected >= 0 then cast(date '1970-01-01' + cast(expected as integer) as varchar)
        end as expected_close_date,
        stage,
        case when cents >= 0 then cast(cents / 100 as decimal(18, 2)) end as amount,
        case when deal >= 0 then currency end as currency,
        {_OWNER.format("owner")} as owner_id,
        case when account >= 0 then 'A' || account end as account_id,
        {_EMAIL.format("number", "untidy")} as contact_email,
        source as lead_source,
        region,
        case
            when reason < 0 then null when deal < 0 then lead_reason else deal_reason
        end as loss_reason,
        case when is_converted then 'O' || number || '-1' end as converted_record_id,
        case when is_merged then {_record_id()} end as merged_into_id,
        deleted < {_NEVER} as is_deleted,
        case when deleted < {_NEVER} then {_SECONDS.format("deleted", " ")} end as deleted_at,
        {_SECONDS.format("updated", " ")} as updated_at,
        product,
        existing as customer_kind,
        size as company_size
        """,
    ),
    Table(
        "stage_changes",
        "csv.gz",
        _stage_change_words,
        f"""
        {_record_id(_TWIN)} as record_id,
        type as record_type,
        stage,
        {_SECONDS.format('"at"', "T")} || 'Z' as changed_at,
        case when cents >= 0 then cast(cents / 100 as decimal(18, 2)) end as amount,
        {_OWNER.format("owner")} as owner_id
        """,
    ),
    Table(
        "field_changes",
        "csv",
        _field_change_words,
        f"""
        {_record_id(_TWIN)} as record_id,
        type as record_type,
        field,
        {_SECONDS.format('"at"', "T")} || '+00:00' as changed_at,
        {{old}} as old_value,
        {{new}} as new_value
        """.format(
            **{
                name: f"""case field
                    when 'owner_id' then {_OWNER.format(f'"{name}"')}
                    when 'amount' then cast(cast("{name}" / 100 as decimal(18, 2)) as varchar)
                    else cast(date '1970-01-01' + cast("{name}" as integer) as varchar)
                end"""
                for name in ("old", "new")
            }
        ),
    ),
    Table(
        "orders",
        "jsonl",
        _order_words,
        f"""
        case
            when is_deal then 'S' || number || '-' || (deal + 1) || '-' || (win + 1)
            else 'W' || number || case when is_broken then 'x' else '' end
        end as order_id,
        {_MILLISECONDS.format("ordered")} || 'Z' as ordered_at,
        case
            when is_broken
                then to_json(replace(cast(cents / 100 as varchar), '.', ','))
            else to_json(cents / 100)
        end as amount,
        currency,
        case when "user" >= 0 then 'u' || "user" end as user_id,
        case when account >= 0 then 'A' || account end as account_id,
        status,
        {_MILLISECONDS.format("updated")} || 'Z' as updated_at
        """,
    ),
    Table(
        "activities",
        "jsonl.gz",
        _activity_words,
        f"""
        'T' || {_record_id("'-' || (activity + 1)")} as activity_id,
        {_SECONDS.format('"at" + clock', "T")} || {_OFFSET} as occurred_at,
        kind as activity_type,
        {_record_id()} as record_id,
        case when deal >= 0 then 'C' || number end as contact_id,
        {_OWNER.format("owner")} as owner_id
        """,
    ),
    Table(
        "accounts",
        "csv",
        _account_words,
        f"""
        'A' || number as account_id,
        'Account ' || number as name,
        industry,
        employees,
        region,
        {_OWNER.format("owner")} as owner_id,
        {_SECONDS.format("created", " ")} as created_at,
        {_SECONDS.format("updated", " ")} as updated_at,
        case when since < {_NEVER} then cast(cast(make_timestamp(since) as date) as varchar) end
            as customer_since
        """,
    ),
    Table(
        "contacts",
        "parquet",
        _contact_words,
        f"""
        'C' || number as contact_id,
        'A' || number as account_id,
        case when "user" >= 0 then 'u' || "user" end as user_id,
        'Contact ' || number as name,
        {_EMAIL.format("number", "untidy")} as email,
        job as job_title,
        source as lead_source,
        region,
        {_OWNER.format("owner")} as owner_id,
        make_timestamp(created) as created_at,
        make_timestamp(created) as updated_at
        """,
    ),
    Table(
        "owners",
        "csv.gz",
        _owner_words,
        f"""
        {_OWNER.format("number")} as owner_id,
        'Owner ' || lpad(cast(number + 1 as varchar), 2, '0') as name,
        case
            when is_director then 'Management'
            when team = 0 then region
            else region || ' key accounts'
        end as team,
        case when manager >= 0 then {_OWNER.format("manager")} end as manager_id,
        region,
        true as is_active,
        {_SECONDS.format("created", " ")} as created_at,
        {_SECONDS.format("updated", " ")} as updated_at
        """,
    ),
)


def write(
    table: Table, rows: Columns, parameters: Parameters, folder: Path, first: date, days: int
) -> int:
    """Write the rows delivered on `days` days from `first`, and give their number.

    A day without rows gets no file. Files are the same byte for byte whenever their rows are.
    """
    if not rows_of(rows):
        return 0
    rows = take(rows, np.argsort(rows["delivered"], kind="stable"))
    bounds = np.searchsorted(
        rows["delivered"], midnight(first) + DAY * np.arange(days + 1, dtype=np.int64)
    )
    written = int(bounds[-1] - bounds[0])
    if not written:
        return 0
    spelled = _spelled(table, rows, parameters)
    folder = folder / table.name
    folder.mkdir(parents=True, exist_ok=True)
    content = _contents(table, spelled)
    for number in range(days):
        start, end = int(bounds[number]), int(bounds[number + 1])
        if start < end:
            day = first + timedelta(days=number)
            (folder / f"{day.isoformat()}.{table.ending}").write_bytes(content(start, end))
    return written


def _spelled(table: Table, rows: Columns, parameters: Parameters) -> pa.Table:
    words = dict(table.words(parameters))
    arrays = {name: pa.array(values) for name, values in rows.items() if name not in words}
    if "reason" in rows:
        known = np.maximum(rows["reason"], 0)
        is_lead = rows["type"] == crm.LEAD
        rows = rows | {
            "lead_reason": np.where(is_lead, known, 0).astype(np.int8),
            "deal_reason": np.where(is_lead, 0, known).astype(np.int8),
        }
    if table.name in ("events", "activities"):
        instants = rows["occurred" if table.name == "events" else "at"]
        arrays["clock"] = pa.array(offsets(rows["region"], instants))
    for name, spellings in words.items():
        codes = pa.array(rows[name].astype(np.int16))
        arrays[name] = pa.DictionaryArray.from_arrays(codes, pa.array(list(spellings)))
    with duckdb.connect() as connection:
        # The order of rows is the order of the file.
        connection.execute("set preserve_insertion_order = true")
        connection.execute("set TimeZone = 'UTC'")
        connection.register("numbered", pa.table(arrays))
        spelled = f"(select {table.spelling} from numbered) as spelled"
        if table.ending.startswith("jsonl"):
            line = "cast(to_json(spelled) as varchar) || chr(10)"
            return connection.sql(f"select {line} as line from {spelled}").to_arrow_table()
        return connection.sql(f"from {spelled}").to_arrow_table()


def _contents(table: Table, spelled: pa.Table) -> Callable[[int, int], bytes]:
    """A function from a range of rows to the bytes of their file."""
    kind, _, packing = table.ending.partition(".")
    if kind == "parquet":
        return lambda start, end: _parquet(spelled.slice(start, end - start))
    if kind == "csv":
        return lambda start, end: _packed(_csv(spelled.slice(start, end - start)), packing)
    lines = spelled.column("line").to_pylist()
    return lambda start, end: _packed("".join(lines[start:end]).encode(), packing)


def _parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(rows, buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()


def _csv(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(rows, buffer)
    return buffer.getvalue()


def _packed(content: bytes, packing: str) -> bytes:
    # Without a time in the header, the same rows give the same bytes.
    return gzip.compress(content, compresslevel=6, mtime=0) if packing == "gz" else content


def files(folder: Path) -> Iterator[Path]:
    """The extracts under a folder, those of a day together, the days in order."""
    return iter(sorted(folder.glob("*/*.*"), key=lambda path: (path.name[:10], path.parent.name)))
