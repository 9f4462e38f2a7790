/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written while it runs: at each interval one line for each stream and one
 * for all of them, in which every number has its name. They go as well into the
 * journal or through grep as onto a terminal.
 *
 * One thread.
 */
#pragma once

#include <stdio.h>

#include "stream.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 began, written_at; /* monotonic, µs */
  guint64 cpu_time;         /* of the process, at written_at */
} Progress;

/* Time and processor time count from now. */
void progress_init (Progress *self);
/* Of Streams, whose statistics somebody else updates. */
void progress_write (Progress *self, const GPtrArray *streams, FILE *out);

G_END_DECLS
