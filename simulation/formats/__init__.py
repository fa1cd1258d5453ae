"""The forms in which the company can be delivered: which systems it uses, and how they spell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simulation.extracts import Table
from simulation.formats import generic


@dataclass(frozen=True)
class Format:
    """A form of delivery: the tables of each source."""

    name: str
    tables: Mapping[str, Sequence[Table]]


GENERIC = Format("generic", {"generic": generic.TABLES})
FORMATS = {item.name: item for item in (GENERIC,)}
