/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Law 3: each place where packets can be lost, provoked, and told by its name; the
 * others stay at 0. */
#include <gst/check/gstcheck.h>

#include "downstream.h"
#include "generator.h"
#include "network.h"
#include "receiver.h"
#include "../check/page.h"
#include "switches.h"

#define DROP "fakesink async=false enable-last-sample=false"

/* Where an RTP packet can be lost, as the fields are called. */
static const gchar *const places[] = { "network", "nic", "rx-ring", "fill-ring",
  "redirect", "socket-buffer", "paused", "unknown" };

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

/* least to most packets were lost at place, and none elsewhere, but for the wire
 * packets that the veth dropped: that happens on a busy machine, and is the
 * interface's (those at the end of a stream are nobody's). */
static void
assert_lost_between (Receiver *receiver, const gchar *place, guint64 least,
    guint64 most, guint64 wire)
{
  guint64 sum = 0;

  receiver_assert_stat (receiver, "pending", 0);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    gboolean here = g_str_equal (places[i], place);
    guint64 from = here ? least : 0;
    guint64 to =
        (here ? most : 0) + (g_str_equal (places[i], "nic") ? wire : 0);
    guint64 lost = lost_at (receiver, places[i]);

    sum += lost;
    fail_unless (from <= lost && lost <= to,
        "lost-%s is %" G_GUINT64_FORMAT ", not %" G_GUINT64_FORMAT
        " to %" G_GUINT64_FORMAT ": %s",
        places[i], lost, from, to, receiver_describe (receiver));
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
  assert_lost_between (receiver, place, n, n, wire);
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
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (receiver->src, "stats", &stats, NULL);
  return gst_structure_copy (
      gst_value_get_structure (gst_value_array_get_value (
          gst_structure_get_value (stats, "queues"), 0)));
}

GST_START_TEST (test_network)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  g_autoptr (GstStructure) queue = NULL;
  GeneratorReport sent;

  receiver_play (receiver);
  queue = queue_of (receiver);
  page_assert_fields (queue, NULL);
  /* Around a wrap of the numbers, and the longest that is believed at once. */
  sent = generator_finish (
      generator_start ("--rate=50000 --packets=100000 --first-seq=65030 "
                       "--gap=100:3 --gap=500:1 --gap=505:40 --gap=40000:1 "
                       "--gap=99000:2998"));
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
  assert_gap (receiver, 4, 65030 + 99000, 2998, "network");
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_not_lost_at_all)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  GeneratorReport sent, other, again;

  receiver_play (receiver);
  sent = generator_finish (
      generator_start ("--rate=50000 --packets=50000 --duplicate=100 "
                       "--duplicate=200:3 --reorder=300:1 --reorder=400:2 "
                       "--reorder=500:10 --reorder=700:50 --reorder=900:99 "
                       "--reorder=1100:100 --first-seq=65000"));
  /* Another sender, and the first one again after a reboot. */
  other = generator_finish (
      generator_start ("--rate=50000 --packets=5000 --ssrc=77"));
  again = generator_finish (
      generator_start ("--rate=50000 --packets=5000 --first-seq=20000"));
  receiver_wait_stat (
      receiver, "packets", sent.packets + other.packets + again.packets);
  assert_lost_only (
      receiver, "", 0, sent.dropped + other.dropped + again.dropped);
  receiver_assert_stat (receiver, "duplicates", sent.duplicates);
  receiver_assert_stat (receiver, "reordered", sent.reordered);
  receiver_assert_stat (receiver, "restarts", 1);
  /* The one behind 100 packets was lost already, and took that back. */
  fail_unless (receiver_stat (receiver, "gaps") >= 1);
  receiver_free (receiver);
}
GST_END_TEST

/* What is one short packet for each video frame, to the kernel's counters. */
GST_START_TEST (test_sizes_and_marker)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  gboolean marker = FALSE;
  guint previous = 0, next = 0, payload_type = 0;
  guint64 suppressed = 1, time = 0;

  receiver_play (receiver);
  /* Packet 9 ends a frame: marker, 300 bytes and RTP's header. */
  generator_finish (generator_start ("--rate=20000 --packets=4000 "
                                     "--marker-every=10 --gap=10:2"));
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
  receiver_free (receiver);
}
GST_END_TEST

