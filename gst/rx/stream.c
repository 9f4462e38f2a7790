/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream: its two doors, and which of their packets comes next. */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "lane.h"
#include "socket.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* With the fast door open and busy, the socket is looked at this seldom without
 * a reason: most of its packets come with one. */
#define BATCHES_BETWEEN_LOOKS 16
/* Nobody waits longer than this for the order of two doors. */
#define LONGEST_SETTLING (100 * MS)
/* While doors change places, what poll() does not tell is looked at. */
#define SETTLING_TICK (1 * MS)
/* Between two times that a credit used up is told. */
#define EXHAUSTED_INTERVAL (100 * MS)
/* With mode=af-xdp: the kernel may not yet have released a queue. */
#define START_TIMEOUT_MS 1500

typedef enum
{
  SLOW_SIDE,
  FAST_SIDE,
  NO_SIDE, /* the doors changed places again before the order was certain */
} Side;

struct _AfxdpStream
{
  AfxdpStreamSettings settings; /* its pointers are not to be used */
  GInetAddress *address;
  AfxdpSources *sources;
  AfxdpDestination destination;
  gboolean has_netdev;
  AfxdpNetdev netdev;
  AfxdpSocket *socket;
  AfxdpAccount *socket_account;
  AfxdpSubscription *subscription; /* NULL: there is only the socket */
  gchar *slow_reason;              /* why, then */
  int wake;
  atomic_bool woken;

  /* The streaming thread's own. */
  AfxdpFastDoor fast;
  guint version;                            /* of fast */
  AfxdpLane lanes[1 + AFXDP_STREAM_QUEUES]; /* the first is the socket's */
  guint n_lanes;

  gboolean open;      /* our word on it; the program may know better */
  gboolean exhausted; /* closed because the credit was used up */
  gboolean settling;  /* the doors change places: the order is not certain */
  Side first;         /* whose packets are older, while settling */
  guint grace;        /* ticket: after it, first has got all it will get */
  guint64 settle_by;
  guint64 tell_exhausted_at;  /* not again before */
  gboolean slow_due;          /* there may be something in the socket */
  guint batches;              /* since the last look */
  guint64 passed, redirected; /* sums at the last look */
  gboolean has_last;
  AfxdpRtp last; /* of the packet handed out last */

  AfxdpLane *handed_out; /* batch between receive() and done() */
  guint n_handed_out;
  AfxdpAccount *account; /* that its frames are lent from */
  guint lendable;        /* reserved in account, not yet lent */

  AfxdpDoorChange change; /* what was told, or is to be */
  gboolean changed;

  _Atomic guint64 malformed;
  guint64 discarded;
};

static guint64
clock_ns (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * (1000 * MS) + time.tv_nsec;
}

/* What is told of the doors. */

void
afxdp_door_change_clear (AfxdpDoorChange *change)
{
  g_clear_pointer (&change->reason, g_free);
  g_clear_error (&change->error);
}

static void tell (AfxdpStream *stream, AfxdpDoor door, const GError *error,
    const gchar *format, ...) G_GNUC_PRINTF (4, 5);

static void
tell (AfxdpStream *stream, AfxdpDoor door, const GError *error,
    const gchar *format, ...)
{
  AfxdpDoorChange *change = &stream->change;
  g_autofree gchar *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  if (change->door == door && !g_strcmp0 (change->reason, reason))
    return;
  afxdp_door_change_clear (change);
  change->door = door;
  change->xdp_mode = stream->fast.xdp_mode;
  change->zero_copy = stream->fast.zero_copy;
  change->n_queues = stream->fast.n_rings;
  for (guint i = 0; i < stream->fast.n_rings; i++)
    change->queues[i] = stream->fast.rings[i].queue;
  change->reason = g_steal_pointer (&reason);
  change->error = error ? g_error_copy (error) : NULL;
  stream->changed = TRUE;
}

gboolean
afxdp_stream_door_changed (AfxdpStream *stream, AfxdpDoorChange *change)
{
  if (!stream->changed)
    return FALSE;
  stream->changed = FALSE;
  *change = stream->change;
  change->reason = g_strdup (stream->change.reason);
  if (change->error)
    change->error = g_error_copy (change->error);
  return TRUE;
}

/* Opening and closing: one store for each ring. */

static Side
side_of (const AfxdpLane *lane)
{
  return lane->ring ? FAST_SIDE : SLOW_SIDE;
}

