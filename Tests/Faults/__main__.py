"""Lets every step of every command that writes fail; Scripts/test-faults runs it.

    python Tests/Faults ALBEF VOCABULARY SCRATCH [--every | --sample N] [--only WORD]
"""

import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import others
import service
from cases import CASES, TRAIN, fill, write_sources
from program import Failure, Program, check_error
from states import tree


def say(text):
    print(f"test-faults: {text}", file=sys.stderr, flush=True)


# The calls that a defect of the disk lets fail.
FALLIBLE = ("open", "write", "pwrite", "fsync", "rename", "renameat", "renameat2")


class Check:
    """The faults of one command."""

    def __init__(self, program, base, case, sample):
        self.program, self.base, self.case, self.sample = program, base, case, sample
        self.recovered, self.counts = {}, {}

    def prepare(self, scratch):
        """Makes the folder that the command begins with, and finds its steps and its result."""
        program, case = self.program, self.case
        program.reset(self.base)
        for arguments in case.before:
            program.make(*arguments)
        for name in case.deleted:
            (program.folder / name).unlink()
        if case.name == "index repair":
            segment = sorted((program.folder / "index" / "segments").iterdir())[0]
            segment.write_bytes(b"damage" + segment.read_bytes()[6:])
        self.start = scratch / "start"
        shutil.rmtree(self.start, ignore_errors=True)
        shutil.copytree(program.folder, self.start, symlinks=True)
        self.earlier = None if case.name == "index repair" else case.state(program)
        self.steps = program.steps(*case.arguments)
        self.later = case.state(program)
        if self.later is None or self.later == self.earlier:
            raise Failure("changes nothing")
        if program.temporary():
            raise Failure(f"leaves {program.temporary()}")

    def all(self):
        """Tries every step, or a sample of them, with every fault that fits it."""
        stride = 1 if self.program.every else self.case.sample * self.sample
        for number, (kind, call, _) in enumerate(self.steps, 1):
            if number % stride:
                continue
            self.attempt("kill", number)
            if "write" in call:
                self.attempt("tear", number)
            # The disk is full at one of two steps, and has a defect at the other.
            is_even = number // stride % 2 == 0
            if kind == "G" and (is_even or self.program.every):
                self.attempt("full disk", number)
            if call in FALLIBLE and (not is_even or self.program.every):
                self.attempt("defect", number)

    def attempt(self, fault, number):
        call = " ".join(self.steps[number - 1][1:])
        try:
            getattr(self, {"full disk": "fill", "defect": "break_"}.get(fault, "kill"))(fault, number)
        except Failure as failure:
            raise Failure(f"{fault} at step {number} ({call}): {failure}") from None
        self.counts[fault] = self.counts.get(fault, 0) + 1

    def kill(self, fault, number):
        self.program.reset(self.start)
        done = self.program.run(*self.case.arguments, action=fault, step=number)
        if done.returncode != -signal.SIGKILL:
            raise Failure(f"ended with status {done.returncode}, not by the kill: {done.stderr[-600:]}")
        self.check_state()
        self.recover()

    def fill(self, fault, number):
        self.fail(number, errno.ENOSPC, lasting=1)

    def break_(self, fault, number):
        self.fail(number, errno.EIO)

    def fail(self, number, code, **faults):
        self.program.reset(self.start)
        done = self.program.run(*self.case.arguments, action=code, step=number, **faults)
        if done.returncode == 0:
            # What cannot be done may have been unimportant, such as a second attempt.
            if self.case.state(self.program) != self.later:
                raise Failure("ended with status 0, but did not do its work")
        else:
            check_error(done, os.strerror(code))
            self.check_state()
        if self.program.temporary():
            raise Failure(f"left {self.program.temporary()}")
        self.recover()

    def check_state(self):
        """The state must be the earlier or the later one, or one from which the command goes on."""
        if self.case.name == "index repair":
            return
        found = self.case.state(self.program)
        if self.case.resumes or (self.case.gap and found is None):
            return
        if found not in (self.earlier, self.later):
            raise Failure("left neither the earlier nor the later state")

    def recover(self):
        """The same command must do its work now, and leave nothing else behind."""
        key = str(tree(self.program.folder)) + str(self.program.temporary())
        if key in self.recovered:
            return
        done = self.program.run(*self.case.arguments)
        if done.returncode not in self.case.again:
            raise Failure(f"the next attempt ended with status {done.returncode}: {done.stderr[-600:]}")
        if self.case.state(self.program) != self.later:
            raise Failure("the next attempt did not reach the result")
        if self.program.temporary():
            raise Failure(f"the next attempt left {self.program.temporary()}")
        self.recovered[key] = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("albef")
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("scratch", type=Path)
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--every", action="store_true")
    extent.add_argument("--sample", type=int, default=1, metavar="N")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    scratch = options.scratch.resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    library = scratch / "faults.so"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
         Path(__file__).with_name("faults.c"), "-ldl"], check=True)
    program = Program(options.albef, library, scratch, options.every)
    base = scratch / "base"
    write_sources(program.folder, options.vocabulary.read_text())
    program.make(*TRAIN, "trained")
    shutil.copytree(program.folder / "trained" / "last", program.folder / "model")
    program.make(*TRAIN, "second", "--set", "training.seed=7")
    shutil.copytree(program.folder / "second" / "last", program.folder / "other")
    shutil.rmtree(program.folder / "second")
    fill(program.folder)
    shutil.copytree(program.folder, base, symlinks=True)
    begin, failures, total = time.monotonic(), 0, 0
    for case in CASES:
        if options.only not in case.name:
            continue
        start = time.monotonic()
        check = Check(program, base, case, options.sample)
        try:
            check.prepare(scratch)
            check.all()
            faults = ", ".join(f"{count} {name}" for name, count in check.counts.items())
            say(f"{case.name}: {len(check.steps)} steps; {faults}; {time.monotonic() - start:.0f} s")
        except Failure as failure:
            failures += 1
            say(f"FAILED: {case.name}: {failure}")
        total += sum(check.counts.values())
    if options.only in "serve":
        start = time.monotonic()
        try:
            steps, count = service.kills(program, base, 1 if options.every else 6 * options.sample)
            total += count
            say(f"serve: {steps} steps; {count} kill; {time.monotonic() - start:.0f} s")
        except Failure as failure:
            failures += 1
            say(f"FAILED: serve: {failure}")
    failures += others.run_all(program, base, say, options.only)
    say(f"{total} faults in {time.monotonic() - begin:.0f} s; {failures} failures")
    sys.exit(1 if failures else 0)


main()
