"""What must hold of what is watched: metrics, benchmarks, experiments and changes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.declaration_rules.common import Tables, listed
from orchestration.declaration_tables import METRICS_OF_STAGES, Mistake, Row

# The probability of a mismatch of shares is worked out for so many.
MOST_VARIANTS = 12


def watched_metrics_can_be_judged(tables: Tables) -> Iterator[Mistake]:
    """A watched metric has a stage and segment that there are, and a change that it can have."""
    positions = _positions(tables)
    benchmarked = {
        (row["funnel_id"], row["rate_name"], row["stage_id"]) for row in tables["benchmarks"]
    }
    for row in tables["watched_metrics"]:
        funnel_id, metric, stage_id = row["funnel_id"], row["metric"], row["stage_id"]
        is_rate = metric in ("step_rate", "overall_rate")
        yield from _segment_is_known("watched_metrics", row, tables)
        if metric == "entries" and stage_id:
            yield Mistake(
                "watched_metrics.csv",
                row.line,
                "stage_id",
                "nothing, as entries are of the funnel",
                repr(stage_id),
                "Leave it empty, or watch how many reached the stage.",
            )
        if metric in METRICS_OF_STAGES and stage_id:
            yield from _is_behind_the_first("watched_metrics", row, positions)
        if metric and not is_rate and row["unit"] == "points":
            yield Mistake(
                "watched_metrics.csv",
                row.line,
                "unit",
                f"percent, as {metric} is a number",
                "'points'",
                "Write by how many percent it changes: only a rate has points.",
            )
        if row["period_grain"] in ("quarter", "year") and row["compared_with"] == "baseline":
            yield Mistake(
                "watched_metrics.csv",
                row.line,
                "compared_with",
                f"last_year or benchmark for a {row['period_grain']}",
                "'baseline'",
                "The periods before are of other seasons, and there are too few of them.",
            )
        if row["compared_with"] != "benchmark":
            continue
        if metric and not is_rate:
            yield Mistake(
                "watched_metrics.csv",
                row.line,
                "compared_with",
                f"baseline or last_year, as {metric} is a number",
                "'benchmark'",
                "Benchmarks are of rates.",
            )
        elif not any(
            (funnel_id, metric) == known[:2] and stage_id in ("", known[2]) for known in benchmarked
        ):
            yield Mistake(
                "watched_metrics.csv",
                row.line,
                "compared_with",
                f"a benchmark that benchmarks.csv declares for this {metric} of {funnel_id!r}",
                "none",
                "Declare it, or compare with the baseline.",
            )


def benchmarks_are_of_steps(tables: Tables) -> Iterator[Mistake]:
    """Everybody reaches the first stage: a benchmark is of one behind it."""
    positions = _positions(tables)
    for row in tables["benchmarks"]:
        yield from _is_behind_the_first("benchmarks", row, positions)


def experiments_can_be_judged(tables: Tables) -> Iterator[Mistake]:
    """An experiment has a span, a stage, a control and variants that share all subjects."""
    positions = _positions(tables)
    experiments = {row["experiment_id"]: row for row in tables["experiments"]}
    for row in tables["experiments"]:
        yield from _is_behind_the_first("experiments", row, positions)
        if row["segment_name"]:
            yield from _segment_is_known("experiments", row, tables)
        if row["ended_on"] and row["ended_on"] < row["started_on"]:
            yield Mistake(
                "experiments.csv",
                row.line,
                "ended_on",
                f"a date from started_on on, which is {row['started_on']}",
                row["ended_on"],
                "Correct one of the two dates.",
            )
        variants = [
            variant
            for variant in tables["experiment_variants"]
            if variant["experiment_id"] == row["experiment_id"]
        ]
        controls = [variant for variant in variants if variant["is_control"] == "true"]
        if not 2 <= len(variants) <= MOST_VARIANTS or len(controls) != 1:
            yield Mistake(
                "experiments.csv",
                row.line,
                "experiment_id",
                f"2 to {MOST_VARIANTS} variants in experiment_variants.csv, one of them the "
                "control",
                f"{len(variants)}, {len(controls)} of them with is_control true",
                "Every variant is compared with the one control.",
            )
        # A share that was refused is empty.
        elif all(variant["planned_share"] for variant in variants):
            whole = sum(round(float(variant["planned_share"]) * 1e6) for variant in variants)
            # Thirds cannot be written to the end.
            if abs(whole - 1_000_000) > 10:
                yield Mistake(
                    "experiment_variants.csv",
                    variants[-1].line,
                    "planned_share",
                    f"shares of {row['experiment_id']!r} that add up to 1",
                    f"{whole / 1e6:g}",
                    "Correct the shares, to at most 6 digits.",
                )
    yield from _experiments_are_known(tables, experiments)


def _experiments_are_known(tables: Tables, experiments: dict[str, Row]) -> Iterator[Mistake]:
    """Variants and assignments are of experiments that are declared, and variants that it has."""
    variants = {(row["experiment_id"], row["variant"]) for row in tables["experiment_variants"]}
    for table in ("experiment_variants", "experiment_assignments"):
        for row in tables[table]:
            experiment_id = row["experiment_id"]
            experiment = experiments.get(experiment_id)
            if experiment is None:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "experiment_id",
                    "an experiment that experiments.csv declares",
                    repr(experiment_id),
                    f"Declared are {listed(set(experiments))}.",
                )
            elif table == "experiment_assignments" and experiment["segment_name"]:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "experiment_id",
                    "an experiment without segment_name in experiments.csv",
                    f"{experiment_id!r}, whose variants are told by {experiment['segment_name']!r}",
                    "Remove the assignments, or empty the segment_name.",
                )
            elif (experiment_id, row["variant"]) not in variants:
                known = {variant for one, variant in variants if one == experiment_id}
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "variant",
                    f"a variant that experiment_variants.csv declares for {experiment_id!r}",
                    repr(row["variant"]),
                    f"Declared are {listed(known)}.",
                )


def _positions(tables: Tables) -> dict[tuple[str, str], str]:
    return {
        (stage["funnel_id"], stage["stage_id"]): stage["stage_position"]
        for stage in tables["funnel_stages"]
    }


def _is_behind_the_first(
    table: str, row: Row, positions: dict[tuple[str, str], str]
) -> Iterator[Mistake]:
    position = positions.get((row["funnel_id"], row["stage_id"]))
    if position in ("", "1"):
        yield Mistake(
            f"{table}.csv",
            row.line,
            "stage_id",
            "a stage of the ladder behind its first, which all reach",
            f"{row['stage_id']!r}, " + ("the first" if position else "in which subjects are lost"),
            "Name an open or won stage that is reached from another.",
        )


def _segment_is_known(table: str, row: Row, tables: Tables) -> Iterator[Mistake]:
    """The segment is `all`, or one that the funnel has."""
    subject_types = {funnel["funnel_id"]: funnel["subject_type"] for funnel in tables["funnels"]}
    subject_type = subject_types.get(row["funnel_id"])
    known = {
        segment["segment_name"]
        for segment in tables["segments"]
        if segment["subject_type"] == subject_type
        and segment["funnel_id"] in ("", row["funnel_id"])
    }
    if table == "watched_metrics":
        known.add("all")
    if subject_type and row["segment_name"] not in known:
        yield Mistake(
            f"{table}.csv",
            row.line,
            "segment_name",
            f"a segment that segments.csv declares for funnel {row['funnel_id']!r}",
            repr(row["segment_name"]),
            f"Declared are {listed(known)}.",
        )
