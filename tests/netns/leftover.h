/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process has that must be gone at some time: descriptors, threads,
 * memory, and BPF programs, maps and links. Numbers to be compared with those of
 * before.
 */
#pragma once

#include <glib.h>

/* Programs, maps and links. */
#define LEFTOVER_BPF_KINDS 3

typedef struct
{
  guint kind;
  guint id;
} LeftoverBpf;

/* The BPF objects that a process has descriptors of: LeftoverBpf. */
GArray *leftover_find_bpf (GPid pid);
/* Whether it is still in the kernel, whoever has it. */
gboolean leftover_exists (const LeftoverBpf *object);

/* This process's. The threads of GLib's pools that nobody uses are sent away
 * first. They go some time later, and so may what they hold, such as the pipes of
 * a generator that has ended. */
guint leftover_descriptors (void);
guint leftover_threads (void);
/* What there is of both, and later the BPF objects that must be gone. */
typedef struct
{
  guint descriptors, threads;
  GArray *bpf; /* NULL: not asked for */
} Leftover;

/* When GStreamer, GLib and others have opened what they open once. */
void leftover_begin (Leftover *before);
/* While there are some: this process's. */
void leftover_expect_bpf (Leftover *before);
/* Until there is no more than before, nor a program on rx0. */
void leftover_end (Leftover *before);
/* Until these, LeftoverBpf, are gone. Frees the array. */
void leftover_wait_for_bpf (GArray *objects);

/* Bytes in memory, after the C library gave back what it could. */
guint64 leftover_memory (void);
/* Bytes that malloc() gave and nobody freed. */
guint64 leftover_heap (void);
