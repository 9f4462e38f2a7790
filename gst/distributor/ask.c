/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Takes an OPEN apart. */
#include "ask.h"

#include <netinet/in.h>
#include <string.h>

#define DEFAULT_SLOTS 16384
#define FEWEST_SLOTS 64
/* As many packets as the largest ring of an element. */
#define MOST_SLOTS (1u << 20)

static GInetAddress *
address_of (guint version, const guint8 *bytes)
{
  return g_inet_address_new_from_bytes (
      bytes, version == 6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
}

/* As the property multicast-source has it, which is what there is a parser for. */
static AfxdpSources *
sources_of (const struct afxdp_open *open)
{
  gchar sign = open->sources_kind == AFXDP_SOURCES_EXCLUDE ? '-' : '+';
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < open->n_sources; i++) {
    g_autoptr (GInetAddress) address =
        address_of (open->version, open->sources[i]);
    g_autofree gchar *source = g_inet_address_to_string (address);

    g_string_append_c (text, sign);
    g_string_append (text, source);
  }
  return afxdp_sources_parse (text->str, open->version, NULL);
}

static const gchar *
find_fault (const struct afxdp_open *open)
{
  if (open->version != 4 && open->version != 6)
    return "an address of no version of IP";
  if (!open->port || open->port > G_MAXUINT16)
    return "a port that is none";
  if (!memchr (open->interface, 0, sizeof open->interface))
    return "a name of an interface without an end";
  if (open->verify_checksum > 1)
    return "a switch that is neither on nor off";
  if (open->sources_kind > AFXDP_SOURCES_EXCLUDE ||
      open->n_sources > AFXDP_PROTOCOL_SOURCES ||
      (open->sources_kind == AFXDP_SOURCES_ANY) != !open->n_sources)
    return "sources that contradict their number";
  return NULL;
}

/* What a flow of the fast path cannot be of, or what is IPv4 in the end. */
static const gchar *
find_fault_of_address (GInetAddress *address, gboolean has_sources)
{
  const struct in6_addr *ipv6 =
      (const struct in6_addr *) g_inet_address_to_bytes (address);

  if (g_inet_address_get_is_any (address))
    return "no address: every one";
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
      IN6_IS_ADDR_V4MAPPED (ipv6))
    return "an IPv4 address in an IPv6 one";
  if (has_sources && !g_inet_address_get_is_multicast (address))
    return "sources of an address that is no group";
  return NULL;
}

const gchar *
afxdp_ask_init (AfxdpAsk *ask, const struct afxdp_open *open)
{
  const gchar *fault = find_fault (open);
  guint n_slots = open->slots ? open->slots : DEFAULT_SLOTS;

  memset (ask, 0, sizeof *ask);
  if (fault)
    return fault;
  ask->address = address_of (open->version, open->address);
  fault = find_fault_of_address (ask->address, open->n_sources > 0);
  if (!fault && open->n_sources && !(ask->sources = sources_of (open)))
    fault = "sources that are no senders' addresses";
  if (fault) {
    afxdp_ask_clear (ask);
    return fault;
  }
  ask->port = open->port;
  memcpy (ask->interface, open->interface, sizeof ask->interface);
  ask->n_slots = CLAMP (n_slots, FEWEST_SLOTS, MOST_SLOTS);
  ask->verify_checksum = open->verify_checksum;
  ask->socket = open->socket;
  return NULL;
}

void
afxdp_ask_clear (AfxdpAsk *ask)
{
  g_clear_object (&ask->address);
  g_clear_pointer (&ask->sources, afxdp_sources_unref);
}
