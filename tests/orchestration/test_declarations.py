"""Every mistake in the declarations is refused by name, before anything is built."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration import declarations
from orchestration.declaration_tables import TABLES
from orchestration.declarations import DeclarationError

SOUND = {
    "sources": """\
        source,is_enabled,timezone,event_time
        shop,true,Europe/Berlin,occurred
    """,
    "funnels": """\
        funnel_id,funnel_name,subject_type,order_mode,entry_policy,count_by,window_hours,pipeline
        web,Web,user,ordered,best,subject,168,
        sales,Sales,opportunity,furthest,,,,new
    """,
    "funnel_stages": """\
        funnel_id,stage_position,stage_id,stage_name,stage_name_zh,stage_kind,win_probability
        web,1,visit,Visit,访问,open,
        web,2,cart,Cart,购物车,open,
        web,3,paid,Paid,支付,won,
        sales,1,prospect,Prospect,潜在,open,0.25
        sales,2,won,Won,成交,won,1
        sales,,lost,Lost,丢单,lost,0
    """,
    "stage_rules": """\
        funnel_id,stage_id,rule_type,match_type,match_value,property_name,property_value,occurrence
        web,visit,event,prefix,page_,,,
        web,cart,event,equals,add_to_cart,,,2+
        web,paid,purchase,,,,,1
        sales,prospect,opportunity_stage,regex,^Prospect.*,,,
        sales,won,opportunity_stage,,Won,,,
        sales,lost,opportunity_stage,,Lost,,,
    """,
    "funnel_exclusions": """\
        funnel_id,after_stage_id,before_stage_id,match_value
        web,cart,paid,log_out
    """,
    "segments": """\
        segment_name,subject_type,attribute
        channel,user,utm_source
    """,
    "exchange_rates": """\
        currency,valid_from,rate
        EUR,2026-01-01,1.0812
    """,
    "working_hours": """\
        weekday,opens_at,closes_at
        2,08:30,17:00
        5,09:00,24:00
    """,
    "calendar": """\
        calendar_date,is_working_day,holiday_name
        2026-01-01,false,New Year
    """,
    "identity_limits": """\
        identifier_type,tied_type,max_tied
        anonymous_id,user_id,2
        email,record_id,
    """,
    "role_addresses": """\
        local_part
        Vertrieb
    """,
    "known_on_dates": """\
        known_on
        2026-01-31
    """,
}

# Of the funnels above, which some tests replace.
FOR_SALES = {
    "owner_health_rules": """\
        rule_name,funnel_id,at_least,at_most,cases_at_least,within_hours,activity_types,period_grain,meaning
        fewer_active_deals,,15,,,,,,Too few chances.
        fewer_active_deals,sales,5,,,,,,Too few chances.
        signings_outside,,4,6,,,,,
        meetings_without_pipeline,,5,,20,2160,meeting,,
    """,
    "worklist_settings": """\
        funnel_id,manager_amount
        sales,50000
    """,
}

CALENDAR_HEADER = "calendar_date,is_working_day,opens_at,closes_at,holiday_name\n"

Declare = Callable[..., Path]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Write the sound declarations to a folder, some files replaced (None: left out)."""

    def write(**replaced: str | None) -> Path:
        for name, text in {**SOUND, **replaced}.items():
            if text is not None:
                lines = [line.strip() for line in text.strip().splitlines()]
                (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return tmp_path

    return write


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(DeclarationError) as refused:
        declarations.read(folder)
    return [str(mistake) for mistake in refused.value.mistakes]


def edited(table: str, old: str, new: str) -> dict[str, str | None]:
    sound = {**SOUND, **FOR_SALES}[table]
    assert old in sound, "the text to replace is not there"
    return {table: sound.replace(old, new, 1)}


def segments(*rows: str) -> dict[str, str | None]:
    header = "segment_name,subject_type,taken_at,stage_id,funnel_id"
    return {"segments": "\n".join([header, *rows])}


def segment_bands(*rows: str) -> dict[str, str | None]:
    header = "segment_name,band_name,at_least,currency"
    return segments("price,user,,,") | {"segment_bands": "\n".join([header, *rows])}


HEADERS = {
    "loss_endings": "rule_position,funnel_id,match_type,match_value,ending",
    "win_back_measures": "funnel_id,stage_id,measure_name,uplift,uplift_kind,tried_from",
    "follow_up_agreement": (
        "intent,first_contact_hours,contacts_from,contacts_to,contacts_per,channels"
    ),
    "intent_rules": "rule_position,funnel_id,attribute,stage_id,match_type,match_value,intent",
}


def declared(table: str, *rows: str) -> dict[str, str | None]:
    return {table: "\n".join([HEADERS[table], *rows])}


def intent_rules(*rows: str) -> dict[str, str | None]:
    agreement = declared("follow_up_agreement", "high,24,2,3,week,call")
    return agreement | declared("intent_rules", *rows)


def plan_targets(*rows: str) -> dict[str, str | None]:
    header = "funnel_id,period_grain,period_date,band_name,target_wins,target_amount"
    bands = "funnel_id,band_name,amount_from,amount_below\nsales,small,,10000\nsales,large,10000,"
    return {"funnel_plan_targets": "\n".join([header, *rows]), "deal_size_bands": bands}


def stage_targets(*rows: str) -> dict[str, str | None]:
    header = (
        "funnel_id,period_grain,period_date,stage_id,team,owner_id,"
        "target_deals,target_amount,target_step_rate"
    )
    return {"stage_targets": "\n".join([header, *rows])}


def what_if_steps(*rows: str) -> dict[str, str | None]:
    return {"what_if_steps": "\n".join(["funnel_id,lever,unit,step", *rows])}


def attribution_settings(*rows: str) -> dict[str, str | None]:
    header = "attribution_id,funnel_id,lookback_days,half_life_days,touches_of"
    return {"attribution_settings": "\n".join([header, *rows])}


def channel_costs(*rows: str) -> dict[str, str | None]:
    return {
        "channel_costs": "\n".join(["channel,period_date,cost,currency", *rows]),
        "activity_channels": "activity_type,channel\ncall,Calls",
    }


def rfm_cuts(*rows: str) -> dict[str, str | None]:
    return {"rfm_cuts": "\n".join(["measure,score,bound", *rows])}


def rfm_segments(*rows: str) -> dict[str, str | None]:
    header = "rfm_segment,recency_from,recency_to,frequency_from,frequency_to"
    return {"rfm_segments": "\n".join([header, *rows])}


def qualification_rules(*rows: str) -> dict[str, str | None]:
    header = "rule_position,funnel_id,dimension,attribute,match_type,match_value,finding"
    return {"qualification_rules": "\n".join([header, *rows])}


def priority_settings(*rows: str) -> dict[str, str | None]:
    return {"priority_settings": "\n".join(["funnel_id,large_from,soon_within_days", *rows])}


def key_account_rules(*rows: str) -> dict[str, str | None]:
    header = "rule_name,criterion,at_least,attribute,match_type,match_value"
    return {"key_account_rules": "\n".join([header, *rows])}


def lead_score_features(*rows: str) -> dict[str, str | None]:
    header = "funnel_id,feature_type,feature_name,is_fixed"
    return {"lead_score_features": "\n".join([header, *rows])}


def watched(*rows: str, benchmark: str = "") -> dict[str, str | None]:
    header = (
        "funnel_id,metric,stage_id,segment_name,period_grain,compared_with,direction,change,unit"
    )
    tables: dict[str, str | None] = {"watched_metrics": "\n".join([header, *rows])}
    if benchmark:
        columns = "funnel_id,rate_name,stage_id,benchmark_rate,benchmark_name"
        tables["benchmarks"] = f"{columns}\n{benchmark}"
    return tables


EXPERIMENT = "checkout,web,,paid,2026-01-01,2026-01-31,2000"
VARIANTS = ("checkout,long,true,0.5", "checkout,short,,0.5")


def experiment(
    row: str = EXPERIMENT, variants: tuple[str, ...] = VARIANTS, assignment: str = ""
) -> dict[str, str | None]:
    columns = "experiment_id,funnel_id,segment_name,stage_id,started_on,ended_on,planned_subjects"
    return {
        "experiments": f"{columns}\n{row}",
        "experiment_variants": "\n".join(
            ["experiment_id,variant,is_control,planned_share", *variants]
        ),
        "experiment_assignments": f"experiment_id,subject_id,variant\n{assignment}",
    }


def planned(stage: str, rate: str) -> dict[str, str | None]:
    """The sound stages, one of them with a planned rate."""
    lines = [line.strip() for line in SOUND["funnel_stages"].strip().splitlines()]
    rows = [line + ("," + rate if f",{stage}," in line else ",") for line in lines[1:]]
    return {"funnel_stages": "\n".join([lines[0] + ",planned_step_rate", *rows])}


def test_sound_declarations_are_accepted_and_completed(declare: Declare) -> None:
    """A default that is not the documented one would change every number of a funnel."""
    tables = declarations.read(declare()).tables
    web, sales = tables["funnels"]
    assert web.cells == {
        "funnel_id": "web",
        "funnel_name": "Web",
        "subject_type": "user",
        "order_mode": "ordered",
        "entry_policy": "best",
        "count_by": "subject",
        "window_hours": "168",
        "tie_policy": "source_order",
        "collapse_repeats": "true",
        "pipeline": "",
        "hold_constant": "",
    }
    assert (sales["entry_policy"], sales["count_by"]) == ("first", "subject")
    assert tables["funnel_stages"][0]["is_optional"] == "false"
    purchase = tables["stage_rules"][2]
    assert (purchase["match_type"], purchase["match_value"]) == ("equals", "completed")


def test_names_fall_back_to_ids(declare: Declare) -> None:
    """An empty name would leave blank labels in every report."""
    folder = declare(
        funnels="funnel_id,subject_type,order_mode\nf,user,ordered",
        funnel_stages="funnel_id,stage_position,stage_id\nf,1,a",
        stage_rules="funnel_id,stage_id,rule_type,match_value\nf,a,event,x",
        funnel_exclusions=None,
        segments="segment_name,subject_type\nregion,user",
    )
    tables = declarations.read(folder).tables
    assert tables["funnels"][0]["funnel_name"] == "f"
    assert tables["funnel_stages"][0]["stage_name"] == "a"
    assert tables["funnel_stages"][0]["stage_name_zh"] == "a"
    assert tables["funnel_stages"][0]["stage_kind"] == "open"
    assert tables["segments"][0]["attribute"] == "region"


def test_segments_are_taken_at_entry_in_every_funnel_unless_said(declare: Declare) -> None:
    """A file from before there was a choice would get other values than it always had."""
    (segment,) = declarations.read(declare()).tables["segments"]
    assert segment.cells == {
        "segment_name": "channel",
        "subject_type": "user",
        "attribute": "utm_source",
        "taken_at": "entry",
        "stage_id": "",
        "funnel_id": "",
    }


def test_funnels_may_take_a_segment_of_one_name_differently(declare: Declare) -> None:
    """Two funnels of the same subjects could not be compared by what each of them means."""
    folder = declare(
        **segments(
            "channel,user,first,,web",
            "channel,opportunity,each,,sales",
            "channel_at_cart,user,stage,cart,",
        )
    )
    assert len(declarations.read(folder).tables["segments"]) == 3


def test_entry_policy_is_first_where_journeys_are_counted(declare: Declare) -> None:
    """A default of best would refuse a funnel for something that nobody wrote."""
    folder = declare(**edited("funnels", "ordered,best,subject", "ordered,,journey"))
    assert declarations.read(folder).tables["funnels"][0]["entry_policy"] == "first"


def test_optional_tables_may_be_missing(declare: Declare) -> None:
    """A company without exchange rates would have to write an empty file to get a night."""
    folder = declare(
        sources=None,
        funnel_exclusions=None,
        segments=None,
        exchange_rates=None,
        working_hours=None,
        calendar=None,
        identity_limits=None,
        role_addresses=None,
        known_on_dates=None,
    )
    declared = declarations.read(folder)
    assert declared.tables["calendar"] == ()
    assert declared.tables["known_on_dates"] == ()
    assert declared.tables["owner_health_rules"] == ()
    assert declared.tables["worklist_settings"] == ()
    assert [tuple(row.cells.values()) for row in declared.tables["working_hours"]] == [
        (weekday, "09:00", "17:00") for weekday in "12345"
    ]
    assert [source.source for source in declared.sources] == ["generic"]
    assert declared.sources[0].timezone == "UTC"


def test_what_is_agreed_of_losses_and_follow_up_is_completed(declare: Declare) -> None:
    """An empty cell that is refused, or means something else than is written, is no default."""
    folder = declare(
        **declared("loss_endings", "3,,,price,went_silent"),
        **declared("win_back_measures", "sales,won,Visit,0.07,points,"),
        **declared("follow_up_agreement", "high,24,,,,call; meeting", "low,168,1,2,month,"),
        **declared("intent_rules", "1,sales,,prospect,,,high", "2,sales,tier,,regex,.*,low"),
    )
    tables = declarations.read(folder).tables
    assert [tuple(row.cells.values()) for row in tables["follow_up_agreement"]] == [
        ("high", "24", "0", "", "week", "call;meeting"),
        ("low", "168", "1", "2", "month", ""),
    ]
    assert tables["loss_endings"][0]["match_type"] == "equals"
    assert len(tables["intent_rules"]) == 2


def test_bounds_for_owners_are_kept_as_declared(declare: Declare) -> None:
    """A bound that is filled in where none was declared would find fault with everybody."""
    tables = declarations.read(declare(**FOR_SALES)).tables
    assert [tuple(row.cells.values())[1:4] for row in tables["owner_health_rules"]] == [
        ("", "15", ""),
        ("sales", "5", ""),
        ("", "4", "6"),
        ("", "5", ""),
    ]
    [settings] = tables["worklist_settings"]
    assert settings["manager_amount"] == "50000"


def test_limits_that_are_not_declared_are_the_usual_ones(declare: Declare) -> None:
    """A company that lets two users share a device would let placeholders tie its customers."""
    limits = {
        (row["identifier_type"], row["tied_type"]): row["max_tied"]
        for row in declarations.read(declare()).tables["identity_limits"]
    }
    assert limits[("anonymous_id", "user_id")] == "2"
    assert limits[("email", "user_id")] == "3"
    assert limits[("email", "record_id")] == ""
    assert len(limits) == 9
    lifted = declare(identity_limits="identifier_type,tied_type\nemail,user_id")
    rows = declarations.read(lifted).tables["identity_limits"]
    assert [row["max_tied"] for row in rows if row["tied_type"] == "user_id"] == ["", "1"]


def test_roles_are_the_declared_ones_or_the_usual(declare: Declare) -> None:
    """A company that writes German could not say which of its customers' addresses are shared."""
    tables = declarations.read(declare()).tables
    assert [row["local_part"] for row in tables["role_addresses"]] == ["vertrieb"]
    folder = declare()
    (folder / "role_addresses.csv").unlink()
    usual = [row["local_part"] for row in declarations.read(folder).tables["role_addresses"]]
    assert {"info", "sales", "office", "noreply"} <= set(usual)


def test_the_shipped_limits_and_roles_are_the_usual_ones(tmp_path: Path) -> None:
    """Who copies the shipped files would get other persons than who leaves them out."""
    shipped = declarations.DESCRIPTIONS.parent
    seeds = tmp_path / "seeds"
    shutil.copytree(shipped, seeds)
    for name in ("identity_limits", "role_addresses"):
        (seeds / f"{name}.csv").unlink()
        declared = declarations.read(shipped).tables[name]
        usual = declarations.read(seeds).tables[name]
        assert [row.cells for row in declared] == [row.cells for row in usual]


def test_a_period_is_planned_by_band_or_as_a_whole(declare: Declare) -> None:
    """A target of the year beside those of its months by band could not be declared."""
    folder = declare(
        **plan_targets(
            "sales,month,2026-12-01,small,40,",
            "sales,month,2026-12-01,large,,250000.50",
            "sales,quarter,2026-10-01,,0,",
            "sales,year,2026-01-01,,,5000000",
        ),
        **planned("prospect", "0.25"),
    )
    tables = declarations.read(folder).tables
    assert [row["target_wins"] for row in tables["funnel_plan_targets"]] == ["40", "", "0", ""]
    assert tables["funnel_stages"][3]["planned_step_rate"] == "0.25"


def test_stages_have_targets_of_all_of_teams_and_of_owners(declare: Declare) -> None:
    """A team's target would be refused beside that of its owners, or of the company."""
    folder = declare(
        **stage_targets(
            "sales,month,2026-01-01,won,,,40,250000,0.3",
            "sales,month,2026-01-01,won,north,,20,,",
            "sales,month,2026-01-01,won,,o1,,,1",
        )
    )
    assert len(declarations.read(folder).tables["stage_targets"]) == 3


def test_steps_of_what_if_are_numbers_of_one_form(declare: Declare) -> None:
    """10 and 10.0 would be two steps of one key."""
    folder = declare(
        **what_if_steps(
            "sales,step_rate,points,1",
            "sales,cycle_time,percent,-10.50",
            "sales,entries,percent,10.0",
        )
    )
    steps = declarations.read(folder).tables["what_if_steps"]
    assert [row["step"] for row in steps] == ["1", "-10.5", "10"]


def test_attributions_and_costs_are_completed(declare: Declare) -> None:
    """A window, a half-life or whose touchpoints count would have to be written into each row."""
    folder = declare(
        **attribution_settings("a,web,,,", "b,sales,90,0.5,account"),
        **channel_costs("Calls,2026-02-01,120.50,EUR", "Search,2026-02-01,0,"),
    )
    tables = declarations.read(folder).tables
    first, second = tables["attribution_settings"]
    assert (first["lookback_days"], first["half_life_days"], first["touches_of"]) == (
        *("30", "7"),
        "person",
    )
    assert (second["lookback_days"], second["half_life_days"]) == ("90", "0.5")
    assert [row["cost"] for row in tables["channel_costs"]] == ["120.50", "0"]


def test_what_is_watched_is_completed(declare: Declare) -> None:
    """A watch without a segment would be of no segment, and one without a minimum of any number."""
    folder = declare(
        **watched(
            "web,entries,,,rolling_7,,,30,percent",
            "web,step_rate,,channel,week,,fall,5,points",
            "web,step_rate,paid,,month,benchmark,,10,percent",
            "web,overall_rate,paid,,year,last_year,,10,percent",
            benchmark="web,step_rate,paid,0.4,Industry",
        )
    )
    first, *_ = declarations.read(folder).tables["watched_metrics"]
    assert first.cells == {
        "funnel_id": "web",
        "metric": "entries",
        "stage_id": "",
        "segment_name": "all",
        "period_grain": "rolling_7",
        "compared_with": "baseline",
        "direction": "both",
        "change": "30",
        "unit": "percent",
        "min_cases": "30",
    }


def test_experiments_are_completed(declare: Declare) -> None:
    """An experiment without alpha would never be decided."""
    tables = declarations.read(declare(**experiment(assignment="checkout,u1,short"))).tables
    assert tables["experiments"][0]["alpha"] == "0.05"
    assert [row["is_control"] for row in tables["experiment_variants"]] == ["true", "false"]


def test_files_of_spreadsheets_are_read(declare: Declare) -> None:
    """A byte-order mark or TRUE in capitals would be refused for no reason that a user can see."""
    folder = declare(**edited("sources", "true", "TRUE"))
    path = folder / "sources.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    (source,) = declarations.read(folder).sources
    assert (source.source, source.is_enabled, source.timezone) == ("shop", True, "Europe/Berlin")


def test_blank_lines_are_passed_over_and_line_numbers_stay_right(declare: Declare) -> None:
    """A message that names the wrong line sends the reader to a row that is right."""
    folder = declare(segments="segment_name,subject_type\n\nchannel,user\n,,\nall,user")
    (mistake,) = mistakes_in(folder)
    assert mistake.startswith("segments.csv line 5, column segment_name:")


def test_blanks_stay_in_what_is_matched(declare: Declare) -> None:
    """An event whose name ends in a blank could not be declared if blanks were dropped."""
    folder = declare(**edited("stage_rules", "add_to_cart", '" add to cart "'))
    assert declarations.read(folder).tables["stage_rules"][1]["match_value"] == " add to cart "


@pytest.mark.parametrize(
    ("user_agent", "is_bot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", True),
        ("AdsBot-Google (+http://www.google.com/adsbot.html)", True),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/120.0.0.0", True),
        ("Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/96.0", False),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0", False),
        ("python-requests/2.31.0", False),
        ("curl/8.5.0", False),
    ],
)
def test_the_shipped_rules_know_bots_and_no_customers(user_agent: str, is_bot: bool) -> None:
    """Who has a Cubot telephone, or whose order the server sends, would be no customer."""
    rules = declarations.read(declarations.SHIPPED).tables["excluded_traffic"]
    found = [
        duckdb.execute("select regexp_matches(?, ?)", [user_agent, rule["match_value"]]).fetchone()
        for rule in rules
        if rule["property_name"] == "user_agent"
    ]
    assert found == [(is_bot,)]


