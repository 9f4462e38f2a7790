/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the filter of a slot changes, with a model in place of the XDP program: whatever a
 * run of it may have seen of the flow since the last grace period, with the list as it
 * is now, it passes no packet of a sender who is in both sets.
 */
#include "filter.h"

#include <string.h>

#include "error.h"
#include "suite.h"

#define SLOT 7
#define SENDERS 5 /* 10.0.0.0 to 10.0.0.4 */

static AfxdpEngine *engine;
static AfxdpFlows *flows;

/* The program's. */
static gboolean listed[SENDERS];
static AfxdpSourcesKind kind; /* of the flow */
static guint seen;            /* kinds that runs may go on with: bits */
static guint room;            /* in the list */
static gboolean refuses;      /* the next change of a flow */

static AfxdpSources *before, *after; /* NULL: nothing is held against them */

static gboolean
gives (AfxdpSourcesKind with, guint sender)
{
  return with == AFXDP_SOURCES_ANY ||
      listed[sender] == (with == AFXDP_SOURCES_INCLUDE);
}

static gboolean
is_of (const AfxdpSources *sources, guint8 sender)
{
  const guint8 address[4] = { 10, 0, 0, sender };

  return afxdp_sources_match (sources, address);
}

static void
look_on (void)
{
  for (guint sender = 0; before && sender < SENDERS; sender++)
    for (guint i = 0; i <= AFXDP_SOURCES_EXCLUDE; i++)
      if (seen & 1 << i && is_of (before, sender) && is_of (after, sender))
        fail_unless (gives (i, sender),
            "a packet of sender %u is passed, by a flow of kind %u", sender, i);
}

gboolean
afxdp_engine_set_flow (AfxdpEngine *of, const struct afxdp_flow_key *flow,
    guint slot, GError **error)
{
  fail_unless_equals_int (slot, SLOT);
  if (refuses) {
    refuses = FALSE;
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED, "busy");
    return FALSE;
  }
  kind = afxdp_sources_kind (of->sources[slot]);
  seen |= 1 << kind;
  look_on ();
  return TRUE;
}

void
afxdp_engine_remove_flow (AfxdpEngine *of, const struct afxdp_flow_key *flow)
{
  fail ("the flow is removed");
}

void
afxdp_engine_wait_for_grace_period (AfxdpEngine *of, const gchar *cause)
{
  seen = 1 << kind;
}

gboolean
afxdp_xdpprog_add_sources (
    AfxdpXdpProg *prog, guint slot, const AfxdpSources *sources, GError **error)
{
  guint n = 0;

  for (guint i = 0; i < SENDERS; i++)
    n += listed[i];
  if (n + afxdp_sources_n (sources) > room) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY, "full");
    return FALSE;
  }
  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    listed[afxdp_sources_get (sources, i)[3]] = TRUE;
    look_on ();
  }
  return TRUE;
}

void
afxdp_xdpprog_remove_sources (
    AfxdpXdpProg *prog, guint slot, const AfxdpSources *sources)
{
  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    listed[afxdp_sources_get (sources, i)[3]] = FALSE;
    look_on ();
  }
}

static const gchar *const lists[] = { NULL, "+10.0.0.1", "+10.0.0.1+10.0.0.2",
  "+10.0.0.2+10.0.0.3", "-10.0.0.1", "-10.0.0.1-10.0.0.2", "-10.0.0.3" };

#define N_LISTS G_N_ELEMENTS (lists)

static void
set_up (void)
{
  const struct afxdp_flow_key key = { .version = 4 };

  memset (listed, 0, sizeof listed);
  kind = AFXDP_SOURCES_ANY;
  seen = 1;
  room = SENDERS;
  refuses = FALSE;
  before = after = NULL;
  engine = g_new0 (AfxdpEngine, 1);
  flows = afxdp_flows_new ();
  afxdp_flows_claim (flows, &key, TRUE, SLOT);
  fail_unless (afxdp_flows_apply (flows, engine, NULL));
}

static void
tear_down (void)
{
  afxdp_sources_unref (engine->sources[SLOT]);
  afxdp_flows_free (flows);
  g_free (engine);
  g_clear_pointer (&before, afxdp_sources_unref);
  g_clear_pointer (&after, afxdp_sources_unref);
}

static gboolean
change_to (AfxdpSources *sources, GError **error)
{
  return afxdp_filter_change (engine, flows, SLOT, sources, error);
}

/* Both, and the program has the first. */
static void
begin (guint i)
{
  AfxdpSources *first = afxdp_sources_parse (lists[i / N_LISTS], 4, NULL);

  fail_unless (change_to (first, NULL));
  seen = 1 << kind;
  before = first;
  after = afxdp_sources_parse (lists[i % N_LISTS], 4, NULL);
}

static void
assert_is (const AfxdpSources *sources)
{
  fail_unless (afxdp_sources_equal (engine->sources[SLOT], sources));
  for (guint i = 0; i < SENDERS; i++)
    fail_unless_equals_int (gives (kind, i), is_of (sources, i));
}

LOOP_TEST (test_each_to_each, N_LISTS *N_LISTS)
{
  guint n = 0;

  begin (__i__);
  fail_unless (change_to (after, NULL));
  assert_is (after);
  /* Nothing is left behind. */
  for (guint i = 0; i < SENDERS; i++)
    n += listed[i];
  fail_unless_equals_int (n, afxdp_sources_n (after));
}

/* There is no room for what comes in addition, or in place. */
LOOP_TEST (test_no_room, N_LISTS *N_LISTS)
{
  g_autoptr (GError) error = NULL;

  begin (__i__);
  room = afxdp_sources_n (before);
  if (change_to (after, &error)) {
    assert_is (after);
    return;
  }
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
  assert_is (before);
}

/* The table of flows refuses a change. */
LOOP_TEST (test_refused, N_LISTS *N_LISTS)
{
  g_autoptr (GError) error = NULL;

  begin (__i__);
  refuses = TRUE;
  if (change_to (after, &error)) {
    assert_is (after);
    return;
  }
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_FAILED));
  assert_is (before);
}

SUITE ("filter", 0, set_up, tear_down)
