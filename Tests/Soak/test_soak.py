"""Tests the model and the checks of the soak test; each check must be able to fail.

    python3 -m unittest discover Tests/Soak
"""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "Tests/Soak"), str(ROOT / "Benchmarks")]

from answers import same_scores, search_faults  # noqa: E402
from model import Facts, Model  # noqa: E402
from samples import FEWEST, growth, quarters  # noqa: E402


def shown(path, facts, **more):
    return {"path": path, "id": f"id of {path}", "metadata": facts.metadata,
            "size": len(facts.data), "sha256": facts.sha256, **more}


OLD, NEW = Facts(1, b"old image", "t1", "g1"), Facts(2, b"newer image", "t2", "g2")


class Entries(unittest.TestCase):
    """An image `a` that was sent at 10 and acknowledged at 12."""

    def setUp(self):
        self.model = Model()
        self.model.begin_add(0, OLD, 10)
        self.model.end_add("t1", "a", "id of a", 12)

    def is_right(self, facts, start, end):
        return self.model.fault(shown("a", facts), start, end) is None

    def test_an_addition_is_possible_when_sent_and_certain_when_acknowledged(self):
        self.assertFalse(self.is_right(OLD, 8, 9))
        self.assertTrue(self.is_right(OLD, 9, 11))
        for start, must, most in ((8, 0, 0), (11, 0, 1), (13, 1, 1)):
            paths, count = self.model.bounds(start, start + 1)
            self.assertEqual((len(paths), count), (must, most), start)

    def test_a_replacement_ends_the_former_state(self):
        version = self.model.begin_change("a", NEW, 20)
        for start, old, new in ((15, True, False), (21, True, True)):
            self.assertEqual(self.is_right(OLD, start, start + 1), old)
            self.assertEqual(self.is_right(NEW, start, start + 1), new)
        version.end = 25
        self.assertTrue(self.is_right(OLD, 24, 30))
        self.assertFalse(self.is_right(OLD, 26, 30))
        self.assertTrue(self.is_right(NEW, 26, 30))

    def test_a_deleted_image_is_wrong_afterwards(self):
        self.model.begin_change("a", None, 20).end = 21
        self.assertTrue(self.is_right(OLD, 20.5, 30))
        self.assertIn("was deleted", self.model.fault(shown("a", OLD), 22, 30))
        self.assertEqual(self.model.bounds(22, 30), (set(), 0))

    def test_other_facts_are_wrong(self):
        mixed = Facts(1, OLD.data, NEW.token, NEW.group)
        self.assertIn("other facts", self.model.fault(shown("a", mixed), 13, 14))
        self.assertIn("never added", self.model.fault(shown("b", OLD), 13, 14))
        self.assertIn("has the id", self.model.fault(shown("a", OLD) | {"id": "x"}, 13, 14))

    def test_an_addition_shows_before_its_path_is_known(self):
        self.model.begin_add(0, NEW, 20)
        self.assertIsNone(self.model.fault(shown("b", NEW), 19, 21))
        self.assertIsNotNone(self.model.fault(shown("b", NEW), 18, 19))
        self.assertEqual(self.model.bounds(19, 21), ({"a"}, 2))


class Rest(unittest.TestCase):
    """What a kill may leave, and what it may not."""

    def setUp(self):
        self.model = Model()
        self.model.begin_add(0, OLD, 10)
        self.model.end_add("t1", "a", "id of a", 12)

    def difference(self, *entries):
        return self.model.difference(entries, 100)

    def test_what_was_acknowledged_must_be_there(self):
        self.assertEqual(self.difference(), {"a": "is missing"})
        self.assertEqual(self.difference(shown("a", OLD)), {})
        self.assertIn("list", self.difference(shown("a", OLD), shown("a", OLD)))
        self.assertEqual(self.difference(shown("a", OLD), shown("b", NEW)), {"b": "was never added"})

    def test_an_interrupted_replacement_is_whole_or_not_there(self):
        self.model.begin_change("a", NEW, 20)
        self.assertEqual(self.difference(shown("a", OLD)), {})
        self.assertEqual(self.difference(shown("a", NEW)), {})
        mixed = Facts(1, OLD.data, NEW.token, NEW.group)
        self.assertIn("a", self.difference(shown("a", mixed)))
        self.model.settle([shown("a", NEW)], 100)
        self.assertIn("a", self.difference(shown("a", OLD)))

    def test_an_interrupted_addition_may_have_lost_its_metadata(self):
        self.model.begin_add(3, NEW, 20)
        self.assertEqual(self.difference(shown("a", OLD)), {})
        listed = [shown("a", OLD), shown("b", NEW.stripped)]
        self.assertEqual(self.difference(*listed), {})
        self.model.settle(listed, 100)
        self.assertEqual([entry.path for entry in self.model.owned(3)], ["b"])
        self.assertEqual(self.difference(shown("a", OLD)), {"b": "is missing"})


