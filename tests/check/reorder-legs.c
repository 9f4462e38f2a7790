/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two legs of a stream (ST 2022-7), simulated: what is sent, what each network does to it,
 * and what comes out of the stage. */
#include "reorder.h"

#include "../fuzz/ordermodel.h"
#include "suite.h"

#define US G_GUINT64_CONSTANT (1000)
#define MS (1000 * US)
#define S (1000 * MS)
#define BEGIN (1000 * S)

/* A sender's packets: number i is sent at BEGIN + i * interval. */
typedef struct
{
  guint32 ssrc;
  guint16 first_number;
  guint32 first_timestamp;
  guint frame; /* packets with the same timestamp; 0: it stands still */
  guint id;    /* of the first packet */
} Run;

typedef struct
{
  guint64 delay;
  guint every, lost; /* of so many packets, that one does not come; 0: all do */
  gboolean (*is_cut) (guint64 i);
  guint32 ssrc_offset;
  /* What it carries: run begin[0] from packet 0 on, begin[1] from packet n on. */
  Run runs[2];
  guint64 restart; /* 0: none */

  guint64 next; /* packet */
} Leg;

typedef struct
{
  guint64 interval, n, window;
  Leg legs[AFXDP_LEGS];

  AfxdpReorder *reorder;
  gboolean is_read_late; /* no packet is the latest of its leg */
  guint64 n_out, n_late, n_repeated, n_unmatched[2], n_stray;
  guint64 out_of_order;
  guint highest[2]; /* id, of each run, and what came out: a bit for each */
  guint64 *bits;
  guint n_twice, n_foreign;
  AfxdpLegState states[AFXDP_LEGS];
} Simulation;

#define FOREIGN (1u << 30)

static void
note_out (const AfxdpReorderEntry *entry, gpointer user_data)
{
  Simulation *simulation = user_data;
  guint id = GPOINTER_TO_UINT (entry->item) - 1, *highest;

  simulation->n_out++;
  if (id >= FOREIGN) {
    simulation->n_foreign++;
    return;
  }
  if (simulation->bits[id / 64] >> (id % 64) & 1)
    simulation->n_twice++;
  simulation->bits[id / 64] |= G_GUINT64_CONSTANT (1) << (id % 64);
  highest = &simulation->highest[simulation->legs[0].restart &&
      id >= simulation->legs[0].restart];
  simulation->out_of_order += id < *highest;
  *highest = MAX (*highest, id);
}

static void
note_stray (const AfxdpReorderEntry *entry, gpointer user_data)
{
  ((Simulation *) user_data)->n_stray++;
}

static gboolean
is_lost (const Leg *leg, guint64 i)
{
  return (leg->every && i % leg->every == leg->lost) ||
      (leg->is_cut && leg->is_cut (i));
}

static guint64
arrival_of (const Simulation *simulation, const Leg *leg)
{
  return BEGIN + leg->next * simulation->interval + leg->delay;
}

static void
send_next (Simulation *simulation, guint number)
{
  Leg *leg = &simulation->legs[number];
  guint64 i = leg->next, now = arrival_of (simulation, leg);
  gboolean restarted = leg->restart && i >= leg->restart;
  const Run *run = &leg->runs[restarted];
  guint64 from = i - (restarted ? leg->restart : 0);
  AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = run->ssrc,
    .seqnum = run->first_number + from,
    .timestamp =
        run->first_timestamp + (run->frame ? from / run->frame * 1800 : 0),
  };
  const AfxdpReorderEntry entry = {
    .item = GUINT_TO_POINTER (run->id + from + 1),
    .arrival = now,
    .size = 1000,
    .leg = number,
  };

  leg->next++;
  if (is_lost (leg, i))
    return;
  switch (afxdp_reorder_look (simulation->reorder, number, &rtp, now)) {
    case AFXDP_REORDER_WANTED:
      afxdp_reorder_put (simulation->reorder, &entry);
      break;
    case AFXDP_REORDER_LATE:
      simulation->n_late++;
      break;
    case AFXDP_REORDER_REPEATED:
      simulation->n_repeated++;
      break;
    case AFXDP_REORDER_UNMATCHED:
      simulation->n_unmatched[number]++;
      break;
  }
  for (guint j = 0; j < AFXDP_LEGS && !simulation->is_read_late; j++) {
    guint64 since;

    afxdp_reorder_advance (simulation->reorder, j, now);
    simulation->states[j] = afxdp_legs_state (
        afxdp_reorder_legs (simulation->reorder), j, now, &since);
  }
}

