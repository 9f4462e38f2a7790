/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a daemon says over its socket, and what a client makes of it that believes
 * nothing: each fault ends the link, and leaves no descriptor behind.
 */
#include "clientlink.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../fuzz/clientmodel.h"
#include "clock.h"
#include "error.h"
#include "fakedaemon.h"
#include "suite.h"

static FakeDaemon *fake;
static AfxdpClientLink link_;
static int epoll;
static guint n_fds;

static void
set_up (void)
{
  fake = fake_daemon_new (TRUE);
  epoll = epoll_create1 (EPOLL_CLOEXEC);
  n_fds = fake_daemon_n_fds ();
  afxdp_client_link_init (&link_, fake->path, epoll);
}

/* Nothing stays open, whatever was said. */
static void
tear_down (void)
{
  afxdp_client_link_clear (&link_);
  fake_daemon_hang_up (fake);
  g_clear_pointer (&fake->ring, afxdp_client_ring_free);
  fail_unless_equals_int (fake_daemon_n_fds (), n_fds);
  close (epoll);
  fake_daemon_free (fake);
}

static void
connect_link (void)
{
  g_autoptr (GError) error = NULL;
  struct afxdp_hello hello;

  fail_unless (afxdp_client_link_connect (&link_, &error));
  g_assert_no_error (error);
  fake_daemon_accept (fake);
  fake_daemon_hear (fake, &hello, sizeof hello);
  fail_unless_equals_int (hello.message.type, AFXDP_MESSAGE_HELLO);
  fail_unless_equals_int (hello.version, AFXDP_PROTOCOL_VERSION);
}

static void
read_link (void)
{
  g_autoptr (GError) error = NULL;

  fail_unless (afxdp_client_link_read (&link_, &error));
  g_assert_no_error (error);
}

static void
ask (void)
{
  g_autoptr (GError) error = NULL;
  struct afxdp_open open = { .port = 5004 }, heard;

  fail_unless (afxdp_client_link_open (&link_, &open, &error));
  fake_daemon_hear (fake, &heard, sizeof heard);
  fail_unless_equals_int (heard.message.type, AFXDP_MESSAGE_OPEN);
  fail_unless_equals_int (heard.port, 5004);
}

/* As far as state. */
static void
go_to (AfxdpLinkState state)
{
  if (state >= AFXDP_LINK_GREETING)
    connect_link ();
  if (state >= AFXDP_LINK_MET) {
    fake_daemon_welcome (fake);
    read_link ();
  }
  if (state >= AFXDP_LINK_OPENING)
    ask ();
  if (state >= AFXDP_LINK_OPEN) {
    fake_daemon_opened (fake);
    read_link ();
  }
  fail_unless_equals_int (link_.state, state);
}

static gboolean
is_anything_waited_for (void)
{
  struct epoll_event event;

  return epoll_wait (epoll, &event, 1, 0) > 0;
}

static void
assert_broken (AfxdpError code, const gchar *part)
{
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_client_link_read (&link_, &error));
  g_assert_error (error, AFXDP_ERROR, (gint) code);
  fail_unless (strstr (error->message, part) != NULL, "%s", error->message);
  fail_unless_equals_int (link_.state, AFXDP_LINK_DOWN);
  fail_unless_equals_int (link_.fd, -1);
  fail_if (is_anything_waited_for ());
  g_clear_error (&error);
  /* It stays down. */
  fail_if (afxdp_client_link_read (&link_, &error));
  fail_unless (error != NULL);
}

#define PROTOCOL "does not keep to the protocol"

TEST (test_all_is_well)
{
  go_to (AFXDP_LINK_OPEN);
  fail_unless_equals_uint64 (link_.network, fake->network);
  fail_unless_equals_string (link_.opened.interface, "fake0");
  fail_unless (link_.memory >= 0 && link_.words >= 0);
  fail_if (link_.has_path);
  fake_daemon_tell_path (fake, AFXDP_PATH_SLOW);
  fail_unless (is_anything_waited_for ());
  read_link ();
  fail_if (is_anything_waited_for ());
  fail_unless (link_.has_path);
  fail_unless_equals_int (link_.news.path, AFXDP_PATH_SLOW);
  fail_unless (afxdp_client_link_beats (&link_, afxdp_now ()));
  fail_if (afxdp_client_link_beats (
      &link_, afxdp_now () + AFXDP_PROTOCOL_BEAT_PATIENCE + 20 * AFXDP_S));
}

