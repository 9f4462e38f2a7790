/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slow door alone, with real datagrams over loopback.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <gst/check/gstcheck.h>

#include "error.h"
#include "loopback.h"

#define BATCH 32
#define FRAME_SIZE 2048
/* What everybody gets by default: net.core.rmem_max. */
#define BUFFER_SIZE 212992
#define BURST (BUFFER_SIZE / 2) /* bytes, which the kernel's overhead fits */
#define PATIENCE_MS 20000

static Loopback *loopback;
static AfxdpSocket *door;
static AfxdpSocketPacket packets[BATCH];

static AfxdpSocketSettings
make_settings (void)
{
  return (AfxdpSocketSettings){
    .address = loopback->address,
    .port = loopback->port,
    .buffer_size = BUFFER_SIZE,
    .batch = BATCH,
  };
}

static AfxdpSocket *
open_door (const AfxdpSocketSettings *settings)
{
  g_autoptr (GError) error = NULL;
  AfxdpSocket *opened = afxdp_socket_new (settings, &error);

  g_assert_no_error (error);
  return opened;
}

static void
set_up (void)
{
  AfxdpSocketSettings settings;

  loopback = loopback_new ();
  settings = make_settings ();
  door = open_door (&settings);
}

static void
tear_down (void)
{
  afxdp_socket_free (door);
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
    wait_for_one (door);
    m = receive (door, BATCH);
    for (guint i = 0; i < m; i++) {
      fail_unless_equals_int (packets[i].size, size);
      loopback_assert_pattern (packets[i].data, got + i, size);
      give (door, &packets[i]);
    }
    got += m;
  }
  fail_unless_equals_int (receive (door, BATCH), 0);
}

GST_START_TEST (test_nothing)
{
  fail_unless_equals_int (receive (door, BATCH), 0);
  fail_unless_equals_int (receive (door, 0), 0);
}
GST_END_TEST

GST_START_TEST (test_batches)
{
  for (guint i = 0; i < BATCH + 5; i++)
    loopback_send_pattern (loopback, i, 100 + i);
  fail_unless_equals_int (receive (door, 3), 3);
  for (guint i = 0; i < 3; i++)
    give (door, &packets[i]);
  /* No more than the settings said. */
  fail_unless_equals_int (receive (door, 10 * BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    fail_unless_equals_int (packets[i].size, 103 + i);
    loopback_assert_pattern (packets[i].data, 3 + i, 103 + i);
    fail_unless (is_in_its_frame (door, &packets[i]));
    give (door, &packets[i]);
  }
  fail_unless_equals_int (receive (door, BATCH), 2);
  loopback_assert_pattern (packets[1].data, BATCH + 4, 104 + BATCH);
  give (door, &packets[0]);
  give (door, &packets[1]);
  fail_unless_equals_int (receive (door, BATCH), 0);
}
GST_END_TEST

static const gsize sizes[] = { 0, 1, 1400, FRAME_SIZE - 1, FRAME_SIZE,
  FRAME_SIZE + 1, 9000, 48000, 65506, 65507 };

GST_START_TEST (test_size)
{
  gsize size = sizes[__i__];

  fail_unless_equals_int (
      afxdp_umem_frame_size (afxdp_socket_umem (door)), FRAME_SIZE);
  loopback_send_pattern (loopback, 0, size);
  fail_unless_equals_int (receive (door, 1), 1);
  fail_unless_equals_int (packets[0].size, size);
  loopback_assert_pattern (packets[0].data, 0, size);
  fail_unless (is_in_its_frame (door, &packets[0]) == (size <= FRAME_SIZE));
  give (door, &packets[0]);
  exchange (3 * BATCH, size);
}
GST_END_TEST

/* Of all sizes in one batch: the large ones have room of their own. */
GST_START_TEST (test_sizes_mixed)
{
  guint n = G_N_ELEMENTS (sizes);

  for (guint round = 0; round < 5; round++) {
    for (guint i = 0; i < n; i++)
      loopback_send_pattern (loopback, round + i, sizes[i]);
    fail_unless_equals_int (receive (door, BATCH), n);
    for (guint i = 0; i < n; i++) {
      fail_unless_equals_int (packets[i].size, sizes[i]);
      loopback_assert_pattern (packets[i].data, round + i, sizes[i]);
      give (door, &packets[i]);
    }
  }
}
GST_END_TEST

static const struct
{
  guint mtu;
  guint frame_size;
} frame_sizes[] = { { 68, 2048 }, { 1500, 2048 }, { 2048, 2048 },
  { 2049, 4096 }, { 9000, 16384 }, { 65536, 16384 } };

/* A datagram of the interface's largest packet fits a frame. */
GST_START_TEST (test_frame_size)
{
  AfxdpNetdev netdev = { .name = "lo", .mtu = frame_sizes[__i__].mtu };
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) socket = NULL;

  settings.port = 0;
  settings.netdevs = &netdev;
  settings.n_netdevs = 1;
  socket = open_door (&settings);
  fail_unless_equals_int (afxdp_umem_frame_size (afxdp_socket_umem (socket)),
      frame_sizes[__i__].frame_size);
}
GST_END_TEST

