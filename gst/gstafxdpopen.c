/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. */
#include "gstafxdpopen.h"

#include <gst/gst.h>

#include "error.h"

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

static GInetAddress *
resolve (const gchar *name, GError **error)
{
  GInetAddress *address = g_inet_address_new_from_string (name);
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GError) cause = NULL;
  GList *addresses;

  if (address)
    return address;
  resolver = g_resolver_get_default ();
  addresses = g_resolver_lookup_by_name (resolver, name, NULL, &cause);
  if (!addresses) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "\"%s\" is neither an address nor a name that resolves: %s", name,
        cause->message);
    return NULL;
  }
  address = g_object_ref (addresses->data);
  g_resolver_free_addresses (addresses);
  return address;
}

/* What socket receives for: the address that it is bound to; or, when that is any
 * address, the group that is joined with it. Takes address, the one that is set. */
static GInetAddress *
address_of_socket (const GstAfxdpSettings *settings, GInetAddress *address)
{
  g_autoptr (GSocketAddress) local =
      g_socket_get_local_address (settings->socket, NULL);
  GInetAddress *bound;

  /* What is not bound is refused where it is opened. */
  if (!G_IS_INET_SOCKET_ADDRESS (local))
    return address;
  bound = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local));
  if (settings->auto_multicast && g_inet_address_get_is_any (bound) &&
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

static AfxdpStream *
open_stream (const GstAfxdpSettings *settings, GError **error)
{
  g_auto (GStrv) interfaces = split_interfaces (settings->multicast_iface);
  g_autoptr (GInetAddress) address = resolve (settings->address, error);
  g_autoptr (AfxdpSources) sources = NULL;
  AfxdpStreamSettings stream_settings = {
    .port = settings->port,
    .interfaces = (const gchar *const *) interfaces,
    .mode = settings->mode,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .queue = settings->queue,
    .ring_size = 1u << g_bit_storage (settings->ring_size - 1),
    .umem_frames = settings->umem_frames,
    .batch = settings->batch_size,
    .coalesce = gst_afxdp_settings_longest_sleep (settings),
    .busy_poll = settings->busy_poll_usecs,
    .buffer_size = settings->buffer_size,
    .auto_multicast = settings->auto_multicast,
    .exclusive = !settings->reuse,
    .no_loop = !settings->loop,
    .skip = settings->skip_first_bytes,
    .socket = settings->socket,
    .keep_open = !settings->close_socket,
    .verify_checksum = settings->verify_checksum,
  };

  if (!address)
    return NULL;
  if (settings->socket)
    address = address_of_socket (settings, address);
  sources = gst_afxdp_settings_get_sources (settings, address, error);
  stream_settings.address = address;
  stream_settings.sources = sources;
  return sources ? afxdp_stream_new (&stream_settings, error) : NULL;
}

static void
warn_about_stream (
    GstElement *element, const GstAfxdpSettings *settings, AfxdpStream *stream)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (stream);
  guint granted = afxdp_stream_buffer_size (stream);

  if (granted < (guint) settings->buffer_size)
    GST_ELEMENT_WARNING (element, RESOURCE, SETTINGS,
        ("The kernel granted %u bytes of socket buffer instead of %d.", granted,
            settings->buffer_size),
        ("Raise the sysctl net.core.rmem_max, or give CAP_NET_ADMIN."));
  if (netdev && !netdev->up)
    GST_ELEMENT_WARNING (element, RESOURCE, READ,
        ("The interface %s is down: nothing arrives until it is up.",
            netdev->name),
        (NULL));
}

AfxdpStream *
gst_afxdp_open (GstElement *element, GstAfxdpSettings *settings)
{
  g_autoptr (GError) error = NULL;
  AfxdpStream *stream = gst_afxdp_settings_read_sdp (settings, &error)
      ? open_stream (settings, &error)
      : NULL;

  if (stream)
    warn_about_stream (element, settings, stream);
  else
    gst_element_message_full (element, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
        resource_error (error), g_strdup (error->message),
        g_strdup_printf ("address %s, port %d, multicast-iface %s, mode %s, "
                         "sdp-location %s",
            settings->address, settings->port,
            settings->multicast_iface ? settings->multicast_iface : "any",
            gst_afxdp_enum_nick (GST_TYPE_AFXDP_MODE, settings->mode),
            settings->sdp_location ? settings->sdp_location : "none"),
        __FILE__, GST_FUNCTION, __LINE__);
  return stream;
}
