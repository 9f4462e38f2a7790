/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream: its two doors, and which of their packets comes next. */
#include "stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "bell.h"
#include "clock.h"
#include "doors.h"
#include "error.h"
#include "idle.h"
#include "order.h"
#include "places.h"
#include "socket.h"

#define US G_GUINT64_CONSTANT (1000)

/* With the fast door open and busy, the socket is looked at this seldom without
 * a reason: most of its packets come with one. */
#define BATCHES_BETWEEN_LOOKS 16
/* With mode=af-xdp: the kernel may not yet have released a queue. */
#define START_TIMEOUT_MS 1500

struct _AfxdpStream
{
  AfxdpStreamSettings settings; /* its pointers are not to be used */
  GInetAddress *address;
  AfxdpSources *sources;
  AfxdpDestination destination;
  AfxdpPlaces places;
  AfxdpSocket *socket;
  gboolean opened; /* all went well */
  AfxdpAccount *socket_account;
  AfxdpMember *member; /* that of places which has a fast door, or NULL */
  atomic_bool woken;
  atomic_bool paused; /* woken since the last receive(), or not begun */
  atomic_uint skip;   /* bytes in front of RTP */

  /* The streaming thread's own. */
  AfxdpDoors doors;
  AfxdpIdle idle;
  gboolean slow_due;          /* there may be something in the socket */
  guint batches;              /* since the last look or rest */
  guint64 passed, redirected; /* sums at the last look */

  AfxdpDrops drops;
  guint64 interface_drops; /* that the interface counted, */
  guint64 interface_asked; /* and when */

  AfxdpLane *handed_out; /* batch between receive() and done() */
  guint n_handed_out;
  AfxdpAccount *account; /* that its frames are lent from */
  guint lendable;        /* reserved in account, not yet lent */

  _Atomic guint64 malformed;
  guint64 discarded;
};

/* Doors. */

void
afxdp_stream_close_door (AfxdpStream *stream)
{
  if (stream->doors.open)
    afxdp_doors_close (&stream->doors);
  if (stream->doors.lanes[0].paused)
    return;
  /* What was dropped until now is not the pause's. */
  afxdp_lane_look_for_drops (&stream->doors.lanes[0], FALSE);
  stream->doors.lanes[0].paused = TRUE;
}

gboolean
afxdp_stream_door_changed (AfxdpStream *stream, AfxdpDoorChange *change)
{
  if (!stream->doors.changed)
    return FALSE;
  stream->doors.changed = FALSE;
  afxdp_door_change_copy (change, &stream->doors.change);
  return TRUE;
}

/* Looking into the lanes. */

/* Packets by the socket although the program should have redirected them, and it
 * has passed none on the queues that we know: do they come on another one? And
 * if it has redirected none either: does it still run? */
static void
doubt (AfxdpStream *stream, guint64 passed, guint64 redirected)
{
  AfxdpDoubts doubts = 0;

  if (stream->doors.fast.state == AFXDP_FAST_DOOR_WAITING ||
      (stream->doors.open && !stream->doors.settling &&
          passed == stream->passed))
    doubts = AFXDP_DOUBT_QUEUE;
  if (doubts && redirected == stream->redirected)
    doubts |= AFXDP_DOUBT_PROGRAM;
  if (doubts)
    afxdp_subscription_doubt (stream->doors.subscription, doubts);
}

static void
look_into_rings (AfxdpStream *stream)
{
  guint skip = atomic_load_explicit (&stream->skip, memory_order_relaxed);

  for (guint i = 1; i < stream->doors.n_lanes; i++) {
    AfxdpLane *lane = &stream->doors.lanes[i];

    if (afxdp_lane_is_empty (lane))
      atomic_fetch_add_explicit (&stream->malformed,
          afxdp_lane_read_ring (
              lane, &stream->destination, stream->doors.fast.metadata, skip),
          memory_order_relaxed);
  }
}

static void
look (AfxdpStream *stream)
{
  guint64 passed = 0, redirected = 0;
  guint skip = atomic_load_explicit (&stream->skip, memory_order_relaxed);
  AfxdpLane *slow = &stream->doors.lanes[0];

  look_into_rings (stream);
  for (guint i = 1; i < stream->doors.n_lanes; i++) {
    const struct afxdp_slot *words = stream->doors.lanes[i].ring->words;

    passed += afxdp_ring_word (&words->passed);
    redirected += afxdp_ring_word (&words->redirected);
  }
  if (!afxdp_lane_is_empty (slow))
    return;
  if (!stream->slow_due && !stream->doors.settling &&
      passed == stream->passed &&
      (!stream->doors.open || ++stream->batches < BATCHES_BETWEEN_LOOKS))
    return;
  atomic_fetch_add_explicit (&stream->malformed,
      afxdp_lane_read_socket (slow, skip), memory_order_relaxed);
  stream->batches = 0;
  stream->slow_due = !slow->dry;
  if (slow->end && stream->doors.subscription)
    doubt (stream, passed, redirected);
  stream->passed = passed;
  stream->redirected = redirected;
  /* A ring that was empty may have filled up before these came: a credit can be
   * used up between two looks. */
  if (slow->end)
    look_into_rings (stream);
}

