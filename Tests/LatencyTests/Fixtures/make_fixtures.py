#!/usr/bin/env python3
"""Writes python_histograms.json: histograms encoded by Python's hdrhistogram, and the figures it reports of them.

    python3 -m venv venv && venv/bin/pip install hdrhistogram && venv/bin/python make_fixtures.py
"""
import json
import math
import os
import random
from fractions import Fraction

from hdrh.histogram import HdrHistogram

PERCENTILES = ["0", "1", "10", "25", "50", "75", "90", "95", "99", "99.9", "99.99", "100"]
HOUR = 3_600_000_000_000


def histogram(values, lowest=1, highest=HOUR, digits=3):
    result = HdrHistogram(lowest, highest, digits)
    for value, count in values:
        assert result.record_value(value, count), value
    return result


def once(values):
    return [(int(value), 1) for value in values]


def by_definition(h, percentile):
    """The highest value of the first bucket with at least the share at or below it; the lowest at 0 %."""
    need = max(1, math.ceil(Fraction(percentile) * h.total_count / 100))
    seen = 0
    for item in h.get_recorded_iterator():
        seen += item.count_at_value_iterated_to
        if seen >= need:
            at_zero = h.get_lowest_equivalent_value(item.value_iterated_to)
            return at_zero if percentile == "0" else h.get_highest_equivalent_value(item.value_iterated_to)
    return 0


def describe(name, h):
    return {
        "name": name,
        "lowest": h.lowest_trackable_value, "highest": h.highest_trackable_value, "digits": h.significant_figures,
        "count": h.total_count, "min": h.get_min_value(), "max": h.get_max_value(),
        "mean": h.get_mean_value(), "stddev": h.get_stddev(),
        "percentiles": [
            {"percentile": float(p), "value": by_definition(h, p), "pythonValue": h.get_value_at_percentile(float(p)),
             "pythonRank": h.get_target_count_at_percentile(float(p))}
            for p in PERCENTILES],
        "data": h.encode().decode(),
    }


def main():
    rng = random.Random(20261120)
    log_normal = [min(HOUR, rng.lognormvariate(math.log(48e6), 0.4)) for _ in range(5000)]
    fixtures = [
        describe("empty", histogram([])),
        describe("one nanosecond", histogram([(1, 1)])),
        describe("one hour", histogram([(HOUR, 1)])),
        describe("ten milliseconds each", histogram(once(ms * 1_000_000 for ms in range(1, 11)))),
        describe("twelve values, where roundings differ", histogram(once(ms * 1_000_000 for ms in range(1, 13)))),
        describe("log-normal", histogram(once(log_normal))),
        describe("bimodal", histogram([(1_020_000, 9900), (200_050_000, 100)])),
        describe("uniform over the whole range", histogram(once(rng.randint(1, HOUR) for _ in range(2000)))),
        describe("every power of two and its neighbours", histogram(
            once(max(1, 2 ** e + d) for e in range(1, 42) for d in (-1, 0, 1)))),
        describe("large counts", histogram([(1_000, 2 ** 40), (1_000_000, 2 ** 50 + 12345), (10 ** 9, 3)])),
        describe("one digit, from a microsecond", histogram(
            once(rng.randint(1_000, 60_000_000_000) for _ in range(500)), 1_000, 60_000_000_000, 1)),
        describe("five digits", histogram(once(rng.randint(1, 10 ** 9) for _ in range(500)), 1, 10 ** 9, 5)),
        describe("zeros", histogram([(0, 5), (7, 5)])),
        describe("the widest range", histogram(once(rng.getrandbits(62) for _ in range(200)), 1, 2 ** 62 - 1, 2)),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_histograms.json")
    with open(path, "w") as file:
        json.dump(fixtures, file, indent=1)
        file.write("\n")


main()
