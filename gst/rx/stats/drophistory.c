/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The drops that were told, until gaps are found for them. */
#include "drophistory.h"

#include "log.h"

/* Where there are many, drops of one column become one if they lie in so many ns. */
#define TOGETHER (10 * G_GUINT64_CONSTANT (1000000))
/* What is left of a memory that was full: most of it must be filled again before
 * that is looked through again. */
#define ROOMY(most) ((most) / 4 * 3)

void
afxdp_drop_history_init (AfxdpDropHistory *history)
{
  *history = (AfxdpDropHistory){
    .drops = g_array_new (FALSE, FALSE, sizeof (AfxdpDrop)),
    .news = G_MAXUINT64,
  };
}

void
afxdp_drop_history_clear (AfxdpDropHistory *history)
{
  g_array_unref (history->drops);
}

guint
afxdp_drop_history_first_until (const AfxdpDropHistory *history, guint64 until)
{
  guint low = 0, high = history->drops->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (afxdp_drop_history_at (history, middle)->until < until)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
afxdp_drop_history_forget_used (AfxdpDropHistory *history)
{
  guint left = 0;

  for (guint i = 0; i < history->drops->len; i++)
    if (afxdp_drop_history_at (history, i)->n)
      *afxdp_drop_history_at (history, left++) =
          *afxdp_drop_history_at (history, i);
  g_array_set_size (history->drops, left);
}

static void
forget_oldest_drops (AfxdpDropHistory *history, guint n)
{
  history->forgotten_until = MAX (
      history->forgotten_until, afxdp_drop_history_at (history, n - 1)->until);
  g_array_remove_range (history->drops, 0, n);
}

/* n packets that were told to be dropped came after all. */
static void
take_back (AfxdpDropHistory *history, AfxdpColumn column, guint64 n)
{
  for (guint i = history->drops->len; i-- && n;) {
    AfxdpDrop *drop = afxdp_drop_history_at (history, i);
    guint64 some = MIN (n, (guint64) drop->n);

    if (drop->column != column)
      continue;
    n -= some;
    drop->n -= some;
  }
  afxdp_drop_history_forget_used (history);
}

/* Puts together what was dropped at the same place at about the same time. */
static void
join_drops (AfxdpDropHistory *history)
{
  AfxdpDrop *latest[AFXDP_N_COLUMNS] = { NULL };

  for (guint i = history->drops->len; i--;) {
    AfxdpDrop *drop = afxdp_drop_history_at (history, i);
    AfxdpDrop *later = latest[drop->column];

    if (later && later->until - MIN (drop->from, later->from) <= TOGETHER) {
      later->n += drop->n;
      later->from = MIN (later->from, drop->from);
      drop->n = 0;
    } else {
      latest[drop->column] = drop;
    }
  }
  afxdp_drop_history_forget_used (history);
}

static void
make_room_for_drops (AfxdpDropHistory *history)
{
  join_drops (history);
  if (history->drops->len > ROOMY (AFXDP_DROP_HISTORY_MOST))
    forget_oldest_drops (
        history, history->drops->len - ROOMY (AFXDP_DROP_HISTORY_MOST));
}

void
afxdp_drop_history_add (AfxdpDropHistory *history, const AfxdpDrop *drop)
{
  guint place;

  if (!afxdp_column_name (drop->column)) {
    history->uncounted[history->n_uncounted++ % AFXDP_DROP_HISTORY_UNCOUNTED] =
        *drop;
    return;
  }
  if (!drop->n)
    return;
  AFXDP_LOG (AFXDP_LOG_STATS, NULL,
      "%" G_GINT64_FORMAT " packets were dropped at %s in %" G_GUINT64_FORMAT
      " us",
      drop->n, afxdp_column_where (drop->column),
      (drop->until - MIN (drop->from, drop->until)) / 1000);
  if (drop->n < 0) {
    take_back (history, drop->column, -drop->n);
    return;
  }
  if (history->drops->len == AFXDP_DROP_HISTORY_MOST)
    make_room_for_drops (history);
  place = history->drops->len;
  if (place && afxdp_drop_history_at (history, place - 1)->until > drop->until)
    place = afxdp_drop_history_first_until (history, drop->until + 1);
  g_array_insert_val (history->drops, place, *drop);
  history->news = MIN (history->news, drop->until);
}

AfxdpColumn
afxdp_drop_history_uncounted (const AfxdpDropHistory *history, guint64 since,
    guint64 until, guint64 slack, AfxdpColumn otherwise)
{
  guint n = MIN (history->n_uncounted, AFXDP_DROP_HISTORY_UNCOUNTED);

  for (guint i = 0; i < n; i++) {
    const AfxdpDrop *drop = &history->uncounted[i];

    if (drop->from < until + slack && since < drop->until + slack)
      return drop->column;
  }
  return otherwise;
}

void
afxdp_drop_history_forget_old (AfxdpDropHistory *history, guint64 now)
{
  guint n = 0;

  while (n < history->drops->len &&
      now > afxdp_drop_history_at (history, n)->until + AFXDP_DROP_HISTORY_TIME)
    n++;
  if (n)
    forget_oldest_drops (history, n);
}
