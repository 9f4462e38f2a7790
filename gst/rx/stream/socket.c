/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel UDP socket of a stream: how it is made and bound, and its end. */
#include "socketstate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "fork.h"
#include "log.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20, not in glibc 2.36 */
#endif
#ifndef UDP_GRO
#define UDP_GRO 104 /* Linux 5.0 */
#endif

/* 42 ms of the largest streams, and the kernel counts about twice a packet's
 * size; rmem_max, which is 208 KiB by default, does not bind the privileged. */
#define DEFAULT_BUFFER_SIZE (16u << 20)
#define AREA_SIZE (8u << 20)
#define LARGEST_FRAME (16u << 10)
/* A socket's buffer with less room than this is full: what the kernel counts of a
 * packet, whose memory may be larger than itself, and of those that come between a
 * look and what follows from it. */
#define PACKET_COST (16u << 10)

guint16
afxdp_socket_port (const AfxdpSocket *socket)
{
  struct sockaddr_storage native = { 0 };
  socklen_t size = sizeof native;

  if (getsockname (socket->fd, (struct sockaddr *) &native, &size))
    return 0;
  switch (native.ss_family) {
    case AF_INET:
      return g_ntohs (((const struct sockaddr_in *) &native)->sin_port);
    case AF_INET6:
      return g_ntohs (((const struct sockaddr_in6 *) &native)->sin6_port);
    default:
      return 0;
  }
}

