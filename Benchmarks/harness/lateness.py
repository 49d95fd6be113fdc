"""How late the generator starts what is due: by its own figure, against a server that answers at once."""

import json

import generators
import targets
from tables import figure, goal, median, table

RATES = [1000, 5000]
SECONDS = 10
VARIANTS = {"": [], "--precise": ["--precise"], "--threads 2": ["--threads", "2"]}
# What P50 and P99 may be beyond the bare timer's, in µs.
BOUNDS = {"": (10, 60), "--precise": (2, 20)}
# The spin of the bare timer beside --precise, in µs: the suite measures its own.
SPIN = 100


def section(bench):
    text = "## Lateness of starts\n\n"
    text += (
        "From the later of the intended start and the moment a user was free to the first byte written: the generator's own fault\n"
        f"alone. Open loop of {SECONDS} s, at most 50 requests in flight, against a server that answers at once. *Bare timer* is how\n"
        "late the same loop's timer wakes at that rate with nothing else to do, half before and half after the run, on the same core;\n"
        f"beside `--precise` it spins for the last {SPIN} µs. With `--threads 2` both loops share the generator's core.\n\n")
    rows, goals = [], ""
    for rate in RATES:
        runs = {variant: [] for variant in VARIANTS}
        for _ in range(bench.rounds):
            for variant, of in runs.items():
                of.append(bench.attempt(f"lateness at {rate}/s {variant}".rstrip(), _measure, rate, VARIANTS[variant]))
        for variant, of in runs.items():
            values = [median([run[index] for run in of if run]) for index in range(5)]
            name = f"{rate}/s" + (f" `{variant}`" if variant else "")
            rows.append([name, *(figure(value) for value in values)])
            for index, bound in enumerate(BOUNDS.get(variant, ())):
                beyond = median([run[index] - run[index + 2] for run in of if run and run[index] is not None])
                goals += goal(f"P{(50, 99)[index]} at {name} beyond the bare timer's", beyond, bound, " µs")
    header = ["rate", "P50 µs", "P99 µs", "bare timer P50", "bare timer P99", "CPU % of a core"]
    return text + table(header, rows) + "\n" + goals + bench.take_notes()


def _bare_timer(bench, rate, variant):
    spin = [str(SPIN)] if "--precise" in variant else []
    outcome = bench.run([f"{bench.programs}/benchmark-timer", str(rate), str(SECONDS // 2), *spin], SECONDS + 30)
    return json.loads(outcome.stdout)


def _measure(bench, rate, variant):
    options = ["--rate", f"{rate}/s", "--max-in-flight", "50"] + variant
    before = _bare_timer(bench, rate, variant)
    with targets.known_delay(bench.programs, bench.cores.target, []) as server:
        _, document = generators.bench_concurrent(bench, server.url, options, SECONDS)
    after = _bare_timer(bench, rate, variant)
    bare = [(before[name] + after[name]) / 2 for name in ("p50Us", "p99Us")]
    generator = document["generator"]
    median_ms = generator.get("scheduleLatenessP50Ms")
    return (
        None if median_ms is None else median_ms * 1000, generator["scheduleLatenessP99Ms"] * 1000,
        *bare, generator["cpuUtilisation"] * 100)
