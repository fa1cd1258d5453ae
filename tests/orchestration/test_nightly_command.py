"""The night on the command line: what it says, and its exit status."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration import __main__ as command
from orchestration import nightly
from orchestration.alerts import Alert
from orchestration.dbt import PROJECT, DbtError
from orchestration.lock import writer_lock
from orchestration.nightly import run_nightly, simulates_first
from orchestration.releases import Release, move_link, release_folder
from orchestration.run_outcome import Outcome
from orchestration.settings import SETTINGS, Settings
from orchestration.summary import Failure, failure_text, success_text


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a warehouse without anything, as the environment has them."""
    (tmp_path / "landing").mkdir()
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("FUNNEL_LANDING", str(tmp_path / "landing"))
    monkeypatch.setenv("FUNNEL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FUNNEL_SEEDS", str(PROJECT / "seeds"))
    monkeypatch.chdir(tmp_path)
    return Settings.from_environment()


def publish_by_hand(settings: Settings) -> Release:
    """A release of three tables with figures that can be seen at a glance."""
    release = Release(
        release_id="20260202T000000Z-001",
        release_number=1,
        as_of=datetime(2026, 2, 2),
        published_at=datetime(2026, 2, 2, 2),
        fingerprint="f",
        run_id="r",
        previous_release_id=None,
        rows={},
    )
    folder = release_folder(settings.published, release.release_id)
    folder.mkdir(parents=True)
    (folder / "release.json").write_text(release.to_json())
    with duckdb.connect(str(folder / "funnel.duckdb")) as connection:
        connection.execute(
            """
            create table dim_funnels as select 'web' as funnel_id, 'Web purchase' as funnel_name;
            create table dim_funnel_stages as
            select 'web' as funnel_id, unnest(['visit', 'cart', 'paid']) as stage_id,
            unnest(['Visit', 'Cart', 'Paid']) as stage_name;
            create table funnel_conversion as
            select
                'web' as funnel_id, unnest(['all', 'all', 'all', 'day']) as cohort_grain,
                'all' as segment_name, unnest(['visit', 'cart', 'paid', 'visit']) as stage_id,
                unnest([1, 2, 3, 1]) as stage_position, unnest([1200, 1200, 1200, 7]) as entered,
                unnest([1200, 300, 240, 7]) as reached,
                unnest([null, 0.25, 0.8, null]) as step_rate,
                unnest([1.0, 0.25, 0.2, 1.0]) as overall_rate,
                unnest([0.997, 0.226, 0.178, 1.0]) as overall_rate_low,
                unnest([1.0, 0.275, 0.224, 1.0]) as overall_rate_high
            """
        )
    move_link(settings.published, release.release_id)
    return release


def test_empty_landing_gets_a_simulated_company_before_the_first_night_only(
    settings: Settings,
) -> None:
    """A company whose deliveries are late would find made-up ones among its own."""
    assert simulates_first(settings)
    (settings.landing / "_notes").mkdir()
    assert simulates_first(settings), "what is no delivery does not count"
    settings.home.mkdir()
    settings.ledger.touch()
    assert not simulates_first(settings), "a landing that lost its files is broken, not new"


def test_delivered_files_are_not_mixed_with_simulated_ones(settings: Settings) -> None:
    """The first night of a company would load another company beside it."""
    (settings.landing / "shop").mkdir()
    assert not simulates_first(settings)


def test_interrupted_simulation_is_ended(settings: Settings) -> None:
    """A first night that was stopped would leave half a company for ever."""
    truth = settings.landing / "_simulation" / "parameters.json"
    truth.parent.mkdir()
    truth.write_text(json.dumps({"days": 0}))
    (settings.landing / "generic").mkdir()
    assert simulates_first(settings)
    truth.write_text(json.dumps({"days": 182}))
    assert not simulates_first(settings)


def test_landing_that_was_named_and_is_not_there_is_a_mistake(
    settings: Settings, tmp_path: Path
) -> None:
    """A disk that is not mounted would be filled with a simulated company."""
    missing = Settings.from_environment(changed={"FUNNEL_LANDING": str(tmp_path / "missing")})
    assert not simulates_first(missing)
    settings.landing.rmdir()
    by_default = Settings.from_environment(changed={"FUNNEL_LANDING": ""})
    assert by_default.landing == (tmp_path / "landing").resolve()
    assert simulates_first(by_default)


def deliver_something(settings: Settings) -> None:
    (settings.landing / "shop").mkdir()


