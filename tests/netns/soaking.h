/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tests have in common that do things at random: for how long (SOAK_SECONDS),
 * which things (SOAK_SEED), and whether memory grows.
 */
#pragma once

#include <glib.h>

/* To be called first in main(): allocators that keep nothing back show what is in
 * use. Begins the program anew. */
void soaking_prepare (gchar **argv);

/* SOAK_SECONDS, or as many seconds; in µs. */
gint64 soaking_time (guint seconds);
/* Of SOAK_SEED, or a new seed; prints it. */
GRand *soaking_random (void);

/* What this process has more at the end than at the beginning, in bytes: between
 * two moments at which the same streams play and nothing is kept. */
typedef struct
{
  guint64 memory; /* in RAM */
  guint64 heap;   /* that malloc() gave */
} SoakingMemory;

void soaking_memory_begin (SoakingMemory *more);
/* Prints it. */
void soaking_memory_end (SoakingMemory *more);
void soaking_memory_assert_flat (const SoakingMemory *more);
