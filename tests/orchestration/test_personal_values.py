"""Real nights with somebody in them: where their values are, and that they leave on request.

Three nights, of which one is refused and one stopped by a gate, so that all that a warehouse says
when something is wrong is said about this person. Then the person is forgotten.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration import gates
from orchestration.erasure.command import run_forget
from orchestration.gate_pages import render_quality
from orchestration.nightly import run_nightly
from orchestration.releases import current_release, list_releases
from orchestration.settings import SETTINGS, Settings

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
ADDRESS = "zzq.address@planted.example"
TOLD = {"name": "Zzqname Planted", "phone": "+99 555 01 999", "mail": ADDRESS}
IDS = {
    "user_id": "zzq-user-1",
    "anonymous_id": "zzq-cookie-1",
    "contact_id": "zzq-contact-1",
    "record_id": "zzq-lead-1",
}
# Who did much the same, and stays.
OTHER = {kind: value.replace("zzq", "other") for kind, value in IDS.items()}
PLANTED = (*TOLD.values(), *IDS.values())
ROWS_OF_A_TABLE = 24


def name_of(who: dict[str, str]) -> str:
    return TOLD["name"] if who is IDS else "Other"


def deliver(landing: Path) -> None:
    """Files that can be read, of which many rows cannot."""
    rows: list[dict[str, str]] = []
    for who, address in ((IDS, ADDRESS), (OTHER, "other@else.example")):
        for hour, name in enumerate(("visit", "view_product", "sign_up", "add_to_cart")):
            rows.append(
                {
                    "occurred_at": f"2026-01-0{hour + 1} 10:00:00",
                    "event_name": name,
                    "user_id": who["user_id"] if hour > 1 else "",
                    "anonymous_id": who["anonymous_id"],
                    "properties": json.dumps({"email": address, "name": name_of(who)}),
                }
            )
    write(landing / "events" / "a.csv", rows)
    contacts = [
        {
            "contact_id": who["contact_id"],
            "user_id": who["user_id"],
            "email": address,
            "name": name_of(who),
            "phone": TOLD["phone"] if who is IDS else "1",
            "created_at": "2026-01-02 10:00:00",
        }
        for who, address in ((IDS, ADDRESS), (OTHER, "other@else.example"))
    ]
    # In the wrong column, so that the value itself is what cannot be read: more than half of them.
    wrong = [{**contacts[0], "created_at": ADDRESS} for _ in range(ROWS_OF_A_TABLE)]
    # Without a key, so that the whole row is what is set aside.
    keyless = [{**contacts[0], "contact_id": ""} for _ in range(ROWS_OF_A_TABLE)]
    path = landing / "contacts" / "a.jsonl.gz"
    path.parent.mkdir(parents=True)
    lines = [json.dumps(row) for row in (*contacts, *wrong, *keyless)]
    lines.append(f'{{"contact_id": "{IDS["contact_id"]}", "email": "{ADDRESS}"')
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    write(
        landing / "records" / "a.csv",
        [
            {
                "record_id": who["record_id"],
                "record_type": "lead",
                "stage": "New",
                "created_at": "2026-01-03 10:00:00",
                "contact_email": address,
                "name": name_of(who),
                "merged_into_id": "",
            }
            for who, address in ((IDS, ADDRESS), (OTHER, "other@else.example"))
        ],
    )


def deliver_what_is_refused(landing: Path) -> None:
    """A column that is not of its type at all, a file without a header, one that is cut off."""
    order = {"order_id": "o1", "ordered_at": "2026-01-03", "user_id": IDS["user_id"]}
    write(landing / "orders" / "retyped.csv", [{**order, "amount": ADDRESS}])
    path = landing / "activities" / "headless.csv"
    path.parent.mkdir(parents=True)
    path.write_text(f"{ADDRESS},{IDS['record_id']},{TOLD['name']},{ADDRESS}\n" * 2)
    (landing / "activities" / "cut.parquet").write_bytes(f"PAR1{ADDRESS}".encode())
    quoted = f'o9,2026-01-03,5,{IDS["user_id"]}\n"{ADDRESS},2026-01-03,5,u\no8,2026-01-03,5,u\n'
    (landing / "orders" / "quote.csv").write_text(f"order_id,ordered_at,amount,user_id\n{quoted}")


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def holding(path: Path, values: tuple[str, ...]) -> list[str]:
    """Which of the values a file holds: in its bytes, or unpacked, or in a table of it."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content += gzip.decompress(content)
    content = content.lower()
    found = {value for value in values if value.lower().encode() in content}
    with duckdb.connect() as connection:
        if path.suffix == ".parquet":
            relations = [f"read_parquet('{path}')"]
        elif path.suffix == ".duckdb":
            connection.execute(f"attach '{path}' as looked_at (read_only)")
            relations = [
                f'looked_at."{schema}"."{table}"'
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables() "
                    "where database_name = 'looked_at'"
                ).fetchall()
            ]
            assert relations
        else:
            relations = []
        for relation in relations:
            text = "lower(cast(to_json(looked_at_rows) as varchar))"
            for (value,) in connection.execute(
                f"select distinct planted.value from {relation} as looked_at_rows "
                "join (select unnest($values) as value) as planted "
                f"on contains({text}, lower(planted.value))",
                {"values": list(values)},
            ).fetchall():
                found.add(value)
    return sorted(found)


