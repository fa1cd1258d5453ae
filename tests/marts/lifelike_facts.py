"""Facts with known chances, for what is estimated from them: no two times alike, many still open.

`trial` is one group of journeys in several stages; `coverage` many small samples of one truth,
each a value of the segment `sample`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from tests.marts.facts import AS_OF, Facts, Funnel, Journey, Stage, Visit, funnel

TRIAL = funnel("trial", "sign_up use order*", lost="cancelled")
COVERAGE = funnel("coverage", "asked bought*", lost="declined", segments="sample")
TRIAL_JOURNEYS = 300
SAMPLES = 200
JOURNEYS_OF_A_SAMPLE = 40
# In the long run half of the journeys of `coverage` are won; mean time to either outcome.
WON_IN_THE_END = 0.5
MEAN_DAYS = 1.0


def lifelike_facts(seed: int) -> Facts:
    """Facts of both funnels; the same for the same seed."""
    random = Random(seed)
    trial = [
        _journey(random, TRIAL, f"subject {number}", mean_days=20.0, seen_days=90.0, won=0.3)
        for number in range(TRIAL_JOURNEYS)
    ]
    coverage = [
        _journey(
            *(random, COVERAGE, f"subject {number}"),
            mean_days=MEAN_DAYS,
            seen_days=2.0,
            won=WON_IN_THE_END,
            segments={"sample": (f"sample {number % SAMPLES}",)},
        )
        for number in range(SAMPLES * JOURNEYS_OF_A_SAMPLE)
    ]
    return Facts((TRIAL, COVERAGE), (*trial, *coverage))


def _journey(
    random: Random,
    one: Funnel,
    subject_id: str,
    mean_days: float,
    seen_days: float,
    won: float,
    segments: dict[str, tuple[str, ...]] | None = None,
) -> Journey:
    """A journey that goes down the ladder and out of it, as far as it is seen."""
    at = AS_OF - timedelta(days=random.random() * seen_days)
    entered: list[tuple[Stage, datetime]] = []
    is_won = random.random() < won
    for stage in one.ladder[:-1]:
        entered.append((stage, at))
        at += timedelta(days=random.expovariate(1 / mean_days))
        if not is_won and random.random() < 0.4:
            break
    entered.append((one.ladder[-1] if is_won else one.stages[-1], at))
    seen = [(stage, at) for stage, at in entered if at < AS_OF]
    visits = [
        Visit(
            number, stage.stage_id, _next_stage_id(seen, number), entered_at, _left_at(seen, number)
        )
        for number, (stage, entered_at) in enumerate(seen, start=1)
    ]
    last, last_at = seen[-1]
    reached = [(stage, at) for stage, at in seen if stage.kind != "lost"]
    return Journey(
        one,
        subject_id,
        1,
        visits,
        reached=tuple(stage for stage, _ in reached),
        outcome=last.kind,
        entered_date=seen[0][1].date(),
        entered_at=seen[0][1],
        reached_at=tuple(at for _, at in reached),
        ended_at=None if last.kind == "open" else last_at,
        segments=segments or {},
    )


def _next_stage_id(seen: list[tuple[Stage, datetime]], number: int) -> str:
    if number < len(seen):
        return seen[number][0].stage_id
    return "still_there" if seen[-1][0].kind == "open" else "ended"


def _left_at(seen: list[tuple[Stage, datetime]], number: int) -> datetime | None:
    return seen[number][1] if number < len(seen) else None
