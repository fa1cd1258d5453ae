"""What is published follows from dbt's manifest, and a mart that cannot be published is refused."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.published_tables import Column, PublishedTableError, published_tables
from tests.orchestration.tiny_builds import COUNTS, STAGES, UNPUBLISHED, VISITS, manifest, model

STRINGS = {"thing_id": "varchar"}


def test_all_marts_are_published_and_nothing_else() -> None:
    """A staging or intermediate table, or a test, would get into the hands of analysts."""
    tables = published_tables(manifest(VISITS, COUNTS, STAGES, UNPUBLISHED))
    assert [(table.schema, table.name) for table in tables] == [
        ("core", "dim_stages"),
        ("core", "fct_visits"),
        ("marts", "visit_counts"),
    ]


def test_key_columns_and_descriptions_are_those_of_the_yml() -> None:
    """Files would be sorted by something else, and analysts would find no descriptions in them."""
    (table,) = published_tables(manifest(VISITS))
    assert table.key == ("subject_id", "visit_number")
    assert table.description == "The stays of a subject; it's quoted. One row per visit."
    assert table.columns == (
        Column("subject_id", "varchar", "The subject_id."),
        Column("visit_number", "integer", "The visit_number."),
        Column("mark", "integer", "The mark."),
    )


def test_an_ephemeral_mart_is_not_a_table() -> None:
    """Publishing would look for a table that dbt never makes."""
    ephemeral = model("helper", "marts/core", STRINGS, None, materialized="ephemeral")
    assert [table.name for table in published_tables(manifest(VISITS, ephemeral))] == ["fct_visits"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            [model("things", "marts/core", STRINGS, None)],
            r"models/marts/core/things.sql \(model things\): expected config.meta.key",
        ),
        ([model("things", "marts/core", STRINGS, "thing_id")], "expected config.meta.key, a list"),
        (
            [model("things", "marts/core", STRINGS, ["thing"])],
            "found thing, which the yml does not",
        ),
        (
            [model("things", "marts/core", STRINGS, ["thing_id"], contract={"enforced": False})],
            "expected an enforced contract, found none",
        ),
        (
            [
                model("things", "marts/core", STRINGS, ["thing_id"]),
                {**model("things_too", "marts/marts", STRINGS, ["thing_id"]), "alias": "things"},
            ],
            "things: expected one mart of this name, found it in the schemas core and marts",
        ),
        ([UNPUBLISHED], "expected models under models/marts, found none"),
    ],
    ids=["no key", "key is no list", "key is no column", "no contract", "same name", "no marts"],
)
def test_a_mart_that_cannot_be_published_is_refused_by_name(
    models: list[dict[str, Any]], message: str
) -> None:
    """The mistake would come out at the end of a night, or in a file that nobody can rely on."""
    with pytest.raises(PublishedTableError, match=message):
        published_tables(manifest(*models))