/* Between the program and the element. */

/* Of one stream of n packets at rate, the sink takes none for 200 ms from some
 * time on, and the next ones late. unlimited: the program redirects what rings
 * have no room for. */
static GeneratorReport
stall (Receiver *receiver, gboolean unlimited, guint n, guint rate)
{
  Downstream *downstream = downstream_new (receiver);
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start ("--rate=%u --packets=%u", rate, n);
  /* Long enough for the sender's pace to be known. */
  receiver_wait_stat (receiver, "packets", 30000);
  if (unlimited) {
    switches_limits_off ();
    /* The door may just have closed, but not again from here on. */
    receiver_wait_stat (receiver, "delivered-xdp",
        receiver_stat (receiver, "delivered-xdp") + 1000);
  }
  downstream_stall (downstream, 200 * G_TIME_SPAN_MILLISECOND);
  wait_until (downstream_is_stalled (downstream));
  /* Most of what waits in a ring is read long after its counters, then. */
  downstream_stall (downstream, 20 * G_TIME_SPAN_MILLISECOND);
  wait_until (!downstream_is_stalled (downstream));
  switches_limits_on ();
  sent = generator_finish_lossy (generator);
  receiver_set_state (receiver, GST_STATE_READY);
  downstream_free (downstream);
  return sent;
}

/* n packets were lost at place, by all accounts. wrapped: 16 bits of number have,
 * and on a busy machine more than once: they tell of most. */
static void
assert_account (Receiver *receiver, const GeneratorReport *sent,
    const gchar *place, guint64 n, gboolean wrapped)
{
  fail_unless (n > 1000,
      "the fault made no difference: %" G_GUINT64_FORMAT ", %s", n,
      receiver_describe (receiver));
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_balance (receiver, sent);
  fail_unless_equals_uint64 (dropped_at (receiver, place), n);
  assert_lost_between (
      receiver, place, wrapped ? n % 65536 : n, n, sent->dropped);
}

/* A packet that is lost takes no frame, but the program thinks it does. */
GST_START_TEST (test_rx_ring)
{
  Receiver *receiver = receiver_new ("ring-size=1024 gap-interval=0", DROP);
  GeneratorReport sent = stall (receiver, TRUE, 350000, 390000);

  assert_account (receiver, &sent, "rx-ring", switches_rx_ring_full (), TRUE);
  receiver_free (receiver);
}
GST_END_TEST

/* The same where the driver has no room for metadata: counters tell. */
GST_START_TEST (test_rx_ring_without_metadata)
{
  Receiver *receiver;
  GeneratorReport sent;

  g_setenv ("AFXDP_TEST_WITHOUT_METADATA", "1", TRUE);
  receiver = receiver_new (
      "ring-size=256 stats-interval=10000000 gap-interval=0", DROP);
  /* So slow that a gap is judged long after the packet that shows it. */
  sent = stall (receiver, TRUE, 50000, 20000);
  assert_account (receiver, &sent, "rx-ring", switches_rx_ring_full (), FALSE);
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_fill_ring)
{
  Receiver *receiver =
      receiver_new ("umem-frames=4096 ring-size=16384 gap-interval=0", DROP);
  GeneratorReport sent = stall (receiver, TRUE, 120000, 100000);

  assert_account (receiver, &sent, "fill-ring", switches_rx_dropped (), FALSE);
  receiver_free (receiver);
}
GST_END_TEST

/* With credit the surplus goes to the socket, and what its buffer cannot hold is
 * lost there. */
