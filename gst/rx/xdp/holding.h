/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the control thread of an interface and whoever holds that interface (hold.h) tell
 * each other: with which settings the program is to be attached although no stream is
 * registered, and how the interface is.
 */
#pragma once

#include <pthread.h>

#include "interface.h"
#include "registration.h"

G_BEGIN_DECLS

/* Told by the control thread, with the lock; must not wait. */
typedef void (*AfxdpHoldingTell) (
    gpointer holder, const AfxdpInterface *interface);

typedef struct
{
  /* Protects the rest. Inside the registry's, and held while holder is told. */
  pthread_mutex_t lock;
  gpointer holder; /* NULL: nobody holds it */
  AfxdpHoldingTell tell;
  /* Of which those of the interface count. */
  AfxdpRegistrationSettings settings;
  gboolean begins; /* the control thread has not taken it up */
} AfxdpHolding;

void afxdp_holding_init (AfxdpHolding *holding);
void afxdp_holding_clear (AfxdpHolding *holding);

/* For the holder, who is one at a time. When end() returns, it is not told any more; the
 * program stays as long as the distributor is there. */
void afxdp_holding_begin (AfxdpHolding *holding,
    const AfxdpRegistrationSettings *settings, AfxdpHoldingTell tell,
    gpointer holder);
void afxdp_holding_end (AfxdpHolding *holding);

/* For the control thread. */

/* Whether somebody has begun to hold it, once for each time; with which settings. */
gboolean afxdp_holding_take (
    AfxdpHolding *holding, AfxdpRegistrationSettings *settings);
void afxdp_holding_tell (
    AfxdpHolding *holding, const AfxdpInterface *interface);

G_END_DECLS
