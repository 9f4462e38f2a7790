/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a run comes to, and how it is told to people. json.h tells
 * it to programs. One thread.
 */
#pragma once

#include <stdio.h>

#include "stream.h"

G_BEGIN_DECLS

typedef struct
{
  const Options *options;
  GPtrArray *streams; /* Stream; all with their final statistics */
  gdouble seconds;    /* from the first start to the last stop */
  guint64 cpu_time;   /* of the process in between, in ns */
} Summary;

ExitStatus summary_judge (const Summary *self);
Counts summary_sum (const Summary *self);
/* ns; 0 when there was no packet. */
gdouble summary_cpu_per_packet (const Summary *self);

void summary_print (const Summary *self, FILE *out);

G_END_DECLS
