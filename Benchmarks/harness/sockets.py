"""Messages over WebSockets: CPU and round trips of sessions that go on, beside k6, against the embedded gateway."""

import json
import os
import tempfile

import generators
import memory
import targets
from tables import figure, median, table

USERS = 1000
MESSAGES = 20


def section(bench):
    text = "## Messages over WebSockets\n\n"
    text += (
        f"{USERS} sessions with {MESSAGES} messages each, one after the other, to the embedded gateway with tasks in its own memory, on the\n"
        "other core. CPU is that of the generator's process, its start and the sessions' set-up included.\n\n")
    names = ["bench-e2e"] + (["k6"] if bench.peer("k6") else [])
    if len(names) == 1:
        bench.note("k6 is missing")
    runs = {name: [] for name in names}
    for _ in range(bench.rounds):
        for name, of in runs.items():
            of.append(bench.attempt(f"{name} with {USERS} sessions", _measure, name))
    figures = {
        name: [median([run[index] for run in of if run]) for index in range(4)] for name, of in runs.items()
    }
    rows = [[f"**{name}**" if name == "bench-e2e" else name, *map(figure, values)] for name, values in figures.items()]
    header = [f"{USERS} sessions", "CPU ms per 1000 messages", "round trip P50 ms", "P99 ms", "peak memory MB"]
    return text + table(header, rows) + "\n" + bench.take_notes()


def _measure(bench, name):
    with targets.mock_gateway(bench.programs, bench.cores.target, memory.gateway(USERS, "100ms")) as url:
        memory.until_warm(url, USERS)
        if name == "k6":
            return _k6(bench, url)
        options = [
            "--gateway-url", url, "--concurrency", str(USERS), "--count", str(USERS), "--messages", str(MESSAGES),
            "--timeout", "120s",
        ]
        outcome, document = bench.run_tool("bench-e2e", options, 200)
        trip = document["metrics"]["message_roundtrip"]
        return _figures(outcome, trip["p50"], trip["p99"])


def _k6(bench, url):
    with tempfile.TemporaryDirectory(prefix="infrabench-k6-") as folder:
        summary = os.path.join(folder, "summary.json")
        outcome = generators.k6_sessions(bench, url, USERS, MESSAGES, summary)
        with open(summary) as file:
            trip = json.load(file)["metrics"]["message_roundtrip"]
    return _figures(outcome, trip["med"], trip["p(99)"])


def _figures(outcome, p50, p99):
    return (outcome.user + outcome.system) * 1e6 / (USERS * MESSAGES), p50, p99, outcome.peak_mb
