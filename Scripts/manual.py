"""Makes the manual pages of albef, one per command, from the help of the program.

usage: albef --experimental-dump-help | manual.py VERSION YYYY-MM-DD DIRECTORY
"""

import json
import os
import sys
import textwrap

HIDDEN = ("help", "version")  # every command has them, as albef(1) explains

ENVIRONMENT = (
    ("ALBEF_CACHE", "Where to keep fetched models; default: the user's cache folder."),
    ("ALBEF_MIRROR", "The address of a mirror to fetch models from."),
    ("HF_ENDPOINT", "The address of a mirror of Hugging Face."),
    ("XDG_DATA_HOME", "Where albef-serve(1) keeps the indexes of folders, in its albef/indexes."),
)
STATUS = (
    ("0", "The command succeeded."),
    ("1", "The command failed; standard error has the reason."),
    ("64", "The command line was wrong."),
    ("130", "The command was interrupted; its description says which work is kept."),
)
SPECIAL = {
    "\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti",
    "…": "...",
}


def escaped(text: str) -> str:
    """Escapes a text so that roff shows it unchanged, and readers can copy it."""
    characters = []
    for character in text:
        if character in SPECIAL:
            characters.append(SPECIAL[character])
        elif ord(character) > 126:
            characters.append(rf"\[u{ord(character):04X}]")
        else:
            characters.append(character)
    line = "".join(characters)
    return rf"\&{line}" if line.startswith(".") else line


def bold(text: str) -> str:
    return rf"\fB{escaped(text)}\fR"


def italic(text: str) -> str:
    return rf"\fI{escaped(text)}\fR"


def sentence_case(abstract: str) -> str:
    """The line of a NAME section: no full stop, and no capital unless it begins a name."""
    text = abstract.rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def prose(text: str) -> list[str]:
    words = " ".join(text.split())
    wrapped = textwrap.wrap(words, 68, break_long_words=False, break_on_hyphens=False)
    return [escaped(line) for line in wrapped]


def discussion(text: str) -> list[str]:
    """Formats paragraphs, and examples, which the program indents."""
    lines: list[str] = []
    for block in text.strip("\n").split("\n\n") if text else []:
        lines.append(".PP")
        if block.startswith("  "):
            lines += [".RS 4", ".nf"]
            lines += [escaped(line.removeprefix("  ")) for line in block.split("\n")]
            lines += [".fi", ".RE"]
        else:
            lines += prose(block)
    return lines


def names(argument: dict) -> list[str]:
    dashes = {"short": "-", "long": "--", "longWithSingleDash": "-"}
    return [dashes[name["kind"]] + name["name"] for name in argument["names"]]


def shown(command: dict) -> list[dict]:
    return [
        argument
        for argument in command.get("arguments", [])
        if argument["shouldDisplay"] and argument.get("valueName") not in HIDDEN
    ]


def synopsis(command: dict, path: list[str]) -> list[str]:
    if command.get("subcommands"):
        return [f"{bold(' '.join(path))} {italic('command')}"]
    arguments = shown(command)
    parts = []
    if any(a["isOptional"] and a["kind"] != "positional" for a in arguments):
        parts.append(f"[{italic('options')}]")
    for argument in arguments:
        value = italic(argument["valueName"])
        if argument["kind"] == "positional":
            part = value
        elif not argument["isOptional"]:
            part = f"{bold(names(argument)[-1])} {value}"
        else:
            continue
        if argument["isRepeating"]:
            part += " ..."
        parts.append(f"[{part}]" if argument["isOptional"] else part)
    return [" ".join([bold(" ".join(path)), *parts])]


def described(argument: dict) -> str:
    text = argument.get("abstract", "")
    if values := argument.get("allValues"):
        text += f" (values: {', '.join(values)})"
    if (default := argument.get("defaultValue")) is not None:
        text += f" (default: {default})"
    return text.strip()


