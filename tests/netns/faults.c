/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One stream into rtpjitterbuffer that goes through a fault every second or so, at
 * random. It may lose packets; at the end each of them has its place, all is
 * accounted for, and nothing is left. With TEST_LEGS=2 it comes by two networks, and the
 * faults of an interface are of one of them: what leaves is in order, and each once.
 * With TEST_DISTRIBUTOR=1 it comes through the daemon, which has faults of its own.
 *
 * SOAK_SECONDS is how long (40; of two legs and through the daemon 20), SOAK_SEED which faults (others each
 * time).
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon.h"
#include "leftover.h"
#include "network.h"
#include "player.h"
#include "soaking.h"
#include "../check/tap.h"
#include "twolegs.h"

#define SECONDS (n_legs > 1 || g_getenv ("TEST_DISTRIBUTOR") ? 20 : 40)
/* Of all legs together. */
#define RATE 200000
/* Between two faults, in µs. */
#define SHORTEST_REST (200 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_REST (2000 * G_TIME_SPAN_MILLISECOND)
/* The longest of a fault, in µs. More than 32,767 packets in one gap are counted
 * by the sender's pace, and a busy machine adds some to each. */
#define LONGEST_FAULT (60 * G_TIME_SPAN_MILLISECOND)
/* What a veth throws away without counting it: its ring, when its link goes down;
 * and one packet when a program is detached. */
#define RING 256
#define MOST_KINDS 20

#define PROPERTIES                                                  \
  "multicast-iface=rx0 gap-interval=0 address=239.1.1.1 port=5000 " \
  "caps=application/x-rtp,media=video,clock-rate=90000,payload=96 " \
  "stats-interval=100000000"
/* No packet is to be late: the generators hold each other up, and faults may. */
#define SECOND_LEG                                            \
  " redundant-uri=afxdp://239.1.1.1:5000?multicast-iface=rx1" \
  " reorder-window=250000000"

static guint n_legs = 1;

typedef struct
{
  GRand *random;
  Receiver *receiver;
  Tap *tap;
  Daemon *daemon;     /* or NULL */
  PayloadWatch watch; /* of two legs */
  guint leg;          /* whose interface has the fault */
  guint uncounted;    /* packets that a veth may have thrown away so */
  guint n_made[MOST_KINDS];
} Faults;

/* For how long a fault lasts. */
static void
last (Faults *faults)
{
  g_usleep (g_rand_int_range (faults->random, 1, LONGEST_FAULT));
}

/* The interface. */

static void
detach_program (Faults *faults)
{
  g_autofree gchar *interface = g_strdup_printf ("rx%u", faults->leg);

  if (!network_has_program_on (interface))
    return;
  network_detach_program_of (interface);
  faults->uncounted++;
}

static void
put_link_down (Faults *faults)
{
  network_run ("ip link set rx%u down", faults->leg);
  last (faults);
  network_run ("ip link set rx%u up", faults->leg);
  faults->uncounted += RING;
}

static void
rename_interface (Faults *faults)
{
  network_run ("ip link set rx%u name lan0", faults->leg);
  last (faults);
  network_run ("ip link set lan0 name rx%u", faults->leg);
}

static void
take_address_away (Faults *faults)
{
  network_run ("ip addr del 10.9.%u.2/24 dev rx%u", faults->leg, faults->leg);
  last (faults);
  network_run ("ip addr add 10.9.%u.2/24 dev rx%u", faults->leg, faults->leg);
}

static void
change_mtu (Faults *faults)
{
  network_run ("ip link set rx%u mtu 1400", faults->leg);
  last (faults);
  network_run ("ip link set rx%u mtu 1500", faults->leg);
}

/* Only the first wire has room for them. */
static void
use_more_queues (Faults *faults)
{
  network_run ("ethtool -L rx0 rx 2");
  last (faults);
  network_run ("ethtool -L rx0 rx 1");
}

/* The process. */

static void
let_descriptors_run_out (Faults *faults)
{
  struct rlimit limit, none;

  fail_if (getrlimit (RLIMIT_NOFILE, &limit));
  none = limit;
  none.rlim_cur = 0;
  fail_if (setrlimit (RLIMIT_NOFILE, &none));
  last (faults);
  fail_if (setrlimit (RLIMIT_NOFILE, &limit));
}

static void
let_others_come_and_go (Faults *faults)
{
  g_autofree gchar *properties = g_strdup_printf (
      "address=239.1.1.2 port=5000 multicast-iface=rx%u", faults->leg);
  g_autoptr (Receiver) other = receiver_new (properties, "fakesink");

  receiver_set_state (other, GST_STATE_PLAYING);
  last (faults);
}

static void
stop_process (Faults *faults)
{
  network_run ("kill -STOP %d && sleep 0.0%d; kill -CONT %d", getpid (),
      g_rand_int_range (faults->random, 1, 7), getpid ());
}

/* The application. */

