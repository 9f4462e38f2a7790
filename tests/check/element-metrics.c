/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tracer afxdpmetrics: what it exports of elements that do not know of it.
 */
#include "element-fixture.h"
#include "httpclient.h"
#include "leaks.h"
#include "ledger.h"

#define TYPE 33
#define N_STATES 100

/* One for the process: GStreamer keeps a tracer to its end. */
static GstTracer *
tracer (void)
{
  static GstTracer *one;
  g_autoptr (GstPluginFeature) feature = NULL;
  g_autoptr (GstPluginFeature) loaded = NULL;

  if (one)
    return one;
  feature = gst_registry_find_feature (
      gst_registry_get (), "afxdpmetrics", GST_TYPE_TRACER_FACTORY);
  loaded = feature ? gst_plugin_feature_load (feature) : NULL;
  fail_unless (loaded != NULL, "the plugin has no such tracer");
  one = g_object_new (
      gst_tracer_factory_get_tracer_type (GST_TRACER_FACTORY (loaded)),
      "params", "listen=127.0.0.1:0", NULL);
  return one;
}

static guint
port (void)
{
  guint number;

  g_object_get (tracer (), "port", &number, NULL);
  return number;
}

static gchar *
scrape (void)
{
  g_autoptr (HttpAnswer) answer = http_ask (
      port (), "GET", "/metrics", "Accept: application/openmetrics-text\r\n");

  fail_unless_equals_int (answer->status, 200);
  fail_unless (g_str_has_suffix (answer->body, "# EOF\n"));
  return g_steal_pointer (&answer->body);
}

/* Of the sample of that name that has label in its labels; -1: there is none. There must
 * not be two. */
static gdouble
sample (const gchar *text, const gchar *name, const gchar *label)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree gchar *begin = g_strconcat (name, "{", NULL);
  gdouble value = -1;

  for (guint i = 0; lines[i]; i++) {
    if (!g_str_has_prefix (lines[i], begin) || !strstr (lines[i], label))
      continue;
    fail_unless (value < 0, "%s{%s} is there twice", name, label);
    value = g_ascii_strtod (strrchr (lines[i], ' ') + 1, NULL);
  }
  return value;
}

#define assert_sample(text, name, label, should_be)                     \
  do {                                                                  \
    gdouble is_ = sample (text, name, label);                           \
    fail_unless (is_ == (should_be), "%s{%s} is %g", name, label, is_); \
  } while (0)

static void
play (const gchar *properties)
{
  tracer ();
  element_play (properties, "fakesink async=false");
}

/* Each number has a timestamp of its own, as legs need. */
static void
send (Loopback *leg, guint number, guint n)
{
  for (guint i = number; i < number + n; i++) {
    guint8 packet[12] = { 0x80, TYPE, i >> 8, i & 0xff, 0, 0, i, [11] = 1 };

    loopback_send (leg, packet, sizeof packet);
  }
}

