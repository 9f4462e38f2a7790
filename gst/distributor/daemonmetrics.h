/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's metrics, for Prometheus: what the tree of status.h says, as samples.
 *
 * HTTP has a thread of its own (httpserver.h), and what comes by it is read there: the
 * control thread, which lets clients in, does not parse what strangers send, nor wait for
 * who reads slowly. It is asked for the tree alone, in its main context; while it waits
 * for the kernel itself, whoever asks is told to come again.
 *
 * new() and free() are for the control thread, whose main context is the default one.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "samples.h"

G_BEGIN_DECLS

typedef struct _AfxdpDaemonMetrics AfxdpDaemonMetrics;

/* status(): called in the control thread. Errors: those of afxdp_http_server_new(). */
AfxdpDaemonMetrics *afxdp_daemon_metrics_new (const gchar *listen,
    JsonNode *(*status) (gpointer user_data), gpointer user_data,
    GError **error);
/* When it returns, nobody calls status() any more. */
void afxdp_daemon_metrics_free (AfxdpDaemonMetrics *metrics);

/* What the tree says. */
AfxdpSamples *afxdp_daemon_metrics_read (JsonNode *status);

G_END_DECLS
