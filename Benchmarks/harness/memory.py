"""Peak memory with 5000 users: HTTP against nginx, WebSocket against the embedded gateway with tasks in its own memory."""

import time

import cpu
import generators
import targets
from bench import Failed
from tables import figure, goal, median, table, times

USERS = 5000
# Every program takes so long to start that all sessions are open together.
STARTUP = "5s"


def gateway(users, startup):
    """The options of an embedded gateway with a warm task for each user."""
    return [
        "--virtual-tasks", "--pool-size", str(users), "--max-size", str(users), "--max-tasks", str(users),
        "--task-start-delay", "0ms", "--startup-delay", startup,
    ]


def section(bench):
    text = f"## Memory with {USERS} users\n\n"
    text += "Peak resident memory of the whole process. WebSocket users hold their sessions at the same time: each waits 5 s for its\nprogram, says something, and hears the answer.\n\n"
    http = _http(bench)
    sockets = _sockets(bench)
    own = median(http["bench-concurrent"]), median(sockets["bench-e2e"])
    rows = [
        ["**bench-concurrent**, HTTP", figure(own[0]), ""], *_peers(http, "bench-concurrent", "HTTP", own[0]),
        ["**bench-e2e**, WebSocket", figure(own[1]), ""], *_peers(sockets, "bench-e2e", "WebSocket", own[1]),
    ]
    text += table([f"{USERS} users", "peak memory MB", "beside the suite's tool"], rows) + "\n"
    text += goal("HTTP users", own[0], 30, " MB") + goal("WebSocket users", own[1], 90, " MB")
    return text + bench.take_notes()


def _peers(figures, own_name, kind, own):
    return [
        [f"{name}, {kind}", figure(median(of)), times(median(of), own)]
        for name, of in figures.items() if name != own_name
    ]


def _http(bench):
    runs_of = {name.strip("*"): run for name, run in cpu.available(bench).items()}
    memory = {name: [] for name in runs_of}
    if not bench.peer("nginx"):
        bench.note("nginx is missing: no HTTP")
        return memory
    with targets.nginx(bench.peer("nginx"), bench.cores.target) as server:
        for _ in range(bench.rounds):
            for name, run in runs_of.items():
                figures = bench.attempt(f"memory of {name} at {USERS} users", cpu.measure, server, run, USERS)
                memory[name].append(figures and figures["memory"])
    return memory


def _sockets(bench):
    memory = {"bench-e2e": [], **({"k6": []} if bench.peer("k6") else {})}
    for _ in range(bench.rounds):
        for name, of in memory.items():
            of.append(bench.attempt(f"memory of {name} at {USERS} WebSocket users", _session_memory, name))
    return memory


def _session_memory(bench, name):
    """A gateway of its own for each run: every session takes a task away."""
    with targets.mock_gateway(bench.programs, bench.cores.target, gateway(USERS, STARTUP)) as url:
        until_warm(url, USERS)
        if name == "k6":
            return generators.k6_sessions(bench, url, USERS).peak_mb
        options = ["--gateway-url", url, "--concurrency", str(USERS), "--count", str(USERS), "--timeout", "120s"]
        return bench.run_tool("bench-e2e", options, 150)[0].peak_mb


def until_warm(url, users):
    """Waits until the gateway has a warm task for each user."""
    deadline = time.monotonic() + 60
    while targets.warm_count(url) < users:
        if time.monotonic() > deadline:
            raise Failed(f"the gateway has {targets.warm_count(url)} warm tasks after 60 s, not {users}")
        time.sleep(0.2)
