/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beginnings and ends: killed, without privileges, idle, stopped and started
 * again, paused; and what is left behind. */
#include <errno.h>
#include <gst/check/gstcheck.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "generator.h"
#include "leftover.h"
#include "network.h"
#include "player.h"
#include "receiver.h"

static const gchar *const doors[] = { "", "mode=socket" };

static void
assert_nothing_lost (Receiver *receiver, guint64 packets)
{
  receiver_wait_stat (receiver, "packets", packets);
  receiver_assert_stat (receiver, "packets", packets);
  receiver_assert_stat (receiver, "lost", 0);
  receiver_assert_stat (receiver, "pending", 0);
  receiver_assert_stat (receiver, "reordered", 0);
  receiver_assert_stat (receiver, "duplicates", 0);
  receiver_assert_stat (receiver, "discarded", 0);
  receiver_read_bus (receiver);
  fail_if (receiver->error, "%s", receiver->error);
}

/* Until AF_XDP is in use, since the n-th change of door. */
static void
wait_for_af_xdp (Receiver *receiver, guint n)
{
  const GstStructure *mode;

  do
    mode = receiver_wait_modes (receiver, ++n);
  while (g_strcmp0 (gst_structure_get_string (mode, "mode"), "af-xdp"));
}

static gboolean
has_joined (void)
{
  g_autofree gchar *table = network_output ("cat /proc/net/igmp");

  return strstr (table, "010101EF") != NULL;
}

