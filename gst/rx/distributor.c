/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One per interface and process: program, queues, UMEM, credits. */
#include "distributor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "bell.h"
#include "clock.h"
#include "division.h"
#include "error.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* How often streams that doubt are listened to. */
#define LISTEN_INTERVAL (20 * MS)
/* How often the interface is asked what it dropped: that takes RTNL. */
#define ASK_INTERVAL (10 * MS)
/* How often frames are divided anew while some stream has not got its part. */
#define DIVIDE_INTERVAL (50 * MS)
/* How often it is looked for what came in place of a removed interface, */
#define SUCCESSION_INTERVAL (1000 * MS)
/* and how soon again when the registry is in use. */
#define REGISTRY_INTERVAL (20 * MS)

#define DEFAULT_FRAMES 32768
#define FEWEST_FRAMES 64

typedef struct _AfxdpDistributor
{
  gint refs; /* registry_lock */
  guint64 key;
  int wake; /* eventfd */
  int monitor;
  pthread_t thread;
  gboolean has_thread;
  atomic_bool gone; /* the interface was removed; for good */

  /* Inside registry_lock, outside the locks of subscriptions, xsk and umem.
   * Protects requests and memberships. Never held in a call that may wait for
   * RTNL. */
  pthread_mutex_t lock;
  pthread_cond_t served; /* a request was */
  GPtrArray *
      requests; /* members that are AFXDP_MEMBER_JOINING or AFXDP_MEMBER_LEAVING */
  gboolean quit;

  /* The control thread's own. */
  AfxdpInterface interface;
  GPtrArray *members;
  AfxdpEngineSettings engine_settings; /* the first stream's */
  gboolean has_settings;
  guint64 listen_at;
  guint64 divide_at; /* AFXDP_NEVER: everybody has what is due */
  guint64 succession_at;
  guint64 ask_at;      /* the interface what it dropped; not before */
  guint64 drops_asked; /* when it was asked and answered, */
  guint64 drops;       /* and what it said */
} Distributor;

/* Outermost. Protects the table of distributors and their counts; held while
 * one is torn down, since the next one of the interface would find its program
 * still attached. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *registry;

static AfxdpMember *
member_at (const Distributor *distributor, guint i)
{
  return distributor->members->pdata[i];
}

static gboolean make_successor (AfxdpMember *member, const AfxdpNetdev *netdev);

/* Flows. */

/* Gives each flow to the one stream that wants it, or to none. */
static void
settle_flows (Distributor *distributor)
{
  afxdp_flows_begin (distributor->interface.flows);
  for (guint i = 0; i < distributor->members->len; i++)
    afxdp_member_claim_flows (member_at (distributor, i));
  g_clear_error (&distributor->interface.flows_error);
  if (distributor->interface.attachment.engine)
    afxdp_flows_apply (distributor->interface.flows,
        distributor->interface.attachment.engine,
        &distributor->interface.flows_error);
}

static void
publish (Distributor *distributor)
{
  for (guint i = 0; i < distributor->members->len; i++)
    afxdp_member_publish (member_at (distributor, i));
  pthread_mutex_lock (&distributor->lock);
  for (guint i = 0; i < distributor->members->len; i++)
    if (member_at (distributor, i)->membership == AFXDP_MEMBER_JOINING)
      member_at (distributor, i)->membership = AFXDP_MEMBER_JOINED;
  pthread_cond_broadcast (&distributor->served);
  pthread_mutex_unlock (&distributor->lock);
}

static void
divide (Distributor *distributor)
{
  AfxdpInterface *interface = &distributor->interface;

  distributor->divide_at = AFXDP_NEVER;
  if (interface->attachment.engine &&
      !afxdp_division_make (distributor->members, interface->attachment.engine,
          interface->n_queues))
    distributor->divide_at = afxdp_now () + DIVIDE_INTERVAL;
}

/* Joining and leaving. */

/* What a stream's settings demand of the interface. */
static AfxdpEngineSettings
engine_settings (const AfxdpMemberSettings *settings)
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
 * another is refused; "auto" and umem-frames=0 demand none. */
