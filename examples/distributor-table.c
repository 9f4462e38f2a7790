/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the streams that run. */
#include "distributor-table.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "distributor-process.h"

/* ECMA-48; every terminal that is in use knows these. */
#define UP "\033[%uA"
#define DOWN_TO_END "\033[999B"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

/* Beside the streams: headings, "... and N more", the sum, and the line that
 * the cursor stands on. */
#define ROWS_BESIDES 4

typedef enum
{
  COLUMN_STREAM,
  COLUMN_DOOR,
  COLUMN_QUEUE,
  COLUMN_PACKET_RATE,
  COLUMN_BIT_RATE,
  COLUMN_PACKETS,
  COLUMN_GAPS,
  COLUMN_LOST,
  COLUMN_REORDERED,
  COLUMN_JITTER,
  N_COLUMNS,
} Column;

static const struct
{
  const gchar *heading;
  gint width; /* on a terminal; 0: not there */
} columns[N_COLUMNS] = {
  [COLUMN_STREAM] = { "stream", 6 }, /* at least */
  [COLUMN_DOOR] = { "door", 6 },
  [COLUMN_QUEUE] = { "queue", 5 },
  [COLUMN_PACKET_RATE] = { "packets/s", 9 },
  [COLUMN_BIT_RATE] = { "Mbit/s", 7 },
  [COLUMN_PACKETS] = { "packets", 0 },
  [COLUMN_GAPS] = { "gaps", 4 },
  [COLUMN_LOST] = { "lost", 7 },
  [COLUMN_REORDERED] = { "reordered", 9 },
  [COLUMN_JITTER] = { "jitter/ms", 9 },
};

struct _DistributorTable
{
  FILE *out;
  GPtrArray *streams;
  gboolean is_terminal;
  gint stream_width;

  gint64 began, drawn_at; /* monotonic, µs */
  guint64 cpu_time;       /* of the process, at drawn_at */
  gdouble cpu_use;        /* before it, of one core */

  /* On a terminal. */
  struct winsize size; /* when it was drawn last; 0 before */
  GPtrArray *lines;    /* gchar: what stands there */
};

DistributorTable *
distributor_table_new (FILE *out, GPtrArray *streams)
{
  DistributorTable *self = g_new0 (DistributorTable, 1);

  self->out = out;
  self->streams = g_ptr_array_ref (streams);
  self->is_terminal = isatty (fileno (out));
  self->lines = g_ptr_array_new_with_free_func (g_free);
  self->began = self->drawn_at = g_get_monotonic_time ();
  self->cpu_time = distributor_process_cpu_time ();
  self->stream_width = columns[COLUMN_STREAM].width;
  for (guint i = 0; i < streams->len; i++) {
    const DistributorStream *stream = g_ptr_array_index (streams, i);

    self->stream_width =
        MAX (self->stream_width, (gint) strlen (stream->address->name));
  }
  return self;
}

void
distributor_table_free (DistributorTable *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->lines);
  g_ptr_array_unref (self->streams);
  g_free (self);
}

/* Cells and lines, the same for both kinds. */

static const gchar *
door_text (const DistributorStream *stream)
{
  switch (stream->state) {
    case DISTRIBUTOR_FAILED:
      return "failed";
    case DISTRIBUTOR_ENDED:
      return "ended";
    default:
      return stream->door;
  }
}

static void
append_count (GString *text, const DistributorStream *stream, guint count)
{
  g_string_append_printf (text, "%" G_GUINT64_FORMAT, stream->counts.of[count]);
}

