/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Several receivers in this process, and a generator for all of them. */
#include "crowd.h"

#include <string.h>
#include <sys/resource.h>

#include "network.h"

/* Between two looks at the counters of all. */
#define LOOK_USECS 5000

void
crowd_raise_descriptor_limit (void)
{
  struct rlimit limit;

  fail_unless (!getrlimit (RLIMIT_NOFILE, &limit));
  limit.rlim_cur = limit.rlim_max;
  fail_unless (!setrlimit (RLIMIT_NOFILE, &limit));
}

Crowd *
crowd_new (guint n, const gchar *properties)
{
  Crowd *crowd = g_new0 (Crowd, 1);

  crowd->destinations = g_string_new (NULL);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *address =
        g_strdup_printf ("239.2.%u.%u", (i + 1) / 256, (i + 1) % 256);

    crowd_add (crowd, address, 5000, properties);
  }
  return crowd;
}

void
crowd_free (Crowd *crowd)
{
  for (guint i = 0; i < crowd->n; i++)
    receiver_free (crowd->receivers[i]);
  g_string_free (crowd->destinations, TRUE);
  g_free (crowd);
}

Receiver *
crowd_add (
    Crowd *crowd, const gchar *address, guint port, const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf ("address=%s port=%u "
                                           "multicast-iface=rx0 %s",
      address, port, properties);
  Receiver *receiver = receiver_new (all, CROWD_SINK);
  gboolean ipv6 = strchr (address, ':') != NULL;

  fail_unless (crowd->n < G_N_ELEMENTS (crowd->receivers));
  crowd->receivers[crowd->n++] = receiver;
  g_string_append_printf (crowd->destinations,
      ipv6 ? " --destination=[%s]:%u" : " --destination=%s:%u", address, port);
  return receiver;
}

void
crowd_play (Crowd *crowd)
{
  guint64 waited = receiver_longest_wait ();

  for (guint i = 0; i < crowd->n; i++)
    receiver_play_since (crowd->receivers[i], waited);
}

void
crowd_halt (Crowd *crowd)
{
  for (guint i = 0; i < crowd->n; i++)
    receiver_set_state (crowd->receivers[i], GST_STATE_READY);
}

void
crowd_play_by_af_xdp (Crowd *crowd)
{
  crowd_play (crowd);
  for (guint i = 0; i < crowd->n; i++)
    receiver_assert_mode (crowd->receivers[i], 0, "af-xdp");
}

Generator *
crowd_generate (Crowd *crowd, const gchar *format, ...)
{
  g_autofree gchar *options = NULL;
  va_list args;

  va_start (args, format);
  options = g_strdup_vprintf (format, args);
  va_end (args);
  return generator_start ("%s%s", options, crowd->destinations->str);
}

/* The first that has less than was sent to it, in words. */
static const gchar *
describe_first_short (Crowd *crowd, guint first, const GeneratorReport *sent)
{
  for (guint i = first; i < crowd->n; i++)
    if (receiver_stat (crowd->receivers[i], "packets") < sent->sent[i])
      return receiver_describe (crowd->receivers[i]);
  return "none";
}

static void
excuse (Crowd *crowd)
{
  for (guint i = 0; i < crowd->n; i++)
    receiver_excuse (crowd->receivers[i]);
}

static void
wait_for_all (Crowd *crowd, guint first, const GeneratorReport *sent)
{
  gint64 deadline = g_get_monotonic_time () + RECEIVER_PATIENCE;
  guint64 wanted = 0, got;

  for (guint i = first; i < crowd->n; i++)
    wanted += sent->sent[i];
  for (;;) {
    got = 0;
    for (guint i = first; i < crowd->n; i++) {
      receiver_read_bus (crowd->receivers[i]);
      got += receiver_stat (crowd->receivers[i], "packets");
    }
    if (got + sent->dropped >= wanted)
      return;
    g_usleep (LOOK_USECS);
    if (g_get_monotonic_time () <= deadline)
      continue;
    excuse (crowd);
    fail ("%" G_GUINT64_FORMAT " packets of %" G_GUINT64_FORMAT
          "; the wire lost %" G_GUINT64_FORMAT ", sockets %" G_GUINT64_FORMAT
          "; the first that is short: %s",
        got, wanted, sent->dropped, network_socket_drops (),
        describe_first_short (crowd, first, sent));
  }
}

/* Exactly one SSRC, and that its own. */
static void
assert_one_source (Receiver *receiver, guint ssrc)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GstStructure *source;
  guint64 packets = 0;
  guint value = 0;
  const GValue *sources = gst_structure_get_value (stats, "sources");

  fail_unless_equals_int (gst_value_array_get_size (sources), 1);
  source = gst_value_get_structure (gst_value_array_get_value (sources, 0));
  fail_unless (gst_structure_get_uint (source, "ssrc", &value));
  fail_unless_equals_int_hex (value, ssrc);
  fail_unless (gst_structure_get_uint64 (source, "packets-received", &packets));
  g_assert_cmpuint (packets, ==, receiver_stat (receiver, "packets"));
}

void
crowd_assert_complete (Crowd *crowd, guint first, const GeneratorReport *sent)
{
  static const gchar *const none[] = { "duplicates", "malformed", "discarded",
    "not-rtp", "kept-back", "restarts" };
  guint64 all_missing = 0;

  g_assert_cmpuint (sent->n_flows, ==, crowd->n);
  wait_for_all (crowd, first, sent);
  for (guint i = first; i < crowd->n; i++) {
    Receiver *receiver = crowd->receivers[i];
    guint64 packets = receiver_stat (receiver, "packets");
    guint64 missing = sent->sent[i] - packets;

    fail_unless (packets <= sent->sent[i],
        "%" G_GUINT64_FORMAT " packets of flow %u: %s", sent->sent[i], i,
        receiver_describe (receiver));
    all_missing += missing;
    if (receiver_stat (receiver, "lost"))
      receiver_excuse (receiver);
    fail_unless (receiver_stat (receiver, "lost") +
                receiver_stat (receiver, "pending") <=
            missing,
        "flow %u: %s", i, receiver_describe (receiver));
    for (guint j = 0; j < G_N_ELEMENTS (none); j++)
      receiver_assert_stat (receiver, none[j], 0);
    assert_one_source (receiver, GENERATOR_SSRC + i);
    receiver_assert_no_error (receiver);
  }
  g_assert_cmpuint (all_missing, <=, sent->dropped);
}

void
crowd_assert_one_path (Crowd *crowd, guint first, const gchar *delivered)
{
  for (guint i = first; i < crowd->n; i++) {
    Receiver *receiver = crowd->receivers[i];

    receiver_assert_stat (
        receiver, delivered, receiver_stat (receiver, "packets"));
    receiver_read_bus (receiver);
    fail_unless (receiver->modes->len == 1, "flow %u: %s", i,
        receiver_describe (receiver));
  }
}
