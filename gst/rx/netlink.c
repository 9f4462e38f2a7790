/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to netlink, and their answers. */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
afxdp_netlink_start (AfxdpNetlink *exchange, guint16 type, gsize size)
{
  memset (&exchange->question, 0, sizeof exchange->question);
  exchange->question.header = (struct nlmsghdr){
    .nlmsg_len = NLMSG_LENGTH (size),
    .nlmsg_type = type,
    .nlmsg_flags = NLM_F_REQUEST,
  };
}

void
afxdp_netlink_start_link (AfxdpNetlink *exchange, int index)
{
  afxdp_netlink_start (exchange, RTM_GETLINK, sizeof (struct ifinfomsg));
  exchange->question.link.ifi_index = index;
}

void
afxdp_netlink_add (
    AfxdpNetlink *exchange, gushort type, const void *data, gsize size)
{
  struct nlmsghdr *header = &exchange->question.header;
  struct rtattr *attribute =
      (struct rtattr *) ((guint8 *) header + NLMSG_ALIGN (header->nlmsg_len));

  attribute->rta_type = type;
  attribute->rta_len = RTA_LENGTH (size);
  memcpy (RTA_DATA (attribute), data, size);
  header->nlmsg_len =
      NLMSG_ALIGN (header->nlmsg_len) + RTA_ALIGN (attribute->rta_len);
}

int
afxdp_netlink_open (int protocol, guint32 groups)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
  int fd = socket (AF_NETLINK,
      SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0), protocol);

  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address)) {
    int bind_errno = errno;

    close (fd);
    errno = bind_errno;
    return -1;
  }
  return fd;
}

const struct nlmsghdr *
afxdp_netlink_ask_protocol (AfxdpNetlink *exchange, int protocol)
{
  const struct nlmsghdr *header = (const struct nlmsghdr *) exchange->answer;
  int fd = afxdp_netlink_open (protocol, 0);
  gssize size = -1;
  int ask_errno;

  if (fd < 0)
    return NULL;
  if (send (fd, &exchange->question, exchange->question.header.nlmsg_len, 0) >=
      0)
    size = recv (fd, exchange->answer, sizeof exchange->answer, 0);
  ask_errno = errno;
  close (fd);
  errno = ask_errno;
  if (size < 0)
    return NULL;
  if (!NLMSG_OK (header, (gsize) size)) {
    errno = EPROTO;
    return NULL;
  }
  if (header->nlmsg_type == NLMSG_ERROR) {
    errno = -((const struct nlmsgerr *) NLMSG_DATA (header))->error;
    return NULL;
  }
  return header;
}

const struct nlmsghdr *
afxdp_netlink_ask (AfxdpNetlink *exchange)
{
  return afxdp_netlink_ask_protocol (exchange, NETLINK_ROUTE);
}

guint16
afxdp_netlink_read (gconstpointer messages, gssize size,
    AfxdpNetlinkFunction function, gpointer user_data)
{
  for (const struct nlmsghdr *message = messages; NLMSG_OK (message, size);
       message = NLMSG_NEXT (message, size)) {
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
      return message->nlmsg_type;
    function (message, user_data);
  }
  return 0;
}

gboolean
afxdp_netlink_dump (
    AfxdpNetlink *exchange, AfxdpNetlinkFunction function, gpointer user_data)
{
  struct nlmsghdr *header = &exchange->question.header;
  int fd = afxdp_netlink_open (NETLINK_ROUTE, 0);
  guint16 end = 0;
  gssize size;

  if (fd < 0)
    return FALSE;
  header->nlmsg_flags |= NLM_F_DUMP;
  if (send (fd, header, header->nlmsg_len, 0) >= 0)
    while (!end &&
        (size = recv (fd, exchange->answer, sizeof exchange->answer, 0)) > 0)
      end = afxdp_netlink_read (exchange->answer, size, function, user_data);
  close (fd);
  return end == NLMSG_DONE;
}

const struct rtattr *
afxdp_netlink_find (
    const struct rtattr *first, int rest, gushort type, gsize size)
{
  for (const struct rtattr *attribute = first; RTA_OK (attribute, rest);
       attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == type && RTA_PAYLOAD (attribute) >= size)
      return attribute;
  return NULL;
}

const struct rtattr *
afxdp_netlink_find_of_link (
    const struct nlmsghdr *link, gushort type, gsize size)
{
  return afxdp_netlink_find (
      IFLA_RTA (NLMSG_DATA (link)), IFLA_PAYLOAD (link), type, size);
}

guint32
afxdp_netlink_number_of_link (const struct nlmsghdr *link, gushort type)
{
  guint32 number = 0;
  const struct rtattr *attribute =
      afxdp_netlink_find_of_link (link, type, sizeof number);

  if (attribute)
    memcpy (&number, RTA_DATA (attribute), sizeof number);
  return number;
}

void
afxdp_netlink_kind_of_link (
    const struct nlmsghdr *link, gchar *kind, gsize size)
{
  const struct rtattr *about =
      afxdp_netlink_find_of_link (link, IFLA_LINKINFO, 0);
  const struct rtattr *told = about
      ? afxdp_netlink_find (
            RTA_DATA (about), RTA_PAYLOAD (about), IFLA_INFO_KIND, 0)
      : NULL;

  g_snprintf (kind, size, "%.*s", told ? (int) RTA_PAYLOAD (told) : 0,
      told ? (const gchar *) RTA_DATA (told) : "");
}
