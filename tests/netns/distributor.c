/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements that receive through the distributor daemon: what comes, what is lost, and by
 * whose fault, while the daemon lives, stands still, dies and comes back. */
#include <stdio.h>
#include <string.h>

#include "../check/tap.h"
#include "crowd.h"
#include "daemon.h"
#include "generator.h"
#include "network.h"
#include "payload.h"
#include "player.h"
#include "receiver.h"
#include "tasks.h"
#include "twolegs.h"

#define DROP "fakesink async=false enable-last-sample=false"

#define OTHER "multicast-group=239.1.1.2 port=5000 "
#define TO_OTHER "--destination=239.1.1.2:5000 "

/* ns that a daemon whose beat was kept from its processors seems to stand still. */
#define LONG_BEAT (30 * G_GUINT64_CONSTANT (1000000))

/* µs in which all that was sent has come, unless the machine is busy. */
#define SOON (3 * G_TIME_SPAN_SECOND)

/* A process in a network with nothing in it but lo, which is down. */
#define CONTAINER                                               \
  "setpriv --reuid 65534 --regid 65534 --clear-groups unshare " \
  "--user --map-root-user --net"
/* Its group may connect. */
#define FOR_CONTAINERS "--group=nogroup "
/* At least so often its statistics are told. */
#define TELLS "stats-interval=20000000 "

static gboolean
has_provider (const GstStructure *mode, const gchar *provider)
{
  return g_str_equal (gst_structure_get_string (mode, "provider"), provider);
}

/* Until one of the changes of path, from the n-th on, from 0, is to this provider. */
static void
wait_provider (Receiver *receiver, guint n, const gchar *provider)
{
  while (!has_provider (receiver_wait_modes (receiver, ++n), provider))
    ;
}

/* Called before a test fails since packets came by another way or not at all: skips it
 * if the machine was the reason. */
static void
excuse_daemon (Receiver *receiver)
{
  guint64 waited = daemon_longest_wait ("afxdp-beat");

  receiver_read_bus (receiver);
  for (guint i = 0; i < receiver->modes->len; i++) {
    const gchar *reason =
        gst_structure_get_string (receiver->modes->pdata[i], "reason");

    if (strstr (reason, "stands still") && waited > LONG_BEAT)
      suite_skip ("the machine kept the daemon's beat from its processors for "
                  "%.0f ms in all",
          waited / 1e6);
    if (strstr (reason, "does not answer within"))
      suite_skip ("the machine kept the daemon from answering");
  }
}

/* PLAYING, and received through the daemon. */
static void
play (Receiver *receiver)
{
  receiver_play (receiver);
  if (!has_provider (receiver->modes->pdata[0], "distributor"))
    excuse_daemon (receiver);
  fail_unless (has_provider (receiver->modes->pdata[0], "distributor"), "%s",
      receiver_describe (receiver));
}

/* The same, by its AF_XDP. */
static Receiver *
start (const gchar *properties, PayloadWatch *watch)
{
  Receiver *receiver = receiver_new (properties, DROP);

  if (watch)
    payload_watch (receiver->src, watch);
  play (receiver);
  receiver_wait_mode (receiver, 0, "af-xdp");
  return receiver;
}

/* So many packets have come through the daemon, each once, in order and as it was
 * sent. Frees the receiver. */
static void
finish_exact (Receiver *receiver, const PayloadWatch *watch, guint64 packets,
    const gchar *delivered)
{
  gint64 soon = g_get_monotonic_time () + SOON;

  while (receiver_stat (receiver, "packets") < packets &&
      g_get_monotonic_time () < soon)
    g_usleep (1000);
  if (receiver_stat (receiver, "lost") ||
      receiver_stat (receiver, delivered) != packets)
    excuse_daemon (receiver);
  receiver_assert_nothing_lost (receiver, packets);
  receiver_assert_stat (receiver, delivered, packets);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (watch->n, packets);
  fail_unless_equals_uint64 (watch->wrong, 0);
  receiver_free (receiver);
}

/* Until what the wire delivered has come, or is lost, wherever. */
static void
wait_for_all (Receiver *receiver, const GeneratorReport *sent)
{
  receiver_read_bus (receiver);
  wait_until (
      receiver_stat (receiver, "packets") + receiver_stat (receiver, "lost") >=
      sent->packets);
  receiver_read_bus (receiver);
}

