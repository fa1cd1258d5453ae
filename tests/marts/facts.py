"""Core facts written by hand or at random, and a build of the funnel marts from them alone.

The marts are built by the project's own models, over tables that stand where the core models would
have put theirs. What the facts mean is the business of `tests/semantics`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration import dbt, declarations
from orchestration.known_on import show_dates
from orchestration.settings import Settings

AS_OF = datetime(2025, 4, 1)
HORIZONS = (1, 7, 90)

COLUMNS = {
    "core.dim_funnels": "funnel_id varchar, subject_type varchar, order_mode varchar",
    "core.dim_funnel_stages": """
        funnel_id varchar, stage_id varchar, stage_kind varchar, stage_position integer,
        is_optional boolean, target_hours double
    """,
    "core.dim_segments": "funnel_id varchar, segment_name varchar, adds_up boolean",
    "core.fct_journeys": """
        funnel_id varchar, subject_id varchar, journey_number integer, furthest_stage_id varchar,
        furthest_stage_position integer, outcome varchar, loss_reason varchar, is_mature boolean,
        entered_date date, entered_at timestamp, ended_at timestamp, amount decimal(18, 4)
    """,
    "core.fct_journey_stages": """
        funnel_id varchar, subject_id varchar, journey_number integer, stage_id varchar,
        stage_position integer, counted_at timestamp
    """,
    "core.fct_journey_segments": """
        funnel_id varchar, subject_id varchar, journey_number integer, segment_name varchar,
        segment_value varchar
    """,
    "core.fct_stage_visits": """
        funnel_id varchar, subject_id varchar, visit_number integer, journey_number integer,
        stage_id varchar, stage_position integer, next_stage_id varchar, is_current boolean,
        entered_at timestamp, seconds_in_stage decimal(18, 6),
        business_seconds_in_stage decimal(18, 6)
    """,
    "declarations.horizons": "horizon_days integer",
    "declarations.watched_metrics": """
        funnel_id varchar, metric varchar, stage_id varchar, segment_name varchar,
        period_grain varchar, compared_with varchar, direction varchar, change double, unit varchar,
        min_cases integer
    """,
    "declarations.benchmarks": """
        funnel_id varchar, rate_name varchar, stage_id varchar, benchmark_rate double,
        benchmark_name varchar
    """,
    "declarations.experiments": """
        experiment_id varchar, funnel_id varchar, segment_name varchar, stage_id varchar,
        started_on date, ended_on date, planned_subjects integer, alpha double
    """,
    "declarations.experiment_variants": """
        experiment_id varchar, variant varchar, is_control boolean, planned_share double
    """,
    "declarations.experiment_assignments": """
        experiment_id varchar, subject_id varchar, variant varchar
    """,
    "declarations.changes": """
        change_name varchar, funnel_id varchar, changed_on date, days_compared integer
    """,
    "intermediate.int_run": "as_of timestamp",
    "intermediate.int_calendar_dates": """
        calendar_date date, is_working_day boolean, opens_at timestamp,
        business_microseconds bigint, business_microseconds_before bigint
    """,
    "intermediate.int_entry_instants": """
        funnel_id varchar, subject_id varchar, stage_position integer, entered_at timestamp
    """,
    "intermediate.int_evidence": """
        evidence_type varchar, evidence_name varchar, visitor_id varchar, session_id varchar,
        user_id varchar, person_id varchar, account_id varchar, record_id varchar,
        is_creation boolean, occurred_at timestamp
    """,
    "intermediate.int_record_activities": """
        record_id varchar, activity_type varchar, occurred_at timestamp
    """,
}

# The company works from Monday to Friday, from nine to five.
FIRST_DATE = date(2024, 12, 20)
OPENS, CLOSES = timedelta(hours=9), timedelta(hours=17)


def business_time(start: datetime, end: datetime) -> timedelta:
    """What lies in working hours, day by day."""
    days = (start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days + 1))
    midnights = [datetime.combine(day, datetime.min.time()) for day in days if day.weekday() < 5]
    worked = (min(end, day + CLOSES) - max(start, day + OPENS) for day in midnights)
    return sum((max(part, timedelta()) for part in worked), timedelta())


@dataclass(frozen=True)
class Stage:
    """A stage; `position` is None for a lost one."""

    stage_id: str
    kind: str
    position: int | None
    is_optional: bool = False
    target_hours: float | None = None


@dataclass(frozen=True)
class Funnel:
    """A funnel, its ladder in order, its lost stages after."""

    funnel_id: str
    stages: tuple[Stage, ...]
    order_mode: str = "furthest"
    # Whether each journey stands under one value, by the name of the segment.
    segments: tuple[tuple[str, bool], ...] = ()
    subject_type: str = "visitor"

    @property
    def ladder(self) -> tuple[Stage, ...]:
        """The stages that have a position."""
        return tuple(stage for stage in self.stages if stage.position is not None)

    def stage(self, stage_id: str) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.stage_id == stage_id)


@dataclass(frozen=True)
class Visit:
    """A stage visit; `left_at` is None while current, `entered_at` where it is undated.

    `entered_again_at` are further entries of its stage, that made no visit of their own.
    """

    number: int
    stage_id: str
    next_stage_id: str
    entered_at: datetime | None
    left_at: datetime | None
    entered_again_at: tuple[datetime, ...] = ()

    @property
    def entries(self) -> tuple[datetime, ...]:
        """The instants of all dated entries that it is made of."""
        return (self.entered_at, *self.entered_again_at) if self.entered_at else ()

    @property
    def is_current(self) -> bool:
        """Whether nobody has left it."""
        return self.next_stage_id in ("still_there", "ended", "abandoned")

    @property
    def seconds(self) -> Decimal | None:
        """How long it took; None while current, and where one of the two instants is unknown."""
        if self.entered_at is None or self.left_at is None:
            return None
        return Decimal((self.left_at - self.entered_at) // timedelta(microseconds=1)) / 1_000_000

    @property
    def business_seconds(self) -> Decimal | None:
        """How much of it lay in working hours; None as for `seconds`."""
        if self.entered_at is None or self.left_at is None:
            return None
        worked = business_time(self.entered_at, self.left_at)
        return Decimal(worked // timedelta(microseconds=1)) / 1_000_000


@dataclass
class Journey:
    """A journey with its visits. `number` 0 holds a subject's visits before any journey."""

    funnel: Funnel
    subject_id: str
    number: int
    visits: list[Visit]
    reached: tuple[Stage, ...] = ()
    outcome: str = "open"
    loss_reason: str | None = None
    is_mature: bool = False
    entered_date: date | None = None
    entered_at: datetime | None = None
    # When each of the `reached` was; empty where nothing is dated.
    reached_at: tuple[datetime | None, ...] = ()
    ended_at: datetime | None = None
    amount: Decimal | None = None
    # The values of each segment, by its name.
    segments: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def furthest(self) -> Stage:
        """The last stage reached."""
        return self.reached[-1]

    @property
    def counted_at(self) -> tuple[datetime | None, ...]:
        """From when each of the `reached` counts: in any order, with all required before it."""
        if self.funnel.order_mode != "any":
            return self.reached_at
        return tuple(
            max(
                at
                for stage, at in zip(self.reached, self.reached_at[: place + 1], strict=False)
                if at and (stage == self.reached[place] or not stage.is_optional)
            )
            for place in range(len(self.reached_at))
        )


