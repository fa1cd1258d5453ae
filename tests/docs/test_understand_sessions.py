"""docs/understand-sessions.md: what a reader copies from it is accepted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from orchestration import declarations
from orchestration.dbt import PROJECT

PAGE = (PROJECT / "docs" / "understand-sessions.md").read_text("utf-8")
BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_declarations_of_the_page_are_accepted(tmp_path: Path) -> None:
    """Prevents a ready example from failing at the first night."""
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    blocks = dict(BLOCK.findall(PAGE))
    assert set(blocks) == {
        "sources.csv",
        "channel_rules.csv",
        "segments.csv",
        "excluded_traffic.csv",
    }
    # They name channels and segments that the page's blocks take the place of.
    for name in (
        "channel_costs.csv",
        "watched_metrics.csv",
        "lead_score_features.csv",
        "segment_bands.csv",
        "experiments.csv",
        "experiment_variants.csv",
    ):
        (seeds / name).unlink()
    for name, text in blocks.items():
        (seeds / name).write_text(text, encoding="utf-8")

    declared = declarations.read(seeds)

    assert declared.tables["channel_rules"][0]["channel"] == "Partners"
    assert declared.tables["sources"][0]["session_gap_minutes"] == "30"


def test_the_page_lists_every_attribute_of_a_session() -> None:
    """Prevents a segment that only those find who read the model."""
    model = PROJECT / "models" / "intermediate" / "segments" / "int_segment_values.sql"
    (columns,) = re.findall(r"for column in \[(.*?)\]", model.read_text("utf-8"), re.DOTALL)
    names = re.findall(r"'(\w+)'", columns)
    assert len(names) > 1
    assert [name for name in names if f"`session_{name}`" not in PAGE] == []
