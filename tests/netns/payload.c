/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes that rtpgen puts into its packets. */
#include "payload.h"

#include <string.h>

#define TS_PACKET 188
#define MODULUS 251
/* The number of the flow, which is 0 here, and the index, behind the first
 * four bytes. */
#define FLOW 4
#define INDEX 8
#define PATTERN 16

static const guint8 null_packet[FLOW] = { 0x47, 0x1f, 0xff, 0x10 };

static guint8
byte_at (gsize i)
{
  gsize in_packet = i % TS_PACKET;

  return in_packet < sizeof null_packet ? null_packet[in_packet] : i % MODULUS;
}

guint64
payload_index (const guint8 *payload, gsize size)
{
  static const guint8 no_flow[INDEX - FLOW];
  guint64 index;

  if (size < PATTERN || size % TS_PACKET ||
      memcmp (payload, null_packet, sizeof null_packet) ||
      memcmp (payload + FLOW, no_flow, sizeof no_flow))
    return PAYLOAD_WRONG;
  for (gsize i = PATTERN; i < size; i++)
    if (payload[i] != byte_at (i))
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
