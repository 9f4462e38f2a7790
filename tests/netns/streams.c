/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many streams on one interface, in one process: each gets its own packets, all
 * of them, on whichever queue they arrive. */
#include <sys/resource.h>

#include "crowd.h"
#include "leftover.h"
#include "network.h"

static const struct
{
  const gchar *properties, *delivered;
} paths[] = {
  { "", "delivered-xdp" },
  { "mode=socket", "delivered-socket" },
};

/* Whose packet is it? */

static const guint crowds[] = { 4, 32 };

TABLE_TEST (test_many_on_one_queue, crowds)
{
  Crowd *crowd = crowd_new (crowds[__i__], "");
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=32000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_path (crowd, 0, "delivered-xdp");
  crowd_free (crowd);
}

/* 23 bits of a group's address are in its Ethernet address. */
TABLE_TEST (test_groups_of_one_ethernet_address, paths)
{
  g_autoptr (Crowd) crowd = crowd_new (0, "");
  GeneratorReport sent;

  for (guint first = 224; first < 240; first++)
    for (guint second = 1; second < 256; second += 128) {
      g_autofree gchar *group = g_strdup_printf ("%u.%u.1.1", first, second);

      crowd_add (crowd, group, 5000, paths[__i__].properties);
    }
  fail_unless_equals_int (crowd->n, 32);
  crowd_play (crowd);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=32000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_path (crowd, 0, paths[__i__].delivered);
}

/* IPv4 and IPv6, groups and the interface's own addresses, on the same two
 * ports. */
TABLE_TEST (test_addresses_and_ports, paths)
{
  static const gchar *const addresses[] = { "239.1.1.1", "239.1.1.2",
    "ff15::1:1", "ff15::2:1", "10.9.0.2", "fd09::2" };
  g_autoptr (Crowd) crowd = crowd_new (0, "");
  GeneratorReport sent;

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    for (guint port = 5000; port <= 5002; port += 2)
      crowd_add (crowd, addresses[i], port, paths[__i__].properties);
  crowd_play (crowd);
  sent = generator_finish (
      crowd_generate (crowd, "--method=socket --rate=20000 --packets=24000"));
  crowd_assert_complete (crowd, 0, &sent);
  crowd_assert_one_path (crowd, 0, paths[__i__].delivered);
}

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
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *queues;

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

FIXTURE (network_up_with_two_queues, network_down)

/* A sender's flows spread over the queues by a hash that is another one each
 * time: that all of so many end up on one queue happens once in 10^9 runs. */
TEST (test_spread_over_queues)
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

/* As a NIC does that is told to spread its flows in another way. */
static void
move_between_queues (Receiver *receiver)
{
  guint64 sent = 0;

  for (guint round = 0; round < 4; round++) {
    guint64 by_socket = receiver_stat (receiver, "delivered-socket");
    GeneratorReport report = generator_send_exact (
        "--cpu=%u --first-seq=%u --rate=20000 --packets=15000", round % 2,
        (guint) sent % 65536);

    sent += report.packets;
    receiver_assert_reaches (receiver, "packets", sent);
    receiver_assert_stat (receiver, "lost", 0);
    receiver_assert_none (receiver, "reordered", "duplicates", "malformed");
    /* By then it is bound to both. */
    if (round > 1)
      receiver_assert_no_socket (receiver, by_socket);
  }
  receiver_read_bus (receiver);
  receiver_assert_mode (receiver, receiver->modes->len - 1, "af-xdp");
}

TEST (test_moves_to_another_queue)
{
  g_autoptr (Receiver) receiver = receiver_start ("", CROWD_SINK);

  move_between_queues (receiver);
}

TEST (test_moves_and_says_so)
{
  g_autoptr (Receiver) receiver = receiver_start ("", CROWD_SINK);

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
}

/* The fast path is asked for where the flow does not arrive. */
TEST (test_queue_that_is_the_wrong_one)
{
  g_autoptr (Receiver) receiver = receiver_start ("queue=1", CROWD_SINK);
  GeneratorReport sent =
      generator_send ("--cpu=0 --rate=20000 --packets=20000");

  receiver_wait_stat (receiver, "packets", sent.packets);
  receiver_assert_stat (receiver, "delivered-socket", sent.packets);
  receiver_assert_stat (receiver, "delivered-xdp", 0);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
}

