"""What must hold of channels: their names, what they cost, and what is attributed to them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.declaration_rules.common import Tables, listed
from orchestration.declaration_tables import Mistake

# Names in brackets stand for what has no channel, or for several together.
RESERVED_CHANNEL_NAMES = ("all", "(no touchpoint)", "(no channel)", "(other channels)")


def channels_are_named_apart(tables: Tables) -> Iterator[Mistake]:
    """No channel takes the name of what has none, or of all of them."""
    for table in ("channel_rules", "activity_channels"):
        for row in tables[table]:
            if row["channel"].lower() in RESERVED_CHANNEL_NAMES:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "channel",
                    f"another name than {', '.join(RESERVED_CHANNEL_NAMES)}",
                    repr(row["channel"]),
                    "Rename the channel: this name stands for something else in the published "
                    "tables.",
                )


def attributions_are_of_what_is_won(tables: Tables) -> Iterator[Mistake]:
    """A funnel whose conversions are attributed can be won."""
    for row in tables["attribution_settings"]:
        funnel_id = row["funnel_id"]
        kinds = {
            stage["stage_kind"]
            for stage in tables["funnel_stages"]
            if stage["funnel_id"] == funnel_id
        }
        if kinds and "won" not in kinds:
            yield Mistake(
                "attribution_settings.csv",
                row.line,
                "funnel_id",
                "a funnel with a won stage",
                f"{funnel_id!r}, which has none",
                "Give the stage that is the conversion the stage_kind won.",
            )


def costs_are_by_month(tables: Tables) -> Iterator[Mistake]:
    """The date of a cost is the first day of its month."""
    for row in tables["channel_costs"]:
        if row["period_date"] and not row["period_date"].endswith("-01"):
            yield Mistake(
                "channel_costs.csv",
                row.line,
                "period_date",
                "the first day of a month",
                row["period_date"],
                "Write what the whole month cost beside the day on which it begins.",
            )


def costs_are_of_known_channels(tables: Tables) -> Iterator[Mistake]:
    """A cost is of a channel that sessions or activities can have."""
    channels = {
        row["channel"] for table in ("channel_rules", "activity_channels") for row in tables[table]
    }
    for row in tables["channel_costs"]:
        if row["channel"] not in channels:
            yield Mistake(
                "channel_costs.csv",
                row.line,
                "channel",
                "a channel that channel_rules.csv or activity_channels.csv names",
                repr(row["channel"]),
                f"Named are {listed(channels)}.",
            )


def costs_can_be_converted(tables: Tables) -> Iterator[Mistake]:
    """The currency of a cost has a rate when its month begins."""
    first_days: dict[str, str] = {}
    for rate in tables["exchange_rates"]:
        currency, day = rate["currency"], rate["valid_from"]
        first_days[currency] = min(day, first_days.get(currency, day))
    for row in tables["channel_costs"]:
        currency = row["currency"]
        if currency and not first_days.get(currency, "9999") <= row["period_date"]:
            yield Mistake(
                "channel_costs.csv",
                row.line,
                "currency",
                f"a currency for which exchange_rates.csv has a rate on {row['period_date']}, or "
                "nothing for the reporting currency",
                repr(currency),
                f"Currencies with a rate are {listed(set(first_days))}.",
            )


def acquisitions_are_of_persons(tables: Tables) -> Iterator[Mistake]:
    """Who is acquired is somebody: an account or a session comes by no channel of its own."""
    for row in tables["acquisition_settings"]:
        for funnel in tables["funnels"]:
            if funnel["funnel_id"] == row["funnel_id"] and funnel["subject_type"] in (
                "account",
                "session",
            ):
                yield Mistake(
                    "acquisition_settings.csv",
                    row.line,
                    "funnel_id",
                    "a funnel whose subjects are persons, or known to be of one",
                    f"{row['funnel_id']!r}, whose subjects are of type {funnel['subject_type']}",
                    "Name a funnel of visitors, users, persons, leads or opportunities.",
                )
        name = row["referrer_property"]
        if '"' in name or "'" in name:
            yield Mistake(
                "acquisition_settings.csv",
                row.line,
                "referrer_property",
                "the name of a property, without quotes",
                repr(name),
                "Write the name as the events have it.",
            )
