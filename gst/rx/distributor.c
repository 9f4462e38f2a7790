/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One per interface and process: program, queues, UMEM, credits. */
#include "distributor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "attachment.h"
#include "budget.h"
#include "error.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* How often streams that doubt are listened to. */
#define LISTEN_INTERVAL (20 * MS)
/* Between two attempts to bind to a queue. */
#define BIND_INTERVAL (1000 * MS)
/* The kernel releases a queue some time after its socket was closed. */
#define BUSY_INTERVAL (50 * MS)
#define BUSY_ATTEMPTS 20

#define DEFAULT_FRAMES 32768
#define FEWEST_FRAMES 64

typedef struct
{
  gint refs; /* registry_lock */
  guint64 key;
  AfxdpNetdev netdev;
  int wake; /* eventfd */
  int monitor;
  pthread_t thread;
  gboolean has_thread;

  /* Inside registry_lock, outside the locks of xsk and umem. Protects
   * requests, memberships and what is published to subscriptions. Never held
   * in a call that may wait for RTNL: streaming threads take it. */
  pthread_mutex_t lock;
  pthread_cond_t published; /* something was, or a request was served */
  GPtrArray *requests;      /* subscriptions that are JOINING or LEAVING */
  gboolean quit;

  /* The control thread's own. */
  GPtrArray *subscriptions;
  AfxdpEngineSettings engine_settings; /* the first stream's */
  gboolean has_settings;
  AfxdpAttachment attachment;
  guint64 listen_at;
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
  if (subscription->settings.socket_only) {
    door->error = g_error_new (
        AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "mode=socket was asked for");
  } else if (!distributor->attachment.attached &&
      distributor->attachment.error) {
    door->error = g_error_copy (distributor->attachment.error);
  } else if (subscription->error && !door->n_rings) {
    door->error = g_error_copy (subscription->error);
  } else if (subscription->conflict) {
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "Another afxdpsrc of this process receives the same address and port; "
        "both receive it through their sockets while that is so");
  } else if (distributor->attachment.swapping) {
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
  if (distributor->attachment.attached) {
    door->xdp_mode = afxdp_engine_xdp_mode (distributor->attachment.engine);
    door->metadata = afxdp_engine_has_metadata (distributor->attachment.engine);
    door->zero_copy =
        afxdp_engine_is_zero_copy (distributor->attachment.engine);
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

/* Tells the program, the fill rings and the streams what each may have. */
static void
divide_frames (Distributor *distributor)
{
  AfxdpEngine *engine = distributor->attachment.engine;
  GPtrArray *all = distributor->subscriptions;
  guint fill[AFXDP_STREAM_QUEUES] = { 0 };
  guint n_streams = 0, n_queues = 0, n_frames;

  if (!engine)
    return;
  n_frames = afxdp_umem_n_frames (afxdp_engine_umem (engine));
  for (guint i = 0; i < all->len; i++) {
    const AfxdpSubscription *subscription = all->pdata[i];

    n_streams += subscription->slot >= 0;
    for (guint j = 0; j < subscription->door.n_rings; j++)
      fill[subscription->door.rings[j].queue] = afxdp_budget_slack (n_frames);
  }
  for (guint queue = 0; queue < AFXDP_STREAM_QUEUES; queue++)
    n_queues += fill[queue] > 0;

  pthread_mutex_lock (&distributor->lock);
  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];
    AfxdpFastDoor *door = &subscription->door;
    AfxdpClaim claim = {
      .n_rings = door->n_rings,
      .ring_size = subscription->settings.ring_size,
      .batch = subscription->settings.batch,
    };
    AfxdpBudget budget = afxdp_budget (&claim, n_frames, n_streams, n_queues);

    door->share = budget.share;
    for (guint j = 0; j < door->n_rings; j++) {
      fill[door->rings[j].queue] += budget.credit;
      __atomic_store_n (
          &door->rings[j].words->credit, budget.credit, __ATOMIC_RELAXED);
    }
  }
  pthread_mutex_unlock (&distributor->lock);
  for (guint queue = 0; queue < AFXDP_STREAM_QUEUES; queue++)
    if (fill[queue])
      afxdp_engine_set_fill (engine, queue, fill[queue]);
}

