"""What the tests of the harness share."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "Benchmarks"))

# A worker that answers in the protocol, without any engine.
WORKER = r"""
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "die":
        print("the reason", file=sys.stderr)
        os._exit(3)
    if request["do"] == "hang":
        open(request["path"], "w").write(str(os.getpid()))
        time.sleep(600)
    if request["do"] == "garble":
        print("no JSON", flush=True)
        continue
    answer = {"seconds": request.get("seconds", 1), "peak_bytes": 5}
    if request["do"] == "fail":
        answer = {"error": "cannot"}
    print(json.dumps(answer), flush=True)
"""
