/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's side of the daemon. */
#include "notify.h"

#include <errno.h>
#include <sys/socket.h>

#include "clock.h"
#include "error.h"

#ifdef HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

/* ns between two turns of the main loop that are told, half of what the watchdog wants;
 * 0: there is none. */
static guint64 watchdog_interval;

void
afxdp_notify_alive (void)
{
  static guint64 told_at;
  guint64 now = afxdp_now ();

  if (!watchdog_interval || now - told_at < watchdog_interval / 2)
    return;
  told_at = now;
  sd_notify (FALSE, "WATCHDOG=1");
}

static gboolean
on_watchdog (gpointer user_data)
{
  afxdp_notify_alive ();
  return G_SOURCE_CONTINUE;
}

static void
start_watchdog (void)
{
  guint64 wanted = 0; /* µs */

  if (watchdog_interval || sd_watchdog_enabled (FALSE, &wanted) <= 0)
    return;
  watchdog_interval = MAX (wanted * AFXDP_US / 2, AFXDP_MS);
  g_timeout_add (watchdog_interval / AFXDP_MS, on_watchdog, NULL);
}

void
afxdp_notify_ready (const gchar *status)
{
  start_watchdog ();
  sd_notifyf (FALSE, "READY=1\nSTATUS=%s", status);
}

void
afxdp_notify_reloading (void)
{
  sd_notifyf (FALSE, "RELOADING=1\nMONOTONIC_USEC=%" G_GUINT64_FORMAT,
      afxdp_now () / AFXDP_US);
}

void
afxdp_notify_stopping (void)
{
  sd_notify (FALSE, "STOPPING=1");
}

gboolean
afxdp_notify_socket (int *socket, GError **error)
{
  int n = sd_listen_fds (TRUE);

  *socket = -1;
  if (n < 0)
    return afxdp_error_set (
        error, -n, "Could not take the sockets of systemd's unit");
  if (!n)
    return TRUE;
  *socket = SD_LISTEN_FDS_START;
  if (n == 1 && sd_is_socket_unix (*socket, SOCK_SEQPACKET, 1, NULL, 0) > 0)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "systemd's unit gives %d sockets, and the daemon takes one, of "
      "ListenSequentialPacket=: mend its .socket unit",
      n);
  return FALSE;
}

#else

void
afxdp_notify_alive (void)
{
}

void
afxdp_notify_ready (const gchar *status)
{
}

void
afxdp_notify_reloading (void)
{
}

void
afxdp_notify_stopping (void)
{
}

gboolean
afxdp_notify_socket (int *socket, GError **error)
{
  *socket = -1;
  return TRUE;
}

#endif
