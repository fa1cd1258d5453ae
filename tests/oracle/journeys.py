"""The journeys of one subject: by its funnel's mode how far each got, and how it ended.

A chain is what a journey is made of: the entries that serve its stages. All chains that are
possible are written down, those that an exclusion voids are crossed out, the best is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise, product
from typing import Literal

from tests.oracle.declared import Exclusion, Funnel, Stage
from tests.oracle.entries import NO_DATE, NO_POSITION, Entry, Happening, Place, place, place_of

Chain = tuple[Entry, ...]
Outcome = Literal["won", "lost", "abandoned", "open"]


@dataclass(frozen=True)
class ReachedStage:
    """A stage that a journey reached; one passed over, when the first stage above it was.

    `counted_at` is when the journey had all that its mode demands of whoever reaches the stage.
    """

    stage: Stage
    reached_at: datetime | None
    counted_at: datetime | None
    evidence: str


@dataclass(frozen=True)
class Journey:
    """One pass through a funnel. `chain` are the entries that serve its stages."""

    number: int
    chain: Chain
    entered_at: datetime | None
    outcome: Outcome
    was_won: bool
    ended_at: datetime | None
    reached: tuple[ReachedStage, ...]
    held_value: str | None

    @property
    def furthest(self) -> Stage:
        """The last stage reached."""
        return self.reached[-1].stage

    @property
    def seconds_to_outcome(self) -> float | None:
        """From entry to outcome, None while open or undated."""
        if self.entered_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.entered_at).total_seconds()


@dataclass(frozen=True)
class Excluded:
    """A journey that exclusions leave nothing of: when it would have begun, and by which."""

    entered_at: datetime | None
    exclusions: frozenset[Exclusion]


@dataclass(frozen=True)
class Log:
    """All that is known of one subject before the as-of."""

    funnel: Funnel
    happenings: tuple[Happening, ...]
    entries: tuple[Entry, ...]
    as_of: datetime

    def place(self, entry: Entry) -> Place:
        """Where an entry stands in the subject's order."""
        return place_of(self.funnel, entry)

    def within_window(self, start: Entry, at: datetime | None) -> bool:
        """Whether an instant lies within the window that begins with `start`, its end included."""
        if self.funnel.window is None or start.at is None or at is None:
            return True
        return at <= start.at + self.funnel.window


def journeys_of_subject(log: Log) -> tuple[list[Journey], list[Excluded]]:
    """The journeys of a subject, and those that exclusions leave nothing of."""
    if not log.entries:
        return [], []
    if log.funnel.count_by == "subject":
        candidates = _candidates(log, log.entries)
        chain = _best(log, candidates, None)
        if chain is not None:
            return [_journey(log, 1, chain, None)], []
        return [], [_excluded(log, candidates, None)] if candidates else []

    journeys: list[Journey] = []
    excluded: list[Excluded] = []
    left: Sequence[Entry] = log.entries
    while (found := _next_pass(log, left, bool(journeys))) is not None:
        start, chains, opens_next = found
        chain = _best(log, chains, opens_next)
        if chain is not None:
            journeys.append(_journey(log, len(journeys) + 1, chain, opens_next))
            left = [entry for entry in left if opens_next and _is_from(log, entry, opens_next)]
        else:
            # Whatever begins with this event is void: it is passed over.
            excluded.append(_excluded(log, chains, opens_next))
            left = [
                entry
                for entry in left
                if log.place(entry) > log.place(start) and entry.happening != start.happening
            ]
    return journeys, excluded


def _excluded(log: Log, chains: Sequence[Chain], opens_next: Entry | None) -> Excluded:
    """The journey that these chains, all of them void, would have been."""
    first = min((_start(log, chain) for chain in chains), key=log.place)
    exclusions = {
        exclusion
        for chain in chains
        for exclusion in log.funnel.exclusions
        if _is_voided_by(log, chain, opens_next, exclusion)
    }
    return Excluded(first.at, frozenset(exclusions))


def _is_from(log: Log, entry: Entry, first: Entry) -> bool:
    """Whether an entry is `first` or comes after it."""
    return log.place(entry) >= log.place(first)


