"""The funnel marts worked out in plain Python, from the words of their descriptions.

An independent implementation: slow, and without any of the models' short cuts. Rates are left to
the caller's arithmetic, medians of survival are products of fractions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from tests.marts.facts import AS_OF, Facts, Funnel, Journey, Stage, Visit, business_time

# cohort_grain, cohort_date, segment_name, segment_value
Group = tuple[str, date | None, str, str]
Measures = dict[str, object]
EVERYTHING: Group = ("all", None, "all", "all")
# Fewer are not reportable, unless a setting says another number.
REPORTABLE = 30


@dataclass(frozen=True)
class Column:
    """What stands in one group: its journeys, and the subjects' visits before any."""

    journeys: tuple[Journey, ...]
    before: tuple[Journey, ...]


def columns(facts: Facts) -> Iterator[tuple[Funnel, Group, Column]]:
    """All groups of all funnels, with what stands in them."""
    for funnel in facts.funnels:
        own = [one for one in facts.journeys if one.funnel == funnel]
        groups: Mapping[Group, list[Journey]] = defaultdict(list)
        groups[EVERYTHING]
        for journey in own:
            if journey.number > 0:
                for group in _groups_of(journey):
                    groups[group].append(journey)
        before = tuple(one for one in own if one.number == 0)
        for group, journeys in groups.items():
            yield funnel, group, Column(tuple(journeys), before if group == EVERYTHING else ())


def _groups_of(journey: Journey) -> Iterator[Group]:
    values = [(name, value) for name, of in journey.segments.items() for value in of]
    for segment in (("all", "all"), *values):
        yield ("all", None, *segment)
        day = journey.entered_date
        if day:
            yield ("year", day.replace(month=1, day=1), *segment)
            yield ("quarter", day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1), *segment)
            yield ("month", day.replace(day=1), *segment)
            yield ("week", day - timedelta(days=day.weekday()), *segment)
            yield ("day", day, *segment)


def funnel_conversion(funnel: Funnel, column: Column) -> dict[tuple[str, ...], Measures]:
    """By stage."""
    rows: dict[tuple[str, ...], Measures] = {}
    previous: int | None = None
    in_journeys = {
        (one.subject_id, visit.stage_id) for one in column.journeys for visit in one.visits
    }
    before = {(one.subject_id, visit.stage_id) for one in column.before for visit in one.visits}
    for stage in funnel.ladder:
        reached = [one for one in column.journeys if stage in one.reached]
        visited = [one for one in column.journeys if _visits_of(one, stage.stage_id)]
        only_before = [key for key in before - in_journeys if key[1] == stage.stage_id]
        rows[(stage.stage_id,)] = {
            "stage_position": stage.position,
            "visited": len(visited) + len(only_before),
            "reached": len(reached),
            "reached_previous": previous,
            "entered": len(column.journeys),
            "step_rate": len(reached) / previous if previous else None,
            "overall_rate": len(reached) / len(column.journeys) if column.journeys else None,
            "is_mature": bool(column.journeys) and all(one.is_mature for one in column.journeys),
            "imputed": sum(not _visits_of(one, stage.stage_id) for one in reached),
            "mature_entered": sum(one.is_mature for one in column.journeys),
            "mature_reached": sum(one.is_mature for one in reached),
        }
        if funnel.order_mode != "any" or not stage.is_optional:
            previous = len(reached)
    return rows


def drop_off_points(funnel: Funnel, column: Column) -> dict[tuple[str, ...], Measures]:
    """By stage."""
    rows: dict[tuple[str, ...], Measures] = {}
    for stage in funnel.ladder:
        reached = [one for one in column.journeys if stage in one.reached]
        here: Mapping[str, list[Journey]] = defaultdict(list)
        for one in reached:
            here["advanced" if one.furthest != stage else one.outcome].append(one)
        dropped = here["lost"] + here["abandoned"]
        known = [one.amount for one in dropped if one.amount is not None]
        reasons = Counter(one.loss_reason for one in here["lost"] if one.loss_reason)
        rows[(stage.stage_id,)] = {
            "stage_position": stage.position,
            "reached": len(reached),
            "advanced": len(here["advanced"]),
            "won": len(here["won"]),
            "lost": len(here["lost"]),
            "abandoned": len(here["abandoned"]),
            "still_open": len(here["open"]),
            "drop_off_rate": len(dropped) / len(reached) if reached else None,
            "amount_lost": None if dropped and not known else sum(known, Decimal(0)),
            "amount_unknown": len(dropped) - len(known),
            "top_loss_reason": min(reasons, key=lambda one: (-reasons[one], one), default=None),
        }
    return rows


