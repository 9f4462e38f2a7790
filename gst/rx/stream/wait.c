/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a streaming thread does while nothing has come. */
#include "wait.h"

#include <poll.h>
#include <time.h>

#include "wakeup.h"
#include "clock.h"

/* Where nothing waits for it the socket is looked at as often as this. */
#define LOOK_INTERVAL (5 * AFXDP_MS)
/* And as often as this by who does not sleep. */
#define SPIN_LOOK_INTERVAL (50 * AFXDP_US)
/* While one path follows the other, what poll() does not tell is looked at. */
#define SETTLING_TICK (1 * AFXDP_MS)
/* A zero-copy driver that found no frame may say that it waits to be woken after it
 * was looked whether it does; then nothing wakes us either. So the first waits
 * after a packet are no longer than this, and so many. */
#define LOOK_AT_DRIVER_INTERVAL (10 * AFXDP_MS)
#define LOOKS_AT_DRIVER 20

/* pausing: packets of the path in use are no reason to wake up. */
static void
wait_for_events (const AfxdpWait *waiting, const AfxdpPaths *paths,
    AfxdpInputs *inputs, guint64 wait, gboolean pausing)
{
  struct pollfd fds[1 + AFXDP_MOST_INPUTS];
  struct timespec timeout = { wait / AFXDP_S, wait % AFXDP_S };
  guint n = 0;
  int found;

  fds[n++] = (struct pollfd){ .fd = waiting->wakeup, .events = POLLIN };
  if (!pausing || afxdp_paths_is_open (paths))
    n += afxdp_inputs_fill_in_fds (inputs, &fds[n], !pausing);
  found = ppoll (fds, n, &timeout, NULL);
  if (found < 0) {
    /* Memory, or descriptors, were refused: look, but do not run for nothing. */
    afxdp_inputs_socket_is_due (inputs);
    g_usleep (1000);
  }
  if (found <= 0)
    return;
  if (fds[0].revents)
    afxdp_wakeup_clear (waiting->wakeup);
  afxdp_inputs_take_polled (inputs, &fds[1], n - 1);
}

/* Nothing tells whether there is something in the socket. While the other path is
 * open that is seldom so. */
static void
look_in_time (AfxdpWait *waiting, const AfxdpPaths *paths, AfxdpInputs *inputs,
    guint64 now, guint64 interval)
{
  if (now < waiting->look_at && afxdp_paths_is_open (paths))
    return;
  waiting->look_at = now + interval;
  afxdp_inputs_socket_is_due (inputs);
}

/* Sleeps until a moment that is near: without waiting for anything, which makes it
 * cheaper. */
static void
sleep_until (guint64 until)
{
  struct timespec time = { until / AFXDP_S, until % AFXDP_S };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* Whether to look again at once, since a packet came not long ago. */
static gboolean
spins (AfxdpWait *waiting, guint64 now)
{
  if (!waiting->busy_poll)
    return FALSE;
  if (!waiting->since)
    waiting->since = now;
  return now - waiting->since < waiting->busy_poll;
}

/* How long to sleep to gather a batch. A socket's buffer may be small, and fill
 * up by a burst, whatever the rate. */
static guint64
next_pause (AfxdpWait *waiting, const AfxdpPaths *paths, guint64 now)
{
  guint n = afxdp_paths_room (paths);
  guint64 pause;

  if (afxdp_paths_is_settling (paths) || afxdp_paths_are_gathered (paths))
    return 0;
  pause = afxdp_coalesce_next (&waiting->coalesce, now, n);
  return afxdp_paths_is_open (paths) ? pause
                                     : MIN (pause, n * AFXDP_SHORTEST_SPACE);
}

guint64
afxdp_wait_for_drivers (
    AfxdpWait *waiting, const AfxdpPaths *paths, guint64 wait)
{
  if (!afxdp_paths_wake_drivers (paths) || waiting->n_short >= LOOKS_AT_DRIVER)
    return wait;
  waiting->n_short++;
  return MIN (wait, LOOK_AT_DRIVER_INTERVAL);
}

gboolean
afxdp_wait_until (AfxdpWait *waiting, const AfxdpPaths *paths,
    AfxdpInputs *inputs, guint64 deadline)
{
  guint64 now = afxdp_now (), pause;
  guint64 wait = now < deadline ? deadline - now : 0;

  if (spins (waiting, now)) {
    afxdp_paths_poll_drivers (paths);
    look_in_time (waiting, paths, inputs, now, SPIN_LOOK_INTERVAL);
    return now < deadline;
  }
  if (afxdp_paths_is_settling (paths))
    wait = MIN (wait, SETTLING_TICK);
  wait = afxdp_wait_for_drivers (waiting, paths, wait);
  pause = next_pause (waiting, paths, now);
  if (G_UNLIKELY (paths->provider)) {
    if (!pause || pause > AFXDP_SHORT_PAUSE)
      wait = afxdp_paths_rest (paths, wait);
    if (!wait && now < deadline)
      return TRUE;
  }
  if (pause && pause <= AFXDP_SHORT_PAUSE && pause <= wait) {
    sleep_until (now + pause);
    look_in_time (waiting, paths, inputs, now + pause, LOOK_INTERVAL);
  } else {
    wait_for_events (
        waiting, paths, inputs, pause ? MIN (wait, pause) : wait, pause > 0);
  }
  return now < deadline;
}
