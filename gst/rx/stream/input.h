/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One source of a stream's packets, of whichever kind: takes a batch out of it at a
 * time and keeps it until it is handed out. A kind is a table of functions, and a
 * file: ringinput, socketinput. It embeds AfxdpInput as its first field, and its own
 * init() fills that in.
 *
 * For the streaming thread alone.
 */
#pragma once

#include <glib.h>

#include "drops.h"
#include "rtp.h"
#include "socket.h"
#include "umem.h"

G_BEGIN_DECLS

/* Most packets in a batch. */
#define AFXDP_LARGEST_BATCH 1024

typedef enum
{
  AFXDP_PATH_NONE,
  AFXDP_PATH_FAST,
  AFXDP_PATH_SLOW,
} AfxdpPath;

typedef struct
{
  const guint8 *data; /* UDP payload, behind what is skipped of it */
  guint size;         /* bytes, 0 is legal */
  guint32 frame;      /* AFXDP_NO_FRAME: not in one, or lent */
  guint64 arrival;    /* ns of CLOCK_MONOTONIC */
  AfxdpSender sender;
  AfxdpRtp rtp;
} AfxdpPacket;

typedef struct _AfxdpInput AfxdpInput;

/* What each kind does in its own way: a call for each batch, none for each packet. */
typedef struct
{
  AfxdpPath path; /* that its packets come by to this process */
  /* Takes the next batch out of the source into packets, from 0 to end - 1, and fills
   * in all of their fields. */
  guint (*read) (AfxdpInput *input, guint skip);
  guint64 (*look_for_drops) (AfxdpInput *input);
  /* While it says FALSE, read() is called again without a poll(). */
  gboolean (*is_drained) (const AfxdpInput *input);
} AfxdpInputKind;

struct _AfxdpInput
{
  /* Hot: for each packet, or each batch. */
  const AfxdpInputKind *kind;
  AfxdpPacket *packets; /* those not yet handed out: */
  guint first, end;     /* from first to end - 1 */
  AfxdpPath by;         /* the path that packets came by to this host */
  /* packets have the time of their own arrival, and not that of the read() */
  gboolean stamped;
  guint batch;          /* most packets at a time */
  gpointer raw;         /* what the source fills in */
  AfxdpUmem *umem;      /* of the frames in packets; NULL: none is in one */
  guint64 last_arrival; /* of the packet read last, or the beginning */

  /* Cold: for each wait, or where something was dropped. */
  int fd;            /* to poll for what comes; each input has one */
  AfxdpDrops *drops; /* where drops are told */
};

/* For a kind's init(). What it takes a batch from the source with has batch times
 * raw_size bytes. Area, fd and drops are not owned: they must outlive the input. */
void afxdp_input_init (AfxdpInput *input, const AfxdpInputKind *kind,
    AfxdpUmem *umem, int fd, guint batch, gsize raw_size, AfxdpDrops *drops);
/* Gives the frames of what was not handed out home. Returns how many packets
 * that were. */
guint afxdp_input_discard (AfxdpInput *input);
/* What was not handed out must have been discarded. */
void afxdp_input_clear (AfxdpInput *input);

/* For a kind: takes the payload of a datagram over into packet. FALSE: it is shorter
 * than skip. */
static inline gboolean
afxdp_input_take_payload (
    AfxdpPacket *packet, const guint8 *data, guint size, guint skip)
{
  if (G_UNLIKELY (size < skip))
    return FALSE;
  packet->data = data + skip;
  packet->size = size - skip;
  afxdp_rtp_parse (packet->data, packet->size, &packet->rtp);
  return TRUE;
}

/* Takes the next batch out of the source; the input must be empty. Packets that are
 * not the stream's, are damaged, or shorter than skip, are dropped: returns how many.
 * skip: bytes of each datagram that lie in front of RTP. */
static inline guint
afxdp_input_read (AfxdpInput *input, guint skip)
{
  return input->kind->read (input, skip);
}

/* Tells of drops that no later packet has shown yet, as far as counters do. A
 * system call. Returns until when all are known, in ns of CLOCK_MONOTONIC;
 * G_MAXUINT64: until now. */
static inline guint64
afxdp_input_look_for_drops (AfxdpInput *input)
{
  return input->kind->look_for_drops (input);
}

/* Whether nothing waits in the source, as far as is known without a system call. */
static inline gboolean
afxdp_input_is_drained (const AfxdpInput *input)
{
  return input->kind->is_drained (input);
}

static inline gboolean
afxdp_input_is_empty (const AfxdpInput *input)
{
  return input->first == input->end;
}

static inline const AfxdpPacket *
afxdp_input_head (const AfxdpInput *input)
{
  return &input->packets[input->first];
}

G_END_DECLS
