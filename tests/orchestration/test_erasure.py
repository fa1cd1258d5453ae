"""A person's rows leave deliveries, raw, quarantine and the ledger, and do not come back.

Who the person is has tests of its own, as has a whole night behind it.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.erasure import forget as forget_module
from orchestration.erasure.deliveries import Rewritten, Searcher
from orchestration.erasure.forget import (
    ForgetError,
    Plan,
    UnfinishedError,
    begin,
    finish,
    notes_on_unfinished,
    plan_for,
    refuse_unfinished,
    remove_from,
)
from orchestration.erasure.journal import read_journal
from orchestration.erasure.person import Person
from orchestration.erasure.traces import Trace, Tracer
from orchestration.extracts import Extract
from orchestration.hash_key import email_hash, read_key
from orchestration.landing import LandingFile
from orchestration.ledger import open_ledger
from orchestration.suppression import SuppressionError
from tests.orchestration.deliveries import EVENTS_HEADER, SECOND_NIGHT, THIRD_NIGHT, Company
from tests.orchestration.killing import killed_at, steps_of

ADDRESS = "ann@shop.example"
IDENTIFIERS = (
    ("anonymous_id", "cookie-ann"),
    ("contact_id", "crm:77"),
    ("record_id", "crm:lead-ann"),
    ("user_id", "user-ann"),
)
EVENTS = (
    "occurred_at,event_name,user_id,anonymous_id,event_id,note\r\n"
    "2024-02-01 10:00:00,visit,user-ann,,e1,\r\n"
    "2024-02-01 11:00:00,visit,user-anna,,e2,\r\n"
    '2024-02-01 12:00:00,"sign\nup",,cookie-ann,e3,"two\nlines, ""quoted"""\r\n'
    '2024-02-01 13:00:00,visit,bob,,e4,"asked for\nann@shop.example\'s order"\r\n'
    "2024-02-01 14:00:00,visit,bob,,e5,joann@shop.example and ann@shop.example.org\r\n"
    "2024-02-01 15:00:00,visit,bob,,e6,see https://shop.example/?email=Ann%40Shop.example&x=1\r\n"
    "2024-02-30 16:00:00,visit,user-ann,,e7,\r\n"
    "2024-02-30 17:00:00,visit,bob,,e8,\r\n"
    "2024-02-01 18:00:00,visit,user-ann\r\n"
    '2024-02-01 19:00:00,vi"sit,bob\r\n'
)
# The person's are e1, e3, e4, e6, e7 and the one that is cut off.
EVENTS_LEFT = (
    "occurred_at,event_name,user_id,anonymous_id,event_id,note\r\n"
    "2024-02-01 11:00:00,visit,user-anna,,e2,\r\n"
    "2024-02-01 14:00:00,visit,bob,,e5,joann@shop.example and ann@shop.example.org\r\n"
    "2024-02-30 17:00:00,visit,bob,,e8,\r\n"
    '2024-02-01 19:00:00,vi"sit,bob\r\n'
)
# 77 is also a number of employees, and the key of somebody else in another source.
CONTACTS = [
    {"contact_id": 77, "email": "other@shop.example", "employees": 5},
    {"contact_id": "78", "email": " ANN@shop.example ", "employees": 6},
    {"contact_id": "79", "email": "zoe@shop.example", "employees": 77},
]
# printf ann@shop.example | sha256sum
HASHED = "6a0bf011a1fc1e9a8add1728704b8ddb5d9d2701ae295a65452d9f1f1cf91be5"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """Two nights: files of all formats, one of them in two versions, one refused, one undated."""
    company = Company(tmp_path)
    company.deliver("web/events/a.csv", EVENTS)
    company.deliver("crm/contacts/a.jsonl.gz", gzip.compress(_lines(CONTACTS).encode()))
    company.deliver("web/contacts/a.jsonl", _lines([{"contact_id": "77"}]))
    company.deliver(
        "crm/records/2024-02-01.csv", "record_id,stage,amount\nlead-ann,new,1\nlead-bob,new,77\n"
    )
    company.load()
    company.deliver(
        "crm/records/2024-02-01.csv", "record_id,stage,amount\nlead-ann,won,2\nlead-bob,won,77\n"
    )
    company.deliver("crm/activities/a.jsonl", _lines([_call("lead-ann", None)]))
    _deliver_parquet(company, "crm/activities/b.parquet")
    company.load(SECOND_NIGHT)
    return company


