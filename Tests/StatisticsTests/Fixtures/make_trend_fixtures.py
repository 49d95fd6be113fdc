#!/usr/bin/env python3
"""Writes trends.json: trends by pymannkendall, and slopes with intervals by SciPy.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 pymannkendall==1.4.3 && venv/bin/python make_trend_fixtures.py

`plain` and `hamedRao` are pymannkendall's original_test and hamed_rao_modification_test; both take points at equal distances, so a
series with gaps has none of them. `slope` and `interval` (alpha 0.05) are SciPy's theilslopes at the true times, without any
correction for autocorrelation.
"""
import json
import os

import numpy as np
import pymannkendall
from scipy.stats import theilslopes


def autoregressive(random, count, factor):
    values = np.zeros(count + 100)
    for index in range(1, count + 100):
        values[index] = factor * values[index - 1] + random.normal()
    return values[100:]


def series(random):
    time = np.arange(60.0)
    yield "no trend", time, random.normal(50, 2, 60)
    yield "trend", time, random.normal(50, 2, 60) + 0.3 * time
    yield "falling trend", time, random.normal(50, 2, 60) - 0.1 * time
    yield "ties", time, np.round(random.normal(5, 1, 60))
    yield "ties and trend", time, np.floor(time / 10 + random.normal(0, 0.6, 60))
    yield "constant but one", time, np.where(time == 59, 8.0, 7.0)
    yield "line", time, 3.0 * time + 1
    for count in [4, 5, 9, 10, 11, 30, 200]:
        yield f"{count} points", np.arange(float(count)), random.normal(50, 2, count)
    for factor in [-0.6, 0.5, 0.8, 0.95]:
        yield f"autoregressive {factor}", np.arange(120.0), autoregressive(random, 120, factor)
    yield "autoregressive with trend", np.arange(120.0), autoregressive(random, 120, 0.7) + 0.05 * np.arange(120.0)
    kept = np.sort(random.choice(np.arange(90.0), 60, replace=False))
    yield "gaps", kept, random.normal(50, 2, 60) + 0.02 * kept
    yield "uneven times", np.cumsum(random.exponential(1, 50)), random.normal(50, 2, 50)


def figures(test, values):
    result = test(values)
    return {"s": float(result.s), "variance": float(result.var_s), "p": float(result.p)}


def main():
    random = np.random.default_rng(20261201)
    cases = []
    for name, times, values in series(random):
        slope = theilslopes(values, times, 0.95)
        case = {
            "name": name, "times": times.tolist(), "values": values.tolist(), "slope": float(slope.slope),
            "interval": [float(slope.low_slope), float(slope.high_slope)],
            "plain": figures(pymannkendall.original_test, values),
        }
        even = np.array_equal(times, np.arange(len(times)))
        if even:
            hamed_rao = figures(pymannkendall.hamed_rao_modification_test, values)
            # A line without any noise leaves nothing to correlate: 0/0.
            case["hamedRao"] = hamed_rao if np.isfinite(hamed_rao["p"]) else None
        cases.append(case)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trends.json")
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
