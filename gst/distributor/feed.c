/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One stream of the daemon: from its batches to the clients' rings. */
#include "feed.h"

#include <pthread.h>

#include "clock.h"
#include "error.h"
#include "feedclient.h"
#include "log.h"

/* A client may wish to know drops while nothing comes that would give a turn. All feeds
 * of a worker have that turn at the same time, so that it wakes for them once. */
#define TURN_INTERVAL (50 * AFXDP_MS)
/* Between two looks for drops and errors: without a wish of a client, and with one. */
#define LOOK_INTERVAL AFXDP_S
#define WISH_INTERVAL (10 * AFXDP_MS)

struct _AfxdpFeed
{
  AfxdpStream *stream;
  AfxdpReceiver *worker;
  AfxdpServed *served;
  void (*news) (gpointer user_data);
  gpointer user_data;

  /* Innermost; protects all down to error. The worker holds it while a batch is copied,
   * the control thread for moments. */
  pthread_mutex_t lock;
  GPtrArray *clients;
  AfxdpFeedCounts counts;
  guint64 known;      /* as all rings say */
  AfxdpNetdev netdev; /* where it is now; with index 0: not known */
  AfxdpPathChange change;
  gboolean changed;
  GError *error; /* set once */

  /* Outside of lock. The worker holds it while the stream goes over to another
   * interface, which it does not do in this turn where it does not get it at once; the
   * control thread while the stream gets other sources. */
  pthread_mutex_t stream_lock;

  /* The worker's own. */
  guint64 looked_at;
  guint64
      fast_by; /* the fast path must be possible then; 0: it has been, or need not */
  gboolean has_clients; /* in the last turn */
  gboolean has_news;

  /* The control thread's own. */
  AfxdpNetdev netdev_told;
};

/* Packets. */

static void
count (AfxdpFeed *feed, const AfxdpBatch *batch)
{
  if (!batch->n)
    return;
  feed->counts.packets[batch->path != AFXDP_PATH_FAST] += batch->n;
  for (guint i = 0; i < batch->n; i++)
    feed->counts.bytes += batch->packets[i].size;
}

/* Removes the first n. Called with the lock. */
static void
take_drops (AfxdpFeed *feed, AfxdpDrops *drops, guint n)
{
  for (guint i = 0; i < n; i++)
    feed->counts.drops[drops->drops[i].column] += drops->drops[i].n;
  drops->n -= n;
  for (guint i = 0; i < drops->n; i++)
    drops->drops[i] = drops->drops[n + i];
}

/* Tells what was found malformed since the last batch. Called with the lock. */
static void
tell_malformed (AfxdpFeed *feed)
{
  guint64 malformed = afxdp_stream_n_malformed (feed->stream);
  guint64 n = malformed - feed->counts.malformed;

  if (G_LIKELY (!n))
    return;
  feed->counts.malformed = malformed;
  for (guint i = 0; i < feed->clients->len; i++) {
    AfxdpFeedClient *client = feed->clients->pdata[i];

    if (!client->broken)
      afxdp_client_ring_add_malformed (client->ring, n);
  }
}

/* Copies a batch, which may be empty, to all clients. Returns until when they want to
 * know drops, but for what lies behind now: that is of another clock. */
static guint64
hand_out (AfxdpFeed *feed, const AfxdpBatch *batch, guint64 now)
{
  AfxdpDrops *drops = afxdp_stream_drops (feed->stream);
  guint n_drops = afxdp_feed_client_n_drops (drops, batch);
  guint64 wanted = 0;

  pthread_mutex_lock (&feed->lock);
  tell_malformed (feed);
  for (guint i = 0; i < feed->clients->len; i++) {
    AfxdpFeedClient *client = feed->clients->pdata[i];

    if (G_UNLIKELY (client->broken))
      continue;
    if (!afxdp_feed_client_copy (client, batch, drops, n_drops))
      feed->has_news = TRUE;
    wanted = MAX (wanted, afxdp_client_ring_wanted (client->ring));
  }
  feed->has_clients = feed->clients->len > 0;
  count (feed, batch);
  take_drops (feed, drops, n_drops);
  pthread_mutex_unlock (&feed->lock);
  return MIN (wanted, now);
}

/* Drops, and what else a stream has to tell. */

/* Tells until when all drops are told, and the drops that no packet has shown; unless
 * there are more packets: they wait for those that came before them. */
