/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory that the distributor daemon fills, as its client has it and reads it: with
 * the daemon's own ring, and with a daemon that writes what it must not.
 */
#include <glib.h>

static void (*before_store) (void);

static inline void
stand_still (void)
{
  if (before_store)
    before_store ();
}

/* So that a test can have the daemon stand still before each store. */
#define __atomic_store_n(place, value, order) \
  (stand_still (), __atomic_store_n (place, value, order))
#include "distributor/clientring.c"
#undef __atomic_store_n

#include "clientinput.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"
#include "error.h"
#include "fork.h"
#include "suite.h"

#define N_SLOTS 24
#define SLOT_SIZE 256
#define BATCH 8

static AfxdpClientRing *ring;
static struct afxdp_opened opened;
static AfxdpClientMemory *memory;
static AfxdpClientInput input;
static AfxdpAccount *account;
static AfxdpTwins twins;
static AfxdpDrops drops;
static guint8 payload[LARGE_SIZE];
static guint64 n_put, n_read;

static AfxdpClientMemory *
try_memory (const struct afxdp_opened *description, GError **error)
{
  return afxdp_client_memory_new (description, afxdp_client_ring_memory (ring),
      afxdp_client_ring_words (ring), error);
}

static void
set_up (void)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < sizeof payload; i++)
    payload[i] = i * 31 + (i >> 8);
  n_put = n_read = 0;
  drops.n = 0;
  ring = afxdp_client_ring_new (N_SLOTS, SLOT_SIZE, &error);
  g_assert_no_error (error);
  memset (&opened, 0, sizeof opened);
  afxdp_client_ring_describe (ring, &opened);
  memory = try_memory (&opened, &error);
  g_assert_no_error (error);
  account = afxdp_account_new (memory->umem);
  afxdp_client_input_init (&input, -1, BATCH, &twins, &drops);
  afxdp_client_input_set_memory (&input, memory, 0);
  /* It plays. */
  input.paused = FALSE;
}

static void
finish (void)
{
  for (; input.input.first < input.input.end; input.input.first++) {
    const AfxdpPacket *packet = afxdp_input_head (&input.input);

    if (packet->frame != AFXDP_NO_FRAME)
      afxdp_umem_give (memory->umem, &packet->frame, 1);
  }
}

static void
tear_down (void)
{
  afxdp_input_discard (&input.input);
  afxdp_client_input_clear (&input);
  afxdp_twins_end (&twins);
  afxdp_account_close (account);
  afxdp_umem_unref (memory->umem);
  afxdp_client_ring_free (ring);
}

/* The daemon's side. */

static void
put (guint size, AfxdpPath path)
{
  static const guint8 sender[] = { 192, 0, 2, 9 };
  AfxdpPacket packet = {
    .data = payload + n_put % 16,
    .size = size,
    .arrival = 1000000 + n_put,
    .sender = { sender, 0, 5004, 4 },
  };

  afxdp_client_ring_put (ring, &packet, path, TRUE);
  n_put++;
}

static void
put_batch (guint n, guint size)
{
  fail_unless (
      afxdp_client_ring_begin (ring), "%s", afxdp_client_ring_violation (ring));
  while (n--)
    put (size, AFXDP_PATH_FAST);
  afxdp_client_ring_end (ring);
}

/* n packets of the host's were dropped between two moments. */
static void
drop_between (AfxdpColumn column, guint n, guint64 from, guint64 until)
{
  AfxdpDrops some = { .n = 1, .drops = { { column, n, from, until } } };

  afxdp_client_ring_add_drops (ring, &some);
}

static void
drop_since (AfxdpColumn column, guint n, guint64 from)
{
  drop_between (column, n, from, from);
}

/* Some ns before the last packet. */
#define BEFORE (1000000 - 5)
static void
drop (AfxdpColumn column, guint n)
{
  drop_since (column, n, BEFORE + n_put);
}

/* The client's. */

static guint
read_some (void)
{
  fail_unless_equals_int (afxdp_input_read (&input.input, 0), 0);
  return input.input.end;
}

static void
assert_packet (guint i, guint64 number, guint size)
{
  const AfxdpPacket *packet = &input.input.packets[i];

  fail_unless_equals_int (packet->size, size);
  fail_unless_equals_uint64 (packet->arrival, 1000000 + number);
  fail_if (memcmp (packet->data, payload + number % 16, size));
  fail_unless_equals_int (packet->sender.port, 5004);
  fail_unless_equals_int (packet->sender.address[3], 9);
}

