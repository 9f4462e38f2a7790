/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slow path alone, with real datagrams over loopback.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "loopback.h"
#include "kernel.h"
#include "suite.h"

#define BATCH 32
#define FRAME_SIZE 2048
/* What everybody gets by default: net.core.rmem_max. */
#define BUFFER_SIZE 212992
#define BURST (BUFFER_SIZE / 2) /* bytes, which the kernel's overhead fits */
#define PATIENCE_MS 20000

static Loopback *loopback;
static AfxdpSocket *slow_path;
static AfxdpSocketPacket packets[BATCH];

static AfxdpStreamSettings
make_settings (void)
{
  return (AfxdpStreamSettings){
    .address = loopback->address,
    .port = loopback->port,
    .buffer_size = BUFFER_SIZE,
    .batch = BATCH,
  };
}

static AfxdpSocket *
open_slow_path (const AfxdpStreamSettings *settings, const AfxdpNetdev *netdev)
{
  g_autoptr (GError) error = NULL;
  AfxdpSocket *opened =
      afxdp_socket_new (settings, netdev, netdev ? 1 : 0, &error);

  g_assert_no_error (error);
  return opened;
}

static void
set_up (void)
{
  AfxdpStreamSettings settings;

  loopback = loopback_new ();
  settings = make_settings ();
  slow_path = open_slow_path (&settings, NULL);
}

static void
tear_down (void)
{
  afxdp_socket_free (slow_path);
  loopback_free (loopback);
}

static guint
receive (AfxdpSocket *from, guint n)
{
  return afxdp_socket_receive (from, packets, n);
}

static void
give (AfxdpSocket *to, const AfxdpSocketPacket *packet)
{
  if (packet->frame != AFXDP_NO_FRAME)
    afxdp_umem_give (afxdp_socket_umem (to), &packet->frame, 1);
}

static gboolean
is_in_its_frame (AfxdpSocket *from, const AfxdpSocketPacket *packet)
{
  return packet->frame != AFXDP_NO_FRAME &&
      packet->data ==
      afxdp_umem_frame (afxdp_socket_umem (from), packet->frame);
}

static void
wait_for_one (AfxdpSocket *from)
{
  struct pollfd fd = { .fd = afxdp_socket_fd (from), .events = POLLIN };

  fail_unless_equals_int (poll (&fd, 1, PATIENCE_MS), 1);
}

/* Sends n datagrams and receives them, size bytes each. */
static void
exchange (guint n, gsize size)
{
  guint burst = MIN (n, 1 + BURST / (size + 1000));
  guint sent = 0, got = 0;

  while (got < n) {
    guint m;

    for (; sent < MIN (n, got + burst); sent++)
      loopback_send_pattern (loopback, sent, size);
    wait_for_one (slow_path);
    m = receive (slow_path, BATCH);
    for (guint i = 0; i < m; i++) {
      fail_unless_equals_int (packets[i].size, size);
      loopback_assert_pattern (packets[i].data, got + i, size);
      give (slow_path, &packets[i]);
    }
    got += m;
  }
  fail_unless_equals_int (receive (slow_path, BATCH), 0);
}

TEST (test_nothing)
{
  fail_unless_equals_int (receive (slow_path, BATCH), 0);
  fail_unless_equals_int (receive (slow_path, 0), 0);
}

