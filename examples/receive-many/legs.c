/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The legs of a stream. */
#include "legs.h"

/* As the progress has it: every value behind its name. */
static const gchar *const texts[] = { "interface", "mode", "state" };
static const gchar *const counts[] = { "packets", "lost", "recovered" };

static void
write_leg (guint number, const GstStructure *leg, FILE *out)
{
  guint64 skew = 0;

  fprintf (out, "leg %u", number);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    const gchar *text = gst_structure_get_string (leg, texts[i]);

    /* Not known, or not told by this version of the element. */
    fprintf (out, " %s %s", texts[i], text && *text ? text : "-");
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    guint64 count = 0;

    gst_structure_get_uint64 (leg, counts[i], &count);
    fprintf (out, " %s %" G_GUINT64_FORMAT, counts[i], count);
  }
  gst_structure_get_uint64 (leg, "skew-p99", &skew);
  fprintf (out, " skew-p99/ms %.3f\n", skew / 1e6);
}

void
legs_write (const GstStructure *stats, const gchar *prefix, FILE *out)
{
  const GValue *legs = stats ? gst_structure_get_value (stats, "legs") : NULL;

  for (guint i = 0; legs && i < gst_value_array_get_size (legs); i++) {
    fputs (prefix, out);
    write_leg (
        i, gst_value_get_structure (gst_value_array_get_value (legs, i)), out);
  }
}
