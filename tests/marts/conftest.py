"""The marts of this folder's facts, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.marts.examples import EXAMPLES
from tests.marts.facts import Facts, build_marts
from tests.marts.lifelike_facts import lifelike_facts
from tests.marts.owner_deals import World, build_owner_marts, random_world
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
def all_facts(facts: Facts, lifelike: Facts) -> Facts:
    """All these facts, and the examples."""
    parts = (facts, EXAMPLES, lifelike)
    return Facts(
        tuple(funnel for one in parts for funnel in one.funnels),
        tuple(journey for one in parts for journey in one.journeys),
        tuple(happening for one in parts for happening in one.happenings),
    )


@pytest.fixture(scope="session")
def marts_database(all_facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database built of them."""
    return build_marts(all_facts, tmp_path_factory.mktemp("marts"))


@pytest.fixture(scope="session")
def marts(marts_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(marts_database)
    yield tables
    tables.close()


@pytest.fixture(scope="session")
def rounded_marts_database(all_facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database built of the same facts as if all funnels with any journey were large."""
    variables = {"exact_waits_up_to_journeys": 0}
    return build_marts(all_facts, tmp_path_factory.mktemp("rounded"), variables)


@pytest.fixture(scope="session")
def rounded_marts(rounded_marts_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(rounded_marts_database)
    yield tables
    tables.close()


@pytest.fixture(scope="session")
def owner_world() -> World:
    """Deals of owners at random."""
    return random_world(seed=20250706)


@pytest.fixture(scope="session")
def owner_database(owner_world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the marts about owners, built of them."""
    return build_owner_marts(owner_world, tmp_path_factory.mktemp("owners"))


@pytest.fixture(scope="session")
def owner_marts(owner_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(owner_database)
    yield tables
    tables.close()
