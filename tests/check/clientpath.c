/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream that is a client of a distributor daemon, which goes and comes: no packet
 * comes twice, and none is missing while either of the two had it to bring.
 */
#include "clientpath.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "clientinput.h"
#include "clientlink.h"
#include "clock.h"
#include "error.h"
#include "fakedaemon.h"
#include "fork.h"
#include "loopback.h"
#include "namespaces.h"
#include "streamstate.h"
#include "suite.h"

#define SIZE 100
#define PATIENCE (20 * AFXDP_S)

static FakeDaemon *fake;
static Loopback *loopback;
static AfxdpStream *stream;
static AfxdpStreamSettings settings;
static AfxdpPathChange change;
static gboolean beats;

static guint16 n_sent;
static guint counts[1 << 16];
static guint n_came;
static AfxdpDrops drops;
static guint n_fds;

static void
set_up (void)
{
  fake = fake_daemon_new (TRUE);
  loopback = loopback_new ();
  /* It stays. */
  afxdp_namespaces_network ();
  n_fds = fake_daemon_n_fds ();
  settings = (AfxdpStreamSettings){
    .address = loopback->address,
    .port = loopback->port,
    .distributor = fake->path,
    .distributor_anywhere = TRUE,
    .queue = -1,
    .ring_size = 64,
    .umem_frames = 4096,
    .batch = 32,
  };
  memset (counts, 0, sizeof counts);
  n_sent = n_came = 0;
  drops.n = 0;
  beats = TRUE;
}

static void
close_stream (void)
{
  AfxdpStreamCounts last = { 0 };

  if (!stream)
    return;
  afxdp_stream_close (stream, &last, &drops);
  afxdp_stream_counts_clear (&last);
  stream = NULL;
}

static void
tear_down (void)
{
  close_stream ();
  fake_daemon_served (fake);
  fake_daemon_end (fake);
  g_clear_pointer (&fake->ring, afxdp_client_ring_free);
  fail_unless (fake_daemon_n_fds () <= n_fds, "%u descriptors, %u before",
      fake_daemon_n_fds (), n_fds);
  fake_daemon_free (fake);
  loopback_free (loopback);
  afxdp_path_change_clear (&change);
}

static void
open_stream (void)
{
  g_autoptr (GError) error = NULL;

  stream = afxdp_stream_new (&settings, &error);
  g_assert_no_error (error);
  fail_unless (stream != NULL);
}

static void
open_served (void)
{
  fake_daemon_serve (fake);
  open_stream ();
  fake_daemon_served (fake);
}

/* Takes what has come, for at most some ms. */
static void
take (void)
{
  AfxdpBatch batch;
  AfxdpPathChange news;

  if (beats)
    fake_daemon_beat (fake);
  if (afxdp_stream_receive (stream, &batch, 32, afxdp_now () + 2 * AFXDP_MS)) {
    for (guint i = 0; i < batch.n; i++) {
      fail_unless_equals_int (batch.packets[i].size, SIZE);
      counts[batch.packets[i].rtp.seqnum]++;
    }
    n_came += batch.n;
    afxdp_stream_done (stream);
  }
  if (afxdp_stream_path_changed (stream, &news)) {
    afxdp_path_change_clear (&change);
    change = news;
  }
  for (guint i = 0; i < stream->drops.n; i++)
    if (drops.n < AFXDP_DROPS)
      drops.drops[drops.n++] = stream->drops.drops[i];
  stream->drops.n = 0;
}

