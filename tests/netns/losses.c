/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Law 3: each place where packets can be lost, provoked, and told by its name; the others
 * stay at 0. With a daemon for all (TEST_DISTRIBUTOR) those are left out whose place is
 * behind the program: faults are made in the memory, and by the sockets, of the element's
 * own process, and what a client's pipeline holds up is lost in its ring (distributor.c).
 */
#include <unistd.h>

#include "daemon.h"
#include "generator.h"
#include "ledger.h"
#include "metadata.h"
#include "network.h"
#include "receiver.h"
#include "soaking.h"
#include "../check/page.h"
#include "switches.h"
#include "../check/tap.h"

#define DROP "fakesink async=false enable-last-sample=false"

static guint64
lost_at (Receiver *receiver, const gchar *place)
{
  g_autofree gchar *name = g_strconcat ("lost-", place, NULL);

  return receiver_stat (receiver, name);
}

static guint64
dropped_at (Receiver *receiver, const gchar *place)
{
  g_autofree gchar *name = g_strconcat ("dropped-", place, NULL);

  return receiver_stat (receiver, name);
}

/* What more may be lost at a place on a busy machine: the wire packets that the veth
 * dropped are the interface's (those at the end of a stream are nobody's). When the
 * receiver does not keep up, what is dropped is counted, and told to the packet. */
static guint64
more_at (Receiver *receiver, const gchar *place, guint64 wire, gboolean busy)
{
  if (g_str_equal (place, "nic"))
    return wire;
  return busy &&
          (g_str_equal (place, "socket-buffer") ||
              g_str_equal (place, "overload"))
      ? dropped_at (receiver, place)
      : 0;
}

/* n packets were lost at place, and none elsewhere. busy: but for what did not find
 * room when the receiver was too slow. */
static void
assert_lost (Receiver *receiver, const gchar *place, guint64 n, guint64 wire,
    gboolean busy)
{
  guint64 sum = 0;

  receiver_assert_stat (receiver, "pending", 0);
  for (AfxdpColumn i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    const gchar *one = afxdp_column_where (i);
    gboolean here = g_str_equal (one, place);
    guint64 from = here ? n : 0;
    guint64 to = from +
        (here && !g_str_equal (place, "nic")
                ? 0
                : more_at (receiver, one, wire, busy));
    guint64 lost = lost_at (receiver, one);

    sum += lost;
    if (lost < from || lost > to) {
      generator_excuse ();
      switches_excuse ();
    }
    fail_unless (from <= lost && lost <= to,
        "lost-%s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT
        " to %" G_GUINT64_FORMAT ": %s",
        one, lost, from, to, receiver_describe (receiver));
  }
  receiver_assert_stat (receiver, "lost", sum);
  /* Without what failed behind the interface, though a veth counts that too. */
  if (!g_str_equal (place, "nic"))
    fail_unless (dropped_at (receiver, "nic") <= wire, "dropped-nic: %s",
        receiver_describe (receiver));
}

static void
assert_lost_only (
    Receiver *receiver, const gchar *place, guint64 n, guint64 wire)
{
  assert_lost (receiver, place, n, wire, FALSE);
}

/* All that the wire delivered is delivered, or dropped where a counter tells. */
static void
assert_balance (Receiver *receiver, const GeneratorReport *sent)
{
  guint64 sum = receiver_arrived (receiver);

  fail_unless (sum == sent->packets,
      "%" G_GUINT64_FORMAT " in all columns, %" G_GUINT64_FORMAT " sent: %s",
      sum, sent->packets, receiver_describe (receiver));
}

/* Until nothing is pending, and so every gap has a name. */
static void
wait_for_verdicts (Receiver *receiver, guint64 lost)
{
  receiver_wait_stat (receiver, "lost", lost);
  wait_until (!receiver_stat (receiver, "pending"));
  receiver_read_bus (receiver);
}

