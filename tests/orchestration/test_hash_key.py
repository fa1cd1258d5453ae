"""The secret with which addresses are hashed, and that the hashes are those of HMAC."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import duckdb
import pytest

from orchestration.hash_key import HashKeyError, keyed_hash, read_key, sql_hash, variables
from orchestration.settings import SettingError, Settings
from orchestration.suppression import (
    SuppressionError,
    add_to_suppression,
    read_suppression,
)


def settings_in(home: Path, **environment: str) -> Settings:
    return Settings.from_environment({"FUNNEL_HOME": str(home), **environment})


@pytest.mark.parametrize(
    ("key", "text", "digest"),
    [
        # RFC 4231, test cases 2 and 6: the second key is longer than a block.
        (
            b"Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_sql_and_python_give_the_hashes_of_the_standard(key: bytes, text: str, digest: str) -> None:
    """A construction of our own, that nobody can check and a length extension may break."""
    with duckdb.connect() as connection:
        connection.execute(variables(key))
        found = connection.execute(f"select {sql_hash('?')}", [text]).fetchone()
    assert found == (digest,)
    assert keyed_hash(key, text) == digest


def test_the_secret_is_made_once_and_is_for_its_user_alone(tmp_path: Path) -> None:
    """Hashes that differ from night to night, or a secret that everybody on the machine reads."""
    settings = settings_in(tmp_path / "home")
    key = read_key(settings)
    file = tmp_path / "home" / "hash_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_key(settings) == key
    assert list(file.parent.iterdir()) == [file]


def test_the_secret_of_the_environment_comes_first_and_is_not_written_down(tmp_path: Path) -> None:
    """A secret that a company keeps elsewhere is copied to the disk."""
    settings = settings_in(tmp_path / "home", FUNNEL_HASH_KEY="a secret that is long enough")
    assert read_key(settings) == b"a secret that is long enough"
    assert not (tmp_path / "home").exists()
    assert "long enough" not in repr(settings)


def test_a_secret_that_is_too_short_is_refused_without_being_shown(tmp_path: Path) -> None:
    """Anybody can try all secrets of a few letters."""
    with pytest.raises(SettingError, match="at least 16 characters") as refused:
        settings_in(tmp_path, FUNNEL_HASH_KEY="qwerty")
    assert "qwerty" not in str(refused.value)
    (tmp_path / "hash_key").write_text("cut")
    with pytest.raises(HashKeyError, match="Restore the file from a backup"):
        read_key(settings_in(tmp_path))


def test_another_secret_is_found_out_before_anybody_comes_back(tmp_path: Path) -> None:
    """The list of who was forgotten matches nobody any more, and nobody notices."""
    settings = settings_in(tmp_path)
    add_to_suppression(settings, read_suppression(settings).of([("user_id", "u1")], []))
    expected = hmac.new(read_key(settings), b"user_id:u1", hashlib.sha256).hexdigest()
    assert read_suppression(settings).hashes == {expected}
    with pytest.raises(SuppressionError, match="Restore the secret"):
        read_suppression(settings_in(tmp_path, FUNNEL_HASH_KEY="another secret of mine"))
