"""CPU per 1000 requests over TLS 1.3, of a closed loop at full speed, against one nginx worker."""

import shutil

import cpu
import generators
import targets
from tables import figure, goal, table, times

CONNECTIONS = 50
GENERATORS = {
    "wrk": lambda bench, url, n: generators.wrk(bench, url, n, bench.seconds),
    "wrk, the same work": lambda bench, url, n: generators.wrk_same_work(bench, url, n, bench.seconds),
    "**bench-concurrent**": lambda bench, url, n: generators.bench_concurrent(
        bench, url, ["--insecure", "--concurrency", str(n)], bench.seconds)[0],
}


class Secure:
    """The same server by its port with TLS; requests are still counted by the other one."""

    def __init__(self, server):
        self.url = server.secure_url
        self.served = server.served


def section(bench):
    text = "## CPU per request over TLS\n\n"
    text += (
        f"{CONNECTIONS} kept connections by TLS 1.3, the handshakes included; nobody checks the certificate. Otherwise as above.\n\n")
    missing = [name for name in ("nginx", "wrk") if not bench.peer(name)] + (
        [] if shutil.which("openssl") else ["openssl"])
    if missing:
        return text + f"{missing[0]} is missing: not measured.\n"
    runs = {name: [] for name in GENERATORS}
    with targets.nginx(bench.peer("nginx"), bench.cores.target, is_secure=True) as server:
        for _ in range(bench.rounds):
            for name, run in GENERATORS.items():
                label = f"{name.strip('*')} over TLS"
                runs[name].append(bench.attempt(label, cpu.measure, Secure(server), run, CONNECTIONS))
    figures = {name: cpu.medians(of) for name, of in runs.items()}
    base = figures["wrk"].get("cpu")
    rows = [
        [name, *(figure(f.get(key)) for key in ("cpu", "user", "system")), times(f.get("cpu"), base), figure(f.get("memory"))]
        for name, f in figures.items()
    ]
    header = [f"{CONNECTIONS} connections, TLS", "CPU ms/1000", "user", "system", "CPU beside wrk", "peak memory MB"]
    bound = goal("CPU beside wrk's over TLS, by round", cpu.by_round(runs, cpu.OWN, "wrk"), 1.4, " ×")
    return text + table(header, rows) + "\n" + bound + bench.take_notes()
