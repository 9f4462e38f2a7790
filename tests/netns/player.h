/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gst-launch-1.0 with an afxdpsrc, a process of its own on the receiving host,
 * for what a test cannot do to itself: be killed, have no privileges, use no
 * processor time. It dies with the test.
 */
#pragma once

#include <glib.h>

typedef struct _Player Player;

/* Starts "PREFIX gst-launch-1.0 -m afxdpsrc ADDRESS PROPERTIES ! fakesink";
 * prefix is a command that runs another one, or "". */
Player *player_start (const gchar *prefix, const gchar *properties);
/* Kills it, if it still runs, with SIGKILL. Returns when it is gone. */
void player_free (Player *player);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Player, player_free)

/* Until it prints a line with words in it. Returns the line, valid until the
 * next call. Fails the test when the process ends instead. */
const gchar *player_wait_line (Player *player, const gchar *words);
/* Until a GstAfxdpSrcStats message says that field is at least value. Returns
 * the message. */
const gchar *player_wait_stat (
    Player *player, const gchar *field, guint64 value);
/* Until it ends by itself. Returns its exit status. */
gint player_wait_end (Player *player);

/* The field of a line, 0 when it has none. */
guint64 player_stat (const gchar *line, const gchar *field);

GPid player_pid (Player *player);