/* What the wire delivered has come, or is lost by the daemon's fault; nothing came twice,
 * or out of its turn, or damaged. Returns how many are lost. */
static guint64
assert_lost_by_daemon (
    Receiver *receiver, const PayloadWatch *watch, const GeneratorReport *sent)
{
  guint64 lost, packets, wire;

  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_no_error (receiver);
  lost = receiver_stat (receiver, "lost-distributor");
  packets = receiver_stat (receiver, "packets");
  for (guint i = 0; i < receiver->gaps->len; i++) {
    g_autofree gchar *gap = gst_structure_to_string (receiver->gaps->pdata[i]);

    g_printerr ("%s\n", gap);
  }
  if (packets + lost < sent->packets || receiver_stat (receiver, "lost") > lost)
    receiver_excuse (receiver);
  receiver_assert_none (
      receiver, "duplicates", "reordered", "malformed", "late", "lost-unknown");
  wire = receiver_stat (receiver, "lost-nic") +
      receiver_stat (receiver, "lost-network");
  receiver_assert_stat (receiver, "lost", lost + wire);
  fail_unless (wire <= sent->dropped, "%s", receiver_describe (receiver));
  fail_unless (packets + lost >= sent->packets &&
          packets + lost <= sent->packets + sent->dropped,
      "%" G_GUINT64_FORMAT " sent: %s", sent->packets,
      receiver_describe (receiver));
  fail_unless_equals_uint64 (watch->n, packets);
  fail_unless (
      !watch->wrong, "%" G_GUINT64_FORMAT " packets are wrong", watch->wrong);
  return lost;
}

/* While the daemon lives. */

TEST (test_exact)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  Receiver *receiver = start ("", &watch);

  fail_unless (network_has_program ());
  generator_send_exact ("--rate=20000 --packets=40000");
  receiver_wait_stat (receiver, "packets", 40000);
  fail_unless_equals_uint64 (daemon_client_sum (daemon, "packets"), 40000);
  finish_exact (receiver, &watch, 40000, "delivered-xdp");
  wait_until (!daemon_n_clients (daemon));
  fail_unless (network_has_program ());
}

/* Each gets every packet. */
TEST (test_several_of_one_group)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watches[3] = { 0 };
  Receiver *receivers[3];

  for (guint i = 0; i < 3; i++)
    receivers[i] = start ("", &watches[i]);
  generator_send_exact ("--rate=20000 --packets=20000");
  for (guint i = 0; i < 3; i++)
    finish_exact (receivers[i], &watches[i], 20000, "delivered-xdp");
}

TEST (test_two_groups)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watches[2] = { 0 };
  Receiver *receivers[2] = { start ("", &watches[0]),
    start (OTHER, &watches[1]) };
  Generator *generators[2] = {
    generator_start ("--rate=10000 --packets=20000"),
    generator_start (TO_OTHER "--rate=10000 --packets=15000"),
  };

  generator_finish_exact (generators[0]);
  generator_finish_exact (generators[1]);
  finish_exact (receivers[0], &watches[0], 20000, "delivered-xdp");
  finish_exact (receivers[1], &watches[1], 15000, "delivered-xdp");
}

TEST (test_many)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  g_autoptr (Crowd) crowd = crowd_new (32, "ring-size=2048");
  GeneratorReport sent;

  crowd_play_by_af_xdp (crowd);
  fail_unless_equals_int (daemon_n_clients (daemon), 32);
  sent =
      generator_finish (crowd_generate (crowd, "--rate=32000 --packets=64000"));
  crowd_assert_complete (crowd, 0, &sent);
}

/* Two senders of one group, which the daemon receives once, from whomever one of its
 * clients wants. */

#define A "10.9.0.11"
#define B "10.9.0.12"
#define C "10.9.0.13"
#define A_6 "fd09::11"
#define B_6 "fd09::12"