GST_START_TEST (test_socket_buffer_behind_credit)
{
  Receiver *receiver =
      receiver_new ("ring-size=1024 buffer-size=500000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  GeneratorReport sent = stall (receiver, FALSE, 350000, 390000);

  fail_unless_equals_uint64 (switches_rx_ring_full (), 0);
  fail_unless_equals_uint64 (switches_rx_dropped (), 0);
  assert_account (
      receiver, &sent, "socket-buffer", network_socket_drops () - before, TRUE);
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_socket_buffer)
{
  Receiver *receiver =
      receiver_new ("mode=socket buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  GeneratorReport sent = stall (receiver, FALSE, 120000, 100000);

  assert_account (receiver, &sent, "socket-buffer",
      network_socket_drops () - before, FALSE);
  receiver_free (receiver);
}
GST_END_TEST

GST_START_TEST (test_redirect)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  Generator *generator;
  GeneratorReport sent;
  guint64 lost;

  receiver_play (receiver);
  generator = generator_start ("--rate=20000 --packets=40000");
  receiver_wait_stat (receiver, "packets", 1000);
  switches_misdirect ();
  wait_until (switches_outstanding () > 1000);
  switches_direct ();
  sent = generator_finish (generator);
  receiver_set_state (receiver, GST_STATE_READY);
  lost = sent.packets - receiver_stat (receiver, "packets");
  fail_unless (lost > 1000);
  assert_lost_only (receiver, "redirect", lost, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "redirect"), lost);
  assert_balance (receiver, &sent);
  receiver_free (receiver);
}
GST_END_TEST

/* No packet ever shows that these are missing. */
GST_START_TEST (test_redirect_at_the_end)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  GeneratorReport sent, lost;

  receiver_play (receiver);
  sent = generator_finish (generator_start ("--rate=20000 --packets=1000"));
  receiver_wait_stat (receiver, "packets", sent.packets);
  switches_misdirect ();
  lost = generator_finish (generator_start ("--rate=20000 --packets=700"));
  receiver_assert_stat (receiver, "lost", 0);
  receiver_set_state (receiver, GST_STATE_NULL);
  sent.packets += lost.packets;
  assert_lost_only (
      receiver, "redirect", lost.packets, sent.dropped + lost.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "redirect"), lost.packets);
  assert_balance (receiver, &sent);
  receiver_free (receiver);
}
GST_END_TEST

/* Beside it. */

/* The veth's ring, which a second sender fills with packets for nobody. */
GST_START_TEST (test_nic)
{
  Receiver *receiver = receiver_new ("gap-interval=0", DROP);
  Generator *stream, *flood;
  GeneratorReport sent;
  guint64 lost;

  receiver_play (receiver);
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
  receiver_free (receiver);
}
GST_END_TEST

/* For so many drops: longer than statistics take, and for a moment. */
static const guint pauses[] = { 3000, 30000 };