static void
begin (Simulation *simulation)
{
  static const AfxdpReorderFuncs funcs = { note_out, note_stray };

  simulation->bits = g_new0 (guint64, 2 * simulation->n / 64 + 1);
  simulation->reorder = afxdp_reorder_new (
      2, simulation->window, G_MAXUINT64, &funcs, simulation);
}

static void
finish (Simulation *simulation)
{
  for (guint i = 0; i < AFXDP_LEGS; i++)
    afxdp_reorder_advance (simulation->reorder, i, G_MAXUINT64 - 1);
  fail_unless_equals_int (afxdp_reorder_n_waiting (simulation->reorder), 0);
  afxdp_reorder_end (simulation->reorder);
  g_clear_pointer (&simulation->reorder, afxdp_reorder_free);
  fail_unless_equals_int (simulation->n_twice, 0);
}

static void
simulate (Simulation *simulation)
{
  Leg *legs = simulation->legs;

  begin (simulation);
  for (guint i = 0; i < AFXDP_LEGS; i++)
    if (!legs[i].runs[0].ssrc)
      legs[i].runs[0] = (Run){ .ssrc = 7, .first_number = 65000, .frame = 9 };
  while (legs[0].next < simulation->n || legs[1].next < simulation->n) {
    guint next = legs[0].next >= simulation->n ||
        (legs[1].next < simulation->n &&
            arrival_of (simulation, &legs[1]) <
                arrival_of (simulation, &legs[0]));

    send_next (simulation, next);
  }
  finish (simulation);
}

/* Packets from first on that did not come out. */
static guint64
missing (const Simulation *simulation, guint64 first)
{
  guint64 n = 0;

  for (guint64 i = first; i < simulation->n; i++)
    n += !(simulation->bits[i / 64] >> (i % 64) & 1);
  return n;
}

static void
end (Simulation *simulation)
{
  g_free (simulation->bits);
}

/* 10 % are lost on each leg, and never the same. */
#define LOSSES_0 .every = 10, .lost = 3
#define LOSSES_1 .every = 10, .lost = 7

/* The legs 0 to 12 ms apart, and 10 ms are waited for: whichever is behind. */
TEST (test_skew)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++)
    for (guint64 skew = 0; skew <= 12 * MS; skew += 500 * US) {
      Simulation simulation = { .interval = 10 * US,
        .n = 60000,
        .window = 10 * MS,
        .legs = { { LOSSES_0 }, { LOSSES_1 } } };

      simulation.legs[behind].delay = skew;
      simulate (&simulation);
      fail_unless_equals_uint64 (simulation.out_of_order, 0);
      /* A gap shows with the next packet, 10 µs later. */
      if (skew <= 10 * MS) {
        fail_unless_equals_uint64 (missing (&simulation, 0), 0);
        fail_unless_equals_int (simulation.states[behind], AFXDP_LEG_ACTIVE);
      } else {
        g_assert_cmpuint (missing (&simulation, 0), >=, 5990);
        fail_unless_equals_int (simulation.states[behind], AFXDP_LEG_LATE);
      }
      fail_unless_equals_int (simulation.states[!behind], AFXDP_LEG_ACTIVE);
      fail_unless_equals_uint64 (simulation.n_unmatched[1], 0);
      end (&simulation);
    }
}

static const struct
{
  guint64 interval, skew;
  guint frame;
} distances[] = {
  { 50 * US, 450 * MS, 400 }, /* 20,000/s */
  { 2 * US, 450 * MS, 4320 }, /* 500,000/s: 225,000 packets */
  { 2 * US, 450 * MS, 1 },    /* each with a timestamp of its own */
  { 10 * US, 300 * MS, 0 },   /* timestamps stand still: 30,000 packets */
};

