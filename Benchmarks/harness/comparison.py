"""How often bench-compare errs and how often it finds a change, by simulation, and how long it takes for a thousand results."""

import datetime
import glob
import json
import os
import subprocess
import tempfile
import time

from bench import HERE, Failed
from tables import figure, goal, median, table

SAMPLES = os.path.join(HERE, "..", "..", "results", "sample", "*.json")
SCENARIOS = {
    "unchanged": "nothing: two halves of one population",
    "slower": "all latencies +15 %",
    "longerTail": "P99 +15 %, what is above P90 in proportion, the rest as before",
    "otherDay": "nothing but the day, which varies by 3 % as well",
}
FILES = 500
DAYS = 10


def section(bench):
    text = (
        "## False positives and power\n\n"
        "Simulated runs have log-normal latencies whose P99 is twice the median. All latencies of a run are scaled by one factor of the\n"
        "run's own; the logarithm of these factors has a standard deviation of 3 %. Mean, P50, P95 and P99 of old and new runs are compared as\n"
        "one family at `--alpha 0.05`, {comparisons} times. A comparison is *flagged* when it calls any of the four changed, and *P99 slower* when it\n"
        "calls P99 slower.\n\n")
    lines = bench.attempt("simulation", _simulate) or []
    text = text.format(comparisons=figure(lines[0]["comparisons"]) if lines else "many")
    rows = []
    for scenario, what in SCENARIOS.items():
        for runs, requests in dict.fromkeys((line["runs"], line["requests"]) for line in lines):
            found = [line for line in lines if (line["scenario"], line["runs"], line["requests"]) == (scenario, runs, requests)]
            found.sort(key=lambda line: line["minEffect"])
            shares = [figure(_percent(line, key)) + " %" for key in ("flagged", "p99Higher") for line in found]
            rows.append([what, str(runs), figure(requests), *shares])
    text += table(
        ["what sets the new runs apart", "runs a side", "requests a run", "flagged, `--min-effect 0`", "flagged, `5%`",
         "P99 slower, `--min-effect 0`", "P99 slower, `5%`"], rows) + "\n"
    text += goal("flagged though nothing changed", _worst(lines, "unchanged", "flagged", max), 7, " %")
    most = max((line["requests"] for line in lines), default=0)
    for scenario in ("slower", "longerTail"):
        power = _worst([line for line in lines if line["requests"] == most], scenario, "p99Higher", min)
        text += goal(f"P99 found slower: {SCENARIOS[scenario]}; {figure(most)} requests a run", power, -90, " %")
    text += bench.take_notes()

    text += "\n## A thousand results\n\n"
    text += (
        f"`bench-compare OLD NEW`, {FILES} result files of {DAYS} days on each side, copies of the samples in `results/sample` under\n"
        "other days and times; the whole process.\n\n")
    seconds = bench.attempt("a thousand results", _compare_files)
    return text + goal(f"{2 * FILES} files are compared", seconds, 2, " s") + bench.take_notes()


def _simulate(bench):
    lines = []
    # What more runs help where runs are short.
    for options in ([], ["--runs", "10", "--requests", "1000"]):
        outcome = bench.run([f"{bench.programs}/benchmark-comparison", *options], 600)
        lines += [json.loads(line) for line in outcome.stdout.splitlines()]
    return lines


def _percent(line, key):
    return 100 * line[key] / line["comparisons"]


def _worst(lines, scenario, key, choose):
    return choose((_percent(line, key) for line in lines if line["scenario"] == scenario), default=None)


def _compare_files(bench):
    program = f"{bench.programs}/bench-compare"
    if not os.access(program, os.X_OK):
        raise Failed("bench-compare is not built")
    with tempfile.TemporaryDirectory(prefix="infrabench-comparison-") as folder:
        old, new = os.path.join(folder, "old"), os.path.join(folder, "new")
        _write_results(old, datetime.date(2026, 10, 1))
        _write_results(new, datetime.date(2026, 11, 1))
        return median([_seconds([program, old, new]) for _ in range(max(3, bench.rounds))])


def _seconds(command):
    """On every core, as a user would have it."""
    begin = time.monotonic()
    outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    seconds = time.monotonic() - begin
    if outcome.returncode:
        raise Failed(f"exit {outcome.returncode}: {outcome.stderr.strip()[:160]}")
    return seconds


def _write_results(folder, first_day):
    """Result files as the tools lay them out: <day>/<time>Z-<tool>.json."""
    samples = []
    for path in sorted(glob.glob(SAMPLES)):
        with open(path) as file:
            document = json.load(file)
        if document.get("schema") == "infrabench.result/1":
            samples.append(document)
    if not samples:
        raise Failed("there are no samples in results/sample")
    for index in range(FILES):
        day, of_day = divmod(index, FILES // DAYS)
        began = datetime.datetime.combine(first_day, datetime.time(6)) + datetime.timedelta(days=day, minutes=10 * of_day)
        document = {**samples[index % len(samples)], "startedAt": f"{began:%Y-%m-%dT%H:%M:%S}.000Z"}
        path = os.path.join(folder, f"{began:%Y-%m-%d}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, f"{began:%H%M%S}Z-{document['tool']}.json"), "w") as file:
            json.dump(document, file, indent=2)
