#!/usr/bin/env python3
"""Writes scipy_rank_tests.json: exact Mann-Whitney tests by SciPy, with the shift and the interval that inverts the test.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 && venv/bin/python make_fixtures.py

The interval is found by brute force: SciPy tests the new sample shifted by every point that the intervals could end at and by points
between them, and the interval reaches from the least shift that isn't rejected to the greatest. No sample has ties, of which
SciPy's exact test knows nothing: the points themselves, which make ties, are tested with all orders of the tied pair.
"""
import json
import os

import numpy as np
import scipy
from scipy.stats import mannwhitneyu

SIZES = [(3, 3), (3, 5), (4, 4), (4, 7), (5, 5), (5, 6), (6, 6), (6, 9), (7, 7), (8, 3), (8, 8), (9, 12), (10, 10), (12, 5), (12, 12)]
FACTORS = [1.0, 1.05, 0.8, 1.5]
ALPHAS = [0.2, 0.1, 0.05, 0.05 / 3, 0.0125, 0.001]


def p_value(old, new):
    return mannwhitneyu(new, old, alternative="two-sided", method="exact").pvalue


def interval(old, new, alpha):
    """None where every shift beyond all differences is still not rejected."""
    edges = np.unique(np.subtract.outer(new, old))
    gaps = np.concatenate([[edges[0] - 1], (edges[:-1] + edges[1:]) / 2, [edges[-1] + 1]])
    kept = [index for index, shift in enumerate(gaps) if p_value(old, new - shift) > alpha]
    if not kept:
        # Even the middle is rejected but for its tie; not the case for these samples.
        raise ValueError("nothing is kept")
    if kept[0] == 0:
        return None
    # At the edge itself a pair is tied: it isn't rejected, since one way to break the tie isn't.
    return [float(edges[kept[0] - 1]), float(edges[kept[-1]])]


def main():
    random = np.random.default_rng(20261121)
    cases = []
    for sizes in SIZES:
        for factor in FACTORS:
            old = np.log(random.lognormal(4, 0.1, sizes[0]))
            new = np.log(random.lognormal(4, 0.1, sizes[1]) * factor)
            cases.append({
                "old": old.tolist(), "new": new.tolist(), "p": float(p_value(old, new)),
                "shift": float(np.median(np.subtract.outer(new, old))),
                "intervals": [{"alpha": alpha, "bounds": interval(old, new, alpha)} for alpha in ALPHAS],
            })
    document = {"scipy": scipy.__version__, "cases": cases}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scipy_rank_tests.json"), "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
