/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where messages of rx/ go. */
#include "log.h"

static const gint nothing;
static AfxdpLogFunction log_function;
const gint *afxdp_log_highest = &nothing;

void
afxdp_log_init (AfxdpLogFunction function, const gint *highest)
{
  log_function = function;
  afxdp_log_highest = highest;
}

void
afxdp_log (AfxdpLogRoom room, AfxdpLogLevel level, const gchar *file,
    const gchar *function, gint line, const gchar *name, const gchar *format,
    ...)
{
  va_list arguments;

  va_start (arguments, format);
  log_function (room, level, file, function, line, name, format, arguments);
  va_end (arguments);
}