static gboolean
check_settings (const AfxdpMember *member, GError **error)
{
  const Distributor *distributor = member->distributor;
  const AfxdpEngineSettings *first = &distributor->engine_settings;
  const AfxdpMemberSettings *mine = &member->settings;
  const gchar *name = NULL;

  if (mine->queue >= (gint) distributor->interface.n_queues) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "queue is %d, but %s has RX queues 0 to %u", mine->queue,
        distributor->interface.netdev.name,
        distributor->interface.n_queues - 1);
    return FALSE;
  }
  if (mine->xdp_mode != AFXDP_XDP_MODE_AUTO &&
      mine->xdp_mode != first->xdp_mode)
    name = "xdp-mode";
  else if (mine->zero_copy != AFXDP_ZERO_COPY_AUTO &&
      mine->zero_copy != first->zero_copy)
    name = "zero-copy";
  else if (mine->umem_frames &&
      engine_settings (mine).n_frames != first->n_frames)
    name = "umem-frames";
  if (!name)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s differs from that of the first afxdpsrc on %s, which set it for the "
      "whole interface",
      name, distributor->interface.netdev.name);
  return FALSE;
}

static void
join (AfxdpMember *member)
{
  Distributor *distributor = member->distributor;
  const AfxdpMemberSettings *settings = &member->settings;

  g_ptr_array_add (distributor->members, member);
  afxdp_member_find_keys (member);
  if (settings->socket_only)
    return;
  if (!distributor->has_settings)
    distributor->engine_settings = engine_settings (settings);
  distributor->has_settings = TRUE;
  if (check_settings (member, &member->error) &&
      !distributor->interface.attachment.attached)
    afxdp_attachment_try (&distributor->interface.attachment,
        &distributor->interface.netdev, &distributor->engine_settings,
        afxdp_now ());
}

/* All that leave together need one grace period. */
static void
leave (Distributor *distributor, GPtrArray *leaving)
{
  AfxdpEngine *engine = distributor->interface.attachment.engine;
  gboolean quiet = TRUE;

  for (guint i = 0; i < leaving->len; i++) {
    AfxdpMember *member = leaving->pdata[i];

    g_ptr_array_remove (distributor->members, member);
    if (member->slot < 0)
      continue;
    quiet &= afxdp_member_is_quiet (member);
    afxdp_engine_disconnect (
        engine, member->slot, member->door.rings, member->door.n_rings);
  }
  settle_flows (distributor);
  if (!quiet)
    afxdp_engine_wait_for_grace_period (engine);
  for (guint i = 0; i < leaving->len; i++)
    afxdp_member_give_up_slot (leaving->pdata[i]);

  pthread_mutex_lock (&distributor->lock);
  for (guint i = 0; i < leaving->len; i++)
    ((AfxdpMember *) leaving->pdata[i])->membership = AFXDP_MEMBER_LEFT;
  pthread_cond_broadcast (&distributor->served);
  pthread_mutex_unlock (&distributor->lock);
}

/* The control thread. */

static gboolean
serve_requests (Distributor *distributor)
{
  g_autoptr (GPtrArray) requests = NULL;
  g_autoptr (GPtrArray) leaving = g_ptr_array_new ();

  pthread_mutex_lock (&distributor->lock);
  requests = g_steal_pointer (&distributor->requests);
  distributor->requests = g_ptr_array_new ();
  pthread_mutex_unlock (&distributor->lock);

  for (guint i = 0; i < requests->len; i++) {
    AfxdpMember *member = requests->pdata[i];

    if (member->membership == AFXDP_MEMBER_LEAVING)
      g_ptr_array_add (leaving, member);
    else
      join (
          member); /* AFXDP_MEMBER_JOINED when its first snapshot is published */
  }
  if (leaving->len)
    leave (distributor, leaving);
  return requests->len > 0;
}

/* One grace period serves all who asked before it began. */
static void
serve_grace (Distributor *distributor)
{
  guint n = distributor->members->len;
  g_autofree guint *wanted = g_new (guint, n + 1);
  gboolean any = FALSE;

  for (guint i = 0; i < n; i++) {
    AfxdpSubscription *subscription = member_at (distributor, i)->subscription;

    wanted[i] = afxdp_subscription_grace_wanted (subscription);
    any |= !afxdp_subscription_grace_over (subscription, wanted[i]);
  }
  if (!any)
    return;
  afxdp_engine_wait_for_grace_period (distributor->interface.attachment.engine);
  for (guint i = 0; i < n; i++)
    afxdp_subscription_end_grace (
        member_at (distributor, i)->subscription, wanted[i]);
}

