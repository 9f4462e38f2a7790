/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long packets took. */
#include "latency.h"

/* Times below this are steps of their own. */
#define SMALL AFXDP_LATENCY_STEPS
#define STEP_BITS 4

G_STATIC_ASSERT (1 << STEP_BITS == AFXDP_LATENCY_STEPS);

static guint
step_of (guint64 time)
{
  guint exponent;

  if (time < SMALL)
    return time;
  exponent = 63 - __builtin_clzll (time) - STEP_BITS;
  /* The bit in front is always 1, and says which power of two. */
  return (exponent << STEP_BITS) + (guint) (time >> exponent);
}

/* The longest time of a step. */
static guint64
end_of (guint step)
{
  guint exponent;

  if (step < SMALL)
    return step;
  exponent = (step >> STEP_BITS) - 1;
  return (((guint64) (step & (SMALL - 1)) + SMALL + 1) << exponent) - 1;
}

void
afxdp_latency_add (AfxdpLatency *latency, guint64 time)
{
  if (G_UNLIKELY (!latency->n || time < latency->shortest))
    latency->shortest = time;
  if (G_UNLIKELY (time > latency->longest))
    latency->longest = time;
  latency->n++;
  latency->sum += time;
  latency->steps[step_of (time)]++;
}

guint64
afxdp_latency_quantile (const AfxdpLatency *latency, guint permille)
{
  guint64 wanted = (latency->n * permille + 999) / 1000, sum = 0;

  if (!latency->n)
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (latency->steps); i++) {
    sum += latency->steps[i];
    if (sum >= wanted)
      return CLAMP (end_of (i), latency->shortest, latency->longest);
  }
  return latency->longest;
}

guint64
afxdp_latency_up_to (const AfxdpLatency *latency, guint64 time)
{
  guint64 sum = 0;

  /* The extremes are known exactly. */
  if (latency->n && time >= latency->longest)
    return latency->n;
  for (guint i = 0; i < G_N_ELEMENTS (latency->steps) && end_of (i) <= time;
       i++)
    sum += latency->steps[i];
  return sum;
}