static void
assert_drop (guint i, AfxdpColumn column, gint64 n, guint64 from, guint64 until)
{
  fail_unless (i < drops.n, "only %u", drops.n);
  fail_unless_equals_int (drops.drops[i].column, column);
  fail_unless_equals_int64 (drops.drops[i].n, n);
  if (from)
    fail_unless_equals_uint64 (drops.drops[i].from, from);
  if (until)
    fail_unless_equals_uint64 (drops.drops[i].until, until);
}

TEST (test_nothing)
{
  fail_unless_equals_int (read_some (), 0);
  fail_unless (afxdp_input_is_drained (&input.input));
  fail_unless_equals_int (drops.n, 0);
}

TEST (test_without_memory)
{
  afxdp_client_input_set_memory (&input, NULL, 0);
  fail_unless_equals_int (read_some (), 0);
  fail_unless (afxdp_input_is_drained (&input.input));
  fail_unless_equals_uint64 (
      afxdp_input_look_for_drops (&input.input), G_MAXUINT64);
  fail_unless_equals_int (afxdp_client_input_end (&input), 0);
}

/* Packets go round, of which each is downstream until some others have come; indices
 * stand shortly before 2^32. */
TEST (test_around)
{
  const guint n_held = 7;
  guint32 start = 0u - 500, held[1000];

  ring->produced = ring->shown = start;
  ring->returned = start;
  memory->words->returned = memory->returned = start;
  input.consumed = start;
  for (guint i = 0; i < G_N_ELEMENTS (held); i++) {
    put_batch (1, SLOT_SIZE);
    fail_unless_equals_int (read_some (), 1);
    assert_packet (0, i, SLOT_SIZE);
    held[i] = input.input.packets[0].frame;
    fail_if (held[i] == AFXDP_NO_FRAME);
    afxdp_account_reserve (account, 1);
    afxdp_account_lend (account, held[i]);
    input.input.first++;
    if (i >= n_held)
      afxdp_umem_give_back (memory->umem, held[i - n_held]);
    fail_unless (memory->n_ours <= n_held + 2);
  }
  fail_if (input.broken);
  fail_unless_equals_int (drops.n, 0);
  for (guint i = G_N_ELEMENTS (held) - n_held; i < G_N_ELEMENTS (held); i++)
    afxdp_umem_give_back (memory->umem, held[i]);
  afxdp_client_memory_give_back (memory);
  fail_unless_equals_int (memory->n_ours, 0);
  put_batch (0, 0);
  fail_unless_equals_int (ring->n_free, N_SLOTS + N_LARGE_OF_SMALL_RING);
}

/* No more than a batch, and sizes from nothing to the largest. */
TEST (test_sizes)
{
  static const guint sizes[] = { 0, 1, SLOT_SIZE, SLOT_SIZE + 1,
    LARGE_SIZE - 16 };

  for (guint round = 0; round < 20; round++) {
    guint64 number = n_put;

    fail_unless (afxdp_client_ring_begin (ring));
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      put (sizes[i], AFXDP_PATH_FAST);
    afxdp_client_ring_end (ring);
    fail_unless_equals_int (read_some (), G_N_ELEMENTS (sizes));
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
      assert_packet (i, number + i, sizes[i]);
      fail_unless_equals_int (
          input.input.packets[i].frame == AFXDP_NO_FRAME, sizes[i] > SLOT_SIZE);
    }
    finish ();
  }
  fail_unless_equals_int (drops.n, 0);
  put_batch (20, 10);
  fail_unless_equals_int (read_some (), BATCH);
  fail_unless_equals_int (afxdp_client_input_n_waiting (&input), 20 - BATCH);
  fail_if (afxdp_input_is_drained (&input.input));
}