def _next_pass(
    log: Log, entries: Sequence[Entry], is_further: bool
) -> tuple[Entry, list[Chain], Entry | None] | None:
    """The next journey among `entries`: its start, its chains, and the entry that opens another.

    A start that comes to nothing before another journey is opened, as in any order it may, is
    passed over.
    """
    openings = [entry for entry in entries if _may_open(log, entry, entries)]
    # Only an entry of the first stage opens a further journey.
    for start in openings if is_further else entries:
        opens_next = _opens_next(log, entries, openings, start)
        own = [
            entry
            for entry in entries
            if _is_from(log, entry, start)
            and (opens_next is None or not _is_from(log, entry, opens_next))
        ]
        chains = [
            chain
            for chain in _all_chains(log, own)
            if _start(log, chain).happening == start.happening
        ]
        if chains:
            return start, chains, opens_next
    return None


def _may_open(log: Log, entry: Entry, entries: Sequence[Entry]) -> bool:
    """Whether an entry is one of the first stage; in `furthest` an event serves its highest one."""
    if entry.stage.position != 1 or not entry.can_serve(log.funnel):
        return False
    return log.funnel.order_mode != "furthest" or not any(
        other.happening == entry.happening and (other.stage.position or 0) > 1 for other in entries
    )


def _opens_next(
    log: Log, entries: Sequence[Entry], openings: Sequence[Entry], start: Entry
) -> Entry | None:
    """The first-stage entry that opens the next journey after the one that `start` opened.

    Told as it comes: what was known before an entry says whether the journey was over.
    """
    for opening in openings:
        if log.place(opening) <= log.place(start):
            continue
        known = [
            entry
            for entry in entries
            if _is_from(log, entry, start) and not _is_from(log, entry, opening)
        ]
        if not log.within_window(start, opening.at) or _has_closed(log, known, start, opening):
            return opening
    return None


def _has_closed(log: Log, known: Sequence[Entry], start: Entry, opening: Entry) -> bool:
    """Whether a win or a loss is among what was known of a journey before `opening`.

    Records are closed by any entry of a won stage. For all others a win is one of the chain.
    """
    could_serve = {entry.happening for entry in log.entries if entry.stage.position is not None}
    losses = [
        entry
        for entry in known
        if entry.stage.kind == "lost" and entry.happening not in could_serve
    ]
    if any(log.within_window(start, entry.at) for entry in losses):
        return True
    if log.funnel.order_mode == "furthest":
        return any(entry.stage.kind == "won" for entry in serving(log, known, ()))
    if log.funnel.is_of_records:
        return any(entry.stage.kind == "won" for entry in known)
    return any(
        entry.stage.kind == "won"
        for chain in _candidates(log, known)
        if not _is_void(log, chain, opening)
        for entry in chain
    )


# ---------------------------------------------------------------------- chains


def _best(log: Log, candidates: Sequence[Chain], opens_next: Entry | None) -> Chain | None:
    """The best of the chains that no exclusion voids."""
    valid = [chain for chain in candidates if not _is_void(log, chain, opens_next)]
    if not valid:
        return None

    def earliness(chain: Chain) -> tuple[object, ...]:
        # Instants go before stages, and all that `funnel_order` knows before the delivery.
        own = sorted(chain, key=log.place)
        instants = [log.place(entry)[:2] for entry in own]
        rows = [(entry.happening.file, entry.happening.row) for entry in own]
        positions = [entry.position for entry in own]
        if log.funnel.tie_policy == "funnel_order":
            return instants, positions, rows
        return list(zip(instants, rows, strict=True)), positions

    # Highest position, then most stages, then earliest.
    highest = max(_highest(chain) for chain in valid)
    valid = [chain for chain in valid if _highest(chain) == highest]
    most = max(len(chain) for chain in valid)
    return min((chain for chain in valid if len(chain) == most), key=earliness)


def _highest(chain: Chain) -> int:
    return max(entry.position for entry in chain)