static guint64
real_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_REALTIME, &time);
  return GST_TIMESPEC_TO_TIME (time);
}

/* When it arrived, not when it was read. */
GST_START_TEST (test_timestamps)
{
  guint64 times[BATCH + 1];

  for (guint i = 0; i < BATCH; i++) {
    times[i] = real_time ();
    loopback_send_pattern (loopback, i, 100);
  }
  times[BATCH] = real_time ();
  fail_unless_equals_int (receive (door, BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    fail_unless (packets[i].arrival >= times[i]);
    fail_unless (packets[i].arrival <= times[i + 1]);
    give (door, &packets[i]);
  }
}
GST_END_TEST

/* What the area has left, in frames; the rest in memory of the socket. */
GST_START_TEST (test_area_exhausted)
{
  AfxdpUmem *umem = afxdp_socket_umem (door);
  guint n_frames = afxdp_umem_n_frames (umem);
  g_autofree guint32 *frames = g_new (guint32, n_frames);

  fail_unless_equals_int (
      afxdp_umem_take (umem, frames, n_frames, FALSE), n_frames);
  exchange (BATCH, 1400);
  exchange (BATCH, 65507);
  afxdp_umem_give (umem, frames, 3);
  for (guint i = 0; i < BATCH; i++)
    loopback_send_pattern (loopback, i, 1400);
  fail_unless_equals_int (receive (door, BATCH), BATCH);
  for (guint i = 0; i < BATCH; i++) {
    loopback_assert_pattern (packets[i].data, i, 1400);
    fail_unless (i < 3 ? is_in_its_frame (door, &packets[i])
                       : packets[i].frame == AFXDP_NO_FRAME);
    give (door, &packets[i]);
  }
  afxdp_umem_give (umem, frames + 3, n_frames - 3);
  loopback_send_pattern (loopback, 9, 1400);
  fail_unless_equals_int (receive (door, 1), 1);
  fail_unless (is_in_its_frame (door, &packets[0]));
  give (door, &packets[0]);
}
GST_END_TEST

/* Frames that were waiting for packets are home again, and those that somebody
 * still has keep the area. */
GST_START_TEST (test_frames_at_the_end)
{
  AfxdpUmem *umem = afxdp_umem_ref (afxdp_socket_umem (door));
  guint n_frames = afxdp_umem_n_frames (umem);
  AfxdpSocketPacket last;

  exchange (BATCH, 100);
  loopback_send_pattern (loopback, 1, 100);
  fail_unless_equals_int (receive (door, BATCH), 1);
  last = packets[0];
  fail_unless_equals_int (
      afxdp_umem_n_free (umem), n_frames - afxdp_socket_n_armed (door));
  g_clear_pointer (&door, afxdp_socket_free);
  fail_unless_equals_int (afxdp_umem_n_free (umem), n_frames - 1);
  loopback_assert_pattern (last.data, 1, 100);
  afxdp_umem_give (umem, &last.frame, 1);
  afxdp_umem_unref (umem);
}
GST_END_TEST

GST_START_TEST (test_ipv6)
{
  Loopback *loopback6 = loopback_new_ipv6 ();
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) socket = NULL;

  settings.address = loopback6->address;
  settings.port = loopback6->port;
  socket = open_door (&settings);
  loopback_send_pattern (loopback6, 1, 1400);
  wait_for_one (socket);
  fail_unless_equals_int (receive (socket, 1), 1);
  fail_unless_equals_int (packets[0].size, 1400);
  loopback_assert_pattern (packets[0].data, 1, 1400);
  fail_unless (packets[0].arrival > 0);
  give (socket, &packets[0]);
  loopback_free (loopback6);
}
GST_END_TEST

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

