/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two doors of a stream: which is open, and what comes first. */
#include "doors.h"

#include "clock.h"
#include "order.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* Nobody waits longer than this for the order of two doors. */
#define LONGEST_SETTLING (100 * MS)
/* Between two times that a credit used up is told. */
#define EXHAUSTED_INTERVAL (100 * MS)

void
afxdp_doors_init (
    AfxdpDoors *doors, AfxdpSocket *socket, guint batch, AfxdpDrops *drops)
{
  doors->batch = batch;
  doors->drops = drops;
  afxdp_lane_init_socket (&doors->lanes[0], socket, batch, drops);
  doors->n_lanes = 1;
}

guint
afxdp_doors_discard (AfxdpDoors *doors)
{
  guint n = 0;

  for (guint i = 0; i < doors->n_lanes; i++)
    n += afxdp_lane_discard (&doors->lanes[i]);
  return n;
}

guint
afxdp_doors_change_interface (
    AfxdpDoors *doors, AfxdpSubscription *subscription, const gchar *interface)
{
  guint n = 0;

  for (; doors->n_lanes > 1; doors->n_lanes--) {
    AfxdpLane *lane = &doors->lanes[doors->n_lanes - 1];

    n += afxdp_lane_discard (lane);
    afxdp_lane_clear (lane);
  }
  afxdp_fast_door_clear (&doors->fast);
  doors->fast = (AfxdpFastDoor){ .state = AFXDP_FAST_DOOR_FAILED };
  doors->version = 0;
  doors->open = doors->exhausted = doors->settling = FALSE;
  doors->grace = 0;
  doors->subscription = subscription;
  doors->interface = interface;
  return n;
}

void
afxdp_doors_clear (AfxdpDoors *doors)
{
  for (guint i = 0; i < doors->n_lanes; i++)
    afxdp_lane_clear (&doors->lanes[i]);
  afxdp_fast_door_clear (&doors->fast);
  afxdp_door_change_clear (&doors->change);
  g_clear_pointer (&doors->slow_reason, g_free);
  g_clear_pointer (&doors->others, g_free);
}

guint64
afxdp_doors_look_for_drops (AfxdpDoors *doors)
{
  guint64 known = G_MAXUINT64;

  for (guint i = 0; i < doors->n_lanes; i++) {
    guint64 of_lane =
        afxdp_lane_look_for_drops (&doors->lanes[i], doors->fast.metadata);

    known = MIN (known, of_lane);
  }
  return known;
}

/* What is told of the doors. */

#define tell(doors, door, error, ...)                                    \
  do {                                                                   \
    if (afxdp_door_change_set (                                          \
            &(doors)->change, door, &(doors)->fast, error, __VA_ARGS__)) \
      (doors)->changed = TRUE;                                           \
  } while (0)

/* Opening and closing: one store for each ring. */

static AfxdpSide
side_of (const AfxdpLane *lane)
{
  return lane->ring ? AFXDP_FAST_SIDE : AFXDP_SLOW_SIDE;
}

/* From here on packets of both sides may be on their way at the same time, and
 * those of first are the older ones. */
static void
begin_settling (AfxdpDoors *doors, AfxdpSide first)
{
  doors->first =
      doors->settling && doors->first != first ? AFXDP_NO_SIDE : first;
  doors->settling = TRUE;
  doors->grace = afxdp_subscription_request_grace (doors->subscription);
  doors->settle_by = afxdp_now () + LONGEST_SETTLING;
}

static void
set_doors (AfxdpDoors *doors, enum afxdp_door door)
{
  for (guint i = 0; i < doors->fast.n_rings; i++)
    afxdp_ring_set_door (&doors->fast.rings[i], door);
}

static void
tell_open (AfxdpDoors *doors)
{
  const AfxdpFastDoor *fast = &doors->fast;

  tell (doors, AFXDP_DOOR_FAST, NULL,
      "The XDP program on %s redirects the stream (%s mode, %s)%s%s%s",
      doors->interface,
      fast->xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic" : "native",
      fast->zero_copy ? "zero-copy" : "copy", fast->note ? "; " : "",
      fast->note ? fast->note : "", doors->others);
}

