/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sleep of a thread that watches many descriptors: until one has something, a time
 * has come, or somebody calls. Where it is not said otherwise, for that thread.
 */
#pragma once

#include <glib.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

/* Descriptors that are found ready at a time; the others are the next time's, behind
 * another pause. So as many as an interface has streams (AFXDP_SLOTS). */
#define AFXDP_POLLER_EVENTS 1024

typedef struct
{
  int epoll;  /* all descriptors, */
  int wakeup; /* and this eventfd */
  /* the kernel (before Linux 5.11), or a filter of system calls, has refused it */
  gboolean no_pwait2;
} AfxdpPoller;

/* Returns FALSE and errno when there are no descriptors to be had. */
gboolean afxdp_poller_init (AfxdpPoller *poller);
/* Also what could not be made. */
void afxdp_poller_clear (AfxdpPoller *poller);

/* data: of its events; not all ones. Without memory for it, it is not watched. Any
 * thread. */
void afxdp_poller_watch (AfxdpPoller *poller, int fd, guint64 data);
void afxdp_poller_unwatch (AfxdpPoller *poller, int fd);
/* Ends a wait, or the next one. Any thread. */
void afxdp_poller_call (AfxdpPoller *poller);

/* Until something comes, or length ns have passed. events: room for
 * AFXDP_POLLER_EVENTS. Returns how many there are. */
guint afxdp_poller_wait (
    AfxdpPoller *poller, struct epoll_event *events, guint64 length);
/* From now until then, whatever comes, to gather it. Who calls is heard when that is
 * long. */
void afxdp_poller_pause (AfxdpPoller *poller, guint64 now, guint64 until);

G_END_DECLS
