"""The numbers that stand for subjects and for what a row holds, between entries and facts."""

from __future__ import annotations

import hashlib

import duckdb
import pytest

from tests.support.macros import compiled_sql

ROWS = """
(values
    ('a', 'bc'), ('ab', 'c'), ('', 'abc'), ('abc', ''), (null, 'abc'), ('abc', null), ('a', 'bc')
) as rows (first, second)
"""


def _numbers(macro: str, factory: pytest.TempPathFactory) -> list[int]:
    query = f"select {{{{ {macro} }}}} from {ROWS}"
    with duckdb.connect() as connection:
        answer = connection.execute(compiled_sql(query, factory.getbasetemp() / "macros"))
        return [number for (number,) in answer.fetchall()]


@pytest.mark.parametrize(
    "macro", ["subject_key('first', 'second')", "content_number(['first', 'second'])"]
)
def test_other_values_have_another_number(
    macro: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Prevents subjects or rows from passing for one where a value ends elsewhere or is null."""
    numbers = _numbers(macro, tmp_path_factory)
    assert numbers[0] == numbers[-1]
    assert len(set(numbers)) == 6


def test_the_key_of_a_subject_leaves_room_for_the_other_order(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents the key of one subject from being that of another's entries in the other order."""
    query = """
        select
            count(*),
            count(*) filter (where {{ is_other_order('key') }}),
            count(*) filter (where {{ is_other_order(other_order_key('key')) }}),
            count(*) filter (where {{ declared_order_key(other_order_key('key')) }} = key),
        from (
            select {{ subject_key("'funnel'", 'range') }} as key
            from range(10000)
        )
    """
    with duckdb.connect() as connection:
        counts = connection.execute(
            compiled_sql(query, tmp_path_factory.getbasetemp() / "macros")
        ).fetchone()
    assert counts == (10_000, 0, 10_000, 10_000)


def test_the_order_of_rows_alike_in_instant_is_that_of_their_md5(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Prevents another version of the engine from ordering the events of one instant anew."""
    text = "1:a2:bc"
    low_half = hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:]
    numbers = _numbers("content_number(['first', 'second'])", tmp_path_factory)
    assert numbers[0] == int.from_bytes(low_half, "little")
