"""Who moves: visitors, users with their orders, accounts, and persons behind web and CRM."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

visitors = case("visitors")
visitors_funnel = visitors.funnel("web", "visit\ncart\npaid won", subject_type="visitor")
visitors.events(
    "device", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 cart", subject_type="visitor"
)
visitors.events("known_only", "2024-01-01T10:00:00 visit", subject_type="user")


def test_a_visitor_is_a_device_or_a_user_of_whom_no_device_is_known(warehouse: Tables) -> None:
    """Prevents sources that only know users from having no visitors."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        visitors_funnel,
        """
        subject_id  furthest_stage_id
        device      cart
        known_only  visit
        """,
    )


buyers = case("buyers")
buyers_funnel = buyers.funnel(
    "web",
    "visit\nordered won\nordered_again won",
    rules=[
        {"stage_id": "ordered", "rule_type": "purchase", "match_value": "completed"},
        {
            "stage_id": "ordered_again",
            "rule_type": "purchase",
            "match_value": "completed",
            "occurrence": "2+",
        },
    ],
)
for user in ("once", "twice", "refunded"):
    buyers.events(user, "2024-01-01T10:00:00 visit")
ORDERS = (
    ("once", "2024-01-02T10:00:00", "completed", "10"),
    # An order without a status is a completed one.
    ("twice", "2024-01-02T10:00:00", "", "20"),
    ("twice", "2024-01-03T10:00:00", "completed", "30"),
    ("refunded", "2024-01-02T10:00:00", "refunded", "40"),
)
for number, (user, ordered_at, status, amount) in enumerate(ORDERS):
    buyers.deliver(
        "orders",
        "cases.csv",
        {
            "order_id": f"buyers.{number}",
            "ordered_at": ordered_at,
            "amount": amount,
            "user_id": buyers.subject(user),
            "status": status,
        },
    )


def test_orders_are_purchases_by_their_status(warehouse: Tables) -> None:
    """Prevents cancelled and refunded orders from counting as sales."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        buyers_funnel,
        """
        subject_id  furthest_stage_id  outcome  amount
        once        ordered            won      10
        twice       ordered_again      won      20
        refunded    visit              open     -
        """,
    )


accounts = case("accounts")
accounts_funnel = accounts.funnel(
    "land_and_expand",
    "opened\nsigned won\nordered won",
    subject_type="account",
    order_mode="furthest",
    rules=[
        {"stage_id": "opened", "rule_type": "opportunity_stage", "match_value": "new"},
        {"stage_id": "signed", "rule_type": "opportunity_stage", "match_value": "won"},
        {"stage_id": "ordered", "rule_type": "purchase", "match_value": "completed"},
    ],
)
accounts.changes("deal_1", "2024-01-01T10:00:00 new", account_id="accounts.acme")
accounts.changes(
    "deal_2", "2024-01-05T10:00:00 new\n2024-02-01T10:00:00 won", account_id="accounts.acme"
)
accounts.changes("deal_3", "2024-01-05T10:00:00 new", account_id="accounts.other")
accounts.changes("deal_4", "2024-01-05T10:00:00 new")
accounts.deliver(
    "orders",
    "cases.csv",
    {
        "order_id": "accounts.1",
        "ordered_at": "2024-03-01T10:00:00",
        "amount": "5",
        "account_id": "accounts.acme",
    },
)


def test_an_account_takes_all_its_opportunities_and_orders_together(warehouse: Tables) -> None:
    """Prevents customers with two deals from counting twice, and deals of nobody from counting."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        accounts_funnel,
        """
        subject_id  entered_at        furthest_stage_id  outcome
        acme        2024-01-01T10:00  ordered            won
        other       2024-01-05T10:00  opened             open
        """,
    )


# Deals and leads without a history tell when they were created, and what they are now.
ACCOUNT_STAGES = "opened\nproposed\nsigned won\ngone lost"
ACCOUNT_RULES = [
    {"stage_id": stage, "rule_type": "opportunity_stage", "match_value": stage}
    for stage in ("opened", "proposed", "signed", "gone")
]
created = case("created")
created_accounts = created.funnel(
    "accounts", ACCOUNT_STAGES, subject_type="account", order_mode="furthest", rules=ACCOUNT_RULES
)
# The first stage is entered on the web, of which the creation of a deal tells nothing.
created_buyers = created.funnel(
    "buyers",
    f"visited\n{ACCOUNT_STAGES}",
    subject_type="person",
    order_mode="furthest",
    rules=ACCOUNT_RULES,
)
created_leads = created.funnel(
    "leads",
    "new\nqualified won\ndead lost",
    subject_type="person",
    order_mode="furthest",
    rules=[
        {"stage_id": "new", "match_value": "visit"},
        *(
            {"stage_id": stage, "rule_type": "lead_status", "match_value": stage}
            for stage in ("new", "qualified", "dead")
        ),
    ],
)
CREATED_AT = "2024-01-01T10:00:00"
for stage in ("opened", "proposed", "gone"):
    created.record(
        stage,
        stage=stage,
        created_at=CREATED_AT,
        account_id=created.subject(stage),
        contact_email=f"created_{stage}@example.com",
    )
