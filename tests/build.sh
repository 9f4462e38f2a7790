#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/build.sh DIRECTORY [--suite NAME] [MESON-OPTION...]: configures and builds
# the project there, or what the tests of that suite need, silently; shows the end
# of the output when that fails.
set -euo pipefail

if (($# < 1)); then
  echo "usage: $0 DIRECTORY [--suite NAME] [MESON-OPTION...]" >&2
  exit 2
fi
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
directory=$1
shift
suite=
if (($# > 1)) && [ "$1" = --suite ]; then
  suite=$2
  shift 2
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

configure() {
  if [ -f "$directory/build.ninja" ]; then
    # meson 1.0.1 ignores -Dc_args of "setup --reconfigure".
    meson configure "$directory" "$@" &&
      meson setup --reconfigure "$directory" "$source"
  else
    meson setup "$directory" "$source" "$@"
  fi
}

compile() {
  local targets
  if [ -z "$suite" ]; then
    meson compile -C "$directory"
    return
  fi
  targets=$("$source/tests/results.py" targets "$directory" --suite "$suite")
  # shellcheck disable=SC2086 # names of files in the build, without blanks
  ninja -C "$directory" $targets
}

mkdir -p "$directory"
if ! [ -w "$directory" ]; then
  echo "build: $directory belongs to somebody else; remove it first" >&2
  exit 1
fi
if ! { configure "$@" && compile; } >"$log" 2>&1; then
  tail -n 100 "$log" >&2
  echo "build: failed in $directory; the reason stands above" >&2
  exit 1
fi
