/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which senders of a multicast group a stream is received from. */
#include "sources.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* Of the longest address; shorter ones are followed by zeros. */
#define ADDRESS_SIZE 16

typedef struct
{
  guint8 bytes[ADDRESS_SIZE];
} Address;

struct _AfxdpSources
{
  atomic_uint refs;
  AfxdpSourcesKind kind;
  guint size;      /* bytes of an address: 4 or 16 */
  GArray *entries; /* Address, in order */
};

static AfxdpSources *
sources_new (guint version)
{
  AfxdpSources *sources = g_new0 (AfxdpSources, 1);

  atomic_init (&sources->refs, 1);
  sources->size = version == 6 ? 16 : 4;
  sources->entries = g_array_new (FALSE, FALSE, sizeof (Address));
  return sources;
}

AfxdpSources *
afxdp_sources_ref (AfxdpSources *sources)
{
  if (sources)
    atomic_fetch_add (&sources->refs, 1);
  return sources;
}

void
afxdp_sources_unref (AfxdpSources *sources)
{
  if (!sources || atomic_fetch_sub (&sources->refs, 1) > 1)
    return;
  g_array_unref (sources->entries);
  g_free (sources);
}

static gint
compare (gconstpointer one, gconstpointer other)
{
  return memcmp (one, other, ADDRESS_SIZE);
}

static void
sort_once_each (GArray *entries)
{
  guint n = 0;

  g_array_sort (entries, compare);
  for (guint i = 0; i < entries->len; i++) {
    const Address *entry = &g_array_index (entries, Address, i);

    if (!n || compare (entry, &g_array_index (entries, Address, n - 1)))
      g_array_index (entries, Address, n++) = *entry;
  }
  g_array_set_size (entries, n);
}

/* Groups and "any" do not send (RFC 1112 section 7.2, RFC 4291 section 2.7). */
static gboolean
may_send (const Address *address, guint size)
{
  static const Address any;

  if (!memcmp (address, &any, sizeof any))
    return FALSE;
  return size == 4 ? address->bytes[0] < 224 : address->bytes[0] != 0xff;
}

static gboolean
read_address (const gchar *word, guint size, Address *address, GError **error)
{
  int family = size == 16 ? AF_INET6 : AF_INET;
  int other = size == 16 ? AF_INET : AF_INET6;
  const gchar *wrong = "is not the address of a sender";
  Address unused;

  memset (address, 0, sizeof *address);
  if (inet_pton (family, word, address)) {
    if (may_send (address, size))
      return TRUE;
  } else if (inet_pton (other, word, &unused)) {
    wrong = size == 16 ? "is an IPv4 address, and the group is one of IPv6"
                       : "is an IPv6 address, and the group is one of IPv4";
  } else {
    wrong = "is neither an IPv4 nor an IPv6 address";
  }
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "multicast-source: \"%s\" %s", word, wrong);
  return FALSE;
}

/* One address; the sign is that in front of it. */
static gboolean
add_word (AfxdpSources *sources, gchar sign, const gchar *word, GError **error)
{
  AfxdpSourcesKind kind =
      sign == '-' ? AFXDP_SOURCES_EXCLUDE : AFXDP_SOURCES_INCLUDE;
  Address address;

  if (!read_address (word, sources->size, &address, error))
    return FALSE;
  if (sources->entries->len && kind != sources->kind) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "multicast-source: \"%c%s\" has another sign than the addresses "
        "before it; sources are either included (+) or excluded (-), not both",
        sign, word);
    return FALSE;
  }
  sources->kind = kind;
  g_array_append_val (sources->entries, address);
  return TRUE;
}

AfxdpSources *
afxdp_sources_parse (const gchar *text, guint version, GError **error)
{
  g_autoptr (AfxdpSources) sources = sources_new (version);
  const gchar *at = text ? text : "";
  gboolean blank = TRUE;
  gchar sign = '+';

  while (*at) {
    gsize length = strcspn (at, "+-");
    g_autofree gchar *word = g_strstrip (g_strndup (at, length));

    if (*word && !add_word (sources, sign, word, error))
      return NULL;
    at += length;
    blank &= !*word && !*at;
    if (*at)
      sign = *at++;
  }
  if (!blank && !sources->entries->len) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "multicast-source: \"%s\" has no address", text);
    return NULL;
  }
  sort_once_each (sources->entries);
  return g_steal_pointer (&sources);
}

AfxdpSourcesKind
afxdp_sources_kind (const AfxdpSources *sources)
{
  return sources ? sources->kind : AFXDP_SOURCES_ANY;
}

guint
afxdp_sources_version (const AfxdpSources *sources)
{
  return sources && sources->size == 16 ? 6 : 4;
}

guint
afxdp_sources_n (const AfxdpSources *sources)
{
  return sources ? sources->entries->len : 0;
}

const guint8 *
afxdp_sources_get (const AfxdpSources *sources, guint i)
{
  return g_array_index (sources->entries, Address, i).bytes;
}

static gboolean
is_listed (const AfxdpSources *sources, const Address *key)
{
  const GArray *entries = sources->entries;

  /* Without any there is no array. */
  return entries->len &&
      bsearch (key, entries->data, entries->len, sizeof (Address), compare);
}

gboolean
afxdp_sources_equal (const AfxdpSources *a, const AfxdpSources *b)
{
  guint n = afxdp_sources_n (a);

  if (afxdp_sources_kind (a) != afxdp_sources_kind (b) ||
      n != afxdp_sources_n (b))
    return FALSE;
  return !n ||
      (a->size == b->size &&
          !memcmp (a->entries->data, b->entries->data, n * sizeof (Address)));
}

/* Of what a lists, what b lists too, or what it does not, as listed says. */
static void
add_those (AfxdpSources *to, const AfxdpSources *a, const AfxdpSources *b,
    gboolean listed)
{
  for (guint i = 0; i < afxdp_sources_n (a); i++) {
    const Address *entry = &g_array_index (a->entries, Address, i);

    if ((b && is_listed (b, entry)) == listed)
      g_array_append_val (to->entries, *entry);
  }
}

AfxdpSources *
afxdp_sources_list_without (const AfxdpSources *a, const AfxdpSources *b)
{
  AfxdpSources *rest = sources_new (afxdp_sources_version (a));

  rest->kind = afxdp_sources_kind (a);
  add_those (rest, a, b, FALSE);
  return rest;
}

AfxdpSources *
afxdp_sources_union (const AfxdpSources *a, const AfxdpSources *b)
{
  gboolean a_excludes = afxdp_sources_kind (a) == AFXDP_SOURCES_EXCLUDE;
  gboolean b_excludes = afxdp_sources_kind (b) == AFXDP_SOURCES_EXCLUDE;
  AfxdpSources *both = sources_new (afxdp_sources_version (a));

  if (afxdp_sources_kind (a) == AFXDP_SOURCES_ANY ||
      afxdp_sources_kind (b) == AFXDP_SOURCES_ANY)
    return both;
  if (!a_excludes && !b_excludes) {
    g_array_append_vals (both->entries, a->entries->data, a->entries->len);
    g_array_append_vals (both->entries, b->entries->data, b->entries->len);
    sort_once_each (both->entries);
    both->kind = AFXDP_SOURCES_INCLUDE;
    return both;
  }
  /* Left out is what neither of them wants. */
  if (a_excludes)
    add_those (both, a, b, b_excludes);
  else
    add_those (both, b, a, FALSE);
  if (both->entries->len)
    both->kind = AFXDP_SOURCES_EXCLUDE;
  return both;
}

gboolean
afxdp_sources_match (const AfxdpSources *sources, const guint8 *address)
{
  Address key = { 0 };

  if (!sources || sources->kind == AFXDP_SOURCES_ANY)
    return TRUE;
  memcpy (key.bytes, address, sources->size);
  return is_listed (sources, &key) == (sources->kind == AFXDP_SOURCES_INCLUDE);
}
