/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of counters. */
#include "distributor-counts.h"

static const struct
{
  const gchar *name, *heading;
} counts[DISTRIBUTOR_N_COUNTS] = {
  [DISTRIBUTOR_PACKETS] = { "packets", "packets" },
  [DISTRIBUTOR_BYTES] = { "bytes", NULL },
  [DISTRIBUTOR_DELIVERED_XDP] = { "delivered-xdp", "by af-xdp" },
  [DISTRIBUTOR_DELIVERED_SOCKET] = { "delivered-socket", "by socket" },
  [DISTRIBUTOR_LOST] = { "lost", "lost" },
  [DISTRIBUTOR_PENDING] = { "pending", NULL },
  [DISTRIBUTOR_GAPS] = { "gaps", "gaps" },
  [DISTRIBUTOR_REORDERED] = { "reordered", "reordered" },
  [DISTRIBUTOR_DUPLICATES] = { "duplicates", "duplicates" },
  [DISTRIBUTOR_DISCARDED] = { "discarded", "discarded" },
};

const gchar *
distributor_count_name (DistributorCount count)
{
  return counts[count].name;
}

const gchar *
distributor_count_heading (DistributorCount count)
{
  return counts[count].heading;
}

void
distributor_counts_read (DistributorCounts *self, const GstStructure *stats)
{
  for (guint i = 0; i < DISTRIBUTOR_N_COUNTS; i++)
    if (!gst_structure_get_uint64 (stats, counts[i].name, &self->of[i]))
      self->of[i] = 0;
}

void
distributor_counts_add (DistributorCounts *self, const DistributorCounts *more)
{
  for (guint i = 0; i < DISTRIBUTOR_N_COUNTS; i++)
    self->of[i] += more->of[i];
}

guint64
distributor_counts_missing (const DistributorCounts *self)
{
  return self->of[DISTRIBUTOR_LOST] + self->of[DISTRIBUTOR_PENDING];
}
