"""What is expected of customers of the same history, one row per fit and history."""

import numpy as np
import pyarrow as pa

from lifetime_value.bg_nbd import BgNbd

DAYS_OF_A_WEEK = 7
HORIZONS = (90, 365, 730)


COLUMNS = pa.schema(
    [
        ("fit", pa.string()),
        ("repeat_days", pa.int64()),
        ("days_to_last", pa.int64()),
        ("days_observed", pa.int64()),
        ("probability_alive", pa.float64()),
        *((f"orders_{days}_days", pa.float64()) for days in HORIZONS),
        ("orders_to_judge", pa.float64()),
    ]
)


def model(dbt, session):  # type: ignore[no-untyped-def]
    """Apply the parameters of each fit that has some to the histories that it knows."""
    models = dbt.ref("int_value_models").filter("unfitted_for is null").order("fit").fetchnumpy()
    groups = dbt.ref("int_value_groups")
    groups = groups.order("fit, repeat_days, days_to_last, days_observed").fetchnumpy()
    tables = [COLUMNS.empty_table()]
    for place, fit in enumerate(models["fit"]):
        fitted = BgNbd(*(float(models[name][place]) for name in ("r", "alpha_weeks", "a", "b")))
        is_of_fit = groups["fit"] == fit
        tables.append(
            _expected(fitted, fit, {name: column[is_of_fit] for name, column in groups.items()})
        )
    return pa.concat_tables(tables)


def _expected(fitted, fit, groups):  # type: ignore[no-untyped-def]
    history = (
        np.asarray(groups["repeat_days"], dtype=np.float64),
        np.asarray(groups["days_to_last"], dtype=np.float64) / DAYS_OF_A_WEEK,
        np.asarray(groups["days_observed"], dtype=np.float64) / DAYS_OF_A_WEEK,
    )
    # All groups of a fit are judged over the same days.
    days_to_judge = float(groups["days_to_judge"][0])
    expected = {
        "fit": [fit] * len(history[0]),
        **{name: groups[name] for name in ("repeat_days", "days_to_last", "days_observed")},
        "probability_alive": fitted.probability_alive(*history),
        **{
            f"orders_{days}_days": fitted.expected_orders(days / DAYS_OF_A_WEEK, *history)
            for days in HORIZONS
        },
        "orders_to_judge": fitted.expected_orders(days_to_judge / DAYS_OF_A_WEEK, *history),
    }
    return pa.table(expected, schema=COLUMNS)
