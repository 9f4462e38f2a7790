/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as an SDP file; the first byte says which of its media. What is read is
 * caps with a clock rate, and of one or two legs an address, a port, and senders of the
 * address's family; what is refused sets an error, and leaves nothing. A byte order mark, carriage
 * returns, and blanks at the ends of lines make no difference. Nothing is resolved.
 */
#include "gstafxdpsdp.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "gstafxdpaddress.h"
#include "sources.h"
#include "target.h"

#define MOST_MEDIA 4

/* Each name of a parameter becomes a GQuark, and GLib leaves a table of quarks lying
 * when it makes a larger one. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "detect_leaks=0:quarantine_size_mb=16";
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  gst_init (NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL);
  return 0;
}

static gboolean
read_text (GstAfxdpSdp *sdp, const gchar *text, gsize size, guint8 media,
    GError **error)
{
  int fd = memfd_create ("sdp", MFD_CLOEXEC);
  g_autofree gchar *location = media < MOST_MEDIA
      ? g_strdup_printf ("/proc/self/fd/%d#m=%u", fd, media)
      : g_strdup_printf ("/proc/self/fd/%d", fd);
  gboolean done;

  g_assert_cmpint (write (fd, text, size), ==, size);
  done = gst_afxdp_sdp_read (sdp, location, error);
  close (fd);
  return done;
}

static void
assert_caps (GstCaps *caps)
{
  if (gst_caps_is_any (caps))
    return;
  g_assert_cmpuint (gst_caps_get_size (caps), >, 0);
  for (guint i = 0; i < gst_caps_get_size (caps); i++) {
    const GstStructure *structure = gst_caps_get_structure (caps, i);
    gint payload, clock_rate;

    g_assert_cmpstr (
        gst_structure_get_name (structure), ==, "application/x-rtp");
    g_assert_true (gst_structure_get_int (structure, "payload", &payload));
    g_assert_true (payload >= 0 && payload < 128);
    g_assert_true (
        gst_structure_get_int (structure, "clock-rate", &clock_rate));
    g_assert_cmpint (clock_rate, >, 0);
  }
}

static void
assert_senders (const GstAfxdpSdpLeg *leg)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpSources) sources = afxdp_sources_parse (
      leg->sources, leg->family == G_SOCKET_FAMILY_IPV6 ? 6 : 4, &error);

  /* Groups and "any" are read, and refused when they are used. */
  g_assert_true (sources || strstr (error->message, "is not the address"));
}

static void
assert_leg (const GstAfxdpSdpLeg *leg)
{
  g_autofree gchar *zone = NULL;
  g_autoptr (GInetAddress) address = NULL;

  g_assert_true (leg->address && *leg->address);
  g_assert_null (strpbrk (leg->address, " \t\r\n"));
  g_assert_true (leg->family == G_SOCKET_FAMILY_IPV4 ||
      leg->family == G_SOCKET_FAMILY_IPV6);
  address = gst_afxdp_address_read (leg->address, &zone);
  g_assert_true (
      !address || g_inet_address_get_family (address) == leg->family);
  g_assert_cmpint (leg->port, >, 0);
  g_assert_cmpint (leg->port, <=, G_MAXUINT16);
  assert_senders (leg);
}

static void
assert_valid (const GstAfxdpSdp *sdp)
{
  assert_leg (&sdp->first);
  if (sdp->second.address)
    assert_leg (&sdp->second);
  else
    g_assert_false (sdp->second.port || sdp->second.sources);
  g_assert_true (sdp->has_legs || !sdp->second.address);
  assert_caps (sdp->caps);
}

static void
assert_same_leg (const GstAfxdpSdpLeg *one, const GstAfxdpSdpLeg *other)
{
  g_assert_cmpstr (one->address, ==, other->address);
  g_assert_cmpint (one->port, ==, other->port);
  g_assert_cmpstr (one->sources, ==, other->sources);
}

/* As an editor of another system saves it. */
static GString *
disguise (const gchar *text, gsize size)
{
  GString *other = g_string_new ("\357\273\277");

  for (gsize i = 0; i < size; i++) {
    if (text[i] == '\n')
      g_string_append (other, "\t \r");
    g_string_append_c (other, text[i]);
  }
  return other;
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) other = NULL;
  GstAfxdpSdp sdp, same;
  gboolean read;

  if (size < 2)
    return 0;
  read = read_text (&sdp, (const gchar *) bytes + 1, size - 1, *bytes, &error);
  if (read) {
    assert_valid (&sdp);
  } else {
    g_assert_true (error && error->domain == AFXDP_ERROR);
    g_assert_false (sdp.first.address || sdp.first.sources || sdp.caps ||
        sdp.second.address || sdp.second.sources || sdp.skipped);
  }
  /* UTF-16 has a mark of its own, and a second mark is not one. */
  if (bytes[1] < 0x80) {
    other = disguise ((const gchar *) bytes + 1, size - 1);
    g_assert_true (
        read_text (&same, other->str, other->len, *bytes, NULL) == read);
    if (read) {
      assert_same_leg (&same.first, &sdp.first);
      assert_same_leg (&same.second, &sdp.second);
      g_assert_cmpstr (same.skipped, ==, sdp.skipped);
      g_assert_true (gst_caps_is_strictly_equal (same.caps, sdp.caps));
    }
    gst_afxdp_sdp_clear (&same);
  }
  gst_afxdp_sdp_clear (&sdp);
  return 0;
}