/* From here on packets of both sides may be on their way at the same time, and
 * those of first are the older ones. */
static void
begin_settling (AfxdpStream *stream, Side first)
{
  stream->first = stream->settling && stream->first != first ? NO_SIDE : first;
  stream->settling = TRUE;
  stream->grace = afxdp_subscription_request_grace (stream->subscription);
  stream->settle_by = clock_ns (CLOCK_MONOTONIC) + LONGEST_SETTLING;
}

static void
set_doors (AfxdpStream *stream, enum afxdp_door door)
{
  for (guint i = 0; i < stream->fast.n_rings; i++)
    __atomic_store_n (
        &stream->fast.rings[i].words->door, door, __ATOMIC_RELAXED);
}

static void
open_fast_door (AfxdpStream *stream)
{
  const gchar *mode =
      stream->fast.xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic" : "native";

  stream->exhausted = FALSE;
  stream->open = TRUE;
  set_doors (stream, AFXDP_DOOR_OPEN);
  begin_settling (stream, SLOW_SIDE);
  tell (stream, AFXDP_DOOR_FAST, NULL,
      "The XDP program on %s redirects the stream (%s mode, %s)",
      stream->netdev.name, mode, stream->fast.zero_copy ? "zero-copy" : "copy");
}

static void
close_fast_door (AfxdpStream *stream)
{
  stream->open = FALSE;
  set_doors (stream, AFXDP_DOOR_CLOSED);
  begin_settling (stream, FAST_SIDE);
}

void
afxdp_stream_close_door (AfxdpStream *stream)
{
  if (stream->open)
    close_fast_door (stream);
}

/* At an overload the door closes and opens hundreds of times in a second; ten of
 * them tell as much. */
static void
tell_exhausted (AfxdpStream *stream)
{
  guint64 now = clock_ns (CLOCK_MONOTONIC);

  if (now < stream->tell_exhausted_at)
    return;
  stream->tell_exhausted_at = now + EXHAUSTED_INTERVAL;
  tell (stream, AFXDP_DOOR_SLOW, NULL,
      "The pipeline took packets more slowly than they came, until its part of "
      "the frames was used up; the next ones wait in the socket");
}

static gboolean
is_exhausted (const AfxdpStream *stream)
{
  for (guint i = 0; i < stream->fast.n_rings; i++)
    if (__atomic_load_n (&stream->fast.rings[i].words->door,
            __ATOMIC_RELAXED) == AFXDP_DOOR_EXHAUSTED)
      return TRUE;
  return FALSE;
}

/* Whether the rings have room enough again to be worth opening, and nothing that
 * was redirected is still on its way: it is older than what the socket got. */
static gboolean
has_recovered (const AfxdpStream *stream)
{
  for (guint i = 0; i < stream->fast.n_rings; i++) {
    const AfxdpRing *ring = &stream->fast.rings[i];
    guint credit = __atomic_load_n (&ring->words->credit, __ATOMIC_RELAXED);
    guint64 out = __atomic_load_n (&ring->words->redirected, __ATOMIC_RELAXED) -
        __atomic_load_n (&ring->words->released, __ATOMIC_RELAXED);

    if (out > credit / 2 || out > afxdp_xsk_n_waiting (ring->xsk))
      return FALSE;
  }
  return TRUE;
}

static gboolean
side_is_empty (const AfxdpStream *stream, Side side)
{
  if (side == NO_SIDE)
    return TRUE;
  if (side == SLOW_SIDE)
    return afxdp_lane_is_empty (&stream->lanes[0]) && stream->lanes[0].dry;
  for (guint i = 1; i < stream->n_lanes; i++) {
    const AfxdpLane *lane = &stream->lanes[i];

    if (!afxdp_lane_is_empty (lane) || afxdp_xsk_n_waiting (lane->ring->xsk))
      return FALSE;
  }
  return TRUE;
}

/* With the door closed, a grace period over and the rings empty, what is still
 * missing was lost, and would use up credit for ever. */
static void
forget_lost (AfxdpStream *stream)
{
  if (stream->open ||
      !afxdp_subscription_grace_over (stream->subscription, stream->grace) ||
      !side_is_empty (stream, FAST_SIDE))
    return;
  for (guint i = 1; i < stream->n_lanes; i++)
    afxdp_lane_forget_lost (&stream->lanes[i]);
}

