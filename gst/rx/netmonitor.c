/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel tells of changes to interfaces. */
#include "netmonitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "error.h"
#include "netlink.h"

int
afxdp_netdev_monitor_new (GError **error)
{
  int fd = afxdp_netlink_open (
      NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);

  if (fd < 0)
    afxdp_error_set (error, errno, "Could not watch the network interfaces");
  return fd;
}

/* Of a link above it, such as a VLAN interface. */
static gboolean
is_above (const struct nlmsghdr *header, int index)
{
  return afxdp_netlink_number_of_link (header, IFLA_LINK) == (guint32) index;
}

static AfxdpNetdevEvents
event_of (const struct nlmsghdr *header, int index)
{
  const struct ifaddrmsg *address = NLMSG_DATA (header);
  const struct ifinfomsg *link = NLMSG_DATA (header);
  /* A bridge speaks of its ports too, of those that leave it as well. */
  gboolean is_it = link->ifi_family == AF_UNSPEC && link->ifi_index == index;

  switch (header->nlmsg_type) {
    case RTM_NEWLINK:
      return is_it || is_above (header, index) ? AFXDP_NETDEV_CHANGED : 0;
    case RTM_DELLINK:
      return is_it                   ? AFXDP_NETDEV_GONE
          : is_above (header, index) ? AFXDP_NETDEV_CHANGED
                                     : 0;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return (int) address->ifa_index == index ? AFXDP_NETDEV_ADDRESSES : 0;
    default:
      return 0;
  }
}

AfxdpNetdevEvents
afxdp_netdev_monitor_read (int monitor, int index)
{
  guint8 messages[16384] G_GNUC_MAY_ALIAS;
  AfxdpNetdevEvents events = 0;
  gssize size;

  for (;;) {
    size = recv (monitor, messages, sizeof messages, MSG_DONTWAIT);
    if (size < 0 && errno == ENOBUFS) {
      /* Missed some: look anew. */
      events |= AFXDP_NETDEV_CHANGED | AFXDP_NETDEV_ADDRESSES;
      continue;
    }
    if (size <= 0)
      return events;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *) messages;
         NLMSG_OK (header, (gsize) size); header = NLMSG_NEXT (header, size))
      events |= event_of (header, index);
  }
}