def test_hours_of_a_date_are_those_of_its_weekday(declare: Declare) -> None:
    """Every working day of a calendar would need hours, although nearly all are the usual ones.

    2 January 2026 is a Friday, the 3rd a Saturday, which is closed as a rule.
    """
    folder = declare(
        working_hours="weekday,opens_at,closes_at\n2,8:30,17:00\n5,09:00,24:00",
        calendar="calendar_date,is_working_day,opens_at,closes_at\n"
        "2026-01-02,true,,\n2026-01-03,true,,\n2026-01-04,true,10:00,\n2026-01-05,false,,",
    )
    calendar = declarations.read(folder).tables["calendar"]
    assert [(row["opens_at"], row["closes_at"]) for row in calendar] == [
        ("09:00", "24:00"),
        ("08:30", "17:00"),
        ("10:00", "17:00"),
        ("", ""),
    ]


def test_a_calendar_of_every_date_needs_no_hours(declare: Declare) -> None:
    """A company that lists all its dates, as it had to before hours were known, would be refused.

    2 January 2026 is a Friday, the 3rd a Saturday.
    """
    folder = declare(
        working_hours=None,
        calendar="calendar_date,is_working_day,holiday_name\n"
        "2026-01-01,false,New Year\n2026-01-02,true,\n2026-01-03,false,",
    )
    calendar = declarations.read(folder).tables["calendar"]
    assert [(row["opens_at"], row["closes_at"]) for row in calendar] == [
        ("", ""),
        ("09:00", "17:00"),
        ("", ""),
    ]


