/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of streams, and what is new of them. */
#include "feeds.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "log.h"
#include "messages.h"

typedef struct
{
  AfxdpFeeds *feeds;
  AfxdpWanted wanted; /* its sources: those of all uses */
  AfxdpReceiver *worker;
  AfxdpFeed *feed;
  gboolean has_path;
  struct afxdp_path path;
  GPtrArray *uses; /* AfxdpFeedUse */
  gboolean ended;  /* nobody uses it anew any more */
  guint64 packets; /* a second ago */
  guint64 rate;
  gint has_news; /* atomic */
} Entry;

struct _AfxdpFeedUse
{
  Entry *entry;
  AfxdpFeedClient *client;
  AfxdpSources *sources; /* NULL: any */
  const AfxdpFeedUseEvents *events;
  gpointer user_data;
};

struct _AfxdpFeeds
{
  const AfxdpDaemonSettings *settings;
  AfxdpWorkers *workers;
  GPtrArray *entries; /* Entry */
  int news;           /* eventfd, written by workers */
  guint news_source, clock_source;
  guint64 counted_at;
};

/* In a worker's thread. */
static void
tell_news (gpointer user_data)
{
  Entry *entry = user_data;

  g_atomic_int_set (&entry->has_news, TRUE);
  eventfd_write (entry->feeds->news, 1);
}

/* Uses, which may end while they are told. */

static GPtrArray *
uses_now (Entry *entry)
{
  return g_ptr_array_copy (entry->uses, NULL, NULL);
}

/* Entries that nobody has any more go with their last use, so an entry is there as
 * long as one of them is. */
static gboolean
is_in_use (AfxdpFeeds *feeds, Entry *entry, AfxdpFeedUse *use)
{
  return g_ptr_array_find (feeds->entries, entry, NULL) &&
      g_ptr_array_find (entry->uses, use, NULL);
}

static void
fill_path (struct afxdp_path *path, const AfxdpPathChange *change)
{
  memset (path, 0, sizeof *path);
  path->message.type = AFXDP_MESSAGE_PATH;
  path->message.size = sizeof *path;
  path->path = change->path;
  path->xdp_mode = change->xdp_mode;
  path->zero_copy = change->zero_copy;
  path->error = change->error ? 1 + change->error->code : 0;
  path->n_queues = MIN (change->n_queues, AFXDP_PROTOCOL_QUEUES);
  for (guint i = 0; i < path->n_queues; i++)
    path->queues[i] = change->queues[i];
  afxdp_message_set_text (
      path->reason, sizeof path->reason, change->reason ? change->reason : "");
}

static void
take_path (Entry *entry)
{
  AfxdpPathChange change = { 0 };

  if (!afxdp_feed_path_changed (entry->feed, &change))
    return;
  fill_path (&entry->path, &change);
  entry->has_path = TRUE;
  afxdp_path_change_clear (&change);
}

static void
tell_uses (
    AfxdpFeeds *feeds, Entry *entry, gboolean path_is_new, const GError *error)
{
  g_autoptr (GPtrArray) uses = uses_now (entry);
  const struct afxdp_path path = entry->path;

  for (guint i = 0; i < uses->len; i++) {
    AfxdpFeedUse *use = uses->pdata[i];

    if (is_in_use (feeds, entry, use))
      use->events->suspect (use->user_data);
    if (path_is_new && is_in_use (feeds, entry, use))
      use->events->path (use->user_data, &path);
    if (error && is_in_use (feeds, entry, use))
      use->events->ended (use->user_data, error);
  }
}

static void
follow (AfxdpFeeds *feeds, Entry *entry)
{
  g_autoptr (GError) error = NULL;
  gboolean had_path = entry->has_path;
  const struct afxdp_path former = entry->path;

  take_path (entry);
  error = afxdp_feed_error (entry->feed);
  entry->ended = error != NULL;
  tell_uses (feeds, entry,
      entry->has_path != had_path ||
          memcmp (&former, &entry->path, sizeof former),
      error);
}

static gboolean
on_news (gint fd, GIOCondition condition, gpointer user_data)
{
  AfxdpFeeds *feeds = user_data;
  g_autoptr (GPtrArray) entries = g_ptr_array_copy (feeds->entries, NULL, NULL);
  eventfd_t n;

  eventfd_read (fd, &n);
  for (guint i = 0; i < entries->len; i++) {
    Entry *entry = entries->pdata[i];

    if (g_ptr_array_find (feeds->entries, entry, NULL) &&
        g_atomic_int_compare_and_exchange (&entry->has_news, TRUE, FALSE))
      follow (feeds, entry);
  }
  return G_SOURCE_CONTINUE;
}