/* What never came. */

AfxdpDrops *
afxdp_stream_drops (AfxdpStream *stream)
{
  return &stream->drops;
}

static guint64
look_at_interface (AfxdpStream *stream, guint64 wanted)
{
  guint64 n;
  guint64 asked = afxdp_subscription_interface_drops (
      stream->doors.subscription, wanted, &n);

  if (asked == stream->interface_asked)
    return asked;
  if (stream->interface_asked && n > stream->interface_drops)
    afxdp_drops_add (&stream->drops, AFXDP_COLUMN_NIC,
        n - stream->interface_drops, stream->interface_asked, afxdp_now ());
  stream->interface_drops = n;
  stream->interface_asked = asked;
  return asked;
}

guint64
afxdp_stream_look_for_drops (AfxdpStream *stream, guint64 wanted)
{
  guint64 known;

  if (atomic_load (&stream->paused))
    stream->doors.lanes[0].paused = TRUE;
  known = afxdp_doors_look_for_drops (&stream->doors);
  /* Without a subscription there is no interface that could be asked. */
  return stream->doors.subscription
      ? MIN (known, look_at_interface (stream, wanted))
      : known;
}

/* What is handed out. */

/* Whether something is missing between what was handed out last and lane's first
 * packet, which may have come by the socket. */
static gboolean
skips_one (const AfxdpStream *stream, const AfxdpLane *lane)
{
  const AfxdpDoors *doors = &stream->doors;

  return lane->ring && doors->has_last &&
      afxdp_order_skips (&afxdp_lane_head (lane)->rtp, &doors->last);
}

/* How many packets of lane to hand out: up to a gap, of which the other door may
 * know. */
static guint
run_length (AfxdpStream *stream, const AfxdpLane *lane, guint max)
{
  guint n =
      afxdp_order_run (stream->doors.lanes, stream->doors.n_lanes, lane, max);
  guint before_gap;

  if (stream->doors.n_lanes == 1)
    return n;
  before_gap = afxdp_order_before_gap (afxdp_lane_head (lane), n);
  if (before_gap < n)
    stream->slow_due = TRUE;
  return before_gap;
}

static void
hand_out (AfxdpStream *stream, AfxdpLane *lane, guint max, AfxdpBatch *batch)
{
  guint n = run_length (stream, lane, max);
  guint share, held;

  batch->packets = &lane->packets[lane->first];
  batch->n = n;
  batch->door = lane->ring ? AFXDP_DOOR_FAST : AFXDP_DOOR_SLOW;
  batch->umem = lane->ring ? lane->umem : NULL;
  stream->handed_out = lane;
  stream->n_handed_out = n;
  afxdp_idle_over (&stream->idle, n);

  if (lane->ring) {
    stream->account = stream->doors.fast.account;
    share = afxdp_subscription_share (stream->doors.subscription);
  } else {
    stream->account = stream->socket_account;
    share = afxdp_umem_n_frames (afxdp_socket_umem (stream->socket)) -
        afxdp_socket_n_armed (stream->socket) - stream->settings.batch;
  }
  held = afxdp_account_held (stream->account);
  stream->lendable = held < share ? MIN (n, share - held) : 0;
  /* Others wait for frames: these are copied, and go back to the kernel. */
  if (lane->ring && afxdp_umem_is_short (lane->umem, n))
    stream->lendable = 0;
  afxdp_account_reserve (stream->account, stream->lendable);
}

/* Nobody has read for a while. */
static void
resume (AfxdpStream *stream)
{
  atomic_store (&stream->paused, FALSE);
  stream->doors.lanes[0].paused = TRUE;
  stream->slow_due = TRUE;
  /* What the interface dropped meanwhile is not this stream's. */
  stream->interface_asked = 0;
}

/* Until there may be something. FALSE: deadline was over before. */
static gboolean
rest (AfxdpStream *stream, guint64 deadline)
{
  stream->batches = 0;
  return afxdp_idle_until (
      &stream->idle, &stream->doors, deadline, &stream->slow_due);
}

