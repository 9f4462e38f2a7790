/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One memory for each frame: what of it can be seen, what keeps the frame out,
 * and what brings it home.
 */
#include "gstafxdpallocator.h"

#include <gst/net/gstnetaddressmeta.h>

#include "leaks.h"
#include "plugins.h"
#include "suite.h"

#define N_FRAMES 8
#define FRAME_SIZE 2048
#define HEADER_SIZE 42 /* Ethernet, IPv4 and UDP in front of a payload */
#define SIZE 1316

static AfxdpUmem *umem;
static AfxdpAccount *account;

static void
set_up (void)
{
  umem = afxdp_umem_new (N_FRAMES, FRAME_SIZE, NULL);
  fail_unless (umem != NULL);
  account = afxdp_account_new (umem);
}

static void
tear_down (void)
{
  afxdp_account_close (account);
  afxdp_umem_unref (umem);
  leaks_assert_none ();
}

/* What the stream does with a packet. All its bytes are value. */
static const guint8 *
arrive (gsize size, guint8 value)
{
  guint32 frame;
  guint8 *data;

  fail_unless_equals_int (afxdp_umem_take (umem, &frame, 1, FALSE), 1);
  data = afxdp_umem_frame (umem, frame) + HEADER_SIZE;
  memset (data, value, size);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
  return data;
}

static GstMemory *
receive (gsize size, guint8 value)
{
  return gst_afxdp_allocator_wrap (umem, arrive (size, value), size);
}

static GstBuffer *
receive_buffer (gsize size, guint8 value)
{
  return gst_afxdp_allocator_buffer (umem, arrive (size, value), size);
}

/* Takes every frame that is not downstream, and writes to all of it. */
static void
use_all_others (void)
{
  guint32 frames[N_FRAMES];
  guint n = afxdp_umem_take (umem, frames, N_FRAMES, FALSE);

  fail_unless_equals_int (n, N_FRAMES - afxdp_account_held (account));
  for (guint i = 0; i < n; i++)
    memset (afxdp_umem_frame (umem, frames[i]), 0xee, FRAME_SIZE);
  afxdp_umem_give (umem, frames, n);
}

static void
assert_bytes (GstBuffer *buffer, gsize size, guint8 value)
{
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, size);
  for (gsize i = 0; i < size; i++)
    fail_unless_equals_int (map.data[i], value);
  gst_buffer_unmap (buffer, &map);
}

#define assert_n_out(n) fail_unless_equals_int (afxdp_account_held (account), n)

static gboolean
is_frame (GstMemory *memory)
{
  return GST_IS_AFXDP_ALLOCATOR (memory->allocator);
}

TEST (test_wraps)
{
  GstMemory *memory = receive (SIZE, 1);
  gsize offset, maxsize;
  GstMapInfo map;

  fail_unless (is_frame (memory));
  fail_unless (gst_memory_is_writable (memory));
  fail_unless_equals_int (
      gst_memory_get_sizes (memory, &offset, &maxsize), SIZE);
  fail_unless_equals_int (maxsize, offset + SIZE);
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READWRITE));
  fail_unless_equals_int (map.size, SIZE);
  fail_unless_equals_int (map.maxsize, SIZE);
  fail_unless (map.data == (guint8 *) afxdp_umem_area (umem) + HEADER_SIZE);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  assert_n_out (0);
}

TEST (test_whole_frame)
{
  guint32 frame;
  GstBuffer *buffer = gst_buffer_new ();

  fail_unless_equals_int (afxdp_umem_take (umem, &frame, 1, FALSE), 1);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
  memset (afxdp_umem_frame (umem, frame), 3, FRAME_SIZE);
  gst_buffer_append_memory (buffer,
      gst_afxdp_allocator_wrap (
          umem, afxdp_umem_frame (umem, frame), FRAME_SIZE));
  assert_bytes (buffer, FRAME_SIZE, 3);
  gst_buffer_unref (buffer);
  assert_n_out (0);
}

/* Downstream can make a buffer smaller, and as large as it was, but can never
 * reach the next frame. */
