"""Stands in for dbt's `model` while SQL is linted: only the layout matters then."""

columns = {"column_of_the_contract": None}
