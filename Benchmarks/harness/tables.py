"""Medians and Markdown tables."""

import statistics


def median(values):
    """The median of what was measured; None where nothing was."""
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None


def figure(value, digits=3):
    """Three significant digits, and never an exponent."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}".replace(",", " ") if abs(value) >= 10000 else f"{value:.0f}"
    text = f"{value:.{digits}g}"
    return f"{value:.{digits}f}" if "e" in text else text


def times(value, base):
    """How many times as much as the base."""
    return "–" if value is None or not base else f"{value / base:.2f} ×"


def goal(what, value, bound, unit=""):
    """A line that says whether a goal was met; `bound` is the most, or, negative, the least."""
    relation, limit = ("≤", bound) if bound >= 0 else ("≥", -bound)
    if value is None:
        verdict = "not measured"
    else:
        verdict = f"{figure(value)}{unit}, " + ("met" if (value <= limit) == (bound >= 0) else "missed")
    return f"- goal: {what} {relation} {figure(limit)}{unit}: **{verdict}**\n"


def ratio(value, base):
    """None where either is missing."""
    return None if value is None or not base else value / base


def table(header, rows):
    """A Markdown table, the first column to the left and the others to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
