/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An input of a kind that the stream does not know, in memory that this file writes:
 * it is read, polled, watched and closed as the others are, whichever path it is of.
 */
#include "input.h"

#include <string.h>

#include "clock.h"
#include "loopback.h"
#include "receiver.h"
#include "streamstate.h"
#include "suite.h"
#include "wakeup.h"

#define BATCH 4
#define SLOTS 64
#define PAYLOAD_TYPE 33

typedef struct
{
  guint64 arrival;
  guint size;
  guint8 bytes[12];
} Slot;

/* Neither the socket nor a ring. */
typedef struct
{
  AfxdpInput input;

  Slot slots[SLOTS];
  guint head; /* atomic */
  guint taken;
  guint n_dropped; /* to be told */
} Third;

static const AfxdpPath paths[] = { AFXDP_PATH_FAST, AFXDP_PATH_SLOW };

static Third third;
static Loopback *loopback;
static AfxdpStream *stream;

static guint
read_third (AfxdpInput *input, guint skip)
{
  guint n;

  input->first = input->end = 0;
  /* Before the look: what comes behind it has to be told again. */
  afxdp_wakeup_clear (input->fd);
  n = MIN (g_atomic_int_get (&third.head) - third.taken, input->batch);
  for (guint i = 0; i < n; i++) {
    const Slot *slot = &third.slots[third.taken++ % SLOTS];
    AfxdpPacket *packet = &input->packets[input->end];

    packet->arrival = input->last_arrival = slot->arrival;
    packet->frame = AFXDP_NO_FRAME;
    packet->sender = (AfxdpSender){ .address = slot->bytes, .version = 4 };
    if (afxdp_input_take_payload (packet, slot->bytes, slot->size, skip))
      input->end++;
  }
  return n - input->end;
}

static guint64
look_for_drops (AfxdpInput *input)
{
  guint64 now = afxdp_now ();

  if (third.n_dropped)
    afxdp_drops_add (input->drops, AFXDP_COLUMN_RX_RING, third.n_dropped,
        input->last_arrival, now);
  third.n_dropped = 0;
  return G_MAXUINT64;
}

static gboolean
is_drained (const AfxdpInput *input)
{
  return (guint) g_atomic_int_get (&third.head) == third.taken;
}

static void
put (guint seqnum, guint size)
{
  Slot *slot = &third.slots[third.head % SLOTS];

  *slot = (Slot){ afxdp_now (), size,
    { 0x80, PAYLOAD_TYPE, seqnum >> 8, seqnum & 0xff, [11] = PAYLOAD_TYPE } };
  g_atomic_int_inc (&third.head);
}

static void
put_rtp (guint seqnum)
{
  put (seqnum, sizeof third.slots->bytes);
}

static void
tell (void)
{
  afxdp_wakeup_signal (third.input.fd);
}

/* The owner looks at these, or receive() returns for them again. */
static void
take_news (void)
{
  AfxdpPathChange change;

  if (!afxdp_stream_path_changed (stream, &change))
    return;
  afxdp_path_change_clear (&change);
}

/* Takes up to max packets, whose numbers go on from next. Returns how many. */
static guint
take (guint next, guint max, guint64 deadline)
{
  AfxdpBatch batch;

  if (!afxdp_stream_receive (stream, &batch, max, deadline)) {
    take_news ();
    return 0;
  }
  for (guint i = 0; i < batch.n; i++) {
    AfxdpPacket *packet = &batch.packets[i];

    fail_unless_equals_int (packet->rtp.seqnum, next + i);
    if (packet->frame == AFXDP_NO_FRAME)
      fail_if (afxdp_stream_lend (stream, packet));
  }
  afxdp_stream_done (stream);
  return batch.n;
}

static void
open_stream (AfxdpPath path)
{
  static AfxdpInputKind kind = {
    .read = read_third,
    .look_for_drops = look_for_drops,
    .is_drained = is_drained,
  };
  AfxdpStreamSettings settings = { .batch = BATCH, .mode = AFXDP_MODE_SOCKET };
  g_autoptr (GError) error = NULL;

  loopback = loopback_new ();
  settings.address = loopback->address;
  settings.port = loopback->port;
  stream = afxdp_stream_new (&settings, &error);
  g_assert_no_error (error);
  kind.path = path;
  afxdp_input_init (
      &third.input, &kind, NULL, afxdp_wakeup_new (), BATCH, 0, &stream->drops);
  third.input.stamped = TRUE;
  afxdp_inputs_add (&stream->inputs, &third.input);
}

static void
close_stream (AfxdpStreamCounts *counts)
{
  AfxdpStreamCounts unused = { 0 };
  AfxdpDrops drops;
  int fd = third.input.fd;

  afxdp_stream_close (stream, counts ?: &unused, &drops);
  afxdp_stream_counts_clear (counts ?: &unused);
  close (fd);
  loopback_free (loopback);
}

