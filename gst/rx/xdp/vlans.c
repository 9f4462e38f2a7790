/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The VLAN interfaces above an interface. */
#include "vlans.h"

#include <linux/if_link.h>

void
afxdp_vlans_add (const struct nlmsghdr *message, gpointer user_data)
{
  AfxdpVlans *vlans = user_data;
  const struct rtattr *name;
  gchar kind[32];

  /* With IFLA_LINK_NETNSID the index is one of another namespace. */
  if (message->nlmsg_type != RTM_NEWLINK ||
      afxdp_netlink_number_of_link (message, IFLA_LINK) !=
          (guint32) vlans->index ||
      afxdp_netlink_find_of_link (message, IFLA_LINK_NETNSID, 0))
    return;
  afxdp_netlink_kind_of_link (message, kind, sizeof kind);
  name = afxdp_netlink_find_of_link (message, IFLA_IFNAME, 1);
  if (name && g_str_equal (kind, "vlan"))
    g_string_append_printf (vlans->names, "%s%.*s",
        vlans->names->len ? ", " : "", (int) RTA_PAYLOAD (name),
        (const gchar *) RTA_DATA (name));
}

gchar *
afxdp_vlans_find (int index)
{
  AfxdpVlans vlans = { index, g_string_new (NULL) };
  AfxdpNetlink exchange;

  afxdp_netlink_start_link (&exchange, 0);
  afxdp_netlink_dump (&exchange, afxdp_vlans_add, &vlans);
  return g_string_free (vlans.names, FALSE);
}
