/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client's ring: slots, records, and what the client says of them. */
#include "clientring.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "sharedmemory.h"

#define LARGE_SIZE 65536 /* bytes: any datagram */
#define N_LARGE 64
/* Of a ring that is small itself. */
#define SMALL_RING 1024
#define N_LARGE_OF_SMALL_RING 8

/* Most slots: their numbers fit into an index twice, and more is a mistake. */
#define MOST_SLOTS (1u << 24)

#define NO_SLOT G_MAXUINT32
#define CACHE_LINE 64

/* Where the parts lie. */
typedef struct
{
  guint n_slots, n_large, slot_size;
  guint n_records, n_returns;
  guint64 records_offset, slots_offset, large_offset, memory_size;
  guint64 words_size;
} Layout;

/* Slots of one size that are ours; the one used last is taken first, while the cache
 * is warm. */
typedef struct
{
  guint32 *slots;
  guint n;
} Stack;

struct _AfxdpClientRing
{
  /* Hot. All of it is the worker's, and none of it comes from the client. */
  struct afxdp_stream_head *head;
  struct afxdp_record *records;
  guint8 *slots, *large;
  const struct afxdp_client_words *words;
  Layout layout;
  guint32 produced, shown; /* records; those that the head tells of */
  guint32 returned;        /* slots that were taken back */
  guint32 woken;           /* from which sleep it was woken last */
  guint64 ordinal;
  guint32 drops[AFXDP_PROTOCOL_N_DROPS];
  /* of those that no record tells; G_MAXUINT64: there are none */
  guint64 since[AFXDP_PROTOCOL_N_DROPS], until;
  guint32 malformed;
  Stack free, free_large;
  gboolean *is_client; /* of each slot: whether it has been handed over */

  /* For any thread to read. */
  _Atomic guint64 packets, dropped;
  _Atomic guint n_free;
  gchar *_Atomic violation;

  /* Cold. */
  AfxdpSharedMemory memory, shared_words;
};

/* Memory. */

static guint64
to_page (guint64 size)
{
  guint64 page = sysconf (_SC_PAGESIZE);

  return (size + page - 1) & ~(page - 1);
}

G_STATIC_ASSERT (sizeof (struct afxdp_stream_head) <= 2 * CACHE_LINE);

static void
lay_out (Layout *layout, guint n_slots, guint slot_size)
{
  guint n_large = n_slots < SMALL_RING ? N_LARGE_OF_SMALL_RING : N_LARGE;
  guint n = 1u << g_bit_storage (n_slots + n_large - 1);

  *layout = (Layout){
    .n_slots = n_slots,
    .n_large = n_large,
    .slot_size = slot_size,
    .n_records = n,
    .n_returns = n,
    .records_offset = 2 * CACHE_LINE, /* a record has two */
  };
  layout->slots_offset = to_page (
      layout->records_offset + (guint64) n * sizeof (struct afxdp_record));
  layout->large_offset =
      to_page (layout->slots_offset + (guint64) n_slots * slot_size);
  layout->memory_size =
      to_page (layout->large_offset + (guint64) n_large * LARGE_SIZE);
  layout->words_size = to_page (
      sizeof (struct afxdp_client_words) + (guint64) n * sizeof (guint32));
}

gsize
afxdp_client_ring_bytes (guint n_slots, guint slot_size)
{
  Layout layout;

  lay_out (&layout, n_slots, slot_size);
  return MIN (layout.memory_size + layout.words_size, G_MAXSIZE);
}

/* With the lowest slot on top, so that a quiet stream touches few pages. */
static void
fill (Stack *stack, guint32 first, guint n)
{
  stack->slots = g_new (guint32, n);
  stack->n = n;
  for (guint i = 0; i < n; i++)
    stack->slots[i] = first + n - 1 - i;
}

/* A record tells all. */
static void
forget_since (AfxdpClientRing *ring)
{
  ring->until = 0;
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++)
    ring->since[i] = G_MAXUINT64;
}

