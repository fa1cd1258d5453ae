"""docs/understand-channels.md: what a reader copies from it is accepted."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from orchestration import declarations
from orchestration.dbt import PROJECT

PAGE = (PROJECT / "docs" / "understand-channels.md").read_text("utf-8")
BLOCK = re.compile(r"^```csv (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_declarations_of_the_page_are_accepted(tmp_path: Path) -> None:
    """Prevents a ready example from failing at the first night."""
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    blocks = dict(BLOCK.findall(PAGE))
    assert set(blocks) == {
        "activity_channels.csv",
        "attribution_settings.csv",
        "channel_costs.csv",
        "acquisition_settings.csv",
    }
    for name, text in blocks.items():
        (seeds / name).write_text(text, encoding="utf-8")

    declared = declarations.read(seeds)

    assert [row["attribution_id"] for row in declared.tables["attribution_settings"]] == [
        "purchases",
        "deals",
    ]
    assert declared.tables["channel_costs"][2]["cost"] == "0"


def test_the_page_tells_every_model_and_deviation() -> None:
    """Prevents a name in the tables whose meaning only the SQL tells."""
    folder = PROJECT / "models"
    models = (folder / "intermediate" / "customers" / "int_touch_credits.sql").read_text("utf-8")
    deviations = (folder / "marts" / "funnel" / "path_deviations.sql").read_text("utf-8")
    names = {
        *re.findall(r"select '(\w+)' as model", models),
        *re.findall(r"select '(\w+)' as deviation", deviations),
    }
    assert len(names) == 13
    assert [name for name in names - {"none", "any"} if f"`{name}`" not in PAGE] == []