static const struct
{
  /* Of two elements: the first receives from A, the other from B alone, or from both. */
  const gchar *lists[2];
  const gchar
      *all; /* as --status tells the union; the first list it has alone */
} unions[] = {
  { { "+" A, "+" B }, "\"+" A "+" B "\"" },
  { { "+" A, "-" A }, "null" },
  { { "+" A, "-" A "-" C }, "\"-" C "\"" },
  { { "-" B, "+" B }, "null" },
  { { "-" B "-" C, "-" A "-" C }, "\"-" C "\"" },
  { { "+" A, "" }, "null" },
  { { "-" B, "" }, "null" },
  { { "+" A_6, "+" B_6 }, "\"+" A_6 "+" B_6 "\"" },
};

static gboolean
is_ipv6 (guint row)
{
  return strchr (unions[row].lists[0], ':') != NULL;
}

/* Plays it through the daemon. watch: NULL, or what comes is from one sender. */
static Receiver *
start_of (guint row, guint i, PayloadWatch *watch)
{
  g_autofree gchar *properties = g_strdup_printf (
      "multicast-group=%s port=5000 multicast-iface=rx0 multicast-source=\"%s\"",
      is_ipv6 (row) ? "ff35::1" : "232.1.1.1", unions[row].lists[i]);

  return start (properties, watch);
}

static Generator *
send_from (guint row, guint i, const gchar *options)
{
  static const gchar *const senders[][2] = { { A, B }, { A_6, B_6 } };

  return generator_start ("--destination=%s --source=%s --ssrc=%u %s",
      is_ipv6 (row) ? "[ff35::1]:5000" : "232.1.1.1:5000",
      senders[is_ipv6 (row)][i], 11 + i, options);
}

static gboolean
is_received_from (Daemon *daemon, const gchar *sources)
{
  g_autofree gchar *status = daemon_status (daemon);
  g_autofree gchar *words = g_strdup_printf ("\"sources\" : %s,", sources);

  return strstr (status, words) != NULL;
}

/* Packets from senders that no client wants, which came to the daemon all the same. */
static guint64
n_unwanted (Daemon *daemon)
{
  g_autofree gchar *status = daemon_status (daemon);

  return g_ascii_strtoull (
      strstr (status, "\"malformed\" : ") + strlen ("\"malformed\" : "), NULL,
      10);
}

/* Each gets its own, by the fast path. */
TABLE_TEST (test_sources, unions)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  const gboolean gets_both = !*unions[__i__].lists[1];
  PayloadWatch watches[2] = { 0 };
  Receiver *receivers[2];
  Generator *generators[2];

  for (guint i = 0; i < 2; i++)
    receivers[i] = start_of (__i__, i, i && gets_both ? NULL : &watches[i]);
  fail_unless (is_received_from (daemon, unions[__i__].all));
  generators[0] = send_from (__i__, 0, "--rate=10000 --packets=20000");
  generators[1] = send_from (__i__, 1, "--rate=10000 --packets=15000");
  for (guint i = 0; i < 2; i++)
    generator_finish_exact (generators[i]);
  /* What is not watched counts as seen. */
  if (gets_both)
    watches[1].n = 35000;
  finish_exact (receivers[0], &watches[0], 20000, "delivered-xdp");
  finish_exact (
      receivers[1], &watches[1], gets_both ? 35000 : 15000, "delivered-xdp");
}

/* It has told of so many modes, and of no more. */
static void
assert_no_change (Receiver *receiver, guint n_modes)
{
  receiver_read_bus (receiver);
  if (receiver->modes->len != n_modes)
    excuse_daemon (receiver);
  fail_unless (receiver->modes->len == n_modes, "%u changes: %s",
      receiver->modes->len - n_modes, receiver_describe (receiver));
}

/* The other comes and goes, and the first one has each packet by the fast path all the
 * time. */
