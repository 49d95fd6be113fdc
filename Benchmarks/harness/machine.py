"""The machine that figures hold for, and which core does what."""

import datetime
import os
import platform
import subprocess


def facts(cores):
    """What stands above every section's tables."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        f"{now:%Y-%m-%d %H:%M} UTC, commit {_commit()}. {_cpu()}, {os.cpu_count()} logical cores, {_memory_gb():.0f} GB, "
        f"{_system()}, Linux {platform.release()}, {_swift()}; CPU governor: {_governor()}; load before: "
        f"{os.getloadavg()[0]:.1f}; {cores}.")


class Cores:
    """One core for the target and another one for the generator, on different physical cores where there are such."""

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        self.target = self.generator = None
        if len(allowed) > 1:
            self.target = allowed[0]
            physical = _physical(self.target)
            others = [core for core in allowed[1:] if physical is None or _physical(core) != physical]
            self.generator = (others or allowed[1:])[0]
            # The harness sleeps nearly all the time; what it does is not to be on the generator's core.
            os.sched_setaffinity(0, {self.target})

    def __str__(self):
        if self.target is None:
            return "one core for everything: figures say little"
        return f"target on core {self.target}, generator on core {self.generator}"


def _physical(core):
    try:
        with open(f"/sys/devices/system/cpu/cpu{core}/topology/core_id") as file:
            return file.read().strip()
    except OSError:
        return None


def _first(path, prefix):
    try:
        with open(path) as file:
            for line in file:
                if line.startswith(prefix):
                    return line.split(":" if ":" in line else "=", 1)[1].strip().strip('"')
    except OSError:
        pass
    return "unknown"


def _cpu():
    return _first("/proc/cpuinfo", "model name")


def _system():
    return _first("/etc/os-release", "PRETTY_NAME")


def _memory_gb():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _governor():
    try:
        with open("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") as file:
            return file.read().strip()
    except OSError:
        return "not shown by the machine"


def _output(command, folder="."):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=20).stdout.strip()
    except OSError:
        return ""


def _swift():
    words = _output(["swift", "--version"]).split("(")[0].split("Swift version")
    return f"Swift {words[1].strip()}" if len(words) > 1 else "Swift's version unknown"


def _commit():
    folder = os.path.dirname(os.path.abspath(__file__))
    commit = _output(["git", "rev-parse", "--short", "HEAD"], folder) or "unknown"
    return commit + (" with changes" if _output(["git", "status", "--porcelain", "-uno"], folder) else "")
