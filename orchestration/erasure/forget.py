"""The steps of forgetting a person, each of which may be done again.

Whatever dies in between: who was begun to be forgotten is remembered at once, so that nothing about
them is loaded any more; readers keep the last release; and called again it goes on to the same end.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration import declarations
from orchestration.declarations import Source
from orchestration.erasure.deliveries import Rewritten, Searcher, content_hash
from orchestration.erasure.journal import (
    Journal,
    end_journal,
    journal_file,
    read_journal,
    write_journal,
)
from orchestration.erasure.person import Person, find_person
from orchestration.erasure.stores import find_rows, find_spellings, remove_rows, rewrite_ledger
from orchestration.erasure.traces import Trace, Tracer
from orchestration.extracts import read_extracts
from orchestration.fingerprint import fingerprint
from orchestration.known_on import kept_files
from orchestration.landing import LandingFile, list_landing, look_at
from orchestration.ledger import open_ledger
from orchestration.lock import writer_lock
from orchestration.refusals import VanishedFileError
from orchestration.releases import current_release, drop_others, sync
from orchestration.settings import Settings
from orchestration.suppression import (
    KEYS_OF_A_SOURCE,
    Suppression,
    add_to_suppression,
    read_suppression,
)

Tell = Callable[[str], None]
MOST_FILES_TOLD = 20


class ForgetError(RuntimeError):
    """A person is not forgotten, or not yet in all places. The message says what to do."""


class UnfinishedError(ForgetError):
    """An erasure was begun and not finished, and until then nothing can be built."""


@dataclass(frozen=True)
class Plan:
    """What would be removed.

    Attributes:
        person: who.
        spelled: addresses, hashes of these and ids as they are delivered, in small letters.
        rows: by place (`landing`, `raw`, `quarantine`) and table.
        files: rows by delivered file.
        elsewhere: files of the company's that name the person, and that nothing removes.
        doubtful: rows by delivered file that stay, as they cannot be taken apart and hold what may
            be an id of the person's, or a number of something else.
        not_loaded: delivered files that no night has looked at as they are.
    """

    person: Person
    spelled: frozenset[str]
    rows: Counter[tuple[str, str]]
    files: Counter[str]
    elsewhere: tuple[Path, ...]
    doubtful: Counter[str]
    not_loaded: tuple[str, ...]

    @property
    def all_rows(self) -> int:
        """How many rows it is in all; the number by which it is confirmed."""
        return self.rows.total()

    def lines(self) -> Iterator[str]:
        """The plan for a person to read."""
        yield "The person is known by"
        for kind, value in self.person.identifiers:
            yield f"    {kind:<13} {value}"
        for address in sorted(word for word in self.spelled if "@" in word):
            yield f"    {'address':<13} {address}"
        hidden = len(self.person.email_hashes)
        yield f"    {hidden} address{'es' if hidden != 1 else ''} in all, by keyed hash"
        yield "To be removed are"
        for table in sorted({table for _, table in self.rows}):
            counts = (
                f"{self.rows[place, table]:,} of {place}"
                for place in ("landing", "raw", "quarantine")
                if self.rows[place, table]
            )
            yield f"    {table}: rows {', '.join(counts)}"
        files = sorted(self.files.items())
        for file, rows in files[:MOST_FILES_TOLD]:
            yield f"    {file}: {rows:,} rows"
        if len(files) > MOST_FILES_TOLD:
            yield f"    and rows of {len(files) - MOST_FILES_TOLD:,} files more"
        yield (
            "Then all tables are built anew, a release is published, and every older release is "
            "deleted: there is no going back to one."
        )
        for path in self.elsewhere:
            yield f"Not removed by this, as it is yours: {path}. Take the person out of it."
        for file, rows in sorted(self.doubtful.items()):
            yield (
                f"Not removed by this: {file}: {rows:,} rows that cannot be taken apart into "
                "columns, and hold an id of the person's that is too short to tell it from a "
                "number of something else. Look at them."
            )
        if self.not_loaded:
            yield (
                f"No night has loaded {self.not_loaded[0]}"
                f"{f' and {len(self.not_loaded) - 1:,} files more' if self.not_loaded[1:] else ''} "
                "yet, and what they say of who is who is not known: run `make nightly` first."
            )


def plan(settings: Settings, text: str) -> Plan:
    """Find out what would be removed, and change nothing.

    The caller holds the writer lock.

    Raises:
        PersonError: nobody or several are meant.
        DeliveryFileError: a delivered file cannot be searched.
        ForgetError: nothing at all is about the person.
    """
    person = find_person(settings, _declared(settings), text)
    return plan_for(settings, _sources(settings), person, text)


def plan_for(settings: Settings, sources: Sequence[Source], person: Person, text: str) -> Plan:
    """The same for a person who is found; `text` is what they were named by."""
    suppression = read_suppression(settings).of(person.identifiers, person.email_hashes)
    addresses = find_spellings(settings, sources, suppression)
    given = {text.strip().lower().removeprefix("email:")} if "@" in text else set()
    spelled = addresses | given | _spelled_ids(person, sources)
    rows: Counter[tuple[str, str]] = Counter()
    files: Counter[str] = Counter()
    for find in find_rows(settings, sources, suppression):
        rows[find.place, find.table] += find.rows
    searcher = Searcher(settings, suppression, spelled)
    systems = {source.source: source.system for source in sources}
    for file in _landing(settings, sources):
        count = searcher.count(file, read_extracts(systems[file.source])[file.table_name])
        if count:
            rows["landing", f"{file.source}/{file.table_name}"] += count
            files[file.file] += count
    if not rows:
        raise ForgetError(
            f"PERSON={text}: expected rows about the person in landing, raw or quarantine, found "
            "none. Nothing is to be done."
        )
    listed = {file.path for file in _landing(settings, sources)}
    traces = Tracer(settings, spelled).search(settings.landing, settings.seeds)
    elsewhere = tuple(trace.path for trace in traces if trace.path not in listed)
    not_loaded = _not_loaded(settings, sources)
    return Plan(person, spelled, rows, files, elsewhere, +searcher.doubtful, not_loaded)


def _not_loaded(settings: Settings, sources: Sequence[Source]) -> tuple[str, ...]:
    with open_ledger(settings.ledger) as ledger:
        looks = ledger.looks()
    known = {(look.file, look.size, look.modified_ns) for look in looks.values()}
    enabled = {source.source for source in sources if source.is_enabled}
    return tuple(
        file.file
        for file in _landing(settings, sources)
        if file.source in enabled and (file.file, file.size, file.modified_ns) not in known
    )


def begin(settings: Settings, planned: Plan) -> None:
    """Remember for good who is forgotten, and that it is being done. The caller holds the lock."""
    person = planned.person
    write_journal(
        settings, Journal(person.identifiers, person.email_hashes, tuple(sorted(planned.spelled)))
    )
    add_to_suppression(
        settings, read_suppression(settings).of(person.identifiers, person.email_hashes)
    )


def remove(settings: Settings, tell: Tell) -> None:
    """Take the person out of landing, raw, quarantine and ledger, and drop what was made of them.

    The caller holds the writer lock.
    """
    remove_from(settings, _sources(settings), tell)


def remove_from(settings: Settings, sources: Sequence[Source], tell: Tell) -> None:
    """The same for these sources."""
    journal = read_journal(settings)
    if journal is None or journal.step != "remove":
        return
    suppression = read_suppression(settings).of(journal.identifiers, journal.email_hashes)
    # It may have died before this was written.
    add_to_suppression(settings, suppression)
    journal = _remove_from_landing(settings, sources, suppression, journal, tell)
    finds = find_rows(settings, sources, suppression)
    remove_rows(settings, finds, suppression)
    tell(f"raw and quarantine: {sum(find.rows for find in finds):,} rows removed")
    rewrite_ledger(settings, journal.rewritten, frozenset(journal.spelled))
    _drop_what_is_made_of_raw(settings)
    tell("ledger rewritten; what was built of the person is deleted")
    write_journal(settings, replace(journal, step="publish"))


def is_published(settings: Settings) -> bool:
    """Whether readers have a release of what is left."""
    current = current_release(settings)
    return current is not None and current.fingerprint == fingerprint(settings, _declared(settings))


def finish(settings: Settings, tell: Tell) -> tuple[Trace, ...]:
    """Delete the older releases, and search everything once more.

    Returns:
        What still names the person: rows about others, by their files.

    Raises:
        ForgetError: no release without the person is published yet, or files of the company's
            still name them.
    """
    with writer_lock(settings.home, "the end of forgetting a person"):
        journal = read_journal(settings)
        if journal is None:
            return ()
        if not is_published(settings):
            raise ForgetError(
                "No release without the person is published yet, and the last ones still hold "
                "them. Remove what stops the night, which it said, and call `make forget` again."
            )
        dropped = drop_others(settings.published)
        tell(f"{len(dropped)} older releases deleted")
        tracer = Tracer(settings, frozenset(journal.spelled))
        addresses = Tracer(settings, frozenset(word for word in journal.spelled if "@" in word))
        listed = {file.path for file in _landing(settings, _sources(settings))}
        rows, files = [], []
        for trace in tracer.search(settings.home, settings.landing, settings.seeds):
            if _forget_trace(settings, tracer, trace.path):
                tell(
                    f"{trace.path} named the person, and is made again or went without those lines"
                )
            elif _holds_others_alone(settings, addresses, trace, listed):
                rows.append(trace)
            else:
                files.append(trace)
        if files:
            named = "".join(f"\n  {trace.path}" for trace in files)
            raise ForgetError(
                "Everything is removed from the warehouse, but these files of yours still name the "
                f"person:{named}\nTake the person out of them, and call `make forget` again."
            )
        end_journal(settings)
        return tuple(rows)


def refuse_unfinished(settings: Settings) -> None:
    """Let nothing be built while rows are being removed.

    Raises:
        UnfinishedError: that was begun and has died.
    """
    journal = read_journal(settings)
    if journal and journal.step == "remove":
        raise UnfinishedError(
            f"{journal_file(settings)}: expected raw as the ledger tells, found that a person was "
            "begun to be forgotten, and that it did not come to its end. Call `make forget`, which "
            "goes on with it; it needs no PERSON."
        )


def notes_on_unfinished(settings: Settings) -> tuple[str, ...]:
    """What the summary of a night says of an erasure that waits for a release."""
    if read_journal(settings) is None:
        return ()
    return (
        "a person was begun to be forgotten: older releases hold them until `make forget` has come "
        "to its end. Call it again if it is not at work; it needs no PERSON",
    )


def _remove_from_landing(
    settings: Settings,
    sources: Sequence[Source],
    suppression: Suppression,
    journal: Journal,
    tell: Tell,
) -> Journal:
    searcher = Searcher(settings, suppression, frozenset(journal.spelled))
    systems = {source.source: source.system for source in sources}
    rows = files = 0
    landing = _landing(settings, sources)
    places = {file.file: file.path.resolve() for file in landing}
    for file in landing:
        extract = read_extracts(systems[file.source])[file.table_name]
        seen = _look_at(file)
        if not searcher.count(file, extract):
            continue
        place = places[file.file]
        rewritten = searcher.rewrite(file, extract)
        # An empty file of lines would be taken for a delivery that failed.
        is_empty = file.file_format == "jsonl" and rewritten.left == 0
        if not is_empty:
            # Links to one place are deliveries of their own.
            names = [name for name, other in places.items() if other == place]
            for name in names:
                journal = journal.with_rewritten(
                    name, rewritten.content_hash_before, rewritten.content_hash
                )
            write_journal(settings, journal)
        _refuse_changed(file, seen, rewritten)
        if is_empty:
            rewritten.unfinished.unlink()
            file.path.unlink()
            place.unlink(missing_ok=True)
        else:
            os.replace(rewritten.unfinished, place)
        sync(place.parent)
        rows, files = rows + rewritten.removed, files + 1
    tell(f"landing: {rows:,} rows removed from {files:,} files")
    return journal


def _look_at(file: LandingFile) -> tuple[int, int, int]:
    """Size and times of a delivered file; that it is gone is for the next call to see."""
    try:
        return look_at(file)
    except VanishedFileError as error:
        raise ForgetError(f"{error} Call `make forget` again: it goes on where it was.") from error


def _refuse_changed(file: LandingFile, seen: tuple[int, int, int], rewritten: Rewritten) -> None:
    """Let no delivery be replaced by what was made of the one before it."""
    if _look_at(file) != seen or content_hash(file.path) != rewritten.content_hash_before:
        rewritten.unfinished.unlink()
        raise ForgetError(
            f"{file.file}: expected a file that is left alone while the person is taken out of it, "
            "found that it was written to. Call `make forget` again once it is complete: it goes "
            "on where it was."
        )


def _drop_what_is_made_of_raw(settings: Settings) -> None:
    for path in (*settings.home.glob(f"{settings.build.name}*"), *kept_files(settings)):
        path.unlink()
    for folder in (
        settings.temporary,
        settings.home / "known_on" / "scratch",
        settings.home / "verify",
    ):
        shutil.rmtree(folder, ignore_errors=True)


def _forget_trace(settings: Settings, tracer: Tracer, path: Path) -> bool:
    """Remove a file that is made again, or its lines; whether this was such a file."""
    remade = (settings.dagster, settings.dbt, settings.docs, settings.quality, settings.temporary)
    if path == settings.home / "notes.json" or any(path.is_relative_to(home) for home in remade):
        # SQLite's own files go with the database, which they would be replayed into.
        database = re.sub(r"-(wal|shm|journal)$", "", path.name)
        for end in ("", "-wal", "-shm", "-journal"):
            path.with_name(f"{database}{end}").unlink(missing_ok=True)
        return True
    if path.is_relative_to(settings.gates):
        if path.suffix == ".jsonl":
            unfinished = path.with_name(f".{path.name}.unfinished")
            unfinished.write_text(tracer.without(path.read_text(encoding="utf-8")), "utf-8")
            sync(unfinished)
            os.replace(unfinished, path)
        else:
            path.unlink()
        return True
    return False


def _holds_others_alone(
    settings: Settings, addresses: Tracer, trace: Trace, listed: Collection[Path]
) -> bool:
    """Whether rows of others name an id of the person, in a delivery or the warehouse's own.

    An address of theirs in a delivery is in a row about them, whatever its columns.
    """
    if trace.path in listed:
        return not addresses.holds(trace.path)
    yours = (settings.landing, settings.seeds, settings.declarations)
    return trace.rows is not None or not any(trace.path.is_relative_to(place) for place in yours)


def _spelled_ids(person: Person, sources: Sequence[Source]) -> frozenset[str]:
    """The ids as they are delivered: keys of a source without its name."""
    spelled = set()
    for kind, value in person.identifiers:
        spelled.add(value)
        if kind in KEYS_OF_A_SOURCE:
            spelled |= {value.removeprefix(f"{source.source}:") for source in sources}
    return frozenset(word.lower() for word in spelled if word)


def _landing(settings: Settings, sources: Sequence[Source]) -> tuple[LandingFile, ...]:
    """What lies there for all sources, also for those that are not enabled.

    Raises:
        ForgetError: not all of it can be seen.
    """
    listing = list_landing(
        settings.landing, [replace(source, is_enabled=True) for source in sources]
    )
    if listing.errors:
        named = "".join(f"\n  {error}" for error in listing.errors)
        raise ForgetError(
            "Expected a landing that can be read to its end, as the person may be anywhere in it, "
            f"found:{named}\nRemove the cause, and call `make forget` again."
        )
    return listing.files


def _declared(settings: Settings) -> declarations.Declarations:
    return declarations.read(settings.seeds)


def _sources(settings: Settings) -> tuple[Source, ...]:
    return tuple(_declared(settings).sources)


@contextmanager
def held(settings: Settings) -> Iterator[None]:
    """Hold the state while a person is looked for or removed."""
    with writer_lock(settings.home, "forgetting of a person"):
        yield
