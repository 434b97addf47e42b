"""Tests Scripts/simulate-scale against what is known of queues in closed form.

    python3 -m unittest discover Tests/Scale
"""

import importlib.machinery
import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "Scripts/simulate-scale"

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("simulate_scale", str(SCRIPT))
spec = importlib.util.spec_from_loader(loader.name, loader)
simulation = importlib.util.module_from_spec(spec)
loader.exec_module(simulation)

# From 10 to 1,010 ms; nine of ten below 208.
SCANS = [10 + 1000 * (n / 200) ** 16 + n / 5 for n in range(200)] + [400.0] * 20


def times(scans=SCANS, encode=(0.0,), rerank=(), part=0, found=1.0):
    return simulation.ServiceTimes({
        "encode": {"processor_ms": list(encode)},
        "recall": {"exact": {"images": 1000, "processor_ms": list(scans), "found": found}},
        "rerank": {str(part): {"processor_ms": list(rerank)}},
    }, part=part)


def share_until(time):
    """The share of scans that take at most this many seconds: the distribution F."""
    return sum(scan <= time * 1000 + 1e-9 for scan in SCANS) / len(SCANS)


def known_quantile(share, until):
    """The least scan time at which a distribution function reaches a share."""
    return next(scan / 1000 for scan in sorted(SCANS) if until(scan / 1000) >= share - 1e-12)


class OneShard(unittest.TestCase):
    def test_without_load_an_answer_takes_what_a_scan_takes(self):
        result = simulation.simulate(times(), load=1e-6, queries=40_000)
        seconds = result["recall_seconds"]
        for percent in (10, 50, 80, 90, 95, 99):
            low, high = (known_quantile(percent / 100 + error, share_until)
                         for error in (-0.005, 0.005))
            found = simulation.quantile(seconds, percent / 100)
            self.assertGreaterEqual(found, low * 0.999, f"p{percent}")
            self.assertLessEqual(found, high * 1.001, f"p{percent}")
        # Arrival times are large at this rate, so their differences are rounded.
        self.assertTrue(set(round(second, 3) for second in seconds)
                        <= set(round(scan / 1000, 3) for scan in SCANS))

    def test_the_mean_wait_is_that_of_a_queue_with_one_server(self):
        # Pollaczek and Khinchine: rate * E[S^2] / (2 (1 - load)).
        scans = [scan / 1000 for scan in SCANS]
        mean = sum(scans) / len(scans)
        for load in (0.2, 0.5, 0.7):
            waiting = (load / mean) * sum(scan**2 for scan in scans) / len(scans) / (2 - 2 * load)
            result = simulation.simulate(times(), load=load, queries=150_000)
            found = sum(result["recall_seconds"]) / len(result["recall_seconds"]) - mean
            self.assertAlmostEqual(found, waiting, delta=0.06 * waiting, msg=f"load {load}")

    def test_the_rate_makes_replicas_as_busy_as_the_load_says(self):
        result = simulation.simulate(times(), replicas=3, load=0.6, queries=100)
        mean = sum(SCANS) / len(SCANS) / 1000
        self.assertAlmostEqual(result["queries_per_second"] * mean / 3, 0.6)

    def test_a_long_text_takes_long_in_every_stage_and_part(self):
        result = simulation.simulate(
            times([100.0], [10.0, 30.0], [200.0, 600.0], 8), parts=4, load=1e-6, queries=100)
        answers = set(round(answer, 2) for answer in result["answer_seconds"])
        self.assertEqual(answers, {0.31, 0.73})

    def test_stages_follow_one_another(self):
        result = simulation.simulate(
            times([100.0], [20.0], [300.0], 8), parts=4, load=1e-6, queries=100, network=0.005)
        for answer, recall in zip(result["answer_seconds"], result["recall_seconds"]):
            self.assertAlmostEqual(recall, 0.105, places=4)
            self.assertAlmostEqual(answer, 0.02 + 0.005 + 0.105 + 0.3, places=4)
        # One core each suffices for a shard, for encoding, and for four parts at a time.
        self.assertEqual(result["cores"], 1 + 1 + 12)