TEST (test_resize)
{
  GstBuffer *buffer = receive_buffer (SIZE, 2);

  gst_buffer_resize (buffer, 12, SIZE - 20);
  assert_bytes (buffer, SIZE - 20, 2);
  gst_buffer_resize (buffer, -12, SIZE);
  assert_bytes (buffer, SIZE, 2);
  ASSERT_CRITICAL (gst_buffer_resize (buffer, 0, SIZE + 1));
  ASSERT_CRITICAL (gst_buffer_resize (buffer, 1, SIZE));
  ASSERT_CRITICAL (gst_buffer_resize (buffer, -HEADER_SIZE - 1, SIZE));
  assert_bytes (buffer, SIZE, 2);
  gst_buffer_unref (buffer);
  assert_n_out (0);
}

/* The next packet in a frame finds nothing of the one before. */
TEST (test_used_again)
{
  GstMemory *memory = receive (SIZE, 1);
  GstMemory *again[N_FRAMES];
  gboolean found = FALSE;

  gst_memory_resize (memory, 100, 7);
  gst_memory_unref (memory);
  use_all_others ();
  for (guint i = 0; i < N_FRAMES; i++) {
    again[i] = receive (20, 4);
    found |= again[i] == memory;
    fail_unless_equals_int (again[i]->size, 20);
    fail_unless_equals_int (again[i]->maxsize, again[i]->offset + 20);
    fail_unless_equals_int (again[i]->offset, HEADER_SIZE);
    fail_unless (gst_memory_is_writable (again[i]));
  }
  fail_unless (found);
  for (guint i = 0; i < N_FRAMES; i++)
    gst_memory_unref (again[i]);
}

static void
assert_new (GstBuffer *buffer, gsize size, guint8 value)
{
  fail_unless (gst_buffer_is_writable (buffer));
  fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (buffer), 1);
  fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
  fail_unless (is_frame (gst_buffer_peek_memory (buffer, 0)));
  fail_unless_equals_int (gst_buffer_get_flags (buffer), 0);
  fail_if (GST_BUFFER_PTS_IS_VALID (buffer));
  fail_if (GST_BUFFER_DTS_IS_VALID (buffer));
  fail_if (GST_BUFFER_DURATION_IS_VALID (buffer));
  fail_if (GST_BUFFER_OFFSET_IS_VALID (buffer));
  fail_if (GST_BUFFER_OFFSET_END_IS_VALID (buffer));
  fail_if (gst_buffer_get_reference_timestamp_meta (buffer, NULL));
  assert_bytes (buffer, size, value);
}

static void
change (GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("timestamp/x-unix");

  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = 1;
  GST_BUFFER_DURATION (buffer) = GST_BUFFER_OFFSET (buffer) = 1;
  GST_BUFFER_OFFSET_END (buffer) = 1;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_add_reference_timestamp_meta (buffer, caps, 1, 1);
  gst_buffer_resize (buffer, 100, 7);
}

/* A buffer comes home with its memory in it, and is as new. */
TEST (test_buffer_used_again)
{
  GstBuffer *buffer = receive_buffer (SIZE, 1);
  GstBuffer *again[N_FRAMES];
  gboolean found = FALSE;

  assert_new (buffer, SIZE, 1);
  change (buffer);
  gst_buffer_unref (buffer);
  assert_n_out (0);
  for (guint i = 0; i < N_FRAMES; i++) {
    again[i] = receive_buffer (20, 4);
    found |= again[i] == buffer;
    assert_new (again[i], 20, 4);
  }
  fail_unless (found);
  for (guint i = 0; i < N_FRAMES; i++)
    gst_buffer_unref (again[i]);
}

/* Not when somebody else has the memory, or put another one in its place. */
TEST (test_buffer_not_used_again)
{
  GstBuffer *buffer = receive_buffer (SIZE, 1);
  GstMemory *memory = gst_buffer_get_memory (buffer, 0);
  GstBuffer *other;

  gst_buffer_unref (buffer);
  assert_n_out (1);
  other = receive_buffer (30, 2);
  gst_buffer_replace_all_memory (other, gst_allocator_alloc (NULL, 10, NULL));
  assert_n_out (1);
  gst_buffer_unref (other);
  gst_memory_unref (memory);
  assert_n_out (0);
  for (guint i = 0; i < 3; i++) {
    buffer = receive_buffer (20, 4);
    assert_new (buffer, 20, 4);
    gst_buffer_unref (buffer);
  }
}

