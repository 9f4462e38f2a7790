/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of random streams, held against a naive model: it knows
 * each packet's true number, remembers all that came, and looks through all
 * that is missing for each packet.
 */
#include "rtpstats.h"

#include "rtpstats-fixture.h"
#include "suite.h"

#define MODEL_SPAN 65536 * 2

typedef struct
{
  guint64 first, end, advances, shown;
} ModelGap;

typedef struct
{
  guint64 base, highest, advances;
  gboolean came[MODEL_SPAN];
  gboolean final[MODEL_SPAN]; /* missing when its gap became final */
  GArray *gaps;               /* of ModelGap, pending */
  AfxdpRtpCounts counts;
} Model;

static guint
model_missing (const Model *model, const ModelGap *gap)
{
  guint missing = 0;

  for (guint64 number = gap->first; number < gap->end; number++)
    missing += !model->came[number];
  return missing;
}

static void
model_settle (Model *model, guint64 now)
{
  for (guint i = 0; i < model->gaps->len;) {
    const ModelGap *gap = &g_array_index (model->gaps, ModelGap, i);

    if (model->advances < gap->advances + AFXDP_RTP_FINAL_PACKETS &&
        now < gap->shown + AFXDP_RTP_FINAL_TIME) {
      i++;
      continue;
    }
    if (model_missing (model, gap))
      model->counts.gaps++;
    for (guint64 number = gap->first; number < gap->end; number++)
      model->final[number] = !model->came[number];
    g_array_remove_index (model->gaps, i);
  }
}

static void
model_packet (Model *model, guint64 number, guint64 arrival)
{
  model_settle (model, arrival);
  model->counts.packets++;
  if (model->came[number]) {
    model->counts.duplicates++;
  } else if (number < model->highest) {
    model->counts.reordered++;
  } else {
    ModelGap gap = { model->highest + 1, number, model->advances, arrival };

    if (model->counts.packets > 1 && number > model->highest + 1)
      g_array_append_val (model->gaps, gap);
    model->highest = number;
    model->advances++;
  }
  model->came[number] = TRUE;
  model_settle (model, arrival);
}

static void
model_compare (Model *model)
{
  model->counts.lost = model->counts.pending = 0;
  for (guint64 number = model->base; number < model->highest; number++)
    model->counts.lost += model->final[number] && !model->came[number];
  for (guint i = 0; i < model->gaps->len; i++)
    model->counts.pending +=
        model_missing (model, &g_array_index (model->gaps, ModelGap, i));
  assert_totals_at (__LINE__, model->counts);
  if (model->highest > model->base)
    fail_unless_equals_int (
        nth_source (0).extended_highest_seq, model->highest);
}

typedef struct
{
  guint64 number;
  guint64 position;
} Sent;

static gint
compare_positions (gconstpointer a, gconstpointer b)
{
  const Sent *first = a, *second = b;

  return first->position < second->position ? -1
      : first->position > second->position  ? 1
                                            : 0;
}

/* Packets base to base + n, with losses one by one and in bursts, duplicates,
 * and some that are late by up to farthest. */
static GArray *
make_stream (GRand *random, guint64 base, guint n, guint farthest)
{
  GArray *stream = g_array_new (FALSE, FALSE, sizeof (Sent));
  gdouble loss = g_rand_double_range (random, 0, 0.02);
  gdouble late = g_rand_double_range (random, 0, 0.3);
  gdouble again = g_rand_double_range (random, 0, 0.05);
  guint burst = 0;

  for (guint i = 0; i < n; i++) {
    Sent sent = { base + i, 2 * (base + i) };

    if (i < 3) {
      g_array_append_val (stream, sent);
      continue;
    }
    if (!burst && g_rand_double (random) < loss / 50)
      burst = g_rand_int_range (random, 1, 2000);
    if (burst) {
      burst--;
      continue;
    }
    if (g_rand_double (random) < loss)
      continue;
    if (g_rand_double (random) < late)
      sent.position += 2 * g_rand_int_range (random, 0, farthest) + 1;
    g_array_append_val (stream, sent);
    if (g_rand_double (random) < again) {
      sent.position += 2 * g_rand_int_range (random, 0, farthest) + 1;
      g_array_append_val (stream, sent);
    }
  }
  g_array_sort (stream, compare_positions);
  return stream;
}

LOOP_TEST (test_model, 16)
{
  static const guint farthest[] = { 2, 20, 150, 900 };
  g_autoptr (GRand) random = g_rand_new_with_seed (100 + __i__);
  guint64 base = g_rand_int_range (random, 0, 65536);
  g_autoptr (GArray) stream = make_stream (
      random, base, 40000, farthest[__i__ % G_N_ELEMENTS (farthest)]);
  Model *model = g_new0 (Model, 1);
  guint64 arrival = 0, position = 2 * base;

  model->base = base;
  model->gaps = g_array_new (FALSE, FALSE, sizeof (ModelGap));
  for (guint i = 0; i < stream->len; i++) {
    const Sent *sent = &g_array_index (stream, Sent, i);
    guint64 number = sent->number;

    /* 2,000 a second: what is lost takes its time too. */
    arrival += (sent->position - position) * MS / 4;
    position = sent->position;
    if (g_rand_int_range (random, 0, 1000) == 0)
      arrival += g_rand_int_range (random, 0, 2 * AFXDP_RTP_FINAL_TIME);
    packet_at (number, arrival);
    model_packet (model, number, arrival);
    if (i > 2 && i % 100 == 0)
      model_compare (model);
  }
  afxdp_rtp_stats_advance (stats, END);
  model_settle (model, END);
  model_compare (model);
  fail_unless (model->counts.reordered > 0);
  fail_unless (model->counts.duplicates > 0);
  fail_unless (model->counts.lost > 0);
  fail_unless_equals_uint64 (
      model->counts.packets - model->counts.duplicates + model->counts.lost,
      model->highest - model->base + 1);
  g_array_unref (model->gaps);
  g_free (model);
}

SUITE ("rtpstats_model", 0, rtp_set_up, rtp_tear_down)
