#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tries README's two commands where nothing is installed: in a new tree of Debian 12
# or 13, or of what will be the next one, on this kernel. Whether tests/packages is complete is seen in no other way.
# Or the suite "check" on a processor that this machine has not, by QEMU.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

usage() {
  cat <<'END'
usage: sudo tests/tree.sh [--keep] [--arch armhf|s390x] 12|13|sid [COMMAND...]

Makes a tree of that Debian by debootstrap (minbase), puts what is committed here into
it as /src, and runs there

  tests/run.sh
  examples/quickstart.sh

or COMMAND, within /src. The exit status is 1 when one of them failed. The tree is in
/var/tmp/afxdpsrc-debian-N; --keep leaves it there, and the next run takes it as it
is, with the packages that it has by then.

  --arch armhf   32 bits; with the libraries of that architecture besides its own, and
  --arch s390x   most significant byte first; in afxdpsrc-debian-N-ARCH. Instead of the
                 two commands it runs

  tests/build.sh build-tests --cross-file /cross
  tests/run.sh --no-install --timeout-multiplier 30 --suite check

The compilers, clang, meson and the shell are this machine's, which makes a build of
minutes; what they build, and the libraries that it is linked with, run by QEMU's
emulation of a processor (qemu-user), with this kernel.
END
}

usage_error() {
  usage >&2
  exit 2
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
  if [ -e "$formats/$format" ]; then
    echo -1 >"$formats/$format"
  fi
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

# Its root becomes the tree, in a namespace of mounts: in a mere chroot the kernel
# refuses user namespaces, which a test makes.
in_tree() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c '
    cd "$1" && shift && pivot_root . mnt && umount -l /mnt && exec "$@"' \
    - "$tree" /usr/bin/env DEBIAN_FRONTEND=noninteractive "$@"
}

install_in_tree() {
  in_tree apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends "$@" >&2
}

# Programs of $arch are run by the tree's QEMU, whoever starts them: the kernel opens it
# now ("F"). What identifies them is the ELF header: class, byte order, machine.
register_format() {
  local magic mask
  mountpoint -q "$formats" || mount -t binfmt_misc none "$formats"
  case $arch in
    armhf)
      magic='\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00'
      mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
      ;;
    s390x)
      magic='\x7fELF\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16'
      mask='\xff\xff\xff\xff\xff\xff\xff\xfc\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff'
      ;;
  esac
  if [ -e "$formats/$format" ]; then
    echo -1 >"$formats/$format"
  fi
  printf ':%s:M::%s:%s:%s:PF' "$format" "$magic" "$mask" \
    "$tree/usr/bin/qemu-$family" >"$formats/register"
}

# The names of tests/packages, but for those of the last groups: what checks and
# measures. Libraries and what uses them, GStreamer's programs and bpftool (that of this
# machine does not link what is in another byte order) are those of $arch.
foreign_packages() {
  sed -e '/^# Networks/,$d' -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' \
    "$top/tests/packages" |
    sed -E -e "s/^gcc\$/gcc-$triplet/" \
      -e "s/^(lib.*-dev|linux-libc-dev|gstreamer1.0-.*|bpftool)\$/\1:$arch/"
}

# Debian 12 has a QEMU that lacks half of what multicast needs; its backports do not.
install_foreign() {
  local packages target=()
  if [ "$release" = bookworm ]; then
    echo 'deb http://deb.debian.org/debian bookworm-backports main' \
      >"$tree/etc/apt/sources.list.d/backports.list"
    target=(--target-release bookworm-backports)
  fi
  in_tree dpkg --add-architecture "$arch"
  in_tree apt-get -q update >&2
  install_in_tree "${target[@]}" qemu-user
  register_format
  mapfile -t packages < <(foreign_packages)
  install_in_tree "${packages[@]}"
}

# What runs needs no wrapper: the kernel finds QEMU.
write_cross_file() {
  cat >"$tree/cross" <<END
[binaries]
c = '$triplet-gcc'
ar = '$triplet-ar'
strip = '$triplet-strip'
pkgconfig = 'pkg-config'

[properties]
needs_exe_wrapper = false
pkg_config_libdir = '/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$family'
endian = '$endian'
END
}

run_foreign() {
  in_tree env -C /src tests/build.sh build-tests --cross-file /cross &&
    in_tree env -C /src tests/run.sh --no-install --timeout-multiplier 30 \
      --suite check
}

parse_options() {
  while (($# > 0)); do
    case $1 in
      --keep) keep=yes ;;
      --arch)
        (($# > 1)) || usage_error
        arch=$2
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
  case $arch in
    '') ;;
    armhf) triplet=arm-linux-gnueabihf family=arm endian=little ;;
    s390x) triplet=s390x-linux-gnu family=s390x endian=big ;;
    *) usage_error ;;
  esac
  case ${1-} in
    12) release=bookworm ;;
    13) release=trixie ;;
    sid) release=sid ;;
    *) usage_error ;;
  esac
  tree=/var/tmp/afxdpsrc-debian-$1${arch:+-$arch}
  format=$(basename "$tree")
  shift
  words=("$@")
}

main() {
  local command status=0 words=()
  keep=no
  arch=
  formats=/proc/sys/fs/binfmt_misc
  parse_options "$@"
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
  if [ -n "$arch" ]; then
    install_foreign
    write_cross_file
  fi
  if ((${#words[@]} > 0)); then
    in_tree env -C /src "${words[@]}" || status=1
  elif [ -n "$arch" ]; then
    run_foreign || status=1
  else
    in_tree /src/tests/run.sh || status=1
    in_tree /src/examples/quickstart.sh || status=1
  fi
  return $status
}

main "$@"
