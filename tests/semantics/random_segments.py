"""Random values of segments: events with a property, and deals whose owners change.

As in `random_logs`, each log is drawn from its own fixed seed. No two of a subject's rows share an
instant, but a change of a field may share that of a stage.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tests.oracle.segments import Attribute, FieldChange, Segment
from tests.semantics.cases import BOOK, case, hours

SUBJECTS = 150
START = datetime(2024, 12, 30)
HOURS = 48
# The changes of fields go on after the as-of.
HOURS_OF_CHANGES = 60
LADDER = "a\nb\nc\nd won\nlost lost"

SEGMENTS = (
    Segment("entered", "", "entry"),
    Segment("at_b", "", "stage", "b"),
    Segment("at_lost", "", "stage", "lost"),
    Segment("first", "", "first"),
    Segment("last", "", "last"),
    Segment("each", "", "each"),
)

# By case and subject.
OWNERS: dict[str, Attribute] = {}


def _declare(funnel_id: str, subject_type: str, attribute: str) -> None:
    for segment in SEGMENTS:
        case(BOOK.scope_of[funnel_id]).declare(
            "segments",
            segment_name=f"random_{segment.name}",
            subject_type=subject_type,
            attribute=attribute,
            taken_at=segment.taken_at,
            stage_id=segment.stage_id,
            funnel_id=funnel_id,
        )


def _draw_touched() -> None:
    random = np.random.default_rng(808)
    log = case("touched")
    for subject in range(SUBJECTS):
        size = int(random.integers(1, 9))
        at = sorted(random.choice(HOURS, size=size, replace=False))
        names = sorted(random.choice(["a", "b", "c", "d", "lost", "x"], size=size))
        one, other = random.integers(0, size, 2)
        names[one], names[other] = names[other], names[one]
        for hour, name in zip(at, names, strict=True):
            channel = random.choice(["", "", "mail", "search", "social"])
            when = (START + timedelta(hours=int(hour))).isoformat()
            pair = f" channel={channel}" if channel else ""
            log.events(f"{subject:03}", f"{when} {name}{pair}", file="random.csv")


def _draw_handed() -> None:
    random = np.random.default_rng(909)
    log = case("handed")
    owners = [None, "ann", "bob", "cat"]
    for subject in range(SUBJECTS):
        size = int(random.integers(1, 7))
        at = sorted(random.choice(HOURS, size=size, replace=False))
        stages = random.choice(["a", "b", "c", "d", "lost"], size=size)
        lines = [
            f"{(START + timedelta(hours=int(hour))).isoformat()} {stage}"
            for hour, stage in zip(at, stages, strict=True)
        ]
        changed = random.choice(HOURS_OF_CHANGES, size=int(random.integers(0, 5)), replace=False)
        changes = tuple(
            FieldChange(
                START + timedelta(hours=int(hour)),
                owners[random.integers(0, 4)],
                owners[random.integers(0, 4)],
            )
            for hour in changed
        )
        now = owners[random.integers(0, 4)]
        name = f"{subject:03}"
        OWNERS[log.subject(name)] = Attribute(now, changes)
        log.changes(name, "\n".join(lines), file="random.csv", owner_id=now or "")
        for change in changes:
            log.deliver(
                "field_changes",
                "random.csv",
                {
                    "record_id": log.subject(name),
                    "field": "owner_id",
                    "changed_at": change.at.isoformat(),
                    "old_value": change.old or "",
                    "new_value": change.new or "",
                },
            )


_draw_touched()
touched = case("touched")
TOUCHED_FUNNELS = (
    touched.funnel("best", LADDER, window=hours(20)),
    touched.funnel("journeys", LADDER, entry_policy="first", count_by="journey", window=hours(10)),
    touched.funnel("strict", LADDER, order_mode="strict", collapse_repeats="false"),
    touched.funnel("any", LADDER, order_mode="any", window=hours(20)),
    touched.funnel("furthest", LADDER, order_mode="furthest", count_by="journey"),
)
for funnel_id in TOUCHED_FUNNELS:
    _declare(funnel_id, "user", "channel")

_draw_handed()
handed = case("handed")
HANDED_FUNNELS = tuple(
    handed.funnel(
        f"by_{count_by}",
        LADDER,
        subject_type="opportunity",
        order_mode="furthest",
        count_by=count_by,
    )
    for count_by in ("subject", "journey")
)
for funnel_id in HANDED_FUNNELS:
    _declare(funnel_id, "opportunity", "owner_id")