/* Reads what the distributor published. Returns whether there are new rings. */
static gboolean
read_fast_door (AfxdpStream *stream)
{
  guint version = afxdp_subscription_version (stream->subscription);
  guint n_lanes = stream->n_lanes;

  if (version == stream->version)
    return FALSE;
  stream->version = version;
  afxdp_fast_door_clear (&stream->fast);
  afxdp_subscription_read (stream->subscription, &stream->fast);
  /* Rings are only ever added, at the end. */
  for (; stream->n_lanes < 1 + stream->fast.n_rings; stream->n_lanes++)
    afxdp_lane_init_ring (&stream->lanes[stream->n_lanes],
        &stream->fast.rings[stream->n_lanes - 1], stream->fast.umem,
        stream->settings.batch);
  return stream->n_lanes > n_lanes;
}

/* Closes the door behind the program, when that has used up the credit. Asked
 * again after looking: what it passed since may be in the socket before what it
 * redirected is in the ring, since the stack gets its packets in the midst of a
 * poll and rings at its end (Linux 6.18, veth_poll()). */
static gboolean
follow_program (AfxdpStream *stream)
{
  if (!stream->open || !is_exhausted (stream))
    return FALSE;
  stream->exhausted = TRUE;
  close_fast_door (stream);
  tell_exhausted (stream);
  return TRUE;
}

static void
follow_distributor (AfxdpStream *stream)
{
  gboolean ready, new_rings;

  if (!stream->subscription) {
    tell (stream, AFXDP_DOOR_SLOW, NULL, "%s", stream->slow_reason);
    return;
  }
  new_rings = read_fast_door (stream);
  forget_lost (stream);
  ready = stream->fast.state == AFXDP_FAST_DOOR_READY;
  if (stream->open && !ready) {
    close_fast_door (stream);
  } else if (follow_program (stream)) {
    /* Not open again before it has been closed for a while. */
  } else if (ready && stream->exhausted) {
    /* Not when the socket is empty: that may never be, at a rate that only the
     * fast door can take. */
    if (has_recovered (stream))
      open_fast_door (stream);
    else
      tell_exhausted (stream);
  } else if (ready && (new_rings || (!stream->open && !stream->settling))) {
    open_fast_door (stream);
  }
  if (!ready)
    tell (stream, AFXDP_DOOR_SLOW, stream->fast.error, "%s",
        stream->fast.error ? stream->fast.error->message : "");
}

/* Looking into the lanes. */

/* Packets by the socket although the program should have redirected them, and
 * it has seen none: does it still run? Does the flow come on another queue? */
static void
doubt (AfxdpStream *stream, guint64 passed, guint64 redirected)
{
  gboolean stands_still =
      passed == stream->passed && redirected == stream->redirected;

  if (stream->fast.state == AFXDP_FAST_DOOR_WAITING ||
      (stream->open && !stream->settling && stands_still))
    afxdp_subscription_suspect (stream->subscription);
}

static void
look_into_rings (AfxdpStream *stream)
{
  for (guint i = 1; i < stream->n_lanes; i++) {
    AfxdpLane *lane = &stream->lanes[i];

    if (afxdp_lane_is_empty (lane))
      atomic_fetch_add_explicit (&stream->malformed,
          afxdp_lane_read_ring (
              lane, &stream->destination, stream->fast.metadata),
          memory_order_relaxed);
  }
}

static void
look (AfxdpStream *stream)
{
  guint64 passed = 0, redirected = 0;
  AfxdpLane *slow = &stream->lanes[0];

  look_into_rings (stream);
  for (guint i = 1; i < stream->n_lanes; i++) {
    const struct afxdp_slot *words = stream->lanes[i].ring->words;

    passed += __atomic_load_n (&words->passed, __ATOMIC_RELAXED);
    redirected += __atomic_load_n (&words->redirected, __ATOMIC_RELAXED);
  }
  if (!afxdp_lane_is_empty (slow))
    return;
  if (!stream->slow_due && !stream->settling && passed == stream->passed &&
      (!stream->open || ++stream->batches < BATCHES_BETWEEN_LOOKS))
    return;
  atomic_fetch_add_explicit (
      &stream->malformed, afxdp_lane_read_socket (slow), memory_order_relaxed);
  stream->batches = 0;
  stream->slow_due = !slow->dry;
  if (slow->end && stream->subscription)
    doubt (stream, passed, redirected);
  stream->passed = passed;
  stream->redirected = redirected;
  /* A ring that was empty may have filled up before these came: a credit can be
   * used up between two looks. */
  if (slow->end)
    look_into_rings (stream);
}

