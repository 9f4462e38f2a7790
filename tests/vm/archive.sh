#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Packages of Debian's archive, of several releases, as files: fetched by an apt with
# settings and lists of its own, unpacked and not installed. To be sourced; cache is
# the directory of the lab's cache, versions the file.

: "${cache:?}" "${versions:?}"

# version NAME: what stands behind NAME in the file of versions.
version() {
  sed -n "s/^$1 //p" "$versions"
}

# make_directory DIRECTORY COMMAND...: what the command puts into the directory; all of it,
# or, when the command fails, nothing.
make_directory() {
  local directory=$1
  shift
  rm -rf "$directory" "$directory.new"
  mkdir -p "$directory.new"
  "$@" "$directory.new"
  mv "$directory.new" "$directory"
}

archive_set_up() {
  local suite part server
  local key=/usr/share/keyrings/debian-archive-keyring.gpg
  archive=$cache/archive
  mkdir -p "$archive"/{etc,state/lists/partial,cache/archives/partial}
  for suite in bookworm trixie; do
    for part in '' -backports -security; do
      server=debian
      [ "$part" != -security ] || server=debian-security
      echo "deb [signed-by=$key] http://deb.debian.org/$server $suite$part main"
    done
  done >"$archive/etc/sources.list"
  cat >"$archive/apt.conf" <<END
Dir "$archive";
Dir::Etc "etc";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "state";
Dir::State::status "/dev/null";
Dir::Cache "cache";
APT::Sandbox::User "root";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
Acquire::Retries "3";
Acquire::Languages "none";
END
}

# The lists are asked for once in a run, and only when something is fetched.
archive_update() {
  [ -z "${archive_is_new:-}" ] || return 0
  archive_set_up
  APT_CONFIG=$archive/apt.conf apt-get -q update >"$archive/log" 2>&1 ||
    fail "apt-get update: $(tail -n 5 "$archive/log")"
  archive_is_new=yes
}

archive_apt_get() {
  APT_CONFIG=$archive/apt.conf apt-get -q -y "$@" >"$archive/log" 2>&1 ||
    fail "$(tail -n 5 "$archive/log")
the archive has something else than tests/vm/versions; see --available"
}

# archive_unpack PACKAGE=VERSION... DIRECTORY
archive_unpack() {
  local directory=${*: -1} debs package
  archive_update
  debs=$(mktemp -d)
  (cd "$debs" && archive_apt_get download "${@:1:$#-1}")
  for package in "$debs"/*.deb; do
    dpkg -x "$package" "$directory"
  done
  rm -rf "$debs"
}

# archive_unpack_all SUITE PACKAGE=VERSION DIRECTORY: with all that it depends on, down
# to the C library.
archive_unpack_all() {
  local debs package
  archive_update
  debs=$(mktemp -d)
  mkdir "$debs/partial"
  archive_apt_get install --download-only --no-install-recommends \
    -o "Dir::Cache::archives=$debs" -t "$1" "$2"
  for package in "$debs"/*.deb; do
    dpkg -x "$package" "$3"
  done
  rm -rf "$debs"
}

archive_list_available() {
  archive_update
  APT_CONFIG=$archive/apt.conf apt-cache madison qemu-system-x86 debootstrap \
    busybox-static
  APT_CONFIG=$archive/apt.conf apt-cache search --names-only \
    '^linux-(image|binary|modules)-[0-9.-]+(\+deb1[23])?-amd64$' |
    cut -d' ' -f1 | xargs -r env "APT_CONFIG=$archive/apt.conf" \
    apt-cache madison | sort -V
}
