/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's status, as metrics. */
#include "daemonmetrics.h"

#include "clock.h"
#include "httpserver.h"
#include "ledger.h"

/* µs that the control thread has for its answer: less than a reader's patience, which is
 * 10 s by default. */
#define PATIENCE (2 * G_TIME_SPAN_SECOND)
#define MOST_LABELS 6

struct _AfxdpDaemonMetrics
{
  JsonNode *(*status) (gpointer user_data);
  gpointer user_data;
  AfxdpHttpServer *server;

  GMutex lock; /* innermost; protects all that follows */
  GCond changed;
  gboolean ending;
  gboolean is_asked; /* the server's thread waits for */
  JsonNode *answer;  /* this */
};

/* What the tree says. */

typedef struct
{
  AfxdpSamples *samples;
  JsonObject *object; /* that is read: an interface, a stream, a client */
  const gchar *values[MOST_LABELS];
  GHashTable *clients; /* labels, to how many have them so far */
} Reading;

/* A number of the tree, and the metric that it is. */
typedef struct
{
  const gchar *member;
  AfxdpMetric metric;
} Field;

static void
add (const Reading *reading, AfxdpMetric metric, guint64 value)
{
  afxdp_samples_add (reading->samples, metric, reading->values, value);
}

static guint64
number_of (JsonObject *object, const gchar *member)
{
  return json_object_get_int_member_with_default (object, member, 0);
}

static guint64
time_of (JsonObject *object, const gchar *member)
{
  return AFXDP_S *
      json_object_get_double_member_with_default (object, member, 0);
}

static const gchar *
text_of (JsonObject *object, const gchar *member)
{
  return json_object_get_string_member_with_default (object, member, "");
}

static void
add_fields (const Reading *reading, const Field *fields, guint n)
{
  for (guint i = 0; i < n; i++)
    add (reading, fields[i].metric,
        number_of (reading->object, fields[i].member));
}

static void
read_interface (Reading *reading)
{
  static const Field fields[] = {
    { "queues", AFXDP_METRIC_INTERFACE_QUEUES },
    { "threads", AFXDP_METRIC_INTERFACE_THREADS },
    { "streams", AFXDP_METRIC_INTERFACE_STREAMS },
  };
  JsonObject *object = reading->object;

  reading->values[0] = text_of (object, "name");
  add_fields (reading, fields, G_N_ELEMENTS (fields));
  add (reading, AFXDP_METRIC_INTERFACE_UP,
      json_object_get_boolean_member (object, "up"));
  reading->values[1] = text_of (object, "mode");
  reading->values[2] = text_of (object, "xdp-mode");
  reading->values[3] =
      json_object_get_boolean_member (object, "zero-copy") ? "true" : "false";
  add (reading, AFXDP_METRIC_INTERFACE_INFO, 1);
}

static void
read_stream (Reading *reading)
{
  static const Field fields[] = {
    { "packets-per-second", AFXDP_METRIC_FLOW_RATE },
    { "bytes", AFXDP_METRIC_FLOW_PAYLOAD },
    { "malformed", AFXDP_METRIC_FLOW_MALFORMED },
    { "clients", AFXDP_METRIC_FLOW_CLIENTS },
  };
  JsonObject *object = reading->object;
  JsonObject *drops = json_object_get_object_member (object, "dropped");
  g_autofree gchar *port =
      g_strdup_printf ("%u", (guint) number_of (object, "port"));

  reading->values[0] = text_of (object, "address");
  reading->values[1] = port;
  reading->values[2] = text_of (object, "interface");
  add_fields (reading, fields, G_N_ELEMENTS (fields));
  reading->values[3] = text_of (object, "path");
  reading->values[4] = text_of (object, "sources");
  add (reading, AFXDP_METRIC_FLOW_INFO, 1);
  reading->values[3] = "af-xdp";
  add (
      reading, AFXDP_METRIC_FLOW_PACKETS, number_of (object, "packets-af-xdp"));
  reading->values[3] = "socket";
  add (
      reading, AFXDP_METRIC_FLOW_PACKETS, number_of (object, "packets-socket"));
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++) {
    if (!afxdp_column_name (i))
      continue;
    reading->values[3] = afxdp_column_where (i);
    add (reading, AFXDP_METRIC_FLOW_DROPPED,
        number_of (drops, afxdp_column_name (i)));
  }
}

/* A process may have a stream several times. values: all labels but this one. */
static gchar *
count_same (Reading *reading, guint n_values)
{
  GString *key = g_string_new (NULL);
  guint n;

  for (guint i = 0; i < n_values; i++)
    g_string_append_printf (key, "%s ", reading->values[i]);
  n = 1 + GPOINTER_TO_UINT (g_hash_table_lookup (reading->clients, key->str));
  g_hash_table_insert (
      reading->clients, g_string_free (key, FALSE), GUINT_TO_POINTER (n));
  return g_strdup_printf ("%u", n);
}

