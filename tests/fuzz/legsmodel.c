/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage that orders packets, with two legs, against a naive model. */
#include "ordermodel.h"

#include "reorder.h"

#define PACKETS 10000 /* of each leg */
#define US G_GUINT64_CONSTANT (1000)
#define MS (1000 * US)
#define BASE (G_GUINT64_CONSTANT (1) << 20)
/* When one is cut for longer, and the other behind by as much, a leg that comes back is
 * unmatched at first. */
#define FARTHEST 1450
/* For each packet the model looks at all that wait. */
#define MOST_WAITING 3000

typedef struct
{
  guint64 number, arrival;
  guint leg, id;
} Packet;

typedef struct
{
  const guint8 *bytes;
  gsize size;
  guint64 window, interval, delays[AFXDP_LEGS];
  guint frame;
  GArray *packets; /* Packet, in the order in which they arrive */

  /* The model. */
  AfxdpLegs legs;
  GArray *waiting;  /* Packet, as they came */
  GHashTable *gone; /* numbers, + 1 */
  GArray *expected; /* guint: what goes out */
  guint64 first, next;
  guint n_out;
} Script;

static guint
take (Script *script)
{
  if (!script->size)
    return 0;
  script->size--;
  return *script->bytes++;
}

/* What is sent, and what of it comes. */

static gint
compare (gconstpointer one, gconstpointer other)
{
  const Packet *a = one, *b = other;

  if (a->arrival != b->arrival)
    return a->arrival < b->arrival ? -1 : 1;
  if (a->leg != b->leg)
    return a->leg < b->leg ? -1 : 1;
  return a->number < b->number ? -1 : a->number > b->number;
}

static void
send (Script *script, guint leg, guint64 i, guint64 time)
{
  const Packet packet = {
    .number = BASE + 65000 + i,
    .arrival = time + script->delays[leg],
    .leg = leg,
  };

  g_array_append_val (script->packets, packet);
}

static void
write_packets (Script *script)
{
  guint64 time = 1000 * MS, i = 0, last[AFXDP_LEGS] = { 0 };

  while (script->size && i < PACKETS) {
    guint deed = take (script), n = take (script) + 1;
    guint cut = deed >> 3 & 1, every = (deed >> 4) + 2;
    gboolean is_cut = deed % 8 == 0;

    /* One leg is cut; or each loses some; or the sender waits; or all comes. */
    if (is_cut)
      n *= 8;
    if (deed % 8 == 1)
      time += n * 100 * US;
    for (; n && i < PACKETS; n--, i++, time += script->interval) {
      gboolean lost[] = {
        (is_cut && cut == 0) || (deed % 8 < 5 && i % every == 0),
        (is_cut && cut == 1) || (deed % 8 < 4 && i % every == cut),
      };

      for (guint leg = 0; leg < AFXDP_LEGS; leg++)
        if (!lost[leg] || i - last[leg] >= FARTHEST) {
          send (script, leg, i, time);
          last[leg] = i;
        }
      if (deed % 8 == 7 && n % 8 == 0)
        send (script, cut, i, time + script->interval / 2);
    }
  }
  g_array_sort (script->packets, compare);
  for (guint j = 0; j < script->packets->len; j++)
    g_array_index (script->packets, Packet, j).id = j + 1;
}

/* What the stage does. */

static void
go_out (const AfxdpReorderEntry *entry, gpointer user_data)
{
  Script *script = user_data;

  g_assert_cmpuint (script->n_out, <, script->expected->len);
  g_assert_cmpuint (g_array_index (script->expected, guint, script->n_out++),
      ==, GPOINTER_TO_UINT (entry->item));
}

static void
be_late (const AfxdpReorderEntry *entry, gpointer user_data)
{
  g_assert_not_reached ();
}

/* What the model does. */

static void
expect (Script *script, guint number_of_waiting)
{
  const Packet packet =
      g_array_index (script->waiting, Packet, number_of_waiting);

  g_array_append_val (script->expected, packet.id);
  g_hash_table_add (script->gone, GUINT_TO_POINTER (packet.number + 1));
  g_array_remove_index (script->waiting, number_of_waiting);
  script->next = packet.number + 1;
}

/* Of those that wait, the one with the lowest number. */
static guint
lowest (const Script *script)
{
  guint best = 0;

  for (guint i = 1; i < script->waiting->len; i++)
    if (g_array_index (script->waiting, Packet, i).number <
        g_array_index (script->waiting, Packet, best).number)
      best = i;
  return best;
}

