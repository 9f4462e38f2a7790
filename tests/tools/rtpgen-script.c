/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiles a script into the stretches of a plan, and reads back from them what
 * a flow has done. How the stretches are stepped through is rtpgen-plan.h's.
 */
#include "rtpgen-script.h"

/* Far beyond any run, and far from overflow. */
#define LAST_POSITION (G_GUINT64_CONSTANT (1) << 48)
#define MS G_GUINT64_CONSTANT (1000000)
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
  const RtpgenClock *clock;
  guint64 flow_rate; /* packets/s of one flow, in thousandths */
  gboolean apart;    /* what comes next is another stretch */
} Compiler;

/* The name of the option for it, also. */
static const gchar *
event_name (RtpgenEventKind kind)
{
  static const gchar *const names[] = { "gap", "duplicate", "reorder",
    "silence", "pause", "hold" };

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
  return rtpgen_refuse (error,
      "Cannot read --%s %s: it wants POSITION:AMOUNT, a packet's index (from "
      "0) and a number (from 1)",
      event_name (kind), text);
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

  if (last && kind == RTPGEN_STRETCH_ORDINARY && !self->apart &&
      last->kind != RTPGEN_STRETCH_SILENT &&
      last->index + last->count == index) {
    last->count += count;
    return TRUE;
  }
  if (self->count == RTPGEN_STRETCHES)
    return rtpgen_refuse (error,
        "The script is too long: it makes more than %d stretches of "
        "consecutive packets. If it is periodic, give one period and "
        "--script-every",
        RTPGEN_STRETCHES);
  self->stretches[self->count].index = index;
  self->stretches[self->count].count = count;
  self->stretches[self->count++].kind = kind;
  self->apart = FALSE;
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

/* Before the stretch that comes next; time in ms. */
static void
delay (Compiler *self, RtpgenEventKind kind, guint64 time)
{
  struct rtpgen_stretch *next = &self->stretches[self->count];

  self->apart = TRUE;
  if (self->count == RTPGEN_STRETCHES) /* emit() will say so */
    return;
  if (kind == RTPGEN_EVENT_HOLD) {
    next->hold_ns = time * MS;
    return;
  }
  next->pause_ns = time * MS;
  if (self->clock->go_on)
    next->ticks = rtpgen_clock_ticks (self->clock, next->pause_ns);
}

/* Packets of a flow in so many ms. */
static guint64
count_turns (const Compiler *self, guint64 time)
{
  return MAX ((time * self->flow_rate + 500000) / 1000000, 1);
}

static gboolean
apply (Compiler *self, const RtpgenEvent *event, GError **error)
{
  guint64 count;

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
    case RTPGEN_EVENT_SILENCE:
      count = count_turns (self, event->amount);
      if (!emit (self, self->next, count, RTPGEN_STRETCH_SILENT, error))
        return FALSE;
      self->next += count;
      break;
    case RTPGEN_EVENT_PAUSE:
    case RTPGEN_EVENT_HOLD:
      delay (self, event->kind, event->amount);
      break;
  }
  return release_held (self, error);
}

/* The first index that the event does not concern. */
static guint64
event_end (const Compiler *self, const RtpgenEvent *event)
{
  switch (event->kind) {
    case RTPGEN_EVENT_GAP:
      return event->position + event->amount;
    case RTPGEN_EVENT_REORDER:
      return event->position + event->amount + 1;
    case RTPGEN_EVENT_SILENCE:
      return event->position + count_turns (self, event->amount);
    default:
      return event->position + 1;
  }
}

static gboolean
check_event (const Compiler *self, const RtpgenEvent *event, guint64 cycle,
    GError **error)
{
  if (event->position < self->next)
    return rtpgen_refuse (error,
        "--%s at packet %" G_GUINT64_FORMAT
        ": an earlier event of the script concerns that packet already",
        event_name (event->kind), event->position);
  if (event->kind == RTPGEN_EVENT_SILENCE && !self->flow_rate)
    return rtpgen_refuse (
        error, "--silence needs --rate: it says how many packets are not sent");
  if (event->kind >= RTPGEN_EVENT_PAUSE && !event->position) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "--%s at packet 0: nothing is sent before it; start later instead",
        event_name (event->kind));
    return FALSE;
  }
  if (cycle && event_end (self, event) > cycle)
    return rtpgen_refuse (error,
        "--%s at packet %" G_GUINT64_FORMAT
        " reaches to packet %" G_GUINT64_FORMAT
        ", beyond --script-every %" G_GUINT64_FORMAT,
        event_name (event->kind), event->position, event_end (self, event) - 1,
        cycle);
  return TRUE;
}

