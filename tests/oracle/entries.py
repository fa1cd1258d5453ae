"""What happened, the stages that it entered, and the order of both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from tests.oracle.declared import Funnel, Rule, Stage

# Behind all positions: lost stages have none, and neither has what no rule knows.
NO_POSITION = 1_000

# Behind all instants: where no date is known.
NO_DATE = datetime(9999, 12, 31)

# (no date, instant, position under funnel_order, file, row, position)
Place = tuple[bool, datetime, int, str, int, int]


@dataclass(frozen=True)
class Happening:
    """One row of evidence: an event, a change of stage, or an order.

    `at` is UTC without an offset, None where no date is known. `file` and `row` say where it was
    delivered; no two happenings share both.
    """

    subject: str
    at: datetime | None
    name: str
    file: str = ""
    row: int = 0
    rule_type: Literal["event", "lead_status", "opportunity_stage", "purchase"] = "event"
    properties: Mapping[str, str] = field(default_factory=dict, compare=False)
    evidence: Literal["observed", "imputed", "snapshot"] = "observed"


@dataclass(frozen=True)
class Entry:
    """A happening that enters a stage. One happening may make several, one a stage."""

    happening: Happening
    stage: Stage

    @property
    def at(self) -> datetime | None:
        """The instant of the entry."""
        return self.happening.at

    def held_value(self, funnel: Funnel) -> str | None:
        """The value of the property that the funnel holds constant, if it holds one."""
        if funnel.hold_constant is None:
            return None
        return self.happening.properties.get(funnel.hold_constant)

    def can_serve(self, funnel: Funnel) -> bool:
        """Whether a chain may use it: where a property is held constant, it has to have one."""
        return funnel.hold_constant is None or self.held_value(funnel) is not None

    @property
    def position(self) -> int:
        """The place on the ladder, behind all others for a lost stage."""
        return NO_POSITION if self.stage.position is None else self.stage.position


def place(funnel: Funnel, happening: Happening, position: int) -> Place:
    """Where something stands in the order of its subject: "after" means a greater place.

    By instant; equal instants by delivery (source_order) or by stage (funnel_order).
    """
    return (
        happening.at is None,
        happening.at or NO_DATE,
        position if funnel.tie_policy == "funnel_order" else 0,
        happening.file,
        happening.row,
        position,
    )


def place_of(funnel: Funnel, entry: Entry) -> Place:
    """Where an entry stands in the order of its subject."""
    return place(funnel, entry.happening, entry.position)


def entries_of_subject(
    funnel: Funnel, happenings: Sequence[Happening], timezone: str = "UTC"
) -> list[Entry]:
    """Every stage entry of one subject, in order.

    `timezone` is the reporting time zone, in which the validity dates of rules are meant.
    """
    entries = {
        Entry(happening, funnel.stage(rule.stage_id))
        for rule in funnel.rules
        for happening in _matching(rule, happenings, timezone)
    }
    return sorted(entries, key=lambda entry: place_of(funnel, entry))


def _matching(rule: Rule, happenings: Sequence[Happening], timezone: str) -> list[Happening]:
    in_order = sorted(
        happenings,
        key=lambda happening: (happening.at or NO_DATE, happening.file, happening.row),
    )
    matching = [happening for happening in in_order if _matches(rule, happening, timezone)]
    if not rule.occurrence:
        return matching
    counted = matching
    if rule.occurrence_of == "name":
        counted = [happening for happening in in_order if _is_named(rule, happening)]
    first = int(rule.occurrence.rstrip("+")) - 1
    wanted = counted[first:] if rule.occurrence.endswith("+") else counted[first : first + 1]
    return [happening for happening in wanted if happening in matching]


def _matches(rule: Rule, happening: Happening, timezone: str) -> bool:
    if not _is_named(rule, happening):
        return False
    if rule.property_name:
        value = happening.properties.get(rule.property_name)
        if value is None or (rule.property_value and value != rule.property_value):
            return False
    if happening.at is not None:
        day = happening.at.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
        if rule.valid_from is not None and day < rule.valid_from:
            return False
        if rule.valid_to is not None and day > rule.valid_to:
            return False
    return True


def _is_named(rule: Rule, happening: Happening) -> bool:
    """Whether a rule's type and name are met, whatever else it asks for."""
    if rule.rule_type != happening.rule_type:
        return False
    if rule.match_type == "equals" and happening.name != rule.match_value:
        return False
    if rule.match_type == "prefix" and not happening.name.startswith(rule.match_value):
        return False
    return rule.match_type != "regex" or bool(re.search(rule.match_value, happening.name))
