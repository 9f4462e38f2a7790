/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The slow path alone, and the senders that it is received from: those that the kernel
 * lets through, and those that are wanted. */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "loopback.h"
#include "suite.h"

#define BATCH 32

static Loopback *loopback;
static AfxdpSocketPacket packets[BATCH];

static void
set_up (void)
{
  loopback = loopback_new ();
}

static void
tear_down (void)
{
  loopback_free (loopback);
}

static void
give (AfxdpSocket *to, const AfxdpSocketPacket *packet)
{
  if (packet->frame != AFXDP_NO_FRAME)
    afxdp_umem_give (afxdp_socket_umem (to), &packet->frame, 1);
}

/* Senders of 127.0.0.0/8, some of them wanted. */

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
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (group);
  guint version =
      g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? 6 : 4;
  g_autoptr (AfxdpSources) sources = parse_sources (text, version);
  AfxdpNetdev netdev = {
    .name = "lo", .mtu = 1500, .index = if_nametoindex ("lo")
  };
  const AfxdpStreamSettings settings = {
    .address = address,
    .port = loopback->port,
    .sources = sources,
    .batch = BATCH,
    .auto_multicast = joins,
  };
  g_autoptr (GError) error = NULL;
  AfxdpSocket *opened = afxdp_socket_new (&settings, &netdev, 1, &error);

  g_assert_no_error (error);
  return opened;
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

/* What the senders' datagrams are, and no others. */
static void
assert_from_each (AfxdpSocket *socket, const gboolean *heard)
{
  guint n = afxdp_socket_receive (socket, packets, BATCH), next = 0;

  for (guint8 i = 0; i < 3; i++) {
    if (!heard[i])
      continue;
    fail_unless (next < n);
    fail_unless_equals_int (packets[next].data[0], i);
    fail_unless (packets[next].wanted);
    give (socket, &packets[next++]);
  }
  fail_unless_equals_int (n, next);
}

TABLE_TEST (test_sources, source_lists)
{
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, source_lists[__i__].text, TRUE);
  g_autoptr (GError) error = NULL;

  kernel_needs_groups ();
  fail_unless (
      afxdp_socket_join (socket, &error), "%s", error ? error->message : "");
  send_from_each ();
  assert_from_each (socket, source_lists[__i__].wanted);
}

/* From each of the lists to each: by the kernel's filter, and by ours. */
LOOP_TEST (test_changed_sources,
    G_N_ELEMENTS (source_lists) * G_N_ELEMENTS (source_lists))
{
  typeof (&source_lists[0]) former =
      &source_lists[__i__ / G_N_ELEMENTS (source_lists)];
  typeof (&source_lists[0]) later =
      &source_lists[__i__ % G_N_ELEMENTS (source_lists)];
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, former->text, TRUE);
  g_autoptr (AfxdpSources) sources = parse_sources (later->text, 4);
  g_autoptr (GError) error = NULL;

  kernel_needs_groups ();
  fail_unless (
      afxdp_socket_join (socket, &error), "%s", error ? error->message : "");
  send_from_each ();
  assert_from_each (socket, former->wanted);
  fail_unless (afxdp_socket_set_sources (socket, sources, &error), "%s",
      error ? error->message : "");
  send_from_each ();
  afxdp_socket_want (socket, sources);
  assert_from_each (socket, later->wanted);
}

/* Somebody else joined; the socket gets all, and says which are wanted. */
TABLE_TEST (test_sources_not_joined, source_lists)
{
  g_autoptr (AfxdpSocket) other = open_group_of (SOURCE_GROUP, NULL, TRUE);
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, source_lists[__i__].text, FALSE);
  g_autoptr (GError) error = NULL;

  kernel_needs_groups ();
  fail_unless (
      afxdp_socket_join (other, &error), "%s", error ? error->message : "");
  for (guint round = 0; round < 3; round++) {
    send_from_each ();
    fail_unless_equals_int (afxdp_socket_receive (socket, packets, BATCH), 3);
    for (guint8 i = 0; i < 3; i++) {
      fail_unless_equals_int (packets[i].data[0], i);
      fail_unless_equals_int (packets[i].wanted, source_lists[__i__].wanted[i]);
      give (socket, &packets[i]);
    }
  }
}

static const struct
{
  const gchar *group, *format, *sysctl;
} source_limits[] = {
  { SOURCE_GROUP, "%c10.9.%u.%u", "net/ipv4/igmp_max_msf" },
  { "ff35::12", "%cfd09::%x:%x", "net/ipv6/mld_max_msf" },
};

/* One source more than the host allows: the error says who limits them. */
LOOP_TEST (test_too_many_sources, 2 * G_N_ELEMENTS (source_limits))
{
  const gchar *sysctl = source_limits[__i__ / 2].sysctl;
  g_autofree gchar *path = g_strconcat ("/proc/sys/", sysctl, NULL);
  g_autofree gchar *text = NULL;
  g_autofree gchar *name = g_strdelimit (g_strdup (sysctl), "/", '.');
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (AfxdpSocket) socket = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpSources) too_many = NULL;
  g_autoptr (GError) again = NULL;
  guint limit, version = __i__ / 2 ? 6 : 4;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    suite_skip ("this host has no %s", path);
  kernel_needs_groups ();
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

  /* And so says a change to them; it changes nothing. */
  afxdp_socket_free (socket);
  socket = open_group_of (source_limits[__i__ / 2].group, NULL, TRUE);
  fail_unless (afxdp_socket_join (socket, NULL));
  too_many = parse_sources (list->str, version);
  fail_if (afxdp_socket_set_sources (socket, too_many, &again));
  fail_unless_equals_string (again->message, error->message);
}

/* What the kernel refuses leaves the former sources. */
TEST (test_refused_sources)
{
  static const gboolean one[] = { TRUE, FALSE, FALSE };
  g_autoptr (AfxdpSocket) socket =
      open_group_of (SOURCE_GROUP, "+127.9.9.1", TRUE);
  g_autoptr (AfxdpSources) too_many = NULL;
  g_autoptr (GString) list = g_string_new (NULL);

  kernel_needs_groups ();
  fail_unless (afxdp_socket_join (socket, NULL));
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (list, "-127.9.%u.%u", 10 + (i >> 8), i & 0xff);
  too_many = parse_sources (list->str, 4);
  fail_if (afxdp_socket_set_sources (socket, too_many, NULL));
  send_from_each ();
  assert_from_each (socket, one);
}

SUITE ("socket-sources", 30, set_up, tear_down)
