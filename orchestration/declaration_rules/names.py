"""Every funnel and stage that a declaration refers to is declared."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.declaration_rules.common import Tables, listed
from orchestration.declaration_tables import Mistake


def names_are_known(tables: Tables) -> Iterator[Mistake]:
    """Every funnel and stage that is referred to is declared."""
    funnels = {funnel["funnel_id"] for funnel in tables["funnels"]}
    stages = {(stage["funnel_id"], stage["stage_id"]) for stage in tables["funnel_stages"]}
    stage_columns = {
        "funnel_stages": (),
        "stage_rules": ("stage_id",),
        "funnel_exclusions": ("after_stage_id", "before_stage_id"),
        "deal_size_bands": (),
        "loss_endings": (),
        "win_back_measures": ("stage_id",),
        "intent_rules": ("stage_id",),
        "funnel_plan_targets": (),
        "stage_targets": ("stage_id",),
        "what_if_steps": (),
        "worklist_settings": (),
        "attribution_settings": (),
        "acquisition_settings": (),
        "watched_metrics": ("stage_id",),
        "benchmarks": ("stage_id",),
        "experiments": ("stage_id",),
        "changes": (),
        "qualification_rules": (),
        "lead_score_features": (),
        "priority_settings": (),
    }
    # In these an empty cell stands for any funnel, or for no stage.
    optional_columns = {
        "loss_endings": ("funnel_id",),
        "intent_rules": ("stage_id",),
        "watched_metrics": ("stage_id",),
    }
    for table, columns in stage_columns.items():
        optional = optional_columns.get(table, ())
        for row in tables[table]:
            funnel_id = row["funnel_id"]
            if not funnel_id and "funnel_id" in optional:
                continue
            if funnel_id not in funnels:
                yield Mistake(
                    f"{table}.csv",
                    row.line,
                    "funnel_id",
                    "a funnel that funnels.csv declares",
                    repr(funnel_id),
                    f"Declared are {listed(funnels)}.",
                )
                continue
            for column in columns:
                if not row[column] and column in optional:
                    continue
                if (funnel_id, row[column]) not in stages:
                    known = {stage_id for funnel, stage_id in stages if funnel == funnel_id}
                    yield Mistake(
                        f"{table}.csv",
                        row.line,
                        column,
                        f"a stage that funnel_stages.csv declares for funnel {funnel_id!r}",
                        repr(row[column]),
                        f"Declared are {listed(known)}.",
                    )
