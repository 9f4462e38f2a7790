/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ring of one client of the distributor daemon: what the client finds in it, and what
 * the daemon believes of what the client writes.
 */
#include "distributor/clientring.c"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "../fuzz/clientringmodel.h"
#include "error.h"
#include "suite.h"

#define N_SLOTS 24
#define SLOT_SIZE 256
#define N_ALL (N_SLOTS + N_LARGE_OF_SMALL_RING)

static AfxdpClientRing *ring;

/* The client's side. */
static struct afxdp_opened opened;
static guint8 *memory;
static const struct afxdp_stream_head *head;
static struct afxdp_client_words *words;

/* What the daemon has been given. */
static guint8 payload[LARGE_SIZE + 1];
static guint64 n_packets;

static gpointer
map_for_client (int fd, gsize size, int protection)
{
  gpointer address = mmap (NULL, size, protection, MAP_SHARED, fd, 0);

  fail_if (address == MAP_FAILED, "%s", g_strerror (errno));
  return address;
}

static void
open_ring (guint n_slots)
{
  g_autoptr (GError) error = NULL;

  ring = afxdp_client_ring_new (n_slots, SLOT_SIZE, &error);
  g_assert_no_error (error);
  memset (&opened, 0, sizeof opened);
  afxdp_client_ring_describe (ring, &opened);
  memory = map_for_client (
      afxdp_client_ring_memory (ring), opened.memory_size, PROT_READ);
  words = map_for_client (afxdp_client_ring_words (ring), opened.words_size,
      PROT_READ | PROT_WRITE);
  head = (gpointer) memory;
  words->on = 1;
}

static void
close_ring (void)
{
  munmap (memory, opened.memory_size);
  munmap (words, opened.words_size);
  afxdp_client_ring_free (g_steal_pointer (&ring));
}

static void
set_up (void)
{
  for (guint i = 0; i < sizeof payload; i++)
    payload[i] = i * 31 + (i >> 8);
  n_packets = 0;
  open_ring (N_SLOTS);
}

static void
tear_down (void)
{
  close_ring ();
}

/* A packet that its number tells apart. */
static void
put_one (guint size)
{
  static const guint8 sender[] = { 192, 0, 2, 9 };
  AfxdpPacket packet = {
    .data = payload + n_packets % 16,
    .size = size,
    .arrival = 1000000 + n_packets,
    .sender = { sender, 0, 5004, 4 },
  };

  afxdp_client_ring_put (ring, &packet, AFXDP_PATH_FAST, TRUE);
  n_packets++;
}

/* Returns whether the client is to be woken. */
static gboolean
put_batch (guint n, guint size)
{
  fail_unless (afxdp_client_ring_begin (ring));
  while (n--)
    put_one (size);
  return afxdp_client_ring_end (ring);
}

static const struct afxdp_record *
record_of (guint32 index)
{
  const struct afxdp_record *records =
      (gpointer) (memory + opened.records_offset);

  return &records[index & (opened.n_records - 1)];
}

static const guint8 *
bytes_of (const struct afxdp_record *record)
{
  return record->slot < opened.n_slots
      ? memory + opened.slots_offset + record->slot * opened.slot_size
      : memory + opened.large_offset +
          (record->slot - opened.n_slots) * opened.large_size;
}

static void
give_back (guint32 slot)
{
  words->returns[words->returned++ & (opened.n_returns - 1)] = slot;
}

static void
assert_counts (guint64 packets, guint64 dropped, guint n_free)
{
  AfxdpClientRingCounts counts;

  afxdp_client_ring_counts (ring, &counts);
  fail_unless_equals_uint64 (counts.packets, packets);
  fail_unless_equals_uint64 (counts.dropped, dropped);
  fail_unless_equals_int (counts.n_slots, N_ALL);
  fail_unless_equals_int (counts.n_free, n_free);
}

static void
assert_violation (const gchar *text)
{
  fail_if (afxdp_client_ring_violation (ring));
  fail_if (afxdp_client_ring_begin (ring));
  fail_unless_equals_string (afxdp_client_ring_violation (ring), text);
  /* It stays so, whatever the client does. */
  words->returned = 0;
  fail_if (afxdp_client_ring_begin (ring));
  fail_unless_equals_string (afxdp_client_ring_violation (ring), text);
}

