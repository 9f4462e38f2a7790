/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiles a script into the stretches of a plan, and reads back from them what
 * a flow has done. How the stretches are stepped through is rtpgen-plan.h's.
 */
#include "rtpgen-script.h"

/* Far beyond any run, and far from overflow. */
#define LAST_POSITION (G_GUINT64_CONSTANT (1) << 48)
#define END_OF_TIME (G_GUINT64_CONSTANT (1) << 62)

/* A packet that is held back. */
typedef struct
{
  guint64 index;
  guint64 release; /* it leaves before the packet with this index */
} HeldPacket;

typedef struct
{
  struct rtpgen_stretch *stretches;
  guint count;
  guint64 next; /* the lowest index that is not decided yet */
  GArray *held; /* of HeldPacket, in the order in which they leave */
} Compiler;

static const gchar *
event_name (RtpgenEventKind kind)
{
  static const gchar *const names[] = { "gap", "duplicate", "reorder" };

  return names[kind];
}

gboolean
rtpgen_event_parse (
    RtpgenEventKind kind, const gchar *text, RtpgenEvent *event, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 2);

  event->kind = kind;
  event->amount = 1;
  if (parts[0] &&
      g_ascii_string_to_unsigned (
          parts[0], 10, 0, LAST_POSITION, &event->position, NULL) &&
      (!parts[1] ||
          g_ascii_string_to_unsigned (
              parts[1], 10, 1, G_MAXUINT32, &event->amount, NULL)))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "Cannot read --%s %s: it wants POSITION:AMOUNT, a packet's index (from "
      "0) and a number (from 1)",
      event_name (kind), text);
  return FALSE;
}

static gint
compare_events (gconstpointer left, gconstpointer right)
{
  const RtpgenEvent *a = left, *b = right;

  return (a->position > b->position) - (a->position < b->position);
}

static gboolean
emit (Compiler *self, guint64 index, guint64 count,
    enum rtpgen_stretch_kind kind, GError **error)
{
  struct rtpgen_stretch *last =
      self->count ? &self->stretches[self->count - 1] : NULL;

  if (last && kind == RTPGEN_STRETCH_ORDINARY &&
      last->index + last->count == index) {
    last->count += count;
    return TRUE;
  }
  if (self->count == RTPGEN_STRETCHES) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "The script is too long: it makes more than %d stretches of "
        "consecutive packets. If it is periodic, give one period and "
        "--script-every",
        RTPGEN_STRETCHES);
    return FALSE;
  }
  self->stretches[self->count++] = (struct rtpgen_stretch){
    .index = index,
    .count = count,
    .kind = kind,
  };
  return TRUE;
}

static gboolean
release_held (Compiler *self, GError **error)
{
  while (self->held->len) {
    HeldPacket held = g_array_index (self->held, HeldPacket, 0);

    if (held.release > self->next)
      break;
    if (!emit (self, held.index, 1, RTPGEN_STRETCH_LATE, error))
      return FALSE;
    g_array_remove_index (self->held, 0);
  }
  return TRUE;
}

static void
hold (Compiler *self, guint64 index, guint64 release)
{
  HeldPacket held = { index, release };
  guint place = self->held->len;

  while (place > 0 &&
      g_array_index (self->held, HeldPacket, place - 1).release > release)
    place--;
  g_array_insert_val (self->held, place, held);
}

/* Decides all packets below end, at which nothing special happens. */
static gboolean
advance (Compiler *self, guint64 end, GError **error)
{
  for (;;) {
    guint64 stop = end;

    if (!release_held (self, error))
      return FALSE;
    if (self->next >= end)
      return TRUE;
    if (self->held->len)
      stop = MIN (stop, g_array_index (self->held, HeldPacket, 0).release);
    if (!emit (self, self->next, stop - self->next, RTPGEN_STRETCH_ORDINARY,
            error))
      return FALSE;
    self->next = stop;
  }
}

static gboolean
apply (Compiler *self, const RtpgenEvent *event, GError **error)
{
  switch (event->kind) {
    case RTPGEN_EVENT_GAP:
      self->next += event->amount;
      break;
    case RTPGEN_EVENT_DUPLICATE:
      if (!emit (self, self->next, 1, RTPGEN_STRETCH_ORDINARY, error))
        return FALSE;
      for (guint64 i = 0; i < event->amount; i++)
        if (!emit (self, self->next, 1, RTPGEN_STRETCH_DUPLICATE, error))
          return FALSE;
      self->next++;
      break;
    case RTPGEN_EVENT_REORDER:
      hold (self, self->next, self->next + event->amount + 1);
      self->next++;
      break;
  }
  return release_held (self, error);
}

