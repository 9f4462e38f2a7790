/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of metrics, and how samples are written. */
#include "metrics.h"

#include <string.h>

#include "jsonline.h"
#include "listenaddress.h"
#include "openmetrics.h"
#include "suite.h"

#define STREAM_LABELS "pipeline", "element", "group", "port", "interface"
#define STREAM "p", "src", "239.1.1.1", "5000", "eth1"

static AfxdpSamples *samples;

static void
set_up (void)
{
  samples = afxdp_samples_new ();
}

static void
tear_down (void)
{
  g_clear_pointer (&samples, afxdp_samples_free);
}

static void
add (AfxdpMetric metric, const gchar *more, guint64 value)
{
  const gchar *values[] = { STREAM, more, NULL };

  afxdp_samples_add (samples, metric, values, value);
}

static void
add_info (void)
{
  const gchar *values[] = { STREAM, "af-xdp", "native", "true" };

  afxdp_samples_add (samples, AFXDP_METRIC_STREAM_INFO, values, 1);
}

static void
add_histogram (void)
{
  const gchar *values[] = { STREAM };
  AfxdpHistogram histogram = { .n = 9, .sum = 12345 };

  for (guint i = 0; i < AFXDP_N_BUCKETS; i++)
    histogram.up_to[i] = MIN (i, 8);
  afxdp_samples_add_histogram (
      samples, AFXDP_METRIC_LATENCY, values, &histogram);
}

static void
assert_text (AfxdpTextFormat format, const gchar *should_be)
{
  g_autofree gchar *text = afxdp_samples_to_text (samples, format);

  fail_unless_equals_string (text, should_be);
}

/* The table. */

static gboolean
is_name (const gchar *text)
{
  return *text &&
      strspn (text, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen (text);
}

/* By Prometheus' conventions; promtool knows some more (prometheus.py). */
TEST (test_names)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    const AfxdpMetricAbout *about = afxdp_metric_about (i);

    fail_unless (
        is_name (about->name) && g_str_has_prefix (about->name, "afxdp_"), "%s",
        about->name);
    fail_unless (g_hash_table_add (names, (gpointer) about->name),
        "%s is twice", about->name);
    fail_if (g_str_has_suffix (about->name, "_total") ||
            g_str_has_suffix (about->name, "_info"),
        "%s has its suffix by itself", about->name);
    fail_unless (!about->unit || g_str_has_suffix (about->name, about->unit),
        "%s does not end with its unit", about->name);
    fail_unless (
        *about->help && !strpbrk (about->help, "\n\\\""), "%s", about->name);
    for (guint j = 0; j < about->n_labels; j++)
      fail_unless (
          is_name (about->labels[j]) && !g_str_equal (about->labels[j], "le"),
          "%s of %s", about->labels[j], about->name);
  }
}

/* Those that all of a table have stand above it. */
static guint
n_common (const AfxdpMetricAbout *about)
{
  static const gchar *const common[] = { STREAM_LABELS };

  for (guint i = 0; i < G_N_ELEMENTS (common); i++)
    if (i >= about->n_labels || !g_str_equal (about->labels[i], common[i]))
      return 0;
  return G_N_ELEMENTS (common);
}

/* A row of docs/metrics.md, up to what it is. */
static gchar *
describe (const AfxdpMetricAbout *about)
{
  GString *row = g_string_new (NULL);
  const gchar *separator = " ";

  g_string_printf (row, "| `%s%s` | %s |", about->name,
      afxdp_metric_suffix (about->type), afxdp_metric_type_name (about->type));
  for (guint i = n_common (about); i < about->n_labels; i++) {
    g_string_append_printf (row, "%s`%s`", separator, about->labels[i]);
    separator = ", ";
  }
  g_string_append (row, " |");
  return g_string_free (row, FALSE);
}

static guint
count_rows (const gchar *page)
{
  guint n = 0;

  while ((page = strstr (page, "\n| `afxdp_"))) {
    n++;
    page++;
  }
  return n;
}

TEST (test_page)
{
  g_autofree gchar *page = NULL;

  fail_unless (g_file_get_contents (METRICS_PAGE, &page, NULL, NULL));
  for (guint i = 0; i < AFXDP_N_METRICS; i++) {
    g_autofree gchar *row = describe (afxdp_metric_about (i));

    fail_unless (strstr (page, row) != NULL, "no such row: %s", row);
  }
  fail_unless_equals_int (count_rows (page), AFXDP_N_METRICS);
}

