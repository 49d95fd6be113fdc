"""How late the generator starts what is due: by its own figure, against a server that answers at once."""

import generators
import targets
from tables import figure, goal, median, ratio, table

RATES = [1000, 5000]
SECONDS = 10


def section(bench):
    text = "## Lateness of starts\n\n"
    text += (
        "From the later of the intended start and the moment a user was free to the first byte written: the generator's own fault\n"
        f"alone. Open loop of {SECONDS} s, at most 50 requests in flight, against a server that answers at once.\n\n")
    rows, goals = [], ""
    for rate in RATES:
        runs = {False: [], True: []}
        for _ in range(bench.rounds):
            for precise, of in runs.items():
                name = f"lateness at {rate}/s" + (" --precise" if precise else "")
                of.append(bench.attempt(name, _measure, rate, precise))
        figures = {
            precise: [median([run[index] for run in of if run]) for index in range(3)] for precise, of in runs.items()}
        for precise, values in figures.items():
            rows.append([f"{rate}/s" + (" `--precise`" if precise else ""), *(figure(value) for value in values)])
        for index, (name, bound) in enumerate([("P50", 30), ("P99", 60)]):
            usual, precise = figures[False][index], figures[True][index]
            goals += goal(f"{name} at {rate}/s", usual, bound, " µs")
            goals += goal(f"{name} at {rate}/s with `--precise`, beside without", ratio(precise, usual), 1 / 20, " ×")
    return text + table(["rate", "P50 µs", "P99 µs", "CPU % of a core"], rows) + "\n" + goals + bench.take_notes()


def _measure(bench, rate, precise):
    options = ["--rate", f"{rate}/s", "--max-in-flight", "50"] + (["--precise"] if precise else [])
    with targets.known_delay(bench.programs, bench.cores.target, []) as server:
        _, document = generators.bench_concurrent(bench, server.url, options, SECONDS)
    generator = document["generator"]
    median_ms = generator.get("scheduleLatenessP50Ms")
    return (
        None if median_ms is None else median_ms * 1000, generator["scheduleLatenessP99Ms"] * 1000,
        generator["cpuUtilisation"] * 100)
