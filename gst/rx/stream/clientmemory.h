/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a stream that the distributor daemon fills, as its client has it: where
 * things are in it, and which slots are ours. Slots are the frames of an AfxdpUmem,
 * whose free frames go back to the daemon; so they can be lent downstream as any frame.
 * Large slots are in none: what is in them is copied.
 *
 * The daemon may write anything there at any time. What is read is looked at once, in a
 * copy.
 *
 * Lives as long as its umem. give_back() is for any thread, the others for one.
 */
#pragma once

#include <pthread.h>

#include "../../distributor/protocol.h" /* the one file that both sides share */
#include "umem.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpUmem *umem; /* owns all of it */
  gsize size, words_size;
  const guint8 *base;
  const struct afxdp_stream_head *head;
  const struct afxdp_record *records;
  struct afxdp_client_words *words;
  guint n_records, n_slots, slot_size, n_large, large_size, n_returns;
  const guint8 *slots, *large;

  _Atomic guint8 *ours; /* whether each slot is */
  _Atomic guint n_ours; /* as far as they are counted: a batch at a time */
  guint generation;     /* of processes: a child has none of it mapped */
  pthread_mutex_t lock; /* protects returned; outside of umem's */
  guint32 returned;     /* slots, ever */
} AfxdpClientMemory;

/* Maps what the daemon describes. Returns a memory whose umem the caller owns a
 * reference to. Errors: AFXDP_ERROR_FAILED, that cannot be; _MEMORY. */
AfxdpClientMemory *afxdp_client_memory_new (const struct afxdp_opened *opened,
    int memory_fd, int words_fd, GError **error);

/* Whether a record may be: its slot is not ours, and holds that much. Then it is ours,
 * and data is in it. */
gboolean afxdp_client_memory_take (AfxdpClientMemory *memory,
    const struct afxdp_record *record, const guint8 **data);
static inline gboolean
afxdp_client_memory_is_large (const AfxdpClientMemory *memory, guint32 slot)
{
  return slot >= memory->n_slots;
}

/* Slots of ours go back to the daemon. */
void afxdp_client_memory_return (
    AfxdpClientMemory *memory, const guint32 *slots, guint n);
/* All that are on the umem's free list do. */
void afxdp_client_memory_give_back (AfxdpClientMemory *memory);

/* FALSE: this process is a child of the one that mapped it, and must not touch it. */
gboolean afxdp_client_memory_is_here (const AfxdpClientMemory *memory);
/* Records that the daemon has ever written. */
static inline guint32
afxdp_client_memory_produced (const AfxdpClientMemory *memory)
{
  return __atomic_load_n (&memory->head->produced, __ATOMIC_ACQUIRE);
}

G_END_DECLS
