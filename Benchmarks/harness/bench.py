"""What the sections share: where programs are, how long to measure, and the notes on what went wrong."""

import json
import os
import shutil
import sys
import tempfile

import processes

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(os.path.dirname(HERE), "peers")


class Failed(Exception):
    """A measurement that could not be made; its text is for the reader of the tables."""


class Bench:
    def __init__(self, programs, peers, cores, rounds, seconds):
        self.programs = programs
        self.peers = peers
        self.cores = cores
        self.rounds = rounds
        self.seconds = seconds
        self.notes = []

    def peer(self, name):
        """Where a peer's program is; None if it isn't there."""
        return self.peers.get(name) or shutil.which(name)

    def note(self, text):
        """Keeps what belongs under the table, once."""
        if text not in self.notes:
            self.notes.append(text)

    def take_notes(self):
        notes, self.notes = self.notes, []
        return "".join(f"- {note}\n" for note in notes) + ("\n" if notes else "")

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def attempt(self, name, measure, *arguments):
        """One measurement; what fails becomes a note and None."""
        self.say(name)
        try:
            return measure(self, *arguments)
        except (Failed, RuntimeError, OSError, ValueError, KeyError) as problem:
            self.note(f"{name}: {problem or type(problem).__name__}")
            return None

    def run(self, command, timeout, env=None, accepted=(0,)):
        """Runs a generator on its core."""
        outcome = processes.run(command, self.cores.generator, timeout, env)
        if outcome.status not in accepted:
            raise Failed(outcome.complaint())
        return outcome

    def run_tool(self, tool, options, timeout):
        """Runs a tool of the suite; its outcome and its result document.

        A crossed threshold (99) is no failure here: the figures are what is wanted, and thresholds are off but for errors.
        """
        with tempfile.TemporaryDirectory(prefix="infrabench-results-") as folder:
            command = [
                f"{self.programs}/{tool}", *options, "--no-default-thresholds", "--allow-saturated", "--print", "json",
                "--quiet", "--format", "json", "--output-dir", folder,
            ]
            outcome = self.run(command, timeout, accepted=(0, 99))
        document = json.loads(outcome.stdout)
        counters = document["counters"]
        if counters["errors"]:
            raise Failed(f"{counters['errors']} of {counters['iterations']} iterations failed: {document['errors'][:1]}")
        return outcome, document
