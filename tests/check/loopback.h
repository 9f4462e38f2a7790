/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sender on this host, and an address and port of this host that nobody else
 * receives on: each process has an IPv4 address of its own in 127.0.0.0/8.
 * What has been sent has arrived, or been dropped, when a function returns.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  GInetAddress *address; /* of sender and receiver */
  gchar *address_text;
  guint16 port;      /* to send to */
  gchar *properties; /* an element's, to receive there: "address=..." */
  GSocket *sender;

  GThread *thread; /* between begin() and end() */
  gboolean ending; /* atomic */
  guint8 payload_type;
  gint *taken;
  guint n_sent;
} Loopback;

Loopback *loopback_new (void);
Loopback *loopback_new_ipv6 (void);
void loopback_free (Loopback *loopback);

void loopback_send (Loopback *loopback, gconstpointer data, gsize size);
/* Sends size bytes that depend on number alone. */
void loopback_send_pattern (Loopback *loopback, guint number, gsize size);
/* An RTP packet without payload. */
void loopback_send_rtp (
    Loopback *loopback, guint8 payload_type, guint16 seqnum);
/* n RTP packets of a payload type, numbered from first on. */
void loopback_send_many (
    Loopback *loopback, guint8 payload_type, guint16 first, guint n);

/* RTP packets, numbered from 0 on, from a thread of its own: until end(), which
 * returns how many there were. At most 100 of them are on their way;
 * taken counts (atomically) those that have come out. NULL: nobody counts. */
void loopback_begin (Loopback *loopback, guint8 payload_type, gint *taken);
guint loopback_end (Loopback *loopback);

/* Fails the test when data is not what send_pattern() sends. */
void loopback_assert_pattern (gconstpointer data, guint number, gsize size);

/* A socket of somebody else, who shares his port with nobody. */
GSocket *loopback_occupy (Loopback *loopback);

G_END_DECLS
