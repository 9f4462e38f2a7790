/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One client's ring: its memory, and how packets get into it. The memory is ours; what
 * the client writes is believed in nothing, and no call here ever waits for it.
 *
 * new() is for any thread; describe(), free() and leave() are for the control thread, while
 * no worker knows the ring. The others are for the worker that serves the stream, but for
 * counts().
 */
#pragma once

#include "drops.h"
#include "input.h"
#include "protocol.h"

G_BEGIN_DECLS

typedef struct _AfxdpClientRing AfxdpClientRing;

/* Bytes of memory that a ring of so many slots of so many bytes (a power of two) takes,
 * all told: it is what a quota counts. */
gsize afxdp_client_ring_bytes (guint n_slots, guint slot_size);

/* Makes, populates, locks (as far as the kernel lets it) and seals the memory. Errors:
 * AFXDP_ERROR_MEMORY, _FAILED. */
AfxdpClientRing *afxdp_client_ring_new (
    guint n_slots, guint slot_size, GError **error);
/* What a client has mapped stays its own. */
void afxdp_client_ring_free (AfxdpClientRing *ring);
/* As free(), but for descriptors to ask afxdp_shared_memory_is_held() by, which are the
 * caller's; or -1. */
#define AFXDP_CLIENT_RING_MEMORIES 2
void afxdp_client_ring_leave (
    AfxdpClientRing *ring, int descriptors[AFXDP_CLIENT_RING_MEMORIES]);

/* Fills in what the client has to know of the memory; not the message's head, nor the
 * interface. The descriptors are the ring's. */
void afxdp_client_ring_describe (
    const AfxdpClientRing *ring, struct afxdp_opened *opened);
int afxdp_client_ring_memory (const AfxdpClientRing *ring);
int afxdp_client_ring_words (const AfxdpClientRing *ring);

/* Takes back what the client has returned. To be called before each batch. Returns
 * whether the client wants packets now; if not, put() and end() are not to be called. */
gboolean afxdp_client_ring_begin (AfxdpClientRing *ring);
/* A packet for the client: copied into a slot, or, when there is none, counted. */
void afxdp_client_ring_put (AfxdpClientRing *ring, const AfxdpPacket *packet,
    AfxdpPath path, gboolean stamped);
/* Shows the client what was put since begin(). Returns whether it sleeps, and has not
 * been woken from this sleep: then it is to be. */
gboolean afxdp_client_ring_end (AfxdpClientRing *ring);

/* What was found to be damaged, or not the stream's: n more. To be told before the
 * packets that came with it, so that who sees these knows. */
void afxdp_client_ring_add_malformed (AfxdpClientRing *ring, guint n);
/* What the host dropped of the stream, and until when that is all (ns of
 * CLOCK_MONOTONIC, see afxdp_stream_look_for_drops()). */
void afxdp_client_ring_add_drops (
    AfxdpClientRing *ring, const AfxdpDrops *drops);
void afxdp_client_ring_set_known (AfxdpClientRing *ring, guint64 known);
/* The moment until which the client wants to know all drops; 0: it does not ask. */
guint64 afxdp_client_ring_wanted (const AfxdpClientRing *ring);

/* How the client has broken the protocol, in words for the log, or NULL. Then no packet
 * is put into the ring any more, and it is to be disconnected. Any thread. */
const gchar *afxdp_client_ring_violation (const AfxdpClientRing *ring);

typedef struct
{
  guint64 packets; /* that were copied for the client */
  guint64 dropped; /* for want of a slot */
  guint n_slots;   /* large ones included */
  guint n_free;    /* that are not the client's */
} AfxdpClientRingCounts;

/* Any thread. */
void afxdp_client_ring_counts (
    const AfxdpClientRing *ring, AfxdpClientRingCounts *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpClientRing, afxdp_client_ring_free)

G_END_DECLS