/* Frames whose buffers are at home may go out without them. */
TEST (test_memory_after_buffer)
{
  GstBuffer *ours[N_FRAMES];
  GstMemory *bare[N_FRAMES];

  for (guint round = 0; round < 2; round++) {
    for (guint i = 0; i < N_FRAMES; i++)
      ours[i] = receive_buffer (SIZE, i);
    for (guint i = 0; i < N_FRAMES; i++) {
      assert_new (ours[i], SIZE, i);
      gst_buffer_unref (ours[i]);
    }
    assert_n_out (0);
    for (guint i = 0; i < N_FRAMES; i++)
      bare[i] = receive (20, i);
    for (guint i = 0; i < N_FRAMES; i++) {
      fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (bare[i]), 1);
      fail_unless (gst_memory_is_writable (bare[i]));
      assert_n_out (N_FRAMES - i);
      gst_memory_unref (bare[i]);
    }
    assert_n_out (0);
  }
}

/* What keeps a frame out. */

TEST (test_buffer_keeps_frame)
{
  GstBuffer *buffer = receive_buffer (SIZE, 5);

  assert_n_out (1);
  use_all_others ();
  assert_bytes (buffer, SIZE, 5);
  gst_buffer_unref (buffer);
  assert_n_out (0);
  use_all_others ();
}

static void
assert_part (GstMemory *part, gsize offset, gsize size)
{
  gsize is_offset, maxsize;

  fail_unless (is_frame (part));
  fail_unless_equals_int (
      gst_memory_get_sizes (part, &is_offset, &maxsize), size);
  fail_unless_equals_int (is_offset, HEADER_SIZE + offset);
  fail_unless_equals_int (maxsize, is_offset + size);
  fail_unless (gst_memory_is_writable (part));
}

/* Both parts keep the frame, and are one again without a copy. */
TEST (test_split)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstMemory *rest,
      *begin = gst_afxdp_allocator_split (receive (SIZE, 8), 1000, &rest);
  GstMapInfo map;

  assert_part (begin, 0, 1000);
  assert_part (rest, 1000, SIZE - 1000);
  gst_buffer_append_memory (buffer, gst_memory_ref (begin));
  gst_buffer_append_memory (buffer, gst_memory_ref (rest));
  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless (map.data == (guint8 *) afxdp_umem_area (umem) + HEADER_SIZE);
  gst_buffer_unmap (buffer, &map);
  assert_bytes (buffer, SIZE, 8);
  gst_buffer_unref (buffer);
  gst_memory_unref (begin);
  assert_n_out (1);
  gst_memory_unref (rest);
  assert_n_out (0);
}

/* As a depayloader does it. */
TEST (test_sub_buffer_keeps_frame)
{
  GstBuffer *buffer = receive_buffer (SIZE, 6);
  GstBuffer *payload =
      gst_buffer_copy_region (buffer, GST_BUFFER_COPY_MEMORY, 12, SIZE - 12);
  GstBuffer *part =
      gst_buffer_copy_region (payload, GST_BUFFER_COPY_MEMORY, 100, 188);

  fail_unless (is_frame (gst_buffer_peek_memory (payload, 0)));
  gst_buffer_unref (buffer);
  assert_n_out (1);
  use_all_others ();
  assert_bytes (payload, SIZE - 12, 6);
  gst_buffer_unref (payload);
  assert_n_out (1);
  use_all_others ();
  assert_bytes (part, 188, 6);
  gst_buffer_unref (part);
  assert_n_out (0);
}

TEST (test_sub_memory)
{
  GstMemory *in_first_frame = receive (SIZE, 1);
  GstMemory *memory = receive (SIZE, 7);
  guint8 *data = afxdp_umem_frame (umem, 1);
  GstMemory *sub, *sub_of_sub;
  GstMapInfo map;

  data[HEADER_SIZE + 30] = 8;
  sub = gst_memory_share (memory, 10, -1);
  sub_of_sub = gst_memory_share (sub, 20, 1);
  fail_unless_equals_int (sub->size, SIZE - 10);
  fail_unless (sub_of_sub->parent == memory);
  /* Two that see the same bytes must not write to them. */
  fail_if (gst_memory_map (sub, &map, GST_MAP_WRITE));
  fail_unless (gst_memory_map (sub, &map, GST_MAP_READ));
  fail_unless (map.data == data + HEADER_SIZE + 10);
  gst_memory_unmap (sub, &map);
  gst_memory_unref (in_first_frame);
  gst_memory_unref (memory);
  gst_memory_unref (sub);
  assert_n_out (1);
  use_all_others ();
  fail_unless (gst_memory_map (sub_of_sub, &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, 1);
  fail_unless_equals_int (*map.data, 8);
  gst_memory_unmap (sub_of_sub, &map);
  gst_memory_unref (sub_of_sub);
  assert_n_out (0);
}

/* A plain reference to the memory, of a buffer that died. */
TEST (test_memory_outlives_its_buffer)
{
  GstBuffer *buffer = receive_buffer (SIZE, 9);
  GstMemory *memory = gst_buffer_get_memory (buffer, 0);
  GstMapInfo map;

  gst_buffer_unref (buffer);
  assert_n_out (1);
  use_all_others ();
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size; i++)
    fail_unless_equals_int (map.data[i], 9);
  gst_memory_unmap (memory, &map);
  gst_memory_unref (memory);
  assert_n_out (0);
}

