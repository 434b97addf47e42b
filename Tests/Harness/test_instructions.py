"""Tests what is read from callgrind's dumps, and how counts are compared."""

import json
import unittest

import support
from harness import instructions

DUMP = """\
version: 1
positions: line
events: Ir
ob=(1) /build/release/measure
fl=(1) a.swift
fn=(1) work
16 100
+2 20
cob=(2) /lib/libtorch_cpu.so
cfn=(2) product
calls=3 0
* 5000
* 7

ob=(2)
fn=(2)
0 4000
-1 1000
cob=(1)
cfn=(3) back
calls=1 0
0

ob=(1)
fn=(3)
3 50
totals: 5177
"""


class Dumps(unittest.TestCase):
    def test_calls_are_counted_where_they_run(self):
        self.assertEqual(instructions.counts(DUMP, "measure"), {"own": 177, "all": 5177})
        self.assertEqual(instructions.counts(DUMP, "libtorch_cpu.so")["own"], 5000)

    def test_a_dump_that_is_read_wrongly_is_refused(self):
        with self.assertRaisesRegex(ValueError, "5,177 instructions, not 9"):
            instructions.counts(DUMP.replace("totals: 5177", "totals: 9"), "measure")


class Comparison(unittest.TestCase):
    recorded = {"a": {"own": 1000, "all": 10000}}

    def faults(self, own, total, name="a"):
        return instructions.faults(self.recorded, {name: {"own": own, "all": total}})

    def test_small_differences_pass(self):
        self.assertEqual(self.faults(1019, 10990), [])
        self.assertEqual(self.faults(981, 9010), [])

    def test_others_do_not(self):
        self.assertEqual(self.faults(1030, 10000), [
            "a: our own code runs 1,030 instructions, 3.0% more than the 1,000 recorded"])
        self.assertEqual(self.faults(1000, 8000), [
            "a: all code runs 8,000 instructions, 20.0% fewer than the 10,000 recorded"])
        self.assertEqual(self.faults(1, 1, "b"), [
            "b: nothing is recorded", "a: it is recorded, but not measured"])

    def test_the_record_is_complete(self):
        record = json.loads((support.ROOT / "Benchmarks/instructions.json").read_text())
        self.assertRegex(record["swift"], r"^6\.\d")
        for counts in record["counts"].values():
            self.assertLess(counts["own"], counts["all"])
            self.assertGreater(counts["own"], 0)


if __name__ == "__main__":
    unittest.main()
