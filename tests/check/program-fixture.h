/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The XDP program loaded, its maps filled with the flows of the packet table, and
 * ways to run it on a frame and to compare what it counted. Not attached: each
 * run is a BPF_PROG_TEST_RUN.
 */
#pragma once

#include <bpf/bpf.h>
#include <gst/check/gstcheck.h>

#include "afxdp.h"
#include "afxdp.skel.h"
#include "packet-table.h"

#define INTERFACE "afxdp0"
#define INTERFACE_QUEUES 4

#define QUEUES 2                               /* that the program knows */
#define N_WORDS (AFXDP_SLOTS_OF_PART * QUEUES) /* of a part of the slots */
#define SLOT 3                                 /* of all flows of the table */
#define INDEX(queue) (SLOT * QUEUES + (queue)) /* of words, and of sockets */

#define LARGEST 16384 /* bytes of a frame that can be run */

extern struct afxdp_bpf *skeleton;
extern struct afxdp_slot *slots; /* of the first part */
extern struct afxdp_queue *queues;
extern int xsk;
extern int program;

typedef struct
{
  guint32 verdict;
  guint metadata_size;
  struct afxdp_metadata metadata;
} Result;

struct afxdp_flow_key make_key (
    guint version, const guint8 *address, guint16 port);
void set_filtered_flow (
    const struct afxdp_flow_key *key, guint32 slot, enum afxdp_filter filter);
void set_flow (const struct afxdp_flow_key *key, guint32 slot);
void remove_flow (const struct afxdp_flow_key *key);
void set_socket (guint32 index);
struct afxdp_bpf *load (void);
/* The words of one more part, which the program has from now on, to be unmapped by
 * remove_part(). */
struct afxdp_slot *add_part (guint32 part);
void remove_part (struct afxdp_slot *words);
void open_path (guint index, guint32 credit);
/* All flows of the table in SLOT, paths of all queues open. */
void set_up (void);
void tear_down (void);
/* Runs the program on a frame behind so many bytes of metadata, which a driver
 * can have put there. The program may put its own in front of the packet, and
 * changes nothing else. */
Result run_behind (guint before, const guint8 *frame, gsize size, guint queue);
Result run (const guint8 *frame, gsize size, guint queue);
/* Runs it on the first frame of the table: good, and belongs to SLOT. */
Result run_good (guint queue);
/* Whether those at index are these, and all others 0. */
gboolean counters_are (guint index, const struct afxdp_slot *expected);
void assert_counters_at (guint line, const gchar *name, guint index,
    const struct afxdp_slot *expected);

/* Compares the counters at index; those not named, and all those elsewhere,
 * have to be 0. */
#define assert_counters(index, ...) \
  assert_counters_at (__LINE__, "", index, &(struct afxdp_slot){ __VA_ARGS__ })
