"""Nights that work out what is new alone end with the tables that a rebuild gives, row for row."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.backfill import ask_again
from orchestration.declarations import read
from orchestration.settings import Settings
from orchestration.verify import VerifyError, verify
from simulation.company import generate
from simulation.parameters import Parameters
from tests.support.warehouse import build_warehouse, load_night

COMPANY = Parameters(visitors_per_day=40)
START, DAYS = date(2025, 9, 1), 24
# An as-of that goes back.
EARLIER = datetime(2025, 9, 20)
SEEDS = Path(__file__).resolve().parents[2] / "seeds"


class Company:
    """A small simulated company with a warehouse of its own."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.seeds = folder / "seeds"
        self.home = folder / "home"
        shutil.copytree(SEEDS, self.seeds)

    @property
    def settings(self) -> Settings:
        """Where its state is."""
        return Settings.from_environment(
            {
                "FUNNEL_LANDING": str(self.landing),
                "FUNNEL_SEEDS": str(self.seeds),
                "FUNNEL_HOME": str(self.home),
            }
        )

    def deliver(self, days: int) -> None:
        """Let it have delivered that many days in all."""
        generate(self.landing, start=START, days=days, seed=11, parameters=COMPANY)

    def night(self, as_of: datetime | None = None) -> None:
        """One night, without tests of rows."""
        build_warehouse(self.landing, self.seeds, self.home, as_of=as_of, with_tests=False)

    def night_that_dies_behind(self, model: str) -> None:
        """A night that comes no further than a model of the core."""
        build_warehouse(self.landing, self.seeds, self.home, with_tests=False, select=[f"+{model}"])

    def value(self, query: str) -> int:
        """The only value of a query on the build."""
        with duckdb.connect(str(self.settings.build), read_only=True) as connection:
            found = connection.execute(query).fetchone()
        assert found is not None
        return int(found[0])

    def differences(self) -> list[str]:
        """The tables that are not those of a rebuild."""
        tables = verify(self.settings, lambda line: None)
        assert sum(table.rows for table in tables) > 10_000
        return [
            f"{table.table}: {table.only_kept} only kept, {table.only_rebuilt} only rebuilt"
            for table in tables
            if not table.is_equal
        ]

    def touched_share(self) -> float:
        """The share of subjects that the last night worked out."""
        touched = self.value("select count(*) from intermediate.int_touched_subjects")
        return touched / self.value("select count(*) from intermediate.int_subject_inputs")

    def late_file(self, table: str, name: str, select: str) -> None:
        """Deliver a file more of a table: a select on `days`, the table's files so far."""
        folder = self.landing / "generic" / table
        reader = "read_parquet" if table == "events" else "read_csv"
        extra = "" if table == "events" else ", all_varchar = true"
        suffix = "parquet" if table == "events" else "csv"
        with duckdb.connect() as connection:
            connection.execute(
                f"create view days as from {reader}('{folder}/*.{suffix}'{extra}, filename = true)"
            )
            connection.execute(f"copy ({select}) to '{folder / name}'")

    def late_order(self) -> str:
        """Deliver an order that was placed before all others, and give the number of its user."""
        folder = self.landing / "generic" / "orders"
        lines = [
            json.loads(line)
            for path in sorted(folder.iterdir())
            for line in path.read_text(encoding="utf-8").splitlines()
        ]
        order = next(line for line in reversed(lines) if line["user_id"])
        at = f"{START}T00:00:01.000Z"
        order |= {"order_id": "late", "ordered_at": at, "updated_at": at, "status": "completed"}
        (folder / "2025-09-26-late.jsonl").write_text(json.dumps(order) + "\n", encoding="utf-8")
        return str(order["user_id"]).removeprefix("u")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The company after its first night. Each test begins with a night and what is new to it."""
    company = Company(tmp_path_factory.mktemp("company"))
    company.deliver(days=DAYS)
    company.night()
    assert company.touched_share() == 1
    return company


@pytest.mark.slow
def test_nights_with_all_kinds_of_news_equal_a_rebuild(company: Company) -> None:
    # Two days more, one event of the first days, deals of which one was deleted and one is merged
    # into another, an order that makes a customer of who came for the first time, the events of one
    # day again without some of them, and three days that are read again as they are.
    sources = read(company.seeds).sources
    ask_again(company.settings, sources, date(2025, 9, 3), date(2025, 9, 5))
    company.deliver(days=DAYS + 2)
    number = company.late_order()
    company.late_file(
        "events",
        "2025-09-25-late.parquet",
        """
        select * exclude (filename) replace ('late-' || event_id as event_id)
        from days
        where event_id is not null
        order by event_id
        limit 3
        """,
    )
    company.late_file(
        "records",
        "2025-09-26-late.csv",
        """
        select * exclude (filename, place, last_id) replace (
            case place when 1 then 'true' else is_deleted end as is_deleted,
            case place when 1 then '2025-09-20 00:00:00' end as deleted_at,
            case place when 2 then last_id end as merged_into_id,
            '2025-09-26 00:00:00' as updated_at
        )
        from (
            select
                *,
                row_number() over (order by record_id) as place,
                max(record_id) over () as last_id,
            from days
            where record_type = 'opportunity' and filename like '%2025-09-0%'
        )
        where place in (1, 2)
        """,
    )
    again = company.landing / "generic" / "events" / "2025-09-10.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table day as from '{again}'")
        connection.execute(f"copy (select * from day using sample 90% (bernoulli, 1)) to '{again}'")
    company.night()
    assert 0 < company.touched_share() < 0.5
    assert company.differences() == []
    of_the_customer = f"""
        select count(*) from core.fct_journey_segments
        where funnel_id = 'shopping_trips' and segment_name = 'customer_state'
            and subject_id = 'v{number}' and segment_value
    """
    assert company.value(f"{of_the_customer} = 'existing'") > 0
    assert company.value(f"{of_the_customer} = 'new'") == 0

    # A night that dies in the middle of what it worked out of a day that is then taken back.
    before = again.read_bytes()
    with duckdb.connect() as connection:
        connection.execute(f"create table day as from '{again}' limit 5")
        connection.execute(f"copy day to '{again}'")
    company.night_that_dies_behind("fct_stage_visits")
    again.write_bytes(before)
    company.night()
    assert 0 < company.touched_share() < 0.5
    assert company.differences() == []

    company.night(as_of=EARLIER)
    assert 0 < company.touched_share() < 0.9
    assert company.differences() == []


@pytest.mark.slow
def test_changed_rules_make_anew_what_follows_from_them(company: Company) -> None:
    journeys = f"""
        select count(*) from core.fct_journeys
        where funnel_id = 'web_purchase' and entered_at < '{EARLIER}'
    """
    before = company.value(journeys)

    rules = company.seeds / "stage_rules.csv"
    kept, lines = [], rules.read_text(encoding="utf-8").splitlines()
    for line in lines:
        kept.append(
            line.replace("session_start", "page_view") if "web_purchase,visit" in line else line
        )
    rules.write_text("\n".join(kept) + "\n", encoding="utf-8")
    company.night(as_of=EARLIER)
    assert company.touched_share() == 1
    assert company.value(journeys) != before
    assert company.differences() == []

    # What a rate is worked out behind is not made anew for it.
    rates = company.seeds / "exchange_rates.csv"
    text = rates.read_text(encoding="utf-8").splitlines()
    text.append(text[-1].rsplit(",", 1)[0].replace(text[-1].split(",")[1], "2025-09-05") + ",0.5")
    rates.write_text("\n".join(text) + "\n", encoding="utf-8")
    company.night(as_of=EARLIER)
    assert company.touched_share() == 0
    assert company.differences() == []


@pytest.mark.slow
def test_verification_says_so_where_rows_were_changed_or_the_build_is_older(
    company: Company, tmp_path: Path
) -> None:
    with pytest.raises(VerifyError, match="expected a build, found none"):
        verify(Company(tmp_path).settings, lambda line: None)
    sound = tmp_path / "sound.duckdb"
    shutil.copyfile(company.settings.build, sound)
    with duckdb.connect(str(company.settings.build)) as connection:
        connection.execute(
            "delete from core.fct_stage_visits where visit_number = 1 and subject_id"
            " = (select min(subject_id) from core.fct_stage_visits)"
        )
        connection.execute("update core.fct_journeys set outcome = 'lost' where outcome = 'open'")
    found = company.differences()
    assert [line.partition(":")[0] for line in found] == [
        "core.fct_journeys",
        "core.fct_stage_visits",
    ]

    shutil.copyfile(sound, company.settings.build)
    company.deliver(days=DAYS + 3)
    load_night(company.landing, company.seeds, company.home)
    with pytest.raises(VerifyError, match="files that were loaded since"):
        verify(company.settings, lambda line: None)