TABLE_TEST (test_sources_come_and_go, unions)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  g_autofree gchar *alone = g_strdup_printf ("\"%s\"", unions[__i__].lists[0]);
  PayloadWatch watch = { 0 };
  Receiver *one = start_of (__i__, 0, &watch), *other;
  Generator *of_a = send_from (__i__, 0, "--rate=20000");
  Generator *of_b = send_from (__i__, 1, "--rate=2000");
  const guint n_modes = one->modes->len;
  GeneratorReport sent;
  guint64 unwanted;

  for (guint i = 0; i < 5; i++) {
    other = start_of (__i__, 1, NULL);
    fail_unless (is_received_from (daemon, unions[__i__].all));
    receiver_wait_stat (other, "delivered-xdp", 500);
    if (receiver_lost_in_host (other))
      excuse_daemon (other);
    fail_if (receiver_lost_in_host (other), "%s", receiver_describe (other));
    receiver_assert_none (other, "malformed", "duplicates");
    receiver_free (other);
    wait_until (is_received_from (daemon, alone));
  }
  /* Nor does anything of the other sender come to the daemon any more. */
  receiver_wait_stat (one, "packets", receiver_stat (one, "packets") + 2000);
  unwanted = n_unwanted (daemon);
  receiver_wait_stat (one, "packets", receiver_stat (one, "packets") + 5000);
  fail_unless_equals_uint64 (n_unwanted (daemon), unwanted);
  generator_stop_lossy (of_b);
  sent = generator_stop (of_a);
  receiver_wait_stat (one, "packets", sent.packets);
  assert_no_change (one, n_modes);
  if (sent.dropped)
    suite_skip ("the wire lost packets");
  finish_exact (one, &watch, sent.packets, "delivered-xdp");
}

/* More than the host allows for one group: who comes is told so, and the others do not
 * notice. */
TEST (test_sources_refused)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  Receiver *one = start_of (0, 0, &watch);
  Generator *generator = send_from (0, 0, "--rate=20000 --packets=20000");
  g_autoptr (Receiver) other =
      receiver_new ("multicast-group=232.1.1.1 port=5000 multicast-iface=rx0 "
                    "multicast-source=+" B,
          DROP);
  const guint n_modes = one->modes->len;

  network_run ("sysctl -q -w net.ipv4.igmp_max_msf=1");
  receiver_play (other);
  receiver_assert_reason (other, 0, "The distributor refuses");
  receiver_assert_reason (other, 0, "for other clients too");
  receiver_assert_reason (other, 0, "net.ipv4.igmp_max_msf");
  fail_unless (is_received_from (daemon, "\"+" A "\""));
  generator_finish_exact (generator);
  assert_no_change (one, n_modes);
  finish_exact (one, &watch, 20000, "delivered-xdp");
}

/* One thread serves them all. */
TEST (test_receiver)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watches[3] = { 0 };
  Receiver *receivers[3] = {
    start ("receiver=all", &watches[0]),
    start ("receiver=all " OTHER, &watches[1]),
    start ("receiver=all", &watches[2]),
  };
  Generator *generators[2] = {
    generator_start ("--rate=10000 --packets=20000"),
    generator_start (TO_OTHER "--rate=10000 --packets=20000"),
  };

  fail_unless_equals_int (tasks_count (0, "afxdp-receiver"), 1);
  generator_finish_exact (generators[0]);
  generator_finish_exact (generators[1]);
  for (guint i = 0; i < 3; i++)
    finish_exact (receivers[i], &watches[i], 20000, "delivered-xdp");
}

/* A pipeline that takes none for long loses what its ring has no room for, and costs
 * nobody else anything. */
TEST (test_full_ring)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watches[2] = { 0 };
  Receiver *receivers[2] = { start ("ring-size=512", &watches[0]),
    start ("", &watches[1]) };
  Tap *tap = tap_new_counting (receivers[0]->src);
  Generator *generator = generator_start ("--rate=20000 --packets=40000");
  guint64 packets, dropped;

  receiver_wait_stat (receivers[0], "packets", 5000);
  tap_hold (tap);
  tap_wait_held (tap);
  receiver_wait_stat (receivers[1], "packets", 20000);
  tap_let_go (tap);
  receiver_wait_stat (receivers[0], "packets", 10000);
  generator_finish_exact (generator);
  receiver_wait_stat (receivers[1], "packets", 40000);
  dropped = daemon_client_sum (daemon, "dropped-client-ring");
  finish_exact (receivers[1], &watches[1], 40000, "delivered-xdp");
  receiver_wait_stat (receivers[0], "packets", 40000 - dropped);
  receiver_set_state (receivers[0], GST_STATE_NULL);
  tap_free (tap);
  packets = receiver_stat (receivers[0], "packets");
  if (receiver_stat (receivers[0], "delivered-xdp") != packets)
    excuse_daemon (receivers[0]);
  receiver_assert_stat (receivers[0], "delivered-xdp", packets);
  g_assert_cmpuint (dropped, >, 5000);
  fail_unless_equals_uint64 (packets + dropped, 40000);
  receiver_assert_stat (receivers[0], "dropped-client-ring", dropped);
  receiver_assert_stat (receivers[0], "lost-client-ring", dropped);
  receiver_assert_stat (receivers[0], "lost", dropped);
  fail_unless_equals_uint64 (watches[0].wrong, 0);
  receiver_free (receivers[0]);
}

