#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Builds the Debian packages of what is committed here, in a new tree of Debian 12 or 13,
# and tries them: lintian, installing and purging them, and streams through what they
# have installed, with that tree's systemd running.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

usage() {
  cat <<'END'
usage: sudo docs/packaging/build.sh [--keep] [--no-test] [--output DIRECTORY] 12|13

Makes a tree of that Debian by debootstrap (minbase), and in copies of it

  1  builds source and binary packages, with the build dependencies and nothing else
  2  asks that Debian's lintian: neither an error nor a warning
  3  installs and purges the packages: nothing of them is left
  4  boots systemd without a network, installs the packages there, runs the autopkgtest
     (debian/tests/stream.sh), and purges them while the daemon runs

The packages are then in DIRECTORY (build-packages-N). The exit status is 1 when one of
these failed. The tree is in /var/tmp/afxdp-package-N.

  --keep     leave the tree, and what apt has downloaded, for the next time
  --no-test  leave out 3 and 4
END
}

usage_error() {
  usage >&2
  exit 2
}

say() {
  printf 'build.sh: %s\n' "$*" >&2
}

fail() {
  say "$*"
  exit 1
}

packages=(gstreamer1.0-afxdp afxdp-distributor)
keep=no
mounted=()
booted= # systemd of the tree, by its process here
launcher=

# --- Trees ------------------------------------------------------------------

# Systemd ends with its namespaces; its group of processes is empty then.
shut_down() {
  [ -n "$launcher" ] || return 0
  kill -KILL "$launcher" 2>/dev/null || true
  wait "$launcher" 2>/dev/null || true
  while [ -n "$(cat "$processes/cgroup.procs" 2>/dev/null)" ]; do
    sleep 0.1
  done
  find "$processes" -depth -type d -exec rmdir {} \;
  launcher='' booted=''
}

unmount_all() {
  local i
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
    umount -R "${mounted[i]}" || true
  done
  mounted=()
}

# The trap of EXIT.
clean_up() {
  shut_down
  unmount_all
  rm -rf --one-file-system "$work/upper" "$work/scratch" "$work/tree"
  [ "$keep" = yes ] || rm -rf --one-file-system "$work"
}

make_base() {
  if [ ! -e "$work/base/complete" ]; then
    rm -rf --one-file-system "$work/base"
    mkdir -p "$work"
    debootstrap --variant=minbase "$release" "$work/base" >&2
    touch "$work/base/complete"
  fi
  # It is not kept over a failure of power.
  echo force-unsafe-io >"$work/base/etc/dpkg/dpkg.cfg.d/unsafe-io"
}

mount_in_tree() {
  mount "$@"
  mounted+=("${!#}")
}

# What changes in the tree is in a layer above the base, and is forgotten with the next
# tree. Downloads are kept.
new_tree() {
  local path
  unmount_all
  rm -rf --one-file-system "$work/upper" "$work/scratch"
  mkdir -p "$work/upper" "$work/scratch" "$tree" "$work/downloads/partial"
  mount_in_tree -t overlay overlay \
    -o "lowerdir=$work/base,upperdir=$work/upper,workdir=$work/scratch" "$tree"
  mount --make-private "$tree"
  mount_in_tree --bind "$work/downloads" "$tree/var/cache/apt/archives"
  for path in proc sys dev; do
    mount_in_tree --rbind "/$path" "$tree/$path"
    mount --make-rslave "$tree/$path"
  done
  in_tree apt-get -q update >&2
}

# Its root becomes the tree, as in tests/tree.sh.
in_tree() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c '
    cd "$1" && shift && pivot_root . mnt && umount -l /mnt && exec "$@"' \
    - "$tree" /usr/bin/env DEBIAN_FRONTEND=noninteractive "$@"
}

install_in_tree() {
  in_tree apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "$@" >&2
}

# --- Packages ---------------------------------------------------------------

committed() {
  git -c safe.directory="$top" -C "$top" "$@"
}

