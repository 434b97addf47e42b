"""The protocol of the workers: one JSON request per line of standard input, one answer per line.

A request says what to do in "do", and how often in "calls". An answer has "seconds", the median of
the calls, and "peak_bytes", the largest resident memory of the process so far; or "error".
"""

import json
import os
import pathlib
import resource
import statistics
import sys
import time


def timed(request, call, clock=time.perf_counter):
    """Repeats a call as often as the request says, and returns the answer."""
    seconds = []
    for _ in range(request.get("calls", 1)):
        start = clock()
        call()
        seconds.append(clock() - start)
    return {"seconds": statistics.median(seconds), "peak_bytes": peak_bytes()}


def peak_bytes():
    """The largest resident memory of this process so far, in bytes."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        # In bytes on macOS, in kilobytes elsewhere.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def serve(handlers, before=None):
    """Answers requests until standard input ends.

    `handlers` maps what a request can say in "do" to functions from the request to the answer.
    `before` is called with every request first.
    """
    # Libraries print to standard output, which belongs to the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if before:
                before(request)
            if request["do"] not in handlers:
                raise ValueError(f"cannot do {request['do']!r}, only {', '.join(handlers)}")
            answer = handlers[request["do"]](request)
        except Exception as error:  # the other side reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
