"""What a rule of a suite is, and how it becomes words. The rules themselves stand by layer.

A rule measures in SQL and gets one row per item (a table, a source, a funnel): the number measured
and the bounds it must lie in. Each such row is one gate with a name of its own, so that accepting
one surprise accepts nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from string import Formatter
from typing import Any

Row = Mapping[str, Any]

# A bound that comes from history needs this many earlier deliveries, weeks or days: with fewer, a
# week's own rhythm (five working days, two of rest) is not known yet and everything would surprise.
EARLIER_NEEDED = 8

# How many times more or less than usual a count or a share may be. A good campaign or a launch
# doubles or triples a day, and nobody is to be woken for it; an extract that broke loses nine
# tenths of its rows or all, one that went wild sends everything again.
TIMES_OFF = 5

# Small numbers jump about: three rows instead of fourteen say nothing. Counts may differ by this
# many rows whatever the factor says.
ROWS_OF_NOISE = 10

# A share says little of few rows: so many odd ones are let through, unless they are more than half
# of the table, which then is no longer what it was.
ODD_ROWS = 10


def highest_share(share: float, rows: str) -> str:
    """The highest share of odd rows to let through, as SQL; `rows` is the number of all rows."""
    return f"greatest({share!r}, least(0.5, cast({ODD_ROWS} as double) / {rows}))"


# Each of so many past days of delivery is judged anew every night, and not only the newest: else a
# broken day would stop one night and be published on the next, beside a sound one.
DAYS_JUDGED = 28


@dataclass(frozen=True)
class Rule:
    """One thing that must be true of every item that `measures` finds.

    Attributes:
        gate: begins the names of its gates, `<layer>.<rule>`; the item completes them.
        table: the table that is judged, as `schema.table`.
        rule: what must be true, as a sentence.
        measure: the column of `measures` that is held against `lowest` and `highest`.
        measures: SQL with one row per item, columns `item` (text, null for a rule without items),
            the measure, `lowest` and `highest` (a null is no bound; both null: not judged), and
            whatever the three texts below name. The measure must not be null.
        observed: what was found, as a format of the row. It tells one finding from another, so
            it must not change while the finding is the same.
        expected: what would have passed, as a format of the row.
        offending_rows: SQL that lists the rows behind the finding, as a format of the row; its
            values stand in it as SQL literals.
        not_judged: stands for `expected` in a row without bounds.
    """

    gate: str
    table: str
    rule: str
    measure: str
    measures: str
    observed: str
    expected: str
    offending_rows: str
    not_judged: str = "anything: it is not judged"

    def gate_names(self, rows: Sequence[Row]) -> list[str]:
        """The name of each row's gate: safe to type in a shell, and the same night after night."""
        slugs = [_slug(row["item"]) for row in rows]
        shared = {slug for slug, times in Counter(slugs).items() if times > 1}
        return [
            ".".join(filter(None, (self.gate, _apart(slug, row["item"], slug in shared))))
            for slug, row in zip(slugs, rows, strict=True)
        ]

    def is_judged(self, row: Row) -> bool:
        """Whether the row has a bound at all."""
        return row["lowest"] is not None or row["highest"] is not None

    def observed_text(self, row: Row) -> str:
        """What was found, in words."""
        return self.observed.format(**row)

    def expected_text(self, row: Row) -> str:
        """What would have passed, in words."""
        return (self.expected if self.is_judged(row) else self.not_judged).format(**row)

    def offending_query(self, row: Row) -> str:
        """SQL, ready to paste, that lists the rows behind what was found."""
        return _SqlFormatter().format(self.offending_rows, **row)


def _slug(item: str | None) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", item or "")


def _apart(slug: str, item: str | None, is_shared: bool) -> str:
    return f"{slug}-{sha256((item or '').encode()).hexdigest()[:6]}" if is_shared else slug


class _SqlFormatter(Formatter):
    """Puts each value in as an SQL literal."""

    def format_field(self, value: object, format_spec: str) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool | int | float):
            return str(value)
        return "'" + str(value).replace("'", "''") + "'"
