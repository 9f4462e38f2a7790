/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the kernel about network interfaces, by netlink and ethtool. */
#include "netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "ethtool.h"
#include "netlink.h"

/* linux/netdev.h, since Linux 6.3; the C library's headers may be older. */
#define NETDEV_FAMILY "netdev"
#define NETDEV_COMMAND_GET 1
#define NETDEV_ATTRIBUTE_IFINDEX 1
#define NETDEV_ATTRIBUTE_XDP_FEATURES 3
#define XDP_FEATURE_ZERO_COPY (1 << 3)

/* Asks for command of a family of generic netlink about one attribute. Leaves in
 * value what the answer says of wanted. */
static gboolean
ask_generic (guint16 family, guint8 command, gushort type, const void *data,
    gsize size, gushort wanted, gpointer value, gsize value_size)
{
  const struct rtattr *attribute = NULL;
  const struct nlmsghdr *answer;
  AfxdpNetlink exchange;

  afxdp_netlink_start (&exchange, family, GENL_HDRLEN);
  exchange.question.generic.cmd = command;
  afxdp_netlink_add (&exchange, type, data, size);
  answer = afxdp_netlink_ask_protocol (&exchange, NETLINK_GENERIC);
  if (answer)
    attribute = afxdp_netlink_find (
        (const struct rtattr *) ((const guint8 *) NLMSG_DATA (answer) +
            GENL_HDRLEN),
        NLMSG_PAYLOAD (answer, GENL_HDRLEN), wanted, value_size);
  if (attribute)
    memcpy (value, RTA_DATA (attribute), value_size);
  return attribute != NULL;
}

gboolean
afxdp_netdev_may_have_zero_copy (const AfxdpNetdev *netdev)
{
  guint32 index = netdev->index;
  guint16 family;
  guint64 features;

  if (ask_generic (GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
          NETDEV_FAMILY, sizeof NETDEV_FAMILY, CTRL_ATTR_FAMILY_ID, &family,
          sizeof family) &&
      ask_generic (family, NETDEV_COMMAND_GET, NETDEV_ATTRIBUTE_IFINDEX, &index,
          sizeof index, NETDEV_ATTRIBUTE_XDP_FEATURES, &features,
          sizeof features))
    return (features & XDP_FEATURE_ZERO_COPY) != 0;
  return !netdev->kind[0] && !netdev->loopback;
}

/* rtnetlink tells how many queues were allocated; how many are in use, only the
 * driver does, and not every driver. */
static guint
count_active_queues (const AfxdpNetdev *netdev)
{
  struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
  guint n = 0;

  if (afxdp_ethtool_ask (netdev->index, &channels))
    n = channels.rx_count + channels.combined_count;
  return n ? MIN (n, netdev->rx_queues) : netdev->rx_queues;
}

gboolean
afxdp_netdev_may_add_queues (const AfxdpNetdev *netdev)
{
  struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

  return netdev->rx_active < netdev->rx_queues &&
      afxdp_ethtool_ask (netdev->index, &driver) &&
      g_str_equal (driver.driver, "virtio_net");
}

guint
afxdp_netdev_rx_ring (const AfxdpNetdev *netdev)
{
  struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

  return afxdp_ethtool_ask (netdev->index, &ring) ? ring.rx_pending : 0;
}

static void
read_link (const struct nlmsghdr *header, AfxdpNetdev *netdev)
{
  const struct ifinfomsg *link = NLMSG_DATA (header);
  const struct rtattr *name =
      afxdp_netlink_find_of_link (header, IFLA_IFNAME, 1);
  const struct rtattr *mac =
      afxdp_netlink_find_of_link (header, IFLA_ADDRESS, sizeof netdev->mac);

  memset (netdev, 0, sizeof *netdev);
  netdev->index = link->ifi_index;
  netdev->up = link->ifi_flags & IFF_UP;
  netdev->loopback = link->ifi_flags & IFF_LOOPBACK;
  netdev->mtu = afxdp_netlink_number_of_link (header, IFLA_MTU);
  netdev->rx_queues =
      MAX (1, afxdp_netlink_number_of_link (header, IFLA_NUM_RX_QUEUES));
  afxdp_netlink_kind_of_link (header, netdev->kind, sizeof netdev->kind);
  if (name)
    g_strlcpy (netdev->name, RTA_DATA (name), sizeof netdev->name);
  if (mac && RTA_PAYLOAD (mac) == sizeof netdev->mac)
    memcpy (netdev->mac, RTA_DATA (mac), sizeof netdev->mac);
  netdev->rx_active = count_active_queues (netdev);
}

gboolean
afxdp_netdev_by_name (const gchar *name, AfxdpNetdev *netdev, GError **error)
{
  const struct nlmsghdr *answer;
  AfxdpNetlink exchange;

  if (strlen (name) >= IF_NAMESIZE)
    return afxdp_error_set (error, ENODEV, "Interface \"%s\"", name);
  afxdp_netlink_start_link (&exchange, 0);
  afxdp_netlink_add (&exchange, IFLA_IFNAME, name, strlen (name) + 1);
  answer = afxdp_netlink_ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface \"%s\"", name);
  read_link (answer, netdev);
  return TRUE;
}

gboolean
afxdp_netdev_by_index (int index, AfxdpNetdev *netdev, GError **error)
{
  const struct nlmsghdr *answer;
  AfxdpNetlink exchange;

  afxdp_netlink_start_link (&exchange, index);
  answer = afxdp_netlink_ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface number %d", index);
  read_link (answer, netdev);
  return TRUE;
}

/* What is on top of an interface. */

typedef struct
{
  int index; /* what is looked for is on top of this one */
  gboolean found;
} Search;

static void
look_for_upper (const struct nlmsghdr *message, gpointer user_data)
{
  Search *search = user_data;
  const struct ifinfomsg *link = NLMSG_DATA (message);
  gchar kind[sizeof ((AfxdpNetdev *) NULL)->kind];

  if (link->ifi_index == search->index) {
    search->found |= afxdp_netlink_number_of_link (message, IFLA_MASTER) ||
        afxdp_netlink_number_of_link (message, IFLA_PROMISCUITY);
    return;
  }
  /* A veth's link is its peer. */
  afxdp_netlink_kind_of_link (message, kind, sizeof kind);
  search->found |= afxdp_netlink_number_of_link (message, IFLA_LINK) ==
          (guint32) search->index &&
      !afxdp_netlink_find_of_link (message, IFLA_LINK_NETNSID, 0) &&
      strcmp (kind, "veth");
}

gboolean
afxdp_netdev_has_uppers (const AfxdpNetdev *netdev)
{
  Search search = { .index = netdev->index };
  AfxdpNetlink exchange;

  afxdp_netlink_start_link (&exchange, 0);
  return !afxdp_netlink_dump (&exchange, look_for_upper, &search) ||
      search.found;
}

guint64
afxdp_netdev_namespace (void)
{
  struct stat status;

  return stat ("/proc/thread-self/ns/net", &status) ? 0 : status.st_ino;
}
