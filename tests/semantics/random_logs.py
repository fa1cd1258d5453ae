"""Random logs of many small subjects, and the funnels that are asked of them.

Each log is drawn from its own fixed seed. Instants are whole hours, so that a log with ties has
many of them; the last ones lie so close to the as-of that their windows are still open.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from tests.semantics.cases import BOOK, case, hours

SUBJECTS = 300
START = datetime(2024, 12, 30)
HOURS = 48

LADDER = "a\nb\nc\nd won\nlost lost"
OPTIONAL = "a\nb optional\nc optional\nd\ne won\nlost lost"
OPTIONAL_FIRST = "a optional\nb\nc\nd won"
EARLY_WIN = "a\nb won\nc\nd won\nlost lost"
TWO_WINS = "a\nb\nc won\nd won\nlost lost"


def _draw(
    name: str,
    seed: int,
    alphabet: str,
    with_ties: bool,
    weights: tuple[int, ...],
    most: int = 11,
    items: tuple[str, ...] = (),
) -> None:
    """Put a random log into the book: up to `most` events a subject, names from `alphabet`.

    Every other subject goes roughly in the order of the alphabet, so that many get far. Where
    there are `items`, each event has one of them as its property `item`; an empty one is none.
    """
    random = np.random.default_rng(seed)
    names = ["lost" if letter == "l" else letter for letter in alphabet]
    share = np.array(weights) / sum(weights)
    log = case(name)
    for subject in range(SUBJECTS):
        size = int(random.integers(1, most + 1))
        span = int(random.integers(2, HOURS))
        first = int(random.integers(0, HOURS - span + 1))
        drawn = random.choice(max(span, size), size=size, replace=with_ties)
        at = [START + timedelta(hours=first + int(hour)) for hour in drawn]
        events = list(random.choice(names, size=size, p=share))
        pairs = [f"item={item}" if item else "" for item in random.choice(items or [""], size=size)]
        if subject % 2:
            at.sort()
            events.sort()
            one, other = random.integers(0, size, 2)
            events[one], events[other] = events[other], events[one]
        for number, (when, event, pair) in enumerate(zip(at, events, pairs, strict=True)):
            # With an id, rows that are otherwise the same are not taken for a repeated delivery.
            log.events(
                f"{subject:03}",
                f"{when.isoformat()} {event} {pair}",
                file="random.csv",
                event_id=f"{name}.{subject:03}.{number}",
            )


def _draw_deals(name: str, seed: int, with_ties: bool) -> None:
    """Put random histories of opportunities into the book."""
    random = np.random.default_rng(seed)
    names = ["a", "b", "c", "d", "lost", "parked"]
    log = case(name)
    for subject in range(SUBJECTS):
        size = int(random.integers(1, 8))
        drawn = random.choice(HOURS, size=size, replace=with_ties)
        at = sorted(START + timedelta(hours=int(hour)) for hour in drawn)
        stages = random.choice(names, size=size)
        lines = [f"{when.isoformat()} {stage}" for when, stage in zip(at, stages, strict=True)]
        # A row that is the same in all its columns is the same change, delivered again.
        log.changes(f"{subject:03}", "\n".join(dict.fromkeys(lines)), file="random.csv")


_draw("tied", 101, "abcdlx", with_ties=True, weights=(6, 5, 5, 5, 2, 2))
tied = case("tied")
for tie_policy in ("source_order", "funnel_order"):
    depends_on_order = tie_policy == "source_order"
    for mode in ("ordered", "any"):
        for entry_policy in ("best", "first"):
            for window in (None, 10):
                tied.funnel(
                    f"{mode}_{entry_policy}_{window or 'no'}_{tie_policy}",
                    LADDER,
                    order_mode=mode,
                    entry_policy=entry_policy,
                    window=hours(window) if window else None,
                    tie_policy=tie_policy,
                    depends_on_order=depends_on_order,
                )
    for mode in ("ordered", "any"):
        for window in (None, 6):
            for name, ladder in (("plain", LADDER), ("early_win", EARLY_WIN)):
                tied.funnel(
                    f"{mode}_journey_{name}_{window or 'no'}_{tie_policy}",
                    ladder,
                    order_mode=mode,
                    entry_policy="first",
                    count_by="journey",
                    window=hours(window) if window else None,
                    tie_policy=tie_policy,
                    depends_on_order=depends_on_order,
                )
    tied.funnel(
        f"furthest_{tie_policy}",
        LADDER,
        order_mode="furthest",
        collapse_repeats="false",
        tie_policy=tie_policy,
        depends_on_order=depends_on_order,
    )
    for mode in ("ordered", "strict", "any"):
        tied.funnel(
            f"{mode}_excluded_{tie_policy}",
            LADDER,
            order_mode=mode,
            window=hours(20),
            tie_policy=tie_policy,
            exclusions=[("a", "b", "x"), ("b", "d", "x")],
            depends_on_order=depends_on_order,
        )
tied.funnel(
    "two_wins_journey",
    TWO_WINS,
    entry_policy="first",
    count_by="journey",
    tie_policy="funnel_order",
)

_draw("untied", 202, "abcdlx", with_ties=False, weights=(6, 5, 5, 5, 2, 2))
untied = case("untied")
for entry_policy in ("best", "first"):
    for window in (None, 10):
        for collapse in ("true", "false"):
            untied.funnel(
                f"strict_{entry_policy}_{window or 'no'}_{collapse}",
                LADDER,
                order_mode="strict",
                entry_policy=entry_policy,
                window=hours(window) if window else None,
                collapse_repeats=collapse,
            )
        for mode in ("ordered", "any"):
            untied.funnel(
                f"excluded_{mode}_{entry_policy}_{window or 'no'}",
                LADDER,
                order_mode=mode,
                entry_policy=entry_policy,
                window=hours(window) if window else None,
                exclusions=[("a", "b", "x"), ("b", "d", "x")],
            )
# Journeys: wins below the last stage, optional stages and exclusions, in every order.
JOURNEY_LADDERS = {
    "plain": LADDER,
    "two_wins": TWO_WINS,
    "early_win": EARLY_WIN,
    "optional": "a\nb optional\nc\nd won\nlost lost",
    "optional_wins": "a\nb optional\nc won\nd won\nlost lost",
    "optional_first": "a optional\nb\nc\nd won\nlost lost",
}
for mode in ("ordered", "strict", "any"):
    for name, ladder in JOURNEY_LADDERS.items():
        for window in (None, 10):
            for excluded in (False, True):
                untied.funnel(
                    f"journey_{mode}_{name}_{window or 'no'}_{'x' if excluded else ''}",
                    ladder,
                    order_mode=mode,
                    entry_policy="first",
                    count_by="journey",
                    window=hours(window) if window else None,
                    exclusions=[("a", "b", "x"), ("b", "d", "x")] if excluded else (),
                )

_draw("skipping", 303, "abcdelx", with_ties=False, weights=(5, 4, 4, 4, 3, 2, 2))
skipping = case("skipping")
for mode in ("ordered", "strict", "any", "furthest"):
    for entry_policy in ("best", "first"):
        skipping.funnel(
            f"{mode}_{entry_policy}",
            OPTIONAL,
            order_mode=mode,
            entry_policy=entry_policy,
            window=None if mode == "furthest" else hours(12),
        )
skipping.funnel("excluded", OPTIONAL, window=hours(12), exclusions=[("b", "d", "x")])
skipping.funnel("first_is_optional", OPTIONAL_FIRST, window=hours(12))
skipping.funnel("first_is_optional_any", OPTIONAL_FIRST, order_mode="any", window=hours(12))

# One event for several stages: `a` is the first, third and fifth, `b` the second and the fourth.
REPEATED_RULES = [
    {"stage_id": stage, "match_value": event}
    for stage, event in zip(("s1", "s2", "s3", "s4", "s5"), "ababa", strict=True)
]
_draw("shared", 404, "abx", with_ties=False, weights=(5, 4, 1), most=7)
REPEATED_LADDERS = {
    "plain": "s1\ns2\ns3\ns4\ns5 won",
    "optional": "s1\ns2 optional\ns3\ns4 optional\ns5 won",
    "early_win": "s1\ns2\ns3 won\ns4\ns5 won",
}
POLICIES = (("best", "subject"), ("first", "subject"), ("first", "journey"))
shared = case("shared")
for mode in ("ordered", "strict", "any"):
    for entry_policy, count_by in POLICIES:
        for ladder in REPEATED_LADDERS:
            for excluded in (False, True):
                shared.funnel(
                    f"{mode}_{entry_policy}_{count_by}_{ladder}{'_excluded' if excluded else ''}",
                    REPEATED_LADDERS[ladder],
                    order_mode=mode,
                    entry_policy=entry_policy,
                    count_by=count_by,
                    window=hours(20),
                    rules=REPEATED_RULES,
                    exclusions=[("s1", "s2", "x"), ("s3", "s4", "x")] if excluded else (),
                )
for count_by in ("subject", "journey"):
    shared.funnel(
        f"furthest_{count_by}",
        REPEATED_LADDERS["early_win"],
        order_mode="furthest",
        count_by=count_by,
        rules=REPEATED_RULES,
    )
# Here two stages in a row may be served by the same events, which all may be passed over.
ADJACENT_RULES = [
    {"stage_id": stage, "match_value": event}
    for stage, event in zip(("s1", "s2", "s3", "s4", "s5"), "aabba", strict=True)
]
for mode in ("ordered", "strict", "any"):
    for entry_policy, count_by in POLICIES:
        shared.funnel(
            f"{mode}_{entry_policy}_{count_by}_adjacent",
            "s1 optional\ns2 optional\ns3 optional\ns4 optional\ns5 won",
            order_mode=mode,
            entry_policy=entry_policy,
            count_by=count_by,
            window=hours(20),
            rules=ADJACENT_RULES,
        )
_draw("shared_tied", 505, "abx", with_ties=True, weights=(5, 4, 1), most=7)
shared_tied = case("shared_tied")
shared_tied.funnel(
    "ordered_best",
    "s1\ns2\ns3\ns4\ns5 won",
    window=hours(20),
    tie_policy="funnel_order",
    rules=REPEATED_RULES,
)

# Some events could serve a stage of others at their instant, and others not.
OVERLAPPING_RULES = [
    {"stage_id": stage, "match_value": event}
    for stage, event in (("s1", "a"), ("s1", "b"), ("s2", "a"), ("s3", "b"), ("s3", "a"))
]
for mode in ("ordered", "strict", "any"):
    for entry_policy in ("best", "first"):
        for ladder in ("s1\ns2\ns3 won", "s1 optional\ns2 optional\ns3 won"):
            shared_tied.funnel(
                f"{mode}_{entry_policy}_{'optional' if 'optional' in ladder else 'plain'}",
                ladder,
                order_mode=mode,
                entry_policy=entry_policy,
                window=hours(20),
                tie_policy="funnel_order",
                rules=OVERLAPPING_RULES,
            )

# The same item through all steps; some events have none.
_draw(
    "held",
    808,
    "abcdlx",
    with_ties=False,
    weights=(6, 5, 5, 5, 1, 1),
    most=14,
    items=("1", "1", "1", "2", "2", ""),
)
held = case("held")
for mode in ("ordered", "strict", "any"):
    for entry_policy, count_by in POLICIES:
        held.funnel(
            f"{mode}_{entry_policy}_{count_by}",
            LADDER,
            order_mode=mode,
            entry_policy=entry_policy,
            count_by=count_by,
            window=hours(20),
            hold_constant="item",
        )
held.funnel(
    "strict_each_one",
    LADDER,
    order_mode="strict",
    collapse_repeats="false",
    hold_constant="item",
)
for mode in ("ordered", "any"):
    held.funnel(
        f"excluded_{mode}",
        "a\nb optional\nc\nd won\nlost lost",
        order_mode=mode,
        window=hours(20),
        hold_constant="item",
        exclusions=[("a", "c", "x")],
    )
_draw("held_tied", 909, "abcd", with_ties=True, weights=(6, 5, 5, 5), items=("1", "2", "2", ""))
held_tied = case("held_tied")
for mode in ("ordered", "strict", "any"):
    held_tied.funnel(mode, LADDER, order_mode=mode, hold_constant="item", depends_on_order=True)

# The first, the later and one certain occurrence, of what meets a rule and of what bears its name.
_draw("occurrences", 1010, "abx", with_ties=False, weights=(5, 4, 1), items=("1", "1", "2", ""))
occurrences = case("occurrences")
for occurrence in ("1", "2", "2+"):
    for occurrence_of in ("match", "name"):
        occurrences.funnel(
            f"{occurrence.replace('+', '_and_later')}_{occurrence_of}",
            "s1\ns2\ns3 won",
            order_mode="ordered",
            window=hours(30),
            rules=[
                {
                    "stage_id": "s1",
                    "match_value": "a",
                    "property_name": "item",
                    "property_value": "1",
                    "occurrence": occurrence,
                    "occurrence_of": occurrence_of,
                },
                {"stage_id": "s2", "match_value": "b"},
                {
                    "stage_id": "s3",
                    "match_value": "a",
                    "valid_from": "2024-12-31",
                    "occurrence": occurrence,
                    "occurrence_of": occurrence_of,
                },
            ],
        )

for name, seed, with_ties in (("deals_tied", 606, True), ("deals_untied", 707, False)):
    _draw_deals(name, seed, with_ties)
    deals = case(name)
    for collapse in ("true", "false"):
        for count_by in ("subject", "journey"):
            deals.funnel(
                f"furthest_{count_by}_{collapse}",
                LADDER,
                subject_type="opportunity",
                order_mode="furthest",
                count_by=count_by,
                collapse_repeats=collapse,
                tie_policy="funnel_order",
            )
    for mode in ("ordered", "strict", "any"):
        for count_by in ("subject", "journey"):
            deals.funnel(
                f"{mode}_{count_by}",
                EARLY_WIN,
                subject_type="opportunity",
                order_mode=mode,
                entry_policy="first",
                count_by=count_by,
                tie_policy="funnel_order",
            )

RANDOM_CASES = (
    "tied",
    "untied",
    "skipping",
    "shared",
    "shared_tied",
    "held",
    "held_tied",
    "occurrences",
    "deals_tied",
    "deals_untied",
)
RANDOM_FUNNELS = tuple(
    funnel_id for funnel_id, scope in BOOK.scope_of.items() if scope in RANDOM_CASES
)