/* Texts. */

#define BASE                                                          \
  "pipeline=\"p\",element=\"src\",group=\"239.1.1.1\",port=\"5000\"," \
  "interface=\"eth1\""
#define BUCKET(bound, n) \
  "afxdp_latency_seconds_bucket{" BASE ",le=\"" bound "\"} " n "\n"
#define HISTOGRAM                                     \
  BUCKET ("0.00001", "0")                             \
  BUCKET ("0.000025", "1")                            \
  BUCKET ("0.00005", "2")                             \
  BUCKET ("0.0001", "3")                              \
  BUCKET ("0.00025", "4")                             \
  BUCKET ("0.0005", "5")                              \
  BUCKET ("0.001", "6")                               \
  BUCKET ("0.0025", "7")                              \
  BUCKET ("0.005", "8")                               \
  BUCKET ("0.01", "8")                                \
  BUCKET ("0.025", "8")                               \
  BUCKET ("0.05", "8")                                \
  BUCKET ("0.1", "8")                                 \
  BUCKET ("0.25", "8")                                \
  BUCKET ("0.5", "8")                                 \
  BUCKET ("1.0", "8")                                 \
  BUCKET ("2.5", "8")                                 \
  BUCKET ("10.0", "8")                                \
  BUCKET ("+Inf", "9")                                \
  "afxdp_latency_seconds_sum{" BASE "} 0.000012345\n" \
  "afxdp_latency_seconds_count{" BASE "} 9\n"

static void
add_some (void)
{
  const gchar *none[] = { NULL };

  add (AFXDP_METRIC_PACKETS, "socket", G_MAXUINT64);
  afxdp_samples_add (samples, AFXDP_METRIC_DAEMON_UPTIME, none,
      61500 * G_GUINT64_CONSTANT (1000000));
  add_histogram ();
  add (AFXDP_METRIC_PACKETS, "af-xdp", 7);
  add_info ();
}

/* In the table's order, whatever the order in which they came. */
TEST (test_openmetrics)
{
  add_some ();
  assert_text (AFXDP_TEXT_OPENMETRICS,
      "# HELP afxdp_stream The path that packets take now\n"
      "# TYPE afxdp_stream info\n"
      "afxdp_stream_info{" BASE ",mode=\"af-xdp\",xdp_mode=\"native\","
      "zero_copy=\"true\"} 1\n"
      "# HELP afxdp_packets Packets that went downstream\n"
      "# TYPE afxdp_packets counter\n"
      "afxdp_packets_total{" BASE ",path=\"socket\"} 18446744073709551615\n"
      "afxdp_packets_total{" BASE ",path=\"af-xdp\"} 7\n"
      "# HELP afxdp_latency_seconds Time from arrival to hand-over to the next "
      "element\n"
      "# TYPE afxdp_latency_seconds histogram\n"
      "# UNIT afxdp_latency_seconds seconds\n" HISTOGRAM
      "# HELP afxdp_distributor_uptime_seconds How long the daemon has run\n"
      "# TYPE afxdp_distributor_uptime_seconds gauge\n"
      "# UNIT afxdp_distributor_uptime_seconds seconds\n"
      "afxdp_distributor_uptime_seconds 61.5\n"
      "# EOF\n");
}

TEST (test_prometheus)
{
  add_some ();
  assert_text (AFXDP_TEXT_PROMETHEUS,
      "# HELP afxdp_stream_info The path that packets take now\n"
      "# TYPE afxdp_stream_info gauge\n"
      "afxdp_stream_info{" BASE ",mode=\"af-xdp\",xdp_mode=\"native\","
      "zero_copy=\"true\"} 1\n"
      "# HELP afxdp_packets_total Packets that went downstream\n"
      "# TYPE afxdp_packets_total counter\n"
      "afxdp_packets_total{" BASE ",path=\"socket\"} 18446744073709551615\n"
      "afxdp_packets_total{" BASE ",path=\"af-xdp\"} 7\n"
      "# HELP afxdp_latency_seconds Time from arrival to hand-over to the next "
      "element\n"
      "# TYPE afxdp_latency_seconds histogram\n" HISTOGRAM
      "# HELP afxdp_distributor_uptime_seconds How long the daemon has run\n"
      "# TYPE afxdp_distributor_uptime_seconds gauge\n"
      "afxdp_distributor_uptime_seconds 61.5\n");
}

