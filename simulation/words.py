"""What happened as tables for SQL: words for codes, nulls for what is not there, common spellings.

Whatever the format of a delivery, its SQL reads these tables and uses these macros, so that a
deal has the same key and an amount the same digits in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from simulation import crm, web
from simulation.columns import NEVER, NONE, Columns
from simulation.days import offsets
from simulation.parameters import Parameters

MACROS = """
    create macro record_id(number, deal) as
        case when deal is null then 'L' || number else 'O' || number || '-' || (deal + 1) end;
    create macro owner_id(number) as 'owner-' || lpad(cast(number + 1 as varchar), 2, '0');
    create macro account_id(number) as 'A' || number;
    create macro contact_id(number) as 'C' || number;
    create macro user_id(number) as 'u' || number;
    create macro device_id(number) as 'v' || number;
    create macro event_id(key) as lower(to_hex(key));
    create macro shop_order_id(number) as 'W' || number;
    create macro email(number) as 'person' || number || '@example.com';
    create macro typed_email(number, untidy) as
        case when untidy then '  PERSON' || number || '@Example.com ' else email(number) end;
    create macro money(cents) as cast(cents / 100 as decimal(18, 2));
    create macro day_of(number) as date '1970-01-01' + cast(number as integer);
    create macro text_of(instant, form) as strftime(make_timestamp(instant), form);
    create macro iso_text(instant) as text_of(instant, '%Y-%m-%dT%H:%M:%S.%gZ');
    create macro owner_name(number) as 'Owner ' || lpad(cast(number + 1 as varchar), 2, '0');
    create macro record_name(number, deal) as
        case when deal is null then 'Lead ' || number else 'Deal ' || number || '-' || (deal + 1)
        end;
    create macro key_of(number, deal, twin) as
        record_id(number, deal) || case when twin then 'D' else '' end;
    create macro activity_id(number, deal, activity) as
        'T' || record_id(number, deal) || '-' || (activity + 1);
    create macro name_key(name) as lower(replace(name, ' ', '_'));
    create macro team_of(region, team, is_director) as
        case
            when is_director then 'Management'
            when team = 0 then region
            else region || ' key accounts'
        end;
"""


@dataclass(frozen=True)
class Words:
    """The words that the codes of a column stand for."""

    code: str
    words: Sequence[str | None]


def connect(found: Mapping[str, Columns], parameters: Parameters) -> duckdb.DuckDBPyConnection:
    """A database of what happened. The order of rows is that of `found`, and is kept."""
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = true")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute(MACROS)
    words = _words(parameters)
    for name, rows in found.items():
        connection.register(name, _in_words(rows, words.get(name, {})))
    return connection


def _words(parameters: Parameters) -> Mapping[str, Mapping[str, Words]]:
    """The words of every table, by table and by the column that will hold them."""
    channel, device, region, customer_kind = zip(*web.contexts(parameters), strict=True)
    campaign_source, campaign_medium = zip(*web.campaigns(channel), strict=True)
    page_type, action, about = zip(*web.details(parameters), strict=True)
    record_types = Words("type", crm.RECORD_TYPES)
    stages = Words("stage", crm.stage_texts(parameters))
    regions = Words("region", tuple(parameters.regions))
    currencies = Words("currency", parameters.currencies)
    sources = Words("source", parameters.sources)
    return {
        "events": {
            "event": Words("event", web.EVENT_NAMES),
            "channel": Words("context", channel),
            "campaign_source": Words("context", campaign_source),
            "campaign_medium": Words("context", campaign_medium),
            "device": Words("context", device),
            "region": Words("context", region),
            "customer_kind": Words("context", customer_kind),
            "page_type": Words("detail", page_type),
            "action": Words("detail", action),
            "product": Words("detail", about),
            "currency": currencies,
            "landing": Words("landing", tuple(parameters.planted.landings)),
            **{
                name: Words(name, experiment.variants)
                for name, experiment in parameters.planted.experiments.items()
            },
            "broken": Words("broken", web.BROKEN),
        },
        "records": {
            "type": record_types,
            "pipeline": Words("pipeline", crm.PIPELINES),
            "stage": stages,
            "currency": currencies,
            "source": sources,
            "region": regions,
            "product": Words("product", tuple(parameters.products)),
            "customer_kind": Words("existing", web.CUSTOMER_KINDS),
            "size": Words("size", crm.COMPANY_SIZES),
            "reason": Words("reason", crm.reason_texts(parameters)),
            "competitor": Words("competitor", crm.COMPETITORS),
            "next_step": Words("next_step", crm.NEXT_STEPS),
        },
        "stage_changes": {
            "type": record_types,
            "pipeline": Words("pipeline", crm.PIPELINES),
            "stage": stages,
            "previous": Words("previous", crm.stage_texts(parameters)),
        },
        "field_changes": {"type": record_types, "field": Words("field", crm.FIELDS)},
        "orders": {"currency": currencies, "status": Words("status", crm.ORDER_STATUSES)},
        "activities": {"type": record_types, "kind": Words("kind", crm.ACTIVITY_TYPES)},
        "accounts": {"industry": Words("industry", crm.INDUSTRIES), "region": regions},
        "contacts": {
            "job": Words("job", crm.JOB_TITLES),
            "region": regions,
            "source": sources,
        },
        "owners": {"region": regions},
        "stages": {"stage": stages},
    }


def _in_words(rows: Columns, words: Mapping[str, Words]) -> pa.Table:
    codes = {item.code for item in words.values()}
    arrays = {
        name: pa.array(values, mask=_is_missing(values))
        for name, values in rows.items()
        if name not in codes
    }
    # What the clocks of the region show then, as an offset from UTC.
    for instant in ("occurred", "at"):
        if instant in rows and "region" in rows:
            arrays["clock"] = pa.array(offsets(rows["region"], rows[instant]))
    for name, item in words.items():
        code = rows[item.code].astype(np.int16)
        indices = pa.array(code, mask=code == NONE)
        arrays[name] = pa.DictionaryArray.from_arrays(indices, pa.array(list(item.words)))
    return pa.table(arrays)


def _is_missing(values: np.ndarray) -> np.ndarray | None:
    if values.dtype.kind != "i":
        return None
    return np.asarray((values == NONE) | (values == NEVER))
