/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline with an afxdpsrc, and what its bus says. */
#include "receiver.h"

#include "../check/suite.h"
#include "daemon.h"
#include "tasks.h"

#define TICK (10 * GST_MSECOND)
/* Of the changes of path, the last ones are described. */
#define MODES_TOLD 8

gboolean
receiver_is_shared (void)
{
  return g_getenv ("TEST_RECEIVER") != NULL;
}

Receiver *
receiver_new (const gchar *properties, const gchar *rest)
{
  Receiver *receiver = g_new0 (Receiver, 1);
  const gchar *address =
      strstr (properties, "address=") || strstr (properties, "multicast-group=")
      ? ""
      : "multicast-group=239.1.1.1 port=5000";
  /* A whole suite may be run with one receiver for all elements. */
  const gchar *shared = g_getenv ("TEST_RECEIVER");
  g_autofree gchar *launch = g_strdup_printf (
      "afxdpsrc name=src %s%s %s %s ! %s", shared ? "receiver=" : "",
      shared ? shared : "", address, properties, rest);
  g_autoptr (GError) error = NULL;

  daemon_for_all ();
  receiver->pipeline = gst_parse_launch (launch, &error);
  fail_unless (receiver->pipeline && !error, "%s: %s", launch,
      error ? error->message : "");
  receiver->src = gst_bin_get_by_name (GST_BIN (receiver->pipeline), "src");
  receiver->bus = gst_element_get_bus (receiver->pipeline);
  receiver->modes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  receiver->gaps =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  receiver->legs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_structure_free);
  receiver->warnings = g_ptr_array_new_with_free_func (g_free);
  return receiver;
}

void
receiver_free (Receiver *receiver)
{
  gst_element_set_state (receiver->pipeline, GST_STATE_NULL);
  gst_object_unref (receiver->bus);
  gst_object_unref (receiver->src);
  gst_object_unref (receiver->pipeline);
  g_ptr_array_unref (receiver->modes);
  g_ptr_array_unref (receiver->gaps);
  g_ptr_array_unref (receiver->legs);
  g_ptr_array_unref (receiver->warnings);
  g_free (receiver->error);
  g_free (receiver->description);
  g_free (receiver);
}

static void
take_message (Receiver *receiver, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      gst_message_parse_error (message, &error, NULL);
      receiver->n_errors++;
      if (!receiver->error)
        receiver->error = g_strdup (error->message);
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning (message, &error, NULL);
      g_ptr_array_add (receiver->warnings, g_strdup (error->message));
      break;
    case GST_MESSAGE_EOS:
      receiver->eos = TRUE;
      break;
    case GST_MESSAGE_ELEMENT:
      if (gst_message_has_name (message, "GstAfxdpSrcMode"))
        g_ptr_array_add (receiver->modes,
            gst_structure_copy (gst_message_get_structure (message)));
      else if (gst_message_has_name (message, "GstAfxdpSrcGap"))
        g_ptr_array_add (receiver->gaps,
            gst_structure_copy (gst_message_get_structure (message)));
      else if (gst_message_has_name (message, "GstAfxdpSrcLeg"))
        g_ptr_array_add (receiver->legs,
            gst_structure_copy (gst_message_get_structure (message)));
      break;
    default:
      break;
  }
}

/* Waits for one message, but no longer than a tick. */
static void
wait_a_tick (Receiver *receiver)
{
  GstMessage *message = gst_bus_timed_pop (receiver->bus, TICK);

  if (message) {
    take_message (receiver, message);
    gst_message_unref (message);
  }
}

void
receiver_read_bus (Receiver *receiver)
{
  GstMessage *message;

  while ((message = gst_bus_pop (receiver->bus))) {
    take_message (receiver, message);
    gst_message_unref (message);
  }
}

guint64
receiver_longest_wait (void)
{
  /* Those of elements have the names of their pads; and the daemon's. */
  guint64 own = tasks_most (0, "src:src", "schedstat", " ");
  guint64 shared = tasks_most (0, "afxdp-receiver", "schedstat", " ");

  return MAX (MAX (own, shared), daemon_longest_wait (""));
}

