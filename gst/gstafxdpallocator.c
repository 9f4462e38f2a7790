/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One GstMemory for each frame of an area. */
#include "gstafxdpallocator.h"

#include <gst/net/gstnetaddressmeta.h>

#define GST_AFXDP_MEMORY_TYPE "AfxdpMemory"
/* A GstBuffer, with what GStreamer keeps behind what it shows. */
#define BUFFER_SIZE 320
#define META_SIZE sizeof (GstNetAddressMeta)

/* What a frame is in GStreamer: two cache lines, so that packets of many streams,
 * whose frames lie in no order, cost no third. */
typedef struct
{
  GstMemory memory;
  GstBuffer *buffer; /* that came home with the memory in it, or NULL */
  GstMeta *meta;     /* the first of that buffer's */
} Frame;

G_STATIC_ASSERT (sizeof (Frame) <= AFXDP_FRAME_ROOM);

struct _GstAfxdpAllocator
{
  GstAllocator parent;

  AfxdpUmem *umem; /* which owns us */
  Frame *frames;   /* in the room that it has for us */
  guint n_frames;
  guint n_made; /* so many, from the first on, may have a memory; atomic */
};

G_DEFINE_TYPE (GstAfxdpAllocator, gst_afxdp_allocator, GST_TYPE_ALLOCATOR)

static gboolean
is_of_a_frame (GstAfxdpAllocator *self, GstMemory *memory)
{
  const Frame *frame = (const Frame *) memory;

  return frame >= self->frames && frame < self->frames + self->n_frames;
}

/* The last reference to a frame's memory is gone, sub-memories included: they
 * hold one. The memory stays for the next packet, so it comes back to life
 * before the frame goes home and somebody else may take both. */
static gboolean
dispose_memory (GstMiniObject *object)
{
  GstMemory *memory = GST_MEMORY_CAST (object);
  GstAfxdpAllocator *self = GST_AFXDP_ALLOCATOR (memory->allocator);
  guint32 frame = (Frame *) memory - self->frames;

  gst_memory_ref (memory);
  afxdp_umem_give_back (self->umem, frame);
  /* Area, allocator and memory may be gone now. */
  return FALSE;
}

/* But for one of what we add to every buffer, which may be the same again: with more,
 * of an element downstream, buffers would grow with each packet. */
static gboolean
remove_meta (GstBuffer *buffer, GstMeta **meta, gpointer user_data)
{
  gboolean *kept = user_data;

  if (*kept || (*meta)->info->api != GST_NET_ADDRESS_META_API_TYPE)
    *meta = NULL;
  else
    *kept = TRUE;
  return TRUE;
}

static GstMeta *
first_meta (GstBuffer *buffer)
{
  gpointer state = NULL;

  return gst_buffer_iterate_meta (buffer, &state);
}

static void
make_new_again (GstBuffer *buffer)
{
  gboolean kept = FALSE;

  gst_buffer_foreach_meta (buffer, remove_meta, &kept);
  GST_MINI_OBJECT_FLAGS (buffer) = 0;
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET_NONE;
}

/* The memory of buffer, if that is a frame's and nobody else has it. */
static GstMemory *
sole_memory (GstBuffer *buffer)
{
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1)
    return NULL;
  memory = gst_buffer_peek_memory (buffer, 0);
  /* That is how a frame's is known, of whichever area. */
  return GST_MINI_OBJECT_CAST (memory)->dispose == dispose_memory &&
          GST_MINI_OBJECT_REFCOUNT_VALUE (memory) == 1
      ? memory
      : NULL;
}

/* The last reference to a buffer is gone: it goes home with its frame. */
static gboolean
dispose_buffer (GstMiniObject *object)
{
  GstBuffer *buffer = GST_BUFFER_CAST (object);
  GstMemory *memory = sole_memory (buffer);
  GstAfxdpAllocator *self;
  guint32 frame;

  if (!memory)
    return TRUE;
  self = (GstAfxdpAllocator *) memory->allocator;
  frame = (Frame *) memory - self->frames;
  gst_buffer_ref (buffer);
  make_new_again (buffer);
  self->frames[frame].buffer = buffer;
  self->frames[frame].meta = first_meta (buffer);
  afxdp_umem_give_back (self->umem, frame);
  /* All of it may be gone now. */
  return FALSE;
}

/* Frees a buffer at home, but not the memory in it. */
static void
forget_buffer (GstAfxdpAllocator *self, guint32 frame)
{
  GstBuffer *buffer = g_steal_pointer (&self->frames[frame].buffer);

  if (!buffer)
    return;
  gst_memory_ref (&self->frames[frame].memory);
  GST_MINI_OBJECT_CAST (buffer)->dispose = NULL;
  gst_buffer_unref (buffer);
}

