/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* URIs: what is read out of them, what is refused, and that they are written so
 * that the same is read. */
#include "gstafxdpuriparts.h"

#include <string.h>

#include "suite.h"

static const struct
{
  const gchar *uri;
  const gchar *back; /* what is written for it */
  const gchar *address;
  gint port; /* -1: none */
  const gchar *ignored;
} good[] = {
  { "afxdp://239.1.1.1:5000", "afxdp://239.1.1.1:5000", "239.1.1.1", 5000 },
  { "AFXDP://239.1.1.1:5000", "afxdp://239.1.1.1:5000", "239.1.1.1", 5000 },
  { "udp://@239.1.1.1:5000", "afxdp://239.1.1.1:5000", "239.1.1.1", 5000 },
  { "afxdp://239.1.1.1:5000/", "afxdp://239.1.1.1:5000", "239.1.1.1", 5000 },
  { "afxdp://[239.1.1.1]:5000", "afxdp://239.1.1.1:5000", "239.1.1.1", 5000 },
  { "afxdp://239.1.1.1:0", "afxdp://239.1.1.1:0", "239.1.1.1", 0 },
  { "afxdp://239.1.1.1", NULL, "239.1.1.1", -1 },
  { "afxdp://239.1.1.1:", NULL, "239.1.1.1", -1 },
  { "afxdp://[ff15::1]:", NULL, "ff15::1", -1 },
  { "afxdp://:5000", NULL, NULL, 5000 },
  { "afxdp://", NULL, NULL, -1 },
  /* Zones: as people write them, and as RFC 6874 does. */
  { "afxdp://[fe80::2%rx0]:5000", "afxdp://[fe80::2%25rx0]:5000", "fe80::2%rx0",
      5000 },
  { "afxdp://[fe80::2%25rx0]:5000", "afxdp://[fe80::2%25rx0]:5000",
      "fe80::2%rx0", 5000 },
  { "afxdp://[ff02::1%eb0]:5000", "afxdp://[ff02::1%25eb0]:5000", "ff02::1%eb0",
      5000 },
  { "afxdp://[ff02::1%25]:5000", "afxdp://[ff02::1%2525]:5000", "ff02::1%25",
      5000 },
  { "afxdp://[ff02::1%2525]:5000", "afxdp://[ff02::1%2525]:5000", "ff02::1%25",
      5000 },
  { "afxdp://[fe80::2%eth0.5]", NULL, "fe80::2%eth0.5", -1 },
  { "afxdp://[fe80::2%25a%5Db]:5000", "afxdp://[fe80::2%25a%5Db]:5000",
      "fe80::2%a]b", 5000 },
  /* Interfaces, which are the second leg's alone. */
  { "afxdp://239.1.1.1:5000?multicast-iface=eth2&multicast-source=%2B10.0.0.1",
      "afxdp://239.1.1.1:5000?multicast-source=%2B10.0.0.1&multicast-iface=eth2",
      "239.1.1.1", 5000, "the key \"multicast-iface\"" },
  { "afxdp://239.1.1.1:5000?multicast-iface=eth0,eth1%26",
      "afxdp://239.1.1.1:5000?multicast-iface=eth0,eth1%26", "239.1.1.1", 5000,
      "the key \"multicast-iface\"" },
  { "afxdp://?multicast-iface=eth2", NULL, NULL, -1,
      "the key \"multicast-iface\"" },
  /* Names. */
  { "afxdp://host%25zz:5000", "afxdp://host%25zz:5000", "host%zz", 5000 },
  { "afxdp://h%C3%B6rer:5000", "afxdp://h%C3%B6rer:5000", "h\303\266rer",
      5000 },
  { "afxdp://h\303\266rer:5000", "afxdp://h%C3%B6rer:5000", "h\303\266rer",
      5000 },
  { "afxdp://v1.x:5000", "afxdp://v1.x:5000", "v1.x", 5000 },
  /* A name that is not in capitals in RFC 3551's table. */
  { "afxdp://239.1.1.1:5000?payload=25",
      "afxdp://239.1.1.1:5000?media=video&encoding-name=CELB&clock-rate=90000&"
      "payload=25",
      "239.1.1.1", 5000 },
  /* What is ignored. */
  { "afxdp://me:x@239.1.1.1:5000/dir?latency=9&a&=1#m",
      "afxdp://239.1.1.1:5000", "239.1.1.1", 5000,
      "the key \"a\", the key \"latency\", the user \"me:x\", the path "
      "\"/dir\", "
      "the fragment \"#m\"" },
  { "afxdp://239.1.1.1:5000?encoding-name=H264&clock-rate=90000&ttl=3",
      "afxdp://239.1.1.1:5000?media=video&encoding-name=H264&clock-rate=90000",
      "239.1.1.1", 5000, "the key \"ttl\"" },
};

