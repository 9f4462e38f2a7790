#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hardening.sh PLUGIN: a plugin that parses what strangers send is built so that
# an error in it is hard to make use of, and shows nothing but its entry points.
set -euo pipefail

plugin=$1

failed=0
expect() {
  local words=$1
  shift
  # grep -q would leave early, and the other one die of it.
  if ! "$@" "$plugin" | grep -- "$words" >/dev/null; then
    echo "$words is not in the output of $*" >&2
    failed=1
  fi
}

expect GNU_RELRO readelf --program-headers --wide
expect BIND_NOW readelf --dynamic
expect __stack_chk_fail nm --dynamic --undefined-only
expect '__[a-z]*_chk@' nm --dynamic --undefined-only
if readelf --program-headers --wide "$plugin" | grep GNU_STACK | grep RWE; then
  echo 'its stack is executable' >&2
  failed=1
fi
# AddressSanitizer has symbols of its own.
if nm --dynamic --defined-only "$plugin" |
  grep -v -e ' gst_plugin_afxdp_' -e asan; then
  echo 'these symbols are not for others' >&2
  failed=1
fi
exit $failed
