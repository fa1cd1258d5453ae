"""The web side of the company: visitors, sessions, sign-ups, the portal, orders in the shop.

Rows are numbers and codes; how they are spelled in a file belongs to `formats`, leads and deals
to `crm`, the figures to `parameters`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation import planted
from simulation.columns import NEVER, NONE, Columns, rows_of, stack, take
from simulation.days import (
    DAY,
    HOUR,
    KIND_UNIT,
    MILLISECOND,
    SECOND,
    Kind,
    at_any_hour,
    busyness,
    clock_changes,
    members,
    whole,
)
from simulation.parameters import Parameters
from simulation.randomness import (
    Flags,
    Floats,
    Integers,
    Keys,
    child_keys,
    choice,
    geometric,
    happens,
    keys,
    lognormal,
    uniform,
)

EVENT_NAMES = (
    "session_start",
    "page_view",
    "search",
    "cart_added",
    "checkout_started",
    "demo_requested",
    "sign_up",
    "order_paid",
    "staff_login",
    "email_verified",
    "profile_completed",
    "portal_action",
    "portal_login",
    "invite_sent",
)

CUSTOMER_KINDS = ("new", "existing")

# How the links of a channel are tagged: source and medium of the campaign. Who comes of one's own
# accord follows no link.
CAMPAIGNS = {
    "search": ("google", "organic"),
    "paid_ads": ("google", "cpc"),
    "social": ("facebook", "social"),
    "referral": ("forum", "referral"),
    "email": ("newsletter", "email"),
    "qr_code": ("leaflet", "qr"),
}
_NO_CAMPAIGN = (None, None)

# How far a session gets; positions are depths.
DEPTHS = ("visit", "product_view", "cart", "checkout", "payment")

# Ways in which an event can be broken, so that it has to be quarantined. 0 is sound.
BROKEN = ("sound", "year 2999", "30 February", "year 1970", "no subject")


@dataclass(frozen=True)
class _Slot:
    """A place in a session where an event may stand, after a lognormal pause."""

    event: str
    detail: str
    pause_seconds: float


# In the order in which they happen. The pauses make a session of a few minutes.
_SLOTS = {
    "start": _Slot("session_start", "", 0.0),
    "staff": _Slot("staff_login", "", 5.0),
    "home": _Slot("page_view", "home", 0.5),
    "search": _Slot("search", "", 15.0),
    "product": _Slot("page_view", "product", 25.0),
    "another product": _Slot("page_view", "another product", 45.0),
    "demo": _Slot("demo_requested", "about product", 90.0),
    "cart": _Slot("cart_added", "about product", 30.0),
    "second look": _Slot("page_view", "another product", 40.0),
    "checkout": _Slot("checkout_started", "about product", 60.0),
    "second cart": _Slot("cart_added", "about product", 90.0),
    "second checkout": _Slot("checkout_started", "about product", 60.0),
    "sign-up": _Slot("sign_up", "", 60.0),
    "payment": _Slot("order_paid", "about product", 80.0),
}
_SLOT_NAMES = tuple(_SLOTS)
_PAUSE_SIGMA = 0.7

# Positions in `details` of what is done in the portal.
_ACTIONS = {"list_created": 2, "list_shared": 3}

# Numbers of sessions within their device: first visits, repurchases, others on the device,
# log-ins to the portal.
_REPURCHASES_FROM, _SECOND_USER, _LOGINS_FROM = 10, 30, 50
_SESSION_UNIT = 100
# Days after they came in which users send the invitations that bring somebody.
_LONGEST_INVITATION = 60


@dataclass(frozen=True)
class Web:
    """What the web side did in some cohorts.

    `visitors` and `users` are the people. `events` and `orders` are rows for the extracts, with
    the instant of their delivery. `demos` are the requests that become leads.
    """

    visitors: Columns
    users: Columns
    demos: Columns
    events: Columns
    orders: Columns


def details(parameters: Parameters) -> tuple[tuple[str | None, str | None, str | None], ...]:
    """Type of the page, action, and product that an event is about. Positions are codes."""
    products = tuple(parameters.products)
    return (
        (None, None, None),
        ("home", None, None),
        (None, "list_created", None),
        (None, "list_shared", None),
        *(("product", None, product) for product in products),
        *((None, None, product) for product in products),
    )


def contexts(parameters: Parameters) -> tuple[tuple[str, str, str, str], ...]:
    """Channel, device, region and kind of customer. Positions are codes."""
    return tuple(
        itertools.product(
            parameters.channels, parameters.devices, parameters.regions, CUSTOMER_KINDS
        )
    )


def campaigns(channels: Sequence[str]) -> Iterator[tuple[str | None, str | None]]:
    """Source and medium of the campaigns that lead there by these channels."""
    return (CAMPAIGNS.get(channel, _NO_CAMPAIGN) for channel in channels)


def simulate(parameters: Parameters, seed: int, days: Sequence[date], opened: date) -> Web:
    """Follow the visitors of `days` to the end of their history.

    `opened` is the first day of the company: nobody was invited by who would have come before.
    """
    visitors = _visitors(parameters, seed, days)
    visitors["inviter"] = _inviters(parameters, seed, days, opened, visitors)
    sessions = _first_sessions(parameters, visitors)
    events = _session_events(parameters, visitors, sessions)
    first_paid = _first_instants(events, "payment", rows_of(visitors))
    signed_up = _first_instants(events, "sign-up", rows_of(visitors))

    further = [_repurchase_sessions(parameters, visitors, first_paid)]
    second = _second_user_sessions(parameters, visitors, signed_up)
    further.append(second)
    events = stack(
        [events, *(_session_events(parameters, visitors, sessions) for sessions in further)]
    )
    users = _users(seed, visitors, events)
    demos = take(events, events["slot"] == _SLOT_NAMES.index("demo"))
    events = stack([events, _portal_events(parameters, visitors, users)])
    events["context"] = _context(parameters, visitors, events, first_paid)
    for name in ("region", "landing", *parameters.planted.experiments):
        events[name] = visitors[name][events["visitor"]]
    own_sign_ups = events["slot"] == _SLOT_NAMES.index("sign-up")
    own_sign_ups &= events["user"] == visitors["number"][events["visitor"]]
    events["inviter"] = np.where(own_sign_ups, visitors["inviter"][events["visitor"]], NONE)

    orders = _orders(parameters, visitors, events)
    events = _delivered(parameters, events)
    known_as = np.full(rows_of(visitors), NONE, dtype=np.int64)
    own = users["number"] == visitors["number"][users["visitor"]]
    known_as[users["visitor"][own]] = users["number"][own]
    visitors["user"] = known_as
    return Web(visitors, users, demos, events, orders)


def step_probabilities(parameters: Parameters, channels: Integers, devices: Integers) -> Floats:
    """Probability of each web step for visitors of these channels and devices: rows × steps."""
    effect = _web_effect(parameters, channels, devices)
    base = np.array(list(parameters.web_steps.values()))
    return shifted(base[np.newaxis, :], effect[:, np.newaxis])


def reach_of(steps: Floats) -> Floats:
    """Probability to get to each depth or beyond it, by those of the steps: rows × depths."""
    return np.column_stack([np.ones(len(steps)), np.cumprod(steps, axis=1)])


def demo_probabilities(parameters: Parameters, channels: Integers, devices: Integers) -> Floats:
    """Probability to ask for a demonstration, of visitors who look at a product."""
    effect = _web_effect(parameters, channels, devices)
    return shifted(np.full(len(effect), parameters.demo_request), effect)


def shifted(probability: Floats, effect: Floats) -> Floats:
    """The probability whose logit lies `effect` higher."""
    odds = probability / (1.0 - probability) * np.exp(effect)
    return np.asarray(odds / (1.0 + odds))


def _web_effect(parameters: Parameters, channels: Integers, devices: Integers) -> Floats:
    by_channel = np.array([parameters.channel_effects[name] for name in parameters.channels])
    by_device = np.array([parameters.device_effects[name] for name in parameters.devices])
    return np.asarray(by_channel[channels] + by_device[devices])


def _visitors(parameters: Parameters, seed: int, days: Sequence[date]) -> Columns:
    means = [parameters.visitors_per_day * busyness(parameters, day) for day in days]
    number, midnights = members(seed, Kind.VISITOR, days, means)
    of = keys(seed, "visitor", number)
    region = choice(of, "region", list(parameters.regions.values()))
    start = at_any_hour(of, midnights, region)
    _keep_watch_at_clock_changes(days, number, region, start)

    channel = choice(of, "channel", list(parameters.channels.values()))
    device = choice(of, "device", list(parameters.devices.values()))
    usual_steps = step_probabilities(parameters, channel, device)
    steps = planted.disturbed(parameters, usual_steps, channel, midnights)
    drawn = uniform(of[:, np.newaxis], "step", np.arange(steps.shape[1])[np.newaxis, :])
    depth = np.cumprod(drawn < steps, axis=1).sum(axis=1).astype(np.int8)
    demo = (depth >= 1) & happens(of, "demo", demo_probabilities(parameters, channel, device))
    sign_up = np.array([parameters.sign_up[name] for name in DEPTHS])
    reach = reach_of(steps)
    return {
        "number": number,
        "key": of,
        "start": start,
        "region": region,
        "channel": channel,
        "device": device,
        "product": choice(of, "product", [item.share for item in parameters.products.values()]),
        "depth": depth,
        "demo": demo,
        "signs_up": happens(of, "sign-up", sign_up[depth]),
        "staff": happens(of, "staff", parameters.dirt.staff_visitors),
        "midnight": midnights,
        "search": planted.searches(parameters, reach[:, 2] / reach[:, 1], depth),
        "landing": planted.landings(parameters, of, usual_steps[:, 0], depth >= 1, midnights),
        **planted.variants(parameters, of, reach, depth, midnights),
    }


def _inviters(
    parameters: Parameters, seed: int, days: Sequence[date], opened: date, visitors: Columns
) -> Integers:
    """Who invited each visitor, as the number of a user; NONE for nobody.

    One of those who sent an invitation in the days before the visitor's. Whoever sent it more than
    `_LONGEST_INVITATION` after they came themselves is not asked: so it is the same whatever
    cohorts are followed together.
    """
    lookback = parameters.planted.invitation_days
    first = max(opened, days[0] - timedelta(days=lookback + _LONGEST_INVITATION))
    cohorts = [first + timedelta(days=number) for number in range((days[-1] - first).days + 1)]
    candidates = _visitors(parameters, seed, cohorts)
    candidates = take(candidates, candidates["signs_up"])
    events = _session_events(parameters, candidates, _first_sessions(parameters, candidates))
    users = _users(seed, candidates, events)
    events = _portal_events(parameters, candidates, users)
    invitations = take(events, events["event"] == EVENT_NAMES.index("invite_sent"))
    came = candidates["midnight"][invitations["visitor"]]
    invitations = take(invitations, invitations["occurred"] - came < _LONGEST_INVITATION * DAY)
    order = np.lexsort((invitations["user"], invitations["occurred"]))
    sent, user = invitations["occurred"][order], invitations["user"][order]

    low = np.searchsorted(sent, visitors["midnight"] - lookback * DAY)
    high = np.searchsorted(sent, visitors["midnight"])
    share = np.array([parameters.planted.invited[name] for name in parameters.channels])
    is_invited = happens(visitors["key"], "invited", share[visitors["channel"]]) & (high > low)
    inviters = np.full(rows_of(visitors), NONE, dtype=np.int64)
    drawn = uniform(visitors["key"], "inviter") * (high - low)
    inviters[is_invited] = user[(low + drawn.astype(np.int64))[is_invited]]
    return inviters


def _keep_watch_at_clock_changes(
    days: Sequence[date], number: Integers, region: Integers, start: Integers
) -> None:
    """Let the first two visitors of such a day come a minute before and after the change.

    In autumn both clocks show the same hour, and only the offset tells them apart.
    """
    position = number % KIND_UNIT
    for zone, place in (("Europe/Berlin", 1),):
        for change in clock_changes(zone, days):
            today = start // DAY == change // DAY
            for watch, minutes in ((0, -1), (1, 1)):
                watching = today & (position == watch)
                region[watching] = place
                start[watching] = change + minutes * 60 * SECOND


def _first_sessions(parameters: Parameters, visitors: Columns) -> Columns:
    """The sessions of visitors until they sign up or buy, one of which gets them that far."""
    of = visitors["key"]
    counts = 1 + geometric(of, "sessions", parameters.returning_visitor, most=6)
    visitor = np.repeat(np.arange(len(of)), counts)
    number = np.arange(len(visitor)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child_keys(of[visitor], "session", number)

    gaps = whole(
        lognormal(
            key, "gap", parameters.return_gap_median_hours * HOUR, parameters.return_gap_sigma
        ),
        MILLISECOND,
    )
    gaps[number == 0] = 0
    start = visitors["start"][visitor] + _running(gaps, number == 0)

    decisive = np.floor(uniform(of, "decisive session") * counts).astype(np.int64)
    is_decisive = number == decisive[visitor]
    glance = happens(key, "glance", 0.4) & (visitors["depth"][visitor] >= 1)
    depth = np.where(is_decisive, visitors["depth"][visitor], glance.astype(np.int8))
    signs_up = is_decisive & visitors["signs_up"][visitor]
    known = (number > decisive[visitor]) & visitors["signs_up"][visitor]
    known &= happens(key, "logged in", parameters.logged_in)
    name = visitors["number"][visitor]
    return {
        "visitor": visitor,
        "key": key,
        "start": start,
        "number": number,
        "depth": depth,
        "user": np.where(known, name, NONE),
        "new_user": np.where(signs_up, name, NONE),
        "demo": is_decisive & visitors["demo"][visitor],
    }


def _repurchase_sessions(
    parameters: Parameters, visitors: Columns, first_paid: Integers
) -> Columns:
    """The sessions in which customers of the shop buy again, each after a gap from the last."""
    buyers = np.flatnonzero(first_paid < NEVER)
    of = visitors["key"][buyers]
    again = happens(of, "repurchase", parameters.repurchase)
    more = geometric(of, "further repurchases", parameters.further_repurchase, most=8)
    counts = np.where(again, 1 + more, 0)
    visitor = np.repeat(buyers, counts)
    number = np.arange(len(visitor)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child_keys(visitors["key"][visitor], "repurchase", number)
    gaps = whole(
        lognormal(
            key,
            "gap",
            parameters.repurchase_gap_median_hours * HOUR,
            parameters.repurchase_gap_sigma,
        ),
        MILLISECOND,
    )
    return {
        "visitor": visitor,
        "key": key,
        # No earlier than the end of the session before, which takes minutes.
        "start": first_paid[visitor] + _running(gaps + HOUR, number == 0),
        "number": number + _REPURCHASES_FROM,
        "depth": np.full(len(visitor), len(DEPTHS) - 1, dtype=np.int8),
        "user": visitors["number"][visitor],
        "new_user": np.full(len(visitor), NONE, dtype=np.int64),
        "demo": np.zeros(len(visitor), dtype=bool),
    }


def _second_user_sessions(
    parameters: Parameters, visitors: Columns, signed_up: Integers
) -> Columns:
    """Sessions in which somebody else signs up on the device of a user."""
    shared = happens(visitors["key"], "shared device", parameters.dirt.shared_devices)
    visitor = np.flatnonzero(shared & (signed_up < NEVER))
    key = child_keys(visitors["key"][visitor], "second user")
    return {
        "visitor": visitor,
        "key": key,
        "start": signed_up[visitor] + HOUR + whole(lognormal(key, "gap", 90.0 * HOUR, 0.8), 1000),
        "number": np.full(len(visitor), _SECOND_USER),
        "depth": np.zeros(len(visitor), dtype=np.int8),
        "user": np.full(len(visitor), NONE, dtype=np.int64),
        "new_user": visitors["number"][visitor] + int(Kind.SECOND_USER) * KIND_UNIT,
        "demo": np.zeros(len(visitor), dtype=bool),
    }


def _session_events(parameters: Parameters, visitors: Columns, sessions: Columns) -> Columns:
    """The events of sessions, in order, without what is added by their delivery."""
    key, depth = sessions["key"], sessions["depth"]
    cart = depth >= DEPTHS.index("cart")
    checkout = depth >= DEPTHS.index("checkout")
    looks = (depth >= 1) & ~(cart & happens(key, "quick order", parameters.quick_order))
    buy_now = checkout & happens(key, "buy now", parameters.buy_now)
    second_cart = checkout & happens(key, "second cart", parameters.second_cart)
    first = sessions["number"] == 0
    present = {
        "start": ~happens(key, "start lost", parameters.dirt.session_start_lost),
        "staff": visitors["staff"][sessions["visitor"]],
        "home": np.ones(len(key), dtype=bool),
        "search": happens(key, "search", visitors["search"][sessions["visitor"]]),
        "product": looks,
        "another product": looks & happens(key, "another product", 0.35),
        "demo": sessions["demo"],
        "cart": cart,
        "second look": cart & ~buy_now & happens(key, "second look", parameters.second_look),
        "checkout": checkout,
        "second cart": second_cart,
        "second checkout": second_cart,
        "sign-up": sessions["new_user"] != NONE,
        "payment": depth >= DEPTHS.index("payment"),
    }
    session, slot = np.nonzero(np.column_stack([present[name] for name in _SLOT_NAMES]))
    event_key = child_keys(key[session], "event", slot)

    pauses = np.array([item.pause_seconds for item in _SLOTS.values()]) * SECOND
    pause = whole(lognormal(event_key, "pause", pauses[slot], _PAUSE_SIGMA), MILLISECOND)
    at_once = (slot == _SLOT_NAMES.index("checkout")) & buy_now[session]
    # A page that is counted in the instant in which its session starts.
    at_once |= (slot == _SLOT_NAMES.index("home")) & first[session] & (event_key % 10 == 0)
    pause[at_once] = 0
    is_first = np.diff(session, prepend=-1) != 0
    pause[is_first] = 0

    events = np.array([EVENT_NAMES.index(item.event) for item in _SLOTS.values()], dtype=np.int8)
    knows_user = slot >= _SLOT_NAMES.index("sign-up")
    new_user = sessions["new_user"][session]
    user = np.where(knows_user & (new_user != NONE), new_user, sessions["user"][session])
    anonymous = visitors["number"][sessions["visitor"][session]]
    gives_email = np.isin(slot, [_SLOT_NAMES.index("demo"), _SLOT_NAMES.index("sign-up")])
    return {
        "visitor": sessions["visitor"][session],
        "key": event_key,
        "slot": slot.astype(np.int8),
        "occurred": sessions["start"][session] + _running(pause, is_first),
        "event": events[slot],
        "detail": _detail(parameters, slot, visitors["product"][sessions["visitor"][session]]),
        "anonymous": anonymous,
        "user": user,
        "session": anonymous * _SESSION_UNIT + sessions["number"][session],
        "email": np.where(gives_email, np.where(user == NONE, anonymous, user), NONE),
        "is_late": happens(key, "late", parameters.dirt.late_sessions)[session],
        "carrier": key[session],
    }


def _detail(parameters: Parameters, slot: Integers, product: Integers) -> Integers:
    products = len(parameters.products)
    kinds = np.array(
        [
            ("", "home", "product", "another product", "about product").index(item.detail)
            for item in _SLOTS.values()
        ]
    )[slot]
    pages, about = 4, 4 + products
    return np.select(
        [kinds == 0, kinds == 1, kinds == 2, kinds == 3],
        [0, 1, pages + product, pages + (product + 1) % products],
        default=about + product,
    ).astype(np.int8)


def _users(seed: int, visitors: Columns, events: Columns) -> Columns:
    signing_up = take(events, events["slot"] == _SLOT_NAMES.index("sign-up"))
    return {
        "number": signing_up["user"],
        "key": keys(seed, "user", signing_up["user"]),
        "visitor": signing_up["visitor"],
        "anonymous": visitors["number"][signing_up["visitor"]],
        "signed_up": signing_up["occurred"],
    }


def _portal_events(parameters: Parameters, visitors: Columns, users: Columns) -> Columns:
    """What users do after their sign-up: activation, log-ins, invitations."""
    of = users["key"]
    everyone = np.arange(len(of))
    verifies = ~happens(of, "single sign-on", parameters.single_sign_on)
    longest = parameters.activation_stay_longest_hours
    reached, at = np.ones(len(of), dtype=bool), users["signed_up"].copy()
    parts = []
    instants = {}
    for step, probability in parameters.activation_steps.items():
        takes = verifies if step == "email_verified" else np.ones(len(of), dtype=bool)
        median = parameters.activation_stay_median_hours[step]
        stay = lognormal(of, f"{step} stay", median, parameters.activation_stay_sigma)
        reached = reached & (~takes | happens(of, step, probability))
        spent = whole(np.minimum(stay, longest) * HOUR, MILLISECOND)
        at = np.where(reached & takes, at + spent, at)
        instants[step] = np.where(reached, at, NEVER)
        parts.append(
            _portal_rows(
                users,
                everyone[reached & takes],
                at[reached & takes],
                "portal_action" if step in _ACTIONS else step,
                detail=_ACTIONS.get(step, 0),
                # The mail server does not know the device.
                on_device=step != "email_verified",
            )
        )

    active = np.flatnonzero(instants["profile_completed"] < NEVER)
    counts = geometric(of[active], "log-ins", parameters.next_login, most=40)
    user = np.repeat(active, counts)
    number = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    key = child_keys(of[user], "log-in", number)
    gaps = lognormal(
        key, "gap", parameters.login_gap_median_hours * HOUR, parameters.login_gap_sigma
    )
    at = instants["profile_completed"][user] + _running(whole(gaps, MILLISECOND), number == 0)
    logins = _portal_rows(users, user, at, "portal_login", step=number)
    elsewhere = happens(key, "second device", parameters.dirt.second_devices)
    logins["anonymous"] = logins["anonymous"] + np.where(
        elsewhere, int(Kind.SECOND_DEVICE) * KIND_UNIT, 0
    )
    logins["session"] = logins["anonymous"] * _SESSION_UNIT + _LOGINS_FROM + number
    parts.append(logins)

    inviting = np.flatnonzero(
        (instants["list_created"] < NEVER) & happens(of, "invites", parameters.invites)
    )
    waits = lognormal(of[inviting], "invite", parameters.invite_median_hours * HOUR, 0.8)
    at = instants["list_created"][inviting] + whole(waits, MILLISECOND)
    parts.append(_portal_rows(users, inviting, at, "invite_sent"))
    return stack(parts)


def _portal_rows(
    users: Columns,
    user: Integers,
    at: Integers,
    event: str,
    *,
    detail: int = 0,
    step: Integers | int = 0,
    on_device: bool = True,
) -> Columns:
    rows = len(user)
    key = child_keys(users["key"][user], f"{event}/{detail}", step)
    none = np.full(rows, NONE, dtype=np.int64)
    return {
        "visitor": users["visitor"][user],
        "key": key,
        "slot": np.full(rows, NONE, dtype=np.int8),
        "occurred": at,
        "event": np.full(rows, EVENT_NAMES.index(event), dtype=np.int8),
        "detail": np.full(rows, detail, dtype=np.int8),
        "anonymous": users["anonymous"][user] if on_device else none,
        "user": users["number"][user],
        "session": none,
        "email": none,
        "is_late": np.zeros(rows, dtype=bool),
        "carrier": key,
    }


def _context(
    parameters: Parameters, visitors: Columns, events: Columns, first_paid: Integers
) -> Integers:
    visitor = events["visitor"]
    existing = events["occurred"] > first_paid[visitor]
    code = visitors["channel"].astype(np.int16)
    code = code * len(parameters.devices) + visitors["device"]
    code = code * len(parameters.regions) + visitors["region"]
    return (code[visitor] * 2 + existing).astype(np.int16)


def _orders(parameters: Parameters, visitors: Columns, events: Columns) -> Columns:
    """Rows for the orders of the shop, and their amounts on the events that paid them."""
    paying = events["slot"] == _SLOT_NAMES.index("payment")
    paid = take(events, paying)
    key, visitor = paid["key"], paid["visitor"]
    currency = currencies(parameters, visitors["key"], visitors["region"])[visitor]
    unit = np.array(list(parameters.currency_units.values()))[currency]
    price = np.array([item.shop_price_median for item in parameters.products.values()])
    median = price[visitors["product"][visitor]] / unit * 100.0
    cents = whole(lognormal(key, "amount", median, parameters.shop_price_sigma), 1)
    events["order"] = np.full(len(paying), NONE, dtype=np.int64)
    events["order"][paying] = paid["session"]
    events["cents"] = np.zeros(len(paying), dtype=np.int64)
    events["cents"][paying] = cents
    events["currency"] = np.zeros(len(paying), dtype=np.int8)
    events["currency"][paying] = currency

    rows = len(key)
    none = np.full(rows, NONE, dtype=np.int64)
    orders = {
        "is_deal": np.zeros(rows, dtype=bool),
        "number": paid["session"],
        "deal": np.zeros(rows, dtype=np.int8),
        "win": np.zeros(rows, dtype=np.int8),
        "ordered": paid["occurred"],
        "updated": paid["occurred"],
        "cents": cents,
        "currency": currency,
        "user": paid["user"],
        "account": none,
        "status": np.zeros(rows, dtype=np.int8),
        "is_broken": np.zeros(rows, dtype=bool),
        "delivered": paid["occurred"],
    }
    refunds = take(orders, happens(key, "refund", parameters.refunded_orders))
    refund_key = key[happens(key, "refund", parameters.refunded_orders)]
    waits = lognormal(refund_key, "refund", parameters.refund_median_hours * HOUR, 0.6)
    refunds["status"] = np.full(len(refund_key), 1, dtype=np.int8)
    refunds["updated"] = refunds["ordered"] + whole(waits, SECOND)
    refunds["delivered"] = refunds["updated"]
    broken = take(orders, happens(key, "broken", parameters.dirt.broken_orders))
    broken["is_broken"] = np.ones(rows_of(broken), dtype=bool)
    return stack([orders, refunds, broken])


def currencies(parameters: Parameters, of: Keys, regions: Integers) -> Integers:
    """The currency that each buys in, by region, as positions in `parameters.currencies`."""
    shares = np.array(
        [
            [parameters.region_currencies[region].get(name, 0.0) for name in parameters.currencies]
            for region in parameters.regions
        ]
    )
    bounds = np.cumsum(shares, axis=1)[regions]
    drawn = uniform(of, "currency") * bounds[:, -1]
    return np.asarray((drawn[:, np.newaxis] >= bounds).sum(axis=1).astype(np.int8))


def _delivered(parameters: Parameters, events: Columns) -> Columns:
    """The events as they are delivered: some late, some twice, some broken."""
    dirt = parameters.dirt
    key = events["key"]
    # A collector needs some hundredths of a second; microseconds leave hardly any ties.
    latency = whole(uniform(key, "latency") * 2.5 * SECOND, 1) + 50 * MILLISECOND
    late = lognormal(events["carrier"], "lateness", dirt.late_median_hours * HOUR, 0.9)
    late_by = whole(np.minimum(late, 6.0 * DAY), 1)
    received = events["occurred"] + latency + np.where(events["is_late"], late_by, 0)
    rows = len(key)
    sound = {
        name: events[name]
        for name in (
            "key", "occurred", "event", "detail", "context", "region", "anonymous", "user",
            "session", "email", "order", "cents", "currency", "landing", "inviter",
            *parameters.planted.experiments,
        )
    }  # fmt: skip
    sound |= {
        "received": received,
        "delivered": received,
        "broken": np.zeros(rows, dtype=np.int8),
    }
    repeated = take(sound, happens(key, "repeated", dirt.repeated_events))
    next_day = happens(repeated["key"], "next day", 0.5)
    repeated["delivered"] = repeated["delivered"] + np.where(next_day, DAY, 0)
    repeated["received"] = repeated["delivered"]
    parts = [sound, repeated]
    for code in range(1, len(BROKEN)):
        broken = take(sound, happens(key, f"broken {code}", dirt.broken_events))
        broken["key"] = child_keys(broken["key"], "broken", code)
        broken["broken"] = np.full(rows_of(broken), code, dtype=np.int8)
        parts.append(broken)
    return stack(parts)


def _first_instants(events: Columns, slot: str, visitors: int) -> Integers:
    """When each visitor first did what the slot stands for; NEVER where it did not."""
    rows = events["slot"] == _SLOT_NAMES.index(slot)
    found = np.full(visitors, NEVER, dtype=np.int64)
    np.minimum.at(found, events["visitor"][rows], events["occurred"][rows])
    return found


def _running(values: Integers, is_first: Flags) -> Integers:
    """Running sums that begin anew at each row with `is_first`, which counts itself."""
    total = np.cumsum(values)
    starts = np.flatnonzero(is_first)
    before = total[starts] - values[starts]
    lengths = np.diff(np.append(starts, len(values)))
    return np.asarray(total - np.repeat(before, lengths))