/* Class C, and numbers wrap several times in between. */
TABLE_TEST (test_far_behind, distances)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
    const Run run = { .ssrc = 7,
      .first_number = 12345,
      .first_timestamp = 0xfffff000,
      .frame = distances[__i__].frame };
    Simulation simulation = { .interval = distances[__i__].interval,
      .n = 600000,
      .window = 500 * MS,
      .legs = { { LOSSES_0, .runs[0] = run }, { LOSSES_1, .runs[0] = run } } };

    simulation.legs[behind].delay = distances[__i__].skew;
    simulate (&simulation);
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    fail_unless_equals_uint64 (missing (&simulation, 0), 0);
    fail_unless_equals_uint64 (simulation.n_late, 0);
    fail_unless_equals_uint64 (simulation.n_unmatched[1], 0);
    end (&simulation);
  }
}

/* Another SSRC, or the same: the numbers prove it, once a frame begins. */
TEST (test_other_ssrc)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
    const Run run = { .ssrc = 7, .first_number = 1, .frame = 400 };
    Run other = run;
    Simulation simulation = { .interval = 10 * US,
      .n = 100000,
      .window = 10 * MS,
      .legs = { { LOSSES_0, .runs[0] = run }, { LOSSES_1 } } };

    other.ssrc = 8;
    simulation.legs[1].runs[0] = other;
    simulation.legs[behind].delay = 5 * MS;
    simulate (&simulation);
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    /* Until it is known: the skew and a frame. */
    fail_unless_equals_uint64 (missing (&simulation, 2000), 0);
    g_assert_cmpuint (simulation.n_unmatched[1], <, 2000);
    end (&simulation);
  }
}

static gboolean
is_cut_often (guint64 i)
{
  /* Of 100,000/s: 7 to 400 ms, in turns. */
  static const guint lengths[] = { 700, 3000, 40000, 1500, 9000 };
  guint64 round = i / 60000;

  return i % 60000 >= 10000 &&
      i % 60000 < 10000 + lengths[round % G_N_ELEMENTS (lengths)];
}

/* One leg is cut again and again; the other one is whole. */
TEST (test_cuts)
{
  for (guint cut = 0; cut < AFXDP_LEGS; cut++)
    for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
      Simulation simulation = {
        .interval = 10 * US, .n = 1200000, .window = 10 * MS
      };

      simulation.legs[cut].is_cut = is_cut_often;
      simulation.legs[behind].delay = 7 * MS;
      simulate (&simulation);
      fail_unless_equals_uint64 (simulation.out_of_order, 0);
      fail_unless_equals_uint64 (missing (&simulation, 0), 0);
      end (&simulation);
    }
}

/* A leg that is back protects again. */
TEST (test_protects_after_a_cut)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
    Simulation simulation = { .interval = 10 * US,
      .n = 250000,
      .window = 10 * MS,
      .legs = { { LOSSES_0 }, { LOSSES_1 } } };

    simulation.legs[1].is_cut = is_cut_often;
    simulation.legs[behind].delay = 8 * MS;
    simulate (&simulation);
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    /* What the cut took, and, of a leg that is ahead, until it has proved itself. */
    g_assert_cmpuint (missing (&simulation, 0), <=,
        (700 + 3000 + 40000 + 1500 + 4 * 1000) / 10);
    end (&simulation);
  }
}

static const struct
{
  const gchar *name;
  Run run;
} restarts[] = {
  { "the same SSRC",
      { .ssrc = 7, .first_number = 100, .first_timestamp = 4711, .frame = 9 } },
  { "the same SSRC, near",
      { .ssrc = 7,
          .first_number = (guint16) (65000 + 30000 - 500),
          .first_timestamp = 4711,
          .frame = 9 } },
  { "another SSRC",
      { .ssrc = 9, .first_number = 100, .first_timestamp = 4711, .frame = 9 } },
};

