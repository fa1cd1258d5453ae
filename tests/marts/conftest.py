"""The marts of this folder's facts, built once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marts.examples import EXAMPLES
from tests.marts.facts import Facts, build_marts
from tests.marts.random_facts import random_facts
from tests.support.tables import Tables


@pytest.fixture(scope="session")
def facts() -> Facts:
    """Facts at random."""
    return random_facts(seed=20250401)


@pytest.fixture(scope="session")
def marts(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables built of the random facts and of the examples."""
    both = Facts((*facts.funnels, *EXAMPLES.funnels), (*facts.journeys, *EXAMPLES.journeys))
    tables = Tables(build_marts(both, tmp_path_factory.mktemp("marts")))
    yield tables
    tables.close()