def conversion_matrix(_: Funnel, column: Column) -> dict[tuple[str, ...], Measures]:
    """By from stage and to stage."""
    steps: Mapping[tuple[str, str], list[tuple[str, Decimal | None]]] = defaultdict(list)
    visits: Counter[str] = Counter()
    for journey in (*column.before, *column.journeys):
        for visit in journey.visits:
            pairs = [(visit.stage_id, visit.next_stage_id, visit.seconds)]
            if visit.number == 1:
                pairs.append(("entry", visit.stage_id, None))
            for from_stage, to_stage, seconds in pairs:
                steps[from_stage, to_stage].append((journey.subject_id, seconds))
                visits[from_stage] += 1
    return {
        (from_stage, to_stage): {
            "transitions": len(made),
            "subjects": len({subject for subject, _ in made}),
            "visits": visits[from_stage],
            "transition_rate": len(made) / visits[from_stage],
            "transition_rate_is_reportable": visits[from_stage] >= REPORTABLE,
            **_median([one for _, one in made if one is not None]),
        }
        for (from_stage, to_stage), made in steps.items()
    }


def cycle_times(funnel: Funnel, column: Column) -> dict[tuple[str, ...], Measures]:
    """By from stage and to stage or any_exit."""
    rows: dict[tuple[str, ...], Measures] = {}
    for stage in funnel.stages:
        visits = [
            visit
            for journey in (*column.before, *column.journeys)
            for visit in _visits_of(journey, stage.stage_id)
        ]
        if not visits:
            continue
        journeys = [one for one in column.journeys if _visits_of(one, stage.stage_id)]
        won = sum(one.outcome == "won" for one in journeys)
        closed = sum(one.outcome != "open" for one in journeys)
        shares = {"won": won, "closed": closed, "won_share": won / closed if closed else None}
        completed = [visit.seconds for visit in visits if visit.seconds is not None]
        waiting = [
            _seconds(visit.entered_at, AS_OF)
            for visit in visits
            if visit.is_current and visit.entered_at
        ]
        rows[stage.stage_id, "any_exit"] = {
            "completed": len(completed),
            "competing": 0,
            "censored": len(waiting),
            "undated": len(visits) - len(completed) - len(waiting),
            **_times(completed),
            "survival_p50": survival_median(completed, waiting),
            **shares,
        }
        for other in funnel.stages:
            fates = [_fate(one, stage, other) for one in journeys]
            if other == stage or not fates:
                continue
            made_it = any(_later_entry(one, stage, other) for one in journeys)
            if not made_it and (stage.position or 99) >= (other.position or 0):
                continue
            times = [fate for fate in fates if isinstance(fate, Decimal)]
            rows[stage.stage_id, other.stage_id] = {
                "completed": len(times),
                **{name: fates.count(name) for name in ("competing", "censored", "undated")},
                **_times(times),
                "survival_p50": None,
                **shares,
            }
    return rows


