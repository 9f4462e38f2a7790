#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Installs what is missing, builds, and runs every check of the project. The
# one line on stdout is the sum; all else goes to stderr.
set -euo pipefail
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin"

usage() {
  cat <<'END'
usage: [sudo] tests/run.sh [OPTION...]

Installs the packages of tests/packages that are missing, builds, and runs

  static     clang-format, shellcheck and pycodestyle
  analyze    cppcheck and clang's static analyzer
  check      the tests that need no privileges
  netns      the tests in network namespaces of their own; they need root
  sanitize   "check" again, with AddressSanitizer and
             UndefinedBehaviorSanitizer
  memcheck   those of "check" that are not arithmetic, with valgrind
  threads    reception with many streams, with ThreadSanitizer; needs root
  fuzz       fuzz targets, each for FUZZ_SECONDS (60); one of them needs root

and ends with one line: N passed, N failed, N skipped. The exit status is 1 when
anything failed.

  --suite NAME     only this one of the above, or a suite of meson's; may be
                   given several times
  --no-install     install no packages
  --no-sanitize    leave out "analyze", "sanitize", "memcheck", "threads" and
                   "fuzz"
  --brief          leave out "analyze", "memcheck", "threads" and the longest of
                   "netns" (netns_long in tests/netns/meson.build): what CI has no
                   time for
  --timeout-multiplier N
                   tests may take N times as long: where the processor is emulated
  --build-dir DIR  build in DIR, DIR-sanitize, DIR-threads and DIR-fuzz
                   (default: build-tests)
  --help           this text

With CI set in the environment, compiler warnings are errors.
END
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$top/build-tests
suites=()
install=yes
sanitize=yes
brief=no
patience=()

built=no
complete=no
passed=0
failed=0
skipped=0

say() {
  printf '%s\n' "$*" >&2
}

parse_options() {
  while (($# > 0)); do
    case $1 in
      --suite | --build-dir | --timeout-multiplier)
        if (($# < 2)); then
          say "$1 needs a value"
          exit 2
        fi
        case $1 in
          --suite) suites+=("$2") ;;
          --build-dir) build=$2 ;;
          *) patience=(--timeout-multiplier "$2") ;;
        esac
        shift
        ;;
      --no-install) install=no ;;
      --no-sanitize) sanitize=no ;;
      --brief) brief=yes ;;
      --help)
        usage
        exit 0
        ;;
      *)
        say "tests/run.sh does not know $1; --help lists what it knows"
        exit 2
        ;;
    esac
    shift
  done
  if ((${#suites[@]} == 0)); then
    suites=(static check netns)
    if [ $sanitize = yes ] && [ $brief = yes ]; then
      suites+=(sanitize fuzz)
    elif [ $sanitize = yes ]; then
      suites+=(analyze sanitize memcheck threads fuzz)
    fi
  fi
  case $build in /*) ;; *) build=$PWD/$build ;; esac
}

count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# The trap of EXIT: the sum is the last line even when the run broke off.
finish() {
  if [ $complete = no ]; then
    say 'FAILED  the run broke off'
    count 0 1 0
  fi
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped" \
    >&3
  exit $((failed > 0))
}

# What has to work before any test can; a failure ends the run.
require() {
  local name=$1
  shift
  if ! "$@"; then
    say "FAILED  $name"
    count 0 1 0
    complete=yes
    exit
  fi
}

# One check that is a command: SUITE PROGRAM COMMAND..., which runs the program.
check_command() {
  local name="$1 / $2" program=$2
  shift 2
  if ! command -v "$program" >/dev/null; then
    say "SKIPPED  $name: it is not installed"
    count 0 0 1
  elif "$@" >&2; then
    say "ok      $name"
    count 1 0 0
  else
    say "FAILED  $name"
    count 0 1 0
  fi
}

# Every file of the tree that git would keep; a tree without git is searched.
source_files() {
  git -c safe.directory="$top" -C "$top" ls-files --cached --others \
    --exclude-standard 2>/dev/null ||
    (cd "$top" && find gst bpf tests examples docs .ci -type f)
}

run_static() {
  local file c_files=() scripts=() python=()
  while IFS= read -r file; do
    [ -f "$top/$file" ] || continue
    case $file in
      *.[ch]) c_files+=("$top/$file") ;;
      *.py) python+=("$top/$file") ;;
      *.sh | *.postrm | .ci/run) scripts+=("$top/$file") ;;
    esac
  done < <(source_files)
  if clang-format --version 2>/dev/null | grep -qv 'version 14\.'; then
    say 'SKIPPED  static / clang-format: .clang-format is for version 14'
    count 0 0 1
  else
    check_command static clang-format \
      clang-format --dry-run --Werror "${c_files[@]}"
  fi
  # Their "source=" is from the top, wherever this was started.
  check_command static shellcheck \
    shellcheck --external-sources --source-path="$top" "${scripts[@]}"
  check_command static pycodestyle \
    pycodestyle --max-line-length=88 "${python[@]}"
}

# What users build.
run_analyze() {
  local file files=()
  build_plain
  while IFS= read -r file; do
    case $file in
      gst/*.c | examples/*.c) files+=("$top/$file") ;;
    esac
  done < <(source_files)
  "$top/tests/once-each.py" "$build/compile_commands.json" \
    "$(realpath "$top")" gst examples >"$build/analyze.json"
  # cppcheck does not look into the system's headers, nor does it know that GLib
  # aborts without memory. Newer ones than Debian 12's say what they did not try.
  check_command analyze cppcheck cppcheck -q -j "$(nproc)" \
    --project="$build/analyze.json" --error-exitcode=1 \
    --enable=warning,performance,portability --library=gtk -D__x86_64__ \
    --suppress=normalCheckLevelMaxBranches \
    --suppress=nullPointerOutOfMemory --suppress=ctunullpointerOutOfMemory \
    -D'LIBBPF_OPTS(type,name,...)=struct type name = { __VA_ARGS__ }'
  check_command analyze clang-tidy \
    xargs -a <(printf '%s\n' "${files[@]}") -n 4 -P "$(nproc)" \
    clang-tidy -p "$build" --quiet --extra-arg=-Wno-error
}

# LABEL BUILD-DIRECTORY MESON-SELECTION... [-- MESON-TEST-OPTION...]
# The selection is what "results.py list" and "meson test" both understand.
run_meson() {
  local label=$1 directory=$2 selection=() names sums
  shift 2
  while (($# > 0)); do
    if [ "$1" = -- ]; then
      shift
      break
    fi
    selection+=("$1")
    shift
  done
  names=$("$top/tests/results.py" list "$directory" "${selection[@]}")
  if [ -z "$names" ]; then
    say "$label: there are no tests"
    return
  fi
  # An old log must not stand in for a run that did not take place. (To the name of
  # a run with a wrapper meson adds the wrapper's.)
  rm -f "$directory/meson-logs/$label"{,-valgrind}.json
  # Its exit status says less than the log.
  meson test -C "$directory" --no-rebuild --logbase "$label" \
    "${selection[@]}" "$@" >&2 || true
  sums=$("$top/tests/results.py" report \
    "$(find "$directory/meson-logs" -name "$label.json" -o \
      -name "$label-valgrind.json")" "$(wc -l <<<"$names")" "$label")
  # shellcheck disable=SC2086 # three numbers
  count $sums
}

build_plain() {
  [ $built = no ] || return 0
  say 'build: started'
  require build "$top/tests/build.sh" "$build" -Dwerror="$werror"
  built=yes
}

run_netns() {
  local names selection=(--suite netns)
  [ $brief = no ] || selection+=(--no-suite long)
  build_plain
  if ((EUID == 0)); then
    # One at a time but for those of netns_patient: two cores are generator and
    # receiver of one test.
    run_meson netns "$build" "${selection[@]}" -- --num-processes 2
    return
  fi
  names=$("$top/tests/results.py" list "$build" "${selection[@]}")
  if [ -n "$names" ]; then
    say "SKIPPED  netns: root is needed to make network namespaces and to" \
      "load the XDP program; not run: ${names//$'\n'/, }"
    count 0 0 "$(wc -l <<<"$names")"
  fi
}

# can_sanitize NAME: whether the compiler has that sanitizer.
can_sanitize() {
  local able=yes
  {
    echo 'int main (void) { return 0; }' |
      ${CC:-cc} "-fsanitize=$1" -x c -o "$build.probe" - &&
      setarch -R "$build.probe"
  } >/dev/null 2>&1 || able=no
  rm -f "$build.probe"
  [ $able = yes ]
}

run_sanitize() {
  if ! can_sanitize address,undefined; then
    say 'SKIPPED  sanitize: this compiler has no AddressSanitizer'
    count 0 0 1
    return
  fi
  say 'build with sanitizers: started'
  # GST_READ_UINT16_BE and its like read unaligned, on purpose, where the
  # processor can (gstutils.h), so alignment is not checked.
  require 'build with sanitizers' "$top/tests/build.sh" "$build-sanitize" \
    --suite check -Dwerror="$werror" -Db_sanitize=address,undefined \
    -Db_lundef=false \
    -Dc_args=-fno-sanitize=alignment
  # The scanner that GStreamer forks has no AddressSanitizer and so could not
  # load a plugin that has it; a finding must end the test with a failure.
  GST_REGISTRY=$build-sanitize/registry-tests.bin GST_REGISTRY_FORK=no \
    ASAN_OPTIONS=${ASAN_OPTIONS:-halt_on_error=1} \
    UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1} \
    run_meson sanitize "$build-sanitize" --suite check -- \
    --timeout-multiplier 3
}

# What AddressSanitizer does not see: values that were never written.
run_memcheck() {
  if ! command -v valgrind >/dev/null; then
    say 'SKIPPED  memcheck: valgrind is not installed'
    count 0 0 1
    return
  fi
  build_plain
  # In one process, which valgrind translates once, and not again for each test.
  CK_FORK=no run_meson memcheck "$build" --suite memcheck -- \
    --timeout-multiplier 10 \
    --wrapper 'valgrind -q --error-exitcode=1 --num-callers=20'
}

# GStreamer and GLib have no ThreadSanitizer: only gst/rx is tested.
run_threads() {
  if ((EUID != 0)) || ! can_sanitize thread; then
    say 'SKIPPED  threads: root and a compiler with ThreadSanitizer are needed'
    count 0 0 1
    return
  fi
  say 'build with ThreadSanitizer: started'
  require 'build with ThreadSanitizer' "$top/tests/build.sh" "$build-threads" \
    --suite threads -Dwerror="$werror" -Db_sanitize=thread -Db_lundef=false \
    -Dexamples=false
  run_meson threads "$build-threads" --suite threads
}

# Whether clang has libFuzzer: it is no part of other compilers.
can_fuzz() {
  local able=yes
  {
    echo 'int LLVMFuzzerTestOneInput (void) { return 0; }' |
      clang -fsanitize=fuzzer,address,undefined -x c -o "$build.probe" - &&
      setarch -R "$build.probe" -runs=0
  } >/dev/null 2>&1 || able=no
  rm -f "$build.probe"
  [ $able = yes ]
}

run_fuzz() {
  if ! can_fuzz; then
    say 'SKIPPED  fuzz: there is no clang with libFuzzer (libclang-rt-dev)'
    count 0 0 1
    return
  fi
  say 'build of the fuzz targets: started'
  # Its -Wsign-compare looks into the kernel's NLMSG_OK().
  CC=clang require 'build of the fuzz targets' "$top/tests/build.sh" \
    "$build-fuzz" -Dwerror="$werror" -Dtests=false -Dexamples=false \
    -Dfuzz=true -Dc_args=-Wno-sign-compare
  run_meson fuzz "$build-fuzz" --suite fuzz
}

run_suite() {
  case $1 in
    analyze) run_analyze ;;
    memcheck) run_memcheck ;;
    threads) run_threads ;;
    fuzz) run_fuzz ;;
    static) run_static ;;
    netns) run_netns ;;
    sanitize) run_sanitize ;;
    check)
      build_plain
      # "check" is every test that is not "netns", so that none is forgotten.
      run_meson check "$build" --no-suite netns -- "${patience[@]}"
      ;;
    *)
      build_plain
      if [ -z "$("$top/tests/results.py" list "$build" --suite "$1")" ]; then
        say "FAILED  no test is in the suite $1"
        count 0 1 0
        return
      fi
      run_meson "$1" "$build" --suite "$1" -- --num-processes 1
      ;;
  esac
}

main() {
  local suite began
  parse_options "$@"
  exec 3>&1 1>&2
  trap finish EXIT
  werror=false
  [ -z "${CI:-}" ] || werror=true
  if [ $install = yes ]; then
    require packages "$top/tests/install-packages.sh"
  fi
  # libcheck has a bound of its own.
  if ((${#patience[@]} > 0)); then
    export CK_TIMEOUT_MULTIPLIER=${patience[1]}
  fi
  # Not the user's registry, which other programs share.
  export GST_REGISTRY=$build/registry-tests.bin
  for suite in "${suites[@]}"; do
    began=$SECONDS
    run_suite "$suite"
    say "$suite: $((SECONDS - began)) s"
  done
  complete=yes
}

main "$@"
