"""One order in several systems is one purchase: by its number and its customer, as declared.

Three systems with a precedence (shop before CRM before billing) and one without. Ann's contact in
the CRM is of the account acme; of Bob nothing but his user is known.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from tests.oracle.purchases import Account, Order, purchases
from tests.semantics.cases import assert_rows, case
from tests.support.casebook import Case
from tests.support.tables import Tables, spelled, written

PRECEDENCE = {"o_shop": 1, "o_crm": 2, "o_billing": 3}

shop, crm, billing, market = (case("orders", source) for source in (*PRECEDENCE, "o_market"))
for source, place in PRECEDENCE.items():
    shop.declare("sources", source=source, order_precedence=str(place))
shop.declare("sources", source="o_market")

# Billing was delivered on the first of June for the last time; the CRM has orders from March on.
BILLED = "2024-06-01.csv"
FILE = "cases.csv"


def order(
    system: Case, order_id: str, ordered_at: str, amount: str, file: str, **cells: str
) -> None:
    """Deliver an order; its id and number are led by the name of the case, and so is a user."""
    for column in ("order_number", "user_id"):
        if column in cells:
            cells[column] = system.subject(cells[column])
    row = {"order_id": system.subject(order_id), "ordered_at": ordered_at, "amount": amount}
    system.deliver("orders", file, {**row, **cells})


crm.deliver(
    "contacts",
    FILE,
    {
        "contact_id": "orders.ann",
        "user_id": "orders.ann",
        "account_id": "acme",
        "created_at": "2024-01-01",
    },
)

# number  system  order  what is said
ORDERS = """
everywhere  shop     s1   2024-03-05T10:00  100  user_id=ann status=sold currency=EUR
everywhere  crm      c1   2024-03-05T23:00  100  account_id=acme
EveryWhere  billing  b1   2024-03-07T11:00  90   user_id=ann status=paid currency=EUR
others      shop     s2   2024-03-06T10:00  10   user_id=ann
others      crm      c2   2024-03-06T11:00  10   account_id=ajax status=sold
others      billing  b2   2024-03-06T12:00  10   user_id=bob status=sold
unbilled    shop     s3   2024-02-01T10:00  11   user_id=ann
first       crm      c3   2024-03-01T00:00  11   user_id=eve
unsold      billing  b3   2024-03-02T10:00  12   user_id=bob
late        shop     s4   2024-07-01T10:00  13   user_id=bob
cancelled   shop     s5   2024-03-08T10:00  14   user_id=bob status=cancelled
cancelled   crm      c5   2024-03-08T11:00  14   user_id=bob status=sold
cancelled   billing  b5   2024-03-08T12:00  14   user_id=bob status=sold
undone      shop     s6   2024-03-09T10:00  15   user_id=bob status=sold
undone      crm      c6   2024-03-09T11:00  15   user_id=bob status=sold
undone      billing  b6   2024-03-09T12:00  15   user_id=bob status=cancelled
again       shop     s8   2024-01-15T10:00  16   user_id=bob
again       shop     s9   2024-04-01T10:00  16   user_id=bob
again       crm      c8   2024-04-01T10:00  16   user_id=bob
again       billing  b8   2024-03-25T10:00  16   user_id=bob
again       billing  b9   2024-01-16T10:00  16   user_id=bob
silent      shop     s10  2024-03-10T10:00  17   user_id=bob
silent      crm      c10  2024-03-10T11:00  17   account_id=home status=shipped currency=GBP
silent      billing  b10  2024-03-10T12:00  17   user_id=bob status=shipped
dollars     shop     s11  2024-03-11T10:00  18   user_id=bob
dollars     crm      c11  2024-03-11T11:00  16   user_id=bob currency=EUR
dollars     billing  b11  2024-03-11T12:00  18   user_id=bob
nobody      shop     s12  2024-03-12T10:00  19   account_id=77 status=sold
nobody      crm      c12  2024-03-12T11:00  19   user_id=ann status=sold
nobody      billing  b12  2024-03-12T12:00  19   user_id=bob status=sold
tomorrow    shop     s13  2024-12-31T10:00  20   user_id=bob
tomorrow    crm      c13  2025-01-01T06:00  20   user_id=bob
market      shop     s14  2024-03-13T10:00  21   user_id=bob
market      market   m14  2024-03-13T10:00  21   user_id=bob
market      crm      c14  2024-03-13T10:00  21   user_id=bob
market      billing  b14  2024-03-13T10:00  21   user_id=bob
once        shop     s15  2024-03-15T10:00  30   user_id=once status=sold
once        crm      c15  2024-03-15T11:00  30   user_id=once status=sold
once        billing  b15  2024-03-16T10:00  31   user_id=once status=sold
twice_1     shop     s16  2024-03-15T10:00  40   user_id=twice status=sold
twice_1     crm      c16  2024-03-15T10:00  40   user_id=twice status=sold
twice_1     billing  b16  2024-03-15T11:00  40   user_id=twice status=sold
twice_2     shop     s17  2024-03-16T10:00  40   user_id=twice status=sold
twice_2     crm      c17  2024-03-16T10:00  40   user_id=twice status=sold
twice_2     billing  b17  2024-03-16T11:00  40   user_id=twice status=sold
"""
SYSTEMS = {"shop": shop, "crm": crm, "billing": billing, "market": market}


def _deliver_orders() -> None:
    for line in ORDERS.strip().splitlines():
        number, system, order_id, ordered_at, amount, *pairs = line.split()
        order(
            SYSTEMS[system],
            order_id,
            ordered_at,
            amount,
            BILLED if system == "billing" else FILE,
            order_number=number,
            **dict(pair.split("=") for pair in pairs),
        )


_deliver_orders()
# What every order bears that was placed by telephone is no number.
for count in range(21):
    order(shop, f"phone_{count}", "2024-03-14T10:00", "1", FILE, user_id="dan", order_number="n/a")
order(billing, "phone", "2024-03-14T10:00", "1", BILLED, user_id="dan", order_number="n/a")


def assert_told(warehouse: Tables, query: str, expected: str) -> None:
    """Assert the rows of a query, all without the names of the case and of its sources."""
    columns, rows = written(expected)
    found = [
        [spelled(cell).replace("orders.", "").replace("o_", "") for cell in row]
        for row in warehouse.query(f"select {', '.join(columns)} from {query}")
    ]
    assert sorted(found) == sorted(rows)


def test_orders_of_one_number_and_customer_are_one_purchase(warehouse: Tables) -> None:
    """Prevents a sale from counting once for each system that has it, and customers from mixing."""
    assert_told(
        warehouse,
        "core.fct_orders where order_id like '%:orders.%' and order_number not like '%n/a'",
        """
        order_id     purchase_id  customer_match
        shop:s1      shop:s1      -
        crm:c1       shop:s1      same_account
        billing:b1   shop:s1      same_person
        shop:s2      shop:s2      -
        crm:c2       crm:c2       -
        billing:b2   crm:c2       unknown
        shop:s3      shop:s3      -
        crm:c3       crm:c3       -
        billing:b3   billing:b3   -
        shop:s4      shop:s4      -
        shop:s5      shop:s5      -
        crm:c5       shop:s5      same_person
        billing:b5   shop:s5      same_person
        shop:s6      shop:s6      -
        crm:c6       shop:s6      same_person
        billing:b6   shop:s6      same_person
        shop:s8      shop:s8      -
        billing:b9   shop:s8      same_person
        shop:s9      shop:s9      -
        crm:c8       shop:s9      same_person
        billing:b8   shop:s9      same_person
        shop:s10     shop:s10     -
        crm:c10      shop:s10     unknown
        billing:b10  shop:s10     same_person
        shop:s11     shop:s11     -
        crm:c11      shop:s11     same_person
        billing:b11  shop:s11     same_person
        shop:s12     shop:s12     -
        crm:c12      shop:s12     unknown
        billing:b12  billing:b12  -
        shop:s13     shop:s13     -
        shop:s14     shop:s14     -
        crm:c14      shop:s14     same_person
        billing:b14  shop:s14     same_person
        market:m14   market:m14   -
        shop:s15     shop:s15     -
        crm:c15      shop:s15     same_person
        billing:b15  shop:s15     same_person
        shop:s16     shop:s16     -
        crm:c16      shop:s16     same_person
        billing:b16  shop:s16     same_person
        shop:s17     shop:s17     -
        crm:c17      shop:s17     same_person
        billing:b17  shop:s17     same_person
        """,
    )


def test_a_word_that_stands_for_no_number_makes_nothing_one(warehouse: Tables) -> None:
    """Prevents a placeholder from tying orders that have nothing to do with each other."""
    rows = warehouse.query(
        "select count(*), count(distinct purchase_id) from core.fct_orders"
        " where order_number = 'orders.n/a'"
    )
    assert rows == [(22, 22)]


def test_a_purchase_is_what_the_first_system_says_and_else_the_next(warehouse: Tables) -> None:
    """Prevents a cancelled order from being sold by an invoice, and gaps that another could fill.

    The sixteen dollars of `dollars` in euros say nothing about the eighteen of the shop.
    """
    assert_told(
        warehouse,
        "intermediate.int_purchases where purchase_id like '%:orders.%' and orders > 1",
        """
        purchase_id  user_id  account_id  status     currency  ordered_at        amount  orders
        shop:s1      ann      crm:acme    sold       EUR       2024-03-05T10:00  100     3
        crm:c2       bob      crm:ajax    sold       -         2024-03-06T11:00  10      2
        shop:s5      bob      -           cancelled  -         2024-03-08T10:00  14      3
        shop:s6      bob      -           sold       -         2024-03-09T10:00  15      3
        shop:s8      bob      -           completed  -         2024-01-15T10:00  16      2
        shop:s9      bob      -           completed  -         2024-04-01T10:00  16      3
        shop:s10     bob      crm:home    shipped    GBP       2024-03-10T10:00  17      3
        shop:s11     bob      -           completed  -         2024-03-11T10:00  18      3
        shop:s12     ann      shop:77     sold       -         2024-03-12T10:00  19      2
        shop:s14     bob      -           completed  -         2024-03-13T10:00  21      3
        shop:s15     once     -           sold       -         2024-03-15T10:00  30      3
        shop:s16     twice    -           sold       -         2024-03-15T10:00  40      3
        shop:s17     twice    -           sold       -         2024-03-16T10:00  40      3
        """,
    )


OF_THE_CASE = "purchase_id like '%:orders.%' and order_number != 'orders.n/a'"


def test_what_systems_tell_differently_is_listed(warehouse: Tables) -> None:
    """Prevents a difference from being settled by precedence without anybody knowing.

    The CRM has the number of `again` once, which is nearer to the order of April. `unbilled` is
    older than the CRM; `late` and `tomorrow` are later than the last delivery of billing. An order
    of exactly a day later is none of another day.
    """
    assert_told(
        warehouse,
        f"core.order_differences where {OF_THE_CASE}",
        """
        purchase_id  field         other_source  difference      other_order_id  amount other_amount
        shop:s1      amount        billing       differs          billing:b1      100     90
        shop:s1      status        billing       differs          billing:b1      100     90
        shop:s1      ordered_at    billing       differs          billing:b1      100     90
        shop:s2      customer      crm           other_customer   crm:c2          10      10
        shop:s2      customer      billing       other_customer   billing:b2      10      10
        crm:c2       customer      shop          other_customer   shop:s2         10      10
        shop:s3      order         billing       missing          -               11      -
        crm:c3       order         shop          missing          -               11      -
        crm:c3       order         billing       missing          -               11      -
        billing:b3   order         shop          missing          -               12      -
        billing:b3   order         crm           missing          -               12      -
        shop:s4      order         crm           missing          -               13      -
        shop:s5      status        crm           differs          crm:c5          14      14
        shop:s5      status        billing       differs          billing:b5      14      14
        shop:s6      status        billing       differs          billing:b6      15      15
        shop:s8      order_number  crm           repeated_number  crm:c8          16      16
        shop:s9      ordered_at    billing       differs          billing:b8      16      16
        shop:s11     amount        crm           differs          crm:c11         18      16
        shop:s11     currency      crm           differs          crm:c11         18      16
        shop:s12     customer      billing       other_customer   billing:b12     19      19
        billing:b12  customer      shop          other_customer   shop:s12        19      19
        billing:b12  customer      crm           other_customer   crm:c12         19      19
        shop:s13     order         crm           missing          -               20      -
        shop:s15     amount        billing       differs          billing:b15     30      31
        """,
    )


def test_both_sides_of_a_difference_are_told(warehouse: Tables) -> None:
    """Prevents a list of differences that has to be looked up before anybody can act on it."""
    assert_told(
        warehouse,
        f"core.order_differences where {OF_THE_CASE} and field != 'ordered_at'"
        " and amount in (11, 14, 16, 18, 19, 100)",
        """
        purchase_id  field         other_source  purchase_value  other_value
        shop:s1      amount        billing       100.0000        90.0000
        shop:s1      status        billing       sold            paid
        shop:s3      order         billing       unbilled        -
        crm:c3       order         shop          first           -
        crm:c3       order         billing       first           -
        shop:s5      status        crm           cancelled       sold
        shop:s5      status        billing       cancelled       sold
        shop:s8      order_number  crm           again           again
        shop:s11     amount        crm           18.0000         16.0000
        shop:s11     currency      crm           USD             EUR
        shop:s12     customer      billing       ann             bob
        billing:b12  customer      shop          bob             shop:77
        billing:b12  customer      crm           bob             ann
        """,
    )


customers = case("orders")
customers_funnel = customers.funnel(
    "shop",
    "visit\nordered won\nordered_again won",
    rules=[
        {"stage_id": "ordered", "rule_type": "purchase", "match_value": "sold"},
        {
            "stage_id": "ordered_again",
            "rule_type": "purchase",
            "match_value": "sold",
            "occurrence": "2+",
        },
    ],
)
for user in ("once", "twice"):
    customers.events(user, "2024-03-01T10:00:00 visit")


def test_an_invoice_is_no_repurchase(warehouse: Tables) -> None:
    """Prevents every customer from coming back as often as there are systems."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        customers_funnel,
        """
        subject_id  furthest_stage_id  outcome  amount
        once        ordered            won      30
        twice       ordered_again      won      40
        """,
    )


