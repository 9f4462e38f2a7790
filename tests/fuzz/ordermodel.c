/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage that orders packets, against a naive model. */
#include "ordermodel.h"

#include "reorder.h"

#define SENDERS 3
#define PACKETS 3000
#define US G_GUINT64_CONSTANT (1000)
#define BASE (G_GUINT64_CONSTANT (1) << 20)

typedef struct
{
  guint64 number, arrival;
  guint id, size;
} Waiting;

typedef struct
{
  guint ssrc;
  guint64 upcoming; /* number that it sends next */
  GArray *kept;     /* numbers that are still to be sent */

  /* The model: what waits, in the order in which it came. */
  gboolean seen;
  guint64 first, next, highest;
  GArray *waiting;  /* Waiting */
  GArray *gone;     /* guint64: numbers that went out */
  GArray *expected; /* guint: what goes out */
  guint n_out;      /* of these; did */
} Sender;

typedef struct
{
  const guint8 *bytes;
  gsize size;
  AfxdpReorder *reorder;
  Sender senders[SENDERS];
  Sender *order[SENDERS]; /* as they were seen */
  guint n_seen;

  guint64 window, max_bytes, now, arrival, pace;
  guint64 cut_short;
  gboolean wild;
  guint n_packets;           /* ids go from 1 to this */
  guint8 ended[PACKETS + 1]; /* how often */
  guint64 arrivals[PACKETS + 1];
  guint n_ended;
} Script;

static guint
take (Script *script)
{
  if (!script->size)
    return 0;
  script->size--;
  return *script->bytes++;
}

/* What the stage does. */

static void
end_packet (Script *script, const AfxdpReorderEntry *entry)
{
  guint id = GPOINTER_TO_UINT (entry->item);

  g_assert_cmpuint (id, >, 0);
  g_assert_cmpuint (id, <=, script->n_packets);
  g_assert_cmpuint (script->ended[id]++, ==, 0);
  script->n_ended++;
}

static void
go_out (const AfxdpReorderEntry *entry, gpointer user_data)
{
  Script *script = user_data;
  Sender *sender;

  end_packet (script, entry);
  if (entry->tag >= SENDERS || script->wild)
    return;
  sender = &script->senders[entry->tag];
  g_assert_cmpuint (sender->n_out, <, sender->expected->len);
  g_assert_cmpuint (g_array_index (sender->expected, guint, sender->n_out++),
      ==, GPOINTER_TO_UINT (entry->item));
}

static void
be_late (const AfxdpReorderEntry *entry, gpointer user_data)
{
  Script *script = user_data;

  g_assert_true (script->wild);
  end_packet (script, entry);
}

static const AfxdpReorderFuncs funcs = { go_out, be_late };

/* What the model does. */

static Waiting *
waiting_at (const Sender *sender, guint i)
{
  return &g_array_index (sender->waiting, Waiting, i);
}

static void
expect (Sender *sender, guint id, guint64 number)
{
  g_array_append_val (sender->expected, id);
  g_array_append_val (sender->gone, number);
  sender->next = number + 1;
}

static gboolean
expect_next (Sender *sender, guint64 number)
{
  for (guint i = 0; i < sender->waiting->len; i++) {
    const Waiting waiting = *waiting_at (sender, i);

    if (waiting.number != number)
      continue;
    g_array_remove_index (sender->waiting, i);
    expect (sender, waiting.id, number);
    return TRUE;
  }
  return FALSE;
}

static void
model_give_up (Sender *sender)
{
  guint64 lowest = G_MAXUINT64;

  for (guint i = 0; i < sender->waiting->len; i++)
    lowest = MIN (lowest, waiting_at (sender, i)->number);
  sender->next = lowest;
  while (expect_next (sender, sender->next))
    ;
}

static guint64
model_bytes (Script *script)
{
  guint64 bytes = 0;

  for (guint i = 0; i < SENDERS; i++)
    for (guint j = 0; j < script->senders[i].waiting->len; j++)
      bytes += waiting_at (&script->senders[i], j)->size;
  return bytes;
}

static guint64
model_due (Script *script, const Sender *sender)
{
  return sender->waiting->len ? waiting_at (sender, 0)->arrival + script->window
                              : G_MAXUINT64;
}