static void
read_client (Reading *reading)
{
  static const Field fields[] = {
    { "packets", AFXDP_METRIC_CLIENT_PACKETS },
    { "dropped-client-ring", AFXDP_METRIC_CLIENT_DROPPED },
    { "slots", AFXDP_METRIC_CLIENT_SLOTS },
    { "slots-free", AFXDP_METRIC_CLIENT_SLOTS_FREE },
    { "memory", AFXDP_METRIC_CLIENT_MEMORY },
  };
  JsonObject *object = reading->object;
  g_autofree gchar *pid =
      g_strdup_printf ("%" G_GUINT64_FORMAT, number_of (object, "pid"));
  g_autofree gchar *uid =
      g_strdup_printf ("%" G_GUINT64_FORMAT, number_of (object, "uid"));
  g_autofree gchar *port =
      g_strdup_printf ("%u", (guint) number_of (object, "port"));
  g_autofree gchar *number = NULL;

  reading->values[0] = pid;
  /* Its name may be asked of the network, which the daemon does not wait for. */
  reading->values[1] = uid;
  reading->values[2] = text_of (object, "address");
  reading->values[3] = port;
  reading->values[4] = text_of (object, "interface");
  reading->values[5] = number = count_same (reading, 5);
  add_fields (reading, fields, G_N_ELEMENTS (fields));
  add (reading, AFXDP_METRIC_CLIENT_CONNECTED,
      time_of (object, "connected-seconds"));
}

static const struct
{
  const gchar *member;
  void (*read) (Reading *reading);
} lists[] = {
  { "interfaces", read_interface },
  { "streams", read_stream },
  { "clients", read_client },
};

AfxdpSamples *
afxdp_daemon_metrics_read (JsonNode *status)
{
  JsonObject *root = json_node_get_object (status);
  g_autoptr (GHashTable) clients =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Reading reading = { .samples = afxdp_samples_new (), .clients = clients };

  reading.values[0] = text_of (root, "version");
  add (&reading, AFXDP_METRIC_DAEMON_INFO, 1);
  add (&reading, AFXDP_METRIC_DAEMON_UPTIME, time_of (root, "uptime-seconds"));
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    JsonArray *list = json_object_get_array_member (root, lists[i].member);

    for (guint j = 0; j < json_array_get_length (list); j++) {
      reading.object = json_array_get_object_element (list, j);
      lists[i].read (&reading);
    }
  }
  return reading.samples;
}

/* Asking for it. */

/* In the control thread. */
static gboolean
answer (gpointer user_data)
{
  AfxdpDaemonMetrics *metrics = user_data;
  JsonNode *status = metrics->status (metrics->user_data);

  g_mutex_lock (&metrics->lock);
  if (metrics->is_asked && !metrics->answer)
    metrics->answer = g_steal_pointer (&status);
  g_cond_signal (&metrics->changed);
  g_mutex_unlock (&metrics->lock);
  g_clear_pointer (&status, json_node_unref);
  return G_SOURCE_REMOVE;
}

/* In the server's, which is one. */
static AfxdpSamples *
collect (gpointer user_data)
{
  AfxdpDaemonMetrics *metrics = user_data;
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  g_autoptr (GSource) source = g_idle_source_new ();
  g_autoptr (JsonNode) status = NULL;

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, answer, metrics, NULL);
  g_mutex_lock (&metrics->lock);
  metrics->is_asked = TRUE;
  g_source_attach (source, NULL);
  while (!metrics->answer && !metrics->ending)
    if (!g_cond_wait_until (&metrics->changed, &metrics->lock, deadline))
      break;
  metrics->is_asked = FALSE;
  status = g_steal_pointer (&metrics->answer);
  g_mutex_unlock (&metrics->lock);
  /* It may be running, and then finds that nobody asks any more. */
  g_source_destroy (source);
  return status ? afxdp_daemon_metrics_read (status) : NULL;
}

AfxdpDaemonMetrics *
afxdp_daemon_metrics_new (const gchar *listen,
    JsonNode *(*status) (gpointer user_data), gpointer user_data,
    GError **error)
{
  AfxdpDaemonMetrics *metrics = g_new0 (AfxdpDaemonMetrics, 1);

  metrics->status = status;
  metrics->user_data = user_data;
  g_mutex_init (&metrics->lock);
  g_cond_init (&metrics->changed);
  metrics->server = afxdp_http_server_new (listen, collect, metrics, error);
  if (!metrics->server)
    g_clear_pointer (&metrics, afxdp_daemon_metrics_free);
  return metrics;
}

void
afxdp_daemon_metrics_free (AfxdpDaemonMetrics *metrics)
{
  if (!metrics)
    return;
  g_mutex_lock (&metrics->lock);
  metrics->ending = TRUE;
  g_cond_signal (&metrics->changed);
  g_mutex_unlock (&metrics->lock);
  afxdp_http_server_free (metrics->server);
  g_cond_clear (&metrics->changed);
  g_mutex_clear (&metrics->lock);
  g_free (metrics);
}
