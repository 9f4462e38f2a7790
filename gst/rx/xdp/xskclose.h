/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Closes many AF_XDP sockets. Takes RTNL, and seconds: never in a streaming thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Drops a reference to each AfxdpXsk, and the array. Each close waits for a grace
 * period of the network stack, and those that close at the same time wait for the
 * same one. */
void afxdp_xsk_close_all (GPtrArray *sockets);

G_END_DECLS
