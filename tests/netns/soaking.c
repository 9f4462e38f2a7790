/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests have in common that do things at random for a long time. */
#include "soaking.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "leftover.h"

#define MIB ((gdouble) (1 << 20))

/*
 * Of the heap, what threads and allocators keep for the next time: half a MiB was
 * seen, after 20 s as after 120. And of each frame of the interface that has once
 * been downstream, its buffer, which stays with it: 32,768 of them at most, with
 * the address of the sender some 400 bytes.
 *
 * In memory, besides: holes in the heap, 2 to 4 MiB; and the rings of streams
 * that are gone, which stay with the interface for the next ones, 260 KiB each of
 * the larger size. There are never more of them than were in use at once, which
 * may be more than before the first measuring. A socket's frames, which are 8 MiB
 * for each life, would show at once.
 */
#define MOST_HEAP_MORE ((2 << 20) + 32768 * 400)
#define MOST_MEMORY_MORE ((16 << 20) + 32768 * 400)

/* GLib reads its part before main(). */
void
soaking_prepare (gchar **argv)
{
  mallopt (M_ARENA_MAX, 1);
  if (!g_strcmp0 (g_getenv ("G_SLICE"), "always-malloc"))
    return;
  g_setenv ("G_SLICE", "always-malloc", TRUE);
  execv ("/proc/self/exe", argv);
}

gint64
soaking_time (guint seconds)
{
  const gchar *asked = g_getenv ("SOAK_SECONDS");

  return (asked ? g_ascii_strtoll (asked, NULL, 10) : seconds) *
      G_TIME_SPAN_SECOND;
}

GRand *
soaking_random (void)
{
  const gchar *asked = g_getenv ("SOAK_SEED");
  guint32 seed = asked ? g_ascii_strtoull (asked, NULL, 10) : g_random_int ();

  printf ("SOAK_SEED=%u\n", seed);
  fflush (stdout);
  return g_rand_new_with_seed (seed);
}

void
soaking_memory_begin (SoakingMemory *more)
{
  more->memory = leftover_memory ();
  more->heap = leftover_heap ();
}

static guint64
subtract (guint64 now, guint64 before)
{
  return now > before ? now - before : 0;
}

void
soaking_memory_end (SoakingMemory *more)
{
  more->memory = subtract (leftover_memory (), more->memory);
  more->heap = subtract (leftover_heap (), more->heap);
  printf ("%.1f MiB of memory more, %.2f of them in the heap\n",
      more->memory / MIB, more->heap / MIB);
  fflush (stdout);
}

void
soaking_memory_assert_flat (const SoakingMemory *more)
{
  g_assert_cmpuint (more->memory, <=, MOST_MEMORY_MORE);
  g_assert_cmpuint (more->heap, <=, MOST_HEAP_MORE);
}