/* In one order with what comes by the socket. */
TABLE_TEST (test_is_read, paths)
{
  guint64 until = afxdp_now () + 5000 * AFXDP_MS;
  guint n = 0;

  open_stream (paths[__i__]);
  loopback_send_rtp (loopback, PAYLOAD_TYPE, 0);
  put_rtp (1);
  put_rtp (2);
  loopback_send_rtp (loopback, PAYLOAD_TYPE, 3);
  put_rtp (4);
  tell ();
  while (n < 5 && afxdp_now () < until)
    n += take (n, BATCH, until);
  fail_unless_equals_int (n, 5);
  fail_if (take (n, BATCH, 0));
  close_stream (NULL);
}

/* However much it has, the socket gets its turn, though nothing tells that it has
 * something. */
TABLE_TEST (test_leaves_turns, paths)
{
  guint n_batches = 0;
  AfxdpPath path = AFXDP_PATH_NONE;

  open_stream (paths[__i__]);
  fail_if (take (0, BATCH, 0));
  loopback_send_pattern (loopback, 0, 100);
  while (path != AFXDP_PATH_SLOW) {
    AfxdpBatch batch;

    put_rtp (n_batches);
    fail_unless (afxdp_stream_receive (stream, &batch, BATCH, 0));
    if (!afxdp_rtp_is_sound (&batch.packets[0].rtp))
      path = AFXDP_PATH_SLOW;
    afxdp_stream_done (stream);
    fail_unless (n_batches++ < 100);
  }
  close_stream (NULL);
}

static gpointer
put_later (gpointer data)
{
  g_usleep (50000);
  put_rtp (0);
  tell ();
  return NULL;
}

TABLE_TEST (test_is_polled, paths)
{
  GThread *thread;
  guint64 begin, length;

  open_stream (paths[__i__]);
  fail_if (take (0, BATCH, 0));
  begin = afxdp_now ();
  thread = g_thread_new ("writer", put_later, NULL);
  fail_unless_equals_int (take (0, BATCH, begin + 10000 * AFXDP_MS), 1);
  length = (afxdp_now () - begin) / AFXDP_MS;
  fail_unless (length < 5000, "after %u ms", (guint) length);
  g_thread_join (thread);
  close_stream (NULL);
}

static gint n_taken;

/* As the element does. */
static AfxdpTurn
serve (gpointer consumer, guint64 *due)
{
  g_atomic_int_add (&n_taken, take (n_taken, BATCH, 0));
  return afxdp_stream_has_more (stream) ? AFXDP_TURN_AGAIN : AFXDP_TURN_REST;
}

static void
wait_until_taken (gint n)
{
  guint64 until = afxdp_now () + 5000 * AFXDP_MS;

  while (g_atomic_int_get (&n_taken) < n && afxdp_now () < until)
    g_usleep (1000);
  fail_unless_equals_int (g_atomic_int_get (&n_taken), n);
}

/* By a receiver, also when more than a turn takes is told of once. */
TABLE_TEST (test_is_watched, paths)
{
  const AfxdpReceiverSettings settings = { .batch = BATCH };
  g_autoptr (GError) error = NULL;
  AfxdpReceiver *receiver = afxdp_receiver_new ("test", &settings, &error);
  AfxdpServed *served;

  g_assert_no_error (error);
  open_stream (paths[__i__]);
  served = afxdp_receiver_add (receiver, stream, serve, NULL);
  put_rtp (0);
  afxdp_served_call (served);
  wait_until_taken (1);
  g_usleep (20000); /* it rests, as a rule */
  for (guint i = 1; i < 4 * BATCH; i++)
    put_rtp (i);
  tell ();
  wait_until_taken (4 * BATCH);
  afxdp_served_remove (served);
  afxdp_receiver_free (receiver);
  close_stream (NULL);
}

/* What it dropped, what is too short, and what nobody took. */
TABLE_TEST (test_is_counted, paths)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpDrops *drops;

  open_stream (paths[__i__]);
  afxdp_stream_set_skip (stream, 4);
  put (0, 3);
  tell ();
  fail_if (take (0, BATCH, 0));
  afxdp_stream_set_skip (stream, 0);
  for (guint i = 0; i < 3; i++)
    put_rtp (i);
  fail_unless_equals_int (take (0, 1, 0), 1);

  third.n_dropped = 7;
  afxdp_stream_look_for_drops (stream, 0);
  drops = afxdp_stream_drops (stream);
  fail_unless_equals_int (drops->n, 1);
  fail_unless_equals_int (drops->drops[0].column, AFXDP_COLUMN_RX_RING);
  fail_unless_equals_int (drops->drops[0].n, 7);

  close_stream (&counts);
  fail_unless_equals_int (counts.malformed, 1);
  fail_unless_equals_int (counts.discarded, 2);
}

SUITE ("inputs", 0, NULL, NULL)