def _lines(rows: list[dict[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _call(record: str | None, contact: str | None) -> dict[str, object]:
    call = {"activity_id": f"of {record}", "occurred_at": "2024-02-01", "activity_type": "call"}
    return {**call, "record_id": record, "contact_id": contact}


def _deliver_parquet(company: Company, file: str, first: int = 76) -> None:
    path = company.landing / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    'a' || number as activity_id, timestamp '2024-02-01' as occurred_at,
                    'call' as activity_type, number as contact_id,
                    {{'mail': 'm' || number || '@shop.example'}} as details
                from range({first}, {first + 4}) as numbers (number)
            ) to '{path}' (format parquet)
            """
        )


def person_of(company: Company) -> Person:
    return Person(IDENTIFIERS, (email_hash(read_key(company.settings), ADDRESS),))


def planned(company: Company) -> Plan:
    return plan_for(company.settings, company.sources, person_of(company), ADDRESS)


def forget(company: Company) -> None:
    """As the command does, up to the night behind it."""
    if read_journal(company.settings) is None:
        begin(company.settings, planned(company))
    remove_from(company.settings, company.sources, lambda _: None)


def test_all_rows_of_the_person_are_found_and_no_others(company: Company) -> None:
    """Somebody else's rows are removed, as an id or address is part of theirs."""
    found = planned(company)
    assert found.rows == {
        ("landing", "web/events"): 6,
        ("raw", "web/events"): 4,
        ("quarantine", "web/events"): 1,
        ("landing", "crm/contacts"): 2,
        ("raw", "crm/contacts"): 2,
        ("landing", "crm/records"): 1,
        # Both versions: the one that was replaced is kept, too.
        ("raw", "crm/records"): 2,
        ("landing", "crm/activities"): 2,
        ("raw", "crm/activities"): 2,
    }
    assert {word for word in found.spelled if "@" in word} == {ADDRESS}


def test_other_rows_keep_their_bytes_in_files_of_every_format(company: Company) -> None:
    """A file comes out in another form, with other values or without the rows of others."""
    forget(company)
    landing = company.landing
    assert (landing / "web/events/a.csv").read_bytes() == EVENTS_LEFT.encode()
    packed = (landing / "crm/contacts/a.jsonl.gz").read_bytes()
    assert gzip.decompress(packed).decode() == _lines(CONTACTS[2:])
    assert (landing / "web/contacts/a.jsonl").read_text() == _lines([{"contact_id": "77"}])
    # A file of lines without a line would be taken for a delivery that failed.
    assert not (landing / "crm/activities/a.jsonl").exists()
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select activity_id, occurred_at::varchar, contact_id, details.mail, "
            f"typeof(contact_id) from '{landing}/crm/activities/b.parquet'"
        ).fetchall()
    assert rows == [
        (f"a{number}", "2024-02-01 00:00:00", number, f"m{number}@shop.example", "BIGINT")
        for number in (76, 78, 79)
    ]
    assert {path.name for path in landing.rglob(".*")} == set()


def test_no_byte_of_the_person_is_left_anywhere(company: Company) -> None:
    """What was deleted can be read from the free pages of a database or from a compressed file."""
    words = frozenset({ADDRESS, "cookie-ann", "lead-ann", "user-ann"})
    tracer = Tracer(company.settings, words)
    before = {trace.path.suffix for trace in tracer.search(company.landing, company.settings.raw)}
    assert before >= {".csv", ".gz", ".jsonl", ".parquet"}, "the search finds what is there"
    forget(company)
    journal = company.settings.home / "forgetting.json"
    assert journal.stat().st_mode & 0o077 == 0
    journal.unlink()
    found = tracer.search(company.landing, company.settings.home)
    # "user-ann" is in no word of others; an address that begins or ends like theirs is another.
    assert found == ()


def test_the_next_night_finds_nothing_new_and_the_past_as_it_was(company: Company) -> None:
    """All files count as delivered anew, so that what was known when is lost."""
    times = "select file, first_seen_at, delivered_at from raw.loads order by all"
    deliveries = "select delivery_number, delivered_at from raw.deliveries order by all"
    before = company.query(times), company.query(deliveries)
    forget(company)
    summary = company.load(THIRD_NIGHT)
    assert (summary.loads, summary.deliveries, summary.errors) == ((), 0, {})
    assert (company.query(times), company.query(deliveries)) == before
    # Of events e2 and e5, of contacts 79 and the 77 of the web, twice bob's lead, three calls; in
    # quarantine e8, the quote, and of e7 the time that there is not, which is of nobody by itself.
    assert company.query(
        "select sum(rows_read), sum(rows_loaded), sum(rows_quarantined) from raw.loads"
    ) == [(12, 9, 3)]
    assert company.query("select event_id from raw_generic.events order by _row") == [
        ("e2",),
        ("e5",),
    ]


def test_rows_that_come_again_are_not_loaded_and_are_counted(company: Company) -> None:
    """The system that delivers does not forget, and so nobody does."""
    forget(company)
    company.deliver("web/events/again.csv", EVENTS)
    company.deliver("crm/contacts/again.jsonl", _lines(CONTACTS))
    company.deliver("crm/activities/again.jsonl", _lines([_call("lead-ann", None)]))
    _deliver_parquet(company, "crm/activities/c.parquet")
    company.load(THIRD_NIGHT)
    assert company.query(
        "select file, rows_read, rows_loaded, rows_quarantined, rows_suppressed from raw.loads "
        "where file like '%again%' or file like '%/c.parquet' order by all"
    ) == [
        ("crm/activities/again.jsonl", 1, 0, 0, 1),
        ("crm/activities/c.parquet", 4, 3, 0, 1),
        ("crm/contacts/again.jsonl", 3, 1, 0, 2),
        ("web/events/again.csv", 10, 2, 2, 6),
    ]
    words = frozenset({ADDRESS, "cookie-ann", "lead-ann", "user-ann"})
    (company.settings.home / "forgetting.json").unlink()
    assert Tracer(company.settings, words).search(company.settings.home) == ()


def test_nobody_comes_back_because_the_list_was_lost(company: Company) -> None:
    """A file is not restored with the others, and all who were forgotten are loaded again."""
    forget(company)
    company.load(THIRD_NIGHT)
    suppressed = company.settings.suppressed
    whole = suppressed.read_text()
    company.deliver("web/events/again.csv", EVENTS)
    suppressed.write_text("".join(whole.splitlines(keepends=True)[:-1]))
    with pytest.raises(SuppressionError, match=r"at least 5 hashes, .* found 4\. Restore it"):
        company.load(THIRD_NIGHT)
    suppressed.unlink()
    with pytest.raises(SuppressionError, match=r"found 0\. Restore it"):
        company.load(THIRD_NIGHT)
    suppressed.write_text(whole)
    company.load(THIRD_NIGHT)
    counted = "select rows_suppressed from raw.loads where file like 'web/events/%' order by file"
    assert company.query(counted) == [(0,), (6,)]
    suppressed.write_text("complete\n")
    company.deliver("web/events/later.csv", EVENTS)
    company.load(THIRD_NIGHT)
    assert company.query(counted) == [(0,), (6,), (0,)]
    suppressed.unlink()
    company.load(THIRD_NIGHT)


def test_a_plain_hash_of_the_address_is_known_too(company: Company) -> None:
    """A system that delivers hashes brings the person back."""
    forget(company)
    rows = f'2024-02-01,visit,bob,"{{""email_hash"": ""{HASHED.upper()}""}}"\n'
    company.deliver("web/events/h.csv", f"occurred_at,event_name,user_id,properties\n{rows}")
    company.load(THIRD_NIGHT)
    assert company.query(
        "select rows_loaded, rows_suppressed from raw.loads where file = 'web/events/h.csv'"
    ) == [(0, 1)]


def test_an_address_beyond_ascii_is_found_in_any_spelling(tmp_path: Path) -> None:
    """Small letters of bytes are those of English alone."""
    company = Company(tmp_path)
    rows = "2024-02-01,visit,bob,JÖRG@shop.example\n2024-02-01,visit,eve,\n"
    company.deliver("web/events/a.csv", f"occurred_at,event_name,user_id,note\n{rows}")
    company.load()
    address = "jörg@shop.example"
    person = Person((), (email_hash(read_key(company.settings), address),))
    found = plan_for(company.settings, company.sources, person, address)
    assert found.rows == {("landing", "web/events"): 1, ("raw", "web/events"): 1}


def plan_of(company: Company, address: str, *identifiers: tuple[str, str]) -> Plan:
    """The plan for somebody who is known by one address, if that is not empty, and by these ids."""
    hashes = (email_hash(read_key(company.settings), address),) if address else ()
    person = Person(identifiers, hashes)
    return plan_for(company.settings, company.sources, person, address or "an id")


def test_who_has_a_quote_in_their_address_is_found_and_nobody_else(tmp_path: Path) -> None:
    """Rows of o'brien@ cannot be found, and those of brien@ go with them."""
    company = Company(tmp_path)
    rows = "2024-02-01,visit,bob,o'brien@shop.ie\n2024-02-01,visit,eve,brien@shop.ie\n"
    company.deliver("web/events/a.csv", f"occurred_at,event_name,user_id,note\n{rows}")
    line = '{"contact_id": "%s", "more": {"mail": "%s"}}\n'
    company.deliver(
        "crm/contacts/a.jsonl",
        line % (1, "o'brien@shop.ie") + line % (2, "o\\u0027brien\\u0040shop.ie"),
    )
    company.load()
    found = plan_of(company, "o'brien@shop.ie")
    assert found.rows == {
        ("landing", "web/events"): 1,
        ("raw", "web/events"): 1,
        ("landing", "crm/contacts"): 2,
        ("raw", "crm/contacts"): 2,
    }
    other = plan_of(company, "brien@shop.ie")
    assert other.rows == {("landing", "web/events"): 1, ("raw", "web/events"): 1}


def test_what_is_escaped_in_a_delivered_line_is_found(tmp_path: Path) -> None:
    """Lines are passed over that hold the words in another spelling, and the person stays."""
    company = Company(tmp_path)
    line = '{"occurred_at": "2024-02-01", "event_name": "a", "user_id": "%s", "properties": %s}\n'
    company.deliver(
        "web/events/a.jsonl",
        line % ("ab\\/cd+9", "{}")
        + line % ("bob", '{"to": "jörg@shop.ie"}')
        + line % ("eve", '{"to": "eve@shop.ie"}'),
    )
    company.load()
    one_row = {("landing", "web/events"): 1, ("raw", "web/events"): 1}
    assert plan_of(company, "", ("user_id", "ab/cd+9")).rows == one_row
    assert plan_of(company, "jörg@shop.ie").rows == one_row


def test_a_file_whose_name_reads_as_a_pattern_is_itself_alone(tmp_path: Path) -> None:
    """It is replaced by the rows of another file, and its own are lost."""
    company = Company(tmp_path)
    _deliver_parquet(company, "crm/activities/b[12].parquet", 76)
    _deliver_parquet(company, "crm/activities/b1.parquet", 100)
    company.load()
    found = plan_of(company, "", ("contact_id", "crm:77"))
    assert found.files == {"crm/activities/b[12].parquet": 1}
    begin(company.settings, found)
    remove_from(company.settings, company.sources, lambda _: None)
    own = (company.landing / "crm/activities/b[12].parquet").as_posix().replace("[", "[[]")
    with duckdb.connect() as connection:
        rows = connection.execute("select contact_id from read_parquet(?)", [own]).fetchall()
    assert rows == [(76,), (78,), (79,)]
    mails = Tracer(company.settings, frozenset({"m78@shop.example"})).search(company.landing)
    assert [trace.path.name for trace in mails] == ["b[12].parquet"]


def test_a_delivery_that_arrives_meanwhile_is_not_overwritten(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was just delivered is replaced by what was made of the file before it, and is lost."""
    rewrite = Searcher.rewrite
    again = EVENTS + "2024-02-02 10:00:00,visit,eve,,e9,\r\n"

    def delivered_meanwhile(searcher: Searcher, file: LandingFile, extract: Extract) -> Rewritten:
        rewritten = rewrite(searcher, file, extract)
        if file.file == "web/events/a.csv":
            company.deliver(file.file, again)
        return rewritten

    with monkeypatch.context() as patch:
        patch.setattr(Searcher, "rewrite", delivered_meanwhile)
        with pytest.raises(ForgetError, match=r"web/events/a\.csv: .* Call `make forget` again"):
            forget(company)
    assert (company.landing / "web/events/a.csv").read_bytes() == again.encode()
    forget(company)
    left = EVENTS_LEFT + "2024-02-02 10:00:00,visit,eve,,e9,\r\n"
    assert (company.landing / "web/events/a.csv").read_bytes() == left.encode()
    assert {path.name for path in company.landing.rglob(".*")} == set()


def test_a_link_leads_to_what_is_rewritten(company: Company, tmp_path: Path) -> None:
    """The link is replaced, and the person stays in the file that it led to."""
    export, link = tmp_path / "exports" / "a.csv", company.landing / "web/events/a.csv"
    export.parent.mkdir()
    link.rename(export)
    link.symlink_to(export)
    (link.parent / "b.csv").symlink_to("a.csv")
    company.load(SECOND_NIGHT)
    forget(company)
    assert export.read_bytes() == link.read_bytes() == EVENTS_LEFT.encode()
    assert link.is_symlink()
    assert [path.name for path in export.parent.iterdir()] == ["a.csv"]
    assert company.load(THIRD_NIGHT).deliveries == 0


def test_a_landing_that_cannot_be_seen_whole_is_refused(company: Company) -> None:
    """The person is said to be forgotten, and lies in what was passed over."""
    (company.landing / "web/events/b.csv").symlink_to("nowhere.csv")
    with pytest.raises(ForgetError, match=r"(?s)can be read to its end.*web/events/b\.csv"):
        planned(company)


def test_a_delivery_that_no_night_has_seen_is_told_with_the_plan(company: Company) -> None:
    """It says of a second id that it is theirs, and the rows of that id stay."""
    assert planned(company).not_loaded == ()
    company.deliver("web/events/b.csv", EVENTS)
    company.deliver("web/events/a.csv", EVENTS + "2024-02-02 10:00:00,visit,eve,,e9,\r\n")
    found = planned(company)
    assert found.not_loaded == ("web/events/a.csv", "web/events/b.csv")
    assert "web/events/a.csv and 1 files more yet" in "".join(found.lines())


def test_a_hash_in_a_file_that_was_never_accepted_is_found(tmp_path: Path) -> None:
    """It lies in the landing for good: no table tells that it is the person's."""
    company = Company(tmp_path)
    company.deliver("web/events/a.csv", f"occurred_at,note\n2024-02-01,{HASHED.upper()}\n")
    assert company.load().errors
    assert plan_of(company, ADDRESS).rows == {("landing", "web/events"): 1}


def test_a_damaged_row_of_others_that_holds_a_short_id_stays_and_is_told(tmp_path: Path) -> None:
    """What somebody paid is taken for the id of another, and the row is removed."""
    company = Company(tmp_path)
    rows = "2024-02-01,visit,17,e1\n2024-02-01,visit,99,e2,17\n"
    company.deliver("web/events/a.csv", f"occurred_at,event_name,user_id,event_id\n{rows}")
    company.load()
    found = plan_of(company, "", ("user_id", "17"))
    assert found.rows == {("landing", "web/events"): 1, ("raw", "web/events"): 1}
    assert "web/events/a.csv: 1 rows that cannot be taken apart" in "".join(found.lines())


def state_of(company: Company) -> dict[str, object]:
    """Every file of the landing, every row of raw and quarantine, and the whole ledger."""
    state: dict[str, object] = {
        path.relative_to(company.landing).as_posix(): path.read_bytes()
        for path in company.landing.rglob("*")
        if path.is_file()
    }
    home = company.settings.home
    for path in sorted(home.rglob("*.parquet")):
        state[path.relative_to(home).as_posix()] = duckdb.sql(
            f"select * from '{path}' order by all"
        ).fetchall()
    with open_ledger(company.settings.ledger) as ledger:
        state["loads"] = ledger.loads()
        state["deliveries"] = ledger.deliveries()
        state["latest"] = ledger.latest_deliveries()
    state["suppressed"] = (home / "suppressed.txt").read_text()
    state["files"] = sorted(path.name for path in home.rglob("*") if path.is_file())
    return state


def copy_of(company: Company, folder: Path) -> Company:
    copy = object.__new__(Company)
    copy.landing, copy.sources = folder / "landing", company.sources
    home = folder / "home"
    copy.settings = replace(
        company.settings, landing=copy.landing, home=home, hash_key_file=home / "hash_key"
    )
    shutil.copytree(company.landing, copy.landing)
    shutil.copytree(company.settings.home, home)
    return copy


WATCHED = {"execute", "fsync", "link", "replace", "rmtree", "unlink", "copystat"}


def test_an_erasure_that_is_killed_anywhere_comes_to_the_same_end(
    company: Company, tmp_path: Path
) -> None:
    """A person is half forgotten, or the ledger tells of rows that are not there."""
    undisturbed = copy_of(company, tmp_path / "undisturbed")
    forget(undisturbed)
    expected = state_of(undisturbed)
    watched = copy_of(company, tmp_path / "watched")
    steps = steps_of(WATCHED, lambda: forget(watched))
    assert {name for _, _, name in steps} == WATCHED
    for number, step in enumerate(steps):
        disturbed = copy_of(company, tmp_path / f"killed_{number}")
        work: Callable[[], None] = lambda: forget(disturbed)  # noqa: B023, E731
        assert killed_at(WATCHED, step, work), step
        forget(disturbed)
        assert state_of(disturbed) == expected, step


def test_nothing_is_built_of_a_half_forgotten_person(company: Company) -> None:
    """A night publishes what raw and ledger do not agree on."""
    begin(company.settings, planned(company))
    with pytest.raises(UnfinishedError, match="Call `make forget`"):
        refuse_unfinished(company.settings)
    forget(company)
    refuse_unfinished(company.settings)


def test_the_end_does_not_take_an_address_in_the_landing_for_a_row_of_others(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that the person is forgotten, and what was not found in the landing stays."""
    forget(company)
    monkeypatch.setattr(forget_module, "is_published", lambda _: True)
    monkeypatch.setattr(forget_module, "_sources", lambda _: company.sources)
    others = company.deliver("web/events/o.csv", f"{EVENTS_HEADER}2024-02-01,of user-ann,bob\n")
    late = company.deliver("web/events/l.csv", f"{EVENTS_HEADER}2024-02-01,ann%40shop.example,b\n")
    with pytest.raises(ForgetError, match=r"still name the person:\n  \S+/l\.csv\n"):
        finish(company.settings, lambda _: None)
    late.unlink()
    assert "Call it again" in notes_on_unfinished(company.settings)[0]
    runs = company.settings.dagster / "runs.db"
    runs.parent.mkdir(exist_ok=True)
    for end, text in (("", "user-ann"), ("-wal", "pages"), ("-shm", "index")):
        runs.with_name(f"runs.db{end}").write_text(text)
    assert finish(company.settings, lambda _: None) == (Trace(others),)
    assert list(runs.parent.iterdir()) == []
    assert notes_on_unfinished(company.settings) == ()