/* Whether nothing is ever sent. */
static gboolean
is_empty (const struct rtpgen_stretch *stretches, guint count)
{
  for (guint i = 0; i < count; i++)
    if (stretches[i].kind != RTPGEN_STRETCH_SILENT)
      return FALSE;
  return TRUE;
}

gboolean
rtpgen_script_compile (GArray *events, guint64 cycle, const RtpgenClock *clock,
    struct rtpgen_plan *plan, struct rtpgen_stretch *stretches, GError **error)
{
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (HeldPacket));
  Compiler compiler = { .stretches = stretches,
    .held = held,
    .clock = clock,
    .flow_rate = plan->rate * 1000 / plan->flows };

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
  if (is_empty (stretches, compiler.count))
    return rtpgen_refuse (error,
        "The script leaves out all of its %" G_GUINT64_FORMAT
        " packets (--script-every): nothing would be sent",
        cycle);
  plan->cycle = cycle;
  plan->stretches = compiler.count;
  return TRUE;
}

/* Adds up the first turns of one cycle, which starts at index 0. */
static void
walk (const struct rtpgen_plan *plan, const struct rtpgen_stretch *stretches,
    guint64 turns, RtpgenTally *tally, guint64 *lowest)
{
  gboolean any = FALSE;

  *tally = (RtpgenTally){ 0 };
  *lowest = G_MAXUINT64;
  for (guint i = 0; turns > 0 && i < plan->stretches; i++) {
    const struct rtpgen_stretch *stretch = &stretches[i];
    guint64 count = MIN (turns, stretch->count);

    turns -= count;
    if (stretch->kind == RTPGEN_STRETCH_SILENT) {
      tally->silent += count;
      continue;
    }
    if (!any)
      tally->first = stretch->index;
    any = TRUE;
    tally->last = stretch->index + count - 1;
    tally->highest = MAX (tally->highest, tally->last);
    tally->duplicates += stretch->kind == RTPGEN_STRETCH_DUPLICATE;
    tally->reordered += stretch->kind == RTPGEN_STRETCH_LATE;
    *lowest = MIN (*lowest, stretch->index);
  }
}

static guint64
count_cycle (
    const struct rtpgen_plan *plan, const struct rtpgen_stretch *stretches)
{
  guint64 turns = 0;

  for (guint i = 0; plan->cycle && i < plan->stretches; i++)
    turns += stretches[i].count;
  return turns;
}

void
rtpgen_script_tally (const struct rtpgen_plan *plan,
    const struct rtpgen_stretch *stretches, guint64 turns, RtpgenTally *tally)
{
  const guint64 in_cycle = count_cycle (plan, stretches);
  guint64 cycles = 0, part = turns, lowest, ignored;
  RtpgenTally whole;

  if (in_cycle) {
    cycles = turns / in_cycle;
    part = turns % in_cycle;
  }
  walk (plan, stretches, part, tally, &lowest);
  if (cycles) {
    /* What the last cycle has not sent yet, the one before it has. */
    const gboolean sent = part > tally->silent;
    const guint64 silent = tally->silent;

    walk (plan, stretches, in_cycle, &whole, &lowest);
    if (!sent) {
      walk (plan, stretches, in_cycle, tally, &ignored);
      tally->silent += silent;
    }
    tally->first = whole.first;
    tally->last += (sent ? cycles : cycles - 1) * plan->cycle;
    tally->highest += (sent ? cycles : cycles - 1) * plan->cycle;
    tally->duplicates += (sent ? cycles : cycles - 1) * whole.duplicates;
    tally->reordered += (sent ? cycles : cycles - 1) * whole.reordered;
    tally->silent += (sent ? cycles : cycles - 1) * whole.silent;
  }
  if (turns > tally->silent)
    tally->missing = tally->highest + 1 - lowest -
        (turns - tally->silent - tally->duplicates);
}

guint64
rtpgen_script_pauses (const struct rtpgen_plan *plan,
    const struct rtpgen_stretch *stretches, guint64 turns)
{
  const guint64 in_cycle = count_cycle (plan, stretches);
  guint64 sum = 0, before = 0;

  for (guint i = 0; i < plan->stretches && before < turns; i++) {
    guint64 times = in_cycle ? (turns - before - 1) / in_cycle + 1 : 1;

    sum += times * stretches[i].pause_ns;
    before += stretches[i].count;
  }
  return sum;
}
