/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client ring, and a model of it. */
#include "clientringmodel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "bytes.h"
#include "clientring.h"

#define SLOT_SIZE 64
#define LARGE_SIZE 65536
/* Few, so that a script comes around. */
#define MOST_SLOTS 12
#define ALL_SLOTS 64
#define MOST_PACKETS 2000

/* What packets are made of: each begins at another byte. */
#define PATTERNS 251
static guint8 pattern[PATTERNS + LARGE_SIZE + 1];

typedef struct
{
  gboolean held;     /* it is the client's */
  gboolean returned; /* the client has said otherwise */
  guint64 ordinal;   /* of the packet in it */
  guint size;
} Slot;

typedef struct
{
  const guint8 *bytes; /* what is left to be read */
  gsize size;

  AfxdpClientRing *ring;
  struct afxdp_opened layout;
  guint8 *memory;
  const struct afxdp_stream_head *head;
  const struct afxdp_record *records;
  struct afxdp_client_words *words;

  Slot slots[ALL_SLOTS];
  guint n_slots;      /* large ones included */
  guint n_held[2];    /* small and large ones */
  guint32 n_read;     /* records */
  guint32 n_returned; /* that the daemon has taken back */
  guint32 woken;
  guint64 ordinal, packets, dropped;
  guint32 drops[AFXDP_PROTOCOL_N_DROPS];
  guint64 since[AFXDP_PROTOCOL_N_DROPS]; /* of those that no record tells */
  guint64 until;                         /* likewise */
  gboolean violated;
} Model;

static guint32
take (Model *model, guint n)
{
  return bytes_take (&model->bytes, &model->size, n);
}

/* Around. */

static gpointer
map (int fd, gsize size, int protection)
{
  gpointer address = mmap (NULL, size, protection, MAP_SHARED, fd, 0);

  g_assert (address != MAP_FAILED);
  return address;
}

static void
begin (Model *model)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < sizeof pattern; i++)
    pattern[i] = i * 7 + (i >> 8);
  model->ring = afxdp_client_ring_new (
      1 + take (model, 1) % MOST_SLOTS, SLOT_SIZE, &error);
  g_assert_no_error (error);
  afxdp_client_ring_describe (model->ring, &model->layout);
  model->memory = map (afxdp_client_ring_memory (model->ring),
      model->layout.memory_size, PROT_READ);
  model->words = map (afxdp_client_ring_words (model->ring),
      model->layout.words_size, PROT_READ | PROT_WRITE);
  model->head = (gpointer) model->memory;
  model->records = (gpointer) (model->memory + model->layout.records_offset);
  model->n_slots = model->layout.n_slots + model->layout.n_large;
  g_assert_cmpuint (model->n_slots, <=, ALL_SLOTS);
  model->words->on = 1;
  memset (model->since, 0xff, sizeof model->since);
}

static void
end (Model *model)
{
  munmap (model->memory, model->layout.memory_size);
  munmap (model->words, model->layout.words_size);
  afxdp_client_ring_free (model->ring);
}

static gboolean
is_large (const Model *model, guint32 slot)
{
  return slot >= model->layout.n_slots;
}

static const guint8 *
bytes_of (guint64 ordinal)
{
  return pattern + ordinal % PATTERNS;
}

static void
check_slot (const Model *model, guint32 slot)
{
  const guint8 *bytes = is_large (model, slot)
      ? model->memory + model->layout.large_offset +
          (slot - model->layout.n_slots) * LARGE_SIZE
      : model->memory + model->layout.slots_offset + slot * SLOT_SIZE;
  const Slot *one = &model->slots[slot];

  g_assert (!memcmp (bytes, bytes_of (one->ordinal), one->size));
}

static void
check_counts (const Model *model)
{
  AfxdpClientRingCounts counts;

  afxdp_client_ring_counts (model->ring, &counts);
  g_assert_cmpuint (counts.packets, ==, model->packets);
  g_assert_cmpuint (counts.dropped, ==, model->dropped);
  g_assert_cmpuint (counts.n_slots, ==, model->n_slots);
  g_assert_cmpuint (
      counts.n_free, ==, model->n_slots - model->n_held[0] - model->n_held[1]);
  g_assert_cmpuint (model->head->ordinal, ==, model->ordinal);
  g_assert_cmpuint (model->ordinal, ==, model->packets + model->dropped);
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++)
    g_assert_cmpuint (model->head->drops[i], ==, model->drops[i]);
  g_assert (!memcmp (model->head->since, model->since, sizeof model->since));
}