/* The first index that the event does not concern. */
static guint64
event_end (const RtpgenEvent *event)
{
  switch (event->kind) {
    case RTPGEN_EVENT_GAP:
      return event->position + event->amount;
    case RTPGEN_EVENT_REORDER:
      return event->position + event->amount + 1;
    default:
      return event->position + 1;
  }
}

static gboolean
check_event (const Compiler *self, const RtpgenEvent *event, guint64 cycle,
    GError **error)
{
  if (event->position < self->next) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "--%s at packet %" G_GUINT64_FORMAT
        ": an earlier event of the script concerns that packet already",
        event_name (event->kind), event->position);
    return FALSE;
  }
  if (cycle && event_end (event) > cycle) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "--%s at packet %" G_GUINT64_FORMAT
        " reaches to packet %" G_GUINT64_FORMAT
        ", beyond --script-every %" G_GUINT64_FORMAT,
        event_name (event->kind), event->position, event_end (event) - 1,
        cycle);
    return FALSE;
  }
  return TRUE;
}

gboolean
rtpgen_script_compile (GArray *events, guint64 cycle, struct rtpgen_plan *plan,
    struct rtpgen_stretch *stretches, GError **error)
{
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (HeldPacket));
  Compiler compiler = { .stretches = stretches, .held = held };

  g_array_sort (events, compare_events);
  for (guint i = 0; i < events->len; i++) {
    const RtpgenEvent *event = &g_array_index (events, RtpgenEvent, i);

    if (!check_event (&compiler, event, cycle, error) ||
        !advance (&compiler, event->position, error) ||
        !apply (&compiler, event, error))
      return FALSE;
  }
  if (!advance (&compiler, cycle ? cycle : END_OF_TIME, error))
    return FALSE;
  if (compiler.count == 0) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "The script leaves out all of its %" G_GUINT64_FORMAT
        " packets (--script-every): nothing would be sent",
        cycle);
    return FALSE;
  }
  plan->cycle = cycle;
  plan->stretches = compiler.count;
  return TRUE;
}

/* Adds up the first sent packets of one cycle, which starts at index 0. */
static void
walk (const struct rtpgen_plan *plan, const struct rtpgen_stretch *stretches,
    guint64 sent, RtpgenTally *tally, guint64 *lowest)
{
  *tally = (RtpgenTally){ .first = stretches[0].index };
  *lowest = stretches[0].index;
  for (guint i = 0; sent > 0 && i < plan->stretches; i++) {
    const struct rtpgen_stretch *stretch = &stretches[i];
    guint64 count = MIN (sent, stretch->count);

    sent -= count;
    tally->last = stretch->index + count - 1;
    tally->highest = MAX (tally->highest, tally->last);
    tally->duplicates += stretch->kind == RTPGEN_STRETCH_DUPLICATE;
    tally->reordered += stretch->kind == RTPGEN_STRETCH_LATE;
    *lowest = MIN (*lowest, stretch->index);
  }
}

void
rtpgen_script_tally (const struct rtpgen_plan *plan,
    const struct rtpgen_stretch *stretches, guint64 sent, RtpgenTally *tally)
{
  guint64 in_cycle = 0, cycles = 0, part = sent, lowest, ignored;
  RtpgenTally whole;

  for (guint i = 0; plan->cycle && i < plan->stretches; i++)
    in_cycle += stretches[i].count;
  if (in_cycle) {
    cycles = sent / in_cycle;
    part = sent % in_cycle;
  }
  walk (plan, stretches, part, tally, &lowest);
  if (cycles) {
    walk (plan, stretches, in_cycle, &whole, &lowest);
    if (!part)
      walk (plan, stretches, in_cycle, tally, &ignored);
    tally->last += (part ? cycles : cycles - 1) * plan->cycle;
    tally->highest += (part ? cycles : cycles - 1) * plan->cycle;
    tally->duplicates += (part ? cycles : cycles - 1) * whole.duplicates;
    tally->reordered += (part ? cycles : cycles - 1) * whole.reordered;
  }
  if (sent)
    tally->missing = tally->highest + 1 - lowest - (sent - tally->duplicates);
}
