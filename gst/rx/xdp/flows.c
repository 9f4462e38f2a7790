/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which stream of an interface gets which flow. */
#include "flows.h"

#include <string.h>

#define NOBODY (-1)

/* What the streams that are bound alike want of one flow. */
typedef struct
{
  guint n;
  gint slot; /* of the last one */
} Claims;

typedef struct
{
  struct afxdp_flow_key key;
  Claims exact, wide;
  gint installed; /* slot in the program's table, or NOBODY */
} Flow;

struct _AfxdpFlows
{
  GHashTable *table; /* Flow by key */
};

static guint
hash_key (gconstpointer data)
{
  const guint8 *bytes = data;
  guint hash = 5381;

  for (gsize i = 0; i < sizeof (struct afxdp_flow_key); i++)
    hash = hash * 33 + bytes[i];
  return hash;
}

static gboolean
same_key (gconstpointer one, gconstpointer other)
{
  return !memcmp (one, other, sizeof (struct afxdp_flow_key));
}

AfxdpFlows *
afxdp_flows_new (void)
{
  AfxdpFlows *flows = g_new0 (AfxdpFlows, 1);

  flows->table = g_hash_table_new_full (hash_key, same_key, NULL, g_free);
  return flows;
}

void
afxdp_flows_free (AfxdpFlows *flows)
{
  if (!flows)
    return;
  g_hash_table_unref (flows->table);
  g_free (flows);
}

void
afxdp_flows_begin (AfxdpFlows *flows)
{
  GHashTableIter iter;
  gpointer flow;

  g_hash_table_iter_init (&iter, flows->table);
  while (g_hash_table_iter_next (&iter, NULL, &flow))
    ((Flow *) flow)->exact.n = ((Flow *) flow)->wide.n = 0;
}

void
afxdp_flows_claim (AfxdpFlows *flows, const struct afxdp_flow_key *key,
    gboolean exact, gint slot)
{
  Flow *flow = g_hash_table_lookup (flows->table, key);
  Claims *claims;

  if (!flow) {
    flow = g_new0 (Flow, 1);
    flow->key = *key;
    flow->installed = NOBODY;
    g_hash_table_insert (flows->table, &flow->key, flow);
  }
  claims = exact ? &flow->exact : &flow->wide;
  claims->n++;
  claims->slot = slot;
}

static gint
winner (const Flow *flow)
{
  const Claims *claims = flow->exact.n ? &flow->exact : &flow->wide;

  return claims->n == 1 ? claims->slot : NOBODY;
}

gboolean
afxdp_flows_apply (AfxdpFlows *flows, AfxdpEngine *engine, GError **error)
{
  gboolean done = TRUE;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, flows->table);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Flow *flow = value;
    gint slot = winner (flow);

    if (slot != flow->installed) {
      if (slot == NOBODY)
        afxdp_engine_remove_flow (engine, &flow->key);
      else if (!afxdp_engine_set_flow (
                   engine, &flow->key, slot, done ? error : NULL)) {
        done = FALSE;
        continue; /* whoever had it before, has it */
      }
      flow->installed = slot;
    }
    if (!flow->exact.n && !flow->wide.n)
      g_hash_table_iter_remove (&iter);
  }
  return done;
}

gboolean
afxdp_flows_renew (
    AfxdpFlows *flows, AfxdpEngine *engine, gint slot, GError **error)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, flows->table);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const Flow *flow = value;

    if (flow->installed == slot &&
        !afxdp_engine_set_flow (engine, &flow->key, slot, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
afxdp_flows_is_installed (
    AfxdpFlows *flows, const struct afxdp_flow_key *key, gint slot)
{
  const Flow *flow = g_hash_table_lookup (flows->table, key);

  return flow && flow->installed == slot;
}

gboolean
afxdp_flows_is_contested (
    AfxdpFlows *flows, const struct afxdp_flow_key *key, gboolean exact)
{
  const Flow *flow = g_hash_table_lookup (flows->table, key);

  return flow && (exact ? flow->exact.n : flow->wide.n) > 1;
}