/* Streams on queues. */

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

/* Whether the stream should be received on queue: it is asked for, or the only
 * one in use, or the program has seen the flow there. */
static gboolean
shows_on (
    Distributor *distributor, AfxdpSubscription *subscription, guint queue)
{
  if (subscription->settings.queue >= 0)
    return queue == (guint) subscription->settings.queue;
  return (queue == 0 && distributor->netdev.rx_active == 1) ||
      afxdp_engine_n_passed (distributor->attachment.engine, subscription->slot,
          queue) != subscription->passed[queue];
}

/* Returns whether anything changed. */
static gboolean
bind_where_it_shows (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpFastDoor *door = &subscription->door;
  GError *error = NULL;
  gboolean changed = FALSE;
  AfxdpRing ring;

  if (!distributor->attachment.attached || subscription->slot < 0 ||
      now_ns () < subscription->bind_at)
    return FALSE;
  subscription->bind_at = 0;
  for (guint queue = 0; queue < n_queues (distributor); queue++) {
    if (has_ring (subscription, queue) ||
        !shows_on (distributor, subscription, queue))
      continue;
    changed = TRUE;
    if (!afxdp_engine_add_ring (distributor->attachment.engine,
            subscription->slot, queue, subscription->settings.ring_size, &ring,
            &error))
      break;
    pthread_mutex_lock (&distributor->lock);
    door->rings[door->n_rings++] = ring;
    pthread_mutex_unlock (&distributor->lock);
  }
  if (!error) {
    if (changed)
      g_clear_error (&subscription->error);
    return changed;
  }
  /* Busy for a second is the kernel's doing; after that, somebody else's. */
  if (!afxdp_attachment_may_heal (error))
    subscription->bind_at = AFXDP_NEVER;
  else if (subscription->bind_attempts++ < BUSY_ATTEMPTS &&
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY))
    subscription->bind_at = now_ns () + BUSY_INTERVAL;
  else
    subscription->bind_at = now_ns () + BIND_INTERVAL;
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
    if (!distributor->attachment.engine || one->slot < 0)
      continue;
    if (one->conflict)
      afxdp_engine_remove_flow (distributor->attachment.engine, &one->key);
    else if (!one->error)
      afxdp_engine_set_flow (
          distributor->attachment.engine, &one->key, one->slot, &one->error);
  }
}

/* What a stream's settings demand of the interface. */
static AfxdpEngineSettings
engine_settings (const AfxdpSubscriptionSettings *settings)
{
  guint n_frames = settings->umem_frames
      ? MAX (settings->umem_frames, FEWEST_FRAMES)
      : MAX (2 * settings->ring_size, DEFAULT_FRAMES);

  return (AfxdpEngineSettings){
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .n_frames = n_frames,
  };
}

/* The first stream sets what holds for the interface. A later one that demands
 * another is refused; umem-frames=0 demands none. */
static gboolean
check_settings (
    Distributor *distributor, AfxdpSubscription *subscription, GError **error)
{
  const AfxdpEngineSettings *first = &distributor->engine_settings;
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
  else if (mine->umem_frames &&
      engine_settings (mine).n_frames != first->n_frames)
    name = "umem-frames";
  if (!name)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s differs from that of the first afxdpsrc on %s, which set it for the "
      "whole interface",
      name, distributor->netdev.name);
  return FALSE;
}

/* A slot, and what the program has passed on it so far. */
static void
take_slot (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpEngine *engine = distributor->attachment.engine;

  if (!engine || subscription->slot >= 0 || subscription->error ||
      subscription->settings.socket_only)
    return;
  subscription->slot = afxdp_engine_take_slot (
      engine, subscription->settings.sources, &subscription->error);
  for (guint i = 0; subscription->slot >= 0 && i < n_queues (distributor); i++)
    subscription->passed[i] =
        afxdp_engine_n_passed (engine, subscription->slot, i);
}

/* The stream's account cannot be opened before there is an area. */
static void
open_account (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpFastDoor *door = &subscription->door;
  AfxdpUmem *umem;

  if (!distributor->attachment.engine || door->account)
    return;
  umem = afxdp_engine_umem (distributor->attachment.engine);
  pthread_mutex_lock (&distributor->lock);
  door->umem = afxdp_umem_ref (umem);
  door->account = afxdp_account_new (umem);
  pthread_mutex_unlock (&distributor->lock);
}

