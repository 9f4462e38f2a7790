/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the driver of an interface. May wait for RTNL. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One ethtool question about an interface, by the name that it has now. question:
 * one of the structures of linux/ethtool.h, which the answer is put into. */
gboolean afxdp_ethtool_ask (int index, gpointer question);
/* How many strings there are in a set (ETH_SS_STATS); 0: it has none, or cannot be
 * asked. */
guint afxdp_ethtool_count (int index, guint set);

G_END_DECLS
