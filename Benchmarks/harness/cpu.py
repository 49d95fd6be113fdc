"""CPU per 1000 requests, requests a second and peak memory of a closed loop at full speed, against one nginx worker."""

import generators
import targets
from tables import figure, goal, median, ratio, table, times

CONNECTIONS = [1, 50, 5000, 10000]
# So many connections are only asked of those that are measured against one another.
MANY = 10000

GENERATORS = {
    "wrk": ("wrk", lambda bench, url, n: generators.wrk(bench, url, n, bench.seconds)),
    "wrk, the same work": ("wrk", lambda bench, url, n: generators.wrk_same_work(bench, url, n, bench.seconds)),
    "hey": ("hey", lambda bench, url, n: generators.hey(bench, url, n, bench.seconds)),
    "k6, acquire only": ("k6", lambda bench, url, n: generators.k6(bench, url, n, bench.seconds, "plain")),
    "k6, the same job as bench-concurrent": (
        "k6", lambda bench, url, n: generators.k6(bench, url, n, bench.seconds, "release")),
    "**bench-concurrent**": (
        None,
        lambda bench, url, n: generators.bench_concurrent(bench, url, ["--concurrency", str(n)], bench.seconds)[0]),
    "**bench-concurrent** `--hold`": (
        None,
        lambda bench, url, n: generators.bench_concurrent(
            bench, url, ["--hold", "--concurrency", str(n)], bench.seconds)[0]),
}
OWN = "**bench-concurrent**"
HOLD = "**bench-concurrent** `--hold`"
SAME = "wrk, the same work"
AT_MANY = ["wrk", SAME, OWN]
# By connections: the most CPU beside wrk with the same work and beside bare wrk, and the most memory in MB.
BOUNDS = {1: (None, None, 16), 50: (0.75, 0.95, 20), 5000: (0.65, 0.75, 30)}


def available(bench):
    """The generators that are here; the others are noted."""
    found = {}
    for name, (peer, run) in GENERATORS.items():
        if peer and not bench.peer(peer):
            bench.note(f"{peer} is missing")
        else:
            found[name] = run
    return found


def measure(bench, server, run, connections):
    """One run: what it used, by the server's own count of requests."""
    before = server.served()
    outcome = run(bench, server.url, connections)
    # The second question counts itself.
    requests = server.served() - before - 1
    if requests <= 0:
        raise ValueError("no request arrived")
    return {
        "rate": requests / bench.seconds, "cpu": (outcome.user + outcome.system) * 1e6 / requests,
        "user": outcome.user * 1e6 / requests, "system": outcome.system * 1e6 / requests, "memory": outcome.peak_mb,
    }


def medians(runs):
    """The median of each figure over the rounds."""
    keys = {key for run in runs if run for key in run}
    return {key: median([run[key] for run in runs if run]) for key in keys}


def section(bench):
    text = "## CPU per request, at full speed\n\n"
    text += (
        "A closed loop of kept connections against one nginx worker on the other core. CPU is user and system time of the generator's\n"
        "process, its start included, per 1000 requests by nginx's own count; bench-concurrent's requests are acquires and releases. With `--hold` the releases\n"
        "come after the seconds that are measured, so that its requests/s say nothing.\n\n")
    if not bench.peer("nginx"):
        return text + "nginx is missing: not measured.\n"
    runs_of = available(bench)
    with targets.nginx(bench.peer("nginx"), bench.cores.target) as server:
        for connections in CONNECTIONS:
            asked = {name: run for name, run in runs_of.items() if connections < MANY or name in AT_MANY}
            runs = {name: [] for name in asked}
            for _ in range(bench.rounds):
                for name, run in asked.items():
                    label = f"{name.replace('*', '')} at {connections} connections"
                    runs[name].append(bench.attempt(label, measure, server, run, connections))
            figures = {name: medians(of) for name, of in runs.items()}
            text += _table(connections, figures) + _goals(connections, runs, figures)
    return text + bench.take_notes()


def by_round(runs, name, base, key="cpu"):
    """The median of the ratios within each round, because rounds differ more than generators."""
    pairs = zip(runs.get(name, []), runs.get(base, []))
    return median([ratio(one[key], other[key]) for one, other in pairs if one and other])


def _goals(connections, runs, figures):
    if connections not in BOUNDS:
        return ""
    same, bare, memory = BOUNDS[connections]
    text = ""
    if same:
        text += goal("CPU beside wrk's with the same work, by round", by_round(runs, OWN, SAME), same, " ×")
        text += goal("CPU beside bare wrk's, by round", by_round(runs, OWN, "wrk"), bare, " ×")
        k6 = by_round(runs, "k6, the same job as bench-concurrent", OWN)
        text += goal("k6's CPU beside bench-concurrent's, for the same job", k6, -10, " ×")
    if connections == 50:
        text += goal("`--hold` beside bench-concurrent without it", by_round(runs, HOLD, OWN), 1.05, " ×")
    return text + goal("peak memory", figures[OWN].get("memory"), memory, " MB") + "\n"


def _table(connections, figures):
    base = figures.get("wrk", {}).get("cpu")
    rows = [
        [
            name, figure(f.get("rate"), 4), figure(f.get("cpu")), figure(f.get("user")), figure(f.get("system")),
            times(f.get("cpu"), base), figure(f.get("memory")),
        ]
        for name, f in figures.items()
    ]
    header = [
        f"{connections} connection{'s' if connections > 1 else ''}", "requests/s", "CPU ms/1000", "user", "system",
        "CPU beside wrk", "peak memory MB",
    ]
    return table(header, rows) + "\n"