/* What is exported is what the element says; each place by itself. */
TEST (test_samples)
{
  g_autofree gchar *text = NULL;
  g_autofree gchar *labels = NULL;

  fail_unless_equals_int (port (), 0);
  play ("");
  fail_unless (port () != 0);
  loopback_send_many (loopback, TYPE, 0, 3);
  loopback_send_many (loopback, TYPE, 5, 200);
  element_wait (203);
  wait_until (receiver_stat (receiver, "lost") == 2);
  text = scrape ();
  labels = g_strdup_printf (
      "{pipeline=\"pipeline0\",element=\"src\",group=\"%s\",port=\"%u\","
      "interface=\"lo\",",
      loopback->address_text, loopback->port);
  fail_unless (strstr (text, labels) != NULL, "no %s", labels);
  assert_sample (text, "afxdp_stream_info", "mode=\"socket\"", 1);
  assert_sample (text, "afxdp_playing", "", 1);
  assert_sample (text, "afxdp_packets_total", "path=\"socket\"", 203);
  assert_sample (text, "afxdp_packets_total", "path=\"af-xdp\"", 0);
  assert_sample (text, "afxdp_payload_bytes_total", "", 203 * 12);
  assert_sample (text, "afxdp_gaps_total", "", 1);
  assert_sample (text, "afxdp_ssrcs", "", 1);
  assert_sample (text, "afxdp_latency_seconds_count", "", 203);
  assert_sample (text, "afxdp_latency_seconds_bucket", "le=\"+Inf\"", 203);
  fail_unless (sample (text, "afxdp_latency_seconds_sum", "") > 0);
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    g_autofree gchar *place =
        g_strdup_printf ("place=\"%s\"", afxdp_column_where (i));
    guint lost = receiver_stat (receiver, afxdp_column_lost_name (i));

    assert_sample (text, "afxdp_lost_packets_total", place, lost);
    assert_sample (text, "afxdp_missing_packets", place, lost);
    assert_sample (text, "afxdp_dropped_packets_total", place,
        afxdp_column_name (i) ? 0 : -1);
  }
  assert_sample (text, "afxdp_lost_packets_total", "place=\"network\"", 2);
  for (guint i = AFXDP_COLUMN_KEPT_BACK; i < AFXDP_FIRST_LOSS; i++) {
    g_autofree gchar *reason =
        g_strdup_printf ("reason=\"%s\"", afxdp_column_name (i));

    assert_sample (text, "afxdp_withheld_packets_total", reason, 0);
  }
}

/* Who reads counters takes one that falls for a process that began anew. */
TEST (test_counter_does_not_fall)
{
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;
  g_autofree gchar *anew = NULL;

  play ("");
  loopback_send_many (loopback, TYPE, 0, 3);
  loopback_send_many (loopback, TYPE, 5, 200);
  element_wait (203);
  wait_until (receiver_stat (receiver, "lost") == 2);
  before = scrape ();
  loopback_send_rtp (loopback, TYPE, 3);
  element_wait (204);
  receiver_assert_stat (receiver, "lost", 1);
  after = scrape ();
  assert_sample (before, "afxdp_lost_packets_total", "place=\"network\"", 2);
  assert_sample (after, "afxdp_lost_packets_total", "place=\"network\"", 2);
  assert_sample (after, "afxdp_missing_packets", "place=\"network\"", 1);
  receiver_restart (receiver, GST_STATE_NULL);
  anew = scrape ();
  assert_sample (anew, "afxdp_lost_packets_total", "place=\"network\"", 0);
}

TEST (test_legs)
{
  Loopback *other = loopback_new ();
  g_autofree gchar *properties = g_strdup_printf (
      "redundant-uri=afxdp://%s:%u", other->address_text, other->port);
  g_autofree gchar *leg = g_strdup_printf (
      "leg=\"1\",uri=\"afxdp://%s:%u", other->address_text, other->port);
  g_autofree gchar *text = NULL;

  play (properties);
  send (loopback, 0, 3);
  tap_wait (tap, 3);
  send (other, 0, 4);
  tap_wait (tap, 4);
  wait_until (receiver_stat (receiver, "repeated") == 3);
  text = scrape ();
  assert_sample (text, "afxdp_leg_packets_total", "leg=\"0\"", 3);
  assert_sample (text, "afxdp_leg_packets_total", "leg=\"1\"", 4);
  assert_sample (text, "afxdp_leg_recovered_packets", "leg=\"1\"", 1);
  assert_sample (text, "afxdp_leg_active", "leg=\"1\"", 1);
  assert_sample (text, "afxdp_leg_skew_seconds_count", "leg=\"1\"", 3);
  assert_sample (text, "afxdp_leg_info", leg, 1);
  element_end ();
  loopback_free (other);
}

/* Another leg counts anew, and is not taken for the former one. */
TEST (test_other_leg)
{
  Loopback *other = loopback_new (), *third = loopback_new ();
  g_autofree gchar *properties = g_strdup_printf (
      "redundant-uri=afxdp://%s:%u", other->address_text, other->port);
  g_autofree gchar *uri =
      g_strdup_printf ("afxdp://%s:%u", third->address_text, third->port);
  g_autofree gchar *before = NULL;
  g_autofree gchar *after = NULL;

  play (properties);
  send (other, 0, 4);
  tap_wait (tap, 4);
  before = scrape ();
  assert_sample (before, "afxdp_leg_packets_total", "leg=\"1\"", 4);
  g_object_set (receiver->src, "redundant-uri", uri, NULL);
  send (third, 4, 1);
  tap_wait (tap, 5);
  after = scrape ();
  assert_sample (after, "afxdp_leg_packets_total", "leg=\"1\"", 1);
  element_end ();
  loopback_free (other);
  loopback_free (third);
}