gboolean
afxdp_stream_receive (
    AfxdpStream *stream, AfxdpBatch *batch, guint max, guint64 deadline)
{
  AfxdpDoors *doors = &stream->doors;

  do {
    gboolean grace_over;
    AfxdpLane *lane;

    if (atomic_load_explicit (&stream->woken, memory_order_relaxed))
      return FALSE;
    if (G_UNLIKELY (
            atomic_load_explicit (&stream->paused, memory_order_relaxed)))
      resume (stream);
    afxdp_doors_follow (doors);
    grace_over = afxdp_doors_grace_over (doors);
    look (stream);
    if (afxdp_doors_follow_program (doors))
      grace_over = FALSE;
    afxdp_doors_try_to_settle (doors, grace_over);
    lane = afxdp_doors_next_lane (doors);
    if (lane && skips_one (stream, lane)) {
      stream->slow_due = TRUE;
      look (stream);
      lane = afxdp_doors_next_lane (doors);
    }
    if (lane) {
      hand_out (stream, lane, max, batch);
      return TRUE;
    }
  } while (!doors->changed && rest (stream, deadline));
  return FALSE;
}

AfxdpUmem *
afxdp_stream_lend (AfxdpStream *stream, AfxdpPacket *packet)
{
  if (!stream->lendable || packet->frame == AFXDP_NO_FRAME)
    return NULL;
  stream->lendable--;
  afxdp_account_lend (stream->account, packet->frame);
  packet->frame = AFXDP_NO_FRAME;
  return afxdp_account_umem (stream->account);
}

void
afxdp_stream_done (AfxdpStream *stream)
{
  AfxdpLane *lane = stream->handed_out;
  AfxdpPacket *packets = &lane->packets[lane->first];
  guint32 frames[AFXDP_LARGEST_BATCH];
  guint n = 0;

  for (guint i = 0; i < stream->n_handed_out; i++)
    if (packets[i].frame != AFXDP_NO_FRAME)
      frames[n++] = packets[i].frame;
  if (n)
    afxdp_umem_give (lane->umem, frames, n);
  afxdp_account_unreserve (stream->account, stream->lendable);
  stream->doors.last = packets[stream->n_handed_out - 1].rtp;
  stream->doors.has_last = TRUE;
  lane->first += stream->n_handed_out;
  stream->handed_out = NULL;
}

void
afxdp_stream_set_skip (AfxdpStream *stream, guint skip)
{
  atomic_store_explicit (&stream->skip, skip, memory_order_relaxed);
}

void
afxdp_stream_wake (AfxdpStream *stream)
{
  atomic_store (&stream->paused, TRUE);
  atomic_store (&stream->woken, TRUE);
  afxdp_bell_ring (stream->idle.bell);
}

void
afxdp_stream_unwake (AfxdpStream *stream)
{
  atomic_store (&stream->woken, FALSE);
}

void
afxdp_stream_counts_clear (AfxdpStreamCounts *counts)
{
  g_clear_pointer (&counts->queues, g_array_unref);
}

static GArray *
count_queues (AfxdpStream *stream)
{
  GArray *queues = g_array_new (FALSE, FALSE, sizeof (AfxdpQueueCounts));
  guint n = stream->member ? stream->member->n_queues : 0;

  for (guint queue = 0; queue < n; queue++) {
    AfxdpQueueCounts counts;

    afxdp_member_queue_counts (stream->member, queue, &counts);
    if (counts.bound || counts.redirected || counts.passed || counts.filtered)
      g_array_append_val (queues, counts);
  }
  return queues;
}

void
afxdp_stream_counts (AfxdpStream *stream, AfxdpStreamCounts *counts)
{
  AfxdpUmem *own = afxdp_socket_umem (stream->socket);
  guint n_frames = 0, n_home = 0;

  if (stream->member)
    afxdp_member_frames (stream->member, &n_frames, &n_home);
  counts->malformed = atomic_load (&stream->malformed);
  counts->discarded = stream->discarded;
  counts->n_frames = n_frames + afxdp_umem_n_frames (own);
  counts->n_frames_free = n_home + afxdp_umem_n_frames (own) -
      afxdp_account_held (stream->socket_account);
  counts->queues = count_queues (stream);
}

guint
afxdp_stream_buffer_size (const AfxdpStream *stream)
{
  return afxdp_socket_buffer_size (stream->socket);
}

GSocket *
afxdp_stream_gsocket (const AfxdpStream *stream)
{
  return afxdp_socket_gsocket (stream->socket);
}

guint16
afxdp_stream_port (const AfxdpStream *stream)
{
  return stream->settings.port;
}

