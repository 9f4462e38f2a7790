#!/usr/bin/env bash
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The benchmark, in network namespaces of its own: run.sh --help. This file makes
# and removes them; run.py measures.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/bench/driver.sh
. "$here/driver.sh"
find_build "$here/run.py" "$@"
# shellcheck source=tests/netns/work.sh
. "$here/../netns/work.sh"

veth_up --queues 1
make_work_directory
export GST_REGISTRY=$work/registry.bin GST_PLUGIN_PATH_1_0=$build/gst
drive "$here/run.py" "$@"
