/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a UDP socket receives: each datagram into a frame, with the kernel's time. */
#include "socketstate.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "error.h"

/* A UDP datagram has 16 bits of length. */
#define LARGEST_DATAGRAM (64u << 10)
/* What has been reported so often without a pause is not over by having been
 * reported. */
#define ERROR_ATTEMPTS 16

gboolean
afxdp_socket_create_messages (AfxdpSocket *socket, guint batch, GError **error)
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

void
afxdp_socket_free_messages (AfxdpSocket *socket)
{
  for (guint i = 0; i < socket->batch; i++)
    if (socket->frames[i] != AFXDP_NO_FRAME)
      afxdp_umem_give (socket->umem, &socket->frames[i], 1);
  if (socket->spill)
    munmap (socket->spill, (gsize) socket->batch * LARGEST_DATAGRAM);
  g_free (socket->messages);
  g_free (socket->vectors);
  g_free (socket->control);
  g_free (socket->senders);
  g_free (socket->frames);
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
      packet->arrival = time.tv_sec * AFXDP_S + time.tv_nsec;
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
  if (G_LIKELY (afxdp_sources_kind (socket->wanted) == AFXDP_SOURCES_ANY))
    return TRUE;
  return sender->version == (afxdp_socket_is_ipv6 (socket) ? 6 : 4) &&
      afxdp_sources_match (socket->wanted, sender->address);
}

void
afxdp_socket_want (AfxdpSocket *socket, AfxdpSources *sources)
{
  afxdp_sources_ref (sources);
  afxdp_sources_unref (socket->wanted);
  socket->wanted = sources;
}

/* Takes message i, which has arrived, over into packet. */
static void
disarm (AfxdpSocket *socket, guint i, AfxdpSocketPacket *packet)
{
  guint8 *spill = socket->spill + (gsize) i * LARGEST_DATAGRAM;

  packet->size = socket->messages[i].msg_len;
  read_control (&socket->messages[i].msg_hdr, packet);
  if (G_UNLIKELY (packet->dropped))
    packet->dropped -= atomic_load (&socket->dropped_deaf);
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

/* Returns how many, 0 also for an error. */
static guint
receive_messages (AfxdpSocket *socket, guint n)
{
  int got;

  for (guint i = 0; i < ERROR_ATTEMPTS; i++) {
    do
      got = recvmmsg (socket->fd, socket->messages, n, MSG_DONTWAIT, NULL);
    while (got < 0 && errno == EINTR);
    if (G_LIKELY (got >= 0 || errno == EAGAIN)) {
      socket->failing_since = 0;
      return MAX (got, 0);
    }
    socket->n_errors++;
  }
  afxdp_socket_note_failure (socket, errno);
  return 0;
}

guint
afxdp_socket_receive (AfxdpSocket *socket, AfxdpSocketPacket *packets, guint n)
{
  guint used = socket->used;
  guint got;

  n = MIN (n, socket->batch);
  socket->used = n < used ? used : 0;
  for (guint i = 0; i < MIN (n, used); i++) {
    arm (socket, i);
    /* It gets a frame as soon as one is home. */
    if (socket->frames[i] == AFXDP_NO_FRAME)
      socket->used = MAX (socket->used, i + 1);
  }
  got = receive_messages (socket, n);
  for (guint i = 0; i < got; i++)
    disarm (socket, i, &packets[i]);
  socket->used = MAX (got, socket->used);
  return got;
}