static gpointer
gst_afxdp_allocator_map (GstMemory *memory, gsize maxsize, GstMapFlags flags)
{
  GstAfxdpAllocator *self = GST_AFXDP_ALLOCATOR (memory->allocator);
  GstMemory *of_frame = memory->parent ? memory->parent : memory;

  return afxdp_umem_frame (self->umem, (Frame *) of_frame - self->frames);
}

static void
gst_afxdp_allocator_unmap (GstMemory *memory)
{
}

static GstMemory *
gst_afxdp_allocator_share (GstMemory *memory, gssize offset, gssize size)
{
  GstMemory *parent = memory->parent ? memory->parent : memory;
  GstMemory *sub = g_new0 (GstMemory, 1);

  if (size == -1)
    size = memory->size - offset;
  gst_memory_init (sub,
      GST_MINI_OBJECT_FLAGS (parent) | GST_MINI_OBJECT_FLAG_LOCK_READONLY,
      memory->allocator, parent, memory->maxsize, memory->align,
      memory->offset + offset, size);
  return sub;
}

/* Of the same frame, which GStreamer has seen: then what was split is one again
 * without a copy. */
static gboolean
gst_afxdp_allocator_is_span (GstMemory *memory, GstMemory *next, gsize *offset)
{
  if (offset)
    *offset = memory->offset - memory->parent->offset;
  return memory->offset + memory->size == next->offset;
}

static GstMemory *
gst_afxdp_allocator_alloc (
    GstAllocator *allocator, gsize size, GstAllocationParams *params)
{
  g_return_val_if_reached (NULL); /* CUSTOM_ALLOC: nobody may ask */
}

static void
gst_afxdp_allocator_free (GstAllocator *allocator, GstMemory *memory)
{
  if (!is_of_a_frame (GST_AFXDP_ALLOCATOR (allocator), memory))
    g_free (memory);
}

/* The area is going, and so every frame is home. */
static void
destroy (gpointer data)
{
  GstAfxdpAllocator *self = data;

  for (guint i = 0; i < self->n_made; i++) {
    if (!self->frames[i].memory.allocator)
      continue;
    forget_buffer (self, i);
    GST_MINI_OBJECT_CAST (&self->frames[i].memory)->dispose = NULL;
    gst_memory_unref (&self->frames[i].memory);
  }
  gst_object_unref (self);
}

static GstAfxdpAllocator *
gst_afxdp_allocator_new (AfxdpUmem *umem)
{
  GstAfxdpAllocator *self = g_object_new (GST_TYPE_AFXDP_ALLOCATOR, NULL);

  gst_object_ref_sink (self);
  self->umem = umem;
  self->n_frames = afxdp_umem_n_frames (umem);
  self->frames = afxdp_umem_room (umem);
  return self;
}

/* With the first packet in it, or in advance: sockets have thousands of frames, of
 * which they use few beside AF_XDP, and there may be hundreds of sockets. */
static void
make_memory (GstAfxdpAllocator *self, guint32 frame)
{
  GstMemory *memory = &self->frames[frame].memory;
  guint made = g_atomic_int_get (&self->n_made);

  gst_memory_init (memory,
      afxdp_umem_is_readonly (self->umem) ? GST_MEMORY_FLAG_READONLY : 0,
      GST_ALLOCATOR (self), NULL, afxdp_umem_frame_size (self->umem), 0, 0, 0);
  GST_MINI_OBJECT_CAST (memory)->dispose = dispose_memory;
  while (made <= frame &&
      !g_atomic_int_compare_and_exchange (&self->n_made, made, frame + 1))
    made = g_atomic_int_get (&self->n_made);
}

/* All streams of an interface share its area: the first to deliver makes the
 * allocator. */
static GstAfxdpAllocator *
make_allocator (AfxdpUmem *umem)
{
  static GMutex lock;
  GstAfxdpAllocator *self;

  g_mutex_lock (&lock);
  self = afxdp_umem_owner (umem);
  if (!self) {
    self = gst_afxdp_allocator_new (umem);
    afxdp_umem_set_owner (umem, self, destroy);
  }
  g_mutex_unlock (&lock);
  return self;
}

static inline GstAfxdpAllocator *
allocator_of (AfxdpUmem *umem)
{
  GstAfxdpAllocator *self = afxdp_umem_owner (umem);

  return G_LIKELY (self) ? self : make_allocator (umem);
}

/* The frame's memory, for size bytes at data. */
static inline GstMemory *
set_memory (
    GstAfxdpAllocator *self, guint32 frame, const guint8 *data, gsize size)
{
  GstMemory *memory = &self->frames[frame].memory;

  if (G_UNLIKELY (!memory->allocator))
    make_memory (self, frame);
  memory->offset = data - afxdp_umem_frame (self->umem, frame);
  memory->size = size;
  memory->maxsize = memory->offset + size;
  return memory;
}