/* The sender restarts, and one leg shows it later than the other. */
TABLE_TEST (test_restart, restarts)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
    Simulation simulation = { .interval = 10 * US,
      .n = 90000,
      .window = 10 * MS,
      .legs = { { LOSSES_0 }, { LOSSES_1 } } };
    guint64 n;

    for (guint i = 0; i < AFXDP_LEGS; i++) {
      simulation.legs[i].restart = 30000;
      simulation.legs[i].runs[1] = restarts[__i__].run;
      simulation.legs[i].runs[1].id = 30000;
    }
    simulation.legs[behind].delay = 5 * MS;
    simulate (&simulation);
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    n = missing (&simulation, 0);
    /* Around it, what one leg lost the other cannot bring: 500 packets, and those
     * until it has proved itself. */
    fail_unless (n <= 150,
        "%s, leg %u behind: %" G_GUINT64_FORMAT " are missing",
        restarts[__i__].name, behind, n);
    fail_unless_equals_uint64 (missing (&simulation, 32000), 0);
    fail_unless_equals_int (simulation.states[1], AFXDP_LEG_ACTIVE);
    end (&simulation);
  }
}

static const struct
{
  const gchar *name;
  Run run;
} strangers[] = {
  { "all is other",
      { .ssrc = 99,
          .first_number = 7000,
          .first_timestamp = 4711,
          .frame = 9 } },
  { "the same SSRC",
      { .ssrc = 7,
          .first_number = 7000,
          .first_timestamp = 4711,
          .frame = 9 } },
  /* Another camera with the same clock. */
  { "the same timestamps",
      { .ssrc = 99, .first_number = 1000, .frame = 4320 } },
  { "the same timestamps, far",
      { .ssrc = 99, .first_number = 30000, .frame = 4320 } },
};

/* The second leg is of another stream: nothing of it is delivered, it is told, and the
 * first one does not notice. */
TABLE_TEST (test_other_stream, strangers)
{
  for (guint behind = 0; behind < AFXDP_LEGS; behind++) {
    Simulation simulation = {
      .interval = 10 * US, .n = 200000, .window = 10 * MS
    };
    Run ours = { .ssrc = 7, .first_number = 65000, .frame = 9 };

    if (strangers[__i__].run.frame == 4320)
      ours = (Run){ .ssrc = 7, .first_number = 1, .frame = 4320 };
    simulation.legs[0].runs[0] = ours;
    simulation.legs[1].runs[0] = strangers[__i__].run;
    simulation.legs[1].runs[0].id = FOREIGN;
    /* The first packet is the first leg's. */
    simulation.legs[behind].delay = behind ? 3 * MS : 0;
    simulate (&simulation);
    fail_unless (simulation.n_foreign == 0, "%s: %u of the other stream",
        strangers[__i__].name, simulation.n_foreign);
    fail_unless (missing (&simulation, 0) == 0,
        "%s: %" G_GUINT64_FORMAT " are missing", strangers[__i__].name,
        missing (&simulation, 0));
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    fail_unless_equals_int (simulation.states[1], AFXDP_LEG_OTHER_STREAM);
    fail_unless_equals_int (simulation.states[0], AFXDP_LEG_ACTIVE);
    end (&simulation);
  }
}

/* The second leg becomes another stream; of so few packets that one of them is judged by
 * itself, when its window is over. */
TEST (test_slow_stranger)
{
  Simulation simulation = { .interval = 20 * MS, .n = 2000, .window = 10 * MS };

  for (guint i = 0; i < AFXDP_LEGS; i++)
    simulation.legs[i].runs[0] =
        (Run){ .ssrc = 7, .first_number = 65000, .frame = 1 };
  simulation.legs[1].restart = 500;
  simulation.legs[1].runs[1] = strangers[1].run;
  simulation.legs[1].runs[1].id = FOREIGN;
  simulation.legs[1].delay = 3 * MS;
  simulate (&simulation);
  fail_unless_equals_int (simulation.n_foreign, 0);
  fail_unless_equals_uint64 (missing (&simulation, 0), 0);
  fail_unless_equals_int (simulation.states[1], AFXDP_LEG_OTHER_STREAM);
  end (&simulation);
}

/* The second leg is another stream, and there first: it is the stream until the first one
 * says something else. */