# What is committed; the packages of Debian 12 are older than those of 13, which an
# upgrade then takes.
put_sources() {
  local version directory changelog
  rm -rf "$work/committed"
  mkdir "$work/committed"
  committed archive HEAD | tar -x -C "$work/committed"
  debian=$work/committed/docs/packaging/debian
  changelog=$debian/changelog
  version=$(sed -n '1s/.*(\(.*\)-.*/\1/p' "$changelog")
  directory=$tree/build/afxdpsrc-$version
  mkdir "$tree/build"
  cp -a "$work/committed" "$directory"
  tar -C "$tree/build" -cJf "$tree/build/afxdpsrc_$version.orig.tar.xz" \
    "afxdpsrc-$version"
  cp -a "$debian" "$directory/debian"
  {
    sed -n "1s/).*/~deb$number+1) $release; urgency=medium/p" "$changelog"
    printf '\n  * Built for Debian %s.\n\n' "$number"
    sed -n "/^ -- /{s/  .*/  $(committed log -1 --format=%cD)/p;q}" "$changelog"
    echo
    cat "$changelog"
  } >"$directory/debian/changelog"
  source_directory=/build/afxdpsrc-$version
}

build() {
  new_tree
  put_sources
  install_in_tree build-essential lintian
  in_tree apt-get -q -y build-dep --no-install-recommends "$source_directory" >&2
  in_tree env -C "$source_directory" dpkg-buildpackage -sa -us -uc >&2
  rm -rf "$output"
  mkdir -p "$output"
  find "$tree/build" -maxdepth 1 -type f -exec cp {} "$output" \;
}

ask_lintian() {
  in_tree sh -c 'lintian --allow-root --fail-on error,warning --info \
    --tag-display-limit 0 /build/*.changes' >&2 || fail 'lintian is not content'
  say 'lintian: neither errors nor warnings'
}

# Everything but what a package manager and a running system write by themselves; what
# is in /etc by its content, accounts with it.
list_tree() {
  (
    cd "$tree"
    find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run \
      -o -path ./tmp -o -path ./packages -o -path ./var/cache -o -path ./var/log \
      -o -path ./var/tmp -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
      -o -path './etc/*-' -o -path ./etc/.pwd.lock -o -path ./etc/ld.so.cache \
      -o -path ./root/.cache -o -path ./var/lib/systemd/random-seed \
      -o -path ./var/lib/systemd/timers -o -path ./var/lib/private \) -prune \
      -o -type d -printf '%p %m %U:%G\n' -o -printf '%p %m %U:%G %l\n'
    find etc -type f ! -name '*-' ! -name ld.so.cache -exec md5sum {} +
  ) | sort
}

# same_tree WHEN FILTER: the tree is as it was, but for lines of the filter.
same_tree() {
  local difference
  list_tree >"$work/after"
  difference=$(diff "$work/before" "$work/after" | grep '^[<>]' |
    grep -v -E "$2") || true
  [ -z "$difference" ] || fail "$1 leave behind:"$'\n'"$difference"
}

