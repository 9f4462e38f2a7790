/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file that sdp-location names, and its text. Knows nothing of SDP.
 *
 * Waits for the file system, and for nothing else: a FIFO or a device is refused.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Largest file that is read, in bytes. */
#define GST_AFXDP_SDP_FILE_MAX (1024 * 1024)

typedef struct
{
  gchar *path;
  gint media; /* from #m=N, counted from 0; -1: not given */
} GstAfxdpSdpFile;

/* location: a path or a file:// URI, with #m=N behind it or not. Errors:
 * AFXDP_ERROR_SETTINGS. */
gboolean gst_afxdp_sdp_file_init (
    GstAfxdpSdpFile *file, const gchar *location, GError **error);
void gst_afxdp_sdp_file_clear (GstAfxdpSdpFile *file);

/* What is in it, at least one byte and none of them 0. Errors: any of
 * AFXDP_ERROR, with a sentence that names the file. */
GBytes *gst_afxdp_sdp_file_read (const GstAfxdpSdpFile *file, GError **error);

G_END_DECLS
