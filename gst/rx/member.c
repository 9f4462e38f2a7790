/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream in the distributor of its interface. */
#include "member.h"

#include <string.h>

#include "error.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* Between two attempts to bind to a queue. */
#define BIND_INTERVAL (1000 * MS)
/* The kernel releases a queue some time after its socket was closed. */
#define BUSY_INTERVAL (50 * MS)
#define BUSY_ATTEMPTS 20
/* What was counted longer ago says nothing of where packets come now. */
#define RECENT (100 * MS)
/* When packets come by the socket, and the program has seen none for so long, that
 * is told. A program that was detached is found out earlier. */
#define LONG_UNSEEN (300 * MS)

AfxdpMember *
afxdp_member_new (AfxdpInterface *interface, const AfxdpNetdev *netdev,
    const AfxdpMemberSettings *settings, int control, int wake)
{
  AfxdpMember *member = g_new0 (AfxdpMember, 1);

  member->interface = interface;
  member->netdev = *netdev;
  member->wake = wake;
  member->settings = *settings;
  member->settings.address = g_object_ref (settings->address);
  afxdp_sources_ref (settings->sources);
  member->subscription = afxdp_subscription_new (control, wake);
  atomic_init (&member->slot, -1);
  member->n_queues = interface->n_queues;
  member->base = g_aligned_alloc0 (member->n_queues, sizeof *member->base, 64);
  member->bound = g_new0 (atomic_bool, member->n_queues);
  member->napi_ids = g_new0 (atomic_uint, member->n_queues);
  member->before = g_new0 (AfxdpQueueCounts, member->n_queues);
  member->keys = g_array_new (FALSE, FALSE, sizeof (struct afxdp_flow_key));
  member->seen = g_new0 (guint64, member->n_queues);
  member->retries = g_new0 (AfxdpQueueRetry, member->n_queues);
  member->bind_at = AFXDP_NEVER;
  member->elsewhere = -1;
  return member;
}

void
afxdp_member_free (AfxdpMember *member)
{
  if (!member)
    return;
  afxdp_account_close (member->door.account);
  afxdp_fast_door_clear (&member->door);
  afxdp_subscription_free (member->subscription);
  g_clear_error (&member->error);
  g_clear_error (&member->slot_error);
  for (guint queue = 0; queue < member->n_queues; queue++)
    g_clear_error (&member->retries[queue].error);
  g_free (member->retries);
  g_array_unref (member->keys);
  g_object_unref (member->settings.address);
  afxdp_sources_unref (member->settings.sources);
  g_aligned_free (member->base);
  g_free (member->bound);
  g_free (member->napi_ids);
  g_free (member->before);
  g_free (member->seen);
  g_free (member);
}

void
afxdp_member_queue_counts (
    const AfxdpMember *member, guint queue, AfxdpQueueCounts *counts)
{
  const struct afxdp_slot *base = &member->base[queue], *words;
  gint slot = atomic_load (&member->slot);

  *counts = member->before[queue];
  counts->queue = queue;
  if (slot < 0)
    return;
  words = afxdp_engine_words (
      afxdp_attachment_engine (&member->interface->attachment), slot, queue);
  counts->bound = atomic_load (&member->bound[queue]);
  counts->napi_id = atomic_load (&member->napi_ids[queue]);
#define ADD(word) (counts->word += afxdp_ring_word (&words->word) - base->word)
  ADD (redirected);
  ADD (passed);
  ADD (too_long);
  ADD (no_frame);
  ADD (no_socket);
  ADD (filtered);
#undef ADD
}

void
afxdp_member_go_on_counting (AfxdpMember *member, const AfxdpMember *former)
{
  for (guint i = 0; i < MIN (member->n_queues, former->n_queues); i++) {
    member->before[i] = former->before[i];
    member->before[i].bound = FALSE;
    member->before[i].napi_id = 0;
  }
}

void
afxdp_member_frames (const AfxdpMember *member, guint *n_frames, guint *n_home)
{
  AfxdpEngine *engine =
      afxdp_attachment_engine (&member->interface->attachment);

  *n_frames = *n_home = 0;
  if (!engine)
    return;
  *n_frames = afxdp_umem_n_frames (afxdp_engine_umem (engine));
  *n_home = afxdp_engine_n_home (engine);
}

/* Flows. */

/* Another stream takes the same flow. */
static gboolean
is_contested (const AfxdpMember *member)
{
  gboolean exact = !g_inet_address_get_is_any (member->settings.address);

  for (guint i = 0; i < member->keys->len; i++)
    if (afxdp_flows_is_contested (member->interface->flows,
            &g_array_index (member->keys, struct afxdp_flow_key, i), exact))
      return TRUE;
  return FALSE;
}

