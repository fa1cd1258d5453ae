"""Whatever kills a publishing, and whenever: readers keep a whole release, a rerun mends the rest.

The process is killed at each place of the publishing code that writes, links, renames, deletes or
asks the database to do something, one after the other. The places are found by watching an
undisturbed run, so that a step that is added is killed, too.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pytest

import orchestration
from orchestration.publish import NoRoomError
from orchestration.releases import read_link_log
from orchestration.settings import Settings
from tests.orchestration.tiny_builds import (
    folders,
    link,
    publish_build,
    publish_mark,
    read,
    read_parquet,
    release_of,
    settings_for,
    write_build,
)

Step = tuple[str, int, str]

WATCHED = {
    "execute", "executemany", "fsync", "hardlink_to", "mkdir", "pwrite", "rename", "replace",
    "rmtree", "symlink_to", "unlink", "write_text",
}  # fmt: skip
KILLED = 99


def _watch(step_seen: Callable[[Step], None]) -> None:
    """Call back before each watched call that the package itself makes."""
    package = str(Path(orchestration.__file__).parent)

    def profile(frame: FrameType, event: str, callee: Any) -> None:
        caller: FrameType | None
        if event == "c_call" and not isinstance(getattr(callee, "__self__", None), str):
            caller, name = frame, callee.__name__
        elif event == "call":
            caller, name = frame.f_back, frame.f_code.co_name
        else:
            return
        if name in WATCHED and caller and caller.f_code.co_filename.startswith(package):
            module = Path(caller.f_code.co_filename).name
            # Between two statements only the hidden database differs: one a module will do.
            line = 0 if name == "execute" else caller.f_lineno
            step_seen((module, line, name))

    sys.setprofile(profile)


def _publish_watched(settings: Settings, mark: int, die_at: Step | None, told: Connection) -> None:
    """Publish in a process of its own: die on first coming to a step, or tell all steps."""
    steps: dict[Step, None] = {}

    def step_seen(step: Step) -> None:
        if step == die_at:
            os._exit(KILLED)
        steps.setdefault(step)

    _watch(step_seen)
    publish_build(settings, mark)
    sys.setprofile(None)
    told.send(list(steps))


def _run(target: Callable[..., None], *arguments: Any) -> tuple[int | None, Any]:
    """Run it in a process of its own: exit status, and what it told if it came to that."""
    # The server has no threads, unlike this process, so that it can be forked safely.
    context = multiprocessing.get_context("forkserver")
    # DuckDB imports pandas with the first parameter, which takes longer than all else here.
    context.set_forkserver_preload([__name__, "pandas", "pyarrow"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, there))
    process.start()
    there.close()
    try:
        told = here.recv()
    except EOFError:
        told = None
    process.join()
    return process.exitcode, told


def _home_before(home: Path) -> Settings:
    """A warehouse that keeps two releases, has two, and is about to publish a third."""
    settings = settings_for(home, keep_releases=2)
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    write_build(settings.build, 3)
    return settings


def _seen(settings: Settings) -> list[list[tuple[Any, ...]]]:
    """What one reader gets of the two tables and the log, with one query for each."""
    database = settings.published / "current" / "funnel.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "from fct_visits",
                "select visits, mark from visit_counts",
                "select release_id, previous_release_id from release_log",
            )
        ]


def _whole(mark: int) -> list[list[tuple[Any, ...]]]:
    """What `_seen` is to be in the release of that mark."""
    ids = [release_of(1), release_of(2), release_of(3)]
    return [
        [("a", 1, mark), ("a", 2, mark), ("b", 1, mark)],
        [(3, mark), (3, mark)],
        list(zip(ids, [None, *ids], strict=False))[:mark],
    ]


def test_a_kill_at_any_step_leaves_a_whole_release_and_a_rerun_mends_it(tmp_path: Path) -> None:
    """A power cut at night: readers find half a table, or the next night cannot publish."""
    template = _home_before(tmp_path / "template")
    undisturbed = settings_for(shutil.copytree(template.home, tmp_path / "u", symlinks=True), 2)
    status, steps = _run(_publish_watched, undisturbed, 3, None)
    assert status == 0
    assert {name for *_, name in steps} >= {
        "execute", "executemany", "hardlink_to", "write_text", "fsync", "rename", "symlink_to",
        "replace", "rmtree",
    }  # fmt: skip

    marks_left = []
    for number, step in enumerate(steps):
        home = shutil.copytree(template.home, tmp_path / f"home{number}", symlinks=True)
        settings = settings_for(home, keep_releases=2)
        status, _ = _run(_publish_watched, settings, 3, step)
        assert status == KILLED, step

        # As readers find it.
        (mark,) = {mark for *_, mark in read_parquet(settings, "fct_visits")}
        marks_left.append(mark)
        assert _seen(settings) == _whole(mark), step
        assert link(settings) == f"releases/{release_of(mark)}", step

        # As the next run leaves it.
        release = publish_build(settings, 3)
        assert release.release_id == release_of(3), step
        assert link(settings) == f"releases/{release_of(3)}", step
        assert folders(settings) == [release_of(2), release_of(3)], step
        assert _seen(settings) == _whole(3), step
        assert read_parquet(settings, "fct_visits") == _whole(3)[0], step
        logged = [entry["release_id"] for entry in read_link_log(settings.published)]
        assert logged == [release_of(1), release_of(2), release_of(3)], step
        rubbish = {path.name for path in settings.published.iterdir()}
        assert rubbish == {".lock", "current", "log.jsonl", "releases"}, step

    # The kills came before the link was moved and after it, and never was it moved back.
    assert marks_left == sorted(marks_left)
    assert set(marks_left) == {2, 3}


def test_an_error_in_publishing_leaves_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failed night would leave a half-written release on the disk."""
    settings = _home_before(tmp_path)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.publish.audit", fail)
        with pytest.raises(KeyboardInterrupt):
            publish_build(settings, 3)
    assert folders(settings) == [release_of(1), release_of(2)]
    assert link(settings) == f"releases/{release_of(2)}"