static gchar *
cell (const DistributorStream *stream, Column column)
{
  GString *text = g_string_new (NULL);

  switch (column) {
    case COLUMN_STREAM:
      g_string_append (text, stream->address->name);
      break;
    case COLUMN_DOOR:
      g_string_append (text, door_text (stream));
      break;
    case COLUMN_QUEUE:
      g_string_append (text, stream->queues_text);
      break;
    case COLUMN_PACKET_RATE:
      g_string_append_printf (text, "%.0f", stream->packets_per_second);
      break;
    case COLUMN_BIT_RATE:
      g_string_append_printf (text, "%.1f", stream->bits_per_second / 1e6);
      break;
    case COLUMN_PACKETS:
      append_count (text, stream, DISTRIBUTOR_PACKETS);
      break;
    case COLUMN_GAPS:
      append_count (text, stream, DISTRIBUTOR_GAPS);
      break;
    case COLUMN_LOST:
      append_count (text, stream, DISTRIBUTOR_LOST);
      break;
    case COLUMN_REORDERED:
      append_count (text, stream, DISTRIBUTOR_REORDERED);
      break;
    case COLUMN_JITTER:
      if (stream->jitter < 0)
        g_string_append_c (text, '-');
      else
        g_string_append_printf (text, "%.3f", stream->jitter * 1e3);
      break;
    case N_COLUMNS:
      break;
  }
  return g_string_free (text, FALSE);
}

static gchar *
sum_line (const DistributorTable *self)
{
  DistributorCounts sum = { { 0 } };
  gdouble packets = 0, bits = 0;

  for (guint i = 0; i < self->streams->len; i++) {
    const DistributorStream *stream = g_ptr_array_index (self->streams, i);

    distributor_counts_add (&sum, &stream->counts);
    packets += stream->packets_per_second;
    bits += stream->bits_per_second;
  }
  return g_strdup_printf ("CPU %.1f %% of a core; %.0f packets/s, %.1f Mbit/s, "
                          "%" G_GUINT64_FORMAT " gaps, %" G_GUINT64_FORMAT
                          " lost, %" G_GUINT64_FORMAT " reordered",
      self->cpu_use * 100, packets, bits / 1e6, sum.of[DISTRIBUTOR_GAPS],
      sum.of[DISTRIBUTOR_LOST], sum.of[DISTRIBUTOR_REORDERED]);
}

static void
measure_cpu (DistributorTable *self)
{
  const gint64 now = g_get_monotonic_time ();
  const guint64 cpu_time = distributor_process_cpu_time ();

  if (now > self->drawn_at)
    self->cpu_use = (cpu_time - self->cpu_time) / 1e3 / (now - self->drawn_at);
  self->drawn_at = now;
  self->cpu_time = cpu_time;
}

/* Lines that are appended. */

/* Every number has its name: such lines are read alone, or by grep. */
static void
append_stream (const DistributorTable *self, const DistributorStream *stream,
    GString *text)
{
  g_string_append_printf (text, "%.1f s", (self->drawn_at - self->began) / 1e6);
  for (guint i = 0; i < N_COLUMNS; i++) {
    g_autofree gchar *value = cell (stream, i);

    g_string_append_printf (text, " %s %s", columns[i].heading, value);
  }
  g_string_append_c (text, '\n');
}

static void
append_lines (DistributorTable *self)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree gchar *sum = sum_line (self);

  for (guint i = 0; i < self->streams->len; i++)
    append_stream (self, g_ptr_array_index (self->streams, i), text);
  g_string_append_printf (
      text, "%.1f s %s\n", (self->drawn_at - self->began) / 1e6, sum);
  fputs (text->str, self->out);
  fflush (self->out);
}

/* The table of a terminal. */

static void
append_cell (const DistributorTable *self, GString *line, guint column,
    const gchar *text)
{
  if (column == COLUMN_STREAM)
    g_string_append_printf (line, "%-*s", self->stream_width, text);
  else if (columns[column].width)
    g_string_append_printf (line, " %*s", columns[column].width, text);
}

/* A line that is wider than the terminal would take two rows, and not even the
 * last column may be used: a cursor that waits there is in either row. */
static void
add_line (DistributorTable *self, const gchar *text)
{
  g_ptr_array_add (
      self->lines, g_strndup (text, MAX (self->size.ws_col, 2) - 1));
}

static void
add_headings (DistributorTable *self)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < N_COLUMNS; i++)
    append_cell (self, line, i, columns[i].heading);
  add_line (self, line->str);
}