/* A batch is of one path, and stamped in one way. */
TEST (test_one_path_at_a_time)
{
  fail_unless (afxdp_client_ring_begin (ring));
  for (guint i = 0; i < 6; i++)
    put (10, i < 2 ? AFXDP_PATH_SLOW : AFXDP_PATH_FAST);
  afxdp_client_ring_end (ring);
  ring->records[5].stamped = FALSE;
  fail_unless_equals_int (read_some (), 2);
  fail_unless_equals_int (input.input.by, AFXDP_PATH_SLOW);
  finish ();
  fail_unless_equals_int (read_some (), 3);
  fail_unless_equals_int (input.input.by, AFXDP_PATH_FAST);
  fail_unless (input.input.stamped);
  finish ();
  fail_unless_equals_int (read_some (), 1);
  fail_if (input.input.stamped);
  assert_packet (0, 5, 10);
  fail_unless_equals_int (drops.n, 0);
}

/* Of the datagram skip is no packet's; what is shorter is malformed, and its slot goes
 * back. */
TEST (test_skip)
{
  put_batch (1, 3);
  put_batch (1, SLOT_SIZE + 1);
  put_batch (1, 12);
  fail_unless_equals_int (afxdp_input_read (&input.input, 4), 1);
  fail_unless_equals_int (input.input.end, 2);
  fail_unless (input.input.packets[1].size == 8);
  finish ();
  read_some ();
  put_batch (0, 0);
  fail_unless_equals_int (ring->n_free, N_SLOTS + N_LARGE_OF_SMALL_RING);
}

/* What the daemon found malformed is told once, before the packets that came with it, or
 * without any; at the end too. */
TEST (test_malformed)
{
  ring->malformed = G_MAXUINT32;
  input.malformed = G_MAXUINT32;
  afxdp_client_ring_add_malformed (ring, 2);
  put_batch (1, 10);
  fail_unless_equals_int (afxdp_input_read (&input.input, 0), 2);
  fail_unless_equals_int (input.input.end, 1);
  finish ();
  fail_unless_equals_int (read_some (), 0);
  afxdp_client_ring_add_malformed (ring, 3);
  fail_unless_equals_int (afxdp_input_read (&input.input, 0), 3);
  afxdp_client_ring_add_malformed (ring, 4);
  put_batch (1, 3);
  put_batch (1, 12);
  fail_unless_equals_int (afxdp_input_read (&input.input, 4), 4 + 1);
  finish ();
  afxdp_client_ring_add_malformed (ring, 5);
  fail_unless_equals_int (afxdp_client_input_end (&input), 5);
  fail_unless_equals_int (drops.n, 0);
}

/* Drops. */

/* Between the packets that they were between, each in its column. */
TEST (test_drops)
{
  put_batch (1, 10);
  drop (AFXDP_COLUMN_NIC, 2);
  drop (AFXDP_COLUMN_OVERLOAD, 1);
  put_batch (2, 10);
  drop (AFXDP_COLUMN_RX_RING, G_MAXINT32);
  drop (AFXDP_COLUMN_FILL_RING, 5);
  put_batch (1, 10);
  fail_unless_equals_int (read_some (), 4);
  assert_drop (0, AFXDP_COLUMN_NIC, 2, BEFORE + 1, 1000001);
  assert_drop (1, AFXDP_COLUMN_OVERLOAD, 1, BEFORE + 1, 1000001);
  assert_drop (2, AFXDP_COLUMN_RX_RING, G_MAXINT32, BEFORE + 3, 1000003);
  assert_drop (3, AFXDP_COLUMN_FILL_RING, 5, BEFORE + 3, 1000003);
  fail_unless_equals_int (drops.n, 4);
}

/* What no packet has shown stands in the head, and is told once. */
TEST (test_drops_without_packet)
{
  guint64 now = afxdp_now ();

  put_batch (1, 10);
  drop (AFXDP_COLUMN_REDIRECT, 3);
  afxdp_client_ring_set_known (ring, now);
  /* Behind what waits. */
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), now);
  fail_unless_equals_int (drops.n, 0);
  read_some ();
  fail_unless_equals_int (drops.n, 0);
  afxdp_input_look_for_drops (&input.input);
  assert_drop (0, AFXDP_COLUMN_REDIRECT, 3, BEFORE + 1, 0);
  afxdp_input_look_for_drops (&input.input);
  fail_unless_equals_int (drops.n, 1);
  finish ();
  put_batch (1, 10);
  read_some ();
  fail_unless_equals_int (drops.n, 1);
}

