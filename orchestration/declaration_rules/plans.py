"""What must hold of plans: sizes of deals, targets, and steps of what-if."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from orchestration.declaration_rules.common import Tables, listed
from orchestration.declaration_tables import Mistake, Row

# These words stand in the place of a band in the published tables.
RESERVED_BAND_NAMES = ("all", "(no band)", "(unknown amount)")


def deal_sizes_do_not_overlap(tables: Tables) -> Iterator[Mistake]:
    """An amount lies in one band of its funnel at most, and an average within its band."""
    by_funnel = sorted(
        tables["deal_size_bands"],
        key=lambda band: (band["funnel_id"], float(band["amount_from"])),
    )
    for _, bands in groupby(by_funnel, key=lambda band: band["funnel_id"]):
        below = None
        for band in bands:
            amount_from = float(band["amount_from"])
            if below is not None and amount_from < below:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "amount_from",
                    f"at least {below:g}, where the band before ends"
                    if below < float("inf")
                    else "no further band, as the one before has no amount_below",
                    band["amount_from"],
                    "Let every amount lie in one band at most.",
                )
            below = float(band["amount_below"] or "inf")
            if below <= amount_from:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "amount_below",
                    f"an amount above amount_from, which is {band['amount_from']}",
                    band["amount_below"],
                    "Correct one of the two amounts.",
                )
            average = band["average_amount"]
            if average and not amount_from <= float(average) < below:
                yield Mistake(
                    "deal_size_bands.csv",
                    band.line,
                    "average_amount",
                    f"an amount of the band {band['band_name']!r}",
                    average,
                    "Correct it, or leave it empty to take the average of what was won.",
                )


def bands_are_named_apart(tables: Tables) -> Iterator[Mistake]:
    """No band takes the name of what is in no band, or of all deals."""
    for band in tables["deal_size_bands"]:
        if band["band_name"].lower() in RESERVED_BAND_NAMES:
            yield Mistake(
                "deal_size_bands.csv",
                band.line,
                "band_name",
                f"another name than {', '.join(RESERVED_BAND_NAMES)}",
                repr(band["band_name"]),
                "Rename the band: this name stands for something else in the published tables.",
            )


def plans_can_be_made(tables: Tables) -> Iterator[Mistake]:
    """A plan's target is one number, for a period, of a band or of all deals."""
    bands: dict[str, set[str]] = {}
    for band in tables["deal_size_bands"]:
        bands.setdefault(band["funnel_id"], set()).add(band["band_name"])
    first: dict[tuple[str, ...], Row] = {}
    for target in tables["funnel_plan_targets"]:
        funnel_id, band_name = target["funnel_id"], target["band_name"]
        yield from _is_of_deals("funnel_plan_targets", target, tables)
        yield from _period_begins("funnel_plan_targets", target)
        if bool(target["target_wins"]) == bool(target["target_amount"]):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "target_wins",
                "either target_wins or target_amount",
                "both" if target["target_wins"] else "neither",
                "Write one of the two: the other follows from the average amount of a deal.",
            )
        if band_name and band_name not in bands.get(funnel_id, set()):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "band_name",
                f"a band that deal_size_bands.csv declares for funnel {funnel_id!r}, or nothing",
                repr(band_name),
                f"Declared are {listed(bands.get(funnel_id, set()))}.",
            )
        period = (funnel_id, target["period_grain"], target["period_date"])
        if bool(first.setdefault(period, target)["band_name"]) != bool(band_name):
            yield Mistake(
                "funnel_plan_targets.csv",
                target.line,
                "band_name",
                "all targets of a period by band, or one target without",
                repr(band_name) if band_name else "nothing",
                f"Remove this row or the one in line {first[period].line}: the deals of the bands "
                "would be planned twice.",
            )


