"""Tests how Documentation/performance.md is made, and that it has the figures of results.json."""

import unittest

import support
from harness import page, report, results
from harness.sections import all_sections, index
from harness.thresholds import Thresholds


class Page(unittest.TestCase):
    def test_it_has_the_results(self):
        thresholds = Thresholds.read(support.ROOT / "Benchmarks/thresholds.json")
        found = results.read(support.ROOT / "Benchmarks/results.json")
        self.maxDiff = None
        self.assertEqual(
            (support.ROOT / "Documentation/performance.md").read_text(),
            page.page(found, thresholds, all_sections()), "run Benchmarks/bench page")

    def test_a_section(self):
        class Section:
            NAME, TITLE, ABOUT = "s", "Things", "About things."

        found = {"format": 1, "machine": {
            "processor": "P", "cores": 2, "memory_bytes": 24e9, "flags": ["avx2"],
            "system": "Linux 6", "versions": {"torch": "2.13.0"}}, "sections": {"s": {
                "date": "2026-01-02", "rounds": 3, "others": 0.25, "notes": ["A note."],
                "engines": {"g": {"E": 0.5}},
                "rows": [{"id": "s/a", "title": "a", "unit": "s", "ours": 0.0123, "theirs": 2.5,
                          "against": "E", "ratio": 203.25, "spread": [1, 2], "peak_share": 0.5},
                         {"id": "s/b", "title": "b", "unit": "bytes", "ours": 2.5e9}]}}}
        thresholds = Thresholds({"s/a": {"goal": 2, "at_least": 1},
                                 "s/b": {"goal": 2e9, "at_most": 3e9, "why": "It is large."}})
        text = page.page(found, thresholds, [Section])
        for line in ("## Things\n\nAbout things.", "| processor | P |", "| torch | 2.13.0 |",
                     "Measured on 2026-01-02 in 3 rounds; other programs took 25 % of the",
                     "was\nbusy: take these figures for a placeholder**.",
                     "| what | ours | theirs | of | ratio | spread | peak | goal |\n|---|---|",
                     "| a | 12.3 ms | 2.50 s | E | 203.25 | 1.00 to 2.00 | 50 % (406.50) | 2, met |",
                     "| b | 2.50 GB | | | | | | 2.00 GB, not met |",
                     "| g | per piece of work |\n|---|---|\n| E | 500 ms |",
                     "- A note.\n- It is large.\n"):
            self.assertIn(line, text)

    def test_a_section_without_figures(self):
        found = {"format": 1, "machine": {}, "sections": {}}
        text = page.page(found, Thresholds({}), all_sections())
        self.assertEqual(text.count("Not measured yet."), len(all_sections()))


class Figures(unittest.TestCase):
    def test_three_digits(self):
        for value, text in ((0.0001, "100 µs"), (0.0123, "12.3 ms"), (1, "1.00 s"),
                            (2.345, "2.35 s"), (12.34, "12.3 s"), (1234.5, "1,234 s")):
            self.assertEqual(report.duration(value), text)
        self.assertEqual(report.size(1.5e9), "1.50 GB")
        self.assertEqual(report.size(900), "900 bytes")

    def test_the_table_of_index_scale_is_read(self):
        text = "made\n| | 10 | 20 |\n|---|---|---|\n| open | 1.5 | 2 |\n| page | 3 | 4 |\n"
        self.assertEqual(
            index.table(text), {10: {"open": 1.5, "page": 3}, 20: {"open": 2, "page": 4}})


if __name__ == "__main__":
    unittest.main()
