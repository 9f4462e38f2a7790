/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream over two networks (ST 2022-7), each of which loses packets: what leaves is
 * what one of them brought, and what neither brought is lost, to the packet. */
#include "network.h"
#include "../check/tap.h"
#include "twolegs.h"

/* The generators hold each other up; nothing here needs more. */
#define WINDOW "reorder-window=100000000 "
#define LATEST 40 /* ms */

/* Leaves out every tenth, and ends with whole tens. */
#define TENTHS(rate, tens) "--script-every=10 --rate=" #rate " --packets=" #tens

/* All that was sent came, each once and in order, and of each leg is known what it did
 * not bring: every tenth, and never the same one. */
static void
assert_protected (Receiver *receiver, const PayloadWatch *watch, guint64 n,
    const GeneratorReport sent[TWOLEGS])
{
  if (!twolegs_settle (receiver, sent, n))
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", n);
  receiver_assert_stat (receiver, "repeated", n / 10 * 8);
  receiver_assert_none (receiver, "lost", "late", "waiting", "waits-cut-short",
      "reordered", "duplicates", "restarts", "malformed", "discarded");
  for (guint i = 0; i < TWOLEGS; i++) {
    wait_until (twolegs_stat (receiver, i, "lost") == n / 10);
    twolegs_assert_stat (receiver, i, "packets", n / 10 * 9);
    twolegs_assert_stat (receiver, i, "recovered", n / 10);
    twolegs_assert_stat (receiver, i, "late", 0);
    twolegs_assert_stat (receiver, i, "pending", 0);
  }
  receiver_assert_no_error (receiver);
  fail_unless_equals_uint64 (watch->n, n);
  fail_unless_equals_uint64 (watch->wrong, 0);
}

static const struct
{
  const gchar *modes[TWOLEGS];
  const gchar *options; /* of both generators */
  guint64 packets;      /* that both count */
} ways[] = {
  { { "af-xdp", "af-xdp" }, TENTHS (180000, 540000), 600000 },
  { { "af-xdp", "socket" }, TWOLEGS_STEADY TENTHS (27000, 54000), 60000 },
  { { "socket", "af-xdp" }, TWOLEGS_STEADY TENTHS (27000, 54000), 60000 },
  { { "socket", "socket" }, TWOLEGS_STEADY TENTHS (18000, 36000), 40000 },
};

static const gchar *const disjoint[TWOLEGS] = { "--gap=3:1", "--gap=7:1" };

TABLE_TEST (test_disjoint_losses, ways)
{
  PayloadWatch watch = { 0 };
  Receiver *receiver =
      twolegs_start (WINDOW "buffer-size=33554432", ways[__i__].modes, &watch);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (ways[__i__].options, disjoint, 0, sent);
  assert_protected (receiver, &watch, ways[__i__].packets, sent);
  for (guint i = 0; i < TWOLEGS; i++)
    fail_unless (twolegs_text_is (receiver, i, "mode", ways[__i__].modes[i]),
        "%s", twolegs_describe (receiver));
  receiver_free (receiver);
}

/* Numbers of 16 bits wrap three times. */
TEST (test_numbers_wrap)
{
  PayloadWatch watch = { 0 };
  Receiver *receiver = twolegs_start (WINDOW, NULL, &watch);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (TENTHS (90000, 180000) " --first-seq=65000", disjoint, 0, sent);
  assert_protected (receiver, &watch, 200000, sent);
  receiver_free (receiver);
}

/* Some are lost on both, and these are all that is lost. */
TEST (test_common_losses)
{
  /* Of 100, as many, so that their clocks are the same. Common: 4, and 75 to 89. */
  static const gchar *const common[TWOLEGS] = {
    "--gap=2:3 --gap=50:1 --gap=70:20",
    "--gap=4:3 --gap=52:1 --gap=75:20",
  };
  const guint64 n = 40000, lost = n / 100 * 16;
  PayloadWatch watch = { 0 };
  Receiver *receiver = twolegs_start (WINDOW, NULL, &watch);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (TWOLEGS_STEADY
      "--script-every=100 --rate=15200 --packets=30400 --first-seq=60000",
      common, 0, sent);
  twolegs_settle (receiver, sent, n - lost);
  if (receiver_stat (receiver, "packets") != n - lost)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", n - lost);
  receiver_assert_stat (receiver, "lost", lost);
  receiver_assert_stat (receiver, "lost-network", lost);
  receiver_assert_none (receiver, "late", "waits-cut-short", "reordered",
      "duplicates", "restarts", "discarded");
  for (guint i = 0; i < TWOLEGS; i++) {
    twolegs_assert_stat (receiver, i, "lost", sent[i].missing);
    twolegs_assert_stat (receiver, i, "packets", sent[i].packets);
    twolegs_assert_stat (receiver, i, "recovered", sent[!i].missing - lost);
  }
  fail_unless_equals_uint64 (watch.n, n - lost);
  fail_unless_equals_uint64 (watch.wrong, 0);
  receiver_free (receiver);
}

