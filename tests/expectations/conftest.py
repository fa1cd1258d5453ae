"""A sound build of a few days, and copies of it with a defect planted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.extracts import GENERIC, known_systems, read_extracts

SOUND_BUILD = Path(__file__).with_name("sound_build.sql")

PlantedBuild = Callable[..., Path]


def make_sound_build(path: Path) -> None:
    """Make the database of `sound_build.sql`, in which other systems delivered nothing."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(SOUND_BUILD.read_text(encoding="utf-8"))
        for system in set(known_systems()) - {GENERIC}:
            connection.execute(f"create schema raw_{system}")
            for table in read_extracts(system):
                connection.execute(f"create table raw_{system}.{table} (_source varchar)")


@pytest.fixture(scope="session")
def sound_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that `sound_build.sql` makes. Not to be written to."""
    path = tmp_path_factory.mktemp("sound") / "build.duckdb"
    make_sound_build(path)
    return path


@pytest.fixture
def planted_build(sound_build: Path, tmp_path: Path) -> PlantedBuild:
    """Makes a copy of the sound build and runs statements on it."""

    def plant(*statements: str) -> Path:
        path = tmp_path / "build.duckdb"
        shutil.copyfile(sound_build, path)
        with duckdb.connect(str(path)) as connection:
            for statement in statements:
                connection.execute(statement)
        return path

    return plant
