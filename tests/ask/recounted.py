"""The simulated company read from its landing files in plain Python, for tables to be held against.

Nothing here comes from the models but who is one person: `persons` are the identifiers as
`int_person_identifiers` has them, which the tests of identity hold against an oracle.
Journeys of the web are those of the oracle.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from tests.oracle.answers import Answers, answers_of
from tests.oracle.declared import Exclusion, Funnel, Rule, Stage
from tests.oracle.entries import Happening

# What the shipped channel rules make of the company's campaigns.
CHANNELS = {
    "search": "Search",
    "direct": "Direct",
    "paid_ads": "Paid search",
    "social": "Social",
    "referral": "Referral",
    "email": "E-mail",
    "qr_code": "Other",
}


@dataclass(frozen=True)
class Event:
    """An event as it counts: once, with a subject, at a plausible instant before the as-of."""

    at: datetime
    name: str
    user: str | None
    device: str | None
    session: str | None
    file: str
    row: int
    properties: Mapping[str, Any] = field(compare=False, hash=False)

    @property
    def visitor(self) -> str:
        """The device, or the user where no device is known."""
        return self.device or self.user or ""


@dataclass(frozen=True)
class Recounted:
    """The deliveries of a landing and the declarations of `seeds`, known before `as_of`."""

    landing: Path
    seeds: Path
    as_of: datetime
    persons: Mapping[tuple[str, str], str]

    @cached_property
    def events(self) -> list[Event]:
        """All events, in the order of delivery."""
        found: dict[str, Event] = {}
        for file, row, cells in self._rows("events", "read_parquet"):
            at = _instant(cells["occurred_at"])
            is_known = cells["user_id"] is not None or cells["anonymous_id"] is not None
            if at is None or not is_known or not 2000 < at.year < 2100 or at >= self.as_of:
                continue
            event = Event(
                at,
                cells["event_name"],
                cells["user_id"],
                cells["anonymous_id"],
                cells["session_id"],
                file,
                row,
                json.loads(cells["properties"]),
            )
            # Of an event that is delivered again, one row counts. Which one matters only for the
            # order of events of one instant, and of no end of a session of this company.
            found.setdefault(cells["event_id"], event)
        return sorted(found.values(), key=lambda one: (one.file, one.row))

    @cached_property
    def sessions(self) -> dict[str, list[Event]]:
        """The events of each session in their order."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda one: (one.at, one.file, one.row)):
            if event.session is not None:
                found[event.session].append(event)
        return found

    @cached_property
    def of_visitors(self) -> dict[str, list[Event]]:
        """The events of each visitor, by instant."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda one: one.at):
            found[event.visitor].append(event)
        return found

    def person_of(self, event: Event) -> str | None:
        """Who did it: the user, else the device's."""
        if event.user is not None:
            return self.persons.get(("user_id", event.user), event.user)
        return self.persons.get(("anonymous_id", str(event.device)))

    @cached_property
    def touches(self) -> dict[str, list[tuple[datetime, str]]]:
        """The start and channel of each person's sessions; of one on a shared device of both."""
        found: dict[str, set[tuple[datetime, str, str]]] = defaultdict(set)
        for session, events in self.sessions.items():
            users = [event.user for event in events if event.user is not None]
            persons = {self.person_of(events[0])}
            if users:
                persons.add(self.persons.get(("user_id", min(users)), min(users)))
            campaigns = [one.properties["channel"] for one in events]
            for person in persons - {None}:
                found[str(person)].add((events[0].at, CHANNELS[campaigns[0]], session))
        return {
            person: [(at, channel) for at, channel, _ in sorted(touches)]
            for person, touches in found.items()
        }

    def web_funnel(self, funnel_id: str) -> Funnel:
        """A funnel of events as it is declared."""
        [row] = self._declared("funnels", funnel_id)
        stages = tuple(
            Stage(
                one["stage_id"],
                int(one["stage_position"]),
                one["stage_kind"],  # type: ignore[arg-type]
                one["is_optional"] == "true",
            )
            for one in self._declared("funnel_stages", funnel_id)
        )
        rules = tuple(
            Rule(
                one["stage_id"],
                one["match_value"],
                property_name=one["property_name"] or None,
                property_value=one["property_value"] or None,
                occurrence=one["occurrence"],
            )
            for one in self._declared("stage_rules", funnel_id)
        )
        exclusions = tuple(
            Exclusion(one["after_stage_id"], one["before_stage_id"], one["match_value"])
            for one in self._declared("funnel_exclusions", funnel_id)
        )
        return Funnel(
            funnel_id,
            stages,
            rules,
            exclusions,
            subject_type=row["subject_type"],  # type: ignore[arg-type]
            order_mode=row["order_mode"],  # type: ignore[arg-type]
            entry_policy=row["entry_policy"],  # type: ignore[arg-type]
            tie_policy=row["tie_policy"],  # type: ignore[arg-type]
            window=timedelta(hours=float(row["window_hours"])),
        )

    @cached_property
    def web_purchase(self) -> Answers:
        """The journeys of visitors in the shop."""
        happenings = [
            Happening(
                event.visitor,
                event.at,
                event.name,
                event.file,
                event.row,
                properties={name: str(value) for name, value in event.properties.items()},
            )
            for event in self.events
        ]
        return answers_of(self.web_funnel("web_purchase"), happenings, self.as_of)

    @cached_property
    def orders(self) -> list[dict[str, Any]]:
        """The orders whose amount can be read, each as it was updated last."""
        found: dict[str, dict[str, Any]] = {}
        for _, _, cells in self._rows("orders", "read_ndjson"):
            at, updated = _instant(cells["ordered_at"]), _instant(cells["updated_at"])
            if "," in cells["amount"] or at is None or updated is None or updated >= self.as_of:
                continue
            known = found.get(cells["order_id"])
            if known is None or known["updated"] <= updated:
                found[cells["order_id"]] = cells | {"at": at, "updated": updated}
        return list(found.values())

    def in_dollars(self, amount: str, currency: str, day: date) -> Decimal:
        """An amount by the declared rate of the day, to four digits."""
        rates = [
            (one["valid_from"], Decimal(one["rate"]))
            for one in self._all_declared("exchange_rates")
            if one["currency"] == currency and one["valid_from"] <= day.isoformat()
        ]
        rate = Decimal(1) if currency == "USD" else max(rates)[1]
        return (Decimal(amount) * rate).quantize(Decimal("0.0001"))

    @cached_property
    def leads(self) -> dict[str, dict[str, str]]:
        """The leads that are neither deleted nor merged into another, as they are now."""
        return {
            name: row
            for name, row in self._records("lead").items()
            if row["is_deleted"] != "true" and not row["merged_into_id"]
        }

    @cached_property
    def lead_stages(self) -> dict[str, list[tuple[datetime, str]]]:
        """The stages of each of these leads in their order, those of merged ones included."""
        survivors = {name: row["merged_into_id"] for name, row in self._records("lead").items()}
        changes: dict[str, list[tuple[datetime, str, int, str]]] = defaultdict(list)
        for file, row, cells in self._rows("stage_changes", "read_csv"):
            at = _instant(cells["changed_at"])
            if cells["record_type"] == "lead" and at is not None and at < self.as_of:
                lead = survivors.get(cells["record_id"]) or cells["record_id"]
                changes[lead].append((at, file, row, cells["stage"]))
        found = {}
        for lead in self.leads:
            stages: list[tuple[datetime, str]] = []
            for at, _, _, stage in sorted(changes[lead]):
                name = "disqualified" if stage.startswith("Unqualified") else stage.lower()
                name = name.replace(" ", "_")
                if not stages or stages[-1][1] != name:
                    stages.append((at, name))
            found[lead] = stages
        return found

    def _records(self, record_type: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for _, _, cells in self._rows("records", "read_csv"):
            known = found.get(cells["record_id"])
            is_known = cells["record_type"] == record_type
            if is_known and (known is None or known["updated_at"] <= cells["updated_at"]):
                found[cells["record_id"]] = {name: cell or "" for name, cell in cells.items()}
        return found

    def _rows(self, table: str, reader: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """File, row and cells of a table, all cells but those of Parquet as text."""
        options = {
            "read_parquet": "",
            "read_csv": ", all_varchar = true",
            "read_ndjson": ", columns = {order_id: 'varchar', ordered_at: 'varchar',"
            " amount: 'varchar', currency: 'varchar', user_id: 'varchar', account_id: 'varchar',"
            " status: 'varchar', updated_at: 'varchar'}",
        }[reader]
        with duckdb.connect() as connection:
            for path in sorted((self.landing / "generic" / table).iterdir()):
                rows = connection.execute(f"select * from {reader}('{path}'{options})")
                names = [name for name, *_ in rows.description or ()]
                for number, row in enumerate(rows.fetchall(), start=1):
                    yield path.name, number, dict(zip(names, row, strict=True))

    def _declared(self, table: str, funnel_id: str) -> list[dict[str, str]]:
        return [row for row in self._all_declared(table) if row["funnel_id"] == funnel_id]

    def _all_declared(self, table: str) -> list[dict[str, str]]:
        with (self.seeds / f"{table}.csv").open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))


def _instant(text: str) -> datetime | None:
    """An instant in UTC without an offset; None for one that does not exist."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
