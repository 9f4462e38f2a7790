/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a control thread and the holder of its interface tell each other. */
#include "holding.h"

void
afxdp_holding_init (AfxdpHolding *holding)
{
  pthread_mutex_init (&holding->lock, NULL);
}

void
afxdp_holding_clear (AfxdpHolding *holding)
{
  pthread_mutex_destroy (&holding->lock);
}

void
afxdp_holding_begin (AfxdpHolding *holding,
    const AfxdpRegistrationSettings *settings, AfxdpHoldingTell tell,
    gpointer holder)
{
  pthread_mutex_lock (&holding->lock);
  holding->settings = *settings;
  holding->tell = tell;
  holding->holder = holder;
  holding->begins = TRUE;
  pthread_mutex_unlock (&holding->lock);
}

void
afxdp_holding_end (AfxdpHolding *holding)
{
  pthread_mutex_lock (&holding->lock);
  holding->holder = NULL;
  holding->begins = FALSE;
  pthread_mutex_unlock (&holding->lock);
}

gboolean
afxdp_holding_take (AfxdpHolding *holding, AfxdpRegistrationSettings *settings)
{
  gboolean begins;

  pthread_mutex_lock (&holding->lock);
  begins = holding->begins;
  holding->begins = FALSE;
  *settings = holding->settings;
  pthread_mutex_unlock (&holding->lock);
  return begins;
}

void
afxdp_holding_tell (AfxdpHolding *holding, const AfxdpInterface *interface)
{
  pthread_mutex_lock (&holding->lock);
  /* Not before it is taken up: why the program is not attached is not known then. */
  if (holding->holder && !holding->begins)
    holding->tell (holding->holder, interface);
  pthread_mutex_unlock (&holding->lock);
}
