/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring as a source of a stream's packets. */
#include "ringinput.h"

#include <string.h>

#include "clock.h"

/* A packet that was redirected is in its ring at the end of the driver's poll; a
 * machine may take the processor from that, but hardly for so long. ns. */
#define LONGEST_ON_THE_WAY 50000000

static guint64
n_redirected (const AfxdpRingInput *self)
{
  return afxdp_ring_word (&self->ring->words->redirected);
}

/* Of what the program redirected, all below next_ordinal is accounted for, n
 * packets of it by having arrived since the last time. The others took no frame.
 * Gives credit and frames back to the program. */
static void
release (AfxdpRingInput *self, guint n)
{
  struct afxdp_slot *words = self->ring->words;
  guint64 before = afxdp_ring_word (&words->released);

  afxdp_xsk_took_no_frame (
      self->ring->xsk, (gint64) (self->next_ordinal - before) - n);
  __atomic_store_n (&words->released, self->next_ordinal, __ATOMIC_RELEASE);
}

static void
tell_loss (
    AfxdpRingInput *self, const AfxdpXskLoss *loss, guint64 from, guint64 until)
{
  afxdp_ring_tell_loss (self->input.drops, loss, from, until);
  self->told_redirect += loss->n[AFXDP_XSK_LOSS_REDIRECT];
}

/* The n next ordinals will not come. */
static void
lose_ordinals (AfxdpRingInput *self, guint64 n)
{
  AfxdpXskLoss loss;

  afxdp_xsk_explain_loss (self->ring->xsk, n, &loss);
  tell_loss (self, &loss, self->input.last_arrival, afxdp_now ());
  self->next_ordinal += n;
}

/* n ordinals are skipped by the packet that arrived at until. */
static void
add_hole (AfxdpRingInput *self, guint64 n, guint64 until)
{
  AfxdpHole *hole = &self->holes[self->n_holes];

  if (self->n_holes < AFXDP_INPUT_HOLES) {
    *hole = (AfxdpHole){ n, self->input.last_arrival, until };
    self->n_holes++;
  } else {
    hole[-1].n += n;
    hole[-1].until = until;
  }
}

/* A packet that others have overtaken. */
static void
fill_hole (AfxdpRingInput *self, guint64 arrival)
{
  if (self->n_holes) {
    if (!--self->holes[self->n_holes - 1].n)
      self->n_holes--;
  } else if (self->told_redirect) {
    self->told_redirect--;
    afxdp_drops_add (
        self->input.drops, AFXDP_COLUMN_REDIRECT, -1, arrival, arrival);
  }
}

/* The rings' counts explain the holes in their order. */
static void
explain_holes (AfxdpRingInput *self)
{
  AfxdpXskLoss loss;
  guint64 n = 0;

  for (guint i = 0; i < self->n_holes; i++)
    n += self->holes[i].n;
  afxdp_xsk_explain_loss (self->ring->xsk, n, &loss);
  for (guint i = 0; i < self->n_holes; i++) {
    AfxdpHole *hole = &self->holes[i];
    AfxdpXskLoss part = afxdp_xsk_loss_take (&loss, hole->n);

    tell_loss (self, &part, hole->from, hole->until);
  }
  self->n_holes = 0;
}

/* Takes the arrival time and the ordinal from in front of a packet. */
static void
read_metadata (AfxdpRingInput *self, const guint8 *data, AfxdpPacket *packet)
{
  struct afxdp_metadata metadata;
  gint64 ahead;

  memcpy (&metadata, data - sizeof metadata, sizeof metadata);
  /* Behind: in generic mode two CPUs can overtake each other between the
   * program, which numbers, and the ring. */
  ahead = metadata.ordinal - self->next_ordinal;
  if (G_LIKELY (ahead >= 0))
    self->next_ordinal = metadata.ordinal + 1;
  if (G_UNLIKELY (ahead > 0))
    add_hole (self, ahead, metadata.time);
  else if (G_UNLIKELY (ahead < 0))
    fill_hole (self, metadata.time);
  packet->arrival = self->input.last_arrival = metadata.time;
}

