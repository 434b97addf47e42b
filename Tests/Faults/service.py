"""Kills the service at steps of its writing, while a client adds, replaces and deletes images."""

import http.client
import json
import signal
import subprocess

from cases import ADD, bitmap
from program import Failure

KEY = "a key that only tests know"
ARGUMENTS = ["serve", "--index", "index", "--model", "model", "--port", "0", "--key-file", "key",
             "--threads", "1", "--log-level", "warning"]


class Service:
    """A running service; `address` is None if it ended before it listened."""

    def __init__(self, program, **faults):
        self.errors = open(program.folder.parent / "service.log", "w+")
        self.process = subprocess.Popen(
            [program.albef, *ARGUMENTS], cwd=program.folder, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=self.errors, env=program.environment(**faults))
        self.address = None
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.address = line.strip().rpartition("/")[2]
                break

    def ask(self, method, path, image=None):
        """Returns the status and the document of an answer; None if the service ended before it."""
        headers, body = {"Authorization": f"Bearer {KEY}"}, None
        if image is not None:
            headers["Content-Type"] = "multipart/form-data; boundary=edge"
            body = (b"--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.bmp\"\r\n"
                    b"Content-Type: image/bmp\r\n\r\n" + image + b"\r\n--edge--\r\n")
        connection = http.client.HTTPConnection(self.address, timeout=120)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def images(self):
        """The names of all images."""
        return {row["id"] for row in self.ask("GET", "/api/images?limit=100")[1]["images"]}

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def change(service):
    """Adds two images, replaces one and deletes the other; returns what was acknowledged."""
    kept, gone, unsure = set(), set(), set()
    for seed in (101, 102):
        answer = service.ask("POST", "/api/images", bitmap(seed))
        if answer is None:
            return kept, gone, unsure, False
        if answer[0] != 201:
            raise Failure(f"POST: {answer}")
        kept.add(answer[1]["id"])
    first, second = sorted(kept)
    answer = service.ask("PUT", f"/api/images/{first}", bitmap(103))
    if answer is None:
        return kept - {first}, gone, {first}, False
    if answer[0] != 200:
        raise Failure(f"PUT: {answer}")
    kept = kept - {first} | {answer[1]["id"]}
    answer = service.ask("DELETE", f"/api/images/{second}")
    if answer is None:
        return kept - {second}, gone, {second}, False
    if answer[0] != 204:
        raise Failure(f"DELETE: {answer}")
    return kept - {second}, {second}, unsure, True


def kills(program, base, stride):
    """Kills the service at steps, and returns how many it has and at how many it was killed."""
    program.reset(base)
    (program.folder / "key").write_text(KEY)
    program.make(*ADD, "index")
    start = program.folder.parent / "start-service"
    program.folder.rename(start)
    program.reset(start)
    program.log.unlink(missing_ok=True)
    service = Service(program, log=program.log)
    before = service.images()
    kept, gone, _, isWhole = change(service)
    service.end()
    if not isWhole or before - kept != before:
        raise Failure("the undisturbed service does not answer")
    steps = program.logged()
    count = 0
    for number in range(stride, len(steps) + 1, stride):
        place = f"kill at step {number} ({' '.join(steps[number - 1][1:])})"
        program.reset(start)
        service = Service(program, action="kill", step=number)
        kept, gone, unsure = set(), set(), set()
        if service.address:
            kept, gone, unsure, _ = change(service)
            # The last steps come when the service ends.
        service.end()
        count += service.process.returncode == -signal.SIGKILL
        after = Service(program)
        if not after.address:
            raise Failure(f"{place}: the service does not start again")
        found = after.images()
        after.end()
        lost, risen = (kept | before) - found, gone & found
        if lost or risen:
            raise Failure(f"{place}: lost {lost}, back again {risen}; unsure {unsure}")
        if any("/uploads" in name or "index.uploads" in name for name in program.temporary()
               if not name.endswith(".albef-uploads")):
            raise Failure(f"{place}: temporary files stay: {program.temporary()}")
    return len(steps), count