/* The daemon asks the interface for it, and so not more often than somebody wants it. */
TEST (test_want_drops)
{
  afxdp_input_look_for_drops (&input.input);
  fail_unless_equals_uint64 (memory->words->wanted, 0);
  input.clock = -1000;
  afxdp_client_input_want_drops (&input, 500);
  fail_unless_equals_uint64 (memory->words->wanted, 1500);
  input.over = TRUE;
  afxdp_client_input_want_drops (&input, 600);
  fail_unless_equals_uint64 (memory->words->wanted, 1500);
}

/* Since when is told of those that are new to whoever has read all records: in a clock of
 * ours, and never as of later than their end. */
TEST (test_drops_since)
{
  drop_since (AFXDP_COLUMN_NIC, 2, 500);
  drop_since (AFXDP_COLUMN_NIC, 3, 400);
  drop_since (AFXDP_COLUMN_REDIRECT, 1, 600);
  afxdp_input_look_for_drops (&input.input);
  assert_drop (0, AFXDP_COLUMN_NIC, 5, 400, 0);
  assert_drop (1, AFXDP_COLUMN_REDIRECT, 1, 600, 0);
  put_batch (1, 10);
  drop_since (AFXDP_COLUMN_NIC, 1, 700);
  read_some ();
  finish ();
  afxdp_input_look_for_drops (&input.input);
  assert_drop (2, AFXDP_COLUMN_NIC, 1, 700, 0);
  input.clock = -100;
  drop_since (AFXDP_COLUMN_RX_RING, 1, 90);
  drop_between (AFXDP_COLUMN_FILL_RING, 1, G_MAXINT64, 0);
  put_batch (1, 10);
  read_some ();
  fail_unless_equals_int (drops.n, 5);
  fail_unless_equals_uint64 (drops.drops[3].from, 0);
  assert_drop (4, AFXDP_COLUMN_FILL_RING, 1, 1000001 - 100, 1000001 - 100);
}

/* A counter was read before packets that had waited: what it tells may lie behind them. */
TEST (test_drops_behind_packets)
{
  drop_between (AFXDP_COLUMN_SOCKET_BUFFER, 5, 500, 1000000 + 2001);
  put_batch (2, 10);
  drop_between (AFXDP_COLUMN_SOCKET_BUFFER, 1, 600, G_MAXUINT64);
  put_batch (1, 10);
  read_some ();
  assert_drop (0, AFXDP_COLUMN_SOCKET_BUFFER, 5, 500, 1000000 + 3000);
  assert_drop (1, AFXDP_COLUMN_SOCKET_BUFFER, 1, 600, 0);
  fail_unless (drops.drops[1].until <= afxdp_now ());
  fail_unless (drops.drops[1].until > 1000000 + 3000);
}

/* What a record tells that waits is not known, although the head knows it. */
TEST (test_known_while_records_wait)
{
  put_batch (3, 10);
  afxdp_client_ring_set_known (ring, 900);
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 900);
  drop_since (AFXDP_COLUMN_NIC, 5, 700);
  put_batch (1, 10);
  drop_since (AFXDP_COLUMN_NIC, 5, 800);
  put_batch (1, 10);
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 700);
  fail_unless_equals_int (drops.n, 0);
  read_some ();
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 900);
}

/* A daemon that stands still has no room, and costs nothing by that: the socket hears. */
TEST (test_drops_of_a_standstill)
{
  drop_since (AFXDP_COLUMN_SOCKET_BUFFER, 5, 500);
  afxdp_twins_begin (&twins);
  input.holds = TRUE;
  afxdp_input_look_for_drops (&input.input);
  input.holds = FALSE;
  input.heard_until = 900;
  drop_since (AFXDP_COLUMN_SOCKET_BUFFER, 5, 600);
  put_batch (1, 10);
  read_some ();
  finish ();
  drop_since (AFXDP_COLUMN_SOCKET_BUFFER, 5, 700);
  afxdp_input_look_for_drops (&input.input);
  fail_unless_equals_int (drops.n, 0);
  drop_since (AFXDP_COLUMN_RX_RING, 5, 900);
  afxdp_input_look_for_drops (&input.input);
  fail_unless_equals_int (drops.n, 1);
  afxdp_twins_end (&twins);
  put_batch (1, 10);
  drop_since (AFXDP_COLUMN_SOCKET_BUFFER, 4, 700);
  read_some ();
  finish ();
  afxdp_input_look_for_drops (&input.input);
  assert_drop (1, AFXDP_COLUMN_SOCKET_BUFFER, 4, 700, 0);
}

