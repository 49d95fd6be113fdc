"""What one record and one P99 query of the suite's histogram cost, beside the Swift package of the same layout."""

import json

from bench import Failed
from tables import figure, goal, median, table, times


def section(bench):
    text = (
        "## Histogram\n\n1 ns to 1 h, three digits; 65 536 different values again and again, each doubling of the value half as\n"
        "frequent as the one before. The wider they spread, the fewer of the counters are in the processor's nearest cache.\n\n")
    lines = bench.attempt("histogram", _measure) or []
    rows, narrowest = [], None
    for values in dict.fromkeys(line["values"] for line in lines):
        own = None
        for name in dict.fromkeys(line["name"] for line in lines):
            runs = [line for line in lines if (line["name"], line["values"]) == (name, values)]
            record, query = (median([run[key] for run in runs]) for key in ("recordNs", "queryNs"))
            own = own or (record, query)
            narrowest = narrowest or record
            rows.append(
                [f"{name}, {values}", figure(record), times(record, own[0]), figure(query), times(query, own[1])])
    text += table(["", "record ns", "", "P99 query ns", ""], rows) + "\n"
    return text + goal("a record of the first", narrowest, 1.2, " ns") + bench.take_notes()


def _measure(bench):
    outcome = bench.run([f"{bench.programs}/benchmark-histogram", str(max(3, bench.rounds))], 300)
    if "debug build" in outcome.stdout:
        raise Failed(outcome.stdout.strip())
    return [json.loads(line) for line in outcome.stdout.splitlines()]
