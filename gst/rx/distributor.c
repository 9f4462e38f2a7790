/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One per interface and process: program, queues, UMEM, credits. */
#include "distributor.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define NEVER G_MAXUINT64

/* How often the link is looked at: always, and when somebody has doubts. */
#define CHECK_INTERVAL (1000 * MS)
#define SUSPECT_INTERVAL (20 * MS)
/* Between two attempts: somebody may have done on purpose what we undo. */
#define FIRST_BACKOFF (1000 * MS)
#define LAST_BACKOFF (30000 * MS)
/* The kernel releases a queue some time after its socket was closed. */
#define BUSY_INTERVAL (50 * MS)
#define BUSY_ATTEMPTS 20
/* Streams close their doors in the meantime, before the program changes. */
#define SWAP_DELAY (50 * MS)

#define DEFAULT_FRAMES 32768
/* Sockets made in advance for as many queues, while we have the privilege. */
#define SPARE_QUEUES 4

typedef struct
{
  gint refs; /* registry_lock */
  guint64 key;
  AfxdpNetdev netdev;
  int wake; /* eventfd */
  int monitor;
  pthread_t thread;

  /* Inside registry_lock, outside the locks of xsk and umem. Protects
   * requests, memberships, what is published to subscriptions, and the
   * pointers to umem and pool. Never held in a call that may wait for RTNL:
   * streaming threads take it. */
  pthread_mutex_t lock;
  pthread_cond_t published; /* something was, or a request was served */
  GPtrArray *requests;      /* subscriptions that are JOINING or LEAVING */
  gboolean quit;
  AfxdpUmem *umem;
  AfxdpXskPool *pool;

  /* The control thread's own. */
  GPtrArray *subscriptions;
  AfxdpSubscriptionSettings interface_settings; /* the first stream's */
  AfxdpXdpProg *prog;
  gboolean attached;
  gboolean generic;
  gboolean swap_metadata;
  GError *error; /* why it is not attached */
  guint64 retry_at, backoff;
  guint64 check_at, attached_at;
  guint8 slot_used[AFXDP_SLOTS];
  GPtrArray *idle; /* AfxdpXsk, bound but in no map: closing costs a grace
                      period, and using one again nothing */
} Distributor;

typedef enum
{
  JOINING,
  JOINED,
  LEAVING,
  LEFT,
} Membership;

struct _AfxdpSubscription
{
  Distributor *distributor;
  AfxdpSubscriptionSettings settings;
  struct afxdp_flow_key key;
  int wake;

  Membership membership; /* the distributor's lock */
  guint drained;         /* packets left in the rings; the same */
  atomic_uint version;
  AfxdpFastDoor door; /* what is published; the distributor's lock */

  atomic_uint grace_wanted, grace_over;
  atomic_bool suspect;

  /* The control thread's own. */
  gint slot; /* -1: none */
  gboolean conflict;
  GError *error; /* why there is no ring */
  guint64 bind_at;
  guint bind_attempts;
  guint64 passed[AFXDP_STREAM_QUEUES]; /* when the stream joined */
};

/* Outermost. Protects the table of distributors and their counts; held while
 * one is torn down, since the next one of the interface would find its program
 * still attached. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *registry;

static guint64
now_ns (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * (1000 * MS) + time.tv_nsec;
}

static void
ring_bell (int fd)
{
  guint64 one = 1;

  if (write (fd, &one, sizeof one) < 0)
    g_assert (errno == EAGAIN); /* full of bells already */
}

