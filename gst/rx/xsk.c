/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AF_XDP sockets: UMEM registration, rings, bind, fill, wake-up. */
#include "xsk.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "error.h"

/* Linux 5.11; the C library's headers may be older. */
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif
/* Packets that the kernel takes from the driver in one call, as an interrupt would
 * (NAPI_POLL_WEIGHT); 8 of its own accord. */
#define BUSY_POLL_BUDGET 64

/* No TX, but the kernel wants a completion ring beside every fill ring. */
#define COMPLETION_SIZE 16

/* The memory that the kernel shares for one ring. */
typedef struct
{
  gpointer memory;
  gsize size;
} RingMapping;

/* The socket that carries a queue's fill ring. */
typedef struct
{
  int fd;
  RingMapping mapping;
  struct xsk_ring_prod fill;
  _Atomic guint64 filled; /* frames ever put in */
} Owner;

typedef struct
{
  atomic_bool open;
  pthread_mutex_t lock; /* outside the UMEM's; protects owner's ring: it has
                           room for one producer only */
  Owner owner;
  __u64 *told;        /* what the program knows of filled: never too much */
  atomic_uint target; /* frames that it should have */
  _Alignas(64) _Atomic guint64 arrived; /* frames out of the RX rings */
} Queue;

struct _AfxdpXskPool
{
  atomic_uint refs;
  AfxdpUmem *umem;
  int ifindex;
  gchar *interface;
  gboolean zero_copy;
  GArray *spare; /* int: sockets that were made in advance */
  guint fill_size;

  /* A socket that has the rings of an owner, and could not be bound: the next
   * queue gets it. At first it is the one that registered the UMEM. */
  Owner unbound;
  int umem_fd; /* of that one, to share with; unbound or one of queues has it */

  guint n_queues;
  Queue *queues;
};

struct _AfxdpXsk
{
  atomic_uint refs;
  AfxdpXskPool *pool;
  int fd;
  guint queue;
  struct xsk_ring_cons rx;
  RingMapping mapping;
  guint64 full, dropped; /* of what the kernel counted, this is explained */
  gboolean busy_poll;
};

static int
create_socket (GError **error)
{
  int fd = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

  if (fd >= 0)
    return fd;
  if (errno == EPERM || errno == EACCES)
    afxdp_error_set (error, errno,
        "Could not create an AF_XDP socket: CAP_NET_RAW is %s",
        afxdp_has_capability (CAP_NET_RAW)
            ? "there, but in a user namespace, or a security policy forbids it"
            : "missing");
  else if (errno == EAFNOSUPPORT)
    afxdp_error_set (error, errno,
        "Could not create an AF_XDP socket: this kernel is built without "
        "CONFIG_XDP_SOCKETS");
  else
    afxdp_error_set (error, errno, "Could not create an AF_XDP socket");
  return -1;
}

static int
take_socket (AfxdpXskPool *pool, GError **error)
{
  int fd;

  if (!pool->spare->len)
    return create_socket (error);
  fd = g_array_index (pool->spare, int, pool->spare->len - 1);
  g_array_set_size (pool->spare, pool->spare->len - 1);
  return fd;
}

gboolean
afxdp_xsk_pool_keep_spare (AfxdpXskPool *pool, guint n, GError **error)
{
  while (pool->spare->len < n) {
    int fd = create_socket (error);

    if (fd < 0)
      return FALSE;
    g_array_append_val (pool->spare, fd);
  }
  return TRUE;
}

