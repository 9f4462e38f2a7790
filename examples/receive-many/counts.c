/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of counters. */
#include "counts.h"

static const struct
{
  const gchar *name, *heading;
} counts[N_COUNTS] = {
  [COUNT_PACKETS] = { "packets", "packets" },
  [COUNT_BYTES] = { "bytes", NULL },
  [COUNT_DELIVERED_XDP] = { "delivered-xdp", "by af-xdp" },
  [COUNT_DELIVERED_SOCKET] = { "delivered-socket", "by socket" },
  [COUNT_LOST] = { "lost", "lost" },
  [COUNT_PENDING] = { "pending", NULL },
  [COUNT_GAPS] = { "gaps", "gaps" },
  [COUNT_REORDERED] = { "reordered", "reordered" },
  [COUNT_DUPLICATES] = { "duplicates", "duplicates" },
  [COUNT_DISCARDED] = { "discarded", "discarded" },
};

const gchar *
count_name (Count count)
{
  return counts[count].name;
}

const gchar *
count_heading (Count count)
{
  return counts[count].heading;
}

void
counts_read (Counts *self, const GstStructure *stats)
{
  for (guint i = 0; i < N_COUNTS; i++)
    if (!gst_structure_get_uint64 (stats, counts[i].name, &self->of[i]))
      self->of[i] = 0;
}

void
counts_add (Counts *self, const Counts *more)
{
  for (guint i = 0; i < N_COUNTS; i++)
    self->of[i] += more->of[i];
}

guint64
counts_missing (const Counts *self)
{
  return self->of[COUNT_LOST] + self->of[COUNT_PENDING];
}
