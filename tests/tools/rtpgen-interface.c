/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks the kernel about an interface: ioctl for what it is, ethtool and
 * rtnetlink for what it has counted. Not sysfs, which shows the interfaces of
 * the namespace it was mounted in.
 */
#include "rtpgen-interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void
set_system_error (
    GError **error, const RtpgenInterface *self, const gchar *what)
{
  const gint code = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "Cannot %s interface %s: %s", what, self->name, g_strerror (code));
}

/* A file descriptor, or -1, that is closed at the end of its block. */
typedef gint OwnedFd;

static void
owned_fd_clear (OwnedFd *fd)
{
  if (*fd >= 0)
    close (*fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OwnedFd, owned_fd_clear)

/* One ioctl on the interface's name. Returns FALSE with errno set. */
static gboolean
ask (const RtpgenInterface *self, gint fd, gulong request, struct ifreq *answer)
{
  memset (answer->ifr_name, 0, sizeof answer->ifr_name);
  g_strlcpy (answer->ifr_name, self->name, sizeof answer->ifr_name);
  return ioctl (fd, request, answer) == 0;
}

static gboolean
ask_ethtool (const RtpgenInterface *self, gint fd, gpointer command)
{
  struct ifreq request = { .ifr_data = command };

  return ask (self, fd, SIOCETHTOOL, &request);
}

static void
ask_driver (RtpgenInterface *self, gint fd)
{
  struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
  struct ethtool_value checksums = { .cmd = ETHTOOL_GTXCSUM };

  if (ask_ethtool (self, fd, &driver))
    self->is_veth = g_str_equal (driver.driver, "veth");
  if (ask_ethtool (self, fd, &checksums))
    self->leaves_checksums = checksums.data != 0;
}

RtpgenInterface *
rtpgen_interface_new (const gchar *name, GError **error)
{
  g_autoptr (RtpgenInterface) self = g_new0 (RtpgenInterface, 1);
  g_auto (OwnedFd) fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq answer;

  self->name = g_strdup (name);
  if (fd < 0 || !ask (self, fd, SIOCGIFINDEX, &answer)) {
    set_system_error (error, self, "find");
    return NULL;
  }
  self->index = answer.ifr_ifindex;
  if (!ask (self, fd, SIOCGIFFLAGS, &answer))
    goto failed;
  if ((answer.ifr_flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
        "Interface %s is down, or the other end of the veth pair is: set both "
        "up (ip link set DEV up)",
        name);
    return NULL;
  }
  if (!ask (self, fd, SIOCGIFMTU, &answer))
    goto failed;
  self->mtu = answer.ifr_mtu;
  if (!ask (self, fd, SIOCGIFHWADDR, &answer))
    goto failed;
  if (answer.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
        "Interface %s has no Ethernet addresses: send from a veth", name);
    return NULL;
  }
  memcpy (self->mac, answer.ifr_hwaddr.sa_data, sizeof self->mac);
  ask_driver (self, fd);
  return g_steal_pointer (&self);

failed:
  set_system_error (error, self, "ask for the settings of");
  return NULL;
}

void
rtpgen_interface_free (RtpgenInterface *self)
{
  if (!self)
    return;
  g_free (self->name);
  g_free (self);
}

/* Interface-local and link-local groups (RFC 4291 2.7) and link-local hosts. */
static gboolean
is_link_local (const RtpgenAddress *address)
{
  if (address->family != AF_INET6)
    return FALSE;
  if (address->address[0] == 0xff)
    return (address->address[1] & 0x0f) <= 2;
  return address->address[0] == 0xfe && (address->address[1] & 0xc0) == 0x80;
}

static void
address_from_socket_address (
    const struct sockaddr *from, RtpgenAddress *address)
{
  memset (address, 0, sizeof *address);
  address->family = from->sa_family;
  if (from->sa_family == AF_INET6)
    memcpy (
        address->address, &((const struct sockaddr_in6 *) from)->sin6_addr, 16);
  else
    memcpy (
        address->address, &((const struct sockaddr_in *) from)->sin_addr, 4);
}

