/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel UDP socket of a stream. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "others.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20, not in glibc 2.36 */
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.1 */
#endif

/* 42 ms of the largest streams, and the kernel counts about twice a packet's
 * size; rmem_max, which is 208 KiB by default, does not bind the privileged. */
#define DEFAULT_BUFFER_SIZE (16u << 20)
#define AREA_SIZE (8u << 20)
#define LARGEST_FRAME (16u << 10)
/* A UDP datagram has 16 bits of length. */
#define LARGEST_DATAGRAM (64u << 10)

/* What the kernel tells of each datagram beside it. */
typedef guint8 Control[CMSG_SPACE (sizeof (struct timespec)) +
    CMSG_SPACE (sizeof (guint32))];

struct _AfxdpSocket
{
  GInetAddress *address;
  AfxdpNetdev *netdevs;
  guint n_netdevs; /* 0: where routing leads */
  gboolean joins;
  GArray *joined; /* int: interface indexes where we joined it, 0 likewise */
  AfxdpSources *sources;
  GSocket *gsocket;
  gboolean given;
  gboolean keep_open;
  int fd;
  guint buffer_size;
  AfxdpUmem *umem;
  guint frame_size;

  /* One for each message of recvmmsg. A message has a frame (or not, when the
   * area is out of them), and room for what is longer. */
  guint batch;
  guint used; /* messages below this are to be prepared anew */
  struct mmsghdr *messages;
  struct iovec (*vectors)[2];
  Control *control;
  struct sockaddr_storage *senders;
  guint32 *frames;
  guint8 *spill; /* batch times LARGEST_DATAGRAM, touched when used */
};

guint16
afxdp_socket_port (const AfxdpSocket *socket)
{
  g_autoptr (GSocketAddress) address =
      g_socket_get_local_address (socket->gsocket, NULL);

  return G_IS_INET_SOCKET_ADDRESS (address)
      ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address))
      : 0;
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
    AfxdpSocket *socket, const AfxdpSocketSettings *settings, GError **error)
{
  g_autofree gchar *address = g_inet_address_to_string (settings->address);
  /* The interface makes a link-local IPv6 address unambiguous. */
  g_autoptr (GSocketAddress) socket_address = g_object_new (
      G_TYPE_INET_SOCKET_ADDRESS, "address", settings->address, "port",
      settings->port, "scope-id",
      settings->n_netdevs == 1 ? (guint) settings->netdevs->index : 0, NULL);
  g_autoptr (GError) cause = NULL;

  if (g_inet_address_get_is_multicast (settings->address)
          ? bind_group (socket, socket_address, settings->exclusive, &cause)
          : g_socket_bind (
                socket->gsocket, socket_address, !settings->exclusive, &cause))
    return TRUE;
  g_set_error (error, AFXDP_ERROR,
      g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)
          ? AFXDP_ERROR_PORT_IN_USE
          : AFXDP_ERROR_NOT_FOUND,
      "Could not bind UDP port %u of %s: %s", settings->port, address,
      cause->message);
  return FALSE;
}

static gboolean
is_ipv6 (const AfxdpSocket *socket)
{
  return g_inet_address_get_family (socket->address) == G_SOCKET_FAMILY_IPV6;
}

/* Otherwise the socket gets the group's packets from interfaces that some other
 * program joined it on. Before it is bound: between this and the join it is deaf,
 * and a packet that it had got before would be followed by a gap. */
