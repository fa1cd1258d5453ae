"""Which orders of several systems are one purchase, worked out order by order.

The rules are those of docs/orders-in-several-systems.md. Pairs are compared one by one, in plain
loops: nothing is grouped, joined or ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product
from typing import Literal

# An account: the system that has it, and its id there.
Account = tuple[str, str]
Match = Literal["same_person", "same_account", "unknown", "different"]
MATCHES: tuple[Match, ...] = ("same_person", "same_account", "unknown", "different")

# What stands on more orders of one system than this is no number.
MOST_ORDERS_OF_A_NUMBER = 20


@dataclass(frozen=True)
class Order:
    """An order of a system, which says who ordered by a person, an account or both."""

    order_id: str
    source: str
    number: str
    at: datetime
    amount: Decimal
    person: str | None = None
    account: Account | None = None


def purchases(
    orders: Sequence[Order],
    precedence: Mapping[str, int],
    contacts: Mapping[str, set[Account]],
    hearsay: Mapping[str, set[Account]],
) -> dict[str, str]:
    """The purchase of each order, by their ids; a purchase has the id of its leading order.

    Args:
        orders: all orders.
        precedence: the place of each source that has one.
        contacts: the accounts to which contacts say that a person belongs.
        hearsay: the accounts that other rows say of a person.
    """

    def match(one: Order, other: Order) -> Match:
        if one.person is not None and one.person == other.person:
            return "same_person"
        own = [_own_accounts(order, contacts) for order in (one, other)]
        said = [
            accounts | hearsay.get(order.person or "", set())
            for order, accounts in zip((one, other), own, strict=True)
        ]
        if said[0] & said[1]:
            return "same_account"
        is_of_others = one.person is not None and other.person is not None
        has_comparable = any(mine[0] == yours[0] for mine, yours in product(*own))
        return "different" if is_of_others or has_comparable else "unknown"

    def distance(one: Order, other: Order) -> tuple[object, ...]:
        first, second = sorted((one, other), key=lambda order: precedence[order.source])
        return (
            MATCHES.index(match(one, other)),
            abs(one.at - other.at),
            one.amount != other.amount,
            first.order_id,
            second.order_id,
        )

    def nearest(order: Order, source: str) -> Order | None:
        fitting = [
            other
            for other in orders
            if other.source == source
            and other.number.upper() == order.number.upper()
            and match(order, other) != "different"
        ]
        return min(fitting, key=lambda other: distance(order, other), default=None)

    def is_word_for_none(number: str) -> bool:
        return any(
            sum(o.source == source and o.number.upper() == number.upper() for o in orders)
            > MOST_ORDERS_OF_A_NUMBER
            for source in precedence
        )

    by_place = sorted(precedence, key=lambda source: precedence[source])
    leading: dict[Order, Order] = {}
    for order in orders:
        if order.source not in precedence or is_word_for_none(order.number):
            continue
        for source in by_place[: by_place.index(order.source)]:
            better = nearest(order, source)
            if better is not None and nearest(better, order.source) == order:
                leading[order] = better
                break

    # What follows an order that itself follows another stands for itself.
    followers = {order: first for order, first in leading.items() if first not in leading}
    found = {}
    for order in orders:
        first = followers.get(order, order)
        is_contradicted = any(
            other_first == first
            and precedence[other.source] < precedence[order.source]
            and match(order, other) == "different"
            for other, other_first in followers.items()
            if first != order
        )
        found[order.order_id] = order.order_id if is_contradicted else first.order_id
    return found


def _own_accounts(order: Order, contacts: Mapping[str, set[Account]]) -> set[Account]:
    own = {order.account} if order.account else set()
    return own | contacts.get(order.person or "", set())