static guint
read_ring (AfxdpInput *input, guint skip)
{
  AfxdpRingInput *self = (AfxdpRingInput *) input;
  const AfxdpDestination *destination = self->destination;
  gboolean metadata = self->metadata;
  AfxdpXskPacket *raw = input->raw;
  guint n = afxdp_xsk_receive (self->ring->xsk, raw, input->batch);
  guint64 now = 0;

  input->first = input->end = 0;
  input->stamped = metadata;
  if (!n)
    return 0;
  if (!metadata) {
    now = afxdp_now ();
    self->next_ordinal += n;
  }
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &input->packets[input->end];

    if (metadata)
      read_metadata (self, raw[i].data, packet);
    else
      packet->arrival = input->last_arrival =
          afxdp_ring_counters_arrival (&self->counters, now);
    if (afxdp_frame_packet_take (destination, &raw[i], skip, packet))
      input->end++;
    else
      afxdp_umem_give (input->umem, &packet->frame, 1);
  }
  if (G_UNLIKELY (self->n_holes))
    explain_holes (self);
  self->missing_at = 0;
  release (self, n);
  return n - input->end;
}

/* Without metadata: what the rings counted. */
static guint64
find_drops (AfxdpRingInput *self)
{
  if (!afxdp_ring_counters_may_look (&self->counters))
    return self->counters.looked_at;
  self->next_ordinal += afxdp_ring_counters_look (
      &self->counters, self->ring->xsk, self->input.drops);
  release (self, 0);
  return G_MAXUINT64;
}

/* With metadata the next ordinal tells, and where; but none may come, since the
 * flow goes on elsewhere. What is neither in the ring nor was for long is lost. */
static guint64
watch_missing (AfxdpRingInput *self)
{
  guint64 now = afxdp_now ();

  if (!afxdp_input_is_empty (&self->input) ||
      afxdp_xsk_n_waiting (self->ring->xsk) ||
      n_redirected (self) == self->next_ordinal) {
    self->missing_at = 0;
    return G_MAXUINT64;
  }
  if (!self->missing_at) {
    self->missing_at = now;
    self->missing_end = n_redirected (self);
  } else if (now - self->missing_at > LONGEST_ON_THE_WAY) {
    if (self->missing_end > self->next_ordinal)
      lose_ordinals (self, self->missing_end - self->next_ordinal);
    release (self, 0);
    self->missing_at = 0;
  }
  return self->missing_at ? self->input.last_arrival : G_MAXUINT64;
}

static guint64
look_for_drops (AfxdpInput *input)
{
  AfxdpRingInput *self = (AfxdpRingInput *) input;

  return self->metadata ? watch_missing (self) : find_drops (self);
}

static gboolean
is_drained (const AfxdpInput *input)
{
  return !afxdp_xsk_n_waiting (((const AfxdpRingInput *) input)->ring->xsk);
}

static const AfxdpInputKind kind = {
  .path = AFXDP_PATH_FAST,
  .read = read_ring,
  .look_for_drops = look_for_drops,
  .is_drained = is_drained,
};

void
afxdp_ring_input_init (AfxdpRingInput *self, const AfxdpRing *ring,
    AfxdpUmem *umem, const AfxdpDestination *destination, guint batch,
    AfxdpDrops *drops)
{
  *self = (AfxdpRingInput){ .ring = ring, .destination = destination };
  afxdp_input_init (&self->input, &kind, umem, afxdp_xsk_fd (ring->xsk), batch,
      sizeof (AfxdpXskPacket), drops);
  self->counters.looked_at = self->overload_at = self->input.last_arrival;
  self->next_ordinal = n_redirected (self);
  self->overload = afxdp_ring_word (&ring->words->dropped);
}

guint64
afxdp_ring_input_follow_overload (AfxdpRingInput *self)
{
  guint64 dropped = afxdp_ring_word (&self->ring->words->dropped);
  guint64 n = dropped - self->overload, now;

  if (G_LIKELY (!n))
    return 0;
  now = afxdp_now ();
  afxdp_drops_add (
      self->input.drops, AFXDP_COLUMN_OVERLOAD, n, self->overload_at, now);
  self->overload = dropped;
  self->overload_at = now;
  return n;
}

void
afxdp_ring_input_forget_lost (AfxdpRingInput *self)
{
  guint64 end = n_redirected (self);

  if (end == self->next_ordinal)
    return;
  lose_ordinals (self, end - self->next_ordinal);
  release (self, 0);
}