static gboolean
has_a_flow (const AfxdpMember *member)
{
  for (guint i = 0; i < member->keys->len; i++)
    if (afxdp_flows_is_installed (member->interface->flows,
            &g_array_index (member->keys, struct afxdp_flow_key, i),
            member->slot))
      return TRUE;
  return FALSE;
}

static void
add_key (AfxdpMember *member, GInetAddress *address)
{
  struct afxdp_flow_key key;

  afxdp_xdpprog_flow_key (&key, address, member->settings.port);
  /* The same address may be there with two prefix lengths. */
  for (guint i = 0; i < member->keys->len; i++)
    if (!memcmp (&key, &g_array_index (member->keys, struct afxdp_flow_key, i),
            sizeof key))
      return;
  g_array_append_val (member->keys, key);
}

/* What the stream's socket is bound to, in addresses of this interface. */
void
afxdp_member_find_keys (AfxdpMember *member)
{
  GInetAddress *address = member->settings.address;
  g_autoptr (GPtrArray) own = NULL;

  if (!g_inet_address_get_is_any (address)) {
    add_key (member, address);
    return;
  }
  own = afxdp_netdev_addresses (member->interface->netdev.index);
  if (!own)
    return; /* as they were */
  g_array_set_size (member->keys, 0);
  for (guint i = 0; i < own->len; i++)
    /* A socket bound to :: receives IPv4 as well. */
    if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ||
        g_inet_address_get_family (own->pdata[i]) == G_SOCKET_FAMILY_IPV4)
      add_key (member, own->pdata[i]);
}

void
afxdp_member_claim_flows (AfxdpMember *member)
{
  gboolean exact = !g_inet_address_get_is_any (member->settings.address);

  for (guint i = 0; i < member->keys->len; i++)
    afxdp_flows_claim (member->interface->flows,
        &g_array_index (member->keys, struct afxdp_flow_key, i), exact,
        member->slot);
}

/* Queues. */

static gboolean
has_ring (const AfxdpMember *member, guint queue)
{
  for (guint i = 0; i < member->door.n_rings; i++)
    if (member->door.rings[i].queue == queue)
      return TRUE;
  return FALSE;
}

/* Packets of the stream that the program has seen on queue. */
static guint64
n_seen (const AfxdpMember *member, guint queue)
{
  const struct afxdp_slot *base = &member->base[queue], *words;

  if (member->slot < 0)
    return 0;
  words = afxdp_engine_words (
      member->interface->attachment.engine, member->slot, queue);
  return afxdp_ring_word (&words->passed) - base->passed +
      afxdp_ring_word (&words->redirected) - base->redirected;
}

/* Whether the stream should be received on queue: it is asked for, or the only
 * one in use, or the program has seen the flow there. */
static gboolean
shows_on (const AfxdpMember *member, guint queue)
{
  if (member->settings.queue >= 0)
    return queue == (guint) member->settings.queue;
  return (queue == 0 && member->interface->netdev.rx_active == 1) ||
      n_seen (member, queue);
}

/* What the program has seen since the last look. */
typedef struct
{
  guint64 here;   /* packets on queues where AF_XDP is used */
  guint64 most;   /* on the queue, of the others, with the most packets, */
  gint elsewhere; /* which is this one; -1: none */
} Seen;

static Seen
look_at_queues (AfxdpMember *member)
{
  gint own = member->settings.queue;
  Seen seen = { .elsewhere = -1 };

  for (guint queue = 0; queue < member->n_queues; queue++) {
    guint64 n = n_seen (member, queue);
    guint64 more = n - member->seen[queue];

    member->seen[queue] = n;
    if (own < 0 || queue == (guint) own) {
      seen.here += more;
    } else if (more > seen.most) {
      seen.most = more;
      seen.elsewhere = queue;
    }
  }
  return seen;
}

gboolean
afxdp_member_look (AfxdpMember *member, guint64 now)
{
  gboolean recent = now - member->seen_at < RECENT;
  Seen seen = look_at_queues (member);
  gboolean only, unseen, changed;

  member->seen_at = now;
  if (!recent) {
    afxdp_subscription_doubt (member->subscription, AFXDP_DOUBT_QUEUE);
    member->unseen_since = 0;
    return FALSE;
  }
  if (seen.here || seen.most)
    member->unseen_since = 0;
  else if (!member->unseen_since)
    member->unseen_since = now;
  unseen = member->unseen_since && now - member->unseen_since >= LONG_UNSEEN;
  /* Nothing seen says nothing of where it comes. */
  only = seen.here || seen.most ? !seen.here : member->only_elsewhere;
  if (!seen.here && !seen.most)
    seen.elsewhere = member->elsewhere;
  changed = seen.elsewhere != member->elsewhere ||
      only != member->only_elsewhere || unseen != member->unseen;
  member->elsewhere = seen.elsewhere;
  member->only_elsewhere = only;
  member->unseen = unseen;
  return changed;
}