def files_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copytree(SEEDS, tmp_path / "seeds")
    # A build of its own for a past date, which holds nothing but counts.
    (tmp_path / "seeds" / "known_on_dates.csv").unlink()
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    for name in ("landing", "home", "seeds"):
        monkeypatch.setenv(f"FUNNEL_{name.upper()}", str(tmp_path / name))
    return Settings.from_environment()


def night(settings: Settings) -> str:
    said = io.StringIO()
    run_nightly(settings, said)
    return said.getvalue()


@pytest.mark.slow
def test_nobodys_values_are_where_they_need_not_be_and_they_leave_on_request(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs, Dagster, gates and report tell who somebody is, and keep it after all else forgot."""
    landing = settings.landing / "generic"
    deliver(landing)
    deliver_what_is_refused(landing)
    said = [night(settings)]
    for name in ("retyped.csv", "headless.csv", "cut.parquet", "quote.csv"):
        assert name in said[0], "each is refused by name"
        (path,) = landing.rglob(name)
        path.unlink()
    said.append(night(settings))
    gate = "raw.quarantined_share.generic.contacts"
    assert gate in said[1]
    render_quality(settings)
    gates.accept(settings, gate, "planted")
    said.append(night(settings))
    release = current_release(settings)
    assert release, said[2]
    text = "".join(said)
    assert [value for value in PLANTED if value in text] == []

    may_hold = (settings.raw, settings.quarantine, settings.build, settings.published)
    looked_at = {
        path: holding(path, PLANTED)
        for path in files_in(settings.home)
        if not any(path.is_relative_to(place) for place in may_hold)
    }
    folders = {path.relative_to(settings.home).parts[0] for path in looked_at}
    assert folders >= {"dagster", "dbt", "gates", "quality", "ledger.duckdb", "notes.json"}
    assert {path: found for path, found in looked_at.items() if found} == {}
    report = settings.published / "current" / "report"
    assert [path for path in report.rglob("*") if path.is_file()]
    assert [path for path in files_in(report.resolve()) if holding(path, PLANTED)] == []
    # Readers see ids, and nothing that tells who somebody is; nor does anything behind raw.
    told = tuple(TOLD.values())
    assert holding(settings.build, PLANTED), "the build knows the person"
    assert holding(settings.build, (TOLD["mail"], TOLD["phone"])) == []
    assert [path for path in files_in(settings.published) if holding(path, told)] == []
    (ids,) = {
        tuple(holding(path, PLANTED))
        for path in files_in(settings.published)
        if path.name == "funnel.duckdb"
    }
    assert IDS["user_id"] in ids

    capsys.readouterr()
    assert run_forget(settings, IDS["user_id"], "") == 0
    shown = capsys.readouterr().out
    assert all(f"{kind}" in shown and value in shown for kind, value in IDS.items())
    number = shown.rpartition("CONFIRM=")[2].strip()
    assert run_forget(settings, ADDRESS, f"{number}1") == 1
    assert current_release(settings) == release
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_forget(settings, ADDRESS, number) == 0, capsys.readouterr().err
    assert "The person is forgotten." in out.getvalue()
    (left,) = list_releases(settings)
    assert left.release_id != release.release_id
    held = {
        path: found
        for folder in (settings.home, settings.landing)
        for path in files_in(folder)
        if (found := holding(path, PLANTED))
    }
    assert held == {}
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        assert connection.execute("select person_id from core.dim_persons").fetchall() == [
            (OTHER["user_id"],)
        ]
    # Nothing is delivered, and so nothing is new: all that was removed is of one piece.
    assert "nothing new" in night(settings)