/* What the ring has no room for while a pipeline is paused is nobody's fault. */
TEST (test_paused)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  /* It lasts 400 ms. */
  Receiver *receiver = start ("ring-size=2048", &watch);
  guint64 dropped;

  generator_send_exact ("--rate=5000 --packets=5000");
  receiver_wait_stat (receiver, "packets", 5000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  watch.next = 0;
  generator_send_exact ("--rate=10000 --packets=5000 --first-seq=5000");
  dropped = daemon_client_sum (daemon, "dropped-client-ring");
  receiver_set_state (receiver, GST_STATE_PLAYING);
  receiver_wait_stat (receiver, "packets", 10000 - dropped);
  watch.next = 0;
  generator_send_exact ("--rate=5000 --packets=5000 --first-seq=10000");
  dropped = daemon_client_sum (daemon, "dropped-client-ring");
  receiver_wait_stat (receiver, "packets", 15000 - dropped);
  fail_unless (
      gst_element_send_event (receiver->pipeline, gst_event_new_eos ()));
  receiver_wait_eos (receiver);
  g_assert_cmpuint (dropped, >, 2000);
  if (receiver_stat (receiver, "dropped-client-ring"))
    receiver_excuse (receiver);
  receiver_assert_stat (receiver, "packets", 15000 - dropped);
  receiver_assert_stat (receiver, "dropped-paused", dropped);
  receiver_assert_stat (receiver, "lost-paused", dropped);
  receiver_assert_stat (receiver, "lost", dropped);
  receiver_assert_none (receiver, "dropped-client-ring", "duplicates");
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (watch.wrong, 0);
  receiver_free (receiver);
}

/* When it does not. */

/* Killed in the middle, and started again. */
TEST (test_killed)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  Receiver *receiver = start ("gap-interval=0", &watch);
  Generator *generator = generator_start ("--rate=20000");
  guint64 packets;
  GeneratorReport sent;

  receiver_wait_stat (receiver, "packets", 20000);
  for (guint i = 0; i < 2; i++) {
    guint n;

    receiver_read_bus (receiver);
    n = receiver->modes->len;
    daemon_kill (daemon);
    wait_provider (receiver, n, "own");
    receiver_wait_stat (receiver, "delivered-socket",
        receiver_stat (receiver, "delivered-socket") + 2000);
    daemon_start_again (daemon);
    wait_provider (receiver, n, "distributor");
    receiver_wait_mode (receiver, n + 1, "af-xdp");
    receiver_wait_stat (receiver, "delivered-xdp",
        receiver_stat (receiver, "delivered-xdp") + 20000);
  }
  sent = generator_stop (generator);
  wait_for_all (receiver, &sent);
  packets = assert_lost_by_daemon (receiver, &watch, &sent);
  printf ("killed twice at 20,000/s: %" G_GUINT64_FORMAT " packets lost\n",
      packets);
  /* Twice the 50 ms after which it is missed, and what a busy machine adds. */
  if (packets > 2 * 20000 / 5)
    suite_skip ("a killed daemon was missed too late");
  receiver_free (receiver);
}

/* It stands still for longer than a beat may, and for less than rings last. */
TEST (test_stopped)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  Receiver *receiver = start ("", &watch);
  Generator *generator = generator_start ("--rate=20000");
  GeneratorReport sent;

  receiver_wait_stat (receiver, "packets", 10000);
  for (guint i = 0; i < 3; i++) {
    daemon_stop (daemon);
    g_usleep (300 * G_TIME_SPAN_MILLISECOND);
    daemon_continue (daemon);
    receiver_wait_stat (
        receiver, "packets", receiver_stat (receiver, "packets") + 10000);
  }
  receiver_wait_reason (receiver, 0, "stands still");
  sent = generator_stop (generator);
  wait_for_all (receiver, &sent);
  fail_unless_equals_uint64 (
      assert_lost_by_daemon (receiver, &watch, &sent), 0);
  receiver_free (receiver);
}

