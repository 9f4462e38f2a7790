/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the daemon is: interfaces, streams and clients as a tree, which is JSON; what
 * people read is made of the same tree (statustext.h).
 *
 * For the control thread.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "server.h"

G_BEGIN_DECLS

/* since: when the daemon began, ns of CLOCK_MONOTONIC. */
JsonNode *afxdp_status_new (
    AfxdpServer *server, const AfxdpDaemonSettings *settings, guint64 since);

/* As a text, to be freed. */
gchar *afxdp_status_to_json (JsonNode *status);

G_END_DECLS
