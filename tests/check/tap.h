/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What leaves a source: packets with their bytes and times, whether they came
 * in lists, the caps that they came under, and EOS. The streaming thread is let
 * go on, held up, or told what downstream says of its packets.
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
  GstBuffer *buffer; /* NULL: not kept */
} TapPacket;

typedef struct _Tap Tap;

/* On the pad "src" of element. */
Tap *tap_new (GstElement *element);
/* The element must have stopped. */
void tap_free (Tap *tap);

/* Until n packets have come, or EOS has; fails the test when they do not. */
void tap_wait (Tap *tap, guint n);
void tap_wait_eos (Tap *tap);

guint tap_n_packets (Tap *tap);
gint *tap_counter (Tap *tap); /* the same, for g_atomic_int_get() */
const TapPacket *tap_packet (Tap *tap, guint number);
guint tap_n_lists (Tap *tap);

/* Holds the streaming thread up at its next buffer, list or caps event, which
 * does not count before it is let go. */
void tap_hold (Tap *tap);
void tap_wait_held (Tap *tap);
void tap_let_go (Tap *tap);

/* Keeps each buffer from now on, until drop() or the end. */
void tap_keep (Tap *tap);
void tap_drop (Tap *tap);

/* What downstream answers from now on, instead of taking the packets. */
void tap_answer (Tap *tap, GstFlowReturn flow);

G_END_DECLS
