/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error codes of rx/, and how an errno becomes one. */
#include "error.h"

#include <errno.h>

/* clang-format off */
G_DEFINE_QUARK (afxdp-error-quark, afxdp_error)
/* clang-format on */

static AfxdpError
code_of (int errnum)
{
  switch (errnum) {
    case EPERM:
    case EACCES:
      return AFXDP_ERROR_PERMISSION;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
      return AFXDP_ERROR_MEMORY;
    case ENODEV:
    case ENXIO:
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
      return AFXDP_ERROR_NOT_FOUND;
    case ENETDOWN:
      return AFXDP_ERROR_DOWN;
    case EADDRINUSE:
      return AFXDP_ERROR_PORT_IN_USE;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOSYS:
      return AFXDP_ERROR_UNSUPPORTED;
    default:
      return AFXDP_ERROR_FAILED;
  }
}

gboolean
afxdp_error_set (GError **error, int errnum, const gchar *format, ...)
{
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, AFXDP_ERROR, code_of (errnum), "%s: %s", what,
      g_strerror (errnum));
  return FALSE;
}
