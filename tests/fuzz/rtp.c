/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a datagram, for the RTP parser. GStreamer's says the same of what is
 * not RTCP.
 */
#include "rtp.h"

#include <gst/gst.h>
#include <gst/rtp/gstrtpbuffer.h>

#include "target.h"

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (NULL, NULL);
  return 0;
}

static gboolean
is_control (const guint8 *bytes, gsize size)
{
  return size >= 8 && bytes[0] >> 6 == 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

static void
compare (GstRTPBuffer *theirs, const AfxdpRtp *ours)
{
  g_assert_cmpuint (ours->ssrc, ==, gst_rtp_buffer_get_ssrc (theirs));
  g_assert_cmpuint (ours->seqnum, ==, gst_rtp_buffer_get_seq (theirs));
  g_assert_cmpuint (ours->timestamp, ==, gst_rtp_buffer_get_timestamp (theirs));
  g_assert_cmpuint (
      ours->payload_type, ==, gst_rtp_buffer_get_payload_type (theirs));
  g_assert_cmpint (ours->marker, ==, gst_rtp_buffer_get_marker (theirs));
  g_assert_cmpuint (
      ours->payload_size, ==, gst_rtp_buffer_get_payload_len (theirs));
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  GstBuffer *buffer =
      size ? gst_buffer_new_memdup (bytes, size) : gst_buffer_new ();
  GstRTPBuffer theirs = GST_RTP_BUFFER_INIT;
  gboolean is_rtp = gst_rtp_buffer_map (buffer, GST_MAP_READ, &theirs);
  AfxdpRtp ours;
  AfxdpRtpKind kind = afxdp_rtp_parse (bytes, size, &ours);

  g_assert_cmpint (ours.kind, ==, kind);
  g_assert_cmpint (kind == AFXDP_RTP_CONTROL, ==, is_control (bytes, size));
  if (kind != AFXDP_RTP_CONTROL)
    g_assert_cmpint (kind == AFXDP_RTP_DATA, ==, is_rtp);
  if (kind == AFXDP_RTP_DATA) {
    g_assert_cmpuint (ours.size, ==, size);
    compare (&theirs, &ours);
  }
  if (is_rtp)
    gst_rtp_buffer_unmap (&theirs);
  gst_buffer_unref (buffer);
  return 0;
}
