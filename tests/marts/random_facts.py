"""Facts at random: every shape that the marts must cope with, whatever semantics made them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random

from tests.marts.facts import AS_OF, Facts, Funnel, Happening, Journey, Visit, funnel

FUNNELS = (
    funnel(
        "deals",
        "call offer talks signed*",
        lost="gone dead",
        segments="region channel products+",
        target_hours={"call": 8.5, "offer": 0, "talks": 9999},
        subject_type="opportunity",
    ),
    funnel("shop", "view cart paid* again*", lost="left", order_mode="ordered", segments="device"),
    funnel("tour", "video trial call bought*", optional="video call", order_mode="any"),
    funnel("empty", "first last*"),
)
SEGMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "deals": {
        "region": ("north", "south"),
        "channel": ("mail", "web", "(missing)"),
        "products": ("pumps", "tanks", "valves"),
    },
    # One value may look like two others run together.
    "shop": {"device": ("phone", "phone6:tablet", "tablet")},
}
SUBJECTS = 70
# Of whom, of what kind, and by which names. Nobody goes through a funnel as a user.
KINDS: tuple[tuple[str, str, tuple[str | None, ...]], ...] = (
    ("visitor", "event", ("view", "cart", "help", "nothing")),
    ("visitor", "purchase", ("paid", None)),
    ("user", "event", ("view", "log in")),
    ("opportunity", "opportunity_stage", ("call", "offer", "gone", "parked")),
    ("opportunity", "activity", ("mail", "phone")),
)


def random_facts(seed: int) -> Facts:
    """Facts of all funnels; the same for the same seed."""
    random = Random(seed)
    journeys = [
        journey
        for one in FUNNELS
        if one.funnel_id != "empty"
        for number in range(SUBJECTS)
        for journey in _journeys_of_subject(random, one, f"subject {number}")
    ]
    random.shuffle(journeys)
    for journey in journeys:
        journey.visits = [_entered_again(random, visit) for visit in journey.visits]
    happenings = [
        happening
        for number in range(SUBJECTS)
        for happening in _happenings(random, number, journeys)
    ]
    random.shuffle(happenings)
    return Facts(FUNNELS, tuple(journeys), tuple(happenings))


def _journeys_of_subject(random: Random, one: Funnel, subject_id: str) -> list[Journey]:
    numbers = list(range(random.choice((0, 1, 1, 1)), random.choice((1, 1, 2, 3)) + 1))
    # Few days around New Year, so that cohorts of every grain have several journeys.
    at = datetime(2024, 12, 27) + timedelta(seconds=random.randrange(10 * 86400))
    at = at if random.random() < 0.8 else at + timedelta(days=random.randrange(80))
    is_undated = random.random() < 0.08
    steps: list[tuple[int, str, datetime | None]] = []
    for number in numbers:
        for _ in range(random.choice((1, 2, 3, 4, 6))):
            stage = random.choice(one.stages)
            # Durations repeat, and may be nothing at all.
            wait = random.choice((0, 1, 60, 60, 3600.5, random.random() * 86400, 86400 * 9))
            at += timedelta(seconds=wait)
            steps.append((number, stage.stage_id, None if is_undated else min(at, AS_OF)))
        at += timedelta(days=random.choice((0, 1, 3)))
    if not is_undated and random.random() < 0.5:
        # Who is still in a stage has not been there long, as a rule.
        age = random.choice((0, 60, random.random() * 86400, random.random() * 12 * 86400))
        (number, stage_id, _), before = steps[-1], steps[-2][2] if len(steps) > 1 else None
        at = AS_OF - timedelta(seconds=age)
        steps[-1] = (number, stage_id, max(at, before) if before else at)
    visits = _visits(random, one, steps)
    return [
        _journey(random, one, subject_id, number, [visit for of, visit in visits if of == number])
        for number in numbers
    ]


def _visits(
    random: Random, one: Funnel, steps: list[tuple[int, str, datetime | None]]
) -> list[tuple[int, Visit]]:
    visits = []
    for position, (number, stage_id, at) in enumerate(steps):
        if position + 1 < len(steps):
            next_stage_id, left_at = steps[position + 1][1:]
        else:
            is_open = one.stage(stage_id).kind == "open"
            next_stage_id = random.choice(("still_there", "abandoned")) if is_open else "ended"
            left_at = None
        visits.append((number, Visit(position + 1, stage_id, next_stage_id, at, left_at)))
    return visits


def _journey(
    random: Random, one: Funnel, subject_id: str, number: int, visits: list[Visit]
) -> Journey:
    if number == 0:
        return Journey(one, subject_id, 0, visits)
    furthest = random.randint(1, len(one.ladder))
    reached = tuple(
        stage
        for stage in one.ladder[:furthest]
        if one.order_mode != "any"
        or not stage.is_optional
        or stage.position == furthest
        or random.random() < 0.5
    )
    outcome = random.choice(("won", "lost", "abandoned", "open"))
    entered_at = visits[0].entered_at
    return Journey(
        one,
        subject_id,
        number,
        visits,
        reached,
        outcome,
        loss_reason=random.choice(("price", "budget", None)) if outcome == "lost" else None,
        is_mature=random.random() < 0.9,
        entered_date=entered_at.date() if entered_at else None,
        entered_at=entered_at,
        reached_at=_reached_at(random, one, entered_at, len(reached)),
        ended_at=None if outcome == "open" else random.choice(visits).entered_at,
        amount=random.choice((None, Decimal("0.0001"), Decimal("12.5"), Decimal(1000))),
        segments={
            name: tuple(random.sample(of, 1 if adds_up else random.randint(1, len(of))))
            for name, adds_up in one.segments
            for of in [SEGMENTS[one.funnel_id][name]]
        },
    )


def _reached_at(
    random: Random, one: Funnel, entered_at: datetime | None, stages: int
) -> tuple[datetime | None, ...]:
    if entered_at is None:
        return ()
    days = [random.choice((0, 1, random.random() * 5)) for _ in range(stages)]
    # Each stage after the one before, but where the order does not count.
    elapsed = days if one.order_mode == "any" else list(accumulate(days))
    return tuple(min(entered_at + timedelta(days=one), AS_OF) for one in elapsed)


def _entered_again(random: Random, visit: Visit) -> Visit:
    """The visit, of some stages with a further entry before another stage's."""
    if visit.entered_at is None or random.random() < 0.8:
        return visit
    wait = ((visit.left_at or AS_OF) - visit.entered_at) * random.random()
    return replace(visit, entered_again_at=(visit.entered_at + wait,))


def _happenings(random: Random, number: int, journeys: list[Journey]) -> list[Happening]:
    """What is known of all subjects of that number, around their visits and at their instants."""
    subject_id = f"subject {number}"
    instants = [
        at
        for journey in journeys
        if journey.subject_id == subject_id
        for visit in journey.visits
        for at in visit.entries
    ]
    happenings = []
    for _ in range(random.choice((0, 3, 9)) if instants else 0):
        subject_type, kind, names = random.choice(KINDS)
        wait = random.choice((0, 0, 60, 3600.5, -60, random.random() * 86400 * 20))
        at = random.choice((None, *[random.choice(instants) + timedelta(seconds=wait)] * 9))
        is_creation = kind == "opportunity_stage" and random.random() < 0.2
        name = None if is_creation else random.choice(names)
        happenings.append(Happening(subject_type, subject_id, kind, name, at, is_creation))
    return happenings
