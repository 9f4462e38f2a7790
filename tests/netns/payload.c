/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes that rtpgen puts into its packets. */
#include "payload.h"

#include <string.h>

#define TS_PACKET 188
#define MODULUS 251
/* The longest payload: a multiple of TS_PACKET. */
#define LONGEST (348 * TS_PACKET)
/* The number of the flow, which is 0 here, and the index, behind the first
 * four bytes. */
#define FLOW 4
#define INDEX 8
#define PATTERN 16

static const guint8 null_packet[FLOW] = { 0x47, 0x1f, 0xff, 0x10 };

/* What all packets have in common, made once: 200,000 packets/s are looked at. */
static const guint8 *
pattern (void)
{
  static guint8 bytes[LONGEST];
  static gsize made;

  if (!g_once_init_enter (&made))
    return bytes;
  for (gsize i = 0; i < LONGEST; i++) {
    gsize in_packet = i % TS_PACKET;

    bytes[i] =
        in_packet < sizeof null_packet ? null_packet[in_packet] : i % MODULUS;
  }
  g_once_init_leave (&made, 1);
  return bytes;
}

guint64
payload_index (const guint8 *payload, gsize size)
{
  static const guint8 no_flow[INDEX - FLOW];
  guint64 index;

  if (size < PATTERN || size > LONGEST || size % TS_PACKET ||
      memcmp (payload, null_packet, sizeof null_packet) ||
      memcmp (payload + FLOW, no_flow, sizeof no_flow) ||
      memcmp (payload + PATTERN, pattern () + PATTERN, size - PATTERN))
    return PAYLOAD_WRONG;
  memcpy (&index, payload + INDEX, sizeof index);
  return GUINT64_FROM_BE (index);
}

guint64
payload_index_of_buffer (GstBuffer *buffer, gsize header)
{
  guint64 index = PAYLOAD_WRONG;
  GstMapInfo map;

  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return PAYLOAD_WRONG;
  if (map.size > header)
    index = payload_index (map.data + header, map.size - header);
  gst_buffer_unmap (buffer, &map);
  return index;
}

static gboolean
watch_buffer (GstBuffer **buffer, guint i, gpointer user_data)
{
  PayloadWatch *watch = user_data;
  guint64 index = payload_index_of_buffer (*buffer, PAYLOAD_RTP_HEADER);

  watch->n++;
  if (index == PAYLOAD_WRONG || index < watch->next ||
      GST_BUFFER_PTS (*buffer) < watch->pts)
    watch->wrong++;
  watch->next = index + 1;
  watch->pts = GST_BUFFER_PTS (*buffer);
  return TRUE;
}

static GstPadProbeReturn
watch_push (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    gst_buffer_list_foreach (
        gst_pad_probe_info_get_buffer_list (info), watch_buffer, user_data);
  } else {
    buffer = gst_pad_probe_info_get_buffer (info);
    watch_buffer (&buffer, 0, user_data);
  }
  return GST_PAD_PROBE_OK;
}

void
payload_watch (GstElement *element, PayloadWatch *watch)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (element, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, watch_push,
      watch, NULL);
}
