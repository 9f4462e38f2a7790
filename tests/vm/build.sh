#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The product, the generator and the receiver, built with the guest's libraries into a
# directory of the checkout, which the guest sees. To be sourced, after image.sh.

: "${cache:?}" "${top:?}"

# build_up DIRECTORY [SOURCE]: both below the checkout, which is the source itself.
build_up() {
  say "virtual lab: building in $1"
  # shellcheck disable=SC2016 # that shell's
  IN_TREE_SOURCE=$top in_tree "${tree:?}" bash -c '
    set -e
    cd "/src/$1"
    [ -f "/src/$0/build.ninja" ] || meson setup "/src/$0" -Dexamples=false
    ninja -C "/src/$0" gst/libgstafxdp.so tests/tools/rtpgen \
      tests/vm/vm-receiver' \
    "$1" "${2:-.}" >"$cache/build.log" 2>&1 ||
    fail "the build: $(tail -n 20 "$cache/build.log")"
}

# The product with a fault: its frames for zero-copy have 2048 bytes, of which igb uses
# 1024, so that it cuts each packet of full size in two.
build_cutting_up() {
  local source=build-vm-cutting/source engine=gst/rx/xdp/engine.c
  mkdir -p "$top/$source"
  (cd "$top" && tar -c --exclude='./build*' --exclude=./.git .) |
    tar -x -C "$top/$source" --keep-newer-files --warning=no-ignore-newer
  sed 's/return zero_copy || engine->netdev.mtu/return engine->netdev.mtu/' \
    "$top/$engine" >"$top/$source/$engine.new"
  ! cmp -s "$top/$engine" "$top/$source/$engine.new" ||
    fail "tests/vm/build.sh does not find the frame size in $engine"
  mv "$top/$source/$engine.new" "$top/$source/$engine"
  build_up build-vm-cutting/build "$source"
}
