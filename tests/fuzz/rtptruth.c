/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sequence statistics against a sender that is known: truth.h says what holds. */
#include "target.h"
#include "truth.h"

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  truth_run (bytes, size);
  return 0;
}
