/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the kernel about network interfaces, by rtnetlink. */
#include "netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

/* How often counters are read again that moved meanwhile. */
#define CONSISTENT_ATTEMPTS 3

/* One question to rtnetlink and its answer, which fits: the kernel makes one
 * message of at most a page and a half for a link. */
typedef struct
{
  struct
  {
    struct nlmsghdr header;
    union
    {
      struct ifinfomsg link;
      struct rtmsg route;
    };
    guint8 attributes[64];
  } question;
  guint8 answer[16384] G_GNUC_MAY_ALIAS;
} Exchange;

static void
add_attribute (Exchange *exchange, gushort type, const void *data, gsize size)
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

static int
open_netlink (guint32 groups)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
  int fd = socket (AF_NETLINK,
      SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0), NETLINK_ROUTE);

  if (fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address)) {
    int bind_errno = errno;

    close (fd);
    errno = bind_errno;
    return -1;
  }
  return fd;
}

/* Returns the answer, or NULL and errno. */
static const struct nlmsghdr *
ask (Exchange *exchange)
{
  const struct nlmsghdr *header = (const struct nlmsghdr *) exchange->answer;
  int fd = open_netlink (0);
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

static void
read_kind (const struct rtattr *link_info, AfxdpNetdev *netdev)
{
  int rest = RTA_PAYLOAD (link_info);

  for (const struct rtattr *attribute = RTA_DATA (link_info);
       RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == IFLA_INFO_KIND)
      g_strlcpy (netdev->kind, RTA_DATA (attribute), sizeof netdev->kind);
}

/* One ethtool question about the interface name. */
static gboolean
ask_ethtool (const gchar *name, gpointer question)
{
  struct ifreq request = { .ifr_data = question };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean answered;

  if (fd < 0)
    return FALSE;
  g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  answered = !ioctl (fd, SIOCETHTOOL, &request);
  close (fd);
  return answered;
}

/* rtnetlink tells how many queues were allocated; how many are in use, only the
 * driver does, and not every driver. */
static guint
count_active_queues (const AfxdpNetdev *netdev)
{
  struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
  guint n = 0;

  if (ask_ethtool (netdev->name, &channels))
    n = channels.rx_count + channels.combined_count;
  return n ? MIN (n, netdev->rx_queues) : netdev->rx_queues;
}

static void
read_link (const struct nlmsghdr *header, AfxdpNetdev *netdev)
{
  const struct ifinfomsg *link = NLMSG_DATA (header);
  int rest = IFLA_PAYLOAD (header);

  memset (netdev, 0, sizeof *netdev);
  netdev->index = link->ifi_index;
  netdev->up = link->ifi_flags & IFF_UP;
  netdev->loopback = link->ifi_flags & IFF_LOOPBACK;
  netdev->rx_queues = 1;
  for (const struct rtattr *attribute = IFLA_RTA (link);
       RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest)) {
    const void *value = RTA_DATA (attribute);
    gsize size = RTA_PAYLOAD (attribute);

    switch (attribute->rta_type) {
      case IFLA_IFNAME:
        g_strlcpy (netdev->name, value, sizeof netdev->name);
        break;
      case IFLA_ADDRESS:
        if (size == sizeof netdev->mac)
          memcpy (netdev->mac, value, size);
        break;
      case IFLA_MTU:
        memcpy (&netdev->mtu, value, MIN (size, sizeof netdev->mtu));
        break;
      case IFLA_NUM_RX_QUEUES:
        memcpy (
            &netdev->rx_queues, value, MIN (size, sizeof netdev->rx_queues));
        break;
      case IFLA_LINKINFO:
        read_kind (attribute, netdev);
        break;
      default:
        break;
    }
  }
  netdev->rx_active = count_active_queues (netdev);
}

static void
start_link_question (Exchange *exchange, int index)
{
  memset (&exchange->question, 0, sizeof exchange->question);
  exchange->question.header.nlmsg_len =
      NLMSG_LENGTH (sizeof (struct ifinfomsg));
  exchange->question.header.nlmsg_type = RTM_GETLINK;
  exchange->question.header.nlmsg_flags = NLM_F_REQUEST;
  exchange->question.link.ifi_index = index;
}