AfxdpClientRing *
afxdp_client_ring_new (guint n_slots, guint slot_size, GError **error)
{
  g_autoptr (AfxdpClientRing) ring = NULL;
  struct afxdp_client_words *words;
  Layout *layout;
  guint8 *memory;

  g_return_val_if_fail (n_slots && n_slots <= MOST_SLOTS, NULL);
  g_return_val_if_fail (slot_size && !(slot_size & (slot_size - 1)), NULL);

  ring = g_new0 (AfxdpClientRing, 1);
  ring->memory.fd = ring->shared_words.fd = -1;
  ring->memory.own = ring->shared_words.own = -1;
  layout = &ring->layout;
  lay_out (layout, n_slots, slot_size);
  if (!afxdp_shared_memory_init (&ring->memory, "afxdp-client-ring",
          layout->memory_size, AFXDP_SHARED_READ, error) ||
      !afxdp_shared_memory_init (&ring->shared_words, "afxdp-client-words",
          layout->words_size, AFXDP_SHARED_WRITE, error))
    return NULL;
  memory = ring->memory.address;
  ring->head = (gpointer) memory;
  ring->records = (gpointer) (memory + layout->records_offset);
  ring->slots = memory + layout->slots_offset;
  ring->large = memory + layout->large_offset;
  words = ring->shared_words.address;
  /* What comes before the client knows of the ring is its, too. */
  words->on = 1;
  ring->words = words;
  ring->is_client = g_new0 (gboolean, n_slots + layout->n_large);
  fill (&ring->free, 0, n_slots);
  fill (&ring->free_large, n_slots, layout->n_large);
  forget_since (ring);
  memcpy (ring->head->since, ring->since, sizeof ring->since);
  ring->n_free = n_slots + layout->n_large;
  return g_steal_pointer (&ring);
}

void
afxdp_client_ring_free (AfxdpClientRing *ring)
{
  if (!ring)
    return;
  afxdp_shared_memory_clear (&ring->memory);
  afxdp_shared_memory_clear (&ring->shared_words);
  g_free (ring->free.slots);
  g_free (ring->free_large.slots);
  g_free (ring->is_client);
  g_free (ring->violation);
  g_free (ring);
}

void
afxdp_client_ring_leave (
    AfxdpClientRing *ring, int descriptors[AFXDP_CLIENT_RING_MEMORIES])
{
  descriptors[0] = afxdp_shared_memory_leave (&ring->memory);
  descriptors[1] = afxdp_shared_memory_leave (&ring->shared_words);
  afxdp_client_ring_free (ring);
}

void
afxdp_client_ring_describe (
    const AfxdpClientRing *ring, struct afxdp_opened *opened)
{
  const Layout *layout = &ring->layout;

  opened->memory_size = layout->memory_size;
  opened->records_offset = layout->records_offset;
  opened->slots_offset = layout->slots_offset;
  opened->large_offset = layout->large_offset;
  opened->n_records = layout->n_records;
  opened->n_slots = layout->n_slots;
  opened->slot_size = layout->slot_size;
  opened->n_large = layout->n_large;
  opened->large_size = LARGE_SIZE;
  opened->n_returns = layout->n_returns;
  opened->words_size = layout->words_size;
}

int
afxdp_client_ring_memory (const AfxdpClientRing *ring)
{
  return ring->memory.fd;
}

int
afxdp_client_ring_words (const AfxdpClientRing *ring)
{
  return ring->shared_words.fd;
}

/* Slots. */

static void
count_free (AfxdpClientRing *ring)
{
  atomic_store_explicit (
      &ring->n_free, ring->free.n + ring->free_large.n, memory_order_relaxed);
}

static guint32
hand_over (AfxdpClientRing *ring, guint size)
{
  Stack *stack =
      size <= ring->layout.slot_size ? &ring->free : &ring->free_large;
  guint32 slot;

  if (G_UNLIKELY (size > LARGE_SIZE || !stack->n))
    return NO_SLOT;
  slot = stack->slots[--stack->n];
  g_assert (!ring->is_client[slot]);
  ring->is_client[slot] = TRUE;
  return slot;
}

static guint8 *
slot_address (const AfxdpClientRing *ring, guint32 slot)
{
  const Layout *layout = &ring->layout;

  return slot < layout->n_slots
      ? ring->slots + (gsize) slot * layout->slot_size
      : ring->large + (gsize) (slot - layout->n_slots) * LARGE_SIZE;
}

/* Once: begin() does nothing from then on. */
static void G_GNUC_PRINTF (2, 3)
    violate (AfxdpClientRing *ring, const gchar *format, ...)
{
  gchar *text;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  atomic_store_explicit (&ring->violation, text, memory_order_release);
}

