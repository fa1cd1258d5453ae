"""What lies in a release's report, how large it can get, and what becomes of names."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.release_database import DATABASE
from orchestration.releases import current_release
from orchestration.report import writing
from orchestration.report.scripts import script
from orchestration.report.writing import ReportError, has_report, write_report
from orchestration.settings import Settings
from tests.orchestration.tiny_builds import TABLES, publish_mark, settings_for
from tests.report.planted import (
    AS_OF,
    SHOWN_VALUES,
    WICKED,
    contracts,
    publish_planted,
)


def data_of(file: Path) -> dict[str, object]:
    """What a script of data assigns."""
    text = file.read_text(encoding="utf-8").splitlines()[1]
    found = re.fullmatch(r'window\.reportData\["[^"]+"\] = (.*);', text)
    assert found, text[:200]
    data: dict[str, object] = json.loads(found[1])
    return data


def test_the_report_is_part_of_the_release(report: Path) -> None:
    """Report and tables could be of different nights."""
    names = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert names == {
        "index.html", "funnels.html", "pipeline.html", "quality.html",
        "assets/report.css", "assets/figures.js", "assets/funnels.js", "assets/pipeline.js",
        "assets/funnel-view.js", "assets/funnel-stages.js", "assets/funnel-moves.js",
        "assets/funnel-times.js", "assets/funnel-cohorts.js", "assets/plotly.min.js",
        "data/catalogue.js", "data/funnel-01.js", "data/funnel-02.js", "data/pipeline-01.js",
    }  # fmt: skip
    assert [
        path for path in report.rglob("*") if path.is_file() and path.stat().st_mode & 0o222
    ] == []


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, str]:
    """A warehouse with a release of other figures after its first, and what the first page said."""
    settings = settings_for(tmp_path_factory.mktemp("nights") / "warehouse")
    publish_planted(settings)
    first_page = (settings.published / "current" / "report" / "quality.html").read_text()
    publish_planted(settings, AS_OF + timedelta(days=1), seed=2)
    return settings, first_page


def test_the_library_is_there_once_for_all_charts_and_releases(
    two_nights: tuple[Settings, str],
) -> None:
    """Each night would take five megabytes more, though nothing of them is new."""
    settings, _ = two_nights
    first, second = sorted(settings.published.glob("releases/*/report/assets/plotly.min.js"))
    assert first.samefile(second)
    pages = [path.read_text() for path in second.parents[1].glob("*.html")]
    assert max(len(page) for page in pages) < 100_000


def test_a_second_release_tells_what_changed(two_nights: tuple[Settings, str]) -> None:
    """Nobody would see from the report that a figure of yesterday is another today."""
    settings, first_page = two_nights
    assert "This is the first release" in first_page
    report = settings.published / "current" / "report"
    text = (report / "quality.html").read_text()
    assert "This is the first release" not in text
    first, second = sorted((settings.published / "releases").iterdir())
    assert f"The release before is <code>{first.name}</code>" in text
    query = """
        select entered, reached from funnel_conversion
        where funnel_id = 'web' and cohort_grain = 'all' and segment_name = 'all'
        order by stage_position desc limit 1
    """
    figures = []
    for release in (first, second):
        with duckdb.connect(str(release / DATABASE), read_only=True) as connection:
            figures += connection.execute(query).fetchall()
    (entered_before, reached_before), (entered, reached) = figures
    changed = text.split("<caption>Funnels against the release before")[1]
    row = re.search(r'<th scope="row">Web purchase</th>\s*((?:<td.*?</td>\s*)+)', changed)
    assert row
    cells = re.findall(r">([^<]*)</td>", row[1])
    assert cells[:4] == [str(entered), str(entered_before), str(reached), str(reached_before)]
    index = (report / "index.html").read_text()
    assert f"{entered - entered_before:+,} entered".replace("-", "−") in index


def test_names_from_data_are_text_in_every_page_and_script(report: Path) -> None:
    """A name typed into a CRM would run in the browser of whoever looks at the report."""
    found = 0
    for path in [*report.glob("*.html"), *report.glob("data/*.js")]:
        text = path.read_text(encoding="utf-8")
        assert "</script><b>" not in text, path
        assert "<img" not in text, path
        assert "<b>north" not in text, path
        assert "<b>0.9</b>" not in text, path
        found += "&lt;/script&gt;&lt;b&gt;Deals" in text or "\\u003c/script\\u003e" in text
    assert found >= 4
    assert data_of(report / "data" / "catalogue.js")["funnels"]


def test_scripts_hold_what_they_were_given() -> None:
    """An escape would change a name."""
    told = {"name": f"{WICKED} \u2028 & 线索", "amount": 1.5, "when": datetime(2026, 1, 2)}
    text = script("a", told)
    assert "</" not in text.splitlines()[1]
    assert "\u2028" not in text
    given = json.loads(text.splitlines()[1].split(" = ", 1)[1].rstrip(";"))
    assert given == {**told, "when": "2026-01-02T00:00:00"}


def test_a_page_bounds_what_it_shows_and_says_so(report: Path) -> None:
    """A warehouse of a thousand campaigns and ten years would get a report nobody can open."""
    files = [data_of(report / "data" / f"funnel-0{number}.js") for number in (1, 2)]
    (web,) = [data for data in files if data["funnel_id"] == "web"]
    segments, periods, left_out = web["segments"], web["periods"], web["left_out"]
    assert isinstance(segments, list)
    assert isinstance(periods, list)
    assert sum(name == "channel" for name, _, _ in segments) == SHOWN_VALUES
    assert sum(grain == "week" for grain, _ in periods) == 26
    assert ["week", "2025-07-28"] in periods
    assert ["week", "2025-07-21"] not in periods, "the latest are kept"
    assert left_out == [
        "Of 30 weeks, the latest 26 are shown.",
        f"Of the 10 values of channel, the {SHOWN_VALUES} with most journeys are shown.",
        "Segments are shown for all time and the latest 2 years, 4 quarters, 3 months.",
    ]
    curves = web["curves"]
    assert isinstance(curves, dict)
    points = curves["columns"].index("points")
    for row in curves["rows"]:
        assert 2 < len(row[points]) <= 40
        assert [row[points][0][0], row[points][-1][0]] == [7200, 60 * 7200], "both ends are kept"


def test_a_build_of_other_tables_has_no_report(tmp_path: Path) -> None:
    """Whoever publishes tables of their own could publish nothing."""
    assert not has_report(TABLES)
    assert has_report(contracts())
    settings = settings_for(tmp_path / "warehouse")
    publish_mark(settings, 1)
    assert not (settings.published / "current" / "report").exists()


def test_a_table_without_what_is_shown_is_said_by_name(planted: Settings, tmp_path: Path) -> None:
    """A model that lost a column would give a page without a chart, or a bare traceback."""
    release = current_release(planted)
    assert release
    source = planted.published / "current" / DATABASE
    with duckdb.connect(str(tmp_path / DATABASE)) as connection:
        connection.execute(f"attach '{source}' as whole (read_only)")
        connection.execute("copy from database whole to funnel")
        connection.execute("alter table funnel_conversion drop column overall_rate_low")
    with pytest.raises(ReportError, match="overall_rate_low"):
        write_report(planted, tmp_path, release, None)


def test_without_the_library_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report would have pages without charts, and nobody would know why."""
    monkeypatch.setattr(writing, "find_spec", lambda name: None)
    settings = settings_for(tmp_path / "warehouse")
    with pytest.raises(ReportError, match=r"plotly: expected the package .* requirements\.lock"):
        publish_planted(settings)
    assert current_release(settings) is None
    assert list((settings.published / "releases").iterdir()) == []
