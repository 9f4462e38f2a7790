/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring that the distributor daemon fills for this stream, as a source of its
 * packets. Records tell what was dropped before them: by the host, as the daemon saw it,
 * and for want of a slot.
 *
 * For the streaming thread alone.
 */
#pragma once

#include "clientmemory.h"
#include "input.h"
#include "twins.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpInput input;

  /* Hot. */
  AfxdpClientMemory *memory; /* NULL: none yet */
  guint32 consumed;          /* records */
  guint64 next_ordinal;
  guint32 drops[AFXDP_PROTOCOL_N_DROPS]; /* that are told */
  guint32 malformed;                     /* likewise */
  gint64 clock;                          /* ns to add to the daemon's times */
  gboolean holds;                        /* nothing is read for now */
  /* While twins are noted: these came by the socket, and so did, as far as anything
   * did, what arrived before that moment. Both are dropped. */
  AfxdpTwins *twins;
  guint64 heard_until;

  /* Cold. */
  /* A daemon that comes back may cost packets by that: since then, while it does;
   * G_MAXUINT64: none does. */
  guint64 unsure_since;
  gboolean broken; /* the daemon does not keep to the protocol */
  gboolean over;   /* it will write nothing more */
  gboolean paused; /* nobody reads */
  /* What was dropped between them is the pause's. */
  guint64 paused_at, resumed_at;
  guint
      n_large; /* slots of the last batch, which are returned by the next one */
  guint32 *large;
} AfxdpClientInput;

/* fd: tells of what comes, see clientpath.h. twins and drops must outlive the input. */
void afxdp_client_input_init (AfxdpClientInput *input, int fd, guint batch,
    AfxdpTwins *twins, AfxdpDrops *drops);
void afxdp_client_input_clear (AfxdpClientInput *input);
/* Reads from memory, which must outlive it, from now on; what was read before must have
 * been handed out or discarded. clock: see above. */
void afxdp_client_input_set_memory (
    AfxdpClientInput *input, AfxdpClientMemory *memory, gint64 clock);
/* Whether there is a record, in the order of all SEQ_CST operations: see
 * afxdp_client_ring_end(). */
static inline gboolean
afxdp_client_input_has_more (const AfxdpClientInput *input)
{
  return __atomic_load_n (&input->memory->head->produced, __ATOMIC_SEQ_CST) !=
      input->consumed;
}

/* Records that wait to be read. */
guint afxdp_client_input_n_waiting (const AfxdpClientInput *input);
/* The daemon is to find out what the host dropped until then, if it has not: it asks
 * the interface for that. */
void afxdp_client_input_want_drops (AfxdpClientInput *input, guint64 until);
void afxdp_client_input_pause (AfxdpClientInput *input);
/* Nothing is read any more, for ever. Tells what was dropped, and returns how many packets
 * wait that nobody will read, and how many the daemon found malformed that nobody has
 * counted. */
guint afxdp_client_input_end (AfxdpClientInput *input);

G_END_DECLS
