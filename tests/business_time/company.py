"""A company with working hours, and a build of stage visits whose business time it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration import dbt, declarations
from orchestration.settings import Settings

AS_OF = datetime(2026, 1, 1, 12)

# Opening and closing times as the declarations have them; None is a day off.
Hours = tuple[str, str] | None
Pairs = Sequence[tuple[datetime, datetime]]

FUNNEL = {
    "funnels": "funnel_id,subject_type,order_mode\nf,user,ordered\n",
    "funnel_stages": "funnel_id,stage_position,stage_id\nf,1,a\n",
    "stage_rules": "funnel_id,stage_id,rule_type,match_value\nf,a,event,a\n",
}
MODELS = (
    "stg_time_zones__utc_offsets",
    "int_date_hours",
    "int_calendar_dates",
    "int_timed_visits",
)


@dataclass(frozen=True)
class Company:
    """What a company declares: its time zone, its usual week and the dates that are otherwise."""

    timezone: str
    week: Mapping[int, Hours]
    dates: Mapping[date, Hours] = field(default_factory=dict)

    def hours_on(self, day: date) -> Hours:
        """The hours of a date."""
        return self.dates[day] if day in self.dates else self.week.get(day.isoweekday())


def business_microseconds(company: Company, pairs: Pairs, home: Path) -> list[int]:
    """What the models say of the time between the instants (UTC) of each pair.

    Each pair is when a subject began its two visits, the first of which is asked for.

    Raises:
        AssertionError: a model failed, or visits were lost.
    """
    seeds = home / "seeds"
    seeds.mkdir(parents=True)
    for name, text in {**FUNNEL, **_calendar(company)}.items():
        (seeds / f"{name}.csv").write_text(text, encoding="utf-8")
    settings = Settings.from_environment(
        {
            "FUNNEL_HOME": str(home),
            "FUNNEL_SEEDS": str(seeds),
            "FUNNEL_TIMEZONE": company.timezone,
        }
    )
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write(declarations.read(seeds), settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        _write(pairs, connection)
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", "resource_type:seed", *MODELS),
            *("--exclude-resource-types", "unit_test", "test"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, [one.message for one in outcome.failures]
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        rows = connection.execute(
            "select business_seconds_in_stage from intermediate.int_timed_visits"
            " where visit_number = 1 order by subject_key"
        ).fetchall()
    assert len(rows) == len(pairs)
    return [int(seconds * 1_000_000) for (seconds,) in rows]


def _calendar(company: Company) -> dict[str, str]:
    week = [f"{weekday},{hours[0]},{hours[1]}" for weekday, hours in company.week.items() if hours]
    dates = [
        f"{day},true,{hours[0]},{hours[1]}" if hours else f"{day},false,,"
        for day, hours in company.dates.items()
    ]
    return {
        "working_hours": "\n".join(["weekday,opens_at,closes_at", *week]),
        "calendar": "\n".join(["calendar_date,is_working_day,opens_at,closes_at", *dates]),
    }


def _write(pairs: Pairs, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema intermediate")
    connection.execute(
        "create table intermediate.int_run as select cast(? as timestamp) as as_of", [AS_OF]
    )
    connection.execute(
        """
        create table intermediate.int_stage_visits as
        select
            cast(pair_number as bigint) as subject_key,
            visit_number,
            1 as journey_number,
            'a' as stage_id,
            1 as stage_position,
            'open' as stage_kind,
            'observed' as evidence,
            entered_at,
            1 as entries
        from (
            select
                unnest(cast(? as integer[])) as pair_number,
                unnest(cast(? as integer[])) as visit_number,
                unnest(cast(? as timestamp[])) as entered_at
        )
        """,
        [
            [number for number, pair in enumerate(pairs) for _ in pair],
            [visit for pair in pairs for visit, _ in enumerate(pair, start=1)],
            [instant for pair in pairs for instant in pair],
        ],
    )
