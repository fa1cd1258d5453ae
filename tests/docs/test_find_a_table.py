"""The page that tells which table answers what."""

from __future__ import annotations

import re

from orchestration.dbt import PROJECT
from orchestration.release_log import LOG_TABLES


def test_every_published_table_is_on_the_page() -> None:
    """Prevents tables that nobody finds, and names of tables that there are no more."""
    page = (PROJECT / "docs" / "find-a-table.md").read_text(encoding="utf-8")
    named = {
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    published = {path.stem for path in (PROJECT / "models" / "marts").rglob("*.sql")}
    assert named == published | {table.name for table in LOG_TABLES}
