"""The results of the gates can be looked at, without a network."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.gate_pages import render_quality
from orchestration.gates import accept, record, run_gate
from orchestration.settings import Settings
from tests.expectations.conftest import make_sound_build
from tests.orchestration.test_gates import FAILED, PASSED

FETCHED = re.compile(r"""\b(?:src|href|url|import)\b\s*[=(]?\s*["']?\s*(?:https?:)?//""", re.I)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own."""
    return Settings.from_environment({"FUNNEL_HOME": str(tmp_path / "home")})


def test_each_layer_has_a_page_that_fetches_nothing(settings: Settings, tmp_path: Path) -> None:
    """Prevents pages that stay blank without a network, or tell others that they are looked at."""
    build = tmp_path / "build.duckdb"
    make_sound_build(build)
    with duckdb.connect(str(build)) as connection:
        connection.execute(
            "update staging.stg_events set event_name = '<script>alert(1)</script>' "
            "where event_name = 'payment'"
        )
    settings.home.mkdir(parents=True)
    shutil.move(build, settings.build)
    run_gate("raw", settings, "night-1")
    run_gate("staging", settings, "night-1")
    index = render_quality(settings)
    pages = {page.name: page.read_text(encoding="utf-8") for page in index.parent.iterdir()}
    assert set(pages) == {"index.html", "raw.html", "staging.html"}
    for name, page in pages.items():
        assert not FETCHED.search(page), name
        assert "<script" not in page, name
        assert "alert(1)" in page or name == "raw.html"
    assert "raw.volume.web.events" in pages["raw.html"]
    assert "390 to 10,010 rows" in pages["raw.html"]
    assert "staging.share_without_user.web" in pages["staging.html"]


def test_the_index_shows_failures_and_acceptances_with_their_reasons(settings: Settings) -> None:
    """Prevents a page on which what stopped the night, or was waved through, is hard to find."""
    hostile = replace(FAILED, gate="raw.volume.web.orders", observed="<img src=//example.com>")
    record(settings, "night-1", "raw", [FAILED])
    accept(settings, FAILED.gate, "the shop was closed")
    record(settings, "night-2", "raw", [PASSED, FAILED, hostile])
    page = render_quality(settings).read_text(encoding="utf-8")
    assert "1 passed" in page
    assert "1 accepted" in page
    assert "1 failed" in page
    assert "Accepted: the shop was closed" in page
    assert FAILED.offending_rows.replace("'", "&#39;") in page
    assert "<img" not in page
    assert "night-1" in page


def test_before_the_first_night_the_page_says_so(settings: Settings) -> None:
    """Prevents a stack trace in place of an answer on a fresh warehouse."""
    page = render_quality(settings).read_text(encoding="utf-8")
    assert "make nightly" in page
    assert page.count("Has not been run yet.") == 4
