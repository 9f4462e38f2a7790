/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream over two networks. */
#include "twolegs.h"

#include "network.h"

/* A generator has started by then, on a busy machine too: it loads a BPF program. */
#define LEAD (700 * G_GUINT64_CONSTANT (1000000)) /* ns */

static const GstStructure *
leg_of (const GstStructure *stats, guint leg)
{
  const GValue *legs = gst_structure_get_value (stats, "legs");

  fail_unless_equals_int (gst_value_array_get_size (legs), TWOLEGS);
  return gst_value_get_structure (gst_value_array_get_value (legs, leg));
}

guint64
twolegs_stat (Receiver *receiver, guint leg, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  guint64 value;

  fail_unless (gst_structure_get_uint64 (leg_of (stats, leg), name, &value),
      "legs have no %s", name);
  return value;
}

gboolean
twolegs_text_is (
    Receiver *receiver, guint leg, const gchar *name, const gchar *text)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);

  return !g_strcmp0 (
      gst_structure_get_string (leg_of (stats, leg), name), text);
}

const gchar *
twolegs_describe (Receiver *receiver)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  g_autofree gchar *first = gst_structure_to_string (leg_of (stats, 0));
  g_autofree gchar *second = gst_structure_to_string (leg_of (stats, 1));
  gchar *text = g_strdup_printf (
      "%s; %s; %s", receiver_describe (receiver), first, second);

  g_free (receiver->description);
  receiver->description = text;
  return text;
}

Receiver *
twolegs_start (
    const gchar *properties, const gchar *const *modes, PayloadWatch *watch)
{
  static const gchar *const fast[TWOLEGS] = { "af-xdp", "af-xdp" };
  const gchar *const *wanted = modes ? modes : fast;
  const gboolean mixed = !g_str_equal (wanted[0], wanted[1]);
  g_autofree gchar *all = g_strdup_printf (TWOLEGS_ADDRESS "mode=%s %s",
      modes && !mixed ? modes[0] : "auto", properties);
  Receiver *receiver = receiver_new (all, "fakesink");

  for (guint i = 0; mixed && i < TWOLEGS; i++)
    if (g_str_equal (wanted[i], "socket"))
      /* Its descriptor is open until the test's process ends. */
      network_attach_program_to (i ? "rx1" : "rx0", "foreign");
  if (watch)
    payload_watch (receiver->src, watch);
  receiver_play (receiver);
  for (guint i = 0; i < TWOLEGS; i++)
    wait_until (twolegs_text_is (receiver, i, "mode", wanted[i]));
  return receiver;
}

guint64
twolegs_start_time (void)
{
  return g_get_monotonic_time () * 1000 + LEAD;
}

Generator *
twolegs_generate (guint leg, const gchar *format, ...)
{
  g_autofree gchar *options = NULL;
  va_list args;

  va_start (args, format);
  options = g_strdup_vprintf (format, args);
  va_end (args);
  return generator_start (
      "--interface=tx%u --source=10.9.%u.1 %s", leg, leg, options);
}

void
twolegs_send (const gchar *options, const gchar *const more[TWOLEGS],
    gint behind, GeneratorReport sent[TWOLEGS])
{
  const guint64 start = twolegs_start_time ();
  const guint64 starts[TWOLEGS] = {
    start + (behind < 0 ? -behind * G_GUINT64_CONSTANT (1000000) : 0),
    start + (behind > 0 ? behind * G_GUINT64_CONSTANT (1000000) : 0),
  };
  Generator *generators[TWOLEGS];

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (i,
        "--start-at=%" G_GUINT64_FORMAT " %s %s", starts[i], options, more[i]);
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
}

gboolean
twolegs_settle (
    Receiver *receiver, const GeneratorReport sent[TWOLEGS], guint64 n)
{
  wait_until (receiver_arrived (receiver) == sent[0].packets + sent[1].packets);
  wait_until (!receiver_stat (receiver, "pending"));
  for (guint i = 0; i < TWOLEGS; i++)
    wait_until (!twolegs_stat (receiver, i, "pending"));
  return receiver_stat (receiver, "packets") == n &&
      !receiver_stat (receiver, "lost") && !receiver_stat (receiver, "late") &&
      !receiver_dropped_in_host (receiver);
}

void
twolegs_excuse (
    Receiver *receiver, const GeneratorReport sent[TWOLEGS], gdouble ms)
{
  for (guint i = 0; i < TWOLEGS; i++)
    if (sent[i].late * 1e3 > ms)
      suite_skip ("the sender of leg %u was up to %.1f ms too late", i,
          sent[i].late * 1e3);
  receiver_excuse (receiver);
}