static void
tell_rest (AfxdpFeed *feed, guint64 known, gboolean more)
{
  AfxdpDrops *drops = afxdp_stream_drops (feed->stream);

  for (guint i = 0; more && i < drops->n; i++)
    known = MIN (known, drops->drops[i].from);
  if (G_LIKELY ((more || !drops->n) && known <= feed->known))
    return;
  pthread_mutex_lock (&feed->lock);
  feed->known = MAX (feed->known, known);
  for (guint i = 0; i < feed->clients->len; i++) {
    AfxdpFeedClient *client = feed->clients->pdata[i];

    if (client->broken)
      continue;
    if (!more)
      afxdp_client_ring_add_drops (client->ring, drops);
    afxdp_client_ring_set_known (client->ring, feed->known);
  }
  if (!more)
    take_drops (feed, drops, drops->n);
  pthread_mutex_unlock (&feed->lock);
}

static guint64
next_look (const AfxdpFeed *feed, guint64 wanted)
{
  return feed->looked_at +
      (wanted > feed->known ? WISH_INTERVAL : LOOK_INTERVAL);
}

/* Returns until when all drops are known; 0: nothing new is. */
static guint64
look (AfxdpFeed *feed, guint64 wanted, guint64 now)
{
  guint64 known;

  if (G_LIKELY (now < next_look (feed, wanted)))
    return 0;
  feed->looked_at = now;
  afxdp_stream_look_for_errors (feed->stream);
  /* Without a wish, so that a gap finds numbers of not long ago to compare with. */
  known = afxdp_stream_look_for_drops (
      feed->stream, MAX (wanted, now - MIN (now, LOOK_INTERVAL)));
  return MIN (known, now);
}

/* Looks when it is time, and tells what was dropped. */
static void
follow_drops (AfxdpFeed *feed, guint64 wanted, guint64 now)
{
  guint64 known = look (feed, wanted, now);

  tell_rest (feed, known, afxdp_stream_has_more (feed->stream));
}

/* Goes over to an interface that was removed and has come again. */
static void
follow_interface (AfxdpFeed *feed)
{
  const AfxdpNetdev *netdev;
  g_autoptr (GError) error = NULL;

  if (G_LIKELY (!afxdp_stream_is_left_behind (feed->stream)) ||
      pthread_mutex_trylock (&feed->stream_lock))
    return;
  afxdp_served_unwatch (feed->served);
  if (!afxdp_stream_catch_up (feed->stream, &error))
    AFXDP_INFO (AFXDP_LOG_STREAM, feed->netdev.name,
        "a stream has not gone over, and tries again in a second: %s",
        error->message);
  pthread_mutex_unlock (&feed->stream_lock);
  netdev = afxdp_stream_netdev (feed->stream);
  pthread_mutex_lock (&feed->lock);
  feed->netdev = netdev ? *netdev : (AfxdpNetdev){ 0 };
  pthread_mutex_unlock (&feed->lock);
}

static void
follow_path (AfxdpFeed *feed)
{
  AfxdpPathChange change;

  if (G_LIKELY (!afxdp_stream_path_changed (feed->stream, &change)))
    return;
  pthread_mutex_lock (&feed->lock);
  afxdp_path_change_clear (&feed->change);
  feed->change = change;
  feed->changed = TRUE;
  pthread_mutex_unlock (&feed->lock);
  feed->has_news = TRUE;
}

/* Why the stream may not go on with mode=af-xdp, or NULL. */
static GError *
why_not_fast (AfxdpStream *stream, guint64 *fast_by, guint64 now)
{
  g_autoptr (GError) cause = NULL;

  if (G_LIKELY (!*fast_by))
    return NULL;
  if (afxdp_stream_may_be_fast (stream, &cause)) {
    *fast_by = 0;
    return NULL;
  }
  if (now < *fast_by && afxdp_attachment_may_heal (cause))
    return NULL;
  return g_error_new (
      AFXDP_ERROR, cause->code, AFXDP_FEED_NEEDS_AF_XDP "%s", cause->message);
}