static gboolean
add_ring (AfxdpMember *member, guint queue, GError **error)
{
  AfxdpFastDoor *door = &member->door;
  AfxdpRing *ring = &door->rings[door->n_rings];

  if (!afxdp_engine_add_ring (member->interface->attachment.engine,
          member->slot, queue, member->settings.ring_size, ring, error))
    return FALSE;
  afxdp_xsk_set_busy_poll (ring->xsk, member->settings.busy_poll);
  /* Divided before it is published: no credit but what it gets then. */
  afxdp_ring_set_credit (ring, 0);
  door->n_rings++;
  atomic_store (&member->bound[queue], TRUE);
  return TRUE;
}

/* Takes error: why there is no ring on queue. Busy for a second is the kernel's
 * doing; after that, somebody else's. */
static void
put_off (AfxdpMember *member, guint queue, GError *error, guint64 now)
{
  AfxdpQueueRetry *retry = &member->retries[queue];
  gboolean soon =
      g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY) &&
      retry->attempts++ < BUSY_ATTEMPTS;

  if (soon) {
    g_clear_error (&error);
    error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "The kernel has not yet released RX queue %u of %s from its former "
        "user, or another process has it; trying again",
        queue, member->interface->netdev.name);
  }
  g_clear_error (&retry->error);
  retry->error = error;
  retry->at = afxdp_attachment_may_heal (error)
      ? now + (soon ? BUSY_INTERVAL : BIND_INTERVAL)
      : AFXDP_NEVER;
}

/* Why a queue where the stream shows has no ring, or NULL. */
static const GError *
queue_error (const AfxdpMember *member)
{
  for (guint queue = 0; queue < member->n_queues; queue++)
    if (member->retries[queue].error)
      return member->retries[queue].error;
  return NULL;
}

static void
read_napi_ids (AfxdpMember *member)
{
  const AfxdpFastDoor *door = &member->door;

  for (guint i = 0; i < door->n_rings; i++)
    atomic_store (&member->napi_ids[door->rings[i].queue],
        afxdp_xsk_napi_id (door->rings[i].xsk));
}

/* Returns whether there was anything to do. */
static gboolean
bind_queue (AfxdpMember *member, guint queue, guint64 now)
{
  AfxdpQueueRetry *retry = &member->retries[queue];
  GError *error = NULL;

  if (has_ring (member, queue) || !shows_on (member, queue) || now < retry->at)
    return FALSE;
  if (add_ring (member, queue, &error))
    g_clear_error (&retry->error);
  else
    put_off (member, queue, error, now);
  return TRUE;
}

gboolean
afxdp_member_bind (AfxdpMember *member, guint64 now)
{
  gboolean changed = FALSE;

  if (member->settings.busy_poll)
    read_napi_ids (member);
  member->bind_at = AFXDP_NEVER;
  if (!member->interface->attachment.attached || member->slot < 0)
    return FALSE;
  for (guint queue = 0; queue < member->n_queues; queue++) {
    if (member->door.n_rings == AFXDP_STREAM_QUEUES)
      break;
    changed |= bind_queue (member, queue, now);
    if (member->retries[queue].error)
      member->bind_at = MIN (member->bind_at, member->retries[queue].at);
  }
  return changed;
}

/* Slot. */

/* A slot, and what the program has counted on it so far. */
static void
take_slot (AfxdpMember *member)
{
  AfxdpEngine *engine = member->interface->attachment.engine;
  gint slot;

  if (!engine || member->slot >= 0 || member->error ||
      member->settings.socket_only)
    return;
  g_clear_error (&member->slot_error);
  slot = afxdp_engine_take_slot (
      engine, member->settings.sources, &member->slot_error);
  if (slot < 0)
    return;
  for (guint queue = 0; queue < member->n_queues; queue++)
    member->base[queue] = *afxdp_engine_words (engine, slot, queue);
  atomic_store (&member->slot, slot);
}

/* The stream's account cannot be opened before there is an area. */
static void
open_account (AfxdpMember *member)
{
  AfxdpEngine *engine = member->interface->attachment.engine;

  if (!engine || member->door.account)
    return;
  member->door.umem = afxdp_umem_ref (afxdp_engine_umem (engine));
  member->door.account = afxdp_account_new (member->door.umem);
}

