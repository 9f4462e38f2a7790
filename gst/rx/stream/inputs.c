/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inputs of a stream, and in which turn they are read. */
#include "inputs.h"

#include "clock.h"

/* While other inputs are busy, the socket is looked at this seldom without a reason:
 * most of its packets come with one. */
#define BATCHES_BETWEEN_LOOKS 16
/* So soon after it was empty, a gap is no reason either; ns. */
#define GAP_LOOK_INTERVAL AFXDP_MS

void
afxdp_inputs_add (AfxdpInputs *inputs, AfxdpInput *input)
{
  g_assert (inputs->n < AFXDP_MOST_INPUTS);
  inputs->all[inputs->n++] = input;
}

guint32
afxdp_inputs_init (AfxdpInputs *inputs, AfxdpSocket *socket,
    const AfxdpDestination *destination, const AfxdpStreamSettings *settings,
    AfxdpDrops *drops)
{
  inputs->destination = destination;
  inputs->batch = settings->batch;
  inputs->drops = drops;
  afxdp_socket_input_init (&inputs->slow, socket, settings->batch, drops);
  afxdp_inputs_add (inputs, &inputs->slow.input);
  return inputs->slow.dropped;
}

void
afxdp_inputs_add_rings (AfxdpInputs *inputs, const AfxdpFastPath *path)
{
  for (guint i = inputs->n_rings; i < path->n_rings; i++) {
    afxdp_ring_input_init (&inputs->rings[i], &path->rings[i], path->umem,
        inputs->destination, inputs->batch, inputs->drops);
    afxdp_inputs_add (inputs, &inputs->rings[i].input);
    inputs->n_rings++;
  }
  for (guint i = 0; i < inputs->n_rings; i++)
    inputs->rings[i].metadata = path->metadata;
}

guint
afxdp_inputs_remove_rings (AfxdpInputs *inputs)
{
  guint n = 0;

  for (; inputs->n_rings; inputs->n_rings--) {
    AfxdpInput *input = inputs->all[--inputs->n];

    n += afxdp_input_discard (input);
    afxdp_input_clear (input);
  }
  inputs->until = (AfxdpProgramDid){ 0 };
  return n;
}

guint
afxdp_inputs_discard (AfxdpInputs *inputs)
{
  guint n = 0;

  for (guint i = 0; i < inputs->n; i++)
    n += afxdp_input_discard (inputs->all[i]);
  return n;
}

void
afxdp_inputs_clear (AfxdpInputs *inputs)
{
  for (guint i = 0; i < inputs->n; i++)
    afxdp_input_clear (inputs->all[i]);
}

/* Reading. */

static void
read_one (AfxdpInputs *inputs, AfxdpInput *input)
{
  guint n = afxdp_input_read (
      input, atomic_load_explicit (&inputs->skip, memory_order_relaxed));

  if (G_UNLIKELY (n))
    atomic_fetch_add_explicit (&inputs->malformed, n, memory_order_relaxed);
}

/* All but the socket: that costs no system call. Returns whether there are packets of
 * theirs. */
static gboolean
read_mapped (AfxdpInputs *inputs)
{
  gboolean some = FALSE;

  for (guint i = 0; i < inputs->n; i++) {
    AfxdpInput *input = inputs->all[i];

    if (input == &inputs->slow.input)
      continue;
    if (afxdp_input_is_empty (input))
      read_one (inputs, input);
    some |= !afxdp_input_is_empty (input);
  }
  return some;
}

static AfxdpProgramDid
ask_program (AfxdpInputs *inputs)
{
  AfxdpProgramDid did = { 0 };

  for (guint i = 0; i < inputs->n_rings; i++) {
    AfxdpRingInput *input = &inputs->rings[i];
    const struct afxdp_slot *words = input->ring->words;

    inputs->overload += afxdp_ring_input_follow_overload (input);
    did.passed += afxdp_ring_word (&words->passed);
    did.redirected += afxdp_ring_word (&words->redirected);
  }
  return did;
}

static void
read_socket (AfxdpInputs *inputs)
{
  read_one (inputs, &inputs->slow.input);
  inputs->batches = 0;
  inputs->socket_due = !inputs->slow.dry;
  inputs->socket_paid = !afxdp_input_is_empty (&inputs->slow.input);
}

gboolean
afxdp_inputs_read (
    AfxdpInputs *inputs, AfxdpSocketTurn turn, AfxdpProgramDid *did)
{
  AfxdpProgramDid until;

  if (!read_mapped (inputs))
    inputs->batches = 0;
  until = ask_program (inputs);
  if (!afxdp_input_is_empty (&inputs->slow.input))
    return FALSE;
  if (!inputs->socket_due && turn != AFXDP_SOCKET_EACH_TIME &&
      until.passed == inputs->until.passed &&
      ++inputs->batches < BATCHES_BETWEEN_LOOKS)
    return FALSE;
  read_socket (inputs);
  did->passed = until.passed - inputs->until.passed;
  did->redirected = until.redirected - inputs->until.redirected;
  inputs->until = until;
  /* A ring that was empty may have filled up before these came: a credit can be
   * used up between two looks. */
  if (inputs->socket_paid)
    read_mapped (inputs);
  return inputs->socket_paid;
}

/* Whether a gap in a ring is a reason to look into the socket. What the program
 * passed needs none, and what it never saw is seldom: when nothing was there a moment
 * ago, it was the network that lost the packet, and will lose the next. */
