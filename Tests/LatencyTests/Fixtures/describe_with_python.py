#!/usr/bin/env python3
"""Decodes a base64 histogram with Python's hdrhistogram and writes its figures as JSON.

Arguments: the base64 text, then pairs PERCENTILE:RANK. A percentile is asked for by its rank, because this library rounds
percentiles to the nearest rank instead of up, and as it is.
"""
import json
import sys

from hdrh.histogram import HdrHistogram

histogram = HdrHistogram.decode(sys.argv[1])
pairs = [argument.split(":") for argument in sys.argv[2:]]
json.dump({
    "count": histogram.total_count,
    "min": histogram.get_min_value(),
    "max": histogram.get_max_value(),
    "valuesAtRanks": [histogram.get_value_at_percentile(100 * int(rank) / histogram.total_count) for _, rank in pairs],
    "valuesAtPercentiles": [histogram.get_value_at_percentile(float(percentile)) for percentile, _ in pairs],
    "ranks": [histogram.get_target_count_at_percentile(float(percentile)) for percentile, _ in pairs],
}, sys.stdout)