/* Rates. */

static gboolean
on_second (gpointer user_data)
{
  AfxdpFeeds *feeds = user_data;
  guint64 now = afxdp_now (), passed = now - feeds->counted_at;

  feeds->counted_at = now;
  for (guint i = 0; i < feeds->entries->len; i++) {
    Entry *entry = feeds->entries->pdata[i];
    AfxdpFeedCounts counts;
    guint64 packets;

    afxdp_feed_counts (entry->feed, &counts);
    packets = counts.packets[0] + counts.packets[1];
    entry->rate =
        (gdouble) (packets - entry->packets) * AFXDP_S / MAX (passed, 1) + 0.5;
    entry->packets = packets;
  }
  return G_SOURCE_CONTINUE;
}

/* The table. */

AfxdpFeeds *
afxdp_feeds_new (
    const AfxdpDaemonSettings *settings, AfxdpWorkers *workers, GError **error)
{
  int news = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  AfxdpFeeds *feeds;

  if (news < 0) {
    afxdp_error_set (error, errno, "Could not make an eventfd for workers");
    return NULL;
  }
  feeds = g_new0 (AfxdpFeeds, 1);
  feeds->settings = settings;
  feeds->workers = workers;
  feeds->entries = g_ptr_array_new ();
  feeds->news = news;
  feeds->news_source = g_unix_fd_add (news, G_IO_IN, on_news, feeds);
  feeds->clock_source = g_timeout_add_seconds (1, on_second, feeds);
  feeds->counted_at = afxdp_now ();
  return feeds;
}

void
afxdp_feeds_free (AfxdpFeeds *feeds)
{
  if (!feeds)
    return;
  g_assert (!feeds->entries->len);
  g_source_remove (feeds->clock_source);
  g_source_remove (feeds->news_source);
  close (feeds->news);
  g_ptr_array_unref (feeds->entries);
  g_free (feeds);
}

static Entry *
find (AfxdpFeeds *feeds, const AfxdpWanted *wanted)
{
  for (guint i = 0; i < feeds->entries->len; i++) {
    Entry *entry = feeds->entries->pdata[i];
    const AfxdpWanted *has = &entry->wanted;

    /* One that has ended is left to its uses. */
    if (!entry->ended && has->interface == wanted->interface &&
        has->port == wanted->port &&
        g_inet_address_equal (has->address, wanted->address))
      return entry;
  }
  return NULL;
}

static void
entry_free (Entry *entry)
{
  /* Its worker does not know it any more, and so tells no more news. */
  g_clear_pointer (&entry->feed, afxdp_feed_free);
  afxdp_workers_give_back (entry->feeds->workers, entry->worker);
  g_ptr_array_unref (entry->uses);
  g_clear_pointer (&entry->wanted.sources, afxdp_sources_unref);
  g_object_unref (entry->wanted.address);
  g_free (entry);
}

static Entry *
open_entry (AfxdpFeeds *feeds, const AfxdpWanted *wanted, GError **error)
{
  const AfxdpFeedSettings settings = {
    .address = wanted->address,
    .port = wanted->port,
    .sources = wanted->sources,
    .interface =
        afxdp_workers_interface (feeds->workers, wanted->interface)->name,
    .verify_checksum = wanted->verify_checksum,
    .mode = feeds->settings->mode,
    .umem_frames = feeds->settings->umem_frames,
    .ring_size = AFXDP_WORKERS_RING_SIZE,
  };
  Entry *entry = g_new0 (Entry, 1);

  entry->feeds = feeds;
  entry->wanted = *wanted;
  g_object_ref (entry->wanted.address);
  afxdp_sources_ref (wanted->sources);
  entry->uses = g_ptr_array_new ();
  entry->worker = afxdp_workers_take (feeds->workers, wanted->interface);
  entry->feed =
      afxdp_feed_new (&settings, entry->worker, tell_news, entry, error);
  if (!entry->feed) {
    entry_free (entry);
    return NULL;
  }
  g_ptr_array_add (feeds->entries, entry);
  return entry;
}

gboolean
afxdp_feeds_has (AfxdpFeeds *feeds, const AfxdpWanted *wanted)
{
  return find (feeds, wanted) != NULL;
}

/* Two receptions of one flow would take the fast path from each other, so a stream is
 * not opened again for the sake of checksums. */
