/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a change of paths. */
#include "pathchange.h"

gboolean
afxdp_path_change_set (AfxdpPathChange *change, AfxdpPath path,
    const AfxdpFastPath *fast, const GError *error, const gchar *format, ...)
{
  g_autofree gchar *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  if (change->path == path && !g_strcmp0 (change->reason, reason) &&
      (path != AFXDP_PATH_FAST || change->n_queues == fast->n_rings))
    return FALSE;
  afxdp_path_change_clear (change);
  change->path = path;
  change->xdp_mode = fast->xdp_mode;
  change->zero_copy = path == AFXDP_PATH_FAST && fast->zero_copy;
  change->n_queues = fast->n_rings;
  for (guint i = 0; i < fast->n_rings; i++)
    change->queues[i] = fast->rings[i].queue;
  change->reason = g_steal_pointer (&reason);
  change->error = error ? g_error_copy (error) : NULL;
  return TRUE;
}

void
afxdp_path_change_copy (AfxdpPathChange *to, const AfxdpPathChange *from)
{
  *to = *from;
  to->reason = g_strdup (from->reason);
  to->error = from->error ? g_error_copy (from->error) : NULL;
}

void
afxdp_path_change_clear (AfxdpPathChange *change)
{
  g_clear_pointer (&change->reason, g_free);
  g_clear_error (&change->error);
}
