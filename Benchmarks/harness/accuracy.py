"""What a generator says of a server whose delays are known: at a constant rate, with 50 connections."""

import csv
import io
import json
import math
import os
import re
import tempfile
from dataclasses import dataclass, field

import generators
import targets
from bench import Failed
from tables import figure, goal, median, table

CONNECTIONS = 50
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass
class Case:
    """A server, a rate, and for how long; times in s."""

    name: str
    rate: int
    seconds: int
    options: list
    # (deaf, deaf-every)
    stall: tuple = ()
    k6_users: list = field(default_factory=lambda: [50])

    def truth(self, quantile):
        """What a user sees by calculation, in ms; None where the server's own report is the truth.

        With a stall of L in every P, a start that is due u into a stall waits L − u: the share that waits longer than x is
        (L − x) / P, so that the q-th quantile is L − (1 − q) × P where that is above nothing.
        """
        if not self.stall:
            return None
        length, period = self.stall
        value = (length - (1 - quantile) * period) * 1000
        return value if value > 0 else None


CASES = [
    Case("every answer after 5 ms, 2000/s", 2000, 10, ["--delay", "5ms"]),
    Case("1 ms, one in 100 after 200 ms, 2000/s", 2000, 10, ["--delay", "1ms", "--slow-every", "100", "--slow", "200ms"]),
    Case("deaf for 1 s in every 10 s, 2000/s", 2000, 20, ["--deaf", "1s", "--deaf-every", "10s"], (1, 10), [50, 2500]),
    Case("deaf for 1 s in every 5 s, 500/s", 500, 20, ["--deaf", "1s", "--deaf-every", "5s"], (1, 5), [50, 2500]),
]


def section(bench):
    text = "## Accuracy at a constant rate\n\n"
    text += (
        f"At most {CONNECTIONS} connections; of k6 as many users as the row says. *Server* is the time from a request's arrival to its answer as the\n"
        "server itself saw it, in bench-concurrent's run. *Calculated* is the response time of users who arrive on schedule.\n\n")
    for case in CASES:
        text += _case(bench, case)
    return text + bench.take_notes()


def _case(bench, case):
    runs_of = {"**bench-concurrent**": _own}
    if bench.peer("wrk2"):
        runs_of["wrk2"] = _wrk2
    else:
        bench.note("wrk2 is missing (it is in no package: build it and put it on the PATH)")
    if bench.peer("k6"):
        for users in case.k6_users:
            runs_of[f"k6, {users} users"] = lambda bench, case, url, users=users: _k6(bench, case, url, users)
    if bench.peer("hey"):
        runs_of["hey -q"] = _hey
    runs = {name: [] for name in runs_of}
    for _ in range(bench.rounds):
        for name, run in runs_of.items():
            runs[name].append(bench.attempt(f"{name.strip('*')}: {case.name}", _measure, case, run))
    server = [run["server"] for run in runs["**bench-concurrent**"] if run]
    rows = [["server", *(figure(median([report.get(key) for report in server]), 4) for key in PERCENTILES), "", ""]]
    if case.stall:
        rows.append(["calculated", *(figure(case.truth(quantile), 4) for quantile in PERCENTILES.values()), "", ""])
    for name, of in runs.items():
        measured = [run for run in of if run]
        values = {key: median([run.get(key) for run in measured]) for key in [*PERCENTILES, "cpu"]}
        said = sorted({run["remark"] for run in measured if run["remark"]})
        rows.append(
            [name, *(figure(values[key], 4) for key in PERCENTILES), figure(values["cpu"]), "; ".join(said)])
        truth, value = case.truth(0.99), values["p99"]
        if truth and value:
            rows[-1][-1] = "; ".join([f"P99 {100 * (value / truth - 1):+.1f} %", *said])
    text = table([case.name, "P50 ms", "P95 ms", "P99 ms", "P99.9 ms", "CPU % of a core", ""], rows) + "\n"
    return text + _goal(case, median([run["p99"] for run in runs["**bench-concurrent**"] if run]))


def _goal(case, p99):
    truth = case.truth(0.99)
    if not truth:
        return ""
    error = None if p99 is None else abs(p99 / truth - 1) * 100
    return goal("bench-concurrent's P99 off the calculated one by", error, 3, " %") + "\n"


def _measure(bench, case, run):
    with targets.known_delay(bench.programs, bench.cores.target, case.options) as server:
        outcome, values, remark = run(bench, case, server.url)
    return {
        **values, "remark": remark, "cpu": (outcome.user + outcome.system) / case.seconds * 100,
        "server": server.report.get("acquireMs") or {},
    }


def _own(bench, case, url):
    options = ["--rate", f"{case.rate}/s", "--max-in-flight", str(CONNECTIONS)]
    outcome, document = generators.bench_concurrent(bench, url, options, case.seconds)
    counters = document["counters"]
    lost = [f"{counters[name]} {name}" for name in ("dropped", "censored") if counters.get(name)]
    saturated = ["saturated"] if document["generator"]["saturated"] else []
    return outcome, {key: document["metrics"]["all"][key] for key in PERCENTILES}, ", ".join(lost + saturated)


def _wrk2(bench, case, url):
    outcome = generators.wrk2(bench, url, CONNECTIONS, case.seconds, case.rate)
    units = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 60e3}
    values = {}
    # Its summary leaves the 95th percentile out.
    for key, percent in {"p50": "50.000%", "p99": "99.000%", "p999": "99.900%"}.items():
        found = re.search(re.escape(percent) + r"\s+([\d.]+)(us|ms|s|m)\b", outcome.stdout)
        values[key] = float(found[1]) * units[found[2]] if found else None
    return outcome, values, ""


def _k6(bench, case, url, users):
    with tempfile.TemporaryDirectory(prefix="infrabench-k6-") as folder:
        summary = os.path.join(folder, "summary.json")
        outcome = generators.k6(bench, url, users, case.seconds, "plain", case.rate, summary)
        with open(summary) as file:
            metrics = json.load(file)["metrics"]
    durations = metrics["http_req_duration"]
    dropped = int(metrics.get("dropped_iterations", {}).get("count", 0))
    values = {"p50": durations["med"], "p95": durations["p(95)"], "p99": durations["p(99)"], "p999": durations["p(99.9)"]}
    return outcome, values, f"{dropped} dropped" if dropped else ""


def _hey(bench, case, url):
    outcome = generators.hey(bench, url, CONNECTIONS, case.seconds, case.rate)
    rows = csv.DictReader(io.StringIO(outcome.stdout))
    times = sorted(float(row["response-time"]) * 1000 for row in rows)
    if not times:
        raise Failed("it printed no times")
    values = {key: times[math.ceil(quantile * len(times)) - 1] for key, quantile in PERCENTILES.items()}
    rate = len(times) / case.seconds
    return outcome, values, f"only {rate:.0f}/s" if rate < 0.98 * case.rate else ""
