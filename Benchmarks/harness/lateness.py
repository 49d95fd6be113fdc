"""How late the generator starts what is due: by its own figure, against a server that answers at once."""

import generators
import targets
from tables import figure, goal, median, table

RATES = [1000, 5000]
SECONDS = 10
VARIANTS = {"": [], "--precise": ["--precise"], "--threads 2": ["--threads", "2"]}
# P50 and P99 in µs.
BOUNDS = {"": (30, 60), "--precise": (1, 20)}


def section(bench):
    text = "## Lateness of starts\n\n"
    text += (
        "From the later of the intended start and the moment a user was free to the first byte written: the generator's own fault\n"
        f"alone. Open loop of {SECONDS} s, at most 50 requests in flight, against a server that answers at once. With `--threads 2` both loops\n"
        "share the generator's core.\n\n")
    rows, goals = [], ""
    for rate in RATES:
        runs = {variant: [] for variant in VARIANTS}
        for _ in range(bench.rounds):
            for variant, of in runs.items():
                of.append(bench.attempt(f"lateness at {rate}/s {variant}".rstrip(), _measure, rate, VARIANTS[variant]))
        for variant, of in runs.items():
            values = [median([run[index] for run in of if run]) for index in range(3)]
            name = f"{rate}/s" + (f" `{variant}`" if variant else "")
            rows.append([name, *(figure(value) for value in values)])
            for percentile, value, bound in zip(("P50", "P99"), values, BOUNDS.get(variant, ())):
                goals += goal(f"{percentile} at {name}", value, bound, " µs")
    return text + table(["rate", "P50 µs", "P99 µs", "CPU % of a core"], rows) + "\n" + goals + bench.take_notes()


def _measure(bench, rate, variant):
    options = ["--rate", f"{rate}/s", "--max-in-flight", "50"] + variant
    with targets.known_delay(bench.programs, bench.cores.target, []) as server:
        _, document = generators.bench_concurrent(bench, server.url, options, SECONDS)
    generator = document["generator"]
    median_ms = generator.get("scheduleLatenessP50Ms")
    return (
        None if median_ms is None else median_ms * 1000, generator["scheduleLatenessP99Ms"] * 1000,
        generator["cpuUtilisation"] * 100)