static void
wait_for_grace_period (void)
{
  /* On nohz_full kernels there is no such call; there 100 ms are many polls. */
  if (syscall (SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
    g_usleep (100000);
}

/* The snapshot. */

static void
copy_door (AfxdpFastDoor *to, const AfxdpFastDoor *from)
{
  *to = *from;
  to->error = from->error ? g_error_copy (from->error) : NULL;
  if (to->umem)
    afxdp_umem_ref (to->umem);
  for (guint i = 0; i < to->n_rings; i++)
    afxdp_xsk_ref (to->rings[i].xsk);
}

void
afxdp_fast_door_clear (AfxdpFastDoor *door)
{
  g_clear_error (&door->error);
  g_clear_pointer (&door->umem, afxdp_umem_unref);
  while (door->n_rings)
    afxdp_xsk_unref (door->rings[--door->n_rings].xsk);
}

static void
describe (Distributor *distributor, AfxdpSubscription *subscription,
    AfxdpFastDoor *door)
{
  const gchar *interface = distributor->netdev.name;

  g_clear_error (&door->error);
  door->state = AFXDP_FAST_DOOR_FAILED;
  if (subscription->error) {
    door->error = g_error_copy (subscription->error);
  } else if (subscription->conflict) {
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "Another afxdpsrc of this process receives the same address and port; "
        "both receive it through their sockets while that is so");
  } else if (!distributor->attached) {
    door->error = g_error_copy (distributor->error);
  } else if (distributor->swap_metadata) {
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The driver of %s has no room for XDP metadata; going over to the "
        "program without it",
        interface);
  } else if (!door->n_rings) {
    door->state = AFXDP_FAST_DOOR_WAITING;
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "Waiting for the stream to show on an RX queue of %s", interface);
  } else {
    door->state = AFXDP_FAST_DOOR_READY;
  }
  if (distributor->attached) {
    door->xdp_mode = afxdp_xdpprog_mode (distributor->prog);
    door->metadata = afxdp_xdpprog_has_metadata (distributor->prog);
    door->zero_copy = afxdp_xsk_pool_is_zero_copy (distributor->pool);
  }
}

static void
publish (Distributor *distributor)
{
  pthread_mutex_lock (&distributor->lock);
  for (guint i = 0; i < distributor->subscriptions->len; i++) {
    AfxdpSubscription *subscription = distributor->subscriptions->pdata[i];

    describe (distributor, subscription, &subscription->door);
    if (subscription->membership == JOINING)
      subscription->membership = JOINED;
    atomic_fetch_add (&subscription->version, 1);
    ring_bell (subscription->wake);
  }
  pthread_cond_broadcast (&distributor->published);
  pthread_mutex_unlock (&distributor->lock);
}

/* Frames: fill rings get half of them, the streams divide the other half. Each
 * may have that many in its RX rings (credit), and as many downstream (share):
 * the half in the fill rings is what fills the RX rings. */
static void
divide_frames (Distributor *distributor)
{
  guint n = 0, share;

  if (!distributor->umem)
    return;
  for (guint i = 0; i < distributor->subscriptions->len; i++) {
    AfxdpSubscription *subscription = distributor->subscriptions->pdata[i];

    n += subscription->slot >= 0;
  }
  share = MAX (1, afxdp_umem_n_frames (distributor->umem) / 2 / MAX (1, n));

  pthread_mutex_lock (&distributor->lock);
  for (guint i = 0; i < distributor->subscriptions->len; i++) {
    AfxdpSubscription *subscription = distributor->subscriptions->pdata[i];
    AfxdpFastDoor *door = &subscription->door;
    guint credit = MAX (1, share / MAX (1, door->n_rings));

    door->share = share;
    for (guint j = 0; j < door->n_rings; j++)
      __atomic_store_n (&door->rings[j].words->credit,
          MIN (credit, subscription->settings.ring_size), __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock (&distributor->lock);
}

/* The engine: program, UMEM and pool. Made once, kept until the end. */

static gboolean
check_kind (const AfxdpNetdev *netdev, GError **error)
{
  static const struct
  {
    const gchar *kind, *why;
  } refused[] = {
    { "bond", "a bond: its members receive, with programs of their own" },
    { "team", "a team: its members receive, with programs of their own" },
    { "vlan", "a VLAN interface: its packets are tagged when XDP sees them" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_equal (netdev->kind, refused[i].kind)) {
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED, "%s is %s",
          netdev->name, refused[i].why);
      return FALSE;
    }
  if (netdev->loopback) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "%s is the loopback interface, whose packets XDP sees too late",
        netdev->name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_engine (Distributor *distributor, GError **error)
{
  const AfxdpSubscriptionSettings *settings = &distributor->interface_settings;
  const AfxdpNetdev *netdev = &distributor->netdev;
  /* Room for an Ethernet header with a tag, and a checksum behind. */
  guint frame_size = netdev->mtu + 22 > 2048 - AFXDP_HEADROOM ? 4096 : 2048;
  guint n_frames = settings->umem_frames
      ? settings->umem_frames
      : MAX (2 * settings->ring_size, DEFAULT_FRAMES);
  g_autoptr (AfxdpUmem) umem = NULL;
  g_autoptr (AfxdpXskPool) pool = NULL;
  g_autoptr (AfxdpXdpProg) prog = NULL;

  umem = afxdp_umem_new (n_frames, frame_size, error);
  if (!umem)
    return FALSE;
  pool = afxdp_xsk_pool_new (umem, netdev->index, netdev->name,
      netdev->rx_queues, 2 * MIN (netdev->rx_queues, SPARE_QUEUES), error);
  if (!pool)
    return FALSE;
  prog =
      afxdp_xdpprog_new (netdev->rx_queues, frame_size - AFXDP_HEADROOM, error);
  if (!prog)
    return FALSE;
  /* A test of the first-class path for drivers that have no metadata. */
  if (g_getenv ("AFXDP_TEST_WITHOUT_METADATA"))
    afxdp_xdpprog_drop_metadata (prog, NULL);

  distributor->prog = g_steal_pointer (&prog);
  pthread_mutex_lock (&distributor->lock);
  distributor->umem = g_steal_pointer (&umem);
  distributor->pool = g_steal_pointer (&pool);
  pthread_mutex_unlock (&distributor->lock);
  return TRUE;
}

/* Whether what error names can end without anybody starting anew. */
static gboolean
may_heal (const GError *error)
{
  return !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION) &&
      !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED) &&
      !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS);
}