/* What the daemon knows until a moment that no clock of ours has is not known. */
TEST (test_known)
{
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 0);
  input.clock = -1000000;
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 0);
  afxdp_client_ring_set_known (ring, 500);
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 0);
  afxdp_client_ring_set_known (ring, 1000500);
  fail_unless_equals_uint64 (afxdp_input_look_for_drops (&input.input), 500);
  afxdp_client_ring_set_known (ring, G_MAXUINT64 / 2);
  fail_unless (afxdp_input_look_for_drops (&input.input) <= afxdp_now ());
}

/* A full ring: the next packet tells how many had no slot, or the head does. */
TEST (test_full)
{
  put_batch (N_SLOTS + 5, 10);
  for (guint n = 0; n < N_SLOTS; finish ()) {
    n += read_some ();
    fail_unless_equals_int (drops.n, 0);
  }
  afxdp_input_look_for_drops (&input.input);
  assert_drop (0, AFXDP_COLUMN_CLIENT_RING, 5, 1000000 + N_SLOTS - 1, 0);
  /* The last ones go back. */
  read_some ();
  put_batch (N_SLOTS + 2, 10);
  while (read_some ())
    finish ();
  put_batch (1, 10);
  fail_unless_equals_int (read_some (), 1);
  assert_drop (1, AFXDP_COLUMN_CLIENT_RING, 2, 0, 1000000 + n_put - 1);
  fail_unless_equals_int (drops.n, 2);
}

/* What found no slot while nobody read is the pause's, and what came after it is not. */
TEST (test_pause)
{
  put_batch (1, 10);
  read_some ();
  finish ();
  afxdp_client_input_pause (&input);
  put_batch (N_SLOTS + 3, 10);
  /* The first one is given back only now. */
  while (read_some ())
    finish ();
  afxdp_input_look_for_drops (&input.input);
  fail_unless_equals_int (drops.n, 1);
  fail_unless (!input.paused);
  fail_unless (input.resumed_at > 0);
  input.resumed_at = 0;
  put_batch (N_SLOTS + 4, 10);
  while (read_some ())
    finish ();
  afxdp_input_look_for_drops (&input.input);
  assert_drop (1, AFXDP_COLUMN_CLIENT_RING, 4, 0, 0);
}

TEST (test_pause_shown_by_packet)
{
  put_batch (N_SLOTS, 10);
  while (read_some ())
    finish ();
  read_some ();
  afxdp_client_input_pause (&input);
  /* In the time of the packets here. */
  input.paused_at = 1000000 + n_put - 1;
  put_batch (N_SLOTS + 3, 10);
  while (read_some ())
    finish ();
  read_some ();
  put_batch (1, 10);
  read_some ();
  assert_drop (0, AFXDP_COLUMN_PAUSED, 3, 0, 0);
  fail_unless_equals_int (drops.n, 1);
}

/* At the end the ledger balances: what waits is returned, what had no slot is told. */
TEST (test_end)
{
  put_batch (3, 10);
  read_some ();
  finish ();
  drop (AFXDP_COLUMN_NIC, 2);
  put_batch (N_SLOTS + 1, 10);
  fail_unless_equals_int (afxdp_client_input_end (&input), N_SLOTS - 3);
  assert_drop (0, AFXDP_COLUMN_NIC, 2, 0, 0);
  assert_drop (1, AFXDP_COLUMN_CLIENT_RING, 4, 0, 0);
  fail_unless_equals_int (drops.n, 2);
  fail_unless_equals_int (read_some (), 0);
  fail_unless_equals_int (afxdp_client_input_end (&input), 0);
  fail_unless_equals_int (drops.n, 2);
}

/* The head is read while the daemon writes: no packet is taken for lost that comes. */

static void
read_and_look (void)
{
  n_read += read_some ();
  finish ();
  afxdp_input_look_for_drops (&input.input);
}

TEST (test_daemon_stands_still_anywhere)
{
  before_store = read_and_look;
  for (guint i = 0; i < 200; i++) {
    drop (AFXDP_COLUMN_NIC, i % 2);
    put_batch (i % 5, 10);
    fail_if (input.broken, "at %u", i);
  }
  before_store = NULL;
  read_and_look ();
  fail_unless_equals_uint64 (n_read, n_put);
  for (guint i = 0; i < drops.n; i++)
    fail_unless_equals_int (drops.drops[i].column, AFXDP_COLUMN_NIC);
}

