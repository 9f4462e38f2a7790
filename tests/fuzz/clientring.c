/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a client writes into the memory that it shares with the distributor daemon. */
#include "clientringmodel.h"
#include "target.h"

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  client_ring_model_run (bytes, size);
  return 0;
}
