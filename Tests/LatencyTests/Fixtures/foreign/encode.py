"""A line "lowest highest digits shift value:count …" in, a line of base64 out: Python's hdrhistogram. It shifts nothing."""
import sys

from hdrh.histogram import HdrHistogram

for line in sys.stdin:
    lowest, highest, digits, _, *values = line.split()
    histogram = HdrHistogram(int(lowest), int(highest), int(digits))
    for pair in values:
        value, count = pair.split(":")
        histogram.record_value(int(value), int(count))
    print(histogram.encode().decode())
