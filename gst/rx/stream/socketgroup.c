/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The multicast group of a UDP socket: where it is joined, and from which sources. */
#include "socketstate.h"

#include <errno.h>
#include <string.h>

#include "error.h"
#include "log.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.1 */
#endif

/* bytes: an address of the socket's family, in network order. */
static void
set_address (
    const AfxdpSocket *socket, struct sockaddr_storage *to, const guint8 *bytes)
{
  struct sockaddr_in *in = (struct sockaddr_in *) to;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) to;

  memset (to, 0, sizeof *to);
  if (afxdp_socket_is_ipv6 (socket)) {
    in6->sin6_family = AF_INET6;
    memcpy (&in6->sin6_addr, bytes, sizeof in6->sin6_addr);
  } else {
    in->sin_family = AF_INET;
    memcpy (&in->sin_addr, bytes, sizeof in->sin_addr);
  }
}

/* Where the socket joins its group, from 0: 0 is where routing leads. */
static int
ifindex (const AfxdpSocket *socket, guint place)
{
  return socket->n_netdevs ? socket->netdevs[place].index : 0;
}

/* option, of RFC 3678 section 5.1: of the group, at an interface. */
static int
tell_group (AfxdpSocket *socket, int option, int index)
{
  struct group_req request = { .gr_interface = index };

  set_address (
      socket, &request.gr_group, g_inet_address_to_bytes (socket->address));
  return setsockopt (socket->fd,
      afxdp_socket_is_ipv6 (socket) ? IPPROTO_IPV6 : IPPROTO_IP, option,
      &request, sizeof request);
}

void
afxdp_socket_leave (AfxdpSocket *socket)
{
  for (guint i = 0; i < socket->joined->len; i++)
    tell_group (
        socket, MCAST_LEAVE_GROUP, g_array_index (socket->joined, int, i));
}

static const gchar *
place_name (const AfxdpSocket *socket, guint place)
{
  return socket->n_netdevs ? socket->netdevs[place].name
                           : "the interface that routing chooses";
}

static void
note_joined (AfxdpSocket *socket, guint place)
{
  int index = ifindex (socket, place);

  g_array_append_val (socket->joined, index);
}

static gboolean
join_any (AfxdpSocket *socket, guint place, GError **error)
{
  g_autofree gchar *group = g_inet_address_to_string (socket->address);
  int errnum;

  if (!tell_group (socket, MCAST_JOIN_GROUP, ifindex (socket, place))) {
    note_joined (socket, place);
    return TRUE;
  }
  errnum = errno;
  if (socket->given && errnum == EADDRINUSE)
    return TRUE; /* its owner did */
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
      "Could not join %s on %s: %s%s", group, place_name (socket, place),
      g_strerror (errnum),
      socket->n_netdevs ? ""
                        : "; set multicast-iface to the interface to "
                          "join it on");
  return FALSE;
}

/* where: the name of a place. */
static gboolean
sources_error (const AfxdpSocket *socket, const AfxdpSources *sources,
    const gchar *where, int errnum, GError **error)
{
  g_autofree gchar *group = g_inet_address_to_string (socket->address);
  const gchar *limit = afxdp_socket_is_ipv6 (socket) ? "net.ipv6.mld_max_msf"
                                                     : "net.ipv4.igmp_max_msf";
  guint n = afxdp_sources_n (sources);

  if (errnum == ENOBUFS)
    return afxdp_error_set (error, errnum,
        "Could not join %s with the %u sources of multicast-source: raise "
        "the sysctl %s, which limits them",
        group, n, limit);
  return afxdp_error_set (error, errnum,
      "Could not join %s on %s with the sources of multicast-source", group,
      where);
}

/* option, of RFC 3678 section 5.1, for each of the sources. GLib can include
 * sources, but not exclude them. */
static gboolean
tell_sources (AfxdpSocket *socket, guint place, int option, GError **error)
{
  struct group_source_req request = { .gsr_interface =
                                          ifindex (socket, place) };
  int level = afxdp_socket_is_ipv6 (socket) ? IPPROTO_IPV6 : IPPROTO_IP;

  set_address (
      socket, &request.gsr_group, g_inet_address_to_bytes (socket->address));
  for (guint i = 0; i < afxdp_sources_n (socket->sources); i++) {
    set_address (
        socket, &request.gsr_source, afxdp_sources_get (socket->sources, i));
    if (setsockopt (socket->fd, level, option, &request, sizeof request))
      return sources_error (
          socket, socket->sources, place_name (socket, place), errno, error);
  }
  return TRUE;
}

static void
log_join (const AfxdpSocket *socket, guint place)
{
  static const gchar *const kinds[] = {
    [AFXDP_SOURCES_ANY] = "all senders",
    [AFXDP_SOURCES_INCLUDE] = "those in multicast-source",
    [AFXDP_SOURCES_EXCLUDE] = "all but those in multicast-source",
  };
  g_autofree gchar *group = g_inet_address_to_string (socket->address);

  AFXDP_INFO (AFXDP_LOG_STREAM, place_name (socket, place), "joins %s from %s",
      group, kinds[afxdp_sources_kind (socket->sources)]);
}