class ManyShards(unittest.TestCase):
    def test_without_queues_recall_takes_as_long_as_the_slowest_of_n_scans(self):
        # All n are done with F(x)^n, all but one with that and n F(x)^(n-1) (1 - F(x)).
        for shards in (2, 10, 40):
            for left_out in (0, 1):
                def until(time):
                    done = share_until(time)
                    return done**shards + left_out * shards * done**(shards - 1) * (1 - done)
                result = simulation.simulate(
                    times(), shards=shards, leave_out=left_out, load=1e-6, queries=20_000)
                for percent in (50, 90, 99):
                    low, high = (known_quantile(min(1, percent / 100 + error), until)
                                 for error in (-0.005, 0.005))
                    found = simulation.quantile(result["recall_seconds"], percent / 100)
                    self.assertGreaterEqual(found, low * 0.999, (shards, left_out, percent))
                    self.assertLessEqual(found, high * 1.001, (shards, left_out, percent))

    def test_a_second_copy_begins_after_the_patience(self):
        # Alone, a scan with a hedge at time h is over at x > h with 1 - (1 - F(x)) (1 - F(x - h)).
        patience = known_quantile(0.5, share_until)

        def until(time):
            late = 1 - share_until(time)
            return 1 - late * (1 - share_until(time - patience) if time > patience else 1)

        for shards in (1, 3):
            result = simulation.simulate(
                times(), shards=shards, replicas=2, hedge=50, load=1e-6, queries=40_000)
            self.assertAlmostEqual(result["hedged"], 1 - share_until(patience), delta=0.01)
            seconds = result["recall_seconds"]
            for value in (patience / 2, patience, 0.045, 0.05, 0.06, 0.08, 0.2, 0.41, 0.43, 0.6):
                found = sum(second <= value + 1e-5 for second in seconds) / len(seconds)
                self.assertAlmostEqual(
                    found, until(value)**shards, delta=0.01, msg=f"{shards} shards, {value}")

    def test_a_second_copy_goes_to_another_replica_even_if_that_is_busier(self):
        shard = simulation.Shard(2)
        self.assertEqual(shard.finish(0, 9), (9, 0))
        self.assertEqual(shard.finish(0, 1), (1, 1))
        self.assertEqual(shard.finish(0, 2, other_than=0), (3, 1))
        self.assertEqual(shard.finish(0, 4, other_than=0), (7, 1))
        self.assertEqual(shard.finish(0, 5), (14, 0))
        # At 8 the second replica has finished everything.
        self.assertEqual(shard.finish(8, 1), (9, 1))

    def test_copies_do_not_make_a_crowd_grow(self):
        def run(hedge):
            result = simulation.simulate(
                times(), shards=20, replicas=2, load=0.7, hedge=hedge, queries=4_000)
            return simulation.quantile(result["recall_seconds"], 0.5), result["hedged"]

        (alone, none), (hedged, copies) = run(None), run(90)
        self.assertEqual(none, 0)
        # One scan of five may have a copy.
        self.assertTrue(0.01 < copies <= 0.2, copies)
        self.assertLess(hedged, 2 * alone)

    def test_more_replicas_at_the_same_load_wait_less(self):
        one, two = (
            simulation.simulate(times(), shards=10, replicas=replicas, load=0.7, queries=20_000)
            for replicas in (1, 2))
        for share in (0.5, 0.95, 0.99):
            self.assertLess(simulation.quantile(two["recall_seconds"], share),
                            simulation.quantile(one["recall_seconds"], share))

    def test_a_shard_that_is_left_out_loses_its_part_of_the_best(self):
        for shards, left_out in ((4, 1), (100, 1), (10, 3)):
            result = simulation.simulate(
                times(), shards=shards, leave_out=left_out, queries=5_000, best=20)
            found = simulation.mean(result["found"])
            lost = left_out / shards
            error = (lost * (1 - lost) / (20 * len(result["found"]))) ** 0.5
            self.assertAlmostEqual(found, 1 - lost, delta=4 * error)
            # The number of them is binomial, so queries differ.
            at_most_one = (1 - lost)**20 + 20 * lost * (1 - lost)**19
            losing_two = sum(share < 0.925 for share in result["found"]) / len(result["found"])
            self.assertAlmostEqual(losing_two, 1 - at_most_one, delta=0.03)

    def test_recall_that_is_not_exact_finds_its_own_share(self):
        result = simulation.simulate(times(found=0.9), shards=3, queries=5_000)
        self.assertAlmostEqual(simulation.mean(result["found"]), 0.9, delta=0.005)
        self.assertEqual(set(simulation.simulate(times(), queries=100)["found"]), {1.0})

    def test_seeds_decide_everything(self):
        def run(seed):
            return simulation.simulate(
                times(), shards=5, replicas=2, hedge=95, leave_out=1, seed=seed, queries=500)
        self.assertEqual(run(1), run(1))
        self.assertNotEqual(run(1), run(2))


