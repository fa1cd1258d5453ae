"""Survival curves worked out in plain Python with fractions, and what the marts read off them.

Who waits for what, and what came of it, follows the descriptions of the columns; the estimates are
the textbook's products and sums, instant by instant, and so are the variances of the bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import exp, log, sqrt
from statistics import NormalDist

from tests.marts.facts import AS_OF, HORIZONS, Funnel, Journey, Stage

Group = tuple[str, object, str, str]
# Fewer are not reportable, unless a setting says another number.
REPORTABLE = 30
Band = tuple[float | None, float | None]


@dataclass(frozen=True)
class Wait:
    """One wait: its length in microseconds, its end, and how long it could have been seen."""

    microseconds: int
    fate: str
    followed: int


@dataclass(frozen=True)
class Step:
    """What holds from an instant on, and who left at it."""

    microseconds: int
    share: Fraction
    competing: Fraction
    survival: Fraction
    at_risk: int
    events: int
    others: int
    survival_before: Fraction


@dataclass(frozen=True)
class Curve:
    """A curve with the waits that it was estimated from."""

    waits: tuple[Wait, ...]
    steps: tuple[Step, ...]

    def when(self, share: Fraction) -> float | None:
        """Seconds by which the share had the event."""
        times = [step.microseconds for step in self.steps if step.share >= share]
        return times[0] / 1e6 if times else None

    @property
    def end(self) -> Step:
        """Where the curve ends."""
        return self.steps[-1] if self.steps else NOTHING

    def band(self, step: Step, event: str) -> Band:
        """The 95% band of the share at a step: of `left` Greenwood's, else Aalen-Johansen's."""
        so_far = [one for one in self.steps if one.microseconds <= step.microseconds]
        if event == "left":
            if step.share in (0, 1):
                return _band(step.share, 0)
            low, high = _band(step.survival, _greenwood(so_far))
            return _rest(high), _rest(low)
        shares = [(float(one.share), one.events) for one in so_far]
        return _band(step.share, _variance(so_far, shares))

    def competing_band(self, step: Step) -> Band:
        """The 95% band of the share with another outcome at a step."""
        so_far = [one for one in self.steps if one.microseconds <= step.microseconds]
        shares = [(float(one.competing), one.others) for one in so_far]
        return _band(step.competing, _variance(so_far, shares))

    def median_interval(self, event: str) -> Band:
        """Seconds by which the upper end of the band, and the lower one, got to one half."""
        bands = [(step.microseconds / 1e6, *self.band(step, event)) for step in self.steps]
        highs = [at for at, _, high in bands if high is not None and high >= 0.5 - 1e-9]
        lows = [at for at, low, _ in bands if low is not None and low >= 0.5 - 1e-9]
        return (highs[0] if highs else None, lows[0] if lows else None)


# Before the first step.
NOTHING = Step(0, Fraction(0), Fraction(0), Fraction(1), 0, 0, 0, Fraction(1))


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _band(share: Fraction, variance: float) -> Band:
    """On log(-log), as in Kalbfleisch and Prentice."""
    if share in (0, 1):
        return (0.0, None) if share == 0 else (None, None)
    place = log(-log(share))
    error = NormalDist().inv_cdf(0.975) * sqrt(variance) / (share * -log(share))
    return exp(-exp(place + error)), exp(-exp(place - error))


def _greenwood(steps: list[Step]) -> float:
    """The variance of the survival after the last of the steps."""
    terms = [
        Fraction(one.events + one.others, one.at_risk * (one.at_risk - one.events - one.others))
        for one in steps
        if one.at_risk > one.events + one.others
    ]
    return float(steps[-1].survival ** 2 * sum(terms)) if steps else 0.0


def _variance(steps: list[Step], shares: list[tuple[float, int]]) -> float:
    """The variance of the last share, by the delta method (Marubini and Valsecchi 1995).

    Of each step its share, and how many came to what the share is of.
    """
    variance = 0.0
    for step, (share, came) in zip(steps, shares, strict=True):
        n, before = step.at_risk, float(step.survival_before)
        left = step.events + step.others
        to_come = shares[-1][0] - share
        if n > left:
            variance += to_come**2 * left / (n * (n - left))
        variance += before**2 * came * (n - came) / n**3 - 2 * to_come * before * came / n**2
    return variance


def has_curves(group: Group) -> bool:
    """Whether curves are worked out for a cohort and segment."""
    grain, _, segment, _ = group
    return grain == "all" or (grain in ("year", "quarter", "month") and segment == "all")


def curve(waits: Iterable[Wait]) -> Curve:
    """Aalen-Johansen; Kaplan-Meier where nothing competes."""
    waits = tuple(waits)
    share = competing = Fraction(0)
    survival = Fraction(1)
    steps = []
    for instant in sorted({one.microseconds for one in waits if one.fate != "censored"}):
        at_risk = sum(one.microseconds >= instant for one in waits)
        fates = [one.fate for one in waits if one.microseconds == instant]
        events, others = fates.count("event"), fates.count("competing")
        share += survival * Fraction(events, at_risk)
        competing += survival * Fraction(others, at_risk)
        before, survival = survival, survival * Fraction(at_risk - events - others, at_risk)
        steps.append(Step(instant, share, competing, survival, at_risk, events, others, before))
    return Curve(waits, tuple(steps))


def rounded(one: Curve) -> Curve:
    """The curve of the same waits, each counted as of the next length of nine binary digits.

    None is lengthened beyond a horizon.
    """
    lengths = [replace(wait, microseconds=_rounded(wait.microseconds)) for wait in one.waits]
    return Curve(one.waits, curve(lengths).steps)


def _rounded(microseconds: int) -> int:
    horizons = [days * 86_400_000_000 for days in HORIZONS]
    to_come = [horizon for horizon in horizons if horizon >= microseconds]
    return min([next_length(microseconds), *to_come])


def next_length(microseconds: int) -> int:
    """The next length of nine binary digits."""
    unit = 1 << max(microseconds.bit_length() - 9, 0)
    return -(-microseconds // unit) * unit


def curves(
    funnel: Funnel, journeys: tuple[Journey, ...], before: tuple[Journey, ...]
) -> Iterator[tuple[tuple[str, str, str | None], Curve]]:
    """All curves of a group that somebody waits on, by event, from stage and to stage."""
    dated = [one for one in journeys if one.entered_at and (one.ended_at or one.outcome == "open")]
    for stage in funnel.stages:
        visits = [
            visit
            for one in (*before, *journeys)
            for visit in one.visits
            if visit.stage_id == stage.stage_id
        ]
        yield (
            ("left", stage.stage_id, None),
            curve(
                _wait(visit.entered_at, visit.left_at, "event" if visit.left_at else "censored")
                for visit in visits
                if visit.entered_at and (visit.left_at or visit.is_current)
            ),
        )
        if stage.kind == "open":
            for event, outcomes in (("won", ("won",)), ("lost", ("lost", "abandoned"))):
                yield (
                    (event, stage.stage_id, None),
                    curve(_waits_for_outcome(journeys, stage, outcomes)),
                )
    for place, stage in enumerate(funnel.ladder):
        for later in funnel.ladder[place + 1 :]:
            yield (
                ("visited", stage.stage_id, later.stage_id),
                curve(_waits_for_visit(journeys, stage, later)),
            )
        if place == 0:
            continue
        yield (
            ("reached", "entry", stage.stage_id),
            curve(_wait_for_stage(one, one.entered_at, stage) for one in dated),
        )
        bases = [
            one
            for one in funnel.ladder[:place]
            if funnel.order_mode != "any" or not one.is_optional
        ]
        if bases:
            yield (
                ("stepped", bases[-1].stage_id, stage.stage_id),
                curve(
                    _wait_for_stage(one, _counted_at(one, bases[-1]), stage)
                    for one in dated
                    if bases[-1] in one.reached
                ),
            )


def _wait(start: datetime | None, end: datetime | None, fate: str) -> Wait:
    assert start is not None
    return Wait(max(_microseconds(start, end or AS_OF), 0), fate, _microseconds(start, AS_OF))


def _microseconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(microseconds=1)


def _counted_at(journey: Journey, stage: Stage) -> datetime | None:
    return journey.counted_at[journey.reached.index(stage)]


def _wait_for_stage(journey: Journey, start: datetime | None, stage: Stage) -> Wait:
    if stage in journey.reached:
        return _wait(start, _counted_at(journey, stage), "event")
    return _wait(start, journey.ended_at, "censored" if journey.outcome == "open" else "competing")


def _first_visits(journeys: tuple[Journey, ...], stage: Stage) -> Iterator[tuple[Journey, int]]:
    for one in journeys:
        places = [n for n, visit in enumerate(one.visits) if visit.stage_id == stage.stage_id]
        is_dated = places and one.visits[places[0]].entered_at is not None
        if is_dated and (one.ended_at or one.outcome == "open"):
            yield one, places[0]


def _waits_for_outcome(
    journeys: tuple[Journey, ...], stage: Stage, outcomes: tuple[str, ...]
) -> Iterator[Wait]:
    for one, place in _first_visits(journeys, stage):
        start = one.visits[place].entered_at
        if one.outcome == "open":
            yield _wait(start, None, "censored")
        elif start and one.ended_at and one.ended_at >= start:
            yield _wait(start, one.ended_at, "event" if one.outcome in outcomes else "competing")


def _waits_for_visit(journeys: tuple[Journey, ...], stage: Stage, other: Stage) -> Iterator[Wait]:
    for one, place in _first_visits(journeys, stage):
        start = one.visits[place].entered_at
        later = [visit for visit in one.visits[place:] if visit.stage_id == other.stage_id]
        extends = one.outcome == "won" and other.kind == "won"
        if later and later[0].entered_at is None:
            continue
        to = later[0].entered_at if later else None
        if to and (extends or not one.ended_at or to <= one.ended_at):
            yield _wait(start, to, "event")
        else:
            yield _wait(start, one.ended_at, "censored" if one.outcome == "open" else "competing")


def at_horizons(one: Curve, event: str) -> Iterator[tuple[int, dict[str, object]]]:
    """The measures of `conversion_by_horizon` but Wilson intervals, by days."""
    for days in HORIZONS:
        horizon = days * 86_400_000_000
        events = [wait for wait in one.waits if wait.fate == "event"]
        within = [wait for wait in events if wait.microseconds <= horizon]
        followed = [wait for wait in one.waits if wait.followed >= horizon]
        followed_within = [wait for wait in within if wait.followed >= horizon]
        last = [NOTHING, *(step for step in one.steps if step.microseconds <= horizon)][-1]
        longest = max(wait.microseconds for wait in one.waits)
        fates = {wait.fate for wait in one.waits if wait.microseconds == longest}
        is_known = longest >= horizon or "censored" not in fates
        low, high = one.band(last, event) if is_known else (None, None)
        yield (
            days,
            {
                "waits": len(one.waits),
                "happened": len(within),
                "happened_rate": len(within) / len(one.waits),
                "happened_rate_is_reportable": len(one.waits) >= REPORTABLE,
                "followed": len(followed),
                "followed_happened": len(followed_within),
                "followed_rate": len(followed_within) / len(followed) if followed else None,
                "corrected_rate": float(last.share) if is_known else None,
                "corrected_rate_low": low,
                "corrected_rate_high": high,
                "corrected_rate_is_reportable": len(one.waits) >= REPORTABLE,
                "at_risk": sum(wait.microseconds > horizon for wait in one.waits),
            },
        )


def chart_points(one: Curve) -> Iterator[Step]:
    """The steps of `survival_curves`."""
    shown: Fraction | int | None = None
    for place, step in enumerate(one.steps):
        half_percents = step.share * 200 // 1
        if half_percents != shown or place == len(one.steps) - 1:
            yield step
        shown = half_percents