static gboolean
join_at (AfxdpSocket *socket, guint place, GError **error)
{
  log_join (socket, place);
  switch (afxdp_sources_kind (socket->sources)) {
    case AFXDP_SOURCES_INCLUDE:
      note_joined (socket, place);
      return tell_sources (socket, place, MCAST_JOIN_SOURCE_GROUP, error);
    case AFXDP_SOURCES_EXCLUDE:
      return join_any (socket, place, error) &&
          tell_sources (socket, place, MCAST_BLOCK_SOURCE, error);
    case AFXDP_SOURCES_ANY:
      break;
  }
  return join_any (socket, place, error);
}

gboolean
afxdp_socket_join (AfxdpSocket *socket, GError **error)
{
  for (guint place = 0; place < MAX (socket->n_netdevs, 1); place++)
    if (!join_at (socket, place, error))
      return FALSE;
  return TRUE;
}

/* All of sources at once, where the group is joined already: RFC 3678 section 5.2, for
 * which Linux has MCAST_MSFILTER. It adds to the interface's filter before it takes
 * away. */
static int
tell_all_sources (
    const AfxdpSocket *socket, const AfxdpSources *sources, int index)
{
  gboolean includes = afxdp_sources_kind (sources) == AFXDP_SOURCES_INCLUDE;
  guint n = afxdp_sources_n (sources);
  gsize size = GROUP_FILTER_SIZE (n);
  g_autofree struct group_filter *filter =
      g_malloc0 (MAX (size, sizeof *filter));

  filter->gf_interface = index;
  filter->gf_fmode = includes ? MCAST_INCLUDE : MCAST_EXCLUDE;
  filter->gf_numsrc = n;
  set_address (
      socket, &filter->gf_group, g_inet_address_to_bytes (socket->address));
  for (guint i = 0; i < n; i++)
    set_address (socket, &filter->gf_slist[i], afxdp_sources_get (sources, i));
  return setsockopt (socket->fd,
      afxdp_socket_is_ipv6 (socket) ? IPPROTO_IPV6 : IPPROTO_IP, MCAST_MSFILTER,
      filter, size);
}

/* 0, or errno. */
static int
change_at (const AfxdpSocket *socket, const AfxdpSources *sources, int index)
{
  if (!tell_all_sources (socket, sources, index))
    return 0;
  /* An interface that was removed: move() joins where it comes again. */
  return errno == ENODEV ? 0 : errno;
}

static const gchar *
name_of (const AfxdpSocket *socket, int index)
{
  guint place = 0;

  while (place + 1 < socket->n_netdevs && ifindex (socket, place) != index)
    place++;
  return place_name (socket, place);
}

gboolean
afxdp_socket_set_sources (
    AfxdpSocket *socket, AfxdpSources *sources, GError **error)
{
  const int *joined = (gpointer) socket->joined->data;

  for (guint i = 0; i < socket->joined->len; i++) {
    int errnum = change_at (socket, sources, joined[i]);

    if (!errnum)
      continue;
    for (guint j = 0; j < i; j++)
      change_at (socket, socket->sources, joined[j]);
    return sources_error (
        socket, sources, name_of (socket, joined[i]), errnum, error);
  }
  afxdp_sources_ref (sources);
  afxdp_sources_unref (socket->sources);
  socket->sources = sources;
  return TRUE;
}

/* A link-local IPv6 address, or its owner, may have bound the socket to the
 * interface, which is no longer there to receive from. */
static gboolean
bind_to_other_interface (
    AfxdpSocket *socket, int former, const AfxdpNetdev *netdev, GError **error)
{
  int bound = 0;
  socklen_t size = sizeof bound;

  if (getsockopt (socket->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &bound, &size) ||
      bound != former || bound == netdev->index ||
      !setsockopt (socket->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &netdev->index,
          sizeof netdev->index))
    return TRUE;
  return afxdp_error_set (error, errno,
      "Could not bind the UDP socket to %s, which was removed and has come "
      "back",
      netdev->name);
}

gboolean
afxdp_socket_move (
    AfxdpSocket *socket, guint place, const AfxdpNetdev *netdev, GError **error)
{
  int former = ifindex (socket, place);

  if (!bind_to_other_interface (socket, former, netdev, error))
    return FALSE;
  for (guint i = socket->joined->len; i-- > 0;)
    if (g_array_index (socket->joined, int, i) == former) {
      /* The kernel remembers it, although the interface has gone. */
      tell_group (socket, MCAST_LEAVE_GROUP, former);
      g_array_remove_index_fast (socket->joined, i);
    }
  socket->netdevs[place] = *netdev;
  return !socket->joins || join_at (socket, place, error);
}
