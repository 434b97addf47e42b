"""results.json: the machine, and for every section its rows and when they were measured."""

import json
import os
import pathlib


class ResultsError(Exception):
    """A file of results cannot be used."""


def read(path):
    """The results at a path; empty ones if there is no file."""
    try:
        results = json.loads(path.read_text())
    except FileNotFoundError:
        return {"format": 1, "machine": {}, "sections": {}}
    except ValueError as error:
        raise ResultsError(f"{path} is no JSON: {error}") from None
    if not isinstance(results, dict) or results.get("format") != 1:
        raise ResultsError(f"{path} has no results of this program: its \"format\" is not 1")
    return results


def merged(old, machine, sections):
    """The old results with some sections replaced.

    Sections of another machine cannot stand beside new ones, so they are dropped.
    """
    same = all(old["machine"].get(key) == machine[key] for key in ("processor", "cores"))
    kept = old["sections"] if same else {}
    return {"format": 1, "machine": machine, "sections": dict(sorted((kept | sections).items()))}


def write(path, results):
    """Replaces the file at once, so that an interrupted run leaves the old one."""
    temporary = pathlib.Path(f"{path}.new")
    temporary.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    os.replace(temporary, path)