TEST (test_queue_that_is_the_wrong_one_is_told)
{
  g_autoptr (Receiver) receiver = receiver_start ("queue=1", CROWD_SINK);
  const gchar *reason;
  QueueStats stats;
  guint n = 0;
  GeneratorReport sent =
      generator_send ("--cpu=0 --rate=20000 --packets=20000");

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
    reason = receiver_reason (receiver, n++);
  while (!strstr (reason, "RX queue 0") || !strstr (reason, "queue=1"));
}

/* ethtool -L puts more queues to use while packets come. Those of CPU 1 arrive
 * on queue 1 then, where veth runs no program before the interface goes up the
 * next time (Linux 6.18, veth_set_channels()): they come by the socket. */
TEST (test_more_queues_while_playing)
{
  Crowd *crowd;
  Generator *generator;
  GeneratorReport sent, more;
  const gchar *reason;
  guint64 before, by_socket[2];

  network_down ();
  network_up_with_room (1, 4);
  crowd = crowd_new (2, "");
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (crowd, "--cpu=1 --rate=20000");
  receiver_wait_stat (crowd->receivers[0], "delivered-xdp", 5000);
  for (guint queues = 2; queues <= 4; queues++) {
    network_run ("ethtool -L rx0 rx %u", queues);
    before = receiver_stat (crowd->receivers[0], "packets");
    receiver_wait_stat (crowd->receivers[0], "packets", before + 2000);
  }
  sent = generator_stop (generator);
  crowd_assert_complete (crowd, 0, &sent);
  for (guint i = 0; i < 2; i++)
    by_socket[i] = receiver_stat (crowd->receivers[i], "delivered-socket");
  /* veth runs the program on the new queues only after the next link up, or when it
   * is attached again (Linux 6.18): that nobody is left to guess, and which of the two
   * comes first is a matter of time. */
  reason = receiver_reason (crowd->receivers[0], 1);
  fail_unless (
      strstr (reason, "does not see") || strstr (reason, "for none of them"),
      "%s", reason);

  network_run ("ip link set rx0 down");
  network_link_up ();
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
  crowd_free (crowd);
}

/* How many there can be. */

static void
set_descriptor_limit (guint n)
{
  struct rlimit limit = { n, n };

  fail_unless (
      !setrlimit (RLIMIT_NOFILE, &limit), "no %u descriptors are allowed", n);
}

/* One more finds no room, until somebody leaves. */
static void
assert_takes_the_place_of (Receiver *other)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by ("address=239.3.0.1 port=5000", CROWD_SINK, "socket");
  const gchar *reason = receiver_reason (receiver, 0);

  fail_unless (strstr (reason, "serves 1024 streams"), "%s", reason);
  receiver_set_state (other, GST_STATE_NULL);
  receiver_assert_mode (receiver, 1, "af-xdp");
}

FIXTURE (network_up_with_one_queue, network_down)

/* One thread serves them, also where each of the others has its own. */
LOOP_TEST (test_as_many_as_there_are_slots, !receiver_is_shared ())
{
  Crowd *crowd;
  GeneratorReport sent;
  Leftover before;

  crowd_raise_descriptor_limit ();
  /* What GStreamer and GLib open once. */
  crowd = crowd_new (1, "mode=socket");
  crowd_play (crowd);
  generator_finish (crowd_generate (crowd, "--packets=10"));
  crowd_free (crowd);
  leftover_begin (&before);

  crowd = crowd_new (1024, "receiver=all ring-size=64");
  crowd_play_by_af_xdp (crowd);
  sent = generator_finish (crowd_generate (crowd, "--rate=20000 --duration=3"));
  crowd_assert_complete (crowd, 0, &sent);
  assert_takes_the_place_of (crowd->receivers[0]);
  leftover_expect_bpf (&before);
  crowd_halt (crowd);
  crowd_free (crowd);
  leftover_end (&before);
}

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
TEST (test_descriptors_run_out)
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

/* All of them go over to what came in its place, some streams end before and some
 * begin after it, and what was counted stays. */
TEST (test_interface_comes_again)
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

NETNS_SUITE ("streams", network_up_with_one_queue)
