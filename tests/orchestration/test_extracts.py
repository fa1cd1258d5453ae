"""The declaration of the generic extracts, and what is refused in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.columns import snake_name
from orchestration.extracts import (
    Column,
    Extract,
    ExtractsError,
    known_systems,
    read_extracts,
)

ONE_TABLE = """
sources:
    - name: generic
      tables:
          - name: calls
            config: {{meta: {{one_of: [[{alternative}, caller_id]], received_at: {received_at}}}}}
            columns:
                - name: called_at
                  data_type: {data_type}
                  config: {{meta: {{required: true}}}}
                - name: caller_id
                  data_type: varchar
                - name: _row
                  data_type: bigint
"""


def declared(folder: Path, **changed: str) -> Path:
    """A folder of staging models in which the system `phone` declares one table."""
    told = {"alternative": "caller_id", "data_type": "timestamp", "received_at": "called_at"}
    path = folder / "phone" / "_phone__sources.yml"
    path.parent.mkdir()
    path.write_text(ONE_TABLE.format(**told | changed))
    return folder


def test_the_nine_tables_require_what_nobody_can_do_without() -> None:
    """A column becomes optional by a slip, and its loss is no longer noticed."""
    extracts = read_extracts()

    assert {
        name: (
            [column.name for column in extract.columns if column.is_required],
            list(extract.one_of),
        )
        for name, extract in extracts.items()
    } == {
        "events": (["occurred_at", "event_name"], [("user_id", "anonymous_id")]),
        "records": (["record_id"], []),
        "stage_changes": (["record_id", "stage", "changed_at"], []),
        "field_changes": (["record_id", "field", "changed_at"], []),
        "orders": (["order_id", "ordered_at", "amount"], [("user_id", "account_id")]),
        "activities": (
            ["activity_id", "occurred_at", "activity_type"],
            [("record_id", "contact_id")],
        ),
        "accounts": (["account_id"], []),
        "contacts": (["contact_id"], []),
        "owners": (["owner_id"], []),
    }


def test_the_loaders_own_columns_are_not_expected_of_a_delivery(tmp_path: Path) -> None:
    """Every file is refused for want of `_row`."""
    assert read_extracts("phone", declared(tmp_path)) == {
        "calls": Extract(
            "calls",
            (Column("called_at", "timestamp", is_required=True), Column("caller_id", "varchar")),
            (("caller_id", "caller_id"),),
            received_at="called_at",
        )
    }


def test_an_unknown_type_is_refused_by_name(tmp_path: Path) -> None:
    """A misspelt type lets every text through."""
    with pytest.raises(ExtractsError, match=r"calls\.called_at: expected a data_type of .*tstamp"):
        read_extracts("phone", declared(tmp_path, data_type="tstamp"))


def test_an_alternative_that_is_not_declared_is_refused_by_name(tmp_path: Path) -> None:
    """A misspelt alternative is never looked for."""
    with pytest.raises(ExtractsError, match=r"calls: expected one_of .*found calr_id"):
        read_extracts("phone", declared(tmp_path, alternative="calr_id"))


def test_a_column_of_reception_that_is_not_declared_is_refused_by_name(tmp_path: Path) -> None:
    """A misspelt column is never read, and every row is known from its file alone."""
    with pytest.raises(ExtractsError, match=r"calls: expected received_at .*found recieved_at"):
        read_extracts("phone", declared(tmp_path, received_at="recieved_at"))


def test_a_system_is_known_by_the_sources_file_of_its_folder(tmp_path: Path) -> None:
    """A folder of shared models is taken for a system, or a new system is not found."""
    declared(tmp_path)
    (tmp_path / "all_sources").mkdir()

    assert known_systems(tmp_path) == ("phone",)
    assert "generic" in known_systems()


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ("occurred_at", "occurred_at"),
        (" Close Date ", "close_date"),
        ("closeDate", "close_date"),
        ("AccountID", "account_id"),
        ("HTTPStatus", "http_status"),
        ("amount (EUR)", "amount_eur"),
        ("größe", "größe"),
        ("客户", "客户"),
        ("_synced", "_synced"),
        ("_row", "row"),
        ("__file", "file"),
        ("", "column_3"),
        ("%", "column_3"),
    ],
)
def test_column_names_are_spelled_in_one_way(delivered: str, expected: str) -> None:
    """The same column has two names by the taste of two exports."""
    assert snake_name(delivered, 3) == expected
