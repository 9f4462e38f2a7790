/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread that serves many streams. It sleeps once for all of them, finds those
 * that have something to do without a look into each, and gives each a turn in which
 * its consumer takes one batch at most: a stream at full rate does not starve a small
 * one. What a turn pushes to may wait, and then all streams of the receiver do.
 *
 * A stream is given to the receiver by add(), and gets no turn before call(). Its
 * consumer has to make the calls of stream.h for the streaming thread within its
 * turns: receive() with the deadline 0, and catch_up() after unwatch().
 */
#pragma once

#include "stream.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_TURN_IDLE, /* no turn before call(), or when due */
  AFXDP_TURN_REST, /* all that came is taken: a turn when more comes, or when due */
  AFXDP_TURN_AGAIN, /* there may be more: another turn, after those of the others */
} AfxdpTurn;

/* A consumer's turn. due is G_MAXUINT64 at first; ns of CLOCK_MONOTONIC. */
typedef AfxdpTurn (*AfxdpServe) (gpointer consumer, guint64 *due);

/* What is the same for all streams of a receiver. */
typedef struct
{
  guint64 coalesce; /* ns that it may sleep to gather batches */
  guint busy_poll;  /* µs that it looks on after a packet before it sleeps */
  guint batch;      /* packets in a turn */
} AfxdpReceiverSettings;

typedef struct _AfxdpReceiver AfxdpReceiver;
typedef struct _AfxdpServed AfxdpServed;

/* Begins with its thread. name: for messages. Errors: AFXDP_ERROR_MEMORY, no
 * descriptor is left; _FAILED, there may be no more threads. */
AfxdpReceiver *afxdp_receiver_new (
    const gchar *name, const AfxdpReceiverSettings *settings, GError **error);
/* Without streams; not in its thread, which ends. */
void afxdp_receiver_free (AfxdpReceiver *receiver);
const AfxdpReceiverSettings *afxdp_receiver_settings (
    const AfxdpReceiver *receiver);
const gchar *afxdp_receiver_name (const AfxdpReceiver *receiver);

/* Stream and consumer must outlive it. */
AfxdpServed *afxdp_receiver_add (AfxdpReceiver *receiver, AfxdpStream *stream,
    AfxdpServe serve, gpointer consumer);
/* Waits for the end of its turn; not in its own turn. */
void afxdp_served_remove (AfxdpServed *served);
/* Has it get a turn soon. Any thread. */
void afxdp_served_call (AfxdpServed *served);
/* Whether the caller is in its turn. */
gboolean afxdp_served_has_turn (const AfxdpServed *served);
/* Before the stream's descriptors change: in its turn, before catch_up(). */
void afxdp_served_unwatch (AfxdpServed *served);

G_END_DECLS
