/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts what is given. */
#include "quotas.h"

#include "error.h"

#define FEWEST_SLOTS 64
#define MIB (1024 * 1024)

struct _AfxdpQuotas
{
  guint max_clients;
  guint n_clients;
  GHashTable *of_users; /* uid -> number of streams, never 0 */
};

AfxdpQuotas *
afxdp_quotas_new (guint max_clients)
{
  AfxdpQuotas *quotas = g_new0 (AfxdpQuotas, 1);

  quotas->max_clients = max_clients;
  quotas->of_users = g_hash_table_new (NULL, NULL);
  return quotas;
}

void
afxdp_quotas_free (AfxdpQuotas *quotas)
{
  if (!quotas)
    return;
  g_hash_table_unref (quotas->of_users);
  g_free (quotas);
}

static guint
streams_of (const AfxdpQuotas *quotas, guint32 uid)
{
  return GPOINTER_TO_UINT (
      g_hash_table_lookup (quotas->of_users, GUINT_TO_POINTER (uid)));
}

static void
set_streams (AfxdpQuotas *quotas, guint32 uid, guint n)
{
  if (n)
    g_hash_table_insert (
        quotas->of_users, GUINT_TO_POINTER (uid), GUINT_TO_POINTER (n));
  else
    g_hash_table_remove (quotas->of_users, GUINT_TO_POINTER (uid));
}

gboolean
afxdp_quotas_take (AfxdpQuotas *quotas, const AfxdpRules *rules,
    const AfxdpPeer *peer, GError **error)
{
  guint n = streams_of (quotas, peer->uid);
  guint64 most = afxdp_rules_quota (rules, peer, AFXDP_QUOTA_STREAMS);

  if (quotas->n_clients >= quotas->max_clients) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION,
        "The distributor daemon gives %u streams to clients already, which is "
        "its max-clients: end some (one counts until its last buffer is freed), "
        "or have its administrator raise that",
        quotas->n_clients);
    return FALSE;
  }
  if (most && n >= most) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION,
        "The distributor daemon gives %u streams to user %u already, which is "
        "the user's max-streams: end some (one counts until its last buffer is "
        "freed), or have its administrator raise that",
        n, (guint) peer->uid);
    return FALSE;
  }
  quotas->n_clients++;
  set_streams (quotas, peer->uid, n + 1);
  return TRUE;
}

void
afxdp_quotas_give_back (AfxdpQuotas *quotas, guint32 uid)
{
  quotas->n_clients--;
  set_streams (quotas, uid, streams_of (quotas, uid) - 1);
}

gboolean
afxdp_quotas_slots (const AfxdpRules *rules, const AfxdpPeer *peer,
    gsize (*bytes) (guint n_slots, guint slot_size), guint slot_size,
    guint *n_slots, GError **error)
{
  guint64 most = afxdp_rules_quota (rules, peer, AFXDP_QUOTA_MEMORY);
  guint low = FEWEST_SLOTS, high = MAX (*n_slots, FEWEST_SLOTS);

  if (bytes (low, slot_size) > most) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
        "The distributor daemon may give %" G_GUINT64_FORMAT
        " MiB to a stream, and %u packets of this interface take %" G_GSIZE_FORMAT
        " MiB: have its administrator raise max-memory",
        most / MIB, low, (bytes (low, slot_size) + MIB - 1) / MIB);
    return FALSE;
  }
  /* The largest number that fits; low always does. */
  while (low < high) {
    guint middle = high - (high - low) / 2;

    if (bytes (middle, slot_size) <= most)
      low = middle;
    else
      high = middle - 1;
  }
  *n_slots = low;
  return TRUE;
}