static gboolean
register_umem (AfxdpXskPool *pool, GError **error)
{
  struct xdp_umem_reg registration;
  struct rlimit limit = { 0 };
  gsize size = afxdp_umem_size (pool->umem);

  memset (&registration, 0, sizeof registration);
  /* All of it is resident from here on; in huge pages it takes few entries of the
   * TLB, which many streams make much use of. */
  madvise (afxdp_umem_area (pool->umem), size, MADV_HUGEPAGE);
  registration.addr = (guintptr) afxdp_umem_area (pool->umem);
  registration.len = size;
  registration.chunk_size = afxdp_umem_frame_size (pool->umem);
  if (!setsockopt (pool->umem_fd, SOL_XDP, XDP_UMEM_REG, &registration,
          sizeof registration))
    return TRUE;
  if (errno != ENOBUFS)
    return afxdp_error_set (error, errno,
        "Could not register %" G_GSIZE_FORMAT " bytes of packet memory", size);
  getrlimit (RLIMIT_MEMLOCK, &limit);
  return afxdp_error_set (error, errno,
      "Could not register %" G_GSIZE_FORMAT " bytes of packet memory: "
      "RLIMIT_MEMLOCK is %" G_GUINT64_FORMAT " bytes and CAP_IPC_LOCK is "
      "missing; raise the limit, or lower umem-frames",
      size, (guint64) limit.rlim_cur);
}