/* Which lane is next. */

static gboolean
follows (const AfxdpRtp *rtp, const AfxdpRtp *former)
{
  return rtp->kind == AFXDP_RTP_DATA && former->kind == AFXDP_RTP_DATA &&
      rtp->ssrc == former->ssrc &&
      rtp->seqnum == (guint16) (former->seqnum + 1);
}

/* Whether something of the same source is missing between the two. */
static gboolean
skips (const AfxdpRtp *rtp, const AfxdpRtp *former)
{
  return rtp->kind == AFXDP_RTP_DATA && former->kind == AFXDP_RTP_DATA &&
      rtp->ssrc == former->ssrc && !follows (rtp, former);
}

/* By RTP number within one SSRC, otherwise by time. */
static gboolean
comes_before (const AfxdpPacket *one, const AfxdpPacket *other)
{
  if (one->rtp.kind == AFXDP_RTP_DATA && other->rtp.kind == AFXDP_RTP_DATA &&
      one->rtp.ssrc == other->rtp.ssrc)
    return (gint16) (one->rtp.seqnum - other->rtp.seqnum) < 0;
  return one->arrival < other->arrival;
}

/* Ends the settling when it is time: whatever first had on the way has been
 * handed out, or nobody can wait any longer. */
static void
try_to_settle (AfxdpStream *stream, gboolean grace_over)
{
  if ((grace_over && side_is_empty (stream, stream->first)) ||
      clock_ns (CLOCK_MONOTONIC) >= stream->settle_by)
    stream->settling = FALSE;
}

/* The lane whose first packet is next, or NULL: there is none, or it must wait
 * for older ones of the other side. */
static AfxdpLane *
next_lane (AfxdpStream *stream)
{
  AfxdpLane *best = NULL;
  gboolean first_has_some = FALSE;

  for (guint i = 0; i < stream->n_lanes; i++) {
    AfxdpLane *lane = &stream->lanes[i];

    if (afxdp_lane_is_empty (lane))
      continue;
    first_has_some |= side_of (lane) == stream->first;
    if (!best ||
        comes_before (&lane->packets[lane->first], &best->packets[best->first]))
      best = lane;
  }
  if (best && stream->settling && side_of (best) != stream->first &&
      !first_has_some) {
    /* Unless it continues what was handed out last. */
    if (!stream->has_last ||
        !follows (&afxdp_lane_head (best)->rtp, &stream->last))
      return NULL;
  }
  return best;
}

/* How many packets of lane come before those of the others. */
static guint
run_length (AfxdpStream *stream, const AfxdpLane *lane, guint max)
{
  guint n = MIN (max, lane->end - lane->first);
  const AfxdpPacket *packets = &lane->packets[lane->first];

  for (guint i = 0; i < stream->n_lanes; i++) {
    const AfxdpLane *other = &stream->lanes[i];

    if (other == lane || afxdp_lane_is_empty (other))
      continue;
    for (guint j = 1; j < n; j++)
      if (comes_before (afxdp_lane_head (other), &packets[j]))
        n = j;
  }
  if (stream->n_lanes == 1 ||
      (lane->ring && !afxdp_lane_is_empty (&stream->lanes[0])))
    return n;
  /* At a gap, look whether the missing packet came by the other door. */
  for (guint j = 1; j < n; j++)
    if (skips (&packets[j].rtp, &packets[j - 1].rtp)) {
      stream->slow_due = TRUE;
      return j;
    }
  return n;
}

static void
hand_out (AfxdpStream *stream, AfxdpLane *lane, guint max, AfxdpBatch *batch)
{
  guint n = run_length (stream, lane, max);
  guint share, held;

  batch->packets = &lane->packets[lane->first];
  batch->n = n;
  batch->door = lane->ring ? AFXDP_DOOR_FAST : AFXDP_DOOR_SLOW;
  stream->handed_out = lane;
  stream->n_handed_out = n;

  if (lane->ring) {
    stream->account = stream->fast.account;
    share = stream->fast.share;
  } else {
    stream->account = stream->socket_account;
    share = afxdp_umem_n_frames (afxdp_socket_umem (stream->socket)) -
        afxdp_socket_n_armed (stream->socket) - stream->settings.batch;
  }
  held = afxdp_account_held (stream->account);
  stream->lendable = held < share ? MIN (n, share - held) : 0;
  afxdp_account_reserve (stream->account, stream->lendable);
}

