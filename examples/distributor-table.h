/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is seen while it runs: a table of the streams, which a terminal shows in
 * one place and anything else as lines that are appended; and lines in between.
 *
 * One thread.
 */
#pragma once

#include <stdio.h>

#include "distributor-stream.h"

G_BEGIN_DECLS

typedef struct _DistributorTable DistributorTable;

/* Of DistributorStream, whose statistics somebody else updates. Keeps out
 * open, and streams. */
DistributorTable *distributor_table_new (FILE *out, GPtrArray *streams);
/* What it has drawn stays. */
void distributor_table_free (DistributorTable *self);

/* Draws it, or appends to it. */
void distributor_table_draw (DistributorTable *self);
/* Writes a line; above the table, where it is in one place. */
void distributor_table_say (DistributorTable *self, const gchar *line);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DistributorTable, distributor_table_free)

G_END_DECLS