/* One leg's socket runs over while the pipeline stands still, and the other's ring has
 * room for all: nothing is lost, and the one leg's losses are those that its socket
 * counted. */
TEST (test_host_losses_of_one_leg)
{
  static const gchar *const modes[TWOLEGS] = { "af-xdp", "socket" };
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver = twolegs_start (
      "reorder-window=500000000 buffer-size=200000", modes, &watch);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  const guint64 start = twolegs_start_time ();
  guint64 before = network_socket_drops (), dropped;
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (i,
        TWOLEGS_STEADY "--start-at=%" G_GUINT64_FORMAT
                       " --rate=20000 --packets=40000",
        start);
  receiver_wait_stat (receiver, "packets", 10000);
  tap_hold_for (tap, 100 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
  twolegs_settle (receiver, sent, 40000);
  if (receiver_stat (receiver, "packets") != 40000)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", 40000);
  dropped = network_socket_drops () - before;
  g_assert_cmpuint (dropped, >, 500);
  receiver_assert_stat (receiver, "dropped-socket-buffer", dropped);
  receiver_assert_none (
      receiver, "lost", "late", "waits-cut-short", "duplicates");
  receiver_assert_stat (receiver, "repeated", 40000 - dropped);
  wait_until (twolegs_stat (receiver, 1, "lost") == dropped);
  twolegs_assert_stat (receiver, 1, "packets", 40000 - dropped);
  twolegs_assert_stat (receiver, 1, "recovered", 0);
  twolegs_assert_stat (receiver, 0, "lost", 0);
  twolegs_assert_stat (receiver, 0, "packets", 40000);
  twolegs_assert_stat (receiver, 0, "recovered", dropped);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (watch.n, 40000);
  fail_unless_equals_uint64 (watch.wrong, 0);
}

/* Both legs come by one interface to one address: what tells them apart is the sender,
 * or the SSRC. One registration, and so both by AF_XDP. */
static const gchar *const apart[][2] = {
  { "multicast-source=+10.9.0.1 "
    "redundant-uri=afxdp://239.1.1.1:5000"
    "?multicast-iface=rx0&multicast-source=+10.9.0.9",
      "--source=10.9.0.9" },
  { "redundant-uri=afxdp://239.1.1.1:5000?multicast-iface=rx0", "--ssrc=77" },
};

TABLE_TEST (test_one_interface, apart)
{
  static const gchar *const gaps[TWOLEGS] = { "--gap=3:1", "--gap=7:1" };
  g_autofree gchar *properties = g_strdup_printf (
      "multicast-group=239.1.1.1 port=5000 multicast-iface=rx0 " WINDOW " %s",
      apart[__i__][0]);
  Receiver *receiver = receiver_new (properties, "fakesink");
  const guint64 start = twolegs_start_time ();
  PayloadWatch watch = { 0 };
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  guint64 unmatched;

  payload_watch (receiver->src, &watch);
  receiver_play_by (receiver, "af-xdp");
  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = generator_start (
        "--interface=tx0 --script-every=10 --rate=18000 --packets=36000 "
        "--start-at=%" G_GUINT64_FORMAT " %s %s",
        start, gaps[i], i ? apart[__i__][1] : "--source=10.9.0.1");
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
  twolegs_settle (receiver, sent, 40000);
  if (receiver_stat (receiver, "packets") != 40000)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", 40000);
  receiver_assert_stat (receiver, "delivered-xdp", 40000);
  /* Another SSRC proves to be the stream's by two packets in a row. */
  unmatched = receiver_stat (receiver, "unmatched");
  g_assert_cmpuint (unmatched, <=, __i__ ? 10 : 0);
  receiver_assert_stat (receiver, "repeated", 32000 - unmatched);
  receiver_assert_none (receiver, "lost", "late", "malformed");
  for (guint i = 0; i < TWOLEGS; i++) {
    twolegs_assert_stat (receiver, i, "packets", 36000);
    twolegs_assert_stat (receiver, i, "lost", 4000);
    fail_unless (twolegs_text_is (receiver, i, "mode", "af-xdp"));
  }
  receiver_free (receiver);
  fail_unless_equals_uint64 (watch.wrong, 0);
  fail_unless_equals_uint64 (watch.n, 40000);
}

NETNS_SUITE ("legs", network_up_with_two_wires)
