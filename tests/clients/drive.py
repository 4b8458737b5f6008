"""Reports each line of standard input as a token; at its end closes, and prints facts as JSON."""

import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "docs" / "clients"))
sys.dont_write_bytecode = True
from reporter import Reporter  # noqa: E402

reporter = Reporter(sys.argv[1])
calls = longest = 0
for line in sys.stdin.buffer:
    token = line.decode()[:-1]
    before = time.perf_counter_ns()
    reporter.report("driver", token)
    longest = max(longest, time.perf_counter_ns() - before)
    calls += 1
reporter.close()
print(json.dumps({"calls": calls, "dropped": reporter.dropped, "longest_us": longest // 1000}))