TABLE_TEST (test_stranger_first, strangers)
{
  Simulation simulation = {
    .interval = 10 * US, .n = 200000, .window = 10 * MS, .legs[0].delay = 3 * MS
  };

  simulation.legs[0].runs[0] =
      (Run){ .ssrc = 7, .first_number = 1, .frame = 4320 };
  simulation.legs[1].runs[0] = strangers[__i__].run;
  simulation.legs[1].runs[0].id = FOREIGN;
  simulate (&simulation);
  /* What came before, and some that show that the first one is another. */
  g_assert_cmpuint (simulation.n_foreign, <=, 300 + 10);
  g_assert_cmpuint (missing (&simulation, 0), <=, 10);
  fail_unless_equals_uint64 (simulation.out_of_order, 0);
  fail_unless_equals_int (simulation.states[1], AFXDP_LEG_OTHER_STREAM);
  end (&simulation);
}

static gboolean
is_over (guint64 i)
{
  return i >= 20000;
}

/* Of a leg that is silent nothing is waited for. */
TEST (test_silent)
{
  for (guint silent = 0; silent < AFXDP_LEGS; silent++) {
    Simulation simulation = { .interval = 10 * US,
      .n = 100000,
      .window = 1 * S,
      .legs = { { LOSSES_0 }, { LOSSES_1 } } };

    simulation.legs[silent].is_cut = is_over;
    simulate (&simulation);
    fail_unless_equals_uint64 (simulation.out_of_order, 0);
    fail_unless_equals_uint64 (missing (&simulation, 0), 8000);
    fail_unless_equals_int (simulation.states[silent], AFXDP_LEG_SILENT);
    fail_unless_equals_int (simulation.states[!silent], AFXDP_LEG_ACTIVE);
    end (&simulation);
  }
}

/* Another second leg. */

typedef struct
{
  AfxdpReorder *reorder;
  guint n, out[16];
} Changed;

static void
note_changed (const AfxdpReorderEntry *entry, gpointer user_data)
{
  Changed *changed = user_data;

  changed->out[changed->n++] = GPOINTER_TO_UINT (entry->item);
}

static void
send_at (Changed *changed, guint leg, guint number, guint64 now)
{
  const AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = 1,
    .seqnum = number,
    .timestamp = 90 * number,
  };
  const AfxdpReorderEntry entry = {
    .item = GUINT_TO_POINTER (number),
    .arrival = now,
    .leg = leg,
  };

  if (afxdp_reorder_look (changed->reorder, leg, &rtp, now) ==
      AFXDP_REORDER_WANTED)
    afxdp_reorder_put (changed->reorder, &entry);
  afxdp_reorder_advance (changed->reorder, leg, now);
}

static void
begin_changed (Changed *changed, guint64 window)
{
  static const AfxdpReorderFuncs funcs = { note_changed, note_changed };

  changed->n = 0;
  changed->reorder =
      afxdp_reorder_new (2, window, G_MAXUINT64, &funcs, changed);
}

/* Packets 1 to n have left. */
static void
end_changed (Changed *changed, guint n)
{
  fail_unless_equals_int (changed->n, n);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (changed->out[i], i + 1);
  afxdp_reorder_end (changed->reorder);
  afxdp_reorder_free (changed->reorder);
}

/* The first leg, alone for a while, is not silent when there is a second one again: what
 * that brings first waits for it. */
TEST (test_second_leg_is_given)
{
  Changed changed;
  guint64 now = BEGIN;

  begin_changed (&changed, 1 * S);
  send_at (&changed, 0, 1, now);
  send_at (&changed, 1, 1, now);
  afxdp_reorder_set_legs (changed.reorder, 1, now);
  for (guint i = 2; i < 6; i++)
    send_at (&changed, 0, i, now += 90 * MS);
  afxdp_reorder_set_legs (changed.reorder, 2, now += 1 * MS);
  send_at (&changed, 1, 8, now += 1 * MS);
  afxdp_reorder_advance (changed.reorder, 0, now);
  for (guint i = 6; i < 8; i++)
    send_at (&changed, 0, i, now);
  end_changed (&changed, 8);
}

