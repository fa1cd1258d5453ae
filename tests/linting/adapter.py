"""Stands in for dbt's `adapter` while SQL is linted: only the layout matters then."""

from collections.abc import Callable


def dispatch(macro_name: str, macro_namespace: str | None = None) -> Callable[..., str]:
    """A macro that renders to a call of its own name, whatever it is given."""
    return lambda *arguments, **options: f"{macro_name}()"
