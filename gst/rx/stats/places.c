/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a leg has lost packets lately. */
#include "places.h"

static AfxdpColumn
worst_column (const guint64 *lost)
{
  AfxdpColumn worst = AFXDP_FIRST_LOSS;

  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (lost[i] > lost[worst])
      worst = i;
  return worst;
}

void
afxdp_places_add (AfxdpPlaces *places, const AfxdpVerdict *verdict)
{
  const AfxdpRtpGap *gap = &verdict->gap;

  if (!gap->missing)
    return; /* all of it came while it waited */
  places->places[places->n++ % AFXDP_PLACES_MOST] =
      (AfxdpPlace){ gap->ssrc, worst_column (verdict->lost), gap->first,
        gap->end - gap->first, gap->shown };
}

static gboolean
overlaps (const AfxdpPlace *place, const AfxdpRtpGap *gap)
{
  guint16 ahead = gap->first - place->first;
  guint16 behind = place->first - gap->first;

  return ahead < place->length || behind < gap->end - gap->first;
}

/* Of any SSRC, if same_ssrc is FALSE. */
static const AfxdpPlace *
find_nearest (
    const AfxdpPlaces *places, const AfxdpRtpGap *gap, gboolean same_ssrc)
{
  guint64 most = MIN (places->n, AFXDP_PLACES_MOST);
  guint64 nearest = AFXDP_PLACES_APART;
  const AfxdpPlace *found = NULL;

  for (guint64 i = 0; i < most; i++) {
    const AfxdpPlace *place = &places->places[i];
    guint64 distance = afxdp_fit_distance (place->shown, gap->shown);

    if (distance > nearest || !overlaps (place, gap) ||
        (same_ssrc && place->ssrc != gap->ssrc))
      continue;
    nearest = distance;
    found = place;
  }
  return found;
}

static gboolean
knows_ssrc (const AfxdpPlaces *places, guint32 ssrc)
{
  guint64 most = MIN (places->n, AFXDP_PLACES_MOST);

  for (guint64 i = 0; i < most; i++)
    if (places->places[i].ssrc == ssrc)
      return TRUE;
  return FALSE;
}

gboolean
afxdp_places_find (
    const AfxdpPlaces *places, const AfxdpRtpGap *gap, AfxdpColumn *column)
{
  const AfxdpPlace *place =
      find_nearest (places, gap, knows_ssrc (places, gap->ssrc));

  if (!place)
    return FALSE;
  *column = place->column;
  return TRUE;
}
