"""Loads `albef serve` where it once failed: uploads during indexing, and large JSON bodies.

    python3 Benchmarks/service_under_load.py [--images 5000] [--clients 4] [--bodies 8] [--megabytes 18]

(a) A service follows a folder of drawn images. Until all of them are indexed, clients upload images of
    their own, one after another. Prints how many uploads were acknowledged, and how long they took.
(b) Clients send JSON bodies at once to an idle service, while /health/live is polled. Prints the
    longest response, the statuses of the bodies, and the most memory that the service used.

Starts .build/release/albef itself and works in a folder that is deleted afterwards. Clients and
service share the machine's cores.
"""

import argparse
import http.client
import json
import os
import re
import signal
import struct
import subprocess
import tempfile
import threading
import time

KEY = "a key that only benchmarks know"


def bitmap(seed, side):
    """A square 24-bit BMP; its colours depend on the seed."""
    row = bytes((seed * 31 + x * 7) & 255 for x in range(3 * side)) + b"\0" * (-3 * side % 4)
    rows = b"".join(row[3 * (y % 8):] + row[:3 * (y % 8)] for y in range(side))
    # Equal images would be encoded once, so every seed has its own first pixel.
    data = struct.pack("<I", seed)[:3] + rows[3:]
    return b"BM" + struct.pack(
        "<IIIIiiHHIIiiII", 54 + len(data), 0, 54, 40, side, side, 1, 24, 0, len(data), 2835, 2835,
        0, 0) + data


def form(image, query=None):
    """A form with an image, and perhaps a JSON document: its body and its content type."""
    fields = []
    if query is not None:
        fields.append(
            b'content-disposition: form-data; name="query"\r\ncontent-type: application/json\r\n\r\n'
            + json.dumps(query).encode())
    fields.append(
        b'content-disposition: form-data; name="image"; filename="x.bmp"\r\n\r\n' + image)
    body = b"".join(b"--edge\r\n" + field + b"\r\n" for field in fields) + b"--edge--\r\n"
    return body, "multipart/form-data; boundary=edge"


class Service:
    def __init__(self, options, folder, *more):
        with open(os.path.join(folder, "key"), "w") as file:
            file.write(KEY)
        self.log = open(os.path.join(folder, "log"), "a+")
        self.process = subprocess.Popen(
            [os.path.abspath(options.program), "serve", "--index", "index", "--port", "0",
             "--key-file", "key", "--log-level", "warning"] + options.model + list(more),
            cwd=folder, stdout=subprocess.PIPE, stderr=self.log, text=True,
            # Ctrl-C reaches this program alone, which then ends the service.
            start_new_session=True)
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            raise SystemExit(f"the service did not start:\n{self.log.read()}")
        self.port = int(line.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def request(self, method, path, body=None, headers={}, timeout=300):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def memory(self, name):
        with open(f"/proc/{self.process.pid}/status") as status:
            found = re.search(rf"{name}:\s+(\d+)", status.read())
            return int(found.group(1)) / 1024 if found else float("nan")


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(share * len(times)))] * 1000


def uploads(options):
    with tempfile.TemporaryDirectory() as folder:
        photos = os.path.join(folder, "photos")
        os.mkdir(photos)
        for number in range(options.images):
            with open(os.path.join(photos, f"{number:06}.bmp"), "wb") as file:
                file.write(bitmap(number, options.side))
        with Service(options, folder, "--photos", "photos") as service:
            times, failures, lock = [], {}, threading.Lock()
            is_done = threading.Event()
            begin = time.perf_counter()

            def upload(client):
                number = 1_000_000 * (client + 1)
                while not is_done.is_set():
                    number += 1
                    body, kind = form(bitmap(number, options.side))
                    start = time.perf_counter()
                    try:
                        status, _ = service.request("POST", "/api/images", body, {
                            "authorization": f"Bearer {KEY}", "content-type": kind})
                    except OSError as error:
                        status = type(error).__name__
                    with lock:
                        if status == 201:
                            times.append(time.perf_counter() - start)
                        else:
                            failures[status] = failures.get(status, 0) + 1

            clients = [threading.Thread(target=upload, args=(n,)) for n in range(options.clients)]
            for client in clients:
                client.start()
            while True:
                time.sleep(0.5)
                state = json.loads(service.request("GET", "/api/index")[1])
                indexing = state["indexing"]
                with lock:
                    acknowledged = len(times)
                if not indexing["is_running"] and state["images"] >= options.images + acknowledged:
                    break
            seconds = time.perf_counter() - begin
            is_done.set()
            for client in clients:
                client.join()
            total = json.loads(service.request("GET", "/api/index")[1])["images"]
            peak = service.memory("VmHWM")
        print(f"{options.images} images indexed in {seconds:.1f} s beside {options.clients} clients:")
        print(f"  acknowledged {len(times)}, failed {sum(failures.values())} {failures or ''}")
        print(f"  upload p50 {percentile(times, 0.5):.0f} ms, p99 {percentile(times, 0.99):.0f} ms,"
              f" longest {max(times) * 1000:.0f} ms")
        print(f"  in the index {total}, expected {options.images + len(times)};"
              f" peak memory {peak:.0f} MB")


def bodies(options):
    size = options.megabytes * 10**6
    wide = "{" + ",".join(f'"k{n}":1' for n in range(size // 12)) + "}"
    wide = wide.encode()[:size - 1] + b"}"
    with tempfile.TemporaryDirectory() as folder:
        with Service(options, folder) as service:
            service.request("GET", "/health/live")
            before = service.memory("VmRSS")
            answers, lock = {}, threading.Lock()

            def send():
                try:
                    status, _ = service.request(
                        "POST", "/api/search", wide, {"content-type": "application/json"})
                except OSError as error:
                    # The service refused the length, and closed the connection before all was sent.
                    status = type(error).__name__
                with lock:
                    answers[status] = answers.get(status, 0) + 1

            senders = [threading.Thread(target=send) for _ in range(options.bodies)]
            begin = time.perf_counter()
            for sender in senders:
                sender.start()
            longest, asked = 0.0, 0
            while asked == 0 or any(sender.is_alive() for sender in senders):
                start = time.perf_counter()
                status, _ = service.request("GET", "/health/live")
                longest = max(longest, time.perf_counter() - start)
                asked += 1
                assert status == 200, status
            seconds = time.perf_counter() - begin
            peak = service.memory("VmHWM")
        print(f"{options.bodies} bodies of {options.megabytes} MB at once, {seconds:.2f} s: {answers}")
        print(f"  /health/live: {asked} answers, the longest {longest * 1000:.0f} ms")
        print(f"  memory {before:.0f} MB before, {peak:.0f} MB at most")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=".build/release/albef")
    parser.add_argument("--model", default="wardrobe")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--bodies", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=18)
    options = parser.parse_args()
    model = os.path.abspath(options.model)
    options.model = ["--model", model if os.path.isdir(model) else options.model]
    uploads(options)
    bodies(options)


if __name__ == "__main__":
    main()
