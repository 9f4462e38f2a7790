/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a distributor daemon says to its client, and writes into the memory of both. */
#include "clientmodel.h"
#include "target.h"

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  client_model_run (bytes, size);
  return 0;
}