TEST (test_batches)
{
  for (guint i = 0; i < BATCH + 5; i++)
    loopback_send_pattern (loopback, i, 100 + i);
  fail_unless_equals_int (receive (slow_path, 3), 3);
  for (guint i = 0; i < 3; i++)
    give (slow_path, &packets[i]);
  /* No more than the settings said. */
  fail_unless_equals_int (receive (slow_path, 10 * BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    fail_unless_equals_int (packets[i].size, 103 + i);
    loopback_assert_pattern (packets[i].data, 3 + i, 103 + i);
    fail_unless (is_in_its_frame (slow_path, &packets[i]));
    give (slow_path, &packets[i]);
  }
  fail_unless_equals_int (receive (slow_path, BATCH), 2);
  loopback_assert_pattern (packets[1].data, BATCH + 4, 104 + BATCH);
  give (slow_path, &packets[0]);
  give (slow_path, &packets[1]);
  fail_unless_equals_int (receive (slow_path, BATCH), 0);
}

static const gsize sizes[] = { 0, 1, 1400, FRAME_SIZE - 1, FRAME_SIZE,
  FRAME_SIZE + 1, 9000, 48000, 65506, 65507 };

TABLE_TEST (test_size, sizes)
{
  gsize size = sizes[__i__];

  fail_unless_equals_int (
      afxdp_umem_frame_size (afxdp_socket_umem (slow_path)), FRAME_SIZE);
  loopback_send_pattern (loopback, 0, size);
  fail_unless_equals_int (receive (slow_path, 1), 1);
  fail_unless_equals_int (packets[0].size, size);
  loopback_assert_pattern (packets[0].data, 0, size);
  fail_unless (
      is_in_its_frame (slow_path, &packets[0]) == (size <= FRAME_SIZE));
  give (slow_path, &packets[0]);
  exchange (3 * BATCH, size);
}

/* Of all sizes in one batch: the large ones have room of their own. */
TEST (test_sizes_mixed)
{
  guint n = G_N_ELEMENTS (sizes);

  for (guint round = 0; round < 5; round++) {
    for (guint i = 0; i < n; i++)
      loopback_send_pattern (loopback, round + i, sizes[i]);
    fail_unless_equals_int (receive (slow_path, BATCH), n);
    for (guint i = 0; i < n; i++) {
      fail_unless_equals_int (packets[i].size, sizes[i]);
      loopback_assert_pattern (packets[i].data, round + i, sizes[i]);
      give (slow_path, &packets[i]);
    }
  }
}

static const struct
{
  guint mtu;
  guint frame_size;
} frame_sizes[] = { { 68, 2048 }, { 1500, 2048 }, { 2048, 2048 },
  { 2049, 4096 }, { 9000, 16384 }, { 65536, 16384 } };

/* A datagram of the interface's largest packet fits a frame. */
TABLE_TEST (test_frame_size, frame_sizes)
{
  AfxdpNetdev netdev = { .name = "lo", .mtu = frame_sizes[__i__].mtu };
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) socket = NULL;

  settings.port = 0;
  socket = open_slow_path (&settings, &netdev);
  fail_unless_equals_int (afxdp_umem_frame_size (afxdp_socket_umem (socket)),
      frame_sizes[__i__].frame_size);
}

static guint64
real_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_REALTIME, &time);
  return GST_TIMESPEC_TO_TIME (time);
}

