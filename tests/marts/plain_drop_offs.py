"""The marts of drop-offs worked out in plain Python, from the words of their descriptions.

Slow, and without any of the models' short cuts: shares are fractions, their intervals those of
statsmodels. The other marts are in `plain_marts`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from tests.marts.facts import Funnel, Happening, Journey, Stage
from tests.marts.plain_curves import REPORTABLE
from tests.marts.plain_marts import (
    Column,
    Group,
    Measures,
    median_interval,
    quantile,
)

# Journeys that advanced, of journeys that reached the stage.
Share = tuple[int, int]
SCENARIOS = ("best_quarter", "best_segment", "one_point")


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
            **_share("drop_off_rate", len(dropped), len(reached)),
            "amount_lost": None if dropped and not known else sum(known, Decimal(0)),
            "amount_unknown": len(dropped) - len(known),
            "top_loss_reason": min(reasons, key=lambda one: (-reasons[one], one), default=None),
            **_returns(dropped, column),
            **_gains(funnel, stage, column),
        }
    for scenario in SCENARIOS:
        ranks = _ranks([row[f"{scenario}_wins"] for row in rows.values()])
        for row, rank in zip(rows.values(), ranks, strict=True):
            row[f"{scenario}_rank"] = rank
    return rows


def after_drop_off(funnel: Funnel, column: Column) -> dict[tuple[str, ...], Measures]:
    """By stage, type and name of what came next. Rare names are not put together."""
    if column.group[0] in ("week", "day"):
        return {}
    rows: dict[tuple[str, ...], Measures] = {}
    for stage in funnel.ladder:
        dropped = [one for one in column.journeys if _dropped_at(one, stage)]
        times: dict[tuple[str, str], list[Decimal | None]] = defaultdict(list)
        for one in dropped:
            name, seconds = _next(one, column)
            times[name].append(seconds)
        for name, all_seconds in times.items():
            rows[(stage.stage_id, *name)] = {
                "stage_position": stage.position,
                "journeys": len(all_seconds),
                "dropped": len(dropped),
                **_share("share", len(all_seconds), len(dropped)),
                **_median("median_seconds", [one for one in all_seconds if one is not None]),
            }
    return rows


def _dropped_at(journey: Journey, stage: Stage) -> bool:
    return journey.furthest == stage and journey.outcome in ("lost", "abandoned")


def _share(name: str, part: int, whole: int) -> Measures:
    low, high = proportion_confint(part, whole, method="wilson") if whole else (None, None)
    return {
        name: part / whole if whole else None,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_is_reportable": whole >= REPORTABLE,
    }


def _median(name: str, seconds: list[Decimal]) -> Measures:
    low, high = median_interval(seconds)
    flag = name.replace("_seconds", "") + "_is_reportable"
    return {
        name: quantile(seconds, Fraction(1, 2)),
        f"{name}_low": low,
        f"{name}_high": high,
        flag: len(seconds) >= REPORTABLE,
    }


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // timedelta(microseconds=1)) / 1_000_000


def _entries(journey: Journey, column: Column, *, of_ladder: bool) -> list[datetime]:
    """All dated entries of the journey's subject in its funnel, in whatever journey."""
    return [
        at
        for one in column.facts.journeys
        if (one.funnel, one.subject_id) == (journey.funnel, journey.subject_id)
        for visit in one.visits
        if not of_ladder or one.funnel.stage(visit.stage_id).position
        for at in visit.entries
    ]


def _returns(dropped: Sequence[Journey], column: Column) -> Measures:
    seconds = []
    for one in dropped:
        entries = _entries(one, column, of_ladder=True)
        later = [at for at in entries if one.ended_at and at > one.ended_at]
        if later:
            assert one.ended_at
            seconds.append(_seconds(one.ended_at, min(later)))
    return {
        "came_back": len(seconds),
        **_share("came_back_rate", len(seconds), len(dropped)),
        **_median("median_seconds_to_return", seconds),
    }


def _next(journey: Journey, column: Column) -> tuple[tuple[str, str], Decimal | None]:
    """What the subject did next, by type and name, and how many seconds later."""
    if journey.ended_at is None:
        return ("undated", "(undated)"), None
    entries = _entries(journey, column, of_ladder=False)
    last = max(at for at in entries if at <= journey.ended_at)
    subject = (journey.funnel.subject_type, journey.subject_id)
    later = [
        (one.at, one.kind, _name_of(one))
        for one in column.facts.happenings
        if (one.subject_type, one.subject_id) == subject and one.at and one.at > last
    ]
    if not later:
        return ("nothing", "nothing"), None
    at, kind, name = min(later)
    return (kind, name), _seconds(last, at)


def _name_of(happening: Happening) -> str:
    return "(created)" if happening.is_creation else happening.name or "(missing)"


