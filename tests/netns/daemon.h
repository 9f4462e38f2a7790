/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The distributor daemon on the receiving host, a process of its own, with its socket
 * file in a directory that is the test's alone. Elements and processes that the test
 * starts later ask it (AFXDP_DISTRIBUTOR). One at a time. It dies with the test; if that
 * has not freed it, its log is shown.
 */
#pragma once

#include <glib.h>

typedef struct _Daemon Daemon;

/* Starts "afxdp-distributor --socket=... OPTIONS", on rx0 if options name no interface.
 * Returns when it answers. */
Daemon *daemon_start (const gchar *options);
/* Kills it, if it still runs. */
void daemon_free (Daemon *daemon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Daemon, daemon_free)

/* SIGKILL. Returns when it is gone. */
void daemon_kill (Daemon *daemon);
/* SIGTERM. Returns when it is gone, by itself and without complaint. */
void daemon_terminate (Daemon *daemon);
/* When it is gone: the same again. Returns when it answers. */
void daemon_start_again (Daemon *daemon);
/* SIGSTOP, which has stopped all its threads when this returns, and SIGCONT. */
void daemon_stop (Daemon *daemon);
void daemon_continue (Daemon *daemon);

const gchar *daemon_socket (Daemon *daemon);
GPid daemon_pid (Daemon *daemon);
/* All that it has said so far, for the caller to free. */
gchar *daemon_log (Daemon *daemon);

/* What --status --json says, for the caller to free, and whether it has that in it. */
gchar *daemon_status (Daemon *daemon);
gboolean daemon_says (Daemon *daemon, const gchar *words);
/* Of that: how many clients there are, and the sum of a number that
 * each of them has. */
guint daemon_n_clients (Daemon *daemon);
guint64 daemon_client_sum (Daemon *daemon, const gchar *field);

/* The longest that one of its threads whose names begin so has waited for a processor,
 * in ns; 0: there is no daemon. */
guint64 daemon_longest_wait (const gchar *name);

/* Whether this program is to run with a daemon for all elements: TEST_DISTRIBUTOR. */
gboolean daemon_is_wanted (void);
/* If it is, that one, which is started on all wires there are and for all addresses,
 * unless it runs; else the one that runs, or NULL. */
Daemon *daemon_for_all (void);

/* Tests of what is not there with a daemon for all: they are none, then. */
#define OWN_TEST(name) LOOP_TEST (name, !daemon_is_wanted ())
#define OWN_TABLE_TEST(name, table) \
  LOOP_TEST (name, daemon_is_wanted () ? 0 : G_N_ELEMENTS (table))