GST_START_TEST (test_options)
{
  int fd = afxdp_socket_fd (door);

  fail_unless (fcntl (fd, F_GETFD) & FD_CLOEXEC);
  fail_unless_equals_int (g_socket_get_fd (afxdp_socket_gsocket (door)), fd);
}
GST_END_TEST

GST_START_TEST (test_buffer_size)
{
  AfxdpSocketSettings settings = make_settings ();
  guint asked[] = { 65536, 100000, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    g_clear_pointer (&door, afxdp_socket_free);
    settings.buffer_size = asked[i];
    door = open_door (&settings);
    fail_unless_equals_int (afxdp_socket_buffer_size (door),
        option (door, SOL_SOCKET, SO_RCVBUF) / 2);
    if (asked[i]) {
      fail_unless_equals_int (afxdp_socket_buffer_size (door), asked[i]);
    } else {
      fail_unless (afxdp_socket_buffer_size (door) > 100000);
    }
  }
}
GST_END_TEST

GST_START_TEST (test_any_port)
{
  AfxdpSocketSettings settings = make_settings ();

  settings.port = 0;
  afxdp_socket_free (door);
  door = open_door (&settings);
  fail_unless (afxdp_socket_port (door) > 0);
  loopback->port = afxdp_socket_port (door);
  exchange (1, 100);
}
GST_END_TEST

/* Both receive on one port, as for a group that two programs watch. */
GST_START_TEST (test_port_shared)
{
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (AfxdpSocket) other = open_door (&settings);

  fail_unless (afxdp_socket_port (other) == loopback->port);
}
GST_END_TEST

GST_START_TEST (test_port_in_use)
{
  AfxdpSocketSettings settings = make_settings ();
  g_autofree gchar *text =
      g_strdup_printf ("port %u of %s", loopback->port, loopback->address_text);
  g_autoptr (GSocket) other = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&door, afxdp_socket_free);
  other = loopback_occupy (loopback);
  fail_if (afxdp_socket_new (&settings, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE));
  fail_unless (strstr (error->message, text), "%s", error->message);
}
GST_END_TEST

GST_START_TEST (test_address_of_somebody_else)
{
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (GInetAddress) address =
      g_inet_address_new_from_string ("192.0.2.1");
  g_autoptr (GError) error = NULL;

  settings.address = address;
  fail_if (afxdp_socket_new (&settings, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND));
  fail_unless (strstr (error->message, "192.0.2.1"), "%s", error->message);
}
GST_END_TEST

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
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (group);
  AfxdpNetdev netdev = {
    .index = if_nametoindex ("lo"), .name = "lo", .mtu = 1500
  };

  settings.address = address;
  settings.netdevs = &netdev;
  settings.n_netdevs = 1;
  settings.joins = TRUE;
  return open_door (&settings);
}

