"""What the measurements ran on."""

import json
import os
import pathlib
import platform
import subprocess
import time

# The instructions that decide how fast matrix products are.
FLAGS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
         "amx_tile", "amx_int8", "amx_bf16", "asimd", "bf16", "i8mm")
# What is named with its version.
PACKAGES = ("torch", "salesforce-lavis", "transformers", "onnxruntime", "openvino", "torchvision",
            "pillow-simd", "pillow")


def processor_field(name):
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() in name:
                return value.strip()
    except OSError:
        pass
    return ""


def cores():
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def describe(python=None):
    """The machine as a dictionary; `python` is the interpreter whose packages are named."""
    flags = set(processor_field(("flags", "Features")).split())
    name = processor_field(("model name", "Model")) or platform.processor()
    if platform.system() == "Darwin":
        name = output("sysctl", "-n", "machdep.cpu.brand_string") or name
    result = {
        "processor": name or platform.machine(), "cores": cores(), "memory_bytes": memory_bytes(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "system": f"{platform.system()} {platform.release()}",
    }
    if python:
        result["versions"] = versions(python)
    return result


def versions(python):
    script = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found}))")
    result = {"python": platform.python_version()}
    result |= json.loads(output(python, "-c", script, *PACKAGES) or "{}")
    swift = output("swift", "--version").split("Swift version ")
    if len(swift) > 1:
        result["swift"] = swift[1].split()[0]
    return result


def output(*command):
    """What a program prints; empty if it cannot run."""
    try:
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except OSError:
        return ""


class Others:
    """The share of the machine's processor time that other programs took since this was made."""

    def __init__(self):
        self.start, self.busy, self.own = time.monotonic(), busy_seconds(), own_seconds()

    def share(self):
        """From 0 to 1; None where the system does not tell. Workers must have ended."""
        if self.busy is None:
            return None
        others = (busy_seconds() - self.busy) - (own_seconds() - self.own)
        wall = (time.monotonic() - self.start) * os.cpu_count()
        return min(1.0, max(0.0, others / wall)) if wall else 0.0


def busy_seconds():
    """The processor time of all programs, and what a host took away, since the machine started."""
    try:
        with open("/proc/stat") as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
    except OSError:
        return None
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
