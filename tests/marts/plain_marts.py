"""The funnel marts worked out in plain Python, from the words of their descriptions.

An independent implementation: slow, and without any of the models' short cuts. Rates are left to
the caller's arithmetic, medians of survival are products of fractions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from tests.marts import plain_curves
from tests.marts.facts import AS_OF, Facts, Funnel, Journey, Stage, Visit, business_time
from tests.marts.plain_curves import Curve, curve

# cohort_grain, cohort_date, segment_name, segment_value
Group = tuple[str, date | None, str, str]
Measures = dict[str, object]
EVERYTHING: Group = ("all", None, "all", "all")
REPORTABLE = plain_curves.REPORTABLE


@dataclass(frozen=True)
class Column:
    """What stands in one group: its journeys, and the subjects' visits before any.

    Beside it, the journeys of all groups of the funnel, and all facts.
    """

    group: Group
    journeys: tuple[Journey, ...]
    before: tuple[Journey, ...]
    groups: Mapping[Group, Sequence[Journey]]
    facts: Facts
    # Subjects who have been in their stage for too long.
    stalled: frozenset[str]
    # Whether funnels with any journey count as large ones, whose waits are rounded.
    is_large: bool

    def curves(self, funnel: Funnel) -> dict[tuple[str, str, str | None], Curve]:
        """The curves that somebody waits on, by event, from stage and to stage."""
        if not plain_curves.has_curves(self.group):
            return {}
        found = plain_curves.curves(funnel, self.journeys, self.before)
        counted = plain_curves.rounded if self.is_large else lambda one: one
        return {key: counted(one) for key, one in found if one.waits}


def columns(facts: Facts, are_large: bool = False) -> Iterator[tuple[Funnel, Group, Column]]:
    """All groups of all funnels, with what stands in them."""
    waiting = open_visits(facts)
    for funnel in facts.funnels:
        stalled = frozenset(
            subject_id
            for (funnel_id, subject_id), measures in waiting.items()
            if funnel_id == funnel.funnel_id and measures["is_stalled"]
        )
        own = [one for one in facts.journeys if one.funnel == funnel]
        groups: defaultdict[Group, list[Journey]] = defaultdict(list)
        groups[EVERYTHING]
        for journey in own:
            if journey.number > 0:
                for group in _groups_of(journey):
                    groups[group].append(journey)
        before = tuple(one for one in own if one.number == 0)
        for group, journeys in groups.items():
            old = before if group == EVERYTHING else ()
            yield (
                funnel,
                group,
                Column(group, tuple(journeys), old, groups, facts, stalled, are_large),
            )


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
    mature_previous: int | None = None
    curves = column.curves(funnel)
    steps = {to_stage: one for (event, _, to_stage), one in curves.items() if event == "stepped"}
    in_journeys = {
        (one.subject_id, visit.stage_id) for one in column.journeys for visit in one.visits
    }
    before = {(one.subject_id, visit.stage_id) for one in column.before for visit in one.visits}
    for stage in funnel.ladder:
        step = steps.get(stage.stage_id)
        arrival = curves.get(("reached", "entry", stage.stage_id))
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
            "step_rate_is_reportable": (previous or 0) >= 30,
            "overall_rate_is_reportable": len(column.journeys) >= 30,
            "mature_reached_previous": mature_previous,
            "mature_step_rate": _share(sum(one.is_mature for one in reached), mature_previous),
            "mature_overall_rate": _share(
                sum(one.is_mature for one in reached),
                sum(one.is_mature for one in column.journeys),
            ),
            "mature_step_rate_is_reportable": (mature_previous or 0) >= REPORTABLE,
            "mature_overall_rate_is_reportable": (
                sum(one.is_mature for one in column.journeys) >= REPORTABLE
            ),
            "corrected_reached_previous": _waits(step),
            **_corrected("corrected_step_rate", step, "stepped"),
            "corrected_entered": _waits(arrival),
            **_corrected("corrected_overall_rate", arrival, "reached"),
            "never_rate": _end(arrival)[1],
            "never_rate_low": arrival.competing_band(arrival.end)[0] if arrival else None,
            "never_rate_high": arrival.competing_band(arrival.end)[1] if arrival else None,
            "undecided_rate": _end(arrival)[2],
        }
        if funnel.order_mode != "any" or not stage.is_optional:
            previous = len(reached)
            mature_previous = sum(one.is_mature for one in reached)
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
    curves = column.curves(funnel)
    for stage in funnel.stages:
        visits = [
            (visit, journey.number > 0 and journey.is_mature)
            for journey in (*column.before, *column.journeys)
            for visit in _visits_of(journey, stage.stage_id)
        ]
        if not visits:
            continue
        journeys = [one for one in column.journeys if _visits_of(one, stage.stage_id)]
        shares = {
            **_won_shares(journeys),
            **_outcome_shares(
                curves.get(("won", stage.stage_id, None)),
                curves.get(("lost", stage.stage_id, None)),
            ),
        }
        completed = [
            (visit.seconds, is_mature) for visit, is_mature in visits if visit.seconds is not None
        ]
        waiting = [
            _seconds(visit.entered_at, AS_OF)
            for visit, _ in visits
            if visit.is_current and visit.entered_at
        ]
        left = curves.get(("left", stage.stage_id, None))
        rows[stage.stage_id, "any_exit"] = {
            "completed": len(completed),
            "competing": 0,
            "censored": len(waiting),
            "undated": len(visits) - len(completed) - len(waiting),
            **_times(completed, column),
            **_curve_times(left, "left"),
            # These are there for every cohort.
            "waits": len(completed) + len(waiting),
            "survival_p50": (
                left.when(Fraction(1, 2))
                if left and column.is_large
                else survival_median([one for one, _ in completed], waiting)
            ),
            "survival_p50_is_reportable": len(completed) + len(waiting) >= REPORTABLE,
            **shares,
            **_stays(stage, column),
        }
        for other in funnel.stages:
            fates = [(_fate(one, stage, other), one.is_mature) for one in journeys]
            if other == stage or not fates:
                continue
            made_it = any(_later_entry(one, stage, other) for one in journeys)
            if not made_it and (stage.position or 99) >= (other.position or 0):
                continue
            times = [(fate, mature) for fate, mature in fates if isinstance(fate, Decimal)]
            why_not = [fate for fate, _ in fates]
            rows[stage.stage_id, other.stage_id] = {
                "completed": len(times),
                **{name: why_not.count(name) for name in ("competing", "censored", "undated")},
                **_times(times, column),
                **_curve_times(curves.get(("visited", stage.stage_id, other.stage_id)), "visited"),
                **shares,
                **{
                    name: False if name.endswith("_is_reportable") else None
                    for name in _stays(stage, column)
                },
            }
    return rows


def conversion_by_horizon(
    funnel: Funnel, column: Column
) -> dict[tuple[str | int | None, ...], Measures]:
    """By event, from stage, to stage and horizon."""
    return {
        (*key, days): measures
        for key, one in column.curves(funnel).items()
        if key[0] != "stepped"
        for days, measures in plain_curves.at_horizons(one, key[0])
    }


def survival_curves(funnel: Funnel, column: Column) -> dict[tuple[str | int | None, ...], Measures]:
    """By event, from stage, to stage and point."""
    rows: dict[tuple[str | int | None, ...], Measures] = {}
    for key, one in column.curves(funnel).items():
        if key[0] in ("stepped", "visited"):
            continue
        for number, step in enumerate(plain_curves.chart_points(one), start=1):
            low, high = one.band(step, key[0])
            rows[(*key, number)] = {
                "seconds": step.microseconds / 1e6,
                "waits": len(one.waits),
                "at_risk": step.at_risk,
                "share": float(step.share),
                "share_low": low,
                "share_high": high,
                "competing_share": float(step.competing),
                "undecided_share": float(step.survival),
            }
    return rows


def open_visits(facts: Facts) -> dict[tuple[str, str], Measures]:
    """By funnel and subject."""
    left: Mapping[tuple[str, str], list[Decimal]] = defaultdict(list)
    for journey in facts.journeys:
        for visit in journey.visits:
            if visit.seconds is not None:
                left[journey.funnel.funnel_id, visit.stage_id].append(visit.seconds)
    histories = {
        stage: (sorted(of), quantile(of, Fraction(1, 2)), quantile(of, Fraction(9, 10)))
        for stage, of in left.items()
    }
    rows: dict[tuple[str, str], Measures] = {}
    for journey in facts.journeys:
        funnel = journey.funnel
        for visit in journey.visits:
            if visit.next_stage_id != "still_there" or visit.entered_at is None:
                continue
            stage = funnel.stage(visit.stage_id)
            age = _seconds(visit.entered_at, AS_OF)
            none: tuple[list[Decimal], None, None] = ([], None, None)
            history, p50, p90 = histories.get((funnel.funnel_id, visit.stage_id), none)
            interval = median_interval(history)
            shorter = bisect_right(history, age)
            target = None if stage.target_hours is None else stage.target_hours * 3600
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
                "share_left_by_age": _share(shorter, len(history)),
                "share_left_by_age_is_reportable": len(history) >= 30,
                "p50_seconds": p50,
                **dict(zip(("p50_seconds_low", "p50_seconds_high"), interval, strict=True)),
                "p90_seconds": p90,
                "target_seconds": target,
                "is_beyond_target": beyond_target,
                "is_beyond_p90": beyond_p90,
                "is_stalled": bool(beyond_target or beyond_p90),
                "stalled_by": reasons.get((bool(beyond_target), bool(beyond_p90))),
                "amount": journey.amount if journey.number else None,
            }
    return rows


def _share(numerator: int, denominator: int | None) -> float | None:
    return numerator / denominator if denominator else None


def _end(one: Curve | None) -> tuple[float | None, float | None, float | None]:
    """Share with the event, share with another outcome and share of neither, where a curve ends."""
    if one is None:
        return None, None, None
    return float(one.end.share), float(one.end.competing), float(one.end.survival)


def _waits(one: Curve | None) -> int | None:
    return None if one is None else len(one.waits)


def _corrected(name: str, one: Curve | None, event: str) -> Measures:
    """The share where a curve ends, with its band, and whether it is reportable."""
    low, high = one.band(one.end, event) if one else (None, None)
    return {
        name: _end(one)[0],
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_is_reportable": (_waits(one) or 0) >= REPORTABLE,
    }


def _won_shares(journeys: list[Journey]) -> Measures:
    won = sum(one.outcome == "won" for one in journeys)
    closed = sum(one.outcome != "open" for one in journeys)
    mature = [one for one in journeys if one.is_mature]
    mature_won = sum(one.outcome == "won" for one in mature)
    return {
        "won": won,
        "closed": closed,
        "won_share": _share(won, closed),
        "won_share_is_reportable": closed >= 30,
        "mature_journeys": len(mature),
        "mature_won": mature_won,
        "mature_won_share": _share(mature_won, len(mature)),
        "mature_won_share_is_reportable": len(mature) >= REPORTABLE,
    }


def _outcome_shares(wins: Curve | None, losses: Curve | None) -> Measures:
    won, _, still_open = _end(wins)
    low, high = wins.band(wins.end, "won") if wins else (None, None)
    lost = _corrected("corrected_lost_share", losses, "lost")
    del lost["corrected_lost_share_is_reportable"]
    return {
        "corrected_journeys": _waits(wins),
        **_corrected("corrected_won_share", wins, "won"),
        **lost,
        "corrected_open_share": still_open,
        "never_won_share": None if won is None else 1 - won,
        "never_won_share_low": None if high is None else 1 - high,
        "never_won_share_high": None if low is None else 1 - low,
    }


def _stays(stage: Stage, column: Column) -> Measures:
    """Business time in a stage, time added up over a journey's visits of it, and who is there."""
    visits = [
        (journey, _visits_of(journey, stage.stage_id))
        for journey in (*column.before, *column.journeys)
    ]
    business = [one.business_seconds for _, of in visits for one in of]
    known_business = [one for one in business if one is not None]
    totals = [[one.seconds for one in of if one.seconds is not None] for _, of in visits]
    added_up = [sum(seconds, Decimal(0)) for seconds in totals if seconds]
    still_there = [
        journey.subject_id
        for journey, of in visits
        for one in of
        if one.next_stage_id == "still_there"
    ]
    return {
        "business_p50": quantile(known_business, Fraction(1, 2)),
        **_median_interval("business_p50", known_business),
        "business_mean": _mean(known_business),
        "cumulative_completed": len(added_up),
        "cumulative_p50": quantile(added_up, Fraction(1, 2)),
        **_median_interval("cumulative_p50", added_up),
        "cumulative_mean": _mean(added_up),
        "still_there": len(still_there),
        "stalled": len(column.stalled.intersection(still_there)),
    }


