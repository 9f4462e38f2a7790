#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardening.sh PLUGIN [PROGRAM]: what parses what strangers send is built so that an
# error in it is hard to make use of; and the plugin shows nothing but its entry points.
set -euo pipefail

failed=0
fail() {
  echo "$file: $*" >&2
  failed=1
}

expect() {
  local words=$1
  shift
  # grep -q would leave early, and the other one die of it.
  if ! "$@" "$file" | grep -- "$words" >/dev/null; then
    fail "$words is not in the output of $*"
  fi
}

for file in "$@"; do
  expect GNU_RELRO readelf --program-headers --wide
  # Of a program it is said by another word.
  expect 'BIND_NOW\|NOW PIE' readelf --dynamic
  expect __stack_chk_fail nm --dynamic --undefined-only
  expect '__[a-z]*_chk@' nm --dynamic --undefined-only
  if readelf --program-headers --wide "$file" | grep GNU_STACK | grep RWE; then
    fail 'its stack is executable'
  fi
done
file=$1
# AddressSanitizer has symbols of its own.
if nm --dynamic --defined-only "$file" |
  grep -v -e ' gst_plugin_afxdp_' -e asan; then
  fail 'these symbols are not for others'
fi
exit $failed
