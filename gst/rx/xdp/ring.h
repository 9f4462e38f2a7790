/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One slot's ring on one RX queue: its AF_XDP socket, and the words that it
 * shares with the XDP program (bpf/afxdp.h). Reading and writing them makes no
 * system call. Any thread, but for what is said in xsk.h.
 */
#pragma once

#include "afxdp.h"
#include "xsk.h"

G_BEGIN_DECLS

typedef struct
{
  guint queue;
  AfxdpXsk *xsk;
  struct afxdp_slot *words;
  const struct afxdp_queue *queue_words;
} AfxdpRing;

static inline guint64
afxdp_ring_word (const __u64 *word)
{
  return __atomic_load_n (word, __ATOMIC_RELAXED);
}

static inline enum afxdp_redirect
afxdp_ring_redirect (const AfxdpRing *ring)
{
  return __atomic_load_n (&ring->words->redirect, __ATOMIC_RELAXED);
}

static inline void
afxdp_ring_set_redirect (const AfxdpRing *ring, enum afxdp_redirect redirect)
{
  __atomic_store_n (&ring->words->redirect, redirect, __ATOMIC_RELAXED);
}

/* Most packets between the program and the reader. */
static inline guint
afxdp_ring_credit (const AfxdpRing *ring)
{
  return __atomic_load_n (&ring->words->credit, __ATOMIC_RELAXED);
}

static inline void
afxdp_ring_set_credit (const AfxdpRing *ring, guint credit)
{
  __atomic_store_n (&ring->words->credit, credit, __ATOMIC_RELAXED);
}

/* Until when the program may drop what is not redirected, while that is
 * OVERLOADED. */
static inline void
afxdp_ring_set_drop_until (const AfxdpRing *ring, guint64 until)
{
  __atomic_store_n (&ring->words->drop_until, until, __ATOMIC_RELAXED);
}

/* Packets that the program redirected and the reader has not yet taken. */
static inline guint
afxdp_ring_outstanding (const AfxdpRing *ring)
{
  guint64 released = afxdp_ring_word (&ring->words->released);

  return afxdp_ring_word (&ring->words->redirected) - released;
}

/* Frames of the queue that wait for packets, of whichever stream. */
static inline gint64
afxdp_ring_frames_left (const AfxdpRing *ring)
{
  guint64 redirected = afxdp_ring_word (&ring->queue_words->redirected);

  return afxdp_ring_word (&ring->queue_words->frames) - redirected;
}

G_END_DECLS