def _candidates(log: Log, entries: Sequence[Entry]) -> list[Chain]:
    """The chains among `entries` that may count by the funnel's entry policy."""
    chains = _all_chains(log, entries)
    return _of_first_start(log, chains) if log.funnel.entry_policy == "first" else chains


def _of_first_start(log: Log, chains: Sequence[Chain]) -> list[Chain]:
    """The chains that begin no later than any other.

    Happenings alike in instant and stage have no first under `funnel_order`: each may start.
    """
    beginnings = [_beginning(log, chain) for chain in chains]
    return [
        chain
        for chain, beginning in zip(chains, beginnings, strict=True)
        if beginning == min(beginnings)
    ]


def _beginning(log: Log, chain: Chain) -> Place:
    """Where a chain begins: its first happening, by the lowest stage that this one could serve."""
    # In any order, it is known which happening was first once it is known which ones count.
    own = chain if log.funnel.order_mode == "any" else chain[:1]
    places = (log.place(met) for met in log.entries if met.happening in {e.happening for e in own})
    is_dateless, at, position, file, row, _ = min(places)
    if log.funnel.tie_policy == "funnel_order":
        return is_dateless, at, position, "", 0, 0
    return is_dateless, at, 0, file, row, 0


def _all_chains(log: Log, entries: Sequence[Entry]) -> list[Chain]:
    """All chains among `entries`, none of them the beginning of a longer one."""
    if log.funnel.order_mode == "furthest":
        return [_first_entries(log, entries)] if entries else []
    entries = [entry for entry in entries if entry.can_serve(log.funnel)]
    if log.funnel.order_mode == "any":
        return list(_sets(log, entries))
    starts = [entry for entry in entries if log.funnel.may_start(entry.position)]
    chains = [chain for start in starts for chain in _extended(log, entries, (start,))]
    if log.funnel.order_mode == "strict":
        # A chain is whole or not: what lies between two of its links may be a link further on.
        beginnings = {chain[:links] for chain in chains for links in range(1, len(chain) + 1)}
        unbroken = {chain for chain in beginnings if not _is_interrupted(log, chain)}
        going_on = {chain[:links] for chain in unbroken for links in range(1, len(chain))}
        return sorted(unbroken - going_on, key=lambda chain: [log.place(one) for one in chain])
    return chains


def _start(log: Log, chain: Iterable[Entry]) -> Entry:
    return min(chain, key=log.place)


def _first_entries(log: Log, entries: Sequence[Entry]) -> Chain:
    """Mode furthest: the first entry of each stage; each happening serves the highest it meets."""
    firsts: dict[str, Entry] = {}
    for entry in sorted(serving(log, entries, ()), key=log.place):
        firsts.setdefault(entry.stage.stage_id, entry)
    return tuple(sorted(firsts.values(), key=log.place))


def _extended(log: Log, entries: Sequence[Entry], chain: Chain) -> Iterator[Chain]:
    """Modes ordered and strict: every way to go on from `chain` until nothing can follow.

    What breaks a strict chain is left to be looked at when it is whole.
    """
    following = [entry for entry in entries if _may_follow(log, chain, entry)]
    if not following:
        yield chain
    for entry in following:
        yield from _extended(log, entries, (*chain, entry))


def _may_follow(log: Log, chain: Chain, entry: Entry) -> bool:
    last = chain[-1]
    return (
        entry.stage.position is not None
        and log.funnel.may_follow(last.position, entry.position)
        and log.place(last) < log.place(entry)
        and all(entry.happening != used.happening for used in chain)
        and log.within_window(chain[0], entry.at)
        and entry.held_value(log.funnel) == last.held_value(log.funnel)
    )


def _is_interrupted(log: Log, chain: Chain) -> bool:
    """Mode strict: whether any event that is none of its links lies between two of a chain."""
    return any(
        _lies_between(log, chain, other, last, following)
        for last, following in pairwise(chain)
        for other in log.happenings
    )