/* Takes error: why the program is not attached. */
static void
fail (Distributor *distributor, GError *error)
{
  g_clear_error (&distributor->error);
  distributor->error = error;
  distributor->attached = FALSE;
  if (!may_heal (error)) {
    distributor->retry_at = NEVER;
    return;
  }
  distributor->retry_at = now_ns () + distributor->backoff;
  distributor->backoff = MIN (2 * distributor->backoff, LAST_BACKOFF);
}

static void
attach (Distributor *distributor)
{
  const AfxdpSubscriptionSettings *settings = &distributor->interface_settings;
  GError *error = NULL;

  if (!check_kind (&distributor->netdev, &error) ||
      (!distributor->prog && !load_engine (distributor, &error))) {
    fail (distributor, error);
    return;
  }
  afxdp_xdpprog_set_mac (distributor->prog, distributor->netdev.mac);
  if (!afxdp_xdpprog_attach (distributor->prog, distributor->netdev.index,
          distributor->netdev.name, settings->xdp_mode, &error)) {
    fail (distributor, error);
    return;
  }
  g_clear_error (&distributor->error);
  distributor->attached = TRUE;
  distributor->attached_at = now_ns ();
  distributor->check_at = distributor->attached_at + CHECK_INTERVAL;
  distributor->generic =
      afxdp_xdpprog_mode (distributor->prog) == AFXDP_XDP_MODE_GENERIC;
}

/* Streams on queues. */

static AfxdpXsk *
find_idle (Distributor *distributor, guint queue, guint ring_size)
{
  for (guint i = 0; i < distributor->idle->len; i++) {
    AfxdpXsk *xsk = distributor->idle->pdata[i];

    if (afxdp_xsk_queue (xsk) == queue &&
        afxdp_xsk_ring_size (xsk) == ring_size)
      return g_ptr_array_steal_index_fast (distributor->idle, i);
  }
  return NULL;
}