@dataclass(frozen=True)
class Happening:
    """A row of evidence, or an activity, of somebody who need not be in any funnel."""

    subject_type: str
    subject_id: str
    kind: str
    name: str | None
    at: datetime | None
    is_creation: bool = False


@dataclass(frozen=True)
class Facts:
    """All facts of a warehouse."""

    funnels: tuple[Funnel, ...]
    journeys: tuple[Journey, ...]
    happenings: tuple[Happening, ...] = ()


def funnel(
    funnel_id: str,
    ladder: str,
    lost: str = "",
    optional: str = "",
    order_mode: str = "furthest",
    segments: str = "",
    target_hours: Mapping[str, float] | None = None,
    subject_type: str = "visitor",
) -> Funnel:
    """A funnel: the stages of its ladder, `*` behind the won ones, its lost and optional stages.

    And its segments, `+` behind those under several values of which a journey may stand, and the
    target hours of those stages that have one.
    """
    targets = target_hours or {}
    stages = [
        Stage(
            name.rstrip("*"),
            "won" if name.endswith("*") else "open",
            position,
            name in optional,
            targets.get(name),
        )
        for position, name in enumerate(ladder.split(), start=1)
    ]
    stages += [Stage(name, "lost", None) for name in lost.split()]
    named = tuple((name.rstrip("+"), not name.endswith("+")) for name in segments.split())
    return Funnel(funnel_id, tuple(stages), order_mode, named, subject_type)


# These tables read records, owners, persons and sessions, of which there are none here; they have
# tests of their own.
ELSEWHERE = (
    *("path:models/intermediate/customers", "path:models/marts/customers"),
    *("path:models/intermediate/pipeline", "path:models/marts/pipeline"),
)


