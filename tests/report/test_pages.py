"""The pages as a browser shows them: figures of the marts, filters, looks, and nothing amiss."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.report.browser import Browser
from tests.report.planted import WICKED, WICKED_STAGE, WICKED_VALUE
from tests.support.tables import Tables

PAGES = ("index.html", "funnels.html", "pipeline.html", "quality.html")
FIGURES = {
    "funnels.html": {
        "fig-reached", "fig-steps", "fig-matrix", "fig-flow", "fig-stops", "fig-cost", "fig-worth",
        "fig-times", "fig-left", "fig-arrived", "fig-trend", "fig-segments", "fig-drivers",
    },
    "pipeline.html": {"fig-open", "fig-movements", "fig-by", "fig-forecast", "fig-coverage"},
}  # fmt: skip
# Funnel, period as the page and as the marts have it, segment and value, which journeys.
VIEWS = [
    ("deals", "all", ("all", None), ("all", "all"), "all"),
    ("web", "all", ("all", None), ("all", "all"), "mature"),
    ("web", "quarter:2025-10-01", ("quarter", date(2025, 10, 1)), ("products", "desks"), "all"),
    ("deals", "month:2026-01-01", ("month", date(2026, 1, 1)), ("region", WICKED_VALUE), "mature"),
]


# Where a stage, or what stands for one, is in a table of moves.
PLACES = (
    "list_position(['entry', 'lead', 'offer', 'won', 'lost', 'visit', 'cart', 'paid', "
    "'still_there'],"
)


def segment_of(view: tuple[Any, ...]) -> str:
    """The segment of a view as the page names it."""
    name, value = view[3]
    return "all" if name == "all" else f"{name}:{value}"


def look(browser: Browser, report: Path, view: tuple[Any, ...]) -> None:
    """Open the page of funnels at a view, by its address."""
    funnel, period, *_, journeys = view
    asked_for = {"funnel": funnel, "period": period, "journeys": journeys}
    query = urlencode({**asked_for, "segment": segment_of(view)})
    browser.open(report / "funnels.html", f"?{query}")


def shown(browser: Browser, figure: str) -> list[dict[str, Any]]:
    """The table of a chart: rows by the names of the columns; numbers as they are, not as shown."""
    rows: list[list[list[str]]] = browser.run(
        f"""[...document.querySelectorAll('#{figure} table tr')].map(row => [...row.cells].map(
            cell => [cell.textContent, cell.dataset.value ?? null]))"""
    )
    assert rows, figure
    names = [text for text, _ in rows[0]]
    made = []
    for row in rows[1:]:
        line: dict[str, Any] = {}
        for name, (text, value) in zip(names, row, strict=True):
            # Two columns may have a name, as both intervals end in "at most".
            key = next(key for key in (name, name + " 2", name + " 3") if key not in line)
            line[key] = text if value is None else float(value) if value else None
        made.append(line)
    return made


def asked(marts: Tables, view: tuple[Any, ...], table: str, columns: str, order: str) -> list[Any]:
    """The rows of a mart for a view."""
    funnel, _, (grain, when), (name, value), _ = view
    return marts.query(
        f"""
        select {columns} from {table}
        where funnel_id = ? and cohort_grain = ? and cohort_date is not distinct from ?
            and segment_name = ? and segment_value = ?
        order by {order}
        """,
        [funnel, grain, when, name, value],
    )


def near(rows: list[Any], digits: float = 1e-5) -> list[Any]:
    """The rows for a comparison of what was rounded for the page."""
    return [
        tuple(
            pytest.approx(float(cell), abs=digits)
            if isinstance(cell, int | float) or hasattr(cell, "quantize")
            else cell
            for cell in row
        )
        for row in rows
    ]


@pytest.mark.parametrize(
    "view", VIEWS, ids=lambda view: f"{view[0]}, {view[1]}, {view[3]}, {view[4]}"
)
def test_figures_are_those_of_the_marts_whatever_is_chosen(
    browser: Browser, report: Path, marts: Tables, view: tuple[Any, ...]
) -> None:
    """A page that is looked at rather than read would tell another story than the tables."""
    look(browser, report, view)
    mature = "mature_" if view[4] == "mature" else ""

    def columns(figure: str, *names: str) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in names) for row in shown(browser, figure)]

    expected = asked(
        marts,
        view,
        "funnel_conversion",
        f"visited, {mature}reached, {mature}entered, {mature}overall_rate, "
        f"{mature}overall_rate_low, {mature}overall_rate_high",
        "stage_position",
    )
    names: tuple[str, ...] = ("Visited", "Reached", "Entered", "Rate from entry")
    names += ("at least", "at most")
    assert columns("fig-reached", *names) == near(expected)

    expected = asked(
        marts,
        view,
        "funnel_conversion",
        "reached, reached_previous, step_rate, step_rate_low, step_rate_high, mature_reached, "
        "mature_reached_previous, mature_step_rate, mature_step_rate_low, mature_step_rate_high",
        "stage_position",
    )[1:]
    names = ("Took it", "of", "Rate", "at least", "at most", "Mature took it", "of 2")
    names += ("Mature rate", "at least 2", "at most 2")
    assert columns("fig-steps", *names) == near(expected)

    expected = asked(
        marts,
        view,
        "drop_off_points",
        "reached, advanced, won, lost, abandoned, still_open, drop_off_rate, drop_off_rate_low, "
        "drop_off_rate_high, coalesce(top_loss_reason, '–')",
        "stage_position",
    )
    names = ("Reached", "Went on", "Won here", "Lost here", "Gave up here", "Still here")
    names += ("Drop-off", "at least", "at most", "Commonest reason")
    assert columns("fig-stops", *names) == near(expected)

    expected = asked(
        marts,
        view,
        "drop_off_points",
        "lost + abandoned, amount_lost, amount_unknown",
        "stage_position",
    )
    expected = [row for row in expected if row[0]]
    known = next(name for name in shown(browser, "fig-cost")[0] if name.startswith("Known"))
    assert columns("fig-cost", "Lost or gave up", known, "Amount unknown") == near(expected, 0.01)

    expected = asked(
        marts,
        view,
        "conversion_matrix",
        "transitions, visits, transition_rate, transition_rate_low, transition_rate_high, "
        "subjects, median_seconds",
        f"{PLACES} from_stage_id), {PLACES} to_stage_id)",
    )
    names = ("Moves", "of visits", "Rate", "at least", "at most", "by subjects")
    assert columns("fig-matrix", *names) == near([row[:-1] for row in expected])
    medians = [row["Median time before"] for row in shown(browser, "fig-matrix")]
    assert [(median,) for median in medians] == near([row[-1:] for row in expected], 0.5)

    expected = marts.query(
        """
        select completed, censored, p10, p50, p90, survival_p50, stalled
        from cycle_times
        inner join dim_funnel_stages as stages
            on cycle_times.funnel_id = stages.funnel_id
            and cycle_times.from_stage_id = stages.stage_id
        where cycle_times.funnel_id = ? and cohort_grain = ?
            and cohort_date is not distinct from ? and segment_name = ? and segment_value = ?
        order by stage_position
        """,
        [view[0], *view[2], *view[3]],
    )
    names = ("Ended", "Still last", "10%", "Median", "90%", "Corrected median", "Stalled now")
    assert columns("fig-times", *names) == near(expected, 0.5)


def test_filters_lead_to_what_they_say(browser: Browser, report: Path) -> None:
    """A filter that does nothing, or only half of it, would show figures under a wrong name."""
    view = VIEWS[3]
    look(browser, report, view)
    expected = [shown(browser, figure) for figure in ("fig-reached", "fig-matrix", "fig-times")]
    browser.open(report / "funnels.html", "?funnel=web")
    assert shown(browser, "fig-reached") != expected[0]
    browser.choose("filter-funnel", view[0])
    browser.choose("filter-period", view[1])
    browser.choose("filter-segment", segment_of(view))
    browser.choose("filter-journeys", view[4])
    found = [shown(browser, figure) for figure in ("fig-reached", "fig-matrix", "fig-times")]
    assert found == expected
    said = browser.run("document.getElementById('shown').textContent")
    assert f"region: {WICKED_VALUE}, entered in 2026-01, only journeys that had their time" in said


def test_what_is_not_kept_is_said(browser: Browser, report: Path) -> None:
    """An empty box would look like nobody having come."""
    browser.open(
        report / "funnels.html", "?funnel=web&period=month:2025-08-01&segment=products:desks"
    )
    words = browser.run(
        "[...document.querySelectorAll('.plot.empty')].map(p => [p.closest('figure').id, "
        "p.textContent])"
    )
    empty = dict(words)
    assert set(empty) == FIGURES["funnels.html"] - {"fig-trend", "fig-drivers"}
    assert all(text for text in empty.values())
    assert empty["fig-reached"].startswith("By segment only all time and the latest periods")
    assert empty["fig-segments"] == empty["fig-reached"]
    assert "not for both at once" in empty["fig-left"]
    browser.choose("trend-grain", "week")
    assert browser.run("document.querySelector('#fig-trend .plot').textContent").startswith(
        "By segment only"
    )
    assert browser.said == []


def test_curves_are_points_of_the_marts(browser: Browser, report: Path, marts: Tables) -> None:
    """A curve that was thinned out, or turned over, would pass where no figure lies."""
    look(browser, report, VIEWS[0])
    drawn = shown(browser, "fig-left")
    expected = {
        (stage, seconds): (1 - share, 1 - high, 1 - low, at_risk, waits)
        for stage, seconds, share, low, high, at_risk, waits in asked(
            marts,
            VIEWS[0],
            "survival_curves",
            "from_stage_id, seconds, share, share_low, share_high, at_risk, waits",
            "all",
        )
    }
    ids = {"Lead": "lead", WICKED_STAGE: "offer", "Won": "won"}
    assert {row["Stage"] for row in drawn} == set(ids)
    assert 3 * 35 < len(drawn) <= 3 * 40
    for row in drawn:
        found = tuple(row[name] for name in ("Still there", "at least", "at most"))
        found += (row["Waited for"], row["n"])
        assert [found] == near([expected[ids[row["Stage"]], row["After"]]], 1e-4)


def test_the_trend_marks_what_is_immature(browser: Browser, report: Path, marts: Tables) -> None:
    """A month that is not over would look like a collapse."""
    look(browser, report, VIEWS[1])
    browser.choose("filter-journeys", "all")
    browser.choose("trend-grain", "quarter")
    rows = marts.query(
        """
        select is_mature, reached, entered, overall_rate, overall_rate_low, overall_rate_high
        from funnel_conversion
        where funnel_id = 'web' and cohort_grain = 'quarter' and segment_name = 'all'
            and stage_id = 'paid'
        order by cohort_date
        """
    )
    drawn = shown(browser, "fig-trend")
    names = ("Reached", "Entered", "Rate", "at least", "at most")
    assert [tuple(row[name] for name in names) for row in drawn] == near([row[1:] for row in rows])
    assert [row["Mature"] for row in drawn] == ["yes" if row[0] else "no" for row in rows]
    assert [row["Cohort"] for row in drawn] == ["2025-Q3", "2025-Q4", "2026-Q1"]
    traces = browser.run(
        "document.querySelector('#fig-trend .plot').data.map(t => ({type: t.type, "
        "color: t.marker?.color, pattern: t.marker?.pattern?.shape}))"
    )
    points, bars = traces[1]["color"], traces[2]["pattern"]
    assert points[0] == points[1] != points[2], "the immature point is hollow"
    assert bars == ["", "", "/"], "the immature bar is hatched"
    said = browser.run("document.querySelector('#fig-trend .said').textContent")
    assert "1 of 3 cohorts is immature" in said


def test_segments_are_compared_and_say_if_they_overlap(
    browser: Browser, report: Path, marts: Tables
) -> None:
    """Values that overlap would be added up to more than there are."""
    look(browser, report, ("web", "all", ("all", None), ("all", "all"), "all"))
    for name, overlaps in (("channel", False), ("products", True)):
        browser.choose("segments-name", name)
        drawn = shown(browser, "fig-segments")
        for row in drawn:
            (expected,) = marts.query(
                """
                select reached, entered, overall_rate, difference, is_significant
                from funnel_conversion
                inner join conversion_differences
                    using (funnel_id, cohort_grain, segment_name, segment_value, stage_id)
                where funnel_id = 'web' and cohort_grain = 'all' and stage_id = 'paid'
                    and segment_name = ? and segment_value = ?
                """,
                [name, row["Value"]],
            )
            found = tuple(row[column] for column in ("Reached", "Entered", "Rate"))
            found += (row["Points above the rest (mature)"],)
            assert [found] == near([expected[:4]])
            assert row["Beyond chance"] == ("yes" if expected[4] else "no")
        assert len(drawn) == {"channel": 8, "products": 2}[name]
        said = browser.run("document.querySelector('#fig-segments .said').textContent")
        assert ("do not add up" in said) == overlaps


@pytest.mark.parametrize("funnel", ["deals", "web"])
def test_drivers_are_those_of_the_step(
    browser: Browser, report: Path, marts: Tables, funnel: str
) -> None:
    """A driver of another step, or what was not tested, would be taken for one of this."""
    look(browser, report, (funnel, "all", ("all", None), ("all", "all"), "all"))
    stages = {"deals": ("offer", "won"), "web": ("cart", "paid")}[funnel]
    for stage_id in stages:
        browser.choose("drivers-stage", stage_id)
        drawn = shown(browser, "fig-drivers")
        expected = marts.query(
            """
            select
                factor_name || ': ' || factor_value, factor_kind, verdict, converted, cases, rate,
                other_converted, other_cases, other_rate, odds_ratio, odds_ratio_low,
                odds_ratio_high, q_value
            from conversion_drivers
            where funnel_id = ? and to_stage_id = ? and is_tested
            """,
            [funnel, stage_id],
        )
        assert len(drawn) == 4
        found = {row["What"]: tuple(row.values()) for row in drawn}
        for row in expected:
            assert [found[row[0]]] == near([row], 1e-4)
        points = browser.run(
            "document.querySelector('#fig-drivers .plot').data[1].x.map(x => x.toFixed(1))"
        )
        assert points == [{"offer": "1.5", "cart": "1.5"}.get(stage_id, "2.5"), "1.1", "0.4"]
        said = browser.run("document.querySelector('#fig-drivers .said').textContent")
        assert said.startswith(f"More often get further: {expected[0][0]}, event: sign_in. Less")
        assert said.endswith("1 of the table cannot be drawn: of one side all or none get further.")
        assert browser.run("document.getElementById('trend-stage').value") == stage_id


def test_the_pipeline_shows_the_days_and_what_led_there(
    browser: Browser, report: Path, marts: Tables
) -> None:
    """The bars between two days would not make up their difference."""
    browser.open(report / "pipeline.html")
    browser.choose("filter-days", "30")
    days = [row[0] for row in marts.query("select distinct snapshot_date from pipeline_daily")]
    last, before = max(days), sorted(days)[-31]
    drawn = [row for row in shown(browser, "fig-open") if row["Day"] == last.isoformat()]
    expected = marts.query(
        "select open_deals, open_amount, deals_without_amount, weighted_amount, overdue_deals "
        "from pipeline_daily where segment_name = 'all' and snapshot_date = ? "
        "order by stage_position",
        [last],
    )
    names = [name for name in drawn[0] if name not in ("Day", "Stage")]
    assert [tuple(row[name] for name in names) for row in drawn] == near(expected, 0.01)
    moved = marts.query(
        "select movement, sum(moves), sum(deals_change), sum(amount_change) "
        "from pipeline_movements where movement_date > ? group by movement order by movement",
        [before],
    )
    found = shown(browser, "fig-movements")
    names = ["Moves", "Deals", next(name for name in found[0] if len(name) == 3)]
    assert [row["Movement"] for row in found] == [row[0] for row in moved]
    assert [tuple(row[name] for name in names) for row in found] == near(
        [row[1:] for row in moved], 0.01
    )
    assert "not accounted for" not in browser.run(
        "document.querySelector('#fig-movements .said').textContent"
    )
    browser.choose("filter-measure", "deals")
    assert "deals are open" in browser.run("document.querySelector('#fig-open .said').textContent")
    forecast = shown(browser, "fig-forecast")
    assert [(row["Wins"], row["Closest so far"]) for row in forecast] == [
        (30.25, "yes"),
        (28.5, "no"),
    ]
    (target,) = shown(browser, "fig-coverage")
    assert (target["Won"], target["Open, weighted"]) == (1234.5, 375)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_says_anything_fetches_anything_or_is_too_wide(
    browser: Browser, report: Path, page: str, width: int, scheme: str
) -> None:
    """A chart that failed would be an empty box, and a page that fetches needs a network."""
    browser.size(width, 900)
    browser.scheme(scheme)
    try:
        browser.open(report / page)
        assert browser.said == []
        assert [url for url in browser.requested if not url.startswith(("file:", "data:"))] == []
        assert browser.run("document.documentElement.scrollWidth") <= width
        dark = browser.run(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(n => n < 60)"
        )
        assert dark == (scheme == "dark")
        colours = browser.run(
            "[...document.querySelectorAll('.js-plotly-plot')].map(p => p.layout.font.color)"
        )
        assert len(set(colours)) <= 1
        assert all((colour == "#e8edf2") == (scheme == "dark") for colour in colours)
        if page in FIGURES:
            assert colours
    finally:
        browser.size(1440, 900)
        browser.scheme("light")


@pytest.mark.parametrize("page", FIGURES)
def test_every_chart_has_its_number_its_words_and_its_table(
    browser: Browser, report: Path, page: str
) -> None:
    """Who cannot see a chart, or does not believe it, would have nothing."""
    browser.open(report / page, "?funnel=deals")
    figures = browser.run(
        """[...document.querySelectorAll('figure')].map(figure => ({
            id: figure.id,
            n: figure.querySelector('.n').textContent,
            said: figure.querySelector('.said').textContent,
            reading: figure.querySelector('.reading').textContent,
            role: figure.querySelector('.plot').getAttribute('role'),
            words: figure.querySelector('.plot').getAttribute('aria-label'),
            rows: figure.querySelectorAll('tbody tr').length,
            labelled: document.getElementById(figure.getAttribute('aria-labelledby'))?.textContent,
            empty: figure.querySelector('.plot').classList.contains('empty'),
        }))"""
    )
    assert {figure["id"] for figure in figures} == FIGURES[page]
    for figure in figures:
        assert figure["reading"], figure
        assert figure["role"] == "img", figure
        assert figure["labelled"], figure
        if figure["id"] == "fig-arrived":
            assert figure["empty"], "nothing of it was planted"
            continue
        assert figure["n"].startswith("n = "), figure
        assert figure["said"], figure
        assert figure["said"] in figure["words"], figure
        assert figure["rows"], figure
    unnamed = browser.run(
        "[...document.querySelectorAll('select')].filter(s => !s.closest('label')).length"
    )
    assert unnamed == 0


def test_a_view_is_in_the_address_and_comes_back(browser: Browser, report: Path) -> None:
    """Nobody could send a colleague what they look at."""
    look(browser, report, VIEWS[3])
    browser.choose("filter-names", "stage_name_zh")
    rows = shown(browser, "fig-reached")
    assert [row["Stage"] for row in rows] == ["线索", WICKED_STAGE, "成交"]
    query = browser.run("location.search")
    browser.open(report / "index.html")
    browser.open(report / "funnels.html", query)
    assert shown(browser, "fig-reached") == rows
    assert (
        browser.run("document.getElementById('filter-segment').value") == f"region:{WICKED_VALUE}"
    )


def test_the_overview_begins_with_the_surest_alerts(browser: Browser, report: Path) -> None:
    """The manager would look at the funnels for what the warehouse knows to have changed."""
    browser.open(report / "index.html")
    [said] = browser.run(
        "[...document.querySelectorAll('[aria-labelledby=watched] p')].map(p => p.textContent)"
    )
    assert " ".join(said.split()) == (
        "Of 12 comparisons that are watched, 11 changed by more than declared and by more than "
        "chance. The surest 10:"
    )
    told = browser.run(
        "[...document.querySelectorAll('[aria-labelledby=watched] li')].map(li => li.textContent)"
    )
    assert told == [
        f"{WICKED_VALUE} {number} fell. {WICKED} {number}." for number in range(12, 2, -1)
    ]


def test_the_overview_leads_to_each_funnel(browser: Browser, report: Path) -> None:
    """A card would open another funnel."""
    browser.open(report / "index.html")
    links = browser.run(
        "[...document.querySelectorAll('.card h2 a')].map(a => [a.textContent, a.search])"
    )
    assert {name for name, _ in links} == {WICKED, "Web purchase"}
    for name, query in links:
        browser.open(report / "funnels.html", query)
        assert browser.run("document.getElementById('funnel-name').textContent") == name


@pytest.mark.parametrize("page", PAGES)
def test_a_name_that_looks_like_a_tag_stays_a_name(
    browser: Browser, report: Path, page: str
) -> None:
    """Whoever can name a deal could run a script in the browser of a manager."""
    browser.open(report / page, "?funnel=deals")
    if page == "funnels.html":
        browser.choose("segments-name", "region")
    assert browser.run("window.hacked") is None
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert (
        browser.run("[...document.querySelectorAll('b')].filter(b => !b.closest('.bar')).length")
        == 0
    )
    if page == "funnels.html":
        labels = browser.run(
            "[...document.querySelectorAll('#fig-reached .ytick text, #fig-segments .ytick text')]"
            ".map(t => t.textContent)"
        )
        assert any("<img" in label for label in labels), labels
        assert any("<b>north</b>" in label for label in labels), labels
        bold = browser.run(
            "[...document.querySelectorAll('.ytick tspan')]"
            ".filter(t => /bold/.test(t.style.fontWeight)).length"
        )
        assert bold == 0


def test_paper_is_light_and_has_every_chart(browser: Browser, report: Path) -> None:
    """A print from a dark screen would be black pages."""
    browser.scheme("dark")
    try:
        browser.open(report / "funnels.html", "?funnel=web")
        browser.run("window.dispatchEvent(new Event('beforeprint'))")
        assert (
            browser.run("document.querySelector('.js-plotly-plot').layout.font.color") == "#17202b"
        )
        assert (
            browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )
        browser.run("window.dispatchEvent(new Event('afterprint'))")
        assert (
            browser.run("document.querySelector('.js-plotly-plot').layout.font.color") == "#e8edf2"
        )
        printed = browser.send("Page.printToPDF", printBackground=True)["data"]
        assert json.dumps(printed)[1:7] == "JVBERi", "a PDF, in base64"
        assert len(printed) > 50_000
        assert browser.said == []
    finally:
        browser.scheme("light")


def copy_of(report: Path, to: Path) -> Path:
    """The report, where it can be spoilt."""
    for path in report.rglob("*"):
        if path.is_file():
            copy = to / path.relative_to(report)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return to


def trouble_with(browser: Browser, page: Path, funnel: str) -> str:
    """What the page says instead of drawing the funnel."""
    browser.open(page)
    browser.run(
        "(() => { const s = document.getElementById('filter-funnel'); "
        f"s.value = {json.dumps(funnel)}; s.dispatchEvent(new Event('change')); }})()"
    )
    browser.wait("!document.getElementById('trouble').hidden")
    said: str = browser.run("document.getElementById('trouble').textContent")
    return said


def test_a_file_that_is_missing_is_said(browser: Browser, report: Path, tmp_path: Path) -> None:
    """A report that was copied in part would show the funnel before under another's name."""
    copy = copy_of(report, tmp_path)
    browser.open(copy / "funnels.html")
    (other,) = browser.run(
        "[...document.getElementById('filter-funnel').options].slice(1).map(o => o.value)"
    )
    (copy / "data" / "funnel-02.js").unlink()
    said = trouble_with(browser, copy / "funnels.html", other)
    assert "data/funnel-02.js of this report cannot be read" in said


def test_figures_of_two_releases_are_never_on_one_page(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    """A page left open over night would show one funnel of yesterday and one of today."""
    copy = copy_of(report, tmp_path)
    browser.open(copy / "funnels.html")
    (other,) = browser.run(
        "[...document.getElementById('filter-funnel').options].slice(1).map(o => o.value)"
    )
    file = copy / "data" / "funnel-02.js"
    file.write_text(file.read_text().replace("20260216T000000Z-001", "20260217T000000Z-001"))
    said = trouble_with(browser, copy / "funnels.html", other)
    assert "Another release has been published" in said
