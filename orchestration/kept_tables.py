"""The tables of the build that are kept from night to night, and when they are made anew.

A kept table finds out by itself what is new in its input. What it cannot see are the rules that it
was worked out by: where these have changed, it is dropped, and dbt makes it from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from orchestration.declaration_tables import TABLES
from orchestration.declarations import Declarations
from orchestration.fingerprint import code_and_settings, short_hash
from orchestration.settings import Settings
from orchestration.values import literal

# What is kept in staging is of one file each, and follows from little but the file.
DECLARED_FOR_STAGING = ("sources", "role_addresses", "excluded_traffic")

# These are read by tables that are built in full every night.
NOT_DECLARED_FOR_KEPT = (
    "exchange_rates",
    "horizons",
    "known_on_dates",
    "deal_size_bands",
    "loss_endings",
    "win_back_measures",
    "follow_up_agreement",
    "intent_rules",
    "owner_health_rules",
    "worklist_settings",
    "funnel_plan_targets",
    "stage_targets",
    "what_if_steps",
    "activity_channels",
    "attribution_settings",
    "channel_costs",
    "acquisition_settings",
    "watched_metrics",
    "benchmarks",
    "experiments",
    "experiment_variants",
    "experiment_assignments",
    "changes",
    "customer_order_statuses",
    "rfm_cuts",
    "rfm_segments",
    "priority_settings",
    "key_account_rules",
)


def drop_stale(settings: Settings, declared: Declarations) -> tuple[str, ...]:
    """Drop the schemas of the build whose kept tables follow from other rules than the present.

    What they follow from now is noted at once: a table that is not there is made anew in whatever
    night comes to it.

    Args:
        settings: where the build is, and what the models read.
        declared: the declarations of this night.

    Returns:
        The names of the schemas that were dropped.
    """
    rules = _rules(settings, declared)
    with duckdb.connect(str(settings.build)) as connection:
        connection.execute(
            "create table if not exists main.kept_schemas "
            "(schema_name varchar primary key, rules varchar)"
        )
        known = dict(
            connection.execute("select schema_name, rules from main.kept_schemas").fetchall()
        )
        stale = tuple(schema for schema, digest in rules.items() if known.get(schema) != digest)
        connection.begin()
        for schema in stale:
            connection.execute(f"drop schema if exists {schema} cascade")
            connection.execute(
                "insert or replace into main.kept_schemas values "
                f"({literal(schema)}, {literal(rules[schema])})"
            )
        connection.commit()
    return tuple(schema for schema in stale if schema in known)


def follows_present_rules(settings: Settings, declared: Declarations) -> bool:
    """Whether all that the build keeps was worked out by the present models and declarations."""
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        try:
            known = connection.execute(
                "select schema_name, rules from main.kept_schemas"
            ).fetchall()
        except duckdb.CatalogException:
            known = []
    return dict(known) == dict(_rules(settings, declared))


def _rules(settings: Settings, declared: Declarations) -> Mapping[str, str]:
    """By schema, a text that is another where any of its kept tables may be another."""
    models = code_and_settings(settings)
    tables = {table.name: declared.as_csv(table) for table in TABLES}
    for_staging = short_hash([*models, *(tables[name] for name in DECLARED_FOR_STAGING)])
    for_subjects = short_hash(
        [*models, *(text for name, text in tables.items() if name not in NOT_DECLARED_FOR_KEPT)]
    )
    return {"staging": for_staging, "intermediate": for_subjects, "core": for_subjects}