static guint64
drops_wanted (Distributor *distributor)
{
  guint64 wanted = 0;

  for (guint i = 0; i < distributor->members->len; i++)
    wanted = MAX (wanted,
        afxdp_subscription_drops_wanted (
            member_at (distributor, i)->subscription));
  return wanted;
}

/* What the interface itself dropped, for streams that miss packets. One answer
 * serves all who asked before the question; who has joined since gets it too. */
static void
serve_drops (Distributor *distributor)
{
  guint64 now = afxdp_now (), n;

  if ((drops_wanted (distributor) > distributor->drops_asked ||
          !distributor->drops_asked) &&
      now >= distributor->ask_at) {
    distributor->ask_at = now + ASK_INTERVAL;
    if (afxdp_netdev_drops (&distributor->interface.netdev, &n, NULL)) {
      distributor->drops = n;
      distributor->drops_asked = now;
    }
  }
  for (guint i = 0; i < distributor->members->len; i++)
    afxdp_subscription_tell_drops (member_at (distributor, i)->subscription,
        distributor->drops, distributor->drops_asked);
}

static gboolean
serve_monitor (Distributor *distributor)
{
  AfxdpNetdev *netdev = &distributor->interface.netdev;
  AfxdpNetdevEvents events =
      afxdp_netdev_monitor_read (distributor->monitor, netdev->index);
  g_autoptr (GError) error = NULL;
  AfxdpNetdev now;

  if (!events || atomic_load (&distributor->gone))
    return FALSE;
  afxdp_netdev_by_index (netdev->index, &now, &error);
  /* Also gone: we missed the message, and the interface is not there. */
  if (events & AFXDP_NETDEV_GONE ||
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)) {
    atomic_store (&distributor->gone, TRUE);
    afxdp_attachment_interface_gone (
        &distributor->interface.attachment, netdev);
    return TRUE;
  }
  if (error) /* nobody could be asked, for want of descriptors */
    return FALSE;
  if (distributor->interface.attachment.engine)
    afxdp_engine_set_mac (distributor->interface.attachment.engine, now.mac);
  if (now.up && !netdev->up)
    afxdp_attachment_interface_up (&distributor->interface.attachment);
  *netdev = now;
  if (events & AFXDP_NETDEV_ADDRESSES)
    for (guint i = 0; i < distributor->members->len; i++)
      afxdp_member_find_keys (member_at (distributor, i));
  return TRUE;
}

static AfxdpDoubts
all_doubts (Distributor *distributor)
{
  AfxdpDoubts doubts = 0;

  for (guint i = 0; i < distributor->members->len; i++)
    doubts |=
        afxdp_subscription_doubts (member_at (distributor, i)->subscription);
  return doubts;
}

/* Looks where streams that doubt are. Returns whether anything changed, and in
 * doubts what they say. Not to be done too often: a flow that shows on another
 * queue wakes us for each batch. */
static gboolean
serve_doubts (Distributor *distributor, AfxdpDoubts *doubts)
{
  guint64 now = afxdp_now ();
  gboolean changed = FALSE;

  *doubts = 0;
  if (now < distributor->listen_at || !all_doubts (distributor))
    return FALSE;
  distributor->listen_at = now + LISTEN_INTERVAL;
  for (guint i = 0; i < distributor->members->len; i++) {
    AfxdpMember *member = member_at (distributor, i);
    AfxdpDoubts said = afxdp_subscription_take_doubts (member->subscription);

    *doubts |= said;
    if (!(said & AFXDP_DOUBT_QUEUE) || member->slot < 0)
      continue;
    changed |= afxdp_member_bind (member, now);
    changed |= afxdp_member_look (member, now);
  }
  return changed;
}

static gboolean
awaits_successors (Distributor *distributor)
{
  if (!atomic_load (&distributor->gone))
    return FALSE;
  for (guint i = 0; i < distributor->members->len; i++)
    if (!member_at (distributor, i)->succeeded)
      return TRUE;
  return FALSE;
}

/* Makes members of those who wait members of the distributor of what came in
 * place of a removed interface. Here, and not where the stream is read: that
 * thread may be in another network namespace. */
