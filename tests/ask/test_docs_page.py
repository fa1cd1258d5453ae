"""What `make docs` writes, of a warehouse that is built."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from orchestration import dbt
from orchestration.settings import Settings


@pytest.fixture(scope="module")
def page(release_settings: Settings) -> str:
    """The page as it is written."""
    return dbt.write_docs(release_settings).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def manifest(page: str) -> dict[str, Any]:
    """What the page knows of the project."""
    start = page.index('{"metadata"')
    content, _ = json.JSONDecoder().raw_decode(page, start)
    found: dict[str, Any] = content
    return found


def test_the_page_shows_the_way_from_a_file_to_a_chart(manifest: dict[str, Any]) -> None:
    """Lineage would end at the marts, and nobody would see what a change of theirs reaches."""
    declared = yaml.safe_load((dbt.PROJECT / "models" / "exposures.yml").read_text("utf-8"))
    shown = {one["name"]: one for one in manifest["exposures"].values()}
    assert shown.keys() == {one["name"] for one in declared["exposures"]}
    parents = manifest["parent_map"]
    reached, todo = set(), [shown["report_funnels"]["unique_id"]]
    while todo:
        node = todo.pop()
        reached.add(node)
        todo += [parent for parent in parents[node] if parent not in reached]
    assert {node for node in reached if node.startswith("source.")} >= {
        "source.funnel_warehouse.generic.events",
        "source.funnel_warehouse.salesforce.opportunity",
    }


def test_the_overview_leads_to_tables_that_are_there(manifest: dict[str, Any]) -> None:
    """The first page that a newcomer sees would have links into nothing."""
    [overview] = [
        doc["block_contents"]
        for doc in manifest["docs"].values()
        if doc["name"] == "__overview__" and doc["package_name"] == "funnel_warehouse"
    ]
    linked = set(re.findall(r"#!/model/([\w.]+)\)", overview))
    assert len(linked) > 10
    assert linked <= manifest["nodes"].keys()
