"""Who somebody is: from an address or an id to all of the person's, by the tables of the build."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from orchestration.database import open_database
from orchestration.declarations import Declarations
from orchestration.extracts import GENERIC, PERSON_KINDS
from orchestration.hash_key import email_hash
from orchestration.kept_tables import follows_present_rules
from orchestration.settings import Settings
from orchestration.suppression import read_suppression

EMAIL = "email"
# As `person_id` is spelled in the published tables.
KINDS = {kind: kind for kind in PERSON_KINDS} | {
    "visitor": "anonymous_id",
    "contact": "contact_id",
    "record": "record_id",
}
FORM = "an e-mail address, or an id as user_id:…, anonymous_id:…, contact_id:… or record_id:…"


class PersonError(ValueError):
    """Nobody, or more than one, is meant. The message says who was found, and what to name."""


@dataclass(frozen=True)
class Person:
    """All by which a person is known.

    Attributes:
        identifiers: kind and id, as the warehouse has them, in order.
        email_hashes: what staging has for their addresses, in order.
    """

    identifiers: tuple[tuple[str, str], ...]
    email_hashes: tuple[str, ...]


def find_person(settings: Settings, declared: Declarations, text: str) -> Person:
    """Find who is meant.

    Args:
        settings: where the build is.
        declared: the present declarations.
        text: an address or an id, with its kind or without.

    Raises:
        PersonError: the text means nobody or several, or something that several people share.
    """
    text = text.strip()
    if not text:
        raise PersonError(f"PERSON: expected {FORM}, found nothing.")
    if not settings.build.exists() or not follows_present_rules(settings, declared):
        raise PersonError(
            f"{settings.build}: expected a build by the present models and declarations, which "
            "tells who is who, found none. Run `make nightly` first."
        )
    systems = {source.source: source.system for source in declared.sources}
    with open_database(settings, settings.build, read_only=True) as connection:
        meant = _meanings(settings, text)
        _refuse_shared(connection, text, meant)
        found = _lookup(connection, meant)
        persons = sorted({person for _, _, person in found})
        if len(persons) > 1:
            named = ", ".join(
                sorted({f"{kind}:{text if kind == EMAIL else value}" for kind, value, _ in found})
            )
            raise PersonError(
                f"PERSON={text}: expected one person, found {len(persons)}: {named}. Name one of "
                "them as it stands there."
            )
        if not persons:
            # What was never accepted is in no table; an address is looked for in the files, too.
            addresses = tuple(value for kind, value in meant if kind == EMAIL)
            if addresses:
                return Person((), addresses)
            raise PersonError(
                f"PERSON={text}: expected {FORM}, found nobody who is known by that. Look for the "
                "id in `dim_persons` or `identity_ties`; keys of a source other than `generic` are "
                "led by its name, as record_id:crm:77."
            )
        key = read_suppression(settings).key
        return _everything(connection, persons[0], found, systems, key)


def _meanings(settings: Settings, text: str) -> list[tuple[str, str]]:
    """Kind and identifier, for each way to read the text: an id may be an address."""
    key = read_suppression(settings).key
    if text.startswith("email:"):
        return [(EMAIL, email_hash(key, text.removeprefix("email:")))]
    meant = [(kind, text) for kind in PERSON_KINDS]
    spelled = re.fullmatch(rf"({'|'.join(KINDS)}):(.+)", text)
    if spelled:
        meant.append((KINDS[spelled[1]], spelled[2]))
    elif "@" in text:
        meant.append((EMAIL, email_hash(key, text)))
    return meant


def _refuse_shared(
    connection: duckdb.DuckDBPyConnection, text: str, meant: list[tuple[str, str]]
) -> None:
    for kind, value in meant:
        found = connection.execute(
            "select reason, max(tied_identifiers) from intermediate.int_unused_identifiers "
            "where identifier_type = $kind and identifier = $value group by reason order by reason",
            {"kind": kind, "value": value},
        ).fetchone()
        if found:
            why = (
                "an address of a role (role_addresses.csv)"
                if found[0] == "role_address"
                else f"one that {found[1]} others are tied to (identity_limits.csv)"
            )
            raise PersonError(
                f"PERSON={text}: expected what belongs to one person, found {why}: several people "
                "use it, and what was done with it cannot be told apart. Name the person by "
                "their user id, contact or record; docs/forget-a-person.md says more."
            )


def _lookup(
    connection: duckdb.DuckDBPyConnection, meant: list[tuple[str, str]]
) -> list[tuple[str, str, str]]:
    """Kind, identifier and person of all that is meant; deleted contacts and records, too."""
    connection.execute("create or replace temp table meant (kind varchar, value varchar)")
    connection.executemany("insert into meant values (?, ?)", meant)
    return connection.execute(
        """
        with

        known as (
            select identifier_type as kind, identifier as value, person_id as person
            from intermediate.int_person_identifiers
        ),

        deleted as (
            select 'contact_id' as kind, contact_id as value, 'contact:' || contact_id as person
            from staging.stg_contacts
            union
            select 'record_id' as kind, record_id as value, 'record:' || record_id as person
            from staging.stg_records
        ),

        all_known as (
            from known
            union all
            from deleted anti join known using (kind, value)
        )

        select distinct kind, value, person from all_known join meant using (kind, value)
        """
    ).fetchall()


def _everything(
    connection: duckdb.DuckDBPyConnection,
    person: str,
    found: list[tuple[str, str, str]],
    systems: Mapping[str, str],
    key: bytes,
) -> Person:
    connection.execute("create or replace temp table theirs (kind varchar, value varchar)")
    connection.executemany("insert into theirs values (?, ?)", [(k, v) for k, v, _ in found])
    connection.execute(
        "insert into theirs select identifier_type, identifier "
        "from intermediate.int_person_identifiers where person_id = $person",
        {"person": person},
    )
    before = -1
    while before != (before := _count(connection)):
        connection.execute(_MORE)
        _add_contacts_that_are_leads(connection, systems)
        _add_addresses_that_are_ids(connection, key)
    rows = connection.execute("select distinct kind, value from theirs order by all").fetchall()
    return Person(
        tuple((kind, value) for kind, value in rows if kind != EMAIL),
        tuple(value for kind, value in rows if kind == EMAIL),
    )


def _add_addresses_that_are_ids(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Where users are known by their address, it is theirs in any column; unless another has it."""
    ids = connection.execute("select value from theirs where contains(value, '@')").fetchall()
    words = {word for (value,) in ids for word in (value, value.partition(":")[2]) if "@" in word}
    for word in sorted(words):
        connection.execute(
            """
            insert into theirs
            select 'email', $address
            where
                $address not in (select value from theirs)
                and $address not in (
                    select identifier from intermediate.int_person_identifiers
                    where identifier_type = 'email'
                    union all
                    select identifier from intermediate.int_unused_identifiers
                    where identifier_type = 'email'
                )
            """,
            {"address": email_hash(key, word)},
        )


