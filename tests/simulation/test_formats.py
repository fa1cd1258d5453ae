"""The same company delivered by other systems gives the same funnels.

Four warehouses of one company, one for each format, all with the shipped funnels. Row for row and
in all columns their tables are those of the generic extracts, but for what stands in `LOSSES`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.dbt import PROJECT
from simulation import company
from simulation.__main__ import main
from simulation.company import SimulationError, declarations_of, generate
from simulation.formats import FORMATS, GENERIC
from simulation.parameters import LEAD_PROCESS, Dirt, Parameters
from tests.support.warehouse import build_warehouse

pytestmark = pytest.mark.slow

# Over the change of clocks in two zones and the renaming of a stage. Salesforce does not know the
# status that a lead was created in: here it is the first, and lasts for more than an instant.
COMPANY = Parameters(
    visitors_per_day=40,
    lead_process=replace(LEAD_PROCESS, entry={"New": 1.0}, instant_share=0.0),
    # So small a company needs more dirt to have some of each kind.
    dirt=Dirt(
        repeated_changes=0.02,
        deleted_records=0.05,
        merged_records=0.15,
        broken_events=0.0005,
    ),
)
START, DAYS, AS_OF = date(2025, 10, 18), 47, datetime(2025, 12, 4)
OTHERS = [name for name in FORMATS if name != GENERIC.name]
SUBJECTS = ("subject_id", "person_id", "first_person_id")


@dataclass(frozen=True)
class Loss:
    """What a system cannot tell: columns of a table, where a condition holds; else of all rows."""

    table: str
    columns: tuple[str, ...]
    where: str
    why: str


# The same facts stand in docs/sources/simulated-company.md, for readers.
OF_ALL = (
    Loss(
        "control_totals",
        (),
        "scope_type in ('clock', 'delivery', 'table')",
        "whose tables are counted",
    ),
    Loss("identity_ties", ("source",), "true", "what the sources are called"),
)
_FIRST_OF_LEADS = "stage_id in ('new', 'awareness')"
_FIRST_OF_DEALS = "stage_id in ('target', 'intent')"
# The close date of a closed deal is the day of its closing; when it was expected to close before,
# its changes alone tell.
_BY_EXPECTED_CLOSE = ("declared_weights", "transition_matrix")
# What happened to leads is told otherwise, and so the number of what happened later is another.
_LEADS_IN_CRM = (
    Loss(
        "fct_events", (), "event_type = 'lead_status'", "its leads have an account once converted"
    ),
    Loss("fct_events", ("event_number",), "true", "the same"),
    Loss("fct_stage_entries", ("event_number",), "true", "the same"),
)
_EXPECTED_CLOSES = (
    Loss(
        "pipeline_changes",
        ("expected_close_date", "expected_close_date_before", "change_number"),
        "true",
        "this: the closing changes the date, too, which is a state of its own",
    ),
    Loss("pipeline_daily", (), "left(segment_name, 6) = 'close_'", "the same"),
    Loss("pipeline_movements", (), "left(segment_name, 6) = 'close_'", "the same"),
    Loss("pipeline_deals", (), "left(segment_name, 6) = 'close_'", "the same"),
    Loss("pipeline_deals", ("expected_close_date", "state_number"), "true", "the same"),
    Loss("pipeline_moves", (), "left(segment_name, 6) = 'close_'", "the same"),
    Loss(
        "pipeline_moves",
        ("expected_close_date", "expected_close_date_before", "state_number"),
        "true",
        "the same",
    ),
    Loss("pipeline_coverage", (), "true", "the same"),
    Loss("forecast_calibration", (), f"method in {_BY_EXPECTED_CLOSE}", "the same"),
    Loss(
        "forecast_methods",
        ("judged_deals", "brier_score"),
        f"method in {_BY_EXPECTED_CLOSE}",
        "the same",
    ),
)

LOSSES: Mapping[str, tuple[Loss, ...]] = {
    "generic": (),
    "salesforce": (
        Loss(
            "fct_stage_visits",
            ("evidence",),
            _FIRST_OF_LEADS,
            "the first status of a lead is known from the change that left it: it is imputed",
        ),
        Loss("fct_journey_stages", ("evidence",), _FIRST_OF_LEADS, "the same"),
        Loss("fct_stage_entries", ("evidence", "event_name"), _FIRST_OF_LEADS, "the same"),
        Loss(
            "fct_stage_visits",
            ("entries",),
            _FIRST_OF_DEALS,
            "deals are not merged: the second is deleted, and its first stage with it",
        ),
        Loss(
            "control_totals",
            ("counted",),
            "measure in ('stage_entries', 'records_deleted', 'records_merged')",
            "the same",
        ),
        *_EXPECTED_CLOSES,
        *_LEADS_IN_CRM,
        Loss(
            "pipeline_changes",
            (),
            "deal_id like '%O2510300000006-1%'",
            "the second of two deals is one of its own until it is deleted, on the same day",
        ),
        Loss("pipeline_deals", (), "deal_id like '%O2510300000006-1%'", "the same"),
        Loss("pipeline_moves", (), "deal_id like '%O2510300000006-1%'", "the same"),
        Loss("pipeline_movements", (), "movement_date = '2025-11-12'", "the same"),
        Loss(
            "pipeline_daily",
            ("deals_in", "deals_out", "amount_in", "amount_out"),
            "snapshot_date = '2025-11-12'",
            "the same",
        ),
    ),
    "hubspot": (
        Loss(
            "fct_stage_visits",
            ("entries",),
            "stage_id in ('key_prospect', 'intent')",
            "its history of stages has no row for a new amount in a stage",
        ),
        Loss(
            "fct_stage_visits",
            ("entries", "evidence"),
            f"{_FIRST_OF_LEADS} or {_FIRST_OF_DEALS}",
            "what was merged has no history of its own: it entered the first stage once more",
        ),
        Loss(
            "fct_stage_entries",
            (),
            f"evidence = 'imputed' and ({_FIRST_OF_LEADS} or {_FIRST_OF_DEALS})",
            "the same",
        ),
        Loss(
            "control_totals",
            ("counted",),
            "measure in ('stage_entries', 'subjects_with_ties')",
            "both",
        ),
        Loss("dim_persons", ("contacts",), "true", "a lead is a contact"),
        Loss("identity_ties", (), "identifier_type = 'contact_id'", "the same"),
        Loss(
            "after_drop_off",
            ("next_name",),
            "next_name in ('demo', 'meeting')",
            "a demonstration is a meeting",
        ),
        Loss("next_steps", (), "next_name in ('demo', 'meeting')", "the same"),
        Loss("conversion_drivers", (), "factor_value in ('demo', 'meeting')", "the same"),
        Loss(
            "conversion_drivers",
            ("tests", "q_value"),
            "funnel_id in ('lead_qualification', 'sales_pipeline')",
            "so there is another number of rows to correct for",
        ),
        *_EXPECTED_CLOSES,
        *_LEADS_IN_CRM,
        Loss(
            "pipeline_changes",
            (),
            "deal_id like '%O2510300000006-1%'",
            "of a deal that absorbed another and was deleted since, nothing is delivered",
        ),
        Loss("pipeline_deals", (), "deal_id like '%O2510300000006-1%'", "the same"),
        Loss("pipeline_moves", (), "deal_id like '%O2510300000006-1%'", "the same"),
        Loss("pipeline_deals", (), "segment_name = 'branch'", "owners have no region"),
        Loss("pipeline_moves", (), "segment_name = 'branch'", "the same"),
        Loss(
            "pipeline_movements",
            (),
            "movement_date between '2025-11-11' and '2025-11-28'",
            "the same",
        ),
        Loss(
            "pipeline_daily",
            (),
            "snapshot_date between '2025-11-11' and '2025-11-28'",
            "the same",
        ),
        Loss("pipeline_daily", (), "segment_name = 'branch'", "owners have no region"),
        Loss("pipeline_movements", (), "segment_name = 'branch'", "the same"),
        Loss("owner_performance", (), "level = 'branch'", "the same"),
        Loss("open_opportunities_ranked", ("manager_id",), "true", "owners have no manager"),
    ),
    "segment": (
        Loss(
            "page_exits",
            (),
            "true",
            "of a page and another event of one instant, nothing tells which came first: they are"
            " in tables of their own",
        ),
        Loss("dim_sessions", ("session_id",), "true", "its sessions are numbers of the device"),
        Loss("fct_events", ("session_id",), "true", "the same"),
    ),
    "snowplow": (),
    "ga4": (
        Loss("dim_sessions", ("session_id",), "true", "its sessions are numbers of the device"),
        Loss("fct_events", ("session_id",), "true", "the same"),
    ),
}


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The database of each format."""
    folder = tmp_path_factory.mktemp("formats")
    return {form: build(folder / form, form) for form in FORMATS}


