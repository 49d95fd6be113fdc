"""Makes a manual page (man(7)) of a command that swift-argument-parser describes (--experimental-dump-help, on standard input).

Its own generator (generate-manual) and help2man fill examples into paragraphs, so that a reader can't copy a command. Here what
is indented in a command's discussion keeps its lines, and headings in it become sections of the page.
"""

import argparse
import json
import re
import sys
import textwrap

# What a benchmark's help leaves to the documentation (docs/: exit statuses).
BENCHMARK_EXITS = [
    ("0", "Every threshold was met."),
    ("99", "A threshold was crossed, or the load generator was saturated."),
    ("1", "The run could not be done, or nothing was measured."),
    ("64", "Wrong usage; nothing was started or written."),
    ("129, 130, 131, 143", "SIGHUP, SIGINT, SIGQUIT or SIGTERM ended the run; what was measured is written."),
]
INFRABENCH_EXITS = [
    ("0", "Help, the version or a completion script was printed."),
    ("64", "Wrong usage: no tool of this name, or a wrong option."),
    ("other", "The tool's own; see its page."),
]


def escaped(text):
    """The text as roff shows it unchanged: no hyphenation marks, no curly quotes, no control lines."""
    marks = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
    text = "".join(marks.get(c, c if ord(c) < 128 else f"\\[u{ord(c):04X}]") for c in text)
    return "\\&" + text if text.startswith(".") else text


def filled(text):
    """A paragraph's source lines, none longer than 78 columns where a blank allows it."""
    lines = textwrap.wrap(escaped(text), 76, break_long_words=False, break_on_hyphens=False)
    # A line that begins with a full stop would be a request.
    return [line if not line.startswith(".") else "\\&" + line for line in lines]


def literal(lines, name):
    """Lines that keep their breaks and their indentation beyond the first one's."""
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    # An installed suite is called by its own name; the script is in a checkout only.
    shown = [re.sub(r"\brun-all-tests\.sh\b", name, line[margin:]) for line in lines]
    return [".RS 4", ".EX"] + [escaped(line) for line in shown] + [".EE", ".RE"]


def sections(discussion):
    """The parts of a discussion, each with its heading; the first one has none."""
    found = [("", [])]
    for line in discussion.split("\n"):
        heading = re.fullmatch(r"(Examples):|([A-Z][A-Z ]+[A-Z])(?: \((.*)\))?", line)
        if heading:
            found.append(((heading[1] or heading[2]).upper(), [heading[3][:1].upper() + heading[3][1:] + "."] if heading[3] else []))
        elif re.match(r"Exit status: |Exits with ", line):
            text = re.sub(r"^Exit status: ", "The exit status is ", line)
            found += [("EXIT STATUS", [text]), ("", [])]
        else:
            found[-1][1].append(line)
    return found


def is_indented(line):
    return line.startswith("  ")


def body(heading, lines, name):
    """A section's source: paragraphs are filled, indented lines are kept."""
    out = []
    is_deeper = lambda index: lines[index].startswith("    ") and not lines[index - 1].endswith("\\")
    # Two levels: a sentence, and below it the command that it is about.
    has_two_levels = heading == "EXAMPLES" and any(is_deeper(index) for index in range(1, len(lines)))
    block = []

    def end_block():
        if block:
            out.extend(literal(block, name))
            block.clear()

    for line in lines:
        keeps = heading in ("", "EXAMPLES") and is_indented(line) and (not has_two_levels or line.startswith("    "))
        if keeps:
            block.append(line)
            continue
        end_block()
        if heading == "EXIT STATUS" and " · " in line:
            for item in line.strip().split(" · "):
                status, words = item.split(" ", 1)
                out += [".TP", f".B {escaped(status)}"] + filled(words[:1].upper() + words[1:] + ".")
        elif line.strip():
            if out:
                out.append(".PP")
            out += filled(line.strip())
    end_block()
    return out


def exits(statuses):
    return [line for status, words in statuses for line in [".TP", f".B {escaped(status)}"] + filled(words)]