/* As rtpjitterbuffer does it, which holds the list too. */
TEST (test_shallow_copy_keeps_frame)
{
  GstBuffer *buffer = receive_buffer (SIZE, 10);
  GstBuffer *copy = gst_buffer_make_writable (gst_buffer_ref (buffer));

  fail_if (copy == buffer);
  fail_unless (is_frame (gst_buffer_peek_memory (copy, 0)));
  gst_buffer_unref (buffer);
  assert_n_out (1);
  use_all_others ();
  assert_bytes (copy, SIZE, 10);
  gst_buffer_unref (copy);
  assert_n_out (0);
}

/* Copies are ordinary memory: they must not eat up the frames. */

TEST (test_deep_copy)
{
  GstBuffer *buffer = receive_buffer (SIZE, 11);
  GstBuffer *copy = gst_buffer_copy_deep (buffer);

  fail_if (is_frame (gst_buffer_peek_memory (copy, 0)));
  gst_buffer_unref (buffer);
  assert_n_out (0);
  use_all_others ();
  assert_bytes (copy, SIZE, 11);
  gst_buffer_unref (copy);
}

TEST (test_copy_on_write)
{
  GstBuffer *buffer = receive_buffer (SIZE, 12);
  GstBuffer *copy = gst_buffer_copy (buffer);
  GstMapInfo map;

  fail_unless (gst_buffer_map (copy, &map, GST_MAP_READWRITE));
  memset (map.data, 13, map.size);
  gst_buffer_unmap (copy, &map);
  fail_if (is_frame (gst_buffer_peek_memory (copy, 0)));
  assert_bytes (buffer, SIZE, 12);
  assert_bytes (copy, SIZE, 13);
  assert_n_out (1);
  gst_buffer_unref (buffer);
  gst_buffer_unref (copy);
  assert_n_out (0);
}

TEST (test_merge)
{
  GstBuffer *buffer =
      gst_buffer_append (receive_buffer (8, 14), receive_buffer (8, 14));

  assert_n_out (2);
  assert_bytes (buffer, 16, 14);
  /* Mapping has made one memory of two. */
  fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
  fail_if (is_frame (gst_buffer_peek_memory (buffer, 0)));
  assert_n_out (0);
  gst_buffer_unref (buffer);
}

/* Nobody can allocate frames: they come with packets. */
TEST (test_no_allocation)
{
  GstMemory *memory = receive (SIZE, 15);

  ASSERT_CRITICAL (
      fail_if (gst_allocator_alloc (memory->allocator, SIZE, NULL)));
  gst_memory_unref (memory);
}

/* The end, in any thread. */

static gpointer
unref_memory (gpointer memory)
{
  gst_memory_unref (memory);
  return NULL;
}

TEST (test_freed_in_another_thread)
{
  GstMemory *memory = receive (SIZE, 16);

  g_thread_join (g_thread_new ("downstream", unref_memory, memory));
  assert_n_out (0);
  use_all_others ();
}

/* The whole of law 2: everything has ended, and downstream still has packets.
 * The last of them takes the area along. */
static void
end_with (GstMemory *other, GstMemory *last)
{
  gpointer allocator = last->allocator;

  leaks_need_names ();
  g_object_add_weak_pointer (allocator, &allocator);
  afxdp_account_close (g_steal_pointer (&account));
  afxdp_umem_unref (g_steal_pointer (&umem));
  g_thread_join (g_thread_new ("downstream", unref_memory, other));
  fail_unless (allocator != NULL);
  /* Those of frames that were used; or of one, and its part. */
  fail_unless_equals_int (leaks_n_alive ("GstMemory"), 2);
  g_thread_join (g_thread_new ("downstream", unref_memory, last));
  fail_if (allocator);
}

TEST (test_outlived_by_a_memory)
{
  GstMemory *memory = receive (SIZE, 17);

  end_with (memory, receive (SIZE, 18));
}

