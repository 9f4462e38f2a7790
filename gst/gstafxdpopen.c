/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. */
#include "gstafxdpopen.h"

#include <gst/gst.h>

#include "error.h"

gint
gst_afxdp_resource_error (const GError *error)
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

AfxdpStream *
gst_afxdp_open_stream (const GstAfxdpSettings *settings, GError **error)
{
  g_autoptr (GInetAddress) address = resolve (settings->address, error);
  g_autoptr (AfxdpSources) sources = address
      ? gst_afxdp_settings_get_sources (settings, address, error)
      : NULL;
  AfxdpStreamSettings stream_settings = {
    .address = address,
    .port = settings->port,
    .sources = sources,
    .interface = settings->multicast_iface,
    .mode = settings->mode,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .queue = settings->queue,
    .ring_size = 1u << g_bit_storage (settings->ring_size - 1),
    .umem_frames = settings->umem_frames,
    .batch = settings->batch_size,
    .coalesce = settings->coalesce,
    .buffer_size = settings->buffer_size,
    .auto_multicast = settings->auto_multicast,
    .verify_checksum = settings->verify_checksum,
  };

  return sources ? afxdp_stream_new (&stream_settings, error) : NULL;
}
