/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a URI says. */
#include "gstafxdpuriparts.h"

#include <string.h>

#include "gstafxdpaddress.h"
#include "gstafxdpcaps.h"

#define SOURCE_KEY "multicast-source"
#define INTERFACE_KEY "multicast-iface" /* of the second leg alone */

/* What stands between :// and the path. */
typedef struct
{
  gchar *before; /* scheme, and user */
  gchar *host;   /* with brackets, if there are any */
  gchar *port;   /* "" or digits, if all is well; NULL: no colon */
  gchar *path;
  gchar *query; /* with ?, and without the fragment */
  gchar *fragment;
} Text;

static void
text_clear (Text *text)
{
  g_free (text->before);
  g_free (text->host);
  g_free (text->port);
  g_free (text->path);
  g_free (text->query);
  g_free (text->fragment);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Text, text_clear)

static void
split_rest (Text *text, const gchar *rest)
{
  gsize path = strcspn (rest, "?#"), query = strcspn (rest + path, "#");

  text->path = g_strndup (rest, path);
  text->query = g_strndup (rest + path, query);
  text->fragment = g_strdup (rest + path + query);
}

static gboolean
is_scheme (const gchar *text, gsize length)
{
  g_autofree gchar *scheme = g_strndup (text, length);

  return !g_ascii_strcasecmp (scheme, "afxdp") ||
      !g_ascii_strcasecmp (scheme, "udp");
}

static gboolean
split (Text *text, const gchar *uri)
{
  const gchar *authority = strstr (uri, "://"), *end, *host, *port;

  if (!authority || !is_scheme (uri, authority - uri))
    return FALSE;
  authority += strlen ("://");
  end = authority + strcspn (authority, "/?#");
  host = g_strrstr_len (authority, end - authority, "@");
  host = host ? host + 1 : authority;
  port = g_strstr_len (host, end - host, *host == '[' ? "]" : ":");
  if (*host == '[' && (!port || (port[1] != ':' && port + 1 != end)))
    return FALSE;
  if (*host == '[')
    port = port + 1 == end ? NULL : port + 1;
  text->before = g_strndup (uri, host - uri);
  text->host = g_strndup (host, (port ? port : end) - host);
  text->port = port ? g_strndup (port + 1, end - port - 1) : NULL;
  split_rest (text, end);
  return TRUE;
}

/* "fe80::1%eth0", which is the common form, as the standard has it. */
static gboolean
escape_zone (Text *text)
{
  gchar *percent = strchr (text->host, '%');
  g_autofree gchar *bare = NULL;
  g_autofree gchar *zone = NULL;
  g_autofree gchar *escaped = NULL;

  if (*text->host != '[' || !percent)
    return TRUE;
  bare = g_strndup (text->host, percent - text->host);
  zone = g_strndup (percent + 1, strlen (percent + 1) - 1);
  if (g_str_has_prefix (zone, "25") && zone[2]) {
    gchar *unescaped = g_uri_unescape_string (zone + 2, NULL);

    g_free (zone);
    zone = unescaped;
  }
  if (!zone)
    return FALSE;
  escaped = g_uri_escape_string (zone, NULL, FALSE);
  g_free (text->host);
  text->host = g_strconcat (bare, "%25", escaped, "]", NULL);
  return TRUE;
}

/* What cannot be unescaped would become NULL; as the key of a query it kills the
 * process (GStreamer 1.22, _gst_uri_string_to_table()). */
static gboolean
can_be_unescaped (const gchar *text)
{
  for (const gchar *at = text; (at = strchr (at, '%')); at++)
    if (!g_ascii_isxdigit (at[1]) || !g_ascii_isxdigit (at[2]) ||
        (at[1] == '0' && at[2] == '0'))
      return FALSE;
  return TRUE;
}

/* A host that cannot be unescaped, and brackets with something else than an address
 * between them, must not become "any address". */
static gboolean
take_host (GstAfxdpUriParts *parts, const Text *text, const GstUri *uri)
{
  const gchar *host = gst_uri_get_host (uri);
  g_autoptr (GInetAddress) address = NULL;
  g_autofree gchar *zone = NULL;

  if (!*text->host)
    return TRUE;
  if (!host || !*host || !g_utf8_validate (host, -1, NULL))
    return FALSE;
  address = gst_afxdp_address_read (host, &zone);
  if (*text->host == '[' && !address)
    return FALSE;
  parts->address = g_strdup (host);
  return TRUE;
}

static gboolean
take_port (GstAfxdpUriParts *parts, const Text *text)
{
  guint64 port;

  parts->port = -1;
  if (!text->port || !*text->port)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text->port, 10, 0, G_MAXUINT16, &port, NULL))
    return FALSE;
  parts->port = port;
  return TRUE;
}

/* Without sources that could not be unescaped more would be received than is
 * meant. */
static gboolean
take_sources (GstAfxdpUriParts *parts, const GstUri *uri)
{
  const gchar *sources = gst_uri_get_query_value (uri, SOURCE_KEY);

  if (!sources)
    return !gst_uri_query_has_key (uri, SOURCE_KEY);
  if (!g_utf8_validate (sources, -1, NULL))
    return FALSE;
  parts->sources = *sources ? g_strdup (sources) : NULL;
  return TRUE;
}