/* Scrapes follow one another while the element goes through all its states. */

static gint ending; /* atomic */

static gpointer
scrape_on (gpointer unused)
{
  guint n = 0;

  while (!g_atomic_int_get (&ending)) {
    g_autofree gchar *text = scrape ();

    n++;
  }
  return GUINT_TO_POINTER (n);
}

TEST (test_states)
{
  GThread *thread;
  guint n;

  play ("");
  loopback_begin (loopback, TYPE, NULL);
  thread = g_thread_new ("scrapes", scrape_on, NULL);
  for (guint i = 0; i < N_STATES; i++) {
    receiver_set_state (receiver, GST_STATE_NULL);
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  receiver_set_state (receiver, GST_STATE_NULL);
  g_atomic_int_set (&ending, TRUE);
  n = GPOINTER_TO_UINT (g_thread_join (thread));
  loopback_end (loopback);
  g_atomic_int_set (&ending, FALSE);
  fail_unless (n > 0);
  receiver_assert_no_error (receiver);
}

/* It is freed while it is asked for. What is left of it fails the test. */
TEST (test_freed_between_scrapes)
{
  g_autofree gchar *text = NULL;
  GThread *thread;

  play ("");
  thread = g_thread_new ("scrapes", scrape_on, NULL);
  for (guint i = 0; i < N_STATES; i++) {
    element_end ();
    element_play ("", "fakesink async=false");
  }
  element_end ();
  g_atomic_int_set (&ending, TRUE);
  g_thread_join (thread);
  g_atomic_int_set (&ending, FALSE);
  text = scrape ();
  fail_unless_equals_string (text, "# EOF\n");
  leaks_assert_none ();
}

/* In NULL its totals stay, as they do in stats. */
TEST (test_stopped)
{
  g_autofree gchar *text = NULL;

  play ("");
  element_receive (TYPE, 0, 5);
  receiver_set_state (receiver, GST_STATE_NULL);
  text = scrape ();
  assert_sample (text, "afxdp_playing", "", 0);
  assert_sample (text, "afxdp_packets_total", "path=\"socket\"", 5);
}

/* Names are what an application makes them. */
TEST (test_same_names)
{
  Receiver *second;
  g_autofree gchar *both = NULL;
  g_autofree gchar *one = NULL;
  g_autofree gchar *name = NULL;

  play ("");
  second = receiver_new (loopback->properties, "fakesink async=false");
  name = gst_object_get_name (GST_OBJECT (receiver->pipeline));
  gst_object_set_name (GST_OBJECT (second->pipeline), name);
  receiver_set_state (second, GST_STATE_READY);
  both = scrape ();
  assert_sample (both, "afxdp_playing", "element=\"src\"", 1);
  assert_sample (both, "afxdp_playing", "element=\"src#2\"", 0);
  receiver_free (second);
  one = scrape ();
  assert_sample (one, "afxdp_playing", "element=\"src#2\"", -1);
  assert_sample (one, "afxdp_playing", "", 1);
}

/* Only an afxdpsrc that was opened is there. */
TEST (test_others)
{
  g_autoptr (GstElement) never = NULL;
  g_autoptr (GstElement) other = gst_element_factory_make ("identity", NULL);
  g_autofree gchar *text = NULL;

  play ("");
  never = gst_element_factory_make ("afxdpsrc", "never");
  gst_element_set_state (other, GST_STATE_READY);
  gst_element_set_state (other, GST_STATE_NULL);
  text = scrape ();
  assert_sample (text, "afxdp_playing", "", 1);
  gst_object_ref_sink (never);
  gst_object_ref_sink (other);
}

ELEMENT_SUITE ("element-metrics", NULL)