def open_visits(facts: Facts) -> dict[tuple[str, ...], Measures]:
    """By funnel and subject."""
    rows: dict[tuple[str, ...], Measures] = {}
    for journey in facts.journeys:
        funnel = journey.funnel
        for visit in journey.visits:
            if visit.next_stage_id != "still_there" or visit.entered_at is None:
                continue
            stage = funnel.stage(visit.stage_id)
            age = _seconds(visit.entered_at, AS_OF)
            history = [
                one.seconds
                for other in facts.journeys
                if other.funnel == funnel
                for one in _visits_of(other, visit.stage_id)
                if one.seconds is not None
            ]
            shorter = sum(seconds <= age for seconds in history)
            target = None if stage.target_hours is None else stage.target_hours * 3600
            p90 = quantile(history, Fraction(9, 10))
            beyond_target = None if target is None else age > target
            beyond_p90 = None if p90 is None else float(age) > p90
            reasons = {(True, True): "both", (True, False): "target", (False, True): "history"}
            rows[funnel.funnel_id, journey.subject_id] = {
                "visit_number": visit.number,
                "journey_number": journey.number,
                "stage_id": visit.stage_id,
                "stage_position": stage.position,
                "outcome": journey.outcome if journey.number else None,
                "entered_at": visit.entered_at,
                "age_seconds": age,
                "business_age_seconds": _decimal(business_time(visit.entered_at, AS_OF)),
                "completed_visits": len(history),
                "left_by_age": shorter,
                "share_left_by_age": shorter / len(history) if history else None,
                "share_left_by_age_is_reportable": len(history) >= 30,
                "p50_seconds": quantile(history, Fraction(1, 2)),
                "p90_seconds": p90,
                "target_seconds": target,
                "is_beyond_target": beyond_target,
                "is_beyond_p90": beyond_p90,
                "is_stalled": bool(beyond_target or beyond_p90),
                "stalled_by": reasons.get((bool(beyond_target), bool(beyond_p90))),
                "amount": journey.amount if journey.number else None,
            }
    return rows


def _visits_of(journey: Journey, stage_id: str) -> list[Visit]:
    return [visit for visit in journey.visits if visit.stage_id == stage_id]


def _later_entry(journey: Journey, stage: Stage, other: Stage) -> Visit | None:
    first = _visits_of(journey, stage.stage_id)[0]
    later = [one for one in _visits_of(journey, other.stage_id) if one.number > first.number]
    return later[0] if later else None


def _fate(journey: Journey, stage: Stage, other: Stage) -> Decimal | str:
    """The seconds between the stages, of a journey that visited the first, or why none."""
    start = _visits_of(journey, stage.stage_id)[0].entered_at
    later = _later_entry(journey, stage, other)
    if start is None or (later and later.entered_at is None):
        return "undated"
    if later is None or later.entered_at is None:
        return "censored" if journey.outcome == "open" else "competing"
    extends = journey.outcome == "won" and other.kind == "won"
    if journey.ended_at and later.entered_at > journey.ended_at and not extends:
        return "competing"
    return _seconds(start, later.entered_at)


def _seconds(start: datetime | None, end: datetime) -> Decimal:
    assert start is not None
    return _decimal(end - start)


def _decimal(time: timedelta) -> Decimal:
    return Decimal(time // timedelta(microseconds=1)) / 1_000_000


def _times(seconds: list[Decimal]) -> Measures:
    return {
        **{f"p{share}": quantile(seconds, Fraction(share, 100)) for share in (10, 25, 50, 75, 90)},
        "mean": float(sum(map(Fraction, seconds)) / len(seconds)) if seconds else None,
    }


def _median(seconds: list[Decimal]) -> Measures:
    low, high = median_interval(seconds)
    return {
        "median_seconds": quantile(seconds, Fraction(1, 2)),
        "median_seconds_low": low,
        "median_seconds_high": high,
    }


def median_interval(values: Iterable[Decimal]) -> tuple[float | None, float | None]:
    """The 95% interval of the median by order statistics, of Campbell and Gardner."""
    ordered = sorted(values)
    lower = round(len(ordered) / 2 - 1.96 * sqrt(len(ordered)) / 2)
    upper = round(1 + len(ordered) / 2 + 1.96 * sqrt(len(ordered)) / 2)
    return (float(ordered[lower - 1]), float(ordered[upper - 1])) if lower > 0 else (None, None)


def quantile(values: Iterable[Decimal], share: Fraction) -> float | None:
    """The quantile, linear between the two values around it."""
    ordered = sorted(map(Fraction, values))
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def survival_median(left: Iterable[Decimal], censored: Iterable[Decimal]) -> float | None:
    """The Kaplan-Meier median: the first time at which no more than half are still there."""
    left, censored = list(left), list(censored)
    survival = Fraction(1)
    for time in sorted(set(left)):
        at_risk = sum(one >= time for one in (*left, *censored))
        survival *= Fraction(at_risk - left.count(time), at_risk)
        if survival <= Fraction(1, 2):
            return float(time)
    return None
