"""Every gate is seen failing on a planted defect, and passing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from expectations import core, marts, raw, staging
from expectations.engine import Finding, run_suite
from expectations.rules import Rule
from tests.expectations.conftest import PlantedBuild

SUITES = {
    "raw": raw.rules(max_quarantine_share=0.05, as_of=None),
    "staging": staging.rules(max_quarantine_share=0.05),
    "core": core.rules(),
    "marts": marts.rules(),
}
RULES = {rule.gate: rule for rules in SUITES.values() for rule in rules}


@dataclass(frozen=True)
class Defect:
    """A defect to plant, the gate that must find it, and how it must tell what it found."""

    rule: str
    gate: str
    plant: str
    observed: str


DEFECTS = [
    Defect(
        "raw.control_total",
        "raw.control_total.web.events",
        "delete from raw_generic.events where _load_id = 'web-7' and _row <= 30",
        "91,200 rows read; 90,258 in the view, 912 in quarantine and 0 suppressed",
    ),
    Defect(
        "raw.control_total",
        "raw.control_total.crm.records",
        "insert into raw_generic.records select * from raw_generic.records",
        "50 rows read; 100 in the view, 0 in quarantine and 0 suppressed",
    ),
    Defect(
        "raw.quarantined_share",
        "raw.quarantined_share.crm.records",
        "update raw.loads set rows_quarantined = 26, rows_loaded = 24 where source = 'crm'",
        "52.00% (26 of 50 rows)",
    ),
    Defect(
        "raw.quarantined_share_of_a_day",
        "raw.quarantined_share_of_a_day.web.events",
        "update raw.loads set rows_quarantined = 500 where load_id = 'web-51'",
        "25.00% on 2024-02-21 of a day's rows",
    ),
    # The 28th of February is a Wednesday, on which 2,000 rows are usual; the last Sunday had 200.
    Defect(
        "raw.volume",
        "raw.volume.web.events",
        "update raw.loads set rows_read = 0 where load_id = 'web-59'",
        "0 rows on 2024-02-29",
    ),
    Defect(
        "raw.volume",
        "raw.volume.web.events",
        "update raw.loads set rows_read = 389 where load_id = 'web-58'",
        "389 rows on 2024-02-28",
    ),
    Defect(
        "raw.volume",
        "raw.volume.web.events",
        "update raw.loads set rows_read = 10011 where load_id in ('web-57', 'web-59')",
        "10,011 rows on 2024-02-27, 10,011 rows on 2024-02-29",
    ),
    Defect(
        "raw.freshness",
        "raw.freshness.web.events",
        "delete from raw.loads where load_id in ('web-56', 'web-57', 'web-58', 'web-59')",
        "last delivered on 2024-02-25",
    ),
    Defect(
        "raw.vanished",
        "raw.vanished.crm.records",
        "update raw.loads set is_current = false where source = 'crm'",
        "0 of 1 loaded files count",
    ),
    Defect(
        "staging.control_total",
        "staging.control_total.web.events",
        "update staging.stg_row_counts set rows_kept = 899 where source = 'web'",
        "1,000 rows delivered; 899 kept, 50 repeated, 10 quarantined at loading and 40 in staging",
    ),
    Defect(
        "staging.quarantined_share",
        "staging.quarantined_share.web.events",
        "update staging.stg_row_counts set rows_quarantined_in_staging = 51 where source = 'web'",
        "5.10% (51 of 1,000 rows)",
    ),
    # 44 working days with 495 such rows and 16 others with 49.
    Defect(
        "staging.ambiguous_time_share",
        "staging.ambiguous_time_share.web",
        "update staging.stg_events set is_ambiguous_time = source_row % 4 = 0",
        "24.99% (22,564 of 90,288 events)",
    ),
    # Of 1,980 events a day 190 are payments, 90 of them in the rows from 1,090 on.
    Defect(
        "staging.event_share",
        "staging.event_share.web.payment",
        "update staging.stg_events set event_name = 'Payment' "
        "where event_name = 'payment' and delivered_at = '2024-02-29'",
        "payment: 0.00% on 2024-02-29",
    ),
    Defect(
        "staging.event_share",
        "staging.event_share.web.payment",
        "update staging.stg_events set event_name = 'payment' "
        "where source_row <= 1089 and delivered_at = '2024-02-28'",
        "payment: 59.55% on 2024-02-28",
    ),
    Defect(
        "staging.share_without_user",
        "staging.share_without_user.web",
        "update staging.stg_events set user_id = null where delivered_at = '2024-02-29'",
        "100.00% on 2024-02-29 of the events have no user",
    ),
    Defect(
        "core.control_total",
        "core.control_total.events",
        "update intermediate.int_control_totals set rows_accounted = 849 where measure = 'events'",
        "events of all funnels: 850 rows in, 849 accounted for",
    ),
    Defect(
        "core.control_total",
        "core.control_total.web.entries",
        "update intermediate.int_control_totals set rows_accounted = 9317 where funnel_id = 'web'",
        "entries of web: 9,316 rows in, 9,317 accounted for",
    ),
    Defect(
        "core.journeys",
        "core.journeys.sales",
        "delete from core.fct_journeys where funnel_id = 'sales'",
        "0 journeys from 35 visits that may start one",
    ),
    # 50 of 950 are excluded as it is.
    Defect(
        "core.excluded_share",
        "core.excluded_share.web",
        "update intermediate.int_subject_states set subject_state = 'excluded' "
        "where subject_state = 'with_journeys' and regexp_matches(subject_id, '[1-6]$')",
        "62% of the subjects that could start are excluded",
    ),
    Defect(
        "core.undated_share",
        "core.undated_share.web",
        "update core.fct_journeys set entered_at = null where right(subject_id, 1) <> '0'",
        "90% of all journeys are undated",
    ),
    Defect(
        "core.unknown_amount_share",
        "core.unknown_amount_share.web",
        "update core.fct_journeys set amount = null where subject_id not like '%-16'",
        "75% of the won journeys have no amount",
    ),
    Defect(
        "core.stage_visits",
        "core.stage_visits.web.cart",
        "delete from core.fct_stage_visits where stage_id = 'cart' and entered_at >= '2024-02-23'",
        "0 visits in the last seven days",
    ),
    Defect(
        "marts.empty",
        "marts.empty.cycle_times",
        "delete from marts.cycle_times where funnel_id = 'sales'",
        "funnels missing: 1 of 2 (sales)",
    ),
    Defect(
        "marts.journeys_total",
        "marts.journeys_total.web",
        "update marts.funnel_conversion set entered = entered + 1 where cohort_grain = 'month' "
        "and cohort_date = '2024-01-01' and segment_value = 'all'",
        "breakdowns of 5,480 journeys that do not add up: 1 "
        "(all by month has 5481 instead of 5480)",
    ),
    Defect(
        "marts.journeys_total",
        "marts.journeys_total.web",
        "delete from core.fct_journey_segments where subject_id = 'visitor-0-0'",
        "breakdowns of 5,480 journeys that do not add up: 6 "
        "(channel by all has 5480 instead of 5479)",
    ),
    Defect(
        "marts.journeys_total",
        "marts.journeys_total.sales",
        "delete from marts.funnel_conversion where funnel_id = 'sales' and cohort_grain = 'week'",
        "breakdowns of 20 journeys that do not add up: 1 (all by week has 0 instead of 15)",
    ),
    Defect(
        "marts.outcomes_total",
        "marts.outcomes_total.sales",
        "update marts.drop_off_points set lost = 9, still_open = 6 "
        "where funnel_id = 'sales' and lost = 10",
        "won 5, lost 9, abandoned 0, open 6",
    ),
    Defect(
        "marts.visits_total",
        "marts.visits_total.sales",
        "update marts.conversion_matrix set transitions = 34 "
        "where funnel_id = 'sales' and transitions = 20 and from_stage_id = 'offer'",
        "49 transitions out of stages and 20 entries",
    ),
    Defect(
        "marts.visits_total",
        "marts.visits_total.sales",
        "delete from marts.conversion_matrix where funnel_id = 'sales' and from_stage_id = 'entry'",
        "35 transitions out of stages and 0 entries",
    ),
    Defect(
        "marts.lost_amount_total",
        "marts.lost_amount_total.sales",
        "update marts.drop_off_points set amount_lost = amount_lost * 1.1",
        "550.0000 lost",
    ),
    Defect(
        "marts.drop_offs_total",
        "marts.drop_offs_total.sales",
        "update marts.after_drop_off set journeys = 9 where funnel_id = 'sales'",
        "9 journeys with what came next",
    ),
    Defect(
        "marts.funnel_shape",
        "marts.funnel_shape.web.paid",
        "update marts.funnel_conversion set reached = 0, overall_rate = 0, overall_rate_low = 0, "
        "overall_rate_high = 0.01 where stage_id = 'paid' and cohort_date = '2024-01-01'",
        "0.00% of the journeys of 2024-01 got there (0 of 620)",
    ),
]


def _run(rules: Sequence[Rule], build: Path) -> dict[str, Finding]:
    return {finding.gate: finding for finding in run_suite("layer", rules, build).findings}


@pytest.mark.parametrize("layer", SUITES)
def test_a_sound_build_passes(layer: str, sound_build: Path) -> None:
    """Prevents gates that wake somebody for nothing, and gates that judge nothing at all."""
    findings = run_suite(layer, SUITES[layer], sound_build).findings
    assert [finding.gate for finding in findings if not finding.is_met] == []
    judged = {finding.rule.gate for finding in findings if finding.rule.is_judged(finding.row)}
    assert judged == {rule.gate for rule in SUITES[layer]}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.gate}-{defect.observed}")
def test_a_planted_defect_is_found(defect: Defect, planted_build: PlantedBuild) -> None:
    """Prevents a gate that cannot fail, and a failure that does not tell what was found where."""
    build = planted_build(defect.plant)
    finding = _run([RULES[defect.rule]], build)[defect.gate]
    assert not finding.is_met
    assert finding.rule.observed_text(finding.row) == defect.observed
    assert finding.rule.expected_text(finding.row)
    with duckdb.connect(str(build), read_only=True) as connection:
        connection.execute(finding.rule.offending_query(finding.row)).fetchall()


def test_every_rule_has_been_seen_failing() -> None:
    """Prevents a rule that is added without a defect to try it on."""
    assert {defect.rule for defect in DEFECTS} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "gate", "plant"),
    [
        pytest.param(
            "raw.volume",
            "raw.volume.web.events",
            "update raw.loads set rows_read = 400 where load_id = 'web-59'",
            id="a holiday brings a fifth",
        ),
        pytest.param(
            "raw.volume",
            "raw.volume.web.events",
            "update raw.loads set rows_read = rows_read * 4 where load_id >= 'web-54'",
            id="a launch brings four times as much",
        ),
        pytest.param(
            "raw.volume",
            "raw.volume.web.events",
            "update raw.loads set rows_read = rows_read // 40",
            id="a small table has an empty day",
        ),
        pytest.param(
            "raw.freshness",
            "raw.freshness.crm.records",
            "update raw.loads set delivered_at = '2022-01-01' where source = 'crm'",
            id="a table that was delivered once is old",
        ),
        pytest.param(
            "raw.freshness",
            "raw.freshness.web.events",
            "delete from raw.loads where load_id in ('web-57', 'web-58', 'web-59') "
            "or source = 'crm'",
            id="the whole landing is old",
        ),
        pytest.param(
            "raw.freshness",
            "raw.freshness.web.events",
            "delete from raw.loads where load_id in ('web-54', 'web-55', 'web-58', 'web-59')",
            id="the weekends are free and a file is a day late",
        ),
        pytest.param(
            "raw.freshness",
            "raw.freshness.web.events",
            "update raw.loads set is_current = false "
            "where load_id in ('web-56', 'web-57', 'web-58', 'web-59')",
            id="the same list comes again and again",
        ),
        pytest.param(
            "staging.event_share",
            "staging.event_share.web.visit",
            "delete from staging.stg_events "
            "where source_row > 1000 and delivered_at = '2024-02-29'",
            id="a quiet day with the usual mix",
        ),
        pytest.param(
            "staging.event_share",
            "staging.event_share.web.new_tour",
            "update staging.stg_events set event_name = 'new tour' "
            "where source_row > 1000 and delivered_at >= '2024-02-28'",
            id="a new event is launched",
        ),
        pytest.param(
            "staging.ambiguous_time_share",
            "staging.ambiguous_time_share.web",
            "delete from staging.stg_events where event_id not in ("
            "select event_id from staging.stg_events where is_ambiguous_time limit 10)",
            id="ten events of an ambiguous hour are all there is",
        ),
        pytest.param(
            "staging.ambiguous_time_share",
            "staging.ambiguous_time_share.web",
            "delete from staging.stg_events where delivered_at < '2024-02-28'; "
            "update staging.stg_events set is_ambiguous_time = true",
            id="the landing has only the night in which summer time ends",
        ),
        pytest.param(
            "core.undated_share",
            "core.undated_share.web",
            "update core.fct_journeys set entered_at = null",
            id="a source without dates",
        ),
        pytest.param(
            "core.journeys",
            "core.journeys.sales",
            "delete from core.fct_journeys where funnel_id = 'sales'; "
            "delete from core.fct_stage_visits where funnel_id = 'sales'",
            id="a funnel whose source is not delivered",
        ),
        pytest.param(
            "core.unknown_amount_share",
            "core.unknown_amount_share.web",
            "update core.fct_journeys set amount = null",
            id="a funnel without amounts",
        ),
        pytest.param(
            "core.stage_visits",
            "core.stage_visits.web.visit",
            "delete from core.fct_stage_visits where entered_at >= '2024-02-23'; "
            "update raw.loads set delivered_at = '2024-02-29'",
            id="a landing that was delivered in one go ends oddly",
        ),
        pytest.param(
            "marts.funnel_shape",
            "marts.funnel_shape.web.paid",
            "update marts.funnel_conversion set overall_rate = 0, overall_rate_high = 0.01 "
            "where stage_id = 'paid' and cohort_date = '2024-01-01'; "
            "update raw.loads set delivered_at = '2024-02-29'",
            id="a landing that was delivered in one go changes its shape",
        ),
        pytest.param(
            "marts.funnel_shape",
            "marts.funnel_shape.web.paid",
            "update marts.funnel_conversion set overall_rate = 0.11, overall_rate_high = 0.13 "
            "where stage_id = 'paid' and cohort_date = '2024-01-01'",
            id="a month converts little more than half",
        ),
    ],
)
def test_what_is_usual_wakes_nobody(
    rule: str, gate: str, plant: str, planted_build: PlantedBuild
) -> None:
    """Prevents false alarms: weekends, holidays, launches, small numbers, static landings."""
    assert _run([RULES[rule]], planted_build(plant))[gate].is_met


def test_a_broken_day_still_fails_after_a_sound_one(planted_build: PlantedBuild) -> None:
    """Prevents a broken delivery from being published one night later, beside a sound one."""
    build = planted_build(
        "update raw.loads set rows_read = 0 where load_id = 'web-52'",
        "update staging.stg_events set user_id = null, event_name = 'visit' "
        "where delivered_at = '2024-02-22'",
    )
    findings = _run([*SUITES["raw"], *SUITES["staging"]], build)
    for gate in (
        "raw.volume.web.events",
        "staging.event_share.web.payment",
        "staging.share_without_user.web",
    ):
        assert not findings[gate].is_met, gate
        assert "2024-02-22" in findings[gate].rule.observed_text(findings[gate].row)


@pytest.mark.parametrize(
    ("found_on", "is_met"),
    [
        pytest.param("timestamp '2024-02-29'", True, id="all found at once: nothing is late"),
        pytest.param("delivered_at", False, id="found day by day: the present counts"),
    ],
)
def test_a_landing_falls_silent(found_on: str, is_met: bool, planted_build: PlantedBuild) -> None:
    """Prevents that nobody hears when all deliveries stop, or that an old landing never passes."""
    build = planted_build(f"update raw.loads set first_seen_at = {found_on}")
    rules = raw.rules(max_quarantine_share=0.05, as_of=datetime(2024, 3, 10))
    freshness = next(rule for rule in rules if rule.gate == "raw.freshness")
    assert _run([freshness], build)["raw.freshness.web.events"].is_met is is_met