def _curve_times(one: Curve | None, event: str) -> Measures:
    low, high = one.median_interval(event) if one else (None, None)
    return {
        "waits": _waits(one),
        "survival_p50_low": low,
        "survival_p50_high": high,
        "survival_p50_is_reportable": (_waits(one) or 0) >= REPORTABLE,
        **{
            f"survival_p{percent}": one.when(Fraction(percent, 100)) if one else None
            for percent in (10, 25, 50, 75, 90)
        },
        **_corrected("corrected_share", one, event),
        "corrected_competing_share": _end(one)[1],
        "corrected_undecided_share": _end(one)[2],
    }


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


def _times(times: list[tuple[Decimal, bool]], column: Column) -> Measures:
    """Of seconds, each with whether its journey is mature."""
    seconds = [one for one, _ in times]
    mature = [one for one, is_mature in times if is_mature]
    return {
        **_quantiles("", seconds),
        "mean": _mean(seconds),
        "mature_completed": len(mature),
        **_quantiles("mature_", mature),
        "mature_mean": _mean(mature),
    }


def _median_interval(name: str, seconds: list[Decimal]) -> Measures:
    low, high = median_interval(seconds)
    return {
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_is_reportable": len(seconds) >= REPORTABLE,
    }


def _quantiles(prefix: str, seconds: list[Decimal]) -> Measures:
    return {
        **{
            f"{prefix}p{percent}": quantile(seconds, Fraction(percent, 100))
            for percent in (10, 25, 50, 75, 90)
        },
        **_median_interval(f"{prefix}p50", seconds),
    }


def _mean(seconds: list[Decimal]) -> float | None:
    return float(sum(map(Fraction, seconds)) / len(seconds)) if seconds else None


def _median(seconds: list[Decimal]) -> Measures:
    low, high = median_interval(seconds)
    return {
        "dated_transitions": len(seconds),
        "median_seconds": quantile(seconds, Fraction(1, 2)),
        "median_seconds_low": low,
        "median_seconds_high": high,
        "median_is_reportable": len(seconds) >= REPORTABLE,
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
    waits = [
        plain_curves.Wait(int(seconds * 1_000_000), fate, 0)
        for of, fate in ((left, "event"), (censored, "censored"))
        for seconds in of
    ]
    return curve(waits).when(Fraction(1, 2))
