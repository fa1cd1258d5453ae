"""Dagster's side of the warehouse: deliveries in, layers and gates in order, releases out."""
