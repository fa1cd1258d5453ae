"""Going back, retention, and the record of which release readers had when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.lock import LockHeldError
from orchestration.releases import (
    ReleaseError,
    current_release,
    list_releases,
    publishing_lock,
    read_link_log,
    rollback,
)
from orchestration.settings import Settings
from tests.orchestration.tiny_builds import (
    folders,
    link,
    publish_build,
    publish_mark,
    read,
    release_of,
    settings_for,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path / "warehouse")


def _moves(settings: Settings) -> list[tuple[str, str, str | None]]:
    entries = read_link_log(settings.published)
    return [
        (entry["event"], entry["release_id"], entry["previous_release_id"]) for entry in entries
    ]


def test_before_the_first_night_there_is_no_release(settings: Settings) -> None:
    """A summary of a fresh warehouse would end in a stack trace."""
    assert current_release(settings) is None
    assert list_releases(settings) == ()


def test_going_back_gives_readers_the_release_before(settings: Settings) -> None:
    """Wrong numbers would stay until the next night."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    release = rollback(settings)
    assert release.release_id == release_of(1)
    assert current_release(settings) == release
    assert link(settings) == f"releases/{release_of(1)}"
    assert read(settings, "select distinct mark from fct_visits") == [(1,)]
    assert folders(settings) == [release_of(1), release_of(2)]
    assert _moves(settings) == [
        ("published", release_of(1), None),
        ("published", release_of(2), release_of(1)),
        ("rolled_back", release_of(1), release_of(2)),
    ]


def test_one_can_go_to_any_release_that_is_kept(settings: Settings) -> None:
    """Somebody who went back one too far could not go forward again."""
    for mark in (1, 2, 3):
        publish_mark(settings, mark)
    assert rollback(settings, release_of(1)).release_id == release_of(1)
    assert rollback(settings, release_of(3)).release_id == release_of(3)
    assert read(settings, "select distinct mark from visit_counts") == [(3,)]


def test_after_going_back_publishing_goes_forward(settings: Settings) -> None:
    """A bad release would come back as the one before, or vanish from the log."""
    for mark in (1, 2, 3):
        publish_mark(settings, mark)
    rollback(settings)
    publish_mark(settings, 4)
    assert link(settings) == f"releases/{release_of(4)}"
    log = "select release_id, release_number, previous_release_id from release_log"
    assert read(settings, log) == [
        (release_of(1), 1, None),
        (release_of(2), 2, release_of(1)),
        (release_of(3), 3, release_of(2)),
        (release_of(4), 4, release_of(2)),
    ]
    changed = "select rows_changed from release_tables where table_name = 'fct_visits'"
    assert read(settings, f"{changed} and release_id = '{release_of(4)}'") == [(3,)]
    assert rollback(settings).release_id == release_of(2), "not the one that was gone back from"