def option(argument: dict) -> list[str]:
    value = italic(argument["valueName"])
    if argument["kind"] == "positional":
        tag = value
    else:
        tag = ", ".join(bold(name) for name in names(argument))
        if argument["kind"] == "option":
            tag += f" {value}"
    return [".TP", tag, *prose(described(argument))]


def options(command: dict) -> list[str]:
    lines: list[str] = []
    section = None
    for argument in sorted(shown(command), key=lambda a: a.get("sectionTitle") or ""):
        if (title := argument.get("sectionTitle")) != section:
            lines += [".PP", bold(title or "")]
            section = title
        lines += option(argument)
    return lines


def subcommands(command: dict) -> list[dict]:
    return [
        child
        for child in command.get("subcommands", [])
        if child["shouldDisplay"] and child["commandName"] != "help"
    ]


def headed(title: str, lines: list[str], level: str = "SH") -> list[str]:
    return [f".{level} {title}", *lines] if lines else []


def table(entries: tuple[tuple[str, str], ...]) -> list[str]:
    return [line for name, text in entries for line in (".TP", bold(name), *prose(text))]


def reference(name: str, end: str = "") -> str:
    return rf".BR {escaped(name)} (1){end}"


class Manual:
    def __init__(self, root: dict, version: str, date: str):
        self.root = root
        self.head = f'1 {date} "albef {version}" "Image-text search"'

    def page(self, name: str, abstract: str, body: list[str]) -> str:
        title = escaped(name.upper())
        top = [f".TH {title} {self.head}", ".SH NAME"]
        top.append(rf"{escaped(name)} \- {escaped(sentence_case(abstract))}")
        return "\n".join(top + body) + "\n"

    def overview(self) -> str:
        children = subcommands(self.root)
        listed = []
        for child in children:
            listed += [".TP", reference(f"albef-{child['commandName']}")]
            listed += prose(child["abstract"])
        own = [
            {**argument, "valueName": ""}
            for argument in self.root["arguments"]
            if argument["shouldDisplay"]
        ]
        body = headed("SYNOPSIS", synopsis(self.root, ["albef"]))
        text = prose(self.root["abstract"]) + discussion(self.root.get("discussion", ""))
        body += headed("DESCRIPTION", text)
        body += headed("COMMANDS", listed)
        body += headed("OPTIONS", ["Every command has these."])
        body += [line for argument in own for line in option(argument)]
        body += headed("EXIT STATUS", table(STATUS))
        body += headed("ENVIRONMENT", table(ENVIRONMENT))
        body += headed("FILES", table((("share/doc/albef", "The documentation, beside bin."),)))
        body += headed("SEE ALSO", [reference("albef-search", ","), reference("albef-serve")])
        return self.page("albef", self.root["abstract"], body)

    def command(self, command: dict) -> str:
        path = ["albef", command["commandName"]]
        children = subcommands(command)
        uses = [synopsis(child, path + [child["commandName"]])[0] for child in children]
        uses = uses or synopsis(command, path)
        body = headed("SYNOPSIS", [line for use in uses for line in (use, ".br")][:-1])
        text = prose(command["abstract"]) + discussion(command.get("discussion", ""))
        body += headed("DESCRIPTION", text)
        body += headed("OPTIONS", options(command))
        if children:
            body.append(".SH COMMANDS")
            for child in children:
                title = " ".join(["albef", command["commandName"], child["commandName"]])
                lines = prose(child["abstract"])
                lines += discussion(child.get("discussion", ""))
                body += headed(escaped(title), lines + options(child), "SS")
        body += headed("SEE ALSO", [reference("albef")])
        return self.page("-".join(path), command["abstract"], body)

    def pages(self) -> dict[str, str]:
        made = {"albef": self.overview()}
        for child in subcommands(self.root):
            made[f"albef-{child['commandName']}"] = self.command(child)
        return made


def main(version: str, date: str, directory: str) -> None:
    root = json.load(sys.stdin)["command"]
    os.makedirs(directory, exist_ok=True)
    for name, page in Manual(root, version, date).pages().items():
        with open(os.path.join(directory, f"{name}.1"), "w", encoding="ascii") as file:
            file.write(page)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
