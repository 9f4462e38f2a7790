/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection of one stream to the distributor daemon (protocol.h): what is said by
 * messages. The daemon is not trusted: whatever breaks the protocol ends the link, with
 * the reason in error.
 *
 *   connect() -> read() ... until MET -> open() -> read() ... until OPENED
 *
 * Nothing here waits but wait(). One thread at a time.
 */
#pragma once

#include "../../distributor/protocol.h" /* the one file that both sides share */

G_BEGIN_DECLS

typedef enum
{
  AFXDP_LINK_DOWN,
  AFXDP_LINK_GREETING, /* HELLO is sent */
  AFXDP_LINK_MET,      /* WELCOME has come */
  AFXDP_LINK_OPENING,  /* OPEN is sent */
  AFXDP_LINK_OPEN,     /* OPENED has come */
} AfxdpLinkState;

typedef struct
{
  gchar *path;
  int epoll; /* that has fd in it while there is one; not owned; -1: none */
  int fd;    /* -1: none */
  AfxdpLinkState state;
  guint64 network; /* cookie of the daemon's network namespace */
  gint64 clock;    /* ns to add to a time of the daemon's to have ours */
  const struct afxdp_beat *beat; /* NULL: it has not come */

  struct afxdp_opened opened; /* from OPEN on; its descriptors, */
  int memory, words;          /* which whoever takes them sets to -1 */
  gboolean has_path;          /* a PATH has come that nobody has taken */
  struct afxdp_path news;
} AfxdpClientLink;

/* epoll: an epoll descriptor that is to tell what comes, or -1. */
void afxdp_client_link_init (
    AfxdpClientLink *link, const gchar *path, int epoll);
void afxdp_client_link_clear (AfxdpClientLink *link);

/* Connects and says HELLO. Errors: AFXDP_ERROR_NOT_FOUND, nobody listens there;
 * _PERMISSION; _FAILED. */
gboolean afxdp_client_link_connect (AfxdpClientLink *link, GError **error);
/* Says OPEN; message's head is filled in here. */
gboolean afxdp_client_link_open (
    AfxdpClientLink *link, struct afxdp_open *open, GError **error);
/* Takes what the daemon has said, or so much of it as one may say at a time. FALSE: the
 * link is down; the daemon hung up, refuses (with the code that it gave), or broke the
 * protocol. */
gboolean afxdp_client_link_read (AfxdpClientLink *link, GError **error);
/* Reads until state is reached, or for so long. */
gboolean afxdp_client_link_wait (AfxdpClientLink *link, AfxdpLinkState state,
    guint timeout_ms, GError **error);
/* Hangs up. */
void afxdp_client_link_end (AfxdpClientLink *link);

/* Whether the daemon has lived lately, as its beat says at now. */
gboolean afxdp_client_link_beats (const AfxdpClientLink *link, guint64 now);

G_END_DECLS
