#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fuzz.sh TARGET SEEDS KIND LONGEST: runs a fuzz target for FUZZ_SECONDS (60),
# beginning with the seeds of that kind and what FUZZ_CORPUS/TARGET holds, where
# it also keeps what it finds. FUZZ_SEED makes the same choices again.
set -euo pipefail

target=$1
seeds=$2
kind=$3
longest=$4

seconds=${FUZZ_SECONDS:-60}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

"$seeds" "$directory"
corpus=$directory/corpus
artifacts=$directory/
if [ -n "${FUZZ_CORPUS:-}" ]; then
  corpus=$FUZZ_CORPUS/$(basename "$target")
  artifacts=$corpus-
fi
mkdir -p "$corpus"

# An input that fails is also printed, in base64. libFuzzer would exit with 77,
# which means skipped. Without setarch clang 14's
# AddressSanitizer now and then finds no room for its shadow on a kernel with 32
# bits of randomness (vm.mmap_rnd_bits).
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
setarch -R "$target" -max_total_time="$seconds" -seed="${FUZZ_SEED:-1}" \
  -max_len="$longest" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
  -error_exitcode=1 -timeout_exitcode=1 -artifact_prefix="$artifacts" \
  "$corpus" "$directory/$kind" 2>&1 |
  grep -v -e 'REDUCE ' -e 'NEW  ' -e ' # Uses: '
