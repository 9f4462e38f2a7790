/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * receive URI|FILE.sdp [INTERFACE]: the smallest application around afxdpsrc. Prints
 * messages, and every two seconds statistics. SIGINT ends it with 0, an error with 1.
 */
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>

typedef struct
{
  GstElement *pipeline, *source;
  GMainLoop *loop;
  gboolean failed;
} Application;

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer application)
{
  Application *self = application;
  const gboolean is_error = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = NULL;

  if (is_error)
    gst_message_parse_error (message, &error, &text);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    gst_message_parse_warning (message, &error, &text);
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
      !gst_message_has_name (message, "GstAfxdpSrcStats"))
    text = gst_structure_to_string (gst_message_get_structure (message));
  if (error)
    g_print ("%s\n", error->message);
  if (text)
    g_print ("%s\n", text);
  self->failed |= is_error;
  if (is_error || GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* The end of the stream goes through the pipeline, so that a file is complete. */
static gboolean
on_signal (gpointer pipeline)
{
  gst_element_send_event (pipeline, gst_event_new_eos ());
  return G_SOURCE_CONTINUE;
}

static gboolean
print_stats (gpointer application)
{
  Application *self = application;
  g_autoptr (GstStructure) stats = NULL;
  const GValue *sources, *source;
  guint64 packets = 0, lost = 0;
  guint ssrc = 0, jitter = 0;

  g_object_get (self->source, "stats", &stats, NULL);
  gst_structure_get (stats, "packets", G_TYPE_UINT64, &packets, "lost",
      G_TYPE_UINT64, &lost, NULL);
  g_print ("packets %" G_GUINT64_FORMAT " lost %" G_GUINT64_FORMAT "\n",
      packets, lost);
  sources = gst_structure_get_value (stats, "sources");
  for (guint i = 0; i < gst_value_array_get_size (sources); i++) {
    source = gst_value_array_get_value (sources, i);
    gst_structure_get (gst_value_get_structure (source), "ssrc", G_TYPE_UINT,
        &ssrc, "jitter", G_TYPE_UINT, &jitter, NULL);
    g_print ("  SSRC %08x jitter %u\n", ssrc, jitter);
  }
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  Application self = { .loop = g_main_loop_new (NULL, FALSE) };

  gst_init (&argc, &argv);
  self.pipeline =
      gst_parse_launch ("afxdpsrc name=source ! fakesink sync=false", NULL);
  if (argc < 2 || !self.pipeline)
    return g_printerr ("usage: receive URI|FILE.sdp [INTERFACE]\n"), 1;
  self.source = gst_bin_get_by_name (GST_BIN (self.pipeline), "source");
  g_object_set (self.source,
      gst_uri_is_valid (argv[1]) ? "uri" : "sdp-location", argv[1],
      "multicast-iface", argv[2], NULL); /* NULL: wherever its route leads */
  gst_bus_add_watch (GST_ELEMENT_BUS (self.pipeline), on_message, &self);
  g_unix_signal_add (SIGINT, on_signal, self.pipeline);
  g_timeout_add_seconds (2, print_stats, &self);
  /* When this fails, an error is on the bus. */
  gst_element_set_state (self.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (self.loop);
  print_stats (&self);
  gst_element_set_state (self.pipeline, GST_STATE_NULL);
  gst_object_unref (self.source);
  gst_object_unref (self.pipeline);
  return self.failed;
}