AfxdpXskPool *
afxdp_xsk_pool_new (AfxdpUmem *umem, int ifindex, const gchar *interface,
    guint n_queues, GError **error)
{
  AfxdpXskPool *pool = g_new0 (AfxdpXskPool, 1);

  atomic_init (&pool->refs, 1);
  pool->umem = afxdp_umem_ref (umem);
  pool->ifindex = ifindex;
  pool->interface = g_strdup (interface);
  pool->fill_size = 1;
  while (pool->fill_size < afxdp_umem_n_frames (umem))
    pool->fill_size *= 2;
  pool->n_queues = n_queues;
  pool->queues = g_aligned_alloc0 (n_queues, sizeof *pool->queues, 64);
  for (guint i = 0; i < n_queues; i++) {
    pool->queues[i].owner.fd = -1;
    pthread_mutex_init (&pool->queues[i].lock, NULL);
  }
  pool->spare = g_array_new (FALSE, FALSE, sizeof (int));
  pool->unbound.fd = pool->umem_fd = create_socket (error);
  if (pool->umem_fd < 0 || !register_umem (pool, error))
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

static void
unmap_ring (RingMapping *mapping)
{
  if (mapping->memory)
    munmap (mapping->memory, mapping->size);
  mapping->memory = NULL;
}

/* The mapping holds the socket's file: unmap before closing. */
static void
close_owner (Owner *owner)
{
  unmap_ring (&owner->mapping);
  if (owner->fd >= 0)
    close (owner->fd);
  owner->fd = -1;
}

void
afxdp_xsk_pool_unref (AfxdpXskPool *pool)
{
  if (!pool || atomic_fetch_sub (&pool->refs, 1) != 1)
    return;
  afxdp_umem_set_refill (pool->umem, NULL, NULL);
  for (guint i = 0; i < pool->n_queues; i++) {
    close_owner (&pool->queues[i].owner);
    pthread_mutex_destroy (&pool->queues[i].lock);
  }
  close_owner (&pool->unbound);
  for (guint i = 0; i < pool->spare->len; i++)
    close (g_array_index (pool->spare, int, i));
  afxdp_umem_unref (pool->umem);
  g_aligned_free (pool->queues);
  g_array_unref (pool->spare);
  g_free (pool->interface);
  g_free (pool);
}

static gboolean
set_ring_size (int fd, int option, guint size, GError **error)
{
  if (!setsockopt (fd, SOL_XDP, option, &size, sizeof size))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not create an AF_XDP ring of %u entries", size);
}

static gpointer
map_ring (int fd, guint64 page_offset, const struct xdp_ring_offset *offset,
    gsize entries_size, RingMapping *mapping, GError **error)
{
  gpointer memory = mmap (NULL, offset->desc + entries_size,
      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page_offset);

  if (memory == MAP_FAILED) {
    afxdp_error_set (error, errno, "Could not map an AF_XDP ring");
    return NULL;
  }
  mapping->memory = memory;
  mapping->size = offset->desc + entries_size;
  return memory;
}

static gboolean
ring_offsets (int fd, struct xdp_mmap_offsets *offsets, GError **error)
{
  socklen_t size = sizeof *offsets;

  if (!getsockopt (fd, SOL_XDP, XDP_MMAP_OFFSETS, offsets, &size))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not get the layout of the AF_XDP rings");
}

static gboolean
create_fill_ring (AfxdpXskPool *pool, Owner *owner, GError **error)
{
  struct xdp_mmap_offsets offsets;
  guint8 *memory;

  if (!set_ring_size (owner->fd, XDP_UMEM_FILL_RING, pool->fill_size, error) ||
      !set_ring_size (
          owner->fd, XDP_UMEM_COMPLETION_RING, COMPLETION_SIZE, error) ||
      !set_ring_size (owner->fd, XDP_RX_RING, 1, error) ||
      !ring_offsets (owner->fd, &offsets, error))
    return FALSE;
  memory = map_ring (owner->fd, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
      pool->fill_size * sizeof (guint64), &owner->mapping, error);
  if (!memory)
    return FALSE;
  owner->fill = (struct xsk_ring_prod){
    .mask = pool->fill_size - 1,
    .size = pool->fill_size,
    .producer = (guint32 *) (memory + offsets.fr.producer),
    .consumer = (guint32 *) (memory + offsets.fr.consumer),
    .flags = (guint32 *) (memory + offsets.fr.flags),
    .ring = memory + offsets.fr.desc,
    .cached_cons = pool->fill_size,
  };
  return TRUE;
}

/* Fewer than this are not worth a refill. */
static guint
refill_step (guint target)
{
  return MAX (1, MIN (AFXDP_XSK_REFILL_STEP, target / 4));
}

/* Frames in the fill ring, in the driver and in the RX rings. Any thread. */
static guint
n_inside (const Queue *queue)
{
  guint64 arrived =
      atomic_load_explicit (&queue->arrived, memory_order_relaxed);

  return atomic_load_explicit (&queue->owner.filled, memory_order_relaxed) -
      arrived;
}

static guint
shortage (const Queue *queue, guint target)
{
  guint inside = n_inside (queue);

  return inside < target ? target - inside : 0;
}

/* Puts n frames into the fill ring, which has room for all there are. Called by
 * one thread at a time. Returns how many: the free list may be shorter. */
static guint
fill (AfxdpXskPool *pool, Owner *owner, guint n)
{
  guint shift = g_bit_nth_lsf (afxdp_umem_frame_size (pool->umem), -1);
  guint32 frames[AFXDP_XSK_REFILL_STEP];
  guint done = 0;

  while (done < n) {
    guint want = MIN (n - done, AFXDP_XSK_REFILL_STEP);
    guint got = afxdp_umem_take (pool->umem, frames, want, TRUE);
    guint32 at = 0;

    if (got && !xsk_ring_prod__reserve (&owner->fill, got, &at))
      g_assert_not_reached ();
    for (guint i = 0; i < got; i++)
      *xsk_ring_prod__fill_addr (&owner->fill, at + i) = (guint64) frames[i]
          << shift;
    owner->filled += got; /* before they can arrive */
    if (got)
      xsk_ring_prod__submit (&owner->fill, got);
    done += got;
    if (got < want)
      break;
  }
  return done;
}

/* Replaces frames that arrived, when at least step of them are missing. Any
 * thread. */
static void
refill (AfxdpXskPool *pool, Queue *queue, guint step)
{
  guint target = atomic_load_explicit (&queue->target, memory_order_relaxed);
  guint missing, n;

  /* Again: who came while we had the lock went away without. */
  while (shortage (queue, target) >= step &&
      !pthread_mutex_trylock (&queue->lock)) {
    missing = shortage (queue, target);
    n = fill (pool, &queue->owner, missing);
    __atomic_fetch_add (queue->told, n, __ATOMIC_RELEASE);
    pthread_mutex_unlock (&queue->lock);
    if (pool->zero_copy && xsk_ring_prod__needs_wakeup (&queue->owner.fill))
      recvfrom (queue->owner.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
    if (n < missing) {
      afxdp_umem_set_hungry (pool->umem, TRUE);
      return;
    }
  }
}

/* The same, when it pays. */
static void
refill_in_steps (AfxdpXskPool *pool, Queue *queue)
{
  refill (pool, queue,
      refill_step (
          atomic_load_explicit (&queue->target, memory_order_relaxed)));
}

static void
refill_all (gpointer data)
{
  AfxdpXskPool *pool = data;

  /* Whichever queue is still short says so again. */
  afxdp_umem_set_hungry (pool->umem, FALSE);
  for (guint i = 0; i < pool->n_queues; i++)
    if (atomic_load (&pool->queues[i].open))
      refill_in_steps (pool, &pool->queues[i]);
}

static gboolean
bind_socket (AfxdpXskPool *pool, int fd, guint queue, guint flags,
    int shared_with, GError **error)
{
  struct sockaddr_xdp address = {
    .sxdp_family = AF_XDP,
    .sxdp_flags = flags,
    .sxdp_ifindex = pool->ifindex,
    .sxdp_queue_id = queue,
    .sxdp_shared_umem_fd = shared_with,
  };

  if (!bind (fd, (struct sockaddr *) &address, sizeof address))
    return TRUE;
  if (errno == EBUSY) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "RX queue %u of %s belongs to an AF_XDP socket of another process",
        queue, pool->interface);
    return FALSE;
  }
  if (flags & XDP_ZEROCOPY) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The driver of %s refuses zero-copy on RX queue %u: %s",
        pool->interface, queue, g_strerror (errno));
    return FALSE;
  }
  return afxdp_error_set (error, errno,
      "Could not bind an AF_XDP socket to RX queue %u of %s", queue,
      pool->interface);
}