def build_marts(facts: Facts, home: Path, variables: Mapping[str, object] | None = None) -> Path:
    """Build the funnel marts from the facts, with all their tests, and give the database.

    Args:
        facts: what stands in the core.
        home: where to build.
        variables: of dbt, where others are wanted than the project's.

    Raises:
        AssertionError: a model or a test of dbt failed.
    """
    settings = Settings.from_environment({"FUNNEL_HOME": str(home)})
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write_empty(settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        _write(facts, connection)
    show_dates(settings, [])
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", *dbt.LAYERS[-1].select),
            *("--exclude", *ELSEWHERE),
            # The tests of the core would look for columns that the marts do not need.
            *("--indirect-selection", "cautious"),
            *("--vars", json.dumps(variables or {})),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    assert len(outcome.results) > 20, "dbt built the marts"
    return settings.build


def _write(facts: Facts, connection: duckdb.DuckDBPyConnection) -> None:
    rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in COLUMNS}
    rows["intermediate.int_run"].append((AS_OF,))
    rows["declarations.horizons"] += [(days,) for days in HORIZONS]
    rows["intermediate.int_calendar_dates"] += _calendar_dates()
    for one in facts.funnels:
        rows["core.dim_funnels"].append((one.funnel_id, one.subject_type, one.order_mode))
        rows["core.dim_segments"] += [(one.funnel_id, *segment) for segment in one.segments]
        rows["core.dim_funnel_stages"] += [
            (
                *(one.funnel_id, stage.stage_id, stage.kind, stage.position, stage.is_optional),
                stage.target_hours,
            )
            for stage in one.stages
        ]
    for journey in facts.journeys:
        subject = (journey.funnel.funnel_id, journey.subject_id)
        key = (*subject, journey.number)
        rows["core.fct_stage_visits"] += [
            (
                *(*subject, visit.number, journey.number, visit.stage_id),
                *(journey.funnel.stage(visit.stage_id).position, visit.next_stage_id),
                *(visit.is_current, visit.entered_at, visit.seconds, visit.business_seconds),
            )
            for visit in journey.visits
        ]
        rows["intermediate.int_entry_instants"] += [
            (*subject, journey.funnel.stage(visit.stage_id).position, at)
            for visit in journey.visits
            for at in visit.entries or (None,)
        ]
        if journey.number == 0:
            continue
        rows["core.fct_journeys"].append(
            (
                *(*key, journey.furthest.stage_id, journey.furthest.position, journey.outcome),
                *(journey.loss_reason, journey.is_mature, journey.entered_date),
                *(journey.entered_at, journey.ended_at, journey.amount),
            )
        )
        rows["core.fct_journey_stages"] += [
            (*key, stage.stage_id, stage.position, counted_at)
            for stage, counted_at in zip_longest(journey.reached, journey.counted_at)
        ]
        rows["core.fct_journey_segments"] += [
            (*key, name, value) for name, values in journey.segments.items() for value in values
        ]
    _write_happenings(facts.happenings, rows)
    connection.execute(
        "create schema core; create schema intermediate; create schema if not exists declarations"
    )
    for table, columns in COLUMNS.items():
        connection.execute(f"create table {table} ({columns})")
        if rows[table]:
            written = pa.table(
                {f"column_{n}": of for n, of in enumerate(zip(*rows[table], strict=True))}
            )
            connection.register("written", written)
            connection.execute(f"insert into {table} from written")


def _calendar_dates() -> list[tuple[object, ...]]:
    first = datetime.combine(FIRST_DATE, datetime.min.time())
    microsecond = timedelta(microseconds=1)
    return [
        (
            *(midnight.date(), midnight.weekday() < 5),
            midnight + OPENS if midnight.weekday() < 5 else None,
            business_time(midnight, midnight + timedelta(days=1)) // microsecond,
            business_time(first, midnight) // microsecond,
        )
        for midnight in (first + timedelta(days=n) for n in range((AS_OF - first).days + 1))
    ]


def _write_happenings(
    happenings: tuple[Happening, ...], rows: dict[str, list[tuple[object, ...]]]
) -> None:
    # The columns of `int_evidence` that name a subject, in their order.
    columns = ("visitor", "session", "user", "person", "account", "opportunity")
    for one in happenings:
        if one.kind == "activity":
            rows["intermediate.int_record_activities"].append((one.subject_id, one.name, one.at))
        else:
            ids = [one.subject_id if one.subject_type == column else None for column in columns]
            rows["intermediate.int_evidence"].append(
                (one.kind, one.name, *ids, one.is_creation, one.at)
            )
