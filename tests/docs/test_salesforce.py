"""docs/sources/salesforce.md: what a reader copies from it is accepted."""

from __future__ import annotations

import re
from pathlib import Path

from orchestration import declarations
from orchestration.extracts import read_extracts

PAGE = (Path(__file__).parents[2] / "docs" / "sources" / "salesforce.md").read_text("utf-8")
BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_declarations_of_the_page_are_accepted(tmp_path: Path) -> None:
    """Prevents a ready example from failing at the first night."""
    blocks = dict(BLOCK.findall(PAGE))
    assert set(blocks) == {"sources.csv", "funnels.csv", "funnel_stages.csv", "stage_rules.csv"}
    for name, text in blocks.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    (source, *_) = declarations.read(tmp_path).sources

    assert (source.source, source.system) == ("salesforce", "salesforce")


def test_the_page_lists_every_object_and_every_column_that_must_be_there() -> None:
    """Prevents a company from syncing less than is asked of it."""
    for name, extract in read_extracts("salesforce").items():
        (line,) = [line for line in PAGE.splitlines() if re.match(rf"\| .*`{name}`.* \|", line)][:1]
        for column in extract.columns:
            assert not column.is_required or f"`{column.name}*`" in line, (name, column.name)
