"""Tests the protocol of the workers, their turns, and that an interrupted run leaves nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support
from harness import alternation
from harness.alternation import Group, Side
from harness.workers import Worker, WorkerError, Workers


def wait_for(condition):
    """Waits until a condition holds, or fails after a minute."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def is_running(number):
    try:
        os.kill(number, 0)
        return True
    except ProcessLookupError:
        return False


class Protocol(unittest.TestCase):
    def setUp(self):
        self.worker = Worker("fake", [sys.executable, "-c", support.WORKER], threads=1)
        self.addCleanup(self.worker.close)

    def test_a_worker_answers_again_and_again(self):
        for seconds in (1, 2):
            self.assertEqual(self.worker.ask({"do": "x", "seconds": seconds})["seconds"], seconds)

    def test_an_error_names_worker_and_request(self):
        with self.assertRaisesRegex(WorkerError, "fake cannot do .*'fail'.*: cannot"):
            self.worker.ask({"do": "fail"})
        # The worker is still there.
        self.assertEqual(self.worker.ask({"do": "x"})["seconds"], 1)

    def test_a_death_is_reported_with_the_last_words(self):
        with self.assertRaisesRegex(WorkerError, "(?s)fake ended .*'die'.*the reason"):
            self.worker.ask({"do": "die"})

    def test_what_is_no_json_is_shown(self):
        with self.assertRaisesRegex(WorkerError, "'no JSON', which is no JSON"):
            self.worker.ask({"do": "garble"})

    def test_a_program_that_is_missing(self):
        with self.assertRaisesRegex(WorkerError, "gone cannot start"):
            Worker("gone", ["/nowhere/program"], threads=1)


class Engines(unittest.TestCase):
    """The Python side of the protocol."""

    def test_serve(self):
        script = ("import protocol\n"
                  "def noisy(request): print('noise'); return protocol.timed(request, int)\n"
                  "protocol.serve({'noisy': noisy})")
        worker = Worker("served", [
            sys.executable, "-c",
            f"import sys; sys.path.insert(0, {str(support.ROOT / 'Benchmarks/engines')!r})\n"
            + script], threads=1)
        self.addCleanup(worker.close)
        answer = worker.ask({"do": "noisy", "calls": 3})
        self.assertGreaterEqual(answer["seconds"], 0)
        self.assertGreater(answer["peak_bytes"], 1_000_000)
        with self.assertRaisesRegex(WorkerError, "cannot do 'other', only noisy"):
            worker.ask({"do": "other"})


class Turns(unittest.TestCase):
    def test_sides_alternate_and_the_first_round_does_not_count(self):
        asked = []

        class Fake:
            def ask(self, worker, request):
                asked.append(worker)
                return {"seconds": len(asked)}

        group = Group("g", [Side("a", "A", {}), Side("b", "B", {})], [])
        found = alternation.measure([group], Fake(), 2, lambda *_, **__: None, pause=0)
        self.assertEqual(asked, ["A", "B", "B", "A", "A", "B"])
        self.assertEqual([answer["seconds"] for answer in found["g"]["a"]], [4, 5])
        self.assertEqual([answer["seconds"] for answer in found["g"]["b"]], [3, 6])


class Interruption(unittest.TestCase):
    """A run of `Benchmarks/bench` whose program hangs, ended by a signal."""

    def interrupted(self, number):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            # The program that hangs as soon as it is asked, and says who it is.
            program = folder / "measure"
            program.write_text(
                f"#!{sys.executable}\nimport os, sys, time\nsys.stdin.readline()\n"
                f"open({str(folder / 'pid')!r} + '.new', 'w').write(str(os.getpid()))\n"
                f"os.rename({str(folder / 'pid')!r} + '.new', {str(folder / 'pid')!r})\n"
                "time.sleep(600)\n")
            program.chmod(0o755)
            results = folder / "results.json"
            results.write_text('{"format": 1, "machine": {}, "sections": {}}')
            before = results.read_bytes()
            # Programs that start tests in the background let them ignore or block signals.
            script = (
                "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
                "signal.pthread_sigmask(signal.SIG_SETMASK, [])\n"
                f"import sys; sys.path.insert(0, {str(support.ROOT / 'Benchmarks')!r})\n"
                "import importlib.machinery, importlib.util, pathlib\n"
                f"loader = importlib.machinery.SourceFileLoader('bench', "
                f"{str(support.ROOT / 'Benchmarks/bench')!r})\n"
                "bench = importlib.util.module_from_spec(\n"
                "    importlib.util.spec_from_loader('bench', loader))\n"
                "loader.exec_module(bench)\n"
                "bench.environment.prepare = lambda say: None\n"
                f"bench.environment.models = lambda: pathlib.Path({str(folder)!r})\n"
                "sys.exit(bench.main())")
            run = subprocess.Popen(
                [sys.executable, "-B", "-c", script, "--only", "memory", "--json", str(results),
                 "--measure", str(program), "--albef", str(program)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(run.kill)
            wait_for(lambda: (folder / "pid").exists() or run.poll() is not None)
            self.assertIsNone(run.poll(), "the run ended by itself")
            worker = int((folder / "pid").read_text())
            run.send_signal(number)
            _, errors = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 130, errors)
            self.assertIn("interrupted", errors)
            self.assertFalse(is_running(worker))
            self.assertEqual(results.read_bytes(), before)
            self.assertEqual({file.name for file in folder.iterdir()},
                             {"measure", "pid", "results.json"})

    def test_control_c(self):
        self.interrupted(signal.SIGINT)

    def test_termination(self):
        self.interrupted(signal.SIGTERM)


class Measure(unittest.TestCase):
    def test_workers_close_all(self):
        workers = Workers("/bin/cat", 1)
        workers.commands["fake"] = [sys.executable, "-c", support.WORKER]
        with workers:
            workers.ask("fake", {"do": "x"})
            numbers = [worker.process.pid for worker in workers.running.values()]
        self.assertFalse(any(map(is_running, numbers)))
        self.assertEqual(workers.running, {})


if __name__ == "__main__":
    unittest.main()
