/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialogue with run.py, processor time and memory of a receiver. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Between two looks whether packets still come, and how often in vain. */
#define LOOK_US 20000
#define LOOKS 5
/* A receiver that is overrun may take so long to get through what waits. */
#define LONGEST_LOOKS 500

typedef struct
{
  guint64 user, system; /* ns */
} ProcessorTime;

static guint64
to_ns (const struct timeval *time)
{
  return time->tv_sec * G_GUINT64_CONSTANT (1000000000) + time->tv_usec * 1000;
}

static ProcessorTime
processor_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (ProcessorTime){ to_ns (&usage.ru_utime), to_ns (&usage.ru_stime) };
}

static guint64
resident_bytes (void)
{
  FILE *file = fopen ("/proc/self/status", "r");
  gchar line[128];
  guint64 kib = 0;

  if (!file)
    return 0;
  while (fgets (line, sizeof line, file))
    if (sscanf (line, "VmRSS: %" G_GUINT64_FORMAT, &kib) == 1)
      break;
  fclose (file);
  return kib * 1024;
}

static gboolean
wait_for (const gchar *word)
{
  gchar line[64];

  while (fgets (line, sizeof line, stdin))
    if (!strcmp (g_strstrip (line), word))
      return TRUE;
  return FALSE;
}

static guint64
wait_for_silence (const Session *session)
{
  guint64 packets = session->packets (session->receiver), before;
  guint silent = 0;

  for (guint i = 0; i < LONGEST_LOOKS && silent < LOOKS; i++) {
    before = packets;
    g_usleep (LOOK_US);
    packets = session->packets (session->receiver);
    silent = packets == before ? silent + 1 : 0;
  }
  return packets;
}

int
session_run (const Session *session)
{
  g_autoptr (GString) json = g_string_new ("{");
  ProcessorTime before, after;
  guint64 packets;

  puts ("ready");
  fflush (stdout);
  if (!wait_for ("begin"))
    return 1;
  packets = session->packets (session->receiver);
  before = processor_time ();
  if (!wait_for ("end"))
    return 1;
  packets = wait_for_silence (session) - packets;
  after = processor_time ();
  g_string_append_printf (json,
      "\"packets\": %" G_GUINT64_FORMAT ", \"user-ns\": %" G_GUINT64_FORMAT
      ", \"system-ns\": %" G_GUINT64_FORMAT
      ", \"resident-bytes\": %" G_GUINT64_FORMAT,
      packets, after.user - before.user, after.system - before.system,
      resident_bytes ());
  session->report (session->receiver, json);
  puts (g_string_append_c (json, '}')->str);
  fflush (stdout);
  return 0;
}

void
session_add_latency (
    GString *json, guint64 n, guint64 p50, guint64 p99, guint64 longest)
{
  g_string_append_printf (json,
      ", \"latency\": {\"packets\": %" G_GUINT64_FORMAT
      ", \"p50-ns\": %" G_GUINT64_FORMAT ", \"p99-ns\": %" G_GUINT64_FORMAT
      ", \"max-ns\": %" G_GUINT64_FORMAT "}",
      n, p50, p99, longest);
}

void
session_add_histogram (GString *json, const AfxdpLatency *latency)
{
  session_add_latency (json, latency->n, afxdp_latency_quantile (latency, 500),
      afxdp_latency_quantile (latency, 990), latency->longest);
}

void
session_raise_file_limit (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

gboolean
session_read_arguments (BareLoop *loop, int argc, char **argv)
{
  loop->stamped = argc == 5 && !strcmp (argv[1], "--latency");
  if (argc - loop->stamped != 4) {
    fprintf (stderr, "usage: %s [--latency] INTERFACE GROUP PORT\n", argv[0]);
    return FALSE;
  }
  argv += loop->stamped;
  loop->interface = argv[1];
  loop->group = argv[2];
  loop->port = atoi (argv[3]);
  return TRUE;
}

static guint64
bare_packets (gpointer data)
{
  return ((BareLoop *) data)->packets;
}

static void
report_bare (gpointer data, GString *json)
{
  BareLoop *loop = data;

  if (loop->umem_bytes)
    g_string_append_printf (
        json, ", \"umem-bytes\": %" G_GSIZE_FORMAT, loop->umem_bytes);
  if (loop->latency.n)
    session_add_histogram (json, &loop->latency);
}

int
session_run_bare (BareLoop *loop)
{
  const Session session = { bare_packets, report_bare, loop };

  return session_run (&session);
}
