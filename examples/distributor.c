/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * distributor: receives many RTP multicast streams, as a multicast distributor
 * does, by the public interface of GStreamer and the element afxdpsrc alone.
 *
 *   distributor --interface eth1 239.1.1.1:5000 239.1.1.2:5000
 *
 * This file owns the course of a run: start, clock, signals, end, exit status.
 */
#include <errno.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "distributor-json.h"
#include "distributor-process.h"
#include "distributor-summary.h"
#include "distributor-table.h"

/* To stop a stream is to wait: for its thread, and for the kernel, which lets
 * go of a socket only when no other processor can see it any more. So many do
 * that at once. */
#define STOPPERS 32

typedef struct
{
  DistributorOptions *options;
  GPtrArray *streams; /* DistributorStream */
  FILE *out;          /* what people read */
  FILE *json;         /* NULL: not wanted */
  DistributorTable *table;
  GMainLoop *loop;
  GThreadPool *enders; /* of streams that end before the others */
  guint n_started, n_ended;
  guint starter, ticker, timer, interrupt, terminate; /* GSources, or 0 */
} Distributor;

static void
on_say (gpointer distributor, const gchar *line)
{
  Distributor *self = distributor;

  distributor_table_say (self->table, line);
}

static void
on_ended (gpointer distributor, DistributorStream *stream)
{
  Distributor *self = distributor;

  /* A thread that cannot be had is one less; the first exists. */
  g_thread_pool_push (self->enders, stream, NULL);
  if (++self->n_ended == self->streams->len)
    g_main_loop_quit (self->loop);
}

static void
end_stream (gpointer stream, gpointer unused)
{
  distributor_stream_halt (stream);
  distributor_stream_close (stream);
}

static void
halt_stream (gpointer stream, gpointer unused)
{
  distributor_stream_halt (stream);
}

static void
close_stream (gpointer stream, gpointer unused)
{
  distributor_stream_close (stream);
}

/* What runs. */

