/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps a stream's place in somebody else's XSKMAP. */
#include "mapkeeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fork.h"
#include "log.h"
#include "ringcounters.h"
#include "thread.h"
#include "wakeup.h"

/* Between two looks, and two that were asked for. */
#define CHECK_INTERVAL AFXDP_S
#define ASKED_INTERVAL (20 * AFXDP_MS)
/* Between two attempts to open; each waits twice as long as the former. Where pin or
 * interface are missing one costs little; else it may take all of the frames. */
#define FIRST_RETRY (250 * AFXDP_MS)
#define LAST_RETRY_TO_FIND AFXDP_S
#define LAST_RETRY (5 * AFXDP_S)

struct _AfxdpMapKeeper
{
  /* Do not change. */
  gchar *path;
  AfxdpXskMapSettings settings;
  gboolean busy_poll;
  int wake;         /* the reader's */
  int wakeup;       /* the keeper's */
  guint generation; /* see fork.h */
  pthread_t thread;
  gboolean has_thread;

  /* The keeper's thread's, or whose there is while it does not run. */
  AfxdpNetdev netdev;
  AfxdpXskMap *map;
  gboolean is_withdrawn; /* the reader is to give it back */
  guint64 looked_at, due, retry;
  gchar *told; /* the last reason */

  atomic_bool quit, asked, has_news, has_moved;

  /* Innermost, and never held for long: what follows. */
  pthread_mutex_t lock;
  AfxdpMapNews news;
  gboolean is_lent;  /* the reader has the map */
  AfxdpNetdev moved; /* to this one */
};

void
afxdp_map_news_clear (AfxdpMapNews *news)
{
  g_clear_pointer (&news->reason, g_free);
}

/* Telling. */

/* Takes reason. What is told of packets adds up until it is taken. */
static void
tell (AfxdpMapKeeper *keeper, gboolean serves, gint error, gchar *reason)
{
  AfxdpXskMap *map = keeper->is_withdrawn ? NULL : keeper->map;
  gboolean is_generic = map && serves && afxdp_xsk_map_is_generic (map);
  AfxdpMapNews *news = &keeper->news;

  g_free (keeper->told);
  keeper->told = g_strdup (reason);
  pthread_mutex_lock (&keeper->lock);
  g_free (news->reason);
  news->map = map;
  news->serves = serves;
  news->is_generic = is_generic;
  news->error = error;
  news->reason = reason;
  atomic_store (&keeper->has_news, TRUE);
  pthread_mutex_unlock (&keeper->lock);
  afxdp_wakeup_signal (keeper->wake);
}

static void
tell_state (AfxdpMapKeeper *keeper, AfxdpXskMapState state, const gchar *news)
{
  switch (state) {
    case AFXDP_XSK_MAP_SERVES:
      tell (keeper, TRUE, 0,
          g_strdup_printf ("Packets come through AF_XDP: %s%s%s",
              afxdp_xsk_map_describe (keeper->map), news ? ". " : "",
              news ? news : ""));
      return;
    case AFXDP_XSK_MAP_NO_PROGRAM:
      tell (keeper, FALSE, AFXDP_ERROR_FAILED, g_strdup (news));
      return;
    case AFXDP_XSK_MAP_TAKEN:
      tell (keeper, FALSE, AFXDP_ERROR_QUEUE_BUSY, g_strdup (news));
      return;
    case AFXDP_XSK_MAP_MOVED:
      keeper->is_withdrawn = TRUE;
      tell (keeper, FALSE, AFXDP_ERROR_FAILED,
          g_strdup_printf (
              "Another XDP program is attached to %s, and another map is pinned "
              "at xsk-map=%s: the stream goes over to that",
              keeper->netdev.name, keeper->path));
      return;
    case AFXDP_XSK_MAP_NO_INTERFACE:
      keeper->is_withdrawn = TRUE;
      tell (keeper, FALSE, AFXDP_ERROR_NOT_FOUND,
          g_strdup_printf ("%s. The map is opened again when an interface of "
                           "that name is there",
              news));
      return;
  }
}

/* The map. */

/* The interface may have been removed and made again. */
static gboolean
find_interface (AfxdpMapKeeper *keeper, GError **error)
{
  AfxdpNetdev netdev;

  if (!afxdp_netdev_by_name (keeper->netdev.name, &netdev, error))
    return FALSE;
  if (netdev.index != keeper->netdev.index) {
    pthread_mutex_lock (&keeper->lock);
    keeper->moved = netdev;
    pthread_mutex_unlock (&keeper->lock);
    atomic_store (&keeper->has_moved, TRUE);
    afxdp_wakeup_signal (keeper->wake);
  }
  keeper->netdev = netdev;
  return TRUE;
}