GST_START_TEST (test_paused)
{
  Receiver *receiver = receiver_new ("buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  Generator *generator;
  GeneratorReport sent;
  guint64 drops;

  receiver_play (receiver);
  generator = generator_start ("--rate=20000 --packets=60000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  wait_until (network_socket_drops () - before > pauses[__i__]);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  sent = generator_finish (generator);
  drops = network_socket_drops () - before;
  wait_for_verdicts (receiver, drops);
  receiver_wait_stat (receiver, "packets", sent.packets - drops);
  assert_lost_only (receiver, "paused", drops, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops);
  assert_balance (receiver, &sent);
  receiver_free (receiver);
}
GST_END_TEST

/* What came while nobody wanted it is dropped, but not lost. */
GST_START_TEST (test_paused_and_stopped)
{
  Receiver *receiver = receiver_new ("buffer-size=200000 gap-interval=0", DROP);
  guint64 before = network_socket_drops ();
  Generator *generator;
  GeneratorReport sent;
  guint64 drops;

  receiver_play (receiver);
  generator = generator_start ("--rate=20000 --packets=10000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  sent = generator_finish (generator);
  drops = network_socket_drops () - before;
  fail_unless (drops > 3000);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_set_state (receiver, GST_STATE_NULL);
  assert_lost_only (receiver, "", 0, sent.dropped);
  fail_unless_equals_uint64 (dropped_at (receiver, "paused"), drops);
  assert_balance (receiver, &sent);
  receiver_free (receiver);
}
GST_END_TEST

/* All together. */

#define MIXED_SECONDS 30

static void
unlimited (Downstream *downstream, Receiver *receiver, gint64 time)
{
  switches_limits_off ();
  downstream_stall (downstream, time);
  g_usleep (time);
  switches_limits_on ();
}

static void
stalled (Downstream *downstream, Receiver *receiver, gint64 time)
{
  downstream_stall (downstream, time);
  g_usleep (time);
}

static void
paused (Downstream *downstream, Receiver *receiver, gint64 time)
{
  receiver_set_state (receiver, GST_STATE_PAUSED);
  g_usleep (time);
  receiver_set_state (receiver, GST_STATE_PLAYING);
}

static void
misdirected (Downstream *downstream, Receiver *receiver, gint64 time)
{
  switches_misdirect ();
  g_usleep (time / 10);
  switches_direct ();
}

static void
nothing (Downstream *downstream, Receiver *receiver, gint64 time)
{
  g_usleep (time);
}

/* Whatever happens, each packet is somewhere. */
GST_START_TEST (test_balance)
{
  static void (*const faults[]) (Downstream *, Receiver *,
      gint64) = { unlimited, stalled, paused, misdirected, nothing };
  guint32 seed = g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Receiver *receiver =
      receiver_new ("ring-size=4096 buffer-size=4000000", DROP);
  Downstream *downstream = downstream_new (receiver);
  gint64 end =
      g_get_monotonic_time () + (MIXED_SECONDS - 2) * G_TIME_SPAN_SECOND;
  guint64 host = 0, gone;
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start (
      "--rate=300000 --packets=%u --script-every=50000 --gap=1000:3 "
      "--duplicate=5000 --reorder=9000:20",
      300000 * MIXED_SECONDS);
  receiver_wait_stat (receiver, "packets", 1000);
  while (g_get_monotonic_time () < end) {
    faults[g_rand_int_range (rand, 0, G_N_ELEMENTS (faults))](downstream,
        receiver, g_rand_int_range (rand, 5, 300) * G_TIME_SPAN_MILLISECOND);
    receiver_read_bus (receiver);
  }
  sent = generator_finish_lossy (generator);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_print ("seed %u: %s\n", seed, receiver_describe (receiver));

  assert_balance (receiver, &sent);
  for (guint i = 2; i < G_N_ELEMENTS (places) - 1; i++)
    host += dropped_at (receiver, places[i]);
  fail_unless (host > 100000, "seed %u: the faults cost nothing", seed);
  /* The numbers cannot tell as exactly: 16 bits of them wrap in 0.2 s, and doors
   * that change places many times in a second leave a few too late. But nothing is
   * said to be lost that was not. */
  gone = receiver_stat (receiver, "lost") - receiver_stat (receiver, "strays");
  fail_unless (
      gone <= host + sent.missing + sent.dropped && 10 * gone >= 9 * host,
      "seed %u: %" G_GUINT64_FORMAT " lost, of %" G_GUINT64_FORMAT
      " dropped by this host, %" G_GUINT64_FORMAT
      " by the wire and %" G_GUINT64_FORMAT " not sent: %s",
      seed, gone, host, sent.dropped, sent.missing,
      receiver_describe (receiver));
  receiver_free (receiver);
  downstream_free (downstream);
}
GST_END_TEST

static void
up_with_one_queue (void)
{
  network_up (1);
}

static Suite *
losses_suite (void)
{
  Suite *suite = suite_create ("losses");
  TCase *tcase = tcase_create ("losses");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_test (tcase, test_network);
  tcase_add_test (tcase, test_not_lost_at_all);
  tcase_add_test (tcase, test_sizes_and_marker);
  tcase_add_test (tcase, test_rx_ring);
  tcase_add_test (tcase, test_rx_ring_without_metadata);
  tcase_add_test (tcase, test_fill_ring);
  tcase_add_test (tcase, test_socket_buffer_behind_credit);
  tcase_add_test (tcase, test_socket_buffer);
  tcase_add_test (tcase, test_redirect);
  tcase_add_test (tcase, test_redirect_at_the_end);
  tcase_add_test (tcase, test_nic);
  tcase_add_loop_test (tcase, test_paused, 0, G_N_ELEMENTS (pauses));
  tcase_add_test (tcase, test_paused_and_stopped);
  tcase_add_test (tcase, test_balance);
  return suite;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (losses_suite (), "losses", __FILE__);
}
