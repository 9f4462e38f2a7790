/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pipeline with an afxdpsrc on the receiving host, and what its bus says.
 * Waiting is for events: the wait functions return as soon as it is so, and
 * fail the test when it does not become so.
 */
#pragma once

#include <gst/check/gstcheck.h>

/* No test needs this long, unless what it waits for never comes; in µs. */
#define RECEIVER_PATIENCE (30 * G_TIME_SPAN_SECOND)

typedef struct
{
  GstElement *pipeline;
  GstElement *src; /* the element named "src" */
  GstBus *bus;
  GPtrArray *modes;    /* GstStructure: each GstAfxdpSrcMode so far */
  GPtrArray *gaps;     /* GstStructure: each GstAfxdpSrcGap so far */
  GPtrArray *warnings; /* gchar: text of each warning so far */
  gchar *error;        /* text of the first error */
  gchar *description;
  gboolean eos;
} Receiver;

/* The pipeline "afxdpsrc name=src ADDRESS PROPERTIES ! REST"; ADDRESS is
 * 239.1.1.1:5000 when properties name none. */
Receiver *receiver_new (const gchar *properties, const gchar *rest);
void receiver_free (Receiver *receiver);

/* Does not wait for sinks to preroll: a source that is live never makes them. */
void receiver_set_state (Receiver *receiver, GstState state);
/* PLAYING, and the first choice of a door made. */
void receiver_play (Receiver *receiver);

/* A field of the stats property. */
guint64 receiver_stat (Receiver *receiver, const gchar *name);
/* Until the field is at least value. */
void receiver_wait_stat (Receiver *receiver, const gchar *name, guint64 value);
/* Until n GstAfxdpSrcMode messages have come. Returns the last of them. */
const GstStructure *receiver_wait_modes (Receiver *receiver, guint n);
/* Until n GstAfxdpSrcGap messages have come. Returns the last of them. */
const GstStructure *receiver_wait_gaps (Receiver *receiver, guint n);
/* Until an error has come, which is the first one. */
const gchar *receiver_wait_error (Receiver *receiver);
/* Until all sinks have had everything. */
void receiver_wait_eos (Receiver *receiver);
/* Reads what is on the bus. */
void receiver_read_bus (Receiver *receiver);

/* Packets that reached this host for the stream, by the columns that they are
 * in. */
guint64 receiver_arrived (Receiver *receiver);
/* What a stream that was stopped says of itself must fit together: each number
 * from the first to the highest came or was lost, the losses have their reasons, and
 * what came was delivered, or discarded by the stop. Returns how many packets came
 * or were lost; 0 before the second packet. */
guint64 receiver_assert_balanced (Receiver *receiver);

/* All that is known, in words, for whoever reads why a test failed. Valid until
 * the next call. */
const gchar *receiver_describe (Receiver *receiver);

/* Until condition holds. It is looked at every millisecond. */
#define wait_until(condition)                                       \
  do {                                                              \
    gint64 deadline_ = g_get_monotonic_time () + RECEIVER_PATIENCE; \
    while (!(condition)) {                                          \
      fail_if (g_get_monotonic_time () > deadline_,                 \
          "it never became so: " #condition);                       \
      g_usleep (1000);                                              \
    }                                                               \
  } while (0)

#define receiver_assert_stat(receiver, name, value)                          \
  fail_unless (receiver_stat (receiver, name) == (value),                    \
      "%s is %" G_GUINT64_FORMAT " and not " #value " of %" G_GUINT64_FORMAT \
      ": %s",                                                                \
      name, receiver_stat (receiver, name), (guint64) (value),               \
      receiver_describe (receiver))
/* The door of the n-th GstAfxdpSrcMode message, from 0. */
#define receiver_assert_mode(receiver, n, value)                          \
  g_assert_cmpstr (                                                       \
      gst_structure_get_string ((receiver)->modes->pdata[n], "mode"), ==, \
      value)
