"""Workers: processes that answer one request after another and stay warm in between."""

import json
import os
import signal
import subprocess
import tempfile

from harness import environment

ENGINES = environment.ROOT / "Benchmarks/engines"


class WorkerError(Exception):
    """A worker ended, or answered with an error."""


class Worker:
    """A process that reads a JSON request per line and answers with a line."""

    def __init__(self, name, command, threads):
        self.name = name
        self.errors = tempfile.TemporaryFile()
        count = str(threads)
        settings = {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count,
                    "TOKENIZERS_PARALLELISM": "false", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            # A session of its own: Ctrl-C reaches the harness alone, which then ends the workers.
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.errors, text=True, start_new_session=True,
                env=os.environ | settings)
        except OSError as error:
            self.errors.close()
            raise WorkerError(f"{name} cannot start: {error}") from error

    def ask(self, request):
        """Sends a request, and returns the answer as a dictionary."""
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = ""
        if not line.endswith("\n"):
            raise WorkerError(f"{self.name} ended while it worked on {request}{self.last_words()}")
        try:
            answer = json.loads(line)
        except ValueError:
            raise WorkerError(f"{self.name} answered {line.strip()!r}, which is no JSON") from None
        if "error" in answer:
            raise WorkerError(f"{self.name} cannot do {request}: {answer['error']}")
        return answer

    def last_words(self):
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()[-5:]
        return ":\n  " + "\n  ".join(lines) if lines else ""

    def close(self):
        """Ends the process and whatever it started, and waits for it."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


class Workers:
    """The workers of a section, each started when it is first asked."""

    def __init__(self, measure, threads):
        self.threads = threads
        self.commands = {"measure": [measure]}
        for engine in ("torch", "onnx", "openvino", "pillow", "training"):
            self.commands[engine] = [environment.python(), ENGINES / f"{engine}_engine.py"]
        self.running = {}

    def ask(self, name, request):
        """Asks the worker of a name. `measure:2` is another process of the program `measure`."""
        if name not in self.running:
            command = self.commands[name.partition(":")[0]]
            self.running[name] = Worker(name, command, self.threads)
        return self.running[name].ask(request)

    def close(self):
        while self.running:
            self.running.popitem()[1].close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