static gboolean
on_tick (gpointer distributor)
{
  Distributor *self = distributor;
  const gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < self->streams->len; i++) {
    DistributorStream *stream = g_ptr_array_index (self->streams, i);

    /* Others may be on their way to NULL, and would keep us waiting. */
    if (stream->state == DISTRIBUTOR_RUNNING)
      distributor_stream_update (stream, now);
  }
  distributor_table_draw (self->table);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer distributor)
{
  Distributor *self = distributor;

  self->timer = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* One at a time, so that buses and signals are heard in between. */
static gboolean
on_start (gpointer distributor)
{
  Distributor *self = distributor;

  distributor_stream_start (
      g_ptr_array_index (self->streams, self->n_started++));
  if (self->n_started < self->streams->len)
    return G_SOURCE_CONTINUE;
  if (self->options->duration > 0)
    self->timer = g_timeout_add (self->options->duration * 1e3, on_timer, self);
  self->starter = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer distributor)
{
  Distributor *self = distributor;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
add_sources (Distributor *self)
{
  self->interrupt = g_unix_signal_add (SIGINT, on_signal, self);
  self->terminate = g_unix_signal_add (SIGTERM, on_signal, self);
  self->ticker = g_timeout_add (self->options->interval * 1e3, on_tick, self);
  self->starter = g_idle_add (on_start, self);
}

/* Also gives the signals back to the kernel: when the stop should hang, a
 * second Ctrl-C ends the process. */
static void
remove_sources (Distributor *self)
{
  guint *const sources[] = { &self->starter, &self->ticker, &self->timer,
    &self->interrupt, &self->terminate };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    if (*sources[i])
      g_source_remove (*sources[i]);
    *sources[i] = 0;
  }
}

/* Does it to all streams that were started and have not ended, several at a
 * time; returns when it is done. */
static void
do_to_all (Distributor *self, GFunc action, GPtrArray *streams)
{
  GThreadPool *pool = g_thread_pool_new (action, NULL, STOPPERS, FALSE, NULL);

  for (guint i = 0; i < streams->len; i++)
    g_thread_pool_push (pool, g_ptr_array_index (streams, i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* All threads of the streams end before the first of them gives its sockets
 * back: otherwise each stream would wait for what the ones before it do. */
static void
stop (Distributor *self)
{
  g_autoptr (GPtrArray) running = g_ptr_array_new ();

  for (guint i = 0; i < self->n_started; i++) {
    DistributorStream *stream = g_ptr_array_index (self->streams, i);

    if (stream->state == DISTRIBUTOR_RUNNING)
      g_ptr_array_add (running, stream);
  }
  do_to_all (self, halt_stream, running);
  for (guint i = 0; i < running->len; i++)
    distributor_stream_read_bus (g_ptr_array_index (running, i));
  do_to_all (self, close_stream, running);
  g_thread_pool_free (g_steal_pointer (&self->enders), FALSE, TRUE);
}

static DistributorSummary
run (Distributor *self)
{
  DistributorSummary summary = { self->options, self->streams };
  const gint64 began = g_get_monotonic_time ();
  const guint64 cpu_time = distributor_process_cpu_time ();
  gint64 ended;

  add_sources (self);
  g_main_loop_run (self->loop);
  on_tick (self);
  remove_sources (self);
  stop (self);
  ended = g_get_monotonic_time ();
  summary.seconds = (ended - began) / 1e6;
  summary.cpu_time = distributor_process_cpu_time () - cpu_time;
  for (guint i = 0; i < self->streams->len; i++)
    distributor_stream_update (g_ptr_array_index (self->streams, i), ended);
  return summary;
}

/* Preparation. */

static gboolean
open_json (Distributor *self, GError **error)
{
  const gchar *name = self->options->json;

  if (!name)
    return TRUE;
  /* Before the run: it would be a pity to learn afterwards that it cannot be
   * written. */
  self->json = g_str_equal (name, "-") ? stdout : fopen (name, "we");
  if (self->json)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "Cannot write to --json=%s: %s", name, g_strerror (errno));
  return FALSE;
}

static gboolean
make_streams (Distributor *self, GError **error)
{
  const DistributorListener listener = { on_say, on_ended, self };
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("afxdpsrc");

  if (!factory) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "GStreamer does not find the element afxdpsrc: install the plugin, or "
        "set GST_PLUGIN_PATH to the directory with libgstafxdp.so");
    return FALSE;
  }
  for (guint i = 0; i < self->options->addresses->len; i++) {
    DistributorStream *stream = distributor_stream_new (self->options,
        g_ptr_array_index (self->options->addresses, i), &listener, error);

    if (!stream)
      return FALSE;
    g_ptr_array_add (self->streams, stream);
  }
  return TRUE;
}

static gboolean
prepare (Distributor *self, gint *argc, gchar ***argv, GError **error)
{
  self->streams =
      g_ptr_array_new_with_free_func ((GDestroyNotify) distributor_stream_free);
  self->loop = g_main_loop_new (NULL, FALSE);
  self->enders = g_thread_pool_new (end_stream, NULL, STOPPERS, FALSE, NULL);
  self->options = distributor_options_new (argc, argv, error);
  if (!self->options ||
      !distributor_process_raise_files (self->options->addresses->len, error) ||
      !gst_init_check (NULL, NULL, error) || !make_streams (self, error) ||
      !open_json (self, error))
    return FALSE;
  self->out = self->json == stdout ? stderr : stdout;
  self->table = distributor_table_new (self->out, self->streams);
  return TRUE;
}

static void
clear (Distributor *self)
{
  if (self->enders)
    g_thread_pool_free (self->enders, TRUE, TRUE);
  g_clear_pointer (&self->table, distributor_table_free);
  g_clear_pointer (&self->streams, g_ptr_array_unref);
  g_clear_pointer (&self->options, distributor_options_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  if (self->json && self->json != stdout)
    fclose (self->json);
}

static DistributorExit
distribute (Distributor *self, gint argc, gchar **argv, GError **error)
{
  DistributorSummary summary;

  if (!prepare (self, &argc, &argv, error))
    return DISTRIBUTOR_EXIT_FAILED;
  summary = run (self);
  distributor_summary_print (&summary, self->out);
  if (self->json && !distributor_json_write (&summary, self->json, error))
    return DISTRIBUTOR_EXIT_FAILED;
  return distributor_summary_judge (&summary);
}

int
main (int argc, char **argv)
{
  Distributor distributor = { 0 };
  g_autoptr (GError) error = NULL;
  DistributorExit status;

  setlocale (LC_CTYPE, "");
  status = distribute (&distributor, argc, argv, &error);
  if (error)
    fprintf (stderr, "distributor: %s\n", error->message);
  clear (&distributor);
  return status;
}
