/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes that rtpgen puts into its packets, as "rtpgen --help" documents
 * them, so that a test can say of any buffer which packet it is.
 */
#pragma once

#include <gst/gst.h>

#define PAYLOAD_WRONG G_MAXUINT64
#define PAYLOAD_RTP_HEADER 12

/* The index of the packet that size bytes of RTP payload belong to, or
 * PAYLOAD_WRONG when one of them is not as it was sent. For payload type 33 and
 * the sizes that are MPEG-TS, rtpgen's default included. */
guint64 payload_index (const guint8 *payload, gsize size);

/* The same of a buffer, which begins with header bytes of something else. */
guint64 payload_index_of_buffer (GstBuffer *buffer, gsize header);

/* What leaves an element. wrong: damaged, not behind all before, or of a time before
 * theirs. */
typedef struct
{
  guint64 next; /* index that the next packet has, if none is missing */
  guint64 n, wrong;
  GstClockTime pts;
} PayloadWatch;

/* Watches the pad "src" of element, which watch must outlive. */
void payload_watch (GstElement *element, PayloadWatch *watch);
