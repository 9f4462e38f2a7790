/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One AF_XDP socket that a stream reads. */
#include "xsk.h"

#include <linux/if_xdp.h>
#include <sys/socket.h>

#include "fork.h"
#include "log.h"
#include "xskfd.h"
#include "xskqueue.h"

/* Linux 5.11; the C library's headers may be older. */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif
/* Packets that the kernel takes from the driver in one call, as an interrupt would
 * (NAPI_POLL_WEIGHT); 8 of its own accord. */
#define BUSY_POLL_BUDGET 64

struct _AfxdpXsk
{
  atomic_uint refs;
  AfxdpXskPool *pool;
  int fd;
  AfxdpXskQueue *queue;
  AfxdpUmem *umem; /* the queue's, whose line others write to */
  struct xsk_ring_cons rx;
  AfxdpRingMapping mapping;
  AfxdpXskLoss explained; /* of what the kernel counted */
  gboolean busy_poll;
};

AfxdpXsk *
afxdp_xsk_new (AfxdpXskPool *pool, guint queue, guint ring_size, GError **error)
{
  AfxdpXsk *xsk = g_new0 (AfxdpXsk, 1);

  atomic_init (&xsk->refs, 1);
  xsk->pool = afxdp_xsk_pool_ref (pool);
  xsk->queue = afxdp_xsk_pool_queue (pool, queue);
  xsk->umem = xsk->queue->umem;
  xsk->fd = afxdp_xsk_pool_take_socket (pool, error);
  /* A share of the same queue: no other flag, the owner's hold. */
  if (xsk->fd < 0 ||
      !afxdp_xskfd_create_rx_ring (
          xsk->fd, ring_size, &xsk->rx, &xsk->mapping, error) ||
      !afxdp_xsk_pool_bind (pool, xsk->fd, queue, error)) {
    afxdp_xsk_unref (xsk);
    return NULL;
  }
  return xsk;
}

AfxdpXsk *
afxdp_xsk_ref (AfxdpXsk *xsk)
{
  atomic_fetch_add (&xsk->refs, 1);
  return xsk;
}

void
afxdp_xsk_unref (AfxdpXsk *xsk)
{
  if (!xsk || atomic_fetch_sub (&xsk->refs, 1) != 1)
    return;
  afxdp_xskfd_unmap (&xsk->mapping);
  if (xsk->fd >= 0)
    afxdp_fork_close (xsk->fd);
  afxdp_xsk_pool_unref (xsk->pool);
  g_free (xsk);
}

int
afxdp_xsk_fd (const AfxdpXsk *xsk)
{
  return xsk->fd;
}

guint
afxdp_xsk_queue (const AfxdpXsk *xsk)
{
  return xsk->queue->number;
}

guint
afxdp_xsk_ring_size (const AfxdpXsk *xsk)
{
  return xsk->rx.size;
}

static void
tell_batch (const AfxdpXsk *xsk, const AfxdpXskPacket *packets, guint n)
{
  const AfxdpXskQueue *queue = xsk->queue;

  AFXDP_LOG (AFXDP_LOG_XDP, queue->interface,
      "RX queue %u: %u packets taken, %u wait", queue->number, n,
      afxdp_xsk_n_waiting (xsk));
  for (guint i = 0; i < n; i++)
    AFXDP_TRACE (AFXDP_LOG_XDP, queue->interface,
        "RX queue %u: frame %u, %u bytes", queue->number, packets[i].frame,
        packets[i].length);
}

guint
afxdp_xsk_receive (AfxdpXsk *xsk, AfxdpXskPacket *packets, guint n)
{
  AfxdpXskQueue *queue = xsk->queue;
  AfxdpUmem *umem = xsk->umem;
  guint8 *area = afxdp_umem_area (umem);
  guint32 at = 0;

  n = xsk_ring_cons__peek (&xsk->rx, n, &at);
  if (!n) {
    /* Frames that were copied or dropped have come home since. */
    afxdp_xsk_queue_refill_in_steps (queue);
    return 0;
  }
  for (guint i = 0; i < n; i++) {
    const struct xdp_desc *desc = xsk_ring_cons__rx_desc (&xsk->rx, at + i);

    packets[i].frame = afxdp_umem_frame_at (umem, desc->addr);
    packets[i].length = desc->len;
    packets[i].data = area + desc->addr;
    /* Another processor wrote them: metadata, and headers. */
    __builtin_prefetch (packets[i].data - 1);
    __builtin_prefetch (packets[i].data);
    afxdp_umem_arrived (umem, packets[i].frame);
  }
  xsk_ring_cons__release (&xsk->rx, n);
  if (afxdp_log_is_wanted (AFXDP_LOG_LEVEL_LOG))
    tell_batch (xsk, packets, n);
  atomic_fetch_add_explicit (&queue->arrived, n, memory_order_relaxed);
  afxdp_xsk_queue_refill_in_steps (queue);
  return n;
}

void
afxdp_xsk_took_no_frame (AfxdpXsk *xsk, gint64 n)
{
  if (n)
    __atomic_fetch_add (xsk->queue->told, (guint64) n, __ATOMIC_RELAXED);
}

