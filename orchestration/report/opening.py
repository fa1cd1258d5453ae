"""Shows the report of the current release to whoever sits before this machine."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from orchestration.releases import current_release
from orchestration.settings import Settings


class NoReportError(RuntimeError):
    """There is no report to open. The message says what makes one."""


def report_page(settings: Settings) -> Path:
    """The first page of the report that readers have, by the link that every release moves.

    Raises:
        NoReportError: nothing is published, or a release of older code, which wrote none.
        releases.ReleaseError: the link leads to a release that is not there.
    """
    release = current_release(settings)
    if release is None:
        raise NoReportError(
            f"{settings.published}: expected a release with a report, found none. `make nightly` "
            "publishes one."
        )
    page = settings.published / "current" / "report" / "index.html"
    if not page.is_file():
        raise NoReportError(
            f"{page}: expected the report of release {release.release_id}, found none: it was "
            "written by an earlier version. The next release has one; `make nightly` publishes it "
            "once anything is new."
        )
    return page


def show(page: Path) -> bool:
    """Open a page in a browser if this session has a screen; whether it could."""
    has_screen = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    return has_screen and webbrowser.open(page.as_uri())
