/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtpgen on the sending host. A run in which the wire lost packets, or that the
 * machine was too slow for, fails the test here, before anybody blames the
 * element.
 */
#pragma once

#include <glib.h>

typedef struct _Generator Generator;

typedef struct
{
  guint64 packets; /* handed to the wire, duplicates included */
  guint64 missing; /* numbers left out on purpose */
  guint64 duplicates;
  guint64 reordered;
  guint64 markers;
} GeneratorReport;

/* options are those of rtpgen, such as "--rate=50000 --duration=2"; it sends to
 * 239.1.1.1:5000 when they name no destination. */
Generator *generator_start (const gchar *format, ...) G_GNUC_PRINTF (1, 2);
/* Waits until it has sent all. */
GeneratorReport generator_finish (Generator *generator);
/* The same, where the wire may lose packets, as when it is cut. */
GeneratorReport generator_finish_lossy (Generator *generator);
