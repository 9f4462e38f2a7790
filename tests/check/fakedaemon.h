/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A distributor daemon that says what a test wants it to say, and nothing by itself but
 * in serve(). Its ring is the real one. Thread of the test.
 */
#pragma once

#include "clientring.h"
#include "sharedmemory.h"

G_BEGIN_DECLS

#define FAKE_SLOTS 64
#define FAKE_SLOT_SIZE 2048

typedef struct
{
  gchar *directory, *path;
  int listener;
  int fd; /* of its client; -1: none */
  AfxdpSharedMemory beat;
  AfxdpClientRing *ring; /* of the last OPEN */
  guint64 network;       /* that it says to be in: this one's, unless changed */
  guint n_slots;
  struct afxdp_open open; /* what it was asked for last */
  GThread *thread;
  gint serves; /* atomic: the thread is done */
  guint n_wakes;
} FakeDaemon;

/* Listens. begins: whether there is a socket file, or not before begin(). */
FakeDaemon *fake_daemon_new (gboolean begins);
void fake_daemon_free (FakeDaemon *daemon);
void fake_daemon_begin (FakeDaemon *daemon);
/* Is gone, with its socket file and its client. */
void fake_daemon_end (FakeDaemon *daemon);

/* Waits for what the client says, and answers, in words. */
void fake_daemon_accept (FakeDaemon *daemon);
/* Of that many bytes. */
void fake_daemon_hear (FakeDaemon *daemon, gpointer message, gsize size);
void fake_daemon_say (FakeDaemon *daemon, gconstpointer message, gsize size,
    const int *fds, guint n);
void fake_daemon_welcome (FakeDaemon *daemon);
/* With a new ring. */
void fake_daemon_opened (FakeDaemon *daemon);
void fake_daemon_tell_path (FakeDaemon *daemon, AfxdpPath path);
void fake_daemon_refuse (FakeDaemon *daemon, guint code, const gchar *text);
void fake_daemon_hang_up (FakeDaemon *daemon);
/* Lives, and for 10 s to come: a test that has to wait for a processor is no daemon that
 * stands still. */
void fake_daemon_beat (FakeDaemon *daemon);
/* Has stood still for long. */
void fake_daemon_stand_still (FakeDaemon *daemon);

/* Serves the next client, in a thread, which served() waits for: WELCOME, OPENED, PATH. */
void fake_daemon_serve (FakeDaemon *daemon);
void fake_daemon_served (FakeDaemon *daemon);

/* An RTP packet of that number for the client, which is woken if it sleeps. */
void fake_daemon_put_rtp (FakeDaemon *daemon, guint16 seqnum, guint size);
/* The packet's bytes, to be sent by another way. */
void fake_daemon_make_rtp (guint8 *bytes, guint16 seqnum, guint size);

/* Open descriptors of this process. */
guint fake_daemon_n_fds (void);

G_END_DECLS
