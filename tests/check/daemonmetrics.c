/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The distributor daemon's status as metrics, and by HTTP. */
#include "distributor/daemonmetrics.h"

#include <string.h>

#include "httpclient.h"
#include "openmetrics.h"
#include "suite.h"

/* A process that has the stream twice. */
#define CLIENT_OF(packets)                                                        \
  "{\"pid\":12,\"uid\":13,\"user\":null,\"address\":\"239.1.1.1\",\"port\":5000," \
  "\"interface\":\"eth1\",\"connected-seconds\":0.25,\"packets\":" #packets       \
  ","                                                                             \
  "\"dropped-client-ring\":15,\"slots\":16,\"slots-free\":17,\"memory\":18}"
#define STATUS                                                                \
  "{\"version\":\"0.2.0\",\"pid\":1,\"uptime-seconds\":2.5,\"interfaces\":["  \
  "{\"name\":\"eth1\",\"up\":true,\"mtu\":1500,\"mode\":\"auto\","            \
  "\"xdp-mode\":\"native\",\"zero-copy\":false,\"queues\":2,\"threads\":1,"   \
  "\"streams\":3}],\"streams\":["                                             \
  "{\"address\":\"239.1.1.1\",\"port\":5000,\"sources\":\"+10.0.0.1\","       \
  "\"interface\":\"eth1\",\"clients\":4,\"path\":\"af-xdp\",\"reason\":null," \
  "\"packets\":11,\"packets-af-xdp\":5,\"packets-socket\":6,"                 \
  "\"packets-per-second\":7,\"bytes\":8,\"malformed\":9,"                     \
  "\"dropped\":{\"dropped-nic\":10}}],\"clients\":[" CLIENT_OF (              \
      14) "," CLIENT_OF (19) "]}"

#define FLOW "group=\"239.1.1.1\",port=\"5000\",interface=\"eth1\""
#define CLIENT(name, number)                    \
  "afxdp_distributor_client_" name              \
  "{pid=\"12\",uid=\"13\",group=\"239.1.1.1\"," \
  "port=\"5000\",interface=\"eth1\",number=\"" number "\"} "

/* Every sample that the tree has, but for those that are 0. */
static const gchar *const lines[] = {
  "afxdp_distributor_info{version=\"0.2.0\"} 1",
  "afxdp_distributor_uptime_seconds 2.5",
  "afxdp_distributor_interface_info{interface=\"eth1\",mode=\"auto\","
  "xdp_mode=\"native\",zero_copy=\"false\"} 1",
  "afxdp_distributor_interface_up{interface=\"eth1\"} 1",
  "afxdp_distributor_interface_queues{interface=\"eth1\"} 2",
  "afxdp_distributor_interface_threads{interface=\"eth1\"} 1",
  "afxdp_distributor_interface_streams{interface=\"eth1\"} 3",
  "afxdp_distributor_stream_info{" FLOW ",path=\"af-xdp\","
  "sources=\"+10.0.0.1\"} 1",
  "afxdp_distributor_packets_total{" FLOW ",path=\"af-xdp\"} 5",
  "afxdp_distributor_packets_total{" FLOW ",path=\"socket\"} 6",
  "afxdp_distributor_packets_per_second{" FLOW "} 7",
  "afxdp_distributor_payload_bytes_total{" FLOW "} 8",
  "afxdp_distributor_malformed_packets_total{" FLOW "} 9",
  "afxdp_distributor_dropped_packets_total{" FLOW ",place=\"nic\"} 10",
  "afxdp_distributor_stream_clients{" FLOW "} 4",
  CLIENT ("packets_total", "1") "14",
  CLIENT ("packets_total", "2") "19",
  CLIENT ("dropped_packets_total", "1") "15",
  CLIENT ("dropped_packets_total", "2") "15",
  CLIENT ("slots", "1") "16",
  CLIENT ("slots", "2") "16",
  CLIENT ("slots_free", "1") "17",
  CLIENT ("slots_free", "2") "17",
  CLIENT ("memory_bytes", "1") "18",
  CLIENT ("memory_bytes", "2") "18",
  CLIENT ("connected_seconds", "1") "0.25",
  CLIENT ("connected_seconds", "2") "0.25",
};

static gboolean
is_of_interest (const gchar *line)
{
  return *line && *line != '#' && !g_str_has_suffix (line, " 0");
}

static JsonNode *
status (gpointer user_data)
{
  JsonNode *node = json_from_string (STATUS, NULL);

  g_assert_nonnull (node);
  return node;
}

TEST (test_samples)
{
  g_autoptr (JsonNode) tree = status (NULL);
  g_autoptr (AfxdpSamples) samples = afxdp_daemon_metrics_read (tree);
  g_autofree gchar *text =
      afxdp_samples_to_text (samples, AFXDP_TEXT_OPENMETRICS);
  g_auto (GStrv) all = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (guint i = 0; all[i]; i++) {
    if (!is_of_interest (all[i]))
      continue;
    fail_unless (n < G_N_ELEMENTS (lines), "%s", all[i]);
    fail_unless_equals_string (all[i], lines[n++]);
  }
  fail_unless_equals_int (n, G_N_ELEMENTS (lines));
}

#ifdef HAVE_MICROHTTPD

/* It is bound before there is anybody to ask; the system chooses a port. */
static guint16
find_port (void)
{
  g_autoptr (GSocketAddress) any =
      g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  g_autoptr (GSocketAddress) bound = NULL;

  fail_unless (g_socket_bind (socket, any, TRUE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

static AfxdpDaemonMetrics *metrics;
static guint16 port;

static void
begin_serving (void)
{
  g_autofree gchar *listen = NULL;

  port = find_port ();
  listen = g_strdup_printf ("127.0.0.1:%u", port);
  metrics = afxdp_daemon_metrics_new (listen, status, NULL, NULL);
  fail_unless (metrics != NULL);
}

static void
end_serving (void)
{
  g_clear_pointer (&metrics, afxdp_daemon_metrics_free);
}

FIXTURE (begin_serving, end_serving)

static gpointer
ask (gpointer user_data)
{
  HttpAnswer *answer = http_ask (port, "GET", "/metrics", "");

  g_atomic_int_set ((gint *) user_data, TRUE);
  g_main_context_wakeup (NULL);
  return answer;
}

/* The control thread, which is this one, answers between other things. */
TEST (test_answer)
{
  gint done = FALSE;
  GThread *thread = g_thread_new ("ask", ask, &done);
  g_autoptr (HttpAnswer) answer = NULL;

  while (!g_atomic_int_get (&done))
    g_main_context_iteration (NULL, TRUE);
  answer = g_thread_join (thread);
  fail_unless_equals_int (answer->status, 200);
  fail_unless (strstr (answer->body, lines[0]) != NULL, "%s", answer->body);
}

/* It waits for the kernel; who asks is told so, and what he asked for is not done later
 * in vain. */
TEST (test_control_thread_is_busy)
{
  g_autoptr (HttpAnswer) answer = http_ask (port, "GET", "/metrics", "");

  fail_unless_equals_int (answer->status, 503);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* The daemon ends in the middle of it, and does not wait. */
TEST (test_end_while_asked)
{
  static const gchar request[] = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GSocket) socket = http_connect (port);

  g_socket_send (socket, request, strlen (request), NULL, NULL);
  while (!g_main_context_pending (NULL))
    g_usleep (1000);
  g_clear_pointer (&metrics, afxdp_daemon_metrics_free);
  fail_unless (g_get_monotonic_time () - begin < 2 * G_TIME_SPAN_SECOND);
}

#endif

SUITE ("daemonmetrics", 0, NULL, NULL)