TEST (test_nothing)
{
  assert_text (AFXDP_TEXT_OPENMETRICS, "# EOF\n");
  assert_text (AFXDP_TEXT_PROMETHEUS, "");
}

TEST (test_escaping)
{
  const gchar *values[] = { "a\\b", "c\"d", "e\nf", "g\xffh", NULL, "x" };

  afxdp_samples_add (samples, AFXDP_METRIC_PACKETS, values, 1);
  assert_text (AFXDP_TEXT_OPENMETRICS,
      "# HELP afxdp_packets Packets that went downstream\n"
      "# TYPE afxdp_packets counter\n"
      "afxdp_packets_total{pipeline=\"a\\\\b\",element=\"c\\\"d\","
      "group=\"e\\nf\",port=\"g\xef\xbf\xbdh\",interface=\"\",path=\"x\"} 1\n"
      "# EOF\n");
}

TEST (test_json)
{
  const gchar *values[] = { "a\\b", "c\"d", "e\nf", "g\xffh", "\x01", "x" };
  g_autofree gchar *line = NULL;

  afxdp_samples_add (samples, AFXDP_METRIC_PACKETS, values, 1);
  add_info ();
  add (AFXDP_METRIC_JITTER, NULL, 1000);
  line = afxdp_samples_to_json_line (samples, 1764590000250999);
  fail_unless_equals_string (line,
      "{\"time\":1764590000.250,\"samples\":["
      "{\"name\":\"afxdp_stream_info\",\"pipeline\":\"p\",\"element\":\"src\","
      "\"group\":\"239.1.1.1\",\"port\":\"5000\",\"interface\":\"eth1\","
      "\"mode\":\"af-xdp\",\"xdp_mode\":\"native\",\"zero_copy\":\"true\","
      "\"value\":1},"
      "{\"name\":\"afxdp_packets_total\",\"pipeline\":\"a\\\\b\","
      "\"element\":\"c\\\"d\",\"group\":\"e\\u000af\","
      "\"port\":\"g\xef\xbf\xbdh\",\"interface\":\"\\u0001\",\"path\":\"x\","
      "\"value\":1},"
      "{\"name\":\"afxdp_jitter_seconds\",\"pipeline\":\"p\","
      "\"element\":\"src\",\"group\":\"239.1.1.1\",\"port\":\"5000\","
      "\"interface\":\"eth1\",\"value\":0.000001}]}\n");
}

TEST (test_json_histogram)
{
  g_autofree gchar *line = NULL;

  add_histogram ();
  line = afxdp_samples_to_json_line (samples, 0);
  fail_unless (g_str_has_prefix (line,
      "{\"time\":0.000,\"samples\":[{\"name\":"
      "\"afxdp_latency_seconds\","));
  fail_unless (g_str_has_suffix (line,
                   ",\"count\":9,\"sum\":0.000012345,\"buckets\":{"
                   "\"0.00001\":0,\"0.000025\":1,\"0.00005\":2,\"0.0001\":3,"
                   "\"0.00025\":4,\"0.0005\":5,\"0.001\":6,\"0.0025\":7,"
                   "\"0.005\":8,\"0.01\":8,\"0.025\":8,\"0.05\":8,\"0.1\":8,"
                   "\"0.25\":8,\"0.5\":8,\"1.0\":8,\"2.5\":8,\"10.0\":8}}]}\n"),
      "%s", line);
}

/* Values. */

static const struct
{
  guint64 value;
  const gchar *text;
} times[] = {
  { 0, "0.0" },
  { 1, "0.000000001" },
  { 1000000000, "1.0" },
  { 1010000000, "1.01" },
  { 100 * G_GUINT64_CONSTANT (1000000000), "100.0" },
  { G_MAXUINT64, "18446744073.709551615" },
};

TABLE_TEST (test_time, times)
{
  g_autoptr (GString) text = g_string_new (NULL);

  afxdp_sample_append_value (
      text, afxdp_metric_about (AFXDP_METRIC_JITTER), times[__i__].value);
  fail_unless_equals_string (text->str, times[__i__].text);
}

static guint64
value_of (AfxdpMetric metric, guint i)
{
  const AfxdpSample *sample = afxdp_samples_of (samples, metric)->pdata[i];

  return sample->value;
}

