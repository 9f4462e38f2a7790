/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtpgen on the sending host.
 *
 * A veth's ring of 256 packets overflows when the machine takes the CPU away
 * from the kernel's receive loop, which happens where others work too. rtpgen
 * counts that to the packet, so that nobody blames the element: packets is what
 * reached the receiving host. A run in which more than one of a thousand was
 * lost on the wire proves nothing, and is skipped.
 */
#pragma once

#include <glib.h>

/* Most flows of a generator, and the SSRC of its flow 0; flow n has n more. */
#define GENERATOR_FLOWS 1024
#define GENERATOR_SSRC 0x52545047

/* A sender that is later than so many s is not steady: nobody can know how many packets
 * of it are missing after a silence. */
#define GENERATOR_STEADY 0.03

typedef struct _Generator Generator;

typedef struct
{
  guint64 packets; /* that the wire delivered, duplicates included */
  guint64 dropped; /* that it did not */
  guint64 missing; /* numbers left out on purpose */
  guint64 duplicates;
  guint64 reordered;
  guint64 markers;
  guint64 silent; /* of missing: left out at their time */
  gdouble late;   /* s: the longest that one left after it was due */
  guint n_flows;
  guint64 sent[GENERATOR_FLOWS]; /* of each flow, dropped ones included */
} GeneratorReport;

/* options are those of rtpgen, such as "--rate=50000 --duration=2"; it sends to
 * 239.1.1.1:5000 when they name no destination. */
Generator *generator_start (const gchar *format, ...) G_GNUC_PRINTF (1, 2);
/* Waits until it has sent all. */
GeneratorReport generator_finish (Generator *generator);
/* The same, for a test that names what must come: skips it if the wire lost any. */
GeneratorReport generator_finish_exact (Generator *generator);
/* Ends it, if it was to send until it is stopped. Not before something of it has
 * arrived: until then it may die of the signal. */
GeneratorReport generator_stop (Generator *generator);
/* The same, where the wire may lose packets, as when it is cut. */
GeneratorReport generator_finish_lossy (Generator *generator);
GeneratorReport generator_stop_lossy (Generator *generator);
/* Called before a test fails for a wrong number of missing packets: skips it instead, if
 * a generator that has ended was not steady. */
void generator_excuse (void);
/* Sends, and waits until all is sent. */
#define generator_send(...) generator_finish (generator_start (__VA_ARGS__))
#define generator_send_exact(...) \
  generator_finish_exact (generator_start (__VA_ARGS__))
