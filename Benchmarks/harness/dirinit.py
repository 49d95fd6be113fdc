"""What making a user's directory costs beside the same system calls in C, on a tmpfs."""

import json
import os
import tempfile

from bench import Failed
from tables import figure, goal, median, ratio, table, times

WAYS = {
    "cNs": "C, the same system calls",
    "swiftNs": "**DirectoryWriter** (bench-dirinit's `create`)",
    "cCallNs": "C, the whole call",
    "swiftCallNs": "**DirectoryWriter**, the whole call with its bookkeeping",
    "preparationNs": "**WorkspacePreparation** (a task's own way: checks the path, refuses links), the whole call",
}


def section(bench):
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    text = "## A user's directory\n\n"
    text += (
        f"0700 directory, `.optima`, `.claude`, 0600 token of 200 bytes, no fsync, in `{place}`; medians of 1000 users a round, made\n"
        "alternately.\n\n")
    lines = bench.attempt("directory init", _measure, place) or []
    figures = {way: median([line[way] for line in lines]) for way in WAYS}
    base = {"swiftNs": "cNs", "swiftCallNs": "cCallNs", "preparationNs": "cCallNs"}
    rows = [
        [name, figure(figures[way] and figures[way] / 1000), times(figures[way], figures[base[way]]) if way in base else ""]
        for way, name in WAYS.items()
    ]
    text += table(["", "P50 µs", "beside C"], rows) + "\n"
    return text + goal("`create` beside C", ratio(figures["swiftNs"], figures["cNs"]), 1.05, " ×") + bench.take_notes()


def _measure(bench, place):
    with tempfile.TemporaryDirectory(prefix="infrabench-dirinit-", dir=place) as folder:
        outcome = bench.run([f"{bench.programs}/benchmark-directory-init", folder, str(max(3, bench.rounds))], 300)
    if "debug build" in outcome.stdout:
        raise Failed(outcome.stdout.strip())
    return [json.loads(line) for line in outcome.stdout.splitlines()]
