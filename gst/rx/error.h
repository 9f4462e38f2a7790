/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The errors of rx/: one code for each remedy, so that a caller can tell what
 * may heal by itself from what somebody has to mend.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define AFXDP_ERROR (afxdp_error_quark ())

typedef enum
{
  AFXDP_ERROR_FAILED,      /* none of the below: the text says what */
  AFXDP_ERROR_NOT_FOUND,   /* no such interface, address or route */
  AFXDP_ERROR_SETTINGS,    /* settings that contradict each other or the UMEM */
  AFXDP_ERROR_PERMISSION,  /* a capability is missing */
  AFXDP_ERROR_UNSUPPORTED, /* kernel, driver or kind of interface cannot */
  AFXDP_ERROR_PORT_IN_USE, /* the UDP port belongs to another socket */
  AFXDP_ERROR_FOREIGN,     /* another program is attached to the interface */
  AFXDP_ERROR_TAKEN,       /* the same, and it takes the stream's packets */
  AFXDP_ERROR_QUEUE_BUSY,  /* another process, or the kernel still, has it */
  AFXDP_ERROR_MEMORY,      /* no memory, or RLIMIT_MEMLOCK */
  AFXDP_ERROR_DOWN,        /* the interface is down */
} AfxdpError;

GQuark afxdp_error_quark (void);

/* Sets error from an errno: the text that format makes, then what the kernel
 * says. The code is the one that errnum stands for where it is unambiguous
 * (EPERM, EACCES, ENOMEM, ENODEV, ENETDOWN, ...), FAILED otherwise. Returns
 * FALSE, so that a caller can return it. */
gboolean afxdp_error_set (GError **error, int errnum, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);

/* Whether n more descriptors can be had. */
gboolean afxdp_error_has_descriptors (guint n);

/* Whether this thread has a capability (CAP_BPF): what it was refused may be for
 * want of it, or in spite of it. */
gboolean afxdp_has_capability (guint capability);

G_END_DECLS
