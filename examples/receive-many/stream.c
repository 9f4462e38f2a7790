/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream, by GStreamer's public interface alone. */
#include "stream.h"

#include <string.h>

/* What on_message() looks at. */
#define READ_MESSAGES                                          \
  (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS | \
      GST_MESSAGE_ELEMENT)

static void say (Stream *self, const gchar *format, ...) G_GNUC_PRINTF (2, 3);

static void
say (Stream *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL, *line = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  line = g_strdup_printf ("%s: %s", self->address->name, text);
  g_strdelimit (line, "\r\n", ' ');
  self->listener.say (self->listener.owner, line);
}

/* Errors, warnings, ends. */

static void
end (Stream *self, StreamState state)
{
  self->state = state;
  self->listener.ended (self->listener.owner, self);
}

/* Only the first error is the cause; the base class adds one of its own. */
static void
fail (Stream *self, const gchar *text)
{
  if (self->state == STREAM_FAILED)
    return;
  self->failure = g_strdup (text);
  g_strdelimit (self->failure, "\r\n", ' ');
  say (self, "failed: %s", text);
  end (self, STREAM_FAILED);
}

/* The sentence for the user and the cause, which GStreamer puts behind a line
 * with file and function. */
static gchar *
problem_text (GstMessage *message, const GError *error, const gchar *debug)
{
  const gchar *cause = debug ? strrchr (debug, '\n') : NULL;

  return g_strdup_printf ("%s: %s%s%s%s", GST_MESSAGE_SRC_NAME (message),
      error->message, cause ? " (" : "", cause ? cause + 1 : "",
      cause ? ")" : "");
}

static void
on_error (Stream *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL, *text = NULL;

  gst_message_parse_error (message, &error, &debug);
  text = problem_text (message, error, debug);
  fail (self, text);
}

static void
on_warning (Stream *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL, *text = NULL;

  gst_message_parse_warning (message, &error, &debug);
  text = problem_text (message, error, debug);
  say (self, "warning: %s", text);
}

/* The path. */

static void
set_queues (Stream *self, const GValue *queues)
{
  GString *text = g_string_new (NULL);

  g_array_set_size (self->queues, 0);
  for (guint i = 0; queues && i < gst_value_array_get_size (queues); i++) {
    gint queue = g_value_get_int (gst_value_array_get_value (queues, i));

    g_array_append_val (self->queues, queue);
    g_string_append_printf (text, i ? ",%d" : "%d", queue);
  }
  if (!self->queues->len)
    g_string_append_c (text, '-');
  g_free (self->queues_text);
  self->queues_text = g_string_free (text, FALSE);
}

/* Of the second leg it is told, and shown by the statistics: path is the first's. */
static void
on_mode (Stream *self, const GstStructure *message)
{
  const gchar *reason = gst_structure_get_string (message, "reason");
  gint leg = 0;

  gst_structure_get_int (message, "leg", &leg);
  if (leg > 0) {
    say (self, "leg %d: path %s. %s", leg,
        gst_structure_get_string (message, "mode"), reason ? reason : "");
    return;
  }
  g_free (self->path);
  self->path = g_strdup (gst_structure_get_string (message, "mode"));
  set_queues (self, gst_structure_get_value (message, "queues"));
  say (self, "path %s, RX queues %s. %s", self->path, self->queues_text,
      reason ? reason : "");
}

static void
on_leg (Stream *self, const GstStructure *message)
{
  const gchar *state = gst_structure_get_string (message, "state");
  const gchar *reason = gst_structure_get_string (message, "reason");
  gint leg = 0;

  gst_structure_get_int (message, "leg", &leg);
  say (self, "leg %d is %s. %s", leg, state ? state : "changed",
      reason ? reason : "");
}

