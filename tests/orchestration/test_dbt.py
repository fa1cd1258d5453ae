"""What dbt is told, and when its manifest is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt, declarations, parsed_project
from orchestration.dbt import Layer
from orchestration.settings import Settings

SMALL_PROJECT = Path(__file__).parent / "small_project"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({}, {"FUNNEL_HOME": str(tmp_path / "home")})


def a_project(folder: Path, **models: str) -> Path:
    """A project of dbt with some models."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: small\nversion: '1.0.0'\nconfig-version: 2\nprofile: funnel_warehouse\n"
        "models: {+materialized: table}\n"
    )
    (folder / "profiles.yml").write_text((dbt.PROJECT / "profiles.yml").read_text())
    for name, sql in models.items():
        (folder / "models" / f"{name}.sql").write_text(sql)
    return folder


def test_layers_follow_each_other_and_leave_nothing_out() -> None:
    """A folder of models that no layer selects would never be built; in two, it would be twice."""
    assert [layer.name for layer in dbt.LAYERS] == ["staging", "core", "marts"]
    selected = [
        path.removeprefix("path:")
        for layer in dbt.LAYERS
        for path in layer.select
        if path.startswith("path:")
    ]
    models = list((dbt.PROJECT / "models").rglob("*.sql"))
    assert models
    for model in models:
        place = model.relative_to(dbt.PROJECT).as_posix()
        assert sum(place.startswith(f"{path}/") for path in selected) == 1, place


def test_a_layer_is_built_with_the_tests_that_it_can_answer(settings: Settings) -> None:
    """Dbt would hold the tests of two layers against the later layer's rows of last night."""
    layer = Layer("marts", select=("path:models/marts/funnel", "path:models/marts/pipeline"))
    home = settings.dbt
    assert dbt.build_arguments(settings, layer, without=["unique_a_b"]) == [
        "build",
        *("--select", "path:models/marts/funnel", "path:models/marts/pipeline"),
        *("--exclude", "source:*", "unique_a_b"),
        *("--exclude-resource-types", "unit_test"),
        *("--indirect-selection", "buildable"),
        "--no-write-json",
        *("--project-dir", f"{home}/project"),
        *("--profiles-dir", f"{home}/project"),
        *("--target-path", f"{home}/target"),
        *("--log-path", f"{home}/logs"),
        *("--log-level", "none"),
        *("--log-level-file", "info"),
    ]


def test_digest_is_of_names_and_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night would find nothing new though a model was renamed, or new though none was."""
    monkeypatch.setattr(dbt, "PROJECT", tmp_path)
    (tmp_path / "models" / "deep").mkdir(parents=True)
    model = tmp_path / "models" / "deep" / "a.sql"
    model.write_text("select 1")
    before = dbt.code_digest()
    (tmp_path / "models" / "notes.txt").write_text("nothing that dbt reads")
    assert dbt.code_digest() == before
    (tmp_path / "models" / "columns.md").write_text("{% docs a %} What a is. {% enddocs %}")
    described = dbt.code_digest()
    assert described != before
    model.rename(model.with_name("b.sql"))
    assert dbt.code_digest() not in (before, described)


def test_manifest_is_parsed_once_and_again_when_a_model_changes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every night would pay for parsing, or Dagster would show yesterday's models."""
    project = a_project(tmp_path / "project", one="select 1 as one")
    model = project / "models" / "one.sql"
    monkeypatch.setattr(dbt, "PROJECT", project)

    assert "model.small.one" in dbt.manifest(settings)["nodes"]
    (made,) = settings.dbt.glob("manifest-*.json")
    inode = made.stat().st_ino
    dbt.manifest(settings)
    assert made.stat().st_ino == inode
    model.rename(model.with_name("two.sql"))
    assert "model.small.two" in dbt.manifest(settings)["nodes"]
    assert not made.exists()


