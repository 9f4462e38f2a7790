/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The AF_XDP sockets of one interface: its UMEM, and the queues that are open. */
#include "xskpool.h"

#include <linux/if_xdp.h>

#include "budget.h"
#include "error.h"
#include "fork.h"
#include "log.h"
#include "xskfd.h"
#include "xskqueue.h"

struct _AfxdpXskPool
{
  atomic_uint refs;
  AfxdpUmem *umem;
  int ifindex;
  gchar *interface;
  gboolean zero_copy;
  guint nic_ring;
  GArray *spare;    /* int: sockets that were made in advance */
  guint generation; /* see fork.h */
  guint fill_size;

  /* A socket that has the rings of an owner, and could not be bound: the next
   * queue gets it. At first it is the one that registered the UMEM. */
  AfxdpXskOwner unbound;
  int umem_fd; /* of that one, to share with; unbound or one of queues has it */

  guint n_queues;
  AfxdpXskQueue *queues;
};

int
afxdp_xsk_pool_take_socket (AfxdpXskPool *pool, GError **error)
{
  int fd;

  if (!pool->spare->len)
    return afxdp_xskfd_new (error);
  fd = g_array_index (pool->spare, int, pool->spare->len - 1);
  g_array_set_size (pool->spare, pool->spare->len - 1);
  return fd;
}

gboolean
afxdp_xsk_pool_keep_spare (AfxdpXskPool *pool, guint n, GError **error)
{
  while (pool->spare->len < n) {
    int fd = afxdp_xskfd_new (error);

    if (fd < 0)
      return FALSE;
    g_array_append_val (pool->spare, fd);
  }
  return TRUE;
}

static gboolean
create_fill_ring (AfxdpXskPool *pool, AfxdpXskOwner *owner, GError **error)
{
  return afxdp_xskfd_create_fill_ring (
      owner->fd, pool->fill_size, &owner->fill, &owner->mapping, error);
}

AfxdpXskPool *
afxdp_xsk_pool_new (AfxdpUmem *umem, int ifindex, const gchar *interface,
    guint n_queues, guint nic_ring, GError **error)
{
  AfxdpXskPool *pool = g_new0 (AfxdpXskPool, 1);

  atomic_init (&pool->refs, 1);
  pool->umem = afxdp_umem_ref (umem);
  pool->ifindex = ifindex;
  pool->interface = g_strdup (interface);
  pool->nic_ring =
      MIN (nic_ring, afxdp_umem_n_frames (umem) / AFXDP_NIC_RING_PART);
  pool->fill_size = 1;
  while (pool->fill_size < afxdp_umem_n_frames (umem))
    pool->fill_size *= 2;
  pool->n_queues = n_queues;
  pool->queues = g_aligned_alloc0 (n_queues, sizeof *pool->queues, 64);
  for (guint i = 0; i < n_queues; i++)
    afxdp_xsk_queue_init (&pool->queues[i], i, pool->interface, umem);
  pool->generation = afxdp_fork_generation ();
  pool->spare = g_array_new (FALSE, FALSE, sizeof (int));
  pool->unbound.fd = pool->umem_fd = afxdp_xskfd_new (error);
  /* The rings first: registering costs all of the memory. And here, where what
   * was refused is tried again with a new pool: the socket that registers the
   * UMEM cannot be replaced, nor a ring that it has be made again. */
  if (pool->umem_fd < 0 || !create_fill_ring (pool, &pool->unbound, error) ||
      !afxdp_xskfd_register_umem (pool->umem_fd, pool->interface, umem, error))
    goto release_pool;
  return pool;

release_pool:
  afxdp_xsk_pool_unref (pool);
  return NULL;
}

AfxdpXskPool *
afxdp_xsk_pool_ref (AfxdpXskPool *pool)
{
  atomic_fetch_add (&pool->refs, 1);
  return pool;
}

void
afxdp_xsk_pool_unref (AfxdpXskPool *pool)
{
  if (!pool || atomic_fetch_sub (&pool->refs, 1) != 1)
    return;
  afxdp_umem_set_refill (pool->umem, NULL, NULL);
  for (guint i = 0; i < pool->n_queues; i++)
    afxdp_xsk_queue_clear (&pool->queues[i]);
  afxdp_xsk_owner_close (&pool->unbound);
  for (guint i = 0; i < pool->spare->len; i++)
    afxdp_fork_close (g_array_index (pool->spare, int, i));
  afxdp_umem_unref (pool->umem);
  g_aligned_free (pool->queues);
  g_array_unref (pool->spare);
  g_free (pool->interface);
  g_free (pool);
}

static void
refill_all (gpointer data)
{
  AfxdpXskPool *pool = data;

  /* A child that frees the parent's buffers has not its rings. */
  if (pool->generation != afxdp_fork_generation ())
    return;
  /* Whichever queue is still short says so again. */
  afxdp_umem_set_hungry (pool->umem, FALSE);
  for (guint i = 0; i < pool->n_queues; i++)
    if (atomic_load (&pool->queues[i].open))
      afxdp_xsk_queue_refill_in_steps (&pool->queues[i]);
}

gboolean
afxdp_xsk_pool_bind (AfxdpXskPool *pool, int fd, guint queue, GError **error)
{
  return afxdp_xskfd_bind (fd, pool->ifindex, pool->interface, queue,
      XDP_SHARED_UMEM, pool->queues[queue].owner.fd, error);
}

