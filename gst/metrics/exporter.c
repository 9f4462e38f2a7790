/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics by HTTP, to a file and to a log. */
#include "exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "fork.h"
#include "jsonline.h"
#include "openmetrics.h"
#include "thread.h"

#define INTERVAL 10000
#define SHORTEST 100
#define LONGEST (3600 * 1000)
#define FILE_MODE 0644
#define STDERR "stderr"

struct _AfxdpExporter
{
  AfxdpCollect collect;
  void (*tell) (const gchar *text);
  gpointer user_data;
  AfxdpHttpServer *server; /* NULL: none */
  gchar *file;             /* NULL: none */
  int log;                 /* -1: none */
  guint interval;          /* ms */
  guint generation;        /* of forks */
  pthread_t writer;        /* if there is a file or a log */
  gboolean is_writing;
  gboolean has_told; /* that the file cannot be written; the writer's own */

  GMutex collecting; /* held in collect(): server and writer take turns */

  GMutex lock; /* protects ending; outside no other */
  GCond ended;
  gboolean ending;
};

/* Parameters. */

static gboolean
take_text (gchar **field, const gchar *value)
{
  if (!*value)
    return FALSE;
  g_free (*field);
  *field = g_strdup (value);
  return TRUE;
}

static gboolean
take_interval (AfxdpExporterSettings *settings, const gchar *value)
{
  gchar *end;
  gdouble seconds = g_ascii_strtod (value, &end);

  if (!*value || *end || !(seconds * 1000 >= SHORTEST) ||
      seconds * 1000 > LONGEST)
    return FALSE;
  settings->interval = seconds * 1000;
  return TRUE;
}

static gboolean
take (AfxdpExporterSettings *settings, const gchar *name, const gchar *value)
{
  if (g_str_equal (name, "listen"))
    return take_text (&settings->listen, value);
  if (g_str_equal (name, "file"))
    return take_text (&settings->file, value);
  if (g_str_equal (name, "log"))
    return take_text (&settings->log, value);
  return g_str_equal (name, "interval") && take_interval (settings, value);
}

gboolean
afxdp_exporter_settings_parse (
    AfxdpExporterSettings *settings, const gchar *parameters, GError **error)
{
  g_auto (GStrv) words = g_strsplit (parameters ? parameters : "", ",", -1);

  *settings = (AfxdpExporterSettings){ .interval = INTERVAL };
  for (guint i = 0; words[i]; i++) {
    gchar *value = strchr (g_strstrip (words[i]), '=');

    if (!*words[i])
      continue;
    if (value)
      *value++ = 0;
    if (value && take (settings, words[i], value))
      continue;
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "%s%s%s is unknown: there are listen=ADDRESS:PORT, file=PATH, "
        "log=stderr or log=PATH, and interval=SECONDS from 0.1 to 3600",
        words[i], value ? "=" : "", value ? value : "");
    afxdp_exporter_settings_clear (settings);
    return FALSE;
  }
  if (!settings->listen && !settings->file && !settings->log)
    settings->listen = g_strdup (AFXDP_EXPORTER_LISTEN);
  return TRUE;
}

void
afxdp_exporter_settings_clear (AfxdpExporterSettings *settings)
{
  g_clear_pointer (&settings->listen, g_free);
  g_clear_pointer (&settings->file, g_free);
  g_clear_pointer (&settings->log, g_free);
}

/* Writing. */

static AfxdpSamples *
collect (gpointer user_data)
{
  AfxdpExporter *exporter = user_data;
  AfxdpSamples *samples;

  g_mutex_lock (&exporter->collecting);
  samples = exporter->collect (exporter->user_data);
  g_mutex_unlock (&exporter->collecting);
  return samples;
}

/* Who reads the file has the former or the new one whole: it is renamed. */
static void
write_file (AfxdpExporter *exporter, const AfxdpSamples *samples)
{
  g_autofree gchar *text =
      afxdp_samples_to_text (samples, AFXDP_TEXT_PROMETHEUS);
  g_autofree gchar *complaint = NULL;
  g_autoptr (GError) error = NULL;

  if (g_file_set_contents_full (exporter->file, text, -1,
          G_FILE_SET_CONTENTS_CONSISTENT, FILE_MODE, &error)) {
    exporter->has_told = FALSE;
    return;
  }
  if (exporter->has_told)
    return;
  exporter->has_told = TRUE;
  complaint = g_strdup_printf (
      "Metrics cannot be written, and are tried again: %s", error->message);
  exporter->tell (complaint);
}

