#!/usr/bin/env python3
"""Writes scipy_rank_tests.json: exact Mann-Whitney tests by SciPy, with the shift and the interval that inverts the test.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 && venv/bin/python make_fixtures.py

The interval is found by brute force: SciPy tests the new sample shifted to between any two neighbouring differences of the samples,
and the interval reaches over all that isn't rejected. Its ends belong to it: there a pair is tied, of which SciPy's exact test
knows nothing, and ties count against rejection. "large" holds p alone, of bigger samples.
"""
import json
import os

import numpy as np
import scipy
from scipy.stats import mannwhitneyu

SIZES = [
    (3, 3), (3, 5), (4, 4), (4, 7), (5, 5), (5, 6), (6, 6), (6, 9), (7, 7), (8, 3), (8, 8), (9, 12), (10, 10), (12, 5), (12, 12),
]
LARGE_SIZES = [(30, 30), (20, 60), (3, 400), (1, 50), (99, 100), (100, 100), (101, 100), (300, 500)]
FACTORS = [1.0, 1.05, 0.8, 1.5]
ALPHAS = [0.2, 0.1, 0.05, 0.05 / 3, 0.0125, 0.001]


def p_value(old, new):
    return mannwhitneyu(new, old, alternative="two-sided", method="exact").pvalue


def interval(old, new, alpha):
    """None where every shift beyond all differences is still not rejected."""
    edges = np.unique(np.subtract.outer(new, old))
    gaps = np.concatenate([[edges[0] - 1], (edges[:-1] + edges[1:]) / 2, [edges[-1] + 1]])
    kept = [index for index, shift in enumerate(gaps) if p_value(old, new - shift) > alpha]
    if kept[0] == 0:
        return None
    return [float(edges[kept[0] - 1]), float(edges[kept[-1]])]


def large(random):
    """By the exact distribution, and by the normal approximation with continuity correction; whole numbers without ties."""
    cases = []
    for sizes in LARGE_SIZES:
        for shift in [0, 0.3, 0.6]:
            position = np.concatenate([random.normal(0, 1, sizes[0]), random.normal(shift, 1, sizes[1])])
            ranks = np.argsort(np.argsort(position))
            old, new = ranks[:sizes[0]], ranks[sizes[0]:]
            approximation = mannwhitneyu(new, old, alternative="two-sided", method="asymptotic", use_continuity=True).pvalue
            exact = p_value(old, new) if sizes[0] * sizes[1] <= 10_000 else None
            cases.append({"old": old.tolist(), "new": new.tolist(), "exact": exact, "approximation": approximation})
    return cases


def lines(value):
    """JSON with one line for each case."""
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n" + ",\n".join(json.dumps(case) for case in value) + "\n]"


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
    document = {"scipy": scipy.__version__, "cases": cases, "large": large(random)}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scipy_rank_tests.json"), "w") as file:
        file.write("{\n" + ",\n".join(f'"{key}": {lines(value)}' for key, value in document.items()) + "\n}\n")


if __name__ == "__main__":
    main()