static void
take_interface (GstAfxdpUriParts *parts, const GstUri *uri)
{
  const gchar *name = gst_uri_get_query_value (uri, INTERFACE_KEY);

  if (name && g_utf8_validate (name, -1, NULL))
    parts->interface = g_strdup (name);
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return g_strcmp0 (one, other);
}

static void
ignore (GString *ignored, const gchar *what, const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);

  g_string_append_printf (
      ignored, "%s%s \"%s\"", ignored->len ? ", " : "", what, valid);
}

static void
note_ignored (GstAfxdpUriParts *parts, const Text *text, const GstUri *uri)
{
  g_autoptr (GString) ignored = g_string_new (NULL);
  g_autoptr (GList) keys = g_list_sort (gst_uri_get_query_keys (uri), compare);
  const gchar *user = gst_uri_get_userinfo (uri);

  for (GList *key = keys; key; key = key->next)
    if (key->data && *(const gchar *) key->data &&
        strcmp (key->data, SOURCE_KEY) &&
        !gst_afxdp_caps_is_uri_key (key->data))
      ignore (ignored, "the key", key->data);
  if (user && *user)
    ignore (ignored, "the user", user);
  if (*text->path && strcmp (text->path, "/"))
    ignore (ignored, "the path", text->path);
  if (*text->fragment && text->fragment[1])
    ignore (ignored, "the fragment", text->fragment);
  if (ignored->len)
    parts->ignored = g_strdup (ignored->str);
}

/* cause: what is wrong with the caps, if it is that. */
static gboolean
read_parts (GstAfxdpUriParts *parts, const gchar *uri, GError **cause)
{
  /* Leaves a + that is not escaped as it is, unlike forms in the web. */
  g_autoptr (GstUri) parsed = NULL;
  g_autofree gchar *standard = NULL;
  g_auto (Text) text = { 0 };

  if (!g_utf8_validate (uri, -1, NULL) || !split (&text, uri) ||
      !escape_zone (&text))
    return FALSE;
  /* What is not needed is kept from the parser: it takes port 0 for none, and a path
   * that cannot be unescaped is a leak of GStreamer 1.22's. */
  standard = g_strconcat (text.before, text.host, text.query, NULL);
  if (!can_be_unescaped (standard) ||
      !(parsed = gst_uri_from_string (standard)))
    return FALSE;
  if (!take_host (parts, &text, parsed) || !take_port (parts, &text) ||
      !take_sources (parts, parsed))
    return FALSE;
  parts->caps = gst_afxdp_caps_from_uri (parsed, cause);
  if (*cause)
    return FALSE;
  take_interface (parts, parsed);
  note_ignored (parts, &text, parsed);
  return TRUE;
}

gboolean
gst_afxdp_uri_parts_read (
    GstAfxdpUriParts *parts, const gchar *uri, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree gchar *valid = NULL;

  *parts = (GstAfxdpUriParts){ .port = -1 };
  if (read_parts (parts, uri, &cause))
    return TRUE;
  gst_afxdp_uri_parts_clear (parts);
  valid = g_utf8_make_valid (uri, -1);
  g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
      "\"%s\" is not of the form afxdp://ADDRESS:PORT[?" SOURCE_KEY
      "=SOURCES&encoding-name=NAME&clock-rate=RATE]%s%s",
      valid, cause ? ": " : "", cause ? cause->message : "");
  return FALSE;
}

static void
write_host (GString *uri, const gchar *host)
{
  g_autofree gchar *zone = NULL;
  g_autoptr (GInetAddress) address = gst_afxdp_address_read (host, &zone);
  g_autofree gchar *escaped =
      g_uri_escape_string (zone ? zone : host, NULL, FALSE);

  if (!address || g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV6) {
    g_string_append (uri, escaped);
    return;
  }
  g_string_append_c (uri, '[');
  g_string_append_len (uri, host, strcspn (host, "%"));
  if (zone)
    g_string_append_printf (uri, "%%25%s", escaped);
  g_string_append_c (uri, ']');
}

gchar *
gst_afxdp_uri_parts_write (const GstAfxdpUriParts *parts)
{
  GString *uri = g_string_new ("afxdp://");
  gchar separator = '?';

  write_host (uri, parts->address);
  g_string_append_printf (uri, ":%d", parts->port);
  if (parts->sources && *parts->sources) {
    /* With + escaped, since others take it for a blank. */
    g_autofree gchar *escaped =
        g_uri_escape_string (parts->sources, ":", FALSE);

    g_string_append_printf (uri, "%c" SOURCE_KEY "=%s", separator, escaped);
    separator = '&';
  }
  if (parts->interface && *parts->interface) {
    g_autofree gchar *escaped =
        g_uri_escape_string (parts->interface, ",", FALSE);

    g_string_append_printf (uri, "%c" INTERFACE_KEY "=%s", separator, escaped);
    separator = '&';
  }
  if (parts->caps) {
    g_auto (GStrv) words = gst_afxdp_caps_to_query (parts->caps);
    g_autofree gchar *joined = g_strjoinv ("&", words);

    g_string_append_printf (uri, "%c%s", separator, joined);
  }
  return g_string_free (uri, FALSE);
}

void
gst_afxdp_uri_parts_clear (GstAfxdpUriParts *parts)
{
  g_clear_pointer (&parts->address, g_free);
  g_clear_pointer (&parts->interface, g_free);
  g_clear_pointer (&parts->sources, g_free);
  g_clear_pointer (&parts->ignored, g_free);
  gst_clear_caps (&parts->caps);
}
