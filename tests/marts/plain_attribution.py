"""Attribution in plain Python, path by path, as the issue tells it: no SQL, no shared code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Touch:
    """A touchpoint of a person; `account_id` where one is known."""

    person_id: str
    account_id: str | None
    channel: str
    at: datetime


@dataclass(frozen=True)
class Path:
    """A way of a person or account to a conversion (`amount` in cents, or None), or to nothing."""

    touches: tuple[Touch, ...]
    is_conversion: bool
    ended_at: datetime | None
    amount: int | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(touch.channel for touch in self.touches)


def path_of(touches: Iterable[Touch], ended_at: datetime, lookback: timedelta) -> tuple[Touch, ...]:
    """The touches within the lookback, in order."""
    within = [touch for touch in touches if ended_at - lookback <= touch.at <= ended_at]
    return tuple(sorted(within, key=lambda touch: (touch.at, touch.channel)))


def shares(model: str, touches: Sequence[Touch], half_life: timedelta) -> list[float]:
    """What each touchpoint of a path is credited with, of 1."""
    count = len(touches)
    if model == "first_touch":
        weights = [1.0] + [0.0] * (count - 1)
    elif model == "last_touch":
        weights = [0.0] * (count - 1) + [1.0]
    elif model == "linear" or (model == "position" and count <= 2):
        weights = [1.0] * count
    elif model == "position":
        weights = [0.4, *[0.2 / (count - 2)] * (count - 2), 0.4]
    else:
        weights = [0.5 ** ((touches[-1].at - touch.at) / half_life) for touch in touches]
    return [weight / sum(weights) for weight in weights]


def credits_of(
    model: str, paths: Sequence[Path], half_life: timedelta
) -> dict[str, tuple[float, float]]:
    """Conversions and money of each channel."""
    credited: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    won = [path for path in paths if path.is_conversion]
    for path in won:
        if not path.touches:
            credited["(no touchpoint)"][0] += 1
            credited["(no touchpoint)"][1] += path.amount or 0
        elif model != "removal_effect":
            for touch, share in zip(
                path.touches, shares(model, path.touches, half_life), strict=True
            ):
                credited[touch.channel][0] += share
                credited[touch.channel][1] += share * (path.amount or 0)
    if model == "removal_effect":
        touched = [path for path in won if path.touches]
        effects = removal_effects(paths)
        for channel, effect in effects.items():
            share = effect / sum(effects.values())
            credited[channel][0] += share * len(touched)
            credited[channel][1] += share * sum(path.amount or 0 for path in touched)
    return {channel: (conversions, money) for channel, (conversions, money) in credited.items()}


def removal_effects(paths: Sequence[Path]) -> dict[str, float]:
    """1 - the chance to convert with a channel's transitions led to nothing / that with all."""
    moves: Counter[tuple[str, str]] = Counter()
    for path in paths:
        if path.touches:
            end = "<won>" if path.is_conversion else "<null>"
            states = ["<start>", *path.channels, end]
            moves.update(pairwise(states))
    channels = sorted({state for move in moves for state in move if not state.startswith("<")})
    whole = _chance(moves, channels, removed=None)
    if not whole:
        return {}
    return {channel: 1 - _chance(moves, channels, channel) / whole for channel in channels}


def _chance(moves: Counter[tuple[str, str]], channels: list[str], removed: str | None) -> float:
    """Of converting from the start: x = Qx + r, solved."""
    states = ["<start>", *channels]
    onward = np.zeros((len(states), len(states)))
    won = np.zeros(len(states))
    totals = Counter[str]()
    for (from_state, _), count in moves.items():
        totals[from_state] += count
    for (from_state, to_state), count in moves.items():
        probability = count / totals[from_state]
        if from_state == removed:
            continue
        if to_state == "<won>":
            won[states.index(from_state)] += probability
        elif to_state not in ("<null>", removed):
            onward[states.index(from_state), states.index(to_state)] += probability
    return float(np.linalg.solve(np.eye(len(states)) - onward, won)[0])