void
afxdp_member_settle_in (AfxdpMember *member)
{
  take_slot (member);
  open_account (member);
}

gboolean
afxdp_member_is_quiet (const AfxdpMember *member)
{
  guint ticket = afxdp_subscription_grace_wanted (member->subscription);

  for (guint i = 0; i < member->door.n_rings; i++)
    if (afxdp_ring_door (&member->door.rings[i]) != AFXDP_DOOR_CLOSED)
      return FALSE;
  return !member->door.n_rings ||
      (ticket && afxdp_subscription_grace_over (member->subscription, ticket));
}

void
afxdp_member_give_up_slot (AfxdpMember *member)
{
  AfxdpFastDoor *door = &member->door;

  if (member->slot < 0)
    return;
  for (guint queue = 0; queue < member->n_queues; queue++)
    afxdp_member_queue_counts (member, queue, &member->before[queue]);
  member->drained =
      afxdp_engine_free_slot (member->interface->attachment.engine,
          member->slot, door->rings, door->n_rings, &member->lost);
  door->n_rings = 0;
  member->slot = -1;
}

/* What is published. */

static GError *
contest_error (const AfxdpMember *member)
{
  return g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      g_inet_address_get_is_multicast (member->settings.address)
          ? "Another afxdpsrc of this process receives the same address and "
            "port; both receive it through their sockets while that is so"
          : "Another afxdpsrc of this process receives the same address and "
            "port; the kernel gives each packet to one of their sockets while "
            "that is so");
}

/* Why the door cannot be open, or NULL. */
static GError *
find_obstacle (const AfxdpMember *member)
{
  const AfxdpAttachment *attachment = &member->interface->attachment;
  const gchar *interface = member->interface->netdev.name;

  if (member->settings.socket_only)
    return g_error_new (
        AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "mode=socket was asked for");
  if (!attachment->attached && attachment->error)
    return g_error_copy (attachment->error);
  if (member->error)
    return g_error_copy (member->error);
  if (member->slot_error)
    return g_error_copy (member->slot_error);
  if (!member->door.n_rings && queue_error (member))
    return g_error_copy (queue_error (member));
  if (is_contested (member))
    return contest_error (member);
  if (member->interface->flows_error && !has_a_flow (member))
    return g_error_copy (member->interface->flows_error);
  if (!member->keys->len)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "%s has no address of this kind", interface);
  if (attachment->swapping)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The driver of %s has no room for XDP metadata; going over to the "
        "program without it",
        interface);
  return NULL;
}

static void
describe (AfxdpMember *member)
{
  const AfxdpAttachment *attachment = &member->interface->attachment;
  const gchar *interface = member->interface->netdev.name;
  AfxdpFastDoor *door = &member->door;

  g_clear_error (&door->error);
  g_clear_pointer (&door->note, g_free);
  door->error = find_obstacle (member);
  if (door->error) {
    door->state = AFXDP_FAST_DOOR_FAILED;
  } else if (!door->n_rings) {
    door->state = AFXDP_FAST_DOOR_WAITING;
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "Waiting for the stream to show on an RX queue of %s", interface);
  } else if (member->unseen) {
    door->state = AFXDP_FAST_DOOR_WAITING;
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "The XDP program on %s is attached, but does not see the stream's "
        "packets: they have IP options or a VLAN tag, are fragments or sent by "
        "this host, or the driver takes them past it; they come through the "
        "socket",
        interface);
  } else if (member->only_elsewhere) {
    door->state = AFXDP_FAST_DOOR_WAITING;
    door->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The stream arrives on RX queue %d of %s, and queue=%d keeps AF_XDP to "
        "another one; its packets come through the socket",
        member->elsewhere, interface, member->settings.queue);
  } else {
    door->state = AFXDP_FAST_DOOR_READY;
    if (queue_error (member))
      door->note = g_strdup_printf (
          "not on all RX queues: %s", queue_error (member)->message);
    else if (member->elsewhere >= 0)
      door->note = g_strdup_printf (
          "packets that arrive on RX queue %d come through the socket, since "
          "queue=%d",
          member->elsewhere, member->settings.queue);
  }
  if (attachment->attached) {
    door->xdp_mode = afxdp_engine_xdp_mode (attachment->engine);
    door->metadata = afxdp_engine_has_metadata (attachment->engine);
    door->zero_copy = afxdp_engine_is_zero_copy (attachment->engine);
  }
}

void
afxdp_member_publish (AfxdpMember *member)
{
  describe (member);
  afxdp_subscription_publish (member->subscription, &member->door);
}
