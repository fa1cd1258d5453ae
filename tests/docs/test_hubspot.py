"""docs/sources/hubspot.md: its declarations work on HubSpot's own layout."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.warehouse import build_warehouse

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "sources" / "hubspot.md"
DELIVERIES = REPOSITORY / "tests" / "staging" / "hubspot" / "fivetran"
# A fenced block whose first line names a file after the language.
BLOCK = re.compile(r"^```(?:csv|sql) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_declarations_of_the_page_make_funnels_of_hubspot(tmp_path: Path) -> None:
    """Prevents a page whose rules match nothing that HubSpot delivers."""
    blocks = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    check = blocks.pop("check.sql")
    assert len(blocks) == 5
    (tmp_path / "seeds").mkdir()
    for name, text in blocks.items():
        (tmp_path / "seeds" / name).write_text(text, encoding="utf-8")
    shutil.copytree(DELIVERIES, tmp_path / "landing" / "crm")

    built = build_warehouse(tmp_path / "landing", tmp_path / "seeds", tmp_path / "home")

    with duckdb.connect(str(built), read_only=True) as warehouse:
        journeys = warehouse.execute(
            "select funnel_id, subject_id, outcome, furthest_stage_id, cast(amount as integer)"
            " from core.fct_journeys order by all"
        ).fetchall()
        # Contact 1301 has no lifecycle stage; deals 105 and 106 were merged and deleted.
        assert journeys == [
            ("leads", "crm:contact:301", "won", "customer", None),
            ("partners", "crm:102", "lost", "talks", 20),
            ("sales", "crm:101", "won", "signed", None),
            ("sales", "crm:103", "open", "appointment", None),
            ("sales", "crm:107", "won", "signed", 5),
        ]
        # Lead 301 ends as a customer; no history ends elsewhere than the deal is.
        assert warehouse.execute(check).fetchall() == []
