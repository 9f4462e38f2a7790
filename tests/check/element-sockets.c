/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who sent a packet, and the sockets in both directions, as an application of
 * udpsrc has them.
 */
#include <gst/net/gstnetaddressmeta.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "element-fixture.h"

/* Senders. */

static GSocketAddress *
sender_of (guint number)
{
  GstNetAddressMeta *meta =
      gst_buffer_get_net_address_meta (tap_packet (tap, number)->buffer);

  return meta ? meta->addr : NULL;
}

static void
assert_sender (guint number, GSocket *sender)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (sender, NULL);
  GInetSocketAddress *ours = G_INET_SOCKET_ADDRESS (local);
  GInetSocketAddress *theirs = (GInetSocketAddress *) sender_of (number);

  fail_unless (theirs != NULL, "packet %u has no sender", number);
  fail_unless (g_inet_address_equal (g_inet_socket_address_get_address (ours),
      g_inet_socket_address_get_address (theirs)));
  fail_unless_equals_int (g_inet_socket_address_get_port (theirs),
      g_inet_socket_address_get_port (ours));
}

static GSocket *
new_sender (void)
{
  g_autoptr (GSocketAddress) local =
      g_inet_socket_address_new (loopback->address, 0);
  GSocket *sender = g_socket_new (g_inet_address_get_family (loopback->address),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (sender && g_socket_bind (sender, local, FALSE, NULL));
  return sender;
}

/* More than are remembered, each twice in a row, and all of them again. */
static void
exchange_senders (void)
{
  GSocket *senders[20];
  GSocket *of_loopback = loopback->sender;

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    senders[i] = i ? new_sender () : g_object_ref (of_loopback);
  tap_keep (tap, TRUE);
  for (guint i = 0; i < 80; i++) {
    loopback->sender = senders[i / 2 % 20];
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
  }
  loopback->sender = of_loopback;
  element_wait (80);
  for (guint i = 0; i < 80; i++) {
    assert_sender (i, senders[i / 2 % 20]);
    fail_unless (sender_of (i) == sender_of (i & ~1u), "two objects");
  }
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    g_object_unref (senders[i]);
}

/* Those that were forgotten, and the others, live as long as the packet memory. */
TEST (test_senders)
{
  GWeakRef early, late;
  GObject *left;

  element_play ("", "fakesink");
  exchange_senders ();
  g_weak_ref_init (&early, sender_of (0));
  g_weak_ref_init (&late, sender_of (79));
  tap_drop (tap);
  receiver_set_state (receiver, GST_STATE_NULL);
  left = g_weak_ref_get (&early);
  fail_if (left);
  left = g_weak_ref_get (&late);
  fail_if (left);
  g_weak_ref_clear (&early);
  g_weak_ref_clear (&late);
}

/* A buffer that is used again tells who sent what is in it now. */
TEST (test_sender_after_another)
{
  GSocket *of_loopback = loopback->sender;

  element_play ("", "fakesink");
  tap_keep (tap, TRUE);
  for (guint i = 0; i < 300; i++) {
    if (i == 20) {
      tap_drop (tap);
      tap_keep (tap, TRUE);
      loopback->sender = new_sender ();
    }
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    assert_sender (i, loopback->sender);
  }
  g_object_unref (loopback->sender);
  loopback->sender = of_loopback;
}

TEST (test_senders_ipv6)
{
  loopback_free (loopback);
  loopback = loopback_new_ipv6 ();
  element_play ("", "fakesink");
  exchange_senders ();
}

/* In a list, and of what has no bytes or is copied. */
TEST (test_senders_of_a_list)
{
  element_play ("", "fakesink");
  tap_keep (tap, TRUE);
  tap_hold (tap);
  loopback_send_pattern (loopback, 0, 100);
  tap_wait_held (tap);
  for (guint i = 0; i < 10; i++)
    loopback_send_pattern (loopback, i, i * 6000);
  tap_let_go (tap);
  element_wait (11);
  fail_unless_equals_int (tap_packet (tap, 10)->list, 1);
  for (guint i = 0; i < 11; i++)
    assert_sender (i, loopback->sender);
}

TEST (test_senders_while_playing)
{
  element_play ("retrieve-sender-address=false", "fakesink");
  tap_keep (tap, TRUE);
  for (guint i = 0; i < 10; i++) {
    g_object_set (receiver->src, "retrieve-sender-address", i % 2, NULL);
    loopback_send_pattern (loopback, i, 100);
    tap_wait (tap, i + 1);
    if (i % 2)
      assert_sender (i, loopback->sender);
    else
      fail_if (sender_of (i));
  }
}

/* The socket that is used. */

static void
count (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static GSocket *
used_socket (void)
{
  GSocket *socket;

  g_object_get (receiver->src, "used-socket", &socket, NULL);
  return socket;
}

/* An answer, as a receiver sends RTCP. */
static void
assert_answers (GSocket *socket)
{
  g_autoptr (GSocketAddress) to =
      g_socket_get_local_address (loopback->sender, NULL);
  g_autoptr (GSocketAddress) from = NULL;
  gchar answer[16];

  fail_unless_equals_int (
      g_socket_send_to (socket, to, "answer", 6, NULL, NULL), 6);
  fail_unless_equals_int (g_socket_receive_from (loopback->sender, &from,
                              answer, sizeof answer, NULL, NULL),
      6);
  fail_unless_equals_int (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)),
      loopback->port);
}

