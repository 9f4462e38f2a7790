/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The VLAN interfaces above an interface, as far as they can be seen: those that were
 * moved to another network namespace cannot.
 *
 * find() asks in the network namespace of the calling thread, and may wait for RTNL.
 */
#pragma once

#include "netlink.h"

G_BEGIN_DECLS

typedef struct
{
  int index;      /* of the interface below */
  GString *names; /* with ", " between */
} AfxdpVlans;

/* Adds the name of a link that rtnetlink tells of, if it is one. user_data:
 * AfxdpVlans. */
void afxdp_vlans_add (const struct nlmsghdr *message, gpointer user_data);

/* The names of all of them, "" if there are none. Free it. */
gchar *afxdp_vlans_find (int index);

G_END_DECLS
