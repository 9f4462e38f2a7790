/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else may get a packet of an interface. */
#include "onlookers.h"

#include <linux/if_ether.h>
#include <stdio.h>

/* Whether the first line of a file begins with another number than 0. One that is
 * not there says nothing: without IPv6 there is none of its. */
static gboolean
is_on (const gchar *format, const gchar *name)
{
  g_autofree gchar *path = g_strdup_printf (format, name);
  g_autofree gchar *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) &&
      g_ascii_strtoull (text, NULL, 10) != 0;
}

static gboolean
forwards (const AfxdpNetdev *netdev)
{
  static const gchar *const switches[] = {
    "/proc/sys/net/ipv4/conf/%s/forwarding",
    "/proc/sys/net/ipv4/conf/%s/mc_forwarding",
    "/proc/sys/net/ipv6/conf/%s/forwarding",
    "/proc/sys/net/ipv6/conf/%s/mc_forwarding",
  };

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    if (is_on (switches[i], netdev->name))
      return TRUE;
  return FALSE;
}

/* Whether a line of /proc/net/packet is of a socket that gets IP from the interface,
 * which it is bound to, or to all. A program that captures makes an interface
 * promiscuous, but need not. */
static gboolean
captures (const gchar *line, const AfxdpNetdev *netdev)
{
  guint protocol;
  int index;

  /* Address, references, type, protocol, interface. */
  return sscanf (line, "%*s %*u %*u %x %d", &protocol, &index) == 2 &&
      (!index || index == netdev->index) &&
      (protocol == ETH_P_ALL || protocol == ETH_P_IP || protocol == ETH_P_IPV6);
}

static gboolean
is_captured (const AfxdpNetdev *netdev)
{
  FILE *file = fopen ("/proc/thread-self/net/packet", "re");
  gboolean found = FALSE;
  gchar line[256];

  if (!file)
    return FALSE; /* a kernel without packet sockets */
  while (!found && fgets (line, sizeof line, file))
    found = captures (line, netdev);
  fclose (file);
  return found;
}

gboolean
afxdp_onlookers_are_there (const AfxdpNetdev *netdev)
{
  return afxdp_netdev_has_uppers (netdev) || is_captured (netdev) ||
      forwards (netdev);
}