def test_night_beside_a_night_says_who_is_writing(settings: Settings) -> None:
    """A traceback would be all that whoever starts a second night gets to see."""
    deliver_something(settings)
    said = io.StringIO()
    with writer_lock(settings.home, "run 4711"):
        assert run_nightly(settings, said) == 1
    assert "FAILED at the start of the night" in said.getvalue()
    assert "found run 4711" in said.getvalue()
    assert "Nothing was published yet" in said.getvalue()


def test_mistaken_declarations_are_told_at_once_and_as_such(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever misspells a word would wait for the models, and look for the fault in a delivery."""
    deliver_something(settings)
    (tmp_path / "mistaken").mkdir()
    (tmp_path / "mistaken" / "funels.csv").write_text("funnel_id\n")
    mistaken = Settings.from_environment(changed={"FUNNEL_SEEDS": str(tmp_path / "mistaken")})
    monkeypatch.setattr("orchestration.hooks.report", lambda *_: "")
    said = io.StringIO()
    assert run_nightly(mistaken, said) == 1
    assert "FAILED at the declarations" in said.getvalue()
    assert "funels.csv" in said.getvalue()
    assert "reading the models" not in said.getvalue()


def test_failure_before_the_first_step_is_told_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night that cannot even start would wake nobody."""

    def broken(_: Settings) -> Outcome:
        raise DbtError("dbt parse: expected it to run, found: a mistake.")

    told: list[tuple[str, str]] = []

    def report(settings: Settings, job: str, run_id: str, step: str, error: str) -> str:
        told.append((step, error))
        return ""

    monkeypatch.setattr(nightly, "_run", broken)
    monkeypatch.setattr("orchestration.hooks.report", report)
    deliver_something(settings)
    assert run_nightly(settings, io.StringIO()) == 1
    assert told == [("the start of the night", "dbt parse: expected it to run, found: a mistake.")]


def test_failure_of_a_step_is_told_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is woken would be woken twice for the same."""

    def failed(_: Settings) -> Outcome:
        return Outcome("4f2a11aa-0", False, Failure("core", "A model is wrong.", is_reported=True))

    def report(*_: object) -> str:
        raise AssertionError("the hook of the step has told it already")

    monkeypatch.setattr(nightly, "_run", failed)
    monkeypatch.setattr("orchestration.hooks.report", report)
    deliver_something(settings)
    said = io.StringIO()
    assert run_nightly(settings, said) == 1
    assert "FAILED at core\n\nA model is wrong.\n" in said.getvalue()
    assert "run 4f2a11aa" in said.getvalue()


def test_failure_says_which_release_is_still_served(settings: Settings) -> None:
    """At three in the morning nobody knows whether readers are without data."""
    publish_by_hand(settings)
    text = failure_text(settings, Failure("core", "A model is wrong."), "4f2a11aa-0")
    assert "Readers still have release 20260202T000000Z-001 (as of 2026-02-02 00:00 UTC)." in text


def test_night_without_news_shows_the_headlines_of_the_release(settings: Settings) -> None:
    """Whoever runs it again would see nothing and believe that it did not work."""
    publish_by_hand(settings)
    text = success_text(settings, "run", is_new=False, seconds=3.0)
    assert text.startswith("Nothing is new: release 20260202T000000Z-001 stays")
    row = next(line for line in text.splitlines() if line.startswith("Web purchase"))
    assert row.split() == [
        *("Web", "purchase", "1,200", "240", "20.0%", "(17.8%", "to", "22.4%)"),
        *("Paid", "Cart", "(25%)"),
    ]
    assert "home/published/current/funnel.duckdb" in text
    assert "Look at it" not in text, "it was published without a report"


def write_report_by_hand(settings: Settings) -> Path:
    """A page where a release has its report."""
    page = settings.published / "current" / "report" / "index.html"
    page.parent.mkdir()
    page.touch()
    return page


def test_summary_says_where_to_look(settings: Settings) -> None:
    """The pages that people rather look at would be found by nobody."""
    publish_by_hand(settings)
    write_report_by_hand(settings)
    text = success_text(settings, "run", is_new=False, seconds=3.0)
    assert (
        "\nLook at it    home/published/current/report/index.html (make report opens it)\n" in text
    )


def test_report_is_opened_where_there_is_a_screen_and_named_where_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a remote shell nothing would happen, or a text browser would take the terminal."""
    publish_by_hand(settings)
    assert command.main(["report"]) == 1
    assert "expected the report of release 20260202T000000Z-001" in capsys.readouterr().err
    page = write_report_by_hand(settings)
    opened: list[str] = []

    def remember(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", remember)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert command.main(["report"]) == 0
    said = capsys.readouterr().out
    assert opened == []
    assert str(page) in said
    assert "open that file, or serve its folder" in said
    monkeypatch.setenv("DISPLAY", ":0")
    assert command.main(["report"]) == 0
    assert opened == [page.as_uri()]
    assert "serve its folder" not in capsys.readouterr().out


def test_summary_names_the_surest_alerts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate that fell by a third would be one table of many, and a bad night fill the screen."""
    publish_by_hand(settings)
    assert "alert" not in success_text(settings, "run", is_new=False, seconds=3.0)
    found = tuple(
        Alert(
            name,
            "fell 1 times the declared change",
            f"web: {name} fell.",
            "Why.",
            "likely",
            -31.0,
            "%",
            0.001,
        )
        for name in ("cart", "paid", "visit", "order")
    )
    monkeypatch.setattr("orchestration.summary.read_alerts", lambda database: found)
    said = success_text(settings, "run", is_new=False, seconds=3.0)
    assert (
        "4 alerts (metric_alerts tells why)\n"
        "  web: cart fell.\n  web: paid fell.\n  web: visit fell.\n\n"
    ) in said


def test_summary_counts_files_rows_and_gates(settings: Settings) -> None:
    """A night that loaded nothing would look like one that did."""
    publish_by_hand(settings)
    settings.gates.mkdir(parents=True)
    results = [("raw.volume", "passed"), ("raw.share", "accepted"), ("core.total", "passed")]
    lines = [
        {"run_id": "run", "layer": "raw", "gate": gate, "table": "t", "rule": "r"}
        | {"status": status, "observed": "o", "expected": "e", "reason": ""}
        for gate, status in results
    ]
    history = settings.gates / "history.jsonl"
    history.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with duckdb.connect(str(settings.build)) as connection:
        connection.execute(
            """
            create schema raw;
            create table raw.loads as
            select
                unnest(['run', 'run', 'earlier', 'earlier', 'run']) as run_id,
                unnest([true, true, true, false, false]) as is_current,
                unnest(['loaded', 'loaded', 'loaded', 'loaded', 'refused']) as status,
                unnest([1000, 500, 4000, 70, 0]) as rows_loaded,
                unnest([3, 2, 0, 9, 0]) as rows_quarantined;
            create schema staging;
            create table staging.stg_row_counts as
            select unnest([0, 1]) as rows_quarantined_in_staging
            """
        )
    lines_said = success_text(settings, "run", is_new=True, seconds=61.4).splitlines()
    facts = {line[:11].strip(): line[11:].strip() for line in lines_said if line[:11].strip()}
    assert facts["Release"] == "20260202T000000Z-001, published after 61 s"
    assert facts["As of"] == "2026-02-02 00:00 UTC; nothing later is in it"
    assert facts["Loaded"] == "2 files with 1,500 rows"
    assert facts["In all"] == "3 different files with 5,500 rows"
    assert facts["Quarantined"] == "5 rows unreadable (raw.quarantined_rows)"
    implausible = "             1 row implausible (staging.stg_quarantined_rows)"
    assert implausible in lines_said
    assert facts["Gates"] == "2 passed, 1 accepted"


def test_mistaken_setting_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt time zone would give a traceback, or UTC."""
    monkeypatch.setenv("FUNNEL_TIMEZONE", "Europe/Bonn")
    assert command.main(["nightly"]) == 1
    assert capsys.readouterr().err == (
        "FUNNEL_TIMEZONE: expected an IANA time zone, found 'Europe/Bonn'. "
        "Correct it in the environment.\n"
    )


def test_every_setting_is_listed_and_no_secret_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A setting that nobody can find, or a token on the screen."""
    monkeypatch.setenv("FUNNEL_WEBHOOK_URL", "https://example.org/t0ken")
    assert command.main(["settings"]) == 0
    said = capsys.readouterr().out
    for setting in SETTINGS:
        assert setting.name in said
        assert setting.reason in said
    assert "t0ken" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rollback", "--to", ""], "expected a current release to go back from, found none"),
        (["rollback", "--to", "x"], "expected the release x, found no such release"),
        (["accept", "--gate", "x", "--reason", "y"], "expected a gate that has run, found 'x'"),
        (["accept", "--gate", "", "--reason", "y"], "expected the name of a gate, found nothing"),
        (["report"], "expected a release with a report, found none"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    settings: Settings, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types it at three in the morning gets a traceback to read."""
    assert command.main(arguments) == 1
    assert words in capsys.readouterr().err


def test_nothing_is_told_to_the_makers_of_the_tools(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of a company's tables would leave the machine."""
    import os

    for name in command.NO_ANALYTICS:
        monkeypatch.setenv(name, "")
    command.main(["settings"])
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