TEST (test_used_socket)
{
  guint n = 0;
  GSocket *socket;

  element_new ("", "fakesink");
  g_signal_connect (
      receiver->src, "notify::used-socket", G_CALLBACK (count), &n);
  fail_if (used_socket ());
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_int (n, 1);
  receiver_play (receiver);
  socket = used_socket ();
  assert_answers (socket);
  element_receive (33, 0, 3);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_int (n, 2);
  fail_if (used_socket ());
  /* Also for who still holds it: the port is free. */
  fail_unless (g_socket_is_closed (socket));
  g_object_unref (socket);
  g_object_unref (loopback_occupy (loopback));
  element_end ();
}

/* A socket that the application gives. */

static GSocket *
give_socket (void)
{
  GSocket *socket = loopback_occupy (loopback);

  g_object_set (
      receiver->src, "socket", socket, "address", "0.0.0.0", "port", 1, NULL);
  return socket;
}

LOOP_TEST (test_socket, 2)
{
  gboolean closes = __i__;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) used = NULL;
  gint port;

  element_new ("", "fakesink");
  socket = give_socket ();
  g_object_set (receiver->src, "close-socket", closes, NULL);
  receiver_play (receiver);
  used = used_socket ();
  fail_unless (used == socket);
  g_object_get (receiver->src, "port", &port, NULL);
  fail_unless_equals_int (port, loopback->port);
  element_receive (33, 0, 3);
  assert_answers (socket);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_int (g_socket_is_closed (socket), closes);
  if (!closes) {
    receiver_play (receiver);
    element_pass (33, 3, 3, 6);
    receiver_set_state (receiver, GST_STATE_NULL);
  }
  g_object_set (receiver->src, "socket", NULL, NULL);
  g_clear_object (&used);
  fail_unless_equals_int (G_OBJECT (socket)->ref_count, 1);
}

/* The answer of a host where nobody listens is no end. */
TEST (test_socket_refused_by_peer)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) nobody = new_sender ();
  g_autoptr (GSocketAddress) nowhere =
      g_socket_get_local_address (nobody, NULL);
  g_autoptr (GSocketAddress) sender =
      g_socket_get_local_address (loopback->sender, NULL);

  element_new ("", "fakesink");
  socket = give_socket ();
  fail_unless (g_socket_close (nobody, NULL));
  fail_unless (g_socket_connect (socket, nowhere, NULL, NULL));
  receiver_play (receiver);
  for (guint i = 0; i < 10; i++)
    g_socket_send (socket, "?", 1, NULL, NULL);
  fail_unless (g_socket_connect (socket, sender, NULL, NULL));
  element_receive (33, 0, 3);
  receiver_assert_no_error (receiver);
}