class Answers(unittest.TestCase):
    def setUp(self):
        self.model, self.images = Model(), []
        for number in range(4):
            facts = Facts(number, b"image" + bytes(number), f"t{number}", f"g{number % 2}")
            self.model.begin_add(0, facts, 1)
            self.model.end_add(facts.token, f"p{number}", f"id of p{number}", 2)
            self.images.append(facts)

    def answer(self, numbers, **more):
        results = [
            shown(f"p{number}", self.images[number], rank=place + 1, recall_rank=number + 1,
                  similarity=0.9 - number / 10, match_logit=None, match_probability=None)
            for place, number in enumerate(numbers)]
        return {"results": results, "total": len(results), "next_offset": None, **more}

    def faults(self, answer, **request):
        return search_faults(self.model, {"count": 10, **request}, answer, 5, 6)

    def test_a_right_answer(self):
        self.assertEqual(self.faults(self.answer([0, 1, 2, 3])), [])
        self.assertEqual(self.faults(self.answer([0, 2]), filters=["group=g0"]), [])
        self.assertEqual(self.faults(self.answer([2, 3]), filters=["size>=7"]), [])
        self.assertEqual(
            self.faults(self.answer([0, 1], total=4, next_offset=2), count=2), [])

    def test_wrong_answers(self):
        for expected, answer, request in (
                ("total is 3", self.answer([0, 1, 2]), {}),
                ("3 results, not 4", self.answer([0, 1, 2], total=4), {}),
                ("order of recall", self.answer([1, 0, 2, 3]), {}),
                ("there twice", self.answer([0, 0, 2, 3]), {}),
                ("conditions", self.answer([0, 1]), {"filters": ["group=g0"]}),
                ("next_offset is None", self.answer([0, 1], total=4), {"count": 2})):
            found = self.faults(answer, **request)
            self.assertTrue(any(expected in fault for fault in found), f"{expected}: {found}")

    def test_re_ranked_results_come_first_and_in_order(self):
        answer = self.answer([2, 0, 1, 3])
        for result, logit in zip(answer["results"], (3.0, 1.0)):
            result |= {"match_logit": logit, "match_probability": 0.5}
        self.assertEqual(self.faults(answer, ranking="itm"), [])
        answer["results"][1]["match_logit"] = 4.0
        self.assertEqual(
            self.faults(answer, ranking="itm"), ["re-ranked results are not in the order of itm"])
        answer["results"][0]["match_logit"] = None
        self.assertIn("a result that was not re-ranked comes before one that was",
                      self.faults(answer))

    def test_scores(self):
        self.assertTrue(same_scores((0.5, 1.0), (0.50001, 1.0001)))
        self.assertFalse(same_scores((0.5, 1.0), (0.501, 1.0)))
        self.assertFalse(same_scores((0.5, 1.0), (0.5, 1.01)))


class Growth(unittest.TestCase):
    @staticmethod
    def rows(last, count=FEWEST):
        usual = {"rss_mb": 200, "anonymous_mb": 100, "handles": 20, "threads": 20, "maps": 400,
                 "deleted_maps": 0, "index_mb": 4}
        return [usual | (last if number >= 3 * count // 4 else {}) for number in range(count)]

    def grown(self, **last):
        return {name for name, each in growth(self.rows(last)).items() if each["grew"]}

    def test_quarters(self):
        self.assertEqual(quarters([9, 9, 9, 1, 2, 3, 0, 0, 0, 7, 8, 9]), (2, 8))

    def test_allowances(self):
        self.assertEqual(self.grown(rss_mb=270, handles=25, threads=25, maps=9000), set())
        self.assertEqual(self.grown(rss_mb=271), {"rss_mb"})
        self.assertEqual(self.grown(handles=26, threads=26), {"handles", "threads"})
        self.assertIsNone(growth(self.rows({}, FEWEST - 1)))


if __name__ == "__main__":
    unittest.main()
