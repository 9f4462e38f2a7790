#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a script has to undo, however it ends: at its end, at an error, at
# Ctrl-C, at a hang-up, at SIGTERM. Source it; it takes over the traps of EXIT,
# INT, HUP and TERM.
#
# cleanup_push COMMAND [ARGUMENT...]   before doing the thing, so that a signal
#     in between leaves nothing behind; COMMAND must bear that the thing does
#     not exist. Commands run in reverse order.

cleanup_commands=()

cleanup_push() {
  local command
  printf -v command '%q ' "$@"
  cleanup_commands+=("$command")
}

cleanup_run() {
  # An impatient second Ctrl-C must not stop the removal half-way.
  trap '' INT HUP TERM
  local i
  for ((i = ${#cleanup_commands[@]} - 1; i >= 0; i--)); do
    eval "${cleanup_commands[i]}" || true
  done
  cleanup_commands=()
}

# bash runs the EXIT trap after "exit" in another trap.
trap cleanup_run EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