static void
hear_only_what_is_joined (AfxdpSocket *socket)
{
  int off = 0;

  if (is_ipv6 (socket))
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

/* Its options are its owner's. */
static gboolean
take_socket (
    AfxdpSocket *socket, const AfxdpSocketSettings *settings, GError **error)
{
  socket->gsocket = g_object_ref (settings->given);
  socket->given = socket->keep_open = TRUE;
  if (g_socket_is_closed (socket->gsocket) ||
      g_socket_get_socket_type (socket->gsocket) != G_SOCKET_TYPE_DATAGRAM ||
      !afxdp_socket_port (socket)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The socket that was given is not an open UDP socket that is bound");
    return FALSE;
  }
  /* One of our own: its owner may close his while we read. */
  socket->fd = fcntl (g_socket_get_fd (socket->gsocket), F_DUPFD_CLOEXEC, 0);
  if (socket->fd < 0)
    return afxdp_error_set (
        error, errno, "Could not duplicate the socket that was given");
  ask_for_control (socket);
  set_buffer_size (socket, settings->buffer_size);
  socket->keep_open = FALSE;
  return TRUE;
}

static gboolean
open_socket (
    AfxdpSocket *socket, const AfxdpSocketSettings *settings, GError **error)
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
  socket->fd = g_socket_get_fd (socket->gsocket);
  /* For whoever sends by it. */
  g_socket_set_broadcast (socket->gsocket, TRUE);
  g_socket_set_multicast_loopback (socket->gsocket, !settings->no_loop);
  ask_for_control (socket);
  set_buffer_size (socket, settings->buffer_size);
  set_busy_poll (socket, settings->busy_poll);
  if (settings->joins)
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

static gboolean
create_messages (AfxdpSocket *socket, guint batch, GError **error)
{
  gpointer spill =
      mmap (NULL, (gsize) batch * LARGEST_DATAGRAM, PROT_READ | PROT_WRITE,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (spill == MAP_FAILED)
    return afxdp_error_set (
        error, errno, "Could not map memory for %u large datagrams", batch);
  socket->batch = socket->used = batch;
  socket->spill = spill;
  socket->messages = g_new0 (struct mmsghdr, batch);
  socket->vectors = g_malloc0_n (batch, sizeof *socket->vectors);
  socket->control = g_malloc0_n (batch, sizeof *socket->control);
  socket->frames = g_new (guint32, batch);
  socket->senders = g_new0 (struct sockaddr_storage, batch);
  for (guint i = 0; i < batch; i++) {
    struct msghdr *header = &socket->messages[i].msg_hdr;

    socket->frames[i] = AFXDP_NO_FRAME;
    header->msg_iov = socket->vectors[i];
    header->msg_control = socket->control[i];
    header->msg_name = &socket->senders[i];
  }
  return TRUE;
}

AfxdpSocket *
afxdp_socket_new (const AfxdpSocketSettings *settings, GError **error)
{
  g_autoptr (AfxdpSocket) socket = g_new0 (AfxdpSocket, 1);

  socket->fd = -1;
  socket->address = g_object_ref (settings->address);
  socket->joins = settings->joins;
  socket->joined = g_array_new (FALSE, FALSE, sizeof (int));
  socket->n_netdevs = settings->n_netdevs;
  socket->netdevs = g_memdup2 (
      settings->netdevs, settings->n_netdevs * sizeof *settings->netdevs);
  socket->sources = afxdp_sources_ref (settings->sources);
  socket->frame_size = frame_size_for (socket);
  socket->umem =
      afxdp_umem_new (MAX (AREA_SIZE / socket->frame_size, 4 * settings->batch),
          socket->frame_size, error);
  if (!socket->umem || !create_messages (socket, settings->batch, error) ||
      !(settings->given ? take_socket (socket, settings, error)
                        : open_socket (socket, settings, error)))
    return NULL;
  return g_steal_pointer (&socket);
}

/* bytes: an address of the socket's family, in network order. */
static void
set_address (
    const AfxdpSocket *socket, struct sockaddr_storage *to, const guint8 *bytes)
{
  struct sockaddr_in *in = (struct sockaddr_in *) to;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) to;

  memset (to, 0, sizeof *to);
  if (is_ipv6 (socket)) {
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
  return setsockopt (socket->fd, is_ipv6 (socket) ? IPPROTO_IPV6 : IPPROTO_IP,
      option, &request, sizeof request);
}

/* A socket that is closed has left its group. */
static void
leave (AfxdpSocket *socket)
{
  for (guint i = 0; i < socket->joined->len; i++)
    tell_group (
        socket, MCAST_LEAVE_GROUP, g_array_index (socket->joined, int, i));
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
  if (socket->gsocket && socket->keep_open)
    leave (socket);
  else if (socket->gsocket)
    g_socket_close (socket->gsocket, NULL);
  if (socket->given && socket->fd >= 0)
    close (socket->fd);
  g_clear_object (&socket->gsocket);
  g_clear_object (&socket->address);
  g_free (socket->netdevs);
  g_array_unref (socket->joined);
  afxdp_sources_unref (socket->sources);
  for (guint i = 0; i < socket->batch; i++)
    if (socket->frames[i] != AFXDP_NO_FRAME)
      afxdp_umem_give (socket->umem, &socket->frames[i], 1);
  afxdp_umem_unref (socket->umem);
  if (socket->spill)
    munmap (socket->spill, (gsize) socket->batch * LARGEST_DATAGRAM);
  g_free (socket->messages);
  g_free (socket->vectors);
  g_free (socket->control);
  g_free (socket->senders);
  g_free (socket->frames);
  g_free (socket);
}

static const gchar *
place_name (const AfxdpSocket *socket, guint place)
{
  return socket->n_netdevs ? socket->netdevs[place].name
                           : "the interface routing leads to";
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
      "Could not join %s on %s: %s", group, place_name (socket, place),
      g_strerror (errnum));
  return FALSE;
}

static gboolean
sources_error (AfxdpSocket *socket, guint place, int errnum, GError **error)
{
  g_autofree gchar *group = g_inet_address_to_string (socket->address);
  const gchar *limit =
      is_ipv6 (socket) ? "net.ipv6.mld_max_msf" : "net.ipv4.igmp_max_msf";
  guint n = afxdp_sources_n (socket->sources);

  if (errnum == ENOBUFS)
    return afxdp_error_set (error, errnum,
        "Could not join %s with the %u sources of multicast-source: the sysctl "
        "%s limits them",
        group, n, limit);
  return afxdp_error_set (error, errnum,
      "Could not join %s on %s with the sources of multicast-source", group,
      place_name (socket, place));
}

/* option, of RFC 3678 section 5.1, for each of the sources. GLib can include
 * sources, but not exclude them. */
static gboolean
tell_sources (AfxdpSocket *socket, guint place, int option, GError **error)
{
  struct group_source_req request = { .gsr_interface =
                                          ifindex (socket, place) };
  int level = is_ipv6 (socket) ? IPPROTO_IPV6 : IPPROTO_IP;

  set_address (
      socket, &request.gsr_group, g_inet_address_to_bytes (socket->address));
  for (guint i = 0; i < afxdp_sources_n (socket->sources); i++) {
    set_address (
        socket, &request.gsr_source, afxdp_sources_get (socket->sources, i));
    if (setsockopt (socket->fd, level, option, &request, sizeof request))
      return sources_error (socket, place, errno, error);
  }
  return TRUE;
}

static gboolean
join_at (AfxdpSocket *socket, guint place, GError **error)
{
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
      "again",
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

GSocket *
afxdp_socket_gsocket (const AfxdpSocket *socket)
{
  return socket->gsocket;
}

gboolean
afxdp_socket_is_connected (const AfxdpSocket *socket)
{
  g_autoptr (GSocketAddress) peer =
      g_socket_get_remote_address (socket->gsocket, NULL);

  return peer != NULL;
}

int
afxdp_socket_fd (const AfxdpSocket *socket)
{
  return socket->fd;
}

guint
afxdp_socket_count_others (const AfxdpSocket *socket)
{
  return afxdp_others_count (
      socket->address, afxdp_socket_port (socket), socket->fd);
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

guint
afxdp_socket_n_armed (const AfxdpSocket *socket)
{
  return socket->batch;
}

guint32
afxdp_socket_dropped (const AfxdpSocket *socket)
{
  guint32 values[SK_MEMINFO_VARS] = { 0 };
  socklen_t size = sizeof values;

  getsockopt (socket->fd, SOL_SOCKET, SO_MEMINFO, values, &size);
  return values[SK_MEMINFO_DROPS];
}

/* Gives message i a frame and room behind it. */
static void
arm (AfxdpSocket *socket, guint i)
{
  struct msghdr *header = &socket->messages[i].msg_hdr;
  guint8 *spill = socket->spill + (gsize) i * LARGEST_DATAGRAM;

  if (socket->frames[i] == AFXDP_NO_FRAME)
    afxdp_umem_take (socket->umem, &socket->frames[i], 1, FALSE);
  if (socket->frames[i] == AFXDP_NO_FRAME) {
    socket->vectors[i][0] = (struct iovec){ spill, LARGEST_DATAGRAM };
    header->msg_iovlen = 1;
  } else {
    guint8 *frame = afxdp_umem_frame (socket->umem, socket->frames[i]);

    socket->vectors[i][0] = (struct iovec){ frame, socket->frame_size };
    socket->vectors[i][1] = (struct iovec){ spill + socket->frame_size,
      LARGEST_DATAGRAM - socket->frame_size };
    header->msg_iovlen = 2;
  }
  header->msg_controllen = sizeof *socket->control;
  header->msg_namelen = sizeof *socket->senders;
  header->msg_flags = 0;
}

/* Reads what the kernel told beside a datagram. A socket that never dropped any
 * does not say so. */
static void
read_control (struct msghdr *header, AfxdpSocketPacket *packet)
{
  packet->arrival = 0;
  packet->dropped = 0;
  for (struct cmsghdr *control = CMSG_FIRSTHDR (header); control;
       control = CMSG_NXTHDR (header, control)) {
    if (control->cmsg_level != SOL_SOCKET)
      continue;
    if (control->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;

      memcpy (&time, CMSG_DATA (control), sizeof time);
      packet->arrival =
          time.tv_sec * G_GUINT64_CONSTANT (1000000000) + time.tv_nsec;
    } else if (control->cmsg_type == SO_RXQ_OVFL) {
      memcpy (&packet->dropped, CMSG_DATA (control), sizeof packet->dropped);
    }
  }
}

/* An IPv4 sender of an IPv6 socket is written as ::ffff:ADDRESS (RFC 4291 section
 * 2.5.5.2), and is the IPv4 one to everybody else. */
static void
read_sender (const struct sockaddr_storage *native, AfxdpSender *sender)
{
  const struct sockaddr_in *in = (const struct sockaddr_in *) native;
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) native;

  if (native->ss_family != AF_INET6)
    *sender = (AfxdpSender){
      .address = (const guint8 *) &in->sin_addr,
      .port = g_ntohs (in->sin_port),
      .version = 4,
    };
  else if (IN6_IS_ADDR_V4MAPPED (&in6->sin6_addr))
    *sender = (AfxdpSender){
      .address = &in6->sin6_addr.s6_addr[12],
      .port = g_ntohs (in6->sin6_port),
      .version = 4,
    };
  else
    *sender = (AfxdpSender){
      .address = in6->sin6_addr.s6_addr,
      .scope = in6->sin6_scope_id,
      .port = g_ntohs (in6->sin6_port),
      .version = 6,
    };
}

/* The kernel's filter begins at the join, for excluded sources a little later,
 * and with auto-multicast=false never. */
static gboolean
is_wanted (const AfxdpSocket *socket, const AfxdpSender *sender)
{
  if (G_LIKELY (afxdp_sources_kind (socket->sources) == AFXDP_SOURCES_ANY))
    return TRUE;
  return sender->version == (is_ipv6 (socket) ? 6 : 4) &&
      afxdp_sources_match (socket->sources, sender->address);
}

/* Takes message i, which has arrived, over into packet. */
static void
disarm (AfxdpSocket *socket, guint i, AfxdpSocketPacket *packet)
{
  guint8 *spill = socket->spill + (gsize) i * LARGEST_DATAGRAM;

  packet->size = socket->messages[i].msg_len;
  read_control (&socket->messages[i].msg_hdr, packet);
  read_sender (&socket->senders[i], &packet->sender);
  packet->wanted = is_wanted (socket, &packet->sender);
  packet->frame = AFXDP_NO_FRAME;
  packet->data = spill;
  if (socket->frames[i] == AFXDP_NO_FRAME)
    return;
  if (packet->size > socket->frame_size) {
    /* Longer than a frame, which is rare: in one piece, and the frame stays. */
    memcpy (spill, afxdp_umem_frame (socket->umem, socket->frames[i]),
        socket->frame_size);
    return;
  }
  packet->data = afxdp_umem_frame (socket->umem, socket->frames[i]);
  packet->frame = socket->frames[i];
  socket->frames[i] = AFXDP_NO_FRAME;
}

guint
afxdp_socket_receive (AfxdpSocket *socket, AfxdpSocketPacket *packets, guint n)
{
  guint used = socket->used;
  int got;

  n = MIN (n, socket->batch);
  socket->used = n < used ? used : 0;
  for (guint i = 0; i < MIN (n, used); i++) {
    arm (socket, i);
    /* It gets a frame as soon as one is home. */
    if (socket->frames[i] == AFXDP_NO_FRAME)
      socket->used = MAX (socket->used, i + 1);
  }
  do
    got = recvmmsg (socket->fd, socket->messages, n, MSG_DONTWAIT, NULL);
  while (got < 0 && errno == EINTR);
  for (int i = 0; i < got; i++)
    disarm (socket, i, &packets[i]);
  socket->used = MAX (got, (int) socket->used);
  /* An error other than being empty is an answer to something sent (ICMP), which
   * we do not, and is over when it was reported. */
  return MAX (got, 0);
}
