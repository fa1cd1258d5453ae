"""Who is meant by an address or an id, by the identity tables of a build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from orchestration.declaration_tables import Row
from orchestration.declarations import Declarations
from orchestration.erasure import person as person_module
from orchestration.erasure.person import PersonError, find_person
from orchestration.hash_key import email_hash
from orchestration.settings import Settings
from tests.conftest import SECRET

TABLES = """
    create schema intermediate;
    create schema staging;
    create table intermediate.int_person_identifiers (
        identifier_type varchar, identifier varchar, person_id varchar
    );
    create table intermediate.int_unused_identifiers (
        identifier_type varchar, identifier varchar, reason varchar, tied_identifiers integer
    );
    create table intermediate.int_record_survivors (
        record_id varchar, surviving_record_id varchar
    );
    create table staging.stg_contacts (
        contact_id varchar, user_id varchar, merged_into_id varchar, email_hash varchar,
        is_role_address boolean
    );
    create table staging.stg_records (
        record_id varchar, email_hash varchar, is_role_address boolean
    );
"""
ANN, ANNS_OLD, BOB, ROLE = (
    email_hash(SECRET.encode(), f"{name}@shop.example")
    for name in ("ann", "ann.old", "bob", "info")
)
IDENTIFIERS = [
    ("email", ANN, "u1"),
    ("user_id", "u1", "u1"),
    ("anonymous_id", "v1", "u1"),
    ("contact_id", "crm:7", "u1"),
    ("record_id", "crm:L1", "u1"),
    ("record_id", "hub:contact:5", "u1"),
    # 7 is Bob's user id, and v1's namesake is a lead of his.
    ("email", BOB, "7"),
    ("user_id", "7", "7"),
    ("record_id", "v1", "7"),
    ("anonymous_id", "tablet", "visitor:tablet"),
    # Users who are known by an address: Zoe by hers, another by one that became Bob's.
    ("user_id", "Zoe@shop.example", "Zoe@shop.example"),
    ("user_id", "bob@shop.example", "old"),
    ("user_id", "info@shop.example", "info"),
]
UNUSED = [("email", ROLE, "role_address", 40), ("anonymous_id", "tablet", "limit", 3)]
CONTACTS: list[tuple[object, ...]] = [
    ("crm:7", "u1", None, ANN, False),
    # Deleted, and so in no identity table: by user, by address, and merged into one of hers.
    ("crm:8", "u1", None, ANNS_OLD, False),
    ("crm:9", None, None, ANN, False),
    ("crm:10", None, "crm:9", ROLE, True),
    ("crm:11", "7", None, BOB, False),
    ("crm:99", None, None, None, False),
]
RECORDS: list[tuple[object, ...]] = [
    ("crm:L1", ANN, False),
    ("crm:L2", ANNS_OLD, False),
    ("crm:L3", ROLE, True),
]
SURVIVORS = [("crm:L1", "crm:L1"), ("crm:L0", "crm:L1"), ("crm:L3", "crm:L3")]
HERS = {
    ("user_id", "u1"),
    ("anonymous_id", "v1"),
    ("contact_id", "crm:7"),
    ("contact_id", "crm:8"),
    ("contact_id", "crm:9"),
    ("contact_id", "crm:10"),
    ("contact_id", "hub:5"),
    ("record_id", "crm:L0"),
    ("record_id", "crm:L1"),
    ("record_id", "crm:L2"),
    ("record_id", "hub:contact:5"),
}


def declared() -> Declarations:
    def row(source: str, system: str) -> Row:
        cells = {"is_enabled": "true", "timezone": "UTC", "event_time": "occurred"}
        return Row(1, {"source": source, "system": system, **cells})

    return Declarations({"sources": (row("crm", "generic"), row("hub", "hubspot"))})


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path)})
    tables: dict[str, Sequence[Sequence[object]]] = {
        "intermediate.int_person_identifiers": IDENTIFIERS,
        "intermediate.int_unused_identifiers": UNUSED,
        "intermediate.int_record_survivors": SURVIVORS,
        "staging.stg_contacts": CONTACTS,
        "staging.stg_records": RECORDS,
    }
    with duckdb.connect(str(settings.build)) as connection:
        connection.execute(TABLES)
        for table, rows in tables.items():
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"insert into {table} values ({places})", [*map(list, rows)])
    monkeypatch.setattr(person_module, "follows_present_rules", lambda *_: True)
    return settings


@pytest.mark.parametrize(
    "named",
    [
        "ann@shop.example",
        " Ann@Shop.Example ",
        "email:ann@shop.example",
        "u1",
        "user_id:u1",
        "anonymous_id:v1",
        "visitor:v1",
        "crm:7",
        "contact:crm:7",
        "record_id:crm:L1",
        "record:hub:contact:5",
        "hub:contact:5",
    ],
)
def test_whatever_somebody_is_named_by_all_of_theirs_is_found(
    settings: Settings, named: str
) -> None:
    """A request by another id than the one in the table leaves half of the person behind."""
    found = find_person(settings, declared(), named)
    assert set(found.identifiers) == HERS
    assert set(found.email_hashes) == {ANN, ANNS_OLD}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("", "expected an e-mail address, or an id as user_id"),
        ("v1", "found 2: anonymous_id:v1, record_id:v1. Name one of them"),
        ("info@shop.example", "an address of a role"),
        ("bob@shop.example", "found 2: email:bob@shop.example, user_id:bob@shop.example. Name"),
        ("tablet", "one that 3 others are tied to"),
        ("visitor:tablet", "one that 3 others are tied to"),
        ("u2", "found nobody who is known by that"),
        ("contact_id:7", "found nobody who is known by that"),
    ],
)
def test_what_means_nobody_or_several_is_refused_with_what_was_found(
    settings: Settings, named: str, said: str
) -> None:
    """Somebody else is removed, and nothing brings them back."""
    with pytest.raises(PersonError, match=said):
        find_person(settings, declared(), named)


def test_a_deleted_contact_and_an_address_of_refused_rows_are_somebody(settings: Settings) -> None:
    """Whoever is no longer counted could not be forgotten."""
    assert find_person(settings, declared(), "contact_id:crm:99").identifiers == (
        ("contact_id", "crm:99"),
    )
    unknown = find_person(settings, declared(), "zoe@shop.example")
    assert unknown.identifiers == ()
    assert unknown.email_hashes == (email_hash(SECRET.encode(), "zoe@shop.example"),)


@pytest.mark.parametrize(
    ("named", "user_id", "addresses"),
    [
        ("Zoe@shop.example", "Zoe@shop.example", ["zoe"]),
        ("user_id:Zoe@shop.example", "Zoe@shop.example", ["zoe"]),
        ("user_id:bob@shop.example", "bob@shop.example", []),
        ("user_id:info@shop.example", "info@shop.example", []),
        ("email:bob@shop.example", "7", ["bob"]),
    ],
)
def test_who_is_known_by_an_address_as_an_id_is_found_by_it(
    settings: Settings, named: str, user_id: str, addresses: list[str]
) -> None:
    """The company's users can not be forgotten, or the rows of whoever has the address now go."""
    found = find_person(settings, declared(), named)
    assert ("user_id", user_id) in found.identifiers
    hashes = [email_hash(SECRET.encode(), f"{name}@shop.example") for name in addresses]
    assert list(found.email_hashes) == hashes


def test_a_build_of_other_rules_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Identity tables of before an update have other hashes: nobody would be found in them."""
    monkeypatch.setattr(person_module, "follows_present_rules", lambda *_: False)
    with pytest.raises(PersonError, match="Run `make nightly` first"):
        find_person(settings, declared(), "u1")
