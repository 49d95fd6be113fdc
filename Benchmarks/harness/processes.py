"""Processes that are started here: on a core of their own, measured, and ended by their id."""

import ctypes
import os
import resource
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


@dataclass
class Outcome:
    """How a process ended and what it used; times in seconds."""

    status: int
    stdout: str
    stderr: str
    user: float
    system: float
    peak_mb: float
    timed_out: bool

    def complaint(self):
        """One line that says why it failed."""
        if self.timed_out:
            return "it took too long and was ended"
        lines = [line.strip() for line in (self.stderr + "\n" + self.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines
        return f"exit {self.status}" + (f": {errors[0][:160]}" if errors else "")


def raise_open_files(wanted=65536):
    """5000 connections need more than a shell's limit; only root may go beyond the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
        except (ValueError, PermissionError):
            pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _before_exec(core):
    def prepare():
        if core is not None:
            os.sched_setaffinity(0, {core})
        # However this harness ends, nothing that it started outlives it.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return prepare


def start(command, core, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=None):
    return subprocess.Popen(
        command, stdin=stdin, stdout=stdout, stderr=stderr, env={**os.environ, **(env or {})},
        preexec_fn=_before_exec(core))


def end(process):
    """Ends a process that is still running: asks, waits, then insists."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(command, core, timeout, env=None):
    """Runs a process to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(command, core, stdout=out, stderr=err, env=env)
        try:
            usage, peak_kb, timed_out = _wait(process, time.monotonic() + timeout)
        finally:
            end(process)
        return Outcome(
            status=process.returncode, stdout=_text(out), stderr=_text(err), user=usage.ru_utime,
            system=usage.ru_stime, peak_mb=peak_kb / 1024, timed_out=timed_out)


def _wait(process, deadline):
    """Waits; the process's usage, its peak memory in KB, and whether it had to be ended."""
    seen_kb, timed_out = 0, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            # A child's ru_maxrss begins with what its parent had when it forked: it counts only above that.
            own_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            exact = usage.ru_maxrss > own_kb * 1.1 or not seen_kb
            return usage, usage.ru_maxrss if exact else seen_kb, timed_out
        seen_kb = max(seen_kb, _peak_so_far(process.pid))
        if time.monotonic() > deadline:
            process.kill()
            deadline, timed_out = float("inf"), True
        time.sleep(0.1)


def _peak_so_far(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def _text(file):
    file.seek(0)
    return file.read().decode(errors="replace")
