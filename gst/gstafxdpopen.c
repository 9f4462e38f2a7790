/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. */
#include "gstafxdpopen.h"

#include <gst/gst.h>

#include "distributor/protocol.h"
#include "error.h"
#include "gstafxdpaddress.h"
#include "gstafxdpallocator.h"
#include "gstafxdpsrc.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

/* Of the environment: where the distributor daemon listens. */
#define DISTRIBUTOR "AFXDP_DISTRIBUTOR"

static gint
resource_error (const GError *error)
{
  if (error->domain != AFXDP_ERROR)
    return GST_RESOURCE_ERROR_FAILED;
  switch ((AfxdpError) error->code) {
    case AFXDP_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case AFXDP_ERROR_SETTINGS:
      return GST_RESOURCE_ERROR_SETTINGS;
    case AFXDP_ERROR_PERMISSION:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case AFXDP_ERROR_PORT_IN_USE:
    case AFXDP_ERROR_FOREIGN:
    case AFXDP_ERROR_TAKEN:
    case AFXDP_ERROR_QUEUE_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case AFXDP_ERROR_MEMORY:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    case AFXDP_ERROR_UNSUPPORTED:
    case AFXDP_ERROR_DOWN:
    case AFXDP_ERROR_FAILED:
      break;
  }
  return GST_RESOURCE_ERROR_OPEN_READ;
}

/* What socket receives for: the address that it is bound to; or, when that is any
 * address, the group that is joined with it. Takes address, the one that is set. */
static GInetAddress *
address_of_socket (const GstAfxdpSettings *settings, GInetAddress *address)
{
  g_autoptr (GSocketAddress) local =
      g_socket_get_local_address (settings->stream.socket, NULL);
  GInetAddress *bound;

  /* What is not bound is refused where it is opened. */
  if (!G_IS_INET_SOCKET_ADDRESS (local))
    return address;
  bound = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));
  if (settings->stream.auto_multicast && g_inet_address_get_is_any (bound) &&
      g_inet_address_get_is_multicast (address))
    return address;
  g_object_unref (address);
  return g_object_ref (bound);
}

/* The names in multicast-iface. */
static gchar **
split_interfaces (const gchar *names)
{
  gchar **interfaces = g_strsplit (names ? names : "", ",", -1);
  guint n = 0;

  for (guint i = 0; interfaces[i]; i++) {
    gchar *name = g_strstrip (interfaces[i]);

    if (*name)
      interfaces[n++] = name;
    else
      g_free (name);
  }
  interfaces[n] = NULL;
  return interfaces;
}

/* The zone of an IPv6 address is the interface. Takes zone. */
static gboolean
add_zone (
    gchar ***interfaces, gchar *zone, const gchar *address, GError **error)
{
  g_autofree gchar *interface = zone;
  g_autofree gchar *names = NULL;

  if (!zone || g_strv_contains ((const gchar *const *) *interfaces, zone)) {
    if (!zone || g_strv_length (*interfaces) == 1)
      return TRUE;
  } else if (!**interfaces) {
    g_strfreev (*interfaces);
    *interfaces = g_new0 (gchar *, 2);
    **interfaces = g_steal_pointer (&interface);
    return TRUE;
  }
  names = g_strjoinv (",", *interfaces);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "The address \"%s\" names the interface %s, but multicast-iface is "
      "\"%s\": remove one of the two",
      address, interface, names);
  return FALSE;
}

/* Of the settings of the first leg, those of a stream by which both come. */
static void
join_legs (GstAfxdpSettings *settings, GInetAddress *address, gchar **senders,
    GstAfxdpSplit *split)
{
  AfxdpSources *second;

  if (!gst_afxdp_settings_share (settings, address, senders, &second))
    return;
  settings->multicast_source = *senders;
  gst_afxdp_split_begin (split, second);
}

/* Where to ask for the daemon. */
static void
find_distributor (const GstAfxdpSettings *settings, AfxdpStreamSettings *stream)
{
  const gchar *path =
      settings->distributor ? settings->distributor : g_getenv (DISTRIBUTOR);

  stream->distributor_anywhere = path != NULL;
  if (!path)
    path = AFXDP_PROTOCOL_SOCKET;
  stream->distributor = *path ? path : NULL;
}

/* split: NULL, or for the first leg. */
static AfxdpStream *
open_stream (const GstAfxdpSettings *set, GstAfxdpSplit *split, GError **error)
{
  /* Borrows what it does not replace. */
  const GstAfxdpSettings *settings = set;
  GstAfxdpSettings joined = *set;
  g_autofree gchar *senders = NULL;
  g_auto (GStrv) interfaces = split_interfaces (settings->multicast_iface);
  gchar *zone = NULL;
  g_autoptr (GInetAddress) address = gst_afxdp_address_find (
      settings->address, settings->family, &zone, error);
  g_autoptr (AfxdpSources) sources = NULL;
  AfxdpStreamSettings stream = settings->stream;

  if (!address || !add_zone (&interfaces, zone, settings->address, error))
    return NULL;
  if (settings->stream.socket)
    address = address_of_socket (settings, address);
  if (split) {
    join_legs (&joined, address, &senders, split);
    settings = &joined;
  }
  sources = gst_afxdp_settings_get_sources (settings, address, error);
  if (!sources)
    return NULL;
  stream.address = address;
  stream.port = settings->port;
  stream.sources = sources;
  stream.interfaces = (const gchar *const *) interfaces;
  stream.ring_size = 1u << g_bit_storage (stream.ring_size - 1);
  stream.coalesce = gst_afxdp_settings_longest_sleep (settings);
  stream.exclusive = !settings->reuse;
  stream.no_loop = !settings->loop;
  stream.keep_open = !settings->close_socket;
  find_distributor (settings, &stream);
  if (settings->xsk_map && *settings->xsk_map)
    stream.xsk_map = settings->xsk_map;
  stream.prepare = settings->retrieve_sender_address
      ? gst_afxdp_allocator_prepare_with_senders
      : gst_afxdp_allocator_prepare;
  return afxdp_stream_new (&stream, error);
}

