"""The values of a segment that each journey of a subject stands under.

Where the subject is a record, its attribute is what the changes of the field say; everywhere else
it is a property of the events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tests.oracle.entries import Entry
from tests.oracle.journeys import Journey, Log, serving
from tests.oracle.visits import journey_of

MISSING = "(missing)"


@dataclass(frozen=True)
class Segment:
    """What is declared of a segment."""

    name: str
    attribute: str
    taken_at: Literal["entry", "stage", "first", "last", "each"]
    stage_id: str = ""


@dataclass(frozen=True)
class FieldChange:
    """A field of a record became another value; None is none."""

    at: datetime
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Attribute:
    """An attribute of a record: what it is now, and how it was changed."""

    now: str | None
    changes: tuple[FieldChange, ...] = ()

    def value_at(self, at: datetime) -> str | None:
        """What the latest change up to then made it, else what the next one found."""
        before = [change for change in self.changes if change.at <= at]
        after = [change for change in self.changes if change.at > at]
        if before:
            return max(before, key=lambda change: change.at).new
        if after:
            return min(after, key=lambda change: change.at).old
        return self.now


def segment_values(
    log: Log, journeys: Sequence[Journey], segment: Segment, record: Attribute | None
) -> list[tuple[int, str]]:
    """Each journey's number with each value that it stands under.

    `record` is the attribute where the subject is a record, else None.
    """
    entries = serving(log, log.entries, [journey.chain for journey in journeys])
    found = []
    for number, journey in enumerate(journeys):
        own = [entry for entry in entries if journey_of(log, journeys, entry) == journey]
        following = journeys[number + 1 : number + 2]
        if record is None:
            values = _of_events(own, segment)
        else:
            until = following[0].entered_at if following else log.as_of
            assert until is not None
            values = _of_a_record(own, segment, record, until)
        known = {value for value in values if value is not None}
        found += [(journey.number, value) for value in known or {MISSING}]
    return found


def _of_events(own: Sequence[Entry], segment: Segment) -> Sequence[str | None]:
    def value(entry: Entry) -> str | None:
        return entry.happening.properties.get(segment.attribute)

    known = [value(entry) for entry in own if value(entry) is not None]
    if segment.taken_at == "entry":
        return [value(own[0])]
    if segment.taken_at == "stage":
        return [value(entry) for entry in own if entry.stage.stage_id == segment.stage_id][:1]
    if segment.taken_at == "first":
        return known[:1]
    if segment.taken_at == "last":
        return known[-1:]
    return known


def _of_a_record(
    own: Sequence[Entry], segment: Segment, record: Attribute, until: datetime
) -> Sequence[str | None]:
    entered_at = own[0].at
    assert entered_at is not None
    later = sorted(change.at for change in record.changes if entered_at < change.at < until)
    values = [record.value_at(at) for at in (entered_at, *later)]
    if segment.taken_at == "entry":
        return values[:1]
    if segment.taken_at == "stage":
        return [
            record.value_at(entry.at)
            for entry in own
            if entry.stage.stage_id == segment.stage_id and entry.at is not None
        ][:1]
    if segment.taken_at == "first":
        return [value for value in values if value is not None][:1]
    if segment.taken_at == "last":
        return values[-1:]
    return values