MISTAKES = {
    "unknown funnel": (
        edited("stage_rules", "web,visit", "wep,visit"),
        "stage_rules.csv line 2, column funnel_id: expected a funnel that funnels.csv declares, "
        "found 'wep'. Declared are sales, web.",
    ),
    "unknown stage in a rule": (
        edited("stage_rules", "web,cart", "web,basket"),
        "stage_rules.csv line 3, column stage_id: expected a stage that funnel_stages.csv declares "
        "for funnel 'web', found 'basket'. Declared are cart, paid, visit.",
    ),
    "unknown stage in an exclusion": (
        edited("funnel_exclusions", "cart,paid", "cart,payed"),
        "funnel_exclusions.csv line 2, column before_stage_id: expected a stage that "
        "funnel_stages.csv declares for funnel 'web', found 'payed'.",
    ),
    "exclusion the wrong way round": (
        edited("funnel_exclusions", "cart,paid", "paid,cart"),
        "funnel_exclusions.csv line 2, column before_stage_id: expected a stage that stands higher",
    ),
    "exclusion of a furthest funnel": (
        edited("funnel_exclusions", "web,cart,paid", "sales,prospect,won"),
        "funnel_exclusions.csv line 2, column funnel_id: expected a funnel of order_mode ordered,",
    ),
    "duplicate funnel": (
        edited("funnels", "sales,Sales", "web,Sales"),
        "funnels.csv line 3, column funnel_id: expected each funnel_id once, found 'web' again, "
        "first in line 2.",
    ),
    "duplicate stage": (
        edited("funnel_stages", "web,2,cart", "web,2,visit"),
        "funnel_stages.csv line 3, column stage_id: expected each funnel_id and stage_id once, "
        "found 'web', 'visit' again, first in line 2.",
    ),
    "duplicate position": (
        edited("funnel_stages", "web,2,cart", "web,1,cart"),
        "funnel_stages.csv line 3, column stage_position: expected position 2 as the next of "
        "funnel 'web', found 1.",
    ),
    "gap in positions": (
        edited("funnel_stages", "web,3,paid", "web,4,paid"),
        "funnel_stages.csv line 4, column stage_position: expected position 3 as the next of "
        "funnel 'web', found 4.",
    ),
    "lost stage with a position": (
        edited("funnel_stages", "sales,,lost", "sales,3,lost"),
        "funnel_stages.csv line 7, column stage_position: expected nothing for stage 'lost', as "
        "it is a lost stage, found 3.",
    ),
    "ladder stage without a position": (
        edited("funnel_stages", "web,2,cart", "web,,cart"),
        "funnel_stages.csv line 3, column stage_position: expected the position of stage 'cart', "
        "as its stage_kind is open, found nothing.",
    ),
    "unknown order mode": (
        edited("funnels", "user,ordered", "user,sorted"),
        "funnels.csv line 2, column order_mode: expected one of furthest, ordered, strict, any, "
        "found 'sorted'.",
    ),
    "unknown entry policy": (
        edited("funnels", "best", "last"),
        "funnels.csv line 2, column entry_policy: expected one of best, first, found 'last'.",
    ),
    "unknown tie policy": (
        {
            "funnels": "funnel_id,subject_type,order_mode,tie_policy\n"
            "web,user,ordered,any\nsales,opportunity,furthest,"
        },
        "funnels.csv line 2, column tie_policy: expected one of source_order, funnel_order, "
        "found 'any'.",
    ),
    "unknown stage kind": (
        edited("funnel_stages", "支付,won", "支付,final"),
        "funnel_stages.csv line 4, column stage_kind: expected one of open, won, lost, "
        "found 'final'.",
    ),
    "unknown rule type": (
        edited("stage_rules", "visit,event", "visit,click"),
        "stage_rules.csv line 2, column rule_type: expected one of event, lead_status, "
        "opportunity_stage, purchase, found 'click'.",
    ),
    "unknown match type": (
        edited("stage_rules", "prefix", "suffix"),
        "stage_rules.csv line 2, column match_type: expected one of equals, prefix, regex, "
        "found 'suffix'.",
    ),
    "unknown subject type": (
        edited("funnels", "Web,user", "Web,customer"),
        "funnels.csv line 2, column subject_type: expected one of visitor, session, user, person, "
        "lead, opportunity, account, found 'customer'.",
    ),
    "unknown count_by": (
        edited("funnels", "best,subject", "best,session"),
        "funnels.csv line 2, column count_by: expected one of subject, journey, found 'session'.",
    ),
    "unknown event time": (
        edited("sources", "occurred", "sent"),
        "sources.csv line 2, column event_time: expected one of occurred, collected, received, "
        "found 'sent'.",
    ),
    "two sources whose word counts first for orders": (
        {
            "sources": "source,order_precedence\nshop,1\ncrm,2\nother,\nbilling,1\nmore,",
        },
        "sources.csv line 5, column order_precedence: expected another number than that of source "
        "'shop' in line 2, found '1'. Number the sources 1, 2, 3 in the order in which",
    ),
    "order precedence that is no place": (
        {"sources": "source,order_precedence\nshop,0"},
        "sources.csv line 2, column order_precedence: expected a whole number from 1, found '0'. "
        "Number them 1, 2, 3 and so on.",
    ),
    "best with journeys": (
        edited("funnels", "best,subject", "best,journey"),
        "funnels.csv line 2, column entry_policy: expected first for funnel 'web', as its count_by "
        "is journey, found 'best'.",
    ),
    "furthest with a window": (
        edited("funnels", "user,ordered,best", "user,furthest,first"),
        "funnels.csv line 2, column window_hours: expected nothing for funnel 'web', as its "
        "order_mode is furthest, found '168'.",
    ),
    "furthest with a property held constant": (
        {
            "funnels": SOUND["funnels"]
            .replace(",pipeline", ",hold_constant")
            .replace("furthest,,,,new", "furthest,,,,product")
            .replace("opportunity", "user")
        },
        "funnels.csv line 3, column hold_constant: expected nothing for funnel 'sales', as its "
        "order_mode is furthest, found 'product'.",
    ),
    "records with a property held constant": (
        {
            "funnels": SOUND["funnels"]
            .replace(",pipeline", ",hold_constant")
            .replace("furthest,,,,new", "ordered,,,,product")
        },
        "funnels.csv line 3, column hold_constant: expected nothing for funnel 'sales', as its "
        "subject_type is opportunity and only events have properties, found 'product'.",
    ),
    "a property held constant through a purchase": (
        {
            "funnels": SOUND["funnels"]
            .replace(",pipeline", ",hold_constant")
            .replace("168,", "168,p")
        },
        "funnel_stages.csv line 4, column stage_id: expected at least one rule of type event for "
        "stage 'paid', as funnel 'web' holds 'p' constant and only events have properties, "
        "found none.",
    ),
    "unknown occurrence_of": (
        {
            "stage_rules": SOUND["stage_rules"]
            .replace(",occurrence", ",occurrence,occurrence_of")
            .replace(",2+", ",2+,ever")
        },
        "stage_rules.csv line 3, column occurrence_of: expected one of match, name, found 'ever'.",
    ),
    "occurrence_of without an occurrence": (
        {
            "stage_rules": SOUND["stage_rules"]
            .replace(",occurrence", ",occurrence,occurrence_of")
            .replace("page_,,,", "page_,,,,name")
        },
        "stage_rules.csv line 2, column occurrence_of: expected nothing, as the rule has no "
        "occurrence, found 'name'.",
    ),
    "window of nothing": (
        edited("funnels", "168", "0"),
        "funnels.csv line 2, column window_hours: expected a number above 0, found '0'.",
    ),
    "decimal comma": (
        edited("funnels", "168", '"168,5"'),
        "funnels.csv line 2, column window_hours: expected a number above 0, found '168,5'. "
        "Write it with digits and, for fractions, a decimal point.",
    ),
    "percentage for a probability": (
        edited("funnel_stages", "0.25", "25"),
        "funnel_stages.csv line 5, column win_probability: expected a number from 0 to 1, "
        "found '25'.",
    ),
    "unknown time zone": (
        edited("sources", "Europe/Berlin", "Europe/Bonn"),
        "sources.csv line 2, column timezone: expected a time zone of the IANA list, "
        "found 'Europe/Bonn'.",
    ),
    "unparsable boolean": (
        edited("sources", "true", "yes"),
        "sources.csv line 2, column is_enabled: expected true or false, found 'yes'.",
    ),
    "date that does not exist": (
        edited("calendar", "2026-01-01", "2026-02-30"),
        "calendar.csv line 2, column calendar_date: expected a date written year-month-day, "
        "found '2026-02-30'.",
    ),
    "past date that does not exist": (
        edited("known_on_dates", "2026-01-31", "2026-02-31"),
        "known_on_dates.csv line 2, column known_on: expected a date written year-month-day, "
        "found '2026-02-31'.",
    ),
    "past date twice": (
        edited("known_on_dates", "2026-01-31", "2026-01-31\n2026-01-31"),
        "known_on_dates.csv line 3, column known_on: expected each known_on once, "
        "found '2026-01-31' again, first in line 2.",
    ),
    "rule for owners that nobody knows": (
        edited("owner_health_rules", "signings_outside", "signings"),
        "owner_health_rules.csv line 4, column rule_name: expected one of fewer_active_deals, ",
    ),
    "period of a rule for owners that has none": (
        edited("owner_health_rules", "20,2160,meeting,,", "20,2160,meeting,quarter,"),
        "owner_health_rules.csv line 5, column period_grain: expected nothing for the rule "
        "meetings_without_pipeline, found 'quarter'. Leave it empty: it is for "
        "moved_back_before_quota.",
    ),
    "rule for owners twice": (
        edited("owner_health_rules", "deals,sales,5", "deals,,5"),
        "owner_health_rules.csv line 3, column rule_name: expected the rule fewer_active_deals "
        "once for all funnels, found it again, first in line 2.",
    ),
    "rule for owners without a bound": (
        edited("owner_health_rules", "outside,,4,6", "outside,,4,"),
        "owner_health_rules.csv line 4, column at_most: expected a number for the rule "
        "signings_outside, found nothing. It asks for at_least, at_most and nothing else.",
    ),
    "rule for owners with another's bound": (
        edited("owner_health_rules", "deals,,15,", "deals,,15,20"),
        "owner_health_rules.csv line 2, column at_most: expected nothing for the rule "
        "fewer_active_deals, found '20'.",
    ),
    "rule for owners with crossed bounds": (
        edited("owner_health_rules", "outside,,4,6", "outside,,7,6"),
        "owner_health_rules.csv line 4, column at_most: expected a number not below at_least, "
        "which is 7, found 6.",
    ),
    "rule for owners of visitors": (
        edited("owner_health_rules", "deals,sales,5", "deals,web,5"),
        "owner_health_rules.csv line 3, column funnel_id: expected a funnel that funnels.csv "
        "declares with subject_type opportunity, or nothing, found 'web'. Declared are sales.",
    ),
    "rule for owners with a span of no time": (
        edited("owner_health_rules", "2160", "0"),
        "owner_health_rules.csv line 5, column within_hours: expected a whole number from 1, "
        "found '0'.",
    ),
    "worklist of an unknown funnel": (
        edited("worklist_settings", "sales", "sale"),
        "worklist_settings.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'sale'. Declared are sales, web.",
    ),
    "manager's amount with a currency": (
        edited("worklist_settings", "50000", "50000 EUR"),
        "worklist_settings.csv line 2, column manager_amount: expected an amount in the reporting "
        "currency, with at most 4 digits after the decimal point, found '50000 EUR'.",
    ),
    "date of another country": (
        edited("calendar", "2026-01-01", "01/02/2026"),
        "calendar.csv line 2, column calendar_date: expected a date written year-month-day, "
        "found '01/02/2026'.",
    ),
    "weekday of another count": (
        edited("working_hours", "5,", "0,"),
        "working_hours.csv line 3, column weekday: expected a weekday from 1 to 7, found '0'.",
    ),
    "weekday twice": (
        edited("working_hours", "5,", "2,"),
        "working_hours.csv line 3, column weekday: expected each weekday once, found '2' again, "
        "first in line 2.",
    ),
    "hour that clocks do not show": (
        edited("working_hours", "08:30", "24:30"),
        "working_hours.csv line 2, column opens_at: expected a time from 00:00 to 24:00, "
        "found '24:30'.",
    ),
    "hour in words": (
        edited("working_hours", "08:30", "9 am"),
        "working_hours.csv line 2, column opens_at: expected a time from 00:00 to 24:00, "
        "found '9 am'.",
    ),
    "hours over midnight": (
        edited("working_hours", "08:30", "22:00"),
        "working_hours.csv line 2, column closes_at: expected a time after opens_at, which is "
        "22:00, found '17:00'.",
    ),
    "hours without length": (
        edited("working_hours", "08:30", "17:00"),
        "working_hours.csv line 2, column closes_at: expected a time after opens_at, which is "
        "17:00, found '17:00'.",
    ),
    "late opening on a day that closes as usual": (
        {"calendar": "calendar_date,is_working_day,opens_at\n2026-01-06,true,17:30\n"},
        "calendar.csv line 2, column closes_at: expected a time after opens_at, which is 17:30, "
        "found '17:00'.",
    ),
    "hours on a day off": (
        {"calendar": "calendar_date,is_working_day,closes_at\n2026-01-06,false,12:00\n"},
        "calendar.csv line 2, column closes_at: expected no hours, as is_working_day is false, "
        "found '12:00'.",
    ),
    "bad regular expression": (
        edited("stage_rules", "^Prospect.*", "Prospect("),
        "stage_rules.csv line 5, column match_value: expected a regular expression of the RE2 "
        "syntax, found 'Prospect('.",
    ),
    "look-ahead, which the engine lacks": (
        edited("stage_rules", "^Prospect.*", "(?=Prospect)"),
        "stage_rules.csv line 5, column match_value: expected a regular expression of the RE2 "
        "syntax, found '(?=Prospect)'.",
    ),
    "limit on what is never tied": (
        edited("identity_limits", "anonymous_id,user_id", "anonymous_id,record_id"),
        "identity_limits.csv line 2, column tied_type: expected for anonymous_id one of user_id, "
        "email, found 'record_id'.",
    ),
    "limit below nought": (
        edited("identity_limits", "user_id,2", "user_id,-1"),
        "identity_limits.csv line 2, column max_tied: expected a whole number from 0, found '-1'.",
    ),
    "role with its domain": (
        edited("role_addresses", "Vertrieb", "info@example.com"),
        "role_addresses.csv line 2, column local_part: expected what stands before the @ of an "
        "address, without a tag that begins with +, found 'info@example.com'.",
    ),
    "occurrence of nought": (
        edited("stage_rules", "2+", "0"),
        "stage_rules.csv line 3, column occurrence: expected an occurrence: a whole number from 1, "
        "or one followed by +, or nothing, found '0'.",
    ),
    "occurrence as a range": (
        edited("stage_rules", "2+", "2-3"),
        "stage_rules.csv line 3, column occurrence: expected an occurrence: a whole number from 1, "
        "or one followed by +, or nothing, found '2-3'.",
    ),
    "rule that ends before it begins": (
        {
            "stage_rules": "funnel_id,stage_id,rule_type,match_value,valid_from,valid_to\n"
            "web,visit,event,a,2026-02-01,2026-01-31\nweb,cart,event,b,,\nweb,paid,event,c,,\n"
            "sales,prospect,opportunity_stage,d,,\nsales,won,opportunity_stage,e,,\n"
            "sales,lost,opportunity_stage,f,,\n"
        },
        "stage_rules.csv line 2, column valid_to: expected a date not before valid_from, which is "
        "2026-02-01, found 2026-01-31.",
    ),
    "rule that its subjects cannot meet": (
        edited("stage_rules", "sales,won,opportunity_stage", "sales,won,event"),
        "stage_rules.csv line 6, column rule_type: expected one of opportunity_stage, as the "
        "subjects of funnel 'sales' are of type opportunity, found 'event'.",
    ),
    "rule without a value": (
        edited("stage_rules", "equals,add_to_cart", "equals,"),
        "stage_rules.csv line 3, column match_value: expected what the event has to match, "
        "found nothing.",
    ),
    "property value without its name": (
        edited("stage_rules", "add_to_cart,,", "add_to_cart,,shoes"),
        "stage_rules.csv line 3, column property_name: expected the property that has to hold "
        "the property_value, found nothing.",
    ),
    "property of an order": (
        edited("stage_rules", "web,paid,purchase,,,,,1", "web,paid,purchase,,,method,,1"),
        "stage_rules.csv line 4, column property_name: expected nothing, as only events have "
        "properties and the rule_type is purchase, found 'method'.",
    ),
    "stage without a rule": (
        edited("stage_rules", "sales,lost,opportunity_stage,,Lost,,,\n", ""),
        "funnel_stages.csv line 7, column stage_id: expected at least one rule for stage 'lost' "
        "of funnel 'sales' in stage_rules.csv, found none.",
    ),
    "funnel without stages": (
        {"funnels": SOUND["funnels"].rstrip() + "\nempty,Empty,user,any,,,,\n"},
        "funnels.csv line 4, column funnel_id: expected at least one stage of funnel 'empty' in "
        "funnel_stages.csv, found none.",
    ),
    "segment named all": (
        edited("segments", "channel", "all"),
        "segments.csv line 2, column segment_name: expected another name than all, found 'all'.",
    ),
    "segment taken at nobody knows what": (
        segments("channel,user,exit,,"),
        "segments.csv line 2, column taken_at: expected one of entry, stage, first, last, each, "
        "found 'exit'.",
    ),
    "segment of a stage that is not named": (
        segments("channel,user,stage,,"),
        "segments.csv line 2, column stage_id: expected the stage at whose entry the value is "
        "taken, as taken_at is stage, found nothing.",
    ),
    "segment that names a stage for nothing": (
        segments("channel,user,last,cart,"),
        "segments.csv line 2, column stage_id: expected nothing, as taken_at is last, "
        "found 'cart'.",
    ),
    "segment of a stage that no funnel has": (
        segments("channel,user,stage,prospect,"),
        "segments.csv line 2, column stage_id: expected a stage that funnel_stages.csv declares "
        "for a funnel whose subjects are of type user, found 'prospect'. Declared are cart, paid, "
        "visit.",
    ),
    "segment of a stage that its funnel does not have": (
        segments("channel,opportunity,stage,cart,sales"),
        "segments.csv line 2, column stage_id: expected a stage that funnel_stages.csv declares "
        "for funnel 'sales', found 'cart'. Declared are lost, prospect, won.",
    ),
    "segment of a funnel that nobody declared": (
        segments("channel,user,,,wep"),
        "segments.csv line 2, column funnel_id: expected a funnel that funnels.csv declares, or "
        "nothing, found 'wep'. Declared are sales, web.",
    ),
    "segment of a funnel of other subjects": (
        segments("channel,user,,,sales"),
        "segments.csv line 2, column funnel_id: expected a funnel whose subjects are of type "
        "user, found 'sales', whose subjects are of type opportunity.",
    ),
    "segment twice for its subjects": (
        segments("channel,user,entry,,", "channel,user,last,,"),
        "segments.csv line 3, column segment_name: expected segment 'channel' once for funnel "
        "'web', found it again, first in line 2.",
    ),
    "segment for all funnels and again for one of them": (
        segments("channel,user,stage,cart,", "channel,user,,,web"),
        "segments.csv line 3, column segment_name: expected segment 'channel' once for funnel "
        "'web', found it again, first in line 2.",
    ),
    "currency as a sign": (
        edited("exchange_rates", "EUR", "€"),
        "exchange_rates.csv line 2, column currency: expected a currency code of three capital "
        "letters, found '€'.",
    ),
    "rate of nothing": (
        edited("exchange_rates", "1.0812", "0"),
        "exchange_rates.csv line 2, column rate: expected a rate above 0",
    ),
    "band named as what is in none": (
        {"deal_size_bands": "funnel_id,band_name\nsales,All\n"},
        "deal_size_bands.csv line 2, column band_name: expected another name than all, (no band), "
        "(unknown amount), found 'All'.",
    ),
    "planned rate above one": (
        planned("prospect", "75"),
        "funnel_stages.csv line 5, column planned_step_rate: expected a number above 0 to 1, "
        "found '75'.",
    ),
    "planned rate of nought": (
        planned("prospect", "0"),
        "funnel_stages.csv line 5, column planned_step_rate: expected a number above 0 to 1, "
        "found '0'.",
    ),
    "planned rate from a win": (
        planned("won", "0.5"),
        "funnel_stages.csv line 6, column planned_step_rate: expected nothing for stage 'won', as "
        "its stage_kind is won, found 0.5.",
    ),
    "plan without a period": (
        plan_targets("sales,month,,small,40,"),
        "funnel_plan_targets.csv line 2, column period_date: expected a value in every row, "
        "found none.",
    ),
    "plan of an unknown period": (
        plan_targets("sales,week,2026-01-05,small,40,"),
        "funnel_plan_targets.csv line 2, column period_grain: expected one of month, quarter, "
        "year, found 'week'.",
    ),
    "plan that begins within its period": (
        plan_targets("sales,quarter,2026-02-01,small,40,"),
        "funnel_plan_targets.csv line 2, column period_date: expected the first day of a quarter, "
        "found 2026-02-01.",
    ),
    "plan of an unknown funnel": (
        plan_targets("sale,month,2026-01-01,small,40,"),
        "funnel_plan_targets.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'sale'.",
    ),
    "plan of a funnel without deals": (
        plan_targets("web,month,2026-01-01,,40,"),
        "funnel_plan_targets.csv line 2, column funnel_id: expected a funnel whose subjects are of "
        "type opportunity, found 'web', whose subjects are of type user.",
    ),
    "plan of a funnel that cannot be won": (
        {
            **plan_targets("sales,month,2026-01-01,,40,"),
            **edited("funnel_stages", "sales,2,won,Won,成交,won", "sales,2,won,Won,成交,open"),
        },
        "funnel_plan_targets.csv line 2, column funnel_id: expected a funnel with a won stage, "
        "found 'sales', which has none.",
    ),
    "plan of an unknown band": (
        plan_targets("sales,month,2026-01-01,medium,40,"),
        "funnel_plan_targets.csv line 2, column band_name: expected a band that "
        "deal_size_bands.csv declares for funnel 'sales', or nothing, found 'medium'. Declared are "
        "large, small.",
    ),
    "plan of wins and money": (
        plan_targets("sales,month,2026-01-01,small,40,1000"),
        "funnel_plan_targets.csv line 2, column target_wins: expected either target_wins or "
        "target_amount, found both.",
    ),
    "plan of nothing": (
        plan_targets("sales,month,2026-01-01,small,,"),
        "funnel_plan_targets.csv line 2, column target_wins: expected either target_wins or "
        "target_amount, found neither.",
    ),
    "plan of half a win": (
        plan_targets("sales,month,2026-01-01,small,2.5,"),
        "funnel_plan_targets.csv line 2, column target_wins: expected a whole number from 0, "
        "found '2.5'.",
    ),
    "plan of a band beside one of all": (
        plan_targets("sales,month,2026-01-01,,40,", "sales,month,2026-01-01,small,10,"),
        "funnel_plan_targets.csv line 3, column band_name: expected all targets of a period by "
        "band, or one target without, found 'small'. Remove this row or the one in line 2",
    ),
    "plan of a period twice": (
        plan_targets("sales,month,2026-01-01,,40,", "sales,month,2026-01-01,,,1000"),
        "funnel_plan_targets.csv line 3, column band_name: expected each funnel_id and "
        "period_grain and period_date and band_name once, found 'sales', 'month', '2026-01-01', "
        "'' again, first in line 2.",
    ),
    "plan of a band twice": (
        plan_targets("sales,month,2026-01-01,small,40,", "sales,month,2026-01-01,small,10,"),
        "funnel_plan_targets.csv line 3, column band_name: expected each funnel_id and "
        "period_grain and period_date and band_name once, found 'sales', 'month', '2026-01-01', "
        "'small' again, first in line 2.",
    ),
    "target without a period": (
        stage_targets("sales,month,,won,,,40,,"),
        "stage_targets.csv line 2, column period_date: expected a value in every row, found none.",
    ),
    "target that begins within its period": (
        stage_targets("sales,year,2026-04-01,won,,,40,,"),
        "stage_targets.csv line 2, column period_date: expected the first day of a year, "
        "found 2026-04-01.",
    ),
    "target of an unknown stage": (
        stage_targets("sales,month,2026-01-01,offer,,,40,,"),
        "stage_targets.csv line 2, column stage_id: expected a stage that funnel_stages.csv "
        "declares for funnel 'sales', found 'offer'.",
    ),
    "target of losses": (
        stage_targets("sales,month,2026-01-01,lost,,,40,,"),
        "stage_targets.csv line 2, column stage_id: expected a stage of the ladder of funnel "
        "'sales', up to the first won one, found 'lost'.",
    ),
    "target of a funnel without deals": (
        stage_targets("web,month,2026-01-01,cart,,,40,,"),
        "stage_targets.csv line 2, column funnel_id: expected a funnel whose subjects are of type "
        "opportunity, found 'web', whose subjects are of type user.",
    ),
    "target of a team and an owner": (
        stage_targets("sales,month,2026-01-01,won,north,o1,40,,"),
        "stage_targets.csv line 2, column team: expected a team or an owner_id, or neither for all "
        "deals, found both.",
    ),
    "target of nothing": (
        stage_targets("sales,month,2026-01-01,won,,,,,"),
        "stage_targets.csv line 2, column target_deals: expected at least one of target_deals, "
        "target_amount and target_step_rate, found none.",
    ),
    "target rate above one": (
        stage_targets("sales,month,2026-01-01,won,,,,,30"),
        "stage_targets.csv line 2, column target_step_rate: expected a number from 0 to 1, "
        "found '30'.",
    ),
    "target rate of the first stage": (
        stage_targets("sales,month,2026-01-01,prospect,,,,,0.3"),
        "stage_targets.csv line 2, column target_step_rate: expected nothing for stage 'prospect', "
        "as it is the first, found 0.3.",
    ),
    "target twice": (
        stage_targets("sales,month,2026-01-01,won,,o1,40,,", "sales,month,2026-01-01,won,,o1,4,,"),
        "stage_targets.csv line 3, column owner_id: expected each funnel_id and period_grain and "
        "period_date and stage_id and team and owner_id once, found 'sales', 'month', "
        "'2026-01-01', 'won', '', 'o1' again, first in line 2.",
    ),
    "step of points of a time": (
        what_if_steps("sales,cycle_time,points,-1"),
        "what_if_steps.csv line 2, column unit: expected percent, as the lever is cycle_time, "
        "found 'points'.",
    ),
    "step of nothing": (
        what_if_steps("sales,step_rate,points,0"),
        "what_if_steps.csv line 2, column step: expected a number from -100, other than 0,",
    ),
    "step to less than nothing": (
        what_if_steps("sales,entries,percent,-101"),
        "what_if_steps.csv line 2, column step: expected a number from -100, other than 0,",
    ),
    "step of an unknown lever": (
        what_if_steps("sales,price,percent,5"),
        "what_if_steps.csv line 2, column lever: expected one of step_rate, cycle_time, entries, "
        "found 'price'.",
    ),
    "step of a funnel without deals": (
        what_if_steps("web,entries,percent,5"),
        "what_if_steps.csv line 2, column funnel_id: expected a funnel whose subjects are of type "
        "opportunity, found 'web', whose subjects are of type user.",
    ),
    "step twice": (
        what_if_steps("sales,entries,percent,5", "sales,entries,percent,5.0"),
        "what_if_steps.csv line 3, column step: expected each funnel_id and lever and unit and "
        "step once, found 'sales', 'entries', 'percent', '5' again, first in line 2.",
    ),
    "attribution of an unknown funnel": (
        attribution_settings("a,shop,30,7,"),
        "attribution_settings.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'shop'.",
    ),
    "attribution of what is never won": (
        attribution_settings("a,web,30,7,")
        | edited("funnel_stages", "web,3,paid,Paid,支付,won,", "web,3,paid,Paid,支付,open,"),
        "attribution_settings.csv line 2, column funnel_id: expected a funnel with a won stage, "
        "found 'web', which has none.",
    ),
    "attribution without a window": (
        attribution_settings("a,web,0,7,"),
        "attribution_settings.csv line 2, column lookback_days: expected a whole number of days "
        "from 1 to 36525, found '0'.",
    ),
    "attribution without decay": (
        attribution_settings("a,web,30,0,"),
        "attribution_settings.csv line 2, column half_life_days: expected a number above 0",
    ),
    "touchpoints of nobody": (
        attribution_settings("a,web,30,7,team"),
        "attribution_settings.csv line 2, column touches_of: expected one of person, account, "
        "found 'team'.",
    ),
    "attribution twice": (
        attribution_settings("a,web,30,7,", "a,sales,30,7,"),
        "attribution_settings.csv line 3, column attribution_id: expected each attribution_id "
        "once, found 'a' again, first in line 2.",
    ),
    "channel of what has none": (
        {"activity_channels": "activity_type,channel\ncall,(No touchpoint)"},
        "activity_channels.csv line 2, column channel: expected another name than all, "
        "(no touchpoint), (no channel), (other channels), found '(No touchpoint)'.",
    ),
    "type of activity twice": (
        {"activity_channels": "activity_type,channel\ncall,Calls\ncall,Phone"},
        "activity_channels.csv line 3, column activity_type: expected each activity_type once",
    ),
    "cost of an unknown channel": (
        channel_costs("Trade fairs,2026-01-01,10,"),
        "channel_costs.csv line 2, column channel: expected a channel that channel_rules.csv or "
        "activity_channels.csv names, found 'Trade fairs'. Named are Affiliates, Calls, Direct,",
    ),
    "cost of half a month": (
        channel_costs("Calls,2026-01-15,10,"),
        "channel_costs.csv line 2, column period_date: expected the first day of a month, found "
        "2026-01-15.",
    ),
    "cost without a period": (
        channel_costs("Calls,,10,"),
        "channel_costs.csv line 2, column period_date: expected",
    ),
    "cost in an unknown currency": (
        channel_costs("Calls,2026-02-01,10,GBP"),
        "channel_costs.csv line 2, column currency: expected a currency for which "
        "exchange_rates.csv has a rate on 2026-02-01, or nothing for the reporting currency, "
        "found 'GBP'. Currencies with a rate are EUR.",
    ),
    "cost before the first rate": (
        channel_costs("Calls,2025-12-01,10,EUR"),
        "channel_costs.csv line 2, column currency: expected a currency for which "
        "exchange_rates.csv has a rate on 2025-12-01,",
    ),
    "cost that is none": (
        channel_costs("Calls,2026-01-01,-5,"),
        "channel_costs.csv line 2, column cost: expected an amount of money, with at most 4 "
        "digits after the decimal point, found '-5'.",
    ),
    "cost of a month twice": (
        channel_costs("Calls,2026-01-01,5,", "Calls,2026-01-01,5,"),
        "channel_costs.csv line 3, column period_date: expected each channel and period_date "
        "once, found 'Calls', '2026-01-01' again, first in line 2.",
    ),
    "acquisition of an unknown funnel": (
        {"acquisition_settings": "funnel_id,referrer_property\nshop,"},
        "acquisition_settings.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'shop'.",
    ),
    "acquisition of accounts": (
        {"acquisition_settings": "funnel_id\nweb"}
        | edited("funnels", "web,Web,user", "web,Web,account"),
        "acquisition_settings.csv line 2, column funnel_id: expected a funnel whose subjects are "
        "persons, or known to be of one, found 'web', whose subjects are of type account.",
    ),
    "referrer in quotes": (
        {"acquisition_settings": "funnel_id,referrer_property\nweb,it's"},
        "acquisition_settings.csv line 2, column referrer_property: expected the name of a "
        'property, without quotes, found "it\'s".',
    ),
    "bands of no segment": (
        segment_bands("cost,low,0,"),
        "segment_bands.csv line 2, column segment_name: expected a segment that segments.csv "
        "declares, found 'cost'. Declared are price.",
    ),
    "bands in a currency and in any": (
        segment_bands("price,low,0,EUR", "price,high,10,"),
        "segment_bands.csv line 3, column currency: expected a currency in all bands of a segment "
        "or in none, found '', and 'EUR' in line 2.",
    ),
    "bands that begin together": (
        segment_bands("price,low,0,EUR", "price,low,0,CNY", "price,free,0.00,EUR"),
        "segment_bands.csv line 4, column at_least: expected another number than that of line 2, "
        "found 0.00.",
    ),
    "cut of the worst score": (
        rfm_cuts("recency,1,365"),
        "rfm_cuts.csv line 2, column score: expected one of 2, 3, 4, 5, found '1'.",
    ),
    "cuts for some scores": (
        rfm_cuts("recency,5,30", "recency,3,90"),
        "rfm_cuts.csv line 2, column score: expected cuts for the scores 2 to 5 of recency, found "
        "none for 2, 4.",
    ),
    "cuts that get easier": (
        rfm_cuts("frequency,2,2", "frequency,3,4", "frequency,4,4", "frequency,5,9"),
        "rfm_cuts.csv line 4, column bound: expected a number above 4, the bound of score 3, "
        "found 4.",
    ),
    "cuts of recency that get easier": (
        rfm_cuts("recency,2,90", "recency,3,60", "recency,4,61", "recency,5,7"),
        "rfm_cuts.csv line 4, column bound: expected a number below 60, the bound of score 3, "
        "found 61.",
    ),
    "segment of no scores": (
        rfm_segments("good,1,5,3,2"),
        "rfm_segments.csv line 2, column frequency_to: expected a score not below frequency_from, "
        "which is 3, found 2.",
    ),
    "scores in two segments": (
        rfm_segments("good,3,5,1,5", "poor,1,3,1,5"),
        "rfm_segments.csv line 3: expected each combination of scores in one row, found recency "
        "3, frequency 1, monetary 1 again, first in line 2.",
    ),
    "scores in no segment": (
        rfm_segments("good,3,5,1,5", "poor,1,2,2,5"),
        "rfm_segments.csv: expected a row for each of the 125 combinations of scores, found none "
        "for 10 of them, such as recency 1, frequency 1, monetary 1.",
    ),
    "score beyond the best": (
        rfm_segments("good,1,6,1,5"),
        "rfm_segments.csv line 2, column recency_to: expected one of 1, 2, 3, 4, 5, found '6'.",
    ),
    "qualification of an unknown funnel": (
        qualification_rules("1,seles,money,budget,,high,"),
        "qualification_rules.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'seles'.",
    ),
    "qualification of visitors": (
        qualification_rules("1,web,money,budget,,high,"),
        "qualification_rules.csv line 2, column funnel_id: expected a funnel whose subjects are "
        "leads or opportunities, found 'web', whose subjects are of type user.",
    ),
    "qualification by the outcome": (
        qualification_rules("1,sales,need,loss_reason,,no need,absent"),
        "qualification_rules.csv line 2, column attribute: expected an attribute that is known "
        "when a journey begins, found 'loss_reason'.",
    ),
    "qualification by half an expression": (
        qualification_rules("1,sales,need,product,regex,(,absent"),
        "qualification_rules.csv line 2, column match_value: expected a regular expression",
    ),
    "qualification of something else": (
        qualification_rules("1,sales,charm,product,,x,absent"),
        "qualification_rules.csv line 2, column dimension: expected one of money, authority, need,",
    ),
    "priority of an unknown funnel": (
        priority_settings("seles,1000,30"),
        "priority_settings.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'seles'.",
    ),
    "priority of visitors": (
        priority_settings("web,1000,30"),
        "priority_settings.csv line 2, column funnel_id: expected a funnel whose subjects are of "
        "type opportunity, found 'web', whose subjects are of type user.",
    ),
    "key account without a bound": (
        key_account_rules("big,value,,,,"),
        "key_account_rules.csv line 2, column at_least: expected something, as the criterion is "
        "value, found nothing.",
    ),
    "key account with an attribute too many": (
        key_account_rules("big,potential,100,industry,,"),
        "key_account_rules.csv line 2, column attribute: expected nothing, as the criterion is "
        "potential, found 'industry'.",
    ),
    "key account by half an expression": (
        key_account_rules("big,attribute,,industry,regex,("),
        "key_account_rules.csv line 2, column match_value: expected a regular expression",
    ),
    "feature of an unknown funnel": (
        lead_score_features("seles,attribute,region,"),
        "lead_score_features.csv line 2, column funnel_id: expected a funnel that funnels.csv "
        "declares, found 'seles'.",
    ),
    "feature that tells the outcome": (
        lead_score_features("sales,attribute,closed_at,true"),
        "lead_score_features.csv line 2, column feature_name: expected an attribute that is known "
        "when a journey begins, found 'closed_at'.",
    ),
    "attribute of users as a feature": (
        lead_score_features("web,attribute,region,"),
        "lead_score_features.csv line 2, column funnel_id: expected a funnel whose subjects are "
        "leads or opportunities, found 'web', whose subjects are of type user.",
    ),
    "sessions of deals as a feature": (
        lead_score_features("sales,sessions,visits,"),
        "lead_score_features.csv line 2, column feature_type: expected attribute or segment, as "
        "the subjects are neither visitors nor users, found 'sessions'.",
    ),
    "unknown segment as a feature": (
        lead_score_features("web,segment,region,"),
        "lead_score_features.csv line 2, column feature_name: expected a segment that segments.csv "
        "takes at entry for funnel 'web', found 'region'. Declared are channel.",
    ),
    "watched metric of an unknown stage": (
        watched("web,step_rate,order,,week,,,10,percent"),
        "watched_metrics.csv line 2, column stage_id: expected a stage that funnel_stages.csv "
        "declares for funnel 'web', found 'order'.",
    ),
    "watched rate of the first stage": (
        watched("web,step_rate,visit,,week,,,10,percent"),
        "watched_metrics.csv line 2, column stage_id: expected a stage of the ladder behind its "
        "first, which all reach, found 'visit', the first.",
    ),
    "watched rate of a lost stage": (
        watched("sales,overall_rate,lost,,week,,,10,percent"),
        "watched_metrics.csv line 2, column stage_id: expected a stage of the ladder behind its "
        "first, which all reach, found 'lost', in which subjects are lost.",
    ),
    "watched entries of a stage": (
        watched("web,entries,cart,,week,,,10,percent"),
        "watched_metrics.csv line 2, column stage_id: expected nothing, as entries are of the "
        "funnel, found 'cart'.",
    ),
    "watched segment of other subjects": (
        watched("sales,step_rate,,channel,week,,,10,percent"),
        "watched_metrics.csv line 2, column segment_name: expected a segment that segments.csv "
        "declares for funnel 'sales', found 'channel'. Declared are all.",
    ),
    "points of a number": (
        watched("web,reached,paid,,week,,,10,points"),
        "watched_metrics.csv line 2, column unit: expected percent, as reached is a number, found "
        "'points'.",
    ),
    "benchmark of a number": (
        watched("web,reached,paid,,week,benchmark,,10,percent"),
        "watched_metrics.csv line 2, column compared_with: expected baseline or last_year, as "
        "reached is a number, found 'benchmark'.",
    ),
    "benchmark that is not declared": (
        watched(
            "web,step_rate,cart,,week,benchmark,,10,percent",
            benchmark="web,step_rate,paid,0.4,Industry",
        ),
        "watched_metrics.csv line 2, column compared_with: expected a benchmark that "
        "benchmarks.csv declares for this step_rate of 'web', found none.",
    ),
    "baseline of quarters": (
        watched("web,step_rate,cart,,quarter,,,10,percent"),
        "watched_metrics.csv line 2, column compared_with: expected last_year or benchmark for a "
        "quarter, found 'baseline'.",
    ),
    "change of nothing": (
        watched("web,step_rate,cart,,week,,,0,percent"),
        "watched_metrics.csv line 2, column change: expected a number above 0, found '0'.",
    ),
    "benchmark of the first stage": (
        watched(benchmark="web,overall_rate,visit,0.4,Industry"),
        "benchmarks.csv line 2, column stage_id: expected a stage of the ladder behind its first, "
        "which all reach, found 'visit', the first.",
    ),
    "benchmark in percent": (
        watched(benchmark="web,overall_rate,paid,40,Industry"),
        "benchmarks.csv line 2, column benchmark_rate: expected a number above 0 and below 1",
    ),
    "experiment that ends before it starts": (
        experiment("checkout,web,,paid,2026-01-31,2026-01-01,2000"),
        "experiments.csv line 2, column ended_on: expected a date from started_on on, which is "
        "2026-01-31, found 2026-01-01.",
    ),
    "experiment without a control": (
        experiment(variants=("checkout,long,,0.5", "checkout,short,,0.5")),
        "experiments.csv line 2, column experiment_id: expected 2 to 12 variants in "
        "experiment_variants.csv, one of them the control, found 2, 0 of them with",
    ),
    "experiment whose shares do not add up": (
        experiment(variants=("checkout,long,true,0.5", "checkout,short,,0.4")),
        "experiment_variants.csv line 3, column planned_share: expected shares of 'checkout' that "
        "add up to 1, found 0.9.",
    ),
    "experiment by an unknown segment": (
        experiment("checkout,web,button,paid,2026-01-01,2026-01-31,2000"),
        "experiments.csv line 2, column segment_name: expected a segment that segments.csv "
        "declares for funnel 'web', found 'button'.",
    ),
    "variant of an unknown experiment": (
        experiment(variants=(*VARIANTS, "cart,x,,0.5")),
        "experiment_variants.csv line 4, column experiment_id: expected an experiment that "
        "experiments.csv declares, found 'cart'. Declared are checkout.",
    ),
    "assignment to an unknown variant": (
        experiment(assignment="checkout,u1,tiny"),
        "experiment_assignments.csv line 2, column variant: expected a variant that "
        "experiment_variants.csv declares for 'checkout', found 'tiny'.",
    ),
    "assignment beside a segment": (
        experiment(
            "checkout,web,channel,paid,2026-01-01,2026-01-31,2000", assignment="checkout,u1,short"
        ),
        "experiment_assignments.csv line 2, column experiment_id: expected an experiment without "
        "segment_name in experiments.csv, found 'checkout', whose variants are told by 'channel'.",
    ),
    "change of an unknown funnel": (
        {"changes": "change_name,funnel_id,changed_on\nNew form,shop,2026-01-01"},
        "changes.csv line 2, column funnel_id: expected a funnel that funnels.csv declares, found "
        "'shop'.",
    ),
    "missing required column": (
        edited("funnels", "order_mode", "tie_policy"),
        "funnels.csv line 1, column order_mode: expected this column, found the columns funnel_id,",
    ),
    "misspelt column": (
        edited("funnels", "window_hours", "window_hour"),
        "funnels.csv line 1, column window_hour: expected no other columns than funnel_id, "
        "funnel_name, subject_type, order_mode, entry_policy, count_by, window_hours, tie_policy, "
        "collapse_repeats, pipeline, hold_constant, found this column. Did you mean window_hours?",
    ),
    "column twice": (
        edited("funnels", "pipeline", "funnel_name"),
        "funnels.csv line 1, column funnel_name: expected each column once, found it twice.",
    ),
    "wrong delimiter": (
        {"calendar": "calendar_date;is_working_day\n2026-01-01;false\n"},
        "calendar.csv line 1, column calendar_date: expected this column, found the columns "
        "calendar_date;is_working_day. Add the column; columns are separated by commas.",
    ),
    "cell too many": (
        edited("calendar", "New Year", "New Year, again"),
        "calendar.csv line 2: expected 3 cells, as in the header, found 4.",
    ),
    "quote that is not closed": (
        edited("calendar", "New Year", '"New Year'),
        "calendar.csv line 2: expected comma separated values, found something else.",
    ),
    "empty required cell": (
        edited("segments", "channel,user", "channel,"),
        "segments.csv line 2, column subject_type: expected a value in every row, found none.",
    ),
    "missing funnels": (
        {"funnels": None},
        "funnels.csv: expected this table, found no such file.",
    ),
    "no funnel": (
        {"funnels": "funnel_id,subject_type,order_mode\n"},
        "funnels.csv line 1: expected at least one row, found none.",
    ),
    "ending of no kind": (
        declared("loss_endings", "1,,equals,price,gave_up"),
        "loss_endings.csv line 2, column ending: expected one of stopped_buying, "
        "chose_competitor, went_silent, found 'gave_up'.",
    ),
    "ending in an unknown funnel": (
        declared("loss_endings", "1,sails,equals,price,went_silent"),
        "loss_endings.csv line 2, column funnel_id: expected a funnel that funnels.csv declares, "
        "found 'sails'.",
    ),
    "ending by an expression that cannot be read": (
        declared("loss_endings", "1,,regex,(price,went_silent"),
        "loss_endings.csv line 2, column match_value: expected a regular expression",
    ),
    "two endings of one position": (
        declared("loss_endings", "1,,,price,went_silent", "1,,,late,went_silent"),
        "loss_endings.csv line 3, column rule_position: expected each rule_position once",
    ),
    "uplift in percent": (
        declared("win_back_measures", "sales,won,Visit,7,relative,"),
        "win_back_measures.csv line 2, column uplift: expected a number from 0 to 1, found '7'.",
    ),
    "uplift of no kind": (
        declared("win_back_measures", "sales,won,Visit,0.07,percent,"),
        "win_back_measures.csv line 2, column uplift_kind: expected one of relative, points, found",
    ),
    "measure on an unknown stage": (
        declared("win_back_measures", "sales,offer,Visit,0.07,points,"),
        "win_back_measures.csv line 2, column stage_id: expected a stage that funnel_stages.csv "
        "declares for funnel 'sales', found 'offer'.",
    ),
    "measure on the first stage": (
        declared("win_back_measures", "sales,prospect,Visit,0.07,points,"),
        "win_back_measures.csv line 2, column stage_id: expected a stage of the ladder behind its "
        "first, as the uplift is of the step into it, found 'prospect', the first.",
    ),
    "measure on a lost stage": (
        declared("win_back_measures", "sales,lost,Visit,0.07,points,"),
        "win_back_measures.csv line 2, column stage_id: expected a stage of the ladder behind its "
        "first, as the uplift is of the step into it, found 'lost', in which subjects are lost.",
    ),
    "measure tried on no day": (
        declared("win_back_measures", "sales,won,Visit,0.07,points,spring"),
        "win_back_measures.csv line 2, column tried_from: expected a date",
    ),
    "first contact within nothing": (
        declared("follow_up_agreement", "high,0,2,3,week,call"),
        "follow_up_agreement.csv line 2, column first_contact_hours: expected a number above 0 "
        "to 744, found '0'.",
    ),
    "more contacts at least than at most": (
        declared("follow_up_agreement", "high,24,3,2,week,call"),
        "follow_up_agreement.csv line 2, column contacts_to: expected at least contacts_from, "
        "which is 3, found 2.",
    ),
    "channel twice": (
        declared("follow_up_agreement", "high,24,2,3,week,call; call"),
        "follow_up_agreement.csv line 2, column channels: expected types of activities with a "
        "semicolon between them, each once, found 'call; call'.",
    ),
    "intent that is not agreed": (
        intent_rules("1,sales,tier,,equals,A,hot"),
        "intent_rules.csv line 2, column intent: expected an intent that follow_up_agreement.csv "
        "has, found 'hot'. Agreed are high.",
    ),
    "intent of what has no record": (
        intent_rules("1,web,tier,,equals,A,high"),
        "intent_rules.csv line 2, column funnel_id: expected a funnel whose subjects are leads or "
        "opportunities, found 'web', whose subjects are of type user.",
    ),
    "intent by an attribute and a stage": (
        intent_rules("1,sales,tier,prospect,equals,A,high"),
        "intent_rules.csv line 2, column attribute: expected either an attribute of the record or "
        "a stage_id, found both.",
    ),
    "intent by nothing": (
        intent_rules("1,sales,,,equals,A,high"),
        "intent_rules.csv line 2, column attribute: expected either an attribute of the record or "
        "a stage_id, found none of the two.",
    ),
    "intent by an attribute of any value": (
        intent_rules("1,sales,tier,,equals,,high"),
        "intent_rules.csv line 2, column match_value: expected the value of the attribute, found "
        "nothing.",
    ),
    "intent by a stage with a value": (
        intent_rules("1,sales,,prospect,equals,A,high"),
        "intent_rules.csv line 2, column match_value: expected nothing, as the rule names a stage",
    ),
    "intent by an unknown stage": (
        intent_rules("1,sales,,offer,,,high"),
        "intent_rules.csv line 2, column stage_id: expected a stage that funnel_stages.csv "
        "declares for funnel 'sales', found 'offer'.",
    ),
    "intent by a lost stage": (
        intent_rules("1,sales,,lost,,,high"),
        "intent_rules.csv line 2, column stage_id: expected a stage of the ladder, found 'lost'",
    ),
    "empty file": (
        {"calendar": "\n"},
        "calendar.csv line 1, column calendar_date: expected this column, found an empty file.",
    ),
}


