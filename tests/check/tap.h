/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What leaves a source: packets with their bytes and times, whether they came
 * in lists, the caps that they came under, and EOS. The streaming thread is let
 * go on, held up, or told what downstream says of its packets. Any thread may do so.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  GBytes *bytes;
  GstClockTime pts, dts;
  GstCaps *caps;     /* NULL: none yet */
  guint list;        /* from 1: number of the list it came in; 0: none */
  GstBuffer *buffer; /* NULL: not kept, or no more */
} TapPacket;

typedef struct _Tap Tap;

/* On the pad "src" of element. */
Tap *tap_new (GstElement *element);
/* The same, but no record of each packet, for 100,000 of them a second; none can be
 * waited for. */
Tap *tap_new_counting (GstElement *element);
/* The element must have stopped, or nothing flows. */
void tap_free (Tap *tap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tap, tap_free)

/* Until n packets have come, or EOS has; fails the test when they do not. */
void tap_wait (Tap *tap, guint n);
void tap_wait_eos (Tap *tap);

guint tap_n_packets (Tap *tap);
gint *tap_counter (Tap *tap); /* the same, for g_atomic_int_get() */
const TapPacket *tap_packet (Tap *tap, guint number);
guint tap_n_lists (Tap *tap);

/* Holds the streaming thread up at its next buffer, list or caps event, which
 * does not count before it is let go; or so for µs. 0 lets it go, too. */
void tap_hold (Tap *tap);
void tap_hold_for (Tap *tap, gint64 time);
void tap_let_go (Tap *tap);
gboolean tap_is_held (Tap *tap);
void tap_wait_held (Tap *tap);

/* Keeps what comes from now on, or not. */
void tap_keep (Tap *tap, gboolean keep);
/* Keeps nothing more, and gives back what is kept. Returns how many packets. */
guint tap_drop (Tap *tap);
/* The same, but what is kept, buffers and lists with n packets, is the caller's; n may
 * be NULL. */
GPtrArray *tap_take (Tap *tap, guint *n);

/* What downstream answers from now on, instead of passing the packets on. */
void tap_answer (Tap *tap, GstFlowReturn flow);

G_END_DECLS
