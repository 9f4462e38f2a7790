/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pipeline that receives streams, for the benchmark: one source for each
 * stream, with what follows it, all in one pipeline.
 *
 *   receiver [--latency] INTERFACE GROUP PORT STREAMS SOURCE REST
 *
 * for example: receiver rx0 239.1.1.1 5000 4 "afxdpsrc mode=af-xdp" "fakesink";
 * the groups are consecutive. Counts what reaches the last element of REST.
 * Latency, from the arrival at the host to the source's pad, is afxdpsrc's own,
 * or with --latency that of a source that sets DTS to the kernel's timestamp.
 * session.h says how it is driven.
 */
#include <arpa/inet.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

typedef struct
{
  _Alignas(64) _Atomic guint64 packets; /* at the sink */
  GstElement *source;
  AfxdpLatency *latency;  /* or NULL */
  GstClockTime base_time; /* of the pipeline, once it plays */
  GstClock *clock;
} Stream;

typedef struct
{
  const gchar *interface, *group, *port, *source, *rest;
  guint n;
  Stream *streams;
  GstElement *pipeline;
  gint n_waiting; /* sources that have not said their mode; atomic */
} Receiver;

static void
append_stream (GString *text, const Receiver *receiver, guint i)
{
  g_autoptr (GInetAddress) first =
      g_inet_address_new_from_string (receiver->group);
  g_autoptr (GInetAddress) group = NULL;
  g_autofree gchar *name = NULL;
  guint32 bytes;

  memcpy (&bytes, g_inet_address_to_bytes (first), sizeof bytes);
  bytes = htonl (ntohl (bytes) + i);
  group = g_inet_address_new_from_bytes (
      (const guint8 *) &bytes, G_SOCKET_FAMILY_IPV4);
  name = g_inet_address_to_string (group);
  g_string_append_printf (text,
      "%s name=source%u multicast-iface=%s address=%s port=%s ! %s "
      "name=sink%u ",
      receiver->source, i, receiver->interface, name, receiver->port,
      receiver->rest, i);
}

static GstPadProbeReturn
count (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Stream *stream = data;
  guint64 n = 1;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    n = gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info));
  atomic_store_explicit (&stream->packets,
      atomic_load_explicit (&stream->packets, memory_order_relaxed) + n,
      memory_order_relaxed);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
measure (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstClockTime dts = GST_BUFFER_DTS (GST_PAD_PROBE_INFO_BUFFER (info)), now;
  Stream *stream = data;

  if (!stream->clock) {
    stream->clock = gst_element_get_clock (stream->source);
    stream->base_time = gst_element_get_base_time (stream->source);
  }
  now = gst_clock_get_time (stream->clock) - stream->base_time;
  if (GST_CLOCK_TIME_IS_VALID (dts))
    afxdp_latency_add (stream->latency, now - MIN (now, dts));
  return GST_PAD_PROBE_OK;
}

static void
add_probe (GstElement *element, const gchar *pad_name,
    GstPadProbeCallback callback, Stream *stream)
{
  GstPad *pad = gst_element_get_static_pad (element, pad_name);

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, callback,
      stream, NULL);
  gst_object_unref (pad);
}

static void
init_stream (Receiver *receiver, guint i, gboolean latency)
{
  g_autofree gchar *source = g_strdup_printf ("source%u", i);
  g_autofree gchar *sink = g_strdup_printf ("sink%u", i);
  GstBin *bin = GST_BIN (receiver->pipeline);
  Stream *stream = &receiver->streams[i];
  GstElement *element = gst_bin_get_by_name (bin, sink);

  stream->source = gst_bin_get_by_name (bin, source);
  add_probe (element, "sink", count, stream);
  gst_object_unref (element);
  if (!latency)
    return;
  stream->latency = g_new0 (AfxdpLatency, 1);
  add_probe (stream->source, "src", measure, stream);
}

static gboolean
has_stats (const Receiver *receiver)
{
  return g_str_has_prefix (receiver->source, "afxdpsrc");
}

/* Any thread. Nobody reads messages but this. */
static GstBusSyncReply
take_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Receiver *receiver = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autoptr (GError) error = NULL;

    gst_message_parse_error (message, &error, NULL);
    fprintf (stderr, "receiver: %s\n", error->message);
    exit (2);
  }
  if (gst_message_has_name (message, "GstAfxdpSrcMode") &&
      g_strcmp0 (gst_structure_get_string (
                     gst_message_get_structure (message), "previous-mode"),
          "none") == 0)
    g_atomic_int_add (&receiver->n_waiting, -1);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static gboolean