/* why: of the mode, when the socket is bound. */
static guint
bind_flags (AfxdpZeroCopy zero_copy, gboolean generic, const gchar **why)
{
  *why = "what the driver offers";
  if (zero_copy == AFXDP_ZERO_COPY_REQUIRE) {
    *why = "zero-copy=require";
    return XDP_USE_NEED_WAKEUP | XDP_ZEROCOPY;
  }
  if (zero_copy == AFXDP_ZERO_COPY_NEVER || generic) {
    *why = generic ? "the program runs in generic mode" : "zero-copy=never";
    return XDP_USE_NEED_WAKEUP | XDP_COPY;
  }
  return XDP_USE_NEED_WAKEUP;
}

/* The first queue's owner is the socket that registered the UMEM; the others
 * share with it, and the kernel forces its mode on them. */
static gboolean
bind_owner (AfxdpXskPool *pool, AfxdpXskOwner *owner, guint queue, guint flags,
    GError **error)
{
  if (owner->fd != pool->umem_fd)
    return afxdp_xskfd_bind (owner->fd, pool->ifindex, pool->interface, queue,
        XDP_SHARED_UMEM, pool->umem_fd, error);
  if (!afxdp_xskfd_bind (
          owner->fd, pool->ifindex, pool->interface, queue, flags, 0, error))
    return FALSE;
  pool->zero_copy = afxdp_xskfd_is_zero_copy (owner->fd);
  return TRUE;
}

guint
afxdp_xsk_pool_nic_frames (const AfxdpXskPool *pool)
{
  return pool->zero_copy ? pool->nic_ring : 0;
}

gboolean
afxdp_xsk_pool_open_queue (AfxdpXskPool *pool, guint number, guint frames,
    AfxdpZeroCopy zero_copy, gboolean generic, __u64 *told, GError **error)
{
  AfxdpXskQueue *queue = &pool->queues[number];
  AfxdpXskOwner *owner = &pool->unbound;
  const gchar *why;
  guint flags = bind_flags (zero_copy, generic, &why);
  guint most = afxdp_umem_n_free (pool->umem) / AFXDP_FREE_PART;

  if (atomic_load (&queue->open))
    return TRUE;
  /* The last frames are for the queue that the next stream shows on. */
  if (most < MIN (frames, AFXDP_REFILL_STEP)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
        "No packet memory of %s is left for RX queue %u, since its other "
        "queues and buffers in use downstream have all of it; raise "
        "umem-frames",
        pool->interface, number);
    return FALSE;
  }
  /* That which registered the UMEM has its rings. */
  if (owner->fd < 0 &&
      (owner->fd = afxdp_xsk_pool_take_socket (pool, error)) < 0)
    return FALSE;
  if (!owner->mapping.memory && !create_fill_ring (pool, owner, error)) {
    afxdp_xsk_owner_close (owner);
    return FALSE;
  }
  /* Before the bind: zero-copy drivers fill their ring from it there. */
  afxdp_xsk_owner_fill (owner, pool->umem, MIN (frames, most));
  if (!bind_owner (pool, owner, number, flags, error)) {
    afxdp_xsk_owner_empty (owner, pool->umem);
    return FALSE;
  }
  queue->owner = *owner;
  *owner = (AfxdpXskOwner){ .fd = -1 };
  atomic_store (&queue->target, queue->owner.filled);
  queue->zero_copy = pool->zero_copy;
  queue->told = told;
  __atomic_store_n (told,
      queue->owner.filled -
          afxdp_budget_of_nic (
              afxdp_xsk_pool_nic_frames (pool), queue->owner.filled),
      __ATOMIC_RELEASE);
  atomic_store (&queue->open, TRUE);
  AFXDP_INFO (AFXDP_LOG_XDP, pool->interface,
      "RX queue %u is bound in %s mode (%s), with %u frames in its fill ring",
      number, pool->zero_copy ? "zero-copy" : "copy", why,
      (guint) queue->owner.filled);
  afxdp_umem_set_refill (pool->umem, refill_all, pool);
  return TRUE;
}

void
afxdp_xsk_pool_set_frames (AfxdpXskPool *pool, guint number, guint frames)
{
  AfxdpXskQueue *queue = &pool->queues[number];
  guint most = afxdp_xsk_queue_n_frames (queue) +
      afxdp_umem_n_free (pool->umem) / AFXDP_FREE_PART;

  /* What it has had it may have again, also when it is not inside just now. */
  most = MAX (most, atomic_load (&queue->target));
  atomic_store (&queue->target, MIN (MIN (frames, most), pool->fill_size));
  afxdp_xsk_queue_refill (queue, 1);
}

guint
afxdp_xsk_pool_queue_frames (AfxdpXskPool *pool, guint number)
{
  return afxdp_xsk_queue_n_frames (&pool->queues[number]);
}

gboolean
afxdp_xsk_pool_is_zero_copy (const AfxdpXskPool *pool)
{
  return pool->zero_copy;
}

void
afxdp_xsk_pool_wake_driver (AfxdpXskPool *pool)
{
  for (guint i = 0; pool->zero_copy && i < pool->n_queues; i++)
    if (atomic_load (&pool->queues[i].open))
      afxdp_xsk_queue_wake_driver (&pool->queues[i], FALSE);
}

guint
afxdp_xsk_pool_n_frames (AfxdpXskPool *pool)
{
  guint64 n = 0;

  for (guint i = 0; i < pool->n_queues; i++)
    if (atomic_load (&pool->queues[i].open))
      n += afxdp_xsk_queue_n_frames (&pool->queues[i]);
  return n;
}

AfxdpXskQueue *
afxdp_xsk_pool_queue (AfxdpXskPool *pool, guint number)
{
  return &pool->queues[number];
}
