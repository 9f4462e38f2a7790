/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a server listens, as people write it: "127.0.0.1:9464", "[::1]:9464". No names: a
 * server that is reached from outside by mistake is worse than one that does not start.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* NULL: text is no such address. Port 0: any free one. */
GSocketAddress *afxdp_listen_address_parse (const gchar *text);

G_END_DECLS