def stage_targets_can_be_met(tables: Tables) -> Iterator[Mistake]:
    """A stage's target says what is aimed at, of whom, in a period, on the way to the win."""
    positions = {
        (stage["funnel_id"], stage["stage_id"]): stage["stage_position"]
        for stage in tables["funnel_stages"]
    }
    won_positions: dict[str, int] = {}
    for stage in tables["funnel_stages"]:
        if stage["stage_kind"] == "won" and stage["stage_position"]:
            won = int(stage["stage_position"])
            won_positions[stage["funnel_id"]] = min(won, won_positions.get(stage["funnel_id"], won))
    for target in tables["stage_targets"]:
        funnel_id, stage_id = target["funnel_id"], target["stage_id"]
        yield from _is_of_deals("stage_targets", target, tables)
        yield from _period_begins("stage_targets", target)
        position = positions.get((funnel_id, stage_id))
        if position is not None and not (
            position and int(position) <= won_positions.get(funnel_id, int(position))
        ):
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "stage_id",
                f"a stage of the ladder of funnel {funnel_id!r}, up to the first won one",
                repr(stage_id),
                "Name an open stage, or the stage in which deals are won.",
            )
        if target["team"] and target["owner_id"]:
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "team",
                "a team or an owner_id, or neither for all deals",
                "both",
                "Leave the team empty: an owner is in one already.",
            )
        if not any(target[name] for name in ("target_deals", "target_amount", "target_step_rate")):
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "target_deals",
                "at least one of target_deals, target_amount and target_step_rate",
                "none",
                "Write what is aimed at, or remove the row.",
            )
        if target["target_step_rate"] and position == "1":
            yield Mistake(
                "stage_targets.csv",
                target.line,
                "target_step_rate",
                f"nothing for stage {stage_id!r}, as it is the first",
                target["target_step_rate"],
                "Write the rate beside the stage that it leads to, from the one before.",
            )


def what_if_steps_can_be_taken(tables: Tables) -> Iterator[Mistake]:
    """Only a rate has points; times and entries change by a share of what they are."""
    for step in tables["what_if_steps"]:
        yield from _is_of_deals("what_if_steps", step, tables)
        if step["unit"] == "points" and step["lever"] in ("cycle_time", "entries"):
            yield Mistake(
                "what_if_steps.csv",
                step.line,
                "unit",
                f"percent, as the lever is {step['lever']}",
                "'points'",
                "Write by how many percent it changes: only a rate has points.",
            )


def _is_of_deals(table: str, row: Row, tables: Tables) -> Iterator[Mistake]:
    """The funnel of the row is one of opportunities, and can be won."""
    funnel_id = row["funnel_id"]
    for funnel in tables["funnels"]:
        if funnel["funnel_id"] == funnel_id and funnel["subject_type"] != "opportunity":
            yield Mistake(
                f"{table}.csv",
                row.line,
                "funnel_id",
                "a funnel whose subjects are of type opportunity",
                f"{funnel_id!r}, whose subjects are of type {funnel['subject_type']}",
                "Name a funnel of opportunities: only they have deals.",
            )
        elif funnel["funnel_id"] == funnel_id and funnel["order_mode"] != "furthest":
            yield Mistake(
                f"{table}.csv",
                row.line,
                "funnel_id",
                "a funnel whose order_mode is furthest, the way of a pipeline",
                f"{funnel_id!r}, whose order_mode is {funnel['order_mode']}",
                "Name a funnel of deals in a pipeline, or change the order_mode of this one.",
            )
    kinds = {
        stage["stage_kind"] for stage in tables["funnel_stages"] if stage["funnel_id"] == funnel_id
    }
    if kinds and "won" not in kinds:
        yield Mistake(
            f"{table}.csv",
            row.line,
            "funnel_id",
            "a funnel with a won stage",
            f"{funnel_id!r}, which has none",
            "Give the stage in which deals are won the stage_kind won.",
        )


def _period_begins(table: str, row: Row) -> Iterator[Mistake]:
    """The period's date is its first day."""
    grain, day = row["period_grain"], row["period_date"]
    first_months = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "year": (1,)}.get(grain)
    if not (first_months and day):
        return
    if not day.endswith("-01") or int(day[5:7]) not in first_months:
        yield Mistake(
            f"{table}.csv",
            row.line,
            "period_date",
            f"the first day of a {grain}",
            day,
            "Write the day on which the period begins, or another period_grain.",
        )