/* slot is what the client wrote, read once. */
static gboolean
take_back (AfxdpClientRing *ring, guint32 slot)
{
  const Layout *layout = &ring->layout;
  Stack *stack = slot < layout->n_slots ? &ring->free : &ring->free_large;

  if (G_UNLIKELY (slot >= layout->n_slots + layout->n_large)) {
    violate (ring, "it returned the slot %u, and has %u", slot,
        layout->n_slots + layout->n_large);
    return FALSE;
  }
  if (G_UNLIKELY (!ring->is_client[slot])) {
    violate (ring, "it returned the slot %u, which it does not have", slot);
    return FALSE;
  }
  ring->is_client[slot] = FALSE;
  stack->slots[stack->n++] = slot;
  return TRUE;
}

static void
take_returned_back (AfxdpClientRing *ring)
{
  const struct afxdp_client_words *words = ring->words;
  guint32 mask = ring->layout.n_returns - 1;
  guint32 end = __atomic_load_n (&words->returned, __ATOMIC_ACQUIRE);
  guint32 n = end - ring->returned;

  if (!n)
    return;
  if (G_UNLIKELY (n > ring->layout.n_returns)) {
    violate (ring, "it returned %u slots at once, and there is room for %u", n,
        ring->layout.n_returns);
    return;
  }
  while (ring->returned != end &&
      take_back (ring,
          __atomic_load_n (
              &words->returns[ring->returned & mask], __ATOMIC_RELAXED)))
    ring->returned++;
  count_free (ring);
}

/* Packets. */

static gboolean
has_violated (const AfxdpClientRing *ring)
{
  return atomic_load_explicit (&ring->violation, memory_order_relaxed) != NULL;
}

gboolean
afxdp_client_ring_begin (AfxdpClientRing *ring)
{
  if (G_UNLIKELY (has_violated (ring)))
    return FALSE;
  take_returned_back (ring);
  return __atomic_load_n (&ring->words->on, __ATOMIC_RELAXED) == 1 &&
      G_LIKELY (!has_violated (ring));
}

static void
fill_in (const AfxdpClientRing *ring, struct afxdp_record *record,
    const AfxdpPacket *packet)
{
  const AfxdpSender *sender = &packet->sender;

  record->ordinal = ring->ordinal;
  record->arrival = packet->arrival;
  record->size = packet->size;
  memcpy (record->drops, ring->drops, sizeof record->drops);
  memcpy (record->since, ring->since, sizeof record->since);
  record->behind = 0;
  if (G_UNLIKELY (ring->until > packet->arrival))
    record->behind =
        MIN ((ring->until - packet->arrival + 999) / 1000, G_MAXUINT32);
  memset (record->sender, 0, sizeof record->sender);
  memcpy (record->sender, sender->address, sender->version == 4 ? 4 : 16);
  record->sender_scope = sender->scope;
  record->sender_port = sender->port;
  record->sender_version = sender->version;
}

static void
add_one (_Atomic guint64 *counter)
{
  guint64 n = atomic_load_explicit (counter, memory_order_relaxed);

  /* Nobody else writes it. */
  atomic_store_explicit (counter, n + 1, memory_order_relaxed);
}

void
afxdp_client_ring_put (AfxdpClientRing *ring, const AfxdpPacket *packet,
    AfxdpPath path, gboolean stamped)
{
  guint32 slot = hand_over (ring, packet->size);
  struct afxdp_record *record;

  if (G_UNLIKELY (slot == NO_SLOT)) {
    ring->ordinal++;
    add_one (&ring->dropped);
    return;
  }
  /* There are as many records as slots, so that of this one the client has returned
   * the slot. */
  record = &ring->records[ring->produced++ & (ring->layout.n_records - 1)];
  if (packet->size)
    memcpy (slot_address (ring, slot), packet->data, packet->size);
  fill_in (ring, record, packet);
  record->slot = slot;
  record->path = path;
  record->stamped = stamped;
  forget_since (ring);
  ring->ordinal++;
  add_one (&ring->packets);
}

/* The records that show tell the rest. Who sees this sees them. */
static void
show_since (AfxdpClientRing *ring)
{
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++)
    __atomic_store_n (&ring->head->since[i], ring->since[i], __ATOMIC_RELEASE);
}

