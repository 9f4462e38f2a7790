/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as a script of what senders and the network do to RTP streams: runs of
 * packets, losses, late and repeated packets, restarts, silences, time that steps
 * back, crowds of SSRCs. Any bytes are a script.
 */
#pragma once

#include "rtpstats.h"

/* So many packets end a script: an input is to take no more than some ms. */
#define SCRIPT_PACKETS 6000

/* Senders that a script tells apart; crowds have numbers from here on. */
#define SCRIPT_SENDERS 4

/* A period in which it began, since streams do not begin at 0; in ns. */
#define SCRIPT_BEGIN G_GUINT64_CONSTANT (1000000000000)

typedef struct
{
  guint16 seqnum;
  guint32 timestamp;
  guint32 units; /* of timestamp from one packet to the next */
} ScriptSender;

typedef struct
{
  const guint8 *bytes; /* what is left to be read */
  gsize size;

  guint64 now;  /* ns */
  guint64 pace; /* ns from one packet to the next */
  guint sender;
  ScriptSender senders[SCRIPT_SENDERS];
  guint n_packets;
  guint32 next_of_crowd;

  /* For each packet, instead of afxdp_rtp_stats_packet(). */
  void (*packet) (const AfxdpRtp *rtp, guint64 arrival, gpointer data);
  gpointer data;
} Script;

/* The first one sends at 1 ms and 90 units. */
void script_init (Script *script, const guint8 *bytes, gsize size,
    void (*packet) (const AfxdpRtp *rtp, guint64 arrival, gpointer data),
    gpointer data);

/* The next n bytes as a number; those that are missing are 0. */
guint64 script_take (Script *script, guint n);

/* Does what the next bytes say. Returns FALSE at the end. */
gboolean script_step (Script *script);
