/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error codes of rx/, and how an errno becomes one. */
#include "error.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* Which limit a number of files was too large for. */
static gchar *
describe_limit (int errnum)
{
  struct rlimit limit = { 0 };

  if (errnum != EMFILE)
    return g_strdup ("");
  getrlimit (RLIMIT_NOFILE, &limit);
  return g_strdup_printf (
      ": RLIMIT_NOFILE of this process is %" G_GUINT64_FORMAT
      "; raise it (setrlimit(), ulimit -n, LimitNOFILE= of systemd): a stream "
      "needs about 6 descriptors",
      (guint64) limit.rlim_cur);
}

gboolean
afxdp_error_set (GError **error, int errnum, const gchar *format, ...)
{
  g_autofree gchar *limit = describe_limit (errnum);
  g_autofree gchar *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, AFXDP_ERROR, code_of (errnum), "%s: %s%s", what,
      g_strerror (errnum), limit);
  return FALSE;
}

gboolean
afxdp_error_has_descriptors (guint n)
{
  g_autofree int *descriptors = g_new (int, n);
  guint had = 0;

  while (had < n && (descriptors[had] = eventfd (0, EFD_CLOEXEC)) >= 0)
    had++;
  for (guint i = 0; i < had; i++)
    close (descriptors[i]);
  return had == n;
}

gboolean
afxdp_has_capability (guint capability)
{
  struct __user_cap_header_struct header = {
    .version = _LINUX_CAPABILITY_VERSION_3,
  };
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

  return !syscall (SYS_capget, &header, sets) &&
      sets[CAP_TO_INDEX (capability)].effective & CAP_TO_MASK (capability);
}