static gboolean
add_ring (Distributor *distributor, AfxdpSubscription *subscription,
    guint queue, GError **error)
{
  const AfxdpSubscriptionSettings *settings = &subscription->settings;
  AfxdpFastDoor *door = &subscription->door;
  struct afxdp_slot *words =
      afxdp_xdpprog_slot (distributor->prog, subscription->slot, queue);
  AfxdpXsk *xsk;

  if (!afxdp_xsk_pool_open_queue (distributor->pool, queue,
          distributor->interface_settings.zero_copy, distributor->generic,
          error))
    return FALSE;
  xsk = find_idle (distributor, queue, settings->ring_size);
  if (!xsk)
    xsk = afxdp_xsk_new (distributor->pool, queue, settings->ring_size, error);
  if (!xsk)
    return FALSE;
  /* A slot's counters go on from its last stream. */
  __atomic_store_n (&words->released,
      __atomic_load_n (&words->redirected, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
  if (!afxdp_xdpprog_set_socket (distributor->prog, subscription->slot, queue,
          afxdp_xsk_fd (xsk), error)) {
    g_ptr_array_add (distributor->idle, xsk);
    return FALSE;
  }
  pthread_mutex_lock (&distributor->lock);
  door->rings[door->n_rings++] =
      (AfxdpRing){ .queue = queue, .xsk = xsk, .words = words };
  pthread_mutex_unlock (&distributor->lock);
  return TRUE;
}

static gboolean
has_ring (AfxdpSubscription *subscription, guint queue)
{
  for (guint i = 0; i < subscription->door.n_rings; i++)
    if (subscription->door.rings[i].queue == queue)
      return TRUE;
  return FALSE;
}

/* Queues that streams can be received on. */
static guint
n_queues (Distributor *distributor)
{
  return MIN (distributor->netdev.rx_queues, AFXDP_STREAM_QUEUES);
}

static guint64
n_passed (Distributor *distributor, guint slot, guint queue)
{
  return __atomic_load_n (
      &afxdp_xdpprog_slot (distributor->prog, slot, queue)->passed,
      __ATOMIC_RELAXED);
}

/* Whether the stream should be received on queue: it is asked for, or the only
 * one in use, or the program has seen the flow there. */
static gboolean
shows_on (
    Distributor *distributor, AfxdpSubscription *subscription, guint queue)
{
  if (subscription->settings.queue >= 0)
    return queue == (guint) subscription->settings.queue;
  return (queue == 0 && distributor->netdev.rx_active == 1) ||
      n_passed (distributor, subscription->slot, queue) !=
      subscription->passed[queue];
}

/* Returns whether anything changed. */
static gboolean
bind_where_it_shows (Distributor *distributor, AfxdpSubscription *subscription)
{
  GError *error = NULL;
  gboolean changed = FALSE;

  if (!distributor->prog || subscription->slot < 0 ||
      now_ns () < subscription->bind_at)
    return FALSE;
  for (guint queue = 0; queue < n_queues (distributor) && !error; queue++) {
    if (has_ring (subscription, queue) ||
        !shows_on (distributor, subscription, queue))
      continue;
    changed = TRUE;
    add_ring (distributor, subscription, queue, &error);
  }
  if (!error) {
    if (changed)
      g_clear_error (&subscription->error);
    return changed;
  }
  /* Busy for a second is the kernel's doing; after that, somebody else's. */
  if (!may_heal (error))
    subscription->bind_at = NEVER;
  else if (subscription->bind_attempts++ < BUSY_ATTEMPTS &&
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY))
    subscription->bind_at = now_ns () + BUSY_INTERVAL;
  else
    subscription->bind_at = now_ns () + FIRST_BACKOFF;
  g_clear_error (&subscription->error);
  subscription->error = error;
  return TRUE;
}

/* A packet goes to one socket: a flow that two want goes to neither here, and
 * to both by the stack. */
static void
settle_flows (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;

  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *one = all->pdata[i];

    one->conflict = FALSE;
    for (guint j = 0; j < all->len; j++) {
      AfxdpSubscription *other = all->pdata[j];

      if (i != j && !memcmp (&one->key, &other->key, sizeof one->key))
        one->conflict = TRUE;
    }
    if (!distributor->prog || one->slot < 0)
      continue;
    if (one->conflict)
      afxdp_xdpprog_remove_flow (distributor->prog, &one->key);
    else if (!one->error)
      afxdp_xdpprog_set_flow (
          distributor->prog, &one->key, one->slot, &one->error);
  }
}

static gboolean
check_settings (
    Distributor *distributor, AfxdpSubscription *subscription, GError **error)
{
  const AfxdpSubscriptionSettings *first = &distributor->interface_settings;
  const AfxdpSubscriptionSettings *mine = &subscription->settings;
  const gchar *name = NULL;

  if (mine->queue >= (gint) distributor->netdev.rx_queues) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "queue is %d, but %s has RX queues 0 to %u", mine->queue,
        distributor->netdev.name, distributor->netdev.rx_queues - 1);
    return FALSE;
  }
  if (mine->xdp_mode != first->xdp_mode)
    name = "xdp-mode";
  else if (mine->zero_copy != first->zero_copy)
    name = "zero-copy";
  else if (mine->umem_frames != first->umem_frames)
    name = "umem-frames";
  if (!name)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s differs from that of the first afxdpsrc on %s, which set it for the "
      "whole interface",
      name, distributor->netdev.name);
  return FALSE;
}

