/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the filter of a slot changes while the program runs. */
#include "filter.h"

static void
note (AfxdpEngine *engine, guint slot, AfxdpSources *sources)
{
  afxdp_sources_ref (sources);
  afxdp_sources_unref (engine->sources[slot]);
  engine->sources[slot] = sources;
}

/* The kind stays. What is added comes before what is taken away. */
static gboolean
change_list (AfxdpEngine *engine, guint slot, AfxdpSources *to, GError **error)
{
  AfxdpSources *from = engine->sources[slot];
  g_autoptr (AfxdpSources) added = afxdp_sources_list_without (to, from);
  g_autoptr (AfxdpSources) removed = afxdp_sources_list_without (from, to);

  if (!afxdp_xdpprog_add_sources (engine->prog, slot, added, error))
    return FALSE;
  afxdp_xdpprog_remove_sources (engine->prog, slot, removed);
  note (engine, slot, to);
  return TRUE;
}

/* The flow first: a run of the program that has seen the former kind may still look
 * into the list. */
static gboolean
end_filter (AfxdpEngine *engine, AfxdpFlows *flows, guint slot, GError **error)
{
  g_autoptr (AfxdpSources) former = afxdp_sources_ref (engine->sources[slot]);

  note (engine, slot, NULL);
  if (!afxdp_flows_renew (flows, engine, slot, error)) {
    note (engine, slot, former);
    return FALSE;
  }
  afxdp_engine_wait_for_grace_period (engine, "a filter of sources ends");
  afxdp_xdpprog_remove_sources (engine->prog, slot, former);
  return TRUE;
}

/* The list first. */
static gboolean
begin_filter (AfxdpEngine *engine, AfxdpFlows *flows, guint slot,
    AfxdpSources *sources, GError **error)
{
  if (!afxdp_xdpprog_add_sources (engine->prog, slot, sources, error))
    return FALSE;
  note (engine, slot, sources);
  if (afxdp_flows_renew (flows, engine, slot, error))
    return TRUE;
  note (engine, slot, NULL);
  afxdp_xdpprog_remove_sources (engine->prog, slot, sources);
  return FALSE;
}

/* An included list is not an excluded one: in between there is no filter. */
static gboolean
change_kind (AfxdpEngine *engine, AfxdpFlows *flows, guint slot,
    AfxdpSources *to, GError **error)
{
  g_autoptr (AfxdpSources) former = afxdp_sources_ref (engine->sources[slot]);

  if (afxdp_sources_n (former) && !end_filter (engine, flows, slot, error))
    return FALSE;
  if (!afxdp_sources_n (to) || begin_filter (engine, flows, slot, to, error))
    return TRUE;
  /* There was room for them. */
  if (afxdp_sources_n (former))
    begin_filter (engine, flows, slot, former, NULL);
  return FALSE;
}

gboolean
afxdp_filter_change (AfxdpEngine *engine, AfxdpFlows *flows, guint slot,
    AfxdpSources *sources, GError **error)
{
  return afxdp_sources_kind (sources) ==
          afxdp_sources_kind (engine->sources[slot])
      ? change_list (engine, slot, sources, error)
      : change_kind (engine, flows, slot, sources, error);
}