/* Sleeps until there may be something. FALSE: until deadline. */
static gboolean
sleep_until (AfxdpStream *stream, guint64 deadline)
{
  struct pollfd fds[2 + AFXDP_STREAM_QUEUES];
  guint64 now = clock_ns (CLOCK_MONOTONIC);
  guint64 wait = now < deadline ? deadline - now : 0;
  struct timespec timeout;
  guint64 bells;
  guint n = 0;

  if (stream->settling)
    wait = MIN (wait, SETTLING_TICK);
  timeout.tv_sec = wait / (1000 * MS);
  timeout.tv_nsec = wait % (1000 * MS);

  fds[n++] = (struct pollfd){ .fd = stream->wake, .events = POLLIN };
  for (guint i = 0; i < stream->n_lanes; i++) {
    const AfxdpLane *lane = &stream->lanes[i];
    int fd = lane->ring ? afxdp_xsk_fd (lane->ring->xsk)
                        : afxdp_socket_fd (stream->socket);

    /* What waits for its turn must not wake us again and again. */
    if (afxdp_lane_is_empty (lane))
      fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
  }
  if (ppoll (fds, n, &timeout, NULL) <= 0)
    return now < deadline;
  if (fds[0].revents && read (stream->wake, &bells, sizeof bells) < 0)
    g_assert (errno == EAGAIN);
  for (guint i = 1; i < n; i++)
    if (fds[i].fd == afxdp_socket_fd (stream->socket) && fds[i].revents)
      stream->slow_due = TRUE;
  return now < deadline;
}

gboolean
afxdp_stream_receive (
    AfxdpStream *stream, AfxdpBatch *batch, guint max, guint64 deadline)
{
  do {
    gboolean grace_over;
    AfxdpLane *lane;

    if (atomic_load_explicit (&stream->woken, memory_order_relaxed))
      return FALSE;
    follow_distributor (stream);
    /* Asked before looking: what comes after the answer is not older. */
    grace_over = stream->settling &&
        afxdp_subscription_grace_over (stream->subscription, stream->grace);
    look (stream);
    if (follow_program (stream))
      grace_over = FALSE;
    if (stream->settling)
      try_to_settle (stream, grace_over);
    lane = next_lane (stream);
    if (lane) {
      hand_out (stream, lane, max, batch);
      return TRUE;
    }
  } while (!stream->changed && sleep_until (stream, deadline));
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

  for (guint i = 0; i < stream->n_handed_out; i++)
    if (packets[i].frame != AFXDP_NO_FRAME)
      afxdp_umem_give (lane->umem, &packets[i].frame, 1);
  afxdp_account_unreserve (stream->account, stream->lendable);
  stream->last = packets[stream->n_handed_out - 1].rtp;
  stream->has_last = TRUE;
  lane->first += stream->n_handed_out;
  stream->handed_out = NULL;
}

void
afxdp_stream_wake (AfxdpStream *stream)
{
  guint64 one = 1;

  atomic_store (&stream->woken, TRUE);
  if (write (stream->wake, &one, sizeof one) < 0)
    g_assert (errno == EAGAIN);
}

void
afxdp_stream_unwake (AfxdpStream *stream)
{
  atomic_store (&stream->woken, FALSE);
}

void
afxdp_stream_counts (AfxdpStream *stream, AfxdpStreamCounts *counts)
{
  AfxdpUmem *own = afxdp_socket_umem (stream->socket);
  guint n_frames = 0, n_home = 0;

  if (stream->subscription)
    afxdp_subscription_frames (stream->subscription, &n_frames, &n_home);
  counts->malformed = atomic_load (&stream->malformed);
  counts->discarded = stream->discarded;
  counts->n_frames = n_frames + afxdp_umem_n_frames (own);
  counts->n_frames_free = n_home + afxdp_umem_n_frames (own) -
      afxdp_account_held (stream->socket_account);
}

GSocket *
afxdp_stream_gsocket (const AfxdpStream *stream)
{
  return afxdp_socket_gsocket (stream->socket);
}

guint
afxdp_stream_buffer_size (const AfxdpStream *stream)
{
  return afxdp_socket_buffer_size (stream->socket);
}

