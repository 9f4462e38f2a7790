/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets that the network loses one by one, or in bursts: whatever the pattern, each
 * is the network's, and the streaming thread has hardly more to do than without.
 *
 * Of the same stream, parts with and without losses take turns. What the thread
 * costs for a packet is compared by the cheapest part of each kind, since a busy
 * machine makes some dearer, but none cheaper.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

/* More than without losses. */
#define MOST_COST 1.5
#define LEAST_TURNS 3
#define MOST_TURNS 12
#define RATE 200000
#define PACKETS (RATE / 4)

/* As arguments of rtpgen. */
static const struct
{
  const gchar *name, *script;
} patterns[] = {
  { "every 2nd", "--script-every=2 --gap=1" },
  { "every 3rd", "--script-every=3 --gap=2" },
  { "every 10th", "--script-every=10 --gap=9" },
  { "1 of 100, unevenly",
      "--script-every=1000 --gap=3 --gap=5 --gap=190 --gap=222 --gap=224:2 "
      "--gap=490 --gap=700 --gap=888 --gap=998" },
  { "half, unevenly",
      "--script-every=20 --gap=1:3 --gap=6:1 --gap=8:2 --gap=12:1 --gap=15:3" },
  { "bursts of 50", "--script-every=1000 --gap=500:50" },
};

typedef struct
{
  Receiver *receiver;
  clockid_t clock; /* of the streaming thread */
  gint known;      /* atomic: that is */
} Measured;

static GstPadProbeReturn
note_thread (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Measured *measured = user_data;
  cpu_set_t cpus;

  CPU_ZERO (&cpus);
  CPU_SET (1, &cpus);
  /* Not where the generator is; on a machine with one processor it stays. */
  pthread_setaffinity_np (pthread_self (), sizeof cpus, &cpus);
  pthread_getcpuclockid (pthread_self (), &measured->clock);
  g_atomic_int_set (&measured->known, TRUE);
  return GST_PAD_PROBE_REMOVE;
}

static guint64
time_of (const Measured *measured)
{
  struct timespec time = { 0 };

  if (g_atomic_int_get (&measured->known))
    clock_gettime (measured->clock, &time);
  return time.tv_sec * GST_SECOND + time.tv_nsec;
}

/* Sends a part of the stream. Returns ns of the thread for each of its packets. */
static gdouble
cost_of (Measured *measured, const gchar *script, guint16 *number,
    GeneratorReport *sum)
{
  Receiver *receiver = measured->receiver;
  guint64 packets = receiver_stat (receiver, "packets");
  guint64 before = time_of (measured);
  GeneratorReport sent =
      generator_send ("--rate=%u --packets=%u --first-seq=%u "
                      "--constant-timestamps %s",
          RATE, PACKETS, *number, script);

  receiver_wait_stat (receiver, "packets", packets + sent.packets);
  *number += sent.sent[0] + sent.missing;
  sum->packets += sent.packets;
  sum->missing += sent.missing;
  sum->dropped += sent.dropped;
  return (gdouble) (time_of (measured) - before) / sent.packets;
}

TABLE_TEST (test_pattern, patterns)
{
  Measured measured = { .receiver = receiver_new ("",
                            "fakesink async=false "
                            "enable-last-sample=false") };
  g_autoptr (Receiver) receiver = measured.receiver;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");
  gdouble without = G_MAXDOUBLE, with = G_MAXDOUBLE;
  GeneratorReport sum = { 0 };
  guint16 number = 0;
  guint turn = 0;

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, note_thread,
      &measured, NULL);
  receiver_play (receiver);
  cost_of (&measured, "", &number, &sum);
  do {
    without = MIN (without, cost_of (&measured, "", &number, &sum));
    with =
        MIN (with, cost_of (&measured, patterns[__i__].script, &number, &sum));
  } while (++turn < LEAST_TURNS ||
      (turn < MOST_TURNS && with > MOST_COST * without));
  g_print ("%s: %.0f ns a packet, %.0f without losses, %u turns\n",
      patterns[__i__].name, with, without, turn);

  wait_until (!receiver_stat (receiver, "pending"));
  receiver_assert_none (receiver, "restarts", "lost-unknown");
  /* What the veth dropped is the interface's. */
  fail_unless (receiver_stat (receiver, "lost") <= sum.missing + sum.dropped &&
          receiver_stat (receiver, "lost-network") >= sum.missing - sum.dropped,
      "%" G_GUINT64_FORMAT " left out, %" G_GUINT64_FORMAT
      " lost on the wire: %s",
      sum.missing, sum.dropped, receiver_describe (receiver));
  fail_unless (with <= MOST_COST * without,
      "%s: %.0f ns a packet, and %.0f without losses", patterns[__i__].name,
      with, without);
}

NETNS_SUITE ("scattered", network_up_with_one_queue)