static void
serve_succession (Distributor *distributor)
{
  guint64 now = afxdp_now ();
  AfxdpNetdev netdev;

  if (!awaits_successors (distributor) || now < distributor->succession_at)
    return;
  distributor->succession_at = now + SUCCESSION_INTERVAL;
  if (!afxdp_netdev_by_name (distributor->interface.netdev.name, &netdev, NULL))
    return;
  for (guint i = 0; i < distributor->members->len; i++) {
    AfxdpMember *member = member_at (distributor, i);

    if (!member->succeeded && !make_successor (member, &netdev))
      distributor->succession_at = now + REGISTRY_INTERVAL;
  }
}

static guint64
next_time (Distributor *distributor)
{
  guint64 next = MIN (distributor->divide_at,
      afxdp_attachment_next_time (&distributor->interface.attachment));

  for (guint i = 0; i < distributor->members->len; i++) {
    const AfxdpMember *member = member_at (distributor, i);

    if (distributor->interface.attachment.attached)
      next = MIN (next, member->bind_at);
  }
  if (awaits_successors (distributor))
    next = MIN (next, distributor->succession_at);
  if (all_doubts (distributor))
    next = MIN (next, distributor->listen_at);
  if (drops_wanted (distributor) > distributor->drops_asked)
    next = MIN (next, distributor->ask_at);
  return next;
}

static void
wait_for_work (Distributor *distributor)
{
  struct pollfd fds[] = {
    { .fd = distributor->wake, .events = POLLIN },
    { .fd = distributor->monitor, .events = POLLIN },
  };
  guint64 next = next_time (distributor), now = afxdp_now ();
  struct timespec timeout = { 0 };

  if (next > now) {
    timeout.tv_sec = (next - now) / (1000 * MS);
    timeout.tv_nsec = (next - now) % (1000 * MS);
  }
  ppoll (fds, G_N_ELEMENTS (fds), next == AFXDP_NEVER ? NULL : &timeout, NULL);
  afxdp_bell_quieten (distributor->wake);
}

static gboolean
must_quit (Distributor *distributor)
{
  gboolean quit;

  pthread_mutex_lock (&distributor->lock);
  quit = distributor->quit;
  pthread_mutex_unlock (&distributor->lock);
  return quit;
}

static gpointer
control_thread (gpointer data)
{
  Distributor *distributor = data;

  while (!must_quit (distributor)) {
    gboolean changed = serve_requests (distributor);
    AfxdpDoubts doubts;

    changed |= serve_monitor (distributor);
    changed |= serve_doubts (distributor, &doubts);
    changed |= afxdp_attachment_work (&distributor->interface.attachment,
        &distributor->interface.netdev, &distributor->engine_settings,
        doubts & AFXDP_DOUBT_PROGRAM, afxdp_now ());
    for (guint i = 0; i < distributor->members->len; i++) {
      AfxdpMember *member = member_at (distributor, i);

      if (changed)
        afxdp_member_settle_in (member);
      if (changed || afxdp_now () >= member->bind_at)
        changed |= afxdp_member_bind (member, afxdp_now ());
    }
    if (changed)
      settle_flows (distributor);
    if (changed || afxdp_now () >= distributor->divide_at)
      divide (distributor);
    if (changed)
      publish (distributor);
    serve_grace (distributor);
    serve_drops (distributor);
    serve_succession (distributor);
    wait_for_work (distributor);
  }
  return NULL;
}

static gboolean
start_control_thread (Distributor *distributor, GError **error)
{
  sigset_t all, former;
  int errnum;

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
    afxdp_bell_ring (distributor->wake);
    pthread_join (distributor->thread, NULL);
  }
  afxdp_attachment_clear (&distributor->interface.attachment);
  afxdp_flows_free (distributor->interface.flows);
  g_clear_error (&distributor->interface.flows_error);
  g_ptr_array_unref (distributor->requests);
  g_ptr_array_unref (distributor->members);
  pthread_mutex_destroy (&distributor->lock);
  pthread_cond_destroy (&distributor->served);
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

  distributor->key = key;
  distributor->interface.netdev = *netdev;
  distributor->interface.n_queues = netdev->rx_queues;
  distributor->divide_at = AFXDP_NEVER;
  afxdp_attachment_init (&distributor->interface.attachment);
  distributor->interface.flows = afxdp_flows_new ();
  distributor->requests = g_ptr_array_new ();
  distributor->members = g_ptr_array_new ();
  pthread_mutex_init (&distributor->lock, NULL);
  pthread_cond_init (&distributor->served, NULL);
  distributor->wake = afxdp_bell_new ();
  if (distributor->wake < 0)
    afxdp_error_set (error, errno, "Could not create an eventfd");
  distributor->monitor =
      distributor->wake < 0 ? -1 : afxdp_netdev_monitor_new (error);
  if (distributor->monitor >= 0 && start_control_thread (distributor, error))
    return distributor;
  distributor_free (distributor);
  return NULL;
}

