/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vm-receiver STREAMS PROPERTIES: that many afxdpsrc in a pipeline, stream i on group
 * 239.1.1.(1 + i), port 5000, each with the properties. Prints a line for each
 * message, "STREAM NAME {JSON}". Commands on stdin: "stats", answered in the same
 * way by each stream; "block" and "go", which hold downstream up; end of file.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../netns/payload.h"

typedef struct
{
  gint n;
  GstElement **sources;
  guint64 *wrong; /* packets that are not as rtpgen made them */
  GMutex lock;
  GCond cond;
  gboolean blocks; /* by lock, as is what wrong points to */
} Streams;

static void
append_string (GString *json, const gchar *text)
{
  g_string_append_c (json, '"');
  for (; *text; text++)
    if (*text == '"' || *text == '\\')
      g_string_append_printf (json, "\\%c", *text);
    else if ((guchar) *text < ' ')
      g_string_append_printf (json, "\\u%04x", *text);
    else
      g_string_append_c (json, *text);
  g_string_append_c (json, '"');
}

static void
append (GString *json, const GValue *value)
{
  const GstStructure *structure;
  g_autofree gchar *text = NULL;
  const gchar *name;

  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    structure = gst_value_get_structure (value);
    g_string_append_c (json, '{');
    for (gint i = 0; i < gst_structure_n_fields (structure); i++) {
      name = gst_structure_nth_field_name (structure, i);
      g_string_append_printf (json, "%s\"%s\": ", i ? ", " : "", name);
      append (json, gst_structure_get_value (structure, name));
    }
    g_string_append_c (json, '}');
  } else if (GST_VALUE_HOLDS_ARRAY (value)) {
    g_string_append_c (json, '[');
    for (guint i = 0; i < gst_value_array_get_size (value); i++) {
      g_string_append (json, i ? ", " : "");
      append (json, gst_value_array_get_value (value, i));
    }
    g_string_append_c (json, ']');
  } else if (G_VALUE_HOLDS_STRING (value)) {
    text = g_value_dup_string (value);
    append_string (json, text ? text : "");
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    g_string_append (json, g_value_get_boolean (value) ? "true" : "false");
  } else {
    text = g_strdup_value_contents (value);
    g_string_append (json, text);
  }
}

static void
print (const gchar *stream, const GstStructure *structure)
{
  g_autoptr (GString) json = g_string_new (NULL);
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  gst_value_set_structure (&value, structure);
  append (json, &value);
  g_value_unset (&value);
  printf ("%s %s %s\n", stream, gst_structure_get_name (structure), json->str);
  fflush (stdout);
}

static void
print_error (GstMessage *message)
{
  g_autoptr (GstStructure) structure = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  structure = gst_structure_new (GST_MESSAGE_TYPE_NAME (message), "text",
      G_TYPE_STRING, error->message, "debug", G_TYPE_STRING, debug, NULL);
  print (GST_MESSAGE_SRC_NAME (message), structure);
}

/* Element messages are dropped, for then there is room for the next ones. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
      !gst_message_has_name (message, "GstAfxdpSrcStats"))
    print (GST_MESSAGE_SRC_NAME (message), gst_message_get_structure (message));
  else if (GST_MESSAGE_TYPE (message) &
      (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
    print_error (message);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static gboolean
check_buffer (GstBuffer **buffer, guint i, gpointer wrong)
{
  guint64 index = payload_index_of_buffer (*buffer, PAYLOAD_RTP_HEADER);

  if (index == PAYLOAD_WRONG)
    ++*(guint64 *) wrong;
  return TRUE;
}

static GstPadProbeReturn
on_packets (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Streams *streams = data;
  const gint stream =
      atoi (GST_OBJECT_NAME (GST_PAD_PARENT (pad)) + strlen ("s"));
  GstBuffer *buffer;

  g_mutex_lock (&streams->lock);
  while (streams->blocks)
    g_cond_wait (&streams->cond, &streams->lock);
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER) {
    buffer = GST_PAD_PROBE_INFO_BUFFER (info);
    check_buffer (&buffer, 0, &streams->wrong[stream]);
  } else {
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info),
        check_buffer, &streams->wrong[stream]);
  }
  g_mutex_unlock (&streams->lock);
  return GST_PAD_PROBE_OK;
}

static GstElement *
make_pipeline (Streams *streams, const gchar *properties)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline;

  for (gint i = 0; i < streams->n; i++)
    g_string_append_printf (text,
        "afxdpsrc name=s%d address=239.1.1.%d port=5000 stats-interval=0 %s ! "
        "fakesink sync=false async=false  ",
        i, 1 + i, properties);
  pipeline = gst_parse_launch (text->str, &error);
  if (!pipeline)
    g_error ("%s", error->message);
  for (gint i = 0; i < streams->n; i++) {
    g_autofree gchar *name = g_strdup_printf ("s%d", i);
    g_autoptr (GstPad) pad = NULL;

    streams->sources[i] = gst_bin_get_by_name (GST_BIN (pipeline), name);
    pad = gst_element_get_static_pad (streams->sources[i], "src");
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_packets,
        streams, NULL);
  }
  return pipeline;
}

static void
set_blocks (Streams *streams, gboolean blocks)
{
  g_mutex_lock (&streams->lock);
  streams->blocks = blocks;
  g_cond_broadcast (&streams->cond);
  g_mutex_unlock (&streams->lock);
}

static void
print_stats (Streams *streams)
{
  for (gint i = 0; i < streams->n; i++) {
    g_autoptr (GstStructure) stats = NULL;

    g_object_get (streams->sources[i], "stats", &stats, NULL);
    g_mutex_lock (&streams->lock);
    gst_structure_set (stats, "wrong", G_TYPE_UINT64, streams->wrong[i], NULL);
    g_mutex_unlock (&streams->lock);
    print (GST_OBJECT_NAME (streams->sources[i]), stats);
  }
}

int
main (int argc, char **argv)
{
  Streams streams = { 0 };
  g_autoptr (GstBus) bus = NULL;
  GstElement *pipeline;
  gchar line[64];

  gst_init (&argc, &argv);
  if (argc != 3)
    return fputs ("usage: vm-receiver STREAMS PROPERTIES\n", stderr), 2;
  streams.n = atoi (argv[1]);
  streams.sources = g_new0 (GstElement *, streams.n);
  streams.wrong = g_new0 (guint64, streams.n);
  pipeline = make_pipeline (&streams, argv[2]);
  bus = gst_element_get_bus (pipeline);
  gst_bus_set_sync_handler (bus, on_message, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  puts ("ready");
  fflush (stdout);
  while (fgets (line, sizeof line, stdin)) {
    if (!strcmp (line, "stats\n"))
      print_stats (&streams);
    else if (!strcmp (line, "block\n") || !strcmp (line, "go\n"))
      set_blocks (&streams, line[0] == 'b');
  }
  set_blocks (&streams, FALSE);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  print_stats (&streams);
  for (gint i = 0; i < streams.n; i++)
    gst_object_unref (streams.sources[i]);
  gst_object_unref (pipeline);
  g_free (streams.sources);
  g_free (streams.wrong);
  return 0;
}
