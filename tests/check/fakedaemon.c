/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A distributor daemon that says what a test wants it to say. */
#include "fakedaemon.h"

#include <gst/check/gstcheck.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "clientlink.h"
#include "namespaces.h"

#define PATIENCE_MS 20000
#define PAYLOAD_TYPE 33

void
fake_daemon_begin (FakeDaemon *daemon)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  g_strlcpy (address.sun_path, daemon->path, sizeof address.sun_path);
  unlink (daemon->path);
  daemon->listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  fail_if (
      bind (daemon->listener, (struct sockaddr *) &address, sizeof address));
  fail_if (listen (daemon->listener, 4));
}

FakeDaemon *
fake_daemon_new (gboolean begins)
{
  FakeDaemon *daemon = g_new0 (FakeDaemon, 1);
  g_autoptr (GError) error = NULL;

  daemon->directory = g_dir_make_tmp ("afxdp-XXXXXX", &error);
  g_assert_no_error (error);
  daemon->path = g_build_filename (daemon->directory, "socket", NULL);
  daemon->listener = daemon->fd = -1;
  daemon->n_slots = FAKE_SLOTS;
  daemon->network = afxdp_namespaces_network ();
  afxdp_shared_memory_init (&daemon->beat, "beat", sizeof (struct afxdp_beat),
      AFXDP_SHARED_READ, &error);
  g_assert_no_error (error);
  fake_daemon_beat (daemon);
  if (begins)
    fake_daemon_begin (daemon);
  return daemon;
}

void
fake_daemon_hang_up (FakeDaemon *daemon)
{
  if (daemon->fd >= 0)
    close (daemon->fd);
  daemon->fd = -1;
}

void
fake_daemon_end (FakeDaemon *daemon)
{
  fake_daemon_hang_up (daemon);
  if (daemon->listener >= 0)
    close (daemon->listener);
  daemon->listener = -1;
  unlink (daemon->path);
}

void
fake_daemon_free (FakeDaemon *daemon)
{
  fake_daemon_end (daemon);
  rmdir (daemon->directory);
  g_clear_pointer (&daemon->ring, afxdp_client_ring_free);
  afxdp_shared_memory_clear (&daemon->beat);
  g_free (daemon->directory);
  g_free (daemon->path);
  g_free (daemon);
}

static void
wait_for (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  fail_unless_equals_int (poll (&poll_fd, 1, PATIENCE_MS), 1);
}

void
fake_daemon_accept (FakeDaemon *daemon)
{
  fake_daemon_hang_up (daemon);
  wait_for (daemon->listener);
  daemon->fd = accept4 (daemon->listener, NULL, NULL, SOCK_CLOEXEC);
  fail_unless (daemon->fd >= 0);
}

void
fake_daemon_hear (FakeDaemon *daemon, gpointer message, gsize size)
{
  wait_for (daemon->fd);
  fail_unless_equals_int (recv (daemon->fd, message, size, 0), size);
}

void
fake_daemon_say (FakeDaemon *daemon, gconstpointer message, gsize size,
    const int *fds, guint n)
{
  union
  {
    struct cmsghdr head;
    guint8 bytes[CMSG_SPACE (8 * sizeof (int))];
  } control = { 0 };
  struct iovec vector = { (gpointer) message, size };
  struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

  if (n) {
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN (n * sizeof (int));
    memcpy (CMSG_DATA (&control.head), fds, n * sizeof (int));
    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE (n * sizeof (int));
  }
  fail_unless_equals_int (sendmsg (daemon->fd, &header, MSG_NOSIGNAL), size);
}

void
fake_daemon_welcome (FakeDaemon *daemon)
{
  const struct afxdp_welcome welcome = {
    .message = { AFXDP_MESSAGE_WELCOME, sizeof welcome },
    .version = AFXDP_PROTOCOL_VERSION,
    .network = daemon->network,
  };

  fake_daemon_say (daemon, &welcome, sizeof welcome, &daemon->beat.fd, 1);
}

