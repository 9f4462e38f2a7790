/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a stream is received. */
#include "interfaces.h"

#include <sys/socket.h>

#include "error.h"
#include "log.h"
#include "netroutes.h"

/* The interface that its owner has bound socket to, if any. */
static gboolean
find_device (GSocket *socket, gchar *name)
{
  socklen_t size = IF_NAMESIZE;

  return socket &&
      !getsockopt (
          g_socket_get_fd (socket), SOL_SOCKET, SO_BINDTODEVICE, name, &size) &&
      size && *name;
}

gboolean
afxdp_interfaces_find (AfxdpInterfaces *interfaces, const gchar *const *names,
    GSocket *socket, GInetAddress *address, gboolean needs_route,
    GError **error)
{
  g_autoptr (GError) cause = NULL;
  guint n = names ? g_strv_length ((gchar **) names) : 0;
  gchar device[IF_NAMESIZE] = "";
  const gchar *const of_socket[] = { device };

  if (!n && find_device (socket, device)) {
    names = of_socket;
    n = 1;
  }

  interfaces->netdevs = g_new0 (AfxdpNetdev, MAX (n, 1));
  interfaces->unmoved = g_new0 (gboolean, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    if (!afxdp_netdev_by_name (names[i], &interfaces->netdevs[i], error))
      return FALSE;
  for (guint i = 0; i < n; i++)
    AFXDP_INFO (AFXDP_LOG_STREAM, names[i], "is received from, since %s",
        names == of_socket ? "the socket is bound to it"
                           : "multicast-iface names it");
  interfaces->n = n;
  if (n || g_inet_address_get_is_any (address))
    return TRUE;
  if (afxdp_netdev_by_route (address, interfaces->netdevs, &cause)) {
    AFXDP_INFO (AFXDP_LOG_STREAM, interfaces->netdevs->name,
        "is received from, since the route leads there");
    interfaces->n = 1;
    return TRUE;
  }
  g_prefix_error (&cause,
      "Set multicast-iface, since no route tells the interface to receive "
      "on: ");
  if (!needs_route &&
      g_error_matches (cause, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)) {
    interfaces->no_route = g_strdup (cause->message);
    return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

gboolean
afxdp_interfaces_register (AfxdpInterfaces *interfaces,
    const AfxdpRegistrationSettings *settings, int wake, GError **error)
{
  interfaces->registrations = g_ptr_array_new_with_free_func (
      (GDestroyNotify) afxdp_distributor_forget);
  for (guint i = 0; i < interfaces->n; i++) {
    AfxdpRegistration *registration = afxdp_distributor_register (
        &interfaces->netdevs[i], settings, wake, error);

    if (!registration)
      return FALSE;
    g_ptr_array_add (interfaces->registrations, registration);
  }
  return TRUE;
}

void
afxdp_interfaces_clear (AfxdpInterfaces *interfaces)
{
  g_clear_pointer (&interfaces->registrations, g_ptr_array_unref);
  g_clear_pointer (&interfaces->netdevs, g_free);
  g_clear_pointer (&interfaces->no_route, g_free);
  g_clear_pointer (&interfaces->unmoved, g_free);
  interfaces->n = 0;
}

gboolean
afxdp_interfaces_left_behind (const AfxdpInterfaces *interfaces)
{
  for (guint i = 0; i < afxdp_interfaces_n_registrations (interfaces); i++)
    if (afxdp_registration_has_successor (
            afxdp_interfaces_registration (interfaces, i)))
      return TRUE;
  return FALSE;
}

void
afxdp_interfaces_replace (
    AfxdpInterfaces *interfaces, guint i, AfxdpRegistration *registration)
{
  AfxdpRegistration *former = afxdp_interfaces_registration (interfaces, i);

  afxdp_registration_go_on_counting (registration, former);
  interfaces->netdevs[i] = registration->netdev;
  if (!afxdp_registration_keeps_groups (registration))
    interfaces->unmoved[i] = TRUE;
  interfaces->registrations->pdata[i] = registration;
  afxdp_distributor_forget (former);
}
