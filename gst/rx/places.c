/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a stream is received. */
#include "places.h"

#include <sys/socket.h>

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
afxdp_places_find (AfxdpPlaces *places, const gchar *const *names,
    GSocket *socket, GInetAddress *address, GError **error)
{
  guint n = names ? g_strv_length ((gchar **) names) : 0;
  gchar device[IF_NAMESIZE] = "";
  const gchar *const of_socket[] = { device };

  if (!n && find_device (socket, device)) {
    names = of_socket;
    n = 1;
  }

  places->netdevs = g_new0 (AfxdpNetdev, MAX (n, 1));
  for (guint i = 0; i < n; i++)
    if (!afxdp_netdev_by_name (names[i], &places->netdevs[i], error))
      return FALSE;
  places->n = n;
  if (n || g_inet_address_get_is_any (address))
    return TRUE;
  if (!afxdp_netdev_by_route (address, places->netdevs, error)) {
    g_prefix_error (error,
        "No interface is given with multicast-iface, and routing knows none: ");
    return FALSE;
  }
  places->n = 1;
  return TRUE;
}

gboolean
afxdp_places_join (AfxdpPlaces *places, const AfxdpMemberSettings *settings,
    int wake, GError **error)
{
  places->members = g_ptr_array_new_with_free_func (
      (GDestroyNotify) afxdp_distributor_forget);
  for (guint i = 0; i < places->n; i++) {
    AfxdpMember *member =
        afxdp_distributor_join (&places->netdevs[i], settings, wake, error);

    if (!member)
      return FALSE;
    g_ptr_array_add (places->members, member);
  }
  return TRUE;
}

void
afxdp_places_clear (AfxdpPlaces *places)
{
  g_clear_pointer (&places->members, g_ptr_array_unref);
  g_clear_pointer (&places->netdevs, g_free);
  places->n = 0;
}

gboolean
afxdp_places_left_behind (const AfxdpPlaces *places)
{
  for (guint i = 0; i < afxdp_places_n_members (places); i++)
    if (afxdp_distributor_has_successor (afxdp_places_member (places, i)))
      return TRUE;
  return FALSE;
}

void
afxdp_places_replace (AfxdpPlaces *places, guint i, AfxdpMember *member)
{
  AfxdpMember *former = afxdp_places_member (places, i);

  afxdp_member_go_on_counting (member, former);
  places->netdevs[i] = member->netdev;
  places->members->pdata[i] = member;
  afxdp_distributor_forget (former);
}
