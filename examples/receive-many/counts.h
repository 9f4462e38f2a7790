/* SPDX-FileCopyrightText: The afxdpsrc authors */
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
  COUNT_PACKETS,
  COUNT_BYTES, /* of UDP payload */
  COUNT_DELIVERED_XDP,
  COUNT_DELIVERED_SOCKET,
  COUNT_LOST,
  COUNT_PENDING, /* missing, and not yet known to be lost */
  COUNT_GAPS,
  COUNT_REORDERED,
  COUNT_DUPLICATES,
  COUNT_DISCARDED,
  N_COUNTS,
} Count;

typedef struct
{
  guint64 of[N_COUNTS];
} Counts;

const gchar *count_name (Count count);
/* Of its column in the summary, or NULL when it has none. */
const gchar *count_heading (Count count);

/* stats is application/x-afxdp-stats; what it does not have is 0. */
void counts_read (Counts *self, const GstStructure *stats);
void counts_add (Counts *self, const Counts *more);
/* What did not come, up to now. */
guint64 counts_missing (const Counts *self);

G_END_DECLS