/* When it arrived, not when it was read. */
TEST (test_timestamps)
{
  guint64 times[BATCH + 1];

  kernel_needs_arrival_times ();
  for (guint i = 0; i < BATCH; i++) {
    times[i] = real_time ();
    loopback_send_pattern (loopback, i, 100);
  }
  times[BATCH] = real_time ();
  fail_unless_equals_int (receive (slow_path, BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    fail_unless (packets[i].arrival >= times[i]);
    fail_unless (packets[i].arrival <= times[i + 1]);
    give (slow_path, &packets[i]);
  }
}

/* What the area has left, in frames; the rest in memory of the socket. */
TEST (test_area_exhausted)
{
  AfxdpUmem *umem = afxdp_socket_umem (slow_path);
  guint n_frames = afxdp_umem_n_frames (umem);
  g_autofree guint32 *frames = g_new (guint32, n_frames);

  fail_unless_equals_int (
      afxdp_umem_take (umem, frames, n_frames, FALSE), n_frames);
  exchange (BATCH, 1400);
  exchange (BATCH, 65507);
  afxdp_umem_give (umem, frames, 3);
  for (guint i = 0; i < BATCH; i++)
    loopback_send_pattern (loopback, i, 1400);
  fail_unless_equals_int (receive (slow_path, BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    loopback_assert_pattern (packets[i].data, i, 1400);
    fail_unless (i < 3 ? is_in_its_frame (slow_path, &packets[i])
                       : packets[i].frame == AFXDP_NO_FRAME);
    give (slow_path, &packets[i]);
  }
  afxdp_umem_give (umem, frames + 3, n_frames - 3);
  loopback_send_pattern (loopback, 9, 1400);
  fail_unless_equals_int (receive (slow_path, 1), 1);
  fail_unless (is_in_its_frame (slow_path, &packets[0]));
  give (slow_path, &packets[0]);
}

/* Frames that were waiting for packets are home again, and those that somebody
 * still has keep the area. */
TEST (test_frames_at_the_end)
{
  AfxdpUmem *umem = afxdp_umem_ref (afxdp_socket_umem (slow_path));
  guint n_frames = afxdp_umem_n_frames (umem);
  AfxdpSocketPacket last;

  exchange (BATCH, 100);
  loopback_send_pattern (loopback, 1, 100);
  fail_unless_equals_int (receive (slow_path, BATCH), 1);
  last = packets[0];
  fail_unless_equals_int (afxdp_umem_n_free (umem), n_frames - BATCH);
  g_clear_pointer (&slow_path, afxdp_socket_free);
  fail_unless_equals_int (afxdp_umem_n_free (umem), n_frames - 1);
  loopback_assert_pattern (last.data, 1, 100);
  afxdp_umem_give (umem, &last.frame, 1);
  afxdp_umem_unref (umem);
}

TEST (test_ipv6)
{
  Loopback *loopback6 = loopback_new_ipv6 ();
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) socket = NULL;

  settings.address = loopback6->address;
  settings.port = loopback6->port;
  socket = open_slow_path (&settings, NULL);
  loopback_send_pattern (loopback6, 1, 1400);
  wait_for_one (socket);
  fail_unless_equals_int (receive (socket, 1), 1);
  fail_unless_equals_int (packets[0].size, 1400);
  loopback_assert_pattern (packets[0].data, 1, 1400);
  give (socket, &packets[0]);
  loopback_free (loopback6);
  kernel_needs_arrival_times ();
  fail_unless (packets[0].arrival > 0);
}

/* How it is opened. */

static int
option (const AfxdpSocket *of, int level, int name)
{
  int value = -1;
  socklen_t size = sizeof value;

  fail_if (getsockopt (afxdp_socket_fd (of), level, name, &value, &size), "%s",
      g_strerror (errno));
  return value;
}

static guint n_to_fail; /* calls of recvmmsg() */

/* In the C library's place. */
int
recvmmsg (int fd, struct mmsghdr *messages, unsigned int n, int flags,
    struct timespec *timeout)
{
  if (n_to_fail) {
    n_to_fail--;
    errno = EACCES;
    return -1;
  }
  return syscall (SYS_recvmmsg, fd, messages, n, flags, timeout);
}

/* What is reported now and then passes; what stays ends it, and is named. */
TEST (test_errors)
{
  AfxdpSocketPacket packet;
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < 3; i++) {
    n_to_fail = 10;
    fail_unless_equals_int (afxdp_socket_receive (slow_path, &packet, 1), 0);
    fail_unless_equals_int (n_to_fail, 0);
    fail_if (afxdp_socket_error (slow_path));
    g_usleep (120 * G_TIME_SPAN_MILLISECOND);
  }
  fail_unless_equals_uint64 (afxdp_socket_n_errors (slow_path), 30);
  begin = g_get_monotonic_time ();
  n_to_fail = G_MAXUINT;
  while (!afxdp_socket_error (slow_path)) {
    afxdp_socket_receive (slow_path, &packet, 1);
    g_usleep (G_TIME_SPAN_MILLISECOND);
    fail_if (g_get_monotonic_time () - begin > 10 * G_TIME_SPAN_SECOND);
  }
  n_to_fail = 0;
  fail_unless (
      g_get_monotonic_time () - begin >= 100 * G_TIME_SPAN_MILLISECOND);
  fail_unless (strstr (
      afxdp_socket_error (slow_path)->message, "Could not receive from"));
  fail_unless (
      strstr (afxdp_socket_error (slow_path)->message, g_strerror (EACCES)));
}

/* Whoever is deaf drops, and nobody is told; what has come before stays. */
TEST (test_deaf)
{
  guint32 before = afxdp_socket_dropped (slow_path);
  guint n_sent = 0;

  for (; n_sent < 3; n_sent++)
    loopback_send_pattern (loopback, n_sent, 100);
  fail_unless (afxdp_socket_set_deaf (slow_path, TRUE));
  fail_unless (afxdp_socket_set_deaf (slow_path, TRUE));
  for (; n_sent < 10; n_sent++)
    loopback_send_pattern (loopback, n_sent, 100);
  fail_unless_equals_int (afxdp_socket_dropped (slow_path), before);
  fail_unless_equals_int (receive (slow_path, BATCH), 3);
  for (guint i = 0; i < 3; i++) {
    loopback_assert_pattern (packets[i].data, i, 100);
    give (slow_path, &packets[i]);
  }
  fail_unless_equals_int (receive (slow_path, BATCH), 0);
  fail_unless (afxdp_socket_set_deaf (slow_path, FALSE));
  fail_unless_equals_int (afxdp_socket_dropped (slow_path), before);
  loopback_send_pattern (loopback, n_sent, 100);
  fail_unless_equals_int (receive (slow_path, BATCH), 1);
  fail_unless_equals_int (packets[0].dropped, 0);
  loopback_assert_pattern (packets[0].data, n_sent, 100);
  give (slow_path, &packets[0]);
}

