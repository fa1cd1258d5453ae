"""The small language in which cases are written, and the landing and seeds that they make together.

A case owns its subjects, event names and pipeline: all of them bear its name, so that cases never
meet although one warehouse is built of them all. What is expected stands in the tests.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.oracle.declared import Exclusion, Funnel, Rule, Stage
from tests.oracle.entries import Happening

LandingRow = dict[str, str]

RULE_TYPE_OF = {"lead": "lead_status", "opportunity": "opportunity_stage"}
SUBJECT_COLUMN_OF = {"user": "user_id", "visitor": "anonymous_id", "session": "session_id"}


@dataclass
class Casebook:
    """All that the cases put into the landing and the seeds."""

    landing: dict[str, list[LandingRow]] = field(default_factory=lambda: defaultdict(list))
    # Files as they lay there in earlier nights, by the instant of the night.
    earlier: dict[datetime, dict[str, list[LandingRow]]] = field(default_factory=dict)
    seeds: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    funnels: dict[str, Funnel] = field(default_factory=dict)
    happenings: dict[str, list[Happening]] = field(default_factory=lambda: defaultdict(list))
    scope_of: dict[str, str] = field(default_factory=dict)
    order_dependent: set[str] = field(default_factory=set)

    def write(self, landing: Path, seeds: Path) -> None:
        """Write one CSV file for each landing file and each declaration table.

        The landing of an earlier night lies beside that of the last, named for its instant.
        """
        for name, rows in self.landing.items():
            _write_csv(landing / name, rows)
        for night, files in self.earlier.items():
            for name, rows in files.items():
                _write_csv(landing.with_name(f"landing_{night:%Y%m%d%H%M}") / name, rows)
        for name, rows in self.seeds.items():
            _write_csv(seeds / f"{name}.csv", rows)


class Case:
    """One case: a few funnels, and what happened to a few subjects of theirs.

    Args:
        book: where its rows are collected.
        name: stands in front of all its names; letters, digits and underscores.
        source: the folder of the landing that its rows are delivered in.
    """

    def __init__(self, book: Casebook, name: str, source: str = "generic") -> None:
        self.book = book
        self.name = name
        self.source = source

    def subject(self, name: str) -> str:
        """The full name of a subject of this case."""
        return f"{self.name}.{name}"

    def event_name(self, name: str) -> str:
        """The full name of an event of this case."""
        return f"{self.name}/{name}"

    def funnel(
        self,
        name: str,
        ladder: str,
        *,
        subject_type: str = "user",
        order_mode: str = "ordered",
        window: timedelta | None = None,
        rules: Sequence[Mapping[str, str]] = (),
        exclusions: Sequence[tuple[str, str, str]] = (),
        depends_on_order: bool = False,
        **options: str,
    ) -> str:
        """Declare a funnel and give its full name.

        Args:
            name: its name within the case.
            subject_type: as in funnels.csv.
            order_mode: as in funnels.csv.
            window: None for none.
            ladder: one stage a line: its name, then `won`, `lost` or `optional` where it is so.
                A stage without a rule of its own is entered by the event, or the stage of a
                record, of the same name.
            rules: rows of stage_rules, without the funnel.
            exclusions: after which stage, before which stage, which event.
            depends_on_order: whether its result hangs on the order of delivery.
            options: further columns of funnels.csv.
        """
        funnel_id = f"{self.name}.{name}"
        is_of_records = subject_type in RULE_TYPE_OF
        declared = {
            "funnel_id": funnel_id,
            "funnel_name": funnel_id,
            "subject_type": subject_type,
            "order_mode": order_mode,
            "window_hours": "" if window is None else f"{window.total_seconds() / 3600:.12g}",
            "pipeline": self.name if is_of_records or subject_type in ("account", "person") else "",
            **options,
        }
        self.book.seeds["funnels"].append(declared)

        stages, position = [], 0
        for line in ladder.strip().splitlines():
            stage_id, *words = line.split()
            kind = next((word for word in words if word in ("won", "lost")), "open")
            position += kind != "lost"
            stages.append(
                Stage(
                    stage_id,
                    None if kind == "lost" else position,
                    kind,  # type: ignore[arg-type]
                    "optional" in words,
                )
            )
        ruled = {rule["stage_id"] for rule in rules}
        all_rules: list[dict[str, str]] = [dict(rule) for rule in rules]
        all_rules += [
            {"stage_id": stage.stage_id, "match_value": stage.stage_id}
            for stage in stages
            if stage.stage_id not in ruled
        ]
        for rule in all_rules:
            rule.setdefault("rule_type", RULE_TYPE_OF.get(subject_type, "event"))
            rule.setdefault("match_type", "equals")
            if rule["rule_type"] == "event":
                start = "^" if rule["match_value"].startswith("^") else ""
                rule["match_value"] = start + self.event_name(rule["match_value"].lstrip("^"))
            self.book.seeds["stage_rules"].append({"funnel_id": funnel_id, **rule})
        for stage in stages:
            self.book.seeds["funnel_stages"].append(
                {
                    "funnel_id": funnel_id,
                    "stage_position": str(stage.position or ""),
                    "stage_id": stage.stage_id,
                    "stage_name": stage.stage_id,
                    "stage_kind": stage.kind,
                    "is_optional": "true" if stage.is_optional else "false",
                }
            )
        for after, before, event in exclusions:
            self.book.seeds["funnel_exclusions"].append(
                {
                    "funnel_id": funnel_id,
                    "after_stage_id": after,
                    "before_stage_id": before,
                    "match_value": self.event_name(event),
                }
            )
        self.book.funnels[funnel_id] = _oracle_funnel(
            declared,
            stages,
            all_rules,
            [(after, before, self.event_name(event)) for after, before, event in exclusions],
            window,
        )
        self.book.scope_of[funnel_id] = self.name
        if depends_on_order:
            self.book.order_dependent.add(funnel_id)
        return funnel_id

    def events(
        self,
        subject: str,
        rows: str,
        *,
        subject_type: str = "user",
        file: str = "cases.csv",
        **columns: str,
    ) -> None:
        """Deliver events of a subject: `instant name [property=value …]`, one a line.

        `columns` are further columns of the extract, the same in each row.
        """
        for line in rows.strip().splitlines():
            at, name, *pairs = line.split()
            properties = dict(pair.split("=", 1) for pair in pairs)
            self.deliver(
                "events",
                file,
                {
                    "occurred_at": at,
                    "event_name": self.event_name(name),
                    SUBJECT_COLUMN_OF[subject_type]: self.subject(subject),
                    "properties": json.dumps(properties) if properties else "",
                    **columns,
                },
            )
            self._happens(subject, at, self.event_name(name), "events", file, "event", properties)

    def record(self, record_id: str, *, file: str = "cases.csv", **columns: str) -> None:
        """Deliver one row of a record."""
        row = {"record_id": self.subject(record_id), "pipeline": self.name, **columns}
        for column in ("merged_into_id", "converted_record_id"):
            if row.get(column):
                row[column] = self.subject(row[column])
        self.deliver("records", file, row)

    def earlier_record(self, night: datetime, record_id: str, *, file: str, **columns: str) -> None:
        """Put a row of a record into a file as it lay there in an earlier night."""
        row = {"record_id": self.subject(record_id), "pipeline": self.name, **columns}
        files = self.book.earlier.setdefault(night, {})
        files.setdefault(f"{self.source}/records/{file}", []).append(row)

    def changes(
        self,
        record_id: str,
        rows: str,
        *,
        record_type: str = "opportunity",
        file: str = "cases.csv",
        has_record: bool = True,
        **columns: str,
    ) -> None:
        """Deliver a record and its stage changes: `instant stage`, one a line."""
        if has_record:
            last = rows.strip().splitlines()[-1].split()[1]
            self.record(record_id, record_type=record_type, stage=last, file=file, **columns)
        for line in rows.strip().splitlines():
            at, stage = line.split()
            self.deliver(
                "stage_changes",
                file,
                {
                    "record_id": self.subject(record_id),
                    "record_type": record_type,
                    "stage": stage,
                    "changed_at": at,
                },
            )
            rule_type = RULE_TYPE_OF[record_type]
            self._happens(record_id, at, stage, "stage_changes", file, rule_type, {})

    def deliver(self, table: str, file: str, row: LandingRow) -> None:
        """Put one row into a file of a landing table."""
        self.book.landing[f"{self.source}/{table}/{file}"].append(row)

    def declare(self, seed: str, **cells: str) -> None:
        """Add one row to a declaration table."""
        self.book.seeds[seed].append(cells)

    def _happens(
        self,
        subject: str,
        at: str,
        name: str,
        table: str,
        file: str,
        rule_type: str,
        properties: dict[str, str],
    ) -> None:
        instant = datetime.fromisoformat(at)
        if instant.tzinfo:
            instant = instant.astimezone(UTC).replace(tzinfo=None)
        path = f"{self.source}/{table}/{file}"
        self.book.happenings[self.name].append(
            Happening(
                subject=self.subject(subject),
                at=instant,
                name=name,
                file=path,
                row=len(self.book.landing[path]),
                rule_type=rule_type,  # type: ignore[arg-type]
                properties=properties,
            )
        )


def _oracle_funnel(
    declared: Mapping[str, str],
    stages: Sequence[Stage],
    rules: Sequence[Mapping[str, str]],
    exclusions: Sequence[tuple[str, str, str]],
    window: timedelta | None,
) -> Funnel:
    def day(text: str | None) -> date | None:
        return date.fromisoformat(text) if text else None

    choices: dict[str, Any] = {
        name: declared[name]
        for name in ("entry_policy", "count_by", "tie_policy", "hold_constant")
        if declared.get(name)
    }
    if declared["order_mode"] == "furthest" or declared.get("count_by") == "journey":
        choices.setdefault("entry_policy", "first")
    return Funnel(
        funnel_id=declared["funnel_id"],
        stages=tuple(stages),
        rules=tuple(
            Rule(
                stage_id=rule["stage_id"],
                match_value=rule["match_value"],
                rule_type=rule["rule_type"],  # type: ignore[arg-type]
                match_type=rule["match_type"],  # type: ignore[arg-type]
                property_name=rule.get("property_name"),
                property_value=rule.get("property_value"),
                occurrence=rule.get("occurrence", ""),
                occurrence_of=rule.get("occurrence_of") or "match",  # type: ignore[arg-type]
                valid_from=day(rule.get("valid_from")),
                valid_to=day(rule.get("valid_to")),
            )
            for rule in rules
        ),
        exclusions=tuple(Exclusion(*exclusion) for exclusion in exclusions),
        subject_type=declared["subject_type"],  # type: ignore[arg-type]
        order_mode=declared["order_mode"],  # type: ignore[arg-type]
        window=window,
        collapse_repeats=declared.get("collapse_repeats", "true") == "true",
        **choices,
    )


def _write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