/* A gauge falls; each counter by itself does not, until they begin anew. */
TEST (test_raise)
{
  g_autoptr (GHashTable) highest = afxdp_highest_new ();

  add (AFXDP_METRIC_LOST, "nic", 5);
  add (AFXDP_METRIC_LOST, "network", 1);
  add (AFXDP_METRIC_MISSING, "nic", 5);
  afxdp_samples_raise (samples, highest);
  tear_down ();
  set_up ();
  add (AFXDP_METRIC_LOST, "nic", 3);
  add (AFXDP_METRIC_LOST, "network", 2);
  add (AFXDP_METRIC_MISSING, "nic", 3);
  afxdp_samples_raise (samples, highest);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_LOST, 0), 5);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_LOST, 1), 2);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_MISSING, 0), 3);
  g_hash_table_remove_all (highest);
  tear_down ();
  set_up ();
  add (AFXDP_METRIC_LOST, "nic", 3);
  afxdp_samples_raise (samples, highest);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_LOST, 0), 3);
}

TEST (test_take)
{
  AfxdpSamples *others = samples;

  add (AFXDP_METRIC_LOST, "nic", 1);
  add (AFXDP_METRIC_MISSING, "nic", 2);
  set_up ();
  add (AFXDP_METRIC_LOST, "nic", 3);
  afxdp_samples_take (samples, others);
  fail_unless_equals_int (
      afxdp_samples_of (samples, AFXDP_METRIC_LOST)->len, 2);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_LOST, 0), 3);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_LOST, 1), 1);
  fail_unless_equals_uint64 (value_of (AFXDP_METRIC_MISSING, 0), 2);
}

/* What is asked for. */

static const struct
{
  const gchar *accept; /* NULL: nothing is said */
  AfxdpTextFormat format;
} accepts[] = {
  { NULL, AFXDP_TEXT_PROMETHEUS },
  { "", AFXDP_TEXT_PROMETHEUS },
  { "*/*", AFXDP_TEXT_PROMETHEUS },
  { "text/html,application/xhtml+xml,*/*;q=0.8", AFXDP_TEXT_PROMETHEUS },
  { "application/openmetrics-text", AFXDP_TEXT_OPENMETRICS },
  { "Application/OpenMetrics-Text ; Version=1.0.0", AFXDP_TEXT_OPENMETRICS },
  { "application/openmetrics-text;version=0.0.1", AFXDP_TEXT_PROMETHEUS },
  { "application/openmetrics-text;version=1.0.0;q=0", AFXDP_TEXT_PROMETHEUS },
  { "text/plain,application/openmetrics-text", AFXDP_TEXT_OPENMETRICS },
  { "text/plain;q=0.9,application/openmetrics-text;q=0.5",
      AFXDP_TEXT_PROMETHEUS },
  /* Prometheus 2.42, and 3.5. */
  { "application/openmetrics-text;version=1.0.0,application/"
    "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/"
    "*;q=0.1",
      AFXDP_TEXT_OPENMETRICS },
  { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      AFXDP_TEXT_OPENMETRICS },
};

TABLE_TEST (test_accept, accepts)
{
  fail_unless_equals_int (
      afxdp_text_format_of (accepts[__i__].accept), accepts[__i__].format);
}

static const struct
{
  const gchar *text, *address; /* NULL: it is none */
  guint port;
} addresses[] = {
  { "127.0.0.1:9464", "127.0.0.1", 9464 },
  { "0.0.0.0:0", "0.0.0.0", 0 },
  { "[::1]:9464", "::1", 9464 },
  { "::1:9464" },
  { "[127.0.0.1]:1" },
  { "localhost:9464" },
  { ":9464" },
  { "127.0.0.1" },
  { "127.0.0.1:" },
  { "127.0.0.1:65536" },
  { "127.0.0.1:+1" },
  { "127.0.0.1:1x" },
  { "[]:1" },
  { "[:1" },
  { "" },
};

TABLE_TEST (test_address, addresses)
{
  g_autoptr (GSocketAddress) address =
      afxdp_listen_address_parse (addresses[__i__].text);
  g_autofree gchar *text = NULL;

  fail_unless ((address != NULL) == (addresses[__i__].address != NULL), "%s",
      addresses[__i__].text);
  if (!address)
    return;
  text = g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
  fail_unless_equals_string (text, addresses[__i__].address);
  fail_unless_equals_int (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)),
      addresses[__i__].port);
}

SUITE ("metrics", 0, set_up, tear_down)
