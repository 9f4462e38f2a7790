/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a script, whichever it is of. */
#pragma once

#include <glib.h>

/* The next n bytes as a number, and goes on behind them; those that are missing are 0. */
static inline guint64
bytes_take (const guint8 **bytes, gsize *size, guint n)
{
  guint64 value = 0;

  for (; n; n--) {
    value <<= 8;
    if (*size) {
      value |= *(*bytes)++;
      --*size;
    }
  }
  return value;
}
