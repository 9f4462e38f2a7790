/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a client's stream when the distributor daemon goes, and comes back. */
#include "clientpathstate.h"

#include "error.h"
#include "log.h"

/* Each attempt to connect waits twice as long as the former, up to this. */
#define LAST_RETRY (5 * AFXDP_S)
/* So long the socket hears on when the daemon is back, if nothing comes by its ring. */
#define HEARING (50 * AFXDP_MS)
/* What was on its way to the socket when it became deaf is there by then. And no two
 * paths stamp arrivals so differently. */
#define GRACE (5 * AFXDP_MS)
/* Then twins have come. */
#define TWINS (1000 * AFXDP_MS)

/* The ring's packets that wait are the socket's as well, and the daemon is gone. */
static void
discard_held (AfxdpClientPath *path)
{
  path->input.holds = FALSE;
  path->input.heard_until = G_MAXUINT64;
}

/* A return that began has come to its end, whichever. Drivers lose packets when a
 * program is attached. */
static void
end_return (AfxdpClientPath *path, guint64 now)
{
  if (path->input.unsure_since == G_MAXUINT64)
    return;
  afxdp_drops_add (
      path->drops, AFXDP_COLUMN_DISTRIBUTOR, 0, path->input.unsure_since, now);
  path->input.unsure_since = G_MAXUINT64;
}

/* The daemon does not serve any more; takes error. */
static void
lose (AfxdpClientPath *path, GError *error, guint64 now)
{
  gboolean listened = path->provider.listens;

  AFXDP_DEBUG (AFXDP_LOG_STREAM, path->interface, "the distributor is lost: %s",
      error->message);
  g_free (path->lost);
  path->lost = g_strdup (error->message);
  g_error_free (error);
  /* Else the socket has heard until now. */
  path->left_at = path->state == CLIENT_SERVED || path->state == CLIENT_DEAF
      ? MIN (path->input.input.last_arrival, now)
      : now;
  end_return (path, now);
  path->state = CLIENT_LEFT;
  path->input.over = path->link.state == AFXDP_LINK_DOWN;
  path->provider.open = path->provider.settling = FALSE;
  path->news = TRUE;
  path->retry_at = now + path->retry;
  if (!path->has_network)
    return;
  /* What a daemon that stands still puts into the ring waits; of one that is gone, what
   * it had put there comes first. */
  path->input.holds = !path->input.over;
  path->twins_until = 0;
  path->provider.listens = TRUE;
  /* It was not yet back: what it has put there the socket brings, too. */
  if (listened) {
    if (path->input.over)
      discard_held (path);
  } else {
    afxdp_twins_begin (&path->twins);
    path->input.heard_until = 0;
    path->heard_at = 0;
  }
  afxdp_socket_set_deaf (path->socket, FALSE);
  afxdp_drops_add (
      path->drops, AFXDP_COLUMN_DISTRIBUTOR, 0, path->left_at, afxdp_now ());
}

static void
lose_link (AfxdpClientPath *path, GError *error, guint64 now)
{
  afxdp_client_link_end (&path->link);
  lose (path, error, now);
}

/* The daemon serves again. */
static void
be_served (AfxdpClientPath *path, guint64 now)
{
  AFXDP_DEBUG (
      AFXDP_LOG_STREAM, path->interface, "the distributor serves again");
  path->state = CLIENT_SERVED;
  path->absent = FALSE;
  path->provider.open = TRUE;
  path->provider.settling = path->provider.listens = FALSE;
  path->input.holds = FALSE;
  path->news = TRUE;
  path->retry = AFXDP_CLIENT_FIRST_RETRY;
  if (!path->has_network)
    path->input.unsure_since = path->left_at;
  end_return (path, now);
}

static void
come_back (AfxdpClientPath *path, guint64 now)
{
  if (!path->has_network) {
    be_served (path, now);
    return;
  }
  if (path->input.unsure_since == G_MAXUINT64)
    path->input.unsure_since = now; /* it stood still */
  path->state = CLIENT_HEARING;
  path->until = now + HEARING;
  path->provider.settling = TRUE;
}