static void
stall (Faults *faults)
{
  tap_hold_for (
      faults->tap, g_rand_int_range (faults->random, 1, LONGEST_FAULT));
}

static void
hoard (Faults *faults)
{
  tap_keep (faults->tap, TRUE);
  last (faults);
  tap_keep (faults->tap, FALSE);
  last (faults);
  tap_drop (faults->tap);
}

static void
pause_stream (Faults *faults)
{
  receiver_set_state (faults->receiver, GST_STATE_PAUSED);
  last (faults);
  receiver_set_state (faults->receiver, GST_STATE_PLAYING);
}

static void
flush (Faults *faults)
{
  gst_element_send_event (faults->receiver->src, gst_event_new_flush_start ());
  last (faults);
  /* Running time begins anew. */
  faults->watch.pts = 0;
  gst_element_send_event (
      faults->receiver->src, gst_event_new_flush_stop (TRUE));
}

/* The daemon, and another one of its clients. */

static void
kill_daemon (Faults *faults)
{
  daemon_kill (faults->daemon);
  last (faults);
  daemon_start_again (faults->daemon);
  faults->uncounted += 2;
}

static void
stop_daemon (Faults *faults)
{
  daemon_stop (faults->daemon);
  last (faults);
  daemon_continue (faults->daemon);
}

static void
kill_client (Faults *faults)
{
  g_autoptr (Player) other =
      player_start ("", "multicast-group=239.1.1.1 multicast-iface=rx0");

  player_wait_line (other, "GstAfxdpSrcMode");
  last (faults);
}

static const struct
{
  const gchar *name;
  void (*make) (Faults *faults);
  gboolean of_daemon;
} kinds[] = {
  { "program detached", detach_program },
  { "link down", put_link_down },
  { "interface renamed", rename_interface },
  { "address away", take_address_away },
  { "other MTU", change_mtu },
  { "more queues", use_more_queues },
  { "no descriptors", let_descriptors_run_out },
  { "other stream", let_others_come_and_go },
  { "process stopped", stop_process },
  { "stall", stall },
  { "hoard", hoard },
  { "pause", pause_stream },
  { "flush", flush },
  { "daemon killed", kill_daemon, TRUE },
  { "daemon stopped", stop_daemon, TRUE },
  { "client killed", kill_client, TRUE },
};

G_STATIC_ASSERT (G_N_ELEMENTS (kinds) <= MOST_KINDS);

/* What is told must not add up to memory. */
static void
read_bus (Receiver *receiver)
{
  receiver_assert_no_error (receiver);
  g_ptr_array_set_size (receiver->modes, 0);
  g_ptr_array_set_size (receiver->gaps, 0);
}

static guint
choose_kind (Faults *faults)
{
  guint kind;

  do
    kind = g_rand_int_range (faults->random, 0, G_N_ELEMENTS (kinds));
  while (kinds[kind].of_daemon && !faults->daemon);
  return kind;
}

/* What has left by now is in order, and once. */
static void
assert_order (Faults *faults, const gchar *fault)
{
  fail_unless (
      !faults->watch.wrong && !receiver_stat (faults->receiver, "duplicates"),
      "after \"%s\" of leg %u: %s", fault, faults->leg,
      twolegs_describe (faults->receiver));
}

/* Each leg goes on, and protects the other from its next fault. */
static void
wait_for_legs (Faults *faults)
{
  for (guint i = 0; n_legs > 1 && i < n_legs; i++) {
    guint64 packets = twolegs_stat (faults->receiver, i, "packets");

    wait_until (twolegs_stat (faults->receiver, i, "packets") > packets + 1000);
  }
}

/* After each fault the stream goes on. */
static void
make_faults_for (Faults *faults, gint64 time)
{
  gint64 end = g_get_monotonic_time () + time;

  while (g_get_monotonic_time () < end) {
    guint kind = choose_kind (faults);
    guint64 packets;

    faults->leg = g_rand_int_range (faults->random, 0, n_legs);
    kinds[kind].make (faults);
    faults->n_made[kind]++;
    packets = receiver_stat (faults->receiver, "packets");
    receiver_wait_stat (faults->receiver, "packets", packets + 1000);
    wait_for_legs (faults);
    if (n_legs > 1)
      assert_order (faults, kinds[kind].name);
    read_bus (faults->receiver);
    g_usleep (g_rand_int_range (faults->random, SHORTEST_REST, LONGEST_REST));
  }
}

/* Beginning and end. */

static Faults
begin (void)
{
  Faults faults = { .random = soaking_random () };

  faults.receiver =
      receiver_new (n_legs > 1 ? PROPERTIES SECOND_LEG : PROPERTIES,
          "rtpjitterbuffer latency=20 ! fakesink sync=false "
          "async=false enable-last-sample=false");
  faults.daemon = daemon_for_all ();
  faults.tap = tap_new_counting (faults.receiver->src);
  return faults;
}

