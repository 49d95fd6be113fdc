"""The load generators as they are run: each with one core's worth of threads, and kept connections."""

import os

from bench import PEERS

BODY = '{"userId":"benchmark-user-0001","sessionId":"benchmark-session-001"}'


def wrk(bench, url, connections, seconds):
    script = os.path.join(PEERS, "acquire.lua")
    return bench.run(
        [bench.peer("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"{url}/api/acquire"],
        seconds + 60)


def wrk_same_work(bench, url, connections, seconds):
    """What bench-concurrent does: own user ids, the answer read, the task's id kept, the task released."""
    script = os.path.join(PEERS, "same-work.lua")
    return bench.run(
        [bench.peer("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url], seconds + 60)


def wrk2(bench, url, connections, seconds, rate):
    script = os.path.join(PEERS, "acquire.lua")
    return bench.run(
        [
            bench.peer("wrk2"), "-t1", f"-c{connections}", f"-d{seconds}s", f"-R{rate}", "--latency", "-s", script,
            f"{url}/api/acquire",
        ], seconds + 60)


def hey(bench, url, connections, seconds, rate=None):
    pace = [] if rate is None else ["-q", f"{rate / connections:g}", "-o", "csv"]
    return bench.run(
        [
            bench.peer("hey"), "-z", f"{seconds}s", "-c", str(connections), "-cpus", "1", *pace, "-m", "POST", "-T",
            "application/json", "-d", BODY, f"{url}/api/acquire",
        ], seconds + 120)


def k6(bench, url, users, seconds, job, rate=None, summary=None):
    options = ["--summary-export", summary] if summary else []
    environment = {"GATEWAY_URL": url, "USERS": str(users), "DURATION": f"{seconds}s", "JOB": job}
    if rate is not None:
        environment["RATE"] = str(rate)
    return _k6(bench, "http.js", environment, options, seconds + 180)


def k6_sessions(bench, url, users, messages=1, summary=None):
    options = ["--summary-export", summary] if summary else []
    environment = {"GATEWAY_URL": url, "USERS": str(users), "MESSAGES": str(messages)}
    return _k6(bench, "session.js", environment, options, 240)


def _k6(bench, script, environment, options, timeout):
    command = [
        bench.peer("k6"), "run", "--no-usage-report", "--quiet", "--no-color", "--address", "127.0.0.1:0", *options,
        os.path.join(PEERS, script),
    ]
    return bench.run(command, timeout, {**environment, "GOMAXPROCS": "1"})


def bench_concurrent(bench, url, options, seconds):
    """The suite's own; the outcome and the result document."""
    return bench.run_tool(
        "bench-concurrent", ["--gateway-url", url, "--duration", f"{seconds}s", *options], seconds + 90)
