/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every receiver of the benchmark does alike: talks with run.py, counts its
 * processor time, and says what it received.
 *
 * session_run() belongs to the main thread; others receive meanwhile. It prints
 * "ready", reads "begin" from standard input, from which on all is counted, and
 * "end", waits until no packet comes any more, and prints one line of JSON. It
 * returns the exit status: at the end of input, which is what is left of a run.py
 * that died, 1.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

#include "latency.h"

G_BEGIN_DECLS

typedef struct
{
  /* Packets received since the start. Called while others receive. */
  guint64 (*packets) (gpointer receiver);
  /* Appends members to the JSON object, each with a comma in front. */
  void (*report) (gpointer receiver, GString *json);
  gpointer receiver;
} Session;

int session_run (const Session *session);

/* The member "latency", as report() appends it. */
void session_add_latency (
    GString *json, guint64 n, guint64 p50, guint64 p99, guint64 longest);
void session_add_histogram (GString *json, const AfxdpLatency *latency);

/* A loop without GStreamer: what it was told, and what it counts. */
typedef struct
{
  const gchar *interface, *group;
  guint port;
  gboolean stamped; /* --latency */
  gsize umem_bytes; /* 0: it has none */
  _Atomic guint64 packets;
  atomic_uint touched; /* so that the compiler reads the headers */
  AfxdpLatency latency;
} BareLoop;

/* Reads "NAME [--latency] INTERFACE GROUP PORT", or says that it wants that. */
gboolean session_read_arguments (BareLoop *loop, int argc, char **argv);
int session_run_bare (BareLoop *loop);

/* Raises the limit of open files as far as it goes. */
void session_raise_file_limit (void);

G_END_DECLS
