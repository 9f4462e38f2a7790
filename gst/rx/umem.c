/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame area: free list, frames lent downstream, accounts. */
#include "umem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>

#include "error.h"

#ifdef AFXDP_CHECK_FRAMES
typedef enum
{
  OWNER_FREE,
  OWNER_KERNEL,
  OWNER_ELEMENT,
  OWNER_DOWNSTREAM,
} Owner;
#define move(umem, frame, from, to)                            \
  do {                                                         \
    Owner old_ = atomic_exchange (&(umem)->owners[frame], to); \
    g_assert_cmpint (old_, ==, from);                          \
  } while (0)
#else
#define move(umem, frame, from, to) ((void) 0)
#endif

/* What is known of a frame, in one cache line. */
typedef struct
{
  AfxdpAccount *account; /* when it is downstream */
  guint32 next;          /* below it on the stack of returned ones */
} Frame;

/* Frames come home on a stack without a lock: returned is the frame on top. It
 * is only ever emptied as a whole, so the top cannot be replaced unnoticed (no
 * ABA). */

struct _AfxdpUmem
{
  guint8 *area;
  GDestroyNotify release; /* of its owner; NULL: it is ours */
  gpointer area_owner;
  guint n_frames;
  guint frame_shift;
  atomic_uint refs; /* open accounts and frames in them hold one together */

  pthread_mutex_t lock; /* innermost: protects free and n_free */
  guint32 *free;        /* stack */
  atomic_uint n_free;   /* atomic for those that guess */

  Frame *frames;
  gpointer room; /* the owner's */
  gpointer _Atomic owner;
  GDestroyNotify destroy_owner;

  pthread_mutex_t refill_lock; /* outermost: protects refill and user_data */
  void (*refill) (gpointer);
  gpointer user_data;
#ifdef AFXDP_CHECK_FRAMES
  _Atomic guint8 *owners;
#endif

  /* Written by the threads that free; read-mostly fields stay off this line. */
  _Alignas(64) _Atomic guint32 returned;
  atomic_bool hungry;
};

struct _AfxdpAccount
{
  AfxdpUmem *umem;
  atomic_uint refs; /* one for the open account, one for each frame lent */
};

/* For each frame size bytes, zero at first. Memory of the kernel's, which may refuse
 * it without an end of the process. */
static gpointer
map (const AfxdpUmem *umem, guint size, GError **error)
{
  gpointer memory = MAP_FAILED;
  guint64 bytes;

  errno = ENOMEM;
  if (afxdp_umem_bytes (umem->n_frames, size, G_MAXSIZE, &bytes))
    memory = mmap (NULL, bytes, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED)
    return memory;
  afxdp_error_set (error, errno,
      "Could not map memory for %u frames of %u bytes for packets",
      umem->n_frames, afxdp_umem_frame_size (umem));
  return NULL;
}

static void
unmap (const AfxdpUmem *umem, gpointer memory, gsize size)
{
  if (memory)
    munmap (memory, (gsize) umem->n_frames * size);
}

/* Without area. */
static AfxdpUmem *
make (guint n_frames, guint frame_size)
{
  AfxdpUmem *umem;

  g_return_val_if_fail (frame_size && !(frame_size & (frame_size - 1)), NULL);

  umem = g_aligned_alloc0 (1, sizeof *umem, 64);
  umem->n_frames = n_frames;
  umem->frame_shift = g_bit_nth_lsf (frame_size, -1);
  atomic_init (&umem->refs, 1);
  pthread_mutex_init (&umem->lock, NULL);
  pthread_mutex_init (&umem->refill_lock, NULL);
  atomic_init (&umem->returned, AFXDP_NO_FRAME);
  return umem;
}

static gboolean
map_records (AfxdpUmem *umem, GError **error)
{
#ifdef AFXDP_CHECK_FRAMES
  umem->owners = g_malloc0 (umem->n_frames);
#endif
  return (umem->room = map (umem, AFXDP_FRAME_ROOM, error)) &&
      (umem->frames = map (umem, sizeof *umem->frames, error)) &&
      (umem->free = map (umem, sizeof *umem->free, error));
}

AfxdpUmem *
afxdp_umem_new (guint n_frames, guint frame_size, GError **error)
{
  g_autoptr (AfxdpUmem) umem = make (n_frames, frame_size);

  if (!(umem->area = map (umem, frame_size, error)) ||
      !map_records (umem, error))
    return NULL;
  /* A forked child must not keep pages that the kernel writes to. */
  madvise (umem->area, afxdp_umem_size (umem), MADV_DONTFORK);

  /* The lowest frame on top, so that a quiet stream touches few pages. */
  for (guint i = 0; i < n_frames; i++)
    umem->free[i] = n_frames - 1 - i;
  umem->n_free = n_frames;
  return g_steal_pointer (&umem);
}