const AfxdpNetdev *
afxdp_stream_netdev (const AfxdpStream *stream)
{
  return stream->places.n == 1 ? stream->places.netdevs : NULL;
}

/* Beginning and end. */

static gboolean
joins_group (const AfxdpStream *stream)
{
  return stream->settings.auto_multicast &&
      g_inet_address_get_is_multicast (stream->address);
}

static gboolean
open_slow_door (
    AfxdpStream *stream, const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpSocketSettings socket_settings = {
    .address = stream->address,
    .port = settings->port,
    .netdevs = stream->places.netdevs,
    .n_netdevs = stream->places.n,
    .sources = stream->sources,
    .joins = joins_group (stream),
    .exclusive = settings->exclusive,
    .no_loop = settings->no_loop,
    .buffer_size = settings->buffer_size,
    .busy_poll = settings->busy_poll,
    .batch = settings->batch,
    .given = settings->socket,
  };

  stream->socket = afxdp_socket_new (&socket_settings, error);
  if (!stream->socket)
    return FALSE;
  stream->settings.port = afxdp_socket_port (stream->socket);
  stream->socket_account =
      afxdp_account_new (afxdp_socket_umem (stream->socket));
  afxdp_doors_init (
      &stream->doors, stream->socket, settings->batch, &stream->drops);
  stream->destination.port = stream->settings.port;
  stream->destination.scope = stream->places.netdevs->index;
  return TRUE;
}

static void
set_member (AfxdpStream *stream, AfxdpMember *member)
{
  stream->member = member;
  stream->discarded += afxdp_doors_change_interface (
      &stream->doors, afxdp_member_subscription (member), member->netdev.name);
  stream->passed = stream->redirected = 0;
  stream->interface_asked = 0;
}

/* NULL: there may be a fast door. */
static const gchar *
why_only_socket (const AfxdpStream *stream)
{
  if (!stream->places.n)
    return "The address is not a particular one; set multicast-iface to "
           "receive for the addresses of an interface through AF_XDP, or "
           "multicast-group or address";
  if (stream->places.n > 1)
    return "multicast-iface names several interfaces, and AF_XDP receives from "
           "one; use an element for each of them";
  if (afxdp_socket_is_connected (stream->socket))
    return "The socket that was given is connected, and receives from its peer "
           "alone, which only the kernel can tell";
  return NULL;
}

static gboolean
look_for_fast_door (
    AfxdpStream *stream, const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpMemberSettings member_settings = {
    .address = stream->address,
    .port = stream->settings.port, /* not 0 any more */
    .sources = stream->sources,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .umem_frames = settings->umem_frames,
    .queue = settings->queue,
    .ring_size = settings->ring_size,
    .batch = settings->batch,
    .busy_poll = settings->busy_poll > 0,
    .socket_only = settings->mode == AFXDP_MODE_SOCKET,
  };
  const gchar *reason = why_only_socket (stream);

  if (reason) {
    stream->doors.slow_reason = g_strdup (reason);
    member_settings.socket_only = TRUE;
    if (settings->mode != AFXDP_MODE_AF_XDP)
      return afxdp_places_join (
          &stream->places, &member_settings, stream->idle.bell, error);
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "%s",
        stream->doors.slow_reason);
    return FALSE;
  }
  if (!afxdp_places_join (
          &stream->places, &member_settings, stream->idle.bell, error))
    return FALSE;
  set_member (stream, afxdp_places_member (&stream->places, 0));
  return settings->mode != AFXDP_MODE_AF_XDP ||
      afxdp_subscription_wait (
          stream->doors.subscription, START_TIMEOUT_MS, error);
}

AfxdpStream *
afxdp_stream_new (const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpStream *stream = g_new0 (AfxdpStream, 1);
  AfxdpStreamCounts counts = { 0 };
  AfxdpDrops drops = { 0 };

  stream->settings = *settings;
  stream->address = g_object_ref (settings->address);
  stream->sources = afxdp_sources_ref (settings->sources);
  if (afxdp_sources_kind (stream->sources) != AFXDP_SOURCES_ANY)
    stream->destination.sources = stream->sources;
  stream->destination.version =
      g_inet_address_get_family (settings->address) == G_SOCKET_FAMILY_IPV6 ? 6
                                                                            : 4;
  memcpy (stream->destination.address,
      g_inet_address_to_bytes (settings->address),
      g_inet_address_get_native_size (settings->address));
  stream->destination.verifies = settings->verify_checksum;
  stream->destination.any = g_inet_address_get_is_any (settings->address);
  stream->idle.coalesce.longest = settings->coalesce;
  stream->idle.busy_poll = settings->busy_poll * US;
  stream->idle.bell = afxdp_bell_new ();
  atomic_store (&stream->paused, TRUE);
  atomic_init (&stream->skip, settings->skip);
  /* The fast door before the join: attaching resets most NICs. */
  if (stream->idle.bell < 0)
    afxdp_error_set (error, errno, "Could not create an eventfd");
  else if (afxdp_places_find (&stream->places, settings->interfaces,
               settings->socket, stream->address, error) &&
      open_slow_door (stream, settings, error) &&
      look_for_fast_door (stream, settings, error) &&
      (!joins_group (stream) || afxdp_socket_join (stream->socket, error)))
    stream->opened = TRUE;
  if (stream->opened)
    return stream;
  afxdp_stream_close (stream, &counts, &drops);
  afxdp_stream_counts_clear (&counts);
  return NULL;
}

