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
  twins->hashes = g_new0 (guint64, PLACES);
}

void
afxdp_twins_end (AfxdpTwins *twins)
{
  g_clear_pointer (&twins->hashes, g_free);
  twins->n = 0;
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

void
afxdp_twins_note (AfxdpTwins *twins, const guint8 *data, guint size)
{
  guint64 of_it = hash (data, size);
  guint place = of_it % PLACES;

  if (!twins->hashes || twins->n == AFXDP_TWINS_MOST)
    return;
  while (twins->hashes[place])
    place = (place + 1) % PLACES;
  twins->hashes[place] = of_it;
  twins->n++;
}

gboolean
afxdp_twins_take (AfxdpTwins *twins, const guint8 *data, guint size)
{
  guint64 of_it;

  if (!twins->n)
    return FALSE;
  of_it = hash (data, size);
  for (guint place = of_it % PLACES; twins->hashes[place];
       place = (place + 1) % PLACES)
    if (twins->hashes[place] == of_it) {
      twins->hashes[place] = TAKEN_OUT;
      return TRUE;
    }
  return FALSE;
}
