"""One planted release, and one browser, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.settings import Settings
from tests.orchestration.tiny_builds import settings_for
from tests.report.browser import PROGRAMS, Browser, chromium, running
from tests.report.planted import publish_planted
from tests.support.tables import Tables


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse whose current release has a report."""
    settings = settings_for(tmp_path_factory.mktemp("planted") / "warehouse")
    publish_planted(settings)
    return settings


@pytest.fixture(scope="session")
def report(planted: Settings) -> Path:
    """The folder of that report."""
    return planted.published / "current" / "report"


@pytest.fixture(scope="session")
def marts(planted: Settings) -> Iterator[Tables]:
    """The tables of that release."""
    tables = Tables(planted.published / "current" / "funnel.duckdb")
    yield tables
    tables.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A headless Chromium."""
    program = chromium()
    if program is None:
        pytest.skip(
            f"none of {', '.join(PROGRAMS)} is installed. On Debian: apt-get install chromium"
        )
    with running(program, tmp_path_factory.mktemp("profile")) as started:
        yield started
