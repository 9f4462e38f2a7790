/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a stream goes over to another distributor while it plays.
 *
 * An interface that was removed does not come back: one of its name that is there
 * later is another, with a distributor of its own. So has one that is left for copy
 * mode: zero-copy and copy mode do not go together on an interface, and what was bound
 * in one is not bound anew in the other. The control thread of the former distributor
 * registers each of its streams at the new one too, within a second or so. That
 * registration is the successor of the stream's former one. The control thread does
 * so, and not the streaming thread, which may be in another network namespace.
 *
 * Whoever owns the former registration takes the successor, unregisters the former,
 * has the successor go on counting, and forgets the former.
 */
#pragma once

#include "registration.h"

G_BEGIN_DECLS

/* Any thread. */

static inline gboolean
afxdp_registration_has_successor (const AfxdpRegistration *registration)
{
  return atomic_load_explicit (
             &registration->succession.successor, memory_order_acquire) != NULL;
}

/* The caller's, and has to be unregistered as any other; or NULL. */
static inline AfxdpRegistration *
afxdp_registration_take_successor (AfxdpRegistration *registration)
{
  return atomic_exchange (&registration->succession.successor, NULL);
}

/* Whether the groups that were joined for its former are still joined: it is on the
 * same interface. */
static inline gboolean
afxdp_registration_keeps_groups (const AfxdpRegistration *registration)
{
  return registration->succession.keeps_groups;
}

/* For the control thread. */

struct _AfxdpDistributor;

/* The interface works in copy mode alone: all its streams are to go over. Takes
 * reason. */
void afxdp_succession_leave_zero_copy (
    struct _AfxdpDistributor *distributor, gchar *reason);
/* Makes successors, when it is time, for streams that wait for them. */
void afxdp_succession_work (struct _AfxdpDistributor *distributor);
/* When it will be time; AFXDP_NEVER: nobody waits. */
guint64 afxdp_succession_next_time (
    const struct _AfxdpDistributor *distributor);

G_END_DECLS
