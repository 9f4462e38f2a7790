/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions to netlink, and their answers. Asks in the network namespace of the calling
 * thread and may wait for RTNL: not for streaming threads.
 */
#pragma once

#include <glib.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

G_BEGIN_DECLS

/* One question to netlink and its answer, or as much of it as the kernel sends at
 * once: what there is to say of a link fits. */
typedef struct
{
  struct
  {
    struct nlmsghdr header;
    union
    {
      struct ifinfomsg link;
      struct ifaddrmsg address;
      struct rtmsg route;
      struct genlmsghdr generic;
    };
    guint8 attributes[64];
  } question;
  guint8 answer[32768] G_GNUC_MAY_ALIAS;
} AfxdpNetlink;

/* A question of type (RTM_GETLINK), whose fixed part, all zeros, has size bytes. */
void afxdp_netlink_start (AfxdpNetlink *exchange, guint16 type, gsize size);
/* Asks for interface index; 0: that which add() names, or all. */
void afxdp_netlink_start_link (AfxdpNetlink *exchange, int index);
/* Adds an attribute to the question. */
void afxdp_netlink_add (
    AfxdpNetlink *exchange, gushort type, const void *data, gsize size);
/* Returns the answer, which is in exchange, or NULL and errno. ask() is for
 * NETLINK_ROUTE. */
const struct nlmsghdr *afxdp_netlink_ask_protocol (
    AfxdpNetlink *exchange, int protocol);
const struct nlmsghdr *afxdp_netlink_ask (AfxdpNetlink *exchange);

typedef void (*AfxdpNetlinkFunction) (
    const struct nlmsghdr *message, gpointer user_data);

/* Asks NETLINK_ROUTE for all that there is, and calls function for each. Returns FALSE
 * when the kernel did not tell all. */
gboolean afxdp_netlink_dump (
    AfxdpNetlink *exchange, AfxdpNetlinkFunction function, gpointer user_data);
/* Calls function for each of some messages. Returns NLMSG_DONE or NLMSG_ERROR when that
 * came, 0 when more messages are to come. */
guint16 afxdp_netlink_read (gconstpointer messages, gssize size,
    AfxdpNetlinkFunction function, gpointer user_data);

/* The attribute of type, of at least size bytes, or NULL. */
const struct rtattr *afxdp_netlink_find (
    const struct rtattr *first, int rest, gushort type, gsize size);
/* The same, in what is told of a link. */
const struct rtattr *afxdp_netlink_find_of_link (
    const struct nlmsghdr *link, gushort type, gsize size);
/* A number of four bytes, 0 when it is not told. */
guint32 afxdp_netlink_number_of_link (
    const struct nlmsghdr *link, gushort type);
/* "vlan", "veth", ... or "". */
void afxdp_netlink_kind_of_link (
    const struct nlmsghdr *link, gchar *kind, gsize size);

/* A socket that gets what is told to groups, and then does not block; 0: one for
 * questions. -1 and errno. */
int afxdp_netlink_open (int protocol, guint32 groups);

G_END_DECLS