/* Nor is any drop taken for later than it may have been. */
TEST (test_since_stands_still_anywhere)
{
  guint64 n = 0, told = 0;

  before_store = read_and_look;
  for (guint i = 0; i < 60; i++) {
    fail_unless (afxdp_client_ring_begin (ring));
    for (guint j = 0; j < i % 4; j++) {
      drop_since (AFXDP_COLUMN_NIC, 1, 100 + n++);
      if ((i + j) % 3)
        put (10, AFXDP_PATH_FAST);
    }
    afxdp_client_ring_end (ring);
    read_and_look ();
    for (guint j = 0; j < drops.n; j++) {
      fail_unless (drops.drops[j].from <= 100 + told);
      told += drops.drops[j].n;
      fail_unless (told <= n);
    }
    drops.n = 0;
  }
  before_store = NULL;
}

static gint writes;

static gpointer
write_many (gpointer data)
{
  for (guint i = 0; i < 50000; i++) {
    if (!afxdp_client_ring_begin (ring))
      break;
    put (10, AFXDP_PATH_FAST);
    afxdp_client_ring_end (ring);
  }
  g_atomic_int_set (&writes, FALSE);
  return NULL;
}

TEST (test_look_while_the_daemon_writes)
{
  GThread *daemon;
  guint64 n_dropped = 0;
  gboolean more = TRUE;

  writes = TRUE;
  daemon = g_thread_new ("daemon", write_many, NULL);
  while (more) {
    gboolean over = !g_atomic_int_get (&writes);

    n_read += read_some ();
    more = !over || input.input.end;
    finish ();
    afxdp_input_look_for_drops (&input.input);
    fail_if (input.broken);
    for (guint i = 0; i < drops.n; i++) {
      fail_unless_equals_int (drops.drops[i].column, AFXDP_COLUMN_CLIENT_RING);
      fail_unless (drops.drops[i].n > 0);
      n_dropped += drops.drops[i].n;
    }
    drops.n = 0;
  }
  g_thread_join (daemon);
  fail_unless_equals_string (afxdp_client_ring_violation (ring), NULL);
  fail_unless_equals_uint64 (n_read + n_dropped, n_put);
}

/* Slots go home without the streaming thread, which may be blocked downstream. */
TEST (test_freeing_thread_returns)
{
  guint32 frames[N_SLOTS];
  guint n = 0;

  put_batch (N_SLOTS, 10);
  while (n < N_SLOTS) {
    guint m = read_some ();

    afxdp_account_reserve (account, m);
    for (; input.input.first < input.input.end; input.input.first++) {
      frames[n++] = afxdp_input_head (&input.input)->frame;
      afxdp_account_lend (account, frames[n - 1]);
    }
  }
  put_batch (1, 10);
  fail_unless_equals_uint64 (ring->dropped, 1);
  afxdp_umem_give_back (memory->umem, frames[5]);
  put_batch (1, 10);
  fail_unless_equals_uint64 (ring->dropped, 1);
  fail_unless_equals_int (
      ring->records[(ring->produced - 1) & (opened.n_records - 1)].slot,
      frames[5]);
  for (guint i = 0; i < N_SLOTS; i++)
    if (i != 5)
      afxdp_umem_give_back (memory->umem, frames[i]);
}

/* Downstream keeps a packet longer than the stream and the daemon live. */
TEST (test_outlives_all)
{
  g_autoptr (GError) error = NULL;
  AfxdpUmem *umem = memory->umem;
  const guint8 *data;
  guint32 frame;

  put_batch (1, SLOT_SIZE);
  read_some ();
  frame = input.input.packets[0].frame;
  data = input.input.packets[0].data;
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
  input.input.first++;
  afxdp_client_input_set_memory (&input, NULL, 0);
  afxdp_account_close (account);
  afxdp_umem_unref (umem);
  afxdp_client_ring_free (ring);
  fail_if (memcmp (data, payload, SLOT_SIZE));
  afxdp_umem_give_back (umem, frame);
  /* For tear_down(). */
  ring = afxdp_client_ring_new (N_SLOTS, SLOT_SIZE, &error);
  memory = try_memory (&opened, &error);
  g_assert_no_error (error);
  account = afxdp_account_new (memory->umem);
}