/* The sender pauses: no fault of either network, for a second. */
TEST (test_pause)
{
  AfxdpLegs legs = { .window = 10 * MS };
  guint64 since;

  for (guint i = 0; i < 1000; i++)
    for (guint j = 0; j < AFXDP_LEGS; j++)
      afxdp_legs_note_arrival (&legs, j, BEGIN + i * MS);
  for (guint j = 0; j < AFXDP_LEGS; j++) {
    fail_unless_equals_int (
        afxdp_legs_state (&legs, j, BEGIN + 1990 * MS, &since),
        AFXDP_LEG_ACTIVE);
    fail_unless_equals_int (
        afxdp_legs_state (&legs, j, BEGIN + 1999 * MS, &since),
        AFXDP_LEG_SILENT);
    fail_unless_equals_uint64 (since, BEGIN + 999 * MS);
  }
  fail_unless_equals_uint64 (
      afxdp_legs_due (&legs, BEGIN + 1100 * MS), BEGIN + 1999 * MS);
}

/* Behind a pause of the sender the leg that shows its end first may have lost the first
 * packets: the other one is waited for, which has missed nothing until then. */
TEST (test_behind_a_pause)
{
  Changed changed;
  guint64 now = BEGIN;

  begin_changed (&changed, 1 * S);
  send_at (&changed, 0, 1, now);
  send_at (&changed, 1, 1, now);
  for (guint i = 2; i < 10; i += 2) {
    send_at (&changed, 0, i + 1, now += 500 * MS);
    afxdp_reorder_advance (changed.reorder, 1, now);
    send_at (&changed, 1, i, now += 5 * MS);
  }
  end_changed (&changed, 9);
}

/* What one leg has brought meanwhile has arrived, and is put later than what the other
 * one brought after it: that leg is not silent. */
TEST (test_read_later)
{
  Changed changed;
  guint64 now = BEGIN;

  begin_changed (&changed, 10 * S);
  send_at (&changed, 0, 1, now);
  send_at (&changed, 1, 1, now);
  send_at (&changed, 0, 3, now += 1 * MS);
  afxdp_reorder_advance (changed.reorder, 1, now);
  send_at (&changed, 0, 4, now += 200 * MS);
  send_at (&changed, 1, 2, BEGIN + 2 * MS);
  end_changed (&changed, 4);
}

/* Behind a stall a leg's ring and its socket are read in turns, and what they hold is
 * further apart than numbers of 16 bits say. */
TEST (test_inputs_far_apart)
{
  const Run run = { .ssrc = 7, .first_number = 65000, .frame = 9 };
  const guint n_before = 5000, n_ring = 40000, n_socket = 10000;
  Simulation simulation = { .interval = 10 * US,
    .n = n_before + n_ring + n_socket,
    .window = 1 * S,
    .legs = { { .runs[0] = run }, { .runs[0] = run } } };
  guint64 at[2] = { n_before, n_before + n_ring };
  const guint64 ends[2] = { n_before + n_ring, simulation.n };

  begin (&simulation);
  while (simulation.legs[0].next < n_before)
    for (guint leg = 0; leg < AFXDP_LEGS; leg++)
      send_next (&simulation, leg);
  /* What has arrived by neither leg is known until all is read. */
  simulation.is_read_late = TRUE;
  while (at[0] < ends[0] || at[1] < ends[1])
    for (guint input = 0; input < 2; input++) {
      guint64 end = MIN (at[input] + 64, ends[input]);

      for (; at[input] < end; at[input]++)
        for (guint leg = 0; leg < AFXDP_LEGS; leg++) {
          simulation.legs[leg].next = at[input];
          send_next (&simulation, leg);
        }
    }
  finish (&simulation);
  fail_unless_equals_uint64 (simulation.out_of_order, 0);
  fail_unless_equals_uint64 (missing (&simulation, 0), 0);
  fail_unless_equals_uint64 (simulation.n_late, 0);
  /* Of the other leg one was far from all before, and held back. */
  fail_unless_equals_uint64 (
      simulation.n_repeated + simulation.n_stray, simulation.n);
  end (&simulation);
}

