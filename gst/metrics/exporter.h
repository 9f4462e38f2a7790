/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a process gives its metrics to: whoever asks by HTTP, a file for node_exporter's
 * textfile collector, a log. What is asked for is a text of parameters with commas
 * between:
 *
 *     listen=127.0.0.1:9464,file=/var/lib/node_exporter/afxdp.prom,log=stderr,interval=10
 *
 * Each of them has threads of its own. One thread at a time.
 */
#pragma once

#include "httpserver.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *listen;  /* NULL: no HTTP */
  gchar *file;    /* NULL: none */
  gchar *log;     /* "stderr", or a path; NULL: none */
  guint interval; /* ms between two files, or lines of the log */
} AfxdpExporterSettings;

typedef struct _AfxdpExporter AfxdpExporter;

/* Reads parameters; NULL and an empty text have AFXDP_EXPORTER_LISTEN. Errors:
 * AFXDP_ERROR_SETTINGS. */
#define AFXDP_EXPORTER_LISTEN "127.0.0.1:9464"
gboolean afxdp_exporter_settings_parse (
    AfxdpExporterSettings *settings, const gchar *parameters, GError **error);
void afxdp_exporter_settings_clear (AfxdpExporterSettings *settings);

/* collect() is called in other threads, in one at a time. tell(): what went wrong, once
 * for each cause, in any thread. What can be had is given even if another of them
 * cannot. */
AfxdpExporter *afxdp_exporter_new (const AfxdpExporterSettings *settings,
    AfxdpCollect collect, void (*tell) (const gchar *text), gpointer user_data);
/* Writes file and log once more, so that the end is there. */
void afxdp_exporter_free (AfxdpExporter *exporter);

/* Of HTTP; 0: there is none. */
guint16 afxdp_exporter_port (const AfxdpExporter *exporter);

G_END_DECLS
