"""docs/connect-bi.md: Superset as a client of the published file, while the next release comes.

Superset needs an environment of its own: this is skipped unless FUNNEL_TEST_SUPERSET names its
folder, made by `python3.11 -m venv superset` and `superset/bin/pip install -r
tests/bi/requirements-superset.txt`.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import subprocess
import textwrap
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.dbt import PROJECT
from orchestration.settings import Settings
from tests.orchestration.tiny_builds import settings_for
from tests.report.browser import chromium, running
from tests.report.planted import AS_OF, publish_planted

FOLDER = os.environ.get("FUNNEL_TEST_SUPERSET", "")
PORT = 18088
SERVER = f"http://127.0.0.1:{PORT}"
JSON = {"Content-Type": "application/json"}
# A worker that compiles its libraries for the first time takes tens of seconds.
MOST_SECONDS = 180

pytestmark = pytest.mark.skipif(not FOLDER, reason="FUNNEL_TEST_SUPERSET names no environment")


class Superset:
    """Somebody who is logged in to a running Superset.

    Attributes:
        cookies: those of the session, for a browser.
    """

    def __init__(self) -> None:
        self.cookies = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies)
        ).open
        self._headers = {"Referer": SERVER}
        who = {"username": "admin", "password": "admin", "provider": "db"}
        token = self.ask("POST", "security/login", who)["access_token"]
        self._headers["Authorization"] = f"Bearer {token}"
        self._headers["X-CSRFToken"] = self.ask("GET", "security/csrf_token/")["result"]

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """What the interface answers."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if body is None else {**self._headers, **JSON}
        request = urllib.request.Request(f"{SERVER}/api/v1/{path}", data, headers, method=method)
        with self._open(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def log_in_as_a_browser(self) -> None:
        """Get the cookie of somebody who has filled in the form."""
        with self._open(f"{SERVER}/login/") as page:
            text = page.read().decode()
        found = re.search(r"csrf_token[^>]{0,40}?(?:value=|:\s*)(?:\"|&#34;)([^\"&]+)", text)
        assert found, "a form without a token"
        form = {"username": "admin", "password": "admin", "csrf_token": found[1]}
        request = urllib.request.Request(
            f"{SERVER}/login/", urllib.parse.urlencode(form).encode(), {"Referer": SERVER}
        )
        self._open(request).close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse with one release."""
    settings = settings_for(tmp_path_factory.mktemp("superset") / "warehouse")
    publish_planted(settings)
    return settings


@pytest.fixture(scope="module")
def superset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    """A Superset of its own, as docs/connect-bi.md sets it up."""
    home = tmp_path_factory.mktemp("state")
    page = (PROJECT / "docs" / "connect-bi.md").read_text(encoding="utf-8")
    [config] = re.findall(r"^ *```python superset_config.py\n(.*?)^ *```$", page, re.M | re.S)
    (home / "superset_config.py").write_text(
        textwrap.dedent(config).replace("/srv/superset", str(home)), encoding="utf-8"
    )
    environment = {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"),
        "FLASK_APP": "superset",
        "HOME": str(home),
    }
    programs = Path(FOLDER).resolve() / "bin"
    admin = "--username admin --firstname A --lastname B --email a@example.com --password admin"
    for words in ("db upgrade", f"fab create-admin {admin}", "init"):
        done = subprocess.run(
            [programs / "superset", *words.split()],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [
                *(programs / "gunicorn", "--workers", "1", "--threads", "8", "--timeout", "120"),
                *("--bind", f"127.0.0.1:{PORT}", "superset.app:create_app()"),
            ],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + MOST_SECONDS
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{SERVER}/health", timeout=5):
                break
            assert server.poll() is None, (home / "log").read_text()[-3000:]
            assert time.monotonic() < until, "Superset did not come up"
        yield Superset()
    finally:
        server.terminate()
        server.wait(30)


def reached(settings: Settings) -> list[int]:
    """What the chart has to show, by the release that readers get."""
    with duckdb.connect(
        str(settings.published / "current" / "funnel.duckdb"), read_only=True
    ) as connection:
        rows = connection.execute(
            "select reached from funnel_conversion where funnel_id = 'web' "
            "and cohort_grain = 'all' and segment_name = 'all' order by stage_position"
        ).fetchall()
    return [count for (count,) in rows]


def test_a_chart_is_of_one_release_and_then_of_the_next(
    shop: Settings, superset: Superset, tmp_path: Path
) -> None:
    """A dashboard would fail while a night publishes, mix releases, or stay with the old one."""
    file = (shop.published / "current").absolute() / "funnel.duckdb"
    database = superset.ask(
        "POST",
        "database/",
        {
            "database_name": "Funnels",
            "sqlalchemy_uri": f"duckdb:///{file}?access_mode=READ_ONLY",
            "expose_in_sqllab": True,
        },
    )
    table = {"database": database["id"], "schema": "main", "table_name": "funnel_conversion"}
    dataset = superset.ask("POST", "dataset/", table)
    metric = {
        "expressionType": "SIMPLE",
        "column": {"column_name": "reached"},
        "aggregate": "MAX",
        "label": "reached",
    }
    chosen = {"funnel_id": "web", "cohort_grain": "all", "segment_name": "all"}
    shown = {
        "datasource": f"{dataset['id']}__table",
        "viz_type": "echarts_timeseries_bar",
        "x_axis": "stage_id",
        "x_axis_sort": "reached",
        "x_axis_sort_asc": False,
        "metrics": [metric],
        "groupby": [],
        "adhoc_filters": [
            {
                "expressionType": "SIMPLE",
                "clause": "WHERE",
                "subject": column,
                "operator": "==",
                "comparator": value,
            }
            for column, value in chosen.items()
        ],
        "row_limit": 100,
        "show_value": True,
    }
    query = {
        "columns": ["stage_id"],
        "metrics": [metric],
        "filters": [{"col": name, "op": "==", "val": value} for name, value in chosen.items()],
        "orderby": [[metric, False]],
        "row_limit": 100,
    }
    asked = {
        "datasource": {"id": dataset["id"], "type": "table"},
        "queries": [query],
        "form_data": shown,
        "result_format": "json",
        "result_type": "full",
    }
    chart = superset.ask(
        "POST",
        "chart/",
        {
            "slice_name": "Journeys that reached each stage",
            "viz_type": shown["viz_type"],
            "datasource_id": dataset["id"],
            "datasource_type": "table",
            "params": json.dumps(shown),
            "query_context": json.dumps(asked),
        },
    )

    def told() -> list[int]:
        [result] = superset.ask("GET", f"chart/{chart['id']}/data/")["result"]
        return [row["reached"] for row in result["data"]]

    before = reached(shop)
    assert told() == before
    answers: list[list[int]] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            answers.append(told())

    looking = threading.Thread(target=look)
    looking.start()
    publish_planted(shop, AS_OF + timedelta(days=1), seed=2)
    is_over.set()
    looking.join(MOST_SECONDS)
    after = reached(shop)
    assert before != after
    assert answers
    assert [answer for answer in answers if answer not in (before, after)] == []
    assert told() == after

    program = chromium()
    if program is None:
        pytest.skip("no Chromium to look at the chart with")
    superset.log_in_as_a_browser()
    with running(program, tmp_path / "profile") as browser:
        for cookie in superset.cookies:
            browser.send("Network.setCookie", name=cookie.name, value=cookie.value, url=SERVER)
        browser.send("Page.navigate", url=f"{SERVER}/explore/?slice_id={chart['id']}")
        browser.wait("document.querySelector('canvas')")
        browser.wait(f"document.body.innerText.includes('{len(after)} rows')")
        browser.picture(tmp_path / "chart.png")
