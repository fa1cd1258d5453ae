"""Random numbers that belong to somebody: the same key and draw give the same number, always.

A generator with a state would make a visitor's fate depend on how many came before. Here every
visitor, user, lead and deal has a key of 64 bits, and a draw is a hash of the key and of the
draw's name. The numbers are thus the same in whatever order, batch or number of days they are
asked for. No distribution of the company belongs here, only shapes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Keys: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
# Of any width.
Integers: TypeAlias = NDArray[np.signedinteger[Any]]
Flags: TypeAlias = NDArray[np.bool_]

# The constants of SplitMix64 (Steele, Lea and Flood 2014), whose finaliser passes the usual tests.
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1


def keys(seed: int, kind: str, numbers: Integers) -> Keys:
    """Keys of the members of a kind, one for each of their numbers."""
    start = np.uint64(_constant(f"{seed}/{kind}"))
    return _mix(numbers.astype(np.uint64) * np.uint64(_GOLDEN) + start)


def child_keys(parents: Keys, kind: str, numbers: NDArray[Any] | int = 0) -> Keys:
    """Keys of what belongs to `parents`, such as the sessions of visitors, by number."""
    return _mix(_hash(parents, kind, numbers))


def uniform(of: Keys, draw: str, step: NDArray[Any] | int = 0) -> Floats:
    """Uniform on [0, 1): one number for each key. `step` numbers repeated draws of one name."""
    return (_hash(of, draw, step) >> np.uint64(11)) * np.float64(2.0**-53)


def normal(of: Keys, draw: str, step: NDArray[Any] | int = 0) -> Floats:
    """Standard normal, by Box and Muller's transform of two uniform numbers."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(of, draw + "/radius", step)))
    return np.asarray(radius * np.cos(2.0 * np.pi * uniform(of, draw + "/angle", step)))


def lognormal(
    of: Keys,
    draw: str,
    median: Floats | float,
    sigma: Floats | float,
    step: NDArray[Any] | int = 0,
) -> Floats:
    """Lognormal with this median, in its unit, and this standard deviation of the logarithm."""
    return np.asarray(median * np.exp(sigma * normal(of, draw, step)))


def happens(
    of: Keys, draw: str, probability: Floats | float, step: NDArray[Any] | int = 0
) -> Flags:
    """True with this probability."""
    return np.asarray(uniform(of, draw, step) < probability)


def choice(of: Keys, draw: str, shares: Sequence[float]) -> Integers:
    """Position in `shares`, each with its share. The shares need not sum to 1."""
    bounds = np.cumsum(np.asarray(shares, dtype=np.float64))
    positions = np.searchsorted(bounds / bounds[-1], uniform(of, draw), side="right")
    return np.minimum(positions, len(bounds) - 1).astype(np.int8)


def geometric(of: Keys, draw: str, proceed: float, most: int) -> Integers:
    """How often in a row something goes on that does so with this probability, up to `most`."""
    if proceed <= 0.0:
        return np.zeros(len(of), dtype=np.int64)
    times = np.log1p(-uniform(of, draw)) / np.log(proceed)
    return np.asarray(np.minimum(times, most).astype(np.int64))


def _hash(of: Keys, draw: str, step: NDArray[Any] | int) -> Keys:
    if isinstance(step, int):
        return _mix(of + np.uint64((_constant(draw) + step * _GOLDEN) & _MASK))
    return _mix(of + step.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(_constant(draw)))


def _constant(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(numbers: Keys) -> Keys:
    mixed = numbers.copy()
    mixed ^= mixed >> np.uint64(30)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed
