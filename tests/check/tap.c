/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What leaves a source. */
#include "tap.h"

#include <gst/check/gstcheck.h>

/* No test needs this long, unless what it waits for never comes. */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)

struct _Tap
{
  GstPad *pad;
  gulong data_probe, event_probe;
  gboolean records; /* each packet, in packets */

  GMutex lock; /* protects all below */
  GCond changed;
  GPtrArray *packets; /* TapPacket */
  gint n_packets;     /* atomic too */
  GstCaps *caps;
  guint n_lists;
  gboolean eos;
  gint64 hold;       /* how long it is to be held up, µs; 0: not */
  gint64 held_until; /* 0: not held */
  gboolean keep;
  GPtrArray *kept; /* GstMiniObject: buffers and lists */
  guint n_kept;    /* packets in them */
  GstFlowReturn flow;
};

static void
packet_free (gpointer data)
{
  TapPacket *packet = data;

  g_bytes_unref (packet->bytes);
  gst_clear_caps (&packet->caps);
  g_free (packet);
}

/* Called with the lock. */
static void
take_buffer (Tap *tap, GstBuffer *buffer, guint list)
{
  TapPacket *packet = g_new0 (TapPacket, 1);
  gpointer data = NULL;
  gsize size = 0;

  gst_buffer_extract_dup (buffer, 0, -1, &data, &size);
  packet->bytes = g_bytes_new_take (data, size);
  packet->pts = GST_BUFFER_PTS (buffer);
  packet->dts = GST_BUFFER_DTS (buffer);
  packet->caps = tap->caps ? gst_caps_ref (tap->caps) : NULL;
  packet->list = list;
  packet->buffer = tap->keep ? buffer : NULL;
  g_ptr_array_add (tap->packets, packet);
}

/* Called with the lock. */
static void
take_data (Tap *tap, GstMiniObject *data)
{
  GstBufferList *list =
      GST_IS_BUFFER_LIST (data) ? GST_BUFFER_LIST_CAST (data) : NULL;
  const guint n = list ? gst_buffer_list_length (list) : 1;

  tap->n_lists += list != NULL;
  for (guint i = 0; tap->records && i < n; i++)
    take_buffer (tap,
        list ? gst_buffer_list_get (list, i) : GST_BUFFER_CAST (data),
        list ? tap->n_lists : 0);
  if (tap->keep) {
    g_ptr_array_add (tap->kept, gst_mini_object_ref (data));
    tap->n_kept += n;
  }
  g_atomic_int_add (&tap->n_packets, n);
}

/* Called with the lock. */
static void
wait_while_held (Tap *tap)
{
  const gint64 now = g_get_monotonic_time ();

  if (!tap->hold)
    return;
  tap->held_until = tap->hold < G_MAXINT64 - now ? now + tap->hold : G_MAXINT64;
  tap->hold = 0;
  g_cond_broadcast (&tap->changed);
  while (tap->held_until > g_get_monotonic_time ())
    g_cond_wait_until (&tap->changed, &tap->lock, tap->held_until);
  tap->held_until = 0;
}

static GstPadProbeReturn
see_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Tap *tap = user_data;
  GstPadProbeReturn result = GST_PAD_PROBE_OK;

  g_mutex_lock (&tap->lock);
  wait_while_held (tap);
  take_data (tap, GST_PAD_PROBE_INFO_DATA (info));
  if (tap->flow != GST_FLOW_OK) {
    gst_mini_object_unref (GST_MINI_OBJECT_CAST (info->data));
    info->data = NULL;
    GST_PAD_PROBE_INFO_FLOW_RETURN (info) = tap->flow;
    result = GST_PAD_PROBE_HANDLED;
  }
  /* A system call: too dear for what only counts, where nobody waits. */
  if (tap->records)
    g_cond_broadcast (&tap->changed);
  g_mutex_unlock (&tap->lock);
  return result;
}

static GstPadProbeReturn
see_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Tap *tap = user_data;
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstCaps *caps;

  g_mutex_lock (&tap->lock);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    wait_while_held (tap);
    gst_event_parse_caps (event, &caps);
    gst_caps_replace (&tap->caps, caps);
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    tap->eos = TRUE;
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_STREAM_START) {
    tap->eos = FALSE;
    gst_clear_caps (&tap->caps);
  }
  g_cond_broadcast (&tap->changed);
  g_mutex_unlock (&tap->lock);
  return GST_PAD_PROBE_OK;
}