def build(folder: Path, form: str) -> Path:
    """Let the company deliver in a format, and build a warehouse of it."""
    landing = folder / "landing"
    generate(landing, start=START, days=DAYS, seed=5, parameters=COMPANY, form=form)
    seeds = folder / "seeds"
    shutil.copytree(PROJECT / "seeds" if form == GENERIC.name else declarations_of(landing), seeds)
    # What was known on past dates is the most of a build's time, and is worked out by the same SQL.
    (seeds / "known_on_dates.csv").write_text("known_on\n", encoding="utf-8")
    return build_warehouse(
        landing,
        seeds,
        folder / "home",
        as_of=AS_OF,
        with_tests=False,
    )


class Comparison:
    """The tables of the generic extracts and of another format, in the same words."""

    def __init__(self, expected: Path, found: Path, form: str) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        self._losses = [
            *OF_ALL,
            *(loss for system in FORMATS[form].systems.values() for loss in LOSSES[system]),
        ]
        names = FORMATS[form].event_names, FORMATS[form].lead_stages, FORMATS[form].event_attributes
        pairs = ", ".join(f"'{own}': '{name}'" for of in names for name, own in of.items())
        self._connection.execute(
            f"create macro own_name(name) as coalesce(map {{'': '', {pairs}}}[name], name)"
        )
        # Keys bear the name of their source; those of HubSpot's leads tell that it is a contact.
        self._connection.execute(
            "create macro own_key(key) as regexp_replace(key, 'crm:(contact:)?|web:', '', 'g')"
        )
        for side, database in (("expected", expected), ("found", found)):
            self._connection.execute(f"attach '{database}' as {side} (read_only)")
            # A person without a user or device is named by the least of the keys of its records.
            self._connection.execute(
                f"""
                create table {side}_persons as
                select
                    person_id,
                    'record:' || min(own_key(identifier)) as name,
                from {side}.intermediate.int_person_identifiers
                where identifier_type = 'record_id' and person_id like 'record:%'
                group by person_id
                """
            )

    def tables(self) -> list[str]:
        """The published tables, as schema.table."""
        rows = self._connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where database_name = 'expected' and schema_name in ('core', 'marts') order by all"
        ).fetchall()
        return [str(name) for (name,) in rows]

    def rows(self, table: str) -> int:
        """How many rows the table of the generic extracts has."""
        found = self._connection.execute(f"select count(*) from expected.{table}").fetchone()
        assert found is not None
        return int(found[0])

    def difference(self, table: str) -> str:
        """The first rows that only one side has, as text; empty if there are none."""
        expected, found = (
            self._in_same_words("expected", table),
            self._in_same_words("found", table),
        )
        both_ways = f"""
            select 'only generic' as side, * from ({expected} except all {found})
            union all
            select 'only other' as side, * from ({found} except all {expected})
        """
        total = self._connection.execute(f"select count(*) from ({both_ways})").fetchone()
        assert total is not None
        if not total[0]:
            return ""
        rows = self._connection.execute(
            f"select * exclude (side), side from ({both_ways}) order by all limit 6"
        )
        names = [name for name, *_ in rows.description or ()]
        lines = [
            ", ".join(f"{name} {cell}" for name, cell in zip(names, row, strict=True))
            for row in rows.fetchall()
        ]
        return "\n  ".join([f"{table}: {total[0]} rows differ, among them", *lines])

    def _in_same_words(self, side: str, table: str) -> str:
        columns = self._connection.execute(
            f"select column_name, column_type from (describe expected.{table})"
        ).fetchall()
        losses = [loss for loss in self._losses if loss.table == table.split(".")[1]]
        selected = ", ".join(
            self._spelled(name, type_, table, losses) + f' as "{name}"' for name, type_ in columns
        )
        subject = next((name for name, _ in columns if name in SUBJECTS), None)
        persons = (
            f"left join {side}_persons as persons on told.{subject} = persons.person_id"
            if subject
            else ""
        )
        dropped = [loss.where for loss in losses if not loss.columns]
        kept = " and ".join(f"not coalesce({where}, false)" for where in dropped) or "true"
        return f"(select {selected} from {side}.{table} as told {persons} where {kept})"

    def _spelled(self, column: str, type_: str, table: str, losses: list[Loss]) -> str:
        spelled = f"told.{column}"
        if column in SUBJECTS:
            spelled = f"coalesce(persons.name, own_key({spelled}))"
        elif column in ("next_name", "evidence_name", "event_name", "factor_value") or (
            column,
            table,
        ) == ("attribute", "core.dim_segments"):
            spelled = f"own_name({spelled})"
        elif type_ == "VARCHAR":
            spelled = f"own_key({spelled})"
        for loss in losses:
            if column in loss.columns:
                spelled = f"case when not coalesce({loss.where}, false) then {spelled} end"
        return spelled

    def close(self) -> None:
        """Let go of both databases."""
        self._connection.close()


