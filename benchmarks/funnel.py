"""The production funnel models against ClickHouse's windowFunnel and a query written by hand.

    python -m benchmarks.funnel --events 20000000

Five stages, seven days, `best`, `funnel_order`; once all stages are required, once the second may
be passed over. What is inside each side's time stands in SAYS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from benchmarks.events import FUNNEL_STAGES, connection, write_events
from benchmarks.measure import (
    THREADS,
    alternate,
    options_of,
    require_same,
    scratch,
    write_result,
)
from benchmarks.models import INPUT, Models

WINDOW_HOURS = 168
WINDOW_MICROSECONDS = WINDOW_HOURS * 3_600_000_000
OUTPUT = "int_chain_journey_entries"

SAYS = f"""
The five-stage, seven-day `best` funnel. All sides read the same Parquet file of staged events
(text keys, events that no stage knows, ties) with {THREADS} threads, and computed the same depths
before they were timed. In the time of the models is all that dbt runs between `{INPUT}`, here a
view over the file, and `{OUTPUT}`: names held against rules, events put into order, chains, best
chains, every table written to the database. In the time of the others is one query that counts
subjects by depth; which events serve which stage they do not tell. ClickHouse and the query know
no optional stage: there, the models with one are compared with the depth of two funnels, and timed
against one.
"""


@dataclass(frozen=True)
class Variant:
    """A way to declare the funnel: its name, and the stages that may be passed over."""

    name: str
    optional: frozenset[str]

    @property
    def ladders(self) -> list[list[str]]:
        """The funnels without optional stages that it comes to, that with most stages first."""
        required = [stage for stage in FUNNEL_STAGES if stage not in self.optional]
        return [list(FUNNEL_STAGES), required] if self.optional else [required]


VARIANTS = (
    Variant("all stages required", frozenset()),
    Variant("second stage optional", frozenset({"product_view"})),
)


def seeds_of(variant: Variant) -> dict[str, list[str]]:
    """The declarations of a company with this one funnel."""
    return {
        "funnels": [
            "funnel_id,funnel_name,subject_type,order_mode,entry_policy,count_by,window_hours,"
            "tie_policy,collapse_repeats,pipeline",
            f"shop,Shop,visitor,ordered,best,subject,{WINDOW_HOURS},funnel_order,true,",
        ],
        "funnel_stages": [
            "funnel_id,stage_position,stage_id,stage_name,stage_kind,is_optional",
            *(
                f"shop,{position},{stage},{stage},"
                f"{'won' if position == len(FUNNEL_STAGES) else 'open'},"
                f"{str(stage in variant.optional).lower()}"
                for position, stage in enumerate(FUNNEL_STAGES, start=1)
            ),
        ],
        "stage_rules": [
            "funnel_id,stage_id,rule_type,match_type,match_value",
            *(f"shop,{stage},event,equals,{stage}" for stage in FUNNEL_STAGES),
        ],
    }


def model_depths(models: Models) -> list[tuple[int, int]]:
    """The subjects by depth as the models tell them."""
    return models.query(
        f"""
        select depth, count(*) as subjects
        from (
            select subject_key, max(stage_position) as depth
            from intermediate.{OUTPUT}
            where subject_key > 0
            group by subject_key
        )
        group by depth order by depth
        """
    )


def clickhouse_depths(events: Path, ladders: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """The subjects by depth as ClickHouse counts them; of several ladders, the deepest."""
    answers = []
    for ladder in ladders:
        conditions = ", ".join(f"event_name = '{stage}'" for stage in ladder)
        depth = (
            f"windowFunnel({WINDOW_MICROSECONDS}, 'strict_once')"
            f"(toUInt64(toUnixTimestamp64Micro(occurred_at)), {conditions})"
        )
        positions = [0, *(FUNNEL_STAGES.index(stage) + 1 for stage in ladder)]
        answers.append(f"{positions}[{depth} + 1]")
    depth = answers[0] if len(answers) == 1 else f"greatest({', '.join(answers)})"
    text = chdb.query(  # type: ignore[no-untyped-call]
        f"select depth, count() from (select {depth} as depth"
        f" from file('{events}', Parquet) group by subject_id)"
        f" where depth > 0 group by depth order by depth settings max_threads = {THREADS}",
        "CSV",
    )
    lines = str(text).strip().splitlines()
    return [(int(depth), int(count)) for depth, count in (line.split(",") for line in lines)]


def query_depths(events: Path) -> list[tuple[int, int]]:
    """The subjects by depth as one query counts them: narrow, then an as-of join a stage."""
    positions = " ".join(
        f"when '{stage}' then {position}" for position, stage in enumerate(FUNNEL_STAGES, start=1)
    )
    parts = [
        f"""
        entries as materialized (
            select
                subject_id,
                epoch_us(occurred_at) as entered_at,
                case event_name {positions} end as position,
            from read_parquet('{events}')
            where event_name in {FUNNEL_STAGES}
        )
        """,
        """
        reached_1 as materialized (
            select subject_id, entered_at as started_at, entered_at as reached_at
            from entries
            where position = 1
        )
        """,
        *(
            f"""
            reached_{position} as materialized (
                select before.subject_id, before.started_at, entries.entered_at as reached_at
                from reached_{position - 1} as before
                asof join (select * from entries where position = {position}) as entries
                    on
                        before.subject_id = entries.subject_id
                        and before.reached_at <= entries.entered_at
                where entries.entered_at <= before.started_at + {WINDOW_MICROSECONDS}
            )
            """
            for position in range(2, len(FUNNEL_STAGES) + 1)
        ),
    ]
    depths = " union all ".join(
        f"select distinct subject_id, {position} as depth from reached_{position}"
        for position in range(1, len(FUNNEL_STAGES) + 1)
    )
    with connection() as opened:
        return opened.execute(
            f"""
            with {", ".join(parts)}
            select depth, count(*) as subjects
            from (select subject_id, max(depth) as depth from ({depths}) group by subject_id)
            group by depth order by depth
            """
        ).fetchall()


def main() -> None:
    """Compare what the sides compute, then time them in turns."""
    options = options_of("funnel", events=20_000_000, runs=5)
    table: list[dict[str, Any]] = []
    figures: dict[str, Any] = {}
    with scratch(options.folder) as folder:
        events = folder / f"events-{options.events}.parquet"
        write_events(events, options.events)
        required: Sequence[Sequence[str]] = VARIANTS[0].ladders
        for number, variant in enumerate(VARIANTS):
            models = Models(folder / f"funnel-{number}", events, OUTPUT, seeds_of(variant))
            models.run()
            depths = {"ClickHouse": clickhouse_depths(events, variant.ladders)}
            if not variant.optional:
                depths["query"] = query_depths(events)
            require_same(variant.name, {"models": model_depths(models), **depths})
            times = alternate(
                {
                    "models": models.run,
                    "ClickHouse": lambda: clickhouse_depths(events, required),
                    "query": lambda: query_depths(events),
                },
                options.runs,
            )
            ratio = times.ratio("models", "ClickHouse")
            figures[variant.name] = {
                "seconds": {side: list(map(_rounded, run)) for side, run in times.seconds.items()},
                "ratio_to_chdb": ratio,
                "ratio_to_query": times.ratio("models", "query"),
                "query_to_chdb": times.ratio("query", "ClickHouse"),
                "seconds_by_model": {one: _rounded(took) for one, took in models.seconds.items()},
                "subjects_by_depth": dict(depths["ClickHouse"]),
            }
            table.append(
                {
                    "funnel": variant.name,
                    "models, s": times.median("models"),
                    "chDB, s": times.median("ClickHouse"),
                    "query by hand, s": times.median("query"),
                    "models : chDB": ratio["median"],
                    "lowest": ratio["low"],
                    "highest": ratio["high"],
                }
            )
    worst = max(row["models : chDB"] for row in table)
    write_result(
        options.results,
        "funnel",
        {"events": options.events, "ratio_to_chdb": worst, "variants": figures},
        table,
        f"{SAYS.strip()}\n\n{options.events:,} events; medians of {options.runs} runs in turns.",
        packages=("duckdb", "chdb", "dbt-core"),
    )


def _rounded(seconds: float) -> float:
    return round(seconds, 3)


if __name__ == "__main__":
    main()
