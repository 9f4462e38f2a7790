/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What two processes have to compare of their namespaces. */
#include "namespaces.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

guint64
afxdp_namespaces_network (void)
{
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  guint64 cookie = 0;
  socklen_t size = sizeof cookie;

  if (fd < 0)
    return 0;
  if (getsockopt (fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
    cookie = 0;
  close (fd);
  return cookie;
}

gint64
afxdp_namespaces_clock_offset (void)
{
  g_autofree gchar *text = NULL;
  gint64 seconds, ns;
  const gchar *line;

  if (!g_file_get_contents ("/proc/self/timens_offsets", &text, NULL, NULL))
    return 0;
  line = strstr (text, "monotonic");
  if (!line ||
      sscanf (line, "monotonic %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
          &seconds, &ns) != 2)
    return 0;
  return seconds * (gint64) AFXDP_S + ns;
}
