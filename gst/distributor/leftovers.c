/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that outlives its client's connection. */
#include "leftovers.h"

#include <unistd.h>

#include "sharedmemory.h"

#define INTERVAL 1 /* s */

typedef struct
{
  guint32 uid;
  int descriptors[AFXDP_CLIENT_RING_MEMORIES]; /* -1: nobody can have it */
} Leftover;

struct _AfxdpLeftovers
{
  AfxdpQuotas *quotas;
  GArray *all;  /* Leftover */
  guint source; /* 0: there are none */
};

static void
leftover_clear (gpointer item)
{
  Leftover *leftover = item;

  for (guint i = 0; i < AFXDP_CLIENT_RING_MEMORIES; i++)
    if (leftover->descriptors[i] >= 0)
      close (leftover->descriptors[i]);
}

static gboolean
is_held (const Leftover *leftover)
{
  for (guint i = 0; i < AFXDP_CLIENT_RING_MEMORIES; i++)
    if (leftover->descriptors[i] >= 0 &&
        afxdp_shared_memory_is_held (leftover->descriptors[i]))
      return TRUE;
  return FALSE;
}

void
afxdp_leftovers_look (AfxdpLeftovers *leftovers)
{
  for (guint i = leftovers->all->len; i--;) {
    const Leftover *leftover = &g_array_index (leftovers->all, Leftover, i);

    if (is_held (leftover))
      continue;
    afxdp_quotas_give_back (leftovers->quotas, leftover->uid);
    g_array_remove_index_fast (leftovers->all, i);
  }
}

static gboolean
on_second (gpointer user_data)
{
  AfxdpLeftovers *leftovers = user_data;

  afxdp_leftovers_look (leftovers);
  if (leftovers->all->len)
    return G_SOURCE_CONTINUE;
  leftovers->source = 0;
  return G_SOURCE_REMOVE;
}

AfxdpLeftovers *
afxdp_leftovers_new (AfxdpQuotas *quotas)
{
  AfxdpLeftovers *leftovers = g_new0 (AfxdpLeftovers, 1);

  leftovers->quotas = quotas;
  leftovers->all = g_array_new (FALSE, FALSE, sizeof (Leftover));
  g_array_set_clear_func (leftovers->all, leftover_clear);
  return leftovers;
}

void
afxdp_leftovers_free (AfxdpLeftovers *leftovers)
{
  if (!leftovers)
    return;
  g_clear_handle_id (&leftovers->source, g_source_remove);
  g_array_unref (leftovers->all);
  g_free (leftovers);
}

void
afxdp_leftovers_take (
    AfxdpLeftovers *leftovers, AfxdpClientRing *ring, guint32 uid)
{
  Leftover leftover = { .uid = uid };

  if (!ring) {
    afxdp_quotas_give_back (leftovers->quotas, uid);
    return;
  }
  afxdp_client_ring_leave (ring, leftover.descriptors);
  if (!is_held (&leftover)) {
    leftover_clear (&leftover);
    afxdp_quotas_give_back (leftovers->quotas, uid);
    return;
  }
  g_array_append_val (leftovers->all, leftover);
  if (!leftovers->source)
    leftovers->source = g_timeout_add_seconds (INTERVAL, on_second, leftovers);
}