static void
model_make_room (Script *script)
{
  while (model_bytes (script) > script->max_bytes) {
    Sender *oldest = script->order[0];

    for (guint i = 1; i < script->n_seen; i++)
      if (model_due (script, script->order[i]) < model_due (script, oldest))
        oldest = script->order[i];
    model_give_up (oldest);
    script->cut_short++;
  }
}

static void
model_advance (Script *script, guint64 now)
{
  script->now = MAX (script->now, now);
  for (guint i = 0; i < script->n_seen; i++)
    while (model_due (script, script->order[i]) <= script->now)
      model_give_up (script->order[i]);
}

static void
model_accept (Script *script, Sender *sender, const Waiting *packet)
{
  while (packet->number - sender->next > AFXDP_REORDER_MOST) {
    if (sender->waiting->len)
      model_give_up (sender);
    else
      sender->next = packet->number;
    script->cut_short++;
  }
  sender->highest = MAX (sender->highest, packet->number);
  if (packet->number == sender->next) {
    expect (sender, packet->id, packet->number);
    while (expect_next (sender, sender->next))
      ;
  } else {
    g_array_append_val (sender->waiting, *packet);
    model_make_room (script);
  }
  model_advance (script, packet->arrival);
}

static AfxdpReorderVerdict
model_judge (const Sender *sender, guint64 number)
{
  for (guint i = 0; i < sender->gone->len; i++)
    if (g_array_index (sender->gone, guint64, i) == number)
      return AFXDP_REORDER_REPEATED;
  for (guint i = 0; i < sender->waiting->len; i++)
    if (waiting_at (sender, i)->number == number)
      return AFXDP_REORDER_REPEATED;
  return number < sender->next ? AFXDP_REORDER_LATE : AFXDP_REORDER_WANTED;
}

static gboolean
is_far (const Sender *sender, guint64 number)
{
  if (number > sender->highest + AFXDP_REORDER_JUMP ||
      number + AFXDP_REORDER_EARLY < sender->first ||
      number + AFXDP_REORDER_PAST < sender->next)
    return TRUE;
  return FALSE;
}

/* What holds after each step. */
static void
check (Script *script)
{
  guint64 due = afxdp_reorder_due (script->reorder), earliest = G_MAXUINT64;

  g_assert_cmpuint (afxdp_reorder_n_waiting (script->reorder), ==,
      script->n_packets - script->n_ended);
  g_assert_cmpuint (due, >, script->now);
  if (script->wild)
    return;
  for (guint i = 0; i < SENDERS; i++) {
    const Sender *sender = &script->senders[i];

    g_assert_cmpuint (sender->n_out, ==, sender->expected->len);
    earliest = MIN (earliest, model_due (script, sender));
  }
  g_assert_cmpuint (due, ==, earliest);
  g_assert_cmpuint (
      afxdp_reorder_n_cut_short (script->reorder), ==, script->cut_short);
}

/* Packets. */

static void
send_rtp (Script *script, Sender *sender, const AfxdpRtp *rtp, guint64 number)
{
  Waiting packet = {
    .number = number, .arrival = script->arrival, .size = rtp->size
  };
  AfxdpReorderEntry entry = { .arrival = packet.arrival,
    .size = packet.size,
    .tag = sender ? sender - script->senders : SENDERS };
  AfxdpReorderVerdict verdict;

  if (script->n_packets == PACKETS)
    return;
  if (sender && !sender->seen && !script->wild) {
    sender->seen = TRUE;
    sender->first = sender->next = sender->highest = number;
    script->order[script->n_seen++] = sender;
  }
  if (sender && !script->wild && is_far (sender, number))
    return;
  verdict = afxdp_reorder_look (script->reorder, 0, rtp, packet.arrival);
  if (sender && !script->wild)
    g_assert_cmpint (verdict, ==, model_judge (sender, number));
  script->now = MAX (script->now, script->arrival);
  script->arrival += script->pace;
  if (verdict != AFXDP_REORDER_WANTED) {
    model_advance (script, packet.arrival);
    afxdp_reorder_advance (script->reorder, 0, packet.arrival);
    check (script);
    return;
  }
  packet.id = ++script->n_packets;
  entry.item = GUINT_TO_POINTER (packet.id);
  if (!script->wild) {
    if (sender)
      model_accept (script, sender, &packet);
    else
      model_advance (script, packet.arrival);
  }
  afxdp_reorder_put (script->reorder, &entry);
  afxdp_reorder_advance (script->reorder, 0, packet.arrival);
  check (script);
}