static void
take_slot (Distributor *distributor, AfxdpSubscription *subscription)
{
  for (guint slot = 0; slot < AFXDP_SLOTS; slot++)
    if (!distributor->slot_used[slot]) {
      distributor->slot_used[slot] = TRUE;
      subscription->slot = slot;
      return;
    }
  g_set_error (&subscription->error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
      "%s serves %d streams of this process already", distributor->netdev.name,
      AFXDP_SLOTS);
}

/* The stream's account cannot be opened before there is an area. */
static void
open_account (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpFastDoor *door = &subscription->door;

  if (!distributor->umem || door->account)
    return;
  pthread_mutex_lock (&distributor->lock);
  door->umem = afxdp_umem_ref (distributor->umem);
  door->account = afxdp_account_new (distributor->umem);
  pthread_mutex_unlock (&distributor->lock);
}

static void
join (Distributor *distributor, AfxdpSubscription *subscription)
{
  if (distributor->subscriptions->len == 1 && !distributor->prog)
    distributor->interface_settings = subscription->settings;
  if (check_settings (distributor, subscription, &subscription->error))
    take_slot (distributor, subscription);
  if (!distributor->attached && subscription->slot >= 0)
    attach (distributor);
  for (guint queue = 0; queue < n_queues (distributor); queue++)
    if (distributor->prog && subscription->slot >= 0)
      subscription->passed[queue] =
          n_passed (distributor, subscription->slot, queue);
}

/* After this the program cannot deliver to the stream's rings any more, and
 * what they held is home. */
static guint
leave (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpFastDoor *door = &subscription->door;
  AfxdpXskPacket packet;
  guint drained = 0;

  if (!distributor->prog || subscription->slot < 0)
    return 0;
  afxdp_xdpprog_remove_flow (distributor->prog, &subscription->key);
  for (guint i = 0; i < door->n_rings; i++) {
    __atomic_store_n (
        &door->rings[i].words->door, AFXDP_DOOR_CLOSED, __ATOMIC_RELAXED);
    afxdp_xdpprog_remove_socket (
        distributor->prog, subscription->slot, door->rings[i].queue);
  }
  wait_for_grace_period ();
  for (guint i = 0; i < door->n_rings; i++) {
    while (afxdp_xsk_receive (door->rings[i].xsk, &packet, 1))
      afxdp_umem_give (distributor->umem, &packet.frame, 1), drained++;
    g_ptr_array_add (distributor->idle, door->rings[i].xsk);
  }
  door->n_rings = 0;
  distributor->slot_used[subscription->slot] = FALSE;
  subscription->slot = -1;
  return drained;
}

/* The control thread. */

static gboolean
serve_requests (Distributor *distributor)
{
  g_autoptr (GPtrArray) requests = NULL;

  pthread_mutex_lock (&distributor->lock);
  requests = g_steal_pointer (&distributor->requests);
  distributor->requests = g_ptr_array_new ();
  pthread_mutex_unlock (&distributor->lock);

  for (guint i = 0; i < requests->len; i++) {
    AfxdpSubscription *subscription = requests->pdata[i];

    if (subscription->membership == JOINING) {
      /* JOINED when the first snapshot is published. */
      g_ptr_array_add (distributor->subscriptions, subscription);
      join (distributor, subscription);
      continue;
    }
    subscription->drained = leave (distributor, subscription);
    g_ptr_array_remove (distributor->subscriptions, subscription);
    pthread_mutex_lock (&distributor->lock);
    subscription->membership = LEFT;
    pthread_cond_broadcast (&distributor->published);
    pthread_mutex_unlock (&distributor->lock);
  }
  return requests->len > 0;
}

/* One grace period serves all who asked before it began. */
static void
serve_grace (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;
  g_autofree guint *wanted = g_new (guint, all->len + 1);
  gboolean any = FALSE;

  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    wanted[i] = atomic_load (&subscription->grace_wanted);
    any |= wanted[i] != atomic_load (&subscription->grace_over);
  }
  if (!any)
    return;
  wait_for_grace_period ();
  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    if (atomic_exchange (&subscription->grace_over, wanted[i]) != wanted[i])
      ring_bell (subscription->wake);
  }
}