start (Receiver *receiver, gboolean latency, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GstBus) bus = NULL;

  for (guint i = 0; i < receiver->n; i++)
    append_stream (text, receiver, i);
  receiver->pipeline = gst_parse_launch (text->str, error);
  if (!receiver->pipeline || *error)
    return FALSE;
  receiver->streams = g_new0 (Stream, receiver->n);
  for (guint i = 0; i < receiver->n; i++)
    init_stream (receiver, i, latency && !has_stats (receiver));
  receiver->n_waiting = has_stats (receiver) ? receiver->n : 0;
  bus = gst_element_get_bus (receiver->pipeline);
  gst_bus_set_sync_handler (bus, take_message, receiver, NULL);
  gst_element_set_state (receiver->pipeline, GST_STATE_PLAYING);
  /* A sink without a buffer is not PLAYING yet, and live sources are. */
  for (guint i = 0; i < receiver->n; i++)
    gst_element_get_state (
        receiver->streams[i].source, NULL, NULL, GST_CLOCK_TIME_NONE);
  while (g_atomic_int_get (&receiver->n_waiting) > 0)
    g_usleep (10000);
  return TRUE;
}

static guint64
packets (gpointer data)
{
  Receiver *receiver = data;
  guint64 sum = 0;

  for (guint i = 0; i < receiver->n; i++)
    sum += receiver->streams[i].packets;
  return sum;
}

static guint64
field (const GstStructure *stats, const gchar *name)
{
  guint64 value = 0;

  gst_structure_get_uint64 (stats, name, &value);
  return value;
}

static gboolean
append_field (GQuark name, const GValue *value, gpointer json)
{
  if (G_VALUE_HOLDS_UINT64 (value))
    g_string_append_printf (json, "\"%s\": %" G_GUINT64_FORMAT ", ",
        g_quark_to_string (name), g_value_get_uint64 (value));
  else if (G_VALUE_HOLDS_STRING (value))
    g_string_append_printf (json, "\"%s\": \"%s\", ", g_quark_to_string (name),
        g_value_get_string (value));
  return TRUE;
}

/* The frames are the interface's, not the stream's: the first tells all. The
 * latencies of many streams do not add up; the first stands for them. */
static void
report_stats (Receiver *receiver, GString *json)
{
  GstStructure *stats;

  g_object_get (receiver->streams[0].source, "stats", &stats, NULL);
  g_string_append_printf (
      json, ", \"frames\": %" G_GUINT64_FORMAT, field (stats, "frames"));
  session_add_latency (json, field (stats, "packets"),
      field (stats, "latency-p50"), field (stats, "latency-p99"),
      field (stats, "latency-max"));
  g_string_append (json, ", \"stats\": {");
  gst_structure_foreach (stats, append_field, json);
  g_string_truncate (json, json->len - 2);
  g_string_append (json, "}");
  gst_structure_free (stats);
}

static void
report (gpointer data, GString *json)
{
  Receiver *receiver = data;

  if (has_stats (receiver))
    report_stats (receiver, json);
  else if (receiver->streams[0].latency)
    session_add_histogram (json, receiver->streams[0].latency);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Receiver receiver = { NULL };
  Session session = { packets, report, &receiver };
  gboolean latency = FALSE;
  int status;

  gst_init (&argc, &argv);
  if (argc == 8 && !strcmp (argv[1], "--latency")) {
    latency = TRUE;
    argc--;
    argv++;
  }
  if (argc != 7) {
    fputs ("usage: receiver [--latency] INTERFACE GROUP PORT STREAMS SOURCE "
           "REST\n",
        stderr);
    return 2;
  }
  receiver.interface = argv[1];
  receiver.group = argv[2];
  receiver.port = argv[3];
  receiver.n = atoi (argv[4]);
  receiver.source = argv[5];
  receiver.rest = argv[6];
  session_raise_file_limit ();
  if (!start (&receiver, latency, &error)) {
    fprintf (stderr, "receiver: %s\n", error->message);
    return 2;
  }
  status = session_run (&session);
  fflush (stdout);
  gst_element_set_state (receiver.pipeline, GST_STATE_NULL);
  /* The process ends: what the streams have is the kernel's to free. */
  return status;
}