TEST (test_layout)
{
  gsize page = sysconf (_SC_PAGESIZE);

  fail_unless_equals_int (opened.n_slots, N_SLOTS);
  fail_unless_equals_int (opened.slot_size, SLOT_SIZE);
  fail_unless_equals_int (opened.n_large, 8);
  fail_unless_equals_int (opened.large_size, 65536);
  fail_unless_equals_int (opened.n_records, 32);
  fail_unless_equals_int (opened.n_returns, 32);
  fail_unless (opened.records_offset >= sizeof *head);
  fail_unless_equals_int (opened.slots_offset % page, 0);
  fail_unless_equals_int (opened.large_offset % page, 0);
  fail_unless (opened.slots_offset >=
      opened.records_offset + 32 * sizeof (struct afxdp_record));
  fail_unless (
      opened.large_offset >= opened.slots_offset + N_SLOTS * SLOT_SIZE);
  fail_unless (opened.memory_size >= opened.large_offset + 8 * 65536);
  fail_unless (opened.words_size >= sizeof *words + 32 * sizeof (guint32));
  fail_unless_equals_uint64 (afxdp_client_ring_bytes (N_SLOTS, SLOT_SIZE),
      opened.memory_size + opened.words_size);
  fail_unless_equals_int (head->produced, 0);
  assert_counts (0, 0, N_ALL);
}

/* Records and returns are powers of two, though slots are not. */
TEST (test_layout_of_large_ring)
{
  close_ring ();
  open_ring (1100);
  fail_unless_equals_int (opened.n_large, 64);
  fail_unless_equals_int (opened.n_records, 2048);
  close_ring ();
  open_ring (1024 - 8);
  fail_unless_equals_int (opened.n_large, 8);
  fail_unless_equals_int (opened.n_records, 1024);
  fail_unless_equals_int (opened.n_returns, 1024);
}

TEST (test_no_memory)
{
  struct rlimit former, none = { 0, 0 };
  g_autoptr (GError) error = NULL;

  getrlimit (RLIMIT_NOFILE, &former);
  none.rlim_max = former.rlim_max;
  setrlimit (RLIMIT_NOFILE, &none);
  fail_if (afxdp_client_ring_new (N_SLOTS, SLOT_SIZE, &error));
  setrlimit (RLIMIT_NOFILE, &former);
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
}

TEST (test_record)
{
  static const guint8 sender[16] = { 0xfe, 0x80, [15] = 5 };
  const struct afxdp_record *record;
  AfxdpPacket packet = {
    .data = payload,
    .size = 100,
    .arrival = G_GUINT64_CONSTANT (0x123456789abc),
    .sender = { sender, 3, 40000, 6 },
  };

  fail_unless (afxdp_client_ring_begin (ring));
  afxdp_client_ring_put (ring, &packet, AFXDP_PATH_SLOW, FALSE);
  /* Not shown yet. */
  fail_unless_equals_int (head->produced, 0);
  fail_if (afxdp_client_ring_end (ring));
  fail_unless_equals_int (head->produced, 1);
  fail_unless_equals_uint64 (head->ordinal, 1);
  record = record_of (0);
  fail_unless_equals_uint64 (record->ordinal, 0);
  fail_unless_equals_uint64 (record->arrival, packet.arrival);
  fail_unless_equals_int (record->size, 100);
  fail_if (memcmp (record->sender, sender, 16));
  fail_unless_equals_int (record->sender_scope, 3);
  fail_unless_equals_int (record->sender_port, 40000);
  fail_unless_equals_int (record->sender_version, 6);
  fail_unless_equals_int (record->path, AFXDP_PATH_SLOW);
  fail_if (record->stamped);
  fail_if (memcmp (bytes_of (record), payload, 100));

  put_batch (1, 0);
  record = record_of (1);
  fail_unless_equals_int (record->size, 0);
  fail_unless_equals_int (record->sender_version, 4);
  fail_unless_equals_int (record->path, AFXDP_PATH_FAST);
  fail_unless_equals_int (record->stamped, 1);
}

