/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hostile frames: those of the packet table after a few changes each, of the
 * kinds that break parsers. The same random numbers make the same frames.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* No frame is longer, and none shorter than an Ethernet header. */
#define PACKET_MUTATION_LARGEST 12000
#define PACKET_MUTATION_SHORTEST 14

/* Kinds of changes. */
guint packet_n_mutations (void);

/* Returns a new frame; adds 1 to done[kind] for each change it went through, done
 * being an array of packet_n_mutations(). */
GByteArray *packet_mutation (GRand *random, guint *done);

/* What a kind of change is, for whoever reads that it never took place. */
const gchar *packet_mutation_name (guint kind);

G_END_DECLS
