/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream of the distributor daemon, by its socket, and the clients that it is copied
 * to, which are here too.
 */
#include "feed.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "loopback.h"
#include "sources.h"
#include "suite.h"

#define N_SLOTS 200
#define RTP_SIZE 12

typedef struct
{
  AfxdpClientRing *ring;
  int sockets[2]; /* the daemon's and the client's */
  struct afxdp_opened opened;
  guint8 *memory;
  const struct afxdp_stream_head *head;
  struct afxdp_client_words *words;
  AfxdpFeedClient *client; /* NULL: it has gone */
} Client;

static Loopback *loopback;
static AfxdpReceiver *worker;
static AfxdpFeed *feed;
static Client clients[2];

static gint n_news;     /* atomic */
static gint holds_back; /* atomic: the worker waits in news() */

static void
count_news (gpointer user_data)
{
  g_assert_true (user_data == &clients);
  g_atomic_int_inc (&n_news);
  while (g_atomic_int_get (&holds_back))
    g_usleep (100);
}

/* Until condition holds; the test's time is the limit. */
#define WAIT_FOR(condition) \
  while (!(condition))      \
  g_usleep (1000)

static gpointer
map_for_client (int fd, gsize size, int protection)
{
  gpointer address = mmap (NULL, size, protection, MAP_SHARED, fd, 0);

  fail_if (address == MAP_FAILED, "%s", g_strerror (errno));
  return address;
}

static void
client_join_with (
    Client *client, const gchar *sources, guint n_slots, guint slot_size)
{
  g_autoptr (AfxdpSources) set = afxdp_sources_parse (sources, 4, NULL);
  g_autoptr (GError) error = NULL;

  client->ring = afxdp_client_ring_new (n_slots, slot_size, &error);
  g_assert_no_error (error);
  fail_if (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, client->sockets));
  afxdp_client_ring_describe (client->ring, &client->opened);
  client->memory = map_for_client (afxdp_client_ring_memory (client->ring),
      client->opened.memory_size, PROT_READ);
  client->words = map_for_client (afxdp_client_ring_words (client->ring),
      client->opened.words_size, PROT_READ | PROT_WRITE);
  client->head = (gpointer) client->memory;
  client->words->on = 1;
  client->client = afxdp_feed_add (feed, client->ring, set, client->sockets[0]);
}

static void
client_join (Client *client, const gchar *sources)
{
  client_join_with (client, sources, N_SLOTS, 2048);
}

static void
client_leave (Client *client)
{
  if (!client->client)
    return;
  afxdp_feed_remove (g_steal_pointer (&client->client));
  munmap (client->memory, client->opened.memory_size);
  munmap (client->words, client->opened.words_size);
  afxdp_client_ring_free (client->ring);
  close (client->sockets[0]);
  close (client->sockets[1]);
}

static guint32
n_produced (const Client *client)
{
  return __atomic_load_n (&client->head->produced, __ATOMIC_ACQUIRE);
}

static guint64
ordinal_of (const Client *client)
{
  return __atomic_load_n (&client->head->ordinal, __ATOMIC_ACQUIRE);
}

static guint64
known_to (const Client *client)
{
  return __atomic_load_n (&client->head->known, __ATOMIC_ACQUIRE);
}

static const struct afxdp_record *
record_of (const Client *client, guint32 index)
{
  const struct afxdp_record *records =
      (gpointer) (client->memory + client->opened.records_offset);

  return &records[index & (client->opened.n_records - 1)];
}

static const guint8 *
bytes_of (const Client *client, const struct afxdp_record *record)
{
  return client->memory + client->opened.slots_offset +
      record->slot * client->opened.slot_size;
}

static AfxdpFeed *
open_feed (const gchar *interface, GError **error)
{
  const AfxdpFeedSettings settings = {
    .address = loopback->address,
    .port = loopback->port,
    .interface = interface,
    .mode = AFXDP_MODE_SOCKET,
    .ring_size = 1000,
  };

  return afxdp_feed_new (&settings, worker, count_news, &clients, error);
}