static void
send_number (Script *script, Sender *sender, guint64 number)
{
  const AfxdpRtp rtp = {
    .kind = number % 37 ? AFXDP_RTP_DATA : AFXDP_RTP_MALFORMED,
    .ssrc = sender->ssrc,
    .seqnum = number,
    .timestamp = number * 90,
    .size = 10 + number % 90,
  };

  send_rtp (script, sender, &rtp, number);
}

/* One step. */
static void
step (Script *script, Sender **sender)
{
  Sender *from = *sender;
  AfxdpRtp rtp = { .kind = AFXDP_RTP_CONTROL, .size = 50 };
  guint n, deed = take (script);

  switch (deed % 12) {
    case 0:
    case 1:
      for (n = take (script) % 64 + 1; n; n--)
        send_number (script, from, from->upcoming++);
      break;
    case 2: /* later, or never */
      for (n = take (script) % 16 + 1; n; n--, from->upcoming++)
        g_array_append_val (from->kept, from->upcoming);
      break;
    case 3:
    case 4:
      if (from->kept->len) {
        guint i = take (script) % from->kept->len;
        guint64 number = g_array_index (from->kept, guint64, i);

        g_array_remove_index (from->kept, i);
        send_number (script, from, number);
      }
      break;
    case 5:
      n = take (script) << (deed >> 4);
      send_number (script, from, from->upcoming - MIN (n, BASE / 2));
      break;
    case 6:
      from->upcoming += take (script) << (deed >> 4) % 5;
      break;
    case 7:
      script->arrival += take (script) * US << (deed >> 4);
      break;
    case 8:
      model_advance (script, script->arrival);
      afxdp_reorder_advance (script->reorder, 0, script->arrival);
      check (script);
      break;
    case 9:
      *sender = &script->senders[take (script) % SENDERS];
      break;
    case 10:
      script->pace = take (script) * US;
      if (deed & 16)
        send_rtp (script, NULL, &rtp, 0);
      break;
    case 11:
      n = take (script);
      if (deed >> 4 != 7)
        break;
      /* A restart, or a stray. */
      script->wild = TRUE;
      rtp = (AfxdpRtp){ .kind = AFXDP_RTP_DATA,
        .ssrc = n & 1 ? from->ssrc : n,
        .seqnum = take (script) << 8 | n,
        .timestamp = take (script),
        .size = 40 };
      for (n = n >> 1 & 7; n; n--, rtp.seqnum++)
        send_rtp (script, from, &rtp, 0);
      break;
  }
}

void
order_model_run (const guint8 *bytes, gsize size)
{
  g_autofree Script *script = g_new0 (Script, 1);
  Sender *sender = script->senders;

  script->bytes = bytes;
  script->size = size;
  script->window = (take (script) + 1) * 20 * US;
  script->max_bytes = take (script) * 100;
  script->arrival = 1000000 * US;
  script->pace = 10 * US;
  for (guint i = 0; i < SENDERS; i++) {
    script->senders[i] = (Sender){
      .ssrc = 1000 + i,
      .upcoming = BASE + 256 * take (script),
      .kept = g_array_new (FALSE, FALSE, sizeof (guint64)),
      .waiting = g_array_new (FALSE, FALSE, sizeof (Waiting)),
      .gone = g_array_new (FALSE, FALSE, sizeof (guint64)),
      .expected = g_array_new (FALSE, FALSE, sizeof (guint)),
    };
  }
  script->reorder =
      afxdp_reorder_new (1, script->window, script->max_bytes, &funcs, script);
  while (script->size && script->n_packets < PACKETS)
    step (script, &sender);
  for (guint i = 0; i < SENDERS; i++)
    while (!script->wild && script->senders[i].waiting->len)
      model_give_up (&script->senders[i]);
  afxdp_reorder_end (script->reorder);
  check (script);
  g_assert_cmpuint (script->n_ended, ==, script->n_packets);
  afxdp_reorder_free (script->reorder);
  for (guint i = 0; i < SENDERS; i++) {
    g_array_unref (script->senders[i].kept);
    g_array_unref (script->senders[i].waiting);
    g_array_unref (script->senders[i].gone);
    g_array_unref (script->senders[i].expected);
  }
}
