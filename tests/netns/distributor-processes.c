/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes without privileges, each of which receives through the distributor daemon
 * from one queue: what one of them does costs the others nothing, and the daemon
 * keeps nothing of those that are gone. */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "generator.h"
#include "network.h"
#include "player.h"
#include "receiver.h"

#define UNPRIVILEGED                                    \
  "setpriv --reuid 65534 --regid 65534 --clear-groups " \
  "--bounding-set=-all --inh-caps=-all"
/* Its group may connect. */
#define FOR_THEM "--group=nogroup"
#define TELLS "stats-interval=100000000 "

#define N 4
#define DESTINATIONS                                           \
  "--destination=239.1.1.0:5000 --destination=239.1.1.1:5000 " \
  "--destination=239.1.1.2:5000 --destination=239.1.1.3:5000 "

/* KILLS=100 by hand. */
#define KILLS 20
/* By then all is there that is made once. */
#define SETTLED 5

/* A ring of default size is 39 MiB. */
#define MOST_GROWTH (2 << 20)
/* ns in all, of one thread of the daemon. */
#define LONG_WAIT (100 * G_GUINT64_CONSTANT (1000000))

static Player *
start (guint i)
{
  g_autofree gchar *properties =
      g_strdup_printf ("multicast-group=239.1.1.%u " TELLS, i);
  Player *player = player_start (UNPRIVILEGED, properties);

  player_wait_line (player, "provider=(string)distributor");
  return player;
}

static guint64
number_in_status (GPid pid, const gchar *key)
{
  g_autofree gchar *file = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree gchar *text = NULL;
  const gchar *at;

  fail_unless (g_file_get_contents (file, &text, NULL, NULL));
  at = strstr (text, key);
  fail_unless (at, "%s has no %s", file, key);
  return g_ascii_strtoull (at + strlen (key), NULL, 10);
}

static guint
n_descriptors (GPid pid)
{
  g_autofree gchar *name = g_strdup_printf ("/proc/%d/fd", pid);
  g_autoptr (GDir) dir = g_dir_open (name, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

/* What the daemon has for its clients. */
typedef struct
{
  guint clients, descriptors;
  guint64 memory, threads;
} Holdings;

static Holdings
look (Daemon *daemon)
{
  GPid pid = daemon_pid (daemon);

  return (Holdings){
    .clients = daemon_n_clients (daemon),
    .descriptors = n_descriptors (pid),
    .memory = number_in_status (pid, "\nVmRSS:") << 10,
    .threads = number_in_status (pid, "\nThreads:"),
  };
}

/* All that was sent to it before now has come, and none was lost; but what the wire
 * dropped. */
static void
assert_complete (Player *player, guint64 sent, guint64 wire)
{
  guint64 packets, lost, nic;
  const gchar *line;

  do {
    line = player_wait_line (player, "GstAfxdpSrcStats");
    packets = player_stat (line, "packets");
    lost = player_stat (line, "lost");
    nic = player_stat (line, "lost-nic");
  } while (packets + lost + wire < sent);
  if (lost > nic && daemon_longest_wait ("") > LONG_WAIT)
    suite_skip ("the machine kept the daemon from its processors for %.0f ms",
        daemon_longest_wait ("") / 1e6);
  fail_unless (lost == nic && nic <= wire && packets + wire >= sent &&
          packets <= sent && !player_stat (line, "duplicates") &&
          !player_stat (line, "delivered-socket"),
      "%" G_GUINT64_FORMAT " sent: %.1000s", sent, line);
}

TEST (test_together)
{
  g_autoptr (Daemon) daemon = daemon_start (FOR_THEM);
  Player *players[N];
  GeneratorReport sent;

  for (guint i = 0; i < N; i++)
    players[i] = start (i);
  fail_unless_equals_int (daemon_n_clients (daemon), N);
  sent = generator_send (DESTINATIONS "--rate=40000 --packets=120000");
  for (guint i = 0; i < N; i++)
    assert_complete (players[i], sent.sent[i], sent.dropped);
  for (guint i = 0; i < N; i++)
    player_free (players[i]);
  wait_until (!daemon_n_clients (daemon));
}

TEST (test_killed_again_and_again)
{
  g_autoptr (Daemon) daemon = daemon_start (FOR_THEM);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  const gchar *kills = g_getenv ("KILLS");
  guint n_kills = kills ? atoi (kills) : KILLS;
  Holdings before = { 0 }, after;
  Player *players[N];
  Generator *generator;
  GeneratorReport sent;

  for (guint i = 0; i < N; i++)
    players[i] = start (i);
  generator = generator_start (DESTINATIONS "--rate=40000");
  for (guint i = 0; i < n_kills; i++) {
    if (i == SETTLED)
      before = look (daemon);
    g_usleep (g_rand_int_range (random, 0, 100000));
    player_free (players[0]);
    players[0] = start (0);
  }
  after = look (daemon);
  sent = generator_stop (generator);
  for (guint i = 1; i < N; i++)
    assert_complete (players[i], sent.sent[i], sent.dropped);
  fail_unless_equals_int (after.clients, N);
  fail_unless_equals_int (after.descriptors, before.descriptors);
  fail_unless_equals_uint64 (after.threads, before.threads);
  fail_unless (after.memory < before.memory + MOST_GROWTH,
      "the daemon grew from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
      " bytes",
      before.memory, after.memory);
  for (guint i = 0; i < N; i++)
    player_free (players[i]);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (argc, argv, "distributor-processes", 300,
      network_up_with_one_queue, network_down);
}
