/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run comes to, and how it is told to people. distributor-json.h tells
 * it to programs. One thread.
 */
#pragma once

#include <stdio.h>

#include "distributor-stream.h"

G_BEGIN_DECLS

typedef struct
{
  const DistributorOptions *options;
  GPtrArray *streams; /* DistributorStream; all with their final statistics */
  gdouble seconds;    /* from the first start to the last stop */
  guint64 cpu_time;   /* of the process in between, in ns */
} DistributorSummary;

DistributorExit distributor_summary_judge (const DistributorSummary *self);
DistributorCounts distributor_summary_sum (const DistributorSummary *self);
/* ns; 0 when there was no packet. */
gdouble distributor_summary_cpu_per_packet (const DistributorSummary *self);

void distributor_summary_print (const DistributorSummary *self, FILE *out);

G_END_DECLS