/* A child has nothing of it, and may still do what an application's exit does. */
TEST (test_fork)
{
  guint32 frame;
  int status;
  pid_t child;

  /* From then on children are counted, as they are for a stream by its link. */
  afxdp_fork_withhold (afxdp_client_ring_memory (ring));
  put_batch (2, 10);
  fail_unless_equals_int (read_some (), 2);
  frame = input.input.packets[0].frame;
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
  input.input.first++;
  afxdp_umem_set_hungry (memory->umem, TRUE);
  child = fork ();
  if (!child) {
    afxdp_umem_give_back (memory->umem, frame);
    afxdp_client_memory_give_back (memory);
    afxdp_input_look_for_drops (&input.input);
    if (afxdp_client_input_n_waiting (&input) ||
        afxdp_client_input_end (&input))
      _exit (1);
    tear_down ();
    _exit (0);
  }
  fail_unless_equals_int (waitpid (child, &status, 0), child);
  fail_unless_equals_int (status, 0);
  fail_unless_equals_int (memory->words->returned, 0);
  afxdp_umem_give_back (memory->umem, frame);
  fail_unless_equals_int (memory->words->returned, 1);
}

/* Twins: those of the socket are dropped, and what was heard before. */
TEST (test_twins)
{
  afxdp_twins_begin (&twins);
  afxdp_twins_note (&twins, payload + 1, 10);
  put_batch (3, 10);
  input.heard_until = 1000001;
  fail_unless_equals_int (read_some (), 1);
  assert_packet (0, 2, 10);
  finish ();
  read_some ();
  put_batch (0, 0);
  fail_unless_equals_int (ring->n_free, N_SLOTS + N_LARGE_OF_SMALL_RING);
}

/* What waits is not lost, and not read. */
TEST (test_holds)
{
  put_batch (3, 10);
  input.holds = TRUE;
  fail_unless_equals_int (read_some (), 0);
  fail_unless (afxdp_input_is_drained (&input.input));
  input.holds = FALSE;
  fail_unless_equals_int (read_some (), 3);
}

/* Records that cannot be. */

static void
assert_broken (guint before)
{
  afxdp_input_read (&input.input, 0);
  fail_unless_equals_int (input.input.end, before);
  fail_unless (input.broken);
  finish ();
  fail_unless_equals_int (read_some (), 0);
  fail_unless_equals_int (afxdp_client_input_n_waiting (&input), 0);
  fail_unless (afxdp_input_is_drained (&input.input));
  fail_unless_equals_uint64 (
      afxdp_input_look_for_drops (&input.input), G_MAXUINT64);
  fail_unless_equals_int (afxdp_client_input_end (&input), 0);
}

/* The third of four is changed. */
static struct afxdp_record *
put_four (void)
{
  put_batch (4, 10);
  return &ring->records[2];
}

enum
{
  SLOT_OF_NOBODY,
  LAST_SLOT_OF_NOBODY,
  SLOT_OF_OURS,
  TOO_LONG,
  FAR_TOO_LONG,
  LARGE_TOO_LONG,
  NO_VERSION,
  OTHER_VERSION,
  NO_PATH,
  ORDINAL_BACK,
  ORDINAL_FAR,
  N_FAULTS,
};

LOOP_TEST (test_broken_record, N_FAULTS)
{
  struct afxdp_record *record = put_four ();

  switch (__i__) {
    case SLOT_OF_NOBODY:
      record->slot = N_SLOTS + N_LARGE_OF_SMALL_RING;
      break;
    case LAST_SLOT_OF_NOBODY:
      record->slot = G_MAXUINT32;
      break;
    case SLOT_OF_OURS:
      record->slot = ring->records[0].slot;
      break;
    case TOO_LONG:
      record->size = SLOT_SIZE + 1;
      break;
    case FAR_TOO_LONG:
      record->size = G_MAXUINT32;
      break;
    case LARGE_TOO_LONG:
      record->slot = N_SLOTS;
      record->size = LARGE_SIZE + 1;
      break;
    case NO_VERSION:
      record->sender_version = 0;
      break;
    case OTHER_VERSION:
      record->sender_version = 5;
      break;
    case NO_PATH:
      /* As if it was of another path: it is read the next time. */
      record->path = 3;
      fail_unless_equals_int (read_some (), 2);
      finish ();
      assert_broken (0);
      return;
    case ORDINAL_BACK:
      record->ordinal = 1;
      break;
    case ORDINAL_FAR:
      record->ordinal = G_MAXUINT64;
      break;
  }
  assert_broken (2);
}

