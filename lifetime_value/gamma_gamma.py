"""Gamma-gamma: what a customer will spend an order, from what the orders so far were worth.

Amounts vary around an average of the customer's own, and the averages over the customers: the
fewer orders there were, the more is the average of all customers to be trusted.

P. S. Fader, B. G. S. Hardie: The Gamma-Gamma Model of Monetary Value. 2013.

An array holds one number a customer who came back: `repeats`, how many orders of known amount
there were after the first, at least one; `average`, what they were worth on average, above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Numbers = NDArray[np.float64]

# In logarithms, as for BG/NBD; amounts are in any currency.
LOWEST, HIGHEST = -12.0, 25.0


@dataclass(frozen=True)
class GammaGamma:
    """The parameters: `p` of the amounts of one customer, `q` and `v` of the averages of all."""

    p: float
    q: float
    v: float

    def log_likelihood(self, repeats: Numbers, average: Numbers) -> Numbers:
        """The logarithm of the likelihood of each customer (equation 1a)."""
        px, q = self.p * repeats, self.q
        return np.asarray(
            special.gammaln(px + q)
            - special.gammaln(px)
            - special.gammaln(q)
            + q * np.log(self.v)
            + (px - 1) * np.log(average)
            + px * np.log(repeats)
            - (px + q) * np.log(self.v + repeats * average)
        )


def fit(repeats: Numbers, average: Numbers) -> tuple[GammaGamma | None, float]:
    """The parameters of greatest likelihood, and its logarithm.

    None where there is no maximum, or where the average of all customers is infinite (q up to 1).
    """

    def badness(logarithms: Numbers) -> float:
        each = GammaGamma(*np.exp(logarithms)).log_likelihood(repeats, average)
        return float(-each.mean())

    found = optimize.minimize(
        badness,
        x0=np.log([2.0, 3.0, float(average.mean())]),
        method="L-BFGS-B",
        bounds=[(LOWEST, HIGHEST)] * 3,
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 1000},
    )
    total = float(-found.fun * len(repeats))
    is_inside = bool(np.all(found.x > LOWEST + 1e-3) and np.all(found.x < HIGHEST - 1e-3))
    if not np.isfinite(found.fun) or not is_inside:
        return None, total
    p, q, v = (float(value) for value in np.exp(found.x))
    return (GammaGamma(p, q, v) if q > 1 else None), total