AfxdpUmem *
afxdp_umem_new_over (gpointer area, guint n_frames, guint frame_size,
    GDestroyNotify release, gpointer owner, GError **error)
{
  g_autoptr (AfxdpUmem) umem = make (n_frames, frame_size);

  if (!map_records (umem, error))
    return NULL;
  umem->area = area;
  umem->release = release;
  umem->area_owner = owner;
#ifdef AFXDP_CHECK_FRAMES
  for (guint i = 0; i < n_frames; i++)
    umem->owners[i] = OWNER_KERNEL;
#endif
  return g_steal_pointer (&umem);
}

gboolean
afxdp_umem_is_readonly (const AfxdpUmem *umem)
{
  return umem->release != NULL;
}

/* Linux 5.14; before that, or where the memory is refused, packets pay for it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void
populate (gpointer memory, gsize size)
{
  if (madvise (memory, size, MADV_POPULATE_WRITE))
    g_debug ("Could not populate %" G_GSIZE_FORMAT " bytes for packets: %s",
        size, g_strerror (errno));
}

void
afxdp_umem_populate (AfxdpUmem *umem, guint n)
{
  n = MIN (n, umem->n_frames);
  if (n == umem->n_frames) {
    if (!umem->release)
      madvise (umem->area, afxdp_umem_size (umem), MADV_HUGEPAGE);
    madvise (umem->room, (gsize) n * AFXDP_FRAME_ROOM, MADV_HUGEPAGE);
  }
  if (!umem->release)
    populate (umem->area, (gsize) n << umem->frame_shift);
  populate (umem->room, (gsize) n * AFXDP_FRAME_ROOM);
  populate (umem->frames, n * sizeof *umem->frames);
}

AfxdpUmem *
afxdp_umem_ref (AfxdpUmem *umem)
{
  atomic_fetch_add_explicit (&umem->refs, 1, memory_order_relaxed);
  return umem;
}

void
afxdp_umem_unref (AfxdpUmem *umem)
{
  if (!umem || atomic_fetch_sub (&umem->refs, 1) != 1)
    return;
  if (umem->destroy_owner)
    umem->destroy_owner (umem->owner);
  if (umem->release)
    umem->release (umem->area_owner);
  else
    unmap (umem, umem->area, afxdp_umem_frame_size (umem));
  unmap (umem, umem->room, AFXDP_FRAME_ROOM);
  unmap (umem, umem->frames, sizeof *umem->frames);
  unmap (umem, umem->free, sizeof *umem->free);
  pthread_mutex_destroy (&umem->lock);
  pthread_mutex_destroy (&umem->refill_lock);
#ifdef AFXDP_CHECK_FRAMES
  g_free ((gpointer) umem->owners);
#endif
  g_aligned_free (umem);
}

gpointer
afxdp_umem_area (const AfxdpUmem *umem)
{
  return umem->area;
}

gpointer
afxdp_umem_room (const AfxdpUmem *umem)
{
  return umem->room;
}

gsize
afxdp_umem_size (const AfxdpUmem *umem)
{
  return (gsize) umem->n_frames << umem->frame_shift;
}

guint
afxdp_umem_n_frames (const AfxdpUmem *umem)
{
  return umem->n_frames;
}

guint
afxdp_umem_frame_size (const AfxdpUmem *umem)
{
  return 1u << umem->frame_shift;
}

guint8 *
afxdp_umem_frame (const AfxdpUmem *umem, guint32 frame)
{
  return umem->area + ((gsize) frame << umem->frame_shift);
}

guint32
afxdp_umem_frame_at (const AfxdpUmem *umem, guint64 offset)
{
  return offset >> umem->frame_shift;
}

/* Moves what came home to the free list. Called with the lock. */
static void
collect (AfxdpUmem *umem)
{
  guint32 frame = atomic_exchange_explicit (
      &umem->returned, AFXDP_NO_FRAME, memory_order_acquire);

  for (; frame != AFXDP_NO_FRAME; frame = umem->frames[frame].next)
    umem->free[umem->n_free++] = frame;
}

guint
afxdp_umem_n_free (AfxdpUmem *umem)
{
  guint n;

  pthread_mutex_lock (&umem->lock);
  collect (umem);
  n = umem->n_free;
  pthread_mutex_unlock (&umem->lock);
  return n;
}

gboolean
afxdp_umem_is_short (AfxdpUmem *umem, guint n)
{
  return !umem->release &&
      atomic_load_explicit (&umem->n_free, memory_order_relaxed) < n &&
      atomic_load_explicit (&umem->returned, memory_order_relaxed) ==
      AFXDP_NO_FRAME;
}

