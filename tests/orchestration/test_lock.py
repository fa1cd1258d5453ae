"""Only one writer at a time, and no lock outlives its holder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.lock import LockHeldError, writer_lock

HOLD = """
import sys
from pathlib import Path
from orchestration.lock import writer_lock
with writer_lock(Path(sys.argv[1]), "nightly run 7"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _holder(home: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_writer_is_told_who_writes_and_what_to_do(tmp_path: Path) -> None:
    """Two runs at once would build one database, and neither would say why it broke."""
    with _holder(tmp_path) as holder:
        message = (
            rf"\.lock: expected nobody else to be writing, found nightly run 7 "
            rf"\(process {holder.pid} on .+\) since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\+00:00\. "
            rf"Wait until it has ended, or stop it \(`kill {holder.pid}`"
        )
        with pytest.raises(LockHeldError, match=message), writer_lock(tmp_path, "run 8"):
            pytest.fail("two writers")
        holder.communicate()


def test_a_lock_ends_with_its_holder_however_that_ends(tmp_path: Path) -> None:
    """A night that was killed would keep all later ones from running."""
    with _holder(tmp_path) as holder:
        holder.kill()
    with writer_lock(tmp_path, "run 8"):
        assert '"what": "run 8"' in (tmp_path / ".lock").read_text()


def test_a_lock_ends_with_its_block_even_on_an_error(tmp_path: Path) -> None:
    """A failed run in a process that lives on, as in the scheduler, would block the next."""
    with pytest.raises(ZeroDivisionError), writer_lock(tmp_path, "run 8"):
        _ = 1 / 0
    with writer_lock(tmp_path, "run 9"):
        pass


def test_it_holds_within_one_process_too(tmp_path: Path) -> None:
    """Two runs of one scheduler process would write at once."""
    with (
        writer_lock(tmp_path, "run 8"),
        pytest.raises(LockHeldError, match="found run 8"),
        writer_lock(tmp_path, "run 9"),
    ):
        pytest.fail("two writers")


def test_programs_that_the_holder_starts_do_not_keep_it(tmp_path: Path) -> None:
    """A dbt that hangs after its run was killed would hold the lock without being its holder."""
    with writer_lock(tmp_path, "run 8"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        with writer_lock(tmp_path, "run 9"):
            assert child.poll() is None
        child.kill()


def test_a_lock_file_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    """Somebody tidies up, and from then on nobody can write."""
    with writer_lock(tmp_path, "run 8"):
        pass
    (tmp_path / ".lock").unlink()
    with writer_lock(tmp_path / "new" / "home", "run 8"), writer_lock(tmp_path, "run 9"):
        assert (tmp_path / ".lock").exists()
