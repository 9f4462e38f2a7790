/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets that come twice for a while. */
#include "twins.h"

#include <string.h>

/* At most half of them are in use. */
#define PLACES (2 * AFXDP_TWINS_MOST)
#define TAKEN_OUT 1
/* Of a payload: an RTP header, and enough of what is behind it to tell other packets
 * apart. */
#define BYTES 256

void
afxdp_twins_begin (AfxdpTwins *twins)
{
  afxdp_twins_end (twins);
  for (guint i = 0; i < G_N_ELEMENTS (twins->tables); i++)
    twins->tables[i].hashes = g_new0 (guint64, PLACES);
}

void
afxdp_twins_end (AfxdpTwins *twins)
{
  for (guint i = 0; i < G_N_ELEMENTS (twins->tables); i++) {
    g_clear_pointer (&twins->tables[i].hashes, g_free);
    twins->tables[i].n = 0;
  }
}

/* FNV-1a over words, which need not stand up to an adversary: who can choose packets
 * can as well not send them. Never 0 or TAKEN_OUT. */
static guint64
hash (const guint8 *data, guint size)
{
  guint64 sum = G_GUINT64_CONSTANT (0xcbf29ce484222325) ^ size;
  guint n = MIN (size, BYTES);

  for (guint i = 0; i < n; i += sizeof (guint64)) {
    guint64 word = 0;

    memcpy (&word, data + i, MIN (n - i, sizeof word));
    sum = (sum ^ word) * G_GUINT64_CONSTANT (0x100000001b3);
    sum ^= sum >> 29;
  }
  return sum > TAKEN_OUT ? sum : sum + 2;
}

static void
forget_oldest (AfxdpTwins *twins)
{
  AfxdpTwinsTable oldest = twins->tables[1];

  twins->tables[1] = twins->tables[0];
  memset (oldest.hashes, 0, PLACES * sizeof *oldest.hashes);
  oldest.n = 0;
  twins->tables[0] = oldest;
}

void
afxdp_twins_note (AfxdpTwins *twins, const guint8 *data, guint size)
{
  AfxdpTwinsTable *table = &twins->tables[0];
  guint64 of_it = hash (data, size);
  guint place = of_it % PLACES;

  if (table->n == AFXDP_TWINS_MOST)
    forget_oldest (twins);
  while (table->hashes[place])
    place = (place + 1) % PLACES;
  table->hashes[place] = of_it;
  table->n++;
}

static gboolean
take_from (AfxdpTwinsTable *table, guint64 of_it)
{
  for (guint place = of_it % PLACES; table->hashes[place];
       place = (place + 1) % PLACES)
    if (table->hashes[place] == of_it) {
      table->hashes[place] = TAKEN_OUT;
      return TRUE;
    }
  return FALSE;
}

gboolean
afxdp_twins_take (AfxdpTwins *twins, const guint8 *data, guint size)
{
  guint64 of_it = hash (data, size);

  return take_from (&twins->tables[1], of_it) ||
      take_from (&twins->tables[0], of_it);
}