static void
on_message (Stream *self, GstMessage *message)
{
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      on_error (self, message);
      break;
    case GST_MESSAGE_WARNING:
      on_warning (self, message);
      break;
    case GST_MESSAGE_EOS:
      if (self->state != STREAM_RUNNING)
        break;
      say (self, "ended");
      end (self, STREAM_ENDED);
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_message_has_name (message, "GstAfxdpSrcMode"))
        on_mode (self, gst_message_get_structure (message));
      else if (gst_message_has_name (message, "GstAfxdpSrcLeg"))
        on_leg (self, gst_message_get_structure (message));
      break;
    default:
      break;
  }
}

/* Of hundreds of streams that start, most messages say that a state has changed: those
 * do not wake the main loop. In whichever thread posts. */
static GstBusSyncReply
drop_unread (GstBus *bus, GstMessage *message, gpointer stream)
{
  if (GST_MESSAGE_TYPE (message) & READ_MESSAGES)
    return GST_BUS_PASS;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static gboolean
on_bus (GstBus *bus, GstMessage *message, gpointer stream)
{
  on_message (stream, message);
  return G_SOURCE_CONTINUE;
}

void
stream_read_bus (Stream *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  GstMessage *message;

  while ((message = gst_bus_pop (bus))) {
    on_message (self, message);
    gst_message_unref (message);
  }
}

/* The pipeline. */

static gboolean
build (Stream *self, const Options *options, GError **error)
{
  g_autofree gchar *text =
      g_strdup_printf ("afxdpsrc name=source ! %s", options->pipeline);
  g_autoptr (GError) problem = NULL;

  self->pipeline =
      gst_parse_launch_full (text, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &problem);
  if (self->pipeline) {
    gst_object_ref_sink (self->pipeline);
    self->source = gst_bin_get_by_name (GST_BIN (self->pipeline), "source");
    return TRUE;
  }
  g_set_error (error, problem->domain, problem->code,
      "Cannot make the pipeline \"%s\": %s. --pipeline is what follows the "
      "source, such as \"rtpjitterbuffer ! fakesink\"",
      text, problem->message);
  return FALSE;
}

/* The options that older versions of the element do not know. */
static gboolean
require_property (
    Stream *self, const gchar *property, const gchar *option, GError **error)
{
  if (g_object_class_find_property (
          G_OBJECT_GET_CLASS (self->source), property))
    return TRUE;
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "%s needs the property \"%s\", which this afxdpsrc does not have: leave "
      "it out, or use a newer version of the plugin",
      option, property);
  return FALSE;
}

static gboolean
set_redundant_uri (Stream *self, const Options *options, GError **error)
{
  const Address *address = self->address;
  const gchar *interface = options->redundant_interface
      ? options->redundant_interface
      : options->interface;

  if (!address->second && !options->redundant_interface)
    return TRUE;
  if (!require_property (self, "redundant-uri",
          options->redundant_interface ? "--redundant-interface"
                                       : "A second address behind a +",
          error))
    return FALSE;
  self->redundant_uri =
      address_uri (address->second ? address->second : address, interface);
  g_object_set (self->source, "redundant-uri", self->redundant_uri, NULL);
  return TRUE;
}

