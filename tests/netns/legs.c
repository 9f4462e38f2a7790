/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream over two networks (ST 2022-7): two wires, each of which loses packets. */
#include "generator.h"
#include "network.h"
#include "payload.h"
#include "receiver.h"

/* The generators do not begin at the same moment. */
#define WINDOW "reorder-window=500000000 "
#define LEGS                                    \
  WINDOW "multicast-group=239.1.1.1 port=5000 " \
         "multicast-iface=rx0 redundant-uri="   \
         "afxdp://239.1.1.1:5000?multicast-iface=rx1 "

/* The second wire. */
static void
set_up_wires (void)
{
  network_up (1);
  network_run ("ip link add rx1 type veth peer name tx1 netns %s && "
               "ethtool -K rx1 gro on && ip addr add 10.9.1.2/24 dev rx1 && "
               "ip link set rx1 up",
      network_sender ());
  network_run_on_sender ("ip addr add 10.9.1.1/24 dev tx1 && "
                         "ip link set tx1 up");
}

static guint64
leg_stat (Receiver *receiver, guint leg, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");
  guint64 value = 0;

  gst_structure_get_uint64 (
      gst_value_get_structure (gst_value_array_get_value (legs, leg)), name,
      &value);
  return value;
}

static Generator *
begin (guint leg, const gchar *options)
{
  return generator_start (
      "--interface=tx%u --source=10.9.%u.1 %s", leg, leg, options);
}

static const gchar *const modes[] = { "af-xdp", "socket" };

/* Each loses every tenth packet, and never the same: all come, each once, in order. */
TABLE_TEST (test_disjoint_losses, modes)
{
  static const gchar *const options[] = {
    "--rate=9000 --packets=18000 --gap=3:1 --script-every=10",
    "--rate=9000 --packets=18000 --gap=7:1 --script-every=10",
  };
  g_autofree gchar *properties = g_strdup_printf (LEGS "mode=%s", modes[__i__]);
  Receiver *receiver = receiver_new (properties, "fakesink");
  PayloadWatch watch = { 0 };
  Generator *generators[2];

  payload_watch (receiver->src, &watch);
  receiver_play (receiver);
  receiver_wait_modes (receiver, 2);
  for (guint i = 0; i < 2; i++)
    generators[i] = begin (i, options[i]);
  for (guint i = 0; i < 2; i++)
    generator_finish_exact (generators[i]);
  receiver_wait_stat (receiver, "packets", 20000);
  receiver_wait_stat (receiver, "repeated", 16000);
  receiver_assert_stat (receiver, "packets", 20000);
  receiver_assert_none (receiver, "lost", "late", "waiting", "waits-cut-short",
      "reordered", "duplicates", "restarts");
  for (guint i = 0; i < 2; i++) {
    wait_until (leg_stat (receiver, i, "lost") == 2000);
    fail_unless_equals_uint64 (leg_stat (receiver, i, "packets"), 18000);
  }
  fail_unless_equals_uint64 (
      leg_stat (receiver, 0, "recovered") + leg_stat (receiver, 1, "recovered"),
      4000);
  if (__i__ == 0)
    g_assert_cmpuint (receiver_stat (receiver, "delivered-xdp"), >, 19000);
  receiver_free (receiver);
  fail_unless_equals_uint64 (watch.wrong, 0);
  fail_unless_equals_uint64 (watch.n, 20000);
}

/* A wire is cut and comes back, again and again; the other one is whole. */
TEST (test_cut_wire)
{
  Receiver *receiver = receiver_new (LEGS, "fakesink");
  PayloadWatch watch = { 0 };
  Generator *generators[2];
  GeneratorReport sent;

  payload_watch (receiver->src, &watch);
  receiver_play (receiver);
  receiver_wait_modes (receiver, 2);
  generators[0] = begin (0, "--rate=10000 --duration=4");
  generators[1] = begin (1, "--rate=10000 --duration=4");
  for (guint i = 1; i <= 10; i++) {
    receiver_wait_stat (receiver, "packets", i * 3000);
    network_run_on_sender ("ip link set tx1 %s", i % 2 ? "down" : "up");
  }
  sent = generator_finish_exact (generators[0]);
  generator_finish_lossy (generators[1]);
  receiver_wait_stat (receiver, "packets", sent.packets);
  wait_until (!receiver_stat (receiver, "waiting"));
  receiver_assert_stat (receiver, "packets", sent.packets);
  receiver_assert_none (receiver, "lost", "late", "restarts");
  receiver_free (receiver);
  fail_unless_equals_uint64 (watch.wrong, 0);
  fail_unless_equals_uint64 (watch.n, sent.packets);
}

NETNS_SUITE ("legs", set_up_wires)
