"""The command `python -m simulation`: write the company's extracts, or more days of them."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from simulation.company import (
    DEFAULT_DAYS,
    DEFAULT_SEED,
    DEFAULT_START,
    SimulationError,
    declarations_of,
    generate,
    read_truth,
)
from simulation.formats import FORMATS, GENERIC
from simulation.parameters import Parameters


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        start, days, seed, parameters, form = _asked_for(options)
        made = generate(
            options.landing,
            start=start,
            days=days,
            seed=seed,
            parameters=parameters,
            form=form,
        )
    except SimulationError as error:
        print(f"simulation: {error}", file=sys.stderr)
        return 1
    if not made.days:
        print(f"{options.landing} has these days already; nothing was written.")
        return 0
    rows = ", ".join(f"{count:,} {name}" for name, count in made.rows.items())
    print(
        f"Wrote {made.days} days from {made.first} into {options.landing}: {rows} "
        f"({time.monotonic() - began:.1f} s)."
    )
    if form != GENERIC.name:
        seeds = declarations_of(options.landing)
        print(f"Its declarations lie beside it: FUNNEL_SEEDS={seeds} make nightly")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulation",
        description="Write the extracts of a simulated company whose true rates are known.",
    )
    parser.add_argument("--landing", type=Path, default=Path("landing"), help="a folder")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help=f"the systems that deliver, CRM and web (default {GENERIC.name})",
    )
    parser.add_argument(
        "--start", type=date.fromisoformat, help=f"first day (default {DEFAULT_START})"
    )
    parser.add_argument("--seed", type=int, help=f"default {DEFAULT_SEED}")
    parser.add_argument(
        "--visitors-per-day",
        type=float,
        help=f"first-time visitors on a working day (default {Parameters().visitors_per_day:.0f})",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--days", type=int, help=f"days in all (default {DEFAULT_DAYS})")
    length.add_argument(
        "--more-days", type=int, help="days to add to those that are there, of the same company"
    )
    return parser


def _asked_for(options: argparse.Namespace) -> tuple[date, int, int, Parameters, str]:
    """Start, days in all, seed, parameters and format: of the company that is there, if any."""
    known = read_truth(options.landing)
    if known is None:
        if options.more_days is not None:
            raise SimulationError(
                f"--more-days: expected extracts in {options.landing}, found none. "
                "Write the first days with --days."
            )
        parameters = Parameters(
            visitors_per_day=options.visitors_per_day or Parameters().visitors_per_day
        )
        seed = DEFAULT_SEED if options.seed is None else options.seed
        start, days = options.start or DEFAULT_START, options.days or DEFAULT_DAYS
        return start, days, seed, parameters, options.format or GENERIC.name

    parameters = Parameters.from_json(known["parameters"])
    if options.visitors_per_day is not None:
        parameters = Parameters.from_json(
            known["parameters"] | {"visitors_per_day": options.visitors_per_day}
        )
    present = int(known["days"])
    if options.more_days is not None:
        days = present + options.more_days
    else:
        days = options.days or max(present, DEFAULT_DAYS)
    start = options.start or date.fromisoformat(known["start"])
    seed = known["seed"] if options.seed is None else options.seed
    return start, days, seed, parameters, options.format or known["format"]


if __name__ == "__main__":
    sys.exit(main())
