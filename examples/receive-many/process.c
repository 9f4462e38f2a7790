/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits and use of the process. */
#include "process.h"

#include <errno.h>
#include <gio/gio.h>
#include <sys/resource.h>

#define NS_PER_SECOND G_GUINT64_CONSTANT (1000000000)

/* A stream has a UDP socket and a duplicate of it, an AF_XDP socket on the one queue
 * that its flow arrives on, an eventfd, and the two ends by which its bus wakes us.
 * What all share (standard streams, XDP program and maps, netlink, main loop) is 30. */
#define FILES_OF_A_STREAM 6
/* All of that but the bus; and both legs are served by a receiver, which has two. */
#define FILES_OF_A_SECOND_LEG 6
#define FILES_BESIDES 64

gboolean
process_raise_files (guint streams, guint legs, GError **error)
{
  const rlim_t wanted = FILES_BESIDES + (rlim_t) streams * FILES_OF_A_STREAM +
      (rlim_t) (legs - streams) * FILES_OF_A_SECOND_LEG;
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    goto failed;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
        "%u streams need some %" G_GUINT64_FORMAT " file descriptors, and the "
        "hard limit of this process is %" G_GUINT64_FORMAT ": raise it as "
        "root, with \"ulimit -Hn %" G_GUINT64_FORMAT "\" in the shell or "
        "LimitNOFILE= in the systemd unit",
        streams, (guint64) wanted, (guint64) limit.rlim_max, (guint64) wanted);
    return FALSE;
  }
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) == 0)
    return TRUE;

failed:
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
      "Could not raise the limit of open files (RLIMIT_NOFILE): %s",
      g_strerror (errno));
  return FALSE;
}

static guint64
to_ns (struct timeval time)
{
  return time.tv_sec * NS_PER_SECOND + time.tv_usec * 1000;
}

guint64
process_cpu_time (void)
{
  struct rusage usage;

  /* Cannot fail: the argument is a constant and the address is ours. */
  getrusage (RUSAGE_SELF, &usage);
  return to_ns (usage.ru_utime) + to_ns (usage.ru_stime);
}