/* By one call, so that lines of several processes do not mix. A log that takes nothing is
 * not worth waiting for. */
static void
write_log (AfxdpExporter *exporter, const AfxdpSamples *samples)
{
  g_autofree gchar *line =
      afxdp_samples_to_json_line (samples, g_get_real_time ());
  gssize written = write (exporter->log, line, strlen (line));

  (void) written;
}

static void
write_all (AfxdpExporter *exporter)
{
  g_autoptr (AfxdpSamples) samples = collect (exporter);

  if (!samples)
    return;
  if (exporter->file)
    write_file (exporter, samples);
  if (exporter->log >= 0)
    write_log (exporter, samples);
}

static gpointer
run (gpointer user_data)
{
  AfxdpExporter *exporter = user_data;
  gint64 next = g_get_monotonic_time ();
  gboolean ending = FALSE;

  while (!ending) {
    next += exporter->interval * G_TIME_SPAN_MILLISECOND;
    write_all (exporter);
    g_mutex_lock (&exporter->lock);
    while (!exporter->ending &&
        g_cond_wait_until (&exporter->ended, &exporter->lock, next))
      ;
    ending = exporter->ending;
    g_mutex_unlock (&exporter->lock);
  }
  write_all (exporter);
  return NULL;
}

/* The exporter. */

static void
open_log (AfxdpExporter *exporter, const gchar *path)
{
  g_autofree gchar *complaint = NULL;

  exporter->log = g_str_equal (path, STDERR)
      ? fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
      : open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
            FILE_MODE);
  if (exporter->log >= 0)
    return;
  complaint = g_strdup_printf (
      "Metrics cannot be written to %s: %s", path, g_strerror (errno));
  exporter->tell (complaint);
}

static void
start_server (AfxdpExporter *exporter, const gchar *listen)
{
  g_autoptr (GError) error = NULL;

  exporter->server = afxdp_http_server_new (listen, collect, exporter, &error);
  if (!exporter->server)
    exporter->tell (error->message);
}

static void
start_writer (AfxdpExporter *exporter)
{
  g_autoptr (GError) error = NULL;

  exporter->is_writing = afxdp_thread_start (
      &exporter->writer, "afxdp-metrics", run, exporter, &error);
  if (!exporter->is_writing)
    exporter->tell (error->message);
}

AfxdpExporter *
afxdp_exporter_new (const AfxdpExporterSettings *settings,
    AfxdpCollect collect_, void (*tell) (const gchar *text), gpointer user_data)
{
  AfxdpExporter *exporter = g_new0 (AfxdpExporter, 1);

  exporter->collect = collect_;
  exporter->tell = tell;
  exporter->user_data = user_data;
  exporter->file = g_strdup (settings->file);
  exporter->log = -1;
  exporter->interval = settings->interval;
  exporter->generation = afxdp_fork_generation ();
  g_mutex_init (&exporter->collecting);
  g_mutex_init (&exporter->lock);
  g_cond_init (&exporter->ended);
  if (settings->listen)
    start_server (exporter, settings->listen);
  if (settings->log)
    open_log (exporter, settings->log);
  if (exporter->file || exporter->log >= 0)
    start_writer (exporter);
  return exporter;
}

void
afxdp_exporter_free (AfxdpExporter *exporter)
{
  if (!exporter)
    return;
  /* A child of fork() has the memory, and not the threads. */
  if (exporter->is_writing &&
      exporter->generation == afxdp_fork_generation ()) {
    g_mutex_lock (&exporter->lock);
    exporter->ending = TRUE;
    g_cond_signal (&exporter->ended);
    g_mutex_unlock (&exporter->lock);
    pthread_join (exporter->writer, NULL);
  }
  afxdp_http_server_free (exporter->server);
  if (exporter->log >= 0)
    close (exporter->log);
  g_cond_clear (&exporter->ended);
  g_mutex_clear (&exporter->lock);
  g_mutex_clear (&exporter->collecting);
  g_free (exporter->file);
  g_free (exporter);
}

guint16
afxdp_exporter_port (const AfxdpExporter *exporter)
{
  return exporter->server ? afxdp_http_server_port (exporter->server) : 0;
}