gboolean
rtpgen_interface_get_address (const RtpgenInterface *self,
    const RtpgenAddress *destination, RtpgenAddress *address, GError **error)
{
  struct ifaddrs *list = NULL;
  gboolean found = FALSE;

  if (getifaddrs (&list) < 0) {
    set_system_error (error, self, "list the addresses of");
    return FALSE;
  }
  for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
    RtpgenAddress candidate;

    if (!entry->ifa_addr || !g_str_equal (entry->ifa_name, self->name) ||
        entry->ifa_addr->sa_family != destination->family)
      continue;
    address_from_socket_address (entry->ifa_addr, &candidate);
    /* The first, but one of the destination's scope is better. */
    if (found && is_link_local (&candidate) != is_link_local (destination))
      continue;
    if (!found || is_link_local (address) != is_link_local (destination))
      *address = candidate;
    found = TRUE;
  }
  freeifaddrs (list);
  if (!found)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
        "Interface %s has no %s address to send from: give it one (ip address "
        "add), or give --source",
        self->name, destination->family == AF_INET6 ? "IPv6" : "IPv4");
  return found;
}

/* Adds up the counters tx_queue_N_xdp_xmit and tx_queue_N_xdp_xmit_errors. */
static gboolean
read_queue_counters (
    const RtpgenInterface *self, gint fd, RtpgenCounters *counters)
{
  struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
  g_autofree struct ethtool_gstrings *names = NULL;
  g_autofree struct ethtool_stats *values = NULL;

  if (!ask_ethtool (self, fd, &driver))
    return FALSE;
  names = g_malloc0 (sizeof *names + driver.n_stats * ETH_GSTRING_LEN);
  names->cmd = ETHTOOL_GSTRINGS;
  names->string_set = ETH_SS_STATS;
  names->len = driver.n_stats;
  values = g_malloc0 (sizeof *values + driver.n_stats * sizeof (guint64));
  values->cmd = ETHTOOL_GSTATS;
  values->n_stats = driver.n_stats;
  if (!ask_ethtool (self, fd, names) || !ask_ethtool (self, fd, values))
    return FALSE;
  for (guint i = 0; i < driver.n_stats; i++) {
    const gchar *name = (const gchar *) names->data + i * ETH_GSTRING_LEN;

    if (!g_str_has_prefix (name, "tx_queue_"))
      continue;
    if (g_str_has_suffix (name, "_xdp_xmit"))
      counters->xdp_xmit += values->data[i];
    else if (g_str_has_suffix (name, "_xdp_xmit_errors"))
      counters->xdp_xmit_errors += values->data[i];
  }
  return TRUE;
}

/* The kernel answers RTM_GETSTATS for one interface with one message. */
static gboolean
read_link_counters (const RtpgenInterface *self, RtpgenCounters *counters)
{
  struct
  {
    struct nlmsghdr header;
    struct if_stats_msg stats;
  } request = {
    .header.nlmsg_len = sizeof request,
    .header.nlmsg_type = RTM_GETSTATS,
    .header.nlmsg_flags = NLM_F_REQUEST,
    .stats.ifindex = self->index,
    .stats.filter_mask = IFLA_STATS_FILTER_BIT (IFLA_STATS_LINK_64),
  };
  union
  {
    struct nlmsghdr header;
    gchar bytes[1024];
  } answer;
  const gsize fixed = NLMSG_SPACE (sizeof (struct if_stats_msg));
  g_auto (OwnedFd) fd =
      socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const struct rtattr *attribute;
  struct rtnl_link_stats64 stats;
  gssize size;

  if (fd < 0 || send (fd, &request, sizeof request, 0) < 0)
    return FALSE;
  size = recv (fd, &answer, sizeof answer, 0);
  if (size < 0)
    return FALSE;
  attribute = (const struct rtattr *) (answer.bytes + fixed);
  if ((gsize) size < fixed + RTA_LENGTH (sizeof stats) ||
      answer.header.nlmsg_type != RTM_NEWSTATS ||
      attribute->rta_type != IFLA_STATS_LINK_64) {
    errno = EPROTO;
    return FALSE;
  }
  memcpy (&stats, RTA_DATA (attribute), sizeof stats);
  counters->tx_packets = stats.tx_packets;
  counters->tx_dropped = stats.tx_dropped;
  return TRUE;
}

gboolean
rtpgen_interface_read_counters (
    const RtpgenInterface *self, RtpgenCounters *counters, GError **error)
{
  g_auto (OwnedFd) fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  memset (counters, 0, sizeof *counters);
  if (fd < 0 || (self->is_veth && !read_queue_counters (self, fd, counters))) {
    set_system_error (error, self, "read the ethtool counters of");
    return FALSE;
  }
  if (!read_link_counters (self, counters)) {
    set_system_error (error, self, "read the rtnetlink counters of");
    return FALSE;
  }
  return TRUE;
}