#define take_until(condition)                               \
  do {                                                      \
    guint64 end_ = afxdp_now () + PATIENCE;                 \
    while (!(condition)) {                                  \
      fail_unless (afxdp_now () < end_, "not " #condition); \
      take ();                                              \
    }                                                       \
  } while (0)

#define SOCKET 1
#define RING 2
#define BOTH (SOCKET | RING)

static void
send_some (guint n, guint by)
{
  guint8 bytes[SIZE];

  for (; n; n--, n_sent++) {
    fake_daemon_make_rtp (bytes, n_sent, SIZE);
    if (by & SOCKET)
      loopback_send (loopback, bytes, SIZE);
    if (by & RING)
      fake_daemon_put_rtp (fake, n_sent, SIZE);
    if (n_sent % 3 == 0)
      take ();
  }
}

static void
assert_all_once (void)
{
  take_until (n_came >= n_sent);
  for (guint i = 0; i < 5; i++)
    take ();
  for (guint i = 0; i < n_sent; i++)
    fail_unless (counts[i] == 1, "%u came %u times", i, counts[i]);
  fail_unless_equals_int (n_came, n_sent);
}

static gboolean
was_dropped (AfxdpColumn column)
{
  for (guint i = 0; i < drops.n; i++)
    if (drops.drops[i].column == column)
      return TRUE;
  return FALSE;
}

static void
go_away (void)
{
  fake_daemon_end (fake);
  take_until (change.path == AFXDP_PATH_SLOW);
}

/* The daemon is there again: has a ring for us, which may not yet be read. */
static void
come_back (void)
{
  fake_daemon_begin (fake);
  fake_daemon_serve (fake);
  take_until (g_atomic_int_get (&fake->serves));
  fake_daemon_served (fake);
}

TEST (test_served)
{
  AfxdpStreamCounts now = { 0 };

  open_served ();
  fail_unless_equals_int (fake->open.port, loopback->port);
  fail_unless_equals_int (fake->open.version, 4);
  fail_unless_equals_int (fake->open.address[0], 127);
  fail_unless_equals_int (fake->open.slots, 64);
  fail_unless (fake->open.socket == afxdp_socket_inode (stream->socket));
  take_until (change.path == AFXDP_PATH_FAST);
  fail_unless_equals_string (change.provider, "distributor");
  fail_unless_equals_string (
      change.reason, "The distributor delivers on fake0: as it is told");
  fail_unless_equals_string (afxdp_stream_interface (stream), "fake0");
  fail_unless_equals_int (change.n_queues, 1);
  fail_unless_equals_int (change.queues[0], 3);
  /* The socket is deaf. */
  send_some (300, BOTH);
  assert_all_once ();
  afxdp_stream_counts (stream, &now);
  fail_unless (now.n_frames > FAKE_SLOTS);
  fail_unless_equals_int (now.socket_dropped, 0);
  afxdp_stream_counts_clear (&now);
  fake_daemon_tell_path (fake, AFXDP_PATH_SLOW);
  take_until (change.path == AFXDP_PATH_SLOW);
  fail_unless_equals_string (change.provider, "distributor");
  send_some (30, BOTH);
  assert_all_once ();
  fail_unless_equals_int (drops.n, 0);
}

/* It is woken while it sleeps, and once. */
TEST (test_wake_up)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  for (guint i = 0; i < 3; i++)
    take ();
  fake->n_wakes = 0;
  fake_daemon_put_rtp (fake, n_sent++, SIZE);
  fake_daemon_put_rtp (fake, n_sent++, SIZE);
  fail_unless_equals_int (fake->n_wakes, 1);
  assert_all_once ();
}

/* While nothing comes, and whatever the daemon is, the thread sleeps. */
static guint
count_turns (void)
{
  guint64 end = afxdp_now () + 200 * AFXDP_MS;
  AfxdpBatch batch;
  guint n = 0;

  for (; afxdp_now () < end; n++) {
    AfxdpStreamRest rest;

    if (beats)
      fake_daemon_beat (fake);
    afxdp_stream_receive (stream, &batch, 32, 0);
    afxdp_stream_rest (stream, &rest);
    fail_unless (rest.look_at > 0);
    {
      AfxdpInput *input = stream->inputs.all[1];
      struct pollfd fd = { .fd = input->fd, .events = POLLIN };
      guint64 now = afxdp_now ();
      guint64 wait = rest.look_at > now ? rest.look_at - now : 0;
      struct timespec timeout = { 0, MIN (wait, 20 * AFXDP_MS) };

      ppoll (&fd, 1, &timeout, NULL);
    }
  }
  return n;
}

TEST (test_no_busy_loop)
{
  guint n;

  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  n = count_turns ();
  fail_unless (n < 60, "%u turns", n);
  fake_daemon_hang_up (fake);
  take_until (change.path == AFXDP_PATH_SLOW);
  n = count_turns ();
  fail_unless (n < 60, "%u turns", n);
}