guint
afxdp_umem_take (AfxdpUmem *umem, guint32 *frames, guint n, gboolean for_kernel)
{
  pthread_mutex_lock (&umem->lock);
  /* The warmest first, and only so many frames in use as must be. */
  if (atomic_load_explicit (&umem->returned, memory_order_relaxed) !=
      AFXDP_NO_FRAME)
    collect (umem);
  n = MIN (n, umem->n_free);
  for (guint i = 0; i < n; i++)
    frames[i] = umem->free[--umem->n_free];
  pthread_mutex_unlock (&umem->lock);

  for (guint i = 0; i < n; i++)
    move (
        umem, frames[i], OWNER_FREE, for_kernel ? OWNER_KERNEL : OWNER_ELEMENT);
  return n;
}

void
afxdp_umem_arrived (AfxdpUmem *umem, guint32 frame)
{
  __builtin_prefetch (&umem->frames[frame], 1);
  move (umem, frame, OWNER_KERNEL, OWNER_ELEMENT);
}

static void
put_on_free_list (AfxdpUmem *umem, const guint32 *frames, guint n)
{
  pthread_mutex_lock (&umem->lock);
  for (guint i = 0; i < n; i++)
    umem->free[umem->n_free++] = frames[i];
  pthread_mutex_unlock (&umem->lock);
}

void
afxdp_umem_give (AfxdpUmem *umem, const guint32 *frames, guint n)
{
  for (guint i = 0; i < n; i++)
    move (umem, frames[i], OWNER_ELEMENT, OWNER_FREE);
  put_on_free_list (umem, frames, n);
}

void
afxdp_umem_reclaim (AfxdpUmem *umem, const guint32 *frames, guint n)
{
  for (guint i = 0; i < n; i++)
    move (umem, frames[i], OWNER_KERNEL, OWNER_FREE);
  put_on_free_list (umem, frames, n);
}

void
afxdp_umem_set_refill (
    AfxdpUmem *umem, void (*refill) (gpointer), gpointer user_data)
{
  pthread_mutex_lock (&umem->refill_lock);
  umem->refill = refill;
  umem->user_data = user_data;
  pthread_mutex_unlock (&umem->refill_lock);
}

void
afxdp_umem_set_hungry (AfxdpUmem *umem, gboolean hungry)
{
  atomic_store_explicit (&umem->hungry, hungry, memory_order_relaxed);
}

gpointer
afxdp_umem_owner (AfxdpUmem *umem)
{
  return atomic_load_explicit (&umem->owner, memory_order_acquire);
}

void
afxdp_umem_set_owner (AfxdpUmem *umem, gpointer owner, GDestroyNotify destroy)
{
  umem->destroy_owner = destroy;
  atomic_store_explicit (&umem->owner, owner, memory_order_release);
}

AfxdpAccount *
afxdp_account_new (AfxdpUmem *umem)
{
  AfxdpAccount *account = g_new0 (AfxdpAccount, 1);

  account->umem = afxdp_umem_ref (umem);
  atomic_init (&account->refs, 1);
  return account;
}

static void
account_unref (AfxdpAccount *account, guint n)
{
  if (atomic_fetch_sub (&account->refs, n) != n)
    return;
  afxdp_umem_unref (account->umem);
  g_free (account);
}

void
afxdp_account_close (AfxdpAccount *account)
{
  if (account)
    account_unref (account, 1);
}

AfxdpUmem *
afxdp_account_umem (AfxdpAccount *account)
{
  return account->umem;
}

guint
afxdp_account_held (AfxdpAccount *account)
{
  return atomic_load_explicit (&account->refs, memory_order_relaxed) - 1;
}

void
afxdp_account_reserve (AfxdpAccount *account, guint n)
{
  atomic_fetch_add_explicit (&account->refs, n, memory_order_relaxed);
}

void
afxdp_account_unreserve (AfxdpAccount *account, guint n)
{
  if (n)
    account_unref (account, n);
}

void
afxdp_account_lend (AfxdpAccount *account, guint32 frame)
{
  AfxdpUmem *umem = account->umem;

  move (umem, frame, OWNER_ELEMENT, OWNER_DOWNSTREAM);
  umem->frames[frame].account = account;
}

/* Does what a blocked streaming thread cannot: fills the fill rings. */
static void
feed (AfxdpUmem *umem)
{
  if (pthread_mutex_trylock (&umem->refill_lock))
    return; /* somebody else does */
  if (umem->refill)
    umem->refill (umem->user_data);
  pthread_mutex_unlock (&umem->refill_lock);
}

void
afxdp_umem_give_back (AfxdpUmem *umem, guint32 frame)
{
  AfxdpAccount *account = umem->frames[frame].account;
  guint32 top;

  move (umem, frame, OWNER_DOWNSTREAM, OWNER_FREE);
  top = atomic_load_explicit (&umem->returned, memory_order_relaxed);
  do
    umem->frames[frame].next = top;
  while (!atomic_compare_exchange_weak_explicit (&umem->returned, &top, frame,
      memory_order_release, memory_order_relaxed));

  if (G_UNLIKELY (atomic_load_explicit (&umem->hungry, memory_order_relaxed)))
    feed (umem);
  /* Last: the frame may have been all that kept the area alive. */
  account_unref (account, 1);
}