def test_a_release_that_never_got_its_link_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New deliveries came in between, and the next night publishes the tables without them."""
    settings = _home_before(tmp_path)

    def fail(*_: object) -> None:
        raise OSError("no link")

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.releases.move_link", fail)
        with pytest.raises(OSError, match="no link"):
            publish_build(settings, 3)
    assert folders(settings) == [release_of(1), release_of(2)]
    publish_mark(settings, 4)
    assert folders(settings) == [release_of(2), release_of(4)]


def _message_of_no_room(settings: Settings, mark: int) -> str | None:
    try:
        publish_build(settings, mark)
    except NoRoomError as error:
        return str(error)
    return None


def _publish_with_small_files(settings: Settings, mark: int, limit: int, told: Connection) -> None:
    """Publish where no file can be larger than `limit` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    told.send(_message_of_no_room(settings, mark))


MANY = "insert into core.fct_visits select hash(n)::varchar, n, 3 from range(100000) as r (n)"


@pytest.mark.parametrize("limit", [100_000, 1_500_000], ids=["database", "parquet"])
def test_without_room_the_last_release_stays_and_the_error_says_so(
    tmp_path: Path, limit: int
) -> None:
    """A stack trace of the database, half a release that fills the disk, or readers without any."""
    settings = _home_before(tmp_path)
    write_build(settings.build, 3, also=[MANY])
    status, message = _run(_publish_with_small_files, settings, 3, limit)
    assert status == 0
    assert message is not None
    assert f"{settings.published}: expected room for a release, found none after " in message
    assert f"Readers have {release_of(2)}, which takes " in message
    assert "keep fewer releases (FUNNEL_KEEP_RELEASES), and run `make nightly` again" in message
    assert "File too large" in message
    assert folders(settings) == [release_of(1), release_of(2)]
    assert read(settings, "select distinct mark from fct_visits") == [(2,)]
    assert publish_build(settings, 3).release_id == release_of(3)


FULL_DISK = """
import sys
from pathlib import Path
from orchestration.publish import NoRoomError
from tests.orchestration.tiny_builds import *

small = settings_for(Path(sys.argv[1]))
small.home.joinpath("published").mkdir()
small.build.symlink_to(sys.argv[2])
publish_mark_of_small = publish_build(small, 2, tables=TABLES)
small.build.unlink()
small.build.symlink_to(sys.argv[3])
try:
    publish_build(small, 3)
except NoRoomError as error:
    print(error)
assert folders(small) == [release_of(2)], folders(small)
assert read(small, "select distinct mark from fct_visits") == [(2,)]
"""


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    """The same with a real file system that is full, as the database sees it."""
    write_build(tmp_path / "small.duckdb", 2)
    write_build(tmp_path / "large.duckdb", 3, also=[MANY])
    mount_point = tmp_path / "mount"
    mount_point.mkdir()
    mount = 'mount -t tmpfs -o size=3m tmpfs "$1"'
    unshare = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run(
            [*unshare, mount, "sh", str(mount_point)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("this system lets nobody mount a small file system (unshare and tmpfs)")
    run = subprocess.run(
        [
            *unshare, mount + ' && shift && exec "$@"', "sh", str(mount_point),
            sys.executable, "-c", FULL_DISK,
            str(mount_point), str(tmp_path / "small.duckdb"), str(tmp_path / "large.duckdb"),
        ],
        cwd=Path(orchestration.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.stderr == ""
    assert "No space left on device" in run.stdout
    assert f"Readers have {release_of(2)}, which takes " in run.stdout
