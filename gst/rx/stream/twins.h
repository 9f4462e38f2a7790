/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets that come twice for a while, by two ways, when a stream goes over from one to
 * the other and nobody can say where the one ends and the other begins. Those of the
 * first way are noted; of the second way, each packet that was noted is a twin, and
 * only one of them. What a packet is, is said by its bytes.
 *
 * For one thread.
 */
#pragma once

#include "input.h"

G_BEGIN_DECLS

/* So many packets are remembered at least, the latest. */
#define AFXDP_TWINS_MOST (1u << 15)

typedef struct
{
  guint64 *hashes; /* open addressing; 0: none, 1: taken out */
  guint n;         /* in use, taken out or not */
} AfxdpTwinsTable;

typedef struct
{
  /* When the first is full it takes the place of the second, which is forgotten.
   * Without hashes: nothing is noted. */
  AfxdpTwinsTable tables[2];
} AfxdpTwins;

void afxdp_twins_begin (AfxdpTwins *twins);
void afxdp_twins_end (AfxdpTwins *twins);
static inline gboolean
afxdp_twins_are_noted (const AfxdpTwins *twins)
{
  return twins->tables[0].hashes != NULL;
}

/* Between begin() and end(), as is take(). */
void afxdp_twins_note (AfxdpTwins *twins, const guint8 *data, guint size);
/* Whether it was noted; then it is not any more. */
gboolean afxdp_twins_take (AfxdpTwins *twins, const guint8 *data, guint size);

G_END_DECLS
