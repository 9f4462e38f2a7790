/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of the host, and its routes. */
#include "netroutes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "netlink.h"

/* On a point-to-point link IFA_ADDRESS is the peer's, and IFA_LOCAL is there. */
static GInetAddress *
own_address (const struct nlmsghdr *header)
{
  const struct ifaddrmsg *message = NLMSG_DATA (header);
  const struct rtattr *own = afxdp_netlink_find (
      IFA_RTA (message), IFA_PAYLOAD (header), IFA_LOCAL, 0);

  if (!own)
    own = afxdp_netlink_find (
        IFA_RTA (message), IFA_PAYLOAD (header), IFA_ADDRESS, 0);
  return own ? g_inet_address_new_from_bytes (
                   RTA_DATA (own), (GSocketFamily) message->ifa_family)
             : NULL;
}

/* Calls function for each address of family that the host has; family may be
 * AF_UNSPEC. Returns FALSE when the kernel could not be asked. */
static gboolean
for_each_address (
    guint8 family, AfxdpNetlinkFunction function, gpointer user_data)
{
  AfxdpNetlink exchange;

  afxdp_netlink_start (&exchange, RTM_GETADDR, sizeof (struct ifaddrmsg));
  exchange.question.address.ifa_family = family;
  return afxdp_netlink_dump (&exchange, function, user_data);
}

typedef struct
{
  GInetAddress *address;
  int index;
} AddressSearch;

static void
compare_address (const struct nlmsghdr *message, gpointer user_data)
{
  const struct ifaddrmsg *about = NLMSG_DATA (message);
  g_autoptr (GInetAddress) address = own_address (message);
  AddressSearch *search = user_data;

  if (address && g_inet_address_equal (address, search->address))
    search->index = about->ifa_index;
}

/* Returns the interface that has address, or 0: for a local address the route
 * would lead to the loopback interface. */
static int
interface_with (GInetAddress *address)
{
  AddressSearch search = { .address = address };

  for_each_address (
      g_inet_address_get_family (address), compare_address, &search);
  return search.index;
}

typedef struct
{
  int index;
  GPtrArray *addresses;
} AddressList;

static void
collect_address (const struct nlmsghdr *message, gpointer user_data)
{
  const struct ifaddrmsg *about = NLMSG_DATA (message);
  g_autoptr (GInetAddress) address = own_address (message);
  AddressList *list = user_data;

  if (address && (int) about->ifa_index == list->index)
    g_ptr_array_add (list->addresses, g_steal_pointer (&address));
}

GPtrArray *
afxdp_netdev_addresses (int index)
{
  AddressList list = { index, g_ptr_array_new_with_free_func (g_object_unref) };

  if (!for_each_address (AF_UNSPEC, collect_address, &list))
    g_clear_pointer (&list.addresses, g_ptr_array_unref);
  return list.addresses;
}

gboolean
afxdp_netdev_by_route (
    GInetAddress *address, AfxdpNetdev *netdev, GError **error)
{
  g_autofree gchar *text = g_inet_address_to_string (address);
  const struct rtattr *interface = NULL;
  const struct nlmsghdr *answer;
  AfxdpNetlink exchange;
  int index = 0;

  if (!g_inet_address_get_is_multicast (address) &&
      (index = interface_with (address)))
    return afxdp_netdev_by_index (index, netdev, error);

  afxdp_netlink_start (&exchange, RTM_GETROUTE, sizeof (struct rtmsg));
  exchange.question.route.rtm_family = g_inet_address_get_family (address);
  exchange.question.route.rtm_dst_len =
      g_inet_address_get_native_size (address) * 8;
  afxdp_netlink_add (&exchange, RTA_DST, g_inet_address_to_bytes (address),
      g_inet_address_get_native_size (address));
  answer = afxdp_netlink_ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "No route to %s", text);
  interface = afxdp_netlink_find (RTM_RTA (NLMSG_DATA (answer)),
      RTM_PAYLOAD (answer), RTA_OIF, sizeof index);
  if (interface)
    memcpy (&index, RTA_DATA (interface), sizeof index);
  if (!index)
    return afxdp_error_set (error, ENETUNREACH, "No route to %s", text);
  return afxdp_netdev_by_index (index, netdev, error);
}
