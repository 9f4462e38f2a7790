/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a session description, as GStreamer's parser reads it. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Takes away what devices and editors add, and what the parser would take for a part
 * of a word: a byte order mark, carriage returns, blanks and tabs around a line, its
 * type, its words, and the parts of a=rtpmap. What is not UTF-8 is replaced. text
 * need not end with 0, and has none in it. Free with g_free(). */
gchar *gst_afxdp_sdp_text (const gchar *text, gsize size);

G_END_DECLS