static guint
bind_flags (AfxdpZeroCopy zero_copy, gboolean generic)
{
  if (zero_copy == AFXDP_ZERO_COPY_REQUIRE)
    return XDP_USE_NEED_WAKEUP | XDP_ZEROCOPY;
  if (zero_copy == AFXDP_ZERO_COPY_NEVER || generic)
    return XDP_USE_NEED_WAKEUP | XDP_COPY;
  return XDP_USE_NEED_WAKEUP;
}

static gboolean
has_zero_copy (int fd)
{
  struct xdp_options options = { 0 };
  socklen_t size = sizeof options;

  return !getsockopt (fd, SOL_XDP, XDP_OPTIONS, &options, &size) &&
      options.flags & XDP_OPTIONS_ZEROCOPY;
}

/* The first queue's owner is the socket that registered the UMEM; the others
 * share with it, and the kernel forces its mode on them. */
static gboolean
bind_owner (
    AfxdpXskPool *pool, Owner *owner, guint queue, guint flags, GError **error)
{
  if (owner->fd != pool->umem_fd)
    return bind_socket (
        pool, owner->fd, queue, XDP_SHARED_UMEM, pool->umem_fd, error);
  if (!bind_socket (pool, owner->fd, queue, flags, 0, error))
    return FALSE;
  pool->zero_copy = has_zero_copy (owner->fd);
  return TRUE;
}

/* Takes the frames of an owner that could not be bound back out of its fill
 * ring, which the kernel never looked into. */
static void
empty_owner (AfxdpXskPool *pool, Owner *owner)
{
  for (guint64 i = 0; i < owner->filled; i++) {
    guint32 frame = afxdp_umem_frame_at (
        pool->umem, *xsk_ring_prod__fill_addr (&owner->fill, i));

    afxdp_umem_reclaim (pool->umem, &frame, 1);
  }
  owner->filled = 0;
  owner->fill.cached_prod = 0;
  __atomic_store_n (owner->fill.producer, 0, __ATOMIC_RELAXED);
}