/* Of an IPv4 sender the record that was an IPv6 one's keeps nothing. */
TEST (test_sender_of_record)
{
  static const guint8 long_one[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
  static const guint8 zeros[12] = { 0 };
  AfxdpPacket packet = { payload, 1, 0, 0, { long_one, 0, 1, 6 }, { 0 } };

  for (guint i = 0; i <= opened.n_records; i++) {
    packet.sender.version = i < opened.n_records ? 6 : 4;
    fail_unless (afxdp_client_ring_begin (ring));
    afxdp_client_ring_put (ring, &packet, AFXDP_PATH_FAST, TRUE);
    afxdp_client_ring_end (ring);
    give_back (record_of (i)->slot);
  }
  fail_if (memcmp (record_of (0)->sender, long_one, 4));
  fail_if (memcmp (record_of (0)->sender + 4, zeros, 12));
}

/* Packets go round, of which each is held until some others have come; indices stand
 * shortly before 2^32. */
TEST (test_around)
{
  guint32 start = 0u - 500;
  guint n_held = 7;

  ring->produced = ring->shown = start;
  ring->returned = words->returned = start;
  for (guint i = 0; i < 1000; i++) {
    const struct afxdp_record *record;

    put_batch (1, SLOT_SIZE);
    fail_unless_equals_int (head->produced, start + i + 1);
    record = record_of (start + i);
    fail_unless_equals_uint64 (record->ordinal, i);
    fail_if (memcmp (bytes_of (record), payload + i % 16, SLOT_SIZE));
    if (i < n_held)
      continue;
    record = record_of (start + i - n_held);
    fail_unless_equals_uint64 (record->ordinal, i - n_held);
    fail_if (
        memcmp (bytes_of (record), payload + (i - n_held) % 16, SLOT_SIZE));
    give_back (record->slot);
  }
  fail_if (afxdp_client_ring_violation (ring));
  fail_unless_equals_int (words->returned, start + 1000 - n_held);
  /* The last one that was given back waits for the next batch. */
  assert_counts (1000, 0, N_ALL - n_held - 1);
  fail_unless (afxdp_client_ring_begin (ring));
  assert_counts (1000, 0, N_ALL - n_held);
}

TEST (test_full)
{
  put_batch (N_SLOTS + 5, 100);
  fail_unless_equals_int (head->produced, N_SLOTS);
  fail_unless_equals_uint64 (head->ordinal, N_SLOTS + 5);
  assert_counts (N_SLOTS, 5, N_ALL - N_SLOTS);
  /* Also where nothing is put. */
  put_batch (2, 100);
  fail_unless_equals_int (head->produced, N_SLOTS);
  fail_unless_equals_uint64 (head->ordinal, N_SLOTS + 7);
  give_back (record_of (3)->slot);
  put_batch (2, 100);
  fail_unless_equals_int (head->produced, N_SLOTS + 1);
  fail_unless_equals_uint64 (record_of (N_SLOTS)->ordinal, N_SLOTS + 7);
  fail_unless_equals_int (record_of (N_SLOTS)->slot, record_of (3)->slot);
  fail_unless_equals_uint64 (head->ordinal, N_SLOTS + 9);
  assert_counts (N_SLOTS + 1, 8, N_ALL - N_SLOTS);
}

TEST (test_large)
{
  put_batch (1, SLOT_SIZE + 1);
  put_batch (1, LARGE_SIZE);
  fail_unless (record_of (0)->slot >= N_SLOTS);
  fail_unless (record_of (1)->slot >= N_SLOTS);
  fail_if (memcmp (bytes_of (record_of (0)), payload, SLOT_SIZE + 1));
  fail_unless_equals_int (record_of (1)->size, LARGE_SIZE);
  fail_if (memcmp (bytes_of (record_of (1)), payload + 1, LARGE_SIZE - 1));
  n_packets = 0; /* of which the bytes are the first ones */
  put_batch (1, LARGE_SIZE + 1);
  assert_counts (2, 1, N_ALL - 2);
  /* They do not take the slots of the others, nor the others theirs. */
  put_batch (7, SLOT_SIZE + 1);
  assert_counts (8, 2, N_ALL - 8);
  put_batch (N_SLOTS + 1, SLOT_SIZE);
  assert_counts (8 + N_SLOTS, 3, 0);
  give_back (record_of (0)->slot);
  put_batch (1, SLOT_SIZE);
  assert_counts (8 + N_SLOTS, 4, 1);
  put_batch (1, SLOT_SIZE + 1);
  assert_counts (9 + N_SLOTS, 4, 0);
}

static void
add_drops_since (AfxdpColumn column, gint64 n, guint64 from)
{
  AfxdpDrops drops = { 0 };

  afxdp_drops_add (&drops, column, n, from, 2000);
  afxdp_client_ring_add_drops (ring, &drops);
}

static void
add_drops (AfxdpColumn column, gint64 n)
{
  add_drops_since (column, n, 1);
}

static const struct
{
  AfxdpColumn column;
  gint place; /* -1: none */
} columns[] = {
  { AFXDP_COLUMN_MALFORMED, -1 },
  { AFXDP_COLUMN_NETWORK, -1 },
  { AFXDP_COLUMN_NIC, AFXDP_PROTOCOL_DROP_NIC },
  { AFXDP_COLUMN_RX_RING, AFXDP_PROTOCOL_DROP_RX_RING },
  { AFXDP_COLUMN_FILL_RING, AFXDP_PROTOCOL_DROP_FILL_RING },
  { AFXDP_COLUMN_REDIRECT, AFXDP_PROTOCOL_DROP_REDIRECT },
  { AFXDP_COLUMN_SOCKET_BUFFER, AFXDP_PROTOCOL_DROP_SOCKET_BUFFER },
  { AFXDP_COLUMN_OVERLOAD, AFXDP_PROTOCOL_DROP_OVERLOAD },
  { AFXDP_COLUMN_PAUSED, AFXDP_PROTOCOL_DROP_SOCKET_BUFFER },
  { AFXDP_COLUMN_UNKNOWN, -1 },
};

TABLE_TEST (test_columns_of_drops, columns)
{
  add_drops (columns[__i__].column, 9);
  for (gint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++)
    fail_unless_equals_int (head->drops[i], i == columns[__i__].place ? 9 : 0);
}

/* They are in the head at once, and in each record those until then. */
TEST (test_drops)
{
  put_batch (1, 10);
  fail_unless (afxdp_client_ring_begin (ring));
  put_one (10);
  add_drops (AFXDP_COLUMN_REDIRECT, 7);
  add_drops (AFXDP_COLUMN_OVERLOAD, 1);
  fail_unless_equals_int (head->drops[AFXDP_PROTOCOL_DROP_REDIRECT], 7);
  put_one (10);
  add_drops (AFXDP_COLUMN_REDIRECT, -8);
  put_one (10);
  afxdp_client_ring_end (ring);
  fail_unless_equals_int (
      record_of (1)->drops[AFXDP_PROTOCOL_DROP_REDIRECT], 0);
  fail_unless_equals_int (
      record_of (2)->drops[AFXDP_PROTOCOL_DROP_REDIRECT], 7);
  fail_unless_equals_int (
      record_of (2)->drops[AFXDP_PROTOCOL_DROP_OVERLOAD], 1);
  fail_unless_equals_int (
      record_of (3)->drops[AFXDP_PROTOCOL_DROP_REDIRECT], G_MAXUINT32);
  fail_unless_equals_int (
      head->drops[AFXDP_PROTOCOL_DROP_REDIRECT], G_MAXUINT32);

  afxdp_client_ring_set_known (ring, 12345);
  fail_unless_equals_uint64 (head->known, 12345);
  fail_unless_equals_uint64 (afxdp_client_ring_wanted (ring), 0);
  words->wanted = 99;
  fail_unless_equals_uint64 (afxdp_client_ring_wanted (ring), 99);
}

/* Each record says since when those were dropped that the record before did not tell; the
 * head, of those that no record tells that shows. */
TEST (test_drops_since)
{
  const guint nic = AFXDP_PROTOCOL_DROP_NIC,
              overload = AFXDP_PROTOCOL_DROP_OVERLOAD;

  add_drops_since (AFXDP_COLUMN_NIC, 1, 500);
  add_drops_since (AFXDP_COLUMN_NIC, 1, 400);
  fail_unless_equals_uint64 (head->since[nic], 400);
  fail_unless (afxdp_client_ring_begin (ring));
  put_one (10);
  add_drops_since (AFXDP_COLUMN_NIC, 1, 600);
  fail_unless_equals_uint64 (head->since[nic], 400);
  /* None came before its time. */
  add_drops_since (AFXDP_COLUMN_NIC, -1, 10);
  add_drops_since (AFXDP_COLUMN_OVERLOAD, 1, 300);
  put_one (10);
  put_one (10);
  add_drops_since (AFXDP_COLUMN_NIC, 1, 700);
  afxdp_client_ring_end (ring);
  fail_unless_equals_uint64 (record_of (0)->since[nic], 400);
  fail_unless_equals_uint64 (record_of (1)->since[nic], 600);
  fail_unless_equals_uint64 (record_of (1)->since[overload], 300);
  fail_unless_equals_uint64 (record_of (2)->since[nic], G_MAXUINT64);
  fail_unless_equals_int (record_of (0)->behind, 0);
  fail_unless_equals_uint64 (head->since[nic], 700);
  fail_unless_equals_uint64 (head->since[overload], G_MAXUINT64);
  /* A packet without a slot tells nobody. */
  put_batch (N_SLOTS + 1, 10);
  add_drops_since (AFXDP_COLUMN_NIC, 1, 800);
  put_batch (1, 10);
  fail_unless_equals_uint64 (head->since[nic], 800);
}

/* Once from each sleep, and only for packets. */
TEST (test_sleep)
{
  fail_if (put_batch (1, 10));
  words->sleeping = 1;
  fail_if (put_batch (0, 10));
  fail_unless (put_batch (3, 10));
  fail_if (put_batch (1, 10));
  words->sleeping = 0;
  fail_if (put_batch (1, 10));
  words->sleeping = 2;
  fail_unless (put_batch (1, 10));
  fail_if (put_batch (1, 10));
  /* It may sleep again without a batch in between. */
  words->sleeping = 3;
  fail_unless (put_batch (1, 10));
  /* A packet that found no slot wakes nobody. */
  put_batch (N_SLOTS, 10);
  words->sleeping = 4;
  fail_if (put_batch (1, 10));
  fail_unless_equals_uint64 (head->ordinal, n_packets);
}

TEST (test_off)
{
  guint32 slot;

  put_batch (2, 10);
  slot = record_of (0)->slot;
  words->on = 0;
  fail_if (afxdp_client_ring_begin (ring));
  words->on = 2;
  fail_if (afxdp_client_ring_begin (ring));
  assert_counts (2, 0, N_ALL - 2);
  /* What it returns meanwhile is taken back. */
  give_back (slot);
  fail_if (afxdp_client_ring_begin (ring));
  assert_counts (2, 0, N_ALL - 1);
  fail_unless_equals_uint64 (head->ordinal, 2);
  words->on = 1;
  put_batch (1, 10);
  fail_unless_equals_uint64 (record_of (2)->ordinal, 2);
}

/* Seals. */

static void
assert_refused (int result)
{
  fail_unless_equals_int (result, -1);
  fail_unless_equals_int (errno, EPERM);
}

TEST (test_seals_of_memory)
{
  int fd = afxdp_client_ring_memory (ring);
  g_autofree gchar *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int again = open (path, O_RDWR | O_CLOEXEC);

  fail_if (again < 0);
  put_batch (1, 100);
  fail_unless (mmap (NULL, opened.memory_size, PROT_READ | PROT_WRITE,
                   MAP_SHARED, again, 0) == MAP_FAILED);
  fail_unless_equals_int (errno, EPERM);
  fail_unless (mprotect (memory, opened.memory_size, PROT_READ | PROT_WRITE));
  assert_refused (pwrite (again, payload, 10, 0));
  assert_refused (ftruncate (again, 0));
  assert_refused (ftruncate (again, opened.memory_size + 1));
  assert_refused (fallocate (again, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
      0, opened.memory_size));
  assert_refused (fcntl (again, F_ADD_SEALS, F_SEAL_WRITE));
  fail_if (memcmp (bytes_of (record_of (0)), payload, 100));
  close (again);
}

TEST (test_seals_of_words)
{
  int fd = afxdp_client_ring_words (ring);

  assert_refused (ftruncate (fd, 0));
  assert_refused (ftruncate (fd, opened.words_size + 1));
  assert_refused (fcntl (fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
  put_batch (1, 10);
}

/* Zeros are what the client could have written as well. */
TEST (test_hole_in_words)
{
  fail_if (fallocate (afxdp_client_ring_words (ring),
      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, opened.words_size));
  /* On is off. */
  fail_if (afxdp_client_ring_begin (ring));
  fail_if (afxdp_client_ring_violation (ring));
  words->on = 1;
  put_batch (2, 10);
  give_back (record_of (0)->slot);
  put_batch (0, 0);
  fail_if (madvise (words, opened.words_size, MADV_REMOVE));
  /* Of more slots than there are. */
  assert_violation (
      "it returned 4294967295 slots at once, and there is room for 32");
}

/* Violations. */

TEST (test_no_such_slot)
{
  put_batch (1, 10);
  give_back (N_ALL);
  assert_violation ("it returned the slot 32, and has 32");
}

TEST (test_returned_twice)
{
  put_batch (3, 10);
  give_back (record_of (1)->slot);
  give_back (record_of (1)->slot);
  assert_violation ("it returned the slot 1, which it does not have");
  /* The first one was its own. */
  assert_counts (3, 0, N_ALL - 2);
}

TEST (test_returned_again)
{
  put_batch (3, 10);
  give_back (record_of (1)->slot);
  put_batch (0, 10);
  give_back (record_of (1)->slot);
  assert_violation ("it returned the slot 1, which it does not have");
}

TEST (test_not_its_own)
{
  put_batch (3, 10);
  give_back (17);
  assert_violation ("it returned the slot 17, which it does not have");
}

TEST (test_too_far_ahead)
{
  put_batch (N_SLOTS, 10);
  for (guint i = 0; i < N_SLOTS; i++)
    give_back (record_of (i)->slot);
  /* All at once is no fault. */
  put_batch (N_SLOTS, 10);
  words->returned += 33;
  assert_violation ("it returned 33 slots at once, and there is room for 32");
  assert_counts (2 * N_SLOTS, 0, N_ALL - N_SLOTS);
}

TEST (test_back)
{
  put_batch (1, 10);
  words->returned--;
  assert_violation (
      "it returned 4294967295 slots at once, and there is room for 32");
}

/* As much as fits is looked at, though it cannot all be the client's. */
TEST (test_as_far_ahead_as_may_be)
{
  put_batch (N_SLOTS, 10);
  put_batch (8, SLOT_SIZE + 1);
  for (guint i = 0; i < N_ALL; i++)
    give_back (record_of (i)->slot);
  fail_unless (afxdp_client_ring_begin (ring));
  assert_counts (N_ALL, 0, N_ALL);
}

/* Two threads, as two processes. */

#define N_SENT 100000

/* A client as protocol.h has it, that sleeps whenever it finds nothing; until n_wakes
 * rises, which is what the daemon would send. */
static gpointer
consume (gpointer n_wakes)
{
  guint32 sleep = 0;

  for (guint32 n_read = 0; n_read < N_SENT;) {
    gint before = g_atomic_int_get ((gint *) n_wakes);
    const struct afxdp_record *record;

    if (__atomic_load_n (&head->produced, __ATOMIC_ACQUIRE) == n_read) {
      __atomic_store_n (&words->sleeping, ++sleep, __ATOMIC_RELAXED);
      __atomic_thread_fence (__ATOMIC_SEQ_CST);
      if (__atomic_load_n (&head->produced, __ATOMIC_ACQUIRE) == n_read)
        while (g_atomic_int_get ((gint *) n_wakes) == before)
          g_thread_yield ();
      __atomic_store_n (&words->sleeping, 0, __ATOMIC_RELAXED);
      continue;
    }
    record = record_of (n_read);
    g_assert_cmpuint (record->ordinal, ==, n_read++);
    g_assert_true (!memcmp (
        bytes_of (record), payload + record->ordinal % 16, record->size));
    words->returns[words->returned & (opened.n_returns - 1)] = record->slot;
    __atomic_store_n (&words->returned, words->returned + 1, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* No sleep lasts: what comes next comes only after the client has woken. */
TEST (test_threads)
{
  gint n_wakes = 0;
  GThread *client = g_thread_new ("client", consume, &n_wakes);

  for (guint32 i = 0; i < N_SENT; i++) {
    if (put_batch (1, 64))
      g_atomic_int_inc (&n_wakes);
    for (guint spins = 0;
         __atomic_load_n (&words->returned, __ATOMIC_ACQUIRE) != i + 1; spins++)
      if (spins > 1000)
        g_thread_yield ();
    /* So that the next one comes at each moment of its going to sleep. */
    for (guint spins = 0; spins < i % 64; spins++)
      __atomic_signal_fence (__ATOMIC_SEQ_CST);
  }
  g_thread_join (client);
  fail_if (afxdp_client_ring_violation (ring));
  fail_unless (n_wakes > 0);
}

/* A client that writes what comes into its mind. */
LOOP_TEST (test_model, 8)
{
  suite_run_scripts (
      "CLIENTRING_SEED", __i__, 200, 20, 400, client_ring_model_run);
}

SUITE ("clientring", 50, set_up, tear_down)