static void
set_state (Receiver *receiver, GstState state)
{
  fail_if (gst_element_set_state (receiver->pipeline, state) ==
      GST_STATE_CHANGE_FAILURE);
}

void
receiver_set_state (Receiver *receiver, GstState state)
{
  if (state == GST_STATE_PLAYING)
    receiver->waited = receiver_longest_wait ();
  set_state (receiver, state);
}

void
receiver_play_since (Receiver *receiver, guint64 waited)
{
  guint n = receiver->modes->len;

  receiver->waited = waited;
  set_state (receiver, GST_STATE_PLAYING);
  receiver_wait_modes (receiver, n + 1);
}

void
receiver_play (Receiver *receiver)
{
  receiver_play_since (receiver, receiver_longest_wait ());
}

Receiver *
receiver_start (const gchar *properties, const gchar *rest)
{
  Receiver *receiver = receiver_new (properties, rest);

  receiver_play (receiver);
  return receiver;
}

Receiver *
receiver_start_by (
    const gchar *properties, const gchar *rest, const gchar *mode)
{
  Receiver *receiver = receiver_new (properties, rest);

  receiver_play_by (receiver, mode);
  return receiver;
}

void
receiver_restart (Receiver *receiver, GstState state)
{
  receiver_set_state (receiver, state);
  receiver_set_state (receiver, GST_STATE_PLAYING);
}

GstStructure *
receiver_stats (Receiver *receiver)
{
  GstStructure *stats = NULL;

  g_object_get (receiver->src, "stats", &stats, NULL);
  return stats;
}

guint64
receiver_stat (Receiver *receiver, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  guint64 value = 0;

  fail_unless (
      gst_structure_get_uint64 (stats, name, &value), "stats have no %s", name);
  return value;
}

guint64
receiver_queue_sum (Receiver *receiver, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *queues = gst_structure_get_value (stats, "queues");
  guint64 sum = 0;

  for (guint i = 0; i < gst_value_array_get_size (queues); i++) {
    guint64 n;

    fail_unless (gst_structure_get_uint64 (
        gst_value_get_structure (gst_value_array_get_value (queues, i)), name,
        &n));
    sum += n;
  }
  return sum;
}

const gchar *
receiver_describe (Receiver *receiver)
{
  g_autoptr (GstStructure) stats = NULL;
  GString *text = g_string_new (NULL);

  receiver_read_bus (receiver);
  g_object_get (receiver->src, "stats", &stats, NULL);
  if (receiver->error)
    g_string_append_printf (text, "error \"%s\"; ", receiver->error);
  /* Check wants no long messages. */
  if (receiver->modes->len > MODES_TOLD)
    g_string_append_printf (
        text, "%u changes of path; ", receiver->modes->len - MODES_TOLD);
  for (guint i = receiver->modes->len - MIN (receiver->modes->len, MODES_TOLD);
       i < receiver->modes->len; i++)
    g_string_append_printf (text, "%s (%s): %s; ",
        gst_structure_get_string (receiver->modes->pdata[i], "mode"),
        gst_structure_get_string (receiver->modes->pdata[i], "provider"),
        gst_structure_get_string (receiver->modes->pdata[i], "reason"));
  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const gchar *name = gst_structure_nth_field_name (stats, i);
    guint64 value;

    if (gst_structure_get_uint64 (stats, name, &value) && value)
      g_string_append_printf (text, "%s %" G_GUINT64_FORMAT ", ", name, value);
  }
  g_free (receiver->description);
  receiver->description = g_string_free (text, FALSE);
  return receiver->description;
}

/* Returns whether the field became that before patience ended. */
static gboolean
reaches (Receiver *receiver, const gchar *name, guint64 value)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (receiver_stat (receiver, name) < value) {
    wait_a_tick (receiver);
    if (g_get_monotonic_time () > deadline)
      return FALSE;
  }
  return TRUE;
}

void
receiver_wait_stat (Receiver *receiver, const gchar *name, guint64 value)
{
  guint64 packets = receiver_stat (receiver, "packets");

  if (reaches (receiver, name, value))
    return;
  /* A stream that stands still does not come too late; but what of it was dropped in
   * this host does not come at all. */
  if (receiver_stat (receiver, "packets") > packets ||
      (g_str_equal (name, "packets") &&
          receiver_stat (receiver, "packets") +
                  receiver_dropped_in_host (receiver) >=
              value))
    receiver_excuse (receiver);
  fail ("%s never reached %" G_GUINT64_FORMAT ": %s", name, value,
      receiver_describe (receiver));
}

