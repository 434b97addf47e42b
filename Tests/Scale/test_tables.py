"""Tests that Documentation/scale.md has the tables that follow from the measured figures.

    python3 -m unittest discover Tests/Scale

`python3 Benchmarks/scale_tables.py --write` writes them.
"""

import json
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "Benchmarks"))
import scale_tables as tables  # noqa: E402


class Tables(unittest.TestCase):
    def test_the_page_has_them(self):
        page = tables.PAGE.read_text()
        self.assertEqual({name for _, name, _ in tables.MARKED.findall(page)}, set(tables.TABLES))
        self.assertGreaterEqual(len(tables.COMMAND.findall(page)), 3)
        self.maxDiff = None
        self.assertEqual(page, tables.filled(page))

    def test_the_page_of_measurement_has_the_figures(self):
        search = (ROOT / "Documentation/search.md").read_text()
        for row in ("| all | 886,272 | 445,444 | 2.21 s |", "| 128 | 197,120 | 99,328 | 1.27 s |",
                    "| 64 | 98,560 | 49,664 | 1.14 s |", "| 32 | 49,280 | 24,832 | 1.08 s |",
                    "| 1,000,000 | 19.3, 23.7 ms |", "| 10,000,000 | 193, 223 ms |",
                    "| 9 min (peak 2.4 GB) | 2.0 s | 1.3 GB | 0.87 ms | 1.3 ms | 99.5 % |",
                    "14.5 GB of disk"):
            self.assertIn(row, search)
        values = tables.VALUES
        self.assertEqual(
            [values[f"rerank_{kept}_seconds"] for kept in ("all", 128, 64, 32)],
            [2.21, 1.27, 1.14, 1.08])
        self.assertEqual(values["entry_bytes"] * 10**7, 14.5e9)
        self.assertEqual(
            (values["scan_seconds"], values["graph_seconds"], values["graph_bytes"],
             values["graph_making_seconds"]), (0.0193, 0.00087, 1.3e9, 9 * 60))

    def test_a_budget_takes_what_an_index_stores(self):
        self.assertEqual(
            [count for _, count in tables.BUDGETS],
            [886272, 445444, 197120, 99328, 98560, 49664, 49280, 24832])

    def test_numbers_are_shown_with_three_digits(self):
        for value, text in ((0.174, "0.174"), (3.86, "3.86"), (21.6, "21.6"), (3580.4, "3,580"),
                            (999.6, "1,000"), (10, "10"), (1234567, "1,230,000"), (0, "0")):
            self.assertEqual(tables.significant(value), text)
        self.assertEqual(
            [tables.size(count) for count in (12, 1450, 2.64e9, 8.86272e15)],
            ["12 bytes", "1.45 KB", "2.64 GB", "8.86 PB"])
        self.assertEqual(
            [tables.duration(seconds) for seconds in (19.3, 0.193, 0.00087)],
            ["19.3 s", "193 ms", "870 µs"])

    def test_prices_are_those_of_the_reader(self):
        rows = tables.systems((2, 0, 0)).splitlines()
        cores = [float(row.split("|")[2].replace(",", "")) for row in rows[3:6]]
        month, once = (float(row.split("|")[2].replace(",", "")) for row in rows[-2:])
        self.assertAlmostEqual(month, 2 * 730 * sum(cores), delta=0.01 * month)
        hours = float(rows[9].split("|")[2].replace(",", ""))
        self.assertAlmostEqual(once, 2 * hours, delta=0.01 * once)

    def test_the_service_times_are_measured_ones(self):
        times = json.loads((ROOT / "Benchmarks/scale/service-times.json").read_text())
        self.assertIn("service_times.py", times["source"]["command"])
        stages = [times["encode"], *times["recall"].values(), *times["rerank"].values()]
        for stage in stages:
            self.assertGreaterEqual(
                len(stage["elapsed_ms"]), 3 * len(stage["processor_ms"]))
            self.assertGreaterEqual(len(stage["processor_ms"]), 20)


if __name__ == "__main__":
    unittest.main()
