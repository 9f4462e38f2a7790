/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream: its pipeline, what its bus says, and what was counted.
 *
 * For the thread of the default main context, but halt() and close(), which
 * may be called on any other one. Errors while it runs end the stream; the
 * listener hears of them.
 */
#pragma once

#include <gst/gst.h>

#include "distributor-counts.h"
#include "distributor-options.h"

G_BEGIN_DECLS

typedef struct _DistributorStream DistributorStream;

typedef struct
{
  /* Something for people to read, without a line break. */
  void (*say) (gpointer owner, const gchar *line);
  /* The stream has failed or has ended by itself: halt it and close it. */
  void (*ended) (gpointer owner, DistributorStream *stream);
  gpointer owner;
} DistributorListener;

typedef enum
{
  DISTRIBUTOR_WAITING,
  DISTRIBUTOR_RUNNING,
  DISTRIBUTOR_ENDED,
  DISTRIBUTOR_FAILED,
} DistributorState;

/* All of it is for reading. */
struct _DistributorStream
{
  const DistributorAddress *address; /* the caller's */
  DistributorState state;
  gchar *failure; /* a sentence, when it failed */

  /* As the last GstAfxdpSrcMode message said. */
  gchar *door;
  gchar *queues_text; /* "0,3", or "-" */
  GArray *queues;     /* gint */

  /* As they were at the last update(). */
  GstStructure *stats; /* application/x-afxdp-stats, or NULL */
  DistributorCounts counts;
  gdouble packets_per_second, bits_per_second; /* since the one before */
  gdouble jitter; /* the largest, in seconds; negative when not known */

  GstElement *pipeline, *source;
  DistributorListener listener;
  gint64 updated_at; /* monotonic, µs */
  guint bus_watch;
};

/* The pipeline, not started. Keeps address. Fails when the description cannot
 * be understood, or asks for what this afxdpsrc does not have. */
DistributorStream *distributor_stream_new (const DistributorOptions *options,
    const DistributorAddress *address, const DistributorListener *listener,
    GError **error);
/* After close(), when it was started. */
void distributor_stream_free (DistributorStream *self);

void distributor_stream_start (DistributorStream *self);
/* Nothing is received any more. Any thread. */
void distributor_stream_halt (DistributorStream *self);
/* After halt(). Any thread. */
void distributor_stream_close (DistributorStream *self);
/* What the bus has not told yet, now: close() throws it away. */
void distributor_stream_read_bus (DistributorStream *self);

/* Reads the statistics; now is g_get_monotonic_time(). They stay readable
 * after close(). */
void distributor_stream_update (DistributorStream *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DistributorStream, distributor_stream_free)

G_END_DECLS