TABLE_TEST (test_good, good)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *back = NULL;
  GstAfxdpUriParts parts;

  fail_unless (gst_afxdp_uri_parts_read (&parts, good[__i__].uri, &error), "%s",
      error ? error->message : "");
  fail_unless_equals_string (parts.address, good[__i__].address);
  fail_unless_equals_int (parts.port, good[__i__].port);
  fail_unless_equals_string (parts.ignored, good[__i__].ignored);
  if (good[__i__].back) {
    back = gst_afxdp_uri_parts_write (&parts);
    fail_unless_equals_string (back, good[__i__].back);
  }
  gst_afxdp_uri_parts_clear (&parts);
}

static const gchar *const bad[] = {
  "",
  "239.1.1.1:5000",
  "afxdp:239.1.1.1:5000",
  "afxdp:x://239.1.1.1:5000",
  "http://239.1.1.1:5000",
  /* None of them may become "any address". */
  "afxdp://host%zz:5000",
  "afxdp://%00:5000",
  "afxdp://a%00b:5000",
  "afxdp://%:5000",
  "afxdp://%ff:5000",
  "afxdp://\377:5000",
  "afxdp://[]:5000",
  "afxdp://[]",
  "afxdp://[%rx0]:5000",
  "afxdp://[fe80::2%]:5000",
  "afxdp://[fe80::2%25%00]:5000",
  "afxdp://[fe80::2%25%zz]:5000",
  "afxdp://[239.1.1.1%rx0]:5000",
  "afxdp://[v1.x]:5000",
  "afxdp://[name]:5000",
  "afxdp://[ff15::1",
  "afxdp://[ff15::1]5000",
  "afxdp://ff15::1:5000",
  "afxdp://239.1.1.1:65536",
  "afxdp://239.1.1.1:-1",
  "afxdp://239.1.1.1:+1",
  "afxdp://239.1.1.1:5x",
  "afxdp://239.1.1.1:port",
  "afxdp://239.1.1.1:5000?multicast-source",
  "afxdp://239.1.1.1:5000?multicast-source=%zz",
  "afxdp://239.1.1.1:5000?multicast-source=%ff",
  "afxdp://239.1.1.1:5000?encoding-name=%ff&clock-rate=90000",
  "afxdp://239.1.1.1:5000?clock-rate=%ff",
  /* GStreamer 1.22 reads from address 0 there. */
  "afxdp://239.1.1.1:5000?%fx=1",
  "afxdp://239.1.1.1:5000?a=b&%00",
  "afxdp://me%@239.1.1.1:5000",
};

TABLE_TEST (test_bad, bad)
{
  g_autofree gchar *shown = g_utf8_make_valid (bad[__i__], -1);
  g_autoptr (GError) error = NULL;
  GstAfxdpUriParts parts;

  fail_if (gst_afxdp_uri_parts_read (&parts, bad[__i__], &error),
      "%s became %s", shown, parts.address);
  fail_unless (g_error_matches (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI));
  fail_unless (strstr (error->message, shown), "%s", error->message);
  fail_unless (g_utf8_validate (error->message, -1, NULL));
  fail_if (parts.address || parts.sources || parts.caps || parts.ignored);
}

/* Whatever the properties are, the URI says the same. */
TEST (test_written)
{
  static const gchar *const addresses[] = { "239.1.1.1", "ff15::1",
    "fe80::1%eth0", "fe80::1%2", "fe80::1%a/b?c#d]e", "name", "a:b", "[::1]",
    "name/with?all#of@it:5", "100%", "%00", "\303\266", "fe80::1%" };

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++) {
    GstAfxdpUriParts parts = {
      .address = (gchar *) addresses[i],
      .port = i,
      .sources = (gchar *) "+10.0.0.1&a=b#\"",
    };
    g_autofree gchar *uri = gst_afxdp_uri_parts_write (&parts);
    g_autoptr (GError) error = NULL;
    GstAfxdpUriParts back;

    fail_unless (gst_afxdp_uri_parts_read (&back, uri, &error), "%s: %s",
        addresses[i], error ? error->message : "");
    fail_unless_equals_string (back.address, parts.address);
    fail_unless_equals_int (back.port, parts.port);
    fail_unless_equals_string (back.sources, parts.sources);
    fail_if (back.ignored != NULL);
    gst_afxdp_uri_parts_clear (&back);
  }
}

SUITE ("uri", 0, NULL, NULL)
