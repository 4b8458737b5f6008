# Reports each line of standard input as a token; at its end closes, and prints facts as JSON.
# In the strict mode of careful scripts: no call may fail.
set -euo pipefail
. "$(dirname "$0")/../../docs/clients/reporter.sh"

report_open "$1"
calls=0 longest=0
while IFS= read -r token; do
  before=${EPOCHREALTIME/[!0-9]/}
  report driver "$token"
  took=$((${EPOCHREALTIME/[!0-9]/} - before))
  ((took <= longest)) || longest=$took
  calls=$((calls + 1))
done
report_close
printf '{"calls":%d,"dropped":%d,"longest_us":%d}\n' "$calls" "$(report_dropped)" "$longest"
