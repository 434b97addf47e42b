"""Compares the last checkpoints of two runs: compare_runs.py RUN RUN

Prints the largest difference of a parameter, and fails if it is above 1e-5.
"""

import sys

from safetensors.numpy import load_file


def distance(name):
    difference = abs(some[name].astype("f8") - others[name])
    if name.endswith("qkv.bias"):
        difference = difference.reshape(3, -1)[[0, 2]]
    return float(difference.max())


some, others = (load_file(f"{run}/last/model.safetensors") for run in sys.argv[1:])
assert some.keys() == others.keys()
# The biases of attention keys have no gradient but rounding, which AdamW turns into steps.
worst = max((distance(name), name) for name in some if not name.endswith("self.key.bias"))
print(f"  {sys.argv[2]}: {worst[0]:.1e} ({worst[1]})")
sys.exit(worst[0] > 1e-5)