/* Returns whether the stream is over. */
static gboolean
follow_error (AfxdpFeed *feed, guint64 now)
{
  const GError *of_stream = afxdp_stream_error (feed->stream);
  GError *error = of_stream ? g_error_copy (of_stream)
                            : why_not_fast (feed->stream, &feed->fast_by, now);

  if (G_LIKELY (!error))
    return FALSE;
  afxdp_stream_close_path (feed->stream);
  pthread_mutex_lock (&feed->lock);
  feed->error = error;
  pthread_mutex_unlock (&feed->lock);
  feed->has_news = TRUE;
  return TRUE;
}

/* Turns. */

static guint64
next_turn (AfxdpFeed *feed, guint64 wanted, guint64 now)
{
  guint64 due = next_look (feed, wanted);

  return feed->has_clients
      ? MIN (due, (now / TURN_INTERVAL + 1) * TURN_INTERVAL)
      : due;
}

static AfxdpTurn
take_turn (AfxdpFeed *feed, guint64 *due)
{
  guint most = afxdp_receiver_settings (feed->worker)->batch;
  AfxdpBatch batch = { 0 };
  guint64 wanted, now;

  follow_interface (feed);
  if (!afxdp_stream_receive (feed->stream, &batch, most, 0))
    batch.n = 0;
  now = afxdp_now ();
  wanted = hand_out (feed, &batch, now);
  if (batch.n)
    afxdp_stream_done (feed->stream);
  follow_drops (feed, wanted, now);
  follow_path (feed);
  if (follow_error (feed, now))
    return AFXDP_TURN_IDLE;
  *due = next_turn (feed, wanted, now);
  return afxdp_stream_has_more (feed->stream) ? AFXDP_TURN_AGAIN
                                              : AFXDP_TURN_REST;
}

static AfxdpTurn
serve (gpointer consumer, guint64 *due)
{
  AfxdpFeed *feed = consumer;
  /* Nobody else sets it. */
  AfxdpTurn turn = feed->error ? AFXDP_TURN_IDLE : take_turn (feed, due);

  if (G_UNLIKELY (feed->has_news)) {
    feed->has_news = FALSE;
    feed->news (feed->user_data);
  }
  return turn;
}

/* Feeds, in the control thread. */

static void
close_stream (AfxdpStream *stream)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpDrops drops = { 0 };

  afxdp_stream_close (stream, &counts, &drops);
  afxdp_stream_counts_clear (&counts);
}

static AfxdpStream *
open_stream (const AfxdpFeedSettings *settings,
    const AfxdpReceiverSettings *worker, GError **error)
{
  const gchar *interfaces[] = { settings->interface, NULL };
  const AfxdpStreamSettings stream = {
    .address = settings->address,
    .port = settings->port,
    .sources = settings->sources,
    .interfaces = interfaces,
    .mode =
        settings->mode == AFXDP_MODE_AF_XDP ? AFXDP_MODE_AUTO : settings->mode,
    .xdp_mode = AFXDP_XDP_MODE_AUTO,
    .zero_copy = AFXDP_ZERO_COPY_AUTO,
    .queue = -1,
    .ring_size = 1u << g_bit_storage (MAX (settings->ring_size, 1) - 1),
    .umem_frames = settings->umem_frames,
    .batch = worker->batch,
    .coalesce = worker->busy_poll ? 0 : worker->coalesce,
    .busy_poll = worker->busy_poll,
    .auto_multicast = TRUE,
    .verify_checksum = settings->verify_checksum,
  };

  return afxdp_stream_new (&stream, error);
}

/* With mode=af-xdp too it is not waited for here, where other clients wait: the worker
 * finds out what becomes of it. What cannot heal is known. fast_by: until when. */
static AfxdpStream *
open_as_demanded (const AfxdpFeedSettings *settings,
    const AfxdpReceiverSettings *worker, guint64 *fast_by, GError **error)
{
  AfxdpStream *stream = open_stream (settings, worker, error);
  guint64 now = afxdp_now ();
  GError *why_not = NULL;

  if (!stream || settings->mode != AFXDP_MODE_AF_XDP)
    return stream;
  *fast_by = now + AFXDP_FEED_HEALING_TIME;
  why_not = why_not_fast (stream, fast_by, now);
  if (!why_not)
    return stream;
  close_stream (stream);
  g_propagate_error (error, why_not);
  return NULL;
}

