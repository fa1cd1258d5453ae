"""What a user declares of a funnel, as far as the semantics need it. No defaults are worked out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

SubjectType = Literal["visitor", "session", "user", "person", "lead", "opportunity", "account"]
OrderMode = Literal["furthest", "ordered", "strict", "any"]
StageKind = Literal["open", "won", "lost"]


@dataclass(frozen=True)
class Stage:
    """A stage. `position` counts from 1; a lost stage is not on the ladder and has none."""

    stage_id: str
    position: int | None
    kind: StageKind = "open"
    is_optional: bool = False


@dataclass(frozen=True)
class Rule:
    """What counts as entering a stage. Several rules of one stage are alternatives.

    A rule holds from `valid_from` to `valid_to`, both days included.
    """

    stage_id: str
    match_value: str
    rule_type: Literal["event", "lead_status", "opportunity_stage", "purchase"] = "event"
    match_type: Literal["equals", "prefix", "regex"] = "equals"
    property_name: str | None = None
    property_value: str | None = None
    # `occurrence` is a number from 1, or one with a plus; it counts what meets the whole rule
    # (`match`), or all that bears its name (`name`).
    occurrence: str = ""
    occurrence_of: Literal["match", "name"] = "match"
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Exclusion:
    """An event that voids a chain when it lies between the two stages."""

    after_stage_id: str
    before_stage_id: str
    match_value: str


@dataclass(frozen=True)
class Funnel:
    """One funnel with its stages, rules and exclusions."""

    funnel_id: str
    stages: tuple[Stage, ...]
    rules: tuple[Rule, ...]
    exclusions: tuple[Exclusion, ...] = ()
    subject_type: SubjectType = "user"
    order_mode: OrderMode = "ordered"
    entry_policy: Literal["best", "first"] = "best"
    count_by: Literal["subject", "journey"] = "subject"
    tie_policy: Literal["source_order", "funnel_order"] = "source_order"
    window: timedelta | None = None
    collapse_repeats: bool = True
    # A property of events that must have one value through all entries of a chain.
    hold_constant: str | None = None

    @property
    def is_of_records(self) -> bool:
        """Whether its subjects are records of a CRM, which are open again when reopened."""
        return self.subject_type in ("lead", "opportunity")

    def stage(self, stage_id: str) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.stage_id == stage_id)

    @property
    def ladder(self) -> tuple[Stage, ...]:
        """The stages that have a position, from the first to the last."""
        on_the_ladder = [stage for stage in self.stages if stage.position is not None]
        return tuple(sorted(on_the_ladder, key=lambda stage: stage.position or 0))

    def may_start(self, position: int) -> bool:
        """Whether a chain may begin here: all stages before are optional."""
        return self.may_follow(0, position)

    def may_follow(self, position: int, later: int) -> bool:
        """Whether `later` may come next after `position`: all stages in between are optional."""
        between = self.ladder[position : later - 1]
        return position < later and all(stage.is_optional for stage in between)