/* Nothing is left behind, and whoever comes next finds all free, at once. */
GST_START_TEST (test_killed)
{
  for (guint round = 0; round < 3; round++) {
    Player *player = player_start ("", "stats-interval=50000000");
    g_autoptr (GArray) objects = NULL;
    Receiver *receiver;
    Generator *generator;
    guint n[LEFTOVER_BPF_KINDS] = { 0 };

    player_wait_line (player, "mode=(string)af-xdp");
    generator = generator_start ("--rate=20000 --duration=1");
    player_wait_stat (player, "delivered-xdp", 5000);
    objects = leftover_find_bpf (player_pid (player));
    for (guint i = 0; i < objects->len; i++) {
      n[g_array_index (objects, LeftoverBpf, i).kind]++;
      fail_unless (leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
    }
    for (guint i = 0; i < G_N_ELEMENTS (n); i++)
      fail_unless (n[i] > 0, "found none of kind %u to look for", i);
    fail_unless (network_has_program ());
    fail_unless (has_joined ());

    player_free (player);
    receiver = receiver_new ("mode=af-xdp", "fakesink");
    receiver_play (receiver);
    receiver_assert_mode (receiver, 0, "af-xdp");
    for (guint i = 0; i < objects->len; i++)
      wait_until (!leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
    generator_finish (generator);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_if (network_has_program ());
    fail_if (has_joined ());

    receiver_play (receiver);
    generator_finish (generator_start ("--rate=20000 --packets=10000"));
    assert_nothing_lost (receiver, 10000);
    receiver_assert_stat (receiver, "delivered-xdp", 10000);
    receiver_free (receiver);
  }
}
GST_END_TEST

/* Nobody comes next: all goes by itself. */
GST_START_TEST (test_killed_and_left_alone)
{
  Player *player = player_start ("", "");
  g_autoptr (GArray) objects = NULL;

  player_wait_line (player, "mode=(string)af-xdp");
  objects = leftover_find_bpf (player_pid (player));
  player_free (player);
  wait_until (!network_has_program ());
  for (guint i = 0; i < objects->len; i++)
    wait_until (!leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
  wait_until (!has_joined ());
}
GST_END_TEST

/* Privileges. */

#define KEEP                                                   \
  "prlimit --memlock=8388608:8388608 setpriv --inh-caps=-all " \
  "--bounding-set=-all"

static const struct
{
  const gchar *prefix;
  const gchar *properties;
  const gchar *missing; /* NULL: nothing */
  const gchar *present; /* that is not to be blamed */
} privileges[] = {
  { KEEP ",+net_raw,+bpf,+net_admin,+ipc_lock", "", NULL, NULL },
  /* Less than the limit needs no privilege. */
  { KEEP ",+net_raw,+bpf,+net_admin", "umem-frames=2048 ring-size=512", NULL,
      NULL },
  { KEEP ",+bpf,+net_admin,+ipc_lock", "", "CAP_NET_RAW", "CAP_BPF" },
  { KEEP ",+net_raw,+net_admin,+ipc_lock", "", "CAP_BPF", "CAP_NET_ADMIN" },
  { KEEP ",+net_raw,+bpf,+ipc_lock", "", "CAP_NET_ADMIN", "CAP_BPF" },
  { KEEP ",+net_raw,+bpf,+net_admin", "", "CAP_IPC_LOCK", "CAP_BPF" },
  { KEEP, "", "CAP_NET_RAW", NULL },
};

static void
assert_blames (const gchar *line, guint i)
{
  fail_unless (strstr (line, privileges[i].missing), "%s", line);
  fail_if (privileges[i].present && strstr (line, privileges[i].present), "%s",
      line);
}

/* It plays all the same, by the socket, and says what is missing. */
GST_START_TEST (test_without_privileges)
{
  g_autofree gchar *properties = g_strconcat (
      privileges[__i__].properties, " stats-interval=50000000", NULL);
  Player *player = player_start (privileges[__i__].prefix, properties);
  const gchar *line = player_wait_line (player, "GstAfxdpSrcMode");

  if (privileges[__i__].missing) {
    fail_unless (strstr (line, "mode=(string)socket"), "%s", line);
    assert_blames (line, __i__);
  } else {
    fail_unless (strstr (line, "mode=(string)af-xdp"), "%s", line);
  }
  generator_finish (generator_start ("--rate=10000 --packets=5000"));
  line = player_wait_stat (player, "packets", 5000);
  fail_unless (player_stat (line, "lost") == 0, "%s", line);
  fail_unless (player_stat (line,
                   privileges[__i__].missing ? "delivered-socket"
                                             : "delivered-xdp") == 5000,
      "%s", line);
  player_free (player);
}
GST_END_TEST

/* Where nothing but AF_XDP will do, that is the first error. */
GST_START_TEST (test_without_privileges_it_insists)
{
  g_autofree gchar *properties =
      g_strconcat (privileges[__i__].properties, " mode=af-xdp", NULL);
  Player *player = player_start (privileges[__i__].prefix, properties);

  if (privileges[__i__].missing) {
    assert_blames (player_wait_line (player, "ERROR"), __i__);
    fail_unless (player_wait_end (player) != 0);
  } else {
    player_wait_line (player, "mode=(string)af-xdp");
  }
  player_free (player);
}
GST_END_TEST

/* All threads of this process: the C library sees to that. */
static void
become (uid_t user)
{
  fail_if (setresuid (user, user, 0), "%s", g_strerror (errno));
}

#define NOBODY 65534

/* All that needs privileges is done when it is READY; but for new sockets. */
GST_START_TEST (test_privileges_dropped)
{
  Receiver *receiver = receiver_new ("buffer-size=67108864", "fakesink");
  Receiver *later[3];
  GeneratorReport sent;
  Generator *generator;
  const gchar *reason;

  receiver_set_state (receiver, GST_STATE_READY);
  become (NOBODY);
  fail_unless (socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0) < 0);
  receiver_play (receiver);
  receiver_assert_mode (receiver, 0, "af-xdp");
  become (0);
  generator = generator_start ("--rate=20000 --duration=5");
  become (NOBODY);
  receiver_wait_stat (receiver, "delivered-xdp", 10000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  become (0);
  network_detach_program ();
  become (NOBODY);
  receiver_wait_modes (receiver, 2);
  wait_for_af_xdp (receiver, 2);
  receiver_wait_stat (receiver, "delivered-xdp",
      receiver_stat (receiver, "delivered-xdp") + 10000);

  /* Sockets that were kept in reserve may serve some. */
  for (guint i = 0; i < G_N_ELEMENTS (later); i++) {
    later[i] = receiver_new ("multicast-group=239.1.1.2 port=5000", "fakesink");
    g_object_set (later[i]->src, "port", 5001 + i, NULL);
    receiver_play (later[i]);
  }
  receiver_assert_mode (later[2], 0, "socket");
  reason = gst_structure_get_string (later[2]->modes->pdata[0], "reason");
  fail_unless (strstr (reason, "CAP_NET_RAW is missing"), "%s", reason);

  sent = generator_finish (generator);
  become (0);
  /* One packet may be lost by a detach. */
  receiver_wait_stat (receiver, "packets", sent.packets - 1);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped + 1);
  receiver_read_bus (receiver);
  fail_if (receiver->error, "%s", receiver->error);
  for (guint i = 0; i < G_N_ELEMENTS (later); i++)
    receiver_free (later[i]);
  receiver_free (receiver);
}
GST_END_TEST

/* What it costs, and what it leaves. */

GST_START_TEST (test_idle)
{
  Player *player = player_start ("", doors[__i__]);
  gint64 start;
  guint64 used;

  player_wait_line (player, "GstAfxdpSrcMode");
  player_wait_line (player, "GstAfxdpSrcStats");
  start = g_get_monotonic_time ();
  used = player_processor_time (player);
  for (guint i = 0; i < 3; i++)
    player_wait_line (player, "GstAfxdpSrcStats");
  used = player_processor_time (player) - used;
  start = g_get_monotonic_time () - start;
  printf ("idle, %s: %.3f %% of a core\n", *doors[__i__] ? "socket" : "AF_XDP",
      used / (start * 1e3) * 100);
  fail_unless (used / 1000 * 100 < (guint64) start,
      "%" G_GUINT64_FORMAT " ns in %" G_GINT64_FORMAT " µs", used, start);
  player_free (player);
}
GST_END_TEST

/* The kernel releases queues some time after their sockets were closed. */
GST_START_TEST (test_started_again_and_again)
{
  Receiver *receiver = receiver_new (__i__ ? "mode=af-xdp" : "", "fakesink");

  for (guint i = 0; i < 20; i++) {
    guint n = receiver->modes->len;

    receiver_set_state (receiver, GST_STATE_PLAYING);
    wait_for_af_xdp (receiver, n);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_if (network_has_program ());
  }
  receiver_play (receiver);
  wait_for_af_xdp (receiver, receiver->modes->len - 1);
  generator_finish (generator_start ("--rate=20000 --packets=10000"));
  assert_nothing_lost (receiver, 10000);
  receiver_assert_stat (receiver, "delivered-xdp", 10000);
  receiver_free (receiver);
}
GST_END_TEST

/* The socket keeps what comes meanwhile: all of it, or, when the streaming
 * thread is caught in the sink and cannot shut the fast door, what comes when
 * the ring's credit is used up. */
GST_START_TEST (test_paused_for_long)
{
  g_autofree gchar *properties =
      g_strconcat (doors[__i__], " ring-size=512", NULL);
  Receiver *receiver = receiver_new (properties, "fakesink");
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start ("--rate=10000 --duration=4");
  for (guint i = 1; i <= 3; i++) {
    guint64 packets;

    receiver_wait_stat (receiver, "packets", 10000 * i);
    receiver_set_state (receiver, GST_STATE_PAUSED);
    packets = receiver_stat (receiver, "packets");
    network_wait_for_backlog (5000, 8 << 20);
    fail_unless (receiver_stat (receiver, "packets") <= packets + 64);
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  sent = generator_finish (generator);
  assert_nothing_lost (receiver, sent.packets);
  receiver_free (receiver);
}
GST_END_TEST

static void
play_for_a_moment (const gchar *properties)
{
  Receiver *receiver = receiver_new (properties, "fakesink");

  receiver_play (receiver);
  generator_finish (generator_start ("--rate=10000 --packets=2000"));
  assert_nothing_lost (receiver, 2000);
  receiver_free (receiver);
}

GST_START_TEST (test_nothing_is_left)
{
  guint n_fds, n_threads;

  /* What GStreamer and GLib open once; through the socket, so that all of AF_XDP
   * counts. */
  play_for_a_moment ("mode=socket");
  n_fds = leftover_descriptors ();
  n_threads = leftover_threads ();
  for (guint i = 0; i < 5; i++) {
    play_for_a_moment (doors[__i__]);
    wait_until (leftover_descriptors () <= n_fds);
    fail_if (network_has_program ());
  }
  wait_until (leftover_threads () <= n_threads);
}
GST_END_TEST

static void
up_with_one_queue (void)
{
  network_up (1);
}

static Suite *
life_suite (void)
{
  Suite *suite = suite_create ("life");
  TCase *tcase = tcase_create ("life");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_test (tcase, test_killed);
  tcase_add_test (tcase, test_killed_and_left_alone);
  tcase_add_loop_test (
      tcase, test_without_privileges, 0, G_N_ELEMENTS (privileges));
  tcase_add_loop_test (
      tcase, test_without_privileges_it_insists, 0, G_N_ELEMENTS (privileges));
  tcase_add_test (tcase, test_privileges_dropped);
  tcase_add_loop_test (tcase, test_idle, 0, G_N_ELEMENTS (doors));
  tcase_add_loop_test (tcase, test_started_again_and_again, 0, 2);
  tcase_add_loop_test (tcase, test_paused_for_long, 0, G_N_ELEMENTS (doors));
  tcase_add_loop_test (tcase, test_nothing_is_left, 0, G_N_ELEMENTS (doors));
  return suite;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (life_suite (), "life", __FILE__);
}