static void
set_up (void)
{
  static const AfxdpReceiverSettings settings = { .batch = 64 };
  g_autoptr (GError) error = NULL;

  n_news = 0;
  loopback = loopback_new ();
  worker = afxdp_receiver_new ("feed", &settings, &error);
  g_assert_no_error (error);
  feed = open_feed (NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    client_leave (&clients[i]);
  afxdp_feed_free (feed);
  afxdp_receiver_free (worker);
  loopback_free (loopback);
}

TEST (test_packets)
{
  Client *client = &clients[0];
  AfxdpFeedCounts counts;

  client_join (client, NULL);
  loopback_send_many (loopback, 96, 500, 10);
  WAIT_FOR (n_produced (client) == 10);
  for (guint i = 0; i < 10; i++) {
    const struct afxdp_record *record = record_of (client, i);
    const guint8 *bytes = bytes_of (client, record);

    fail_unless_equals_int (record->size, RTP_SIZE);
    fail_unless_equals_int (bytes[2] << 8 | bytes[3], 500 + i);
    fail_unless_equals_uint64 (record->ordinal, i);
    fail_unless_equals_int (record->path, AFXDP_PATH_SLOW);
    fail_unless_equals_int (record->sender_version, 4);
    fail_unless_equals_int (record->sender[0], 127);
    fail_unless (record->arrival <= afxdp_now ());
  }
  afxdp_feed_counts (feed, &counts);
  fail_unless_equals_uint64 (counts.packets[0], 0);
  fail_unless_equals_uint64 (counts.packets[1], 10);
  fail_unless_equals_uint64 (counts.bytes, 10 * RTP_SIZE);
  fail_unless_equals_uint64 (counts.malformed, 0);
  loopback_send_pattern (loopback, 3, 5000);
  WAIT_FOR (n_produced (client) == 11);
  fail_unless (record_of (client, 10)->slot >= N_SLOTS);
}

/* Each gets what comes while it is there. */
TEST (test_clients_come_and_go)
{
  AfxdpFeedCounts counts;

  client_join (&clients[0], NULL);
  loopback_send_many (loopback, 96, 0, 5);
  WAIT_FOR (n_produced (&clients[0]) == 5);
  client_join (&clients[1], NULL);
  loopback_send_many (loopback, 96, 5, 7);
  WAIT_FOR (n_produced (&clients[0]) == 12);
  WAIT_FOR (n_produced (&clients[1]) == 7);
  client_leave (&clients[0]);
  loopback_send_many (loopback, 96, 12, 3);
  WAIT_FOR (n_produced (&clients[1]) == 10);
  client_leave (&clients[1]);
  /* And it is received without any. */
  loopback_send_many (loopback, 96, 15, 3);
  do
    afxdp_feed_counts (feed, &counts);
  while (counts.packets[1] < 18);
  fail_unless_equals_int (g_atomic_int_get (&n_news), 1); /* the path */
}

TEST (test_sources)
{
  g_autofree gchar *with = g_strconcat ("+", loopback->address_text, NULL);
  g_autofree gchar *without = g_strconcat ("-", loopback->address_text, NULL);

  client_join (&clients[0], with);
  client_join (&clients[1], without);
  loopback_send_many (loopback, 96, 0, 5);
  WAIT_FOR (n_produced (&clients[0]) == 5);
  /* It comes first in no batch. */
  loopback_send_many (loopback, 96, 5, 1);
  WAIT_FOR (n_produced (&clients[0]) == 6);
  fail_unless_equals_uint64 (ordinal_of (&clients[1]), 0);
}

static void
set_sources (const gchar *text)
{
  g_autoptr (AfxdpSources) sources = afxdp_sources_parse (text, 4, NULL);
  g_autoptr (GError) error = NULL;

  fail_unless (afxdp_feed_set_sources (feed, sources, &error), "%s",
      error ? error->message : "");
}

static guint64
n_malformed (void)
{
  AfxdpFeedCounts counts;

  afxdp_feed_counts (feed, &counts);
  return counts.malformed;
}

/* The worker compares with the union of the set that was told last and the one before it,
 * some of whose packets may be on the way, from its next turn on; and is given one also
 * while it has nothing to do. */
TEST (test_changed_sources)
{
  g_autofree gchar *without = g_strconcat ("-", loopback->address_text, NULL);
  g_autofree gchar *with = g_strconcat ("+", loopback->address_text, NULL);
  Client *client = &clients[0];
  guint n = 0, malformed = 0;

  client_join (client, NULL);
  for (guint round = 0; round < 20; round++) {
    /* The former set is superseded, taken or not. */
    set_sources (round % 3 ? with : NULL);
    set_sources (without);
    set_sources (without);
    loopback_send_many (loopback, 96, 0, 3);
    malformed += 3;
    WAIT_FOR (n_malformed () == malformed);
    set_sources (round % 2 ? with : NULL);
    loopback_send_many (loopback, 96, n, 3);
    n += 3;
    WAIT_FOR (n_produced (client) == n);
    set_sources (without);
    loopback_send_many (loopback, 96, n, 3);
    n += 3;
    WAIT_FOR (n_produced (client) == n);
  }
  fail_unless_equals_uint64 (n_malformed (), malformed);
}

TEST (test_off)
{
  client_join (&clients[0], NULL);
  client_join (&clients[1], NULL);
  clients[0].words->on = 0;
  loopback_send_many (loopback, 96, 0, 5);
  WAIT_FOR (n_produced (&clients[1]) == 5);
  fail_unless_equals_uint64 (ordinal_of (&clients[0]), 0);
  clients[0].words->on = 1;
  loopback_send_many (loopback, 96, 5, 2);
  WAIT_FOR (n_produced (&clients[0]) == 2);
}

/* Wake-ups. */

static void
assert_woken (const Client *client)
{
  struct afxdp_wake wake;

  fail_unless_equals_int (
      recv (client->sockets[1], &wake, sizeof wake, 0), sizeof wake);
  fail_unless_equals_int (wake.message.type, AFXDP_MESSAGE_WAKE);
  fail_unless_equals_int (wake.message.size, sizeof wake);
}

TEST (test_wake)
{
  Client *client = &clients[0];
  guint8 byte;

  client_join (client, NULL);
  client->words->sleeping = 1;
  loopback_send_many (loopback, 96, 0, 1);
  assert_woken (client);
  fail_unless_equals_int (n_produced (client), 1);
  /* Once for this sleep. */
  loopback_send_many (loopback, 96, 1, 1);
  WAIT_FOR (n_produced (client) == 2);
  client->words->sleeping = 2;
  loopback_send_many (loopback, 96, 2, 1);
  assert_woken (client);
  client->words->sleeping = 0;
  loopback_send_many (loopback, 96, 3, 1);
  WAIT_FOR (n_produced (client) == 4);
  fail_unless_equals_int (
      recv (client->sockets[1], &byte, 1, MSG_DONTWAIT), -1);
  fail_unless_equals_int (errno, EAGAIN);
}

/* A client that does not read, and one that has hung up, cost the others nothing. */
TEST (test_client_does_not_read)
{
  client_join (&clients[0], NULL);
  client_join (&clients[1], NULL);
  while (send (clients[0].sockets[0], "x", 1, MSG_DONTWAIT) == 1)
    ;
  shutdown (clients[1].sockets[1], SHUT_RDWR);
  for (guint i = 1; i <= 20; i++) {
    clients[0].words->sleeping = clients[1].words->sleeping = i;
    loopback_send_many (loopback, 96, i, 1);
    WAIT_FOR (n_produced (&clients[0]) == i);
    WAIT_FOR (n_produced (&clients[1]) == i);
  }
}

/* News. */

TEST (test_path)
{
  AfxdpPathChange change;

  /* It begins with its first client. */
  client_join (&clients[0], NULL);
  WAIT_FOR (g_atomic_int_get (&n_news) == 1);
  fail_unless (afxdp_feed_path_changed (feed, &change));
  fail_unless_equals_int (change.path, AFXDP_PATH_SLOW);
  fail_unless (strlen (change.reason));
  afxdp_path_change_clear (&change);
  fail_if (afxdp_feed_path_changed (feed, &change));
}

TEST (test_netdev)
{
  g_autoptr (GError) error = NULL;
  const AfxdpNetdev *netdev = afxdp_feed_netdev (feed);

  fail_unless_equals_string (netdev->name, "lo");
  fail_if (open_feed ("nosuchdev0", &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND));
}

TEST (test_violation)
{
  client_join (&clients[0], NULL);
  client_join (&clients[1], NULL);
  WAIT_FOR (g_atomic_int_get (&n_news) == 1);
  clients[0].words->returns[0] = 5;
  __atomic_store_n (&clients[0].words->returned, 1, __ATOMIC_RELEASE);
  /* Also while nothing comes. */
  WAIT_FOR (g_atomic_int_get (&n_news) == 2);
  fail_unless (afxdp_client_ring_violation (clients[0].ring));
  loopback_send_many (loopback, 96, 0, 5);
  WAIT_FOR (n_produced (&clients[1]) == 5);
  fail_unless_equals_uint64 (ordinal_of (&clients[0]), 0);
  fail_if (afxdp_client_ring_violation (clients[1].ring));
  fail_unless_equals_int (g_atomic_int_get (&n_news), 2);
}

/* The feed's own socket: no other has its port. */
static int
find_socket (void)
{
  for (int fd = 0; fd < 1000; fd++) {
    struct sockaddr_in address = { 0 };
    socklen_t size = sizeof address;

    if (!getsockname (fd, (struct sockaddr *) &address, &size) &&
        address.sin_family == AF_INET &&
        ntohs (address.sin_port) == loopback->port)
      return fd;
  }
  fail ("no socket has the port");
  return -1;
}

TEST (test_error)
{
  g_autoptr (GError) error = NULL;

  client_join (&clients[0], NULL);
  WAIT_FOR (g_atomic_int_get (&n_news) == 1);
  fail_if (afxdp_feed_error (feed));
  shutdown (find_socket (), SHUT_RD);
  WAIT_FOR (g_atomic_int_get (&n_news) == 2);
  error = afxdp_feed_error (feed);
  fail_unless (error);
  /* It has no more turns, and can be asked again. */
  client_join (&clients[1], NULL);
  g_clear_error (&error);
  error = afxdp_feed_error (feed);
  fail_unless (error);
  fail_unless_equals_int (g_atomic_int_get (&n_news), 2);
}

/* Drops. */

/* Long before the second after which a look is due in any case. */
TEST (test_known)
{
  guint64 begin = afxdp_now ();

  client_join (&clients[0], NULL);
  for (guint i = 0; i < 20; i++) {
    guint64 wanted = afxdp_now ();

    __atomic_store_n (&clients[0].words->wanted, wanted, __ATOMIC_RELAXED);
    WAIT_FOR (known_to (&clients[0]) >= wanted);
    fail_unless (known_to (&clients[0]) <= afxdp_now ());
  }
  fail_unless (afxdp_now () - begin < 10 * AFXDP_S);
  /* A moment that has not come yet is not known. */
  clients[0].words->wanted = G_MAXUINT64;
  begin = afxdp_now ();
  WAIT_FOR (known_to (&clients[0]) > begin);
  fail_unless (known_to (&clients[0]) <= afxdp_now ());
}

/* Has the worker stand still, and brings news of the second client. */
static void
hold_back (void)
{
  WAIT_FOR (g_atomic_int_get (&n_news) == 1);
  client_join (&clients[1], NULL);
  g_atomic_int_set (&holds_back, TRUE);
  clients[1].words->returns[0] = 5;
  __atomic_store_n (&clients[1].words->returned, 1, __ATOMIC_RELEASE);
  WAIT_FOR (g_atomic_int_get (&n_news) == 2);
}

/* Drops are told where numbers are missing, or later: what a look has found is told
 * behind all that came before it. Returns how many. */
static guint
assert_drops_follow_gaps (const Client *client)
{
  guint missing = 0, told = 0;

  for (guint i = 0; i < n_produced (client); i++) {
    const struct afxdp_record *record = record_of (client, i);
    const guint8 *bytes = bytes_of (client, record);

    missing = (bytes[2] << 8 | bytes[3]) - i;
    fail_if (record->drops[AFXDP_PROTOCOL_DROP_SOCKET_BUFFER] < told);
    told = record->drops[AFXDP_PROTOCOL_DROP_SOCKET_BUFFER];
    fail_if (told > missing, "%u drops are told, and %u are missing before %u",
        told, missing, i);
  }
  fail_unless_equals_int (told, missing);
  return told;
}

/* All packets that are sent while the worker stands still are received, or told. */
TEST (test_drops)
{
  Client *client = &clients[0];
  guint n_sent = 0, n_dropped;
  guint64 wanted;
  AfxdpFeedCounts counts;

  /* Room for all. */
  client_join_with (client, NULL, 65536, 64);
  hold_back ();
  /* More than 16 MiB, as the kernel counts them, and some behind the gap, so that it
   * is in the midst of a batch. */
  for (; n_sent < 60000; n_sent += 1000) {
    if (n_sent == 50000) {
      /* It looks while all of it still waits. */
      client->words->wanted = afxdp_now ();
      g_atomic_int_set (&holds_back, FALSE);
    }
    loopback_send_many (loopback, 96, n_sent, 1000);
  }
  wanted = afxdp_now ();
  client->words->wanted = wanted;
  WAIT_FOR (known_to (client) >= wanted);
  n_dropped = client->head->drops[AFXDP_PROTOCOL_DROP_SOCKET_BUFFER];
  WAIT_FOR (ordinal_of (client) + n_dropped >= n_sent);
  fail_unless_equals_uint64 (ordinal_of (client) + n_dropped, n_sent);
  fail_unless (n_dropped > 0);
  /* Behind all that was dropped. */
  loopback_send_many (loopback, 96, n_sent++, 1);
  WAIT_FOR (ordinal_of (client) + n_dropped == n_sent);
  fail_unless_equals_int (assert_drops_follow_gaps (client), n_dropped);
  afxdp_feed_counts (feed, &counts);
  fail_unless_equals_uint64 (
      counts.drops[AFXDP_COLUMN_SOCKET_BUFFER], n_dropped);
  fail_unless_equals_uint64 (counts.packets[1], ordinal_of (client));
  /* What is broken is told nothing any more. */
  fail_unless_equals_int (
      clients[1].head->drops[AFXDP_PROTOCOL_DROP_SOCKET_BUFFER], 0);
}

SUITE ("feed", 50, set_up, tear_down)