static GPtrArray *
new_kept (void)
{
  return g_ptr_array_new_with_free_func (
      (GDestroyNotify) gst_mini_object_unref);
}

Tap *
tap_new_counting (GstElement *element)
{
  Tap *tap = g_new0 (Tap, 1);

  g_mutex_init (&tap->lock);
  g_cond_init (&tap->changed);
  tap->packets = g_ptr_array_new_with_free_func (packet_free);
  tap->kept = new_kept ();
  tap->pad = gst_element_get_static_pad (element, "src");
  tap->data_probe = gst_pad_add_probe (tap->pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, see_data, tap,
      NULL);
  tap->event_probe = gst_pad_add_probe (
      tap->pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see_event, tap, NULL);
  return tap;
}

Tap *
tap_new (GstElement *element)
{
  Tap *tap = tap_new_counting (element);

  tap->records = TRUE;
  return tap;
}

void
tap_free (Tap *tap)
{
  gst_pad_remove_probe (tap->pad, tap->data_probe);
  gst_pad_remove_probe (tap->pad, tap->event_probe);
  gst_object_unref (tap->pad);
  g_ptr_array_unref (tap->packets);
  g_ptr_array_unref (tap->kept);
  gst_clear_caps (&tap->caps);
  g_mutex_clear (&tap->lock);
  g_cond_clear (&tap->changed);
  g_free (tap);
}

/* Called with the lock. */
static void
wait_for_change (Tap *tap, gint64 deadline, const gchar *what)
{
  if (!g_cond_wait_until (&tap->changed, &tap->lock, deadline))
    fail ("%s did not come, after %d packets", what, tap->n_packets);
}

void
tap_wait (Tap *tap, guint n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&tap->lock);
  while ((guint) tap->n_packets < n)
    wait_for_change (tap, deadline, "a packet");
  g_mutex_unlock (&tap->lock);
}

void
tap_wait_eos (Tap *tap)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&tap->lock);
  while (!tap->eos)
    wait_for_change (tap, deadline, "EOS");
  g_mutex_unlock (&tap->lock);
}

guint
tap_n_packets (Tap *tap)
{
  return g_atomic_int_get (&tap->n_packets);
}

gint *
tap_counter (Tap *tap)
{
  return &tap->n_packets;
}

const TapPacket *
tap_packet (Tap *tap, guint number)
{
  const TapPacket *packet;

  g_mutex_lock (&tap->lock);
  fail_unless (number < tap->packets->len, "there are only %u packets",
      tap->packets->len);
  packet = tap->packets->pdata[number];
  g_mutex_unlock (&tap->lock);
  return packet;
}

guint
tap_n_lists (Tap *tap)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tap->lock);

  return tap->n_lists;
}

void
tap_hold_for (Tap *tap, gint64 time)
{
  g_mutex_lock (&tap->lock);
  tap->hold = time;
  if (!time)
    tap->held_until = 0;
  g_cond_broadcast (&tap->changed);
  g_mutex_unlock (&tap->lock);
}

void
tap_hold (Tap *tap)
{
  tap_hold_for (tap, G_MAXINT64);
}

void
tap_let_go (Tap *tap)
{
  tap_hold_for (tap, 0);
}

gboolean
tap_is_held (Tap *tap)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tap->lock);

  return tap->held_until != 0;
}

void
tap_wait_held (Tap *tap)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&tap->lock);
  while (!tap->held_until)
    wait_for_change (tap, deadline, "a packet to hold");
  g_mutex_unlock (&tap->lock);
}

void
tap_keep (Tap *tap, gboolean keep)
{
  g_mutex_lock (&tap->lock);
  tap->keep = keep;
  g_mutex_unlock (&tap->lock);
}

GPtrArray *
tap_take (Tap *tap, guint *n)
{
  GPtrArray *kept;

  g_mutex_lock (&tap->lock);
  kept = tap->kept;
  if (n)
    *n = tap->n_kept;
  tap->kept = new_kept ();
  tap->n_kept = 0;
  tap->keep = FALSE;
  for (guint i = 0; i < tap->packets->len; i++)
    ((TapPacket *) tap->packets->pdata[i])->buffer = NULL;
  g_mutex_unlock (&tap->lock);
  return kept;
}

guint
tap_drop (Tap *tap)
{
  guint n;

  g_ptr_array_unref (tap_take (tap, &n));
  return n;
}

void
tap_answer (Tap *tap, GstFlowReturn flow)
{
  g_mutex_lock (&tap->lock);
  tap->flow = flow;
  g_mutex_unlock (&tap->lock);
}
