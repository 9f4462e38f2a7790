/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict, and the summary for people. */
#include "summary.h"

#include <string.h>

#include "legs.h"

static const Stream *
get_stream (const Summary *self, guint i)
{
  return g_ptr_array_index (self->streams, i);
}

Counts
summary_sum (const Summary *self)
{
  Counts sum = { { 0 } };

  for (guint i = 0; i < self->streams->len; i++)
    counts_add (&sum, &get_stream (self, i)->counts);
  return sum;
}

ExitStatus
summary_judge (const Summary *self)
{
  const Counts sum = summary_sum (self);

  for (guint i = 0; i < self->streams->len; i++)
    if (get_stream (self, i)->state == STREAM_FAILED)
      return EXIT_FAILED;
  return counts_missing (&sum) ? EXIT_LOST : EXIT_OK;
}

gdouble
summary_cpu_per_packet (const Summary *self)
{
  const Counts sum = summary_sum (self);
  const guint64 packets = sum.of[COUNT_PACKETS];

  return packets ? (gdouble) self->cpu_time / packets : 0;
}

/* Wide enough for the last row, which has the largest numbers. */
typedef struct
{
  gint name, counts[N_COUNTS];
} Widths;

static Widths
measure (const Summary *self, const Counts *sum)
{
  Widths widths = { strlen ("stream"), { 0 } };

  for (guint i = 0; i < self->streams->len; i++)
    widths.name =
        MAX (widths.name, (gint) strlen (get_stream (self, i)->address->name));
  for (guint i = 0; i < N_COUNTS; i++) {
    const gchar *heading = count_heading (i);
    g_autofree gchar *number =
        g_strdup_printf ("%" G_GUINT64_FORMAT, sum->of[i]);

    if (heading)
      widths.counts[i] = MAX (strlen (heading), strlen (number));
  }
  return widths;
}

/* Of counts, or of headings when they are NULL. */
static void
print_row (
    FILE *out, const Widths *widths, const gchar *name, const Counts *counts)
{
  fprintf (out, "%-*s", widths->name, name);
  for (guint i = 0; i < N_COUNTS; i++) {
    const gchar *heading = count_heading (i);

    if (heading && counts)
      fprintf (out, "  %*" G_GUINT64_FORMAT, widths->counts[i], counts->of[i]);
    else if (heading)
      fprintf (out, "  %*s", widths->counts[i], heading);
  }
  fputc ('\n', out);
}

static void
print_rows (const Summary *self, const Counts *sum, FILE *out)
{
  const Widths widths = measure (self, sum);

  print_row (out, &widths, "stream", NULL);
  for (guint i = 0; i < self->streams->len; i++) {
    const Stream *stream = get_stream (self, i);

    print_row (out, &widths, stream->address->name, &stream->counts);
    legs_write (stream->stats, "  ", out);
  }
  print_row (out, &widths, "total", sum);
}

void
summary_print (const Summary *self, FILE *out)
{
  const Counts sum = summary_sum (self);

  fputc ('\n', out);
  print_rows (self, &sum, out);
  fprintf (out, "%.1f s; CPU time %.3f s", self->seconds, self->cpu_time / 1e9);
  if (sum.of[COUNT_PACKETS])
    fprintf (out, ", %.0f ns for each packet", summary_cpu_per_packet (self));
  fputc ('\n', out);
  if (sum.of[COUNT_PENDING])
    fprintf (out,
        "%" G_GUINT64_FORMAT " more were missing at the end, too late to tell "
        "whether they were lost\n",
        sum.of[COUNT_PENDING]);
  for (guint i = 0; i < self->streams->len; i++) {
    const Stream *stream = get_stream (self, i);

    if (stream->state == STREAM_FAILED)
      fprintf (out, "%s failed: %s\n", stream->address->name, stream->failure);
  }
  fflush (out);
}