created.record(
    "signed",
    stage="signed",
    created_at=CREATED_AT,
    closed_at="2024-01-05T10:00:00",
    account_id=created.subject("signed"),
    contact_email="created_signed@example.com",
)
# A second deal of an account: it too begins in the first stage.
created.record(
    "again", stage="opened", created_at="2024-01-09T10:00:00", account_id=created.subject("signed")
)
created.record("of_nobody", stage="opened", created_at=CREATED_AT)
for stage in ("new", "dead"):
    created.record(
        f"lead_{stage}",
        record_type="lead",
        stage=stage,
        created_at=CREATED_AT,
        contact_email=f"created_{stage}@example.com",
    )


def test_a_record_without_history_begins_the_funnel_of_its_account(warehouse: Tables) -> None:
    """Prevents the accounts of deals that were just opened from missing in their funnel."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        created_accounts,
        """
        subject_id  visit_number  stage_id  entered_at        evidence  next_stage_id
        opened      1             opened    2024-01-01T10:00  imputed   still_there
        proposed    1             opened    2024-01-01T10:00  imputed   proposed
        proposed    2             proposed  -                 observed  still_there
        gone        1             opened    2024-01-01T10:00  imputed   gone
        gone        2             gone      -                 observed  ended
        signed      1             opened    2024-01-01T10:00  imputed   signed
        signed      2             signed    2024-01-05T10:00  observed  opened
        signed      3             opened    2024-01-09T10:00  imputed   still_there
        """,
    )


def persons_of(warehouse: Tables, funnel_id: str) -> list[tuple[str, ...]]:
    """The visits of a funnel of persons, each by the record that the person goes by."""
    found = warehouse.query(
        "select subject_id, stage_id, coalesce(cast(entered_at as varchar), '-'), evidence,"
        " next_stage_id from core.fct_stage_visits where funnel_id = ?"
        " order by subject_id, visit_number",
        [funnel_id],
    )
    return [(subject.removeprefix("record:created."), *cells) for subject, *cells in found]


def test_a_record_without_history_begins_the_funnel_of_its_person(warehouse: Tables) -> None:
    """Prevents leads that were just delivered from missing beside those whom the web knows."""
    assert persons_of(warehouse, created_leads) == [
        ("lead_dead", "new", "2024-01-01 10:00:00", "imputed", "dead"),
        ("lead_dead", "dead", "-", "observed", "ended"),
        ("lead_new", "new", "2024-01-01 10:00:00", "imputed", "still_there"),
    ]


def test_a_creation_says_nothing_of_a_stage_that_records_cannot_enter(
    warehouse: Tables,
) -> None:
    """Prevents visits of the web site from being made up for deals that sales people found."""
    assert persons_of(warehouse, created_buyers) == [
        ("gone", "gone", "-", "observed", "ended"),
        ("opened", "opened", "-", "observed", "still_there"),
        ("proposed", "proposed", "-", "observed", "still_there"),
        ("signed", "signed", "2024-01-05 10:00:00", "observed", "ended"),
    ]


persons = case("persons")
persons_funnel = persons.funnel(
    "lifecycle",
    "visited\ninquired\nsigned won",
    subject_type="person",
    order_mode="furthest",
    rules=[
        {"stage_id": "visited", "match_value": "visit"},
        {"stage_id": "inquired", "rule_type": "lead_status", "match_value": "persons_new"},
        {"stage_id": "signed", "rule_type": "opportunity_stage", "match_value": "persons_won"},
    ],
)
# One person: the web knows a user with an address, the CRM a lead and a deal with the same one.
persons.events("ann", "2024-01-01T10:00:00 visit email=Ann@example.com")
persons.changes(
    "lead",
    "2024-01-02T10:00:00 persons_new",
    record_type="lead",
    contact_email=" ann@EXAMPLE.com",
)
persons.changes("deal", "2024-01-03T10:00:00 persons_won", contact_email="ann@example.com")
# Another, whom the web never saw.
persons.changes(
    "other", "2024-01-02T10:00:00 persons_new", record_type="lead", contact_email="b@example.com"
)


def test_a_person_is_linked_by_user_and_hashed_address(warehouse: Tables) -> None:
    """Prevents one customer from being three, and an address from leaving staging."""
    found = warehouse.query(
        "select furthest_stage_id, outcome, entered_at from core.fct_journeys"
        " where funnel_id = ? order by 1",
        [persons_funnel],
    )
    assert [(stage, outcome, str(at)) for stage, outcome, at in found] == [
        ("inquired", "open", "2024-01-02 10:00:00"),
        ("signed", "won", "2024-01-01 10:00:00"),
    ]


def test_no_address_is_found_in_any_table_behind_staging(warehouse: Tables) -> None:
    """Prevents e-mail addresses from being published."""
    tables = [
        (schema, table)
        for schema in ("intermediate", "core", "marts")
        for table in warehouse.names(schema)
    ]
    assert len(tables) > 20
    for schema, table in tables:
        texts = warehouse.query(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
            " and data_type like 'VARCHAR%'",
            [schema, table],
        )
        found = " or ".join(f"cast({text} as varchar) ilike '%@example.com%'" for (text,) in texts)
        [(rows,)] = warehouse.query(
            f"select count(*) from {schema}.{table} where {found or 'false'}"
        )
        assert rows == 0, f"{schema}.{table}"