/* It is only let go of: packets come until NULL. */
TEST (test_socket_closed_by_owner)
{
  g_autoptr (GSocket) socket = NULL;

  element_new ("", "fakesink");
  socket = give_socket ();
  receiver_play (receiver);
  fail_unless (g_socket_close (socket, NULL));
  element_receive (33, 0, 3);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_unref (loopback_occupy (loopback));
}

/* What this process uses while nothing comes, in µs. */
static void
assert_sleeps (void)
{
  clock_t begin = clock ();

  g_usleep (500 * G_TIME_SPAN_MILLISECOND);
  fail_unless ((clock () - begin) * 10 < CLOCKS_PER_SEC / 2,
      "%ld us of 500,000 us", (clock () - begin) * 1000000 / CLOCKS_PER_SEC);
}

static void
assert_goes_on (void)
{
  element_receive (33, 0, 3);
  assert_sleeps ();
  receiver_assert_no_error (receiver);
}

/* Nor is it read by a number that belongs to somebody else now. */
TEST (test_used_socket_closed)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) somebody = NULL;
  g_autoptr (GSocketAddress) his = NULL;
  gchar text[16];

  element_play ("", "fakesink");
  socket = used_socket ();
  fail_unless (g_socket_close (socket, NULL));
  assert_sleeps ();
  somebody = new_sender ();
  his = g_socket_get_local_address (somebody, NULL);
  fail_unless_equals_int (
      g_socket_send_to (loopback->sender, his, "his", 3, NULL, NULL), 3);
  assert_goes_on ();
  fail_unless_equals_int (
      g_socket_receive (somebody, text, sizeof text, NULL, NULL), 3);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_unref (loopback_occupy (loopback));
}

/* The application asked for a queue of errors, and does not read it. */
TEST (test_error_queue)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocket) nobody = new_sender ();
  g_autoptr (GSocketAddress) nowhere =
      g_socket_get_local_address (nobody, NULL);

  element_new ("", "fakesink");
  socket = give_socket ();
  fail_unless (
      g_socket_set_option (socket, IPPROTO_IP, IP_RECVERR, TRUE, NULL));
  fail_unless (g_socket_close (nobody, NULL));
  receiver_play (receiver);
  for (guint i = 0; i < 1000; i++)
    g_socket_send_to (socket, nowhere, "?", 1, NULL, NULL);
  assert_goes_on ();
}

static const gint directions[] = { SHUT_RD, SHUT_RDWR };

/* One error, and no thread that runs for nothing. */
TABLE_TEST (test_shut_down, directions)
{
  g_autoptr (GSocket) socket = NULL;

  element_play ("", "fakesink");
  socket = used_socket ();
  /* It does so, and says that it is not connected. */
  shutdown (g_socket_get_fd (socket), directions[__i__]);
  fail_unless (
      strstr (receiver_wait_error (receiver), "shut down the UDP socket"), "%s",
      receiver->error);
  assert_sleeps ();
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->n_errors, 1);
  g_clear_object (&socket);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_clear_pointer (&receiver->error, g_free);
  receiver_play (receiver);
  assert_goes_on ();
}

/* Which concerns only what it sends. */
TEST (test_shut_down_for_sending)
{
  g_autoptr (GSocket) socket = NULL;

  element_play ("", "fakesink");
  socket = used_socket ();
  shutdown (g_socket_get_fd (socket), SHUT_WR);
  assert_goes_on ();
  g_clear_object (&socket);
}