class TheCommand(unittest.TestCase):
    def run_script(self, *arguments):
        return subprocess.run(
            [sys.executable, "-B", str(SCRIPT), *arguments], capture_output=True, text=True)

    def test_the_same_seed_prints_the_same(self):
        arguments = ("--shards", "1", "20", "--replicas", "2", "--hedge", "off", "95",
                     "--leave-out", "0", "1", "--queries", "200")
        first, second = self.run_script(*arguments), self.run_script(*arguments)
        self.assertEqual((first.returncode, first.stderr), (0, ""))
        self.assertEqual(first.stdout, second.stdout)
        # Two loads; one shard cannot be left out.
        self.assertEqual(len(first.stdout.splitlines()), 2 + 2 * 2 * 3)
        self.assertNotEqual(first.stdout, self.run_script(*arguments, "--seed", "2").stdout)

    def test_json_has_every_row(self):
        result = self.run_script("--shards", "3", "--load", "0.5", "--queries", "100", "--json")
        answer = json.loads(result.stdout)
        self.assertEqual(answer["options"]["queries"], 100)
        (row,) = answer["rows"]
        self.assertEqual((row["shards"], row["load"], row["found"]), (3, 0.5, 1.0))
        self.assertLessEqual(row["answer_ms"]["p50"], row["answer_ms"]["p99"])

    def test_help_shows_an_example(self):
        self.assertIn("Scripts/simulate-scale --shards 100", self.run_script("--help").stdout)

    def test_faults_are_named(self):
        for arguments, text in (
                (["--load", "1"], "'1' is not a number from 1e-06, below 1"),
                (["--load", "nan"], "'nan' is not a number"),
                (["--shards", "0"], "'0' is not a number from 1"),
                (["--hedge", "100"], "'100' is not a number from 1, below 100"),
                (["--parts", "7"], "64 candidates cannot be divided into 7 parts"),
                (["--parts", "1", "--candidates", "5"], "a part has 5 candidates"),
                (["--hedge", "95"], "--hedge needs two replicas"),
                (["--method", "graph", "--images-per-shard", "7"], "leave --images-per-shard out"),
                (["--times", "elapsed", "--images-per-shard", "7"], "leave --images-per-shard out"),
                (["--service-times", "nowhere.json"], "nowhere.json")):
            result = self.run_script(*arguments)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(text, result.stderr)
            self.assertNotIn("Traceback", result.stderr)

    def test_a_file_of_something_else_is_refused(self):
        for content in ("{}", "[]", '{"recall": {"exact": {"images": 0}}}', "no JSON"):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(content)
                file.flush()
                result = self.run_script("--service-times", file.name)
            self.assertNotEqual(result.returncode, 0)
            self.assertNotIn("Traceback", result.stderr)


if __name__ == "__main__":
    unittest.main()
