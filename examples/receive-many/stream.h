/* SPDX-FileCopyrightText: The afxdpsrc authors */
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

#include "counts.h"
#include "options.h"

G_BEGIN_DECLS

typedef struct _Stream Stream;

typedef struct
{
  /* Something for people to read, without a line break. */
  void (*say) (gpointer owner, const gchar *line);
  /* The stream has failed or has ended by itself: halt it and close it. */
  void (*ended) (gpointer owner, Stream *stream);
  gpointer owner;
} StreamListener;

typedef enum
{
  STREAM_WAITING,
  STREAM_RUNNING,
  STREAM_ENDED,
  STREAM_FAILED,
} StreamState;

/* All of it is for reading. */
struct _Stream
{
  const Address *address; /* the caller's */
  gchar *redundant_uri;   /* of the second leg, or NULL */
  StreamState state;
  gchar *failure; /* a sentence, when it failed */

  /* As the last GstAfxdpSrcMode message said, of the first leg. */
  gchar *path;
  gchar *queues_text; /* "0,3", or "-" */
  GArray *queues;     /* gint */

  /* As they were at the last update(). */
  GstStructure *stats; /* application/x-afxdp-stats, or NULL */
  Counts counts;
  gdouble packets_per_second, bits_per_second; /* since the one before */
  gdouble jitter; /* the largest, in seconds; negative when not known */

  GstElement *pipeline, *source;
  StreamListener listener;
  gint64 updated_at; /* monotonic, µs */
  guint bus_watch;
};

/* The pipeline, not started. Keeps address. Fails when the description cannot
 * be understood, or asks for what this afxdpsrc does not have. number: among all
 * streams, from 0; it decides the receiver. */
Stream *stream_new (const Options *options, const Address *address,
    guint number, const StreamListener *listener, GError **error);
/* After close(), when it was started. */
void stream_free (Stream *self);

void stream_start (Stream *self);
/* Nothing is received any more. Any thread. */
void stream_halt (Stream *self);
/* After halt(). Any thread. */
void stream_close (Stream *self);
/* What the bus has not told yet, now: close() throws it away. */
void stream_read_bus (Stream *self);

/* Reads the statistics; now is g_get_monotonic_time(). They stay readable
 * after close(). */
void stream_update (Stream *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stream, stream_free)

G_END_DECLS