static void
join (Distributor *distributor, AfxdpSubscription *subscription)
{
  const AfxdpSubscriptionSettings *settings = &subscription->settings;

  g_ptr_array_add (distributor->subscriptions, subscription);
  if (settings->socket_only)
    return;
  if (!distributor->has_settings)
    distributor->engine_settings = engine_settings (settings);
  distributor->has_settings = TRUE;
  if (check_settings (distributor, subscription, &subscription->error) &&
      !distributor->attachment.attached)
    afxdp_attachment_try (&distributor->attachment, &distributor->netdev,
        &distributor->engine_settings, now_ns ());
}

static void
leave (Distributor *distributor, AfxdpSubscription *subscription)
{
  AfxdpFastDoor *door = &subscription->door;

  g_ptr_array_remove (distributor->subscriptions, subscription);
  if (subscription->slot < 0)
    return;
  subscription->drained =
      afxdp_engine_release_slot (distributor->attachment.engine,
          subscription->slot, &subscription->key, door->rings, door->n_rings);
  door->n_rings = 0;
  subscription->slot = -1;
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
      join (distributor, subscription);
      continue; /* it is JOINED when the first snapshot is published */
    }
    leave (distributor, subscription);
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
  afxdp_engine_wait_for_grace_period ();
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

  if (!events)
    return FALSE;
  /* Also gone: we missed the message, and the interface is not there. */
  if (events & AFXDP_NETDEV_GONE ||
      !afxdp_netdev_by_index (netdev->index, &now, NULL)) {
    afxdp_attachment_interface_gone (&distributor->attachment, netdev);
    return TRUE;
  }
  if (distributor->attachment.engine)
    afxdp_engine_set_mac (distributor->attachment.engine, now.mac);
  if (now.up && !netdev->up)
    afxdp_attachment_interface_up (&distributor->attachment);
  /* The number of queues is what the maps were made for. */
  now.rx_queues = netdev->rx_queues;
  *netdev = now;
  /* Streams whose poll() was silent while it was down look at their rings. */
  return TRUE;
}

static gboolean
anybody_doubts (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;

  for (guint i = 0; i < all->len; i++)
    if (atomic_load (&((AfxdpSubscription *) all->pdata[i])->suspect))
      return TRUE;
  return FALSE;
}

/* Whether a stream doubts that the program runs. Not to be asked too often: a
 * flow that shows on another queue wakes us for each batch. */
static gboolean
take_doubts (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;
  guint64 now = now_ns ();

  if (now < distributor->listen_at || !anybody_doubts (distributor))
    return FALSE;
  distributor->listen_at = now + LISTEN_INTERVAL;
  for (guint i = 0; i < all->len; i++)
    atomic_store (&((AfxdpSubscription *) all->pdata[i])->suspect, FALSE);
  return TRUE;
}

static guint64
next_time (Distributor *distributor)
{
  GPtrArray *all = distributor->subscriptions;
  guint64 next = afxdp_attachment_next_time (&distributor->attachment);

  for (guint i = 0; i < all->len; i++) {
    AfxdpSubscription *subscription = all->pdata[i];

    if (distributor->attachment.attached && subscription->error &&
        subscription->bind_at)
      next = MIN (next, subscription->bind_at);
  }
  if (distributor->attachment.attached && anybody_doubts (distributor))
    next = MIN (next, distributor->listen_at);
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
  ppoll (fds, G_N_ELEMENTS (fds), next == AFXDP_NEVER ? NULL : &timeout, NULL);
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
    changed |= afxdp_attachment_work (&distributor->attachment,
        &distributor->netdev, &distributor->engine_settings,
        take_doubts (distributor), now_ns ());
    for (guint i = 0; i < distributor->subscriptions->len; i++) {
      take_slot (distributor, distributor->subscriptions->pdata[i]);
      open_account (distributor, distributor->subscriptions->pdata[i]);
    }
    if (changed)
      settle_flows (distributor);
    for (guint i = 0; i < distributor->subscriptions->len; i++)
      changed |= bind_where_it_shows (
          distributor, distributor->subscriptions->pdata[i]);
    if (changed) {
      divide_frames (distributor);
      publish (distributor);
    }
    serve_grace (distributor);
    wait_for_work (distributor);
  }
}