/* In ns. */
static guint64
longest_rest (void)
{
  AfxdpStreamRest rest;
  guint64 now = afxdp_now ();

  afxdp_stream_rest (stream, &rest);
  fail_unless (rest.look_at > now);
  return rest.look_at - now;
}

/* Where nothing has come for long the daemon is looked at less often; and one that is gone
 * when it is time to connect again. It is missed all the same. */
TEST (test_silence)
{
  AfxdpInput *input;
  guint64 begin;

  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (3, BOTH);
  assert_all_once ();
  input = stream->paths.provider->input;
  input->last_arrival = begin = afxdp_now ();
  fail_unless (longest_rest () <= 10 * AFXDP_MS + afxdp_now () - begin);
  input->last_arrival -= 2 * AFXDP_S;
  fail_unless (longest_rest () >= 40 * AFXDP_MS);
  beats = FALSE;
  fake_daemon_stand_still (fake);
  take_until (change.path == AFXDP_PATH_SLOW);
  begin = afxdp_now ();
  fail_unless (longest_rest () <= 10 * AFXDP_MS + afxdp_now () - begin);
  fake_daemon_end (fake);
  take_until (longest_rest () > 50 * AFXDP_MS);
}

/* The socket hears while the daemon is gone. */
TEST (test_hang_up)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, BOTH);
  assert_all_once ();
  go_away ();
  fail_unless (was_dropped (AFXDP_COLUMN_DISTRIBUTOR));
  fail_unless (strstr (change.reason,
                   "has hung up. Packets come through the "
                   "socket until it is back") != NULL,
      "%s", change.reason);
  fail_unless_equals_string (change.provider, "own");
  send_some (100, SOCKET);
  assert_all_once ();
}

/* What is in the ring when the daemon goes comes, too. */
TEST (test_last_packets)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  for (guint i = 0; i < 40; i++)
    fake_daemon_put_rtp (fake, n_sent++, SIZE);
  fake_daemon_end (fake);
  assert_all_once ();
}

/* While both bring the same. */
TEST (test_coming_back)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  for (guint i = 0; i < 3; i++) {
    send_some (50, BOTH);
    assert_all_once ();
    go_away ();
    send_some (100, SOCKET);
    come_back ();
    send_some (300, BOTH);
    take_until (change.path == AFXDP_PATH_FAST);
    send_some (100, BOTH);
    assert_all_once ();
  }
}

/* The same, where nothing came by either for a while. */
TEST (test_coming_back_in_silence)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  go_away ();
  come_back ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (100, BOTH);
  assert_all_once ();
}

TEST (test_standing_still)
{
  /* What is held has room. */
  fake->n_slots = 1024;
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, BOTH);
  assert_all_once ();
  beats = FALSE;
  fake_daemon_stand_still (fake);
  take_until (change.path == AFXDP_PATH_SLOW);
  fail_unless (strstr (change.reason, "stands still") != NULL);
  /* It still writes, or will when it goes on. */
  send_some (50, BOTH);
  assert_all_once ();
  beats = TRUE;
  fake_daemon_beat (fake);
  send_some (60, BOTH);
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (100, BOTH);
  assert_all_once ();
}

/* It stands still, has written, and is killed: the next one serves. */
TEST (test_killed_while_it_stands_still)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  beats = FALSE;
  fake_daemon_stand_still (fake);
  take_until (change.path == AFXDP_PATH_SLOW);
  send_some (50, BOTH);
  fake_daemon_end (fake);
  beats = TRUE;
  send_some (20, SOCKET);
  come_back ();
  send_some (20, BOTH);
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, BOTH);
  assert_all_once ();
}

/* It dies again before its packets were read, which the socket brought. */
TEST (test_dies_while_it_comes_back)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  go_away ();
  send_some (20, SOCKET);
  come_back ();
  n_sent = 3000;
  n_came = 0;
  while (n_sent % 3)
    n_sent++;
  n_sent++;
  send_some (2, BOTH);
  take_until (stream->paths.provider->settling);
  fail_unless_equals_int (change.path, AFXDP_PATH_SLOW);
  fake_daemon_end (fake);
  take_until (!stream->paths.provider->settling);
  send_some (50, SOCKET);
  take_until (counts[n_sent - 1]);
  for (guint i = 3001; i < n_sent; i++)
    fail_unless (counts[i] == 1, "%u came %u times", i, counts[i]);
  come_back ();
  take_until (change.path == AFXDP_PATH_FAST);
  n_sent += 10;
  send_some (50, BOTH);
  take_until (counts[n_sent - 1] == 1);
}