/* Nothing was read for so long that more packets are lost than are remembered: what the
 * other leg holds of before is late, and no restart. */
TEST (test_far_behind_a_stall)
{
  const guint n_before = 5000, n_held = 20000, n_lost = 300000;
  Simulation simulation = { .interval = 10 * US,
    .n = n_before + n_held + n_lost + 20000,
    .window = 250 * MS,
    .legs = { { .runs[0] = { .ssrc = 7, .first_number = 65000, .frame = 9 } },
        { .runs[0] = { .ssrc = 7, .first_number = 65000, .frame = 9 } } } };
  guint64 old = n_before, new = n_before + n_held + n_lost;

  begin (&simulation);
  while (simulation.legs[0].next < n_before)
    for (guint leg = 0; leg < AFXDP_LEGS; leg++)
      send_next (&simulation, leg);
  simulation.legs[0].next = new;
  simulation.is_read_late = TRUE;
  while (old < n_before + n_held) {
    for (guint i = 0; i < 64; i++)
      send_next (&simulation, 0);
    for (guint i = 0; i < 64; i++, old++)
      send_next (&simulation, 1);
  }
  simulation.is_read_late = FALSE;
  simulation.legs[1].next = new;
  while (simulation.legs[1].next < simulation.n)
    for (guint leg = 0; leg < AFXDP_LEGS; leg++)
      if (simulation.legs[leg].next < simulation.n)
        send_next (&simulation, leg);
  finish (&simulation);
  fail_unless_equals_uint64 (simulation.out_of_order, 0);
  fail_unless_equals_uint64 (missing (&simulation, new), 0);
  /* Whole batches of them. */
  g_assert_cmpuint (simulation.n_late, >=, n_held);
  end (&simulation);
}

/* A recording that is sent again, of more packets than are remembered, and begins with
 * numbers that are nearest to where they were: it goes on with them. */
TEST (test_recording_again)
{
  const guint n = 290000;
  const Run run = { .ssrc = 7, .first_number = 1, .frame = 9 };
  Run again = run;
  Simulation simulation = { .interval = 10 * US,
    .n = 2 * n,
    .window = 10 * MS,
    .legs = { { .restart = n }, { .restart = n } } };

  again.id = n;
  for (guint leg = 0; leg < AFXDP_LEGS; leg++) {
    simulation.legs[leg].runs[0] = run;
    simulation.legs[leg].runs[1] = again;
  }
  simulate (&simulation);
  fail_unless_equals_uint64 (simulation.out_of_order, 0);
  /* Until it is known: 100 ms, and what a suspect costs. */
  g_assert_cmpuint (missing (&simulation, n), >, 0);
  fail_unless_equals_uint64 (missing (&simulation, n + 10100), 0);
  end (&simulation);
}

/* A leg of one packet a second is silent after twenty. */
TEST (test_slow)
{
  AfxdpLegs legs = { .window = 10 * MS };
  guint64 since;

  for (guint i = 0; i < 30; i++)
    for (guint j = 0; j < AFXDP_LEGS; j++)
      afxdp_legs_note_arrival (&legs, j, BEGIN + i * S);
  for (guint i = 30; i < 49; i++)
    afxdp_legs_note_arrival (&legs, 0, BEGIN + i * S);
  fail_unless_equals_int (
      afxdp_legs_state (&legs, 1, BEGIN + 48 * S, &since), AFXDP_LEG_ACTIVE);
  /* It is behind the pace by a packet that may come yet. */
  afxdp_legs_note_arrival (&legs, 0, BEGIN + 50 * S);
  fail_unless_equals_int (
      afxdp_legs_state (&legs, 1, BEGIN + 50 * S, &since), AFXDP_LEG_SILENT);
}

/* REORDER_SEED is the first of so many seeds. */
LOOP_TEST (test_model, 10)
{
  suite_run_scripts ("REORDER_SEED", __i__, 60, 10, 60, legs_model_run);
}

SUITE ("reorder-legs", 0, NULL, NULL)
