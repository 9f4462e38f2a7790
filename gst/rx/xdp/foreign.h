/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The XDP program that somebody else has attached to an interface, and whether it is
 * that of another process with afxdpsrc, which takes the packets of its streams away
 * from everybody.
 *
 * For one thread, which may wait for RTNL. What is asked for takes CAP_SYS_ADMIN;
 * without it a program is known by its number alone.
 */
#pragma once

#include <glib.h>

#include "afxdp.h"

G_BEGIN_DECLS

typedef struct
{
  guint id;         /* 0: there is none */
  gchar name[16];   /* "": not known */
  gboolean is_ours; /* of another process with afxdpsrc */
  gchar *process;   /* "NAME (process PID)" of one who holds it, or NULL */
} AfxdpForeign;

/* Looks which program is attached to interface index. Returns whether it is another
 * one than before. */
gboolean afxdp_foreign_look (AfxdpForeign *foreign, int ifindex);
void afxdp_foreign_clear (AfxdpForeign *foreign);

/* "the XDP program "NAME" (id ID) of ...": free it. */
gchar *afxdp_foreign_describe (const AfxdpForeign *foreign);

/* Whether a stream of that process takes the flow. */
gboolean afxdp_foreign_takes (
    const AfxdpForeign *foreign, const struct afxdp_flow_key *key);

G_END_DECLS