/* What it has no room for is counted, before and behind. */
TEST (test_deaf_between_drops)
{
  AfxdpStreamSettings settings = make_settings ();
  guint32 full, n = 0;

  settings.buffer_size = 4096;
  afxdp_socket_free (slow_path);
  slow_path = open_slow_path (&settings, NULL);
  for (guint i = 0; i < 50; i++)
    loopback_send_pattern (loopback, i, 1000);
  full = afxdp_socket_dropped (slow_path);
  fail_unless (full > 0 && full < 50);
  for (guint round = 0; round < 2; round++) {
    fail_unless (afxdp_socket_set_deaf (slow_path, TRUE));
    for (guint i = 0; i < 20; i++)
      loopback_send_pattern (loopback, i, 1000);
    fail_unless_equals_int (afxdp_socket_dropped (slow_path), full);
    fail_unless (afxdp_socket_set_deaf (slow_path, FALSE));
    fail_unless_equals_int (afxdp_socket_dropped (slow_path), full);
  }
  for (guint i = 0; i < 5; i++)
    loopback_send_pattern (loopback, i, 1000);
  fail_unless_equals_int (afxdp_socket_dropped (slow_path), full + 5);
  /* Packets tell the same. */
  while ((n = receive (slow_path, BATCH)))
    for (guint i = 0; i < n; i++)
      give (slow_path, &packets[i]);
  loopback_send_pattern (loopback, 0, 1000);
  fail_unless_equals_int (receive (slow_path, BATCH), 1);
  fail_unless_equals_int (packets[0].dropped, full + 5);
  give (slow_path, &packets[0]);
}

/* The filter cannot be attached where its owner has locked it: it hears on. */
TEST (test_deaf_in_vain)
{
  int on = 1;

  fail_if (setsockopt (
      afxdp_socket_fd (slow_path), SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on));
  fail_if (afxdp_socket_set_deaf (slow_path, TRUE));
  fail_unless_equals_int (errno, EPERM);
  exchange (3, 100);
  fail_unless_equals_int (afxdp_socket_dropped (slow_path), 0);
}

TEST (test_options)
{
  int fd = afxdp_socket_fd (slow_path);
  int theirs = g_socket_get_fd (afxdp_socket_gsocket (slow_path));
  struct stat status;

  fail_unless (fcntl (fd, F_GETFD) & FD_CLOEXEC);
  /* The same one, by a descriptor that nobody else can close. */
  fail_if (fd == theirs);
  fail_if (fstat (theirs, &status));
  fail_unless_equals_uint64 (status.st_ino, afxdp_socket_inode (slow_path));
}

TEST (test_buffer_size)
{
  AfxdpStreamSettings settings = make_settings ();
  guint asked[] = { 65536, 100000, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_clear_pointer (&slow_path, afxdp_socket_free);
    settings.buffer_size = asked[i];
    slow_path = open_slow_path (&settings, NULL);
    fail_unless_equals_int (afxdp_socket_buffer_size (slow_path),
        option (slow_path, SOL_SOCKET, SO_RCVBUF) / 2);
    if (asked[i]) {
      fail_unless_equals_int (afxdp_socket_buffer_size (slow_path), asked[i]);
    } else {
      fail_unless (afxdp_socket_buffer_size (slow_path) > 100000);
    }
  }
}

TEST (test_any_port)
{
  AfxdpStreamSettings settings = make_settings ();

  settings.port = 0;
  afxdp_socket_free (slow_path);
  slow_path = open_slow_path (&settings, NULL);
  fail_unless (afxdp_socket_port (slow_path) > 0);
  loopback->port = afxdp_socket_port (slow_path);
  exchange (1, 100);
}

/* Both receive on one port, as for a group that two programs watch. */
TEST (test_port_shared)
{
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) other = open_slow_path (&settings, NULL);

  fail_unless (afxdp_socket_port (other) == loopback->port);
}

