/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fast path of a stream through somebody else's program. */
#include "mappath.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "log.h"
#include "mapinput.h"
#include "mapkeeper.h"

/* What was on its way to the socket when the map began to serve is there by then. */
#define GRACE (5 * AFXDP_MS)
/* When packets come by the socket alone for so long, it is told. */
#define WATCH_INTERVAL (500 * AFXDP_MS)

struct _AfxdpMapPath
{
  AfxdpProvider provider;
  AfxdpMapInput input;
  AfxdpMapKeeper *keeper;
  int epoll; /* what the input polls: whichever socket the map has */

  AfxdpXskMap *map; /* that is read; NULL: none */
  gboolean leaving; /* the keeper wants it back */
  gboolean asked;   /* it was told that packets come, although they could not */
  gboolean
      passes; /* the program does not redirect: packets come by the socket */
  guint64 settled_at;
  guint64 watch_at; /* both counts were looked at, then */
  guint64 n_read;   /* by the input, then */
  guint64 n_heard;  /* by the socket, since then */

  /* Cold. */
  AfxdpDrops *drops;
  gchar *interface, *pin;
  guint queue;
  guint64 discarded;
  pthread_mutex_t lock; /* protects account in count_frames() */
  AfxdpMapNews told;
};

/* The map that is read. */

static void
set_account (AfxdpMapPath *path, AfxdpAccount *account)
{
  AfxdpAccount *former = path->provider.account;

  pthread_mutex_lock (&path->lock);
  path->provider.account = account;
  pthread_mutex_unlock (&path->lock);
  if (former)
    afxdp_account_close (former);
}

static void
adopt (AfxdpMapPath *path, AfxdpXskMap *map)
{
  AfxdpProvider *provider = &path->provider;
  AfxdpXsk *xsk = afxdp_xsk_map_xsk (map);
  AfxdpUmem *umem = afxdp_xsk_map_umem (map);
  struct epoll_event event = { .events = EPOLLIN };

  /* Without memory for that it is found by time alone. */
  epoll_ctl (path->epoll, EPOLL_CTL_ADD, afxdp_xsk_fd (xsk), &event);
  path->map = map;
  set_account (path, afxdp_account_new (umem));
  provider->share = afxdp_xsk_map_share (map);
  provider->xsk = xsk;
  provider->zero_copy = afxdp_xsk_map_is_zero_copy (map);
  afxdp_map_input_set_socket (&path->input, xsk, umem);
}

/* All that it had is read: nothing more can come. */
static void
leave (AfxdpMapPath *path)
{
  epoll_ctl (path->epoll, EPOLL_CTL_DEL,
      afxdp_xsk_fd (afxdp_xsk_map_xsk (path->map)), NULL);
  afxdp_input_look_for_drops (&path->input.input);
  afxdp_map_input_set_socket (&path->input, NULL, NULL);
  path->provider.xsk = NULL;
  path->provider.share = 0;
  set_account (path, NULL);
  path->map = NULL;
  path->leaving = FALSE;
  afxdp_map_keeper_give_back (path->keeper);
}

/* What is told. */

static void
begin_watch (AfxdpMapPath *path, guint64 now)
{
  path->watch_at = now + WATCH_INTERVAL;
  path->n_read = path->input.n_read;
  path->n_heard = 0;
}

/* Packets are received that come by the socket alone, or no longer. Returns whether that
 * is news. */
static gboolean
watch (AfxdpMapPath *path, guint64 now)
{
  gboolean before = path->passes;

  if (path->input.n_read != path->n_read)
    path->passes = FALSE;
  else if (path->n_heard && path->told.serves)
    path->passes = TRUE;
  begin_watch (path, now);
  return path->passes != before;
}

static gboolean
tell (const AfxdpMapPath *path, AfxdpPathChange *change)
{
  const AfxdpMapNews *told = &path->told;
  AfxdpFastPath fast = {
    .xdp_mode =
        told->is_generic ? AFXDP_XDP_MODE_GENERIC : AFXDP_XDP_MODE_NATIVE,
    .zero_copy = path->provider.zero_copy,
  };
  g_autoptr (GError) error = NULL;

  change->provider = AFXDP_OWN_PROVIDER;
  if (!told->serves) {
    error = g_error_new_literal (AFXDP_ERROR, told->error, told->reason);
    return afxdp_path_change_set (
        change, AFXDP_PATH_SLOW, &fast, error, "%s", told->reason);
  }
  if (path->passes) {
    error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_FAILED,
        "Packets come through the socket, since the XDP program on %s passes "
        "them and redirects none from RX queue %u to xsk-map=%s. Have it "
        "redirect this stream, and set queue to the RX queue that it arrives "
        "on",
        path->interface, path->queue, path->pin);
    return afxdp_path_change_set (
        change, AFXDP_PATH_SLOW, &fast, error, "%s", error->message);
  }
  change->provider = path->provider.kind->name;
  fast.n_rings = 1;
  fast.rings[0].queue = path->queue;
  return afxdp_path_change_set (
      change, AFXDP_PATH_FAST, &fast, NULL, "%s", told->reason);
}

static void
take_news (AfxdpMapPath *path, guint64 now)
{
  AfxdpMapNews *told = &path->told;

  afxdp_map_news_clear (told);
  afxdp_map_keeper_take (path->keeper, told);
  path->discarded += told->discarded;
  afxdp_ring_tell_loss (
      path->drops, &told->loss, path->input.input.last_arrival, now);
  if (told->map && !path->map)
    adopt (path, told->map);
  path->leaving = path->map && !told->map;
  path->asked = path->passes = FALSE;
  /* The socket may still have what came before. */
  path->settled_at = now + GRACE;
  path->provider.settling = told->serves;
  begin_watch (path, now);
}

