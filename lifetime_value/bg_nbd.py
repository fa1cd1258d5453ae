"""BG/NBD: how many orders a customer will place, from how many there were and how long ago.

Customers order at random at a rate of their own until they leave, which they may after any order.
The rates are gamma distributed over the customers, the chances to leave beta distributed.

P. S. Fader, B. G. S. Hardie, K. L. Lee: "Counting Your Customers" the Easy Way: An Alternative to
the Pareto/NBD Model. Marketing Science 24(2), 2005. The numbers of equations are those of it.

An array holds one number a group of customers: `repeats`, on how many days they ordered after the
first; `last`, how many weeks after the first day the last one was; `observed`, how many weeks have
passed since the first day. Customers who agree in all three are one group, of `customers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Numbers = NDArray[np.float64]

# In logarithms. A parameter that wants to leave this range has no maximum: the customers are too
# much alike for a distribution over them, or too few come back to tell when they leave.
LOWEST, HIGHEST = -9.0, 7.0


@dataclass(frozen=True)
class BgNbd:
    """The parameters: `r`, `alpha` (in weeks) of the rates; `a`, `b` of the chances to leave."""

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, repeats: Numbers, last: Numbers, observed: Numbers) -> Numbers:
        """The logarithm of the likelihood of one customer of each group (equation 6)."""
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        common = (
            special.gammaln(r + repeats)
            - special.gammaln(r)
            + r * np.log(alpha)
            + special.betaln(a, b + repeats)
            - special.betaln(a, b)
        )
        stayed = -(r + repeats) * np.log(alpha + observed)
        # Who never came back cannot have left after coming back.
        came_back = np.maximum(repeats, 1)
        left = np.where(
            repeats > 0,
            np.log(a) - np.log(b + came_back - 1) - (r + repeats) * np.log(alpha + last),
            -np.inf,
        )
        # The beta function of (a + 1, b + x - 1) is that of (a, b + x) times a / (b + x - 1).
        return np.asarray(common + np.logaddexp(stayed, left))

    def probability_alive(self, repeats: Numbers, last: Numbers, observed: Numbers) -> Numbers:
        """The chance that a customer of each group has not left."""
        with np.errstate(over="ignore"):
            odds_of_having_left = np.where(
                repeats > 0,
                self.a
                / (self.b + np.maximum(repeats, 1) - 1)
                * ((self.alpha + observed) / (self.alpha + last)) ** (self.r + repeats),
                0.0,
            )
        return np.asarray(1 / (1 + odds_of_having_left))

    def expected_orders(
        self, weeks: float, repeats: Numbers, last: Numbers, observed: Numbers
    ) -> Numbers:
        """The orders that a customer of each group will place in the next weeks (equation 10)."""
        # At 1 the formula is 0 / 0; its limit is as close as this.
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 1e-6
        total = a + self.b + repeats - 1
        z = weeks / (self.alpha + observed + weeks)
        with np.errstate(over="ignore", invalid="ignore"):
            share_to_stop = (1 - z) ** (self.r + repeats) * special.hyp2f1(
                self.r + repeats, self.b + repeats, total, z
            )
        if_alive = total / (a - 1) * (1 - share_to_stop)
        overflown = ~np.isfinite(if_alive)
        if_alive[overflown] = self._expected_by_quadrature(
            weeks, repeats[overflown], observed[overflown]
        )
        return np.asarray(if_alive * self.probability_alive(repeats, last, observed))

    def _expected_by_quadrature(self, weeks: float, repeats: Numbers, observed: Numbers) -> Numbers:
        """The orders of customers who have not left, where the hypergeometric function overflows.

        Of a customer who leaves after an order with chance p, and orders at rate s, (1 - exp(-s p
        t)) / p are expected in the time t: its mean over the rates is closed, that over the chances
        is taken at quantiles of their distribution.
        """
        points, weights = np.polynomial.legendre.leggauss(200)
        chances = np.maximum(
            special.betaincinv(self.a, self.b + repeats[:, None], (points + 1) / 2), 1e-12
        )
        orders = -np.expm1(
            -(self.r + repeats[:, None])
            * np.log1p(chances * weeks / (self.alpha + observed[:, None]))
        )
        return np.asarray((orders / chances) @ (weights / 2))


def fit(
    repeats: Numbers, last: Numbers, observed: Numbers, customers: Numbers
) -> tuple[BgNbd | None, float]:
    """The parameters of greatest likelihood, and its logarithm; None where there is no maximum."""

    def badness(logarithms: Numbers) -> float:
        each = BgNbd(*np.exp(logarithms)).log_likelihood(repeats, last, observed)
        return float(-(customers @ each) / customers.sum())

    found = optimize.minimize(
        badness,
        # The scale of the waits is not known beforehand: theirs is as good as any.
        x0=np.log([0.5, max(float(np.average(observed, weights=customers)) / 4, 0.1), 1.0, 2.0]),
        method="L-BFGS-B",
        bounds=[(LOWEST, HIGHEST)] * 4,
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 1000},
    )
    total = float(-found.fun * customers.sum())
    is_inside = bool(np.all(found.x > LOWEST + 1e-3) and np.all(found.x < HIGHEST - 1e-3))
    if not np.isfinite(found.fun) or not is_inside:
        return None, total
    return BgNbd(*(float(value) for value in np.exp(found.x))), total