put_packages() {
  rm -rf "$tree/packages"
  mkdir "$tree/packages"
  cp "$output"/*.deb "$tree/packages"
}

# What the packages depend on, without them.
install_dependencies() {
  local file
  for file in "$output"/*.deb; do
    case $file in
      *-dbgsym_*) ;;
      *)
        in_tree apt-get -q -y satisfy --no-install-recommends \
          "$(dpkg-deb --field "$file" Depends)" >&2
        ;;
    esac
  done
}

names_of_packages() {
  local package
  for package in "${packages[@]}"; do
    find "$tree/packages" -name "${package}_*.deb" -printf '/packages/%f\n'
  done
}

# Runs apt by the function or program that is named.
remove_and_purge() {
  "$@" apt-get -q -y remove "${packages[@]}" >&2
  # The configuration, the account, and which units were enabled.
  same_tree 'The removed packages' '^> \./etc/afxdp|etc/afxdp/distributor.conf|\./etc/systemd/system/|etc/(passwd|group|shadow|gshadow)$|var/lib/systemd/deb-systemd-helper-'
  [ -e "$tree/etc/afxdp/distributor.conf" ] || fail 'the configuration is gone'
  "$@" apt-get -q -y purge "${packages[@]}" >&2
  same_tree 'The purged packages' '^$'
  if "$@" getent passwd afxdp || "$@" getent group afxdp; then
    fail 'the user is still there'
  fi
}

# --- Tries ------------------------------------------------------------------

# Where systemd is installed and does not run, or is not even installed.
try_purge() {
  local names
  new_tree
  put_packages
  install_dependencies
  list_tree >"$work/before"
  mapfile -t names < <(names_of_packages)
  install_in_tree "${names[@]}"
  in_tree getent passwd afxdp >&2 || fail 'there is no user afxdp'
  remove_and_purge in_tree
  say 'purge: nothing is left'
}

# Of debian/tests/control, but for our packages.
test_dependencies() {
  sed -n '/^Depends:/,/^[^ D]/p' "$debian/tests/control" |
    sed -n 's/^ \([a-z].*\),$/\1/p'
}

# Its own devices, processes, cgroups and network, of which only "lo" is there.
boot() {
  processes=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)/afxdp-package-$number
  mkdir -p "$processes"
  # shellcheck disable=SC2016
  sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' - "$processes" \
    unshare --mount --propagation private --pid --fork --kill-child --cgroup --uts \
    --ipc --net sh -c '
      set -e
      cd "$1"
      hostname package
      umount -R proc sys dev
      mount -t proc proc proc
      mount -t sysfs sysfs sys
      mount -t cgroup2 cgroup2 sys/fs/cgroup
      mount -t tmpfs tmpfs run
      mount -t tmpfs tmpfs dev
      for device in null zero full random urandom tty; do
        touch "dev/$device"
        mount --bind "/dev/$device" "dev/$device"
      done
      mkdir dev/pts dev/shm
      mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
      mount -t tmpfs tmpfs dev/shm
      ln -s pts/ptmx dev/ptmx
      pivot_root . mnt
      umount -l /mnt
      exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd' - "$tree" </dev/null >&2 &
  launcher=$!
  await_boot
}

# in_booted COMMAND...
in_booted() {
  nsenter --target "$booted" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}

# "degraded" is how it is without modules to load.
await_boot() {
  local tries state
  for ((tries = 300; tries > 0; tries--)); do
    booted=$(pgrep --parent "$launcher" --exact systemd) || true
    if [ -n "$booted" ]; then
      state=$(in_booted systemctl is-system-running 2>/dev/null) || true
      case $state in running | degraded) return ;; esac
    fi
    kill -0 "$launcher" 2>/dev/null || fail 'systemd does not start'
    sleep 0.2
  done
  fail "systemd does not come up: $state"
}

start_again() {
  in_booted sed -i 's/^#interfaces=.*/interfaces=lo/' /etc/afxdp/distributor.conf
  in_booted systemctl enable --quiet afxdp-distributor.socket
  in_booted systemctl enable --quiet --now afxdp-distributor
}

try_streams() {
  local names dependencies
  new_tree
  put_packages
  mapfile -t dependencies < <(test_dependencies)
  install_in_tree systemd "${dependencies[@]}"
  install_dependencies
  cp "$debian/tests/stream.sh" "$tree/packages"
  boot
  list_tree >"$work/before"
  mapfile -t names < <(names_of_packages)
  in_booted apt-get -q -y install --no-install-recommends "${names[@]}" >&2
  [ "$(in_booted systemctl is-active afxdp-distributor)" = inactive ] ||
    fail 'the daemon was started without an interface'
  in_booted /packages/stream.sh >&2 || fail 'stream.sh has failed'
  say 'streams: as a user by the socket, as root by AF_XDP, as a user by the daemon'
  start_again
  remove_and_purge in_booted
  in_booted sh -c '[ ! -e /run/afxdp ] && ! pgrep afxdp' >&2 ||
    fail 'the daemon, or its directory, is still there'
  shut_down
  say 'purge, while the daemon runs: nothing is left'
}

# --- Command line -----------------------------------------------------------

parse_options() {
  while (($# > 0)); do
    case $1 in
      --keep) keep=yes ;;
      --no-test) try=no ;;
      --output)
        (($# > 1)) || usage_error
        output=$2
        shift
        ;;
      --help)
        usage
        exit
        ;;
      *) break ;;
    esac
    shift
  done
  (($# == 1)) || usage_error
  number=$1
  case $number in
    12) release=bookworm ;;
    13) release=trixie ;;
    *) usage_error ;;
  esac
}

main() {
  local command try=yes output='' number release source_directory debian
  parse_options "$@"
  top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  output=$(realpath -m "${output:-$top/build-packages-$number}")
  work=/var/tmp/afxdp-package-$number
  tree=$work/tree
  ((EUID == 0)) || fail 'root is needed for debootstrap, and for the streams'
  for command in debootstrap dpkg-deb git pgrep xz; do
    command -v "$command" >/dev/null || fail "$command is not installed"
  done

  trap clean_up EXIT
  make_base
  build
  ask_lintian
  if [ $try = yes ]; then
    try_purge
    try_streams
  fi
  find "$output" -name '*.deb' ! -name '*-dbgsym_*'
}

main "$@"