static void
assert_gap (Receiver *receiver, guint i, guint64 first, guint64 missing,
    const gchar *where)
{
  const GstStructure *gap = receiver->gaps->pdata[i];
  guint first_missing = 0, ssrc = 0;
  guint64 n = 0;

  gst_structure_get (gap, "first-missing", G_TYPE_UINT, &first_missing,
      "missing", G_TYPE_UINT64, &n, "ssrc", G_TYPE_UINT, &ssrc, NULL);
  fail_unless (first_missing == first && n == missing &&
          ssrc == GENERATOR_SSRC &&
          g_str_equal (gst_structure_get_string (gap, "where"), where),
      "gap %u is %s", i, gst_structure_to_string (gap));
}

/* The network. */

/* What the statistics say of the one RX queue. */
static GstStructure *
queue_of (Receiver *receiver)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);

  return gst_structure_copy (
      gst_value_get_structure (gst_value_array_get_value (
          gst_structure_get_value (stats, "queues"), 0)));
}

TEST (test_network)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  GeneratorReport sent;

  receiver_assert_served (receiver);
  /* Around a wrap of the numbers, and one that takes its time. */
  sent = generator_send_exact (
      "--rate=50000 --packets=110000 --first-seq=65030 --gap=100:3 --gap=500:1 "
      "--gap=505:40 --gap=40000:1 --silence=99000:60");
  wait_for_verdicts (receiver, sent.missing);
  receiver_assert_stat (receiver, "packets", sent.packets);
  assert_lost_only (receiver, "network", sent.missing, sent.dropped);
  receiver_assert_stat (receiver, "gaps", 5);
  receiver_wait_gaps (receiver, 5);
  page_assert_fields (receiver->gaps->pdata[0], NULL);
  assert_gap (receiver, 0, 65130, 3, "network");
  assert_gap (receiver, 1, 65530, 1, "network");
  assert_gap (receiver, 2, 65535, 40, "network");
  assert_gap (receiver, 3, 65030 + 40000, 1, "network");
  assert_gap (receiver, 4, 65030 + 99000, 3000, "network");
}

/* A client has none. */
OWN_TEST (test_fields_of_queue)
{
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);
  g_autoptr (GstStructure) queue = queue_of (receiver);

  page_assert_fields (queue, NULL);
}

TEST (test_not_lost_at_all)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  GeneratorReport sent, other, again;

  sent = generator_send ("--rate=50000 --packets=50000 --duplicate=100 "
                         "--duplicate=200:3 --reorder=300:1 --reorder=400:2 "
                         "--reorder=500:10 --reorder=700:50 --reorder=900:99 "
                         "--reorder=1100:100 --first-seq=65000");
  /* Another sender, and the first one again after a reboot. */
  other = generator_send ("--rate=50000 --packets=5000 --ssrc=77");
  again = generator_send ("--rate=50000 --packets=5000 --first-seq=20000");
  receiver_wait_stat (
      receiver, "packets", sent.packets + other.packets + again.packets);
  assert_lost_only (
      receiver, "", 0, sent.dropped + other.dropped + again.dropped);
  receiver_assert_stat (receiver, "duplicates", sent.duplicates);
  receiver_assert_stat (receiver, "reordered", sent.reordered);
  receiver_assert_stat (receiver, "restarts", 1);
  /* The one behind 100 packets was lost already, and took that back. */
  fail_unless (receiver_stat (receiver, "gaps") >= 1);
}

/* What is one short packet for each video frame, to the kernel's counters. */
TEST (test_sizes_and_marker)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  gboolean marker = FALSE;
  guint previous = 0, next = 0, payload_type = 0;
  guint64 suppressed = 1, time = 0;

  /* Packet 9 ends a frame: marker, 300 bytes and RTP's header. */
  generator_send_exact (
      "--rate=20000 --packets=4000 --marker-every=10 --gap=10:2");
  gst_structure_get (receiver_wait_gaps (receiver, 1), "previous-size",
      G_TYPE_UINT, &previous, "next-size", G_TYPE_UINT, &next,
      "previous-marker", G_TYPE_BOOLEAN, &marker, "payload-type", G_TYPE_UINT,
      &payload_type, "suppressed", G_TYPE_UINT64, &suppressed, "running-time",
      G_TYPE_UINT64, &time, NULL);
  fail_unless (marker);
  fail_unless_equals_int (previous, 312);
  fail_unless_equals_int (next, 1328);
  fail_unless_equals_int (payload_type, 33);
  fail_unless_equals_uint64 (suppressed, 0);
  fail_unless (time > 0 && time < GST_SECOND * 30);
}