TEST (test_outlived_by_a_sub_memory)
{
  GstMemory *memory = receive (SIZE, 19);

  end_with (memory, gst_memory_share (memory, 5, 1));
}

/* The first packets of two streams of one area, at the same time. */

typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_ready;
} Start;

static gpointer
wrap_and_drop (gpointer user_data)
{
  Start *start = user_data;
  AfxdpAccount *own = afxdp_account_new (umem);
  guint32 frame;
  GstMemory *memory;
  gpointer allocator;

  g_assert_cmpuint (afxdp_umem_take (umem, &frame, 1, FALSE), ==, 1);
  afxdp_account_reserve (own, 1);
  afxdp_account_lend (own, frame);
  g_mutex_lock (&start->lock);
  start->n_ready++;
  g_cond_broadcast (&start->changed);
  while (start->n_ready < 2)
    g_cond_wait (&start->changed, &start->lock);
  g_mutex_unlock (&start->lock);
  memory = gst_afxdp_allocator_wrap (umem, afxdp_umem_frame (umem, frame), 1);
  allocator = memory->allocator;
  gst_memory_unref (memory);
  afxdp_account_close (own);
  return allocator;
}

TEST (test_one_allocator)
{
  leaks_need_names ();
  for (guint i = 0; i < 200; i++) {
    Start start = { .n_ready = 0 };
    GThread *one, *other;

    g_mutex_init (&start.lock);
    g_cond_init (&start.changed);
    tear_down ();
    set_up ();
    one = g_thread_new ("one", wrap_and_drop, &start);
    other = g_thread_new ("other", wrap_and_drop, &start);
    fail_unless (g_thread_join (one) == g_thread_join (other));
    fail_unless_equals_int (leaks_n_alive ("GstAfxdpAllocator"), 1);
    /* Of frames that were never used there are none. */
    fail_unless_equals_int (leaks_n_alive ("GstMemory"), 2);
    g_mutex_clear (&start.lock);
    g_cond_clear (&start.changed);
  }
}

/* All that the first packets need is there before them. */
TEST (test_prepared)
{
  GstBuffer *received[N_FRAMES];

  leaks_need_names ();
  gst_afxdp_allocator_prepare_with_senders (umem, G_MAXUINT);
  fail_unless_equals_int (leaks_n_alive ("GstBuffer"), N_FRAMES);
  for (guint i = 0; i < N_FRAMES; i++) {
    received[i] = receive_buffer (SIZE, i);
    fail_unless (gst_buffer_get_net_address_meta (received[i]) != NULL);
    fail_unless_equals_int (gst_buffer_get_size (received[i]), SIZE);
  }
  fail_unless_equals_int (leaks_n_alive ("GstBuffer"), N_FRAMES);
  for (guint i = 0; i < N_FRAMES; i++)
    gst_buffer_unref (received[i]);
}

TEST (test_prepared_without_senders)
{
  GstBuffer *buffer;

  leaks_need_names ();
  gst_afxdp_allocator_prepare (umem, 1);
  fail_unless_equals_int (leaks_n_alive ("GstBuffer"), 1);
  buffer = receive_buffer (SIZE, 0);
  fail_if (gst_buffer_get_net_address_meta (buffer));
  fail_unless_equals_int (leaks_n_alive ("GstBuffer"), 1);
  gst_buffer_unref (buffer);
}

/* An element downstream may add what we do, to each packet: that must not pile up. */
TEST (test_senders_do_not_pile_up)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) sender = g_inet_socket_address_new (any, 1);

  gst_afxdp_allocator_prepare_with_senders (umem, G_MAXUINT);
  for (guint i = 0; i < 3 * N_FRAMES; i++) {
    GstBuffer *buffer = receive_buffer (SIZE, i);

    fail_unless_equals_int (
        gst_buffer_get_n_meta (buffer, GST_NET_ADDRESS_META_API_TYPE), 1);
    gst_buffer_add_net_address_meta (buffer, sender);
    gst_buffer_add_net_address_meta (buffer, sender);
    gst_buffer_unref (buffer);
  }
}

int
main (int argc, char **argv)
{
  static const gchar *const plugins[] = { "coretracers", NULL };

  gst_check_init (&argc, &argv);
  plugins_require (plugins);
  leaks_trace ();
  return suite_run (argc, argv, "allocator", 60, set_up, tear_down);
}
