/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The summary as JSON. */
#include "json.h"

#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>

static void add_value (JsonBuilder *builder, const GValue *value);

static void
add_text (JsonBuilder *builder, const gchar *name, const gchar *text)
{
  json_builder_set_member_name (builder, name);
  if (text)
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}

static void
add_integer (JsonBuilder *builder, const gchar *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_double (JsonBuilder *builder, const gchar *name, gdouble value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

/* Structures of the element: whatever fields it has. */

static gboolean
add_field (GQuark field, const GValue *value, gpointer builder)
{
  json_builder_set_member_name (builder, g_quark_to_string (field));
  add_value (builder, value);
  return TRUE;
}

static void
add_structure (JsonBuilder *builder, const GstStructure *structure)
{
  json_builder_begin_object (builder);
  if (structure)
    gst_structure_foreach (structure, add_field, builder);
  json_builder_end_object (builder);
}

static void
add_array (JsonBuilder *builder, const GValue *array)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < gst_value_array_get_size (array); i++)
    add_value (builder, gst_value_array_get_value (array, i));
  json_builder_end_array (builder);
}

static void
add_value (JsonBuilder *builder, const GValue *value)
{
  GValue number = G_VALUE_INIT;

  if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    add_structure (builder, gst_value_get_structure (value));
  } else if (GST_VALUE_HOLDS_ARRAY (value)) {
    add_array (builder, value);
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    json_builder_add_boolean_value (builder, g_value_get_boolean (value));
  } else if (G_VALUE_HOLDS_STRING (value)) {
    json_builder_add_string_value (builder, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_DOUBLE (value)) {
    json_builder_add_double_value (builder, g_value_get_double (value));
  } else {
    /* Integers of all kinds, none of which gets near to 2^63. */
    g_value_init (&number, G_TYPE_INT64);
    if (g_value_transform (value, &number))
      json_builder_add_int_value (builder, g_value_get_int64 (&number));
    else
      json_builder_add_null_value (builder);
  }
}

/* The run. */

static void
add_total (JsonBuilder *builder, const Counts *total)
{
  json_builder_set_member_name (builder, "total");
  json_builder_begin_object (builder);
  for (guint i = 0; i < N_COUNTS; i++)
    add_integer (builder, count_name (i), total->of[i]);
  json_builder_end_object (builder);
}

static const gchar *
state_name (StreamState state)
{
  static const gchar *const names[] = {
    [STREAM_WAITING] = "waiting",
    [STREAM_RUNNING] = "running",
    [STREAM_ENDED] = "ended",
    [STREAM_FAILED] = "failed",
  };

  return names[state];
}

static void
add_stream (JsonBuilder *builder, const Stream *stream)
{
  const Address *address = stream->address;

  json_builder_begin_object (builder);
  add_text (builder, "stream", address->name);
  add_text (builder, "group", address->group);
  add_integer (builder, "port", address->port);
  json_builder_set_member_name (builder, "sources");
  json_builder_begin_array (builder);
  for (guint i = 0; address->sources[i]; i++)
    json_builder_add_string_value (builder, address->sources[i]);
  json_builder_end_array (builder);
  add_text (builder, "redundant-uri", stream->redundant_uri);
  add_text (builder, "state", state_name (stream->state));
  add_text (builder, "failure", stream->failure);
  add_text (builder, "path", stream->path);
  json_builder_set_member_name (builder, "queues");
  json_builder_begin_array (builder);
  for (guint i = 0; i < stream->queues->len; i++)
    json_builder_add_int_value (
        builder, g_array_index (stream->queues, gint, i));
  json_builder_end_array (builder);
  if (stream->jitter < 0)
    add_text (builder, "jitter-seconds", NULL);
  else
    add_double (builder, "jitter-seconds", stream->jitter);
  json_builder_set_member_name (builder, "stats");
  add_structure (builder, stream->stats);
  json_builder_end_object (builder);
}

static JsonNode *
make_root (const Summary *summary)
{
  const Options *options = summary->options;
  const Counts total = summary_sum (summary);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_text (builder, "interface", options->interface);
  add_text (builder, "redundant-interface", options->redundant_interface);
  add_text (builder, "mode", options->mode ? options->mode : "auto");
  add_text (builder, "pipeline", options->pipeline);
  if (options->coalesce < 0)
    add_text (builder, "coalesce-ms", NULL);
  else
    add_double (builder, "coalesce-ms", options->coalesce);
  add_double (builder, "seconds", summary->seconds);
  add_double (builder, "cpu-seconds", summary->cpu_time / 1e9);
  add_double (builder, "cpu-ns-per-packet", summary_cpu_per_packet (summary));
  add_integer (builder, "exit-status", summary_judge (summary));
  add_total (builder, &total);
  json_builder_set_member_name (builder, "streams");
  json_builder_begin_array (builder);
  for (guint i = 0; i < summary->streams->len; i++)
    add_stream (builder, g_ptr_array_index (summary->streams, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

gboolean
json_write (const Summary *summary, FILE *file, GError **error)
{
  g_autoptr (JsonNode) root = make_root (summary);
  g_autofree gchar *text = json_to_string (root, TRUE);

  if (fprintf (file, "%s\n", text) >= 0 && fflush (file) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Could not write the summary to --json=%s: %s", summary->options->json,
      g_strerror (errno));
  return FALSE;
}