/* Between the program and the element. */

/* Of one stream of n packets at rate, the sink takes none for 200 ms from some
 * time on, and the next ones late. unlimited: the program redirects what rings
 * have no room for. */
static GeneratorReport
stall (Receiver *receiver, gboolean unlimited, guint n, guint rate)
{
  Tap *tap = tap_new_counting (receiver->src);
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start ("--rate=%u --packets=%u", rate, n);
  /* Long enough for the sender's pace to be known. */
  receiver_wait_stat (receiver, "packets", 30000);
  if (unlimited) {
    switches_limits_off ();
    /* The path may just have closed, but not again from here on. */
    receiver_wait_stat (receiver, "delivered-xdp",
        receiver_stat (receiver, "delivered-xdp") + 1000);
  }
  tap_hold_for (tap, 200 * G_TIME_SPAN_MILLISECOND);
  wait_until (tap_is_held (tap));
  /* Most of what waits in a ring is read long after its counters, then. */
  tap_hold_for (tap, 20 * G_TIME_SPAN_MILLISECOND);
  wait_until (!tap_is_held (tap));
  switches_limits_on ();
  sent = generator_finish_lossy (generator);
  receiver_set_state (receiver, GST_STATE_READY);
  tap_free (tap);
  return sent;
}

/* n packets were lost at place, by all accounts, though 16 bits of number wrap. */
static void
assert_account (Receiver *receiver, const GeneratorReport *sent,
    const gchar *place, guint64 n)
{
  fail_unless (n > 1000,
      "the fault made no difference: %" G_GUINT64_FORMAT ", %s", n,
      receiver_describe (receiver));
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_balance (receiver, sent);
  fail_unless_equals_uint64 (dropped_at (receiver, place), n);
  assert_lost (receiver, place, n, sent->dropped, TRUE);
}

/* A packet that is lost takes no frame, but the program thinks it does. */
OWN_TEST (test_rx_ring)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("ring-size=1024 gap-interval=0", DROP);
  GeneratorReport sent = stall (receiver, TRUE, 350000, 390000);

  assert_account (receiver, &sent, "rx-ring", switches_rx_ring_full ());
}

/* Nothing is, where the driver has no room for metadata: until that has shown, packets
 * come through the socket. */
OWN_TEST (test_without_metadata)
{
  g_autoptr (Receiver) receiver = NULL;
  GeneratorReport sent;

  metadata_refuse ();
  receiver = receiver_start_by ("", "fakesink", "af-xdp");
  sent = generator_send ("--rate=50000 --packets=200000");
  receiver_assert_reaches (receiver, "packets", sent.packets);
  receiver_assert_stat (receiver, "duplicates", 0);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
  fail_unless (receiver_stat (receiver, "delivered-socket") > 0);
  fail_unless (receiver_stat (receiver, "delivered-xdp") > sent.packets / 2,
      "%s", receiver_describe (receiver));
}

/* The RX ring runs over without metadata: counters tell. */
OWN_TEST (test_rx_ring_without_metadata)
{
  g_autoptr (Receiver) receiver = NULL;
  GeneratorReport sent;

  metadata_refuse ();
  receiver = receiver_new (
      "ring-size=256 stats-interval=10000000 gap-interval=0", DROP);
  /* So slow that a gap is judged long after the packet that shows it. */
  sent = stall (receiver, TRUE, 50000, 20000);
  assert_account (receiver, &sent, "rx-ring", switches_rx_ring_full ());
}

OWN_TEST (test_fill_ring)
{
  Receiver *receiver =
      receiver_new ("umem-frames=4096 ring-size=16384 gap-interval=0", DROP);
  GeneratorReport sent = stall (receiver, TRUE, 120000, 100000);

  assert_account (receiver, &sent, "fill-ring", switches_rx_dropped ());
  receiver_free (receiver);
}

