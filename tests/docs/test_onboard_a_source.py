"""docs/onboard-a-source.md: a reader who follows it gets what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.support.warehouse import build_warehouse

PAGE = Path(__file__).parents[2] / "docs" / "onboard-a-source.md"
# A fenced block whose first line names a file after the language.
BLOCK = re.compile(r"^```(?:csv|sql) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_following_the_page_gives_the_counts_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a page that strangers begin with from leading them nowhere."""
    blocks = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    answer = blocks.pop("answer")
    assert len(blocks) == 9
    for name, text in blocks.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for table in ("records", "events"):
        (tmp_path / "landing" / "bicycles" / table).mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        duckdb.connect().execute(blocks["bicycles/rename.sql"])

    built = build_warehouse(
        tmp_path / "landing", tmp_path / "bicycles" / "seeds", tmp_path / "bicycles" / "warehouse"
    )
    with duckdb.connect(str(built), read_only=True) as warehouse:
        warehouse.execute("set search_path = 'marts'")
        found = warehouse.execute(blocks["bicycles/check.sql"]).fetchall()
    expected = [tuple(line.split(",")) for line in answer.strip().splitlines()[1:]]
    assert [tuple(map(str, row)) for row in found] == expected
