/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One GstMemory for each frame of an area; when the memory's life ends, the
 * frame goes home. So does the GstBuffer around it, when it dies first and nobody
 * else has the memory: with the memory in it, for the next packet in that frame.
 *
 * One allocator for each area, since any frame may go to any stream; the area
 * owns it. Any thread.
 */
#pragma once

#include <gst/gst.h>

#include "umem.h"

G_BEGIN_DECLS

#define GST_TYPE_AFXDP_ALLOCATOR (gst_afxdp_allocator_get_type ())
G_DECLARE_FINAL_TYPE (
    GstAfxdpAllocator, gst_afxdp_allocator, GST, AFXDP_ALLOCATOR, GstAllocator)

/* A buffer with a frame that has been lent: size bytes at data, which lie in it.
 * Nothing behind them can be reached, nor another frame. It is as a new one, but
 * that it may have a GstNetAddressMeta of before. */
GstBuffer *gst_afxdp_allocator_buffer (
    AfxdpUmem *umem, const guint8 *data, gsize size);

/* The same without a buffer. */
GstMemory *gst_afxdp_allocator_wrap (
    AfxdpUmem *umem, const guint8 *data, gsize size);

/* Takes memory, and returns its first bytes up to at; rest becomes the others. Both
 * keep the frame, and nothing behind their own bytes can be reached from them. */
GstMemory *gst_afxdp_allocator_split (
    GstMemory *memory, gsize at, GstMemory **rest);

/* Makes the buffers of the first n frames of an area, none of which is in use yet:
 * an AfxdpUmemPrepare. The packets that come first would pay for them otherwise.
 * with_senders(): and a GstNetAddressMeta in each, of which the address is to be
 * set. */
void gst_afxdp_allocator_prepare (AfxdpUmem *umem, guint n);
void gst_afxdp_allocator_prepare_with_senders (AfxdpUmem *umem, guint n);

/* Tells the processor that data's frame will be wrapped soon; and, some time after
 * that, that its buffer will be. */
void gst_afxdp_allocator_prefetch (AfxdpUmem *umem, const guint8 *data);
void gst_afxdp_allocator_prefetch_buffer (AfxdpUmem *umem, const guint8 *data);

G_END_DECLS