/* It stands still for longer than its socket has room. To a client whose own socket hears,
 * that is nothing. */
TEST (test_stopped_for_long)
{
  g_autoptr (Daemon) daemon = daemon_start ("--mode=socket");
  PayloadWatch watch = { 0 };
  Receiver *receiver = receiver_new ("buffer-size=30000000", DROP);
  Generator *generator;
  GeneratorReport sent;
  guint64 before;
  guint n;

  payload_watch (receiver->src, &watch);
  play (receiver);
  generator = generator_start ("--rate=10000");
  receiver_wait_stat (receiver, "packets", 5000);
  receiver_read_bus (receiver);
  n = receiver->modes->len;
  daemon_stop (daemon);
  wait_provider (receiver, n, "own");
  /* A socket that is deaf drops, too: from here on it is the daemon's alone. */
  before = network_socket_drops ();
  wait_until (network_socket_drops () - before > 5000);
  daemon_continue (daemon);
  wait_provider (receiver, n + 1, "distributor");
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 20000);
  sent = generator_stop (generator);
  wait_for_all (receiver, &sent);
  /* Its own has room for longer than a machine is busy. */
  receiver_assert_none (
      receiver, "dropped-socket-buffer", "lost-socket-buffer");
  assert_lost_by_daemon (receiver, &watch, &sent);
  receiver_free (receiver);
}

/* What the interface drops while the daemon stands still and the client hears by its own
 * socket is the interface's, and not counted again when the daemon goes on. */
TEST (test_nic_while_stopped)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  Receiver *receiver = start ("gap-interval=0 ring-size=1024", NULL);
  Generator *stream = generator_start ("--rate=20000"), *flood;
  GeneratorReport sent;
  guint64 before;
  guint n;

  receiver_wait_stat (receiver, "packets", 10000);
  receiver_read_bus (receiver);
  n = receiver->modes->len;
  before = receiver_stat (receiver, "dropped-nic");
  daemon_stop (daemon);
  wait_provider (receiver, n, "own");
  receiver_wait_stat (receiver, "delivered-socket", 5000);
  flood = generator_start ("--cpu=1 --destination=239.1.1.9:9 --batch=256 "
                           "--packets=1500000");
  generator_finish_lossy (flood);
  receiver_wait_stat (receiver, "delivered-socket",
      receiver_stat (receiver, "delivered-socket") + 5000);
  wait_until (!receiver_stat (receiver, "pending"));
  fail_unless (receiver_stat (receiver, "dropped-nic") > before &&
          receiver_stat (receiver, "lost-nic") > 0,
      "the interface dropped nothing: %s", receiver_describe (receiver));
  daemon_continue (daemon);
  wait_provider (receiver, n + 1, "distributor");
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 20000);
  sent = generator_stop_lossy (stream);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_none (
      receiver, "lost-network", "lost-unknown", "duplicates", "malformed");
  fail_unless (receiver_stat (receiver, "dropped-nic") <= sent.dropped,
      "%" G_GUINT64_FORMAT " by the wire: %s", sent.dropped,
      receiver_describe (receiver));
  receiver_free (receiver);
}

/* The daemon's credit is used up, and its path closes: what its ring holds then comes
 * first, and at once. A batch in each ms, it held up the rest for 100 ms. */
TEST (test_credit_used_up)
{
  g_autoptr (Daemon) daemon = daemon_start ("--verbose=2");
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  Generator *generator = generator_start ("--rate=100000");
  g_autofree gchar *log = NULL;

  receiver_wait_stat (receiver, "packets", 10000);
  daemon_stop (daemon);
  g_usleep (250 * G_TIME_SPAN_MILLISECOND);
  daemon_continue (daemon);
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 50000);
  generator_stop_lossy (generator);
  log = daemon_log (daemon);
  if (!strstr (log, "closes the fast path: the credit is used up"))
    suite_skip ("the generator did not use up the credit");
  if (strstr (log, "nobody can wait any longer") &&
      daemon_longest_wait ("") > 50 * GST_MSECOND)
    suite_skip ("the daemon waited for its processor for %" G_GUINT64_FORMAT
                " ns",
        daemon_longest_wait (""));
  fail_if (strstr (log, "nobody can wait any longer"), "%s", log);
}