const GstStructure *
receiver_wait_modes (Receiver *receiver, guint n)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (receiver->modes->len < n) {
    wait_a_tick (receiver);
    fail_if (receiver->error, "%s", receiver->error);
    fail_if (g_get_monotonic_time () > deadline,
        "%u changes of path instead of %u: %s", receiver->modes->len, n,
        receiver_describe (receiver));
  }
  return receiver->modes->pdata[n - 1];
}

const gchar *
receiver_reason (Receiver *receiver, guint n)
{
  return gst_structure_get_string (
      receiver_wait_modes (receiver, n + 1), "reason");
}

const gchar *
receiver_last (Receiver *receiver, const gchar *field)
{
  receiver_read_bus (receiver);
  return receiver->modes->len
      ? gst_structure_get_string (
            receiver->modes->pdata[receiver->modes->len - 1], field)
      : NULL;
}

void
receiver_wait_mode (Receiver *receiver, guint n, const gchar *mode)
{
  while (g_strcmp0 (
      gst_structure_get_string (receiver_wait_modes (receiver, ++n), "mode"),
      mode))
    ;
}

void
receiver_wait_reason (Receiver *receiver, guint n, const gchar *words)
{
  while (!strstr (receiver_reason (receiver, n++), words))
    ;
}

void
receiver_assert_served (Receiver *receiver)
{
  if (daemon_is_wanted ())
    fail_unless (
        !g_strcmp0 (receiver_last (receiver, "provider"), "distributor"), "%s",
        receiver_describe (receiver));
}

const GstStructure *
receiver_wait_gaps (Receiver *receiver, guint n)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (receiver->gaps->len < n) {
    wait_a_tick (receiver);
    fail_if (g_get_monotonic_time () > deadline, "%u gaps instead of %u: %s",
        receiver->gaps->len, n, receiver_describe (receiver));
  }
  return receiver->gaps->pdata[n - 1];
}

const GstStructure *
receiver_wait_leg (Receiver *receiver, guint n, guint leg, const gchar *state)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  for (;; n++) {
    const GstStructure *message;
    gint number;

    while (receiver->legs->len <= n) {
      wait_a_tick (receiver);
      fail_if (g_get_monotonic_time () > deadline,
          "no message says that leg %u is %s: %s", leg, state,
          receiver_describe (receiver));
    }
    message = receiver->legs->pdata[n];
    fail_unless (gst_structure_get_int (message, "leg", &number));
    if (number == (gint) leg &&
        !g_strcmp0 (gst_structure_get_string (message, "state"), state))
      return message;
  }
}

const gchar *
receiver_wait_error (Receiver *receiver)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (!receiver->error) {
    wait_a_tick (receiver);
    fail_if (g_get_monotonic_time () > deadline, "no error came");
  }
  return receiver->error;
}

void
receiver_wait_eos (Receiver *receiver)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;

  while (!receiver->eos) {
    wait_a_tick (receiver);
    fail_if (receiver->error, "%s", receiver->error);
    fail_if (g_get_monotonic_time () > deadline, "no end of stream came: %s",
        receiver_describe (receiver));
  }
}

/* The sum of the fields that begin so, but for those of the places named. */
static guint64
sum_stats (Receiver *receiver, const gchar *prefix, const gchar *const *except)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  guint64 sum = 0, value;

  for (gint i = 0; i < gst_structure_n_fields (stats); i++) {
    const gchar *name = gst_structure_nth_field_name (stats, i);

    if (g_str_has_prefix (name, prefix) &&
        !g_strv_contains (except, name + strlen (prefix)) &&
        gst_structure_get_uint64 (stats, name, &value))
      sum += value;
  }
  return sum;
}

static const gchar *const nowhere[] = { NULL };
static const gchar *const not_in_host[] = { "network", "nic", "unknown", NULL };

guint64
receiver_dropped_in_host (Receiver *receiver)
{
  return sum_stats (receiver, "dropped-", not_in_host);
}

