/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sender on this host.
 */
#include "loopback.h"

#include <string.h>
#include <unistd.h>
#include <gst/check/gstcheck.h>

#define LARGEST 65507 /* UDP over IPv4 */
#define WINDOW 100    /* far less than any socket buffer holds */
#define PAUSE 20      /* us between two looks, or two packets if none counts */

static GSocket *
new_socket (GInetAddress *address, guint16 port)
{
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (address, port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (g_inet_address_get_family (address),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, local, FALSE, &error);
  g_assert_no_error (error);
  return socket;
}

static guint16
port_of (GSocket *socket)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
}

static Loopback *
new_at (const gchar *address)
{
  Loopback *loopback = g_new0 (Loopback, 1);
  g_autoptr (GSocket) receiver = NULL;

  loopback->address = g_inet_address_new_from_string (address);
  loopback->address_text = g_strdup (address);
  loopback->sender = new_socket (loopback->address, 0);
  receiver = new_socket (loopback->address, 0);
  loopback->port = port_of (receiver);
  loopback->properties =
      g_strdup_printf ("address=%s port=%u", address, loopback->port);
  return loopback;
}

Loopback *
loopback_new (void)
{
  guint pid = getpid ();
  g_autofree gchar *address = g_strdup_printf (
      "127.%u.%u.%u", 1 + ((pid >> 16) & 0x7f), (pid >> 8) & 0xff, pid & 0xff);

  return new_at (address);
}

Loopback *
loopback_new_ipv6 (void)
{
  return new_at ("::1");
}

void
loopback_free (Loopback *loopback)
{
  g_object_unref (loopback->address);
  g_object_unref (loopback->sender);
  g_free (loopback->address_text);
  g_free (loopback->properties);
  g_free (loopback);
}

void
loopback_send (Loopback *loopback, gconstpointer data, gsize size)
{
  g_autoptr (GSocketAddress) to =
      g_inet_socket_address_new (loopback->address, loopback->port);
  g_autoptr (GError) error = NULL;
  gssize sent =
      g_socket_send_to (loopback->sender, to, data, size, NULL, &error);

  g_assert_no_error (error);
  fail_unless_equals_int (sent, size);
}

/* Not RTP, since the first byte says version 0. */
static void
make_pattern (guint8 *bytes, guint number, gsize size)
{
  for (gsize i = 0; i < size; i++)
    bytes[i] = i ? (i * 7 + i / 256 + number) : (number & 0x3f);
}

void
loopback_send_pattern (Loopback *loopback, guint number, gsize size)
{
  g_autofree guint8 *bytes = g_malloc (LARGEST);

  make_pattern (bytes, number, size);
  loopback_send (loopback, bytes, size);
}

void
loopback_assert_pattern (gconstpointer data, guint number, gsize size)
{
  g_autofree guint8 *bytes = g_malloc (LARGEST);

  make_pattern (bytes, number, size);
  /* An empty buffer has no address. */
  fail_if (size && memcmp (data, bytes, size), "%u bytes, number %u",
      (guint) size, number);
}

void
loopback_send_rtp (Loopback *loopback, guint8 payload_type, guint16 seqnum)
{
  guint8 packet[12] = { 0x80, payload_type, seqnum >> 8, seqnum & 0xff };

  packet[11] = payload_type; /* SSRC */
  loopback_send (loopback, packet, sizeof packet);
}

void
loopback_send_many (
    Loopback *loopback, guint8 payload_type, guint16 first, guint n)
{
  for (guint i = 0; i < n; i++)
    loopback_send_rtp (loopback, payload_type, first + i);
}

static gpointer
send_until_end (gpointer user_data)
{
  Loopback *loopback = user_data;

  while (!g_atomic_int_get (&loopback->ending)) {
    if (loopback->taken &&
        loopback->n_sent - g_atomic_int_get (loopback->taken) >= WINDOW) {
      g_usleep (PAUSE);
      continue;
    }
    loopback_send_rtp (loopback, loopback->payload_type, loopback->n_sent);
    loopback->n_sent++;
    if (!loopback->taken)
      g_usleep (PAUSE);
  }
  return NULL;
}

void
loopback_begin (Loopback *loopback, guint8 payload_type, gint *taken)
{
  loopback->payload_type = payload_type;
  loopback->taken = taken;
  loopback->n_sent = 0;
  g_atomic_int_set (&loopback->ending, FALSE);
  loopback->thread = g_thread_new ("sender", send_until_end, loopback);
}

guint
loopback_end (Loopback *loopback)
{
  g_atomic_int_set (&loopback->ending, TRUE);
  g_thread_join (g_steal_pointer (&loopback->thread));
  return loopback->n_sent;
}

GSocket *
loopback_occupy (Loopback *loopback)
{
  return new_socket (loopback->address, loopback->port);
}