@pytest.fixture(scope="module", params=OTHERS)
def comparison(
    request: pytest.FixtureRequest, warehouses: Mapping[str, Path]
) -> Iterator[Comparison]:
    """The generic extracts against each other format."""
    compared = Comparison(warehouses["generic"], warehouses[request.param], request.param)
    yield compared
    compared.close()


def test_every_format_gives_the_tables_of_the_generic_extracts(comparison: Comparison) -> None:
    """Prevents numbers that hang on which system or connector a company happens to use."""
    tables = comparison.tables()
    empty = {table for table in tables if comparison.rows(table) == 0}
    # Nobody else tells of the shop's orders, no past date is asked for, no quarter is over, and too
    # few customers came again.
    assert empty == {
        "core.order_differences",
        "marts.customer_value_backtest",
        "marts.funnel_conversion_known_on",
        "marts.quarterly_review",
    }
    differences = [comparison.difference(table) for table in tables]
    assert "\n".join(filter(None, differences)) == ""


def test_every_funnel_has_journeys_to_its_end(warehouses: Mapping[str, Path]) -> None:
    """Prevents the comparison from passing on funnels that nobody enters."""
    with duckdb.connect(str(warehouses["generic"]), read_only=True) as tables:
        funnels = tables.execute(
            """
            select funnels.funnel_id, funnels.stages, max(journeys.furthest_stage_position)
            from core.dim_funnels as funnels
            inner join core.fct_journeys as journeys using (funnel_id)
            group by all
            """
        ).fetchall()
    assert len(funnels) == 7
    for funnel_id, stages, furthest in funnels:
        assert furthest == stages, funnel_id