void
fake_daemon_opened (FakeDaemon *daemon)
{
  g_autoptr (GError) error = NULL;
  struct afxdp_opened opened = {
    .message = { AFXDP_MESSAGE_OPENED, sizeof opened },
    .interface = "fake0",
    .ifindex = 7,
    .mtu = 1500,
  };
  int fds[2];

  g_clear_pointer (&daemon->ring, afxdp_client_ring_free);
  daemon->ring =
      afxdp_client_ring_new (daemon->n_slots, FAKE_SLOT_SIZE, &error);
  g_assert_no_error (error);
  afxdp_client_ring_describe (daemon->ring, &opened);
  fds[0] = afxdp_client_ring_memory (daemon->ring);
  fds[1] = afxdp_client_ring_words (daemon->ring);
  fake_daemon_say (daemon, &opened, sizeof opened, fds, 2);
}

void
fake_daemon_tell_path (FakeDaemon *daemon, AfxdpPath path)
{
  const struct afxdp_path told = {
    .message = { AFXDP_MESSAGE_PATH, sizeof told },
    .path = path,
    .n_queues = 1,
    .queues = { 3 },
    .reason = "as it is told",
  };

  fake_daemon_say (daemon, &told, sizeof told, NULL, 0);
}

void
fake_daemon_refuse (FakeDaemon *daemon, guint code, const gchar *text)
{
  struct afxdp_refused refused = {
    .message = { AFXDP_MESSAGE_REFUSED, sizeof refused },
    .code = code,
  };

  g_strlcpy (refused.text, text, sizeof refused.text);
  fake_daemon_say (daemon, &refused, sizeof refused, NULL, 0);
}

void
fake_daemon_beat (FakeDaemon *daemon)
{
  struct afxdp_beat *beat = daemon->beat.address;

  __atomic_store_n (&beat->time, afxdp_now () + 10 * AFXDP_S, __ATOMIC_RELAXED);
}

void
fake_daemon_stand_still (FakeDaemon *daemon)
{
  struct afxdp_beat *beat = daemon->beat.address;

  __atomic_store_n (&beat->time, afxdp_now () - AFXDP_S, __ATOMIC_RELAXED);
}

static gpointer
serve (gpointer data)
{
  FakeDaemon *daemon = data;
  struct afxdp_hello hello;

  fake_daemon_accept (daemon);
  fake_daemon_hear (daemon, &hello, sizeof hello);
  fake_daemon_beat (daemon);
  fake_daemon_welcome (daemon);
  fake_daemon_hear (daemon, &daemon->open, sizeof daemon->open);
  fake_daemon_beat (daemon);
  fake_daemon_opened (daemon);
  fake_daemon_tell_path (daemon, AFXDP_PATH_FAST);
  g_atomic_int_set (&daemon->serves, TRUE);
  return NULL;
}

void
fake_daemon_serve (FakeDaemon *daemon)
{
  g_atomic_int_set (&daemon->serves, FALSE);
  daemon->thread = g_thread_new ("daemon", serve, daemon);
}

void
fake_daemon_served (FakeDaemon *daemon)
{
  g_clear_pointer (&daemon->thread, g_thread_join);
}

void
fake_daemon_make_rtp (guint8 *bytes, guint16 seqnum, guint size)
{
  memset (bytes, PAYLOAD_TYPE, size);
  bytes[0] = 0x80;
  bytes[1] = PAYLOAD_TYPE;
  bytes[2] = seqnum >> 8;
  bytes[3] = seqnum & 0xff;
}

void
fake_daemon_put_rtp (FakeDaemon *daemon, guint16 seqnum, guint size)
{
  static const guint8 sender[] = { 192, 0, 2, 9 };
  static const struct afxdp_wake wake = { { AFXDP_MESSAGE_WAKE, sizeof wake } };
  g_autofree guint8 *bytes = g_malloc (size);
  AfxdpPacket packet = {
    .data = bytes,
    .size = size,
    .arrival = afxdp_now (),
    .sender = { sender, 0, 5004, 4 },
  };

  fake_daemon_make_rtp (bytes, seqnum, size);
  fail_unless (afxdp_client_ring_begin (daemon->ring), "%s",
      afxdp_client_ring_violation (daemon->ring));
  afxdp_client_ring_put (daemon->ring, &packet, AFXDP_PATH_FAST, TRUE);
  if (afxdp_client_ring_end (daemon->ring)) {
    daemon->n_wakes++;
    fake_daemon_say (daemon, &wake, sizeof wake, NULL, 0);
  }
}

guint
fake_daemon_n_fds (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory))
    n++;
  return n;
}