/* Packets for which the program found no frame. */
static guint64
count_no_frame (const AfxdpDoors *doors)
{
  guint64 n = 0;

  for (guint i = 0; i < doors->fast.n_rings; i++)
    n += afxdp_ring_word (&doors->fast.rings[i].words->no_frame);
  return n;
}

static void
open_fast_door (AfxdpDoors *doors)
{
  doors->exhausted = FALSE;
  doors->no_frames = count_no_frame (doors);
  doors->open = TRUE;
  set_doors (doors, AFXDP_DOOR_OPEN);
  begin_settling (doors, AFXDP_SLOW_SIDE);
  tell_open (doors);
}

void
afxdp_doors_close (AfxdpDoors *doors)
{
  doors->open = FALSE;
  set_doors (doors, AFXDP_DOOR_CLOSED);
  begin_settling (doors, AFXDP_FAST_SIDE);
}

static gboolean
is_exhausted (const AfxdpDoors *doors)
{
  for (guint i = 0; i < doors->fast.n_rings; i++)
    if (afxdp_ring_door (&doors->fast.rings[i]) == AFXDP_DOOR_EXHAUSTED)
      return TRUE;
  return FALSE;
}

/* At an overload the door closes and opens hundreds of times in a second; ten of
 * them tell as much. */
static void
tell_exhausted (AfxdpDoors *doors)
{
  guint64 now = afxdp_now ();

  if (now < doors->tell_exhausted_at)
    return;
  doors->tell_exhausted_at = now + EXHAUSTED_INTERVAL;
  if (doors->no_frame)
    tell (doors, AFXDP_DOOR_SLOW, NULL,
        "The frames of %s are with the applications of this process; until "
        "some come home packets come through the socket (raise umem-frames)",
        doors->interface);
  else
    tell (doors, AFXDP_DOOR_SLOW, NULL,
        "The pipeline took packets more slowly than they came, until its part "
        "of the frames was used up; the next ones wait in the socket");
}

/* Whether the rings have room enough again to be worth opening, and nothing that
 * was redirected is still on its way: it is older than what the socket got. */
