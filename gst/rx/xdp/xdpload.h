/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the XDP programs, and says why the kernel refuses them. Attaches nothing.
 * Together with xdpprog.c the only file that knows the skeletons.
 *
 * What libbpf says meanwhile, in the whole process, goes to our log; the error carries
 * what a user has to know. For the control thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

struct afxdp_bpf;

/* libbpf takes a probe that has no descriptor left for a kernel that cannot, EINVAL:
 * whether there are enough is asked before. Error: AFXDP_ERROR_MEMORY. */
gboolean afxdp_xdpload_check_descriptors (GError **error);

/* The programs for native mode and their maps, see afxdp_xdpprog_new(), where the
 * errors stand too. To be destroyed by afxdp_bpf__destroy(). */
struct afxdp_bpf *afxdp_xdpload_new (
    guint n_queues, guint longest, GError **error);

/* Returns a descriptor of the words of AFXDP_SLOTS_OF_PART slots, or a negative error
 * number, which is in errno too. */
int afxdp_xdpload_part (guint n_queues);

/* Returns a descriptor of the program that knows packets of several datagrams, for
 * generic mode, which has the maps of the others; or -1: it takes Linux 6.2 and
 * CAP_PERFMON. */
int afxdp_xdpload_generic (const struct afxdp_bpf *beside);

G_END_DECLS
