/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of a UDP socket: those that pass, answers to what the application sent, and
 * the one that stays. */
#include "socketstate.h"

#include <errno.h>
#include <poll.h>

#include "clock.h"
#include "error.h"

/* An answer to something sent (ICMP) is over when it was reported. What is reported
 * for so long without a pause stays; ns. */
#define LONGEST_FAILING (100 * AFXDP_MS)
/* Of an application's error queue, as much is read at once. */
#define ERRORS_AT_ONCE 256

void
afxdp_socket_note_failure (AfxdpSocket *socket, int errnum)
{
  guint64 now = afxdp_now ();

  if (!socket->failing_since)
    socket->failing_since = now;
  if (!socket->error && now - socket->failing_since >= LONGEST_FAILING)
    afxdp_error_set (
        &socket->error, errnum, "Could not receive from the UDP socket");
}

/* The application sends by this socket as well, and may have asked for a queue of
 * what comes back (IP_RECVERR). While anything is in there, poll() returns at
 * once. */
static void
empty_error_queue (AfxdpSocket *socket)
{
  guint8 data[64];
  struct iovec vector = { data, sizeof data };
  gssize got = 0;

  for (guint i = 0; i < ERRORS_AT_ONCE && got >= 0; i++) {
    struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

    got = recvmsg (socket->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
    socket->n_errors += got >= 0;
  }
}

void
afxdp_socket_look_for_errors (AfxdpSocket *socket)
{
  struct pollfd poller = { .fd = socket->fd, .events = POLLRDHUP };
  int errnum = 0;
  socklen_t size = sizeof errnum;

  empty_error_queue (socket);
  if (!getsockopt (socket->fd, SOL_SOCKET, SO_ERROR, &errnum, &size) && errnum)
    socket->n_errors++;
  if (socket->error || poll (&poller, 1, 0) < 0)
    return;
  if (poller.revents & (POLLRDHUP | POLLHUP))
    g_set_error_literal (&socket->error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
        "The application has shut down the UDP socket, so nothing more can "
        "be received. Set the element to NULL and start it again; if the "
        "application gave the socket, it must give another one");
  else if (poller.revents)
    afxdp_socket_note_failure (socket, errnum ? errnum : EIO);
  else if (!errnum)
    socket->failing_since = 0;
}

const GError *
afxdp_socket_error (const AfxdpSocket *socket)
{
  return socket->error;
}

guint64
afxdp_socket_n_errors (const AfxdpSocket *socket)
{
  return socket->n_errors;
}
