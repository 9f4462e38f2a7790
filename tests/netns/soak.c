/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams of one interface that come, go, stall, pause and hoard at random, over
 * two queues, while some are there all the time and lose nothing. At the end all
 * is accounted for, and nothing is left.
 *
 * With one thread for all streams, one that stalls holds up all of them: none stalls for
 * long then, so that those which are there all the time still lose nothing.
 *
 * SOAK_SECONDS is how long (20; with one thread 10), SOAK_SEED which of all soaks (a new
 * one).
 */
#include <stdio.h>
#include <unistd.h>

#include "generator.h"
#include "leftover.h"
#include "network.h"
#include "receiver.h"
#include "soaking.h"
#include "../check/tap.h"

#define SECONDS (receiver_is_shared () ? 10 : 20)
/* Flows of each of the two generators, and packets/s of one flow: a stall of the
 * machine of 80 ms is within the smallest credit. */
#define FLOWS 12
#define FLOW_RATE 2500
/* Every so many streams, one is there all the time. */
#define STAYER_EVERY 6
/* Streams for flows that have a taker already, when both are there. */
#define SECOND_TAKERS 4
#define SLOTS (2 * FLOWS + SECOND_TAKERS)

/* The longest of each, in µs. Both a stall and what is paused fit, at the flow's
 * rate, into the socket. */
#define LONGEST_STALL \
  ((receiver_is_shared () ? 20 : 300) * G_TIME_SPAN_MILLISECOND)
#define LONGEST_HOARD (3 * G_TIME_SPAN_SECOND)
#define LONGEST_REST (10 * G_TIME_SPAN_MILLISECOND)

static const gchar *const variants[] = { "", "", "", "", "batch-size=1",
  "batch-size=256", "ring-size=1024", "mode=socket", "queue=1" };

typedef struct
{
  guint number;
  gchar *address;
  gboolean stayer;
  gboolean playing, paused;
  gboolean excused;   /* this life has not been an easy one */
  Receiver *receiver; /* NULL between two lives, or not */
  Tap *tap;
} Slot;

/* Buffers whose stream may be gone. */
typedef struct
{
  GPtrArray *buffers;
  gint64 until;
} Estate;

typedef struct
{
  GRand *random;
  Slot slots[SLOTS];
  GArray *estates; /* Estate */
  Generator *generators[2];
  guint64 lost;         /* by streams that had no excuse */
  guint64 lost_excused; /* by those that had */
  guint lives, stalls, hoards, pauses;
} Soak;

static gboolean
one_in (Soak *soak, guint n)
{
  return g_rand_int_range (soak->random, 0, n) == 0;
}

static gint64
up_to (Soak *soak, gint64 longest)
{
  return g_rand_int_range (soak->random, 1, longest);
}

/* A stream's life. */

static void
start (Soak *soak, Slot *slot)
{
  if (!slot->receiver) {
    const gchar *variant = slot->stayer
        ? ""
        : variants[g_rand_int_range (soak->random, 0, G_N_ELEMENTS (variants))];
    g_autofree gchar *properties = g_strdup_printf (
        "address=%s port=5000 multicast-iface=rx0 %s", slot->address, variant);

    slot->receiver = receiver_new (
        properties, "fakesink async=false enable-last-sample=false");
    slot->tap = tap_new_counting (slot->receiver->src);
  }
  slot->excused = FALSE;
  slot->playing = TRUE;
  receiver_set_state (slot->receiver, GST_STATE_PLAYING);
  soak->lives++;
}

static void
stop (Soak *soak, Slot *slot)
{
  guint64 lost;

  receiver_set_state (slot->receiver, GST_STATE_NULL);
  slot->playing = slot->paused = FALSE;
  receiver_read_bus (slot->receiver);
  receiver_assert_balanced (slot->receiver);
  lost = receiver_stat (slot->receiver, "lost");
  if (slot->excused) {
    soak->lost_excused += lost;
  } else {
    soak->lost += lost;
    if (lost)
      printf (
          "slot %u: %s\n", slot->number, receiver_describe (slot->receiver));
  }
}

