#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs the Debian packages of tests/packages that are missing; asks apt for
# nothing, and needs no root, when none is.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

list=$(dirname "${BASH_SOURCE[0]}")/packages

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The names in the list, one a line, without comments.
wanted() {
  sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$list"
}

missing() {
  local names
  mapfile -t names < <(wanted)
  # dpkg-query fails for names that it never heard of; those are missing too.
  comm -23 <(printf '%s\n' "${names[@]}" | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" \
      2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# Another apt may run on a machine that has just started: wait for it.
apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

main() {
  local packages log
  command -v dpkg-query >/dev/null ||
    fail "this is not Debian: install what corresponds to $list by hand"
  mapfile -t packages < <(missing)
  if ((${#packages[@]} == 0)); then
    echo 'packages: all installed'
    return
  fi
  ((EUID == 0)) ||
    fail "root is needed to install these packages: ${packages[*]}"

  echo "packages: installing ${packages[*]}"
  log=$(mktemp)
  # A repository that cannot be reached may not be the one that is needed, so
  # only the installation decides.
  apt_get update >"$log" 2>&1 || true
  if ! apt_get install --no-install-recommends "${packages[@]}" \
    >>"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail 'apt-get could not install them; the reason stands above'
  fi
  rm -f "$log"
  echo "packages: ${#packages[@]} installed"
}

main "$@"
