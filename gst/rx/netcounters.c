/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an interface and its driver count of packets that they dropped. */
#include "netcounters.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <string.h>

#include "error.h"
#include "ethtool.h"
#include "netlink.h"

/* How often counters are read again that moved meanwhile. */
#define CONSISTENT_ATTEMPTS 3
/* Counters of a driver that there is room for, whatever it says that it has: one
 * that gets more queues meanwhile has more, and a kernel that does not check what it
 * was asked for writes them all. 4,096 queues of veth have fewer. Most of it is never
 * touched. */
#define MOST_COUNTERS 65536

/* Returns FALSE when the driver could not be asked, or gets other queues just now:
 * names and values would not belong together. */
static gboolean
read_ethtool_statistics (int index, struct ethtool_gstrings *names,
    struct ethtool_stats *values, guint *n)
{
  for (guint i = 0; i < CONSISTENT_ATTEMPTS; i++) {
    *n = afxdp_ethtool_count (index, ETH_SS_STATS);
    if (!*n || *n > MOST_COUNTERS)
      return FALSE;
    *names = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_STATS, *n };
    *values = (struct ethtool_stats){ ETHTOOL_GSTATS, *n };
    if (!afxdp_ethtool_ask (index, names) || !afxdp_ethtool_ask (index, values))
      return FALSE;
    if (names->len == *n && values->n_stats == *n)
      return TRUE;
  }
  errno = EAGAIN;
  return FALSE;
}

/* Redirects that failed on a veth: it counts each as a drop of its queue. */
static gboolean
failed_redirects (
    const AfxdpNetdev *netdev, guint64 *sum, guint *n, GError **error)
{
  g_autofree struct ethtool_gstrings *names =
      g_malloc0 (sizeof *names + MOST_COUNTERS * ETH_GSTRING_LEN);
  g_autofree struct ethtool_stats *values =
      g_malloc0 (sizeof *values + MOST_COUNTERS * sizeof (guint64));

  *sum = 0;
  if (!read_ethtool_statistics (netdev->index, names, values, n))
    return afxdp_error_set (
        error, errno, "Statistics of the driver of \"%s\"", netdev->name);
  for (guint i = 0; i < *n; i++) {
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
  const struct rtattr *told;
  const struct nlmsghdr *answer;
  AfxdpNetlink exchange;

  afxdp_netlink_start_link (&exchange, netdev->index);
  answer = afxdp_netlink_ask (&exchange);
  if (!answer)
    return afxdp_error_set (error, errno, "Interface \"%s\"", netdev->name);
  memset (statistics, 0, sizeof *statistics);
  told = afxdp_netlink_find_of_link (answer, IFLA_STATS64, 0);
  if (told)
    memcpy (statistics, RTA_DATA (told),
        MIN (RTA_PAYLOAD (told), sizeof *statistics));
  return TRUE;
}

/* Both of one moment, if that can be had. */
static gboolean
read_drops (const AfxdpNetdev *netdev, guint64 *dropped, guint *n_counters,
    GError **error)
{
  gboolean is_veth = g_str_equal (netdev->kind, "veth");
  struct rtnl_link_stats64 statistics = { 0 };
  guint64 before, failed = 0;
  guint n_before = 0;

  *n_counters = 0;
  if (is_veth && !failed_redirects (netdev, &failed, n_counters, error))
    return FALSE;
  for (guint i = 0; i < CONSISTENT_ATTEMPTS; i++) {
    before = failed;
    n_before = *n_counters;
    if (!read_statistics (netdev, &statistics, error) ||
        (is_veth && !failed_redirects (netdev, &failed, n_counters, error)))
      return FALSE;
    if (failed == before)
      break;
  }
  if (*n_counters != n_before)
    return afxdp_error_set (
        error, EAGAIN, "Statistics of the driver of \"%s\"", netdev->name);
  *dropped = statistics.rx_missed_errors + statistics.rx_fifo_errors +
      statistics.rx_over_errors + statistics.rx_dropped;
  *dropped -= MIN (*dropped, failed);
  return TRUE;
}

gboolean
afxdp_netdev_ask_drops (
    const AfxdpNetdev *netdev, AfxdpNetdevDrops *drops, GError **error)
{
  guint n_counters;
  guint64 now = 0;

  if (!read_drops (netdev, &now, &n_counters, error))
    return FALSE;
  if (!drops->asked || n_counters != drops->n_counters ||
      now < drops->left_out + drops->n)
    drops->left_out = now - drops->n;
  drops->n = now - drops->left_out;
  drops->n_counters = n_counters;
  drops->asked = TRUE;
  return TRUE;
}

gboolean
afxdp_netdev_arrivals (const AfxdpNetdev *netdev, guint64 *n, GError **error)
{
  struct rtnl_link_stats64 statistics = { 0 };

  if (!read_statistics (netdev, &statistics, error))
    return FALSE;
  *n = statistics.rx_packets + statistics.rx_missed_errors +
      statistics.rx_fifo_errors + statistics.rx_over_errors +
      statistics.rx_dropped;
  return TRUE;
}
