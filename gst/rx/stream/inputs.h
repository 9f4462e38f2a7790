/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a stream is read from: the socket, a ring for each RX queue, and what else is
 * added. In which turn they are read, and how many of an input's packets may be handed
 * out before another is to be asked. Whether the fast path is open is the business of
 * paths.h.
 *
 * For the streaming thread alone, where it does not say otherwise. None of it sleeps.
 */
#pragma once

#include <poll.h>
#include <stdatomic.h>

#include "order.h"
#include "ringinput.h"
#include "settings.h"
#include "socketinput.h"
#include "subscription.h"

G_BEGIN_DECLS

/* When the socket is read, which costs a system call. Reasons are: poll() told of
 * something, the program passed something, or a number is missing. */
typedef enum
{
  AFXDP_SOCKET_NOW_AND_THEN, /* while others have packets, and for a reason */
  AFXDP_SOCKET_EACH_TIME,
} AfxdpSocketTurn;

/* What the program did with the stream's packets between the last two times that the
 * socket was read. */
typedef struct
{
  guint64 passed, redirected;
} AfxdpProgramDid;

/* The socket, and the rings. */
#define AFXDP_MOST_INPUTS (1 + AFXDP_STREAM_QUEUES)

typedef struct
{
  /* Hot: for each batch. */
  AfxdpInput *all[AFXDP_MOST_INPUTS]; /* whatever their kind */
  guint n, n_rings;
  gboolean socket_due;  /* there may be something in the socket */
  gboolean socket_paid; /* there was when it was read last */
  guint batches;        /* since it was read, or the rings were empty */
  gboolean has_last;
  AfxdpRtp last;         /* of the packet that was handed out last */
  AfxdpProgramDid until; /* when the socket was read last, in all */
  guint64 overload;      /* that the program dropped, as far as it is told */
  _Atomic guint skip;    /* set by any thread, see afxdp_input_read() */
  _Atomic guint64 malformed; /* read by any: see afxdp_input_read() */
  AfxdpSocketInput slow;
  AfxdpRingInput rings[AFXDP_STREAM_QUEUES];

  /* Cold: for new rings. */
  const AfxdpDestination *destination;
  guint batch;
  AfxdpDrops *drops;
} AfxdpInputs;

/* inputs is all zeros but for skip. Socket, destination and drops must outlive it.
 * Returns how many packets the socket has dropped before. */
guint32 afxdp_inputs_init (AfxdpInputs *inputs, AfxdpSocket *socket,
    const AfxdpDestination *destination, const AfxdpStreamSettings *settings,
    AfxdpDrops *drops);
/* Has input, which is of any kind, read with the others from now on; before there are
 * rings. It must outlive them. */
void afxdp_inputs_add (AfxdpInputs *inputs, AfxdpInput *input);
/* Makes an input of each ring of path for which there is none: they are only ever
 * added, at the end. path must outlive them. */
void afxdp_inputs_add_rings (AfxdpInputs *inputs, const AfxdpFastPath *path);
/* Returns how many packets of theirs were dropped, that had been read and not handed
 * out. */
guint afxdp_inputs_remove_rings (AfxdpInputs *inputs);
/* Drops what had been read and not handed out. Returns how many packets. */
guint afxdp_inputs_discard (AfxdpInputs *inputs);
/* Drops what waits in the socket, which nobody will read, and counts it likewise. What
 * the socket dropped is the pause's. */
guint64 afxdp_inputs_discard_socket (AfxdpInputs *inputs);
void afxdp_inputs_clear (AfxdpInputs *inputs);

/* Reads the inputs that are empty, the socket in its turn. Returns whether packets came
 * by the socket; then did is filled in. */
gboolean afxdp_inputs_read (
    AfxdpInputs *inputs, AfxdpSocketTurn turn, AfxdpProgramDid *did);
/* The input whose first packet is next, or NULL: all are empty. */
static inline AfxdpInput *
afxdp_inputs_first (const AfxdpInputs *inputs)
{
  return afxdp_order_first (inputs->all, inputs->n);
}
/* Whether input, which is first, continues what was handed out last. */
gboolean afxdp_inputs_continue (
    const AfxdpInputs *inputs, const AfxdpInput *input);
/* Whether something is missing between what was handed out last and input's first
 * packet, which may have come by the socket: that is due, then. */
gboolean afxdp_inputs_miss_some (AfxdpInputs *inputs, const AfxdpInput *input);
/* How many packets of input, which is first, to hand out: at most max, and up to where
 * those of another come, or may come, first. */
guint afxdp_inputs_run (
    AfxdpInputs *inputs, const AfxdpInput *input, guint max);
/* These have been handed out, and are done with: frames that were not lent go home. */
void afxdp_inputs_done (AfxdpInputs *inputs, AfxdpInput *input, guint n);

/* Whether there are packets of path that were read. */
gboolean afxdp_inputs_have (const AfxdpInputs *inputs, AfxdpPath path);
/* Whether neither these are, nor others wait to be read, as far as is known. */
gboolean afxdp_inputs_are_drained (const AfxdpInputs *inputs, AfxdpPath path);

/* Nobody reads any more, if that is news: see afxdp_socket_input_pause(). */
void afxdp_inputs_pause (AfxdpInputs *inputs, guint32 dropped);
/* Whether what came in a pause is still to be read. */
static inline gboolean
afxdp_inputs_are_behind (const AfxdpInputs *inputs)
{
  return inputs->slow.paused || inputs->slow.resuming;
}

/* All that the socket had at that moment has been handed out; 0: not yet. */
static inline guint64
afxdp_inputs_socket_read_at (const AfxdpInputs *inputs)
{
  return afxdp_input_is_empty (&inputs->slow.input) ? inputs->slow.dry_at : 0;
}

/* Tells of drops that counters know and no packet has shown. Returns until when
 * all are known, in ns of CLOCK_MONOTONIC. */
guint64 afxdp_inputs_look_for_drops (AfxdpInputs *inputs);
/* The program begins to drop at now, or has dropped n in all, in the end. */
void afxdp_inputs_begin_overload (AfxdpInputs *inputs, guint64 now);
void afxdp_inputs_end_overload (AfxdpInputs *inputs, guint64 n);
/* See afxdp_ring_input_forget_lost(). */
void afxdp_inputs_forget_lost (AfxdpInputs *inputs);

/* For who waits. */

static inline AfxdpSocket *
afxdp_inputs_socket (const AfxdpInputs *inputs)
{
  return inputs->slow.socket;
}

/* Puts what to poll into fds: of the socket and, with others, of the other inputs, as
 * far as they are empty: what waits for its turn must not wake anybody again and again.
 * Returns how many that are. */
guint afxdp_inputs_fill_in_fds (
    const AfxdpInputs *inputs, struct pollfd *fds, gboolean others);
/* poll() has filled in n of these. */
void afxdp_inputs_take_polled (
    AfxdpInputs *inputs, const struct pollfd *fds, guint n);
/* There may be something in the socket. */
static inline void
afxdp_inputs_socket_is_due (AfxdpInputs *inputs)
{
  inputs->socket_due = TRUE;
}

G_END_DECLS