static gboolean
serve_monitor (Distributor *distributor)
{
  AfxdpNetdev *netdev = &distributor->netdev;
  AfxdpNetdevEvents events =
      afxdp_netdev_monitor_read (distributor->monitor, netdev->index);
  AfxdpNetdev now;

  if (events & AFXDP_NETDEV_GONE) {
    /* It may have moved to another network namespace, program and all, where
     * the program would redirect into sockets that cannot receive. */
    if (distributor->prog)
      afxdp_xdpprog_detach (distributor->prog);
    fail (distributor,
        g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
            "Interface %s was removed", netdev->name));
    distributor->retry_at = NEVER;
    return TRUE;
  }
  if (!(events & AFXDP_NETDEV_CHANGED) ||
      !afxdp_netdev_by_index (netdev->index, &now, NULL))
    return FALSE;
  if (distributor->prog && memcmp (now.mac, netdev->mac, sizeof now.mac))
    afxdp_xdpprog_set_mac (distributor->prog, now.mac);
  /* What failed may work on an interface that has just come up. */
  if (now.up && !netdev->up && distributor->retry_at != NEVER &&
      !distributor->attached)
    distributor->retry_at = 0;
  /* The number of queues is what the maps were made for. */
  now.rx_queues = netdev->rx_queues;
  *netdev = now;
  /* Streams whose poll() was silent while it was down look at their rings. */
  return TRUE;
}

static gboolean
driver_refuses_metadata (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;

  if (!afxdp_xdpprog_has_metadata (distributor->prog))
    return FALSE;
  for (guint i = 0; i < all->len; i++) {
    const AfxdpFastDoor *door = &((AfxdpSubscription *) all->pdata[i])->door;

    for (guint j = 0; j < door->n_rings; j++)
      if (__atomic_load_n (
              &door->rings[j].words->no_metadata, __ATOMIC_RELAXED))
        return TRUE;
  }
  return FALSE;
}

/* Looks whether all is as it should be. Returns whether it was not. */
static gboolean
check (Distributor *distributor)
{
  guint64 now = now_ns ();
  GError *error = NULL;

  distributor->check_at = now + CHECK_INTERVAL;
  if (!afxdp_xdpprog_is_attached (distributor->prog)) {
    /* Patience grows only with those who insist. */
    if (now - distributor->attached_at > LAST_BACKOFF)
      distributor->backoff = FIRST_BACKOFF;
    fail (distributor,
        g_error_new (AFXDP_ERROR, AFXDP_ERROR_FOREIGN,
            "Somebody detached the XDP program from %s; attaching it again in "
            "%" G_GUINT64_FORMAT " s",
            distributor->netdev.name, distributor->backoff / (1000 * MS)));
    return TRUE;
  }
  if (distributor->swap_metadata) {
    distributor->swap_metadata = FALSE;
    if (!afxdp_xdpprog_drop_metadata (distributor->prog, &error))
      fail (distributor, error);
    return TRUE;
  }
  if (driver_refuses_metadata (distributor)) {
    distributor->swap_metadata = TRUE;
    distributor->check_at = now + SWAP_DELAY;
    return TRUE;
  }
  return FALSE;
}

static gboolean
serve_suspicions (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;
  guint64 last_check = distributor->check_at - CHECK_INTERVAL;
  gboolean any = FALSE;

  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    any |= atomic_load (&subscription->suspect);
  }
  if (!any || now_ns () < last_check + SUSPECT_INTERVAL)
    return FALSE;
  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    atomic_store (&subscription->suspect, FALSE);
  }
  return check (distributor);
}

static guint64
next_time (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;
  guint64 next =
      distributor->attached ? distributor->check_at : distributor->retry_at;

  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    if (subscription->error && subscription->bind_at)
      next = MIN (next, subscription->bind_at);
    if (atomic_load (&subscription->suspect) && distributor->attached)
      next =
          MIN (next, distributor->check_at - CHECK_INTERVAL + SUSPECT_INTERVAL);
  }
  return next;
}

