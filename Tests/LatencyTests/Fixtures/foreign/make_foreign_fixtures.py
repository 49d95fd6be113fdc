"""Makes ../foreign_histograms.json: histograms as HdrHistogram's libraries write them, each with what was recorded into it.

Arguments: NAME=COMMAND for each library, the command being one of the programs beside this file, built with that library:

  Java    javac -cp HdrHistogram.jar Encode.java; java -cp HdrHistogram.jar:. Encode
  C       cc -I include encode.c hdr_histogram.c hdr_histogram_log.c hdr_encoding.c … -lz -lm
  Go      go build encode.go, in a module that requires github.com/HdrHistogram/hdrhistogram-go
  JavaScript  HDR_HISTOGRAM_JS=hdr-histogram-js node encode.js
  Python  python3 encode.py

The tests need none of them: the file is kept.
"""
import base64
import json
import pathlib
import subprocess
import sys

HOUR = 3_600_000_000_000
curve = [(i**3 * 37 + 5, 1 + i % 3) for i in range(1, 150)]

# name, lowest, highest, digits, recorded values with their counts
CASES = [
    ("nanoseconds up to an hour", 1, HOUR, 3, [(1, 2), (5, 3), (200, 1), (HOUR - 1, 4)] + curve),
    ("one value", 1, HOUR, 3, [(1_000_000, 1)]),
    ("nothing", 1, HOUR, 3, []),
    ("microseconds are the unit", 1000, HOUR, 2, [(1000, 1), (1_500_000, 9)] + curve[20:]),
    ("five digits", 1, 10_000_000, 5, [(v, c) for v, c in curve if v < 10_000_000]),
    ("one digit, a short range", 1, 1_000_000, 1, [(v, c) for v, c in curve if v < 1_000_000]),
    ("large counts", 1, HOUR, 3, [(77, 1 << 40), (1 << 35, 123_456_789)]),
    ("a range of 53 bits", 1, (1 << 53) - 1, 3, [(3, 1), (1 << 52, 2)]),
]
# Only Java turns its array: of values far enough from both ends of it.
SHIFTED = [
    ("shifted left", 1, HOUR, 3, 4, [(v * 512, c) for v, c in curve]),
    ("shifted right", 1, HOUR, 3, -3, [(v * 16_384, c) for v, c in curve]),
]


def line(lowest, highest, digits, shift, values):
    return " ".join(map(str, [lowest, highest, digits, shift])) + "".join(f" {v}:{c}" for v, c in values)


def main():
    entries = []
    for argument in sys.argv[1:]:
        library, command = argument.split("=", 1)
        cases = [(name, low, high, digits, 0, values) for name, low, high, digits, values in CASES]
        if library.startswith("Java "):
            cases += SHIFTED
        text = "".join(line(*case[1:]) + "\n" for case in cases)
        output = subprocess.run(["sh", "-c", command], input=text, capture_output=True, text=True, check=True).stdout
        lines = output.split()
        assert len(lines) == len(cases), (library, len(lines))
        for (name, low, high, digits, shift, values), data in zip(cases, lines):
            if set(data) <= set("0123456789abcdef"):
                data = base64.b64encode(bytes.fromhex(data)).decode()
            entries.append({
                "library": library, "name": name, "lowest": low, "highest": high, "digits": digits,
                "shift": shift, "values": [[v, c] for v, c in values], "data": data,
            })
    path = pathlib.Path(__file__).parent.parent / "foreign_histograms.json"
    rows = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    path.write_text(f"[\n{rows}\n]\n")


main()