/* The daemon's steps. */

/* Takes the slots back that the client has written; as the protocol says, and not as the
 * ring does it. */
static void
expect_returns (Model *model)
{
  guint32 n = model->words->returned - model->n_returned;

  if (n > model->layout.n_returns)
    model->violated = TRUE;
  while (n-- && !model->violated) {
    guint32 slot =
        model->words->returns[model->n_returned % model->layout.n_returns];

    if (slot >= model->n_slots || !model->slots[slot].held) {
      model->violated = TRUE;
      return;
    }
    check_slot (model, slot);
    model->slots[slot] = (Slot){ 0 };
    model->n_held[is_large (model, slot)]--;
    model->n_returned++;
  }
}

/* Returns whether the packet is expected to find a slot. */
static gboolean
put (Model *model, guint64 ordinal, guint size)
{
  static const guint8 address[16] = { 10, 0, 0, 1 };
  gboolean large = size > SLOT_SIZE;
  guint n = large ? model->layout.n_large : model->layout.n_slots;
  AfxdpPacket packet = {
    .data = bytes_of (ordinal),
    .size = size,
    .arrival = ordinal * 1000,
    .sender = { address, 7, ordinal & 0xffff, ordinal & 1 ? 6 : 4 },
  };

  afxdp_client_ring_put (model->ring, &packet,
      ordinal & 1 ? AFXDP_PATH_FAST : AFXDP_PATH_SLOW, ordinal % 3 == 0);
  if (size > LARGE_SIZE || model->n_held[large] == n)
    return FALSE;
  model->n_held[large]++;
  return TRUE;
}

static void
check_record (Model *model, guint64 ordinal, guint size)
{
  const struct afxdp_record *record =
      &model->records[model->n_read++ % model->layout.n_records];
  Slot *slot = &model->slots[record->slot];

  g_assert_cmpuint (record->slot, <, model->n_slots);
  g_assert (!slot->held);
  g_assert (is_large (model, record->slot) == (size > SLOT_SIZE));
  g_assert_cmpuint (record->ordinal, ==, ordinal);
  g_assert_cmpuint (record->arrival, ==, ordinal * 1000);
  g_assert_cmpuint (record->size, ==, size);
  g_assert (!memcmp (record->drops, model->drops, sizeof model->drops));
  g_assert (!memcmp (record->since, model->since, sizeof model->since));
  memset (model->since, 0xff, sizeof model->since);
  g_assert_cmpuint (record->arrival + record->behind * 1000, >=, model->until);
  g_assert (!record->behind ||
      record->arrival + (record->behind - 1) * 1000 < model->until);
  model->until = 0;
  g_assert_cmpuint (record->sender[0], ==, 10);
  g_assert_cmpuint (record->sender_scope, ==, 7);
  g_assert_cmpuint (record->sender_port, ==, ordinal & 0xffff);
  g_assert_cmpuint (record->sender_version, ==, ordinal & 1 ? 6 : 4);
  g_assert_cmpuint (
      record->path, ==, ordinal & 1 ? AFXDP_PATH_FAST : AFXDP_PATH_SLOW);
  g_assert_cmpuint (record->stamped, ==, ordinal % 3 == 0);
  *slot = (Slot){ .held = TRUE, .ordinal = ordinal, .size = size };
  check_slot (model, record->slot);
}

static void
end_batch (Model *model, guint n_put)
{
  guint32 sleeping = model->words->sleeping;
  gboolean wakes = n_put && sleeping && sleeping != model->woken;

  g_assert (afxdp_client_ring_end (model->ring) == wakes);
  if (wakes)
    model->woken = sleeping;
}

static void
do_batch (Model *model)
{
  static const guint sizes[] = { 10, 64, 1, 0, 65, 1000, LARGE_SIZE,
    LARGE_SIZE + 1 };
  guint n = take (model, 1) % 16, n_put = 0;
  struct
  {
    guint64 ordinal;
    guint size;
  } packets[16];
  gboolean on;

  if (!model->violated)
    expect_returns (model);
  on = !model->violated && model->words->on == 1;
  g_assert (afxdp_client_ring_begin (model->ring) == on);
  g_assert (!afxdp_client_ring_violation (model->ring) == !model->violated);
  for (guint i = 0; on && i < n; i++) {
    guint choice = take (model, 1);
    /* Most are small. */
    guint size = sizes[choice < 224 ? choice % 4 : choice % 8];

    packets[n_put].ordinal = model->ordinal;
    packets[n_put].size = size;
    if (put (model, model->ordinal++, size)) {
      n_put++;
      model->packets++;
    } else {
      model->dropped++;
    }
  }
  if (on)
    end_batch (model, n_put);
  for (guint i = 0; i < n_put; i++)
    check_record (model, packets[i].ordinal, packets[i].size);
  g_assert_cmpuint (model->head->produced, ==, model->n_read);
}