static void
wait_for_work (Distributor *distributor)
{
  struct pollfd fds[] = {
    { .fd = distributor->wake, .events = POLLIN },
    { .fd = distributor->monitor, .events = POLLIN },
  };
  guint64 next = next_time (distributor), now = now_ns ();
  struct timespec timeout = { 0 };
  guint64 bells;

  if (next > now) {
    timeout.tv_sec = (next - now) / (1000 * MS);
    timeout.tv_nsec = (next - now) % (1000 * MS);
  }
  ppoll (fds, G_N_ELEMENTS (fds), next == NEVER ? NULL : &timeout, NULL);
  if (read (distributor->wake, &bells, sizeof bells) < 0)
    return;
}

static gpointer
control_thread (gpointer data)
{
  Distributor *distributor = data;

  for (;;) {
    gboolean changed, quit;

    pthread_mutex_lock (&distributor->lock);
    quit = distributor->quit;
    pthread_mutex_unlock (&distributor->lock);
    if (quit)
      return NULL;

    changed = serve_requests (distributor);
    changed |= serve_monitor (distributor);
    if (!distributor->attached && now_ns () >= distributor->retry_at) {
      attach (distributor);
      changed = TRUE;
    }
    if (distributor->attached) {
      changed |= serve_suspicions (distributor);
      if (now_ns () >= distributor->check_at)
        changed |= check (distributor);
    }
    if (changed)
      settle_flows (distributor);
    for (guint i = 0; i < distributor->subscriptions->len; i++) {
      AfxdpSubscription *subscription = distributor->subscriptions->pdata[i];

      open_account (distributor, subscription);
      changed |= bind_where_it_shows (distributor, subscription);
    }
    if (changed) {
      divide_frames (distributor);
      publish (distributor);
    }
    serve_grace (distributor);
    wait_for_work (distributor);
  }
}

static Distributor *
distributor_new (const AfxdpNetdev *netdev, guint64 key)
{
  Distributor *distributor = g_new0 (Distributor, 1);
  sigset_t all, former;

  distributor->key = key;
  distributor->netdev = *netdev;
  distributor->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  distributor->monitor = afxdp_netdev_monitor_new (NULL);
  distributor->backoff = FIRST_BACKOFF;
  distributor->retry_at = NEVER; /* the first stream tries */
  distributor->requests = g_ptr_array_new ();
  distributor->subscriptions = g_ptr_array_new ();
  distributor->idle =
      g_ptr_array_new_with_free_func ((GDestroyNotify) afxdp_xsk_unref);
  pthread_mutex_init (&distributor->lock, NULL);
  pthread_cond_init (&distributor->published, NULL);

  /* Signals are the application's. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  pthread_create (&distributor->thread, NULL, control_thread, distributor);
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  pthread_setname_np (distributor->thread, "afxdp-control");
  return distributor;
}

static void
distributor_free (Distributor *distributor)
{
  pthread_mutex_lock (&distributor->lock);
  distributor->quit = TRUE;
  pthread_mutex_unlock (&distributor->lock);
  ring_bell (distributor->wake);
  pthread_join (distributor->thread, NULL);

  /* Program first: nothing may be redirected to a socket that closes. */
  afxdp_xdpprog_free (distributor->prog);
  g_ptr_array_unref (distributor->idle);
  afxdp_xsk_pool_unref (distributor->pool);
  afxdp_umem_unref (distributor->umem);
  g_ptr_array_unref (distributor->requests);
  g_ptr_array_unref (distributor->subscriptions);
  g_clear_error (&distributor->error);
  pthread_mutex_destroy (&distributor->lock);
  pthread_cond_destroy (&distributor->published);
  close (distributor->wake);
  if (distributor->monitor >= 0)
    close (distributor->monitor);
  g_free (distributor);
}

static Distributor *
distributor_get (const AfxdpNetdev *netdev)
{
  guint64 key = afxdp_netdev_namespace () << 32 | (guint32) netdev->index;
  Distributor *distributor;

  pthread_mutex_lock (&registry_lock);
  if (!registry)
    registry = g_hash_table_new (g_int64_hash, g_int64_equal);
  distributor = g_hash_table_lookup (registry, &key);
  if (!distributor) {
    distributor = distributor_new (netdev, key);
    g_hash_table_insert (registry, &distributor->key, distributor);
  }
  distributor->refs++;
  pthread_mutex_unlock (&registry_lock);
  return distributor;
}

static void
distributor_unref (Distributor *distributor)
{
  pthread_mutex_lock (&registry_lock);
  if (!--distributor->refs) {
    g_hash_table_remove (registry, &distributor->key);
    distributor_free (distributor);
  }
  pthread_mutex_unlock (&registry_lock);
}