static gboolean
is_drained (const AfxdpMapPath *path)
{
  const AfxdpInput *input = &path->input.input;

  return afxdp_input_is_empty (input) && afxdp_input_is_drained (input);
}

static gboolean
follow (AfxdpProvider *provider, AfxdpPathChange *change)
{
  AfxdpMapPath *path = (AfxdpMapPath *) provider;
  guint64 now = afxdp_now ();
  gboolean news = FALSE;

  if (G_UNLIKELY (afxdp_map_keeper_has_news (path->keeper))) {
    take_news (path, now);
    news = TRUE;
  }
  if (G_UNLIKELY (path->leaving) && is_drained (path))
    leave (path);
  if (G_UNLIKELY (path->map && !path->told.serves && !path->asked) &&
      !is_drained (path)) {
    path->asked = TRUE;
    afxdp_map_keeper_ask (path->keeper);
  }
  if (G_UNLIKELY (provider->settling && now >= path->settled_at))
    provider->settling = FALSE;
  if (now >= path->watch_at)
    news |= watch (path, now);
  provider->open = path->told.serves && !path->passes;
  return G_UNLIKELY (news) && path->told.reason && tell (path, change);
}

/* For who waits. */

static guint
room (const AfxdpProvider *provider)
{
  const AfxdpMapPath *path = (const AfxdpMapPath *) provider;
  guint n_frames = afxdp_umem_n_frames (path->input.input.umem);

  return MIN (afxdp_xsk_ring_size (provider->xsk), n_frames - provider->share);
}

static guint64
rest (AfxdpProvider *provider)
{
  AfxdpMapPath *path = (AfxdpMapPath *) provider;

  return provider->settling || path->leaving ? AFXDP_MS : G_MAXUINT64;
}

static void
saw (AfxdpProvider *provider, const AfxdpPacket *packets, guint n)
{
  ((AfxdpMapPath *) provider)->n_heard += n;
}

static void
pause_reading (AfxdpProvider *provider)
{
  afxdp_map_input_pause (&((AfxdpMapPath *) provider)->input);
}

static void
count_frames (AfxdpProvider *provider, guint *n_frames, guint *n_free)
{
  AfxdpMapPath *path = (AfxdpMapPath *) provider;
  AfxdpAccount *account;

  pthread_mutex_lock (&path->lock);
  account = provider->account;
  if (account) {
    *n_frames = afxdp_umem_n_frames (afxdp_account_umem (account));
    *n_free = *n_frames - afxdp_account_held (account);
  }
  pthread_mutex_unlock (&path->lock);
}

static guint64
end (AfxdpProvider *provider)
{
  AfxdpMapPath *path = (AfxdpMapPath *) provider;
  guint64 from = path->input.input.last_arrival;
  AfxdpMapNews last;

  afxdp_map_input_set_socket (&path->input, NULL, NULL);
  provider->xsk = NULL;
  afxdp_map_keeper_stop (path->keeper, &last);
  afxdp_ring_tell_loss (path->drops, &last.loss, from, afxdp_now ());
  path->discarded += last.discarded;
  afxdp_map_news_clear (&last);
  return path->discarded;
}

static const AfxdpProviderKind kind = {
  .name = "xsk-map",
  .follow = follow,
  .room = room,
  .rest = rest,
  .saw = saw,
  .pause = pause_reading,
  .frames = count_frames,
  .close = end,
};

AfxdpMapPath *
afxdp_map_path_new (const AfxdpStreamSettings *settings,
    const AfxdpNetdev *netdev, const AfxdpDestination *destination, int wake,
    AfxdpDrops *drops, GError **error)
{
  AfxdpMapPath *path = g_new0 (AfxdpMapPath, 1);
  g_autoptr (GError) cause = NULL;

  path->interface = g_strdup (netdev->name);
  path->pin = g_strdup (settings->xsk_map);
  path->queue = MAX (0, settings->queue);
  path->drops = drops;
  pthread_mutex_init (&path->lock, NULL);
  path->keeper = afxdp_map_keeper_new (settings, netdev, wake);
  path->epoll = epoll_create1 (EPOLL_CLOEXEC);
  afxdp_map_input_init (
      &path->input, path->epoll, destination, settings->batch, drops);
  path->provider.kind = &kind;
  path->provider.input = &path->input.input;
  path->provider.listens = TRUE;
  if (path->epoll < 0) {
    afxdp_error_set (error, errno, "Could not create an epoll descriptor");
  } else if (!afxdp_map_keeper_open (path->keeper, &cause) &&
      settings->mode == AFXDP_MODE_AF_XDP) {
    g_propagate_error (error, g_steal_pointer (&cause));
  } else if (afxdp_map_keeper_start (path->keeper, error)) {
    return path;
  }
  afxdp_input_clear (&path->input.input);
  afxdp_map_path_free (path);
  return NULL;
}

AfxdpProvider *
afxdp_map_path_provider (AfxdpMapPath *path)
{
  return &path->provider;
}

gboolean
afxdp_map_path_has_moved (const AfxdpMapPath *path)
{
  return afxdp_map_keeper_has_moved (path->keeper);
}

gboolean
afxdp_map_path_take_netdev (AfxdpMapPath *path, AfxdpNetdev *netdev)
{
  return afxdp_map_keeper_take_netdev (path->keeper, netdev);
}

void
afxdp_map_path_free (AfxdpMapPath *path)
{
  if (!path)
    return;
  afxdp_map_keeper_free (path->keeper);
  set_account (path, NULL);
  if (path->epoll >= 0)
    close (path->epoll);
  afxdp_map_news_clear (&path->told);
  pthread_mutex_destroy (&path->lock);
  g_free (path->interface);
  g_free (path->pin);
  g_free (path);
}