/* What is kept outlives the stream. */
static void
bury (Soak *soak, Slot *slot)
{
  Estate estate = {
    .buffers = tap_take (slot->tap, NULL),
    .until = g_get_monotonic_time () + up_to (soak, LONGEST_HOARD),
  };

  g_array_append_val (soak->estates, estate);
  tap_free (slot->tap);
  receiver_free (slot->receiver);
  slot->receiver = NULL;
}

/* What happens. */

static void
disturb (Soak *soak, Slot *slot)
{
  slot->excused = TRUE;
  switch (g_rand_int_range (soak->random, 0, 4)) {
    case 0:
      tap_hold_for (slot->tap, up_to (soak, LONGEST_STALL));
      soak->stalls++;
      break;
    case 1:
      receiver_set_state (slot->receiver, GST_STATE_PAUSED);
      slot->paused = TRUE;
      soak->pauses++;
      break;
    case 2:
      tap_keep (slot->tap, TRUE);
      soak->hoards++;
      break;
    default:
      tap_drop (slot->tap);
      break;
  }
}

static void
step (Soak *soak)
{
  Slot *slot = &soak->slots[g_rand_int_range (soak->random, 0, SLOTS)];

  if (slot->stayer)
    return;
  if (!slot->playing) {
    start (soak, slot);
  } else if (one_in (soak, 3)) {
    stop (soak, slot);
    if (one_in (soak, 2))
      bury (soak, slot);
  } else if (slot->paused) {
    receiver_set_state (slot->receiver, GST_STATE_PLAYING);
    slot->paused = FALSE;
  } else if (one_in (soak, 2)) {
    disturb (soak, slot);
  }
}

/* Ends those whose time has come. */
static void
settle_estates (Soak *soak, gint64 now)
{
  for (guint i = 0; i < soak->estates->len;) {
    Estate *estate = &g_array_index (soak->estates, Estate, i);

    if (estate->until > now) {
      i++;
      continue;
    }
    g_ptr_array_unref (estate->buffers);
    g_array_remove_index_fast (soak->estates, i);
  }
}

static void
soak_for (Soak *soak, gint64 time)
{
  gint64 end = g_get_monotonic_time () + time;

  while (g_get_monotonic_time () < end) {
    step (soak);
    settle_estates (soak, g_get_monotonic_time ());
    for (guint i = 0; i < SLOTS; i++)
      if (soak->slots[i].receiver) {
        receiver_assert_no_error (soak->slots[i].receiver);
      }
    g_usleep (up_to (soak, LONGEST_REST));
  }
}

/* Only the stayers are left, and nothing that anybody kept. */
static void
calm_down (Soak *soak)
{
  for (guint i = 0; i < SLOTS; i++) {
    Slot *slot = &soak->slots[i];

    if (slot->stayer || !slot->receiver)
      continue;
    if (slot->playing)
      stop (soak, slot);
    bury (soak, slot);
  }
  settle_estates (soak, G_MAXINT64);
}

/* Beginning and end. */

static void
soak_begin (Soak *soak)
{
  soak->random = soaking_random ();
  soak->estates = g_array_new (FALSE, FALSE, sizeof (Estate));
  for (guint i = 0; i < SLOTS; i++) {
    /* Second takers: of flows 1, 7, 13, 19. */
    guint flow = i < 2 * FLOWS ? i : (i - 2 * FLOWS) * STAYER_EVERY + 1;

    soak->slots[i].number = i;
    soak->slots[i].address =
        g_strdup_printf ("239.3.%u.%u", flow / FLOWS, 1 + flow % FLOWS);
    soak->slots[i].stayer = i < 2 * FLOWS && i % STAYER_EVERY == 0;
  }
}