static void
expect_those_next (Script *script)
{
  while (script->waiting->len &&
      g_array_index (script->waiting, Packet, lowest (script)).number ==
          script->next)
    expect (script, lowest (script));
}

static gboolean
is_over (const Script *script, guint64 now)
{
  const Packet *oldest;

  if (!script->waiting->len)
    return FALSE;
  oldest = &g_array_index (script->waiting, Packet, 0);
  return now >= oldest->arrival + script->window ||
      afxdp_legs_is_silent (
          &script->legs, !oldest->leg, script->legs.legs[oldest->leg].last);
}

static AfxdpReorderVerdict
judge (const Script *script, const Packet *packet)
{
  if (g_hash_table_contains (
          script->gone, GUINT_TO_POINTER (packet->number + 1)))
    return AFXDP_REORDER_REPEATED;
  for (guint i = 0; i < script->waiting->len; i++)
    if (g_array_index (script->waiting, Packet, i).number == packet->number)
      return AFXDP_REORDER_REPEATED;
  return packet->number < script->next ? AFXDP_REORDER_LATE
                                       : AFXDP_REORDER_WANTED;
}

static void
model_advance (Script *script, guint64 now)
{
  while (is_over (script, now)) {
    script->next =
        g_array_index (script->waiting, Packet, lowest (script)).number;
    expect_those_next (script);
  }
}

static void
arrive (Script *script, AfxdpReorder *reorder, const Packet *packet)
{
  const AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = 1,
    .seqnum = packet->number,
    .timestamp = 0xffff0000 +
        (script->frame ? packet->number / script->frame * 1800 : 0),
  };
  const AfxdpReorderEntry entry = {
    .item = GUINT_TO_POINTER (packet->id),
    .arrival = packet->arrival,
    .size = 100,
    .leg = packet->leg,
  };
  AfxdpReorderVerdict verdict =
      afxdp_reorder_look (reorder, packet->leg, &rtp, packet->arrival);

  afxdp_legs_note_arrival (&script->legs, packet->leg, packet->arrival);
  if (!script->first)
    script->first = script->next = packet->number;
  g_assert_cmpint (verdict, ==, judge (script, packet));
  if (verdict == AFXDP_REORDER_WANTED) {
    g_array_append_val (script->waiting, *packet);
    expect_those_next (script);
    afxdp_reorder_put (reorder, &entry);
  }
  model_advance (script, packet->arrival);
  for (guint i = 0; i < AFXDP_LEGS; i++)
    afxdp_reorder_advance (reorder, i, packet->arrival);
  g_assert_cmpuint (script->n_out, ==, script->expected->len);
  g_assert_cmpuint (
      afxdp_reorder_n_waiting (reorder), ==, script->waiting->len);
}

void
legs_model_run (const guint8 *bytes, gsize size)
{
  static const AfxdpReorderFuncs funcs = { go_out, be_late };
  Script script = { .bytes = bytes, .size = size };
  guint deed = take (&script);
  AfxdpReorder *reorder;

  script.window = (take (&script) + 1) * 200 * US;
  script.interval = (take (&script) % 64 + 1) * 5 * US;
  script.window = MIN (script.window, MOST_WAITING * script.interval);
  script.frame = take (&script) % 80;
  script.delays[deed & 1] =
      MIN (take (&script) * 250 * US, FARTHEST * script.interval);
  script.legs.window = script.window;
  script.packets = g_array_new (FALSE, FALSE, sizeof (Packet));
  script.waiting = g_array_new (FALSE, FALSE, sizeof (Packet));
  script.expected = g_array_new (FALSE, FALSE, sizeof (guint));
  script.gone = g_hash_table_new (NULL, NULL);
  write_packets (&script);
  reorder = afxdp_reorder_new (
      AFXDP_LEGS, script.window, G_MAXUINT64, &funcs, &script);
  for (guint i = 0; i < script.packets->len; i++)
    arrive (&script, reorder, &g_array_index (script.packets, Packet, i));
  model_advance (&script, G_MAXUINT64);
  afxdp_reorder_end (reorder);
  g_assert_cmpuint (script.n_out, ==, script.expected->len);
  afxdp_reorder_free (reorder);
  g_array_unref (script.packets);
  g_array_unref (script.waiting);
  g_array_unref (script.expected);
  g_hash_table_unref (script.gone);
}
