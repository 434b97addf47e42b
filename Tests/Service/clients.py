"""Tests the examples that call and deploy the service; Scripts/test-service runs it.

    clients.py ALBEF EXAMPLES FOLDER

Starts the service by the command of kubernetes.yaml, with folders in place of its volumes, and a second
model that answers questions. Compares what client.py and client.sh print with each other and with the
folder of images.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ALBEF, EXAMPLES, OUT = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
KEY = secrets.token_hex(16)


def run(*arguments):
    done = subprocess.run([ALBEF, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"albef {' '.join(map(str, arguments))}: {done.stderr}")


def check(holds, what):
    if not holds:
        sys.exit(f"clients: {what}; the service's log is {OUT / 'log'}")


def prepare():
    """Draws scenes, makes an index where the volume is, and a model for questions that is trained enough
    to answer, not to be right."""
    scenes, volume = OUT / "scenes", OUT / "data"
    run("wardrobe", "tasks", "--count", 40, "--side", 96, "--output", scenes)
    run("index", "add", scenes / "images", "--model", "wardrobe", "--index", volume / "index")
    run("finetune", "vqa", "--model", "wardrobe", "--config", EXAMPLES / "training/drawn-tasks.yaml",
        "--train", scenes / "questions-train.json", "--run", OUT / "vqa", "--set", "training.epochs=1",
        "--set", "training.batch_size=36", "--set", "optimizer.warmup_steps=1")
    return sorted(path.name for path in (scenes / "images").iterdir())


class Deployment:
    """The service of kubernetes.yaml, as a process."""

    def __init__(self):
        with open(EXAMPLES / "serving/kubernetes.yaml") as file:
            documents = {each["kind"]: each for each in yaml.safe_load_all(file)}
        [self.container] = documents["Deployment"]["spec"]["template"]["spec"]["containers"]
        places = {each["mountPath"]: OUT / each["name"] for each in self.container["volumeMounts"]}
        for folder in places.values():
            folder.mkdir(exist_ok=True)
        for name, text in documents["ConfigMap"]["data"].items():
            (places["/etc/albef"] / name).write_text(text)
        (places["/etc/albef-key"] / "key").write_text(KEY)

        def place(word):
            for mount, folder in places.items():
                if word.startswith(mount + "/"):
                    return str(folder) + word[len(mount):]
            return "0" if word == "8080" else word

        command = [ALBEF, *map(place, self.container["args"]), "--questions", str(OUT / "vqa/last"),
                   "--log-level", "warning"]
        self.process = subprocess.Popen(command, stdout=open(OUT / "address", "w"), stderr=open(OUT / "log", "w"))
        end = time.monotonic() + 120
        while not (found := re.match(r"listening on http://0\.0\.0\.0:(\d+)\n", (OUT / "address").read_text())):
            check(self.process.poll() is None, "the service did not start")
            check(time.monotonic() < end, "the service did not begin to listen")
            time.sleep(0.05)
        self.address = f"http://localhost:{found[1]}"

    def status(self, path, host):
        request = urllib.request.Request(self.address + path, headers={"Host": host})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def probe(self):
        """Asks as the kubelet does."""
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = self.container[name]["httpGet"]
            [header] = probe["httpHeaders"]
            check(header["name"] == "Host", f"{name} sends {header}")
            check(self.status(probe["path"], header["value"]) == 200, f"{name} fails")
        check(self.status("/health/ready", "10.1.2.3:8080") == 421, "the probes need no Host any more")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        check(self.process.wait() == 0, "SIGTERM does not end the service with status 0")


def client(kind, address, *arguments, key=None, fails=False):
    """Returns what a client prints; of one that should fail, its errors."""
    environment = {**os.environ, "ALBEF_URL": address, "no_proxy": "*"}
    environment.pop("ALBEF_KEY", None)
    if key:
        environment["ALBEF_KEY"] = key
    program = [sys.executable] if kind == "py" else ["sh"]
    done = subprocess.run([*program, EXAMPLES / f"serving/client.{kind}", *map(str, arguments)],
                          capture_output=True, text=True, env=environment)
    check((done.returncode != 0) == fails, f"client.{kind} {arguments}: {done.stderr}{done.stdout}")
    return done.stderr if fails else done.stdout


def test(address, names):
    def both(*arguments, **options):
        return client("py", address, *arguments, **options), client("sh", address, *arguments, **options)

    # Search: the words need quoting in JSON.
    lines, document = both("search", 'a "red" top\\', 5)
    found = [line.split(maxsplit=2) for line in lines.splitlines()]
    expected = json.loads(document)["results"]
    check(len(found) == 5 and found == [[str(r["match_probability"]), r["id"], r["name"]] for r in expected],
          f"the searches differ: {found}, {expected}")

    # Page through: every image once.
    lines, pages = both("list", 16)
    listed = [line.split(maxsplit=1) for line in lines.splitlines()]
    pages = [json.loads(page)["images"] for page in pages.splitlines()]
    check([len(page) for page in pages] == [16, 16, 8], f"pages of {[len(page) for page in pages]}")
    check(sorted(name for _, name in listed) == names, "client.py does not list every image once")
    check(listed == [[each["id"], each["name"]] for page in pages for each in page], "the lists differ")

    # Add: refused without the key, found afterwards.
    image = OUT / "scenes/images" / names[0]
    for refusal in both("add", image, fails=True):
        check("401" in refusal, f"an image without the key: {refusal}")
    ids = [client("py", address, "add", image, "place=shelf 7", key=KEY).strip(),
           json.loads(client("sh", address, "add", image, key=KEY))["id"]]
    lines, _ = both("list")
    check(set(ids) <= {line.split()[0] for line in lines.splitlines()} and len(lines.splitlines()) == 42,
          f"the images {ids} were not added")
    with urllib.request.urlopen(f"{address}/api/images/{ids[0]}") as answer:
        metadata = json.load(answer)["metadata"]
    check(metadata == {"name": names[0], "place": "shelf 7"}, f"the metadata is {metadata}")

    # Explain and answer.
    lines, document = both("explain", ids[0], "black top")
    words = [[str(word["share"]), word["word"]] for word in json.loads(document)["words"]]
    check([line.split(maxsplit=1) for line in lines.splitlines()] == words, f"explanations: {lines}, {words}")
    check([word for _, word in words] == ["black", "top"], f"the words are {words}")
    lines, document = both("answer", ids[0], "what colour is the top?")
    answers = [f"{each['score']} {each['text']}" for each in json.loads(document)["answers"]]
    check(answers and lines.splitlines() == answers, f"answers: {lines}, {answers}")
    for refusal in both("explain", "0" * 32, "black top", fails=True):
        check("404" in refusal, f"an unknown image: {refusal}")
    for refusal in both("explain", fails=True):
        check("explain ID WORDS" in refusal, f"no usage: {refusal}")


OUT.mkdir(parents=True)
images = prepare()
deployment = Deployment()
try:
    deployment.probe()
    test(deployment.address, images)
    deployment.stop()
finally:
    deployment.process.kill()
    deployment.process.wait()
print("clients: the clients in Python and shell, and the deployment's command, work", file=sys.stderr)
