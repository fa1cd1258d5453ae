"""Tables as named arrays of equal length, and the few things done to them everywhere.

What the columns mean belongs to whoever makes the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Columns: TypeAlias = dict[str, NDArray[Any]]

# A number that is not there, and an instant that never comes.
NONE = -1
NEVER = np.iinfo(np.int64).max


def rows_of(columns: Columns) -> int:
    """Number of rows."""
    return len(next(iter(columns.values())))


def take(columns: Columns, rows: NDArray[Any]) -> Columns:
    """The rows at these positions, or for which this mask is true."""
    return {name: values[rows] for name, values in columns.items()}


def stack(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, one part after the other. All have the columns of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
