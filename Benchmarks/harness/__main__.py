"""Runs the chosen sections and prints their tables as Markdown; run.sh prepares what this needs."""

import argparse
import os
import re
import signal
import sys

import accuracy
import comparison
import cpu
import dirinit
import histogram
import lateness
import machine
import memory
import processes
import sockets
import tls
from bench import Bench

SECTIONS = {
    "cpu": cpu, "tls": tls, "sockets": sockets, "memory": memory, "lateness": lateness, "accuracy": accuracy, "histogram": histogram, "dirinit": dirinit,
    "comparison": comparison,
}
# Its tables are no part of docs/performance.md: it runs only when it is asked for.
UNASKED = [name for name in SECTIONS if name != "comparison"]


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/harness")
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--programs", required=True, help="the directory of the release build's programs")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PATH", help="a peer that isn't on the PATH")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--output")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown or options.rounds < 1 or options.seconds < 1:
        parser.error(f"no such section: {unknown[0]}" if unknown else "rounds and seconds are at least 1")

    # An end by signal unwinds like an error does: what was started is ended, temporary directories are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    processes.raise_open_files()
    cores = machine.Cores()
    bench = Bench(
        options.programs, dict(peer.split("=", 1) for peer in options.peer), cores, options.rounds, options.seconds)
    how = f"Medians of {bench.rounds} interleaved rounds, of {bench.seconds} s where nothing else is said."
    for name in options.sections or UNASKED:
        print(name, file=sys.stderr)
        facts = machine.facts(cores)
        text = f"{SECTIONS[name].section(bench).rstrip()}\n\n*{facts} {how}*\n"
        print(text, flush=True)
        if options.output:
            keep(name, text, options.output)


def keep(name, text, path):
    """Puts a section's text into a file: in place of the one between its marks, else at the end."""
    begin, end = f"<!-- {name}: run.sh writes this -->", f"<!-- end of {name} -->"
    block = f"{begin}\n{text}{end}"
    kept = ""
    if os.path.exists(path):
        with open(path) as file:
            kept = file.read()
    pattern = re.escape(begin) + ".*?" + re.escape(end)
    if re.search(pattern, kept, re.DOTALL):
        kept = re.sub(pattern, lambda _: block, kept, flags=re.DOTALL)
    else:
        kept += f"{block}\n"
    with open(path, "w") as file:
        file.write(kept)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
