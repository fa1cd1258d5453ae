"""Who is one person: identifiers tied to each other over web and CRM, and those that are shared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from orchestration.declarations import USUAL_LIMITS, USUAL_ROLES
from orchestration.hash_key import email_hash
from tests.conftest import SECRET
from tests.semantics.cases import assert_rows, case
from tests.support.casebook import Case
from tests.support.tables import Tables, spelled, written

Identifier = tuple[str, str]
Tie = tuple[Identifier, Identifier]

VISIT = "2024-01-01T10:00:00 visit"


def persons_of(warehouse: Tables, name: str) -> dict[Identifier, str]:
    """The person of every identifier of a case but its addresses, all without the case's name."""
    return {
        (kind, identifier.removeprefix(f"{name}.")): person.replace(f"{name}.", "")
        for kind, identifier, person in warehouse.query(
            "select identifier_type, identifier, person_id from intermediate.int_person_identifiers"
            " where identifier_type <> 'email' and split_part(identifier, '.', 1) = ?",
            [name],
        )
    }


def assert_described(
    warehouse: Tables, table: str, name: str, person_column: str, expected: str
) -> None:
    """Assert that the rows of a case's persons are those written by hand."""
    columns, rows = written(expected)
    found = [
        [spelled(cell).replace(f"{name}.", "").replace(" ", "_") for cell in row]
        for row in warehouse.query(
            f"select {', '.join(columns)} from {table} where contains({person_column}, ?)",
            [f"{name}."],
        )
    ]
    assert sorted(found) == sorted(rows)


def contact(of: Case, contact_id: str, **columns: str) -> None:
    """Deliver a contact."""
    of.deliver("contacts", "cases.csv", {"contact_id": of.subject(contact_id), **columns})


later = case("later")
later_funnel = later.funnel("shop", "visit\nordered won", subject_type="person")
later.events("phone", f"{VISIT}\n2024-01-02T10:00:00 visit", subject_type="visitor")
later.events("ann", "2024-03-01T10:00:00 ordered", anonymous_id=later.subject("phone"))
later.events("kiosk", VISIT, subject_type="visitor")
# She signs in on another device, on which nothing had happened before.
later.events("ann", "2024-04-01T10:00:00 visit", anonymous_id=later.subject("laptop"))