def test_orders_are_purchases_and_what_was_merged(warehouse: Tables) -> None:
    """Prevents an order from vanishing on its way to the funnels."""
    totals = dict(
        warehouse.query(
            "select measure, counted from core.control_totals where scope_type = 'orders'"
        )
    )
    (kept,) = warehouse.query("select count(*) from staging.stg_orders")[0]
    (evidence,) = warehouse.query(
        "select count(*) from intermediate.int_evidence where evidence_type = 'purchase'"
    )[0]
    assert totals["orders_kept"] == kept
    assert totals["purchases"] == evidence
    assert totals["orders_merged"] > 0
    assert totals["orders_not_known_yet"] > 0
    assert kept == sum(
        totals[measure] for measure in ("orders_not_known_yet", "orders_merged", "purchases")
    )


# Random orders, few customers and few numbers, so that most meet others that fit or do not.
CONTACTS: dict[str, set[Account]] = {
    "u0": {("o_crm", "x")},
    "u1": {("o_crm", "x"), ("o_billing", "x")},
    "u2": {("o_crm", "y")},
}
HEARSAY: dict[str, set[Account]] = {}
RANDOM: list[Order] = []


def _deliver_random_orders() -> None:
    random = np.random.default_rng(20241126)
    for person, accounts in CONTACTS.items():
        for system, name in accounts:
            contact = {"contact_id": f"r.{person}", "user_id": f"r.{person}"}
            case("r", system).deliver("contacts", FILE, {**contact, "account_id": f"r.{name}"})
    for place in range(600):
        source = str(random.choice([*PRECEDENCE, "o_market"], p=[0.4, 0.25, 0.3, 0.05]))
        at = datetime(2024, 3, 20) + timedelta(hours=int(random.integers(0, 9)))
        user = f"u{random.integers(0, 5)}" if random.random() < 0.6 else None
        has_account = user is None or random.random() < 0.2
        account = (source, str(random.choice(["x", "y", "z"]))) if has_account else None
        amount = int(random.integers(1, 4))
        number = f"{random.choice(['n', 'N'])!s}{random.integers(0, 90)}"
        RANDOM.append(
            Order(f"{source}:r.{place}", source, number, at, Decimal(amount), user, account)
        )
        if user and account:
            HEARSAY.setdefault(user, set()).add(account)
        row = {"order_id": f"r.{place}", "order_number": f"r.{number}", "ordered_at": f"{at}"}
        row |= {"amount": str(amount), "status": "sold"}
        row |= {"user_id": f"r.{user}"} if user else {}
        row |= {"account_id": f"r.{account[1]}"} if account else {}
        case("r", source).deliver("orders", BILLED if source == "o_billing" else FILE, row)


_deliver_random_orders()


def test_random_orders_are_reconciled_as_order_by_order(warehouse: Tables) -> None:
    """Prevents what no case by hand thought of, above all numbers that repeat."""
    found = dict(
        warehouse.query(
            "select order_id, purchase_id from core.fct_orders where order_id like '%:r.%'"
        )
    )
    expected = purchases(RANDOM, PRECEDENCE, CONTACTS, HEARSAY)
    assert len(found) == 600
    assert len(set(found.values())) < 500
    differing = {
        order_id: (found[order_id], purchase_id)
        for order_id, purchase_id in expected.items()
        if found[order_id] != purchase_id
    }
    assert differing == {}
