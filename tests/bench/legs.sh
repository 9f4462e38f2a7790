#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What two networks cost, and putting packets in order: legs.sh --help. In network
# namespaces of its own, with two wires; legs.py measures.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/driver.sh
. "$here/driver.sh"
find_build "$here/legs.py" "$@"
# shellcheck source=tests/netns/work.sh
. "$here/../netns/work.sh"

veth_up --queues 1
veth_add_wire
make_work_directory
drive "$here/legs.py" "$@"
