/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * receive-many: receives many RTP multicast streams, by the public interface of
 * GStreamer and the element afxdpsrc alone.
 *
 *   receive-many --interface eth1 239.1.1.1:5000 239.1.1.2:5000
 *
 * This file owns the course of a run: start, clock, signals, end, exit status.
 */
#include <errno.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "json.h"
#include "process.h"
#include "progress.h"
#include "summary.h"

/* To stop a stream is to wait: for its thread, and for the kernel, which lets
 * go of a socket only when no other processor can see it any more. So many do
 * that at once. */
#define STOPPERS 32
/* Streams are started for so long at a time, in µs. */
#define START_SLICE 10000

typedef struct
{
  Options *options;
  GPtrArray *streams; /* Stream */
  FILE *out;          /* what people read */
  FILE *json;         /* NULL: not wanted */
  Progress progress;
  GMainLoop *loop;
  GThreadPool *enders; /* of streams that end before the others */
  guint n_started, n_ended;
  guint starter, ticker, timer, interrupt, terminate; /* GSources, or 0 */
} Receiver;

static void
on_say (gpointer receiver, const gchar *line)
{
  Receiver *self = receiver;

  fprintf (self->out, "%s\n", line);
  fflush (self->out);
}

static void
on_ended (gpointer receiver, Stream *stream)
{
  Receiver *self = receiver;

  /* A thread that cannot be had is one less; the first exists. */
  g_thread_pool_push (self->enders, stream, NULL);
  if (++self->n_ended == self->streams->len)
    g_main_loop_quit (self->loop);
}

static void
end_stream (gpointer stream, gpointer unused)
{
  stream_halt (stream);
  stream_close (stream);
}

static void
halt_stream (gpointer stream, gpointer unused)
{
  stream_halt (stream);
}

static void
close_stream (gpointer stream, gpointer unused)
{
  stream_close (stream);
}

/* What runs. */

