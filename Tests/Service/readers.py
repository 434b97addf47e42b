"""Tests several service processes behind nginx; Scripts/test-readers runs it.

    readers.py ALBEF NGINX.CONF FOLDER
"""

import contextlib
import http.client
import json
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ALBEF, TEMPLATE, OUT = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
KEY = secrets.token_hex(16)


def say(text):
    print(f"test-readers: {text}", file=sys.stderr)


def run(*arguments):
    done = subprocess.run([ALBEF, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"albef {' '.join(map(str, arguments))}: {done.stderr}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, method, path, body=None, headers=None):
    """Returns the status, the body and the headers of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def images(port):
    return json.loads(ask(port, "GET", "/api/index")[1])["images"]


def wait(what, condition):
    """Waits for an event; the limit only ends a hang."""
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited in vain until {what}; the logs are in {OUT}")
        time.sleep(0.05)


class Service:
    """A process of `albef serve` at a port of its own."""

    def __init__(self, name, *options):
        self.name, self.options, self.port = name, options, free_port()
        self.start()

    def start(self):
        self.log = open(OUT / f"{self.name}.log", "a")
        self.process = subprocess.Popen(
            [ALBEF, "serve", "--index", OUT / "index", "--settings", OUT / "serve.yaml",
             "--port", str(self.port), *self.options],
            stdout=subprocess.DEVNULL, stderr=self.log)
        wait(f"{self.name} answers", self.answers)

    def answers(self):
        if self.process.poll() is not None:
            sys.exit(f"{self.name} ended; its log is {OUT / self.name}.log")
        with contextlib.suppress(OSError):
            return ask(self.port, "GET", "/health/ready")[0] == 200

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait()


class Traffic:
    """Clients that search, and read what the page reads, one request after the other."""

    def __init__(self, port, count):
        self.port, self.failures, self.done = port, [], 0
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        turn = 0
        while not self.ending.is_set():
            turn += 1
            text = f"person {number} with {turn} red hats"
            requests = [
                ("POST", "/api/search", json.dumps({"text": text, "count": 5}),
                 {"content-type": "application/json"}),
                ("GET", "/api/images?limit=5", None, None),
                ("GET", ("/", "/page.js", "/api/index")[turn % 3], None, None),
            ]
            for method, path, body, headers in requests:
                self.send(method, path, body, headers)

    def send(self, method, path, body, headers):
        try:
            status, answer, _ = ask(self.port, method, path, body, headers)
            if status == 200 and path == "/api/search":
                results = json.loads(answer)["results"]
                if len(results) != 5:
                    status = f"{len(results)} results"
                else:
                    self.thumbnail(results[0]["id"])
        except (OSError, http.client.HTTPException, ValueError) as error:
            status = repr(error)
        with self.lock:
            self.done += 1
            if status != 200:
                self.failures.append(f"{method} {path}: {status}")

    def thumbnail(self, name):
        status, answer, _ = ask(self.port, "GET", f"/api/images/{name}/thumbnail")
        if status != 200 or not answer:
            raise ValueError(f"thumbnail: {status}")

    def more(self, count):
        """Waits until so many further requests were answered."""
        goal = self.done + count
        wait("requests are answered", lambda: self.done >= goal or self.failures)
        self.check()

    def check(self):
        if self.failures:
            sys.exit("failed: " + "; ".join(self.failures[:5]) + f"; the logs are in {OUT}")

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def nginx(ports):
    """Starts nginx with the example, at a free port instead of TLS; returns both."""
    text = TEMPLATE.read_text()
    for known, port in ports.items():
        assert text.count(f"127.0.0.1:{known}") >= 2, f"the example does not name port {known}"
        text = text.replace(f"127.0.0.1:{known}", f"127.0.0.1:{port}")
    port = free_port()
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    text = re.sub(r"(?m)^ *ssl_certificate.*\n", "", text)
    places = "".join(
        f"    {kind}_temp_path {OUT}/nginx-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (OUT / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {OUT}/nginx.pid;\nerror_log {OUT}/nginx.log;\n"
        "events {}\nhttp {\n"
        "    log_format upstreams '$status $request_method $uri $upstream_addr';\n"
        f"    access_log {OUT}/access.log upstreams;\n{places}{text}}}\n")
    arguments = ["nginx", "-e", f"{OUT}/nginx.log", "-c", f"{OUT}/nginx.conf"]
    subprocess.run([*arguments, "-t", "-q"], check=True)
    process = subprocess.Popen(arguments)

    def answers():
        with contextlib.suppress(OSError):
            return ask(port, "GET", "/")[0] == 200

    wait("nginx answers", answers)
    return process, port


def upload(port, file):
    """Adds an image through nginx and returns its id and the cookie that came with the answer."""
    border = secrets.token_hex(8)
    body = (f"--{border}\r\ncontent-disposition: form-data; name=image; filename=new.png\r\n\r\n"
            .encode() + file.read_bytes() + f"\r\n--{border}--\r\n".encode())
    status, answer, headers = ask(
        port, "POST", "/api/images", body,
        {"content-type": f"multipart/form-data; boundary={border}",
         "authorization": f"Bearer {KEY}"})
    if status != 201:
        sys.exit(f"an upload was answered with {status}: {answer.decode()}")
    return json.loads(answer)["id"], headers["set-cookie"].split(";")[0]


def served(service):
    """Returns how many requests a service answered through nginx."""
    lines = (OUT / "access.log").read_text().splitlines()
    return sum(
        line.startswith("200 ") and line.endswith(f"127.0.0.1:{service.port}") for line in lines)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / "key").write_text(KEY + "\n")
    (OUT / "serve.yaml").write_text("trusted_proxies: [127.0.0.1]\n")
    for seed, count in ((1, 60), (2, 40), (3, 1)):
        run("wardrobe", "generate", "--count", count, "--seed", seed,
            "--output", OUT / f"scenes-{seed}")
    run("index", "add", OUT / "scenes-1/images", "--index", OUT / "index", "--model", "wardrobe")

    with contextlib.ExitStack() as stack:
        writer = Service("writer", "--key-file", OUT / "key")
        stack.callback(lambda: writer.stop(signal.SIGKILL))
        readers = [Service("reader-1"), Service("reader-2")]
        for reader in readers:
            stack.callback(lambda each=reader: each.stop(signal.SIGKILL))
        process, port = nginx(
            {8080: writer.port, 8081: readers[0].port, 8082: readers[1].port})
        stack.callback(process.wait)
        stack.callback(process.kill)
        traffic = Traffic(port, 4)
        stack.callback(traffic.end)
        traffic.more(60)

        say("another program and a client add images")
        run("index", "add", OUT / "scenes-2/images", "--index", OUT / "index")
        scene = next((OUT / "scenes-3/images").iterdir())
        name, cookie = upload(port, scene)
        # Who has written finds it at once, whichever process answers others.
        status, _, _ = ask(port, "GET", f"/api/images/{name}", headers={"cookie": cookie})
        if status != 200:
            sys.exit(f"the client that added an image does not find it: {status}")
        for service in (writer, *readers):
            wait(f"{service.name} serves what was added", lambda s=service: images(s.port) == 101)
            assert ask(service.port, "GET", f"/api/images/{name}")[0] == 200
        for service in readers:
            status, _, _ = ask(
                service.port, "DELETE", f"/api/images/{name}",
                headers={"authorization": f"Bearer {KEY}"})
            assert status == 403, f"a reader let a client write: {status}"
        traffic.more(60)

        say("one reader is stopped, another is killed, and the writer is away")
        for service, number in (
                (readers[0], signal.SIGTERM), (readers[1], signal.SIGKILL),
                (writer, signal.SIGTERM)):
            service.stop(number)
            traffic.more(60)
            known = served(service)
            service.start()
            # nginx asks it again once the time for which it left it out has passed.
            wait(f"nginx asks {service.name} again", lambda: served(service) > known)
            traffic.more(60)
        traffic.end()
        traffic.check()
        for service in readers:
            assert served(service) > 100, f"{service.name} was asked {served(service)} times"
        again = (OUT / "access.log").read_text().count(",")
        say(f"{traffic.done} requests were answered, {again} of them by a second process")


main()