/* Subscriptions. */

/* Asks the control thread for a change of membership and waits for it. */
static void
change_membership (
    AfxdpSubscription *subscription, Membership from, Membership to)
{
  Distributor *distributor = subscription->distributor;

  pthread_mutex_lock (&distributor->lock);
  subscription->membership = from;
  g_ptr_array_add (distributor->requests, subscription);
  ring_bell (distributor->wake);
  while (subscription->membership != to)
    pthread_cond_wait (&distributor->published, &distributor->lock);
  pthread_mutex_unlock (&distributor->lock);
}

AfxdpSubscription *
afxdp_distributor_subscribe (const AfxdpNetdev *netdev,
    const AfxdpSubscriptionSettings *settings, int wake)
{
  AfxdpSubscription *subscription = g_new0 (AfxdpSubscription, 1);

  subscription->distributor = distributor_get (netdev);
  subscription->settings = *settings;
  subscription->settings.address = g_object_ref (settings->address);
  afxdp_xdpprog_flow_key (
      &subscription->key, settings->address, settings->port);
  subscription->wake = wake;
  subscription->slot = -1;
  change_membership (subscription, JOINING, JOINED);
  return subscription;
}

guint
afxdp_subscription_free (AfxdpSubscription *subscription)
{
  guint drained;

  if (!subscription)
    return 0;
  change_membership (subscription, LEAVING, LEFT);
  drained = subscription->drained;
  afxdp_account_close (subscription->door.account);
  afxdp_fast_door_clear (&subscription->door);
  g_clear_error (&subscription->error);
  distributor_unref (subscription->distributor);
  g_object_unref (subscription->settings.address);
  g_free (subscription);
  return drained;
}

gboolean
afxdp_subscription_wait (
    AfxdpSubscription *subscription, guint timeout_ms, GError **error)
{
  Distributor *distributor = subscription->distributor;
  const AfxdpFastDoor *door = &subscription->door;
  guint64 deadline = now_ns () + timeout_ms * MS;
  gboolean done;

  pthread_mutex_lock (&distributor->lock);
  for (;;) {
    struct timespec until;

    done = atomic_load (&subscription->version) &&
        door->state != AFXDP_FAST_DOOR_FAILED;
    if (done || now_ns () >= deadline ||
        (door->error && !may_heal (door->error)))
      break;
    clock_gettime (CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait (
        &distributor->published, &distributor->lock, &until);
  }
  if (!done && door->error && error)
    *error = g_error_copy (door->error);
  pthread_mutex_unlock (&distributor->lock);
  return done;
}

guint
afxdp_subscription_version (AfxdpSubscription *subscription)
{
  return atomic_load_explicit (&subscription->version, memory_order_acquire);
}

void
afxdp_subscription_read (AfxdpSubscription *subscription, AfxdpFastDoor *door)
{
  pthread_mutex_lock (&subscription->distributor->lock);
  copy_door (door, &subscription->door);
  pthread_mutex_unlock (&subscription->distributor->lock);
}

guint
afxdp_subscription_request_grace (AfxdpSubscription *subscription)
{
  guint ticket = atomic_fetch_add (&subscription->grace_wanted, 1) + 1;

  ring_bell (subscription->distributor->wake);
  return ticket;
}

gboolean
afxdp_subscription_grace_over (AfxdpSubscription *subscription, guint ticket)
{
  return (gint) (atomic_load (&subscription->grace_over) - ticket) >= 0;
}

void
afxdp_subscription_suspect (AfxdpSubscription *subscription)
{
  if (!atomic_exchange (&subscription->suspect, TRUE))
    ring_bell (subscription->distributor->wake);
}

void
afxdp_subscription_frames (
    AfxdpSubscription *subscription, guint *n_frames, guint *n_home)
{
  Distributor *distributor = subscription->distributor;

  *n_frames = *n_home = 0;
  pthread_mutex_lock (&distributor->lock);
  if (distributor->umem) {
    *n_frames = afxdp_umem_n_frames (distributor->umem);
    *n_home = afxdp_umem_n_free (distributor->umem) +
        afxdp_xsk_pool_n_frames (distributor->pool);
  }
  pthread_mutex_unlock (&distributor->lock);
}