def test_what_was_gone_back_from_is_published_again_under_a_new_id(settings: Settings) -> None:
    """The same content under the id that readers were told is bad."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    rollback(settings)
    publish_build(settings, 2)
    assert link(settings) == f"releases/{release_of(2, 2)}"


@pytest.mark.parametrize(
    ("marks", "to", "message"),
    [
        ((), None, "expected a current release to go back from, found none. None is kept"),
        ((1,), None, f"expected a release before {release_of(1)}, but it is the first"),
        ((1, 2), "yesterday", "expected the release yesterday, found no such release. Kept are: "),
        ((1, 2), release_of(2), f"readers have the release {release_of(2)} already"),
    ],
)
def test_going_nowhere_is_refused_with_what_there_is(
    settings: Settings, marks: tuple[int, ...], to: str | None, message: str
) -> None:
    """A slip of the pen would leave readers without any release."""
    for mark in marks:
        publish_mark(settings, mark)
    with pytest.raises(ReleaseError, match=message):
        rollback(settings, to)
    assert len(_moves(settings)) == len(marks)


def test_nobody_goes_back_while_a_release_is_being_published(settings: Settings) -> None:
    """The link would lead where the last of the two pointed it."""
    publish_mark(settings, 1)
    with publishing_lock(settings.published, "publishing of run 2"):
        with pytest.raises(LockHeldError, match="publishing of run 2"):
            rollback(settings)
        with pytest.raises(LockHeldError, match="publishing of run 2"):
            publish_mark(settings, 2)


def test_only_the_last_releases_are_kept(tmp_path: Path) -> None:
    """The disk would fill up."""
    settings = settings_for(tmp_path, keep_releases=2)
    for mark in (1, 2, 3, 4):
        publish_mark(settings, mark)
    assert folders(settings) == [release_of(3), release_of(4)]
    assert [release.release_id for release in list_releases(settings)] == folders(settings)[::-1]
    assert read(settings, "select count(*) from release_log") == [(4,)]
    with pytest.raises(ReleaseError, match=f"expected the release {release_of(1)}"):
        rollback(settings, release_of(1))


def test_the_release_that_readers_have_is_always_kept(tmp_path: Path) -> None:
    """Retention would take the file from under the readers."""
    settings = settings_for(tmp_path, keep_releases=1)
    publish_mark(settings, 1)
    assert folders(settings) == [release_of(1)]
    publish_mark(settings, 2)
    assert folders(settings) == [release_of(2)]
    with pytest.raises(ReleaseError, match=f"expected the release {release_of(1)}, found no such"):
        rollback(settings)


def test_a_bad_release_does_not_push_out_the_good_one_before_it(tmp_path: Path) -> None:
    """After two bad nights in a row there would be nothing good to go back to."""
    settings = settings_for(tmp_path, keep_releases=2)
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    rollback(settings)
    publish_build(settings_for(tmp_path, keep_releases=1), 1)
    assert folders(settings) == [release_of(1), release_of(2)], "back on an older one: all stay"
    publish_mark(settings, 3)
    assert folders(settings) == [release_of(1), release_of(3)]


def test_backfilled_as_ofs_are_kept_by_when_they_were_published(tmp_path: Path) -> None:
    """A release of an older as-of would be deleted as it is published."""
    settings = settings_for(tmp_path, keep_releases=2)
    for mark in (5, 6, 2):
        publish_mark(settings, mark)
    assert link(settings) == f"releases/{release_of(2)}"
    assert folders(settings) == [release_of(2), release_of(6)]


def test_an_id_is_never_used_again(tmp_path: Path) -> None:
    """Two contents under one id: nobody could say which one a report was made of."""
    settings = settings_for(tmp_path, keep_releases=1)
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    publish_mark(settings, 1)
    assert folders(settings) == [release_of(1, 2)]


def test_a_link_to_nowhere_is_told_with_what_to_do(settings: Settings) -> None:
    """Readers fail, and the warehouse says that it has no release yet."""
    publish_mark(settings, 1)
    (settings.published / "current").unlink()
    (settings.published / "current").symlink_to("releases/lost")
    message = f"expected the release lost, found no such release. Kept are: {release_of(1)}"
    with pytest.raises(ReleaseError, match=message):
        current_release(settings)
    assert rollback(settings, release_of(1)).release_id == release_of(1)


def test_a_lost_log_of_the_link_deletes_no_release(settings: Settings) -> None:
    """Somebody tidies up a file, and the next night takes all releases for leftovers."""
    for mark in (1, 2, 3):
        publish_mark(settings, mark)
    (settings.published / "log.jsonl").unlink()
    publish_mark(settings, 4)
    assert folders(settings) == [release_of(mark) for mark in (1, 2, 3, 4)]
    assert _moves(settings) == [
        ("published", release_of(3), None),
        ("published", release_of(4), release_of(3)),
    ]


def test_a_move_of_the_link_that_was_not_logged_is_logged_later(settings: Settings) -> None:
    """A kill right after going back would leave no trace of it."""
    publish_mark(settings, 1)
    publish_mark(settings, 2)
    rollback(settings)
    log = settings.published / "log.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    publish_mark(settings, 3)
    assert _moves(settings)[2:] == [
        ("rolled_back", release_of(1), release_of(2)),
        ("published", release_of(3), release_of(1)),
    ]


def test_a_release_describes_itself_beside_its_tables(settings: Settings) -> None:
    """Tools without DuckDB could not tell which release they read."""
    publish_mark(settings, 1)
    found = json.loads((settings.published / "current" / "release.json").read_text())
    keys = found.pop("keys")
    assert keys["fct_visits"] == ["subject_id", "visit_number"]
    assert keys.keys() >= found["rows"].keys()
    assert found == {
        "release_id": release_of(1),
        "release_number": 1,
        "as_of": "2024-01-01T00:00:00",
        "published_at": "2024-01-01T02:30:00",
        "fingerprint": "fingerprint 1",
        "run_id": "run 1",
        "previous_release_id": None,
        "rows": {"dim_stages": 2, "fct_visits": 3, "visit_counts": 2},
    }
