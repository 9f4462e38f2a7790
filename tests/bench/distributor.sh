#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the distributor daemon and its clients cost: distributor.sh --help. In network
# namespaces of its own; distributor.py measures.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/driver.sh
. "$here/driver.sh"
find_build "$here/distributor.py" "$@"
# shellcheck source=tests/netns/work.sh
. "$here/../netns/work.sh"

queues=1
for word in "$@"; do
  [ "$word" != --four-queues ] || queues=4
done
veth_up --queues "$queues"
make_work_directory
# Clients are an ordinary user's.
chmod 711 "$work"
drive "$here/distributor.py" "$@"