static gboolean
suits (const Entry *entry, const AfxdpWanted *wanted, GError **error)
{
  if (entry->wanted.verify_checksum || !wanted->verify_checksum)
    return TRUE;
  g_set_error_literal (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "The distributor daemon receives this stream for another client that "
      "does not verify checksums, and so cannot do it: give all its clients "
      "the same verify-checksum");
  return FALSE;
}

static gboolean
set_sources (Entry *entry, AfxdpSources *sources, GError **error)
{
  AfxdpWanted *wanted = &entry->wanted;

  if (afxdp_sources_equal (sources, wanted->sources))
    return TRUE;
  if (!afxdp_feed_set_sources (entry->feed, sources, error))
    return FALSE;
  afxdp_sources_ref (sources);
  afxdp_sources_unref (wanted->sources);
  wanted->sources = sources;
  return TRUE;
}

/* For one more who wants sources. */
static gboolean
widen (Entry *entry, AfxdpSources *sources, GError **error)
{
  g_autoptr (AfxdpSources) all =
      afxdp_sources_union (entry->wanted.sources, sources);

  if (set_sources (entry, all, error))
    return TRUE;
  g_prefix_error (error,
      "The distributor daemon receives this group for other clients too, and "
      "together with their senders: ");
  return FALSE;
}

/* To what those want who are left. What cannot be had is not asked for again before
 * somebody comes or goes: until then it is received from more than they want. */
static void
narrow (Entry *entry)
{
  const AfxdpFeedUse *first = entry->uses->pdata[0];
  g_autoptr (AfxdpSources) all = afxdp_sources_ref (first->sources);
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i < entry->uses->len; i++) {
    const AfxdpFeedUse *use = entry->uses->pdata[i];
    AfxdpSources *more = afxdp_sources_union (all, use->sources);

    afxdp_sources_unref (all);
    all = more;
  }
  if (!set_sources (entry, all, &error))
    AFXDP_INFO (AFXDP_LOG_STREAM, NULL,
        "a stream is received from more senders than its clients want: %s",
        error->message);
}

AfxdpFeedUse *
afxdp_feeds_use (AfxdpFeeds *feeds, const AfxdpWanted *wanted,
    AfxdpClientRing *ring, int socket, const AfxdpFeedUseEvents *events,
    gpointer user_data, GError **error)
{
  Entry *entry = find (feeds, wanted);
  AfxdpFeedUse *use;

  if (!entry)
    entry = open_entry (feeds, wanted, error);
  else if (!suits (entry, wanted, error) ||
      !widen (entry, wanted->sources, error))
    entry = NULL;
  if (!entry)
    return NULL;
  use = g_new0 (AfxdpFeedUse, 1);
  use->entry = entry;
  use->events = events;
  use->user_data = user_data;
  use->sources = afxdp_sources_ref (wanted->sources);
  use->client = afxdp_feed_add (entry->feed, ring, wanted->sources, socket);
  g_ptr_array_add (entry->uses, use);
  return use;
}

void
afxdp_feed_use_end (AfxdpFeedUse *use)
{
  Entry *entry = use->entry;

  afxdp_feed_remove (use->client);
  g_ptr_array_remove (entry->uses, use);
  afxdp_sources_unref (use->sources);
  g_free (use);
  if (entry->uses->len) {
    if (!entry->ended)
      narrow (entry);
    return;
  }
  g_ptr_array_remove (entry->feeds->entries, entry);
  entry_free (entry);
}

const AfxdpNetdev *
afxdp_feed_use_netdev (const AfxdpFeedUse *use)
{
  return afxdp_feed_netdev (use->entry->feed);
}

const struct afxdp_path *
afxdp_feed_use_path (const AfxdpFeedUse *use)
{
  return use->entry->has_path ? &use->entry->path : NULL;
}

void
afxdp_feeds_foreach (AfxdpFeeds *feeds,
    void (*function) (const AfxdpFeedState *state, gpointer user_data),
    gpointer user_data)
{
  for (guint i = 0; i < feeds->entries->len; i++) {
    const Entry *entry = feeds->entries->pdata[i];
    AfxdpFeedState state = {
      .wanted = &entry->wanted,
      .path = entry->has_path ? &entry->path : NULL,
      .n_uses = entry->uses->len,
      .rate = entry->rate,
    };

    afxdp_feed_counts (entry->feed, &state.counts);
    function (&state, user_data);
  }
}
