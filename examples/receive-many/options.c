/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line. */
#include "options.h"

#include <string.h>

static const gchar summary[] =
    "Receives many RTP multicast streams of one network interface, each "
    "through\n"
    "a pipeline of its own that begins with afxdpsrc, and tells what comes "
    "and\n"
    "what is missing: lines while it runs, a summary at the end.\n\n"
    "GROUP is an IPv4 address, or an IPv6 address in brackets: "
    "[ff15::1]:5000.\n"
    "With @SOURCE only what these addresses send is received.\n\n"
    "With --redundant-interface all streams come by two networks (ST 2022-7),\n"
    "and a packet is lost when it comes by neither. A second address behind +\n"
    "is that of the second network: 239.1.1.1:5000+239.2.1.1:5000. Otherwise\n"
    "both have the same.";

static const gchar description[] =
    "Each interval writes one line for each stream and one for all of them;\n"
    "of a stream with two legs also one for each leg.\n"
    "Mbit/s are of UDP payload. The jitter is\n"
    "RFC 3550's, the largest of the stream's senders; \"-\" when the clock "
    "rate\n"
    "of its timestamps is not known. All of it goes to stdout, and to stderr\n"
    "with --json=-.\n\n"
    "SIGINT (Ctrl-C) and SIGTERM end it, with the summary; a second one ends "
    "it\n"
    "at once, without.\n\n"
    "Exit status: 0 nothing was lost; 1 packets were lost, or were still "
    "missing\n"
    "at the end; 2 an error of usage, or a stream failed (the others went "
    "on).\n\n"
    "AF_XDP needs privileges; without them, streams come through sockets:\n"
    "README.md, \"Use it\".";

static const gchar *const modes[] = { "auto", "af-xdp", "socket", NULL };

/* What a number may be. */
typedef struct
{
  const gchar *name;
  gdouble value, least, most;
} NumberRange;

static gboolean
check_ranges (const Options *self, GError **error)
{
  const NumberRange ranges[] = {
    { "duration", self->duration, 0, 1e9 },
    { "interval", self->interval, 0.01, 1e6 },
    { "coalesce", MAX (self->coalesce, 0), 0, 1e6 },
    { "reorder-window", MAX (self->reorder_window, 0), 0, 1e6 },
    { "receivers", self->receivers, 0, 1024 },
    { "umem-frames", self->umem_frames, 0, 1 << 24 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++) {
    const NumberRange *range = &ranges[i];

    /* Not a number is in no range. */
    if (range->value >= range->least && range->value <= range->most)
      continue;
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--%s=%g is out of range: it goes from %g to %g", range->name,
        range->value, range->least, range->most);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_texts (const Options *self, GError **error)
{
  if (!self->interface || !*self->interface) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
        "--interface is missing: the network interface to receive on, such as "
        "--interface=eth1");
    return FALSE;
  }
  if (self->redundant_interface && !*self->redundant_interface) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--redundant-interface= names no interface: leave it out for one "
        "network");
    return FALSE;
  }
  if (self->mode && !g_strv_contains (modes, self->mode)) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "--mode=%s is unknown: there are auto, af-xdp and socket", self->mode);
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_addresses (Options *self, GStrv texts, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; texts && texts[i]; i++) {
    Address *address = address_new (texts[i], error);

    if (!address)
      return FALSE;
    g_ptr_array_add (self->addresses, address);
    if (!g_hash_table_add (names, address->name)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "The stream %s is there twice: leave one out", address->name);
      return FALSE;
    }
  }
  if (self->addresses->len > 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
      "There is no stream to receive: give at least one, such as "
      "239.1.1.1:5000");
  return FALSE;
}

static gboolean
parse (Options *self, GStrv *texts, gint *argc, gchar ***argv, GError **error)
{
#define OPTION(name, type, target, text, value)          \
  {                                                      \
    name, 0, 0, G_OPTION_ARG_##type, target, text, value \
  }
  const GOptionEntry entries[] = {
    OPTION ("interface", STRING, &self->interface,
        "Network interface to receive on", "IF"),
    OPTION ("redundant-interface", STRING, &self->redundant_interface,
        "Interface of the second network, by which all streams come, too "
        "(default: none; of streams with +, --interface)",
        "IF"),
    OPTION ("mode", STRING, &self->mode,
        "Ways of reception: whichever can be had (default), AF_XDP or an "
        "error, the kernel's socket only",
        "auto|af-xdp|socket"),
    OPTION ("pipeline", STRING, &self->pipeline,
        "What follows each source, as for gst-launch-1.0 (default \"fakesink "
        "sync=false\")",
        "DESCRIPTION"),
    OPTION ("coalesce", DOUBLE, &self->coalesce,
        "How long a source may wait to gather a batch of packets", "MS"),
    OPTION ("reorder-window", DOUBLE, &self->reorder_window,
        "How long a missing packet is waited for, which puts packets in order "
        "(default: 0; with two networks 10)",
        "MS"),
    OPTION ("receivers", INT, &self->receivers,
        "Threads that receive for all streams in turn (default: each stream "
        "has its own). For many small streams; what follows the source must "
        "not wait",
        "N"),
    OPTION ("umem-frames", INT, &self->umem_frames,
        "Frames of 2 or 4 KiB that all streams share with AF_XDP (default: the "
        "element's). Hundreds of streams need more, to bridge a busy host's "
        "pauses",
        "N"),
    OPTION ("duration", DOUBLE, &self->duration,
        "End after so long (default: at SIGINT or SIGTERM)", "SECONDS"),
    OPTION ("interval", DOUBLE, &self->interval,
        "Between two looks at the statistics (default 1)", "SECONDS"),
    OPTION ("json", FILENAME, &self->json,
        "Write the summary, and all statistics of each stream, to FILE as "
        "JSON; - is stdout",
        "FILE"),
    OPTION (G_OPTION_REMAINING, STRING_ARRAY, texts, NULL,
        "GROUP:PORT[@SOURCE[,SOURCE2...]][+GROUP2:PORT2[@...]]..."),
    { NULL },
  };
#undef OPTION
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

Options *
options_new (gint *argc, gchar ***argv, GError **error)
{
  g_autoptr (Options) self = g_new0 (Options, 1);
  g_auto (GStrv) texts = NULL;

  self->addresses =
      g_ptr_array_new_with_free_func ((GDestroyNotify) address_free);
  self->interval = 1;
  self->coalesce = self->reorder_window = -1;
  if (!parse (self, &texts, argc, argv, error) || !check_texts (self, error) ||
      !check_ranges (self, error) || !parse_addresses (self, texts, error))
    return NULL;
  if (!self->pipeline)
    self->pipeline = g_strdup ("fakesink sync=false");
  return g_steal_pointer (&self);
}

void
options_free (Options *self)
{
  if (!self)
    return;
  g_free (self->interface);
  g_free (self->redundant_interface);
  g_free (self->mode);
  g_free (self->pipeline);
  g_free (self->json);
  g_ptr_array_unref (self->addresses);
  g_free (self);
}

guint
options_n_legs (const Options *self)
{
  guint n = self->addresses->len;

  for (guint i = 0; i < self->addresses->len; i++) {
    const Address *address = g_ptr_array_index (self->addresses, i);

    n += self->redundant_interface || address->second;
  }
  return n;
}