GST_START_TEST (test_group)
{
  g_autoptr (AfxdpSocket) one = open_group ("239.255.12.1");
  g_autoptr (AfxdpSocket) other = open_group ("239.255.12.2");
  g_autoptr (GError) error = NULL;

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
GST_END_TEST

/* With udpsrc, for one, whichever comes first; but not by the hash of
 * SO_REUSEPORT, which does not ask who joined what. */
GST_START_TEST (test_group_port_shared)
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
GST_END_TEST

GST_START_TEST (test_group_port_in_use)
{
  g_autoptr (GInetAddress) group =
      g_inet_address_new_from_string ("239.255.12.3");
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new (group, loopback->port);
  g_autoptr (GSocket) theirs = g_socket_new (G_SOCKET_FAMILY_IPV4,
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (g_socket_bind (theirs, address, FALSE, NULL));
  settings.address = group;
  fail_if (afxdp_socket_new (&settings, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE));
  fail_unless (strstr (error->message, "239.255.12.3"), "%s", error->message);
}
GST_END_TEST

/* Sources: senders of 127.0.0.0/8, some of them wanted. */

#define SOURCE_GROUP "232.12.13.14"

static const struct
{
  const gchar *text;
  gboolean wanted[3]; /* of the senders 127.9.9.1, 127.9.9.2 and 127.9.9.3 */
} source_lists[] = {
  { NULL, { TRUE, TRUE, TRUE } },
  { "+127.9.9.1", { TRUE, FALSE, FALSE } },
  { "+127.9.9.1+127.9.9.3", { TRUE, FALSE, TRUE } },
  { "-127.9.9.1", { FALSE, TRUE, TRUE } },
  { "-127.9.9.2-127.9.9.3", { TRUE, FALSE, FALSE } },
  { "+127.9.9.4", { FALSE, FALSE, FALSE } },
};

static AfxdpSources *
parse_sources (const gchar *text, guint version)
{
  g_autoptr (GError) error = NULL;
  AfxdpSources *sources = afxdp_sources_parse (text, version, &error);

  g_assert_no_error (error);
  return sources;
}

static AfxdpSocket *
open_group_of (const gchar *group, const gchar *text, gboolean joins)
{
  AfxdpSocketSettings settings = make_settings ();
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (group);
  guint version =
      g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? 6 : 4;
  g_autoptr (AfxdpSources) sources = parse_sources (text, version);
  AfxdpNetdev netdev = {
    .name = "lo", .mtu = 1500, .index = if_nametoindex ("lo")
  };

  settings.address = address;
  settings.netdevs = &netdev;
  settings.n_netdevs = 1;
  settings.sources = sources;
  settings.joins = joins;
  return open_door (&settings);
}

/* From each sender one datagram, which is its number. */
static void
send_from_each (void)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
    .sin_port = htons (loopback->port) };

  inet_pton (AF_INET, SOURCE_GROUP, &to.sin_addr);
  for (guint8 i = 0; i < 3; i++) {
    struct in_addr from = { htonl (0x7f090901 + i) };
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    fail_if (setsockopt (fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from),
        "%s", g_strerror (errno));
    fail_unless_equals_int (
        sendto (fd, &i, 1, 0, (struct sockaddr *) &to, sizeof to), 1);
    close (fd);
  }
}

GST_START_TEST (test_sources)
{
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, source_lists[__i__].text, TRUE);
  g_autoptr (GError) error = NULL;
  guint n, next = 0;

  fail_unless (
      afxdp_socket_join (socket, &error), "%s", error ? error->message : "");
  send_from_each ();
  n = receive (socket, BATCH);
  for (guint8 i = 0; i < 3; i++) {
    if (!source_lists[__i__].wanted[i])
      continue;
    fail_unless (next < n);
    fail_unless (packets[next].wanted);
    fail_unless_equals_int (packets[next].data[0], i);
    give (socket, &packets[next++]);
  }
  fail_unless_equals_int (n, next);
}
GST_END_TEST

