/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sleep of a thread that watches many descriptors. */
#include "poller.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "clock.h"
#include "coalesce.h"
#include "wakeup.h"

/* What its own descriptor is watched as. */
#define OWN_WAKEUP G_MAXUINT64

gboolean
afxdp_poller_init (AfxdpPoller *poller)
{
  struct epoll_event event = { .events = EPOLLIN, .data.u64 = OWN_WAKEUP };

  *poller = (AfxdpPoller){ .wakeup = afxdp_wakeup_new () };
  poller->epoll = epoll_create1 (EPOLL_CLOEXEC);
  return poller->wakeup >= 0 && poller->epoll >= 0 &&
      !epoll_ctl (poller->epoll, EPOLL_CTL_ADD, poller->wakeup, &event);
}

void
afxdp_poller_clear (AfxdpPoller *poller)
{
  if (poller->epoll >= 0)
    close (poller->epoll);
  if (poller->wakeup >= 0)
    close (poller->wakeup);
}

void
afxdp_poller_watch (AfxdpPoller *poller, int fd, guint64 data)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP,
    .data.u64 = data };

  epoll_ctl (poller->epoll, EPOLL_CTL_ADD, fd, &event);
}

void
afxdp_poller_unwatch (AfxdpPoller *poller, int fd)
{
  epoll_ctl (poller->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void
afxdp_poller_call (AfxdpPoller *poller)
{
  afxdp_wakeup_signal (poller->wakeup);
}

static struct timespec
timespec_of (guint64 ns)
{
  return (struct timespec){ MIN (ns / AFXDP_S, G_MAXINT), ns % AFXDP_S };
}

/* As epoll_pwait2() does it; epoll_wait() knows only milliseconds. */
static int
poll_and_wait (AfxdpPoller *poller, struct epoll_event *events,
    const struct timespec *time)
{
  struct pollfd any = { poller->epoll, POLLIN, 0 };
  int n = ppoll (&any, 1, time, NULL);

  return n > 0 ? epoll_wait (poller->epoll, events, AFXDP_POLLER_EVENTS, 0) : n;
}

static int
wait_for_any (AfxdpPoller *poller, struct epoll_event *events,
    const struct timespec *time)
{
  int n;

  if (!poller->no_pwait2) {
    n = epoll_pwait2 (poller->epoll, events, AFXDP_POLLER_EVENTS, time, NULL);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
      return n;
    poller->no_pwait2 = TRUE;
  }
  return poll_and_wait (poller, events, time);
}

guint
afxdp_poller_wait (
    AfxdpPoller *poller, struct epoll_event *events, guint64 length)
{
  struct timespec time = timespec_of (length);
  int n = wait_for_any (poller, events, &time);

  /* Memory was refused: look later, but do not run for nothing. */
  if (n < 0 && errno != EINTR)
    g_usleep (1000);
  for (int i = 0; i < n; i++)
    if (events[i].data.u64 == OWN_WAKEUP) {
      afxdp_wakeup_clear (poller->wakeup);
      events[i] = events[--n];
      break;
    }
  return MAX (n, 0);
}

void
afxdp_poller_pause (AfxdpPoller *poller, guint64 now, guint64 until)
{
  struct pollfd called = { poller->wakeup, POLLIN, 0 };
  struct timespec end = timespec_of (until), length = timespec_of (until - now);

  /* Without a look at any descriptor, which makes it cheaper. */
  if (until - now <= AFXDP_SHORT_PAUSE)
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
  else
    ppoll (&called, 1, &length, NULL);
}