/* It takes its program with it, and the socket goes on. */
TEST (test_terminated)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  PayloadWatch watch = { 0 };
  Receiver *receiver = start ("", &watch);
  Generator *generator = generator_start ("--rate=20000");
  guint n = receiver->modes->len;
  GeneratorReport sent;

  receiver_wait_stat (receiver, "packets", 10000);
  daemon_terminate (daemon);
  fail_if (network_has_program ());
  wait_provider (receiver, n, "own");
  receiver_assert_reason (receiver, n, "has hung up");
  receiver_wait_stat (receiver, "delivered-socket", 10000);
  sent = generator_stop (generator);
  wait_for_all (receiver, &sent);
  assert_lost_by_daemon (receiver, &watch, &sent);
  receiver_free (receiver);
}

/* Without a network. */

TEST (test_container)
{
  g_autoptr (Daemon) daemon = daemon_start (FOR_CONTAINERS);
  Player *player = player_start (CONTAINER, TELLS);
  Generator *generator;
  GeneratorReport sent;
  const gchar *line;
  guint64 packets, lost;

  player_wait_line (player, "provider=(string)distributor");
  generator = generator_start ("--rate=20000");
  player_wait_stat (player, "packets", 20000);
  daemon_kill (daemon);
  line = player_wait_line (player, "GstAfxdpSrcMode");
  fail_unless (strstr (line, "nobody\\ else\\ receives"), "%s", line);
  daemon_start_again (daemon);
  player_wait_line (player, "provider=(string)distributor");
  packets =
      player_stat (player_wait_line (player, "GstAfxdpSrcStats"), "packets");
  player_wait_stat (player, "packets", packets + 20000);
  sent = generator_stop (generator);
  do {
    line = player_wait_line (player, "GstAfxdpSrcStats");
    lost = player_stat (line, "lost-distributor");
    packets = player_stat (line, "packets");
  } while (packets + lost < sent.packets);
  g_assert_cmpuint (packets + lost, <=, sent.packets + sent.dropped);
  g_assert_cmpuint (lost, >, 0);
  fail_unless (
      player_stat (line, "lost") <= lost + sent.dropped, "%.2500s", line);
  fail_unless_equals_uint64 (player_stat (line, "duplicates"), 0);
  player_free (player);
}

/* What the daemon's socket has no room for while it stands still is told in its place, and
 * nowhere else. */
TEST (test_socket_buffer)
{
  g_autoptr (Daemon) daemon = daemon_start (FOR_CONTAINERS "--mode=socket");
  Player *player = player_start (CONTAINER, TELLS);
  GeneratorReport sent;
  Generator *generator;
  const gchar *line;
  guint64 dropped = 0;

  line = player_wait_line (player, "provider=(string)distributor");
  fail_unless (strstr (line, "mode=(string)socket"), "%s", line);
  generator = generator_start ("--rate=30000");
  player_wait_stat (player, "packets", 15000);
  daemon_stop (daemon);
  wait_until ((dropped = network_socket_drops ()) > 5000);
  daemon_continue (daemon);
  line = player_wait_line (player, "GstAfxdpSrcStats");
  player_wait_stat (player, "packets", player_stat (line, "packets") + 15000);
  sent = generator_stop (generator);
  dropped = network_socket_drops ();
  do
    line = player_wait_line (player, "GstAfxdpSrcStats");
  while (player_stat (line, "packets") < sent.packets - dropped ||
      player_stat (line, "lost") < dropped);
  fail_unless (player_stat (line, "packets") == sent.packets - dropped &&
          player_stat (line, "dropped-socket-buffer") == dropped &&
          player_stat (line, "lost-socket-buffer") == dropped &&
          player_stat (line, "lost") <= dropped + sent.dropped,
      "%" G_GUINT64_FORMAT " dropped: %.2500s", dropped, line);
  player_free (player);
}

/* Refused. */