static void
set_buffer_size (AfxdpSocket *socket, guint wanted)
{
  guint granted = 0, size = wanted ? wanted : DEFAULT_BUFFER_SIZE;
  socklen_t length = sizeof granted;

  if ((wanted || !socket->given) &&
      setsockopt (socket->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
    setsockopt (socket->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  getsockopt (socket->fd, SOL_SOCKET, SO_RCVBUF, &granted, &length);
  socket->buffer_size = granted / 2;
  AFXDP_INFO (AFXDP_LOG_STREAM, NULL,
      "the UDP socket has a buffer of %u bytes; buffer-size is %u",
      socket->buffer_size, wanted);
}

static void
set_busy_poll (AfxdpSocket *socket, int usecs)
{
  if (usecs)
    setsockopt (socket->fd, SOL_SOCKET, SO_BUSY_POLL, &usecs, sizeof usecs);
}

/* Sockets of a group share its port by SO_REUSEADDR, and each gets what it has
 * joined. GLib sets SO_REUSEPORT too: then a packet that early demux finds only
 * one of them to want, for its source or its interface, goes to any of them, by
 * hash (udp_v4_early_demux() sets sock_pfree, by which inet_steal_sock() takes
 * the socket for one of bpf_sk_assign(); Linux 6.18). */
static gboolean
bind_group (AfxdpSocket *socket, GSocketAddress *address, gboolean exclusive,
    GError **cause)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (address);
  int errnum, on = 1;

  if (!g_socket_address_to_native (address, &native, sizeof native, cause))
    return FALSE;
  if (!exclusive)
    setsockopt (socket->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!bind (socket->fd, (struct sockaddr *) &native, size))
    return TRUE;
  errnum = errno;
  g_set_error_literal (
      cause, G_IO_ERROR, g_io_error_from_errno (errnum), g_strerror (errnum));
  return FALSE;
}

static gboolean
bind_socket (
    AfxdpSocket *socket, const AfxdpStreamSettings *settings, GError **error)
{
  g_autofree gchar *address = g_inet_address_to_string (settings->address);
  /* The interface makes a link-local IPv6 address unambiguous. */
  g_autoptr (GSocketAddress) socket_address =
      g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", settings->address,
          "port", settings->port, "scope-id",
          socket->n_netdevs == 1 ? (guint) socket->netdevs->index : 0, NULL);
  g_autoptr (GError) cause = NULL;

  if (g_inet_address_get_is_multicast (settings->address)
          ? bind_group (socket, socket_address, settings->exclusive, &cause)
          : g_socket_bind (socket->gsocket, socket_address,
                !settings->exclusive, &cause)) {
    AFXDP_INFO (AFXDP_LOG_STREAM, NULL,
        "the UDP socket is bound to %s, port %u", address,
        afxdp_socket_port (socket));
    return TRUE;
  }
  g_set_error (error, AFXDP_ERROR,
      g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
          ? AFXDP_ERROR_PORT_IN_USE
          : AFXDP_ERROR_NOT_FOUND,
      "Could not bind UDP port %u of %s: %s", settings->port, address,
      cause->message);
  return FALSE;
}

/* Otherwise the socket gets the group's packets from interfaces that some other
 * program joined it on. Before it is bound: between this and the join it is deaf,
 * and a packet that it had got before would be followed by a gap. */
static void
hear_only_what_is_joined (AfxdpSocket *socket)
{
  int off = 0;

  if (afxdp_socket_is_ipv6 (socket))
    setsockopt (socket->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off, sizeof off);
  else
    setsockopt (socket->fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof off);
}

/* What comes with each packet. */
static void
ask_for_control (AfxdpSocket *socket)
{
  int on = 1;

  setsockopt (socket->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt (socket->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

static gboolean
duplicate (AfxdpSocket *socket, GError **error)
{
  int fd = g_socket_get_fd (socket->gsocket);

  socket->fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (socket->fd < 0)
    return afxdp_error_set (error, errno, "Could not duplicate the UDP socket");
  afxdp_fork_withhold (socket->fd);
  /* One that was given is its owner's to share. */
  if (!socket->given)
    afxdp_fork_replace (fd, g_socket_get_family (socket->gsocket));
  return TRUE;
}

static gboolean
has_udp_gro (int fd)
{
  socklen_t size = sizeof (int);
  int on = 0;

  return !getsockopt (fd, IPPROTO_UDP, UDP_GRO, &on, &size) && on;
}

/* Its options are its owner's. */
static gboolean
take_socket (
    AfxdpSocket *socket, const AfxdpStreamSettings *settings, GError **error)
{
  socket->gsocket = g_object_ref (settings->socket);
  socket->given = socket->keep_open = TRUE;
  if (!g_socket_is_closed (socket->gsocket) && !duplicate (socket, error))
    return FALSE;
  if (socket->fd < 0 ||
      g_socket_get_socket_type (socket->gsocket) != G_SOCKET_TYPE_DATAGRAM ||
      !afxdp_socket_port (socket)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The socket that was given is closed, not bound, or not a UDP socket");
    return FALSE;
  }
  if (has_udp_gro (g_socket_get_fd (socket->gsocket))) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The socket that was given has the option UDP_GRO, with which the "
        "kernel hands out several datagrams as one: set it to 0");
    return FALSE;
  }
  AFXDP_INFO (AFXDP_LOG_STREAM, NULL, "takes the UDP socket that was given");
  ask_for_control (socket);
  set_buffer_size (socket, settings->buffer_size);
  socket->keep_open = FALSE;
  return TRUE;
}

static gboolean
open_socket (
    AfxdpSocket *socket, const AfxdpStreamSettings *settings, GError **error)
{
  GSocketFamily family = g_inet_address_get_family (settings->address);
  g_autoptr (GError) cause = NULL;

  socket->gsocket = g_socket_new (
      family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &cause);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    return afxdp_error_set (error, EMFILE, "Could not create a UDP socket");
  if (!socket->gsocket) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  if (!duplicate (socket, error))
    return FALSE;
  /* For whoever sends by it. */
  g_socket_set_broadcast (socket->gsocket, TRUE);
  g_socket_set_multicast_loopback (socket->gsocket, !settings->no_loop);
  ask_for_control (socket);
  set_buffer_size (socket, settings->buffer_size);
  set_busy_poll (socket, settings->busy_poll);
  if (socket->joins)
    hear_only_what_is_joined (socket);
  return bind_socket (socket, settings, error);
}

static guint
frame_size_for (const AfxdpSocket *socket)
{
  guint size = 2048;

  for (guint i = 0; i < socket->n_netdevs; i++)
    while (size < socket->netdevs[i].mtu && size < LARGEST_FRAME)
      size *= 2;
  return size;
}

AfxdpSocket *
afxdp_socket_new (const AfxdpStreamSettings *settings,
    const AfxdpNetdev *netdevs, guint n_netdevs, GError **error)
{
  g_autoptr (AfxdpSocket) socket = g_new0 (AfxdpSocket, 1);

  socket->fd = -1;
  socket->address = g_object_ref (settings->address);
  socket->joins = settings->auto_multicast;
  socket->joined = g_array_new (FALSE, FALSE, sizeof (int));
  socket->n_netdevs = n_netdevs;
  socket->netdevs = g_memdup2 (netdevs, n_netdevs * sizeof *netdevs);
  socket->sources = afxdp_sources_ref (settings->sources);
  socket->wanted = afxdp_sources_ref (settings->sources);
  socket->frame_size = frame_size_for (socket);
  socket->umem =
      afxdp_umem_new (MAX (AREA_SIZE / socket->frame_size, 4 * settings->batch),
          socket->frame_size, error);
  if (!socket->umem)
    return NULL;
  socket->account = afxdp_account_new (socket->umem);
  if (!afxdp_socket_create_messages (socket, settings->batch, error) ||
      !(settings->socket ? take_socket (socket, settings, error)
                         : open_socket (socket, settings, error)))
    return NULL;
  return g_steal_pointer (&socket);
}

void
afxdp_socket_keep_open (AfxdpSocket *socket)
{
  socket->keep_open = socket->given;
}

void
afxdp_socket_free (AfxdpSocket *socket)
{
  if (!socket)
    return;
  if (socket->fd >= 0) {
    afxdp_socket_leave (socket);
    afxdp_fork_close (socket->fd);
  }
  if (socket->gsocket && !socket->keep_open) {
    if (!socket->given && !g_socket_is_closed (socket->gsocket))
      afxdp_fork_forget (g_socket_get_fd (socket->gsocket));
    g_socket_close (socket->gsocket, NULL);
  }
  g_clear_error (&socket->error);
  g_clear_object (&socket->gsocket);
  g_clear_object (&socket->address);
  g_free (socket->netdevs);
  g_array_unref (socket->joined);
  afxdp_sources_unref (socket->sources);
  afxdp_sources_unref (socket->wanted);
  afxdp_socket_free_messages (socket);
  afxdp_account_close (socket->account);
  afxdp_umem_unref (socket->umem);
  g_free (socket);
}

GSocket *
afxdp_socket_gsocket (const AfxdpSocket *socket)
{
  return socket->gsocket;
}

gboolean
afxdp_socket_is_connected (const AfxdpSocket *socket)
{
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;

  return !getpeername (socket->fd, (struct sockaddr *) &peer, &size);
}

int
afxdp_socket_fd (const AfxdpSocket *socket)
{
  return socket->fd;
}

guint64
afxdp_socket_inode (const AfxdpSocket *socket)
{
  struct stat status;

  return fstat (socket->fd, &status) ? 0 : status.st_ino;
}

guint
afxdp_socket_buffer_size (const AfxdpSocket *socket)
{
  return socket->buffer_size;
}

AfxdpUmem *
afxdp_socket_umem (const AfxdpSocket *socket)
{
  return socket->umem;
}

AfxdpAccount *
afxdp_socket_account (const AfxdpSocket *socket, guint *share)
{
  /* A batch of them is to receive with, and one is in the reader's hands. */
  *share = afxdp_umem_n_frames (socket->umem) - 2 * socket->batch;
  return socket->account;
}

gboolean
afxdp_socket_is_full (const AfxdpSocket *socket)
{
  guint32 values[SK_MEMINFO_VARS] = { 0 };
  socklen_t size = sizeof values;

  return !getsockopt (socket->fd, SOL_SOCKET, SO_MEMINFO, values, &size) &&
      values[SK_MEMINFO_RMEM_ALLOC] + PACKET_COST >= values[SK_MEMINFO_RCVBUF];
}

/* As the kernel counts. */
static guint32
n_dropped (const AfxdpSocket *socket)
{
  guint32 values[SK_MEMINFO_VARS] = { 0 };
  socklen_t size = sizeof values;

  getsockopt (socket->fd, SOL_SOCKET, SO_MEMINFO, values, &size);
  return values[SK_MEMINFO_DROPS];
}

guint32
afxdp_socket_dropped (const AfxdpSocket *socket)
{
  if (atomic_load (&socket->deaf))
    return atomic_load (&socket->dropped_hearing);
  return n_dropped (socket) - atomic_load (&socket->dropped_deaf);
}

gboolean
afxdp_socket_set_deaf (AfxdpSocket *socket, gboolean deaf)
{
  struct sock_filter nothing = BPF_STMT (BPF_RET | BPF_K, 0);
  const struct sock_fprog program = { 1, &nothing };
  const int unused = 0;

  if (deaf == atomic_load (&socket->deaf))
    return TRUE;
  if (deaf) {
    atomic_store (&socket->dropped_hearing, afxdp_socket_dropped (socket));
    atomic_store (&socket->deaf, TRUE);
    if (!setsockopt (
            socket->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program))
      return TRUE;
    atomic_store (&socket->deaf, FALSE);
    return FALSE;
  } else {
    setsockopt (
        socket->fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
    /* The kernel counts what a filter drops as what has no room. */
    atomic_store (&socket->dropped_deaf,
        n_dropped (socket) - atomic_load (&socket->dropped_hearing));
    atomic_store (&socket->deaf, FALSE);
    return TRUE;
  }
}
