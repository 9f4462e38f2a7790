/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Offloads of an interface. */
#include "offloads.h"

#include <linux/ethtool.h>

#include "ethtool.h"

AfxdpOffloads *
afxdp_offloads_read (int index)
{
  guint n = afxdp_ethtool_count (index, ETH_SS_FEATURES);
  guint n_blocks = (n + 31) / 32;
  g_autofree struct ethtool_gstrings *names =
      g_malloc0 (sizeof *names + (gsize) n * ETH_GSTRING_LEN);
  g_autofree struct ethtool_gfeatures *features =
      g_malloc0 (sizeof *features + n_blocks * sizeof features->features[0]);
  AfxdpOffloads *on;

  *names = (struct ethtool_gstrings){ ETHTOOL_GSTRINGS, ETH_SS_FEATURES, n };
  *features = (struct ethtool_gfeatures){ ETHTOOL_GFEATURES, n_blocks };
  if (!n || !afxdp_ethtool_ask (index, names) ||
      !afxdp_ethtool_ask (index, features))
    return NULL;
  on = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < MIN (n, names->len); i++)
    if (features->features[i / 32].active >> i % 32 & 1)
      g_ptr_array_add (on,
          g_strndup ((const gchar *) names->data + i * ETH_GSTRING_LEN,
              ETH_GSTRING_LEN));
  return on;
}

gboolean
afxdp_offloads_are_on (const AfxdpOffloads *features, const gchar *name)
{
  for (guint i = 0; features && i < features->len; i++)
    if (g_str_equal (features->pdata[i], name))
      return TRUE;
  return FALSE;
}

gchar *
afxdp_offloads_aggregate (const AfxdpOffloads *offloads, const gchar *interface,
    const gchar *kind, const gchar *driver)
{
  static const struct
  {
    const gchar *feature, *driver; /* NULL: any */
  } putting[] = {
    { "rx-udp-gro-forwarding", NULL },
    { "rx-gro-list", NULL },
    /* Its guest offloads, UDP segmentation among them. */
    { "rx-gro-hw", "virtio_net" },
  };
  /* Also what GRO has made below; an interface with a program in generic mode has no
   * GRO of its own (Linux 6.18, netif_elide_gro()). */
  static const gchar *const segmenting[] = { "veth", "tun", "macvlan",
    "macvtap", "ipvlan", "bridge", NULL };

  for (guint i = 0; i < G_N_ELEMENTS (putting); i++)
    if (afxdp_offloads_are_on (offloads, putting[i].feature) &&
        (!putting[i].driver || g_str_equal (driver, putting[i].driver)))
      return g_strdup_printf ("%s is on: ethtool -K %s %s off",
          putting[i].feature, interface, putting[i].feature);
  if (g_strv_contains (segmenting, kind))
    return g_strdup_printf ("on %s, datagrams that UDP_SEGMENT or GRO has "
                            "joined arrive as one packet: use "
                            "xdp-mode=native if the driver has it",
        kind);
  return NULL;
}

gchar *
afxdp_offloads_hide_tags (
    const AfxdpOffloads *offloads, const gchar *interface, const gchar *vlans)
{
  if (!*vlans || !afxdp_offloads_are_on (offloads, "rx-vlan-hw-parse"))
    return NULL;
  return g_strdup_printf (
      "%s removes VLAN tags before XDP sees a packet, and has VLAN "
      "interfaces (%s), whose packets AF_XDP would take for its own. The "
      "socket is used; to use AF_XDP: ethtool -K %s rxvlan off",
      interface, vlans, interface);
}

gchar *
afxdp_offloads_why_aggregated (const AfxdpNetdev *netdev)
{
  g_autoptr (GPtrArray) offloads = afxdp_offloads_read (netdev->index);
  struct ethtool_drvinfo about = { .cmd = ETHTOOL_GDRVINFO };

  if (!afxdp_ethtool_ask (netdev->index, &about))
    *about.driver = 0;
  return afxdp_offloads_aggregate (
      offloads, netdev->name, netdev->kind, about.driver);
}
