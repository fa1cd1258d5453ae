"""Alerts of a release: told once, again only when they change, and never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import alerts
from orchestration.alerts import MOST_IN_TEXT, Alert, alert_lines, read_alerts, tell
from orchestration.assets.release import alerts_result
from orchestration.settings import Settings

Posts = list[dict[str, Any]]


def alert(
    name: str, state: str = "fell 1 times the declared change", q_value: float = 0.001
) -> Alert:
    return Alert(name, state, f"{name} fell.", "Most by search.", "likely", -31.0, "%", q_value)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment(
        {"FUNNEL_HOME": str(tmp_path), "FUNNEL_WEBHOOK_URL": "http://127.0.0.1:9/t0ken"}
    )


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Posts:
    """What the webhook was told."""
    posts: Posts = []

    def post(url: str, message: dict[str, Any]) -> str:
        # As it would come over the wire.
        posts.append(json.loads(json.dumps(message)))
        return ""

    monkeypatch.setattr(alerts, "post", post)
    return posts


def names(post: dict[str, Any]) -> list[str]:
    return [one["alert_id"] for one in post["alerts"]]


def test_an_alert_is_told_once(settings: Settings, posted: Posts) -> None:
    """Whoever is told the same every night stops reading; so also after a rerun."""
    for release in ("1", "1", "2"):
        told = tell(settings, [alert("a"), alert("b")], release)
    assert [names(post) for post in posted] == [["a", "b"]]
    assert posted[0]["release_id"] == "1"
    assert "a fell. Most by search." in posted[0]["text"]
    assert (told.new, told.is_told, told.trouble) == ((), False, "")


def test_an_alert_that_changes_is_told_again_alone(settings: Settings, posted: Posts) -> None:
    """A fall that has doubled is news, the others of the night before are not."""
    tell(settings, [alert("a"), alert("b")], "1")
    tell(settings, [alert("a"), alert("b", "fell 2 times the declared change"), alert("c")], "2")
    assert [names(post) for post in posted] == [["a", "b"], ["b", "c"]]


def test_an_alert_that_was_gone_is_told_when_it_comes_back(
    settings: Settings, posted: Posts
) -> None:
    """A second fall a month later would pass unsaid."""
    for night in ([alert("a")], [], [alert("a")]):
        tell(settings, night, "1")
    assert [names(post) for post in posted] == [["a"], ["a"]]


def test_what_could_not_be_told_is_told_with_the_next_release(
    settings: Settings, posted: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert would be lost in the one night in which the chat was down."""
    with monkeypatch.context() as down:
        down.setattr(alerts, "post", lambda url, message: "it answered with status 500")
        told = tell(settings, [alert("a")], "1")
    assert told.trouble == (
        "The alerts could not be told to the webhook: it answered with status 500."
    )
    assert not told.is_told
    tell(settings, [alert("a")], "2")
    tell(settings, [alert("a")], "3")
    assert [names(post) for post in posted] == [["a"]]


def test_a_night_that_dies_after_telling_repeats_the_same_message(
    settings: Settings, posted: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alert noted before it was told would be lost; a repeated one is known by its id."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr("os.replace", die)
        with pytest.raises(KeyboardInterrupt):
            tell(settings, [alert("a")], "1")
    tell(settings, [alert("a")], "1")
    tell(settings, [alert("a")], "2")
    first, second = posted
    assert first == second


def test_without_a_webhook_nothing_counts_as_told(tmp_path: Path, posted: Posts) -> None:
    """Whoever configures one later is told what holds then."""
    silent = Settings.from_environment({"FUNNEL_HOME": str(tmp_path)})
    told = tell(silent, [alert("a")], "1")
    assert ([one.alert_id for one in told.new], told.is_told, posted) == (["a"], False, [])
    assert not (tmp_path / "alerts.json").exists()


def test_text_is_short_and_says_what_it_leaves_out() -> None:
    """A bad night would fill the screen of a telephone."""
    lines = alert_lines([alert(str(number)) for number in range(MOST_IN_TEXT + 1)])
    assert len(lines) == MOST_IN_TEXT + 1
    assert lines[-1] == "1 alert more in metric_alerts."


@pytest.mark.parametrize("found", [[], [alert("a")]])
def test_dagster_warns_of_alerts(found: list[Alert]) -> None:
    """An alert that fails the night would keep readers from the very figures it is about."""
    result = alerts_result(found)
    assert result.passed == (not found)
    assert result.severity.value == "WARN"
    assert ("a fell." in (result.description or "")) == bool(found)


def test_alerts_are_read_the_surest_first(tmp_path: Path) -> None:
    """The summary shows the first few only. A release of older models has none."""
    database = tmp_path / "release.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table funnel_conversion (funnel_id varchar)")
    assert read_alerts(database) == ()
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            create table metric_alerts as
            select
                unnest(['b', 'a']) as alert_id, 'fell 1 times the declared change' as alert_state,
                alert_id || ' fell.' as headline, 'Most by search.' as explanation,
                'likely' as certainty, -31e0 as size, '%' as unit, 0.001 as q_value,
                1 as times_declared
            """
        )
    assert [one.alert_id for one in read_alerts(database)] == ["a", "b"]
