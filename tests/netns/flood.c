/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream amidst foreign packets, as many as the generator can send. */

#include "generator.h"
#include "network.h"
#include "receiver.h"

#define RATE 50000
#define PACKETS 150000

/* The host lost nothing of the stream itself; all of it came through AF_XDP, but
 * for what showed on which queue it comes; and the bus is not full. At such a rate
 * the wire loses some on a busy machine, also of the stream: dropped at most. */
static void
assert_unharmed (Receiver *receiver, guint64 packets, guint64 dropped)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;
  guint64 lost;
  guint n = 0;

  while (receiver_stat (receiver, "packets") + dropped < packets &&
      g_get_monotonic_time () < deadline)
    g_usleep (1000);
  lost = packets - receiver_stat (receiver, "packets");
  fail_unless (lost <= dropped,
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
      " missing, %" G_GUINT64_FORMAT " dropped: %s",
      lost, packets, dropped, receiver_describe (receiver));
  fail_if (
      receiver_dropped_in_host (receiver), "%s", receiver_describe (receiver));
  fail_unless (receiver_stat (receiver, "delivered-socket") < 5000, "%s",
      receiver_describe (receiver));
  receiver_assert_none (receiver, "not-rtp", "malformed");
  while (gst_bus_have_pending (receiver->bus)) {
    gst_message_unref (gst_bus_pop (receiver->bus));
    n++;
  }
  fail_unless (n <= 24, "%u messages", n);
}

/* For other ports of its group, and for other groups. */
TEST (test_other_flows)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("stats-interval=10000000", "fakesink");
  GString *options = g_string_new ("--rate=0 --duration=3");
  GeneratorReport sent;

  for (guint i = 0; i < 16; i++)
    g_string_append_printf (options, " --destination=239.1.1.%u:%u",
        i < 8 ? 1 : i, i < 8 ? 5000 + i : 5000);
  receiver_play (receiver);
  receiver_read_bus (receiver);
  sent = generator_finish_lossy (generator_start ("%s", options->str));
  g_printerr ("%" G_GUINT64_FORMAT " packets in 3 s\n", sent.packets);
  assert_unharmed (receiver, sent.sent[0], sent.dropped);
  g_string_free (options, TRUE);
}

/* Each queue of the wire has a processor of its own. */
static void
give_queue_1_to_processor_1 (void)
{
  network_run_on_sender ("unshare --mount sh -c '"
                         "mount -t sysfs sysfs /sys && "
                         "echo 2 > /sys/class/net/tx0/queues/tx-1/xps_cpus'");
}

FIXTURE (network_up_with_two_queues, network_down)

/* For its group and port, by somebody from whom it is not asked for. */
TEST (test_another_source)
{
  Receiver *receiver =
      receiver_new ("multicast-group=232.1.1.1 port=5000 "
                    "multicast-source=+10.9.0.1 stats-interval=10000000",
          "fakesink");
  GeneratorReport foreign, sent;
  Generator *flood;

  give_queue_1_to_processor_1 ();
  receiver_play (receiver);
  receiver_read_bus (receiver);
  flood = generator_start (
      "--cpu=0 --rate=0 --source=10.9.0.99 --destination=232.1.1.1:5000");
  wait_until (receiver_queue_sum (receiver, "filtered") > 100000);
  sent = generator_finish_lossy (
      generator_start ("--cpu=1 --method=socket --rate=%u --packets=%u "
                       "--destination=232.1.1.1:5000",
          RATE, PACKETS));
  foreign = generator_stop (flood);
  g_printerr ("%" G_GUINT64_FORMAT " others\n", foreign.packets);
  assert_unharmed (receiver, PACKETS, sent.dropped);
  g_assert_cmpuint (receiver_queue_sum (receiver, "filtered"), >=,
      foreign.packets - foreign.dropped - sent.dropped);
  receiver_free (receiver);
  if (foreign.packets <= 3 * PACKETS)
    suite_skip ("%" G_GUINT64_FORMAT " packets of others are no flood here",
        foreign.packets);
}

NETNS_SUITE ("flood", network_up_with_one_queue)
