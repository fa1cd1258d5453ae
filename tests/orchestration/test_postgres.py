"""A release in a real PostgreSQL server, which is started for these tests and for nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from orchestration import postgres
from orchestration.__main__ import main
from orchestration.postgres import PostgresError, Table, publish_to_postgres
from orchestration.releases import rollback
from orchestration.settings import SettingError, Settings
from tests.orchestration.tiny_builds import publish_mark, release_of, settings_for

PASSWORD = "of-the-loader"
ADMINISTRATOR = "administrator"


def program(name: str) -> str | None:
    """Where a program of the server is: Debian keeps most of them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


INITDB, PG_CTL = program("initdb"), program("pg_ctl")
pytestmark = pytest.mark.skipif(
    INITDB is None or PG_CTL is None,
    reason="no PostgreSQL server is installed; on Debian: apt-get install postgresql",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of the socket of a server that listens on no network."""
    # The server refuses root, and another user cannot enter the folders of pytest.
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="funnel-pg-"))

    def run(*words: str) -> None:
        subprocess.run(words, user=user, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = str(folder / "data")
        initdb, pg_ctl = str(INITDB), str(PG_CTL)
        run(
            *(initdb, "--pgdata", data, "--username", ADMINISTRATOR, "--auth", "scram-sha-256"),
            *("--pwfile", str(folder / "password"), "--encoding", "UTF8", "--locale", "C"),
            "--no-sync",
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(pg_ctl, "start", "-w", "-D", data, "-o", options, "-l", str(folder / "log"))
        try:
            yield folder
        finally:
            run(pg_ctl, "stop", "-w", "-D", data, "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def address(server: Path, user: str, database: str, password: str = PASSWORD) -> str:
    """The address of a database, as a setting."""
    return f"postgresql://{user}:{password}@/{database}?host={server}"


@pytest.fixture
def database(server: Path) -> Iterator[str]:
    """The address of an empty database, whose user `loader` may make schemas and roles."""
    with closing(
        psycopg.connect(address(server, ADMINISTRATOR, "postgres"), autocommit=True)
    ) as own:
        own.execute(f"create role loader login createrole password '{PASSWORD}'")
        own.execute("create database analytics owner loader")
        yield address(server, "loader", "analytics")
        own.execute("drop database analytics with (force)")
        for role in ("loader", "analyst", postgres.READERS):
            own.execute(f"drop role if exists {role}")


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    """A warehouse that loads into that database."""
    return with_address(tmp_path, database)


def with_address(home: Path, url: str) -> Settings:
    """The settings of a warehouse that loads there."""
    plain = settings_for(home / "warehouse")
    return Settings.from_environment({"FUNNEL_HOME": str(plain.home), "FUNNEL_POSTGRES_URL": url})


def load(settings: Settings) -> bool:
    """Load the current release; whether there was anything to do."""
    return publish_to_postgres(settings, lambda line: None).was_loaded


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with psycopg.connect(settings.postgres_url) as connection:
        return connection.execute(query.encode()).fetchall()


def marks(settings: Settings, schema: str = "funnel") -> list[int]:
    """The builds of which the rows of a schema are."""
    rows = ask(
        settings,
        f"select mark from {schema}.fct_visits union select mark from {schema}.visit_counts",
    )
    return sorted(mark for (mark,) in rows)


def schemas(settings: Settings) -> list[str]:
    """The schemas of releases that there are."""
    rows = ask(
        settings, "select nspname from pg_namespace where nspname like 'funnel%' order by nspname"
    )
    return [name for (name,) in rows]


def test_a_release_arrives_with_rows_types_keys_and_descriptions(settings: Settings) -> None:
    """A BI tool would see texts for dates, no keys to join by, or columns without a meaning."""
    publish_mark(settings, 1)
    assert load(settings)
    assert ask(settings, "select * from funnel.fct_visits order by 1, 2") == [
        ("a", 1, 1),
        ("a", 2, 1),
        ("b", 1, 1),
    ]
    counts = "select grain, day, visits from funnel.visit_counts order by grain"
    assert ask(settings, counts) == [("all", None, 3), ("day", date(2024, 1, 1), 3)]
    assert ask(settings, "select stage_name_zh from funnel.dim_stages order by 1") == [
        ("加入购物车",),
        ("访问",),
    ]
    types = (
        "select column_name, data_type from information_schema.columns "
        "where table_schema = 'funnel' and table_name = 'release_log' order by ordinal_position"
    )
    assert dict(ask(settings, types))["as_of"] == "timestamp without time zone"
    keys = (
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
        "where connamespace = 'funnel'::regnamespace and contype in ('p', 'u') order by 1"
    )
    found = dict(ask(settings, keys))
    assert found["funnel.fct_visits"] == "PRIMARY KEY (subject_id, visit_number)"
    assert found["funnel.visit_counts"].endswith("(grain, day)")
    assert len(found) == 6
    described = (
        "select obj_description('funnel.fct_visits'::regclass, 'pg_class'), "
        "col_description('funnel.fct_visits'::regclass, 1), "
        "obj_description('funnel'::regnamespace, 'pg_namespace')"
    )
    assert ask(settings, described) == [
        (
            "The stays of a subject; it's quoted. One row per visit.",
            "The subject_id.",
            f"Release {release_of(1)}, as of 2024-01-01 00:00 UTC.",
        )
    ]


def test_odd_texts_arrive_as_they_are(settings: Settings) -> None:
    """An empty text would be no value, or a line break would end the loading."""
    odd = ["", "a,b", 'quo"ted', "line\nbreak", "\\N", "\\.", " blank "]
    values = ", ".join("('" + text.replace("'", "''") + f"', {n}, 1)" for n, text in enumerate(odd))
    publish_mark(settings, 1, also=[f"insert into core.fct_visits values {values}"])
    load(settings)
    rows = ask(
        settings, "select subject_id from funnel.fct_visits where subject_id not in ('a', 'b')"
    )
    assert sorted(text for (text,) in rows) == sorted(odd)


def test_readers_may_read_and_nothing_else(server: Path, settings: Settings) -> None:
    """A tool could change the figures of all others, or could not read the next release."""
    for mark in (1, 2):
        publish_mark(settings, mark)
        load(settings)
    with closing(
        psycopg.connect(address(server, ADMINISTRATOR, "analytics"), autocommit=True)
    ) as own:
        own.execute(f"create role analyst login password '{PASSWORD}' in role {postgres.READERS}")
    with closing(
        psycopg.connect(address(server, "analyst", "analytics"), autocommit=True)
    ) as reader:
        assert reader.execute("select max(mark) from funnel.fct_visits").fetchall() == [(2,)]
        for statement in ("delete from funnel.fct_visits", "create table funnel.mine (a int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())


def test_the_same_release_is_loaded_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A night with nothing new would send everything again."""
    publish_mark(settings, 1)
    monkeypatch.setenv("FUNNEL_HOME", str(settings.home))
    monkeypatch.setenv("FUNNEL_POSTGRES_URL", settings.postgres_url)
    assert main(["publish-postgres"]) == 0
    assert (
        f"Readers of the schema funnel now get release {release_of(1)}." in capsys.readouterr().out
    )
    oids = "select oid from pg_class where relnamespace = 'funnel'::regnamespace order by oid"
    before = ask(settings, oids)
    assert main(["publish-postgres"]) == 0
    assert "already; nothing was loaded" in capsys.readouterr().out
    assert ask(settings, oids) == before


def test_the_release_before_stays_until_the_next(settings: Settings) -> None:
    """Who still reads would lose the table within a statement; or releases would pile up."""
    for mark in (1, 2, 3):
        publish_mark(settings, mark)
        load(settings)
        assert marks(settings) == [mark]
    assert schemas(settings) == ["funnel", "funnel_previous"]
    assert marks(settings, "funnel_previous") == [2]
    rollback(settings)
    assert load(settings)
    assert marks(settings) == [2]


def test_no_reader_sees_half_a_release(settings: Settings) -> None:
    """A statement would join a table of one release with one of the next."""
    publish_mark(settings, 1)
    load(settings)
    seen: list[tuple[Any, ...]] = []
    problems: list[Exception] = []
    is_over = threading.Event()

    def read() -> None:
        query = (
            "select distinct fct_visits.mark, visit_counts.mark "
            "from funnel.fct_visits cross join funnel.visit_counts"
        )
        with closing(psycopg.connect(settings.postgres_url, autocommit=True)) as connection:
            while not is_over.is_set():
                try:
                    seen.extend(connection.execute(query).fetchall())
                except psycopg.Error as problem:
                    problems.append(problem)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for mark in range(2, 6):
            publish_mark(settings, mark)
            load(settings)
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    assert problems == []
    assert {first for first, _ in seen} >= {1, 5}
    assert [pair for pair in seen if pair[0] != pair[1]] == []


def test_a_reader_that_never_ends_keeps_its_release_and_nobody_waits_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's open transaction would keep all others from the new release."""
    monkeypatch.setattr(postgres, "SWAPS_TRIED", 2)
    monkeypatch.setattr(postgres, "SECONDS_BETWEEN_SWAPS", 0)
    monkeypatch.setattr(postgres, "DROP_WAIT", "100ms")
    publish_mark(settings, 1)
    load(settings)
    with closing(psycopg.connect(settings.postgres_url)) as reader:
        reader.execute("declare visits cursor for select mark from funnel.fct_visits")
        publish_mark(settings, 2)
        load(settings)
        assert marks(settings) == [2]
        assert reader.execute("fetch all from visits").fetchall() == [(1,)] * 3
        publish_mark(settings, 3)
        with pytest.raises(PostgresError, match="expected that nobody reads funnel_previous"):
            load(settings)
        assert marks(settings) == [2]
    assert load(settings)
    assert marks(settings) == [3]


@pytest.mark.parametrize("step", ["_load", "_finish", "_swap"])
def test_a_loading_that_dies_is_begun_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Readers would get half a release, or none could be loaded ever after."""
    publish_mark(settings, 1)
    load(settings)
    publish_mark(settings, 2)
    with monkeypatch.context() as patched:

        def die(*arguments: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(postgres, step, die)
        with pytest.raises(KeyboardInterrupt):
            load(settings)
    assert marks(settings) == [1]
    assert load(settings)
    assert marks(settings) == [2]
    assert schemas(settings) == ["funnel", "funnel_previous"]


def test_rows_that_are_missing_are_not_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that arrived in part would be read as the whole."""
    publish_mark(settings, 1)
    load(settings)
    publish_mark(settings, 2)
    whole = postgres._load

    def lose_a_row(server: Any, source: Any, table: Table, temporary: Path) -> int:
        return whole(server, source, table, temporary) - (table.name == "fct_visits")

    monkeypatch.setattr(postgres, "_load", lose_a_row)
    with pytest.raises(
        PostgresError, match=r"funnel_next\.fct_visits: expected 3 rows, .* found 2"
    ):
        load(settings)
    assert marks(settings) == [1]


def test_a_view_on_an_old_release_is_not_dropped_in_silence(settings: Settings) -> None:
    """Somebody's view would be gone one night, and nobody would know why."""
    publish_mark(settings, 1)
    load(settings)
    with psycopg.connect(settings.postgres_url) as connection:
        connection.execute("create schema own")
        connection.execute("create view own.visits as select * from funnel.fct_visits")
    publish_mark(settings, 2)
    load(settings)
    publish_mark(settings, 3)
    with pytest.raises(PostgresError, match=r"found the views own\.visits"):
        load(settings)
    assert marks(settings) == [2]


def test_a_second_loading_waits_for_its_turn(settings: Settings) -> None:
    """Two would drop each other's tables."""
    publish_mark(settings, 1)
    with closing(psycopg.connect(settings.postgres_url, autocommit=True)) as other:
        other.execute("select pg_advisory_lock(%s)", [postgres.ADVISORY_LOCK])
        with pytest.raises(PostgresError, match="found another loading at work"):
            load(settings)


def test_a_schema_of_somebody_else_is_left_alone(settings: Settings) -> None:
    """A schema of the same name would be renamed, and dropped a night later."""
    with psycopg.connect(settings.postgres_url) as connection:
        connection.execute("create schema funnel")
        connection.execute("create table funnel.theirs (a int)")
    publish_mark(settings, 1)
    with pytest.raises(PostgresError, match="found one that somebody else has made"):
        load(settings)
    assert ask(settings, "select count(*) from funnel.theirs") == [(0,)]


def test_what_is_missing_is_said(server: Path, settings: Settings, tmp_path: Path) -> None:
    """Whoever sets it up would have to guess from a traceback, or the password would be logged."""
    with pytest.raises(PostgresError, match="expected a release to load, found none"):
        load(settings)
    publish_mark(settings, 1)
    with pytest.raises(PostgresError, match="expected the address of a PostgreSQL database"):
        load(with_address(tmp_path, ""))
    wrong = address(server, "loader", "analytics", "guessed-word")
    with pytest.raises(PostgresError, match="password authentication failed") as refused:
        load(with_address(tmp_path, wrong))
    assert "guessed-word" not in str(refused.value)
    assert refused.value.__cause__ is None
    nowhere = f"postgresql://loader:guessed-word@/analytics?host={tmp_path}"
    with pytest.raises(PostgresError, match="expected to connect to the PostgreSQL") as refused:
        load(with_address(tmp_path, nowhere))
    assert "guessed-word" not in str(refused.value)
    assert PASSWORD not in repr(settings)
    with pytest.raises(SettingError) as mistyped:
        with_address(tmp_path, "mysql://loader:guessed-word@host/analytics")
    assert "guessed-word" not in str(mistyped.value)


def test_a_missing_right_is_said(server: Path, settings: Settings, tmp_path: Path) -> None:
    """The administrator would not know what to grant."""
    publish_mark(settings, 1)
    with closing(
        psycopg.connect(address(server, ADMINISTRATOR, "analytics"), autocommit=True)
    ) as own:
        own.execute(f"create role analyst login password '{PASSWORD}'")
    with pytest.raises(PostgresError, match='grant create on database "analytics" to "analyst"'):
        load(with_address(tmp_path, address(server, "analyst", "analytics")))
