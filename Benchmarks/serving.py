"""Loads `albef serve` from many connections: requests per second, latencies, errors, memory.

    python3 Benchmarks/serving.py --index INDEX [--seconds 8] [--candidates 16 64]
    python3 Benchmarks/serving.py --index INDEX --requests 20000        # memory, every 1,000 requests

Starts .build/release/albef itself, with batching (16 queries) and without (1), both without cached
responses. Connections stay open; each sends one text after another, all different. Client and
service share the machine's cores.
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import tempfile
import time

COLOURS = ["black", "white", "red", "blue", "green", "yellow", "orange", "purple"]
CHINESE = ["黑色", "白色", "红色", "蓝色", "绿色", "黄色", "橙色", "紫色"]


def text(number):
    generator = random.Random(number)
    a, b, c, d = (generator.randrange(8) for _ in range(4))
    if number % 2:
        return f"左边{CHINESE[a]}上衣{CHINESE[b]}裤子，右边{CHINESE[c]}上衣{CHINESE[d]}裙子"
    return f"{COLOURS[a]} top and {COLOURS[b]} trousers, {COLOURS[c]} top and {COLOURS[d]} skirt"


class Service:
    def __init__(self, options, queries):
        self.settings = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.settings.write(
            f"batching: {{queries: {queries}, cached_answers: 0, waiting: {options.waiting}}}\n")
        self.settings.flush()
        self.process = subprocess.Popen(
            [options.program, "serve", "--index", options.index, "--port", "0", "--log-level",
             "error", "--settings", self.settings.name] + options.model,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def megabytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        return self.process.wait()


async def connection(port, candidates, take, record):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (number := take()) is not None:
        body = json.dumps({"text": text(number), "candidates": candidates, "count": 10}).encode()
        start = time.perf_counter()
        writer.write(
            b"POST /api/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        await reader.readexactly(length)
        record(int(head[9:12]), time.perf_counter() - start, start)
    writer.close()


def run(port, connections, candidates, seconds=None, requests=None, on_thousand=None):
    numbers = iter(range(10**9))
    times, statuses = [], {}
    begin = time.perf_counter()
    end = begin + seconds if seconds else None

    def take():
        if end is not None and time.perf_counter() >= end:
            return None
        number = next(numbers)
        if requests is not None and number >= requests:
            return None
        if on_thousand and number % 1000 == 0:
            on_thousand(number)
        return number

    def record(status, duration, start):
        statuses[status] = statuses.get(status, 0) + 1
        if status == 200:
            times.append(duration)

    async def everything():
        await asyncio.gather(
            *(connection(port, candidates, take, record) for _ in range(connections)))

    asyncio.run(everything())
    return times, statuses, time.perf_counter() - begin


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(share * len(times)))] * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=".build/release/albef")
    parser.add_argument("--index", required=True)
    parser.add_argument("--model", default="wardrobe")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--candidates", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--waiting", type=int, default=256)
    parser.add_argument("--requests", type=int, default=None)
    options = parser.parse_args()
    options.model = ["--model", options.model]

    if options.requests:
        service = Service(options, 16)
        run(service.port, 8, options.candidates[0], requests=500)
        times, statuses, seconds = run(
            service.port, 8, options.candidates[0], requests=options.requests,
            on_thousand=lambda n: print(f"{n:6} requests  {service.megabytes():7.1f} MB", flush=True))
        print(f"{options.requests} requests  {service.megabytes():7.1f} MB  {statuses}  {seconds:.0f} s")
        print("ended with", service.stop())
        return
    print("candidates connections batching | requests/s   p50 ms   p95 ms   p99 ms | statuses")
    for candidates in options.candidates:
        for connections in options.connections:
            for queries in (16, 1):
                service = Service(options, queries)
                run(service.port, connections, candidates, seconds=1)
                times, statuses, seconds = run(
                    service.port, connections, candidates, seconds=options.seconds)
                service.stop()
                print(
                    f"{candidates:10} {connections:11} {'on' if queries > 1 else 'off':>8} |"
                    f" {len(times) / seconds:10.1f} {percentile(times, 0.5):8.1f}"
                    f" {percentile(times, 0.95):8.1f} {percentile(times, 0.99):8.1f} | {statuses}",
                    flush=True)


if __name__ == "__main__":
    main()
