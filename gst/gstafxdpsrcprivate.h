/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an afxdpsrc is made of, for the seven files that the element consists of: the
 * element (states, queries: gstafxdpsrc.c), its opening and closing
 * (gstafxdplifetime.c), and that of its second leg (gstafxdpsecondleg.c), its
 * properties (gstafxdpproperties.c), its streaming thread (gstafxdpreceive.c; what it
 * looks after in between, gstafxdptell.c), and a receiver's thread in its place
 * (gstafxdpserved.c). What is said to be the streaming thread's own is nobody else's
 * while that runs.
 */
#pragma once

#include <gio/gio.h>

#include "gstafxdpbacklog.h"
#include "gstafxdpgaps.h"
#include "gstafxdpgate.h"
#include "gstafxdpmode.h"
#include "gstafxdplegs.h"
#include "gstafxdpnegotiation.h"
#include "gstafxdpordered.h"
#include "gstafxdpreport.h"
#include "gstafxdpsettings.h"
#include "gstafxdpsplit.h"
#include "gstafxdpsrc.h"
#include "gstafxdpstall.h"
#include "gstafxdptimeout.h"
#include "receivers.h"
#include "stream.h"

G_BEGIN_DECLS

struct _GstAfxdpSrc
{
  GstPushSrc parent;

  GstAfxdpSettings settings; /* object lock */
  gint settings_changed;     /* atomic: what may change while playing did */
  gint reconfigured;         /* atomic: downstream has changed */
  guint64
      told_late; /* object lock: 1 << id of what was set too late, as told */
  gboolean
      told_refused; /* object lock: that redundant-uri was set within a push */

  GstAfxdpReport *report;

  /* Held by who opens and closes legs: a change of state, or redundant-uri. Outside
   * stream_lock, and no thread that receives takes it. Whoever gets a message that is
   * posted within may come again, and is refused (is_changing). */
  GRecMutex legs_lock;
  gboolean is_changing; /* legs_lock */

  /* Held by a receiver's thread in a turn, but not while it pushes, which may last as
   * long as the pipeline is paused: so the second leg can be changed then. (Caps, which
   * go before, may be held up by a probe alone.) Between
   * legs_lock and stream_lock. */
  GMutex turn_lock;
  GCond former_closed;
  const GstAfxdpLeg *pushing; /* whose turn is in a push; turn_lock */
  guint
      n_former; /* second legs that were changed and are not closed; turn_lock */

  /* Protects the pointer: readers of stats against the state change that
   * closes the stream. Outside all others. */
  GMutex stream_lock;
  AfxdpStream *stream; /* of the first leg; NULL -> READY to READY -> NULL */
  /* The second may have no stream. Their reports: lock of ordered. */
  GstAfxdpLeg legs[GST_AFXDP_LEGS];
  GstAfxdpGone gone; /* stream_lock */
  GstAfxdpCurrentMode current_mode;

  GstAfxdpGate gate;
  GstAfxdpStall stall;

  /* With the property receiver, or two legs, or one that may come, else NULL: the base
   * class's own thread receives. NULL -> READY to READY -> NULL. */
  AfxdpReceiver *receiver;

  /* The streaming thread's own. */
  GstAfxdpSettings active;
  gint packets_left; /* of num-buffers, or below 0: any number */
  GstAfxdpBacklog backlog;
  GstAfxdpOrdered ordered;
  GstAfxdpSplit split; /* set while there is no stream */
  GstAfxdpNegotiation negotiation;
  GstAfxdpTiming timing;
  GstAfxdpSenders senders;
  GstAfxdpTimeout timeout;
  GstAfxdpGaps gaps;
  guint64 next_stats;
  gchar *not_moved; /* why, on an interface that came again, or NULL */
  GstAfxdpOutbox warnings;
  guint64 next_look;     /* for errors of the socket */
  guint64 socket_errors; /* that passed, and were told */
  gboolean handed_over;  /* to the receiver, whose next turn takes over */
  gboolean in_turn;      /* this thread is the receiver's */
  GstFlowReturn flow;    /* that create() returns then */
  gboolean told_long_push;
  gboolean
      is_by_leg; /* each leg is counted by itself, and what leaves for both */
  gboolean
      has_other_leg; /* ordered and is_by_leg have not followed legs[1] yet */
};

void gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec);
void gst_afxdp_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec);
/* Has the stream, if there is one, follow what takes effect at once. */
void gst_afxdp_src_set_skip (GstAfxdpSrc *self);

/* Has the report know what is put in order. Streaming thread, or none. */
void gst_afxdp_src_tell_ordered (GstAfxdpSrc *self);
/* The stream that a leg comes by, or NULL: there is no such leg. */
static inline AfxdpStream *
gst_afxdp_src_stream_of (const GstAfxdpSrc *self, guint leg)
{
  return self->split.on ? self->stream : self->legs[leg].stream;
}

static inline guint
gst_afxdp_src_n_legs (const GstAfxdpSrc *self)
{
  return gst_afxdp_src_stream_of (self, 1) ? 2 : 1;
}

/* gstafxdplifetime.c. */

/* NULL -> READY. FALSE: an error was posted. */
gboolean gst_afxdp_src_open (GstAfxdpSrc *self);
/* READY -> NULL, or what open() has begun. */
void gst_afxdp_src_close (GstAfxdpSrc *self);
/* Around other changes of state that concern legs. */
void gst_afxdp_src_begin_change (GstAfxdpSrc *self);
void gst_afxdp_src_end_change (GstAfxdpSrc *self);
/* What all streams have counted since READY. Called with stream_lock; clear counts. */
void gst_afxdp_src_count (GstAfxdpSrc *self, AfxdpStreamCounts *counts);

/* gstafxdpsecondleg.c. */

/* As active says. FALSE: an error was posted. */
gboolean gst_afxdp_src_open_second_leg (GstAfxdpSrc *self);
/* Fills in what it counted. */
void gst_afxdp_src_close_second_leg (
    GstAfxdpSrc *self, AfxdpStreamCounts *counts);
/* Has the second leg follow redundant-uri. Posts why it cannot. Returns FALSE when it
 * will at NULL -> READY. */
gboolean gst_afxdp_src_retune (GstAfxdpSrc *self);
/* Waits until legs that were changed are closed. */
void gst_afxdp_src_await_former (GstAfxdpSrc *self);

/* gstafxdptell.c; streaming thread. */

/* Does what is due. Returns when something will be, or when a setting is looked at again
 * that may have changed. */
guint64 gst_afxdp_src_tell (GstAfxdpSrc *self);
/* Takes up an interface that was removed and has come again. */
void gst_afxdp_src_follow_interfaces (GstAfxdpSrc *self, GstAfxdpLeg *leg);

/* gstafxdpreceive.c. */

/* Receives until the backlog has something to deliver. Streaming thread. */
GstFlowReturn gst_afxdp_src_receive (GstAfxdpSrc *self);
/* Receives what is there, at most a batch. Sets ready if there is something for
 * create() to return, and else lowers due. Streaming thread. */
GstFlowReturn gst_afxdp_src_receive_now (
    GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due, gboolean *ready);

/* gstafxdpserved.c. */

/* NULL -> READY, before the stream is opened: finds the receiver that is set, and
 * takes over its settings. FALSE: an error was posted. */
gboolean gst_afxdp_src_choose_receiver (GstAfxdpSrc *self);
/* Has a leg that is open be served, if there is a receiver. */
void gst_afxdp_src_serve_leg (GstAfxdpSrc *self, GstAfxdpLeg *leg);
/* Once it is opened; and before it is closed, when no task runs. */
void gst_afxdp_src_begin_to_be_served (GstAfxdpSrc *self);
void gst_afxdp_src_end_to_be_served (GstAfxdpSrc *self);
/* Has the receiver see a change. Any thread. */
void gst_afxdp_src_call_receiver (GstAfxdpSrc *self);
/* Of create(), in the task's own thread. */
GstFlowReturn gst_afxdp_src_hand_over (GstAfxdpSrc *self);
/* FALSE: this thread would wait for itself; an error was posted. */
gboolean gst_afxdp_src_may_stop (GstAfxdpSrc *self);

G_END_DECLS
