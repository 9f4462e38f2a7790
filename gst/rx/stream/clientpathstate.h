/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clientpath.c and clientreturn.c share, and nobody else knows. Streaming thread. */
#pragma once

#include <pthread.h>

#include "clientinput.h"
#include "clientlink.h"
#include "clientpath.h"
#include "clock.h"

G_BEGIN_DECLS

/* A daemon that does not answer is passed by: one that systemd has yet to start accepts
 * before it lives. */
#define AFXDP_CLIENT_GREETING_MS 200
/* It may have to wait for the driver; and one that is back may wait long for us. */
#define AFXDP_CLIENT_OPENING_MS 5000
/* Between the first two attempts to connect. */
#define AFXDP_CLIENT_FIRST_RETRY (100 * AFXDP_MS)

typedef enum
{
  CLIENT_SERVED, /* packets come from the daemon */
  CLIENT_LEFT,   /* it is gone, or stands still */
  CLIENT_HEARING, /* it is back: both bring packets, and those of the ring wait */
  CLIENT_DEAF,    /* the socket is; what it still has comes first */
} ClientState;

struct _AfxdpClientPath
{
  AfxdpProvider provider;
  AfxdpClientInput input;
  AfxdpClientLink link;
  gboolean has_network;
  gboolean absent; /* there has been no daemon yet */
  int epoll;       /* what the input polls: whichever socket the link has */

  ClientState state;
  guint64 until;    /* that a state lasts */
  guint64 look_at;  /* messages and beat */
  guint64 retry_at; /* to connect; while that lasts: to give it up */
  guint64 retry;
  guint64 left_at;     /* since when nobody has received */
  guint64 twins_until; /* 0: there are none, or no end */
  guint64 heard_at;    /* arrival of the socket's last packet since */
  guint32 n_sleeps;
  gboolean armed; /* the daemon is to wake us */
  gboolean news;  /* told is to be told */
  AfxdpTwins twins;

  /* Cold. */
  AfxdpSocket *socket;
  AfxdpDrops *drops;
  AfxdpUmemPrepare prepare;
  struct afxdp_open open;
  pthread_mutex_t lock;      /* protects memory and account in count_frames() */
  AfxdpClientMemory *memory; /* NULL: none */
  gchar *interface;
  gchar *lost; /* why the daemon does not serve, without a stop */
  struct afxdp_path told;
  AfxdpFastPath fast; /* told, in our words */
};

/* clientpath.c */

/* The daemon has answered, and may be another one than before. */
gboolean afxdp_client_path_ask (AfxdpClientPath *path, GError **error);
/* The link is open: takes the memory that came with it. */
gboolean afxdp_client_path_adopt_memory (AfxdpClientPath *path, GError **error);

/* clientreturn.c */

/* Looks whether the daemon still serves, or does again. */
void afxdp_client_path_look_at_daemon (AfxdpClientPath *path, guint64 now);
/* It is back: both bring packets, and those of the ring wait until the socket is deaf and
 * empty. */
void afxdp_client_path_follow_return (AfxdpClientPath *path, guint64 now);

G_END_DECLS