/* A child that lives on holds nothing, and its parent goes on. */
TEST (test_forked)
{
  pid_t child;

  element_play ("", "fakesink");
  child = fork ();
  if (!child) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause ();
  }
  assert_goes_on ();
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_unref (loopback_occupy (loopback));
  fail_if (kill (child, SIGKILL));
  waitpid (child, NULL, 0);
}

/* An IPv6 socket that takes IPv4 too: the sender is the IPv4 one. */
TEST (test_socket_of_both_families)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV6);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV6,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (g_socket_bind (socket, local, FALSE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  loopback->port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  element_new ("", "fakesink");
  g_object_set (receiver->src, "socket", socket, NULL);
  receiver_play (receiver);
  tap_keep (tap, TRUE);
  element_receive (33, 0, 3);
  assert_sender (2, loopback->sender);
}

static GSocket *
unbound (GSocketType type)
{
  return g_socket_new (
      G_SOCKET_FAMILY_IPV4, type, G_SOCKET_PROTOCOL_DEFAULT, NULL);
}

static GSocket *
closed (void)
{
  GSocket *socket = new_sender ();

  fail_unless (g_socket_close (socket, NULL));
  return socket;
}

/* It stays its owner's. */
TEST (test_socket_of_no_use)
{
  GSocket *sockets[] = { unbound (G_SOCKET_TYPE_DATAGRAM),
    unbound (G_SOCKET_TYPE_STREAM), closed () };

  element_new ("", "fakesink");
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++) {
    gboolean was_closed = g_socket_is_closed (sockets[i]);

    g_object_set (receiver->src, "socket", sockets[i], NULL);
    receiver_assert_refused (receiver, GST_STATE_READY);
    receiver_wait_error (receiver);
    fail_unless (strstr (receiver->error, "socket that was given"), "%s",
        receiver->error);
    g_clear_pointer (&receiver->error, g_free);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_unless_equals_int (g_socket_is_closed (sockets[i]), was_closed);
  }
  g_object_set (receiver->src, "socket", NULL, NULL);
  receiver_play (receiver);
  element_end ();
  for (guint i = 0; i < G_N_ELEMENTS (sockets); i++)
    g_object_unref (sockets[i]);
}

/* The kernel would hand out several datagrams as one. */
TEST (test_socket_with_udp_gro)
{
  g_autoptr (GSocket) socket = new_sender ();
  g_autoptr (GError) error = NULL;

  g_socket_set_option (socket, IPPROTO_UDP, UDP_GRO, 1, &error);
  g_assert_no_error (error);
  element_new ("", "fakesink");
  g_object_set (receiver->src, "socket", socket, NULL);
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "UDP_GRO"), "%s",
      receiver->error);
  fail_if (g_socket_is_closed (socket));
  g_object_set (receiver->src, "socket", NULL, NULL);
  receiver_set_state (receiver, GST_STATE_NULL);
}

/* Who else has address and port. */

TEST (test_reuse)
{
  Receiver *one;
  Tap *tap_of_one;

  element_play ("reuse=true", "fakesink");
  one = receiver;
  tap_of_one = tap;
  element_play ("reuse=true", "fakesink");
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "reuse", FALSE, NULL);
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "Could not bind"));
  element_end ();
  receiver = one;
  tap = tap_of_one;
}

static gint
loopback_option (GSocket *socket)
{
  gint value = -1;

  fail_unless (g_socket_get_option (
      socket, IPPROTO_IP, IP_MULTICAST_LOOP, &value, NULL));
  return value;
}

LOOP_TEST (test_loop, 2)
{
  g_autofree gchar *properties = g_strdup_printf ("loop=%d", __i__);
  g_autoptr (GSocket) socket = NULL;

  element_play (properties, "fakesink");
  socket = used_socket ();
  fail_unless_equals_int (loopback_option (socket), __i__);
}

ELEMENT_SUITE ("element-sockets", NULL)
