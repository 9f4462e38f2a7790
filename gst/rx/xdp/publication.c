/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream is told of its fast path. */
#include "publication.h"

#include <errno.h>

#include "competing.h"
#include "error.h"
#include "log.h"
#include "queues.h"

/* Another stream takes the same flow. */
static gboolean
is_contested (const AfxdpRegistration *registration)
{
  for (guint i = 0; i < registration->keys->len; i++)
    if (afxdp_flows_is_contested (registration->interface->flows,
            afxdp_registration_flow_key (registration, i),
            afxdp_registration_is_exact (registration)))
      return TRUE;
  return FALSE;
}

static gboolean
has_a_flow (const AfxdpRegistration *registration)
{
  for (guint i = 0; i < registration->keys->len; i++)
    if (afxdp_flows_is_installed (registration->interface->flows,
            afxdp_registration_flow_key (registration, i), registration->slot))
      return TRUE;
  return FALSE;
}

static GError *
contest_error (const AfxdpRegistration *registration)
{
  return g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      g_inet_address_get_is_multicast (registration->settings.address)
          ? "Another afxdpsrc of this process receives the same address and "
            "port, and so both receive it through their sockets. For AF_XDP "
            "use one afxdpsrc and a tee, or different groups or ports"
          : "Another afxdpsrc of this process receives the same address and "
            "port, and so the kernel gives each packet to only one of their "
            "sockets. Use one afxdpsrc and a tee, or different ports");
}

/* Another process redirects the stream's packets: its program goes before all
 * sockets. NULL: none does, as far as we can see. */
static GError *
taken_error (const AfxdpRegistration *registration)
{
  const AfxdpForeign *foreign = &registration->interface->foreign;

  for (guint i = 0; i < registration->keys->len; i++)
    if (afxdp_foreign_takes (
            foreign, afxdp_registration_flow_key (registration, i)))
      return g_error_new (AFXDP_ERROR, AFXDP_ERROR_TAKEN,
          "Another process, %s, receives the same address and port on %s "
          "through AF_XDP, and takes the packets: this stream gets none of "
          "them. Receive both streams in one process, or set mode=socket in "
          "the other one",
          foreign->process ? foreign->process : "which also has afxdpsrc",
          registration->interface->netdev.name);
  return NULL;
}

/* Why no packet of the stream can come by AF_XDP, for reasons that all streams of the
 * interface have in common, or that lie in the settings; or NULL. */
static GError *
interface_obstacle (const AfxdpRegistration *registration)
{
  const AfxdpInterface *interface = registration->interface;
  const AfxdpAttachment *attachment = &interface->attachment;
  GError *taken = attachment->attached ? NULL : taken_error (registration);

  if (taken)
    return taken;
  if (registration->settings.socket_only)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "Packets come through the socket, "
        "as mode=socket asks");
  if (!attachment->attached && attachment->error)
    return g_error_copy (attachment->error);
  if (interface->hidden_tags)
    return g_error_new_literal (
        AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED, interface->hidden_tags);
  return registration->error ? g_error_copy (registration->error) : NULL;
}

/* Why not, though others may get theirs; or NULL. */
static GError *
own_obstacle (const AfxdpRegistration *registration)
{
  const AfxdpInterface *interface = registration->interface;

  if (registration->slot_error)
    return g_error_copy (registration->slot_error);
  if (registration->ailment)
    return g_error_copy (registration->ailment);
  if (!registration->path.n_rings && afxdp_queues_error (registration))
    return g_error_copy (afxdp_queues_error (registration));
  if (is_contested (registration))
    return contest_error (registration);
  if (interface->flows_error && !has_a_flow (registration))
    return g_error_copy (interface->flows_error);
  if (!registration->keys->len)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "%s has no address of the stream's family (IPv4 or IPv6)",
        interface->netdev.name);
  if (interface->attachment.swapping)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The driver of %s has no room for XDP metadata; switching to the XDP "
        "program that does without",
        interface->netdev.name);
  return NULL;
}

/* What has to come about before the path may be open, or NULL. */
static GError *
awaited (const AfxdpRegistration *registration)
{
  const gchar *interface = registration->interface->netdev.name;

  if (!registration->path.n_rings)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "Packets come through the socket until the stream is seen on an RX "
        "queue of %s",
        interface);
  if (registration->sightings.none)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "Packets come through the socket: the XDP program on %s is attached, "
        "but does not see them. Either they have IP options or a VLAN tag, "
        "are fragments or are sent by this host, or the driver bypasses the "
        "program",
        interface);
  if (registration->sightings.only_elsewhere)
    return g_error_new (AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "Packets come through the socket: the stream arrives on RX queue %d "
        "of %s, and queue=%d limits AF_XDP to another one. Set queue=-1, or "
        "steer the stream to that queue",
        registration->sightings.elsewhere, interface,
        registration->settings.queue);
  return NULL;
}

/* What the user should know though the path may be open, or NULL. */
static gchar *
make_note (const AfxdpRegistration *registration)
{
  const GError *error = afxdp_queues_error (registration);
  const gchar *left = registration->interface->left;
  gint elsewhere = registration->sightings.elsewhere;

  if (error)
    return g_strdup_printf ("but not on all RX queues: %s", error->message);
  if (elsewhere >= 0)
    return g_strdup_printf ("packets that arrive on RX queue %d come through "
                            "the socket, because of queue=%d",
        elsewhere, registration->settings.queue);
  return left ? g_strdup_printf ("zero-copy was given up: %s", left) : NULL;
}

static void
describe (AfxdpRegistration *registration)
{
  const AfxdpAttachment *attachment = &registration->interface->attachment;
  AfxdpFastPath *path = &registration->path;

  g_clear_error (&path->error);
  g_clear_pointer (&path->note, g_free);
  path->state = AFXDP_FAST_PATH_FAILED;
  path->error = interface_obstacle (registration);
  if (!path->error)
    path->error = own_obstacle (registration);
  if (!path->error) {
    path->state = AFXDP_FAST_PATH_WAITING;
    path->error = awaited (registration);
  }
  if (!path->error) {
    path->state = AFXDP_FAST_PATH_READY;
    path->note = make_note (registration);
  }
  if (attachment->attached) {
    path->xdp_mode = afxdp_xdpprog_mode (attachment->engine->prog);
    path->metadata = afxdp_xdpprog_has_metadata (attachment->engine->prog);
    path->zero_copy = afxdp_xsk_pool_is_zero_copy (attachment->engine->pool);
  }
}

void
afxdp_publication_renew (AfxdpRegistration *registration)
{
  static const gchar *const states[] = {
    [AFXDP_FAST_PATH_FAILED] = "cannot be open",
    [AFXDP_FAST_PATH_WAITING] = "waits",
    [AFXDP_FAST_PATH_READY] = "may be open",
  };
  const AfxdpRegistrationSettings *settings = &registration->settings;
  AfxdpFastPath *path = &registration->path;
  AfxdpFastPathState former = path->state;

  describe (registration);
  if (path->state != former && path->state == AFXDP_FAST_PATH_READY &&
      !afxdp_competing_sockets_count (settings->address, settings->port,
          settings->socket, registration->netdev.index, &path->n_competing))
    AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
        "it cannot be found out which other sockets miss its packets: %s",
        g_strerror (errno));
  if (afxdp_subscription_publish (registration->subscription, path))
    AFXDP_DEBUG (AFXDP_LOG_XDP, registration->name,
        "published: the fast path %s (rings: %u)%s%s", states[path->state],
        path->n_rings, path->error || path->note ? ": " : "",
        path->error      ? path->error->message
            : path->note ? path->note
                         : "");
}
