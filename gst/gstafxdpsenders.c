/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses that packets came from, as objects. */
#include "gstafxdpsenders.h"

#include <gst/net/gstnetaddressmeta.h>
#include <string.h>

static inline gboolean
is_same (const struct GstAfxdpSender *known, const AfxdpSender *sender)
{
  return known->object && known->key.port == sender->port &&
      known->key.version == sender->version &&
      known->key.scope == sender->scope &&
      !memcmp (known->bytes, sender->address, sender->version == 4 ? 4 : 16);
}

static GSocketAddress *
make_object (const AfxdpSender *sender)
{
  g_autoptr (GInetAddress) address =
      g_inet_address_new_from_bytes (sender->address,
          sender->version == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);

  return g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", address, "port",
      (guint) sender->port, "scope-id", sender->scope, NULL);
}

static void
learn (struct GstAfxdpSender *known, const AfxdpSender *sender)
{
  g_clear_object (&known->object);
  known->key = *sender;
  memcpy (known->bytes, sender->address, sender->version == 4 ? 4 : 16);
  known->key.address = known->bytes;
  known->object = make_object (sender);
}

static guint
find (GstAfxdpSenders *senders, const AfxdpSender *sender)
{
  guint i;

  for (i = 0; i < GST_AFXDP_SENDERS; i++)
    if (is_same (&senders->known[i], sender))
      return i;
  i = senders->next;
  senders->next = (i + 1) % GST_AFXDP_SENDERS;
  learn (&senders->known[i], sender);
  return i;
}

void
gst_afxdp_senders_mark (
    GstAfxdpSenders *senders, const AfxdpSender *sender, GstBuffer *buffer)
{
  GstNetAddressMeta *meta = gst_buffer_get_net_address_meta (buffer);
  GSocketAddress *address;

  if (G_UNLIKELY (!is_same (&senders->known[senders->last], sender)))
    senders->last = find (senders, sender);
  address = senders->known[senders->last].object;
  if (!meta)
    gst_buffer_add_net_address_meta (buffer, address);
  else if (meta->addr != address)
    g_set_object (&meta->addr, address);
}

void
gst_afxdp_senders_unmark (GstBuffer *buffer)
{
  GstNetAddressMeta *meta = gst_buffer_get_net_address_meta (buffer);

  if (meta)
    gst_buffer_remove_meta (buffer, GST_META_CAST (meta));
}

void
gst_afxdp_senders_clear (GstAfxdpSenders *senders)
{
  for (guint i = 0; i < GST_AFXDP_SENDERS; i++)
    g_clear_object (&senders->known[i].object);
}