static void
play (Faults *faults)
{
  if (n_legs > 1)
    payload_watch (faults->receiver->src, &faults->watch);
  receiver_play (faults->receiver);
}

/* Into one: the first leg's generator, which ends last. */
static GeneratorReport
stop_generators (Generator *generators[TWOLEGS])
{
  GeneratorReport sent = { 0 };

  for (guint i = n_legs; i-- > 0;) {
    GeneratorReport one = generator_stop_lossy (generators[i]);

    sent.packets += one.packets;
    sent.dropped += one.dropped;
    sent.sent[0] = one.sent[0];
  }
  return sent;
}

/* What is discarded when the stream is stopped has no number. */
static void
wait_until_all_arrived (Faults *faults, const GeneratorReport *sent)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (
      receiver_arrived (faults->receiver) + faults->uncounted < sent->packets) {
    fail_if (g_get_monotonic_time () > deadline,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " arrived, but for up to %u: %s",
        receiver_arrived (faults->receiver), sent->packets, faults->uncounted,
        receiver_describe (faults->receiver));
    g_usleep (1000);
  }
}

static void
assert_accounted_for (Faults *faults, const GeneratorReport *sent)
{
  guint64 arrived = receiver_arrived (faults->receiver);
  guint64 all;
  gboolean is_told;

  /* Nobody knows how many packets of a late sender are missing after a silence, nor
   * whether it began anew. */
  if (receiver_stat (faults->receiver, "duplicates") ||
      receiver_stat (faults->receiver, "restarts"))
    generator_excuse ();
  all = receiver_assert_balanced (faults->receiver);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    printf ("%s: %u, ", kinds[i].name, faults->n_made[i]);
  printf ("%" G_GUINT64_FORMAT " sent, the wire lost %" G_GUINT64_FORMAT
          ", and up to %u more; the stream lost %" G_GUINT64_FORMAT "\n",
      sent->sent[0], sent->dropped, faults->uncounted,
      receiver_stat (faults->receiver, "lost"));
  fflush (stdout);
  is_told = all <= sent->sent[0] &&
      all + sent->dropped + faults->uncounted >= sent->sent[0];
  if (!is_told)
    generator_excuse ();
  fail_unless (is_told, "%" G_GUINT64_FORMAT " came or were lost: %s", all,
      receiver_describe (faults->receiver));
  fail_unless (
      arrived <= sent->packets && arrived + faults->uncounted >= sent->packets,
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " arrived: %s", arrived,
      sent->packets, receiver_describe (faults->receiver));
}

static void
end (Faults *faults)
{
  tap_free (faults->tap);
  receiver_free (faults->receiver);
  g_rand_free (faults->random);
}

/* What GStreamer, GLib and the jitter buffer open once. */
static void
open_what_stays (void)
{
  Receiver *receiver =
      receiver_new (PROPERTIES " mode=socket", "rtpjitterbuffer ! fakesink");

  receiver_play (receiver);
  generator_send ("--packets=10");
  receiver_wait_stat (receiver, "packets", 10);
  receiver_free (receiver);
}

TEST (test_faults)
{
  Leftover before;
  SoakingMemory memory;
  Generator *generators[TWOLEGS];
  guint64 start;
  GeneratorReport sent;
  Faults faults;

  open_what_stays ();
  leftover_begin (&before);
  faults = begin ();
  play (&faults);
  start = twolegs_start_time ();
  for (guint i = 0; i < n_legs; i++)
    generators[i] = twolegs_generate (
        i, "--rate=%u --start-at=%" G_GUINT64_FORMAT, RATE / n_legs, start);
  receiver_wait_stat (faults.receiver, "packets", 1000);

  make_faults_for (&faults, soaking_time (SECONDS) / 4);
  soaking_memory_begin (&memory);
  make_faults_for (&faults, soaking_time (SECONDS) * 3 / 4);
  soaking_memory_end (&memory);

  sent = stop_generators (generators);
  wait_until_all_arrived (&faults, &sent);
  if (!faults.daemon)
    leftover_expect_bpf (&before);
  receiver_set_state (faults.receiver, GST_STATE_NULL);
  assert_accounted_for (&faults, &sent);
  fail_unless_equals_uint64 (faults.watch.wrong, 0);
  end (&faults);
  g_clear_pointer (&faults.daemon, daemon_free);

  leftover_end (&before);
  soaking_memory_assert_flat (&memory);
}

static void
up_with_room_for_queues (void)
{
  network_up_with_room (1, 2);
  if (n_legs > 1)
    network_add_wire ();
}

int
main (int argc, char **argv)
{
  n_legs = g_strcmp0 (g_getenv ("TEST_LEGS"), "2") ? 1 : 2;
  soaking_prepare (argv);
  network_require_privileges ();
  return suite_run (argc, argv, "faults",
      soaking_time (SECONDS) / G_TIME_SPAN_SECOND + 60, up_with_room_for_queues,
      network_down);
}