TEST (test_too_many_records)
{
  ring->head->produced = opened.n_records + 1;
  assert_broken (0);
}

TEST (test_produced_goes_back)
{
  put_batch (3, 10);
  read_some ();
  finish ();
  ring->head->produced = 2;
  assert_broken (0);
}

/* A head that tells nonsense of drops: nothing is told for it, or something; the
 * input lives. */
TEST (test_head_of_nonsense)
{
  ring->head->ordinal = G_MAXUINT64;
  ring->head->known = G_MAXUINT64;
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++)
    ring->head->drops[i] = G_MAXUINT32;
  afxdp_input_look_for_drops (&input.input);
  for (guint i = 0; i < drops.n; i++)
    fail_if (drops.drops[i].column == AFXDP_COLUMN_CLIENT_RING);
}

/* Descriptions that cannot be. */

#define FAULT(member, fault)                                 \
  {                                                          \
    G_STRUCT_OFFSET (struct afxdp_opened, member),           \
        sizeof ((struct afxdp_opened *) NULL)->member, fault \
  }
static const struct
{
  gsize offset, size;
  guint64 value;
} faults[] = {
  FAULT (memory_size, 0),
  FAULT (memory_size, sizeof (struct afxdp_stream_head)),
  FAULT (memory_size, G_MAXUINT64),
  FAULT (records_offset, G_MAXUINT64 - 7),
  FAULT (records_offset, 68),
  FAULT (slots_offset, 4096 + 64),
  FAULT (slots_offset, G_MAXUINT64 - 4095),
  FAULT (large_offset, 1),
  FAULT (large_offset, G_GUINT64_CONSTANT (1) << 63),
  FAULT (n_records, 0),
  FAULT (n_records, 31),
  FAULT (n_records, 16),
  FAULT (n_records, 1u << 31),
  FAULT (n_slots, 0),
  FAULT (n_slots, G_MAXUINT32),
  FAULT (n_slots, 1u << 20),
  FAULT (slot_size, 0),
  FAULT (slot_size, 32),
  FAULT (slot_size, 300),
  FAULT (slot_size, 1u << 31),
  FAULT (n_large, G_MAXUINT32),
  FAULT (n_large, 1u << 20),
  FAULT (large_size, G_MAXUINT32),
  FAULT (n_returns, 0),
  FAULT (n_returns, 48),
  FAULT (n_returns, 16),
  FAULT (n_returns, 1u << 31),
  FAULT (words_size, 0),
  FAULT (words_size, sizeof (struct afxdp_client_words) + 4 * 32 - 1),
};

TABLE_TEST (test_impossible, faults)
{
  struct afxdp_opened wrong = opened;
  gpointer member = G_STRUCT_MEMBER_P (&wrong, faults[__i__].offset);
  g_autoptr (GError) error = NULL;
  gint code;

  if (faults[__i__].size == sizeof (guint32))
    *(guint32 *) member = faults[__i__].value;
  else
    *(guint64 *) member = faults[__i__].value;
  fail_if (try_memory (&wrong, &error), "%u", __i__);
  /* What a gsize can say is the kernel's to refuse. */
  code = wrong.memory_size == G_MAXUINT64 ? AFXDP_ERROR_MEMORY
                                          : AFXDP_ERROR_FAILED;
  g_assert_error (error, AFXDP_ERROR, code);
}

/* Words that must not be written to, as if they were the memory. */
TEST (test_words_are_readonly)
{
  g_autoptr (GError) error = NULL;
  AfxdpClientMemory *wrong;

  opened.words_size = 4096;
  wrong = afxdp_client_memory_new (&opened, afxdp_client_ring_memory (ring),
      afxdp_client_ring_memory (ring), &error);
  fail_if (wrong);
  fail_unless (error != NULL);
}

SUITE ("clientinput", 0, set_up, tear_down)
