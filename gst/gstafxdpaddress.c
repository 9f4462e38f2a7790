/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An address as an application writes it. */
#include "gstafxdpaddress.h"

#include <net/if.h>
#include <string.h>

#include "error.h"

GInetAddress *
gst_afxdp_address_read (const gchar *text, gchar **zone)
{
  gsize length = strcspn (text, "%");
  g_autofree gchar *bare = g_strndup (text, length);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (bare);

  *zone = NULL;
  if (!text[length])
    return g_steal_pointer (&address);
  if (!address || !text[length + 1] ||
      g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6)
    return NULL;
  *zone = g_strdup (text + length + 1);
  return g_steal_pointer (&address);
}

gboolean
gst_afxdp_address_is_same (const gchar *one, const gchar *other)
{
  g_autofree gchar *one_zone = NULL;
  g_autofree gchar *other_zone = NULL;
  g_autoptr (GInetAddress) one_address =
      gst_afxdp_address_read (one, &one_zone);
  g_autoptr (GInetAddress) other_address =
      gst_afxdp_address_read (other, &other_zone);

  if (one_address && other_address)
    return g_inet_address_equal (one_address, other_address);
  return !g_ascii_strcasecmp (one, other);
}

static gchar *
name_of_zone (gchar *zone, const gchar *text, GError **error)
{
  gchar name[IF_NAMESIZE];
  guint64 index;

  if (!g_ascii_string_to_unsigned (zone, 10, 1, G_MAXINT, &index, NULL))
    return zone;
  g_free (zone);
  if (if_indextoname (index, name))
    return g_strdup (name);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
      "The address \"%s\" names interface number %u, which does not exist",
      text, (guint) index);
  return NULL;
}

static GInetAddress *
resolve (const gchar *name, GSocketFamily family, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GError) cause = NULL;
  const gchar *of = family == G_SOCKET_FAMILY_IPV4 ? " of IPv4"
      : family == G_SOCKET_FAMILY_IPV6             ? " of IPv6"
                                                   : "";
  GResolverNameLookupFlags flags = family == G_SOCKET_FAMILY_IPV4
      ? G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY
      : family == G_SOCKET_FAMILY_IPV6 ? G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY
                                       : G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT;
  GInetAddress *address;
  GList *addresses;

  addresses = g_resolver_lookup_by_name_with_flags (
      resolver, name, flags, NULL, &cause);
  if (!addresses) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "\"%s\" is neither an address nor a name that resolves to one%s: %s",
        name, of, cause->message);
    return NULL;
  }
  address = g_object_ref (addresses->data);
  g_resolver_free_addresses (addresses);
  return address;
}

GInetAddress *
gst_afxdp_address_find (
    const gchar *text, GSocketFamily family, gchar **interface, GError **error)
{
  g_autofree gchar *zone = NULL;
  g_autoptr (GInetAddress) address = gst_afxdp_address_read (text, &zone);

  *interface = NULL;
  if (!address)
    return resolve (text, family, error);
  if (!zone)
    return g_steal_pointer (&address);
  *interface = name_of_zone (g_steal_pointer (&zone), text, error);
  return *interface ? g_steal_pointer (&address) : NULL;
}
