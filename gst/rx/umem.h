/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A frame area and who owns each frame (law 2). Knows nothing of sockets.
 *
 * A frame is a number from 0 to n_frames - 1. At any moment it has one owner:
 *
 *   free list -> take() -> kernel (fill ring) -> arrived() -> element
 *   free list -> take() -> element                          (socket path)
 *   element -> give() -> free list                          (copied, dropped)
 *   element -> lend() -> downstream -> give_back() -> free list
 *
 * take(), give(), lend() and give_back() may be called from any thread;
 * give_back() takes no lock and does not sleep, except that it runs the refill
 * function when a fill ring is hungry and nobody else does: that takes locks that
 * nobody holds for long, and may wake a zero-copy driver.
 *
 * An area lives until its last reference and its last lent frame are gone:
 * downstream may keep a frame long after its stream has ended. It is memory of
 * its own (mmap), since the kernel may write to it until it has released the
 * last AF_XDP socket. What is kept of each frame is too: all of that is large, and
 * refused memory is an error here, not the end of the process.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

#define AFXDP_NO_FRAME G_MAXUINT32
/* Bytes that the owner of an area may keep for each frame. */
#define AFXDP_FRAME_ROOM 128

typedef struct _AfxdpUmem AfxdpUmem;

/* How many frames of an area one stream has lent downstream. */
typedef struct _AfxdpAccount AfxdpAccount;

/* Bytes of n things of size each, if that is at most most: what a gsize can say, which
 * on a 32-bit system is less than the frames that may be asked for. */
static inline gboolean
afxdp_umem_bytes (guint n, guint size, guint64 most, guint64 *bytes)
{
  *bytes = (guint64) n * size; /* of 32 bits each */
  return *bytes <= most;
}

/* frame_size is a power of two, in bytes. Errors: AFXDP_ERROR_MEMORY. */
AfxdpUmem *afxdp_umem_new (guint n_frames, guint frame_size, GError **error);
/* Over memory of somebody else, who fills frames in the place of the kernel: at first
 * all of them are his. Nobody here writes to it. release is called for owner when the
 * last frame is home and the last reference gone; not if it fails. */
AfxdpUmem *afxdp_umem_new_over (gpointer area, guint n_frames, guint frame_size,
    GDestroyNotify release, gpointer owner, GError **error);
gboolean afxdp_umem_is_readonly (const AfxdpUmem *umem);
AfxdpUmem *afxdp_umem_ref (AfxdpUmem *umem);
void afxdp_umem_unref (AfxdpUmem *umem);

gpointer afxdp_umem_area (const AfxdpUmem *umem);
gsize afxdp_umem_size (const AfxdpUmem *umem);
guint afxdp_umem_n_frames (const AfxdpUmem *umem);
guint afxdp_umem_frame_size (const AfxdpUmem *umem);
guint8 *afxdp_umem_frame (const AfxdpUmem *umem, guint32 frame);
/* The frame that byte offset of the area lies in. */
guint32 afxdp_umem_frame_at (const AfxdpUmem *umem, guint64 offset);

/* Touches the memory of the first n frames, which are those used first, and of what
 * is kept of them: the first packets would pay for that otherwise, page by page.
 * Takes huge pages for the whole area, where the host has them. As far as the kernel
 * can; before anybody takes a frame. */
void afxdp_umem_populate (AfxdpUmem *umem, guint n);
/* What somebody above makes of each frame before anybody takes one. */
typedef void (*AfxdpUmemPrepare) (AfxdpUmem *umem, guint n);

/* Frames on the free list. */
guint afxdp_umem_n_free (AfxdpUmem *umem);

/* Whether fewer than n frames are free: a guess without a lock. Not of an area over
 * somebody else's memory: what is free there is his at once. */
gboolean afxdp_umem_is_short (AfxdpUmem *umem, guint n);

/* Takes up to n frames from the free list, the most recently used first.
 * for_kernel: they go into a fill ring. Returns how many. */
guint afxdp_umem_take (
    AfxdpUmem *umem, guint32 *frames, guint n, gboolean for_kernel);
/* The kernel has put a packet into frame and given it to the element. */
void afxdp_umem_arrived (AfxdpUmem *umem, guint32 frame);
void afxdp_umem_give (AfxdpUmem *umem, const guint32 *frames, guint n);
/* Frames that a closed AF_XDP socket held: the kernel is done with them. */
void afxdp_umem_reclaim (AfxdpUmem *umem, const guint32 *frames, guint n);

/* Called when a frame comes home while somebody has said hungry, in the thread
 * that frees; NULL to stop. When set_refill() returns, the former function is
 * not running any more. */
void afxdp_umem_set_refill (
    AfxdpUmem *umem, void (*refill) (gpointer), gpointer user_data);
void afxdp_umem_set_hungry (AfxdpUmem *umem, gboolean hungry);

/* What somebody above keeps for each area (an allocator), or NULL; it is destroyed
 * with the area. set_owner() once, and by one thread. */
gpointer afxdp_umem_owner (AfxdpUmem *umem);
void afxdp_umem_set_owner (
    AfxdpUmem *umem, gpointer owner, GDestroyNotify destroy);
/* n_frames times AFXDP_FRAME_ROOM bytes, zero at first, aligned to a page. */
gpointer afxdp_umem_room (const AfxdpUmem *umem);

AfxdpAccount *afxdp_account_new (AfxdpUmem *umem);
/* Closes the account. Frames that it lent stay lent. */
void afxdp_account_close (AfxdpAccount *account);
AfxdpUmem *afxdp_account_umem (AfxdpAccount *account);
guint afxdp_account_held (AfxdpAccount *account);
/* Announces that up to n frames will be lent; unreserve() takes back what was
 * announced and not lent. One atomic operation for a batch, not for a frame. */
void afxdp_account_reserve (AfxdpAccount *account, guint n);
void afxdp_account_unreserve (AfxdpAccount *account, guint n);
/* frame belongs to downstream from here on. */
void afxdp_account_lend (AfxdpAccount *account, guint32 frame);
void afxdp_umem_give_back (AfxdpUmem *umem, guint32 frame);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpUmem, afxdp_umem_unref)

G_END_DECLS
