// Reports each line of standard input as a token; at its end closes, and prints facts as JSON.
import { Reporter } from "../../docs/clients/reporter.mjs";

const reporter = new Reporter(process.argv[2]);
let [calls, longest, rest] = [0, 0, ""];
process.stdin.setEncoding("utf8");
for await (const chunk of process.stdin) {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const token of lines) {
    const before = performance.now();
    reporter.report("driver", token);
    longest = Math.max(longest, performance.now() - before);
    calls += 1;
  }
}
await reporter.close();
console.log(JSON.stringify({ calls, dropped: reporter.dropped, longest_us: Math.round(longest * 1_000) }));
