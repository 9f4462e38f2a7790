#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# distributor-units.sh PROGRAM UNIT...: systemd understands the units of the distributor
# daemon, and finds that its service may do little more than it has to.
set -euo pipefail

# A fifth of what systemd calls unsafe; what is left is the host's network, and AF_XDP
# itself.
most=22

program=$(realpath "$1")
shift
if ! command -v systemd-analyze >/dev/null; then
  echo 'skipped: there is no systemd-analyze (package systemd)'
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
units=()
for unit; do
  # It has to be there to be verified, and is not installed yet.
  sed "s|^ExecStart=[^ ]*|ExecStart=$program|" "$unit" >"$work/${unit##*/}"
  units+=("$work/${unit##*/}")
done

# Only what it says of these: other units of the host may have faults of their own.
systemd-analyze verify --man=no "${units[@]}" 2>&1 |
  grep afxdp-distributor >"$work/faults" || true
if [ -s "$work/faults" ]; then
  cat "$work/faults"
  exit 1
fi

# --offline is systemd's since version 250; Debian 12 has 252.
if ! systemd-analyze security --offline=true --no-pager --threshold=$most \
  "$work/afxdp-distributor.service" >"$work/security" 2>&1; then
  cat "$work/security"
  exit 1
fi
tail -n 1 "$work/security"
