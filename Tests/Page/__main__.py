"""Runs the page's tests: python Tests/Page [names of tests]."""

import sys
import time
import unittest
from pathlib import Path

import harness

sys.dont_write_bytecode = True


class TimedResult(unittest.TextTestResult):
    """Says how long a test took, where it took long."""

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        taken = time.monotonic() - self.began
        super().addSuccess(test)
        if taken > 3:
            self.stream.writeln(f"    took {taken:.1f} s")


loader = unittest.TestLoader()
if sys.argv[1:]:
    loader.testNamePatterns = [f"*{name}*" for name in sys.argv[1:]]
suite = loader.discover(str(Path(__file__).parent))
try:
    result = unittest.TextTestRunner(verbosity=2, resultclass=TimedResult).run(suite)
finally:
    harness.stop()
sys.exit(not result.wasSuccessful() or not result.testsRun)