const AfxdpNetdev *
afxdp_stream_netdev (const AfxdpStream *stream)
{
  return stream->has_netdev ? &stream->netdev : NULL;
}

/* Beginning and end. */

static gboolean
find_interface (
    AfxdpStream *stream, const AfxdpStreamSettings *settings, GError **error)
{
  if (settings->interface) {
    stream->has_netdev =
        afxdp_netdev_by_name (settings->interface, &stream->netdev, error);
    return stream->has_netdev;
  }
  if (g_inet_address_get_is_any (stream->address))
    return TRUE;
  stream->has_netdev =
      afxdp_netdev_by_route (stream->address, &stream->netdev, error);
  if (!stream->has_netdev)
    g_prefix_error (error,
        "No interface is given with multicast-iface, and routing knows none: ");
  return stream->has_netdev;
}

static gboolean
open_slow_door (
    AfxdpStream *stream, const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpSocketSettings socket_settings = {
    .address = stream->address,
    .port = settings->port,
    .netdev = stream->has_netdev ? &stream->netdev : NULL,
    .sources = stream->sources,
    .buffer_size = settings->buffer_size,
    .batch = settings->batch,
  };

  stream->socket = afxdp_socket_new (&socket_settings, error);
  if (!stream->socket)
    return FALSE;
  stream->settings.port = afxdp_socket_port (stream->socket);
  stream->socket_account =
      afxdp_account_new (afxdp_socket_umem (stream->socket));
  afxdp_lane_init_socket (&stream->lanes[0], stream->socket, settings->batch);
  stream->n_lanes = 1;
  stream->destination.port = stream->settings.port;
  return TRUE;
}

static gboolean
look_for_fast_door (
    AfxdpStream *stream, const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpSubscriptionSettings subscription_settings = {
    .address = stream->address,
    .port = stream->settings.port, /* not 0 any more */
    .sources = stream->sources,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .umem_frames = settings->umem_frames,
    .queue = settings->queue,
    .ring_size = settings->ring_size,
    .batch = settings->batch,
    .socket_only = settings->mode == AFXDP_MODE_SOCKET,
  };

  if (g_inet_address_get_is_any (stream->address)) {
    stream->slow_reason = g_strdup (
        "The address is not a particular one; set multicast-group or address "
        "to receive through AF_XDP");
    if (settings->mode != AFXDP_MODE_AF_XDP)
      return TRUE;
    g_set_error (
        error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "%s", stream->slow_reason);
    return FALSE;
  }
  stream->subscription = afxdp_distributor_subscribe (
      &stream->netdev, &subscription_settings, stream->wake, error);
  if (!stream->subscription)
    return FALSE;
  return settings->mode != AFXDP_MODE_AF_XDP ||
      afxdp_subscription_wait (stream->subscription, START_TIMEOUT_MS, error);
}

AfxdpStream *
afxdp_stream_new (const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpStream *stream = g_new0 (AfxdpStream, 1);
  AfxdpStreamCounts counts;

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
  stream->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  stream->slow_due = TRUE;
  /* The fast door before the join: attaching resets most NICs. */
  if (stream->wake < 0)
    afxdp_error_set (error, errno, "Could not create an eventfd");
  else if (find_interface (stream, settings, error) &&
      open_slow_door (stream, settings, error) &&
      look_for_fast_door (stream, settings, error) &&
      (!settings->auto_multicast ||
          !g_inet_address_get_is_multicast (stream->address) ||
          afxdp_socket_join (stream->socket, error)))
    return stream;
  afxdp_stream_close (stream, &counts);
  return NULL;
}

void
afxdp_stream_close (AfxdpStream *stream, AfxdpStreamCounts *counts)
{
  for (guint i = 0; i < stream->n_lanes; i++)
    stream->discarded += afxdp_lane_clear (&stream->lanes[i]);
  afxdp_fast_door_clear (&stream->fast);
  if (stream->socket)
    afxdp_stream_counts (stream, counts);
  counts->discarded =
      stream->discarded + afxdp_subscription_free (stream->subscription);

  afxdp_account_close (stream->socket_account);
  afxdp_socket_free (stream->socket);
  afxdp_door_change_clear (&stream->change);
  if (stream->wake >= 0)
    close (stream->wake);
  g_object_unref (stream->address);
  afxdp_sources_unref (stream->sources);
  g_free (stream->slow_reason);
  g_free (stream);
}