gboolean
afxdp_netdev_by_name (const gchar *name, AfxdpNetdev *netdev, GError **error)
{
  const struct nlmsghdr *answer;
  Exchange exchange;

  if (strlen (name) >= IF_NAMESIZE)
    return afxdp_error_set (error, ENODEV, "Interface \"%s\"", name);
  start_link_question (&exchange, 0);
  add_attribute (&exchange, IFLA_IFNAME, name, strlen (name) + 1);
  answer = ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface \"%s\"", name);
  read_link (answer, netdev);
  return TRUE;
}

gboolean
afxdp_netdev_by_index (int index, AfxdpNetdev *netdev, GError **error)
{
  const struct nlmsghdr *answer;
  Exchange exchange;

  start_link_question (&exchange, index);
  answer = ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface number %d", index);
  read_link (answer, netdev);
  return TRUE;
}

/* Drops. */

/* Returns FALSE when the driver could not be asked. */
static gboolean
count_ethtool_statistics (const gchar *name, guint *n)
{
  union
  {
    struct ethtool_sset_info info;
    guint8 room[sizeof (struct ethtool_sset_info) + sizeof (guint32)];
  } question = { .info = { .cmd = ETHTOOL_GSSET_INFO,
                     .sset_mask = 1 << ETH_SS_STATS } };

  if (!ask_ethtool (name, &question) || !question.info.sset_mask)
    return FALSE;
  *n = question.info.data[0];
  return TRUE;
}

/* Redirects that failed on a veth: it counts each as a drop of its queue. */
static gboolean
failed_redirects (const AfxdpNetdev *netdev, guint64 *sum, GError **error)
{
  g_autofree struct ethtool_gstrings *names = NULL;
  g_autofree struct ethtool_stats *values = NULL;
  guint n = 0;

  *sum = 0;
  if (!count_ethtool_statistics (netdev->name, &n))
    return afxdp_error_set (
        error, errno, "Statistics of the driver of \"%s\"", netdev->name);
  names = g_malloc0 (sizeof *names + (gsize) n * ETH_GSTRING_LEN);
  values = g_malloc0 (sizeof *values + n * sizeof (guint64));
  *names = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_STATS, n };
  *values = (struct ethtool_stats){ ETHTOOL_GSTATS, n };
  if (!ask_ethtool (netdev->name, names) || !ask_ethtool (netdev->name, values))
    return afxdp_error_set (
        error, errno, "Statistics of the driver of \"%s\"", netdev->name);
  for (guint i = 0; i < MIN (names->len, values->n_stats); i++) {
    const gchar *of = (const gchar *) names->data + i * ETH_GSTRING_LEN;

    /* As "rx_queue_0_drops". */
    if (g_str_has_prefix (of, "rx_queue_") && g_str_has_suffix (of, "_drops"))
      *sum += values->data[i];
  }
  return TRUE;
}

static gboolean
read_statistics (const AfxdpNetdev *netdev,
    struct rtnl_link_stats64 *statistics, GError **error)
{
  const struct nlmsghdr *answer;
  Exchange exchange;
  int rest;

  start_link_question (&exchange, netdev->index);
  answer = ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface \"%s\"", netdev->name);
  memset (statistics, 0, sizeof *statistics);
  rest = IFLA_PAYLOAD (answer);
  for (const struct rtattr *attribute = IFLA_RTA (NLMSG_DATA (answer));
       RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == IFLA_STATS64)
      memcpy (statistics, RTA_DATA (attribute),
          MIN (RTA_PAYLOAD (attribute), sizeof *statistics));
  return TRUE;
}

gboolean
afxdp_netdev_drops (const AfxdpNetdev *netdev, guint64 *n, GError **error)
{
  gboolean is_veth = g_str_equal (netdev->kind, "veth");
  struct rtnl_link_stats64 statistics = { 0 };
  guint64 before, failed = 0;

  if (is_veth && !failed_redirects (netdev, &failed, error))
    return FALSE;
  /* Both of one moment, if that can be had. */
  for (guint i = 0; i < CONSISTENT_ATTEMPTS; i++) {
    before = failed;
    if (!read_statistics (netdev, &statistics, error) ||
        (is_veth && !failed_redirects (netdev, &failed, error)))
      return FALSE;
    if (failed == before)
      break;
  }
  *n = statistics.rx_missed_errors + statistics.rx_fifo_errors +
      statistics.rx_over_errors + statistics.rx_dropped;
  *n -= MIN (*n, failed);
  return TRUE;
}

