/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fixture of the tests of the element.
 */
#include "element-fixture.h"

#include "leaks.h"
#include "plugins.h"

/* What everybody gets by default: net.core.rmem_max. */
#define BUFFER_SIZE 212992

Loopback *loopback;
Receiver *receiver;
Tap *tap;

static void
set_up (void)
{
  loopback = loopback_new ();
}

static void
tear_down (void)
{
  g_clear_pointer (&loopback, loopback_free);
  /* Tests may share a process. */
  gst_check_clear_log_filter ();
  leaks_assert_none ();
}

void
element_new (const gchar *properties, const gchar *rest)
{
  g_autofree gchar *all = g_strdup_printf ("%s mode=socket buffer-size=%u %s",
      loopback->properties, BUFFER_SIZE, properties);

  receiver = receiver_new (all, rest);
  tap = tap_new (receiver->src);
}

void
element_play (const gchar *properties, const gchar *rest)
{
  element_new (properties, rest);
  receiver_play (receiver);
}

void
element_end (void)
{
  g_clear_pointer (&receiver, receiver_free);
  g_clear_pointer (&tap, tap_free);
}

void
element_wait (guint n)
{
  tap_wait (tap, n);
  fail_unless_equals_int (tap_n_packets (tap), n);
  receiver_assert_stat (receiver, "packets", n);
}

void
element_receive (guint8 payload_type, guint16 first, guint n)
{
  loopback_send_many (loopback, payload_type, first, n);
  element_wait (first + n);
}

void
element_pass (guint8 payload_type, guint16 first, guint n, guint all)
{
  loopback_send_many (loopback, payload_type, first, n);
  tap_wait (tap, all);
}

void
element_assert_caps (guint number, const gchar *caps)
{
  GstCaps *are = tap_packet (tap, number)->caps;
  g_autoptr (GstCaps) should_be = caps ? gst_caps_from_string (caps) : NULL;
  g_autofree gchar *text = are ? gst_caps_to_string (are) : g_strdup ("none");

  fail_unless (are && should_be ? gst_caps_is_equal (are, should_be)
                                : !are && !should_be,
      "packet %u has caps %s", number, text);
}

int
element_run (
    int argc, char **argv, const gchar *name, const gchar *const *plugins)
{
  static const gchar *const always[] = { "coreelements", "coretracers", NULL };

  gst_check_init (&argc, &argv);
  plugins_require (always);
  plugins_require (plugins);
  leaks_trace ();
  suite_end = element_end;
  return suite_run (argc, argv, name, 60, set_up, tear_down);
}
