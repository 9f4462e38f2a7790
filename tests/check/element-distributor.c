/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element as a client of a distributor daemon: how it is told of one, and what it
 * says of it.
 */
#include "element-fixture.h"

#include <poll.h>
#include <string.h>

#include "fakedaemon.h"

#define SIZE 200
#define VARIABLE "AFXDP_DISTRIBUTOR"

static FakeDaemon *fake;
static GThread *heart;
static gint beats;

static gpointer
beat (gpointer data)
{
  while (g_atomic_int_get (&beats)) {
    fake_daemon_beat (fake);
    g_usleep (5000);
  }
  return NULL;
}

static void
daemon_begin (gboolean listens)
{
  fake = fake_daemon_new (listens);
  g_atomic_int_set (&beats, TRUE);
  heart = g_thread_new ("beat", beat, NULL);
}

static void
daemon_end (void)
{
  g_atomic_int_set (&beats, FALSE);
  g_thread_join (heart);
  fake_daemon_free (fake);
  g_unsetenv (VARIABLE);
}

static void
make_element (const gchar *path, const gchar *properties)
{
  g_autofree gchar *all =
      g_strdup_printf ("mode=auto multicast-iface=lo %s", properties);

  element_new (all, "fakesink name=sink");
  g_object_set (receiver->src, "distributor", path, NULL);
}

/* No more at a time than its ring has slots. */
static void
put (guint n)
{
  for (guint i = 0; i < n; i++) {
    fake_daemon_put_rtp (fake, i, SIZE);
    if (i % 20 == 19)
      element_wait (i + 1);
  }
  element_wait (n);
}

static GstSample *
last_sample (void)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "sink");
  GstSample *sample = NULL;

  g_object_get (sink, "last-sample", &sample, NULL);
  gst_object_unref (sink);
  return sample;
}

/* The provider of the last message. */
static const gchar *
provider (void)
{
  return receiver_last (receiver, "provider");
}

static gboolean
was_asked (void)
{
  struct pollfd fd = { .fd = fake->listener, .events = POLLIN };

  return poll (&fd, 1, 0) > 0;
}

static void
play_served (void)
{
  fake_daemon_serve (fake);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  fake_daemon_served (fake);
  receiver_wait_mode (receiver, 0, "af-xdp");
  fail_unless_equals_string (provider (), "distributor");
  fail_unless_equals_string (receiver_last (receiver, "reason"),
      "The distributor delivers on fake0: as it is told");
}

TEST (test_property)
{
  daemon_begin (TRUE);
  make_element (fake->path, "");
  play_served ();
  put (100);
  fail_unless_equals_string (fake->open.interface, "lo");
  element_end ();
  daemon_end ();
}

/* Of another network namespace: its interfaces are not ours. */
TEST (test_environment)
{
  daemon_begin (TRUE);
  fake->network++;
  g_setenv (VARIABLE, fake->path, TRUE);
  make_element (NULL, "multicast-iface=theirs0");
  play_served ();
  put (100);
  fail_unless_equals_string (fake->open.interface, "theirs0");
  element_end ();
  daemon_end ();
}

/* Neither its environment's daemon is asked. */
TEST (test_empty_is_never)
{
  daemon_begin (TRUE);
  g_setenv (VARIABLE, fake->path, TRUE);
  make_element ("", "multicast-iface=nosuch0");
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  fail_unless (strstr (receiver_wait_error (receiver), "nosuch0") != NULL);
  fail_if (was_asked ());
  element_end ();
  daemon_end ();
}

TEST (test_never_with_mode_socket)
{
  daemon_begin (TRUE);
  make_element (fake->path, "mode=socket");
  receiver_play (receiver);
  element_receive (33, 0, 20);
  fail_if (was_asked ());
  element_end ();
  daemon_end ();
}

/* Nobody has said that there is one. */
TEST (test_default_absent)
{
  make_element (NULL, "multicast-iface=nosuch0");
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  fail_unless_equals_int (receiver->n_errors, 0);
  fail_unless (strstr (receiver_wait_error (receiver), "nosuch0") != NULL);
  element_end ();
}

/* As in a container that starts before the daemon. */
TEST (test_explicit_absent)
{
  daemon_begin (FALSE);
  make_element (fake->path, "multicast-iface=nosuch0");
  receiver_set_state (receiver, GST_STATE_PLAYING);
  receiver_wait_reason (receiver, 0, "Start it: the stream begins then");
  fail_unless_equals_string (receiver_last (receiver, "mode"), "socket");
  fail_unless_equals_string (provider (), "own");
  receiver_restart (receiver, GST_STATE_PAUSED);
  fake_daemon_begin (fake);
  fake_daemon_serve (fake);
  receiver_wait_mode (receiver, 0, "af-xdp");
  fake_daemon_served (fake);
  put (100);
  fail_unless_equals_int (receiver->n_errors, 0);
  element_end ();
  daemon_end ();
}

/* Buffers live on when element and daemon are gone. */
TEST (test_buffers_outlive_all)
{
  g_autoptr (GstSample) sample = NULL;
  GstMapInfo map;
  guint8 bytes[SIZE];

  daemon_begin (TRUE);
  make_element (fake->path, "");
  play_served ();
  put (1);
  wait_until ((sample = last_sample ()) != NULL);
  element_end ();
  daemon_end ();
  fake_daemon_make_rtp (bytes, 0, SIZE);
  fail_unless (
      gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ));
  fail_unless_equals_int (map.size, SIZE);
  fail_if (memcmp (map.data, bytes, SIZE));
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  /* Whoever writes gets a copy. */
  {
    GstBuffer *mine = gst_buffer_copy (gst_sample_get_buffer (sample));

    fail_unless (gst_buffer_map (mine, &map, GST_MAP_READWRITE));
    map.data[0] = 1;
    gst_buffer_unmap (mine, &map);
    gst_buffer_unref (mine);
  }
}

ELEMENT_SUITE ("element-distributor", NULL)
