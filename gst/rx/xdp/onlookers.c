/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else may get a packet of an interface. */
#include "onlookers.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>

typedef struct
{
  const gchar *path;       /* with the interface's name */
  gboolean may_be_missing; /* from the kernel */
} Switch;

static gboolean
may_be_on (const Switch *its, const gchar *name)
{
  g_autofree gchar *path = g_strdup_printf (its->path, name);
  FILE *file = fopen (path, "re");
  gboolean is_off;
  int value;

  if (!file)
    return errno != ENOENT || !its->may_be_missing;
  is_off = fscanf (file, "%d", &value) == 1 && !value;
  fclose (file);
  return !is_off;
}

static gboolean
may_forward (const AfxdpNetdev *netdev)
{
  static const Switch switches[] = {
    /* Where that is missing there is no /proc, or no such interface. */
    { "/proc/sys/net/ipv4/conf/%s/forwarding", FALSE },
    { "/proc/sys/net/ipv4/conf/%s/mc_forwarding", TRUE },
    { "/proc/sys/net/ipv6/conf/%s/forwarding", TRUE },
    { "/proc/sys/net/ipv6/conf/%s/mc_forwarding", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    if (may_be_on (&switches[i], netdev->name))
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
may_be_captured (const AfxdpNetdev *netdev)
{
  FILE *file = fopen ("/proc/thread-self/net/packet", "re");
  gboolean found = FALSE;
  gchar line[256];

  if (!file)
    return errno != ENOENT; /* a kernel without packet sockets has none */
  while (!found && fgets (line, sizeof line, file))
    found = captures (line, netdev);
  found |= ferror (file) != 0;
  fclose (file);
  return found;
}

gboolean
afxdp_onlookers_are_there (const AfxdpNetdev *netdev)
{
  return afxdp_netdev_has_uppers (netdev) || may_be_captured (netdev) ||
      may_forward (netdev);
}