def option(argument):
    """A tagged paragraph of an option or an argument."""
    value = f"\\fI{escaped(argument.get('valueName', ''))}\\fR"
    if argument["kind"] == "positional":
        tag = value + (" ..." if argument["isRepeating"] else "")
    else:
        dashes = {"short": "\\-", "long": "\\-\\-", "longWithSingleDash": "\\-"}
        names = [dashes[n["kind"]] + escaped(n["name"]) for n in argument["names"] if n["kind"] != "longWithSingleDash"]
        tag = ", ".join(f"\\fB{name}\\fR" for name in names) + (" " + value if argument["kind"] == "option" else "")
    text = argument.get("abstract") or ""
    if argument.get("defaultValue"):
        text += f" (default: {argument['defaultValue']})"
    return [".TP", tag] + (filled(text) or ["\\&"])


def options(arguments):
    shown = [a for a in arguments if a["shouldDisplay"]]
    # As in --help: what has no title comes first where it is an argument, else last.
    titles = list(dict.fromkeys(a.get("sectionTitle", "") for a in shown if a.get("sectionTitle")))
    out = []
    positional = [a for a in shown if a["kind"] == "positional" and not a.get("sectionTitle")]
    if positional:
        out += [".SH ARGUMENTS"] + [line for a in positional for line in option(a)]
    out.append(".SH OPTIONS")
    rest = [a for a in shown if a["kind"] != "positional" and not a.get("sectionTitle")]
    for title in titles:
        out += [f".SS {escaped(title)}"] + [line for a in shown if a.get("sectionTitle") == title for line in option(a)]
    if titles and rest:
        out.append(".SS Other")
    return out + [line for a in rest for line in option(a)]


def synopsis(usage, name):
    out = []
    for line in filter(None, (line.strip().removeprefix("USAGE: ") for line in usage.split("\n"))):
        words = line.replace("<options>", "[options]").split(" ")[1:]
        out += [".br"] if out else []
        out += [f".B {escaped(name)}"] + filled(" ".join(words))
    return out


def page(command, settings):
    name = settings.name
    out = [f'.TH {escaped(name.upper())} 1 {settings.date} "infrabench {escaped(settings.version)}" "infrabench"']
    # Neither hyphens nor stretched blanks: names and values are to be read and copied as they are.
    out += [".nh", ".ad l"]
    named = filled(f"{name} - {command['abstract'].removesuffix('.')}")
    out += [".SH NAME"] + named
    out += [".SH SYNOPSIS"] + synopsis(settings.usage, name)
    parts = sections(command.get("discussion") or "")
    description = [line for heading, lines in parts if not heading for line in lines]
    out += [".SH DESCRIPTION"] + (body("", description, name) or filled(command["abstract"]))
    tools = [c for c in command.get("subcommands") or [] if c["commandName"] != "help"]
    if tools:
        out.append(".SH TOOLS")
        for tool in tools:
            out += [".TP", f".B {escaped(tool['commandName'])}"] + filled(tool["abstract"])
    out += options(command.get("arguments") or [])
    for heading, lines in parts:
        if heading and heading not in ("EXAMPLES", "EXIT STATUS"):
            out += [f".SH {heading}"] + body(heading, lines, name)
    out.append(".SH EXIT STATUS")
    own = [body(heading, lines, name) for heading, lines in parts if heading == "EXIT STATUS"]
    statuses = INFRABENCH_EXITS if tools else BENCHMARK_EXITS
    out += [line for lines in own for line in lines] or exits(statuses)
    for heading, lines in parts:
        if heading == "EXAMPLES":
            out += [".SH EXAMPLES"] + body(heading, lines, name)
    others = [other for other in settings.others.split() if other != name]
    out.append(".SH SEE ALSO")
    out += [f".BR {escaped(other)} (1)" + ("," if other != others[-1] else "") for other in others]
    return "\n".join(out) + "\n"


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
for option_name, words in [
    ("--name", "the program"), ("--version", "the suite's version"), ("--date", "the page's date"),
    ("--usage", "the usage lines of --help"), ("--others", "the programs that have pages"),
]:
    parser.add_argument(option_name, required=True, help=words)
sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(page(json.load(sys.stdin)["command"], parser.parse_args()))
