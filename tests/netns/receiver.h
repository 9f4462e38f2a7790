/* SPDX-FileCopyrightText: The afxdpsrc authors */
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
  GPtrArray *legs;     /* GstStructure: each GstAfxdpSrcLeg so far */
  GPtrArray *warnings; /* gchar: text of each warning so far */
  gchar *error;        /* text of the first error */
  guint n_errors;      /* all of them */
  guint64 waited;      /* ns: see receiver_excuse(); when it was last played */
  gchar *description;
  gboolean eos;
} Receiver;

/* Whether this program is to run with one thread for all elements: TEST_RECEIVER. */
gboolean receiver_is_shared (void);
/* The pipeline "afxdpsrc name=src ADDRESS PROPERTIES ! REST"; ADDRESS is
 * 239.1.1.1:5000 when properties name none. */
Receiver *receiver_new (const gchar *properties, const gchar *rest);
/* The same, playing (below), and by this path. */
Receiver *receiver_start (const gchar *properties, const gchar *rest);
Receiver *receiver_start_by (
    const gchar *properties, const gchar *rest, const gchar *mode);
void receiver_free (Receiver *receiver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Receiver, receiver_free)

/* Does not wait for sinks to preroll: a source that is live never makes them. */
void receiver_set_state (Receiver *receiver, GstState state);
/* PLAYING, and the first choice of a path made. */
void receiver_play (Receiver *receiver);
/* The longest that one of the threads that receive has waited for a processor, in all
 * its life, in ns. It looks at each thread: not to be asked for each of many receivers. */
guint64 receiver_longest_wait (void);
/* receiver_play(), for one of several that are played together: waited is what that was
 * before them. */
void receiver_play_since (Receiver *receiver, guint64 waited);
/* Down to that state, and PLAYING again. */
void receiver_restart (Receiver *receiver, GstState state);

/* The stats property, for the caller to free, and a field of it. */
GstStructure *receiver_stats (Receiver *receiver);
guint64 receiver_stat (Receiver *receiver, const gchar *name);
/* The sum of a field of all RX queues. */
guint64 receiver_queue_sum (Receiver *receiver, const gchar *name);
/* Until the field is at least value. */
void receiver_wait_stat (Receiver *receiver, const gchar *name, guint64 value);
/* Until n GstAfxdpSrcMode messages have come. Returns the last of them. */
const GstStructure *receiver_wait_modes (Receiver *receiver, guint n);
/* The reason in message n, from 0, when it has come. */
const gchar *receiver_reason (Receiver *receiver, guint n);
/* A text of the last such message, "mode" or "reason"; NULL: none has come. */
const gchar *receiver_last (Receiver *receiver, const gchar *field);
/* Until one of these messages, from the n-th on, from 0, has this mode, or these words
 * in its reason. */
void receiver_wait_mode (Receiver *receiver, guint n, const gchar *mode);
void receiver_wait_reason (Receiver *receiver, guint n, const gchar *words);
/* Until n GstAfxdpSrcGap messages have come. Returns the last of them. */
const GstStructure *receiver_wait_gaps (Receiver *receiver, guint n);
/* Until one of the GstAfxdpSrcLeg messages, from the n-th on, from 0, gives the leg this
 * state. Returns it. */
const GstStructure *receiver_wait_leg (
    Receiver *receiver, guint n, guint leg, const gchar *state);
/* Until an error has come, which is the first one. */
const gchar *receiver_wait_error (Receiver *receiver);
/* Until all sinks have had everything. */
void receiver_wait_eos (Receiver *receiver);
/* Reads what is on the bus. */
void receiver_read_bus (Receiver *receiver);

/* With a daemon for all elements (daemon.h): this one is received through it. */
void receiver_assert_served (Receiver *receiver);

/* What a counter of this host says was thrown away, and what was lost in this host,
 * whatever the place. */
guint64 receiver_dropped_in_host (Receiver *receiver);
guint64 receiver_lost_in_host (Receiver *receiver);
/* Packets that reached this host for the stream, by the columns that they are
 * in. */
guint64 receiver_arrived (Receiver *receiver);
/* Called before a test fails for packets that did not come, where no other fault is
 * possible: skips the test instead, if some were dropped in this host for want of time,
 * as counters say, and the machine has since it was played kept one of the threads that
 * receive from its processors for long. */
void receiver_excuse (Receiver *receiver);
/* Asserts that no packets have come by the socket since it had delivered so many. The
 * same excuse. */
void receiver_assert_no_socket (Receiver *receiver, guint64 before);
/* So many packets come, each once and in order, and nothing else. */
void receiver_assert_nothing_lost (Receiver *receiver, guint64 packets);
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

#define receiver_assert_stat(receiver, name, value)                            \
  do {                                                                         \
    fail_unless (receiver_stat (receiver, name) == (value),                    \
        "%s is %" G_GUINT64_FORMAT " and not " #value " of %" G_GUINT64_FORMAT \
        ": %s",                                                                \
        name, receiver_stat (receiver, name), (guint64) (value),               \
        receiver_describe (receiver));                                         \
  } while (0)
#define receiver_assert_reason(receiver, n, words)                  \
  fail_unless (strstr (receiver_reason (receiver, n), words), "%s", \
      receiver_describe (receiver))
#define receiver_assert_no_error(receiver)                \
  do {                                                    \
    receiver_read_bus (receiver);                         \
    fail_if ((receiver)->error, "%s", (receiver)->error); \
  } while (0)
#define receiver_assert_warnings(receiver, n)              \
  do {                                                     \
    receiver_read_bus (receiver);                          \
    fail_unless_equals_int ((receiver)->warnings->len, n); \
  } while (0)
/* It cannot go to that state. */
#define receiver_assert_refused(receiver, state)                               \
  fail_unless_equals_int (gst_element_set_state ((receiver)->pipeline, state), \
      GST_STATE_CHANGE_FAILURE)
/* The fields named are 0. */
#define receiver_assert_none(receiver, ...)              \
  do {                                                   \
    static const gchar *const none_[] = { __VA_ARGS__ }; \
    for (guint i_ = 0; i_ < G_N_ELEMENTS (none_); i_++)  \
      receiver_assert_stat (receiver, none_[i_], 0);     \
  } while (0)
/* That it becomes value, and no more. */
#define receiver_assert_reaches(receiver, name, value) \
  do {                                                 \
    receiver_wait_stat (receiver, name, value);        \
    receiver_assert_stat (receiver, name, value);      \
  } while (0)
/* The path of the n-th GstAfxdpSrcMode message, from 0, when it has come. */
#define receiver_assert_mode(receiver, n, value)                         \
  g_assert_cmpstr (gst_structure_get_string (                            \
                       receiver_wait_modes (receiver, (n) + 1), "mode"), \
      ==, value)
/* The first play: by this path. */
#define receiver_play_by(receiver, value)      \
  do {                                         \
    receiver_play (receiver);                  \
    receiver_assert_mode (receiver, 0, value); \
  } while (0)
