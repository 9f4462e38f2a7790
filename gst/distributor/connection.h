/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One client: its socket, what it may say when, and what it was given. It is trusted in
 * nothing: what it says is checked, and whatever it does wrong ends it, and nobody else.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include "beat.h"
#include "chatter.h"
#include "feeds.h"
#include "leftovers.h"
#include "ringmaker.h"

G_BEGIN_DECLS

typedef struct _AfxdpConnection AfxdpConnection;

/* What all of them share; outlives them. */
typedef struct
{
  const AfxdpDaemonSettings *settings; /* its rules may become others */
  AfxdpWorkers *workers;
  AfxdpFeeds *feeds;
  AfxdpQuotas *quotas;
  AfxdpLeftovers *leftovers;
  AfxdpRingMaker *ring_maker;
  const AfxdpBeat *beat;
  AfxdpChatter *chatter;
  guint64 network;         /* cookie of the daemon's network namespace */
  gint64 monotonic_offset; /* ns */
  /* How the daemon is, as a text, to be freed. */
  gchar *(*describe) (gpointer user_data, gboolean json);
  gpointer describe_data;
  /* The connection is over, and is to be freed at once. */
  void (*over) (gpointer user_data, AfxdpConnection *connection);
  gpointer over_data;
} AfxdpConnectionHost;

/* Takes socket, of somebody who has just connected, and does not block. NULL: it has gone
 * already. */
AfxdpConnection *afxdp_connection_new (
    const AfxdpConnectionHost *host, int socket);
/* Hangs up, and takes back what was given. May wait for a grace period. */
void afxdp_connection_free (AfxdpConnection *connection);

/* Whether it has not said yet which stream it wants. */
gboolean afxdp_connection_waits (const AfxdpConnection *connection);
guint32 afxdp_connection_uid (const AfxdpConnection *connection);

/* How a client is that has a stream. */
typedef struct
{
  gint64 pid; /* as it is here; 0: of another namespace */
  guint32 uid;
  GInetAddress *address;
  guint16 port;
  const gchar *interface;
  gsize memory;  /* bytes */
  guint64 since; /* ns of CLOCK_MONOTONIC */
  AfxdpClientRingCounts counts;
} AfxdpConnectionState;

/* FALSE: it has none. */
gboolean afxdp_connection_state (
    const AfxdpConnection *connection, AfxdpConnectionState *state);

G_END_DECLS
