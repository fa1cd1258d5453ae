"""Stands in for dbt's `adapter` while SQL is linted: only the layout matters then."""

from collections.abc import Callable

# What stands where no call can.
LAYOUTS = {"union_by_name": "union all by name"}


def dispatch(macro_name: str, macro_namespace: str | None = None) -> Callable[..., str]:
    """A macro that renders to a call of its own name, whatever it is given."""
    rendered = LAYOUTS.get(macro_name, f"{macro_name}()")
    return lambda *arguments, **options: rendered
