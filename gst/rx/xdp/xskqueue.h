/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One RX queue of a pool: the socket that carries its fill ring, the frames that it
 * should have and has, and the driver's wish to be woken. For xskpool.c and
 * xsk.c alone.
 *
 * An owner is filled and emptied by one thread at a time; what else there is may be
 * called by any thread.
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

#include "umem.h"
#include "xskfd.h"
#include "xskpool.h"

G_BEGIN_DECLS

/* The socket that carries a queue's fill ring. */
typedef struct
{
  int fd; /* -1: none */
  AfxdpRingMapping mapping;
  struct xsk_ring_prod fill;
  _Atomic guint64 filled; /* frames ever put in */
} AfxdpXskOwner;

/* Unmaps its ring and closes it. */
void afxdp_xsk_owner_close (AfxdpXskOwner *owner);
/* Puts n frames into the fill ring, which has room for all there are. Returns how
 * many: the free list may be shorter. */
guint afxdp_xsk_owner_fill (AfxdpXskOwner *owner, AfxdpUmem *umem, guint n);
/* Takes the frames of an owner that could not be bound back out of its fill
 * ring, which the kernel never looked into. */
void afxdp_xsk_owner_empty (AfxdpXskOwner *owner, AfxdpUmem *umem);

struct _AfxdpXskQueue
{
  atomic_bool open;
  guint number;
  const gchar *interface; /* the pool's */
  AfxdpUmem *umem;        /* likewise */
  gboolean
      zero_copy; /* of the driver; set before open, as owner and told are */
  /* Protects the ring of owner, which must have one producer at a time. Outside the
   * UMEM's lock. */
  pthread_mutex_t lock;
  AfxdpXskOwner owner;
  __u64 *told;        /* what the program knows of filled: never too much */
  atomic_uint target; /* frames that it should have */
  _Atomic guint64 woken_at; /* the driver, last; ns of CLOCK_MONOTONIC */
  _Alignas(64) _Atomic guint64 arrived; /* frames out of the RX rings */
};

/* queue is all zeros. interface and umem must outlive it. */
void afxdp_xsk_queue_init (AfxdpXskQueue *queue, guint number,
    const gchar *interface, AfxdpUmem *umem);
void afxdp_xsk_queue_clear (AfxdpXskQueue *queue);

/* Frames in the fill ring, in the driver and in the RX rings. */
guint afxdp_xsk_queue_n_frames (const AfxdpXskQueue *queue);
/* Replaces frames that arrived, when at least step of them are missing. */
void afxdp_xsk_queue_refill (AfxdpXskQueue *queue, guint step);
/* The same, when it pays. */
void afxdp_xsk_queue_refill_in_steps (AfxdpXskQueue *queue);
/* The driver says in the fill ring's flags that it waits to be woken, since it found
 * too few frames there; when there are some now, it is. That is often after a
 * refill, but not right after it: the driver says so at the end of a poll. at_once:
 * however short a time ago it was woken last. */
void afxdp_xsk_queue_wake_driver (AfxdpXskQueue *queue, gboolean at_once);

G_END_DECLS