static const struct
{
  const gchar *options, *properties;
  const gchar *words, *mode;
} refusals[] = {
  { "--allow=239.9.0.0/16", "", "239.1.1.1", "socket" },
  { "--allow=none", "", "239.1.1.1", "socket" },
  { "--interface=rx1", "multicast-iface=rx0", "rx0", "af-xdp" },
};

/* What would be without the daemon, which holds its interfaces; and a reason that names
 * it. */
TABLE_TEST (test_refused, refusals)
{
  g_autoptr (Daemon) daemon = NULL;
  g_autoptr (Receiver) receiver = NULL;
  const gchar *reason;

  network_add_wire ();
  daemon = daemon_start (refusals[__i__].options);
  receiver = receiver_start (refusals[__i__].properties, DROP);
  reason = receiver_reason (receiver, 0);
  fail_unless (has_provider (receiver->modes->pdata[0], "own"), "%s",
      receiver_describe (receiver));
  receiver_assert_mode (receiver, 0, refusals[__i__].mode);
  fail_unless (strstr (reason, "The distributor refuses") &&
          strstr (reason, refusals[__i__].words),
      "%s", reason);
  generator_send_exact ("--rate=20000 --packets=10000");
  receiver_assert_nothing_lost (receiver, 10000);
}

/* Whatever others have of it. */
TEST (test_refused_beside_others)
{
  g_autoptr (Daemon) daemon = daemon_start ("--allow=239.1.1.2/32");
  PayloadWatch watch = { 0 };
  Receiver *other = start (OTHER, &watch);
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);
  Generator *generators[2];

  receiver_assert_mode (receiver, 0, "socket");
  receiver_assert_reason (receiver, 0, "The distributor refuses");
  generators[0] = generator_start ("--rate=10000 --packets=10000");
  generators[1] = generator_start (TO_OTHER "--rate=10000 --packets=10000");
  generator_finish_exact (generators[0]);
  generator_finish_exact (generators[1]);
  receiver_assert_nothing_lost (receiver, 10000);
  receiver_assert_stat (receiver, "delivered-socket", 10000);
  finish_exact (other, &watch, 10000, "delivered-xdp");
}

/* Two legs. */

FIXTURE (network_up_with_two_wires, network_down)

#define WINDOW "reorder-window=100000000 "
#define TENTHS "--script-every=10 --first-seq=65000 "
#define LATEST 40 /* ms */

/* The second leg's sender may have another SSRC: the number is written over in what
 * leaves, which is not the daemon's memory. */
static const gchar *const second_legs[] = { "--gap=7:1",
  "--gap=7:1 --ssrc=77" };

TABLE_TEST (test_two_legs, second_legs)
{
  const gchar *more[TWOLEGS] = { "--gap=3:1", second_legs[__i__] };
  g_autoptr (Daemon) daemon = daemon_start ("--interface=rx0 --interface=rx1");
  PayloadWatch watch = { 0 };
  Receiver *receiver = twolegs_start (WINDOW, NULL, &watch);
  GeneratorReport sent[TWOLEGS];
  guint64 lost;

  receiver_read_bus (receiver);
  for (guint i = 0; i < receiver->modes->len; i++)
    fail_unless (has_provider (receiver->modes->pdata[i], "distributor"), "%s",
        receiver_describe (receiver));
  twolegs_send (TENTHS "--rate=18000 --packets=36000", more, 0, sent);
  if (!twolegs_settle (receiver, sent, 40000))
    twolegs_excuse (receiver, sent, LATEST);
  lost = receiver_stat (receiver, "lost");
  /* What a leg brought before it was believed. */
  fail_unless (lost <= receiver_stat (receiver, "unmatched"), "%s",
      twolegs_describe (receiver));
  receiver_assert_stat (receiver, "packets", 40000 - lost);
  for (guint i = 0; i < TWOLEGS; i++)
    fail_unless (twolegs_stat (receiver, i, "recovered") > 3000, "%s",
        twolegs_describe (receiver));
  receiver_free (receiver);
  fail_unless_equals_uint64 (watch.n, 40000 - lost);
  fail_unless_equals_uint64 (watch.wrong, 0);
}

NETNS_SUITE ("distributor-clients", network_up_with_one_queue)