def test_what_was_done_before_the_sign_in_counts_for_the_person(warehouse: Tables) -> None:
    """Prevents customers from beginning with their sign-up, and visits from leading nowhere."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        later_funnel,
        """
        subject_id           entered_at        outcome
        ann                  2024-01-01T10:00  won
        visitor:later.kiosk  2024-01-01T10:00  open
        """,
    )


chain = case("chain")
chain.events("laptop", VISIT, subject_type="visitor")
chain.events(
    "bob",
    "2024-01-03T10:00:00 sign_up email=bob@chain.example.com\n"
    "2024-01-02T10:00:00 sign_up email=bob@chain.example.com",
    anonymous_id=chain.subject("laptop"),
)
# A form that was filled without an account.
chain.events(
    "phone",
    "2024-01-05T10:00:00 demo email=Bob+Demo@chain.example.com",
    subject_type="visitor",
)
contact(
    chain,
    "contact_1",
    email=" BOB@chain.example.com",
    account_id="acme",
    created_at="2024-02-01T10:00:00",
    updated_at="2024-02-01T10:00:00",
)
contact(
    chain,
    "contact_2",
    email="b.ob@chain.example.com",
    user_id=chain.subject("bob"),
    account_id="ajax",
    created_at="2024-02-02T10:00:00",
    updated_at="2024-03-02T10:00:00",
)
chain.record(
    "lead",
    record_type="lead",
    contact_email="b.ob@chain.example.com",
    created_at="2024-02-03T10:00:00",
    converted_record_id="deal",
    account_id="other",
)
chain.record("deal", created_at="2024-02-04T10:00:00")
# The deal is with somebody else than the lead was.
chain.record(
    "lead_2",
    record_type="lead",
    contact_email="bob@chain.example.com",
    created_at="2024-02-03T10:00:00",
    converted_record_id="deal_2",
)
chain.record("deal_2", created_at="2024-02-05T10:00:00", contact_email="boss@chain.example.com")
chain.record("nobody", created_at="2024-02-05T10:00:00")
# Merged leads are one person, whatever addresses they had.
chain.record(
    "twin",
    record_type="lead",
    contact_email="bob+demo@chain.example.com",
    created_at="2024-02-03T10:00:00",
    merged_into_id="lead",
    is_deleted="true",
)
chain.record(
    "erased",
    record_type="lead",
    contact_email="boss@chain.example.com",
    created_at="2024-02-03T10:00:00",
    is_deleted="true",
)


def test_all_that_leads_from_one_to_another_is_one_person(warehouse: Tables) -> None:
    """Prevents a customer from being as many persons as there are systems that know them."""
    bobs = {
        ("anonymous_id", "laptop"),
        ("anonymous_id", "phone"),
        ("user_id", "bob"),
        ("contact_id", "contact_1"),
        ("contact_id", "contact_2"),
        ("record_id", "lead"),
        ("record_id", "lead_2"),
        ("record_id", "twin"),
        ("record_id", "deal"),
    }
    found = persons_of(warehouse, "chain")
    assert {identifier for identifier, person in found.items() if person == "bob"} == bobs
    others = {identifier: person for identifier, person in found.items() if person != "bob"}
    assert others == {("record_id", "deal_2"): "record:deal_2"}


def test_a_person_is_explained_by_first_rows(warehouse: Tables) -> None:
    """Prevents a merge that nobody can trace. The sign-up was delivered after a later one.

    Addresses have numbers in order of when they were seen: bob's, the form's, and his second.
    """
    assert_described(
        warehouse,
        "core.identity_ties",
        "chain",
        "person_id",
        """
        identifier_type  identifier  tied_type  tied_identifier  evidence    tied_at
        anonymous_id     laptop      user_id    bob              event       2024-01-02T10:00
        user_id          bob         email      address_1        event       2024-01-02T10:00
        anonymous_id     phone       email      address_2        event       2024-01-05T10:00
        contact_id       contact_1   email      address_1        contact     2024-02-01T10:00
        contact_id       contact_2   email      address_3        contact     2024-02-02T10:00
        contact_id       contact_2   user_id    bob              contact     2024-02-02T10:00
        record_id        lead        email      address_3        record      2024-02-03T10:00
        record_id        lead_2      email      address_1        record      2024-02-03T10:00
        record_id        twin        email      address_2        record      2024-02-03T10:00
        record_id        lead        record_id  twin             merge       2024-02-03T10:00
        record_id        deal        record_id  lead             conversion  2024-02-04T10:00
        record_id        deal_2      email      address_1        record      2024-02-05T10:00
        """,
    )
    [(file, row)] = warehouse.query(
        "select source_file, source_row from intermediate.int_identity_ties"
        " where identifier = 'chain.laptop'"
    )
    [line] = warehouse.query(
        "select occurred_at, user_id from staging.stg_events"
        " where source_file = ? and source_row = ?",
        [file, row],
    )
    assert spelled(line[0]) == "2024-01-02T10:00" and line[1] == "chain.bob"


def test_persons_are_listed_with_what_is_known_of_them(warehouse: Tables) -> None:
    """Prevents a deal's account from standing over that of the person's own contacts."""
    assert_described(
        warehouse,
        "core.dim_persons",
        "chain",
        "person_id",
        """
        person_id      account_id  is_known_to_web  is_known_to_crm  first_seen_at     accounts
        bob            ajax        yes              yes              2024-01-01T10:00  3
        record:deal_2  -           no               yes              2024-02-05T10:00  0
        """,
    )
    assert_described(
        warehouse,
        "core.dim_persons",
        "chain",
        "person_id",
        """
        person_id      anonymous_ids  user_ids  emails  contacts  records
        bob            2              1         3       2         4
        record:deal_2  0              0         1       0         1
        """,
    )


household = case("household")
household_funnel = household.funnel("shop", "visit\ndemo\nordered won", subject_type="person")
household.events("tablet", VISIT, subject_type="visitor")
for member in ("mum", "dad"):
    household.events(member, "2024-01-02T10:00:00 visit", anonymous_id=household.subject("tablet"))
# Here one of the two has no account, and fills a form. Her lead is hers, not his.
household.events(
    "kim",
    "2024-01-01T10:00:00 visit email=kim@household.example.com",
    anonymous_id=household.subject("pc"),
)
household.events(
    "pc",
    "2024-01-03T10:00:00 visit\n2024-01-04T10:00:00 demo email=lee@household.example.com",
    subject_type="visitor",
)
household.record("lee", record_type="lead", contact_email="lee@household.example.com")
# Two addresses of one user are no sign of a second person.
household.events(
    "max", "2024-01-01T10:00:00 visit email=max@household.example.com",
    anonymous_id=household.subject("mobile"),
)  # fmt: skip
household.events(
    "max", "2024-01-02T10:00:00 visit email=m@household.example.com",
    anonymous_id=household.subject("mobile"),
)  # fmt: skip
household.events(
    "mobile",
    "2024-01-01T09:00:00 demo email=m@household.example.com",
    subject_type="visitor",
)


def test_a_household_on_one_device_stays_apart(warehouse: Tables) -> None:
    """Prevents families from being one customer, and the wife's demo from being the husband's."""
    assert persons_of(warehouse, "household") == {
        ("anonymous_id", "tablet"): "visitor:tablet",
        ("user_id", "mum"): "mum",
        ("user_id", "dad"): "dad",
        ("anonymous_id", "pc"): "visitor:pc",
        ("user_id", "kim"): "kim",
        ("record_id", "lee"): "record:lee",
        ("anonymous_id", "mobile"): "max",
        ("user_id", "max"): "max",
    }
    assert_described(
        warehouse,
        "core.unused_identifiers",
        "household",
        "identifier",
        """
        identifier_type  identifier  reason  tied_type  first_person_id  tied_identifiers  persons
        anonymous_id     tablet      limit   user_id    dad              2                 2
        anonymous_id     pc          limit   email      kim              2                 2
        """,
    )


def test_who_gives_an_address_on_a_shared_device_is_known_by_it(warehouse: Tables) -> None:
    """Prevents a form from counting for nobody because a device has two users."""
    [(person,)] = warehouse.query(
        "select person_id from intermediate.int_evidence where visitor_id = 'household.pc'"
        " and evidence_name = 'household/demo'"
    )
    assert person == "record:household.lee"


desk = case("front_desk")
desk.events("eve", "2024-01-01T10:00:00 visit email=Info+web@front_desk.example.com")
desk.events("fay", "2024-01-01T10:00:00 visit email=info+web@front_desk.example.com")
desk.events(
    "front", "2024-01-01T10:00:00 demo email=sales@front_desk.example.com", subject_type="visitor"
)
desk.events("front", VISIT, subject_type="visitor")
for lead in ("lead_1", "lead_2"):
    desk.record(lead, record_type="lead", contact_email="sales@front_desk.example.com")
contact(desk, "contact_1", email="sales@front_desk.example.com")
contact(desk, "contact_2", email="informatics@front_desk.example.com")
desk.record("lead_3", record_type="lead", contact_email="informatics@front_desk.example.com")


def test_an_address_of_a_role_ties_nobody(warehouse: Tables) -> None:
    """Prevents a company's employees from being one person, by the address of its front desk."""
    assert persons_of(warehouse, "front_desk") == {
        ("user_id", "eve"): "eve",
        ("user_id", "fay"): "fay",
        ("anonymous_id", "front"): "visitor:front",
        ("record_id", "lead_1"): "record:lead_1",
        ("record_id", "lead_2"): "record:lead_2",
        ("contact_id", "contact_1"): "contact:contact_1",
        # A name that only begins like that of a role.
        ("contact_id", "contact_2"): "record:lead_3",
        ("record_id", "lead_3"): "record:lead_3",
    }
    found = warehouse.query(
        "select first_person_id, reason, tied_type, tied_identifiers, max_tied, persons"
        " from core.unused_identifiers"
        " where identifier_type = 'email' and contains(first_person_id, 'front_desk.') order by all"
    )
    assert found == [
        ("contact:front_desk.contact_1", "role_address", "anonymous_id", 1, None, 4),
        ("contact:front_desk.contact_1", "role_address", "contact_id", 1, None, 4),
        ("contact:front_desk.contact_1", "role_address", "record_id", 2, None, 4),
        ("front_desk.eve", "role_address", "user_id", 2, None, 2),
    ]


