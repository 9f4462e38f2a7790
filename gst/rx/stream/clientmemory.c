/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of a stream that the distributor daemon fills. */
#include "clientmemory.h"

#include <errno.h>
#include <sys/mman.h>

#include "error.h"
#include "fork.h"

/* More than these no daemon grants. */
#define MOST_SLOTS (1u << 20)
#define LARGEST_SLOT (1u << 20)
/* Slots that go back at once. */
#define BATCH 64

static gboolean
is_power_of_two (guint n)
{
  return n && !(n & (n - 1));
}

/* Whether n things of size lie at offset within all, aligned. */
static gboolean
fits (guint64 offset, guint64 n, guint64 size, guint64 all, guint64 alignment)
{
  return offset <= all && !(offset % alignment) && n * size <= all - offset;
}

static gboolean
is_possible (const struct afxdp_opened *opened)
{
  guint n = opened->n_slots + opened->n_large;

  return opened->n_slots && opened->n_slots <= MOST_SLOTS &&
      opened->n_large <= MOST_SLOTS && is_power_of_two (opened->slot_size) &&
      opened->slot_size <= LARGEST_SLOT && opened->slot_size >= 64 &&
      opened->large_size <= LARGEST_SLOT &&
      is_power_of_two (opened->n_records) && opened->n_records >= n &&
      is_power_of_two (opened->n_returns) && opened->n_returns >= n &&
      opened->memory_size >= sizeof (struct afxdp_stream_head) &&
      fits (opened->records_offset, opened->n_records,
          sizeof (struct afxdp_record), opened->memory_size, 8) &&
      fits (opened->slots_offset, opened->n_slots, opened->slot_size,
          opened->memory_size, 4096) &&
      fits (opened->large_offset, opened->n_large, opened->large_size,
          opened->memory_size, 64) &&
      opened->memory_size <= G_MAXSIZE && opened->words_size <= G_MAXSIZE &&
      fits (sizeof (struct afxdp_client_words), opened->n_returns,
          sizeof (guint32), opened->words_size, 4);
}

gboolean
afxdp_client_memory_is_here (const AfxdpClientMemory *memory)
{
  return G_LIKELY (memory->generation == afxdp_fork_generation ());
}

static void
free_memory (gpointer data)
{
  AfxdpClientMemory *memory = data;

  gboolean here = afxdp_client_memory_is_here (memory);

  /* In a child something else may be there by now. */
  if (memory->base && here)
    munmap ((gpointer) memory->base, memory->size);
  if (memory->words && here)
    munmap (memory->words, memory->words_size);
  pthread_mutex_destroy (&memory->lock);
  g_free ((gpointer) memory->ours);
  g_free (memory);
}

static gpointer
map (int fd, gsize size, int protection, GError **error)
{
  gpointer memory =
      mmap (NULL, size, protection, MAP_SHARED | MAP_POPULATE, fd, 0);

  if (memory == MAP_FAILED) {
    /* EINVAL: more than there can be, as valgrind has it. */
    afxdp_error_set (error, errno == EINVAL ? ENOMEM : errno,
        "Could not map %" G_GSIZE_FORMAT " bytes of the distributor's memory",
        size);
    return NULL;
  }
  /* A child has nothing of the stream, and must not return slots. */
  madvise (memory, size, MADV_DONTFORK);
  return memory;
}

static void
find_places (AfxdpClientMemory *memory, const struct afxdp_opened *opened)
{
  memory->head = (gconstpointer) memory->base;
  memory->records = (gconstpointer) (memory->base + opened->records_offset);
  memory->slots = memory->base + opened->slots_offset;
  memory->large = memory->base + opened->large_offset;
  memory->n_records = opened->n_records;
  memory->n_slots = opened->n_slots;
  memory->slot_size = opened->slot_size;
  memory->n_large = opened->n_large;
  memory->large_size = opened->large_size;
  memory->n_returns = opened->n_returns;
  memory->ours = g_malloc0 (opened->n_slots + opened->n_large);
}

static void
refill (gpointer data)
{
  afxdp_client_memory_give_back (data);
}

AfxdpClientMemory *
afxdp_client_memory_new (const struct afxdp_opened *opened, int memory_fd,
    int words_fd, GError **error)
{
  AfxdpClientMemory *memory;

  if (!is_possible (opened)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
        "The distributor describes memory that cannot be. Are both of one "
        "version?");
    return NULL;
  }
  memory = g_new0 (AfxdpClientMemory, 1);
  memory->generation = afxdp_fork_generation ();
  pthread_mutex_init (&memory->lock, NULL);
  memory->size = opened->memory_size;
  memory->words_size = opened->words_size;
  memory->base = map (memory_fd, memory->size, PROT_READ, error);
  memory->words = memory->base
      ? map (words_fd, memory->words_size, PROT_READ | PROT_WRITE, error)
      : NULL;
  if (memory->words) {
    find_places (memory, opened);
    memory->umem = afxdp_umem_new_over ((gpointer) memory->slots,
        memory->n_slots, memory->slot_size, free_memory, memory, error);
  }
  if (!memory->umem) {
    free_memory (memory);
    return NULL;
  }
  afxdp_umem_set_refill (memory->umem, refill, memory);
  return memory;
}

gboolean
afxdp_client_memory_take (AfxdpClientMemory *memory,
    const struct afxdp_record *record, const guint8 **data)
{
  guint32 slot = record->slot;

  if (slot >= memory->n_slots + memory->n_large ||
      record->size > (afxdp_client_memory_is_large (memory, slot)
                             ? memory->large_size
                             : memory->slot_size) ||
      atomic_load_explicit (&memory->ours[slot], memory_order_relaxed))
    return FALSE;
  /* Nobody else sets it. */
  atomic_store_explicit (&memory->ours[slot], TRUE, memory_order_relaxed);
  if (afxdp_client_memory_is_large (memory, slot)) {
    *data =
        memory->large + (gsize) (slot - memory->n_slots) * memory->large_size;
  } else {
    *data = memory->slots + (gsize) slot * memory->slot_size;
    afxdp_umem_arrived (memory->umem, slot);
  }
  return TRUE;
}

/* Called with the lock. */
static void
put_into_returns (AfxdpClientMemory *memory, const guint32 *slots, guint n)
{
  for (guint i = 0; i < n; i++) {
    atomic_store_explicit (
        &memory->ours[slots[i]], FALSE, memory_order_relaxed);
    __atomic_store_n (
        &memory->words
             ->returns[(memory->returned + i) & (memory->n_returns - 1)],
        slots[i], __ATOMIC_RELAXED);
  }
  memory->returned += n;
  __atomic_store_n (
      &memory->words->returned, memory->returned, __ATOMIC_RELEASE);
  atomic_fetch_sub_explicit (&memory->n_ours, n, memory_order_relaxed);
}

void
afxdp_client_memory_return (
    AfxdpClientMemory *memory, const guint32 *slots, guint n)
{
  pthread_mutex_lock (&memory->lock);
  put_into_returns (memory, slots, n);
  pthread_mutex_unlock (&memory->lock);
}

void
afxdp_client_memory_give_back (AfxdpClientMemory *memory)
{
  guint32 slots[BATCH];
  guint n;

  if (!afxdp_client_memory_is_here (memory))
    return;
  pthread_mutex_lock (&memory->lock);
  while ((n = afxdp_umem_take (memory->umem, slots, BATCH, TRUE)))
    put_into_returns (memory, slots, n);
  pthread_mutex_unlock (&memory->lock);
}
