"""What must hold of sources, of what is known of sessions and identities, and of the calendar."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.declaration_rules.common import Tables, is_regular_expression
from orchestration.declaration_tables import SESSION_ORIGINS, TIES_OF, Mistake, Row


def limits_are_of_what_is_tied(tables: Tables) -> Iterator[Mistake]:
    """A limit is one on what rows can tie the identifier to."""
    for limit in tables["identity_limits"]:
        tied = TIES_OF.get(limit["identifier_type"], ())
        if limit["tied_type"] and tied and limit["tied_type"] not in tied:
            yield Mistake(
                "identity_limits.csv",
                limit.line,
                "tied_type",
                f"for {limit['identifier_type']} one of {', '.join(tied)}",
                repr(limit["tied_type"]),
                "Correct the word, or remove the row.",
            )


def traffic_can_be_recognised(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that recognises traffic can be read."""
    for rule in tables["excluded_traffic"]:
        if rule["match_type"] == "regex":
            yield from is_regular_expression("excluded_traffic", rule, "match_value")


def channels_can_be_told(tables: Tables) -> Iterator[Mistake]:
    """Every regular expression that tells a channel can be read."""
    for rule in tables["channel_rules"]:
        for column in SESSION_ORIGINS:
            if rule[column]:
                yield from is_regular_expression("channel_rules", rule, column)


def order_precedences_differ(tables: Tables) -> Iterator[Mistake]:
    """Of two sources that have the same order, it is known whose word counts."""
    first: dict[str, Row] = {}
    for source in tables["sources"]:
        precedence = source["order_precedence"]
        if precedence and first.setdefault(precedence, source) is not source:
            yield Mistake(
                "sources.csv",
                source.line,
                "order_precedence",
                f"another number than that of source {first[precedence]['source']!r} in line "
                f"{first[precedence].line}",
                repr(precedence),
                "Number the sources 1, 2, 3 in the order in which their word counts, or leave it "
                "empty for a source whose orders are in no other.",
            )


def hours_end_after_they_begin(tables: Tables) -> Iterator[Mistake]:
    """Whoever opens closes later on the same day, and nobody opens on a day off."""
    for table in ("working_hours", "calendar"):
        for row in tables[table]:
            opens_at, closes_at = row["opens_at"], row["closes_at"]
            if table == "calendar" and row["is_working_day"] == "false" and (opens_at or closes_at):
                yield Mistake(
                    "calendar.csv",
                    row.line,
                    "opens_at" if opens_at else "closes_at",
                    "no hours, as is_working_day is false",
                    repr(opens_at or closes_at),
                    "Leave the hours empty, or make is_working_day true.",
                )
            elif opens_at and closes_at and closes_at <= opens_at:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "closes_at",
                    f"a time after opens_at, which is {opens_at}",
                    repr(closes_at),
                    "Write 24:00 for the end of the day; the hours of a day end with it.",
                )
