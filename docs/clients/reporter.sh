# Reports events to Observatory: copy this file and own it. Bash 5 or later, curl, coreutils.
#
# A script must never wait for its monitor. So report only appends a line to a file; a background
# process sends what has gathered. Where Observatory is slow or away, events are dropped and counted,
# and the script goes on as if nothing had happened. A key, where Observatory asks for one, is read once
# from the file that the variable OBSERVATORY_KEY_FILE names.
#
#   . reporter.sh
#   report_open http://127.0.0.1:8700
#   report nightly-import "$job_id"
#   report_close

_report_dir=/dev/null _report_waiting=0 _report_full=0 # until it is opened, everything is dropped

# Starts the background process. One reporter a shell; a subshell must open its own.
report_open() { # URL
  _report_dir=$(mktemp -d) || { _report_dir=/dev/null && return; }
  printf '0\n' >"$_report_dir/lost"
  # The headers stand in a file that nobody else can read: arguments are seen by all.
  printf 'Content-Type: application/x-ndjson\n' >"$_report_dir/headers"
  [[ ! -r ${OBSERVATORY_KEY_FILE-} ]] ||
    printf 'Authorization: Bearer %s\n' "$(<"$OBSERVATORY_KEY_FILE")" >>"$_report_dir/headers"
  _report_worker "${1%/}/events" </dev/null >/dev/null 2>&1 &
  _report_worker_pid=$!
}

# Says that NODE saw the message TOKEN now. Starts no process, never waits, never fails.
report() { # NODE TOKEN
  local LC_ALL=C now=$EPOCHREALTIME node token
  _report_escape node "${1-}"
  _report_escape token "${2-}"
  [[ -e $_report_dir/waiting ]] || _report_waiting=0 # the background process has taken the file
  if ((_report_waiting < 10000)) && printf '{"node":"%s","token":"%s","timestamp":%s}\n' \
    "$node" "$token" "${now/[!0-9]/}" 2>/dev/null >>"$_report_dir/waiting"; then
    _report_waiting=$((_report_waiting + 1))
  else
    _report_full=$((_report_full + 1))
  fi
}

# Prints how many events were not delivered.
report_dropped() {
  local lost=0
  [[ ! -e $_report_dir/lost ]] || read -r lost <"$_report_dir/lost"
  printf '%s\n' $((_report_full + lost))
}

# Sends what is left, for at most a second.
report_close() {
  [[ -d $_report_dir ]] || return 0
  : >"$_report_dir/closing"
  local tries left
  for ((tries = 0; tries < 20; tries++)); do
    kill -0 "$_report_worker_pid" 2>/dev/null || break
    sleep 0.05
  done
  kill "$_report_worker_pid" 2>/dev/null || true
  left=$(cat "$_report_dir"/{waiting,sending,part.*} 2>/dev/null | wc -l) || true
  _report_full=$(($(report_dropped) + left))
  rm -rf "$_report_dir"
}

# The background process: ends when the reporter is closed, or with its shell.
_report_worker() { # URL
  set +efu
  cd "$_report_dir" || return
  local part count lost=0 last=
  while [[ -z $last ]]; do
    if [[ -e closing ]] || ! kill -0 $$; then last=yes; else sleep 0.1; fi
    mv waiting sending || continue
    sleep 0.02 # so that a line which is just being written gets into it
    split -a 4 -l 500 sending part. && rm sending
    for part in part.*; do
      # A 503 is tried again once, after its Retry-After. So is a timeout, which does no harm:
      # duplicates change nothing.
      count=$(wc -l <"$part")
      curl -sf -o answer -m 1 --retry 1 --retry-max-time 10 -H @headers \
        --data-binary "@$part" "$1" || lost=$((lost + count))
      rm "$part"
      printf '%s\n' "$lost" >lost.new && mv lost.new lost
    done
  done
  [[ -e closing ]] || rm -rf "$_report_dir"
}

# Sets the variable VAR to TEXT as it stands between the quotes of a JSON string.
_report_escape() { # VAR TEXT
  local text=$2 char code backslash='\' quote='"'
  text=${text//"$backslash"/"$backslash$backslash"}
  text=${text//"$quote"/"$backslash$quote"}
  while [[ $text =~ [[:cntrl:]] ]]; do
    char=${BASH_REMATCH[0]}
    printf -v code '\\u%04x' "'$char"
    text=${text//"$char"/"$code"}
  done
  printf -v "$1" %s "$text"
}