static gboolean
start_control_thread (Distributor *distributor, GError **error)
{
  sigset_t all, former;
  int errnum;

  if (distributor->wake < 0 || distributor->monitor < 0)
    return afxdp_error_set (
        error, errno, "Could not open what the control thread waits for");
  /* Signals are the application's. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  errnum =
      pthread_create (&distributor->thread, NULL, control_thread, distributor);
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  if (errnum)
    return afxdp_error_set (error, errnum, "Could not start a thread");
  distributor->has_thread = TRUE;
  pthread_setname_np (distributor->thread, "afxdp-control");
  return TRUE;
}

static void
distributor_free (Distributor *distributor)
{
  if (distributor->has_thread) {
    pthread_mutex_lock (&distributor->lock);
    distributor->quit = TRUE;
    pthread_mutex_unlock (&distributor->lock);
    ring_bell (distributor->wake);
    pthread_join (distributor->thread, NULL);
  }
  afxdp_attachment_clear (&distributor->attachment);
  g_ptr_array_unref (distributor->requests);
  g_ptr_array_unref (distributor->subscriptions);
  pthread_mutex_destroy (&distributor->lock);
  pthread_cond_destroy (&distributor->published);
  if (distributor->wake >= 0)
    close (distributor->wake);
  if (distributor->monitor >= 0)
    close (distributor->monitor);
  g_free (distributor);
}

static Distributor *
distributor_new (const AfxdpNetdev *netdev, guint64 key, GError **error)
{
  Distributor *distributor = g_new0 (Distributor, 1);
  pthread_condattr_t condition;

  distributor->key = key;
  distributor->netdev = *netdev;
  distributor->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  distributor->monitor = afxdp_netdev_monitor_new (NULL);
  afxdp_attachment_init (&distributor->attachment);
  distributor->requests = g_ptr_array_new ();
  distributor->subscriptions = g_ptr_array_new ();
  pthread_mutex_init (&distributor->lock, NULL);
  pthread_condattr_init (&condition);
  pthread_condattr_setclock (&condition, CLOCK_MONOTONIC);
  pthread_cond_init (&distributor->published, &condition);
  pthread_condattr_destroy (&condition);
  if (start_control_thread (distributor, error))
    return distributor;
  distributor_free (distributor);
  return NULL;
}

static Distributor *
distributor_get (const AfxdpNetdev *netdev, GError **error)
{
  guint64 key = afxdp_netdev_namespace () << 32 | (guint32) netdev->index;
  Distributor *distributor;

  pthread_mutex_lock (&registry_lock);
  if (!registry)
    registry = g_hash_table_new (g_int64_hash, g_int64_equal);
  distributor = g_hash_table_lookup (registry, &key);
  if (!distributor) {
    distributor = distributor_new (netdev, key, error);
    if (distributor)
      g_hash_table_insert (registry, &distributor->key, distributor);
  }
  if (distributor)
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
    const AfxdpSubscriptionSettings *settings, int wake, GError **error)
{
  Distributor *distributor = distributor_get (netdev, error);
  AfxdpSubscription *subscription;

  if (!distributor)
    return NULL;
  subscription = g_new0 (AfxdpSubscription, 1);
  subscription->distributor = distributor;
  subscription->settings = *settings;
  subscription->settings.address = g_object_ref (settings->address);
  afxdp_sources_ref (settings->sources);
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
  afxdp_sources_unref (subscription->settings.sources);
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
        (door->error && !afxdp_attachment_may_heal (door->error)))
      break;
    until.tv_sec = deadline / (1000 * MS);
    until.tv_nsec = deadline % (1000 * MS);
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
  AfxdpEngine *engine =
      afxdp_attachment_engine (&subscription->distributor->attachment);

  *n_frames = *n_home = 0;
  if (!engine)
    return;
  *n_frames = afxdp_umem_n_frames (afxdp_engine_umem (engine));
  *n_home = afxdp_engine_n_home (engine);
}