/* Whether the socket goes back to its owner, with what it holds. */
static gboolean
returns_socket (const AfxdpStream *stream)
{
  return stream->settings.socket &&
      (stream->settings.keep_open || !stream->opened);
}

/* What came to the socket and nobody will read. */
static void
discard_socket (AfxdpStream *stream)
{
  AfxdpLane *lane = &stream->doors.lanes[0];
  guint64 now = afxdp_now ();

  lane->paused = TRUE;
  do {
    stream->malformed += afxdp_lane_read_socket (lane, 0);
    stream->discarded += afxdp_lane_discard (lane);
  } while (!lane->dry && lane->last_arrival < now);
  lane->paused = TRUE;
  afxdp_lane_look_for_drops (lane, FALSE);
}

/* What was lost on its way to the rings. */
static void
add_loss (AfxdpDrops *drops, const AfxdpXskLoss *loss)
{
  guint64 now = afxdp_now ();

  if (loss->rx_ring)
    afxdp_drops_add (drops, AFXDP_COLUMN_RX_RING, loss->rx_ring, now, now);
  if (loss->fill_ring)
    afxdp_drops_add (drops, AFXDP_COLUMN_FILL_RING, loss->fill_ring, now, now);
  if (loss->redirect)
    afxdp_drops_add (drops, AFXDP_COLUMN_REDIRECT, loss->redirect, now, now);
}

/* What was still on its way to the stream is counted. */
static void
leave_distributor (AfxdpStream *stream, AfxdpMember *member)
{
  afxdp_distributor_leave (member);
  stream->discarded += member->drained;
  add_loss (&stream->drops, &member->lost);
}

/* An interface that was removed and came again. */

gboolean
afxdp_stream_is_left_behind (const AfxdpStream *stream)
{
  return afxdp_places_left_behind (&stream->places);
}

/* Interface i has come again, and the stream is a member there. */
static gboolean
go_over (AfxdpStream *stream, guint i, AfxdpMember *member, GError **error)
{
  AfxdpMember *former = afxdp_places_member (&stream->places, i);

  if (former == stream->member)
    set_member (stream, member);
  leave_distributor (stream, former);
  afxdp_places_replace (&stream->places, i, member);
  stream->destination.scope = stream->places.netdevs->index;
  return afxdp_socket_move (stream->socket, i, &member->netdev, error);
}

gboolean
afxdp_stream_catch_up (AfxdpStream *stream, GError **error)
{
  gboolean joined = TRUE;

  for (guint i = 0; i < afxdp_places_n_members (&stream->places); i++) {
    AfxdpMember *member = afxdp_distributor_take_successor (
        afxdp_places_member (&stream->places, i));

    if (member)
      joined &= go_over (stream, i, member, joined ? error : NULL);
  }
  return joined;
}

void
afxdp_stream_close (
    AfxdpStream *stream, AfxdpStreamCounts *counts, AfxdpDrops *drops)
{
  stream->discarded += afxdp_doors_discard (&stream->doors);
  for (guint i = 0; i < afxdp_places_n_members (&stream->places); i++)
    leave_distributor (stream, afxdp_places_member (&stream->places, i));
  if (stream->socket) {
    if (!returns_socket (stream))
      discard_socket (stream);
    afxdp_stream_counts (stream, counts);
  }
  *drops = stream->drops;
  afxdp_doors_clear (&stream->doors);
  afxdp_places_clear (&stream->places);

  afxdp_account_close (stream->socket_account);
  if (stream->socket && returns_socket (stream))
    afxdp_socket_keep_open (stream->socket);
  afxdp_socket_free (stream->socket);
  if (stream->idle.bell >= 0)
    close (stream->idle.bell);
  g_object_unref (stream->address);
  afxdp_sources_unref (stream->sources);
  g_free (stream);
}
