/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows from an interface's offloads; and VLAN interfaces, out of answers of
 * rtnetlink that are made here as the kernel makes them. */
#include "offloads.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "kernel.h"
#include "suite.h"
#include "vlans.h"

static AfxdpOffloads *
make (const gchar *names)
{
  AfxdpOffloads *offloads = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) words = g_strsplit (names, " ", -1);

  for (guint i = 0; words[i]; i++)
    g_ptr_array_add (offloads, g_strdup (words[i]));
  return offloads;
}

static const struct
{
  const gchar *on, *kind, *driver;
  const gchar *words; /* NULL: packets come as they were sent */
} interfaces[] = {
  { "rx-gro rx-checksum", "", "igb", NULL },
  { "rx-gro rx-udp-gro-forwarding", "", "igb",
      "ethtool -K eth1 rx-udp-gro-forwarding off" },
  { "rx-gro-list", "", "igb", "ethtool -K eth1 rx-gro-list off" },
  { "rx-gro-hw", "", "bnxt_en", NULL },
  { "rx-gro-hw", "", "virtio_net", "ethtool -K eth1 rx-gro-hw off" },
  { "rx-gro", "", "virtio_net", NULL },
  { "rx-gro", "veth", "veth", "UDP_SEGMENT" },
  { "", "tun", "tun", "on tun" },
  { "", "macvlan", "macvlan", "xdp-mode=native" },
  { "", "bridge", "bridge", "on bridge" },
  { "", "bond", "bonding", NULL },
};

TABLE_TEST (test_aggregate, interfaces)
{
  g_autoptr (GPtrArray) offloads = make (interfaces[__i__].on);
  g_autofree gchar *why = afxdp_offloads_aggregate (
      offloads, "eth1", interfaces[__i__].kind, interfaces[__i__].driver);

  fail_unless (interfaces[__i__].words
          ? why && strstr (why, interfaces[__i__].words)
          : !why,
      "%s", why);
}

TEST (test_hidden_tags)
{
  g_autoptr (GPtrArray) on = make ("rx-gro rx-vlan-hw-parse");
  g_autoptr (GPtrArray) off = make ("rx-gro");
  g_autofree gchar *why = afxdp_offloads_hide_tags (on, "eth1", "eth1.5, tv");

  fail_unless (strstr (why, "(eth1.5, tv)"), "%s", why);
  fail_unless (strstr (why, "ethtool -K eth1 rxvlan off"), "%s", why);
  fail_if (afxdp_offloads_hide_tags (on, "eth1", ""));
  fail_if (afxdp_offloads_hide_tags (off, "eth1", "eth1.5"));
  fail_if (afxdp_offloads_hide_tags (NULL, "eth1", "eth1.5"));
}

/* The loopback interface has no VLAN tags to take off; but it can be asked. */
TEST (test_of_this_host)
{
  g_autoptr (GPtrArray) offloads = afxdp_offloads_read (1);
  g_autofree gchar *vlans = afxdp_vlans_find (1);

  fail_unless_equals_string (vlans, "");
  kernel_needs_ethtool ();
  fail_unless (offloads != NULL);
  fail_unless (afxdp_offloads_are_on (offloads, "tx-scatter-gather"));
  fail_if (afxdp_offloads_are_on (offloads, "rx-vlan-hw-parse"));
  fail_if (afxdp_offloads_read (G_MAXINT));
}

/* Messages of rtnetlink. */

static void
put (GByteArray *to, gsize begin, gushort type, gconstpointer data, gsize size)
{
  struct rtattr attribute = { RTA_LENGTH (size), type };
  static const guint8 zeros[RTA_ALIGNTO];

  g_byte_array_append (to, (gpointer) &attribute, sizeof attribute);
  g_byte_array_append (to, data, size);
  g_byte_array_append (to, zeros, RTA_ALIGN (size) - size);
  ((struct nlmsghdr *) (to->data + begin))->nlmsg_len = to->len - begin;
}

static void
add_link (GByteArray *to, const gchar *name, const gchar *kind, int below,
    gboolean elsewhere)
{
  struct
  {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } head = { { sizeof head, RTM_NEWLINK, NLM_F_MULTI }, { 0 } };
  gsize begin = to->len;
  guint32 number = 0;

  g_byte_array_append (to, (gpointer) &head, sizeof head);
  put (to, begin, IFLA_IFNAME, name, strlen (name) + 1);
  if (below)
    put (to, begin, IFLA_LINK, &below, sizeof below);
  if (elsewhere)
    put (to, begin, IFLA_LINK_NETNSID, &number, sizeof number);
  if (kind) {
    guint8 info[64] = { 0 };
    struct rtattr inner = { RTA_LENGTH (strlen (kind)), IFLA_INFO_KIND };

    memcpy (info, &inner, sizeof inner);
    memcpy (info + sizeof inner, kind, strlen (kind));
    put (to, begin, IFLA_LINKINFO, info, RTA_ALIGN (inner.rta_len));
  }
}

TEST (test_vlans)
{
  g_autoptr (GByteArray) messages = g_byte_array_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  AfxdpVlans vlans = { 7, names };
  struct nlmsghdr end = { sizeof end, NLMSG_DONE };

  add_link (messages, "lo", NULL, 0, FALSE);
  add_link (messages, "eth1", NULL, 0, FALSE);
  add_link (messages, "eth1.5", "vlan", 7, FALSE);
  add_link (messages, "mac0", "macvlan", 7, FALSE);
  add_link (messages, "eth2.5", "vlan", 8, FALSE);
  /* Its link is number 7 of another namespace. */
  add_link (messages, "of-host", "vlan", 7, TRUE);
  add_link (messages, "tv", "vlan", 7, FALSE);
  fail_if (afxdp_netlink_read (
      messages->data, messages->len, afxdp_vlans_add, &vlans));
  fail_unless_equals_string (names->str, "eth1.5, tv");
  g_byte_array_append (messages, (gpointer) &end, sizeof end);
  fail_unless_equals_int (afxdp_netlink_read (messages->data, messages->len,
                              afxdp_vlans_add, &vlans),
      NLMSG_DONE);
  /* Cut anywhere, nothing behind the end is read. */
  for (guint size = 0; size < messages->len; size++) {
    g_autofree guint8 *cut = g_memdup2 (messages->data, size);

    afxdp_netlink_read (cut, size, afxdp_vlans_add, &vlans);
  }
}

SUITE ("offloads", 0, NULL, NULL)