/* On a point-to-point link IFA_ADDRESS is the peer's, and IFA_LOCAL is there. */
static GInetAddress *
own_address (const struct nlmsghdr *header)
{
  const struct ifaddrmsg *message = NLMSG_DATA (header);
  int rest = IFA_PAYLOAD (header);
  const guint8 *own = NULL;

  for (const struct rtattr *attribute = IFA_RTA (message);
       RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == IFA_LOCAL ||
        (attribute->rta_type == IFA_ADDRESS && !own))
      own = RTA_DATA (attribute);
  return own
      ? g_inet_address_new_from_bytes (own, (GSocketFamily) message->ifa_family)
      : NULL;
}

/* Calls found for each address of family that the host has, with its interface;
 * family may be AF_UNSPEC. Returns FALSE when the kernel could not be asked. */
static gboolean
for_each_address (guint8 family,
    void (*found) (int index, GInetAddress *address, gpointer user_data),
    gpointer user_data)
{
  struct
  {
    struct nlmsghdr header;
    struct ifaddrmsg message;
  } question = {
    .header = { .nlmsg_len = sizeof question,
        .nlmsg_type = RTM_GETADDR,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
    .message = { .ifa_family = family },
  };
  guint8 answer[16384] G_GNUC_MAY_ALIAS;
  int fd = open_netlink (0);
  gboolean asked = fd >= 0 && send (fd, &question, sizeof question, 0) >= 0;
  gboolean done = FALSE;

  while (asked && !done) {
    gssize got = recv (fd, answer, sizeof answer, 0);
    int rest = got;

    if (got <= 0)
      break;
    for (const struct nlmsghdr *header = (const struct nlmsghdr *) answer;
         NLMSG_OK (header, rest); header = NLMSG_NEXT (header, rest)) {
      const struct ifaddrmsg *message = NLMSG_DATA (header);
      g_autoptr (GInetAddress) address = NULL;

      if (header->nlmsg_type != RTM_NEWADDR) {
        done = TRUE; /* NLMSG_DONE or NLMSG_ERROR */
        break;
      }
      address = own_address (header);
      if (address)
        found (message->ifa_index, address, user_data);
    }
  }
  if (fd >= 0)
    close (fd);
  return done;
}

typedef struct
{
  GInetAddress *address;
  int index;
} AddressSearch;

static void
compare_address (int index, GInetAddress *address, gpointer user_data)
{
  AddressSearch *search = user_data;

  if (g_inet_address_equal (address, search->address))
    search->index = index;
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
collect_address (int index, GInetAddress *address, gpointer user_data)
{
  AddressList *list = user_data;

  if (index == list->index)
    g_ptr_array_add (list->addresses, g_object_ref (address));
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
  const struct nlmsghdr *answer;
  Exchange exchange;
  int index = 0, rest;

  if (!g_inet_address_get_is_multicast (address) &&
      (index = interface_with (address)))
    return afxdp_netdev_by_index (index, netdev, error);

  memset (&exchange.question, 0, sizeof exchange.question);
  exchange.question.header.nlmsg_len = NLMSG_LENGTH (sizeof (struct rtmsg));
  exchange.question.header.nlmsg_type = RTM_GETROUTE;
  exchange.question.header.nlmsg_flags = NLM_F_REQUEST;
  exchange.question.route.rtm_family = g_inet_address_get_family (address);
  exchange.question.route.rtm_dst_len =
      g_inet_address_get_native_size (address) * 8;
  add_attribute (&exchange, RTA_DST, g_inet_address_to_bytes (address),
      g_inet_address_get_native_size (address));
  answer = ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "No route to %s", text);
  rest = RTM_PAYLOAD (answer);
  for (const struct rtattr *attribute = RTM_RTA (NLMSG_DATA (answer));
       RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == RTA_OIF)
      memcpy (&index, RTA_DATA (attribute), sizeof index);
  if (!index)
    return afxdp_error_set (error, ENETUNREACH, "No route to %s", text);
  return afxdp_netdev_by_index (index, netdev, error);
}

guint64
afxdp_netdev_namespace (void)
{
  struct stat status;

  return stat ("/proc/thread-self/ns/net", &status) ? 0 : status.st_ino;
}

int
afxdp_netdev_monitor_new (GError **error)
{
  int fd = open_netlink (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);

  if (fd < 0)
    afxdp_error_set (error, errno, "Could not watch the network interfaces");
  return fd;
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
      return is_it ? AFXDP_NETDEV_CHANGED : 0;
    case RTM_DELLINK:
      return is_it ? AFXDP_NETDEV_GONE : 0;
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