/* With credit the surplus goes to the socket, and what its buffer cannot hold is
 * lost there. */
OWN_TEST (test_socket_buffer_behind_credit)
{
  Receiver *receiver =
      receiver_new ("ring-size=1024 buffer-size=500000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  GeneratorReport sent;

  network_drop_in_socket ();
  sent = stall (receiver, FALSE, 350000, 390000);

  fail_unless_equals_uint64 (switches_rx_ring_full (), 0);
  fail_unless_equals_uint64 (switches_rx_dropped (), 0);
  assert_account (
      receiver, &sent, "socket-buffer", network_socket_drops () - before);
  receiver_free (receiver);
}

OWN_TEST (test_socket_buffer)
{
  Receiver *receiver =
      receiver_new ("mode=socket buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  GeneratorReport sent = stall (receiver, FALSE, 120000, 100000);

  assert_account (
      receiver, &sent, "socket-buffer", network_socket_drops () - before);
  receiver_free (receiver);
}

/* While the pipeline stands still, and before a packet shows the gap. */

/* What a dashboard that reads the property shows as lost of n dropped: none twice;
 * and all of it, but while the packet that shows the gap, which may have any length,
 * is not yet believed. A gap right in front of the stall is pending while that
 * lasts. */
static void
assert_told (Receiver *receiver, guint64 n, gboolean all)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  guint64 lost = 0, pending = 0, here = 0, dropped = 0;

  gst_structure_get (stats, "lost", G_TYPE_UINT64, &lost, "pending",
      G_TYPE_UINT64, &pending, "lost-socket-buffer", G_TYPE_UINT64, &here,
      "dropped-socket-buffer", G_TYPE_UINT64, &dropped, NULL);
  fail_unless (
      (all ? lost + pending == n : lost <= n) && dropped == n && here == lost,
      "%" G_GUINT64_FORMAT " dropped: %s", n, receiver_describe (receiver));
}

static void
assert_told_at_least (Receiver *receiver, guint64 n)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  guint64 lost = 0, pending = 0;

  gst_structure_get (stats, "lost", G_TYPE_UINT64, &lost, "pending",
      G_TYPE_UINT64, &pending, NULL);
  fail_unless (lost + pending >= n, "%" G_GUINT64_FORMAT " dropped: %s", n,
      receiver_describe (receiver));
}

static const gchar *const stalled_paths[] = { "mode=socket", "" };

OWN_TABLE_TEST (test_told_in_a_stall, stalled_paths)
{
  g_autofree gchar *properties =
      g_strconcat (stalled_paths[__i__], " buffer-size=200000", NULL);
  g_autoptr (Receiver) receiver = receiver_new (properties, DROP);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  guint64 before = network_socket_drops (), drops;
  GeneratorReport sent, more;
  Generator *generator;
  gint64 end;

  network_drop_in_socket ();
  receiver_play (receiver);
  generator =
      generator_start ("--rate=50000 --packets=100000 --constant-timestamps");
  receiver_wait_stat (receiver, "packets", 5000);
  /* So that a gap is right in front. */
  for (guint i = 0; i < 8; i++) {
    tap_hold_for (tap, 10 * G_TIME_SPAN_MILLISECOND);
    wait_until (tap_is_held (tap));
  }
  tap_hold (tap);
  drops = network_socket_drops ();
  wait_until (network_socket_drops () - drops > 3000);
  /* The counter goes on rising: what is told is not behind, nor ahead. */
  drops = network_socket_drops () - before;
  assert_told_at_least (receiver, drops);
  fail_unless (
      receiver_stat (receiver, "lost") <= network_socket_drops () - before);
  sent = generator_finish (generator);
  drops = network_socket_drops () - before;
  assert_told (receiver, drops, TRUE);

  /* The pipeline goes on, without a packet that shows the gap, and then with. */
  tap_let_go (tap);
  receiver_wait_stat (receiver, "packets", sent.packets - drops);
  for (end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
       g_get_monotonic_time () < end; g_usleep (1000))
    assert_told (receiver, drops, TRUE);
  generator = generator_start ("--rate=1000 --packets=400 --first-seq=%u "
                               "--constant-timestamps",
      100000 % 65536);
  for (end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
       g_get_monotonic_time () < end; g_usleep (1000))
    assert_told (receiver, drops, FALSE);
  more = generator_finish (generator);
  receiver_wait_stat (receiver, "packets", sent.packets + more.packets - drops);
  wait_until (!receiver_stat (receiver, "pending"));
  assert_told (receiver, drops, TRUE);
  assert_lost_only (
      receiver, "socket-buffer", drops, sent.dropped + more.dropped);
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_told (receiver, drops, TRUE);
  sent.packets += more.packets;
  assert_balance (receiver, &sent);
}

