/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which element downstream does not return from a push. Any thread but those that
 * push; takes some ms for each element on the way.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The element furthest downstream of pad, a source pad, whose sink pad is inside
 * its chain function all the time: in the thread that pushes by pad, or behind a
 * queue in another one. The element of pad itself: it is held up by a probe, or by
 * what no lock shows. why: what is known of the reason, and what to do; to be
 * freed. */
GstElement *gst_afxdp_culprit_find (GstPad *pad, gchar **why);

/* The element that pad pushes to, in whichever bin, or NULL: none. Does not wait. */
GstElement *gst_afxdp_culprit_next (GstPad *pad);

G_END_DECLS