gboolean
afxdp_xsk_pool_open_queue (AfxdpXskPool *pool, guint number, guint frames,
    AfxdpZeroCopy zero_copy, gboolean generic, __u64 *told, GError **error)
{
  Queue *queue = &pool->queues[number];
  Owner *owner = &pool->unbound;
  guint n_free = afxdp_umem_n_free (pool->umem);

  if (atomic_load (&queue->open))
    return TRUE;
  /* The last frames are for the queue that the next stream shows on. */
  if (n_free / 2 < MIN (frames, AFXDP_XSK_REFILL_STEP)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
        "The frames of %s are used up by its other RX queues and by the "
        "applications: none are left for queue %u; raise umem-frames",
        pool->interface, number);
    return FALSE;
  }
  if (owner->fd < 0 && (owner->fd = take_socket (pool, error)) < 0)
    return FALSE;
  if (!owner->mapping.memory && !create_fill_ring (pool, owner, error)) {
    close_owner (owner);
    return FALSE;
  }
  /* Before the bind: zero-copy drivers fill their ring from it there. */
  fill (pool, owner, MIN (frames, n_free / 2));
  if (!bind_owner (
          pool, owner, number, bind_flags (zero_copy, generic), error)) {
    empty_owner (pool, owner);
    return FALSE;
  }
  queue->owner = *owner;
  *owner = (Owner){ .fd = -1 };
  atomic_store (&queue->target, queue->owner.filled);
  queue->told = told;
  __atomic_store_n (told, queue->owner.filled, __ATOMIC_RELEASE);
  atomic_store (&queue->open, TRUE);
  afxdp_umem_set_refill (pool->umem, refill_all, pool);
  return TRUE;
}

void
afxdp_xsk_pool_set_frames (AfxdpXskPool *pool, guint number, guint frames)
{
  Queue *queue = &pool->queues[number];
  guint most = n_inside (queue) + afxdp_umem_n_free (pool->umem) / 2;

  /* What it has had it may have again, also when it is not inside just now. */
  most = MAX (most, atomic_load (&queue->target));
  atomic_store (&queue->target, MIN (MIN (frames, most), pool->fill_size));
  refill (pool, queue, 1);
}

guint
afxdp_xsk_pool_queue_frames (AfxdpXskPool *pool, guint number)
{
  return n_inside (&pool->queues[number]);
}

gboolean
afxdp_xsk_pool_is_zero_copy (const AfxdpXskPool *pool)
{
  return pool->zero_copy;
}

guint
afxdp_xsk_pool_n_frames (AfxdpXskPool *pool)
{
  guint64 n = 0;

  for (guint i = 0; i < pool->n_queues; i++)
    if (atomic_load (&pool->queues[i].open))
      n += n_inside (&pool->queues[i]);
  return n;
}

static gboolean
create_rx_ring (AfxdpXsk *xsk, guint size, GError **error)
{
  struct xdp_mmap_offsets offsets;
  guint8 *memory;

  if (!set_ring_size (xsk->fd, XDP_RX_RING, size, error) ||
      !ring_offsets (xsk->fd, &offsets, error))
    return FALSE;
  memory = map_ring (xsk->fd, XDP_PGOFF_RX_RING, &offsets.rx,
      size * sizeof (struct xdp_desc), &xsk->mapping, error);
  if (!memory)
    return FALSE;
  xsk->rx = (struct xsk_ring_cons){
    .mask = size - 1,
    .size = size,
    .producer = (guint32 *) (memory + offsets.rx.producer),
    .consumer = (guint32 *) (memory + offsets.rx.consumer),
    .flags = (guint32 *) (memory + offsets.rx.flags),
    .ring = memory + offsets.rx.desc,
  };
  return TRUE;
}