TEST (test_nobody_there)
{
  g_autoptr (GError) error = NULL;

  fake_daemon_end (fake);
  n_fds--;
  fail_if (afxdp_client_link_connect (&link_, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND);
  fail_unless_equals_int (link_.fd, -1);
  g_clear_error (&error);
  /* A file that nobody listens at any more. */
  fake_daemon_begin (fake);
  close (fake->listener);
  fake->listener = -1;
  fail_if (afxdp_client_link_connect (&link_, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND);
}

TEST (test_long_path)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *path = g_strnfill (200, 'x');

  afxdp_client_link_clear (&link_);
  afxdp_client_link_init (&link_, path, epoll);
  fail_if (afxdp_client_link_connect (&link_, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS);
}

/* Every state but DOWN. */
LOOP_TEST (test_hang_up, AFXDP_LINK_OPEN)
{
  go_to (1 + __i__);
  fake_daemon_hang_up (fake);
  assert_broken (AFXDP_ERROR_NOT_FOUND, "has hung up");
}

LOOP_TEST (test_refusal, AFXDP_LINK_OPEN)
{
  go_to (1 + __i__);
  fake_daemon_refuse (fake, AFXDP_ERROR_PERMISSION, "not you\xff");
  assert_broken (AFXDP_ERROR_PERMISSION,
      1 + __i__ == AFXDP_LINK_OPEN ? "has ended the stream: not you"
                                   : "refuses: not you");
}

TEST (test_refusal_with_unknown_code)
{
  go_to (AFXDP_LINK_OPENING);
  fake_daemon_refuse (fake, 1000, "no");
  assert_broken (AFXDP_ERROR_FAILED, "refuses: no");
}

TEST (test_silence)
{
  g_autoptr (GError) error = NULL;
  guint64 begin;

  go_to (AFXDP_LINK_GREETING);
  begin = afxdp_now ();
  fail_if (afxdp_client_link_wait (&link_, AFXDP_LINK_MET, 200, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED);
  fail_unless (strstr (error->message, "200 ms") != NULL);
  fail_unless (afxdp_now () - begin >= 200 * AFXDP_MS);
  fail_unless_equals_int (link_.state, AFXDP_LINK_DOWN);
}

/* It talks without end, and says nothing. */
static gint talks;

static gpointer
talk (gpointer data)
{
  static const struct afxdp_wake wake = { { AFXDP_MESSAGE_WAKE, sizeof wake } };

  while (g_atomic_int_get (&talks))
    if (send (fake->fd, &wake, sizeof wake, MSG_NOSIGNAL) < 0)
      break;
  return NULL;
}

TEST (test_endless_talk)
{
  g_autoptr (GError) error = NULL;
  GThread *thread;

  go_to (AFXDP_LINK_GREETING);
  talks = TRUE;
  thread = g_thread_new ("talk", talk, NULL);
  for (guint i = 0; i < 100; i++)
    read_link ();
  fail_if (afxdp_client_link_wait (&link_, AFXDP_LINK_MET, 50, &error));
  g_assert_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED);
  g_atomic_int_set (&talks, FALSE);
  g_thread_join (thread);
}

TEST (test_nobody_reads)
{
  struct afxdp_open open = { .port = 5004 };
  g_autoptr (GError) error = NULL;

  go_to (AFXDP_LINK_MET);
  while (afxdp_client_link_open (&link_, &open, &error))
    ;
  fail_unless (error != NULL);
  fail_unless_equals_int (link_.state, AFXDP_LINK_DOWN);
}

/* Each message where it must not be. */
static const struct
{
  AfxdpLinkState state;
  guint type;
} misplaced[] = {
  { AFXDP_LINK_GREETING, AFXDP_MESSAGE_OPENED },
  { AFXDP_LINK_GREETING, AFXDP_MESSAGE_PATH },
  { AFXDP_LINK_MET, AFXDP_MESSAGE_WELCOME },
  { AFXDP_LINK_MET, AFXDP_MESSAGE_OPENED },
  { AFXDP_LINK_MET, AFXDP_MESSAGE_PATH },
  { AFXDP_LINK_OPENING, AFXDP_MESSAGE_WELCOME },
  { AFXDP_LINK_OPENING, AFXDP_MESSAGE_PATH },
  { AFXDP_LINK_OPEN, AFXDP_MESSAGE_WELCOME },
  { AFXDP_LINK_OPEN, AFXDP_MESSAGE_OPENED },
};

TABLE_TEST (test_misplaced, misplaced)
{
  go_to (misplaced[__i__].state);
  if (misplaced[__i__].type == AFXDP_MESSAGE_WELCOME)
    fake_daemon_welcome (fake);
  else if (misplaced[__i__].type == AFXDP_MESSAGE_OPENED)
    fake_daemon_opened (fake);
  else
    fake_daemon_tell_path (fake, AFXDP_PATH_FAST);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

/* Types that a daemon does not say, or nobody; sizes that are not a message's, or not
 * what is said of it. */
static const struct
{
  guint32 type, size;
  gsize sent;
} malformed[] = {
  { 0, 8, 8 },
  { AFXDP_MESSAGE_HELLO, 16, 16 },
  { AFXDP_MESSAGE_OPEN, 8, 8 },
  { AFXDP_MESSAGE_STATUS, 16, 16 },
  { AFXDP_MESSAGE_STATE, 16, 16 },
  { AFXDP_MESSAGE_STATE + 1, 8, 8 },
  { G_MAXUINT32, 8, 8 },
  { AFXDP_MESSAGE_WAKE, 8, 9 },
  { AFXDP_MESSAGE_WAKE, 9, 8 },
  { AFXDP_MESSAGE_WAKE, 9, 9 },
  { AFXDP_MESSAGE_WAKE, 0, 8 },
  { AFXDP_MESSAGE_WAKE, 8, 7 },
  { AFXDP_MESSAGE_WAKE, 8, 1 },
  { AFXDP_MESSAGE_PATH, sizeof (struct afxdp_path), 8 },
  { AFXDP_MESSAGE_PATH, sizeof (struct afxdp_path) - 1,
      sizeof (struct afxdp_path) - 1 },
  { AFXDP_MESSAGE_PATH, sizeof (struct afxdp_path),
      sizeof (struct afxdp_path) + 8 },
  { AFXDP_MESSAGE_PATH, 4096, 4096 },
  { AFXDP_MESSAGE_REFUSED, 16, 16 },
};

TABLE_TEST (test_malformed, malformed)
{
  union
  {
    struct afxdp_message head;
    guint8 bytes[4096];
  } message = { { malformed[__i__].type, malformed[__i__].size } };

  go_to (AFXDP_LINK_OPEN);
  fake_daemon_say (fake, &message, malformed[__i__].sent, NULL, 0);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

/* What may be anywhere brings descriptors that nobody wants. */
TEST (test_unwanted_descriptors)
{
  static const struct afxdp_wake wake = { { AFXDP_MESSAGE_WAKE, sizeof wake } };
  const int fds[] = { fake->beat.fd, fake->beat.fd };

  go_to (AFXDP_LINK_OPEN);
  for (guint i = 0; i < 3; i++)
    fake_daemon_say (fake, &wake, sizeof wake, fds, 2);
  read_link ();
}

/* A message of no bytes looks as the end does, and may bring descriptors. */
TEST (test_descriptors_of_nothing)
{
  const int fds[] = { fake->beat.fd, fake->beat.fd };

  go_to (AFXDP_LINK_OPEN);
  fake_daemon_say (fake, "", 0, fds, 2);
  assert_broken (AFXDP_ERROR_NOT_FOUND, "has hung up");
}

static void
say_welcome (guint32 version, const int *fds, guint n)
{
  const struct afxdp_welcome welcome = {
    .message = { AFXDP_MESSAGE_WELCOME, sizeof welcome },
    .version = version,
    .monotonic_offset = G_MININT64,
  };

  fake_daemon_say (fake, &welcome, sizeof welcome, fds, n);
}

TEST (test_other_version)
{
  go_to (AFXDP_LINK_GREETING);
  say_welcome (AFXDP_PROTOCOL_VERSION + 1, &fake->beat.fd, 1);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

TEST (test_clock_of_nowhere)
{
  go_to (AFXDP_LINK_GREETING);
  say_welcome (AFXDP_PROTOCOL_VERSION, &fake->beat.fd, 1);
  read_link ();
  afxdp_client_link_beats (&link_, 0);
  afxdp_client_link_beats (&link_, G_MAXUINT64);
}

LOOP_TEST (test_number_of_beats, 4)
{
  const int fds[] = { fake->beat.fd, fake->beat.fd, fake->beat.fd };

  if (__i__ == 1)
    return;
  go_to (AFXDP_LINK_GREETING);
  say_welcome (AFXDP_PROTOCOL_VERSION, fds, __i__);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

/* Memory that could be cut off below a client, or is cut off already. */
enum
{
  UNSEALED,
  SHORT,
  A_FILE,
  A_SOCKET,
  N_FAULTS,
};

static int
make_memory (guint fault, gsize size)
{
  int fd;

  if (fault == A_FILE)
    return open ("/dev/zero", O_RDWR | O_CLOEXEC);
  if (fault == A_SOCKET)
    return socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  fd = memfd_create ("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
  fail_if (ftruncate (fd, fault == SHORT ? size - 1 : size));
  if (fault != UNSEALED)
    fail_if (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK));
  return fd;
}

LOOP_TEST (test_beat_that_may_go, N_FAULTS)
{
  int fd = make_memory (__i__, sizeof (struct afxdp_beat));

  go_to (AFXDP_LINK_GREETING);
  say_welcome (AFXDP_PROTOCOL_VERSION, &fd, 1);
  close (fd);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

LOOP_TEST (test_memory_that_may_go, 2 * N_FAULTS)
{
  struct afxdp_opened opened = {
    .message = { AFXDP_MESSAGE_OPENED, sizeof opened },
    .memory_size = 8192,
    .words_size = 8192,
  };
  guint which = __i__ / N_FAULTS;
  int fds[2];

  fds[which] = make_memory (__i__ % N_FAULTS, 8192);
  fds[1 - which] = make_memory (N_FAULTS, 8192);
  go_to (AFXDP_LINK_OPENING);
  fake_daemon_say (fake, &opened, sizeof opened, fds, 2);
  close (fds[0]);
  close (fds[1]);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

LOOP_TEST (test_number_of_memories, 4)
{
  struct afxdp_opened opened = {
    .message = { AFXDP_MESSAGE_OPENED, sizeof opened },
  };
  const int fds[] = { fake->beat.fd, fake->beat.fd, fake->beat.fd };

  if (__i__ == 2)
    return;
  go_to (AFXDP_LINK_OPENING);
  fake_daemon_say (fake, &opened, sizeof opened, fds, __i__);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

TEST (test_name_in_no_encoding)
{
  struct afxdp_opened opened = {
    .message = { AFXDP_MESSAGE_OPENED, sizeof opened },
    .interface = "\xff\xfe",
  };
  const int fds[] = { fake->beat.fd, fake->beat.fd };

  go_to (AFXDP_LINK_OPENING);
  fake_daemon_say (fake, &opened, sizeof opened, fds, 2);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

static const struct afxdp_path wrong_paths[] = {
  { .path = 0 },
  { .path = 3 },
  { .path = 1, .n_queues = AFXDP_PROTOCOL_QUEUES + 1 },
  { .path = 1, .error = AFXDP_ERROR_DOWN + 2 },
  { .path = 1, .reason = "\x80" },
};

TABLE_TEST (test_wrong_path, wrong_paths)
{
  struct afxdp_path path = wrong_paths[__i__];

  path.message = (struct afxdp_message){ AFXDP_MESSAGE_PATH, sizeof path };
  go_to (AFXDP_LINK_OPEN);
  fake_daemon_say (fake, &path, sizeof path, NULL, 0);
  assert_broken (AFXDP_ERROR_FAILED, PROTOCOL);
}

/* A text without its end is cut. */
TEST (test_endless_reason)
{
  struct afxdp_path path = {
    .message = { AFXDP_MESSAGE_PATH, sizeof path },
    .path = 1,
  };

  memset (path.reason, 'x', sizeof path.reason);
  go_to (AFXDP_LINK_OPEN);
  fake_daemon_say (fake, &path, sizeof path, NULL, 0);
  read_link ();
  fail_unless_equals_int (strlen (link_.news.reason), sizeof path.reason - 1);
}

/* Whoever has it besides, such as a child before exec(), does not keep the end waking
 * us. */
TEST (test_end_of_one_that_others_have)
{
  int other;

  go_to (AFXDP_LINK_OPEN);
  other = dup (link_.fd);
  afxdp_client_link_end (&link_);
  fake_daemon_hang_up (fake);
  fail_if (is_anything_waited_for ());
  close (other);
}

/* A child neither keeps the connection open nor has it. */
TEST (test_fork)
{
  int pipes[2], status;
  pid_t child;

  go_to (AFXDP_LINK_OPEN);
  fail_if (pipe (pipes));
  child = fork ();
  if (!child) {
    gchar byte;

    /* Ends with the parent. */
    close (pipes[1]);
    _exit (read (pipes[0], &byte, 1) || !fcntl (link_.fd, F_GETFD));
  }
  afxdp_client_link_end (&link_);
  /* The daemon sees the end. */
  {
    gchar byte;

    fail_unless_equals_int (recv (fake->fd, &byte, 1, 0), 0);
  }
  close (pipes[0]);
  close (pipes[1]);
  fail_unless_equals_int (waitpid (child, &status, 0), child);
  fail_unless_equals_int (status, 0);
}

/* What the fuzzer tries, see tests/fuzz/clientmodel.h. */
TEST (test_any_daemon)
{
  suite_run_scripts ("CLIENT_SEED", 500, 300, 10, 300, client_model_run);
}

SUITE ("clientlink", 0, set_up, tear_down)
