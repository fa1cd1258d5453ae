"""Settings: what is refused, and what the tables follow from."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration import declarations
from orchestration.fingerprint import fingerprint
from orchestration.settings import SettingError, Settings

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.mark.parametrize("minimum", ["0", "-5", "2.5", "many"])
def test_a_minimum_that_is_no_whole_number_from_1_is_refused_by_name(minimum: str) -> None:
    """Prevents a night that fails in the middle of its models over a slip of the pen."""
    with pytest.raises(SettingError, match=r"^FUNNEL_MIN_REPORTABLE: expected a whole number"):
        Settings.from_environment({"FUNNEL_MIN_REPORTABLE": minimum})


@pytest.mark.parametrize(
    "changed",
    [
        {"FUNNEL_AS_OF": "2025-01-01"},
        {"FUNNEL_TIMEZONE": "Asia/Shanghai"},
        {"FUNNEL_CURRENCY": "EUR"},
        {"FUNNEL_MIN_REPORTABLE": "50"},
        {"FUNNEL_EVENT_DAYS": "0"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_setting_that_tables_follow_from_makes_them_anew(
    changed: dict[str, str], tmp_path: Path
) -> None:
    """Prevents a night that finds nothing new after a setting was changed."""
    declared = declarations.read(SEEDS)
    environment = {"FUNNEL_HOME": str(tmp_path), "FUNNEL_LANDING": str(tmp_path / "landing")}
    before = Settings.from_environment(environment)
    after = Settings.from_environment(environment, changed)
    assert fingerprint(before, declared) == fingerprint(before, declared)
    assert fingerprint(before, declared) != fingerprint(after, declared)