AfxdpXsk *
afxdp_xsk_new (AfxdpXskPool *pool, guint queue, guint ring_size, GError **error)
{
  AfxdpXsk *xsk = g_new0 (AfxdpXsk, 1);

  atomic_init (&xsk->refs, 1);
  xsk->pool = afxdp_xsk_pool_ref (pool);
  xsk->queue = queue;
  xsk->fd = take_socket (pool, error);
  /* A share of the same queue: no other flag, the owner's hold. */
  if (xsk->fd < 0 || !create_rx_ring (xsk, ring_size, error) ||
      !bind_socket (pool, xsk->fd, queue, XDP_SHARED_UMEM,
          pool->queues[queue].owner.fd, error)) {
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
  unmap_ring (&xsk->mapping);
  if (xsk->fd >= 0)
    close (xsk->fd);
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
  return xsk->queue;
}

guint
afxdp_xsk_ring_size (const AfxdpXsk *xsk)
{
  return xsk->rx.size;
}

guint
afxdp_xsk_receive (AfxdpXsk *xsk, AfxdpXskPacket *packets, guint n)
{
  AfxdpXskPool *pool = xsk->pool;
  Queue *queue = &pool->queues[xsk->queue];
  AfxdpUmem *umem = pool->umem;
  guint8 *area = afxdp_umem_area (umem);
  guint32 at = 0;

  n = xsk_ring_cons__peek (&xsk->rx, n, &at);
  if (!n) {
    /* Frames that were copied or dropped have come home since. */
    refill_in_steps (pool, queue);
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
  atomic_fetch_add_explicit (&queue->arrived, n, memory_order_relaxed);
  refill_in_steps (pool, queue);
  return n;
}

void
afxdp_xsk_took_no_frame (AfxdpXsk *xsk, gint64 n)
{
  if (n)
    __atomic_fetch_add (
        xsk->pool->queues[xsk->queue].told, (guint64) n, __ATOMIC_RELAXED);
}

/* What the kernel counted and nobody explained. In copy mode it looks for a frame
 * first, so that no packet is in both (Linux 6.18, xsk_rcv()). */
static void
read_unexplained (const AfxdpXsk *xsk, guint64 *full, guint64 *dropped)
{
  struct xdp_statistics statistics = { 0 };
  socklen_t size = sizeof statistics;

  getsockopt (xsk->fd, SOL_XDP, XDP_STATISTICS, &statistics, &size);
  *full = statistics.rx_ring_full - MIN (statistics.rx_ring_full, xsk->full);
  *dropped = statistics.rx_dropped - MIN (statistics.rx_dropped, xsk->dropped);
}

void
afxdp_xsk_explain_loss (AfxdpXsk *xsk, guint64 n, AfxdpXskLoss *loss)
{
  guint64 full, dropped;

  read_unexplained (xsk, &full, &dropped);
  loss->rx_ring = MIN (n, full);
  loss->fill_ring = MIN (n - loss->rx_ring, dropped);
  loss->redirect = n - loss->rx_ring - loss->fill_ring;
  xsk->full += loss->rx_ring;
  xsk->dropped += loss->fill_ring;
}

guint64
afxdp_xsk_find_loss (AfxdpXsk *xsk, AfxdpXskLoss *loss)
{
  read_unexplained (xsk, &loss->rx_ring, &loss->fill_ring);
  loss->redirect = 0;
  xsk->full += loss->rx_ring;
  xsk->dropped += loss->fill_ring;
  return loss->rx_ring + loss->fill_ring;
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

guint
afxdp_xsk_n_waiting (const AfxdpXsk *xsk)
{
  guint32 produced = __atomic_load_n (xsk->rx.producer, __ATOMIC_ACQUIRE);

  return produced - xsk->rx.cached_cons;
}
