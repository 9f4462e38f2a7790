#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests that are scripts need: a directory for their files ($work, with the
# files lines and errors of the program under test), processes, and a look into
# its JSON summary. Source it, after cleanup.sh.

patience=30 # seconds; nothing takes so long

fail() {
  printf 'FAILED: %s\n' "$*"
  tail -n 20 "$work"/lines "$work"/errors 2>/dev/null || true
  exit 1
}

make_work_directory() {
  work=$(mktemp -u /tmp/afxdp-test.XXXXXX)
  cleanup_push rm -rf "$work"
  mkdir -m 700 "$work"
}

# Also keeps bash from announcing the death.
end_process() {
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Waits until COMMAND succeeds, while the process runs: PROCESS COMMAND...
wait_for() {
  local process=$1 limit=$((SECONDS + patience))
  shift
  until "$@"; do
    kill -0 "$process" 2>/dev/null || fail "a process ended before: $*"
    ((SECONDS < limit)) || fail "it never became so: $*"
    sleep 0.05
  done
}

# check EXPRESSION...: in Python, of the summary s, its streams and their stats.
check() {
  python3 - "$work/summary.json" "$@" <<'END' || fail "$(cat "$work/summary.json")"
import json, sys

s = json.load(open(sys.argv[1]))
streams = s["streams"]
stats = [stream["stats"] for stream in streams]
wrong = [text for text in sys.argv[2:] if not eval(text)]
for text in wrong:
    print("not so:", text)
sys.exit(bool(wrong))
END
}