/* Says what is next to be said, if the daemon has answered. FALSE: it went wrong. */
static gboolean
go_on_connecting (AfxdpClientPath *path, GError **error)
{
  AfxdpClientLink *link = &path->link;

  if (link->state == AFXDP_LINK_MET) {
    path->input.unsure_since = afxdp_now ();
    path->retry_at =
        path->input.unsure_since + AFXDP_CLIENT_OPENING_MS * AFXDP_MS;
    return afxdp_client_path_ask (path, error);
  }
  /* What the former memory still has goes first. */
  if (link->state == AFXDP_LINK_OPEN && link->memory >= 0 &&
      !afxdp_client_input_n_waiting (&path->input) &&
      afxdp_input_is_empty (&path->input.input))
    return afxdp_client_path_adopt_memory (path, error);
  return TRUE;
}

static gboolean
is_ready (const AfxdpClientPath *path)
{
  return path->link.state == AFXDP_LINK_OPEN && path->link.memory < 0;
}

/* The link is down, as error says. */
static void
fail_to_connect (
    AfxdpClientPath *path, const GError *error, gboolean asked, guint64 now)
{
  end_return (path, now);
  AFXDP_DEBUG (AFXDP_LOG_STREAM, path->interface,
      "could not go back to the distributor: %s", error->message);
  path->retry_at = now + path->retry;
  /* It stood still, and now it is gone. */
  if (!path->input.over) {
    path->input.over = TRUE;
    if (path->input.holds)
      discard_held (path);
    afxdp_drops_add (
        path->drops, AFXDP_COLUMN_DISTRIBUTOR, 0, path->left_at, now);
  }
  /* Why the daemon does not want is worth knowing; that it is not there is known. */
  if (!asked || g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND))
    return;
  g_free (path->lost);
  path->lost = g_strdup (error->message);
  path->news = TRUE;
}

static void
follow_left (AfxdpClientPath *path, guint64 now)
{
  AfxdpClientLink *link = &path->link;
  gboolean fine = TRUE, asked;
  g_autoptr (GError) error = NULL;

  if (link->state == AFXDP_LINK_DOWN) {
    if (now < path->retry_at)
      return;
    path->retry_at =
        now + MAX (path->retry, AFXDP_CLIENT_GREETING_MS * AFXDP_MS);
    path->retry = MIN (2 * path->retry, LAST_RETRY);
    fine = afxdp_client_link_connect (link, &error);
  } else if (link->state != AFXDP_LINK_OPEN && now >= path->retry_at) {
    /* It does not answer. */
    afxdp_client_link_end (link);
    end_return (path, now);
    path->retry_at = now + path->retry;
    return;
  }
  asked = link->state == AFXDP_LINK_OPENING;
  if (fine)
    fine = afxdp_client_link_read (link, &error) &&
        go_on_connecting (path, &error);
  if (!fine) {
    fail_to_connect (path, error, asked, now);
    return;
  }
  if (is_ready (path) && afxdp_client_link_beats (&path->link, now))
    come_back (path, now);
}

static void
follow_link (AfxdpClientPath *path, guint64 now)
{
  GError *error = NULL;

  if (!afxdp_client_link_read (&path->link, &error)) {
    lose (path, error, now);
  } else if (path->input.broken) {
    lose_link (path,
        g_error_new_literal (AFXDP_ERROR, AFXDP_ERROR_FAILED,
            "The distributor writes what cannot be into the ring of the "
            "stream"),
        now);
  } else if (!afxdp_client_link_beats (&path->link, now)) {
    lose (path,
        g_error_new (AFXDP_ERROR, AFXDP_ERROR_FAILED,
            "The distributor at %s stands still", path->link.path),
        now);
  }
}

void
afxdp_client_path_look_at_daemon (AfxdpClientPath *path, guint64 now)
{
  if (path->state != CLIENT_LEFT)
    follow_link (path, now);
  if (path->state == CLIENT_LEFT)
    follow_left (path, now);
}

void
afxdp_client_path_follow_return (AfxdpClientPath *path, guint64 now)
{
  switch (path->state) {
    case CLIENT_HEARING:
      if (now < path->until && !afxdp_client_input_n_waiting (&path->input))
        return;
      /* The next time, then. */
      if (!afxdp_socket_set_deaf (path->socket, TRUE))
        return;
      path->state = CLIENT_DEAF;
      path->until = now + GRACE;
      return;
    case CLIENT_DEAF:
      /* This thread may have stood still since. */
      if (now < path->until || path->provider.socket_read_at < path->until)
        return;
      path->twins_until = now + TWINS;
      path->input.heard_until = path->heard_at - MIN (path->heard_at, GRACE);
      be_served (path, now);
      return;
    case CLIENT_SERVED:
    case CLIENT_LEFT:
      return;
  }
}
