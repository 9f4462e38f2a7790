/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test needs of the kernel. */
#include "kernel.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static int
new_socket (void)
{
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  fail_if (fd < 0, "%s", g_strerror (errno));
  return fd;
}

static void
skip_unless_can (gboolean can, const gchar *what)
{
  if (!can)
    suite_skip ("no %s: %s", what, g_strerror (errno));
}

void
kernel_needs_groups (void)
{
  struct group_req request = { .gr_interface = if_nametoindex ("lo") };
  struct sockaddr_in group = { .sin_family = AF_INET,
    .sin_addr = { htonl (0xefff0c63) } };
  int fd = new_socket ();

  memcpy (&request.gr_group, &group, sizeof group);
  skip_unless_can (
      !setsockopt (fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request),
      "MCAST_JOIN_GROUP");
  close (fd);
}

/* Sends fd a datagram. Returns whether the kernel notes when it came, and not when it is
 * read. */
static gboolean
is_stamped (int fd)
{
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  struct timespec sent, came;
  union
  {
    gchar bytes[CMSG_SPACE (sizeof came)];
    struct cmsghdr align;
  } control;
  struct msghdr message = { .msg_control = &control,
    .msg_controllen = sizeof control };

  fail_if (getsockname (fd, (struct sockaddr *) &address, &length));
  fail_if (sendto (fd, "", 0, 0, (struct sockaddr *) &address, length));
  clock_gettime (CLOCK_REALTIME, &sent);
  g_usleep (1000);
  fail_if (recvmsg (fd, &message, 0));
  fail_if (!CMSG_FIRSTHDR (&message));
  memcpy (&came, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof came);
  return came.tv_sec < sent.tv_sec ||
      (came.tv_sec == sent.tv_sec && came.tv_nsec <= sent.tv_nsec);
}

void
kernel_needs_arrival_times (void)
{
  const struct sockaddr_in address = { .sin_family = AF_INET,
    .sin_addr = { htonl (INADDR_LOOPBACK) } };
  /* The kernel stops when nobody has asked for it any more. */
  static int fd = -1;
  int on = 1;

  if (fd >= 0)
    return;
  fd = new_socket ();
  skip_unless_can (!setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on),
      "SO_TIMESTAMPNS");
  fail_if (bind (fd, (const struct sockaddr *) &address, sizeof address));
  for (guint i = 0; !is_stamped (fd); i++)
    fail_if (i == 10000, "the kernel does not note when datagrams come");
}

void
kernel_needs_ethtool (void)
{
  struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
  struct ifreq request = { .ifr_name = "lo", .ifr_data = (gpointer) &value };
  int fd = new_socket ();

  skip_unless_can (!ioctl (fd, SIOCETHTOOL, &request), "SIOCETHTOOL");
  close (fd);
}

static guchar *
new_page (void)
{
  guchar *page = mmap (NULL, sysconf (_SC_PAGESIZE), PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  fail_if (page == MAP_FAILED);
  return page;
}

void
kernel_needs_dontfork (void)
{
  gsize size = sysconf (_SC_PAGESIZE);
  guchar *page = new_page ();
  guchar there;
  int status;
  pid_t child;

  fail_if (madvise (page, size, MADV_DONTFORK));
  child = fork ();
  if (!child)
    _exit (mincore (page, size, &there) ? 0 : 1);
  waitpid (child, &status, 0);
  munmap (page, size);
  if (!WIFEXITED (status) || WEXITSTATUS (status))
    suite_skip ("no MADV_DONTFORK: a child has the page all the same");
}

void
kernel_needs_populate (void)
{
  gsize size = sysconf (_SC_PAGESIZE);
  guchar *page = new_page ();
  guchar there = 0;

  fail_if (madvise (page, size, MADV_POPULATE_WRITE));
  fail_if (mincore (page, size, &there));
  munmap (page, size);
  if (!(there & 1))
    suite_skip ("no MADV_POPULATE_WRITE: the page is not there afterwards");
}