@pytest.mark.parametrize("form", OTHERS)
def test_dirt_is_delivered_by_every_system(warehouses: Mapping[str, Path], form: str) -> None:
    """Prevents a format from being so tidy that its quarantine is never put to work."""

    def unfit_events(of: str) -> int:
        with duckdb.connect(str(warehouses[of]), read_only=True) as tables:
            found = tables.execute(
                """
                select count(*)
                from (
                    select table_name, reason from raw.quarantined_rows
                    union all
                    select table_name, reason from staging.stg_quarantined_rows
                )
                where
                    table_name in ('events', 'tracks', 'pages')
                    -- GA4 numbers its instants, and no number is 30 February.
                    and (reason != 'nonexistent_date' or ? not like '%ga4')
                """,
                [form],
            ).fetchone()
        assert found is not None
        return int(found[0])

    assert unfit_events(form) == unfit_events("generic") > 4


def test_a_format_that_nobody_knows_is_refused_by_name(tmp_path: Path) -> None:
    """Prevents a misspelt format from becoming generic extracts without a word."""
    with pytest.raises(SimulationError, match="format: expected one of generic, salesforce-segm"):
        generate(tmp_path, days=1, form="hubspot")


@pytest.mark.parametrize("form", OTHERS)
def test_days_that_are_added_are_those_of_a_company_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Prevents a spelling that looks at more than the rows of its day."""

    def contents(landing: Path) -> dict[str, bytes]:
        return {
            path.relative_to(landing).as_posix(): path.read_bytes()
            for source in FORMATS[form].systems
            for path in (landing / source).rglob("*.*")
        }

    company_of: dict[str, Any] = {"start": START, "seed": 5, "parameters": COMPANY, "form": form}
    generate(tmp_path / "whole", days=30, **company_of)
    # A few cohorts at a time, and in two calls.
    monkeypatch.setattr(company, "_VISITORS_AT_ONCE", 200)
    generate(tmp_path / "grown", days=17, **company_of)
    generate(tmp_path / "grown", days=30, **company_of)
    whole = contents(tmp_path / "whole")
    assert len(whole) > 200
    assert contents(tmp_path / "grown") == whole


def test_days_are_added_in_the_format_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prevents a company from changing its systems between two nights."""
    asked = ["--landing", str(tmp_path), "--visitors-per-day", "20"]
    assert main([*asked, "--days", "2", "--format", "hubspot-snowplow"]) == 0
    assert f"FUNNEL_SEEDS={tmp_path / '_simulation' / 'seeds'}" in capsys.readouterr().out
    assert main(["--landing", str(tmp_path), "--more-days", "1"]) == 0
    assert len(list((tmp_path / "web" / "events").iterdir())) == 3
    assert main(["--landing", str(tmp_path), "--more-days", "1", "--format", "generic"]) == 1
    assert "another format: expected 'generic', found 'hubspot-snowplow'" in capsys.readouterr().err