def _lies_between(log: Log, chain: Chain, other: Happening, last: Entry, following: Entry) -> bool:
    if any(other == link.happening for link in chain):
        return False
    met = [entry for entry in log.entries if entry.happening == other]
    there = place(log.funnel, other, min((entry.position for entry in met), default=NO_POSITION))
    if not log.place(last) < there < log.place(following):
        return False
    repeats = (
        entry.stage == last.stage and entry.held_value(log.funnel) == last.held_value(log.funnel)
        for entry in met
    )
    return not (log.funnel.collapse_repeats and any(repeats))


def _sets(log: Log, entries: Sequence[Entry]) -> Iterator[Chain]:
    """Mode any: every choice of one entry a stage that reaches some depth and cannot be enlarged.

    It has all required stages below its highest, in whatever order, all within the window of the
    earliest of them.
    """
    by_stage = [
        [None, *(entry for entry in entries if entry.stage == stage)] for stage in log.funnel.ladder
    ]
    chosen = {
        frozenset(entry for entry in choice if entry is not None) for choice in product(*by_stage)
    }
    possible = {chosen_entries for chosen_entries in chosen if _hangs_together(log, chosen_entries)}
    for some in possible:
        start = _start(log, some)
        larger = (some | {entry} for entry in entries if entry not in some)
        if not any(more in possible and _start(log, more) == start for more in larger):
            yield tuple(sorted(some, key=log.place))


def _hangs_together(log: Log, some: frozenset[Entry]) -> bool:
    """Mode any: no happening serves twice, all required stages are there, all within the window."""
    if not some or len({entry.happening for entry in some}) < len(some):
        return False
    if len({entry.held_value(log.funnel) for entry in some}) > 1:
        return False
    start = _start(log, some)
    positions = {entry.position for entry in some}
    required = {
        stage.position
        for stage in log.funnel.ladder
        if not stage.is_optional and (stage.position or 0) < max(positions)
    }
    return required <= positions and all(log.within_window(start, entry.at) for entry in some)


def _is_void(log: Log, chain: Chain, opens_next: Entry | None) -> bool:
    """Whether one of the funnel's exclusions voids a chain."""
    return any(
        _is_voided_by(log, chain, opens_next, exclusion) for exclusion in log.funnel.exclusions
    )


def _is_voided_by(log: Log, chain: Chain, opens_next: Entry | None, exclusion: Exclusion) -> bool:
    """Whether an exclusion event lies strictly between its two stages.

    Or after the first, within the window, if the second never comes. What happens from
    `opens_next` on is of the next journey.
    """
    served = {entry.stage.stage_id: entry for entry in chain}
    after = served.get(exclusion.after_stage_id)
    before = served.get(exclusion.before_stage_id)
    if after is None:
        return False
    for happening in log.happenings:
        if happening.rule_type != "event" or happening.name != exclusion.match_value:
            continue
        there = place(log.funnel, happening, NO_POSITION)
        if there <= log.place(after):
            continue
        if opens_next is not None and there >= log.place(opens_next):
            continue
        if before is not None and there < log.place(before):
            return True
        if before is None and log.within_window(_start(log, chain), happening.at):
            return True
    return False


def serving(log: Log, entries: Sequence[Entry], chains: Sequence[Chain]) -> list[Entry]:
    """One entry for each happening: the one a journey took, else the lowest stage that it meets.

    In mode furthest a happening tells how far the subject got, and serves the highest.
    """
    taken = {entry.happening: entry for chain in chains for entry in chain}

    def preference(entry: Entry) -> tuple[bool, int]:
        is_highest_first = log.funnel.order_mode == "furthest"
        return entry.stage.position is None, entry.position * (-1 if is_highest_first else 1)

    by_preference = sorted(entries, key=preference, reverse=True)
    preferred = {entry.happening: entry for entry in by_preference}
    return sorted({**preferred, **taken}.values(), key=log.place)


# ---------------------------------------------------------------------- outcome and reach


