/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One source of a stream's packets: its socket, or one of its rings. Takes a
 * batch out of it at a time and keeps it until it is handed out.
 *
 * For the streaming thread alone.
 */
#pragma once

#include <glib.h>

#include "ring.h"
#include "rtp.h"
#include "socket.h"
#include "sources.h"

G_BEGIN_DECLS

typedef struct
{
  const guint8 *data; /* UDP payload */
  guint size;         /* bytes, 0 is legal */
  guint32 frame;      /* AFXDP_NO_FRAME: not in one, or lent */
  guint64 arrival;    /* ns of CLOCK_MONOTONIC */
  AfxdpRtp rtp;
} AfxdpPacket;

/* Where a stream's packets go, and where they come from. */
typedef struct
{
  gboolean any;  /* whatever address the program lets through; otherwise: */
  guint version; /* 4 or 6 */
  guint8 address[16]; /* network order, 4 or 16 bytes */
  guint16 port;
  const AfxdpSources *sources; /* that they come from; NULL: any */
  gboolean verifies; /* their UDP checksums, which the socket does by itself */
} AfxdpDestination;

typedef struct
{
  const AfxdpRing *ring; /* one of these two */
  AfxdpSocket *socket;
  AfxdpUmem *umem;      /* of the frames in packets */
  guint batch;          /* most packets at a time */
  AfxdpPacket *packets; /* those not yet handed out: */
  guint first, end;     /* from first to end - 1 */
  gboolean dry;         /* the last read() emptied the source */
  guint64 next_ordinal; /* that the program gives on this ring */
  gpointer raw;         /* what the source fills in */
} AfxdpLane;

/* Neither ring nor socket, nor the area, is owned: they must outlive the lane. */
void afxdp_lane_init_ring (
    AfxdpLane *lane, const AfxdpRing *ring, AfxdpUmem *umem, guint batch);
void afxdp_lane_init_socket (AfxdpLane *lane, AfxdpSocket *socket, guint batch);
/* Gives the frames of what was not handed out home. Returns how many packets
 * that were. */
guint afxdp_lane_clear (AfxdpLane *lane);

/* Takes the next batch out of the source; the lane must be empty. Packets that
 * are not the stream's, or are damaged, are dropped: both return how many. metadata: the program
 * writes it. */
guint afxdp_lane_read_ring (
    AfxdpLane *lane, const AfxdpDestination *destination, gboolean metadata);
guint afxdp_lane_read_socket (AfxdpLane *lane);

/* The program does not redirect any more and the ring is empty: what it
 * redirected and the ring did not give was lost in between, and gives its
 * credit back here. */
void afxdp_lane_forget_lost (AfxdpLane *lane);

static inline gboolean
afxdp_lane_is_empty (const AfxdpLane *lane)
{
  return lane->first == lane->end;
}

static inline const AfxdpPacket *
afxdp_lane_head (const AfxdpLane *lane)
{
  return &lane->packets[lane->first];
}

G_END_DECLS
