/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line for each stream, and one for all. */
#include "progress.h"

#include "legs.h"
#include "process.h"

#define COUNT "%" G_GUINT64_FORMAT

void
progress_init (Progress *self)
{
  self->began = self->written_at = g_get_monotonic_time ();
  self->cpu_time = process_cpu_time ();
}

static const gchar *
path_text (const Stream *stream)
{
  switch (stream->state) {
    case STREAM_FAILED:
      return "failed";
    case STREAM_ENDED:
      return "ended";
    default:
      return stream->path;
  }
}

static void
write_stream (gdouble seconds, const Stream *stream, FILE *out)
{
  const guint64 *counts = stream->counts.of;
  g_autofree gchar *prefix =
      g_strdup_printf ("%.1f s stream %s ", seconds, stream->address->name);

  fprintf (out,
      "%.1f s stream %s path %s queue %s packets/s %.0f Mbit/s %.1f "
      "packets " COUNT " gaps " COUNT " lost " COUNT " reordered " COUNT
      " jitter/ms ",
      seconds, stream->address->name, path_text (stream), stream->queues_text,
      stream->packets_per_second, stream->bits_per_second / 1e6,
      counts[COUNT_PACKETS], counts[COUNT_GAPS], counts[COUNT_LOST],
      counts[COUNT_REORDERED]);
  if (stream->jitter < 0)
    fputs ("-\n", out);
  else
    fprintf (out, "%.3f\n", stream->jitter * 1e3);
  legs_write (stream->stats, prefix, out);
}

void
progress_write (Progress *self, const GPtrArray *streams, FILE *out)
{
  const gint64 now = g_get_monotonic_time ();
  const guint64 cpu_time = process_cpu_time ();
  const gdouble seconds = (now - self->began) / 1e6;
  const gint64 elapsed = MAX (now - self->written_at, 1);
  Counts sum = { { 0 } };
  gdouble packets = 0, bits = 0;

  for (guint i = 0; i < streams->len; i++) {
    const Stream *stream = g_ptr_array_index (streams, i);

    write_stream (seconds, stream, out);
    counts_add (&sum, &stream->counts);
    packets += stream->packets_per_second;
    bits += stream->bits_per_second;
  }
  fprintf (out,
      "%.1f s CPU %.1f %% of a core; %.0f packets/s, %.1f Mbit/s, " COUNT
      " gaps, " COUNT " lost, " COUNT " reordered\n",
      seconds, (cpu_time - self->cpu_time) / 10.0 / elapsed, packets,
      bits / 1e6, sum.of[COUNT_GAPS], sum.of[COUNT_LOST],
      sum.of[COUNT_REORDERED]);
  fflush (out);
  self->written_at = now;
  self->cpu_time = cpu_time;
}
