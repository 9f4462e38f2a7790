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

#include "coalesce.h"
#include "error.h"
#include "order.h"
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
/* Bytes that a packet takes of a socket's buffer, where the kernel counts twice
 * what was asked for: a page, and its sk_buff. */
#define SOCKET_PACKET_COST 4608
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
  AfxdpMember *member;             /* NULL: there is only the socket */
  AfxdpSubscription *subscription; /* the member's */
  gchar *slow_reason;              /* why, then */
  int wake;
  atomic_bool woken;

  /* The streaming thread's own. */
  AfxdpFastDoor fast;
  guint version;                            /* of fast */
  AfxdpLane lanes[1 + AFXDP_STREAM_QUEUES]; /* the first is the socket's */
  guint n_lanes;

  AfxdpCoalesce coalesce;

  gboolean open;      /* our word on it; the program may know better */
  gboolean exhausted; /* closed because the credit was used up, */
  gboolean no_frame;  /* or the frames were */
  guint64 no_frames;  /* the program's count of that, at the opening */
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

#define tell(stream, door, error, ...)                                     \
  do {                                                                     \
    if (afxdp_door_change_set (                                            \
            &(stream)->change, door, &(stream)->fast, error, __VA_ARGS__)) \
      (stream)->changed = TRUE;                                            \
  } while (0)

gboolean
afxdp_stream_door_changed (AfxdpStream *stream, AfxdpDoorChange *change)
{
  if (!stream->changed)
    return FALSE;
  stream->changed = FALSE;
  afxdp_door_change_copy (change, &stream->change);
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
    afxdp_ring_set_door (&stream->fast.rings[i], door);
}

static void
tell_open (AfxdpStream *stream)
{
  const AfxdpFastDoor *fast = &stream->fast;

  tell (stream, AFXDP_DOOR_FAST, NULL,
      "The XDP program on %s redirects the stream (%s mode, %s)%s%s",
      stream->netdev.name,
      fast->xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic" : "native",
      fast->zero_copy ? "zero-copy" : "copy", fast->note ? "; " : "",
      fast->note ? fast->note : "");
}

/* Packets for which the program found no frame. */
static guint64
count_no_frame (const AfxdpStream *stream)
{
  guint64 n = 0;

  for (guint i = 0; i < stream->fast.n_rings; i++)
    n += afxdp_ring_word (&stream->fast.rings[i].words->no_frame);
  return n;
}