/* Returns whether packets can come. */
static gboolean
check (AfxdpMapKeeper *keeper, gboolean is_first)
{
  g_autofree gchar *news = NULL;
  AfxdpXskMapState state = afxdp_xsk_map_check (keeper->map, &news);

  if (is_first || news)
    tell_state (keeper, state, news);
  return state == AFXDP_XSK_MAP_SERVES;
}

static gboolean
try_to_open (AfxdpMapKeeper *keeper, GError **error)
{
  if (!find_interface (keeper, error))
    return FALSE;
  keeper->map = afxdp_xsk_map_open (&keeper->settings, &keeper->netdev, error);
  if (!keeper->map)
    return FALSE;
  afxdp_xsk_set_busy_poll (afxdp_xsk_map_xsk (keeper->map), keeper->busy_poll);
  keeper->retry = FIRST_RETRY;
  return TRUE;
}

/* The next attempt comes later than the last one. */
static void
put_off (AfxdpMapKeeper *keeper, const GError *cause)
{
  gboolean is_missing =
      g_error_matches (cause, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND);

  AFXDP_DEBUG (AFXDP_LOG_STREAM, keeper->netdev.name,
      "could not open xsk-map=%s: %s", keeper->path, cause->message);
  keeper->retry =
      MIN (keeper->retry, is_missing ? LAST_RETRY_TO_FIND : LAST_RETRY);
  keeper->due = afxdp_now () + keeper->retry;
  keeper->retry *= 2;
  if (g_strcmp0 (keeper->told, cause->message))
    tell (keeper, FALSE, cause->code, g_strdup (cause->message));
}

static void
close_map (AfxdpMapKeeper *keeper)
{
  AfxdpXskLoss loss;
  guint n = afxdp_xsk_map_close (g_steal_pointer (&keeper->map), &loss);

  keeper->is_withdrawn = FALSE;
  pthread_mutex_lock (&keeper->lock);
  keeper->news.discarded += n;
  afxdp_xsk_loss_add (&keeper->news.loss, &loss);
  pthread_mutex_unlock (&keeper->lock);
}

static gboolean
is_lent (AfxdpMapKeeper *keeper)
{
  gboolean lent;

  pthread_mutex_lock (&keeper->lock);
  lent = keeper->is_lent;
  pthread_mutex_unlock (&keeper->lock);
  return lent;
}

/* The thread. */

static void
look (AfxdpMapKeeper *keeper)
{
  g_autoptr (GError) error = NULL;

  keeper->looked_at = afxdp_now ();
  keeper->due = keeper->looked_at + CHECK_INTERVAL;
  if (keeper->is_withdrawn) {
    if (is_lent (keeper))
      return;
    close_map (keeper);
  }
  if (keeper->map)
    check (keeper, FALSE);
  else if (try_to_open (keeper, &error))
    check (keeper, TRUE);
  else
    put_off (keeper, error);
  /* Nobody may have had it. */
  if (keeper->is_withdrawn && !is_lent (keeper))
    keeper->due = keeper->looked_at;
}

static void
wait_until_due (AfxdpMapKeeper *keeper)
{
  struct pollfd fd = { keeper->wakeup, POLLIN, 0 };
  guint64 now = afxdp_now (), wait;
  struct timespec timeout;

  if (atomic_exchange (&keeper->asked, FALSE))
    keeper->due = MIN (keeper->due, keeper->looked_at + ASKED_INTERVAL);
  wait = now < keeper->due ? keeper->due - now : 0;
  timeout = (struct timespec){ wait / AFXDP_S, wait % AFXDP_S };
  if (ppoll (&fd, 1, &timeout, NULL) > 0)
    afxdp_wakeup_clear (keeper->wakeup);
}

static gpointer
run (gpointer data)
{
  AfxdpMapKeeper *keeper = data;

  while (!atomic_load (&keeper->quit)) {
    if (afxdp_now () >= keeper->due)
      look (keeper);
    wait_until_due (keeper);
  }
  return NULL;
}