# What the identity tables leave out as it does not count any more: deleted contacts and records,
# and deals that were merged. An address that is another person's, or shared, is not followed.
_MORE = """
    insert into theirs
    with

    theirs_alone as (
        select distinct email_hash
        from (
            select email_hash, contact_id as value, 'contact_id' as kind, is_role_address
            from staging.stg_contacts
            union all
            select email_hash, record_id as value, 'record_id' as kind, is_role_address
            from staging.stg_records
        )
        where
            (kind, value) in (select (kind, value) from theirs)
            and email_hash is not null
            and not is_role_address
            and email_hash not in (
                select identifier from intermediate.int_person_identifiers
                where identifier_type = 'email'
            )
            and email_hash not in (
                select identifier from intermediate.int_unused_identifiers
                where identifier_type = 'email'
            )
    ),

    more as (
        select 'email' as kind, email_hash as value from theirs_alone
        union
        select 'contact_id' as kind, contact_id as value
        from staging.stg_contacts
        where
            email_hash in (select value from theirs where kind = 'email')
            or user_id in (select value from theirs where kind = 'user_id')
            or merged_into_id in (select value from theirs where kind = 'contact_id')
        union
        select 'record_id' as kind, record_id as value
        from staging.stg_records
        where email_hash in (select value from theirs where kind = 'email')
        union
        select 'record_id' as kind, record_id as value
        from intermediate.int_record_survivors
        where surviving_record_id in (select value from theirs where kind = 'record_id')
    )

    from more anti join theirs using (kind, value)
"""


def _add_contacts_that_are_leads(
    connection: duckdb.DuckDBPyConnection, systems: Mapping[str, str]
) -> None:
    """HubSpot's contacts are its leads: one delivered row, of which two things are made."""
    for source, system in systems.items():
        if system != "hubspot":
            continue
        led = "" if source == GENERIC else f"{source}:"
        connection.execute(
            """
            insert into theirs
            with more as (
                select 'contact_id' as kind, $led || substr(value, length($lead) + 1) as value
                from theirs
                where kind = 'record_id' and starts_with(value, $lead)
                union
                select 'record_id' as kind, $lead || substr(value, length($led) + 1) as value
                from theirs
                where kind = 'contact_id' and starts_with(value, $led)
            )
            from more anti join theirs using (kind, value)
            """,
            {"led": led, "lead": f"{led}contact:"},
        )


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute("select count(*) from theirs").fetchone()
    assert found
    return int(found[0])
