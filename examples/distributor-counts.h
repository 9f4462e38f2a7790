/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The counters of the element's property stats that are shown, for one stream
 * or added up. One list: the names are the element's. No state, any thread.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum
{
  DISTRIBUTOR_PACKETS,
  DISTRIBUTOR_BYTES, /* of UDP payload */
  DISTRIBUTOR_DELIVERED_XDP,
  DISTRIBUTOR_DELIVERED_SOCKET,
  DISTRIBUTOR_LOST,
  DISTRIBUTOR_PENDING, /* missing, and not yet known to be lost */
  DISTRIBUTOR_GAPS,
  DISTRIBUTOR_REORDERED,
  DISTRIBUTOR_DUPLICATES,
  DISTRIBUTOR_DISCARDED,
  DISTRIBUTOR_N_COUNTS,
} DistributorCount;

typedef struct
{
  guint64 of[DISTRIBUTOR_N_COUNTS];
} DistributorCounts;

const gchar *distributor_count_name (DistributorCount count);
/* Of its column in the summary, or NULL when it has none. */
const gchar *distributor_count_heading (DistributorCount count);

/* stats is application/x-afxdp-stats; what it does not have is 0. */
void distributor_counts_read (
    DistributorCounts *self, const GstStructure *stats);
void distributor_counts_add (
    DistributorCounts *self, const DistributorCounts *more);
/* What did not come, up to now. */
guint64 distributor_counts_missing (const DistributorCounts *self);

G_END_DECLS
