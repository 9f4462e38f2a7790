/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test needs of the kernel, tried plainly, without the code that is tested.
 * Every kernel that we run on has it; what stands for one, such as qemu-user, may not.
 * Then the test is skipped, with the reason.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Joining a group by MCAST_JOIN_GROUP, on the loopback interface. */
void kernel_needs_groups (void);

/* SO_TIMESTAMPNS: when a datagram arrived. The kernel begins to note that a while after
 * the first socket has asked for it (a work item does it), and until then says when the
 * datagram was read: it is noted when this returns, and to the end of the test. */
void kernel_needs_arrival_times (void);

/* SIOCETHTOOL, of the loopback interface. */
void kernel_needs_ethtool (void);

/* madvise() that does as told: MADV_DONTFORK, MADV_POPULATE_WRITE. */
void kernel_needs_dontfork (void);
void kernel_needs_populate (void);

G_END_DECLS
