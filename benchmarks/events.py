"""Made-up events for the benchmarks that need many of a known shape and no company behind them.

Nights are measured on the simulated company instead.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.measure import THREADS

# Out of a hundred events. The five of the funnel grow rarer stage by stage, as in shops.
EVENT_SHARES = {
    "page_view": 35,
    "visit": 22,
    "product_view": 20,
    "cart": 12,
    "checkout": 7,
    "payment": 4,
}
FUNNEL_STAGES = tuple(name for name in EVENT_SHARES if name != "page_view")
EVENTS_A_SUBJECT = 20
_EVENTS_A_SESSION = 5
_SESSION_SECONDS = 240
_DAYS = 180


def connection(database: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A connection to DuckDB as all sides of all comparisons get it."""
    opened = duckdb.connect(str(database))
    opened.execute(f"set threads = {THREADS}")
    opened.execute("set TimeZone = 'UTC'")
    opened.execute("set preserve_insertion_order = false")
    opened.execute("set enable_progress_bar = false")
    return opened


def write_events(path: Path, events: int) -> None:
    """Write staged events of a shop's visitors, in the order of their days, unless they are there.

    Sessions of five events within some minutes; instants are whole seconds, so that one session
    in twelve has events of one instant. Columns: subject_id, event_name, occurred_at, event_number.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    subjects = max(events // EVENTS_A_SUBJECT, 1)
    sessions = max(events // _EVENTS_A_SESSION, 1)
    bound, cases = 0, []
    for name, share in EVENT_SHARES.items():
        bound += share
        cases.append(f"when draw < {bound} then '{name}'")
    unfinished = path.with_suffix(".partial")
    with connection() as opened:
        opened.execute(
            f"""
            copy (
                select
                    'visitor-' || printf('%010d', hash(session, 1) % {subjects}) as subject_id,
                    case {" ".join(cases)} end as event_name,
                    timestamp '2025-08-18' + to_seconds(cast(
                        session * {_DAYS} // {sessions} * 86400
                        + hash(session, 2) % {86400 - _SESSION_SECONDS}
                        + hash(event_number, 3) % {_SESSION_SECONDS} as bigint
                    )) as occurred_at,
                    event_number,
                from (
                    select
                        range as event_number,
                        range // {_EVENTS_A_SESSION} as session,
                        hash(range, 4) % 100 as draw,
                    from range({events})
                )
            ) to '{unfinished}' (format parquet, compression zstd)
            """
        )
    unfinished.rename(path)