crowd = case("crowd")
for size, address in ((3, "trio"), (4, "quartet")):
    for number in range(size):
        crowd.events(
            f"{address}_{number}", f"2024-01-01T10:00:00 visit email={address}@crowd.example.com"
        )
crowd.record("deal", contact_email="quartet@crowd.example.com")


def test_an_address_that_ties_too_many_is_not_used(warehouse: Tables) -> None:
    """Prevents a placeholder that a form was filled with from making one giant of all customers."""
    assert persons_of(warehouse, "crowd") == {
        **{("user_id", f"trio_{number}"): "trio_0" for number in range(3)},
        **{("user_id", f"quartet_{number}"): f"quartet_{number}" for number in range(4)},
        ("record_id", "deal"): "record:deal",
    }
    [row] = warehouse.query(
        "select reason, tied_type, tied_identifiers, max_tied, persons, identifier"
        " from core.unused_identifiers where first_person_id = 'crowd.quartet_0'"
    )
    assert row[:5] == ("limit", "user_id", 4, 3, 5)
    assert row[5].startswith("address ")


# Random ties, few enough names to meet often, and a few that are shared.
random = case("random_ties")
RANDOM_TIES: list[Tie] = []


def _deliver_random_ties() -> None:
    generator = np.random.default_rng(17)

    def one_of(kind: str, names: int) -> Identifier:
        # The lower the number, the more often: some are shared by many.
        number = int(names * generator.random() ** 1.5)
        if kind == "email":
            return kind, f"{number}@ties.example.com" if number else "office@ties.example.com"
        return kind, random.subject(f"{kind}_{number}")

    def instant() -> str:
        day, hour = int(generator.integers(1, 28)), int(generator.integers(0, 24))
        return f"2024-02-{day:02}T{hour:02}:00:00"

    for _ in range(220):
        device, user, email = (
            one_of("anonymous_id", 150),
            one_of("user_id", 110),
            one_of("email", 120),
        )
        form = int(generator.integers(0, 3))
        ids = {"anonymous_id": device[1]} if form != 2 else {}
        ids |= {"user_id": user[1]} if form != 1 else {}
        if form == 0:
            RANDOM_TIES.append((device, user))
        gives = form == 1 or generator.random() < 0.5
        if gives:
            RANDOM_TIES.append((device if form == 1 else user, email))
        properties = f'{{"email": "{email[1]}"}}' if gives else ""
        random.deliver(
            "events",
            "identity.csv",
            {
                "occurred_at": instant(),
                "event_name": random.event_name("act"),
                "properties": properties,
                **ids,
            },
        )
    for number in range(60):
        user, email = one_of("user_id", 110), one_of("email", 120)
        own = ("contact_id", random.subject(f"contact_{number}"))
        RANDOM_TIES.extend([(own, user), (own, email)])
        columns = {"user_id": user[1], "email": email[1], "created_at": instant()}
        contact(random, f"contact_{number}", **columns)
    for number in range(60):
        email = one_of("email", 120)
        RANDOM_TIES.append((("record_id", random.subject(f"record_{number}")), email))
        random.record(
            f"record_{number}", record_type="lead", contact_email=email[1], created_at=instant()
        )
    # A login of a whole team.
    login = ("user_id", random.subject("user_id_20"))
    for number in range(30, 36):
        email = ("email", f"{number}@ties.example.com")
        RANDOM_TIES.append((login, email))
        properties = f'{{"email": "{email[1]}"}}'
        row = {"user_id": login[1], "properties": properties, "occurred_at": instant()}
        random.deliver("events", "identity.csv", {**row, "event_name": random.event_name("act")})


