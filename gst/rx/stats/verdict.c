/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which drops explain a gap. */
#include "verdict.h"

#include "log.h"

/* Drops so near to a gap (ns), and just as many as it misses, are its own if they are
 * more than MANY: the arrival of a packet can be a guess. */
#define NEAR (100 * G_GUINT64_CONSTANT (1000000))
#define MANY 1000

static gboolean
is_in_time (const AfxdpDrop *drop, const AfxdpRtpGap *gap, guint64 slack)
{
  return drop->from < gap->shown + slack && gap->before < drop->until + slack;
}

/* missing: from the gap, and not explained. */
static gboolean
fits_in_number (const AfxdpDrop *drop, const AfxdpRtpGap *gap, guint64 missing)
{
  guint64 n = drop->n;

  if (n == missing && n > MANY)
    return is_in_time (drop, gap, NEAR);
  return n > AFXDP_FIT_FEW && missing > AFXDP_FIT_FEW &&
      afxdp_fit_distance (n, missing) <= AFXDP_FIT_FEW &&
      is_in_time (drop, gap, AFXDP_FIT_SLACK);
}

gboolean
afxdp_drop_fits (const AfxdpDrop *drop, const AfxdpRtpGap *gap, AfxdpFit fit,
    guint64 missing)
{
  if ((fit == AFXDP_FITS_THE_INTERFACE) != (drop->column == AFXDP_COLUMN_NIC))
    return FALSE;
  if (fit == AFXDP_FITS_EXACTLY)
    return drop->until == gap->shown;
  if (fit == AFXDP_FITS_IN_NUMBER)
    return fits_in_number (drop, gap, missing);
  return is_in_time (drop, gap, AFXDP_FIT_SLACK);
}

guint
afxdp_first_fit (
    const AfxdpDropHistory *history, const AfxdpRtpGap *gap, AfxdpFit fit)
{
  guint64 slack = fit == AFXDP_FITS_IN_NUMBER ? NEAR : AFXDP_FIT_SLACK;

  return afxdp_drop_history_first_until (history,
      fit == AFXDP_FITS_EXACTLY ? gap->shown
                                : gap->before - MIN (gap->before, slack));
}

void
afxdp_verdict_explain (AfxdpVerdict *verdict, AfxdpDropHistory *history,
    AfxdpFit fit, guint64 since)
{
  static const gchar *const fits[AFXDP_N_FITS] = {
    [AFXDP_FITS_IN_NUMBER] = "in number",
    [AFXDP_FITS_EXACTLY] = "exactly",
    [AFXDP_FITS_IN_TIME] = "in time",
    [AFXDP_FITS_THE_INTERFACE] = "in time, and may be anybody's",
  };
  const AfxdpRtpGap *gap = &verdict->gap;
  guint64 missing = gap->missing - afxdp_lost_sum (verdict->lost);
  guint i = MAX (afxdp_first_fit (history, gap, fit),
      afxdp_drop_history_first_until (history, since));

  for (; i < history->drops->len && missing; i++) {
    AfxdpDrop *drop = afxdp_drop_history_at (history, i);
    guint64 n;

    if (fit == AFXDP_FITS_EXACTLY && drop->until > gap->shown)
      return;
    if (!afxdp_drop_fits (drop, gap, fit, missing))
      continue;
    n = MIN (missing, (guint64) drop->n);
    verdict->lost[drop->column] += n;
    missing -= n;
    AFXDP_DEBUG (AFXDP_LOG_STATS, NULL,
        "SSRC %08x: of %" G_GINT64_FORMAT " packets dropped at %s in "
        "%" G_GUINT64_FORMAT " us, %" G_GUINT64_FORMAT
        " explain a gap: they fit %s",
        gap->ssrc, drop->n, afxdp_column_where (drop->column),
        (drop->until - MIN (drop->from, drop->until)) / 1000, n, fits[fit]);
    drop->n -= n;
  }
}
