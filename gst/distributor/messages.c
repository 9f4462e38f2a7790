/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages over a SOCK_SEQPACKET socket, and the descriptors that they carry. */
#include "messages.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_SENT 2

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

/* There is no room for descriptors, so that the kernel drops them and says MSG_CTRUNC:
 * close() of one that we had taken could wait for its sender, who may be the server of
 * the FUSE file that it is of. */
AfxdpReceived
afxdp_request_receive (
    int socket, AfxdpRequest *request, const gchar **violation)
{
  struct iovec part = { request, sizeof *request };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
  gssize size;

  memset (request, 0, sizeof *request);
  do
    size = recvmsg (socket, &header, MSG_DONTWAIT);
  while (size < 0 && errno == EINTR);
  if (size < 0)
    return errno == EAGAIN ? AFXDP_RECEIVED_NOTHING : AFXDP_RECEIVED_END;
  if (!size && !(header.msg_flags & MSG_CTRUNC))
    return AFXDP_RECEIVED_END;
  *violation = header.msg_flags & MSG_CTRUNC
      ? "a descriptor, which is for the daemon alone to send"
      : header.msg_flags & MSG_TRUNC ? "a message that is longer than any"
                                     : find_fault (request, size);
  return *violation ? AFXDP_RECEIVED_VIOLATION : AFXDP_RECEIVED_REQUEST;
}

void
afxdp_message_set_text (gchar *field, gsize size, const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  const gchar *end;

  g_strlcpy (field, valid, size);
  g_utf8_validate (field, -1, &end);
  field[end - field] = 0;
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