static gboolean
gaps_count (const AfxdpInputs *inputs)
{
  return inputs->socket_paid ||
      afxdp_now () - inputs->slow.dry_at >= GAP_LOOK_INTERVAL;
}

gboolean
afxdp_inputs_continue (const AfxdpInputs *inputs, const AfxdpInput *input)
{
  return !inputs->has_last ||
      afxdp_order_follows (&afxdp_input_head (input)->rtp, &inputs->last);
}

gboolean
afxdp_inputs_miss_some (AfxdpInputs *inputs, const AfxdpInput *input)
{
  gboolean some = input->kind->path == AFXDP_PATH_FAST && inputs->has_last &&
      afxdp_order_skips (&afxdp_input_head (input)->rtp, &inputs->last) &&
      gaps_count (inputs);

  inputs->socket_due |= some;
  return some;
}

guint
afxdp_inputs_run (AfxdpInputs *inputs, const AfxdpInput *input, guint max)
{
  guint n = afxdp_order_run (inputs->all, inputs->n, input, max);
  guint before_gap;

  if (!inputs->n_rings)
    return n;
  /* A batch costs as much as many packets, so not for each of many gaps. */
  before_gap = afxdp_order_before_gap (afxdp_input_head (input), n);
  if (before_gap == n || !gaps_count (inputs))
    return n;
  inputs->socket_due = TRUE;
  return before_gap;
}

void
afxdp_inputs_done (AfxdpInputs *inputs, AfxdpInput *input, guint n)
{
  const AfxdpPacket *packets = afxdp_input_head (input);
  guint32 frames[AFXDP_LARGEST_BATCH];
  guint n_frames = 0;

  for (guint i = 0; i < n; i++)
    if (packets[i].frame != AFXDP_NO_FRAME)
      frames[n_frames++] = packets[i].frame;
  if (n_frames)
    afxdp_umem_give (input->umem, frames, n_frames);
  inputs->last = packets[n - 1].rtp;
  inputs->has_last = TRUE;
  input->first += n;
}

gboolean
afxdp_inputs_have (const AfxdpInputs *inputs, AfxdpPath path)
{
  for (guint i = 0; i < inputs->n; i++)
    if (inputs->all[i]->kind->path == path &&
        !afxdp_input_is_empty (inputs->all[i]))
      return TRUE;
  return FALSE;
}

gboolean
afxdp_inputs_are_drained (const AfxdpInputs *inputs, AfxdpPath path)
{
  for (guint i = 0; i < inputs->n; i++)
    if (inputs->all[i]->kind->path == path &&
        !afxdp_input_is_drained (inputs->all[i]))
      return FALSE;
  return !afxdp_inputs_have (inputs, path);
}

/* Drops, and pauses. */

void
afxdp_inputs_pause (AfxdpInputs *inputs, guint32 dropped)
{
  if (!inputs->slow.paused)
    afxdp_socket_input_pause (&inputs->slow, dropped);
}

guint64
afxdp_inputs_discard_socket (AfxdpInputs *inputs)
{
  AfxdpSocketInput *slow = &inputs->slow;
  guint64 now = afxdp_now (), n = 0;

  slow->paused = TRUE;
  do {
    inputs->malformed += afxdp_input_read (&slow->input, 0);
    n += afxdp_input_discard (&slow->input);
  } while (!slow->dry && slow->input.last_arrival < now);
  slow->paused = TRUE;
  afxdp_input_look_for_drops (&slow->input);
  return n;
}

guint64
afxdp_inputs_look_for_drops (AfxdpInputs *inputs)
{
  guint64 known = G_MAXUINT64;

  ask_program (inputs);
  for (guint i = 0; i < inputs->n; i++) {
    guint64 of_input = afxdp_input_look_for_drops (inputs->all[i]);

    known = MIN (known, of_input);
  }
  return known;
}

void
afxdp_inputs_begin_overload (AfxdpInputs *inputs, guint64 now)
{
  for (guint i = 0; i < inputs->n_rings; i++)
    inputs->rings[i].overload_at = now;
}

void
afxdp_inputs_end_overload (AfxdpInputs *inputs, guint64 n)
{
  guint64 now = afxdp_now ();

  if (n > inputs->overload)
    afxdp_drops_add (
        inputs->drops, AFXDP_COLUMN_OVERLOAD, n - inputs->overload, now, now);
  inputs->overload = n;
}

void
afxdp_inputs_forget_lost (AfxdpInputs *inputs)
{
  for (guint i = 0; i < inputs->n_rings; i++)
    afxdp_ring_input_forget_lost (&inputs->rings[i]);
}

/* For who waits. */

guint
afxdp_inputs_fill_in_fds (
    const AfxdpInputs *inputs, struct pollfd *fds, gboolean others)
{
  guint n = 0;

  for (guint i = 0; i < inputs->n; i++) {
    const AfxdpInput *input = inputs->all[i];

    if ((others || input == &inputs->slow.input) &&
        afxdp_input_is_empty (input))
      fds[n++] =
          (struct pollfd){ .fd = input->fd, .events = POLLIN | POLLRDHUP };
  }
  return n;
}

void
afxdp_inputs_take_polled (
    AfxdpInputs *inputs, const struct pollfd *fds, guint n)
{
  for (guint i = 0; i < n; i++) {
    if (fds[i].fd != inputs->slow.input.fd || !fds[i].revents)
      continue;
    inputs->socket_due = TRUE;
    if (fds[i].revents & ~POLLIN)
      afxdp_socket_look_for_errors (inputs->slow.socket);
  }
}
