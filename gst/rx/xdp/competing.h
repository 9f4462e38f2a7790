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

/* A socket of this process, by the kernel's number of it, is one that is received from
 * on the interface of that number alone: on others nothing is meant for it. Until
 * forget_own(), as often as it was noted; 0 is none. Any thread. */
void afxdp_competing_note_own (guint64 socket, guint ifindex);
void afxdp_competing_forget_own (guint64 socket, guint ifindex);

/* A socket of another process, of that uid, is one that this process receives for: no
 * competitor anywhere. Whose it is, the kernel has to confirm, so that nobody can hide
 * somebody else's. Until forget_client(), as often as it was noted. FALSE: 0 is none, and
 * need not be forgotten. Any thread. */
gboolean afxdp_competing_note_client (guint64 socket, guint32 uid);
void afxdp_competing_forget_client (guint64 socket, guint32 uid);

/* Finds out how many sockets but own, by the kernel's number of it, get what is sent to
 * address, which may be any, and port, and arrives at the interface ifindex: they are
 * bound to that, or to any address. A socket that is connected does not count, nor does
 * a group that one has not joined: the kernel does not tell. Of this process it is known
 * which are received from elsewhere. FALSE: it cannot be found out, and there may be
 * more than n. */
gboolean afxdp_competing_sockets_count (
    GInetAddress *address, guint16 port, guint64 own, guint ifindex, guint *n);

G_END_DECLS