/* Somebody else joined; the socket gets all, and says which are wanted. */
GST_START_TEST (test_sources_not_joined)
{
  g_autoptr (AfxdpSocket) other = open_group_of (SOURCE_GROUP, NULL, TRUE);
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, source_lists[__i__].text, FALSE);
  g_autoptr (GError) error = NULL;

  fail_unless (
      afxdp_socket_join (other, &error), "%s", error ? error->message : "");
  for (guint round = 0; round < 3; round++) {
    send_from_each ();
    fail_unless_equals_int (receive (socket, BATCH), 3);
    for (guint8 i = 0; i < 3; i++) {
      fail_unless_equals_int (packets[i].data[0], i);
      fail_unless_equals_int (packets[i].wanted, source_lists[__i__].wanted[i]);
      give (socket, &packets[i]);
    }
  }
}
GST_END_TEST

static const struct
{
  const gchar *group, *format, *sysctl;
} source_limits[] = {
  { SOURCE_GROUP, "%c10.9.%u.%u", "net/ipv4/igmp_max_msf" },
  { "ff35::12", "%cfd09::%x:%x", "net/ipv6/mld_max_msf" },
};

/* One source more than the host allows: the error says who limits them. */
GST_START_TEST (test_too_many_sources)
{
  const gchar *sysctl = source_limits[__i__ / 2].sysctl;
  g_autofree gchar *path = g_strconcat ("/proc/sys/", sysctl, NULL);
  g_autofree gchar *text = NULL;
  g_autofree gchar *name = g_strdelimit (g_strdup (sysctl), "/", '.');
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (AfxdpSocket) socket = NULL;
  g_autoptr (GError) error = NULL;
  guint limit;

  if (!g_file_get_contents (path, &text, NULL, NULL)) {
    g_print ("this host has no %s\n", path);
    return;
  }
  limit = atoi (text);
  for (guint i = 0; i <= limit; i++)
    g_string_append_printf (list, source_limits[__i__ / 2].format,
        __i__ % 2 ? '-' : '+', i >> 8, (i & 0xff) + 1);
  socket = open_group_of (source_limits[__i__ / 2].group, list->str, TRUE);
  fail_if (afxdp_socket_join (socket, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
  fail_unless (strstr (error->message, name), "%s", error->message);
  fail_unless (
      strstr (error->message, "multicast-source"), "%s", error->message);
}
GST_END_TEST

GST_START_TEST (test_group_not_joined)
{
  g_autofree gchar *text =
      g_strdup_printf ("join %s on the interface", loopback->address_text);
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_socket_join (door, &error)); /* it is no group */
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND));
  fail_unless (strstr (error->message, text), "%s", error->message);
}
GST_END_TEST

static Suite *
socket_suite (void)
{
  Suite *suite = suite_create ("socket");
  TCase *tcase = tcase_create ("socket");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, test_nothing);
  tcase_add_test (tcase, test_batches);
  tcase_add_loop_test (tcase, test_size, 0, G_N_ELEMENTS (sizes));
  tcase_add_test (tcase, test_sizes_mixed);
  tcase_add_loop_test (tcase, test_frame_size, 0, G_N_ELEMENTS (frame_sizes));
  tcase_add_test (tcase, test_timestamps);
  tcase_add_test (tcase, test_area_exhausted);
  tcase_add_test (tcase, test_frames_at_the_end);
  tcase_add_test (tcase, test_ipv6);
  tcase_add_test (tcase, test_options);
  tcase_add_test (tcase, test_buffer_size);
  tcase_add_test (tcase, test_any_port);
  tcase_add_test (tcase, test_port_shared);
  tcase_add_test (tcase, test_port_in_use);
  tcase_add_test (tcase, test_address_of_somebody_else);
  tcase_add_test (tcase, test_group);
  tcase_add_loop_test (tcase, test_group_port_shared, 0, 2);
  tcase_add_test (tcase, test_group_port_in_use);
  tcase_add_loop_test (tcase, test_sources, 0, G_N_ELEMENTS (source_lists));
  tcase_add_loop_test (
      tcase, test_sources_not_joined, 0, G_N_ELEMENTS (source_lists));
  tcase_add_loop_test (
      tcase, test_too_many_sources, 0, 2 * G_N_ELEMENTS (source_limits));
  tcase_add_test (tcase, test_group_not_joined);
  return suite;
}

GST_CHECK_MAIN (socket);
