/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What leaves a source.
 */
#include "tap.h"

#include <gst/check/gstcheck.h>

/* No test needs this long, unless what it waits for never comes. */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)

struct _Tap
{
  GstPad *pad;

  GMutex lock; /* protects all below */
  GCond changed;
  GPtrArray *packets; /* TapPacket */
  gint n_packets;     /* atomic too */
  GstCaps *caps;
  guint n_lists;
  gboolean eos;
  gboolean hold, held;
  gboolean keep;
  GstFlowReturn flow;
};

static void
packet_free (gpointer data)
{
  TapPacket *packet = data;

  g_bytes_unref (packet->bytes);
  gst_clear_caps (&packet->caps);
  gst_clear_buffer (&packet->buffer);
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
  packet->buffer = tap->keep ? gst_buffer_ref (buffer) : NULL;
  g_ptr_array_add (tap->packets, packet);
  g_atomic_int_inc (&tap->n_packets);
}

/* Called with the lock. */
static void
take_data (Tap *tap, GstPadProbeInfo *info)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    take_buffer (tap, GST_PAD_PROBE_INFO_BUFFER (info), 0);
  } else {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    tap->n_lists++;
    for (guint i = 0; i < gst_buffer_list_length (list); i++)
      take_buffer (tap, gst_buffer_list_get (list, i), tap->n_lists);
  }
}

/* Called with the lock. */
static void
wait_while_held (Tap *tap)
{
  tap->held = tap->hold;
  g_cond_broadcast (&tap->changed);
  while (tap->hold)
    g_cond_wait (&tap->changed, &tap->lock);
  tap->held = FALSE;
}

static GstPadProbeReturn
see_data (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Tap *tap = user_data;
  GstPadProbeReturn result = GST_PAD_PROBE_OK;

  g_mutex_lock (&tap->lock);
  wait_while_held (tap);
  take_data (tap, info);
  if (tap->flow != GST_FLOW_OK) {
    gst_mini_object_unref (GST_MINI_OBJECT_CAST (info->data));
    info->data = NULL;
    GST_PAD_PROBE_INFO_FLOW_RETURN (info) = tap->flow;
    result = GST_PAD_PROBE_HANDLED;
  }
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

Tap *
tap_new (GstElement *element)
{
  Tap *tap = g_new0 (Tap, 1);

  g_mutex_init (&tap->lock);
  g_cond_init (&tap->changed);
  tap->packets = g_ptr_array_new_with_free_func (packet_free);
  tap->pad = gst_element_get_static_pad (element, "src");
  gst_pad_add_probe (tap->pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, see_data, tap,
      NULL);
  gst_pad_add_probe (
      tap->pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see_event, tap, NULL);
  return tap;
}

void
tap_free (Tap *tap)
{
  gst_object_unref (tap->pad);
  g_ptr_array_unref (tap->packets);
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
    fail ("%s did not come, after %u packets", what, tap->packets->len);
}

void
tap_wait (Tap *tap, guint n)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&tap->lock);
  while (tap->packets->len < n)
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
  guint n;

  g_mutex_lock (&tap->lock);
  n = tap->n_lists;
  g_mutex_unlock (&tap->lock);
  return n;
}

void
tap_hold (Tap *tap)
{
  g_mutex_lock (&tap->lock);
  tap->hold = TRUE;
  g_mutex_unlock (&tap->lock);
}

void
tap_wait_held (Tap *tap)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_mutex_lock (&tap->lock);
  while (!tap->held)
    wait_for_change (tap, deadline, "a packet to hold");
  g_mutex_unlock (&tap->lock);
}

void
tap_let_go (Tap *tap)
{
  g_mutex_lock (&tap->lock);
  tap->hold = FALSE;
  g_cond_broadcast (&tap->changed);
  g_mutex_unlock (&tap->lock);
}

void
tap_keep (Tap *tap)
{
  g_mutex_lock (&tap->lock);
  tap->keep = TRUE;
  g_mutex_unlock (&tap->lock);
}

void
tap_drop (Tap *tap)
{
  g_mutex_lock (&tap->lock);
  tap->keep = FALSE;
  for (guint i = 0; i < tap->packets->len; i++) {
    TapPacket *packet = tap->packets->pdata[i];

    gst_clear_buffer (&packet->buffer);
  }
  g_mutex_unlock (&tap->lock);
}

void
tap_answer (Tap *tap, GstFlowReturn flow)
{
  g_mutex_lock (&tap->lock);
  tap->flow = flow;
  g_mutex_unlock (&tap->lock);
}