static void
open_fast_door (AfxdpStream *stream)
{
  stream->exhausted = FALSE;
  stream->no_frames = count_no_frame (stream);
  stream->open = TRUE;
  set_doors (stream, AFXDP_DOOR_OPEN);
  begin_settling (stream, SLOW_SIDE);
  tell_open (stream);
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

static gboolean
is_exhausted (const AfxdpStream *stream)
{
  for (guint i = 0; i < stream->fast.n_rings; i++)
    if (afxdp_ring_door (&stream->fast.rings[i]) == AFXDP_DOOR_EXHAUSTED)
      return TRUE;
  return FALSE;
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
  if (stream->no_frame)
    tell (stream, AFXDP_DOOR_SLOW, NULL,
        "The frames of %s are with the applications of this process; until "
        "some come home packets come through the socket (raise umem-frames)",
        stream->netdev.name);
  else
    tell (stream, AFXDP_DOOR_SLOW, NULL,
        "The pipeline took packets more slowly than they came, until its part "
        "of the frames was used up; the next ones wait in the socket");
}

/* Whether the rings have room enough again to be worth opening, and nothing that
 * was redirected is still on its way: it is older than what the socket got. */
static gboolean
has_recovered (const AfxdpStream *stream)
{
  for (guint i = 0; i < stream->fast.n_rings; i++) {
    const AfxdpRing *ring = &stream->fast.rings[i];
    guint credit = afxdp_ring_credit (ring);
    guint64 out = afxdp_ring_outstanding (ring);

    if (out > credit / 2 || out > afxdp_xsk_n_waiting (ring->xsk) ||
        afxdp_ring_frames_left (ring) <=
            MIN (credit, AFXDP_XSK_REFILL_STEP) / 2)
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

/* Reads what the distributor published. Returns whether there was news. */
static gboolean
read_fast_door (AfxdpStream *stream)
{
  guint version = afxdp_subscription_version (stream->subscription);

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
  return TRUE;
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
  stream->no_frame = count_no_frame (stream) != stream->no_frames;
  close_fast_door (stream);
  tell_exhausted (stream);
  return TRUE;
}

static void
follow_distributor (AfxdpStream *stream)
{
  guint n_lanes = stream->n_lanes;
  gboolean ready, news;

  if (!stream->subscription) {
    if (!stream->change.reason)
      tell (stream, AFXDP_DOOR_SLOW, NULL, "%s", stream->slow_reason);
    return;
  }
  news = read_fast_door (stream);
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
  } else if (ready &&
      (stream->n_lanes > n_lanes || (!stream->open && !stream->settling))) {
    open_fast_door (stream);
  } else if (ready && news && stream->open) {
    tell_open (stream);
  }
  if (!ready && news)
    tell (stream, AFXDP_DOOR_SLOW, stream->fast.error, "%s",
        stream->fast.error->message);
}

/* Looking into the lanes. */

/* Packets by the socket although the program should have redirected them, and it
 * has passed none on the queues that we know: do they come on another one? And
 * if it has redirected none either: does it still run? */
static void
doubt (AfxdpStream *stream, guint64 passed, guint64 redirected)
{
  AfxdpDoubts doubts = 0;

  if (stream->fast.state == AFXDP_FAST_DOOR_WAITING ||
      (stream->open && !stream->settling && passed == stream->passed))
    doubts = AFXDP_DOUBT_QUEUE;
  if (doubts && redirected == stream->redirected)
    doubts |= AFXDP_DOUBT_PROGRAM;
  if (doubts)
    afxdp_subscription_doubt (stream->subscription, doubts);
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

    passed += afxdp_ring_word (&words->passed);
    redirected += afxdp_ring_word (&words->redirected);
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

/* Ends the settling when it is time: whatever first had on the way has been
 * handed out, or nobody can wait any longer. */
static void
try_to_settle (AfxdpStream *stream, gboolean grace_over)
{
  if ((grace_over && side_is_empty (stream, stream->first)) ||
      clock_ns (CLOCK_MONOTONIC) >= stream->settle_by)
    stream->settling = FALSE;
}

static gboolean
has_some (const AfxdpStream *stream, Side side)
{
  for (guint i = 0; i < stream->n_lanes; i++)
    if (side_of (&stream->lanes[i]) == side &&
        !afxdp_lane_is_empty (&stream->lanes[i]))
      return TRUE;
  return FALSE;
}

/* The lane whose first packet is next, or NULL: there is none, or it must wait
 * for older ones of the other side, since it does not continue what was handed
 * out last. */
static AfxdpLane *
next_lane (AfxdpStream *stream)
{
  AfxdpLane *best = afxdp_order_first (stream->lanes, stream->n_lanes);

  if (best && stream->settling && side_of (best) != stream->first &&
      !has_some (stream, stream->first) &&
      (!stream->has_last ||
          !afxdp_order_follows (&afxdp_lane_head (best)->rtp, &stream->last)))
    return NULL;
  return best;
}

/* How many packets of lane to hand out. At a gap, looks whether the missing
 * packet came by the other door. */
static guint
run_length (AfxdpStream *stream, const AfxdpLane *lane, guint max)
{
  guint n = afxdp_order_run (stream->lanes, stream->n_lanes, lane, max);
  guint before_gap;

  if (stream->n_lanes == 1 ||
      (lane->ring && !afxdp_lane_is_empty (&stream->lanes[0])))
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
  stream->handed_out = lane;
  stream->n_handed_out = n;
  afxdp_coalesce_count (&stream->coalesce, n);

  if (lane->ring) {
    stream->account = stream->fast.account;
    share = afxdp_subscription_share (stream->subscription);
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

/* How many packets may come now before one is lost, or changes doors. */
static guint
room (const AfxdpStream *stream)
{
  guint n = 2 * (guint64) afxdp_socket_buffer_size (stream->socket) /
      SOCKET_PACKET_COST;

  if (stream->open) {
    n = G_MAXUINT;
    for (guint i = 0; i < stream->fast.n_rings; i++)
      n = MIN (n, afxdp_ring_credit (&stream->fast.rings[i]));
  }
  return n;
}

/* Puts what there is to poll into fds. pausing: packets of the door in use are no
 * reason to wake up. */
static guint
fill_in_fds (AfxdpStream *stream, struct pollfd *fds, gboolean pausing)
{
  guint n = 0;

  fds[n++] = (struct pollfd){ .fd = stream->wake, .events = POLLIN };
  for (guint i = 0; i < stream->n_lanes; i++) {
    const AfxdpLane *lane = &stream->lanes[i];
    int fd = lane->ring ? afxdp_xsk_fd (lane->ring->xsk)
                        : afxdp_socket_fd (stream->socket);

    if (pausing && (lane->ring || !stream->open))
      continue;
    /* What waits for its turn must not wake us again and again. */
    if (afxdp_lane_is_empty (lane))
      fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
  }
  return n;
}

/* Sleeps until there may be something. FALSE: until deadline. */
static gboolean
sleep_until (AfxdpStream *stream, guint64 deadline)
{
  struct pollfd fds[2 + AFXDP_STREAM_QUEUES];
  guint64 now = clock_ns (CLOCK_MONOTONIC);
  guint64 wait = now < deadline ? deadline - now : 0;
  guint64 pause = 0, bells;
  struct timespec timeout;
  guint n;

  if (stream->settling)
    wait = MIN (wait, SETTLING_TICK);
  else if (stream->coalesce.longest)
    pause = afxdp_coalesce_next (&stream->coalesce, now, room (stream));
  if (pause)
    wait = MIN (wait, pause);
  timeout.tv_sec = wait / (1000 * MS);
  timeout.tv_nsec = wait % (1000 * MS);
  n = fill_in_fds (stream, fds, pause > 0);
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
  guint32 frames[AFXDP_LARGEST_BATCH];
  guint n = 0;

  for (guint i = 0; i < stream->n_handed_out; i++)
    if (packets[i].frame != AFXDP_NO_FRAME)
      frames[n++] = packets[i].frame;
  if (n)
    afxdp_umem_give (lane->umem, frames, n);
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
    .socket_only = settings->mode == AFXDP_MODE_SOCKET,
  };

  if (!stream->has_netdev) {
    stream->slow_reason = g_strdup (
        "The address is not a particular one; set multicast-iface to receive "
        "for the addresses of an interface through AF_XDP, or multicast-group "
        "or address");
    if (settings->mode != AFXDP_MODE_AF_XDP)
      return TRUE;
    g_set_error (
        error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS, "%s", stream->slow_reason);
    return FALSE;
  }
  stream->member = afxdp_distributor_join (
      &stream->netdev, &member_settings, stream->wake, error);
  if (!stream->member)
    return FALSE;
  stream->subscription = afxdp_member_subscription (stream->member);
  return settings->mode != AFXDP_MODE_AF_XDP ||
      afxdp_subscription_wait (stream->subscription, START_TIMEOUT_MS, error);
}

AfxdpStream *
afxdp_stream_new (const AfxdpStreamSettings *settings, GError **error)
{
  AfxdpStream *stream = g_new0 (AfxdpStream, 1);
  AfxdpStreamCounts counts = { 0 };

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
  stream->destination.any = g_inet_address_get_is_any (settings->address);
  stream->coalesce.longest = settings->coalesce;
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
  afxdp_stream_counts_clear (&counts);
  return NULL;
}

void
afxdp_stream_close (AfxdpStream *stream, AfxdpStreamCounts *counts)
{
  for (guint i = 0; i < stream->n_lanes; i++)
    stream->discarded += afxdp_lane_clear (&stream->lanes[i]);
  afxdp_fast_door_clear (&stream->fast);
  if (stream->member)
    stream->discarded += afxdp_distributor_leave (stream->member);
  if (stream->socket)
    afxdp_stream_counts (stream, counts);
  afxdp_distributor_forget (stream->member);

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