static gboolean
on_tick (gpointer receiver)
{
  Receiver *self = receiver;
  const gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < self->streams->len; i++) {
    Stream *stream = g_ptr_array_index (self->streams, i);

    /* Others may be on their way to NULL, and would keep us waiting. */
    if (stream->state == STREAM_RUNNING)
      stream_update (stream, now);
  }
  progress_write (&self->progress, self->streams, self->out);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer receiver)
{
  Receiver *self = receiver;

  self->timer = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

/* For some milliseconds at a time, so that buses and signals are heard in between:
 * a look at all of them after each stream would cost hundreds of streams as much as
 * their start does. */
static gboolean
on_start (gpointer receiver)
{
  const gint64 until = g_get_monotonic_time () + START_SLICE;
  Receiver *self = receiver;

  do
    stream_start (g_ptr_array_index (self->streams, self->n_started++));
  while (
      self->n_started < self->streams->len && g_get_monotonic_time () < until);
  if (self->n_started < self->streams->len)
    return G_SOURCE_CONTINUE;
  if (self->options->duration > 0)
    self->timer = g_timeout_add (self->options->duration * 1e3, on_timer, self);
  self->starter = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer receiver)
{
  Receiver *self = receiver;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
add_sources (Receiver *self)
{
  self->interrupt = g_unix_signal_add (SIGINT, on_signal, self);
  self->terminate = g_unix_signal_add (SIGTERM, on_signal, self);
  self->ticker = g_timeout_add (self->options->interval * 1e3, on_tick, self);
  self->starter = g_idle_add (on_start, self);
}

/* Also gives the signals back to the kernel: when the stop should hang, a
 * second Ctrl-C ends the process. */
static void
remove_sources (Receiver *self)
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
do_to_all (Receiver *self, GFunc action, GPtrArray *streams)
{
  GThreadPool *pool = g_thread_pool_new (action, NULL, STOPPERS, FALSE, NULL);

  for (guint i = 0; i < streams->len; i++)
    g_thread_pool_push (pool, g_ptr_array_index (streams, i), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* All threads of the streams end before the first of them gives its sockets
 * back: otherwise each stream would wait for what the ones before it do. */
static void
stop (Receiver *self)
{
  g_autoptr (GPtrArray) running = g_ptr_array_new ();

  for (guint i = 0; i < self->n_started; i++) {
    Stream *stream = g_ptr_array_index (self->streams, i);

    if (stream->state == STREAM_RUNNING)
      g_ptr_array_add (running, stream);
  }
  do_to_all (self, halt_stream, running);
  for (guint i = 0; i < running->len; i++)
    stream_read_bus (g_ptr_array_index (running, i));
  do_to_all (self, close_stream, running);
  g_thread_pool_free (g_steal_pointer (&self->enders), FALSE, TRUE);
}

static Summary
run (Receiver *self)
{
  Summary summary = { self->options, self->streams };
  const gint64 began = g_get_monotonic_time ();
  const guint64 cpu_time = process_cpu_time ();
  gint64 ended;

  add_sources (self);
  g_main_loop_run (self->loop);
  on_tick (self);
  remove_sources (self);
  stop (self);
  ended = g_get_monotonic_time ();
  summary.seconds = (ended - began) / 1e6;
  summary.cpu_time = process_cpu_time () - cpu_time;
  for (guint i = 0; i < self->streams->len; i++)
    stream_update (g_ptr_array_index (self->streams, i), ended);
  return summary;
}

/* Preparation. */

static gboolean
open_json (Receiver *self, GError **error)
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
make_streams (Receiver *self, GError **error)
{
  const StreamListener listener = { on_say, on_ended, self };
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("afxdpsrc");

  if (!factory) {
    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT,
        "GStreamer does not find the element afxdpsrc: install the plugin, or "
        "set GST_PLUGIN_PATH to the directory with libgstafxdp.so");
    return FALSE;
  }
  for (guint i = 0; i < self->options->addresses->len; i++) {
    Stream *stream = stream_new (self->options,
        g_ptr_array_index (self->options->addresses, i), i, &listener, error);

    if (!stream)
      return FALSE;
    g_ptr_array_add (self->streams, stream);
  }
  return TRUE;
}

static gboolean
prepare (Receiver *self, gint *argc, gchar ***argv, GError **error)
{
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) stream_free);
  self->loop = g_main_loop_new (NULL, FALSE);
  self->enders = g_thread_pool_new (end_stream, NULL, STOPPERS, FALSE, NULL);
  self->options = options_new (argc, argv, error);
  if (!self->options ||
      !process_raise_files (self->options->addresses->len,
          options_n_legs (self->options), error) ||
      !gst_init_check (NULL, NULL, error) || !make_streams (self, error) ||
      !open_json (self, error))
    return FALSE;
  self->out = self->json == stdout ? stderr : stdout;
  progress_init (&self->progress);
  return TRUE;
}

static void
clear (Receiver *self)
{
  if (self->enders)
    g_thread_pool_free (self->enders, TRUE, TRUE);
  g_clear_pointer (&self->streams, g_ptr_array_unref);
  g_clear_pointer (&self->options, options_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  if (self->json && self->json != stdout)
    fclose (self->json);
}

static ExitStatus
receive (Receiver *self, gint argc, gchar **argv, GError **error)
{
  Summary summary;

  if (!prepare (self, &argc, &argv, error))
    return EXIT_FAILED;
  summary = run (self);
  summary_print (&summary, self->out);
  if (self->json && !json_write (&summary, self->json, error))
    return EXIT_FAILED;
  return summary_judge (&summary);
}

int
main (int argc, char **argv)
{
  Receiver receiver = { 0 };
  g_autoptr (GError) error = NULL;
  ExitStatus status;

  setlocale (LC_CTYPE, "");
  status = receive (&receiver, argc, argv, &error);
  if (error)
    fprintf (stderr, "receive-many: %s\n", error->message);
  clear (&receiver);
  return status;
}
