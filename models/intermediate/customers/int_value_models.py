"""The parameters of the models of what customers will order and spend, one row per fit."""

import numpy as np
import pyarrow as pa

from lifetime_value import bg_nbd, gamma_gamma

FITS = ("all", "backtest")
DAYS_OF_A_WEEK = 7
# Of simulated companies with so many, one in ten has its orders of the next 39 weeks wrong by 20%
# or more for its parameters alone; with a quarter of them by 42%, and some have none that fit best.
LEAST_REPEAT_CUSTOMERS = 100

COLUMNS = pa.schema(
    [
        ("fit", pa.string()),
        ("customers", pa.int64()),
        ("repeat_customers", pa.int64()),
        ("priced_repeat_customers", pa.int64()),
        ("unfitted_for", pa.string()),
        ("log_likelihood", pa.float64()),
        ("r", pa.float64()),
        ("alpha_weeks", pa.float64()),
        ("a", pa.float64()),
        ("b", pa.float64()),
        ("amounts_unfitted_for", pa.string()),
        ("amounts_log_likelihood", pa.float64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("v", pa.float64()),
    ]
)


def model(dbt, session):  # type: ignore[no-untyped-def]
    """Fit both models on what each of the two fits knows."""
    groups = dbt.ref("int_value_groups")
    amounts = dbt.ref("int_repeat_amounts")
    # In an order of their own: the sum of the same numbers in another order is not quite the same.
    groups = groups.order("repeat_days, days_to_last, days_observed").fetchnumpy()
    amounts = amounts.order("priced_repeat_days, repeat_revenue").fetchnumpy()
    rows = [
        {
            "fit": fit,
            **_orders_fit(**_of_fit(groups, fit)),
            **_amounts_fit(**_of_fit(amounts, fit)),
        }
        for fit in FITS
    ]
    return pa.Table.from_pylist(rows, schema=COLUMNS)


def _of_fit(columns, fit):  # type: ignore[no-untyped-def]
    is_of_fit = columns["fit"] == fit
    return {
        name: np.asarray(column[is_of_fit], dtype=np.float64)
        for name, column in columns.items()
        if name not in ("fit", "customer_type", "customer_id")
    }


def _orders_fit(repeat_days, days_to_last, days_observed, customers, **_others):  # type: ignore[no-untyped-def]
    repeat_customers = int(customers[repeat_days > 0].sum())
    counted = {"customers": int(customers.sum()), "repeat_customers": repeat_customers}
    if repeat_customers < LEAST_REPEAT_CUSTOMERS:
        return {**counted, "unfitted_for": f"fewer than {LEAST_REPEAT_CUSTOMERS} came back"}
    fitted, log_likelihood = bg_nbd.fit(
        repeat_days, days_to_last / DAYS_OF_A_WEEK, days_observed / DAYS_OF_A_WEEK, customers
    )
    if fitted is None:
        return {**counted, "unfitted_for": "no parameters fit best"}
    return {
        **counted,
        "log_likelihood": log_likelihood,
        "r": fitted.r,
        "alpha_weeks": fitted.alpha,
        "a": fitted.a,
        "b": fitted.b,
    }


def _amounts_fit(priced_repeat_days, repeat_revenue):  # type: ignore[no-untyped-def]
    counted = {"priced_repeat_customers": len(repeat_revenue)}
    if len(repeat_revenue) < LEAST_REPEAT_CUSTOMERS:
        return {**counted, "amounts_unfitted_for": f"fewer than {LEAST_REPEAT_CUSTOMERS} came back"}
    fitted, log_likelihood = gamma_gamma.fit(
        priced_repeat_days, repeat_revenue / priced_repeat_days
    )
    if fitted is None:
        return {**counted, "amounts_unfitted_for": "no parameters fit best"}
    return {
        **counted,
        "amounts_log_likelihood": log_likelihood,
        "p": fitted.p,
        "q": fitted.q,
        "v": fitted.v,
    }