def test_seeds_of_two_homes_are_their_own_though_the_project_is_parsed_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A past date, or another company's warehouse, would be built from tonight's declarations."""
    parse = dbt._parse
    parsed_for: list[Settings] = []

    def counted(home: Settings, digest: str) -> None:
        parsed_for.append(home)
        parse(home, digest)

    monkeypatch.setattr(parsed_project, "_PARSED", {})
    monkeypatch.setattr(dbt, "_parse", counted)
    other = replace(settings, home=tmp_path / "other")
    for home, hours in (settings, "09:00"), (other, "10:00"), (settings, "11:00"):
        declarations.write_empty(home.declarations)
        (home.declarations / "working_hours.csv").write_text(
            f"weekday,opens_at,closes_at\n1,{hours},17:00\n"
        )
        outcome = dbt.run(home, ["seed", *dbt.common_arguments(home)])
        assert not outcome.failures
        with duckdb.connect(str(home.build), read_only=True) as connection:
            found = connection.execute("select opens_at from declarations.working_hours").fetchall()
        assert found == [(hours,)]
    assert parsed_for == [settings]


def test_project_parsed_by_another_process_is_not_parsed_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every night would parse the project, which takes longer than most layers."""
    dbt.manifest(settings)
    monkeypatch.setattr(parsed_project, "_PARSED", {})
    monkeypatch.setattr(dbt, "_parse", lambda *_: pytest.fail("parsed again"))
    declarations.write_empty(settings.declarations)
    # A model that refers to others, and tests, which an incomplete copy could not compile.
    selected = ["--select", "dim_funnels", "source:raw"]
    outcome = dbt.run(settings, ["compile", *selected, *dbt.common_arguments(settings)])
    assert len(outcome.results) > 1
    assert not outcome.failures


def test_project_with_a_mistake_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster would start without a word on which file to look at."""
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text(
        "name: small\nversion: '1.0.0'\nconfig-version: 2\nprofile: funnel_warehouse\n"
    )
    (project / "profiles.yml").write_text((dbt.PROJECT / "profiles.yml").read_text())
    (project / "models" / "broken.sql").write_text("select * from {{ ref('nothing') }}")
    monkeypatch.setattr(dbt, "PROJECT", project)
    with pytest.raises(dbt.DbtError, match=r"models/broken\.sql.*nothing"):
        dbt.manifest(settings)


def test_environment_and_folder_are_as_before(settings: Settings) -> None:
    """What runs after dbt would read the settings of another warehouse."""
    import os

    before, folder = dict(os.environ), Path.cwd()
    dbt.manifest(settings)
    assert dict(os.environ) == before
    assert Path.cwd() == folder


def test_declarations_with_another_column_replace_the_old_tables(settings: Settings) -> None:
    """After an upgrade that adds a column to a seed, every night would fail on the old table."""
    settings.build.parent.mkdir(parents=True)
    declarations.write_empty(settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        connection.execute("create schema declarations")
        connection.execute("create table declarations.calendar (calendar_date date)")
    outcome = dbt.run(settings, ["seed", *dbt.common_arguments(settings)])
    assert not outcome.failures
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        columns = connection.table("declarations.calendar").columns
    assert columns[:2] == ["calendar_date", "is_working_day"]


OUT_OF_MEMORY = "select error('Out of Memory Error: failed to pin block') as one"


def test_what_found_no_memory_beside_another_is_built_by_itself(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two models that fit one after the other, and not together, would fail every night."""
    large = f"{{% if target.threads > 1 %}}{OUT_OF_MEMORY}{{% else %}}select 1 as one{{% endif %}}"
    project = a_project(
        tmp_path / "project",
        small="select 1 as one",
        large=large,
        behind="select one + 1 as two from {{ ref('large') }}",
    )
    monkeypatch.setattr(dbt, "PROJECT", project)
    finished: list[str] = []
    ran = dbt.run(settings, ["run", *dbt.common_arguments(settings)], finished.append)
    assert {result.name: result.status for result in ran.results} == {
        "small": "success",
        "large": "success",
        "behind": "success",
    }
    assert sorted(finished) == ["model.small.behind", "model.small.large", "model.small.small"]
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        assert connection.execute("select two from behind").fetchall() == [(2,)]


@pytest.mark.parametrize("other", ["select 1 as one", "select error('out of sorts') as one"])
def test_what_finds_no_memory_by_itself_fails(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """A night would try for ever, or pass though a table is missing."""
    models = {"large": OUT_OF_MEMORY, "other": other}
    monkeypatch.setattr(dbt, "PROJECT", a_project(tmp_path / "project", **models))
    ran = dbt.run(settings, ["run", *dbt.common_arguments(settings)])
    assert "large" in {result.name for result in ran.failures}
    assert ("other" in {result.name for result in ran.failures}) == ("error" in other)
