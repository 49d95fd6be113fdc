"""What one record and one P99 query of the suite's histogram cost, beside the Swift package of the same layout."""

import json

from bench import Failed
from tables import figure, goal, median, table, times


def section(bench):
    text = (
        "## Histogram\n\nA histogram of 1 ns to 1 h with three digits records 65 536 different values from 100 µs to 200 ms again and again. Each\n"
        "doubling (100–200 µs, 200–400 µs, …) has half as many as the one before. CPU time of the one thread.\n\n")
    lines = bench.attempt("histogram", _measure) or []
    figures = {
        name: [median([line[key] for line in lines if line["name"] == name]) for key in ("recordNs", "queryNs")]
        for name in dict.fromkeys(line["name"] for line in lines)
    }
    own = figures.get("own", [None, None])
    rows = [
        [name, figure(record), times(record, own[0]), figure(query), times(query, own[1])]
        for name, (record, query) in figures.items()
    ]
    text += table(["", "record ns", "", "P99 query ns", ""], rows) + "\n"
    return text + goal("a record", own[0], 1.2, " ns") + bench.take_notes()


def _measure(bench):
    outcome = bench.run([f"{bench.programs}/benchmark-histogram", str(max(3, bench.rounds))], 300)
    if "debug build" in outcome.stdout:
        raise Failed(outcome.stdout.strip())
    return [json.loads(line) for line in outcome.stdout.splitlines()]
