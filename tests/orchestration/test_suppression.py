"""What counts as somebody's address or id in a text, in Python as in SQL."""

from __future__ import annotations

import hashlib

import duckdb
import pytest

from orchestration.extracts import GENERIC
from orchestration.hash_key import email_hash
from orchestration.suppression import Suppression

KEY = b"a secret that is long enough"
HASH = hashlib.sha256(b"ann@shop.ie").hexdigest()


def named_by_python_and_sql(address: str, cell: str) -> list[bool]:
    suppression = Suppression(KEY, frozenset({email_hash(KEY, address)}))
    with duckdb.connect() as connection:
        suppression.tell(connection)
        condition = suppression.names("empty", "cell")
        found = connection.execute(
            f"select {condition} from (select null as empty, $cell as cell)", {"cell": cell}
        ).fetchone()
    assert found
    return [bool(suppression.named_in("", cell)), found[0]]


@pytest.mark.parametrize(
    ("address", "cell"),
    [
        ("o'brien@shop.ie", " O'Brien@shop.ie "),
        ("o'brien@shop.ie", '{"mails": ["o\'brien@shop.ie"], "n": 1}'),
        ("o'brien@shop.ie", "call o'brien@shop.ie's office"),
        ("o'brien@shop.ie", "https://shop.ie/?email=o%27brien%40shop.ie&x=1"),
        ("a=b@shop.ie", "a=b@shop.ie"),
        ("a=b@shop.ie", '{"mail":"a=b@shop.ie"}'),
        ("sales/ann@shop.ie", "sales/ann@shop.ie"),
        ("a|b?c&{d}@shop.ie", "A|b?c&{d}@shop.ie"),
        ("ann+news@shop.ie", "/thanks?mail=ann%2Bnews%40shop.ie"),
        ("ann+news@shop.ie", "/thanks?city=K%F6ln&mail=ann%2bnews@shop.ie"),
        ("ann@shop.ie", "/thanks?mail=ann@shop.ie"),
        ("ann@shop.ie", "email=ann@shop.ie"),
        ("ann@shop.ie", "/unsubscribe/ann@shop.ie"),
        ("ann@shop.ie", "mailto:ann@shop.ie"),
        ("ann@shop.ie", "'ann@shop.ie'"),
        ("ann@shop.ie", "she wrote \u201eann@shop.ie\u201c from\u00a0home"),
        ("ann@shop.ie", "mail\u00a0ann@shop.ie\u2019s"),
        ("ann@shop.ie", "b'ann@shop.ie'"),
        ("ann@shop.ie", "Ann Lee <ann@shop.ie>, Bob"),
        ("ann@shop.ie", r'{"mail":"ann\u0040shop.ie"}'),
        ("jörg@shop.ie", r'{"mail":"J\u00d6RG@shop.ie"}'),
        ("jörg@shop.ie", "/thanks?mail=j%C3%B6rg@shop.ie"),
        ("ann@shop.ie", f"h={HASH.upper()}"),
    ],
)
def test_an_address_is_found_however_it_is_spelled(address: str, cell: str) -> None:
    """Whoever has a quote in their address, or was written into a URL, is not forgotten."""
    assert named_by_python_and_sql(address, cell) == [True, True]


@pytest.mark.parametrize(
    ("address", "cell"),
    [
        ("brien@shop.ie", "o'brien@shop.ie"),
        ("brien@shop.ie", "call o'brien@shop.ie today"),
        ("brien@shop.ie", "mail=o%27brien%40shop.ie"),
        ("b@shop.ie", "a=b@shop.ie"),
        ("b@shop.ie", "{a|b@shop.ie"),
        ("ann@shop.ie", "sales/ann@shop.ie"),
        ("ann@shop.ie", "joann@shop.ie, ann+news@shop.ie, ann@shop.ie.org"),
        ("news@shop.ie", "ann%2Bnews%40shop.ie"),
    ],
)
def test_the_end_of_an_address_is_not_the_address(address: str, cell: str) -> None:
    """Rows of somebody else are removed, for good."""
    assert named_by_python_and_sql(address, cell) == [False, False]


@pytest.mark.parametrize(
    ("user_id", "text", "is_about"),
    [
        ("17", "2024-02-01,order,99,17", False),
        ("user-17", "2024-02-01,order,user-17", True),
    ],
)
def test_an_id_that_may_be_an_amount_says_nothing_without_its_column(
    user_id: str, text: str, is_about: bool
) -> None:
    """A damaged row of user 99 over 17 euros is removed with user 17."""
    suppression = Suppression(KEY, frozenset()).of([("user_id", user_id)], [])
    with duckdb.connect() as connection:
        suppression.tell(connection)
        found = connection.execute(
            f"select {suppression.is_text_about('text', GENERIC)} from (select $text as text)",
            {"text": text},
        ).fetchone()
    assert found == (is_about,)
    assert suppression.is_text_about_them(text, GENERIC) is is_about
