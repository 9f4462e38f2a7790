/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many streams on one interface, in one process: each gets its own packets, all
 * of them, on whichever queue they arrive. */
#include <gst/check/gstcheck.h>
#include <sys/resource.h>

#include "crowd.h"
#include "leftover.h"
#include "network.h"

static const struct
{
  const gchar *properties, *delivered;
} doors[] = {
  { "", "delivered-xdp" },
  { "mode=socket", "delivered-socket" },
};

static void
up_with_one_queue (void)
{
  network_up (1);
}

static void
up_with_two_queues (void)
{
  network_up (2);
}

/* Whose packet is it? */

static const guint crowds[] = { 4, 32 };

GST_START_TEST (test_many_on_one_queue)
{
  Crowd *crowd = crowd_new (crowds[__i__], "");
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=32000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_door (crowd, 0, "delivered-xdp");
  crowd_free (crowd);
}
GST_END_TEST

/* 23 bits of a group's address are in its Ethernet address. */
GST_START_TEST (test_groups_of_one_ethernet_address)
{
  Crowd *crowd = crowd_new (0, "");
  GeneratorReport sent;

  for (guint first = 224; first < 240; first++)
    for (guint second = 1; second < 256; second += 128) {
      g_autofree gchar *group = g_strdup_printf ("%u.%u.1.1", first, second);

      crowd_add (crowd, group, 5000, doors[__i__].properties);
    }
  fail_unless_equals_int (crowd->n, 32);
  crowd_play (crowd);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=32000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_door (crowd, 0, doors[__i__].delivered);
  crowd_free (crowd);
}
GST_END_TEST

/* IPv4 and IPv6, groups and the interface's own addresses, on the same two
 * ports. */