_deliver_random_ties()


def _is_role(identifier: Identifier) -> bool:
    return identifier[0] == "email" and identifier[1].split("@")[0] in USUAL_ROLES


def _shared(ties: Iterable[Tie]) -> set[Identifier]:
    """The identifiers that the usual limits do not allow, worked out without SQL."""
    others: dict[Identifier, set[Identifier]] = defaultdict(set)
    shared: set[Identifier] = set()
    for one, other in set(ties):
        for near, far in ((one, other), (other, one)):
            if _is_role(near):
                shared.add(near)
            if not _is_role(far):
                others[near].add(far)

    def addresses(user: Identifier) -> set[Identifier]:
        through = {far for near in others[user] if near[0] == "contact_id" for far in others[near]}
        return {far for far in others[user] | through if far[0] == "email"}

    for near, found in list(others.items()):
        counts = Counter(far[0] for far in found)
        if near[0] == "anonymous_id":
            known = set().union(*(addresses(far) for far in found if far[0] == "user_id"))
            strangers = {far for far in found if far[0] == "email"} - known
            counts["email"] = (len(strangers) + bool(known)) if counts["email"] else 0
        for kind, count in counts.items():
            most = USUAL_LIMITS.get((near[0], kind))
            if most and count > int(most):
                shared.add(near)
    return shared


