"""docs/orders-in-several-systems.md: what a reader copies from it is accepted."""

from __future__ import annotations

import re
from pathlib import Path

from orchestration import declarations
from tests.support.staging import SEEDS

PAGE = Path(__file__).parents[2] / "docs" / "orders-in-several-systems.md"
BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_declarations_of_the_page_are_accepted(tmp_path: Path) -> None:
    """Prevents a ready example from failing at the first night."""
    blocks = dict(BLOCK.findall(PAGE.read_text("utf-8")))
    assert set(blocks) == {"sources.csv"}
    for name, text in {**SEEDS, **blocks}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    places = {
        row["source"]: row["order_precedence"]
        for row in declarations.read(tmp_path).tables["sources"]
    }

    assert places == {"shop": "1", "crm": "2", "billing": "3", "marketplace": ""}
