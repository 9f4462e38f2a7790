/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a streaming thread does while nothing has come. */
#include "idle.h"

#include <poll.h>
#include <time.h>

#include "bell.h"
#include "clock.h"

#define US G_GUINT64_CONSTANT (1000)
#define MS (1000 * US)

/* Where nothing waits for it the socket is looked at as often as this. */
#define LOOK_INTERVAL (5 * MS)
/* And as often as this by who does not sleep. */
#define SPIN_LOOK_INTERVAL (50 * US)
/* Between two packets of a burst. */
#define SHORTEST_SPACE (1 * US)
/* Sleeps to gather a batch that are shorter than this are not interrupted. */
#define SHORT_PAUSE (5 * MS)
/* While doors change places, what poll() does not tell is looked at. */
#define SETTLING_TICK (1 * MS)
/* Bytes that a packet takes of a socket's buffer, where the kernel counts twice
 * what was asked for: a page, and its sk_buff. */
#define SOCKET_PACKET_COST 4608

static const AfxdpSocket *
socket_of (const AfxdpDoors *doors)
{
  return doors->lanes[0].socket;
}

/* How many packets may come now before one is lost, or changes doors. */
static guint
room (const AfxdpDoors *doors)
{
  guint n = 2 * (guint64) afxdp_socket_buffer_size (socket_of (doors)) /
      SOCKET_PACKET_COST;

  if (doors->open) {
    n = G_MAXUINT;
    for (guint i = 0; i < doors->fast.n_rings; i++)
      n = MIN (n, afxdp_ring_credit (&doors->fast.rings[i]));
  }
  return n;
}

/* Puts what there is to poll into fds. pausing: packets of the door in use are no
 * reason to wake up. */
static guint
fill_in_fds (const AfxdpIdle *idle, const AfxdpDoors *doors, struct pollfd *fds,
    gboolean pausing)
{
  guint n = 0;

  fds[n++] = (struct pollfd){ .fd = idle->bell, .events = POLLIN };
  for (guint i = 0; i < doors->n_lanes; i++) {
    const AfxdpLane *lane = &doors->lanes[i];
    int fd = lane->ring ? afxdp_xsk_fd (lane->ring->xsk)
                        : afxdp_socket_fd (lane->socket);

    if (pausing && (lane->ring || !doors->open))
      continue;
    /* What waits for its turn must not wake us again and again. */
    if (afxdp_lane_is_empty (lane))
      fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
  }
  return n;
}

static void
wait_for_events (const AfxdpIdle *idle, const AfxdpDoors *doors, guint64 wait,
    gboolean pausing, gboolean *socket_due)
{
  struct pollfd fds[2 + AFXDP_STREAM_QUEUES];
  struct timespec timeout = { wait / (1000 * MS), wait % (1000 * MS) };
  guint n = fill_in_fds (idle, doors, fds, pausing);

  if (ppoll (fds, n, &timeout, NULL) <= 0)
    return;
  if (fds[0].revents)
    afxdp_bell_quieten (idle->bell);
  for (guint i = 1; i < n; i++)
    if (fds[i].fd == afxdp_socket_fd (socket_of (doors)) && fds[i].revents)
      *socket_due = TRUE;
}

/* Nothing tells whether there is something in the socket. While the other door is
 * open that is seldom so. */
static void
look_in_time (AfxdpIdle *idle, const AfxdpDoors *doors, guint64 now,
    guint64 interval, gboolean *socket_due)
{
  if (now < idle->look_at && doors->open)
    return;
  idle->look_at = now + interval;
  *socket_due = TRUE;
}

/* Sleeps until a moment that is near: without waiting for anything, which makes it
 * cheaper. */
static void
sleep_until (guint64 until)
{
  struct timespec time = { until / (1000 * MS), until % (1000 * MS) };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* Whether to look again at once, since a packet came not long ago. */
static gboolean
spins (AfxdpIdle *idle, guint64 now)
{
  if (!idle->busy_poll)
    return FALSE;
  if (!idle->since)
    idle->since = now;
  return now - idle->since < idle->busy_poll;
}

static void
poll_drivers (const AfxdpDoors *doors)
{
  for (guint i = 1; i < doors->n_lanes; i++)
    afxdp_xsk_poll_driver (doors->lanes[i].ring->xsk);
}

/* How long to sleep to gather a batch. A socket's buffer may be small, and fill
 * up by a burst, whatever the rate. */
static guint64
next_pause (AfxdpIdle *idle, const AfxdpDoors *doors, guint64 now)
{
  guint n = room (doors);
  guint64 pause;

  if (doors->settling)
    return 0;
  pause = afxdp_coalesce_next (&idle->coalesce, now, n);
  return doors->open ? pause : MIN (pause, n * SHORTEST_SPACE);
}

gboolean
afxdp_idle_until (AfxdpIdle *idle, const AfxdpDoors *doors, guint64 deadline,
    gboolean *socket_due)
{
  guint64 now = afxdp_now (), pause;
  guint64 wait = now < deadline ? deadline - now : 0;

  if (spins (idle, now)) {
    poll_drivers (doors);
    look_in_time (idle, doors, now, SPIN_LOOK_INTERVAL, socket_due);
    return now < deadline;
  }
  if (doors->settling)
    wait = MIN (wait, SETTLING_TICK);
  pause = next_pause (idle, doors, now);
  if (pause && pause <= SHORT_PAUSE && pause <= wait) {
    sleep_until (now + pause);
    look_in_time (idle, doors, now + pause, LOOK_INTERVAL, socket_due);
  } else {
    wait_for_events (
        idle, doors, pause ? MIN (wait, pause) : wait, pause > 0, socket_due);
  }
  return now < deadline;
}
