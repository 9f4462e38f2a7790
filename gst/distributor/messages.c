/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages over a SOCK_SEQPACKET socket, and the descriptors that they carry. */
#include "messages.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_SENT 2
/* SCM_MAX_FD of the kernel: so many can come with a message. */
#define MOST_RECEIVED 253

/* What a client may say. */
static gsize
size_of (guint32 type)
{
  switch (type) {
    case AFXDP_MESSAGE_HELLO:
      return sizeof (struct afxdp_hello);
    case AFXDP_MESSAGE_OPEN:
      return sizeof (struct afxdp_open);
    case AFXDP_MESSAGE_STATUS:
      return sizeof (struct afxdp_status);
    default:
      return 0;
  }
}

/* Returns how many there were. */
static guint
close_descriptors (struct msghdr *header)
{
  guint n_closed = 0;

  for (struct cmsghdr *part = CMSG_FIRSTHDR (header); part;
       part = CMSG_NXTHDR (header, part)) {
    gsize n = (part->cmsg_len - CMSG_LEN (0)) / sizeof (int);

    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
      continue;
    for (gsize i = 0; i < n; i++) {
      int fd;

      memcpy (&fd, CMSG_DATA (part) + i * sizeof fd, sizeof fd);
      close (fd);
    }
    n_closed += n;
  }
  return n_closed;
}

static const gchar *
find_fault (const AfxdpRequest *request, gsize size)
{
  gsize expected;

  if (size < sizeof request->message)
    return "a message without a head";
  expected = size_of (request->message.type);
  if (!expected)
    return "a message of a type that no client sends";
  if (size != expected || request->message.size != expected)
    return "a message of another length than its type has";
  return NULL;
}

AfxdpReceived
afxdp_request_receive (
    int socket, AfxdpRequest *request, const gchar **violation)
{
  union
  {
    struct cmsghdr head;
    gchar room[CMSG_SPACE (MOST_RECEIVED * sizeof (int))];
  } control;
  struct iovec part = { request, sizeof *request };
  struct msghdr header = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  gssize size;
  guint n_fds;

  memset (request, 0, sizeof *request);
  do
    size = recvmsg (socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    return errno == EAGAIN ? AFXDP_RECEIVED_NOTHING : AFXDP_RECEIVED_END;
  n_fds = close_descriptors (&header);
  if (!size && !n_fds)
    return AFXDP_RECEIVED_END;
  *violation = n_fds || header.msg_flags & MSG_CTRUNC
      ? "a descriptor, which is for the daemon alone to send"
      : header.msg_flags & MSG_TRUNC ? "a message that is longer than any"
                                     : find_fault (request, size);
  return *violation ? AFXDP_RECEIVED_VIOLATION : AFXDP_RECEIVED_REQUEST;
}

gboolean
afxdp_message_send (
    int socket, const struct afxdp_message *message, const int *fds, guint n)
{
  union
  {
    struct cmsghdr head;
    gchar room[CMSG_SPACE (MOST_SENT * sizeof (int))];
  } control = { 0 };
  struct iovec part = { (gpointer) message, message->size };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize sent;

  g_assert (n <= MOST_SENT);
  if (n) {
    struct cmsghdr *rights;

    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE (n * sizeof *fds);
    rights = CMSG_FIRSTHDR (&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN (n * sizeof *fds);
    memcpy (CMSG_DATA (rights), fds, n * sizeof *fds);
  }
  do
    sent = sendmsg (socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == (gssize) message->size;
}