/* With registry_lock. */
static Distributor *
distributor_get (const AfxdpNetdev *netdev, GError **error)
{
  guint64 key = afxdp_netdev_namespace () << 32 | (guint32) netdev->index;
  Distributor *distributor;

  if (!registry)
    registry = g_hash_table_new (g_int64_hash, g_int64_equal);
  distributor = g_hash_table_lookup (registry, &key);
  /* An interface that went to another namespace and came back has its index. */
  if (!distributor || atomic_load (&distributor->gone)) {
    distributor = distributor_new (netdev, key, error);
    if (distributor)
      g_hash_table_replace (registry, &distributor->key, distributor);
  }
  if (distributor)
    distributor->refs++;
  return distributor;
}

static void
distributor_unref (Distributor *distributor)
{
  pthread_mutex_lock (&registry_lock);
  if (!--distributor->refs) {
    if (g_hash_table_lookup (registry, &distributor->key) == distributor)
      g_hash_table_remove (registry, &distributor->key);
    distributor_free (distributor);
  }
  pthread_mutex_unlock (&registry_lock);
}

/* Members. */

/* Asks the control thread for a change of membership and waits for it. */
static void
change_membership (
    AfxdpMember *member, AfxdpMembership from, AfxdpMembership to)
{
  Distributor *distributor = member->distributor;

  pthread_mutex_lock (&distributor->lock);
  member->membership = from;
  g_ptr_array_add (distributor->requests, member);
  afxdp_bell_ring (distributor->wake);
  while (member->membership != to)
    pthread_cond_wait (&distributor->served, &distributor->lock);
  pthread_mutex_unlock (&distributor->lock);
}

/* Returns the new member of distributor. */
static AfxdpMember *
make_member (Distributor *distributor, const AfxdpNetdev *netdev,
    const AfxdpMemberSettings *settings, int wake)
{
  AfxdpMember *member = afxdp_member_new (
      &distributor->interface, netdev, settings, distributor->wake, wake);

  member->distributor = distributor;
  change_membership (member, AFXDP_MEMBER_JOINING, AFXDP_MEMBER_JOINED);
  return member;
}

/* For the control thread. FALSE: not now. */
static gboolean
make_successor (AfxdpMember *member, const AfxdpNetdev *netdev)
{
  Distributor *distributor;

  /* Whoever holds it may be waiting for us to end. */
  if (pthread_mutex_trylock (&registry_lock))
    return FALSE;
  distributor = distributor_get (netdev, NULL);
  pthread_mutex_unlock (&registry_lock);
  if (!distributor)
    return TRUE; /* until the next time */
  member->succeeded = TRUE;
  atomic_store (&member->successor,
      make_member (distributor, netdev, &member->settings, member->wake));
  afxdp_bell_ring (member->wake);
  return TRUE;
}

AfxdpMember *
afxdp_distributor_join (const AfxdpNetdev *netdev,
    const AfxdpMemberSettings *settings, int wake, GError **error)
{
  Distributor *distributor;

  pthread_mutex_lock (&registry_lock);
  distributor = distributor_get (netdev, error);
  pthread_mutex_unlock (&registry_lock);
  return distributor ? make_member (distributor, netdev, settings, wake) : NULL;
}

void
afxdp_distributor_leave (AfxdpMember *member)
{
  AfxdpMember *successor;

  change_membership (member, AFXDP_MEMBER_LEAVING, AFXDP_MEMBER_LEFT);
  successor = afxdp_distributor_take_successor (member);
  if (!successor)
    return;
  afxdp_distributor_leave (successor);
  afxdp_distributor_forget (successor);
}

void
afxdp_distributor_forget (AfxdpMember *member)
{
  Distributor *distributor;

  if (!member)
    return;
  distributor = member->distributor;
  afxdp_member_free (member);
  distributor_unref (distributor);
}
