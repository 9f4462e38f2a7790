/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads an address with a port. */
#include "listenaddress.h"

#include <string.h>

GSocketAddress *
afxdp_listen_address_parse (const gchar *text)
{
  const gchar *colon = strrchr (text, ':');
  gboolean in_brackets = *text == '[' && colon && colon[-1] == ']';
  g_autofree gchar *host = NULL;
  g_autoptr (GInetAddress) address = NULL;
  guint64 port;

  if (!colon || !g_ascii_isdigit (colon[1]) ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return NULL;
  host = in_brackets ? g_strndup (text + 1, colon - text - 2)
                     : g_strndup (text, colon - text);
  address = g_inet_address_new_from_string (host);
  /* "::1:9464" could be an address without a port. */
  if (!address ||
      in_brackets !=
          (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6))
    return NULL;
  return g_inet_socket_address_new (address, port);
}
