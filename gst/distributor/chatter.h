/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the log says of clients: of those of each user so many lines in a time, and then
 * how many more there were. Who connects again and again fills no disk, keeps nobody
 * else's lines out, and does not have the control thread write all day.
 *
 * For the control thread.
 */
#pragma once

#include "journal.h"

G_BEGIN_DECLS

typedef struct _AfxdpChatter AfxdpChatter;

AfxdpChatter *afxdp_chatter_new (void);
/* Tells what is not told yet. */
void afxdp_chatter_free (AfxdpChatter *chatter);

void afxdp_chatter_tell (AfxdpChatter *chatter, guint32 uid,
    AfxdpJournalLevel level, const gchar *format, ...) G_GNUC_PRINTF (4, 5);

G_END_DECLS