gboolean
afxdp_client_ring_end (AfxdpClientRing *ring)
{
  guint32 sleeping;
  gboolean some = ring->produced != ring->shown;

  ring->shown = ring->produced;
  if (some)
    __atomic_store_n (&ring->head->produced, ring->produced, __ATOMIC_SEQ_CST);
  /* A client that saw it first would take packets for lost whose records come. */
  __atomic_store_n (&ring->head->ordinal, ring->ordinal, __ATOMIC_RELEASE);
  if (!some)
    return FALSE;
  show_since (ring);
  count_free (ring);
  /* The client says that it sleeps, and then looks once more for packets. One of the
   * two sees what the other has written: all four are in one order (SEQ_CST; a thread
   * sanitizer knows no fences). */
  sleeping = __atomic_load_n (&ring->words->sleeping, __ATOMIC_SEQ_CST);
  if (!sleeping || sleeping == ring->woken)
    return FALSE;
  ring->woken = sleeping;
  return TRUE;
}

void
afxdp_client_ring_add_malformed (AfxdpClientRing *ring, guint n)
{
  ring->malformed += n;
  __atomic_store_n (&ring->head->malformed, ring->malformed, __ATOMIC_RELAXED);
}

/* Drops. */

/* For each column of the ledger 1 + its place in the protocol; 0: it has none. */
static const guint8 drop_of_column[AFXDP_N_COLUMNS] = {
  [AFXDP_COLUMN_NIC] = 1 + AFXDP_PROTOCOL_DROP_NIC,
  [AFXDP_COLUMN_RX_RING] = 1 + AFXDP_PROTOCOL_DROP_RX_RING,
  [AFXDP_COLUMN_FILL_RING] = 1 + AFXDP_PROTOCOL_DROP_FILL_RING,
  [AFXDP_COLUMN_REDIRECT] = 1 + AFXDP_PROTOCOL_DROP_REDIRECT,
  [AFXDP_COLUMN_SOCKET_BUFFER] = 1 + AFXDP_PROTOCOL_DROP_SOCKET_BUFFER,
  [AFXDP_COLUMN_OVERLOAD] = 1 + AFXDP_PROTOCOL_DROP_OVERLOAD,
  /* The client has not paused the daemon. */
  [AFXDP_COLUMN_PAUSED] = 1 + AFXDP_PROTOCOL_DROP_SOCKET_BUFFER,
};

static void
add_drop (AfxdpClientRing *ring, guint place, const AfxdpDrop *drop)
{
  struct afxdp_stream_head *head = ring->head;

  if (drop->n > 0) {
    ring->since[place] = MIN (ring->since[place], drop->from);
    ring->until = MAX (ring->until, drop->until);
    __atomic_store_n (&head->since[place], MIN (head->since[place], drop->from),
        __ATOMIC_RELEASE);
  }
  ring->drops[place] += drop->n;
  __atomic_store_n (&head->drops[place], ring->drops[place], __ATOMIC_RELEASE);
}

void
afxdp_client_ring_add_drops (AfxdpClientRing *ring, const AfxdpDrops *drops)
{
  for (guint i = 0; i < drops->n; i++) {
    guint place = drop_of_column[drops->drops[i].column];

    if (place)
      add_drop (ring, place - 1, &drops->drops[i]);
  }
}

void
afxdp_client_ring_set_known (AfxdpClientRing *ring, guint64 known)
{
  __atomic_store_n (&ring->head->known, known, __ATOMIC_RELEASE);
}

guint64
afxdp_client_ring_wanted (const AfxdpClientRing *ring)
{
  return __atomic_load_n (&ring->words->wanted, __ATOMIC_RELAXED);
}

const gchar *
afxdp_client_ring_violation (const AfxdpClientRing *ring)
{
  return atomic_load_explicit (&ring->violation, memory_order_acquire);
}

void
afxdp_client_ring_counts (
    const AfxdpClientRing *ring, AfxdpClientRingCounts *counts)
{
  const Layout *layout = &ring->layout;

  counts->packets = atomic_load_explicit (&ring->packets, memory_order_relaxed);
  counts->dropped = atomic_load_explicit (&ring->dropped, memory_order_relaxed);
  counts->n_slots = layout->n_slots + layout->n_large;
  counts->n_free = atomic_load_explicit (&ring->n_free, memory_order_relaxed);
}
