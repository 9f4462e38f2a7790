/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What two processes have to compare of their namespaces, to know whether they mean the
 * same by an interface's name, and by a time. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The cookie of this thread's network namespace (SO_NETNS_COOKIE, Linux 5.14), which no
 * other ever has; 0: not known. */
guint64 afxdp_namespaces_network (void);
/* ns by which CLOCK_MONOTONIC is ahead of the host's (time_namespaces(7)). */
gint64 afxdp_namespaces_clock_offset (void);

G_END_DECLS