guint64
receiver_lost_in_host (Receiver *receiver)
{
  return sum_stats (receiver, "lost-", not_in_host);
}

guint64
receiver_arrived (Receiver *receiver)
{
  return sum_stats (receiver, "delivered-", nowhere) +
      sum_stats (receiver, "kept-back", nowhere) +
      receiver_stat (receiver, "malformed") +
      receiver_stat (receiver, "discarded") + receiver_stat (receiver, "late") +
      receiver_stat (receiver, "repeated") +
      receiver_stat (receiver, "unmatched") +
      /* It has no drops: only numbers show them. */
      receiver_stat (receiver, "lost-distributor") +
      receiver_dropped_in_host (receiver);
}

/* Of one thread, in all. */
#define LONG_WAIT (100 * G_GUINT64_CONSTANT (1000000)) /* ns */

/* n packets were there, without room. */
static void
excuse (const Receiver *receiver, guint64 n, const gchar *what)
{
  guint64 waited = receiver_longest_wait ();

  if (n && waited > receiver->waited + LONG_WAIT)
    suite_skip (
        "the machine kept a thread that receives from its processors for "
        "%.0f ms in all, and %" G_GUINT64_FORMAT " packets %s",
        (waited - receiver->waited) / 1e6, n, what);
}

void
receiver_excuse (Receiver *receiver)
{
  excuse (
      receiver, receiver_dropped_in_host (receiver), "had no room meanwhile");
}

void
receiver_assert_no_socket (Receiver *receiver, guint64 before)
{
  excuse (receiver, receiver_stat (receiver, "delivered-socket") - before,
      "took the socket meanwhile");
  receiver_assert_stat (receiver, "delivered-socket", before);
}

void
receiver_assert_nothing_lost (Receiver *receiver, guint64 packets)
{
  if (!reaches (receiver, "packets", packets) ||
      receiver_stat (receiver, "lost"))
    receiver_excuse (receiver);
  receiver_assert_stat (receiver, "packets", packets);
  receiver_assert_none (receiver, "lost", "pending", "reordered", "duplicates",
      "malformed", "discarded");
  receiver_assert_no_error (receiver);
}

guint64
receiver_assert_balanced (Receiver *receiver)
{
  g_autoptr (GstStructure) stats = NULL;
  const GstStructure *source;
  const GValue *sources;
  guint64 received, packets = receiver_stat (receiver, "packets"), numbers, all;
  guint highest;
  gint base;

  fail_if (receiver->error, "%s", receiver->error);
  receiver_assert_none (receiver, "pending", "duplicates", "malformed",
      "not-rtp", "kept-back", "restarts");
  receiver_assert_stat (receiver, "packets",
      receiver_stat (receiver, "delivered-xdp") +
          receiver_stat (receiver, "delivered-socket"));
  receiver_assert_stat (
      receiver, "lost", sum_stats (receiver, "lost-", nowhere));
  g_object_get (receiver->src, "stats", &stats, NULL);
  sources = gst_structure_get_value (stats, "sources");
  g_assert_cmpuint (gst_value_array_get_size (sources), <=, 1);
  /* A source is believed at its second packet. */
  if (!gst_value_array_get_size (sources)) {
    g_assert_cmpuint (packets, <=, 1);
    return 0;
  }
  source = gst_value_get_structure (gst_value_array_get_value (sources, 0));
  fail_unless (gst_structure_get (source, "packets-received", G_TYPE_UINT64,
      &received, "seqnum-base", G_TYPE_INT, &base, "extended-highest-seq",
      G_TYPE_UINT, &highest, NULL));
  g_assert_cmpuint (received, >=, packets);
  /* One that came too late for its turn has come, and did not leave. */
  g_assert_cmpuint (received, <=,
      packets + receiver_stat (receiver, "discarded") +
          receiver_stat (receiver, "late"));
  numbers = (guint64) highest - base + 1;
  all = received + receiver_stat (receiver, "lost");
  /* What was dropped behind the last one is lost, and has no number. */
  fail_unless (
      numbers <= all && all <= numbers + receiver_dropped_in_host (receiver),
      "%u to %u: %s", base, highest, receiver_describe (receiver));
  return all;
}