static inline guint32
frame_of (AfxdpUmem *umem, const guint8 *data)
{
  return afxdp_umem_frame_at (
      umem, data - (const guint8 *) afxdp_umem_area (umem));
}

GstMemory *
gst_afxdp_allocator_wrap (AfxdpUmem *umem, const guint8 *data, gsize size)
{
  GstAfxdpAllocator *self = allocator_of (umem);
  guint32 frame = frame_of (umem, data);

  forget_buffer (self, frame);
  return set_memory (self, frame, data, size);
}

static GstBuffer *
make_buffer (GstMemory *memory)
{
  GstBuffer *buffer = gst_buffer_new ();

  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  GST_MINI_OBJECT_CAST (buffer)->dispose = dispose_buffer;
  return buffer;
}

static void
prepare (AfxdpUmem *umem, guint n, GSocketAddress *sender)
{
  GstAfxdpAllocator *self = allocator_of (umem);

  n = MIN (n, self->n_frames);
  for (guint i = 0; i < n; i++) {
    Frame *frame = &self->frames[i];

    make_memory (self, i);
    frame->buffer = make_buffer (&frame->memory);
    if (sender)
      frame->meta =
          &gst_buffer_add_net_address_meta (frame->buffer, sender)->meta;
  }
}

void
gst_afxdp_allocator_prepare (AfxdpUmem *umem, guint n)
{
  prepare (umem, n, NULL);
}

void
gst_afxdp_allocator_prepare_with_senders (AfxdpUmem *umem, guint n)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) nobody = g_inet_socket_address_new (any, 0);

  prepare (umem, n, nobody);
}

GstBuffer *
gst_afxdp_allocator_buffer (AfxdpUmem *umem, const guint8 *data, gsize size)
{
  GstAfxdpAllocator *self = allocator_of (umem);
  guint32 frame = frame_of (umem, data);
  GstMemory *memory = set_memory (self, frame, data, size);
  GstBuffer *buffer = g_steal_pointer (&self->frames[frame].buffer);

  return G_LIKELY (buffer) ? buffer : make_buffer (memory);
}

/* A share that no other overlaps can be written to. */
static GstMemory *
cut_out (GstMemory *memory, gsize offset, gsize size)
{
  GstMemory *sub = gst_memory_share (memory, offset, size);

  sub->maxsize = sub->offset + sub->size;
  GST_MINI_OBJECT_FLAG_UNSET (sub, GST_MINI_OBJECT_FLAG_LOCK_READONLY);
  return sub;
}

GstMemory *
gst_afxdp_allocator_split (GstMemory *memory, gsize at, GstMemory **rest)
{
  GstMemory *first = cut_out (memory, 0, at);

  *rest = cut_out (memory, at, memory->size - at);
  gst_memory_unref (memory);
  return first;
}

static void
fetch (gconstpointer object, gsize size)
{
  for (gsize at = 0; at < size; at += 64)
    __builtin_prefetch ((const guint8 *) object + at, 1);
}

void
gst_afxdp_allocator_prefetch (AfxdpUmem *umem, const guint8 *data)
{
  GstAfxdpAllocator *self = afxdp_umem_owner (umem);

  if (G_LIKELY (self))
    fetch (&self->frames[frame_of (umem, data)], sizeof (Frame));
}

void
gst_afxdp_allocator_prefetch_buffer (AfxdpUmem *umem, const guint8 *data)
{
  GstAfxdpAllocator *self = afxdp_umem_owner (umem);
  const Frame *frame;

  if (G_UNLIKELY (!self))
    return;
  frame = &self->frames[frame_of (umem, data)];
  if (!frame->buffer)
    return;
  fetch (frame->buffer, BUFFER_SIZE);
  fetch (frame->meta, META_SIZE);
}

static void
gst_afxdp_allocator_init (GstAfxdpAllocator *self)
{
  GstAllocator *allocator = GST_ALLOCATOR (self);

  allocator->mem_type = GST_AFXDP_MEMORY_TYPE;
  allocator->mem_map = gst_afxdp_allocator_map;
  allocator->mem_unmap = gst_afxdp_allocator_unmap;
  allocator->mem_share = gst_afxdp_allocator_share;
  allocator->mem_is_span = gst_afxdp_allocator_is_span;
  /* Deep copies go to system memory. */
  GST_OBJECT_FLAG_SET (allocator, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

static void
gst_afxdp_allocator_class_init (GstAfxdpAllocatorClass *klass)
{
  GstAllocatorClass *allocator_class = GST_ALLOCATOR_CLASS (klass);

  allocator_class->alloc = gst_afxdp_allocator_alloc;
  allocator_class->free = gst_afxdp_allocator_free;
}