/* The receiver stands still so long that numbers wrap: what was dropped says how
 * many are missing. */

static const struct
{
  gchar *properties;
  guint rate;
  guint time; /* ms */
  gchar *timestamps;
} stops[] = {
  { "", 100000, 500, "--fps=25 --clock-rate=90000" },
  { "", 100000, 1000, "--fps=25 --clock-rate=90000" },
  { "", 100000, 2000, "--fps=25 --clock-rate=90000" },
  { "", 100000, 2000, "--constant-timestamps" },
  { "", 200000, 2000, "--fps=30000/1001 --clock-rate=90000" },
  { "mode=socket", 100000, 1000, "--fps=25 --clock-rate=90000" },
  { "mode=socket", 100000, 2000, "--fps=50 --clock-rate=90000" },
};

/* As who moves a virtual machine, or a debugger, does. Returns when it is over. */
static void
stand_still (guint time)
{
  g_autofree gchar *command =
      g_strdup_printf ("kill -STOP %d; sleep %u.%03u; kill -CONT %d", getpid (),
          time / 1000, time % 1000, getpid ());
  gchar *argv[] = { "/bin/sh", "-c", command, NULL };

  fail_unless (
      g_spawn_sync (NULL, argv, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
}

OWN_TABLE_TEST (test_stop, stops)
{
  g_autofree gchar *properties = g_strconcat (
      stops[__i__].properties, " buffer-size=1000000 gap-interval=0", NULL);
  guint rate = stops[__i__].rate, time = stops[__i__].time;
  g_autoptr (Receiver) receiver = receiver_new (properties, DROP);
  guint64 before = network_socket_drops (), drops;
  GeneratorReport sent;
  Generator *generator;

  network_drop_in_socket ();
  receiver_play (receiver);
  generator = generator_start ("--rate=%u --packets=%u %s", rate,
      rate / 1000 * (time + 2000), stops[__i__].timestamps);
  receiver_wait_stat (receiver, "packets", rate);
  stand_still (time);
  sent = generator_finish_lossy (generator);
  drops = network_socket_drops () - before;
  fail_unless (drops > rate / 1000 * time / 4, "it made no difference: %s",
      receiver_describe (receiver));
  receiver_wait_stat (receiver, "packets", sent.packets - drops);
  wait_until (!receiver_stat (receiver, "pending"));
  fail_unless_equals_uint64 (dropped_at (receiver, "socket-buffer"), drops);
  receiver_assert_none (receiver, "restarts", "duplicates");
  assert_lost_only (receiver, "socket-buffer", drops, sent.dropped);
  assert_balance (receiver, &sent);
}

OWN_TEST (test_redirect)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  GeneratorReport sent;
  guint64 lost;
  Generator *generator = generator_start ("--rate=20000 --packets=40000");

  receiver_wait_stat (receiver, "packets", 1000);
  switches_misdirect ();
  /* Of which some may still lie in the ring, if the thread was held up. */
  wait_until (switches_outstanding () > 5000);
  switches_direct ();
  sent = generator_finish (generator);
  receiver_set_state (receiver, GST_STATE_READY);
  lost = sent.packets - receiver_stat (receiver, "packets");
  fail_unless (lost > 0);
  assert_lost_only (receiver, "redirect", lost, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "redirect"), lost);
  assert_balance (receiver, &sent);
}

