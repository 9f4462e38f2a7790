/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream: its two paths, and which of their packets comes next (law 1).
 *
 * The slow path is the kernel's UDP socket, always open. The fast path is the
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
 * wake(), counts() and n_malformed() are for any thread, new() and close() for the one that
 * changes state, while no streaming thread runs.
 */
#pragma once

#include <gio/gio.h>

#include "distributor.h"
#include "pathchange.h"
#include "input.h"
#include "netdev.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpPacket *packets;
  guint n;
  AfxdpPath path;   /* that they all came by */
  gboolean stamped; /* arrival is each packet's own, not that of the read */
  AfxdpUmem *umem;  /* that their frames are of; NULL: some are not in frames */
} AfxdpBatch;

typedef struct
{
  guint64 malformed; /* not this stream's after all, or damaged */
  guint64 discarded; /* had arrived, but nobody called receive() any more */
  guint n_frames;
  guint n_frames_free; /* not with the application */
  /* AfxdpQueueCounts: RX queues where the program saw the stream, or that have
   * an AF_XDP socket for it */
  GArray *queues;
  guint32 socket_dropped; /* by the socket since new(), told or not; it wraps */
  guint32
      dropped_in_pause; /* the last ones of them: since the pause that lasts */
} AfxdpStreamCounts;

void afxdp_stream_counts_clear (AfxdpStreamCounts *counts);

typedef struct _AfxdpStream AfxdpStream;

/* Opens the socket, and looks for the fast path unless mode is SOCKET. Where a daemon was
 * named that is not there yet, and nothing else is, the stream waits for it. With
 * mode AF_XDP it fails when there is none. Errors: any of AFXDP_ERROR. */
AfxdpStream *afxdp_stream_new (
    const AfxdpStreamSettings *settings, GError **error);
/* Closes both paths. Fills in the last counts, and adds to drops what was dropped
 * meanwhile, behind the last packet that was handed out. */
void afxdp_stream_close (
    AfxdpStream *stream, AfxdpStreamCounts *counts, AfxdpDrops *drops);

guint afxdp_stream_buffer_size (const AfxdpStream *stream);
/* The socket, which close() closes unless it shall be kept open. */
GSocket *afxdp_stream_gsocket (const AfxdpStream *stream);
/* The name of the interface that it is received on, which may be the distributor
 * daemon's and not known here; NULL: it is not known, or there are several. Valid until
 * the next path_changed() or close(). Streaming thread. */
const gchar *afxdp_stream_interface (const AfxdpStream *stream);
/* The port, which may have been chosen by the kernel. */
guint16 afxdp_stream_port (const AfxdpStream *stream);
/* The interface, or NULL when it is not known, or there are several. */
const AfxdpNetdev *afxdp_stream_netdev (const AfxdpStream *stream);

/* Fills in batch with 1 to max packets, valid until done(). FALSE: wake() was
 * called, deadline (ns of CLOCK_MONOTONIC; 0: do not wait) has passed, or
 * path_changed(). */
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
/* Why there will be no more packets, or NULL: receive() returns FALSE, and the stream
 * is to be closed. The kernel's socket cannot be read any more, by an error that stays
 * or since the application has shut it down. */
const GError *afxdp_stream_error (const AfxdpStream *stream);
/* Looks for such an error where nothing has told of it; now and then. Returns how many
 * errors of the socket have passed, answers to what the application sent by it. */
guint64 afxdp_stream_look_for_errors (AfxdpStream *stream);

/* Looks into the counters for drops that no packet has shown yet. Returns until
 * when all drops are known; if that is before wanted (ns of CLOCK_MONOTONIC), look
 * again later: the interface is being asked what it dropped, or a ring is watched
 * that lacks packets. */
guint64 afxdp_stream_look_for_drops (AfxdpStream *stream, guint64 wanted);

/* Whether an interface that was removed has come again, so that the stream can go
 * over to it: it misses its packets until then. Any thread. */