AfxdpMapKeeper *
afxdp_map_keeper_new (
    const AfxdpStreamSettings *settings, const AfxdpNetdev *netdev, int wake)
{
  AfxdpMapKeeper *keeper = g_new0 (AfxdpMapKeeper, 1);

  keeper->path = g_strdup (settings->xsk_map);
  keeper->settings = (AfxdpXskMapSettings){
    .path = keeper->path,
    .queue = settings->queue,
    .ring_size = settings->ring_size,
    .batch = settings->batch,
    .n_frames = settings->umem_frames,
    .zero_copy = settings->zero_copy,
    .prepare = settings->prepare,
  };
  keeper->busy_poll = settings->busy_poll > 0;
  keeper->netdev = *netdev;
  keeper->wake = wake;
  keeper->wakeup = -1;
  keeper->generation = afxdp_fork_generation ();
  keeper->retry = FIRST_RETRY;
  pthread_mutex_init (&keeper->lock, NULL);
  return keeper;
}

gboolean
afxdp_map_keeper_open (AfxdpMapKeeper *keeper, GError **error)
{
  g_autoptr (GError) cause = NULL;

  keeper->looked_at = afxdp_now ();
  if (!try_to_open (keeper, &cause)) {
    put_off (keeper, cause);
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  keeper->due = keeper->looked_at + CHECK_INTERVAL;
  if (check (keeper, TRUE))
    return TRUE;
  g_set_error_literal (
      error, AFXDP_ERROR, keeper->news.error, keeper->news.reason);
  return FALSE;
}

gboolean
afxdp_map_keeper_start (AfxdpMapKeeper *keeper, GError **error)
{
  keeper->wakeup = afxdp_wakeup_new ();
  if (keeper->wakeup < 0)
    return afxdp_error_set (error, errno, "Could not create an eventfd");
  keeper->has_thread =
      afxdp_thread_start (&keeper->thread, "afxdp-xsk-map", run, keeper, error);
  return keeper->has_thread;
}

void
afxdp_map_keeper_stop (AfxdpMapKeeper *keeper, AfxdpMapNews *last)
{
  *last = (AfxdpMapNews){ 0 };
  /* Thread and map are the parent's. */
  if (keeper->generation != afxdp_fork_generation ())
    return;
  if (keeper->has_thread) {
    atomic_store (&keeper->quit, TRUE);
    afxdp_wakeup_signal (keeper->wakeup);
    pthread_join (keeper->thread, NULL);
    keeper->has_thread = FALSE;
  }
  if (keeper->map)
    close_map (keeper);
  afxdp_map_keeper_take (keeper, last);
}

void
afxdp_map_keeper_free (AfxdpMapKeeper *keeper)
{
  AfxdpMapNews last;

  if (!keeper)
    return;
  afxdp_map_keeper_stop (keeper, &last);
  afxdp_map_news_clear (&last);
  afxdp_map_news_clear (&keeper->news);
  if (keeper->wakeup >= 0)
    close (keeper->wakeup);
  pthread_mutex_destroy (&keeper->lock);
  g_free (keeper->told);
  g_free (keeper->path);
  g_free (keeper);
}

/* For the reader. */

gboolean
afxdp_map_keeper_has_news (const AfxdpMapKeeper *keeper)
{
  return atomic_load_explicit (&keeper->has_news, memory_order_acquire);
}

void
afxdp_map_keeper_take (AfxdpMapKeeper *keeper, AfxdpMapNews *news)
{
  pthread_mutex_lock (&keeper->lock);
  atomic_store (&keeper->has_news, FALSE);
  *news = keeper->news;
  keeper->is_lent |= news->map != NULL;
  keeper->news.reason = NULL;
  keeper->news.discarded = 0;
  keeper->news.loss = (AfxdpXskLoss){ 0 };
  pthread_mutex_unlock (&keeper->lock);
}

void
afxdp_map_keeper_give_back (AfxdpMapKeeper *keeper)
{
  pthread_mutex_lock (&keeper->lock);
  keeper->is_lent = FALSE;
  pthread_mutex_unlock (&keeper->lock);
  afxdp_map_keeper_ask (keeper);
}

void
afxdp_map_keeper_ask (AfxdpMapKeeper *keeper)
{
  atomic_store (&keeper->asked, TRUE);
  afxdp_wakeup_signal (keeper->wakeup);
}

gboolean
afxdp_map_keeper_has_moved (const AfxdpMapKeeper *keeper)
{
  return atomic_load_explicit (&keeper->has_moved, memory_order_acquire);
}

gboolean
afxdp_map_keeper_take_netdev (AfxdpMapKeeper *keeper, AfxdpNetdev *netdev)
{
  if (!afxdp_map_keeper_has_moved (keeper))
    return FALSE;
  pthread_mutex_lock (&keeper->lock);
  atomic_store (&keeper->has_moved, FALSE);
  *netdev = keeper->moved;
  pthread_mutex_unlock (&keeper->lock);
  return TRUE;
}