/* No packet ever shows that these are missing. */
OWN_TEST (test_redirect_at_the_end)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  GeneratorReport sent, lost;

  sent = generator_send ("--rate=20000 --packets=1000");
  receiver_wait_stat (receiver, "packets", sent.packets);
  switches_misdirect ();
  lost = generator_send ("--rate=20000 --packets=700");
  receiver_assert_stat (receiver, "lost", 0);
  receiver_set_state (receiver, GST_STATE_NULL);
  sent.packets += lost.packets;
  assert_lost_only (
      receiver, "redirect", lost.packets, sent.dropped + lost.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "redirect"), lost.packets);
  assert_balance (receiver, &sent);
}

/* Beside it. */

/* The veth's ring, which a second sender fills with packets for nobody. */
TEST (test_nic)
{
  g_autoptr (Receiver) receiver = receiver_start ("gap-interval=0", DROP);
  Generator *stream, *flood;
  GeneratorReport sent;
  guint64 lost;

  receiver_assert_served (receiver);
  stream = generator_start ("--rate=50000 --packets=150000");
  receiver_wait_stat (receiver, "packets", 10000);
  flood = generator_start ("--cpu=1 --destination=239.1.1.9:9 --batch=256 "
                           "--packets=1500000");
  generator_finish_lossy (flood);
  sent = generator_finish_lossy (stream);
  receiver_wait_stat (receiver, "packets", 100000);
  receiver_set_state (receiver, GST_STATE_READY);
  /* Both senders share the wire, and so what their reports say of its drops. */
  lost = 150000 - receiver_stat (receiver, "packets");
  fail_unless (lost > 0, "the ring was never full");
  assert_lost_only (receiver, "nic", lost, 0);
  fail_unless (sent.dropped >= lost);
}

/* For so many drops: longer than statistics take, and for a moment. */
static const guint pauses[] = { 3000, 30000 };

OWN_TABLE_TEST (test_paused, pauses)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  Generator *generator;
  GeneratorReport sent;
  guint64 drops;

  network_drop_in_socket ();
  receiver_play (receiver);
  generator = generator_start ("--rate=20000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  wait_until (network_socket_drops () - before > pauses[__i__]);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  /* Until packets come behind those that were dropped. */
  receiver_wait_gaps (receiver, 1);
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 5000);
  sent = generator_stop (generator);
  drops = network_socket_drops () - before;
  wait_for_verdicts (receiver, drops);
  receiver_wait_stat (receiver, "packets", sent.packets - drops);
  assert_lost_only (receiver, "paused", drops, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops);
  assert_balance (receiver, &sent);
}

/* What came while nobody wanted it is dropped, but not lost. */
OWN_TEST (test_paused_and_stopped)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  Generator *generator;
  GeneratorReport sent;
  guint64 drops;

  network_drop_in_socket ();
  receiver_play (receiver);
  generator = generator_start ("--rate=20000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  wait_until (network_socket_drops () - before > 3000);
  sent = generator_stop (generator);
  drops = network_socket_drops () - before;
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_lost_only (receiver, "", 0, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops);
  assert_balance (receiver, &sent);
}

/* A pipeline that stands still when it is paused, and so cannot do anything about it:
 * the stall's drops are lost, and the pause's are not. */
OWN_TEST (test_paused_in_a_stall)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("buffer-size=200000 gap-interval=0", DROP);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  guint64 before = network_socket_drops (), drops, least, most, lost;
  Generator *generator;
  GeneratorReport sent;

  network_drop_in_socket ();
  receiver_play (receiver);
  generator = generator_start ("--rate=50000");
  receiver_wait_stat (receiver, "packets", 1000);
  tap_hold (tap);
  wait_until (network_socket_drops () - before > 3000);
  least = network_socket_drops () - before;
  receiver_set_state (receiver, GST_STATE_PAUSED);
  most = network_socket_drops () - before;
  wait_until (network_socket_drops () - before > most + 3000);
  sent = generator_stop (generator);
  drops = network_socket_drops () - before;
  lost = lost_at (receiver, "socket-buffer");
  fail_unless (least <= lost && lost <= most,
      "%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " before the pause: %s",
      least, most, receiver_describe (receiver));
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops - lost);
  tap_let_go (tap);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_lost_only (receiver, "socket-buffer", lost, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "socket-buffer"), lost);
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops - lost);
  assert_balance (receiver, &sent);
}

