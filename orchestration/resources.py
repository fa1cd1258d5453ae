"""What the steps of a run share: its settings, the lock that keeps others out, its progress."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field

from orchestration.lock import writer_lock
from orchestration.settings import Settings

# What a person follows a night by: a line a layer and a line a gate. Dagster keeps it with the run,
# the command line prints it.
PROGRESS = logging.getLogger("funnel_warehouse")


class Warehouse(dg.ConfigurableResource):  # type: ignore[type-arg]  # it yields itself
    """The settings of a run: the environment's, but for those that its configuration changes."""

    changed_settings: dict[str, str] = Field(
        default={},
        description="Settings of this run that differ from the environment's, as in "
        "{'FUNNEL_AS_OF': '2026-02-01'}. `make settings` lists them all.",
    )

    def settings(self) -> Settings:
        """All settings, checked.

        Raises:
            SettingError: naming the first that is not allowed.
        """
        return Settings.from_environment(changed=self.changed_settings)


class WriterLock(dg.ConfigurableResource):  # type: ignore[type-arg]  # it yields itself
    """Keeps every other writer out, from the first step that asks for it to the end of the run."""

    warehouse: dg.ResourceDependency[Warehouse]

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WriterLock"]:
        """Hold the lock while the run lasts.

        Raises:
            LockHeldError: somebody else is writing.
        """
        what = f"run {context.run.run_id}" if context.run else "a run"
        with writer_lock(self.warehouse.settings().home, what):
            yield self