@pytest.mark.parametrize(("replaced", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_refused_by_name(
    declare: Declare, replaced: dict[str, str | None], message: str
) -> None:
    """A mistake that is let through gives numbers that look right and are not."""
    mistakes = mistakes_in(declare(**replaced))
    assert any(mistake.startswith(message) for mistake in mistakes), "\n".join(mistakes)


@pytest.mark.parametrize("word", ["entry", "still_there", "ended", "abandoned", "any_exit", "all"])
def test_reserved_words_are_refused_as_stages(declare: Declare, word: str) -> None:
    """A stage named ended could not be told from the end of a journey in the matrix."""
    folder = declare(
        **edited("funnel_stages", "web,2,cart", f"web,2,{word}"),
        **edited("stage_rules", "web,cart", f"web,{word}"),
        funnel_exclusions=None,
    )
    (mistake,) = mistakes_in(folder)
    assert mistake.startswith("funnel_stages.csv line 3, column stage_id: expected another word")


@pytest.mark.parametrize(("stages", "refused"), [(32, False), (33, True)])
def test_ladder_has_at_most_32_stages(declare: Declare, stages: int, refused: bool) -> None:
    """The 33rd stage would overflow the numbers in which a journey's stages are kept."""
    numbers = range(1, stages + 1)
    ladder = [f"long,{number},s{number}" for number in numbers]
    rules = [f"long,s{number},event,e{number}" for number in numbers]
    folder = declare(
        funnels="funnel_id,subject_type,order_mode\nlong,user,ordered",
        funnel_stages="\n".join(["funnel_id,stage_position,stage_id", *ladder]),
        stage_rules="\n".join(["funnel_id,stage_id,rule_type,match_value", *rules]),
        funnel_exclusions=None,
    )
    if refused:
        (mistake,) = mistakes_in(folder)
        assert "expected at most 32 stages in funnel 'long', found 33." in mistake
    else:
        assert len(declarations.read(folder).tables["funnel_stages"]) == 32


def test_all_mistakes_are_listed_at_once(declare: Declare) -> None:
    """One mistake a run would cost its user a night for each."""
    folder = declare(
        **edited("sources", "Europe/Berlin", "Mars"),
        **edited("funnels", "best", "last"),
        **edited("segments", "channel", "all"),
        **edited("stage_rules", "web,cart", "web,basket"),
    )
    with pytest.raises(DeclarationError) as refused:
        declarations.read(folder)
    places = [(mistake.file, mistake.line) for mistake in refused.value.mistakes]
    assert places == [
        ("funnel_stages.csv", 3),
        ("funnels.csv", 2),
        ("segments.csv", 2),
        ("sources.csv", 2),
        ("stage_rules.csv", 3),
    ]
    assert str(refused.value).startswith(f"5 mistakes in the declarations in {folder}; nothing")


def test_unreadable_table_does_not_hide_behind_its_consequences(declare: Declare) -> None:
    """A misspelt header would be reported as one unknown funnel for every stage and rule."""
    folder = declare(**edited("funnels", "funnel_id", "funnel"))
    assert {mistake.split(" ")[0] for mistake in mistakes_in(folder)} == {"funnels.csv"}


def test_table_of_another_name_is_refused(declare: Declare) -> None:
    """The rules in stage_rule.csv would silently not apply."""
    folder = declare()
    (folder / "stage_rule.csv").write_text("funnel_id\n", encoding="utf-8")
    (mistake,) = mistakes_in(folder)
    assert mistake.endswith("found this file. Did you mean stage_rules.csv?")


def test_file_in_another_encoding_is_refused(declare: Declare) -> None:
    """Chinese names in another encoding would be published as other signs."""
    folder = declare()
    path = folder / "funnel_stages.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    (mistake,) = mistakes_in(folder)
    assert mistake.startswith("funnel_stages.csv line 2: expected text in UTF-8")


def test_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A misspelt FUNNEL_SEEDS would build a warehouse without funnels."""
    (mistake,) = mistakes_in(tmp_path / "nowhere")
    assert "FUNNEL_SEEDS" in mistake


def test_written_copy_holds_every_table_and_reads_as_the_same(
    declare: Declare, tmp_path: Path
) -> None:
    """dbt would build from other declarations than those that were checked."""
    copy = tmp_path / "copy"
    declared = declarations.read(declare(calendar=None))
    declarations.write(declared, copy)
    assert {path.name for path in copy.iterdir()} == {table.file for table in TABLES} | {
        "_seeds.yml"
    }
    again = declarations.read(copy)
    for table in TABLES:
        assert again.as_csv(table) == declared.as_csv(table)
    assert (copy / "calendar.csv").read_text() == CALENDAR_HEADER


def test_copy_that_would_not_change_is_left_alone(declare: Declare, tmp_path: Path) -> None:
    """A touched file would make dbt read the whole project again every night."""
    copy = tmp_path / "copy"
    declared = declarations.read(declare())
    declarations.write(declared, copy)
    before = {path.name: path.stat().st_ino for path in copy.iterdir()}
    declarations.write(declared, copy)
    assert {path.name: path.stat().st_ino for path in copy.iterdir()} == before


def test_empty_tables_never_replace_declared_ones(declare: Declare, tmp_path: Path) -> None:
    """Opening the user interface would empty the declarations under a running build."""
    copy = tmp_path / "copy"
    declarations.write(declarations.read(declare()), copy)
    (copy / "calendar.csv").unlink()
    declarations.write_empty(copy)
    assert "web" in (copy / "funnels.csv").read_text()
    assert (copy / "calendar.csv").read_text() == CALENDAR_HEADER