AfxdpFeed *
afxdp_feed_new (const AfxdpFeedSettings *settings, AfxdpReceiver *worker,
    void (*news) (gpointer user_data), gpointer user_data, GError **error)
{
  guint64 fast_by = 0;
  AfxdpStream *stream = open_as_demanded (
      settings, afxdp_receiver_settings (worker), &fast_by, error);
  const AfxdpNetdev *netdev;
  AfxdpFeed *feed;

  if (!stream)
    return NULL;
  feed = g_new0 (AfxdpFeed, 1);
  feed->stream = stream;
  feed->worker = worker;
  feed->fast_by = fast_by;
  feed->news = news;
  feed->user_data = user_data;
  pthread_mutex_init (&feed->lock, NULL);
  pthread_mutex_init (&feed->stream_lock, NULL);
  feed->clients = g_ptr_array_new ();
  netdev = afxdp_stream_netdev (stream);
  if (netdev)
    feed->netdev = *netdev;
  feed->served = afxdp_receiver_add (worker, stream, serve, feed);
  /* It has no turn before it has a client: what comes meanwhile waits in its socket. */
  return feed;
}

void
afxdp_feed_free (AfxdpFeed *feed)
{
  g_assert (!feed->clients->len);
  afxdp_served_remove (feed->served);
  close_stream (feed->stream);
  g_ptr_array_unref (feed->clients);
  pthread_mutex_destroy (&feed->stream_lock);
  pthread_mutex_destroy (&feed->lock);
  afxdp_path_change_clear (&feed->change);
  g_clear_error (&feed->error);
  g_free (feed);
}

gboolean
afxdp_feed_set_sources (AfxdpFeed *feed, AfxdpSources *sources, GError **error)
{
  gboolean changed;

  pthread_mutex_lock (&feed->stream_lock);
  changed = afxdp_stream_set_sources (feed->stream, sources, error);
  pthread_mutex_unlock (&feed->stream_lock);
  /* The worker compares with them from its next turn on. */
  afxdp_served_call (feed->served);
  return changed;
}

const AfxdpNetdev *
afxdp_feed_netdev (AfxdpFeed *feed)
{
  pthread_mutex_lock (&feed->lock);
  feed->netdev_told = feed->netdev;
  pthread_mutex_unlock (&feed->lock);
  return feed->netdev_told.index ? &feed->netdev_told : NULL;
}

AfxdpFeedClient *
afxdp_feed_add (
    AfxdpFeed *feed, AfxdpClientRing *ring, AfxdpSources *sources, int socket)
{
  AfxdpFeedClient *client = g_new0 (AfxdpFeedClient, 1);

  client->feed = feed;
  client->ring = ring;
  if (afxdp_sources_kind (sources) != AFXDP_SOURCES_ANY)
    client->sources = afxdp_sources_ref (sources);
  client->socket = socket;
  pthread_mutex_lock (&feed->lock);
  /* What was dropped before is not its own, and so known. */
  afxdp_client_ring_set_known (ring, feed->known);
  g_ptr_array_add (feed->clients, client);
  pthread_mutex_unlock (&feed->lock);
  /* From now on turns are due by time too. */
  afxdp_served_call (feed->served);
  return client;
}

void
afxdp_feed_remove (AfxdpFeedClient *client)
{
  AfxdpFeed *feed = client->feed;

  pthread_mutex_lock (&feed->lock);
  g_ptr_array_remove (feed->clients, client);
  pthread_mutex_unlock (&feed->lock);
  afxdp_sources_unref (client->sources);
  g_free (client);
}

gboolean
afxdp_feed_path_changed (AfxdpFeed *feed, AfxdpPathChange *change)
{
  gboolean changed;

  pthread_mutex_lock (&feed->lock);
  changed = feed->changed;
  if (changed)
    *change = feed->change;
  if (changed)
    feed->change = (AfxdpPathChange){ 0 };
  feed->changed = FALSE;
  pthread_mutex_unlock (&feed->lock);
  return changed;
}

GError *
afxdp_feed_error (AfxdpFeed *feed)
{
  GError *error;

  pthread_mutex_lock (&feed->lock);
  error = feed->error ? g_error_copy (feed->error) : NULL;
  pthread_mutex_unlock (&feed->lock);
  return error;
}

void
afxdp_feed_counts (AfxdpFeed *feed, AfxdpFeedCounts *counts)
{
  pthread_mutex_lock (&feed->lock);
  *counts = feed->counts;
  pthread_mutex_unlock (&feed->lock);
}