static void
do_drops (Model *model)
{
  static const gint place[AFXDP_N_COLUMNS] = {
    [AFXDP_COLUMN_NIC] = 1,
    [AFXDP_COLUMN_RX_RING] = 2,
    [AFXDP_COLUMN_FILL_RING] = 3,
    [AFXDP_COLUMN_REDIRECT] = 4,
    [AFXDP_COLUMN_SOCKET_BUFFER] = 5,
    [AFXDP_COLUMN_OVERLOAD] = 6,
    [AFXDP_COLUMN_PAUSED] = 5,
  };
  AfxdpColumn column = take (model, 1) % AFXDP_N_COLUMNS;
  gint n = (gint) take (model, 1) - 64;
  AfxdpDrops drops = { 0 };

  guint64 from = take (model, 2), until = from + take (model, 3);

  afxdp_drops_add (&drops, column, n ? n : 1, from, until);
  afxdp_client_ring_add_drops (model->ring, &drops);
  if (place[column])
    model->drops[place[column] - 1] += n ? n : 1;
  if (place[column] && n >= 0) {
    model->since[place[column] - 1] =
        MIN (model->since[place[column] - 1], from);
    model->until = MAX (model->until, until);
  }
  afxdp_client_ring_set_known (model->ring, model->ordinal + 5);
  g_assert_cmpuint (model->head->known, ==, model->ordinal + 5);
}

/* The client's steps. */

/* Those that it has, in any order. */
static void
do_return (Model *model)
{
  guint n = 1 + take (model, 1) % 16, at = take (model, 1);
  struct afxdp_client_words *words = model->words;

  for (guint i = 0; i < model->n_slots && n; i++) {
    guint32 index = (at + i * 5) % model->n_slots;
    Slot *slot = &model->slots[index];

    if (!slot->held || slot->returned)
      continue;
    slot->returned = TRUE;
    words->returns[words->returned++ % model->layout.n_returns] = index;
    n--;
  }
}

static void
do_words (Model *model)
{
  guint what = take (model, 1);

  model->words->on = what % 8 ? 1 : what / 8;
  model->words->sleeping = take (model, 1) % 4;
  model->words->wanted = take (model, 2);
  g_assert_cmpuint (
      afxdp_client_ring_wanted (model->ring), ==, model->words->wanted);
}

/* As no client of ours does. */
static void
do_harm (Model *model)
{
  struct afxdp_client_words *words = model->words;
  guint what = take (model, 1), at = take (model, 1) % model->layout.n_returns;

  switch (what % 8) {
    case 0:
      words->returns[at] = take (model, 4);
      break;
    case 1:
      words->returns[at] = take (model, 1) % (model->n_slots + 1);
      break;
    case 2:
      words->returned += (gint8) take (model, 1);
      break;
    case 3:
      words->returned = take (model, 4);
      break;
    case 4:
      words->returned += model->layout.n_returns + (what & 8 ? 1 : 0);
      break;
    case 5:
      words->returns[words->returned++ % model->layout.n_returns] =
          take (model, 1) % (model->n_slots + 2);
      break;
    case 6:
      memset (words, take (model, 1), model->layout.words_size);
      break;
    case 7:
      g_assert (!fallocate (afxdp_client_ring_words (model->ring),
          FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
          model->layout.words_size));
      break;
  }
}

static void
do_step (Model *model)
{
  guint what = take (model, 1);

  if (what < 100)
    do_batch (model);
  else if (what < 200)
    do_return (model);
  else if (what < 220)
    do_words (model);
  else if (what < 245)
    do_drops (model);
  else
    do_harm (model);
}

void
client_ring_model_run (const guint8 *bytes, gsize size)
{
  Model model = { .bytes = bytes, .size = size };

  begin (&model);
  while (model.size && model.ordinal < MOST_PACKETS) {
    do_step (&model);
    check_counts (&model);
  }
  for (guint i = 0; i < model.n_slots; i++)
    if (model.slots[i].held)
      check_slot (&model, i);
  end (&model);
}