/* In another network nothing comes until the daemon is back. */
TEST (test_without_network)
{
  fake->network++;
  open_served ();
  fail_unless_equals_uint64 (fake->open.socket, 0);
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, RING);
  assert_all_once ();
  go_away ();
  fail_unless (
      strstr (change.reason, "Start it again: the stream goes on") != NULL,
      "%s", change.reason);
  {
    guint8 bytes[SIZE];

    fake_daemon_make_rtp (bytes, 60000, SIZE);
    loopback_send (loopback, bytes, SIZE);
  }
  for (guint i = 0; i < 20; i++)
    take ();
  fail_unless_equals_int (counts[60000], 0);
  come_back ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, RING);
  assert_all_once ();
  fail_unless (was_dropped (AFXDP_COLUMN_DISTRIBUTOR));
}

/* A ring of nonsense: the link ends, and a new one is asked for. */
TEST (test_broken_ring)
{
  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (10, BOTH);
  assert_all_once ();
  ((AfxdpClientInput *) stream->inputs.all[1])->broken = TRUE;
  take_until (change.path == AFXDP_PATH_SLOW);
  fail_unless (strstr (change.reason, "writes what cannot be") != NULL);
  send_some (20, SOCKET);
  assert_all_once ();
}

/* Packets that nobody reads any more are counted, and so is what found no slot. */
TEST (test_close_with_packets)
{
  AfxdpStreamCounts last = { 0 };
  AfxdpDrops dropped = { 0 };

  open_served ();
  take_until (change.path == AFXDP_PATH_FAST);
  for (guint i = 0; i < FAKE_SLOTS + 3; i++)
    fake_daemon_put_rtp (fake, n_sent++, SIZE);
  afxdp_stream_close (stream, &last, &dropped);
  stream = NULL;
  fail_unless_equals_uint64 (last.discarded, FAKE_SLOTS);
  fail_unless_equals_int (dropped.n, 1);
  fail_unless_equals_int64 (dropped.drops[0].n, 3);
  afxdp_stream_counts_clear (&last);
}

/* Opening. */

static gpointer
refuse (gpointer data)
{
  struct afxdp_hello hello;

  fake_daemon_accept (fake);
  fake_daemon_hear (fake, &hello, sizeof hello);
  fake_daemon_welcome (fake);
  fake_daemon_hear (fake, &fake->open, sizeof fake->open);
  fake_daemon_refuse (fake, AFXDP_ERROR_PERMISSION, "not to you");
  fake_daemon_hang_up (fake);
  g_atomic_int_set (&fake->serves, TRUE);
  return NULL;
}

static const gchar *const nowhere[] = { "nosuch0", NULL };

static void
assert_no_stream (AfxdpError code, const gchar *part)
{
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_stream_new (&settings, &error));
  fail_unless (strstr (error->message, part) != NULL, "%s", error->message);
  fail_unless_equals_int (error->code, code);
}

/* The daemon refuses, and without it nothing can be had: both are told. */
TEST (test_refused)
{
  fake->network++;
  settings.interfaces = nowhere;
  fake->thread = g_thread_new ("daemon", refuse, NULL);
  assert_no_stream (
      AFXDP_ERROR_NOT_FOUND, "refuses: not to you; and without it: ");
}

/* In our network the interface is looked for first, and then there is a client with
 * neither input nor socket to be closed. */
static gpointer
welcome (gpointer data)
{
  struct afxdp_hello hello;

  fake_daemon_accept (fake);
  fake_daemon_hear (fake, &hello, sizeof hello);
  fake_daemon_welcome (fake);
  return NULL;
}

TEST (test_no_interface)
{
  settings.interfaces = nowhere;
  fake->thread = g_thread_new ("daemon", welcome, NULL);
  assert_no_stream (AFXDP_ERROR_NOT_FOUND, "nosuch0");
}

