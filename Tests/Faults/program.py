"""Runs albef with a fault at one step of what it does to files."""

import os
import re
import shutil
import signal
import subprocess

TEMPORARY = re.compile(r"^\.[^.]|\.tmp$|\.partial")


class Failure(Exception):
    """What a command did that it must not do."""


class Program:
    """albef, and the folder whose files the faults concern."""

    def __init__(self, albef, library, scratch, every):
        self.albef, self.library, self.every = albef, library, every
        self.folder, self.log = scratch / "work", scratch / "steps"
        self.folder.mkdir()

    def environment(self, **faults):
        """What the library reads; see faults.c."""
        named = {f"FAULT_{name.upper()}": str(value) for name, value in faults.items()}
        if self.every:
            named["FAULT_EVERY"] = "1"
        return {**os.environ, "LD_PRELOAD": str(self.library), "FAULT_FOLDER": str(self.folder), **named}

    def run(self, *arguments, before=(), **faults):
        """Runs a command, under the library if it has faults; other programs may start it."""
        return subprocess.run(
            [*before, self.albef, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, env=self.environment(**faults) if faults else None, check=False)

    def make(self, *arguments, **faults):
        """Runs a command that must succeed, and returns its output."""
        done = self.run(*arguments, **faults)
        if done.returncode:
            raise Failure(f"albef {' '.join(map(str, arguments))}: {done.returncode} {done.stderr}")
        return done.stdout

    def steps(self, *arguments, **faults):
        """Runs a command that must succeed, and returns its steps: kind, call and path."""
        self.log.unlink(missing_ok=True)
        self.make(*arguments, log=self.log, **faults)
        return self.logged()

    def logged(self):
        """The steps in the log: kind, call and path."""
        return [line.split(" ", 2) for line in self.log.read_text().splitlines()]

    def start(self, *arguments, **faults):
        """Starts a command that stops itself at a step, and returns it when it has."""
        process = subprocess.Popen(
            [self.albef, *map(str, arguments)], cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment(action="stop", **faults))
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise Failure(f"albef {' '.join(map(str, arguments))} did not stop at {faults}")
        return process

    @staticmethod
    def resume(process):
        """Lets a stopped command end, and returns its status and its errors."""
        process.send_signal(signal.SIGCONT)
        errors = process.communicate()[1]
        return process.returncode, errors

    def temporary(self):
        """The temporary files and folders, wherever they are."""
        return sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*")
            if TEMPORARY.search(path.name))

    def reset(self, base):
        """Makes the folder equal to another."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(base, self.folder, symlinks=True)


def check_error(done, *words):
    """Fails unless a command reported one error, in which the words are."""
    if done.returncode < 0:
        raise Failure(f"ended by signal {-done.returncode}: {done.stderr[-600:]}")
    if done.returncode == 0:
        raise Failure("ended with status 0")
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    if len(errors) != 1:
        raise Failure(f"reported {len(errors)} errors: {done.stderr[-600:]}")
    for word in words:
        if word not in errors[0]:
            raise Failure(f"the error does not name '{word}': {errors[0]}")
