#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a guest boots, each part made once and kept under the checksum of what it is
# made from and by: the tree of its system, the disk image of that, QEMU, the kernels.
# To be sourced, after archive.sh. The product's build is not in it.

: "${cache:?}" "${top:?}"

# A checksum of the arguments.
key_of() {
  printf '%s\n' "$@" | sha256sum | cut -c1-16
}

tree_packages() {
  local left_out
  left_out=" $(version leave-out) "
  sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$top/tests/packages" |
    while read -r package; do
      [[ $left_out == *" $package "* ]] || echo "$package"
    done
  echo kmod
}

# Everything in a mount namespace of its own: what is mounted is gone with it, however
# it ends.
in_tree() {
  # shellcheck disable=SC2016 # $0 and $@ are that shell's
  unshare --mount --propagation private bash -c '
    set -e
    tree=$0
    mount --bind "$tree" "$tree"
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    if [ -n "${IN_TREE_SOURCE:-}" ]; then
      mount --bind "$IN_TREE_SOURCE" "$tree/src"
    fi
    exec chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' "$@"
}

make_tree() {
  local new=$1 tools packages
  say "virtual lab: making the guest's system (some minutes, once)"
  tools=$(mktemp -d)
  archive_unpack "$(version debootstrap)" "$tools"
  DEBOOTSTRAP_DIR=$tools/usr/share/debootstrap \
    "$tools/usr/sbin/debootstrap" --variant=minbase "$(version release)" \
    "$new" http://deb.debian.org/debian >"$cache/debootstrap.log" 2>&1 ||
    fail "debootstrap: $(tail -n 5 "$cache/debootstrap.log")"
  rm -rf "$tools"
  mapfile -t packages < <(tree_packages)
  in_tree "$new" apt-get -q -y -o Acquire::Retries=3 install \
    --no-install-recommends "${packages[@]}" >"$cache/packages.log" 2>&1 ||
    fail "packages: $(tail -n 5 "$cache/packages.log")"
  in_tree "$new" apt-get clean
  mkdir -p "$new/src" "$new/run" "$new/lib/modules"
  rm -rf "$new"/usr/share/{doc,man,locale,info} "$new"/var/lib/apt/lists/*
}

tree_up() {
  tree=$cache/tree-$(key_of "$(version release)" "$(tree_packages)" \
    "$(declare -f make_tree)")
  [ -d "$tree" ] || make_directory "$tree" make_tree
}

# The image is written by nobody: QEMU keeps a guest's changes apart.
image_up() {
  image=$tree.img
  [ -f "$image" ] && return
  say "virtual lab: making the disk image"
  rm -f "$image.new"
  mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=0 -d "$tree" \
    "$image.new" 3G
  mv "$image.new" "$image"
}

qemu_up() {
  local words
  read -ra words <<<"$(version qemu)"
  qemu=$cache/qemu-$(key_of "${words[@]}" "$(declare -f archive_unpack_all)")
  [ -d "$qemu" ] && return
  say "virtual lab: fetching QEMU"
  make_directory "$qemu" archive_unpack_all "${words[@]}"
}

# What the guest needs before it has a root: modules in the order of loading, a
# busybox that needs no libraries.
make_initrd() {
  local kernel=$1 release=$2 root=$1/initrd module
  mkdir -p "$root"/{bin,modules,proc,sys,dev,root}
  archive_unpack "$(version busybox)" "$kernel/busybox"
  cp "$kernel/busybox/bin/busybox" "$root/bin/"
  rm -rf "$kernel/busybox"
  for module in virtio_pci virtio_blk ext4 9pnet_virtio 9p; do
    IN_TREE_SOURCE=$kernel in_tree "$tree" modprobe -d /src -S "$release" \
      --show-depends "$module"
  done | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' \
    >"$kernel/modules.order"
  while read -r module; do
    module=$kernel/${module#/src/}
    case $module in
      *.xz) xz -dc "$module" >"$root/modules/$(basename "${module%.xz}")" ;;
      *) cp "$module" "$root/modules/" ;;
    esac
    basename "${module%.xz}" >>"$root/modules/order"
  done <"$kernel/modules.order"
  cp "$top/tests/vm/inside/initrd.sh" "$root/init"
  (cd "$root" && find . | ./bin/busybox cpio -o -H newc | gzip -1) >"$kernel/initrd.gz"
  rm -rf "$root" "$kernel/modules.order"
}

# From 7.0 on the kernel itself lies beside its modules, and these in /usr.
make_kernel() {
  local release=$1 kernel=${*: -1}
  archive_unpack "${@:2:$#-2}" "$kernel"
  [ -d "$kernel/lib" ] || mv "$kernel/usr/lib" "$kernel/lib"
  mv "$kernel/boot/vmlinuz-$release" "$kernel/vmlinuz" 2>/dev/null ||
    mv "$kernel/lib/modules/$release/vmlinuz" "$kernel/vmlinuz"
  rm -rf "${kernel:?}"/{boot,usr}
  IN_TREE_SOURCE=$kernel in_tree "$tree" depmod -b /src "$release"
  make_initrd "$kernel" "$release"
}

# kernel_up NAME: leaves the directory in kernel.
kernel_up() {
  local words
  read -ra words <<<"$(version "kernel $1")"
  ((${#words[@]} > 1)) || fail "tests/vm/versions has no kernel $1"
  kernel=$cache/kernel-$(key_of "${words[@]}" "$(version busybox)" \
    "$(cat "$top/tests/vm/inside/initrd.sh")" \
    "$(declare -f make_kernel make_initrd)")
  [ -d "$kernel" ] && return
  say "virtual lab: fetching Linux $1"
  make_directory "$kernel" make_kernel "${words[@]}"
}
