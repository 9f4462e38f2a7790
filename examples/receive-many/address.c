/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The address of a stream, from text and to text. */
#include "address.h"

#include <gio/gio.h>
#include <string.h>

static gboolean
fail (GError **error, const gchar *text, const gchar *problem)
{
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "Cannot read the stream \"%s\": %s. A stream is "
      "GROUP:PORT[@SOURCE[,SOURCE2...]], such as 239.1.1.1:5000 or "
      "[ff3e::1]:5000@fd00::1, or two of these with a + between",
      text, problem);
  return FALSE;
}

/* GROUP:PORT. IPv6 has brackets, since it has colons of its own. */
static GInetAddress *
parse_group (
    Address *self, const gchar *text, const gchar *whole, GError **error)
{
  const gchar *colon = strrchr (text, ':');
  g_autoptr (GInetAddress) group = NULL;
  g_autofree gchar *host = NULL;
  gboolean in_brackets;
  guint64 port;

  if (!colon ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL)) {
    fail (error, whole, "it has no port from 1 to 65535");
    return NULL;
  }
  in_brackets = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
  host = in_brackets ? g_strndup (text + 1, colon - text - 2)
                     : g_strndup (text, colon - text);
  group = g_inet_address_new_from_string (host);
  if (!group ||
      in_brackets !=
          (g_inet_address_get_family (group) == G_SOCKET_FAMILY_IPV6)) {
    fail (error, whole,
        "its group is no IPv4 address, and no IPv6 address in "
        "brackets");
    return NULL;
  }
  if (!g_inet_address_get_is_multicast (group)) {
    fail (error, whole, "its group is no multicast address");
    return NULL;
  }
  self->group = g_inet_address_to_string (group);
  self->port = port;
  self->name = g_strdup_printf (
      in_brackets ? "[%s]:%u" : "%s:%u", self->group, self->port);
  return g_steal_pointer (&group);
}

static gboolean
parse_sources (Address *self, const gchar *text, GInetAddress *group,
    const gchar *whole, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *name = NULL, *list = NULL;

  for (guint i = 0; words[i]; i++) {
    g_autoptr (GInetAddress) source = g_inet_address_new_from_string (words[i]);

    if (!source || g_inet_address_get_is_multicast (source))
      return fail (error, whole, "one of its sources is no host's address");
    if (g_inet_address_get_family (source) != g_inet_address_get_family (group))
      return fail (error, whole,
          "a source of IPv4 cannot send to a group of IPv6, nor the other way "
          "round");
    g_ptr_array_add (sources, g_inet_address_to_string (source));
  }
  if (sources->len == 0)
    return fail (error, whole, "there is no source behind its \"@\"");
  g_ptr_array_add (sources, NULL);
  self->sources = (GStrv) g_ptr_array_free (g_steal_pointer (&sources), FALSE);
  list = g_strjoinv (",", self->sources);
  name = g_steal_pointer (&self->name);
  self->name = g_strconcat (name, "@", list, NULL);
  return TRUE;
}

/* One leg. */
static Address *
parse_leg (const gchar *text, const gchar *whole, GError **error)
{
  g_autoptr (Address) self = g_new0 (Address, 1);
  g_auto (GStrv) parts = g_strsplit (text, "@", 2);
  g_autoptr (GInetAddress) group = NULL;

  group = parse_group (self, parts[0] ? parts[0] : "", whole, error);
  if (!group)
    return NULL;
  if (!parts[1])
    self->sources = g_new0 (gchar *, 1);
  else if (!parse_sources (self, parts[1], group, whole, error))
    return NULL;
  return g_steal_pointer (&self);
}

Address *
address_new (const gchar *text, GError **error)
{
  g_auto (GStrv) legs = g_strsplit (text, "+", 2);
  g_autoptr (Address) self = parse_leg (legs[0] ? legs[0] : "", text, error);
  g_autofree gchar *name = NULL;

  if (!self || !legs[0] || !legs[1])
    return g_steal_pointer (&self);
  self->second = parse_leg (legs[1], text, error);
  if (!self->second)
    return NULL;
  name = g_steal_pointer (&self->name);
  self->name = g_strconcat (name, "+", self->second->name, NULL);
  return g_steal_pointer (&self);
}

void
address_free (Address *self)
{
  if (!self)
    return;
  g_free (self->name);
  g_free (self->group);
  g_strfreev (self->sources);
  address_free (self->second);
  g_free (self);
}

gchar *
address_filter (const Address *self)
{
  g_autofree gchar *list = NULL;

  if (!self->sources[0])
    return NULL;
  list = g_strjoinv ("+", self->sources);
  return g_strconcat ("+", list, NULL);
}

gchar *
address_uri (const Address *self, const gchar *interface)
{
  const gboolean is_ipv6 = strchr (self->group, ':') != NULL;
  g_autofree gchar *filter = address_filter (self);

  return g_strdup_printf (is_ipv6 ? "afxdp://[%s]:%u?multicast-iface=%s%s%s"
                                  : "afxdp://%s:%u?multicast-iface=%s%s%s",
      self->group, self->port, interface, filter ? "&multicast-source=" : "",
      filter ? filter : "");
}