gboolean afxdp_stream_is_left_behind (const AfxdpStream *stream);
/* Goes over. May wait for tens of ms. Returns FALSE, and sets error, when the group
 * could not be joined there: then the stream is left behind again a second later; why
 * the fast path is not open is told as always. Streaming thread, while nobody calls
 * counts() or netdev(). */
gboolean afxdp_stream_catch_up (AfxdpStream *stream, GError **error);

/* From now on it is received from these sources (NULL: any), by all of its paths. Who is
 * in both sets is received on, without a gap and without a change of path; of others some
 * packets may be handed out for a while. FALSE, and error:
 * all is as before; the host allows fewer sources (AFXDP_ERROR_MEMORY), or the XDP
 * program has no room. May wait for RTNL, and for tens of ms. For another thread than the
 * streaming thread, while that does not catch_up(). Not for a client of the distributor
 * daemon. */
gboolean afxdp_stream_set_sources (
    AfxdpStream *stream, AfxdpSources *sources, GError **error);

/* Fills in change and returns TRUE when another path came into use since the
 * last call, or the reason is another one. Streaming thread; the caller clears
 * change. */
gboolean afxdp_stream_path_changed (
    AfxdpStream *stream, AfxdpPathChange *change);
/* Whether the fast path may come into use, as far as is known now: otherwise cause says
 * why not, which may heal (attachment.h). Not for a stream that somebody else gives.
 * Streaming thread. */
gboolean afxdp_stream_may_be_fast (AfxdpStream *stream, GError **cause);
/* How often another path came into use since new(), the first one included; it wraps.
 * At an overload path_changed() leaves out most of them. Streaming thread. */
guint afxdp_stream_n_path_changes (const AfxdpStream *stream);

/* So many bytes of each datagram that is read from now on lie in front of RTP: they
 * are no part of its packet, and what is shorter is malformed. Any thread. */
void afxdp_stream_set_skip (AfxdpStream *stream, guint skip);

/* Closes the fast path: nobody is going to call receive() for a while. The
 * next receive() opens it again. Streaming thread. */
void afxdp_stream_close_path (AfxdpStream *stream);
/* Makes receive() return FALSE, the present call or the next one, until unwake(). */
void afxdp_stream_wake (AfxdpStream *stream);
void afxdp_stream_unwake (AfxdpStream *stream);

void afxdp_stream_counts (AfxdpStream *stream, AfxdpStreamCounts *counts);
/* Of these, malformed alone: that costs nothing. */
guint64 afxdp_stream_n_malformed (const AfxdpStream *stream);

/* For who waits for many streams at once, in the place of receive(); see receiver.h. */

/* Descriptor i of those to poll, or -1 behind the last one. They stay the same, but for
 * new ones at the end, until catch_up() or close(). */
int afxdp_stream_fd (const AfxdpStream *stream, guint i);
/* poll() found events at descriptor i. */
void afxdp_stream_note_events (AfxdpStream *stream, guint i, guint events);
/* The next receive() looks into the socket, although nobody has asked poll(). */
void afxdp_stream_look_into_socket (AfxdpStream *stream);

typedef struct
{
  guint n;    /* packets that were handed out since the last one; 0 also where
                        nothing is to be gathered */
  guint room; /* that may come before one is lost, or changes paths */
  guint64 longest;   /* ns that may pass until the next look, if some come */
  guint64 look_at;   /* a look is due then, whatever comes; or G_MAXUINT64 */
  gboolean settling; /* what is in one path may have to wait for the other */
} AfxdpStreamRest;

/* All that came has been taken: how long may the thread sleep? Wakes drivers that
 * wait for it. */
void afxdp_stream_rest (AfxdpStream *stream, AfxdpStreamRest *rest);
/* Whether there is more, as far as is known without a system call. */
gboolean afxdp_stream_has_more (const AfxdpStream *stream);

G_END_DECLS
