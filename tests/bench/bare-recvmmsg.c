/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit of a kernel socket: a loop of recvmmsg() that reads the RTP header of
 * each packet, and nothing else.
 *
 *   bare-recvmmsg [--latency] INTERFACE GROUP PORT
 *
 * --latency: with the kernel's timestamps. session.h says how it is driven.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "session.h"

#define BATCH 64
#define LONGEST 2048
#define BUFFER_SIZE (64 << 20)

typedef struct
{
  int fd;
  BareLoop loop;
} Receiver;

static gboolean
open_socket (Receiver *receiver)
{
  const BareLoop *loop = &receiver->loop;
  struct sockaddr_in address = { AF_INET, htons (loop->port) };
  struct ip_mreqn join = { .imr_ifindex = if_nametoindex (loop->interface) };
  int on = 1, size = BUFFER_SIZE;

  receiver->fd = socket (AF_INET, SOCK_DGRAM, 0);
  if (inet_pton (AF_INET, loop->group, &address.sin_addr) != 1)
    return FALSE;
  join.imr_multiaddr = address.sin_addr;
  setsockopt (receiver->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (receiver->loop.stamped)
    setsockopt (receiver->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  return !bind (receiver->fd, (struct sockaddr *) &address, sizeof address) &&
      !setsockopt (
          receiver->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join);
}

static void
measure (Receiver *receiver, struct msghdr *message, guint64 now)
{
  struct cmsghdr *control = CMSG_FIRSTHDR (message);
  struct timespec stamp;
  guint64 arrival;

  if (!control || control->cmsg_type != SCM_TIMESTAMPNS)
    return;
  memcpy (&stamp, CMSG_DATA (control), sizeof stamp);
  arrival = stamp.tv_sec * G_GUINT64_CONSTANT (1000000000) + stamp.tv_nsec;
  afxdp_latency_add (&receiver->loop.latency, now - MIN (now, arrival));
}

static gpointer
receive (gpointer data)
{
  static guint8 area[BATCH][LONGEST];
  static guint8 controls[BATCH][CMSG_SPACE (sizeof (struct timespec))];
  static struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  Receiver *receiver = data;
  guint touched = 0;

  for (guint i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){ area[i], LONGEST };
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    guint64 now;
    int n;

    for (guint i = 0; receiver->loop.stamped && i < BATCH; i++) {
      messages[i].msg_hdr.msg_control = controls[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    n = recvmmsg (receiver->fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n < 0)
      return NULL;
    now = receiver->loop.stamped ? afxdp_clock (CLOCK_REALTIME) : 0;
    for (int i = 0; i < n; i++) {
      touched += area[i][2] << 8 | area[i][3];
      if (receiver->loop.stamped)
        measure (receiver, &messages[i].msg_hdr, now);
    }
    receiver->loop.packets += n;
    atomic_store_explicit (
        &receiver->loop.touched, touched, memory_order_relaxed);
  }
}

int
main (int argc, char **argv)
{
  static Receiver receiver;
  pthread_t thread;

  if (!session_read_arguments (&receiver.loop, argc, argv))
    return 2;
  if (!open_socket (&receiver) ||
      pthread_create (&thread, NULL, receive, &receiver)) {
    perror ("bare-recvmmsg");
    return 2;
  }
  return session_run_bare (&receiver.loop);
}
