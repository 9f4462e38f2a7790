/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A piece of memory that the daemon makes and other processes map, by its descriptor.
 * Nobody can change its size, so that what is mapped stays there.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_SHARED_READ,  /* others read it, and cannot write to it by any means */
  AFXDP_SHARED_WRITE, /* others write to it */
} AfxdpSharedAccess;

typedef struct
{
  int fd;           /* for others */
  int own;          /* -1: it cannot be told whether others have it */
  gpointer address; /* where it is ours, zero at first; NULL: there is none */
  gsize size;
} AfxdpSharedMemory;

/* Makes, populates, locks (as far as the kernel lets it) and seals memory. name: what
 * /proc shows. Errors: AFXDP_ERROR_MEMORY, _FAILED. */
gboolean afxdp_shared_memory_init (AfxdpSharedMemory *memory, const gchar *name,
    guint64 size, AfxdpSharedAccess access, GError **error);
/* What others have mapped stays their own. */
void afxdp_shared_memory_clear (AfxdpSharedMemory *memory);
/* As clear(), but for a descriptor to ask is_held() by, which is the caller's; or -1. */
int afxdp_shared_memory_leave (AfxdpSharedMemory *memory);
/* Whether somebody still has it mapped, or a descriptor of it. FALSE, too, where that
 * cannot be told. */
gboolean afxdp_shared_memory_is_held (int descriptor);

G_END_DECLS