/* Live frames to queue 0, and what a socket sends to both. */
static void
start_generators (Soak *soak)
{
  soak->generators[0] = generator_start (
      "--cpu=0 --destination=239.3.0.1:5000 --flows=%u --rate=%u", FLOWS,
      FLOWS * FLOW_RATE);
  soak->generators[1] =
      generator_start ("--method=socket --cpu=0 "
                       "--destination=239.3.1.1:5000 --flows=%u --rate=%u",
          FLOWS, FLOWS * FLOW_RATE);
}

/* The stayers were there before the first packet, and have all of them. Returns
 * what the wire lost: each generator counts what both did. */
static guint64
assert_complete (Soak *soak)
{
  GeneratorReport sent[2];
  guint64 dropped, missing = 0;

  for (guint i = 0; i < 2; i++)
    sent[i] = generator_stop (soak->generators[i]);
  dropped = sent[0].dropped + sent[1].dropped;
  for (guint i = 0; i < 2 * FLOWS; i++) {
    Slot *slot = &soak->slots[i];
    guint64 packets = sent[i / FLOWS].sent[i % FLOWS];

    if (!slot->stayer)
      continue;
    receiver_wait_stat (
        slot->receiver, "packets", packets - MIN (packets, dropped - missing));
    fail_unless (receiver_stat (slot->receiver, "packets") <= packets);
    missing += packets - receiver_stat (slot->receiver, "packets");
    g_assert_cmpuint (tap_n_packets (slot->tap), ==,
        receiver_stat (slot->receiver, "packets"));
  }
  return dropped;
}

static void
soak_end (Soak *soak)
{
  for (guint i = 0; i < SLOTS; i++)
    g_free (soak->slots[i].address);
  g_array_unref (soak->estates);
  g_rand_free (soak->random);
}

/* What GStreamer and GLib open once, by the socket, so that all of AF_XDP
 * counts. */
static void
open_what_stays (void)
{
  g_autoptr (Receiver) receiver = receiver_start ("mode=socket", "fakesink");

  generator_send ("--packets=10");
  receiver_wait_stat (receiver, "packets", 10);
}

TEST (test_soak)
{
  Soak soak = { 0 };
  Leftover before;
  SoakingMemory memory;
  guint64 dropped;
  Slot *last = NULL;

  open_what_stays ();
  leftover_begin (&before);
  soak_begin (&soak);
  for (guint i = 0; i < SLOTS; i++)
    if (soak.slots[i].stayer)
      start (&soak, &soak.slots[i]);
  start_generators (&soak);

  soak_for (&soak, soaking_time (SECONDS) / 4);
  calm_down (&soak);
  soaking_memory_begin (&memory);
  soak_for (&soak, soaking_time (SECONDS) * 3 / 4);
  calm_down (&soak);
  soaking_memory_end (&memory);
  dropped = assert_complete (&soak);

  leftover_expect_bpf (&before);
  for (guint i = 0; i < SLOTS; i++) {
    Slot *slot = &soak.slots[i];

    if (!slot->stayer)
      continue;
    if (last) {
      stop (&soak, last);
      bury (&soak, last);
    }
    last = slot;
  }
  receiver_wait_stat (
      last->receiver, "frames-free", receiver_stat (last->receiver, "frames"));
  stop (&soak, last);
  bury (&soak, last);
  settle_estates (&soak, G_MAXINT64);

  printf ("%u lives, %u stalls, %u pauses, %u hoards; the wire lost "
          "%" G_GUINT64_FORMAT ", streams %" G_GUINT64_FORMAT
          ", disturbed ones %" G_GUINT64_FORMAT "\n",
      soak.lives, soak.stalls, soak.pauses, soak.hoards, dropped, soak.lost,
      soak.lost_excused);
  fflush (stdout);
  g_assert_cmpuint (soak.lost, <=, dropped);
  leftover_end (&before);
  soaking_memory_assert_flat (&memory);
  soak_end (&soak);
}

int
main (int argc, char **argv)
{
  soaking_prepare (argv);
  network_require_privileges ();
  return suite_run (argc, argv, "soak",
      soaking_time (SECONDS) / G_TIME_SPAN_SECOND + 60,
      network_up_with_two_queues, network_down);
}