GST_START_TEST (test_addresses_and_ports)
{
  static const gchar *const addresses[] = { "239.1.1.1", "239.1.1.2",
    "ff15::1:1", "ff15::2:1", "10.9.0.2", "fd09::2" };
  Crowd *crowd = crowd_new (0, "");
  GeneratorReport sent;

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    for (guint port = 5000; port <= 5002; port += 2)
      crowd_add (crowd, addresses[i], port, doors[__i__].properties);
  crowd_play (crowd);
  sent = generator_finish (
      crowd_generate (crowd, "--method=socket --rate=20000 --packets=24000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_door (crowd, 0, doors[__i__].delivered);
  crowd_free (crowd);
}
GST_END_TEST

/* Queues. */

static const GValue *
queues_of (const GstStructure *structure)
{
  const GValue *queues = gst_structure_get_value (structure, "queues");

  fail_unless (queues && GST_VALUE_HOLDS_ARRAY (queues),
      "%s has no array \"queues\"", gst_structure_get_name (structure));
  return queues;
}

/* What stats say of a queue. */
typedef struct
{
  gboolean bound;
  guint64 redirected, passed, filtered;
} QueueStats;

static QueueStats
queue_stats (Receiver *receiver, guint queue)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *queues;

  g_object_get (receiver->src, "stats", &stats, NULL);
  queues = queues_of (stats);
  for (guint i = 0; i < gst_value_array_get_size (queues); i++) {
    const GstStructure *one =
        gst_value_get_structure (gst_value_array_get_value (queues, i));
    QueueStats found;
    guint number;

    fail_unless (
        gst_structure_has_name (one, "application/x-afxdp-queue-stats"));
    fail_unless (gst_structure_get (one, "queue", G_TYPE_UINT, &number, "bound",
        G_TYPE_BOOLEAN, &found.bound, "redirected", G_TYPE_UINT64,
        &found.redirected, "passed", G_TYPE_UINT64, &found.passed, "filtered",
        G_TYPE_UINT64, &found.filtered, NULL));
    if (number == queue)
      return found;
  }
  fail ("stats have no queue %u", queue);
  return (QueueStats){ 0 };
}

/* A sender's flows spread over the queues by a hash that is another one each
 * time: that all of so many end up on one queue happens once in 10^9 runs. */
GST_START_TEST (test_spread_over_queues)
{
  Crowd *crowd;
  GeneratorReport sent;
  guint used = 0;

  network_down ();
  network_up (4);
  crowd = crowd_new (16, "");
  crowd_play (crowd);
  sent = generator_finish (
      crowd_generate (crowd, "--method=socket --rate=20000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
  for (guint i = 0; i < crowd->n; i++) {
    Receiver *receiver = crowd->receivers[i];
    const GstStructure *mode = receiver_wait_modes (receiver, 2);
    const GValue *queues = queues_of (mode);

    receiver_assert_mode (receiver, 0, "socket");
    receiver_assert_mode (receiver, 1, "af-xdp");
    fail_unless (receiver->modes->len == 2, "%s", receiver_describe (receiver));
    fail_unless_equals_int (gst_value_array_get_size (queues), 1);
    used |= 1u << g_value_get_int (gst_value_array_get_value (queues, 0));
    fail_unless (receiver_stat (receiver, "delivered-xdp") >
        receiver_stat (receiver, "delivered-socket"));
  }
  fail_unless ((used & (used - 1)) != 0, "queues: 0x%x", used);
  crowd_free (crowd);
}
GST_END_TEST

/* As a NIC does that is told to spread its flows in another way. */
static void
move_between_queues (Receiver *receiver)
{
  guint64 sent = 0;

  for (guint round = 0; round < 4; round++) {
    guint64 by_socket = receiver_stat (receiver, "delivered-socket");
    GeneratorReport report = generator_finish (
        generator_start ("--cpu=%u --first-seq=%u --rate=20000 --packets=15000",
            round % 2, (guint) sent % 65536));

    sent += report.packets;
    receiver_wait_stat (receiver, "packets", sent);
    receiver_assert_stat (receiver, "packets", sent);
    fail_unless (receiver_stat (receiver, "lost") <= report.dropped);
    receiver_assert_stat (receiver, "reordered", 0);
    receiver_assert_stat (receiver, "duplicates", 0);
    receiver_assert_stat (receiver, "malformed", 0);
    /* By then it is bound to both. */
    if (round > 1)
      receiver_assert_stat (receiver, "delivered-socket", by_socket);
  }
  receiver_read_bus (receiver);
  receiver_assert_mode (receiver, receiver->modes->len - 1, "af-xdp");
}

GST_START_TEST (test_moves_to_another_queue)
{
  Receiver *receiver = receiver_new ("", CROWD_SINK);

  receiver_play (receiver);
  move_between_queues (receiver);
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_moves_and_says_so)
{
  Receiver *receiver = receiver_new ("", CROWD_SINK);

  receiver_play (receiver);
  move_between_queues (receiver);
  for (guint queue = 0; queue < 2; queue++) {
    QueueStats stats = queue_stats (receiver, queue);

    fail_unless (stats.bound);
    g_assert_cmpuint (stats.redirected + stats.passed, ==, 30000);
    g_assert_cmpuint (stats.filtered, ==, 0);
  }
  fail_unless_equals_int (
      gst_value_array_get_size (
          queues_of (receiver->modes->pdata[receiver->modes->len - 1])),
      2);
  receiver_free (receiver);
}
GST_END_TEST

/* The fast door is asked for where the flow does not arrive. */
GST_START_TEST (test_queue_that_is_the_wrong_one)
{
  Receiver *receiver = receiver_new ("queue=1", CROWD_SINK);
  GeneratorReport sent;

  receiver_play (receiver);
  sent = generator_finish (
      generator_start ("--cpu=0 --rate=20000 --packets=20000"));
  receiver_wait_stat (receiver, "packets", sent.packets);
  receiver_assert_stat (receiver, "delivered-socket", sent.packets);
  receiver_assert_stat (receiver, "delivered-xdp", 0);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_queue_that_is_the_wrong_one_is_told)
{
  Receiver *receiver = receiver_new ("queue=1", CROWD_SINK);
  GeneratorReport sent;
  const gchar *reason;
  QueueStats stats;
  guint n = 0;

  receiver_play (receiver);
  sent = generator_finish (
      generator_start ("--cpu=0 --rate=20000 --packets=20000"));
  receiver_wait_stat (receiver, "packets", sent.packets);
  stats = queue_stats (receiver, 0);
  fail_if (stats.bound);
  g_assert_cmpuint (stats.passed, ==, sent.packets);
  g_assert_cmpuint (stats.redirected, ==, 0);
  g_assert_cmpuint (stats.filtered, ==, 0);
  stats = queue_stats (receiver, 1);
  fail_unless (stats.bound);
  g_assert_cmpuint (stats.passed + stats.redirected + stats.filtered, ==, 0);
  do
    reason = gst_structure_get_string (
        receiver_wait_modes (receiver, ++n), "reason");
  while (!strstr (reason, "RX queue 0") || !strstr (reason, "queue=1"));
  receiver_free (receiver);
}
GST_END_TEST

/* ethtool -L puts more queues to use while packets come. Those of CPU 1 arrive
 * on queue 1 then, where veth runs no program before the interface goes up the
 * next time (Linux 6.18, veth_set_channels()): they come by the socket. */
GST_START_TEST (test_more_queues_while_playing)
{
  Crowd *crowd;
  Generator *generator;
  GeneratorReport sent, more;
  g_autofree gchar *program = NULL, *later = NULL;
  guint64 by_socket[2];

  network_down ();
  network_up_with_room (1, 4);
  crowd = crowd_new (2, "");
  crowd_play_by_af_xdp (crowd);
  program = network_describe_program ();
  generator = crowd_generate (crowd, "--cpu=1 --rate=20000");
  receiver_wait_stat (crowd->receivers[0], "delivered-xdp", 5000);
  for (guint queues = 2; queues <= 4; queues++) {
    guint64 before = receiver_stat (crowd->receivers[0], "packets");

    network_run ("ethtool -L rx0 rx %u", queues);
    receiver_wait_stat (crowd->receivers[0], "packets", before + 5000);
  }
  sent = generator_stop (generator);
  crowd_assert_complete (crowd, 0, &sent);
  for (guint i = 0; i < 2; i++)
    by_socket[i] = receiver_stat (crowd->receivers[i], "delivered-socket");
  /* veth runs the program on the new queues only after the next link up (Linux
   * 6.18), and nobody is left to guess. */
  fail_unless (
      strstr (gst_structure_get_string (
                  receiver_wait_modes (crowd->receivers[0], 2), "reason"),
          "does not see"));

  network_run ("ip link set rx0 down && ip link set rx0 up");
  more = generator_finish (crowd_generate (crowd,
      "--cpu=1 --rate=20000 --packets=40000 --first-seq=%u",
      (guint) sent.sent[0] % 65536));
  /* The two took turns, and stopped anywhere. */
  sent.dropped += more.dropped + sent.sent[0] - sent.sent[1];
  for (guint i = 0; i < 2; i++) {
    sent.sent[i] += more.sent[i];
    receiver_wait_stat (
        crowd->receivers[i], "packets", sent.sent[i] - sent.dropped);
    fail_unless (receiver_stat (crowd->receivers[i], "lost") <= sent.dropped);
    fail_unless (
        receiver_stat (crowd->receivers[i], "delivered-socket") - by_socket[i] <
            10000,
        "%s", receiver_describe (crowd->receivers[i]));
  }
  later = network_describe_program ();
  fail_unless_equals_string (later, program);
  crowd_free (crowd);
}
GST_END_TEST

/* How many there can be. */

static void
set_descriptor_limit (guint n)
{
  struct rlimit limit = { n, n };

  fail_unless (
      !setrlimit (RLIMIT_NOFILE, &limit), "no %u descriptors are allowed", n);
}

static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  fail_unless (!getrlimit (RLIMIT_NOFILE, &limit));
  limit.rlim_cur = limit.rlim_max;
  fail_unless (!setrlimit (RLIMIT_NOFILE, &limit));
}

/* One more finds no room, until somebody leaves. */
static void
assert_takes_the_place_of (Receiver *other)
{
  Receiver *receiver = receiver_new ("address=239.3.0.1 port=5000", CROWD_SINK);
  const gchar *reason;

  receiver_play (receiver);
  receiver_assert_mode (receiver, 0, "socket");
  reason = gst_structure_get_string (receiver->modes->pdata[0], "reason");
  fail_unless (strstr (reason, "serves 256 streams"), "%s", reason);
  receiver_set_state (other, GST_STATE_NULL);
  receiver_wait_modes (receiver, 2);
  receiver_assert_mode (receiver, 1, "af-xdp");
  receiver_free (receiver);
}

GST_START_TEST (test_as_many_as_there_are_slots)
{
  Crowd *crowd;
  GeneratorReport sent;
  g_autoptr (GArray) objects = NULL;
  guint n_fds, n_threads;

  raise_descriptor_limit ();
  /* What GStreamer and GLib open once. */
  crowd = crowd_new (1, "mode=socket");
  crowd_play (crowd);
  generator_finish (crowd_generate (crowd, "--packets=10"));
  crowd_free (crowd);
  n_fds = leftover_descriptors ();
  n_threads = leftover_threads ();

  crowd = crowd_new (256, "");
  crowd_play_by_af_xdp (crowd);
  sent = generator_finish (crowd_generate (crowd, "--rate=20000 --duration=3"));
  crowd_assert_complete (crowd, 0, &sent);
  assert_takes_the_place_of (crowd->receivers[0]);
  objects = leftover_find_bpf (getpid ());
  g_assert_cmpuint (objects->len, >, 0);
  crowd_free (crowd);
  wait_until (leftover_descriptors () <= n_fds);
  fail_if (network_has_program ());
  for (guint i = 0; i < objects->len; i++)
    wait_until (!leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
  wait_until (leftover_threads () <= n_threads);
}
GST_END_TEST

/* Starts it where it will not get all descriptors that it wants. Returns whether
 * it did. That the queue is still busy with the one before is told first, maybe. */
static gboolean
start_with_few_descriptors (Receiver *receiver)
{
  const gchar *words;

  if (gst_element_set_state (receiver->pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE) {
    words = receiver_wait_error (receiver);
    fail_unless (strstr (words, "RLIMIT_NOFILE"), "%s", words);
    return FALSE;
  }
  for (guint n = 1;; n++) {
    const GstStructure *mode = receiver_wait_modes (receiver, n);

    words = gst_structure_get_string (mode, "reason");
    if (!g_strcmp0 (gst_structure_get_string (mode, "mode"), "af-xdp"))
      return TRUE;
    if (strstr (words, "RLIMIT_NOFILE"))
      return FALSE;
    fail_unless (strstr (words, "not yet released"), "%s", words);
  }
}

/* Wherever it is that they run out, the limit is named: with fewer and fewer, as
 * only that way is open to the unprivileged. */
GST_START_TEST (test_descriptors_run_out)
{
  Receiver *receiver = receiver_new ("", CROWD_SINK);
  guint n_failed = 0;

  /* What GStreamer and GLib open once. */
  receiver_play (receiver);
  receiver_free (receiver);
  for (guint more = 64; more > 0; more--) {
    receiver = receiver_new ("", CROWD_SINK);
    set_descriptor_limit (leftover_descriptors () + more);
    n_failed += !start_with_few_descriptors (receiver);
    receiver_free (receiver);
  }
  g_assert_cmpuint (n_failed, >, 10);
}
GST_END_TEST

/* All of them go over to what came in its place, some streams end before and some
 * begin after it, and what was counted stays. */
GST_START_TEST (test_interface_comes_again)
{
  Receiver *former =
      receiver_new ("multicast-group=239.3.1.1 port=5000", CROWD_SINK);
  Receiver *later =
      receiver_new ("multicast-group=239.3.1.2 port=5000", CROWD_SINK);
  Crowd *crowd = crowd_new (16, "");
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  receiver_play (former);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=16000 --packets=16000"));
  crowd_assert_complete (crowd, 0, &sent);
  network_run ("ip link del rx0");
  for (guint i = 0; i < crowd->n; i++)
    receiver_wait_modes (crowd->receivers[i], 2);
  receiver_free (former);
  network_up_again ();
  receiver_play (later);
  for (guint i = 0; i < crowd->n; i++) {
    receiver_wait_modes (crowd->receivers[i], 3);
    receiver_assert_mode (crowd->receivers[i], 2, "af-xdp");
  }
  sent = generator_finish (
      crowd_generate (crowd, "--rate=16000 --packets=16000 --first-seq=1000"));
  for (guint i = 0; i < crowd->n; i++) {
    Receiver *receiver = crowd->receivers[i];

    receiver_wait_stat (receiver, "delivered-xdp", 1000 + sent.sent[i]);
    receiver_assert_stat (receiver, "lost", 0);
    g_assert_cmpuint (queue_stats (receiver, 0).redirected, ==, 2000);
    fail_unless (receiver->warnings->len == 0);
  }
  receiver_free (later);
  crowd_free (crowd);
  fail_if (network_has_program ());
}
GST_END_TEST

static Suite *
streams_suite (void)
{
  Suite *suite = suite_create ("streams");
  TCase *tcase = tcase_create ("one queue");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_loop_test (tcase, test_many_on_one_queue, 0, G_N_ELEMENTS (crowds));
  tcase_add_loop_test (
      tcase, test_groups_of_one_ethernet_address, 0, G_N_ELEMENTS (doors));
  tcase_add_loop_test (
      tcase, test_addresses_and_ports, 0, G_N_ELEMENTS (doors));
  tcase_add_test (tcase, test_as_many_as_there_are_slots);
  tcase_add_test (tcase, test_descriptors_run_out);
  tcase_add_test (tcase, test_interface_comes_again);

  tcase = tcase_create ("queues");
  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_two_queues, network_down);
  tcase_add_test (tcase, test_spread_over_queues);
  tcase_add_test (tcase, test_moves_to_another_queue);
  tcase_add_test (tcase, test_moves_and_says_so);
  tcase_add_test (tcase, test_queue_that_is_the_wrong_one);
  tcase_add_test (tcase, test_queue_that_is_the_wrong_one_is_told);
  tcase_add_test (tcase, test_more_queues_while_playing);
  return suite;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (streams_suite (), "streams", __FILE__);
}
