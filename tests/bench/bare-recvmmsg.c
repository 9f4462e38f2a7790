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
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
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
  gboolean stamped;
  _Atomic guint64 packets;
  atomic_uint touched; /* so that the compiler reads the headers */
  AfxdpLatency latency;
} Receiver;

static gboolean
open_socket (
    Receiver *receiver, const gchar *interface, const gchar *group, guint port)
{
  struct sockaddr_in address = { AF_INET, htons (port) };
  struct ip_mreqn join = { .imr_ifindex = if_nametoindex (interface) };
  int on = 1, size = BUFFER_SIZE;

  receiver->fd = socket (AF_INET, SOCK_DGRAM, 0);
  if (inet_pton (AF_INET, group, &address.sin_addr) != 1)
    return FALSE;
  join.imr_multiaddr = address.sin_addr;
  setsockopt (receiver->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (receiver->stamped)
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
  afxdp_latency_add (&receiver->latency, now - MIN (now, arrival));
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

    for (guint i = 0; receiver->stamped && i < BATCH; i++) {
      messages[i].msg_hdr.msg_control = controls[i];
      messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    n = recvmmsg (receiver->fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n < 0)
      return NULL;
    now = receiver->stamped ? afxdp_clock (CLOCK_REALTIME) : 0;
    for (int i = 0; i < n; i++) {
      touched += area[i][2] << 8 | area[i][3];
      if (receiver->stamped)
        measure (receiver, &messages[i].msg_hdr, now);
    }
    receiver->packets += n;
    atomic_store_explicit (&receiver->touched, touched, memory_order_relaxed);
  }
}

static guint64
packets (gpointer data)
{
  Receiver *receiver = data;

  return receiver->packets;
}

static void
report (gpointer data, GString *json)
{
  Receiver *receiver = data;

  if (receiver->latency.n)
    session_add_histogram (json, &receiver->latency);
}

int
main (int argc, char **argv)
{
  static Receiver receiver;
  Session session = { packets, report, &receiver };
  pthread_t thread;

  if (argc == 5 && !strcmp (argv[1], "--latency")) {
    receiver.stamped = TRUE;
    argc--;
    argv++;
  }
  if (argc != 4) {
    fputs ("usage: bare-recvmmsg [--latency] INTERFACE GROUP PORT\n", stderr);
    return 2;
  }
  if (!open_socket (&receiver, argv[1], argv[2], atoi (argv[3])) ||
      pthread_create (&thread, NULL, receive, &receiver)) {
    perror ("bare-recvmmsg");
    return 2;
  }
  return session_run (&session);
}
