/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of docs/statistics.md and docs/messages.md, to be compared with what they
 * describe. */
#pragma once

#include <gst/gst.h>

/* Fails the test unless structure has the fields, with their types, of the table
 * below the heading that is its name in backquotes, and no others but those of
 * which ignored, a list that ends with NULL, tells. */
void page_assert_fields (
    const GstStructure *structure, const gchar *const *ignored);

/* The first column of the table of places. */
GStrv page_places (void);