TEST (test_other_network_unless_named)
{
  g_autoptr (GError) error = NULL;

  fake->network++;
  fake->thread = g_thread_new ("daemon", welcome, NULL);
  fail_if (afxdp_client_path_new (fake->path, FALSE, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED);
}

/* No daemon yet: as in a container that starts before it. */

TEST (test_absent)
{
  fake_daemon_end (fake);
  settings.interfaces = nowhere;
  open_stream ();
  take_until (change.path == AFXDP_PATH_SLOW);
  fail_unless_equals_string (change.provider, "own");
  fail_unless (g_str_has_prefix (change.reason, "No distributor listens at") &&
          strstr (change.reason, "nosuch0") &&
          strstr (change.reason, "Start it: the stream begins then"),
      "%s", change.reason);
  fail_unless_equals_string (afxdp_stream_interface (stream), NULL);
  for (guint i = 0; i < 20; i++)
    take ();
  {
    AfxdpStreamCounts now = { 0 };

    afxdp_stream_counts (stream, &now);
    fail_unless (now.n_frames > 0);
    fail_unless_equals_int (now.n_frames, now.n_frames_free);
    afxdp_stream_counts_clear (&now);
    afxdp_stream_look_for_drops (stream, afxdp_now ());
    afxdp_stream_close_path (stream);
  }
  fail_unless (count_turns () < 60);
  come_back ();
  fail_unless_equals_string (fake->open.interface, "nosuch0");
  take_until (change.path == AFXDP_PATH_FAST);
  fail_unless_equals_string (change.provider, "distributor");
  fail_unless_equals_string (afxdp_stream_interface (stream), "fake0");
  send_some (100, RING);
  assert_all_once ();
  /* And from then on as any other. */
  go_away ();
  fail_unless (strstr (change.reason, "Start it again") != NULL);
  come_back ();
  take_until (change.path == AFXDP_PATH_FAST);
  send_some (50, RING);
  assert_all_once ();
}

/* It answers not at all, as one that systemd has yet to start. */
TEST (test_absent_and_silent)
{
  guint64 begin = afxdp_now ();

  settings.interfaces = nowhere;
  open_stream ();
  fail_unless (afxdp_now () - begin >= 200 * AFXDP_MS);
  take_until (change.path == AFXDP_PATH_SLOW);
  fail_unless (strstr (change.reason, "does not answer") != NULL);
}

/* One that comes later and refuses is told of, and asked again. */
TEST (test_absent_then_refused)
{
  fake_daemon_end (fake);
  settings.interfaces = nowhere;
  open_stream ();
  take_until (change.path == AFXDP_PATH_SLOW);
  fake_daemon_begin (fake);
  g_atomic_int_set (&fake->serves, FALSE);
  fake->thread = g_thread_new ("daemon", refuse, NULL);
  take_until (g_atomic_int_get (&fake->serves));
  fake_daemon_served (fake);
  take_until (strstr (change.reason, "refuses: not to you"));
  fake_daemon_serve (fake);
  take_until (change.path == AFXDP_PATH_FAST);
  fake_daemon_served (fake);
  send_some (10, RING);
  assert_all_once ();
}

TEST (test_absent_and_closed)
{
  fake_daemon_end (fake);
  settings.interfaces = nowhere;
  open_stream ();
  close_stream ();
  open_stream ();
  take ();
}

/* Nobody named it, or the fast path is a must. */
TEST (test_absent_is_an_error)
{
  fake_daemon_end (fake);
  settings.interfaces = nowhere;
  settings.distributor_anywhere = FALSE;
  assert_no_stream (AFXDP_ERROR_NOT_FOUND, "nosuch0");
  settings.distributor_anywhere = TRUE;
  settings.mode = AFXDP_MODE_AF_XDP;
  assert_no_stream (AFXDP_ERROR_NOT_FOUND, "; and without it: ");
  settings.mode = AFXDP_MODE_SOCKET;
  assert_no_stream (AFXDP_ERROR_NOT_FOUND, "nosuch0");
}

SUITE ("clientpath", 50, set_up, tear_down)
