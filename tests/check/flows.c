/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which stream gets which flow, with a table in place of the XDP program's. */
#include "flows.h"

#include <string.h>

#include "error.h"
#include "suite.h"

#define NOBODY (-1)

/* The program's table. */
static gint table[4];
static guint n_changes, room;

static struct afxdp_flow_key
key (guint i)
{
  return (struct afxdp_flow_key){ .version = 4, .address = { 239, 1, 1, i } };
}

static guint
n_used (void)
{
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    n += table[i] != NOBODY;
  return n;
}

gboolean
afxdp_engine_set_flow (AfxdpEngine *engine, const struct afxdp_flow_key *flow,
    guint slot, GError **error)
{
  n_changes++;
  if (n_used () >= room) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY, "full");
    return FALSE;
  }
  table[flow->address[3]] = slot;
  return TRUE;
}

void
afxdp_engine_remove_flow (
    AfxdpEngine *engine, const struct afxdp_flow_key *flow)
{
  n_changes++;
  table[flow->address[3]] = NOBODY;
}

static void
set_up (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    table[i] = NOBODY;
  n_changes = 0;
  room = G_N_ELEMENTS (table);
}

typedef struct
{
  guint flow;
  gboolean exact;
  gint slot;
} Claim;

static gboolean
apply (AfxdpFlows *flows, const Claim *claims, guint n, GError **error)
{
  afxdp_flows_begin (flows);
  for (guint i = 0; i < n; i++) {
    struct afxdp_flow_key flow = key (claims[i].flow);

    afxdp_flows_claim (flows, &flow, claims[i].exact, claims[i].slot);
  }
  return afxdp_flows_apply (flows, NULL, error);
}

#define apply_claims(flows, ...)                             \
  fail_unless (apply (flows, (const Claim[]){ __VA_ARGS__ }, \
      sizeof ((const Claim[]){ __VA_ARGS__ }) / sizeof (Claim), NULL))

static gboolean
is_contested (AfxdpFlows *flows, guint i, gboolean exact)
{
  struct afxdp_flow_key flow = key (i);

  return afxdp_flows_is_contested (flows, &flow, exact);
}

TEST (test_each_its_own)
{
  g_autoptr (AfxdpFlows) flows = afxdp_flows_new ();

  apply_claims (flows, { 1, TRUE, 5 }, { 2, TRUE, 6 });
  fail_unless_equals_int (table[1], 5);
  fail_unless_equals_int (table[2], 6);
  fail_if (is_contested (flows, 1, TRUE));
  /* Nothing new: nothing is touched. */
  n_changes = 0;
  apply_claims (flows, { 2, TRUE, 6 }, { 1, TRUE, 5 });
  fail_unless_equals_int (n_changes, 0);
  /* One leaves. */
  apply_claims (flows, { 2, TRUE, 6 });
  fail_unless_equals_int (table[1], NOBODY);
  fail_unless_equals_int (n_changes, 1);
}

TEST (test_two_takers)
{
  g_autoptr (AfxdpFlows) flows = afxdp_flows_new ();

  apply_claims (flows, { 1, TRUE, 5 });
  apply_claims (flows, { 1, TRUE, 5 }, { 1, TRUE, 6 });
  fail_unless_equals_int (table[1], NOBODY);
  fail_unless (is_contested (flows, 1, TRUE));
  apply_claims (flows, { 1, TRUE, 6 });
  fail_unless_equals_int (table[1], 6);
  fail_if (is_contested (flows, 1, TRUE));
  /* One that does not want the fast path is a taker all the same. */
  apply_claims (flows, { 1, TRUE, 6 }, { 1, TRUE, -1 });
  fail_unless_equals_int (table[1], NOBODY);
  fail_unless (is_contested (flows, 1, TRUE));
}

/* As the kernel's sockets do: the particular address comes first. */
TEST (test_any_and_particular)
{
  g_autoptr (AfxdpFlows) flows = afxdp_flows_new ();

  apply_claims (flows, { 1, FALSE, 5 }, { 2, FALSE, 5 });
  fail_unless_equals_int (table[1], 5);
  apply_claims (flows, { 1, FALSE, 5 }, { 2, FALSE, 5 }, { 1, TRUE, 6 });
  fail_unless_equals_int (table[1], 6);
  fail_unless_equals_int (table[2], 5);
  fail_if (is_contested (flows, 1, TRUE));
  fail_if (is_contested (flows, 1, FALSE));
  apply_claims (flows, { 1, FALSE, 5 }, { 1, FALSE, 7 });
  fail_unless_equals_int (table[1], NOBODY);
  fail_unless (is_contested (flows, 1, FALSE));
}

TEST (test_full)
{
  g_autoptr (AfxdpFlows) flows = afxdp_flows_new ();
  g_autoptr (GError) error = NULL;
  const Claim both[] = { { 1, TRUE, 5 }, { 2, TRUE, 6 } };

  room = 1;
  fail_if (apply (flows, both, 2, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
  fail_unless_equals_int (n_used (), 1);
  /* It is tried again. */
  room = 2;
  fail_unless (apply (flows, both, 2, NULL));
  fail_unless_equals_int (table[1], 5);
  fail_unless_equals_int (table[2], 6);
}

SUITE ("flows", 0, set_up, NULL)
