#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tries README's two commands where nothing is installed: in a new tree of Debian 12
# or 13, on this kernel. Whether tests/packages is complete is seen in no other way.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

usage() {
  cat <<'END'
usage: sudo tests/tree.sh [--keep] 12|13 [COMMAND...]

Makes a tree of that Debian by debootstrap (minbase), puts what is committed here into
it as /src, and runs there

  tests/run.sh
  examples/quickstart.sh

or COMMAND, within /src. The exit status is 1 when one of them failed. The tree is in
/var/tmp/afxdpsrc-debian-N; --keep leaves it there, and the next run takes it as it
is, with the packages that it has by then.
END
}

fail() {
  printf 'tree.sh: %s\n' "$*" >&2
  exit 1
}

mounted=()

# What of the host the commands need. A tree is its own mount: "ip netns" wants / to
# be one.
mount_all() {
  local path
  mount --bind "$tree" "$tree"
  mounted=("$tree")
  mount --make-private "$tree"
  for path in proc sys dev; do
    mount --rbind "/$path" "$tree/$path"
    mount --make-rslave "$tree/$path"
    mounted+=("$tree/$path")
  done
}

# The trap of EXIT.
clean_up() {
  local i
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
    umount -R "${mounted[i]}" || true
  done
  [ "$keep" = yes ] || rm -rf --one-file-system "$tree"
}

# A clean clone, which nobody else's builds are in.
put_sources() {
  rm -rf "$tree/src"
  git -c safe.directory="$top" clone -q --no-hardlinks "$top" "$tree/src"
}

main() {
  local command status=0
  keep=no
  if [ "${1-}" = --keep ]; then
    keep=yes
    shift
  fi
  case ${1-} in
    12) release=bookworm ;;
    13) release=trixie ;;
    --help)
      usage
      return
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  tree=/var/tmp/afxdpsrc-debian-$1
  shift
  top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  ((EUID == 0)) || fail 'root is needed for debootstrap, and for the tests'
  for command in debootstrap git; do
    command -v "$command" >/dev/null || fail "$command is not installed"
  done

  [ -d "$tree/src" ] || rm -rf --one-file-system "$tree"
  trap clean_up EXIT
  [ -d "$tree" ] || debootstrap --variant=minbase "$release" "$tree" >&2
  put_sources
  mount_all
  if (($# > 0)); then
    chroot "$tree" env -C /src "$@" || status=1
  else
    chroot "$tree" /src/tests/run.sh || status=1
    chroot "$tree" /src/examples/quickstart.sh || status=1
  fi
  return $status
}

main "$@"
