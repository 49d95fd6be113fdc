"""CPU per 1000 requests, requests a second and peak memory of a closed loop at full speed, against one nginx worker."""

import generators
import targets
from tables import figure, goal, median, ratio, table, times

CONNECTIONS = [1, 50, 5000]

GENERATORS = {
    "wrk": ("wrk", lambda bench, url, n: generators.wrk(bench, url, n, bench.seconds)),
    "hey": ("hey", lambda bench, url, n: generators.hey(bench, url, n, bench.seconds)),
    "k6, acquire only": ("k6", lambda bench, url, n: generators.k6(bench, url, n, bench.seconds, "plain")),
    "k6, the same job as bench-concurrent": (
        "k6", lambda bench, url, n: generators.k6(bench, url, n, bench.seconds, "release")),
    "**bench-concurrent**": (
        None,
        lambda bench, url, n: generators.bench_concurrent(bench, url, ["--concurrency", str(n)], bench.seconds)[0]),
}


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
        "process, its start included, per 1000 requests by nginx's own count; bench-concurrent's requests are acquires and releases.\n\n")
    if not bench.peer("nginx"):
        return text + "nginx is missing: not measured.\n"
    runs_of = available(bench)
    with targets.nginx(bench.peer("nginx"), bench.cores.target) as server:
        for connections in CONNECTIONS:
            runs = {name: [] for name in runs_of}
            for _ in range(bench.rounds):
                for name, run in runs_of.items():
                    label = f"{name.strip('*')} at {connections} connections"
                    runs[name].append(bench.attempt(label, measure, server, run, connections))
            figures = {name: medians(of) for name, of in runs.items()}
            text += _table(connections, figures) + _goals(connections, figures)
    return text + bench.take_notes()


def _goals(connections, figures):
    cpu = {name.strip("*"): f.get("cpu") for name, f in figures.items()}
    own = cpu["bench-concurrent"]
    bound = {50: 1.25, 5000: 1.1}.get(connections)
    if bound is None:
        return ""
    k6 = ratio(cpu.get("k6, the same job as bench-concurrent"), own)
    return (
        goal("bench-concurrent's CPU beside wrk's", ratio(own, cpu.get("wrk")), bound, " ×")
        + goal("k6's CPU beside bench-concurrent's, for the same job", k6, -6, " ×") + "\n")


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
