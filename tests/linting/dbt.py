"""Stands in for dbt's own macros while SQL is linted."""


def listagg(*arguments: str) -> str:
    """A call that stands for dbt's `listagg`."""
    return "listagg()"


def type_string() -> str:
    """The type that dbt has for texts."""
    return "varchar"


def dateadd(*arguments: object, **options: object) -> str:
    """A call that stands for dbt's `dateadd`."""
    return "dateadd()"


def date_spine(*arguments: object, **options: object) -> str:
    """A query that stands for dbt's `date_spine`."""
    return "select day from days"