static gboolean
has_recovered (const AfxdpDoors *doors)
{
  for (guint i = 0; i < doors->fast.n_rings; i++) {
    const AfxdpRing *ring = &doors->fast.rings[i];
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
side_is_empty (const AfxdpDoors *doors, AfxdpSide side)
{
  if (side == AFXDP_NO_SIDE)
    return TRUE;
  if (side == AFXDP_SLOW_SIDE)
    return afxdp_lane_is_empty (&doors->lanes[0]) && doors->lanes[0].dry;
  for (guint i = 1; i < doors->n_lanes; i++) {
    const AfxdpLane *lane = &doors->lanes[i];

    if (!afxdp_lane_is_empty (lane) || afxdp_xsk_n_waiting (lane->ring->xsk))
      return FALSE;
  }
  return TRUE;
}

/* With the door closed, a grace period over and the rings empty, what is still
 * missing was lost, and would use up credit for ever. */
static void
forget_lost (AfxdpDoors *doors)
{
  if (doors->open ||
      !afxdp_subscription_grace_over (doors->subscription, doors->grace) ||
      !side_is_empty (doors, AFXDP_FAST_SIDE))
    return;
  for (guint i = 1; i < doors->n_lanes; i++)
    afxdp_lane_forget_lost (&doors->lanes[i]);
}

/* Nobody else tells who should know it. Reads all sockets of the host, which takes
 * too long for each opening: an overload has hundreds in a second. */
static gchar *
describe_others (const AfxdpDoors *doors)
{
  guint n = afxdp_socket_count_others (doors->lanes[0].socket);

  if (!n)
    return g_strdup ("");
  return g_strdup_printf (
      "; it does not reach %u other %s of this host that %s "
      "bound to its address, or any, and port",
      n, n == 1 ? "socket" : "sockets", n == 1 ? "is" : "are");
}

/* Reads what the distributor published. Returns whether there was news. */
static gboolean
read_fast_door (AfxdpDoors *doors)
{
  guint version = afxdp_subscription_version (doors->subscription);

  if (version == doors->version)
    return FALSE;
  doors->version = version;
  afxdp_fast_door_clear (&doors->fast);
  afxdp_subscription_read (doors->subscription, &doors->fast);
  g_free (doors->others);
  doors->others = describe_others (doors);
  /* Rings are only ever added, at the end. */
  for (; doors->n_lanes < 1 + doors->fast.n_rings; doors->n_lanes++)
    afxdp_lane_init_ring (&doors->lanes[doors->n_lanes],
        &doors->fast.rings[doors->n_lanes - 1], doors->fast.umem, doors->batch,
        doors->drops);
  return TRUE;
}

gboolean
afxdp_doors_follow_program (AfxdpDoors *doors)
{
  if (!doors->open || !is_exhausted (doors))
    return FALSE;
  doors->exhausted = TRUE;
  doors->no_frame = count_no_frame (doors) != doors->no_frames;
  afxdp_doors_close (doors);
  tell_exhausted (doors);
  return TRUE;
}

void
afxdp_doors_follow (AfxdpDoors *doors)
{
  guint n_lanes = doors->n_lanes;
  gboolean ready, news;

  if (!doors->subscription) {
    if (!doors->change.reason)
      tell (doors, AFXDP_DOOR_SLOW, NULL, "%s", doors->slow_reason);
    return;
  }
  news = read_fast_door (doors);
  forget_lost (doors);
  ready = doors->fast.state == AFXDP_FAST_DOOR_READY;
  if (doors->open && !ready) {
    afxdp_doors_close (doors);
  } else if (afxdp_doors_follow_program (doors)) {
    /* Not open again before it has been closed for a while. */
  } else if (ready && doors->exhausted) {
    /* Not when the socket is empty: that may never be, at a rate that only the
     * fast door can take. */
    if (has_recovered (doors))
      open_fast_door (doors);
    else
      tell_exhausted (doors);
  } else if (ready &&
      (doors->n_lanes > n_lanes || (!doors->open && !doors->settling))) {
    open_fast_door (doors);
  } else if (ready && news && doors->open) {
    tell_open (doors);
  }
  if (!ready && news)
    tell (doors, AFXDP_DOOR_SLOW, doors->fast.error, "%s",
        doors->fast.error->message);
}

/* Before the program closes the door again: what is missing was most likely lost
 * in the socket, and waiting for it would cost more. */
static gboolean
rings_fill_up (const AfxdpDoors *doors)
{
  for (guint i = 0; i < doors->fast.n_rings && doors->open; i++) {
    const AfxdpRing *ring = &doors->fast.rings[i];

    if (afxdp_ring_outstanding (ring) > afxdp_ring_credit (ring) / 2)
      return TRUE;
  }
  return FALSE;
}

void
afxdp_doors_try_to_settle (AfxdpDoors *doors, gboolean grace_over)
{
  if (doors->settling &&
      ((grace_over && side_is_empty (doors, doors->first)) ||
          rings_fill_up (doors) || afxdp_now () >= doors->settle_by))
    doors->settling = FALSE;
}

static gboolean
has_some (const AfxdpDoors *doors, AfxdpSide side)
{
  for (guint i = 0; i < doors->n_lanes; i++)
    if (side_of (&doors->lanes[i]) == side &&
        !afxdp_lane_is_empty (&doors->lanes[i]))
      return TRUE;
  return FALSE;
}

AfxdpLane *
afxdp_doors_next_lane (AfxdpDoors *doors)
{
  AfxdpLane *best = afxdp_order_first (doors->lanes, doors->n_lanes);

  if (best && doors->settling && side_of (best) != doors->first &&
      !has_some (doors, doors->first) &&
      (!doors->has_last ||
          !afxdp_order_follows (&afxdp_lane_head (best)->rtp, &doors->last)))
    return NULL;
  return best;
}
