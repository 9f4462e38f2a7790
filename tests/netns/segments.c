/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Datagrams that a sender's kernel, or this one's, hands on in one piece. */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network.h"
#include "player.h"
#include "receiver.h"
#include "../check/tap.h"

#define SIZE 200
#define SEGMENTS 5

static guint16 seqnum;

static void
fill (guint8 *packet)
{
  memset (packet, 0, SIZE);
  packet[0] = 0x80;
  packet[1] = 33;
  packet[2] = seqnum >> 8;
  packet[3] = seqnum++;
  packet[11] = 7;
}

/* n times as many datagrams as are in one piece. */
static void
send_pieces (guint n, guint segments)
{
  int fd = network_sender_socket (AF_INET, SOCK_DGRAM, 0), size = SIZE;
  struct sockaddr_in to = { AF_INET, g_htons (5000), { g_htonl (0xef010101) } };
  guint8 piece[SEGMENTS * SIZE];

  fail_if (setsockopt (fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size));
  for (guint i = 0; i < n; i++) {
    for (guint j = 0; j < segments; j++)
      fill (piece + j * SIZE);
    fail_unless (sendto (fd, piece, segments * SIZE, 0, (struct sockaddr *) &to,
                     sizeof to) == (gssize) segments * SIZE,
        "%m");
    /* The veth's ring has room for 256. */
    g_usleep (200);
  }
  close (fd);
}

static const gchar *const modes[] = { "xdp-mode=native", "xdp-mode=generic",
  "mode=socket" };

/* All of them come, each as it was sent; by AF_XDP those that came alone. */
TABLE_TEST (test_sizes, modes)
{
  g_autoptr (Receiver) receiver = receiver_new (modes[__i__], "fakesink");
  g_autoptr (Tap) tap = tap_new (receiver->src);
  guint n = 0;

  /* Without GRO here nothing is put together again. */
  receiver_play (receiver);
  for (guint round = 0; round < 3; round++) {
    send_pieces (50, 1);
    receiver_wait_stat (receiver, "packets", n += 50);
    send_pieces (50, SEGMENTS);
    receiver_wait_stat (receiver, "packets", n += 50 * SEGMENTS);
  }
  tap_wait (tap, n);
  receiver_set_state (receiver, GST_STATE_NULL);
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (
        g_bytes_get_size (tap_packet (tap, i)->bytes), SIZE);
  receiver_assert_stat (receiver, "packets", n);
  receiver_assert_none (receiver, "lost", "malformed");
  if (__i__ == 1) {
    fail_unless (receiver_stat (receiver, "delivered-xdp") > 0);
    fail_unless (
        receiver_stat (receiver, "delivered-socket") >= 150 * SEGMENTS);
  }
}

/* Without the privilege to look, generic mode is refused, with what to do. */
TEST (test_refused)
{
  Player *player =
      player_start ("setpriv --inh-caps=-all "
                    "--bounding-set=-all,+net_raw,+bpf,+net_admin,+ipc_lock",
          "xdp-mode=generic stats-interval=0");
  const gchar *line = player_wait_line (player, "GstAfxdpSrcMode");

  fail_unless (strstr (line, "mode=(string)socket"), "%s", line);
  fail_unless (strstr (line, "UDP_SEGMENT"), "%s", line);
  fail_unless (strstr (line, "xdp-mode\\=native"), "%s", line);
  fail_unless (strstr (line, "CAP_PERFMON"), "%s", line);
  player_free (player);
}

NETNS_SUITE ("segments", network_up_with_one_queue)