def _persons(ties: Iterable[Tie]) -> set[frozenset[Identifier]]:
    """Sets of identifiers that lead to one another, by a union-find."""
    shared = _shared(ties)
    parent: dict[Identifier, Identifier] = {}

    def root(of: Identifier) -> Identifier:
        parent.setdefault(of, of)
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = parent[of]
        return of

    for one, other in ties:
        root(one), root(other)
        if one not in shared and other not in shared:
            parent[root(one)] = root(other)
    persons = defaultdict(set)
    for identifier in parent:
        if identifier[0] != "email":
            persons[root(identifier)].add(identifier)
    return {frozenset(found) for found in persons.values()}


def test_random_ties_give_the_persons_of_a_union_find(warehouse: Tables) -> None:
    """Prevents any mistake in how ties are counted, limited or followed that no case thought of."""
    tied = {identifier for tie in RANDOM_TIES for identifier in tie}
    found = defaultdict(set)
    for kind, identifier, person in warehouse.query(
        "select identifier_type, identifier, person_id from intermediate.int_person_identifiers"
        " where identifier_type <> 'email' and split_part(identifier, '.', 1) = 'random_ties'"
    ):
        if (kind, identifier) in tied:
            found[person].add((kind, identifier))
    expected = _persons(RANDOM_TIES)
    assert {frozenset(identifiers) for identifiers in found.values()} == expected
    shared = _shared(RANDOM_TIES)
    assert len({kind for kind, _ in shared}) == 3, "every kind is shared by some"
    assert max(len(person) for person in expected) > 10
    assert sum(len(person) > 1 for person in expected) > 20
    hashes = {
        email_hash(SECRET.encode(), identifier) if kind == "email" else identifier
        for kind, identifier in shared
    }
    assert hashes <= {
        identifier
        for (identifier,) in warehouse.query(
            "select identifier from intermediate.int_unused_identifiers"
        )
    }


def test_ties_lead_from_each_identifier_of_a_person_to_every_other(warehouse: Tables) -> None:
    """Prevents an explanation with a gap, and one that explains what is not so."""
    ties = warehouse.query(
        "select person_id, identifier_type, identifier, tied_type, tied_identifier"
        " from core.identity_ties"
    )
    near: dict[tuple[str, str, str], set[tuple[str, str, str]]] = defaultdict(set)
    for person, kind, identifier, tied_kind, tied in ties:
        near[(person, kind, identifier)].add((person, tied_kind, tied))
        near[(person, tied_kind, tied)].add((person, kind, identifier))
    sizes = warehouse.query(
        "select person_id, anonymous_ids + user_ids + emails + contacts + records"
        " from core.dim_persons"
    )
    explained = Counter(person for person, _, _ in near)
    several = {person: size for person, size in sizes if size > 1}
    assert len(several) > 30
    assert dict(explained) == several
    for person in several:
        start = next(one for one in near if one[0] == person)
        seen, waiting = {start}, [start]
        while waiting:
            for other in near[waiting.pop()] - seen:
                seen.add(other)
                waiting.append(other)
        assert len(seen) == several[person], person


def test_no_hash_of_an_address_is_published(warehouse: Tables) -> None:
    """Prevents who has a list of addresses from telling which of them are customers."""
    for table in warehouse.names("core"):
        [(rows,)] = warehouse.query(
            f"select count(*) from core.{table} as whole"
            " where regexp_matches(cast(whole as varchar), '[0-9a-f]{64}')"
        )
        assert rows == 0, table


def test_every_person_of_a_funnel_is_listed(warehouse: Tables) -> None:
    """Prevents subjects of person funnels of whom nothing can be looked up."""
    found = warehouse.query(
        "select subject_id from core.dim_subjects where subject_type = 'person'"
    )
    listed = {person for (person,) in warehouse.query("select person_id from core.dim_persons")}
    assert len(found) > 5
    assert {person for (person,) in found} <= listed
