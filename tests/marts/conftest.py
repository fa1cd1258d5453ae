"""The marts of this folder's facts, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.marts.examples import EXAMPLES
from tests.marts.facts import Facts, build_marts
from tests.marts.lifelike_facts import lifelike_facts
from tests.marts.random_facts import random_facts
from tests.support.tables import Tables


@pytest.fixture(scope="session")
def facts() -> Facts:
    """Facts at random."""
    return random_facts(seed=20250401)


@pytest.fixture(scope="session")
def lifelike() -> Facts:
    """Facts with known chances and without ties."""
    return lifelike_facts(seed=20250402)


@pytest.fixture(scope="session")
def marts_database(facts: Facts, lifelike: Facts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database built of all these facts and of the examples."""
    all_facts = (facts, EXAMPLES, lifelike)
    together = Facts(
        tuple(funnel for one in all_facts for funnel in one.funnels),
        tuple(journey for one in all_facts for journey in one.journeys),
        tuple(happening for one in all_facts for happening in one.happenings),
    )
    return build_marts(together, tmp_path_factory.mktemp("marts"))


@pytest.fixture(scope="session")
def marts(marts_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(marts_database)
    yield tables
    tables.close()
