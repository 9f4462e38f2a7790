/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Law 3 where one thread serves many streams: they go through faults together, at
 * random. They may lose packets; at the end the ledger of each balances, to the packet.
 *
 * SOAK_SECONDS is how long (10), SOAK_SEED which faults (others each time).
 */
#include <stdio.h>

#include "crowd.h"
#include "network.h"
#include "soaking.h"
#include "switches.h"
#include "../check/tap.h"

#define SECONDS 10
#define STREAMS 64
/* Packets/s of each stream. */
#define RATE 1000
/* For so long, in s, packets come behind the last fault: what was lost last would have no
 * number without. */
#define CALM 3
/* At that rate ring and socket hold some 150 ms. */
#define PROPERTIES "receiver=all ring-size=64 buffer-size=100000"
/* In µs: of a stall, of a fault of the interface, and between two faults. */
#define LONGEST_STALL (400 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_FAULT (60 * G_TIME_SPAN_MILLISECOND)
#define LONGEST_REST (200 * G_TIME_SPAN_MILLISECOND)
/* What a veth throws away without counting it: its ring, when its link goes down;
 * and one packet when a program is detached. */
#define RING 256

typedef struct
{
  GRand *random;
  Crowd *crowd;
  Tap *taps[STREAMS];
  guint uncounted; /* packets that a veth may have thrown away so */
} Faults;

static gint64
up_to (Faults *faults, gint64 longest)
{
  return g_rand_int_range (faults->random, 1, longest);
}

/* One of them holds up the thread that all share: credits are used up, and then the
 * sockets are full. */
static void
stall (Faults *faults)
{
  gint64 time = up_to (faults, LONGEST_STALL);

  tap_hold_for (
      faults->taps[g_rand_int_range (faults->random, 0, STREAMS)], time);
  g_usleep (time);
}

/* The same, and the program redirects what the rings have no room for. */
static void
stall_without_limits (Faults *faults)
{
  switches_limits_off ();
  stall (faults);
  switches_limits_on ();
}

static void
detach_program (Faults *faults)
{
  if (!network_has_program ())
    return;
  network_detach_program ();
  faults->uncounted++;
}

static void
put_link_down (Faults *faults)
{
  network_run ("ip link set rx0 down");
  g_usleep (up_to (faults, LONGEST_FAULT));
  network_run ("ip link set rx0 up");
  faults->uncounted += RING;
}

/* Those of the host first. */
static void (*const kinds[]) (Faults *faults) = { stall, stall_without_limits,
  detach_program, put_link_down };

#define KINDS_OF_HOST 2

static void
assert_all_go_on (Faults *faults)
{
  Receiver **receivers = faults->crowd->receivers;
  guint64 before[STREAMS];

  for (guint i = 0; i < STREAMS; i++)
    before[i] = receiver_stat (receivers[i], "packets");
  for (guint i = 0; i < STREAMS; i++) {
    receiver_wait_stat (receivers[i], "packets", before[i] + 10);
    receiver_assert_no_error (receivers[i]);
  }
}

/* Each of the first n kinds in turn. */
static void
make_faults_for (Faults *faults, guint n, gint64 time)
{
  gint64 end = g_get_monotonic_time () + time;

  for (guint i = 0; i < n || g_get_monotonic_time () < end; i++) {
    kinds[i % n](faults);
    assert_all_go_on (faults);
    g_usleep (up_to (faults, LONGEST_REST));
  }
}

/* The sum of a field of all of them. */
static guint64
sum (Faults *faults, const gchar *name)
{
  guint64 all = 0;

  for (guint i = 0; i < STREAMS; i++)
    all += receiver_stat (faults->crowd->receivers[i], name);
  return all;
}

static guint64
sum_arrived (Faults *faults)
{
  guint64 all = 0;

  for (guint i = 0; i < STREAMS; i++)
    all += receiver_arrived (faults->crowd->receivers[i]);
  return all;
}

/* Each stream has so many numbers, and each of them came or was lost; and what reached
 * the host is what came and what counters tell of. */
static void
assert_balance (Faults *faults, guint numbers, guint64 packets)
{
  guint64 arrived = sum_arrived (faults);

  /* Nobody knows how many packets of a late sender are missing after a silence. */
  if (sum (faults, "restarts"))
    generator_excuse ();
  for (guint i = 0; i < STREAMS; i++) {
    Receiver *receiver = faults->crowd->receivers[i];
    guint64 all = receiver_assert_balanced (receiver);

    /* Nor does a burst at the end leave calm behind the last fault. */
    if (all != numbers)
      generator_excuse ();
    fail_unless (all == numbers,
        "stream %u: %" G_GUINT64_FORMAT " of %u came or were lost: %s", i, all,
        numbers, receiver_describe (receiver));
  }
  printf ("%" G_GUINT64_FORMAT
          " of %u reached the host; rings dropped %" G_GUINT64_FORMAT
          ", sockets %" G_GUINT64_FORMAT "; the streams lost %" G_GUINT64_FORMAT
          "\n",
      packets, STREAMS * numbers, sum (faults, "dropped-rx-ring"),
      sum (faults, "dropped-socket-buffer"), sum (faults, "lost"));
  fflush (stdout);
  fail_unless (arrived <= packets && arrived + faults->uncounted >= packets,
      "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " arrived", arrived,
      packets);
  /* No ring counted it: what is said of a packet that no other place knows of. */
  if (!faults->uncounted)
    g_assert_cmpuint (sum (faults, "dropped-redirect"), ==, 0);
  g_assert_cmpuint (sum (faults, "dropped-rx-ring"), >, 0);
  g_assert_cmpuint (sum (faults, "dropped-socket-buffer"), >, 0);
}

static const guint n_kinds[] = { KINDS_OF_HOST, G_N_ELEMENTS (kinds) };

TABLE_TEST (test_ledger, n_kinds)
{
  const gint64 time = soaking_time (SECONDS) / (gint64) G_N_ELEMENTS (n_kinds);
  const guint numbers = RATE * (time / G_TIME_SPAN_SECOND + CALM);
  g_autoptr (GRand) random = soaking_random ();
  Crowd *crowd = crowd_new (STREAMS, PROPERTIES);
  Faults faults = { .random = random, .crowd = crowd };
  GeneratorReport sent;
  Generator *generator;

  for (guint i = 0; i < STREAMS; i++)
    faults.taps[i] = tap_new_counting (crowd->receivers[i]->src);
  crowd_play_by_af_xdp (crowd);
  generator = crowd_generate (
      crowd, "--rate=%u --packets=%u", STREAMS * RATE, STREAMS * numbers);
  make_faults_for (&faults, n_kinds[__i__], time);
  sent = generator_finish_lossy (generator);
  wait_until (sum_arrived (&faults) + faults.uncounted >= sent.packets);
  crowd_halt (crowd);
  assert_balance (&faults, numbers, sent.packets);
  for (guint i = 0; i < STREAMS; i++)
    tap_free (faults.taps[i]);
  crowd_free (crowd);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (argc, argv, "ledger",
      soaking_time (SECONDS) / G_TIME_SPAN_SECOND + 60,
      network_up_with_one_queue, network_down);
}