def _gains(funnel: Funnel, stage: Stage, column: Column) -> Measures:
    reached, advanced = _mature(column.journeys, stage)
    won = [one for one in advanced if one.outcome == "won"]
    amounts = [one.amount for one in won if one.amount is not None]
    own = (len(advanced), len(reached))
    after = _share("win_rate_after", len(won), len(advanced))
    is_last = stage == funnel.ladder[-1]
    rate = _share("advance_rate", *(own if not is_last else (0, 0)))
    row: Measures = {
        "mature_reached": len(reached),
        "mature_advanced": len(advanced),
        "mature_won_beyond": len(won),
        **rate,
        "advance_rate_is_reportable": len(reached) >= REPORTABLE,
        **after,
        "mature_amount_won_beyond": sum(amounts, Decimal(0)) if amounts or not won else None,
        "mature_amount_unknown_beyond": len(won) - len(amounts),
    }
    wins_before = [one for one in funnel.ladder[: stage.position] if one.kind == "won"]
    if wins_before or not any(one.kind == "won" for one in funnel.ladder):
        return row | _nothing_to_gain()
    worth = Fraction(len(reached) * len(won), len(advanced)) if advanced else None
    mean = sum(map(Fraction, amounts), Fraction(0)) / len(amounts) if amounts else None

    quarter = _best(stage, column, _quarters(column))
    segment = _best(stage, column, _other_segments(column))
    row["best_quarter_date"] = quarter[0][1] if quarter else None
    row["best_segment_name"] = segment[0][2] if segment else None
    row["best_segment_value"] = segment[0][3] if segment else None
    for scenario, best in (("best_quarter", quarter), ("best_segment", segment)):
        advanced_there, reached_there = best[1] if best else (None, None)
        row[f"{scenario}_advanced"] = advanced_there
        row[f"{scenario}_reached"] = reached_there
        row[f"{scenario}_rate"] = best[1][0] / best[1][1] if best else None
        gain = _gain(worth, best[1] if best else None, own)
        row |= _wins(scenario, gain, mean)
    point = None
    if worth is not None:
        step = float(min(Fraction(1, 100), 1 - Fraction(*own)) * len(reached))
        names = ("win_rate_after", "win_rate_after_low", "win_rate_after_high")
        point = tuple(step * after[name] for name in names)  # type: ignore[operator]
    return row | _wins("one_point", point, mean)


def _mature(journeys: Sequence[Journey], stage: Stage) -> tuple[list[Journey], list[Journey]]:
    """The mature journeys that reached a stage, and those of them that got beyond it."""
    reached = [one for one in journeys if one.is_mature and stage in one.reached]
    return reached, [one for one in reached if one.furthest != stage]


def _ranks(wins: Sequence[object]) -> list[int | None]:
    """The place of each, the most wins first, of equal ones the first; None for None."""
    known = [(-round(one, 6), place) for place, one in enumerate(wins) if isinstance(one, float)]
    order = [place for _, place in sorted(known)]
    return [order.index(place) + 1 if place in order else None for place in range(len(wins))]


def _nothing_to_gain() -> Measures:
    names = ["best_quarter_date", "best_segment_name", "best_segment_value"]
    for scenario in ("best_quarter", "best_segment"):
        names += [f"{scenario}_{name}" for name in ("advanced", "reached", "rate")]
    rows: Measures = dict.fromkeys(names)
    for scenario in SCENARIOS:
        rows |= _wins(scenario, None, None)
    return rows


def _quarters(column: Column) -> list[Group]:
    return [one for one in column.groups if one[0] == "quarter" and one[2:] == column.group[2:]]


def _other_segments(column: Column) -> list[Group]:
    own = column.group
    return [
        one
        for one in column.groups
        if one[:2] == own[:2] and one[2] != "all" and own[2] in ("all", one[2])
    ]


def _best(stage: Stage, column: Column, groups: list[Group]) -> tuple[Group, Share] | None:
    """The group with the highest rate; of equal ones that of more journeys, then the latest."""
    shares = []
    for group in groups:
        reached, advanced = _mature(column.groups[group], stage)
        if len(reached) >= REPORTABLE:
            shares.append((group, (len(advanced), len(reached))))
    # Sorted from the least important on: by name, then the later quarter, more journeys, the rate.
    shares.sort(key=lambda one: one[0][2:])
    shares.sort(key=lambda one: str(one[0][1]), reverse=True)
    shares.sort(key=lambda one: (Fraction(*one[1]), one[1][1]), reverse=True)
    return shares[0] if shares else None


def _gain(worth: Fraction | None, best: Share | None, own: Share) -> tuple[float, ...] | None:
    """Additional wins with the ends of their interval."""
    if worth is None or best is None:
        return None
    low, high = confint_proportions_2indep(*best, *own, method="newcomb", compare="diff")
    wins = worth * (Fraction(*best) - Fraction(*own))
    return (float(wins), float(worth) * float(low), float(worth) * float(high))


def _wins(scenario: str, gain: tuple[float, ...] | None, mean: Fraction | None) -> Measures:
    ends = dict(zip(("", "_low", "_high"), gain or (None, None, None), strict=True))
    row: Measures = {f"{scenario}_wins{end}": wins for end, wins in ends.items()}
    for end, wins in ends.items():
        amount = None if wins is None or mean is None else wins * float(mean)
        row[f"{scenario}_amount{end}"] = amount
    return row