/* All together. */

#define MIXED_SECONDS 30

static void
unlimited (Tap *tap, Receiver *receiver, gint64 time)
{
  switches_limits_off ();
  tap_hold_for (tap, time);
  g_usleep (time);
  switches_limits_on ();
}

static void
stalled (Tap *tap, Receiver *receiver, gint64 time)
{
  tap_hold_for (tap, time);
  g_usleep (time);
}

static void
paused (Tap *tap, Receiver *receiver, gint64 time)
{
  receiver_set_state (receiver, GST_STATE_PAUSED);
  g_usleep (time);
  receiver_set_state (receiver, GST_STATE_PLAYING);
}

static void
misdirected (Tap *tap, Receiver *receiver, gint64 time)
{
  switches_misdirect ();
  g_usleep (time / 10);
  switches_direct ();
}

static void
nothing (Tap *tap, Receiver *receiver, gint64 time)
{
  g_usleep (time);
}

/* Whatever happens, each packet is somewhere. */
OWN_TEST (test_balance)
{
  static void (*const faults[]) (Tap *, Receiver *, gint64) = { unlimited,
    stalled, paused, misdirected, nothing };
  g_autoptr (GRand) rand = soaking_random ();
  Receiver *receiver =
      receiver_new ("ring-size=4096 buffer-size=4000000", DROP);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  gint64 end =
      g_get_monotonic_time () + (MIXED_SECONDS - 2) * G_TIME_SPAN_SECOND;
  guint64 host, lost, gone, network, not_of_host;
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start (
      "--rate=300000 --packets=%u --script-every=50000 --gap=1000:3 "
      "--duplicate=5000 --reorder=9000:20",
      300000 * MIXED_SECONDS);
  /* Long enough for the sender's pace to be known. */
  receiver_wait_stat (receiver, "packets", 60000);
  while (g_get_monotonic_time () < end) {
    faults[g_rand_int_range (rand, 0, G_N_ELEMENTS (faults))](tap, receiver,
        g_rand_int_range (rand, 5, 300) * G_TIME_SPAN_MILLISECOND);
    receiver_read_bus (receiver);
  }
  sent = generator_finish_lossy (generator);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_print ("%s\n", receiver_describe (receiver));

  assert_balance (receiver, &sent);
  host = receiver_dropped_in_host (receiver);
  fail_unless (host > 100000, "the faults cost nothing");
  /* What was sent and did not come is lost, though 16 bits of number wrap in 0.2 s. A
   * few are left too late by paths that change places many times in a second: the
   * strays. Duplicates are counted where they come. */
  lost = receiver_stat (receiver, "lost");
  gone = lost - receiver_stat (receiver, "strays");
  network = lost_at (receiver, "network");
  not_of_host = sent.missing + sent.dropped + sent.duplicates + host / 500;
  if (gone > host + sent.missing + sent.dropped ||
      lost + sent.duplicates < host || network > not_of_host)
    generator_excuse ();
  fail_unless (gone <= host + sent.missing + sent.dropped &&
          lost + sent.duplicates >= host,
      "%" G_GUINT64_FORMAT " lost, of %" G_GUINT64_FORMAT
      " dropped by this host, %" G_GUINT64_FORMAT
      " by the wire and %" G_GUINT64_FORMAT " not sent: %s",
      gone, host, sent.dropped, sent.missing, receiver_describe (receiver));
  /* And what the host dropped is not the network's, but for what was dropped so near to
   * another gap that it seems to be that one's: never a turn of the numbers. */
  fail_unless (network <= not_of_host, "%s", receiver_describe (receiver));
  receiver_free (receiver);
}

NETNS_SUITE ("losses", network_up_with_one_queue)
