/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether create() may receive and hand over, and what makes it stop: a flush, or
 * the way to PAUSED. The base class throws a list away (1.24 and later), or unrefs
 * NULL (before), when create() returns one while the element goes to PAUSED. So
 * create() keeps its batch while paused, and the element does not go to PAUSED
 * while the base class has one that it has not yet pushed.
 *
 * GStreamer 1.24 and later call unlock() for a pause, too, and unlock_stop() only
 * before the next create(). A create() that took that for a flush would return
 * FLUSHING; if PLAYING has come back meanwhile, the base class then pauses its task,
 * and nobody starts it again. So what unlock() says in the thread that pauses is
 * left aside: begin_pause() has told all there is to tell.
 *
 * pass() is for the streaming thread, the rest for any.
 */
#pragma once

#include <gst/gst.h>

#include "stream.h"

G_BEGIN_DECLS

typedef struct
{
  GMutex lock; /* protects all of it; inside the element's stream_lock */
  GCond changed;
  GstPad *pad;           /* borrowed */
  AfxdpStream *stream;   /* woken when create() shall stop; NULL: closed */
  AfxdpStream *second;   /* likewise, of the second leg; NULL: none */
  gboolean flushing;     /* between unlock() and unlock_stop() */
  gboolean paused;       /* but from resume() to begin_pause() */
  gboolean path_closed;  /* since then; nobody may read the stream any more */
  GThread *pauser;       /* that is in PLAYING -> PAUSED; NULL: nobody */
  gboolean handing_over; /* between create() and the pad */
  gboolean awaited;      /* somebody waits for the end of handing_over */
  GThread *entered;      /* that is between enter() and leave(); NULL: none */
} GstAfxdpGate;

/* pad: that the base class pushes by, which the gate must outlive. */
void gst_afxdp_gate_init (GstAfxdpGate *gate, GstPad *pad);
void gst_afxdp_gate_clear (GstAfxdpGate *gate);

/* NULL before the stream is closed. */
void gst_afxdp_gate_set_stream (GstAfxdpGate *gate, AfxdpStream *stream);
void gst_afxdp_gate_set_second (GstAfxdpGate *gate, AfxdpStream *stream);
void gst_afxdp_gate_set_flushing (GstAfxdpGate *gate, gboolean flushing);
/* PLAYING -> PAUSED, around what the base class does for it. begin_pause() waits
 * until the base class pushes what create() returned: some instructions, unless it
 * does not push, since it ends the stream, or is held up by an event or a probe; then
 * 100 ms at most. It does not wait in a thread that is within enter(). */
void gst_afxdp_gate_begin_pause (GstAfxdpGate *gate);
void gst_afxdp_gate_end_pause (GstAfxdpGate *gate);
/* PAUSED -> PLAYING, once the base class plays: before, it would have who enters wait
 * for that. */
void gst_afxdp_gate_resume (GstAfxdpGate *gate);
/* Nobody reads any more until resume(). Any thread, while nobody receives: of who comes
 * to a gate that is paused, the first one closes the path, and that may be this one. */
void gst_afxdp_gate_close_path (GstAfxdpGate *gate);

/* Waits while paused, with the fast path closed. Returns FALSE when flushing.
 * handing_over: create() returns at once if it is TRUE. */
gboolean gst_afxdp_gate_pass (GstAfxdpGate *gate, gboolean handing_over);

/* For a thread that must not wait, around what the base class does in it. FALSE:
 * flushing, or paused, and the fast path is closed then. */
gboolean gst_afxdp_gate_enter (GstAfxdpGate *gate);
/* Whether it still is as enter() found it: what is done after that, such as posting a
 * message, may pause the element. */
gboolean gst_afxdp_gate_is_open (GstAfxdpGate *gate);
void gst_afxdp_gate_leave (GstAfxdpGate *gate);
/* Whether the caller is the thread between enter() and leave(). */
gboolean gst_afxdp_gate_is_mine (GstAfxdpGate *gate);

G_END_DECLS