def _journey(log: Log, number: int, chain: Chain, opens_next: Entry | None) -> Journey:
    start = _start(log, chain)
    own = [
        entry
        for entry in serving(log, log.entries, [chain])
        if log.place(entry) >= log.place(start)
        and (opens_next is None or log.place(entry) < log.place(opens_next))
    ]
    if log.funnel.is_of_records:
        outcome, ended_at = _record_outcome(log, own)
        was_won = any(entry.stage.kind == "won" for entry in own)
    else:
        outcome, ended_at = _event_outcome(log, chain, own, start)
        was_won = outcome == "won"
    return Journey(
        number=number,
        chain=chain,
        entered_at=start.at,
        outcome=outcome,
        was_won=was_won,
        ended_at=ended_at,
        reached=_reached(log, chain, outcome, start.at),
        held_value=start.held_value(log.funnel),
    )


def _record_outcome(log: Log, own: Sequence[Entry]) -> tuple[Outcome, datetime | None]:
    """Leads and opportunities: the last closed stage entered, unless an open stage came after."""
    last = own[-1]
    if last.stage.kind == "open":
        return "open", None
    ended_at = last.at
    if log.funnel.collapse_repeats:
        # Rows that repeat the stage are no new entry of it.
        for entry in reversed(own):
            if entry.stage != last.stage:
                break
            ended_at = entry.at
    return ("won" if last.stage.kind == "won" else "lost"), ended_at


def _event_outcome(
    log: Log, chain: Chain, own: Sequence[Entry], start: Entry
) -> tuple[Outcome, datetime | None]:
    """All others: a win is final; else lost, else abandoned when the window is over, else open."""
    wins = [entry for entry in chain if entry.stage.kind == "won"]
    if wins:
        return "won", _won_at(log, chain, wins)
    losses = [
        entry for entry in own if entry.stage.kind == "lost" and log.within_window(start, entry.at)
    ]
    if losses:
        return "lost", losses[0].at
    if log.funnel.window is not None and start.at is not None:
        over = start.at + log.funnel.window
        if over < log.as_of:
            return "abandoned", over
    return "open", None


def _won_at(log: Log, chain: Chain, wins: Sequence[Entry]) -> datetime | None:
    if log.funnel.order_mode != "any":
        return min(wins, key=log.place).at
    # Won when the first of the won stages, and all that is required below it, was there.
    return min(_completed_at(chain, won) for won in wins)


def _completed_at(chain: Chain, won: Entry) -> datetime:
    needed = (
        entry
        for entry in chain
        if entry == won or (entry.position < won.position and not entry.stage.is_optional)
    )
    return max(entry.at or NO_DATE for entry in needed)


def _reached(
    log: Log, chain: Chain, outcome: Outcome, entered_at: datetime | None
) -> tuple[ReachedStage, ...]:
    """Every stage up to the furthest; a journey that is not won counts its furthest open stage.

    One that went straight to a closed stage, and is not won, counts the first stage. In mode any
    nothing is imputed.
    """
    counted = ("open", "won") if outcome == "won" else ("open",)
    positions = [entry.position for entry in chain if entry.stage.kind in counted]
    furthest = max(positions, default=1)
    served = {entry.stage.stage_id: entry for entry in chain}
    reached: list[ReachedStage] = []
    higher: list[datetime | None] = []
    for stage in reversed(log.funnel.ladder[:furthest]):
        entry = served.get(stage.stage_id)
        if entry is not None:
            counted_at = _complete_at(chain, entry) if log.funnel.order_mode == "any" else entry.at
            reached.append(ReachedStage(stage, entry.at, counted_at, entry.happening.evidence))
            higher.append(entry.at)
        elif log.funnel.order_mode != "any":
            # One passed over, when the first further one was entered, if any of them is dated.
            dated = [at for at in higher if at is not None]
            reached_at = min(dated, default=None) if higher else entered_at
            reached.append(ReachedStage(stage, reached_at, reached_at, "imputed"))
    return tuple(reversed(reached))


def _complete_at(chain: Chain, last: Entry) -> datetime | None:
    """When a chain in any order had an entry, and those that are required below its stage."""
    needed = [
        entry.at
        for entry in chain
        if entry.position < last.position and not entry.stage.is_optional and entry.at is not None
    ]
    return None if last.at is None else max([last.at, *needed])
