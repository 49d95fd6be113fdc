#!/usr/bin/env python3
"""HdrHistogram's text formats by Python's hdrhistogram.

  logs_with_python.py hgrm BASE64   the percentile distribution, as Java has it (below), values in ms
  logs_with_python.py read FILE     the intervals of a log as JSON
  logs_with_python.py write FILE    a log of the base64 histograms on standard input, one a second from 5 s on
"""
import io
import json
import math
import sys

from hdrh import iterators
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter


def increment_as_java_does(self):
    """This library forgot to round the number of halvings down to a whole one, so that its levels are others than Java's, C's
    and the plotter's from the third line on. PercentileIterator.java, incrementIterationLevel."""
    self.percentile_to_iterate_from = self.percentile_to_iterate_to
    gap = 100.0 - self.percentile_to_iterate_to
    if gap:
        halvings = int(math.log(100 / gap) / math.log(2)) + 1
        self.percentile_to_iterate_to += 100.0 / (self.percentile_ticks_per_half_distance * math.pow(2, halvings))


def hgrm(data):
    iterators.PercentileIterator.increment_iteration_level = increment_as_java_does
    text = io.BytesIO()
    HdrHistogram.decode(data).output_percentile_distribution(text, 1e6)
    sys.stdout.write(text.getvalue().decode())


def read(path):
    reader = HistogramLogReader(path, HdrHistogram(1, 3600000000000, 3))
    intervals = []
    while (interval := reader.get_next_interval_histogram()) is not None:
        count = interval.get_total_count()
        intervals.append({
            "tag": interval.get_tag(),
            "start": interval.get_start_time_stamp() / 1000, "end": interval.get_end_time_stamp() / 1000,
            "count": count, "min": interval.get_min_value(), "max": interval.get_max_value(),
            "valuesAtRanks": [interval.get_value_at_percentile(100 * rank / count) for rank in range(1, count + 1)],
        })
    json.dump({"startTime": reader.get_start_time_sec(), "intervals": intervals}, sys.stdout)


def write(path):
    with open(path, "w", encoding="utf-8") as file:
        writer = HistogramLogWriter(file)
        writer.output_comment("[Logged by a test]")
        writer.output_log_format_version()
        # Its own output_start_time fails: datetime has no iso_format.
        writer.output_comment("[StartTime: 1795208400.123 (seconds since epoch), 2026-11-20T21:00:00.123Z]")
        writer.output_base_time(1795208400123)
        writer.output_legend()
        for number, data in enumerate(sys.stdin.read().split()):
            writer.output_interval_histogram(HdrHistogram.decode(data), 5 + number, 6 + number)


{"hgrm": hgrm, "read": read, "write": write}[sys.argv[1]](sys.argv[2])
