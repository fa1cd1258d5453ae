"""The releases on disk: names, the link to the one that readers get, going back, and retention.

`published/releases/<id>/` is one release, `published/current` the link that readers follow, and
`published/log.jsonl` tells when the link moved and why. Writing a release is in `publish`.

Replacing the link is the one step by which anything becomes visible. All else is made before it
under names that start with a dot, or tidied up after it, so that whatever dies in between leaves
readers with a whole release, and `recover` brings the rest in order.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from orchestration.lock import exclusive
from orchestration.settings import Settings

DESCRIPTION = "release.json"


class ReleaseError(RuntimeError):
    """A release that cannot be had. The message says which there are."""


@dataclass(frozen=True)
class Release:
    """One published, audited, immutable version of the marts.

    Attributes:
        release_id: `<as-of as YYYYMMDDTHHMMSSZ>-<NNN>`; NNN counts the releases of that as-of.
        release_number: counts all releases in the order of publishing, whatever their as-of.
        as_of: the instant (UTC) up to which it knows.
        published_at: the instant (UTC) at which it was made.
        fingerprint: of all that its tables follow from.
        run_id: the run that made it.
        previous_release_id: the release that readers had before; None for the first.
        rows: table name to number of rows, without the tables of the release log.
        keys: table name to the columns that tell its rows apart; empty in releases of before these
            were noted.
    """

    release_id: str
    release_number: int
    as_of: datetime
    published_at: datetime
    fingerprint: str
    run_id: str
    previous_release_id: str | None
    rows: Mapping[str, int]
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_json(self) -> str:
        """What stands in the release's own folder."""
        return json.dumps(vars(self), default=datetime.isoformat, indent=2, sort_keys=True) + "\n"

    def with_rows(self, rows: Mapping[str, int]) -> Release:
        """This release, now that its rows are counted."""
        return replace(self, rows=rows)

    def with_keys(self, keys: Mapping[str, Sequence[str]]) -> Release:
        """This release, now that it is known what its tables are."""
        return replace(self, keys={name: list(key) for name, key in keys.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The reverse of `to_json`."""
        fields = json.loads(text)
        instants = {
            name: datetime.fromisoformat(fields[name]) for name in ("as_of", "published_at")
        }
        return cls(**{**fields, **instants})


def current_release(settings: Settings) -> Release | None:
    """The release that readers get; None if nothing was published yet.

    Raises:
        ReleaseError: the link leads to a release that is not there.
    """
    linked = linked_id(settings.published)
    if linked is None:
        return None
    release = linked_release(settings.published)
    if release is None:
        raise ReleaseError(
            f"{settings.published / 'current'}: expected the release {linked}, found no such "
            f"release. {_available(settings.published)} `make nightly` publishes a new one."
        )
    return release


def list_releases(settings: Settings) -> tuple[Release, ...]:
    """All releases that are kept, the latest published first."""
    return _kept(settings.published)


def rollback(settings: Settings, to: str | None = None) -> Release:
    """Give readers another release that is kept: the one before the current one, or the named one.

    Nothing is deleted. The next publishing goes forward from there, under a new id, and publishes
    what was gone back from once more unless its cause is removed.

    Args:
        settings: where the releases are.
        to: a release id, also a later one; None for the one that readers had before this.

    Raises:
        ReleaseError: there is no such release, or readers have it already.
        LockHeldError: a release is being published.
    """
    published = settings.published
    with publishing_lock(published, "rollback"):
        recover(published)
        linked = linked_id(published)
        if to is None:
            current = current_release(settings)
            if current is None:
                raise ReleaseError(
                    f"{published}: expected a current release to go back from, found none. "
                    f"{_available(published)}"
                )
            to = current.previous_release_id
            if to is None:
                raise ReleaseError(
                    f"{published}: expected a release before {linked}, but it is the first. "
                    f"{_available(published)}"
                )
        if to == linked:
            raise ReleaseError(
                f"{published}: readers have the release {to} already. Nothing is "
                f"to be done. {_available(published)}"
            )
        release = find(published, to)
        if release is None:
            raise ReleaseError(
                f"{published}: expected the release {to}, found no such release. "
                f"{_available(published)}"
            )
        move_link(published, release.release_id)
        recover(published)
        return release


@contextmanager
def publishing_lock(published: Path, what: str) -> Iterator[None]:
    """Hold the releases and the link. It is not the writer lock, so one can go back during a night.

    Raises:
        LockHeldError: a release is being published or the link is being moved.
    """
    with exclusive(published / ".lock", what):
        yield


def release_folder(published: Path, release_id: str) -> Path:
    """Where a release lies once it is whole."""
    return published / "releases" / release_id


def partial_folder(published: Path, release_id: str) -> Path:
    """Where a release lies while it is being written."""
    return published / "releases" / f".{release_id}.partial"


def next_release(
    published: Path,
    current: Release | None,
    as_of: datetime,
    fingerprint: str,
    run_id: str,
    published_at: datetime,
) -> Release:
    """The release that follows `current`, not yet written. Ids are never used again."""
    newest = newest_release(published)
    return Release(
        release_id=_free_id(published, as_of),
        release_number=newest.release_number + 1 if newest else 1,
        as_of=as_of,
        published_at=published_at,
        fingerprint=fingerprint,
        run_id=run_id,
        previous_release_id=current.release_id if current else None,
        rows={},
    )


def newest_release(published: Path) -> Release | None:
    """The release published last, whether readers have it or it was rolled back."""
    return next(iter(_kept(published)), None)


def find(published: Path, release_id: str) -> Release | None:
    """The release of this id, if it is kept."""
    description = release_folder(published, release_id) / DESCRIPTION
    if not description.is_file():
        return None
    return Release.from_json(description.read_text(encoding="utf-8"))


def linked_id(published: Path) -> str | None:
    """The id to which the link `current` leads, whether that release is there or not."""
    link = published / "current"
    return link.readlink().name if link.is_symlink() else None


def linked_release(published: Path) -> Release | None:
    """The release to which the link leads; None without a link, and where it leads to nothing."""
    linked = linked_id(published)
    return find(published, linked) if linked else None


def move_link(published: Path, release_id: str) -> None:
    """Give readers this release, in one step: they see the old link or the new one."""
    new = published / ".current.new"
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / release_id)
    os.replace(new, published / "current")
    sync(published)


def read_link_log(published: Path) -> list[dict[str, Any]]:
    """Every move of the link, oldest first.

    Each has `at` (UTC), `event` (`published` or `rolled_back`), `release_id` and
    `previous_release_id`.
    """
    log = published / "log.jsonl"
    if not log.is_file():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def recover(published: Path) -> None:
    """Bring everything in order around the link, whatever was interrupted."""
    clear_leftovers(published)
    _catch_up_log(published)


def clear_leftovers(published: Path) -> None:
    """Delete half-written and half-deleted releases, and a release that never got its link."""
    (published / ".current.new").unlink(missing_ok=True)
    (published / ".log.jsonl.new").unlink(missing_ok=True)
    for leftover in published.glob("releases/.*"):
        shutil.rmtree(leftover)
    linked = linked_id(published)
    logged = {entry["release_id"] for entry in read_link_log(published)} | {linked}
    newest = newest_release(published)
    if newest and newest.release_id not in logged and newest.previous_release_id == linked:
        _delete(published, newest.release_id)


def expire(published: Path, keep: int) -> tuple[str, ...]:
    """Delete all but `keep` releases, and say which.

    Kept are the current one, then those that readers had before it, and only then the ones that
    were gone back from, latest first: what was bad must not push out what one could go back to.
    While readers are back on an older release nothing is deleted: the newest has the whole log.
    """
    newest = newest_release(published)
    if newest is None or newest.release_id != linked_id(published):
        return ()
    releases = {release.release_id: release for release in _kept(published)}
    wanted: list[str] = []
    following: str | None = newest.release_id
    while following in releases:
        wanted.append(following)
        following = releases[following].previous_release_id
    wanted += [release_id for release_id in releases if release_id not in wanted]
    for release_id in wanted[keep:]:
        _delete(published, release_id)
    return tuple(wanted[keep:])


def drop_others(published: Path) -> tuple[str, ...]:
    """Delete all releases but the current one, whatever one could go back to, and say which.

    Raises:
        LockHeldError: a release is being published or the link is being moved.
    """
    with publishing_lock(published, "deletion of older releases"):
        recover(published)
        linked = linked_id(published)
        dropped = [release.release_id for release in _kept(published)]
        dropped = [release_id for release_id in dropped if release_id != linked]
        for release_id in dropped:
            _delete(published, release_id)
    return tuple(dropped)


def sync(path: Path) -> None:
    """Have a file or folder on the disk before anything that relies on it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_id(published: Path, as_of: datetime) -> str:
    prefix = f"{as_of:%Y%m%dT%H%M%SZ}-"
    used = {folder.name for folder in published.glob("releases/[!.]*")}
    used |= {entry["release_id"] for entry in read_link_log(published)}
    counts = [int(name.removeprefix(prefix)) for name in used if name.startswith(prefix)]
    return f"{prefix}{max(counts, default=0) + 1:03d}"


def _kept(published: Path) -> tuple[Release, ...]:
    descriptions = published.glob(f"releases/[!.]*/{DESCRIPTION}")
    releases = [Release.from_json(path.read_text(encoding="utf-8")) for path in descriptions]
    return tuple(sorted(releases, key=lambda release: release.release_number, reverse=True))


def _delete(published: Path, release_id: str) -> None:
    # Away from its name first: a release is whole or not there.
    doomed = published / "releases" / f".{release_id}.expired"
    release_folder(published, release_id).rename(doomed)
    shutil.rmtree(doomed)


def _catch_up_log(published: Path) -> None:
    """Log where the link leads now, if the log does not say so already."""
    linked = linked_id(published)
    log = read_link_log(published)
    before = log[-1]["release_id"] if log else None
    if linked is None or linked == before:
        return
    is_known = any(entry["release_id"] == linked for entry in log)
    log.append(
        {
            "at": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
            "event": "rolled_back" if is_known else "published",
            "release_id": linked,
            "previous_release_id": before,
        }
    )
    new = published / ".log.jsonl.new"
    new.write_text("".join(json.dumps(entry) + "\n" for entry in log), encoding="utf-8")
    sync(new)
    os.replace(new, published / "log.jsonl")
    sync(published)


def _available(published: Path) -> str:
    names = ", ".join(release.release_id for release in _kept(published))
    return f"Kept are: {names}." if names else "None is kept."
