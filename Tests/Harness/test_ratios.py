"""Tests the arithmetic of rows, thresholds and results.

    python3 -m unittest discover Tests/Harness
"""

import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401
from harness import ratios, results
from harness.alternation import Group, Side
from harness.ratios import Row
from harness.sections import Options, all_sections
from harness.thresholds import Thresholds


def answers(*seconds):
    return [{"seconds": value, "peak_bytes": int(value * 100)} for value in seconds]


class Ratios(unittest.TestCase):
    def test_ratio_is_the_median_of_pairs_not_of_medians(self):
        group = Group("g", [Side("ours", "m", {}), Side("theirs", "t", {})],
                      [Row("r", "title", "ours", ["theirs"], threads=2)])
        found = {"ours": answers(1, 2, 4), "theirs": answers(3, 2, 40)}
        row = ratios.computed(group, found, {})[0]
        self.assertEqual((row["ours"], row["theirs"], row["ratio"]), (2, 3, 3))
        self.assertEqual(row["spread"], [1, 10])

    def test_the_fastest_side_is_compared(self):
        group = Group("g", [Side("ours", "m", {}), Side("a", "t", {}, engine="A"),
                            Side("b", "t", {}, engine="B")],
                      [Row("r", "title", "ours", ["a", "b"], "fastest")])
        found = {"ours": answers(1, 1), "a": answers(5, 1), "b": answers(2, 2)}
        row = ratios.computed(group, found, {})[0]
        self.assertEqual((row["against"], row["ratio"]), ("fastest (B)", 2))

    def test_figures_are_per_piece_of_work(self):
        group = Group("g", [Side("eight", "m", {}, 8), Side("one", "m", {})],
                      [Row("r", "title", "eight", ["one"])])
        row = ratios.computed(group, {"eight": answers(4), "one": answers(1)}, {})[0]
        self.assertEqual((row["ours"], row["ratio"]), (0.5, 2))

    def test_memory_and_share_of_the_peak(self):
        group = Group("g", [Side("ours", "m", {}), Side("theirs", "t", {})], [
            Row("m", "memory", "ours", ["theirs"], quantity="peak_bytes"),
            Row("p", "peak", "ours", threads=2, operations=100, type="float32")])
        found = {"ours": answers(2), "theirs": answers(3)}
        memory, peak = ratios.computed(group, found, {"float32": {"2": 200}})
        self.assertEqual((memory["unit"], memory["ours"], memory["ratio"]), ("bytes", 200, 1.5))
        self.assertEqual(peak["peak_share"], 0.25)
        self.assertNotIn("ratio", peak)

    def test_rounds_must_be_complete(self):
        with self.assertRaises(ValueError):
            ratios.pairs([1, 2], [1])


class Bounds(unittest.TestCase):
    def setUp(self):
        self.thresholds = Thresholds({
            "a/special": {"at_most": 0.5}, "a/*": {"goal": 2, "at_least": 1},
            "s": {"goal": 0.4, "at_most": 1, "why": "It loads a library."}})

    def test_goals(self):
        self.assertEqual(self.thresholds.goal({"id": "a/b", "ratio": 2}), (2, True))
        self.assertEqual(self.thresholds.goal({"id": "a/b", "ratio": 1.99}), (2, False))
        self.assertEqual(self.thresholds.goal({"id": "s", "ours": 0.4}), (0.4, True))
        self.assertEqual(self.thresholds.goal({"id": "s", "ours": 0.41}), (0.4, False))
        self.assertIsNone(self.thresholds.goal({"id": "other", "ours": 1}))

    def test_reasons(self):
        self.assertEqual(self.thresholds.reason({"id": "s", "ours": 0.5}), "It loads a library.")
        self.assertIsNone(self.thresholds.reason({"id": "s", "ours": 0.4}))
        self.assertIsNone(self.thresholds.reason({"id": "a/b", "ratio": 1}))
        self.assertIsNone(self.thresholds.reason({"id": "other", "ours": 1}))

    def test_bounds(self):
        self.assertIsNone(self.thresholds.fault({"id": "a/b", "ratio": 1}))
        self.assertIn("a/b: the ratio is 0.9, below 1",
                      self.thresholds.fault({"id": "a/b", "ratio": 0.9}))
        self.assertIn("s: the figure is 1.5, above 1",
                      self.thresholds.fault({"id": "s", "ours": 1.5}))

    def test_the_first_pattern_counts(self):
        self.assertIn("above 0.5", self.thresholds.fault({"id": "a/special", "ratio": 0.6}))

    def test_an_entry_without_a_bound_is_refused(self):
        for entry in ({"goal": 1}, {"at_least": 1, "at_most": 2}, {"at_last": 1}):
            with self.assertRaisesRegex(ValueError, "thresholds.json, x"):
                Thresholds({"x": entry})

    def test_every_pattern_of_the_file_fits_a_row(self):
        thresholds = Thresholds.read(support.ROOT / "Benchmarks/thresholds.json")
        names = [name for section in all_sections()
                 for name in section.names(Options(all=True))]
        self.assertEqual(len(names), len(set(names)))
        used = {id(thresholds.of(name)) for name in names}
        for pattern, entry in thresholds.entries.items():
            self.assertIn(id(entry), used, f"{pattern} fits no row")


class Results(unittest.TestCase):
    old = {"format": 1, "machine": {"processor": "P", "cores": 2},
           "sections": {"a": {"rows": 1}, "b": {"rows": 2}}}

    def test_other_sections_stay(self):
        merged = results.merged(self.old, {"processor": "P", "cores": 2}, {"b": {"rows": 3}})
        self.assertEqual(merged["sections"], {"a": {"rows": 1}, "b": {"rows": 3}})

    def test_sections_of_another_machine_do_not(self):
        merged = results.merged(self.old, {"processor": "Q", "cores": 2}, {"b": {"rows": 3}})
        self.assertEqual(merged["sections"], {"b": {"rows": 3}})

    def test_a_file_is_replaced_and_checked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.json"
            self.assertEqual(results.read(path)["sections"], {})
            results.write(path, self.old)
            self.assertEqual(results.read(path), self.old)
            self.assertEqual([file.name for file in Path(folder).iterdir()], ["results.json"])
            for text, fault in (("{", "is no JSON"), ('{"format": 2}', "is not 1")):
                path.write_text(text)
                with self.assertRaisesRegex(results.ResultsError, fault):
                    results.read(path)


if __name__ == "__main__":
    unittest.main()