void
afxdp_xsk_loss_add (AfxdpXskLoss *loss, const AfxdpXskLoss *more)
{
  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++)
    loss->n[kind] += more->n[kind];
}

AfxdpXskLoss
afxdp_xsk_loss_take (AfxdpXskLoss *loss, guint64 n)
{
  AfxdpXskLoss part;

  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++) {
    part.n[kind] = MIN (n, loss->n[kind]);
    loss->n[kind] -= part.n[kind];
    n -= part.n[kind];
  }
  return part;
}

/* What the kernel counted and nobody explained. In copy mode it looks for a frame
 * first, so that no packet is in both (Linux 6.18, xsk_rcv()). */
static AfxdpXskLoss
unexplained_loss (const AfxdpXsk *xsk)
{
  struct xdp_statistics statistics = { 0 };
  socklen_t size = sizeof statistics;
  AfxdpXskLoss loss = { 0 };

  getsockopt (xsk->fd, SOL_XDP, XDP_STATISTICS, &statistics, &size);
  loss.n[AFXDP_XSK_LOSS_RX_RING] = statistics.rx_ring_full;
  loss.n[AFXDP_XSK_LOSS_FILL_RING] = statistics.rx_dropped;
  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++)
    loss.n[kind] -= MIN (loss.n[kind], xsk->explained.n[kind]);
  return loss;
}

static void
tell_loss (const AfxdpXsk *xsk, const AfxdpXskLoss *loss)
{
  const guint64 *n = loss->n;

  if (n[AFXDP_XSK_LOSS_RX_RING] || n[AFXDP_XSK_LOSS_FILL_RING] ||
      n[AFXDP_XSK_LOSS_REDIRECT])
    AFXDP_DEBUG (AFXDP_LOG_XDP, xsk->queue->interface,
        "RX queue %u lost packets: %" G_GUINT64_FORMAT
        " with the RX ring full, %" G_GUINT64_FORMAT
        " without a frame, %" G_GUINT64_FORMAT " that no ring counted",
        xsk->queue->number, n[AFXDP_XSK_LOSS_RX_RING],
        n[AFXDP_XSK_LOSS_FILL_RING], n[AFXDP_XSK_LOSS_REDIRECT]);
}

void
afxdp_xsk_explain_loss (AfxdpXsk *xsk, guint64 n, AfxdpXskLoss *loss)
{
  AfxdpXskLoss counted = unexplained_loss (xsk);

  *loss = afxdp_xsk_loss_take (&counted, n);
  afxdp_xsk_loss_add (&xsk->explained, loss);
  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++)
    n -= loss->n[kind];
  /* No ring counted these. */
  loss->n[AFXDP_XSK_LOSS_REDIRECT] = n;
  tell_loss (xsk, loss);
}

guint64
afxdp_xsk_find_loss (AfxdpXsk *xsk, AfxdpXskLoss *loss)
{
  guint64 n = 0;

  *loss = unexplained_loss (xsk);
  afxdp_xsk_loss_add (&xsk->explained, loss);
  for (guint kind = 0; kind < AFXDP_XSK_LOSS_N; kind++)
    n += loss->n[kind];
  tell_loss (xsk, loss);
  return n;
}

void
afxdp_xsk_set_busy_poll (AfxdpXsk *xsk, gboolean polls)
{
  static const int budget = BUSY_POLL_BUDGET;
  /* Without waiting any time does, if it is not 0. */
  int on = polls ? 1 : 0;

  if (polls == xsk->busy_poll)
    return;
  /* Both need CAP_NET_ADMIN, and this one napi_defer_hard_irqs. */
  setsockopt (xsk->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof on);
  setsockopt (xsk->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget);
  xsk->busy_poll =
      !setsockopt (xsk->fd, SOL_SOCKET, SO_BUSY_POLL, &on, sizeof on) && polls;
}

guint
afxdp_xsk_napi_id (const AfxdpXsk *xsk)
{
  guint id = 0;
  socklen_t size = sizeof id;

  if (xsk->busy_poll)
    getsockopt (xsk->fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &size);
  return id;
}

void
afxdp_xsk_poll_driver (AfxdpXsk *xsk)
{
  if (xsk->busy_poll)
    recvfrom (xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

void
afxdp_xsk_wake_driver (AfxdpXsk *xsk)
{
  afxdp_xsk_queue_wake_driver (xsk->queue, FALSE);
}

guint32
afxdp_xsk_n_produced (const AfxdpXsk *xsk)
{
  return __atomic_load_n (xsk->rx.producer, __ATOMIC_ACQUIRE);
}

guint
afxdp_xsk_n_waiting (const AfxdpXsk *xsk)
{
  return afxdp_xsk_n_produced (xsk) - xsk->rx.cached_cons;
}

gboolean
afxdp_xsk_is_empty (const AfxdpXsk *xsk)
{
  return afxdp_xsk_n_produced (xsk) ==
      __atomic_load_n (xsk->rx.consumer, __ATOMIC_ACQUIRE);
}
