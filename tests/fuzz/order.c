/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stage that orders packets, against a naive model: ordermodel.h says what holds. */
#include "ordermodel.h"
#include "target.h"

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  if (size && bytes[0] & 0x80)
    legs_model_run (bytes, size);
  else
    order_model_run (bytes, size);
  return 0;
}