static void
warn_about_uri (GstElement *element, const GstAfxdpSettings *settings)
{
  if (!settings->uri)
    return;
  if (settings->uri_ignored)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("Parts of the URI \"%s\" are not known here and are ignored: %s.",
            settings->uri, settings->uri_ignored),
        ("See the property uri."));
  if (!settings->port_is_told && !settings->stream.socket)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The URI \"%s\" has no port: %d is used.", settings->uri,
            settings->port),
        (NULL));
}

static void
warn_about_stream (
    GstElement *element, const GstAfxdpSettings *settings, AfxdpStream *stream)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (stream);
  guint granted = afxdp_stream_buffer_size (stream);

  if (granted < settings->stream.buffer_size)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The kernel granted %u bytes of socket buffer instead of %u: raise "
         "the sysctl net.core.rmem_max, or give the process CAP_NET_ADMIN.",
            granted, settings->stream.buffer_size),
        ("setsockopt() with SO_RCVBUF and SO_RCVBUFFORCE."));
  if (netdev && !netdev->up)
    GST_ELEMENT_WARNING (element, RESOURCE, READ,
        ("The interface %s is down: nothing arrives until it is up.",
            netdev->name),
        (NULL));
}

static void
post (GstElement *element, GstMessageType type,
    const GstAfxdpSettings *settings, const GError *error, gchar *text)
{
  gst_element_message_full (element, type, GST_RESOURCE_ERROR,
      resource_error (error), text,
      g_strdup_printf ("address %s, port %d, multicast-iface %s, mode %s, "
                       "redundant-uri %s, sdp-location %s",
          settings->address, settings->port,
          settings->multicast_iface ? settings->multicast_iface : "any",
          gst_afxdp_enum_nick (GST_TYPE_AFXDP_MODE, settings->stream.mode),
          settings->redundant_uri ? settings->redundant_uri : "none",
          settings->sdp_location ? settings->sdp_location : "none"),
      __FILE__, GST_FUNCTION, __LINE__);
}

static void
post_error (
    GstElement *element, const GstAfxdpSettings *settings, const GError *error)
{
  post (element, GST_MESSAGE_ERROR, settings, error, g_strdup (error->message));
}

gboolean
gst_afxdp_open_sdp (GstElement *element, GstAfxdpSettings *settings)
{
  g_autofree gchar *skipped = NULL;
  g_autoptr (GError) error = NULL;
  gboolean done = gst_afxdp_settings_read_sdp (settings, &skipped, &error);

  if (skipped)
    GST_INFO_OBJECT (element, "Skipped in the SDP file \"%s\": %s",
        settings->sdp_location, skipped);
  if (!done)
    post_error (element, settings, error);
  return done;
}

AfxdpStream *
gst_afxdp_open (
    GstElement *element, const GstAfxdpSettings *settings, GstAfxdpSplit *split)
{
  g_autoptr (GError) error = NULL;
  AfxdpStream *stream = open_stream (settings, split, &error);

  warn_about_uri (element, settings);
  if (stream)
    warn_about_stream (element, settings, stream);
  else
    post_error (element, settings, error);
  return stream;
}

void
gst_afxdp_open_refused (
    GstElement *element, const GstAfxdpSettings *settings, const GError *error)
{
  post (element, GST_MESSAGE_WARNING, settings, error,
      g_strdup_printf (
          "The second leg stays what it is, since the one of redundant-uri "
          "cannot be opened: %s. Set it again.",
          error->message));
}

AfxdpStream *
gst_afxdp_try_second_leg (
    GstElement *element, const GstAfxdpSettings *settings, GError **error)
{
  /* Borrows what it does not replace. */
  GstAfxdpSettings second = *settings;
  GstAfxdpUriParts parts = { 0 };
  AfxdpStream *stream;

  /* It is of the first leg's interface. */
  second.xsk_map = NULL;
  stream = gst_afxdp_settings_take_second_leg (&second, &parts, error)
      ? open_stream (&second, NULL, error)
      : NULL;

  if (stream)
    warn_about_stream (element, &second, stream);
  gst_afxdp_uri_parts_clear (&parts);
  return stream;
}

AfxdpStream *
gst_afxdp_open_second_leg (
    GstElement *element, const GstAfxdpSettings *settings)
{
  g_autoptr (GError) error = NULL;
  AfxdpStream *stream = gst_afxdp_try_second_leg (element, settings, &error);

  if (!stream)
    post_error (element, settings, error);
  return stream;
}