static void
add_stream (DistributorTable *self, const DistributorStream *stream)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < N_COLUMNS; i++) {
    g_autofree gchar *text = cell (stream, i);

    append_cell (self, line, i, text);
  }
  add_line (self, line->str);
}

static gboolean
is_troubled (const DistributorStream *stream)
{
  return stream->state == DISTRIBUTOR_FAILED ||
      distributor_counts_missing (&stream->counts) > 0;
}

/* At most so many streams, those with troubles first, otherwise in order. */
static void
add_some_streams (DistributorTable *self, guint most)
{
  const guint n = self->streams->len;
  guint added = 0;

  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < n && added < most; i++) {
      const DistributorStream *stream = g_ptr_array_index (self->streams, i);

      if (is_troubled (stream) == (pass == 0)) {
        add_stream (self, stream);
        added++;
      }
    }
  if (added < n) {
    g_autofree gchar *text = g_strdup_printf ("... and %u more", n - added);

    add_line (self, text);
  }
}

static void
make_lines (DistributorTable *self)
{
  const guint rows = MAX (self->size.ws_row, ROWS_BESIDES + 1);
  const guint n = self->streams->len;
  g_autofree gchar *sum = sum_line (self);

  g_ptr_array_set_size (self->lines, 0);
  add_headings (self);
  if (n + ROWS_BESIDES - 1 <= rows)
    for (guint i = 0; i < n; i++)
      add_stream (self, g_ptr_array_index (self->streams, i));
  else
    add_some_streams (self, rows - ROWS_BESIDES);
  add_line (self, sum);
}

static struct winsize
terminal_size (const DistributorTable *self)
{
  struct winsize size = { 0 };

  if (ioctl (fileno (self->out), TIOCGWINSZ, &size) != 0 || !size.ws_row ||
      !size.ws_col) /* a serial line has none */
    size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
  return size;
}

/* Puts the cursor where the table begins. After the size has changed nobody
 * knows where that is, since some terminals break their lines anew and some cut
 * them off: then all that is seen is scrolled out, and the table is at the
 * top. */
static void
go_to_table (DistributorTable *self, GString *frame)
{
  const struct winsize size = terminal_size (self);

  if (self->size.ws_row &&
      (size.ws_row != self->size.ws_row || size.ws_col != self->size.ws_col)) {
    g_string_append (frame, DOWN_TO_END);
    for (guint i = 0; i < size.ws_row; i++)
      g_string_append_c (frame, '\n');
    g_string_append (frame, HOME);
  } else if (self->lines->len) {
    g_string_append_printf (frame, "\r" UP, self->lines->len);
  }
  self->size = size;
}

static void
append_table (DistributorTable *self, GString *frame)
{
  make_lines (self);
  for (guint i = 0; i < self->lines->len; i++)
    g_string_append_printf (frame, "%s" CLEAR_LINE "\n",
        (const gchar *) g_ptr_array_index (self->lines, i));
  g_string_append (frame, CLEAR_BELOW);
}

/* In one write, so that it does not flicker. */
static void
show (DistributorTable *self, const GString *frame)
{
  fwrite (frame->str, 1, frame->len, self->out);
  fflush (self->out);
}

void
distributor_table_draw (DistributorTable *self)
{
  g_autoptr (GString) frame = g_string_new (NULL);

  measure_cpu (self);
  if (!self->is_terminal) {
    append_lines (self);
    return;
  }
  go_to_table (self, frame);
  append_table (self, frame);
  show (self, frame);
}

void
distributor_table_say (DistributorTable *self, const gchar *line)
{
  g_autoptr (GString) frame = g_string_new (NULL);

  if (self->is_terminal) {
    go_to_table (self, frame);
    g_string_append (frame, CLEAR_BELOW);
  }
  g_string_append_printf (frame, "%s\n", line);
  /* Before the first drawing there is no table yet. */
  if (self->is_terminal && self->lines->len)
    append_table (self, frame);
  show (self, frame);
}
