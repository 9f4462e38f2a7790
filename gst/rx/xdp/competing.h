/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The other UDP sockets of this host: what is redirected does not reach them, of
 * whichever process they are, and nothing tells them.
 *
 * Any thread of the network namespace in question: a streaming thread may be in
 * another one. Reads /proc, and so all sockets of the host: too long for one, too.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Finds out how many sockets but own, by the kernel's number of it, get what is sent to
 * address, which may be any, and port: they are bound to that, or to any address. A
 * socket that is connected does not count, nor does a group that one has not joined: the
 * kernel does not tell. FALSE: it cannot be found out, and there may be more than n. */
gboolean afxdp_competing_sockets_count (
    GInetAddress *address, guint16 port, guint64 own, guint *n);

G_END_DECLS
