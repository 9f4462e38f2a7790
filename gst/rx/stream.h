/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream: its two doors, and which of their packets comes next (law 1).
 *
 * The slow door is the kernel's UDP socket, always open. The fast door is the
 * XDP redirect into AF_XDP rings, open while receive() is being called and the
 * distributor says that it can be. Packets of both come out in the order of
 * their RTP numbers as far as that can be known.
 *
 * The streaming thread runs this:
 *
 *   if (afxdp_stream_receive (stream, &batch, max, deadline)) {
 *     for each packet of the batch
 *       afxdp_stream_lend (stream, packet) ? wrap the frame : copy its data;
 *     afxdp_stream_done (stream);     before anything is pushed downstream
 *   }
 *
 * wake() and counts() are for any thread, new() and close() for the one that
 * changes state, while no streaming thread runs.
 */
#pragma once

#include <gio/gio.h>

#include "distributor.h"
#include "doorchange.h"
#include "lane.h"
#include "netdev.h"
#include "sources.h"
#include "umem.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_MODE_AUTO,
  AFXDP_MODE_AF_XDP,
  AFXDP_MODE_SOCKET,
} AfxdpMode;

typedef struct
{
  GInetAddress *address;
  guint16 port;
  AfxdpSources *sources; /* of a multicast group, NULL: any */
  /* Ends with NULL. None: the one that socket is bound to, or by the route to
   * address. With several there is only the socket. */
  const gchar *const *interfaces;
  AfxdpMode mode;
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  gint queue;
  guint ring_size;
  guint umem_frames;
  guint batch;      /* up to AFXDP_LARGEST_BATCH */
  guint64 coalesce; /* ns that it may sleep to gather a batch */
  guint busy_poll;  /* µs that it looks on after a packet before it sleeps */
  guint buffer_size;
  gboolean auto_multicast;
  gboolean exclusive; /* no other socket may have address and port */
  gboolean no_loop;   /* what the socket sends to a group stays off this host */
  guint skip;         /* see set_skip() */
  GSocket *socket;    /* bound, to be used instead of one of its own; address is
                         what it is bound to, or the group to join; NULL: none */
  gboolean keep_open; /* close() leaves this socket open, as new() does when it
                         fails */
  gboolean verify_checksum; /* of what comes by the fast door */
} AfxdpStreamSettings;

/* Most packets in a batch. */
#define AFXDP_LARGEST_BATCH 1024

typedef struct
{
  AfxdpPacket *packets;
  guint n;
  AfxdpDoor door;  /* that they all came by */
  AfxdpUmem *umem; /* that their frames are of; NULL: some are not in frames */
} AfxdpBatch;

typedef struct
{
  guint64 malformed; /* not this stream's after all, or damaged */
  guint64 discarded; /* had arrived, but nobody called receive() any more */
  guint n_frames;
  guint n_frames_free; /* not with the application */
  GArray *queues;      /* AfxdpQueueCounts: RX queues where the program saw the
                          stream, or that have an AF_XDP socket for it */
} AfxdpStreamCounts;

void afxdp_stream_counts_clear (AfxdpStreamCounts *counts);

typedef struct _AfxdpStream AfxdpStream;

/* Opens the socket, and looks for the fast door unless mode is SOCKET. With
 * mode AF_XDP it fails when there is none. Errors: any of AFXDP_ERROR. */
AfxdpStream *afxdp_stream_new (
    const AfxdpStreamSettings *settings, GError **error);
/* Closes both doors. Fills in the last counts, and adds to drops what was dropped
 * meanwhile, behind the last packet that was handed out. */
void afxdp_stream_close (
    AfxdpStream *stream, AfxdpStreamCounts *counts, AfxdpDrops *drops);

guint afxdp_stream_buffer_size (const AfxdpStream *stream);
/* The socket, which close() closes unless it shall be kept open. */
GSocket *afxdp_stream_gsocket (const AfxdpStream *stream);
/* The port, which may have been chosen by the kernel. */
guint16 afxdp_stream_port (const AfxdpStream *stream);
/* The interface, or NULL when it is not known, or there are several. */
const AfxdpNetdev *afxdp_stream_netdev (const AfxdpStream *stream);

/* Fills in batch with 1 to max packets, valid until done(). FALSE: wake() was
 * called, deadline (ns of CLOCK_MONOTONIC) has passed, or door_changed(). */
gboolean afxdp_stream_receive (
    AfxdpStream *stream, AfxdpBatch *batch, guint max, guint64 deadline);
/* Returns the area when packet's frame may go downstream, which then owes it to
 * afxdp_umem_give_back(). NULL: copy the packet. */
AfxdpUmem *afxdp_stream_lend (AfxdpStream *stream, AfxdpPacket *packet);
/* Ends a batch: frames that were not lent go home. */
void afxdp_stream_done (AfxdpStream *stream);

/* What the stream noticed of packets that never came; the caller empties it.
 * Streaming thread, as is the next one. */
AfxdpDrops *afxdp_stream_drops (AfxdpStream *stream);
/* Looks into the counters for drops that no packet has shown yet. Returns until
 * when all drops are known; if that is before wanted (ns of CLOCK_MONOTONIC), look
 * again later: the interface is being asked what it dropped, or a ring is watched
 * that lacks packets. */
guint64 afxdp_stream_look_for_drops (AfxdpStream *stream, guint64 wanted);

/* Whether an interface that was removed has come again, so that the stream can go
 * over to it: it misses its packets until then. Any thread. */
gboolean afxdp_stream_is_left_behind (const AfxdpStream *stream);
/* Goes over. May wait for tens of ms. Returns FALSE, and sets error, when the group
 * could not be joined there; why the fast door is not open is told as always.
 * Streaming thread, while nobody calls counts() or netdev(). */
gboolean afxdp_stream_catch_up (AfxdpStream *stream, GError **error);

/* Fills in change and returns TRUE when another door came into use since the
 * last call, or the reason is another one. Streaming thread; the caller clears
 * change. */
gboolean afxdp_stream_door_changed (
    AfxdpStream *stream, AfxdpDoorChange *change);

/* So many bytes of each datagram that is read from now on lie in front of RTP: they
 * are no part of its packet, and what is shorter is malformed. Any thread. */
void afxdp_stream_set_skip (AfxdpStream *stream, guint skip);

/* Closes the fast door: nobody is going to call receive() for a while. The
 * next receive() opens it again. Streaming thread. */
void afxdp_stream_close_door (AfxdpStream *stream);
/* Makes receive() return FALSE, the present call or the next one, until unwake(). */
void afxdp_stream_wake (AfxdpStream *stream);
void afxdp_stream_unwake (AfxdpStream *stream);

void afxdp_stream_counts (AfxdpStream *stream, AfxdpStreamCounts *counts);

G_END_DECLS
