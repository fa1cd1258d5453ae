"""Readers in another process never get an error or a half-built table, whatever is published."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.orchestration.tiny_builds import publish_mark, settings_for

# Reads its tables one query after the other, so that a release may be replaced in between.
READER = """
import sys
from pathlib import Path
import duckdb

current, stop = Path(sys.argv[1]), Path(sys.argv[2])

def marks(connection):
    visits = connection.execute("select mark, count(*) from fct_visits group by mark").fetchall()
    counts = connection.execute("select mark, count(*) from visit_counts group by mark").fetchall()
    log = connection.execute("select max(release_number) from release_log").fetchall()
    (mark, visit_rows), = visits
    assert visit_rows == 3, visits
    assert counts == [(mark, 2)], (visits, counts)
    assert log == [(mark,)], (visits, log)
    return mark

held = duckdb.connect(str(current / "funnel.duckdb"), read_only=True)
held_mark = marks(held)
seen, polls = None, 0
while not stop.exists():
    with duckdb.connect(str(current / "funnel.duckdb"), read_only=True) as connection:
        mark = marks(connection)
    assert seen is None or mark >= seen, (seen, mark)
    rows = duckdb.sql(f"from read_parquet('{current}/parquet/fct_visits.parquet')").fetchall()
    assert len(rows) == 3 and len({row[2] for row in rows}) == 1, rows
    assert marks(held) == held_mark
    polls += 1
    if mark != seen:
        seen = mark
        print(mark, flush=True)
print(f"{polls} polls, held {held_mark}", flush=True)
"""


def test_readers_see_ten_nights_each_whole_or_not_at_all(tmp_path: Path) -> None:
    """A dashboard would show an error, or numbers of two nights side by side."""
    settings = settings_for(tmp_path / "warehouse", keep_releases=3)
    stop = tmp_path / "stop"
    publish_mark(settings, 1)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(settings.published / "current"), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None and reader.stderr is not None
        seen = [reader.stdout.readline()]
        for mark in range(2, 12):
            publish_mark(settings, mark)
            # Only when the reader has seen it comes the next: it polled during every publishing.
            seen.append(reader.stdout.readline())
        stop.touch()
        summary, errors = reader.communicate(timeout=60)
    assert errors == ""
    assert seen == [f"{mark}\n" for mark in range(1, 12)]
    assert summary.endswith("polls, held 1\n")
    assert int(summary.split()[0]) >= 11
