/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One source of a stream's packets: its socket, or one of its rings. Takes a
 * batch out of it at a time and keeps it until it is handed out.
 *
 * For the streaming thread alone.
 */
#pragma once

#include <glib.h>

#include "drops.h"
#include "ring.h"
#include "rtp.h"
#include "socket.h"
#include "sources.h"

G_BEGIN_DECLS

typedef struct
{
  const guint8 *data; /* UDP payload, behind what is skipped of it */
  guint size;         /* bytes, 0 is legal */
  guint32 frame;      /* AFXDP_NO_FRAME: not in one, or lent */
  guint64 arrival;    /* ns of CLOCK_MONOTONIC */
  AfxdpSender sender;
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
  guint32 scope;               /* the interface that they arrive on */
  gboolean verifies; /* their UDP checksums, which the socket does by itself */
} AfxdpDestination;

/* Ordinals that were skipped, and arrivals of the packets around them. */
typedef struct
{
  guint64 n, from, until;
} AfxdpHole;

/* Holes in one batch whose places are told apart. */
#define AFXDP_LANE_HOLES 8

typedef struct
{
  const AfxdpRing *ring; /* one of these two */
  AfxdpSocket *socket;
  AfxdpUmem *umem;      /* of the frames in packets */
  guint batch;          /* most packets at a time */
  AfxdpPacket *packets; /* those not yet handed out: */
  guint first, end;     /* from first to end - 1 */
  gboolean dry;         /* the last read() emptied the source */
  guint64 dry_at;       /* when one last emptied the socket; 0: not yet */
  gboolean stamped;     /* packets have the time of their own arrival, and not
                           that of the read() */
  guint64 next_ordinal; /* that the program gives on this ring */
  gpointer raw;         /* what the source fills in */
  AfxdpDrops *drops;    /* where drops are told */
  guint64 last_arrival; /* of the packet read last, or the beginning */
  guint32 dropped;      /* by the socket; this much is told */
  guint64 looked_at;    /* when the ring's own counters were read last */
  guint n_waited;       /* packets that waited in it then, and still do */
  guint64 missing_end;  /* packets before this ordinal were not in the ring */
  guint64 missing_at;   /* then; 0: none is missing */
  AfxdpHole holes[AFXDP_LANE_HOLES]; /* that this read() found */
  guint n_holes;
  guint64 told_redirect; /* so many, some of which may come after all */
  gboolean paused;       /* nobody reads, says the owner */
  gboolean resuming;     /* what came to the socket meanwhile is being read */
  guint64 resumed_at;
} AfxdpLane;

/* Ring, socket, area and drops are not owned: they must outlive the lane. */
void afxdp_lane_init_ring (AfxdpLane *lane, const AfxdpRing *ring,
    AfxdpUmem *umem, guint batch, AfxdpDrops *drops);
void afxdp_lane_init_socket (
    AfxdpLane *lane, AfxdpSocket *socket, guint batch, AfxdpDrops *drops);
/* Gives the frames of what was not handed out home. Returns how many packets
 * that were. */
guint afxdp_lane_discard (AfxdpLane *lane);
/* What was not handed out must have been discarded. */
void afxdp_lane_clear (AfxdpLane *lane);

/* Takes the next batch out of the source; the lane must be empty. Packets that
 * are not the stream's, are damaged, or shorter than skip, are dropped: both return
 * how many. skip: bytes of each datagram that lie in front of RTP. metadata: the program
 * writes it. */
guint afxdp_lane_read_ring (AfxdpLane *lane,
    const AfxdpDestination *destination, gboolean metadata, guint skip);
guint afxdp_lane_read_socket (AfxdpLane *lane, guint skip);

/* Tells of drops that no later packet has shown yet, as far as counters do. A
 * system call. metadata: as above. Returns until when all are known, in ns of
 * CLOCK_MONOTONIC; G_MAXUINT64: until now. */
guint64 afxdp_lane_look_for_drops (AfxdpLane *lane, gboolean metadata);

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
