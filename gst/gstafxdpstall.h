/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * That downstream does not return from a push: GstAfxdpSrcStall, once, and once when it
 * has: what is not over needs no second message. One thread of the process, which is there while an element plays, looks once a second at all of
 * them: the streaming thread cannot tell, since it is the one that waits.
 *
 * start(), stop() and clear() are for the thread that changes state, pushing() and
 * returned() for the streaming thread.
 */
#pragma once

#include <gst/gst.h>
#include <stdatomic.h>

#include "gstafxdpoutbox.h"

G_BEGIN_DECLS

typedef struct
{
  GstElement *element; /* which owns us */
  GstPad *pad;         /* that it pushes by; borrowed */
  gboolean served;     /* by a receiver's thread: the pad's task does not run */

  _Atomic guint64 since; /* ns of CLOCK_MONOTONIC: a push began; 0: returned */
  atomic_bool is_told;   /* of the push that began then */

  /* The registry's lock. */
  gboolean playing;
  guint64 started_at; /* what was before does not count */
  guint64 told_since; /* of the push that was told; 0: none */
  guint64 look_at;    /* not again before */
  gchar *culprit;     /* that was told; owned */
  GstAfxdpOutbox outbox;
} GstAfxdpStall;

/* All zeros at first. */
void gst_afxdp_stall_init (
    GstAfxdpStall *stall, GstElement *element, GstPad *pad);
/* Lets go of the messages that were posted. Only after stop(). */
void gst_afxdp_stall_clear (GstAfxdpStall *stall);

/* The element plays from now on, or not any more: downstream may hold up a push
 * while it is paused. */
void gst_afxdp_stall_start (GstAfxdpStall *stall);
void gst_afxdp_stall_stop (GstAfxdpStall *stall);

/* Something is pushed: what create() returns, or an event; it has been, at the latest
 * when create() is called again. */
void gst_afxdp_stall_pushing (GstAfxdpStall *stall);
void gst_afxdp_stall_returned (GstAfxdpStall *stall);

G_END_DECLS