static gboolean
configure (Stream *self, const Options *options, guint number, GError **error)
{
  const Address *address = self->address;
  g_autofree gchar *filter = address_filter (address);

  g_object_set (self->source, "multicast-group", address->group, "port",
      (gint) address->port, "multicast-iface", options->interface,
      /* They are read when a line is printed: the messages of hundreds of streams,
       * each of which wakes a main loop with as many buses, cost a quarter of a
       * processor. */
      "stats-interval", (guint64) 0, NULL);
  if (options->mode)
    gst_util_set_object_arg (G_OBJECT (self->source), "mode", options->mode);
  if (filter) {
    if (!require_property (
            self, "multicast-source", "@SOURCE behind a group", error))
      return FALSE;
    g_object_set (self->source, "multicast-source", filter, NULL);
  }
  if (options->coalesce >= 0) {
    if (!require_property (self, "coalesce", "--coalesce", error))
      return FALSE;
    g_object_set (self->source, "coalesce",
        (guint64) (options->coalesce * GST_MSECOND), NULL);
  }
  if (options->reorder_window >= 0) {
    if (!require_property (self, "reorder-window", "--reorder-window", error))
      return FALSE;
    g_object_set (self->source, "reorder-window",
        (guint64) (options->reorder_window * GST_MSECOND), NULL);
  }
  if (options->umem_frames > 0)
    g_object_set (self->source, "umem-frames", options->umem_frames, NULL);
  if (options->receivers > 0) {
    g_autofree gchar *receiver =
        g_strdup_printf ("receiver-%u", number % options->receivers);

    if (!require_property (self, "receiver", "--receivers", error))
      return FALSE;
    g_object_set (self->source, "receiver", receiver, NULL);
  }
  return set_redundant_uri (self, options, error);
}

Stream *
stream_new (const Options *options, const Address *address, guint number,
    const StreamListener *listener, GError **error)
{
  g_autoptr (Stream) self = g_new0 (Stream, 1);

  self->address = address;
  self->listener = *listener;
  self->path = g_strdup ("none");
  self->queues = g_array_new (FALSE, FALSE, sizeof (gint));
  set_queues (self, NULL);
  self->jitter = -1;
  if (!build (self, options, error) ||
      !configure (self, options, number, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
stream_free (Stream *self)
{
  if (!self)
    return;
  if (self->bus_watch)
    g_source_remove (self->bus_watch);
  gst_clear_object (&self->source);
  gst_clear_object (&self->pipeline);
  gst_clear_structure (&self->stats);
  g_array_unref (self->queues);
  g_free (self->queues_text);
  g_free (self->path);
  g_free (self->redundant_uri);
  g_free (self->failure);
  g_free (self);
}

void
stream_start (Stream *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->state = STREAM_RUNNING;
  self->updated_at = g_get_monotonic_time ();
  gst_bus_set_sync_handler (bus, drop_unread, NULL, NULL);
  self->bus_watch = gst_bus_add_watch (bus, on_bus, self);
  if (gst_element_set_state (self->pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE)
    return;
  stream_read_bus (self);
  fail (self, "the pipeline does not start, and does not say why");
}

void
stream_halt (Stream *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_READY);
}

void
stream_close (Stream *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
}

/* Statistics. */

/* Those of different clock rates are comparable in seconds only. */
static gdouble
largest_jitter (const GstStructure *stats)
{
  const GValue *sources = gst_structure_get_value (stats, "sources");
  gdouble largest = -1;

  for (guint i = 0; sources && i < gst_value_array_get_size (sources); i++) {
    const GstStructure *source =
        gst_value_get_structure (gst_value_array_get_value (sources, i));
    gint clock_rate;
    guint jitter;

    if (gst_structure_get_int (source, "clock-rate", &clock_rate) &&
        gst_structure_get_uint (source, "jitter", &jitter) && clock_rate > 0)
      largest = MAX (largest, (gdouble) jitter / clock_rate);
  }
  return largest;
}

void
stream_update (Stream *self, gint64 now)
{
  const Counts before = self->counts;
  const gdouble seconds = (now - self->updated_at) / 1e6;

  gst_clear_structure (&self->stats);
  g_object_get (self->source, "stats", &self->stats, NULL);
  counts_read (&self->counts, self->stats);
  self->jitter = largest_jitter (self->stats);
  if (seconds > 0) {
    const guint64 *new = self->counts.of, *old = before.of;

    self->packets_per_second =
        (new[COUNT_PACKETS] - old[COUNT_PACKETS]) / seconds;
    self->bits_per_second = (new[COUNT_BYTES] - old[COUNT_BYTES]) * 8 / seconds;
  }
  self->updated_at = now;
}
