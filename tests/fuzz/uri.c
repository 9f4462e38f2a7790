/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a URI. What is read is written so that the same is read again, and
 * written the same; what is refused sets an error, and leaves nothing. Nothing is
 * resolved.
 */
#include "gstafxdpuriparts.h"

#include <string.h>

#include "target.h"

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  return 0;
}

static void
assert_valid (const GstAfxdpUriParts *parts)
{
  g_assert_cmpint (parts->port, >=, -1);
  g_assert_cmpint (parts->port, <=, G_MAXUINT16);
  if (parts->address) {
    g_assert_cmpuint (strlen (parts->address), >, 0);
    g_assert_true (g_utf8_validate (parts->address, -1, NULL));
  }
  g_assert_true (!parts->sources || *parts->sources);
  g_assert_true (!parts->ignored || g_utf8_validate (parts->ignored, -1, NULL));
  if (parts->caps) {
    gint clock_rate = 0;

    g_assert_cmpuint (gst_caps_get_size (parts->caps), ==, 1);
    gst_structure_get_int (
        gst_caps_get_structure (parts->caps, 0), "clock-rate", &clock_rate);
    g_assert_cmpint (clock_rate, >, 0);
  }
}

/* An element has an address and a port. */
static void
assert_reads_back (GstAfxdpUriParts *parts)
{
  g_autofree gchar *uri = NULL;
  g_autofree gchar *again = NULL;
  GstAfxdpUriParts back;

  if (!parts->address)
    parts->address = g_strdup ("0.0.0.0");
  parts->port = MAX (parts->port, 0);
  uri = gst_afxdp_uri_parts_write (parts);
  g_assert_true (gst_afxdp_uri_parts_read (&back, uri, NULL));
  g_assert_cmpstr (back.address, ==, parts->address);
  g_assert_cmpint (back.port, ==, parts->port);
  g_assert_cmpstr (back.sources, ==, parts->sources);
  if (parts->interface && *parts->interface)
    g_assert_cmpstr (back.interface, ==, parts->interface);
  else
    g_assert_null (back.interface);
  /* It is the second leg's alone. */
  g_assert_true (!back.ignored == !back.interface);
  g_assert_true (!parts->caps == !back.caps);
  g_assert_true (!back.caps || gst_caps_is_equal (back.caps, parts->caps));
  again = gst_afxdp_uri_parts_write (&back);
  g_assert_cmpstr (again, ==, uri);
  gst_afxdp_uri_parts_clear (&back);
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  g_autofree gchar *uri = g_strndup ((const gchar *) bytes, size);
  g_autoptr (GError) error = NULL;
  GstAfxdpUriParts parts;

  if (gst_afxdp_uri_parts_read (&parts, uri, &error)) {
    g_assert_null (error);
    assert_valid (&parts);
    assert_reads_back (&parts);
  } else {
    g_assert_nonnull (error);
    g_assert_true (error->domain == GST_URI_ERROR);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_false (
        parts.address || parts.sources || parts.caps || parts.ignored);
  }
  gst_afxdp_uri_parts_clear (&parts);
  return 0;
}
