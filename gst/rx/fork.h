/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a child of fork() must not have. An application may fork at any time (Python's
 * multiprocessing), and a descriptor that the child has keeps alive what it names,
 * whatever the parent does: an AF_XDP socket its RX queue, a link its XDP program, a
 * UDP socket its group and port. exec() closes them; this is for those who do not.
 *
 * Any thread. A child that is made without the C library's fork(), by clone(), has them
 * all the same.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A child finds fd closed. */
void afxdp_fork_withhold (int fd);
/* It finds a UDP socket of family that is not bound: its number may be in use. */
void afxdp_fork_replace (int fd, int family);
/* Before fd is closed. FALSE: fd was not known, or the parent's. */
gboolean afxdp_fork_forget (int fd);
/* forget() and close(), but in a child, which had it closed already. */
void afxdp_fork_close (int fd);

/* How many forks lie between this process and the one that loaded us: what was made
 * with another number is the parent's. */
guint afxdp_fork_generation (void);

G_END_DECLS