TEST (test_port_in_use)
{
  AfxdpStreamSettings settings = make_settings ();
  g_autofree gchar *text =
      g_strdup_printf ("port %u of %s", loopback->port, loopback->address_text);
  g_autoptr (GSocket) other = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&slow_path, afxdp_socket_free);
  other = loopback_occupy (loopback);
  fail_if (afxdp_socket_new (&settings, NULL, 0, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE));
  fail_unless (strstr (error->message, text), "%s", error->message);
}

TEST (test_address_of_somebody_else)
{
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (GInetAddress) address =
      g_inet_address_new_from_string ("192.0.2.1");
  g_autoptr (GError) error = NULL;

  settings.address = address;
  fail_if (afxdp_socket_new (&settings, NULL, 0, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND));
  fail_unless (strstr (error->message, "192.0.2.1"), "%s", error->message);
}

/* Groups, on the loopback interface. */

static void
send_to_group (const gchar *group, guint number)
{
  g_autoptr (GInetAddress) unicast = loopback->address;
  struct in_addr from;

  memcpy (&from, g_inet_address_to_bytes (unicast), sizeof from);
  fail_if (setsockopt (g_socket_get_fd (loopback->sender), IPPROTO_IP,
      IP_MULTICAST_IF, &from, sizeof from));
  loopback->address = g_inet_address_new_from_string (group);
  loopback_send_pattern (loopback, number, 100);
  g_object_unref (loopback->address);
  loopback->address = g_steal_pointer (&unicast);
}

static AfxdpSocket *
open_group (const gchar *group)
{
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (group);
  AfxdpNetdev netdev = {
    .index = if_nametoindex ("lo"), .name = "lo", .mtu = 1500
  };

  settings.address = address;
  settings.auto_multicast = TRUE;
  return open_slow_path (&settings, &netdev);
}

TEST (test_group)
{
  g_autoptr (AfxdpSocket) one = open_group ("239.255.12.1");
  g_autoptr (AfxdpSocket) other = open_group ("239.255.12.2");
  g_autoptr (GError) error = NULL;

  kernel_needs_groups ();
  send_to_group ("239.255.12.1", 1);
  fail_unless (
      afxdp_socket_join (one, &error), "%s", error ? error->message : "");
  fail_unless (
      afxdp_socket_join (other, &error), "%s", error ? error->message : "");
  /* Not what other programs have joined. */
  fail_unless_equals_int (option (one, IPPROTO_IP, IP_MULTICAST_ALL), 0);
  send_to_group ("239.255.12.1", 2);
  send_to_group ("239.255.12.2", 3);
  wait_for_one (one);
  /* Not what came before the join, nor what is the other's. */
  fail_unless_equals_int (receive (one, BATCH), 1);
  loopback_assert_pattern (packets[0].data, 2, 100);
  give (one, &packets[0]);
  wait_for_one (other);
  fail_unless_equals_int (receive (other, BATCH), 1);
  loopback_assert_pattern (packets[0].data, 3, 100);
  give (other, &packets[0]);
}

/* With udpsrc, for one, whichever comes first; but not by the hash of
 * SO_REUSEPORT, which does not ask who joined what. */
LOOP_TEST (test_group_port_shared, 2)
{
  g_autoptr (GInetAddress) group =
      g_inet_address_new_from_string ("239.255.12.3");
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new (group, loopback->port);
  AfxdpSocket *ours = __i__ ? NULL : open_group ("239.255.12.3");
  g_autoptr (GSocket) theirs = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (g_socket_bind (theirs, address, TRUE, &error), "%s",
      error ? error->message : "");
  if (!ours)
    ours = open_group ("239.255.12.3");
  fail_unless_equals_int (option (ours, SOL_SOCKET, SO_REUSEPORT), 0);
  afxdp_socket_free (ours);
}

TEST (test_group_port_in_use)
{
  g_autoptr (GInetAddress) group =
      g_inet_address_new_from_string ("239.255.12.3");
  AfxdpStreamSettings settings = make_settings ();
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new (group, loopback->port);
  g_autoptr (GSocket) theirs = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (g_socket_bind (theirs, address, FALSE, NULL));
  settings.address = group;
  fail_if (afxdp_socket_new (&settings, NULL, 0, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE));
  fail_unless (strstr (error->message, "239.255.12.3"), "%s", error->message);
}

TEST (test_group_not_joined)
{
  g_autofree gchar *text =
      g_strdup_printf ("join %s on the interface", loopback->address_text);
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_socket_join (slow_path, &error)); /* it is no group */
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND));
  fail_unless (strstr (error->message, text), "%s", error->message);
}

SUITE ("socket", 60, set_up, tear_down)
