/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fast path of a client of the distributor daemon. */
#include "clientpath.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clientpathstate.h"
#include "error.h"
#include "log.h"
#include "namespaces.h"

/* Messages and the beat are looked at as often as this, also when nothing wakes us. */
#define LOOK_INTERVAL (10 * AFXDP_MS)
/* And as often as this when no packet has come for so long: that none comes is no sign of
 * a daemon that stands still, and one that has gone wakes us. */
#define SILENT_LOOK_INTERVAL (40 * AFXDP_MS)
#define SILENCE AFXDP_S

/* Memory. */

static void
drop_memory (AfxdpClientPath *path)
{
  AfxdpUmem *umem = path->memory ? path->memory->umem : NULL;

  afxdp_client_input_set_memory (&path->input, NULL, 0);
  pthread_mutex_lock (&path->lock);
  g_clear_pointer (&path->provider.account, afxdp_account_close);
  path->memory = NULL;
  pthread_mutex_unlock (&path->lock);
  /* What downstream has of it keeps it. */
  afxdp_umem_unref (umem);
}

gboolean
afxdp_client_path_adopt_memory (AfxdpClientPath *path, GError **error)
{
  AfxdpClientLink *link = &path->link;
  AfxdpClientMemory *memory =
      afxdp_client_memory_new (&link->opened, link->memory, link->words, error);

  if (!memory) {
    afxdp_client_link_end (link);
    return FALSE;
  }
  close (link->memory);
  close (link->words);
  link->memory = link->words = -1;
  drop_memory (path);
  if (path->prepare)
    path->prepare (memory->umem, memory->n_slots);
  pthread_mutex_lock (&path->lock);
  path->memory = memory;
  path->provider.account = afxdp_account_new (memory->umem);
  pthread_mutex_unlock (&path->lock);
  path->provider.share = memory->n_slots / 2;
  path->input.holds = path->provider.listens;
  g_free (path->interface);
  path->interface = g_strdup (link->opened.interface);
  afxdp_client_input_set_memory (&path->input, memory, link->clock);
  AFXDP_INFO (AFXDP_LOG_STREAM, path->interface,
      "the distributor at %s receives it, with %u slots of %u bytes",
      link->path, memory->n_slots, memory->slot_size);
  return TRUE;
}

static void
count_frames (AfxdpProvider *provider, guint *n_frames, guint *n_free)
{
  AfxdpClientPath *path = (AfxdpClientPath *) provider;

  pthread_mutex_lock (&path->lock);
  if (path->memory) {
    *n_frames = path->memory->n_slots;
    *n_free = *n_frames - afxdp_account_held (path->provider.account);
  }
  pthread_mutex_unlock (&path->lock);
}

/* Connecting. */

static gboolean
is_in_our_network (const AfxdpClientLink *link)
{
  guint64 network = afxdp_namespaces_network ();

  return network && network == link->network;
}

static AfxdpClientPath *
make_path (const gchar *socket_path, GError **error)
{
  int epoll = epoll_create1 (EPOLL_CLOEXEC);
  AfxdpClientPath *path;

  if (epoll < 0) {
    afxdp_error_set (error, errno, "Could not create an epoll descriptor");
    return NULL;
  }
  path = g_new0 (AfxdpClientPath, 1);
  pthread_mutex_init (&path->lock, NULL);
  path->epoll = epoll;
  afxdp_client_link_init (&path->link, socket_path, epoll);
  return path;
}

AfxdpClientPath *
afxdp_client_path_new_absent (
    const gchar *socket_path, const gchar *why, GError **error)
{
  AfxdpClientPath *path = make_path (socket_path, error);

  if (!path)
    return NULL;
  path->absent = TRUE;
  path->lost = g_strdup (why);
  return path;
}

AfxdpClientPath *
afxdp_client_path_new (
    const gchar *socket_path, gboolean anywhere, GError **error)
{
  AfxdpClientPath *path = make_path (socket_path, error);

  if (!path)
    return NULL;
  if (afxdp_client_link_connect (&path->link, error) &&
      afxdp_client_link_wait (
          &path->link, AFXDP_LINK_MET, AFXDP_CLIENT_GREETING_MS, error)) {
    path->has_network = is_in_our_network (&path->link);
    if (path->has_network || anywhere)
      return path;
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The distributor at %s is in another network namespace: it is used "
        "when the property distributor or the environment's "
        "AFXDP_DISTRIBUTOR names it",
        socket_path);
  }
  afxdp_client_path_free (path);
  return NULL;
}

gboolean
afxdp_client_path_has_network (const AfxdpClientPath *path)
{
  return path->has_network;
}

static void
describe_stream (AfxdpClientPath *path, const AfxdpStreamSettings *settings,
    const gchar *interface)
{
  struct afxdp_open *open = &path->open;
  const AfxdpSources *sources = settings->sources;
  gboolean any = afxdp_sources_kind (sources) == AFXDP_SOURCES_ANY;

  open->version =
      g_inet_address_get_family (settings->address) == G_SOCKET_FAMILY_IPV6 ? 6
                                                                            : 4;
  open->port = settings->port;
  memcpy (open->address, g_inet_address_to_bytes (settings->address),
      g_inet_address_get_native_size (settings->address));
  g_strlcpy (
      open->interface, interface ? interface : "", sizeof open->interface);
  open->slots = settings->ring_size;
  open->verify_checksum = settings->verify_checksum;
  open->sources_kind = afxdp_sources_kind (sources);
  open->n_sources = any ? 0 : afxdp_sources_n (sources);
  for (guint i = 0; i < open->n_sources; i++)
    memcpy (open->sources[i], afxdp_sources_get (sources, i),
        open->version == 4 ? 4 : 16);
}

gboolean
afxdp_client_path_ask (AfxdpClientPath *path, GError **error)
{
  path->open.socket =
      is_in_our_network (&path->link) ? afxdp_socket_inode (path->socket) : 0;
  return afxdp_client_link_open (&path->link, &path->open, error);
}

gboolean
afxdp_client_path_open (AfxdpClientPath *path,
    const AfxdpStreamSettings *settings, const gchar *interface,
    AfxdpSocket *socket, AfxdpDrops *drops, GError **error)
{
  path->socket = socket;
  path->drops = drops;
  path->prepare = settings->prepare;
  if (afxdp_sources_kind (settings->sources) != AFXDP_SOURCES_ANY &&
      afxdp_sources_n (settings->sources) > AFXDP_PROTOCOL_SOURCES) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The distributor takes at most %d senders of a stream",
        AFXDP_PROTOCOL_SOURCES);
    return FALSE;
  }
  if (!afxdp_socket_set_deaf (socket, TRUE))
    return afxdp_error_set (
        error, errno, "Could not attach a filter to the UDP socket");
  describe_stream (path, settings, interface);
  afxdp_client_input_init (
      &path->input, path->epoll, settings->batch, &path->twins, drops);
  path->provider.input = &path->input.input;
  path->retry = AFXDP_CLIENT_FIRST_RETRY;
  if (path->absent) {
    path->state = CLIENT_LEFT;
    path->left_at = path->retry_at = afxdp_now ();
    path->news = TRUE;
    return TRUE;
  }
  if (!afxdp_client_path_ask (path, error) ||
      !afxdp_client_link_wait (
          &path->link, AFXDP_LINK_OPEN, AFXDP_CLIENT_OPENING_MS, error) ||
      !afxdp_client_path_adopt_memory (path, error))
    return FALSE;
  path->state = CLIENT_SERVED;
  path->provider.open = TRUE;
  return TRUE;
}

gboolean
afxdp_client_path_wait (AfxdpClientPath *path, guint timeout_ms, GError **error)
{
  AfxdpClientLink *link = &path->link;
  guint64 now = afxdp_now (), deadline = now + timeout_ms * AFXDP_MS;

  while (!link->has_path || link->news.path != AFXDP_PATH_FAST) {
    if (!afxdp_client_link_read (link, error))
      return FALSE;
    if (link->has_path && link->news.path == AFXDP_PATH_FAST)
      break;
    now = afxdp_now ();
    if (now < deadline) {
      struct pollfd fd = { .fd = link->fd, .events = POLLIN };

      poll (&fd, 1, (deadline - now) / AFXDP_MS + 1);
      continue;
    }
    g_set_error (error, AFXDP_ERROR,
        link->has_path && link->news.error ? link->news.error - 1
                                           : AFXDP_ERROR_FAILED,
        "%s",
        link->has_path ? link->news.reason
                       : "The distributor does not tell how it receives");
    return FALSE;
  }
  return TRUE;
}

/* What is told. */

/* The daemon's words, in ours. */
static void
take_path (AfxdpClientPath *path)
{
  path->told = path->link.news;
  path->link.has_path = FALSE;
  path->fast.xdp_mode = path->told.xdp_mode;
  path->fast.zero_copy = path->told.zero_copy;
  path->fast.n_rings = MIN (path->told.n_queues, AFXDP_STREAM_QUEUES);
  for (guint i = 0; i < path->fast.n_rings; i++)
    path->fast.rings[i].queue = path->told.queues[i];
  path->news = TRUE;
}

static gboolean
tell_path (const AfxdpClientPath *path, AfxdpPathChange *change)
{
  const struct afxdp_path *told = &path->told;
  g_autoptr (GError) error = NULL;

  if (told->error)
    error = g_error_new_literal (AFXDP_ERROR, told->error - 1, told->reason);
  change->provider = path->provider.kind->name;
  return afxdp_path_change_set (change, told->path, &path->fast, error,
      "The distributor delivers on %s: %s", path->interface, told->reason);
}

static gboolean
tell_loss (const AfxdpClientPath *path, AfxdpPathChange *change)
{
  static const AfxdpFastPath none;
  g_autoptr (GError) error =
      g_error_new_literal (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND, path->lost);

  change->provider = AFXDP_OWN_PROVIDER;
  return afxdp_path_change_set (change, AFXDP_PATH_SLOW, &none, error, "%s%s%s",
      path->lost,
      path->has_network
          ? ". Packets come through the socket until it is back"
          : ", and in this network namespace nobody else receives for this "
            "process. Start it",
      path->has_network  ? ""
          : path->absent ? ": the stream begins then"
                         : " again: the stream goes on then");
}

static void
disarm (AfxdpClientPath *path)
{
  if (path->memory && afxdp_client_memory_is_here (path->memory))
    __atomic_store_n (&path->memory->words->sleeping, 0, __ATOMIC_RELAXED);
  path->armed = FALSE;
}

static gboolean
follow (AfxdpProvider *provider, AfxdpPathChange *change)
{
  AfxdpClientPath *path = (AfxdpClientPath *) provider;
  guint64 now = afxdp_now ();

  if (path->armed)
    disarm (path);
  if (now >= path->look_at || path->input.broken) {
    path->look_at = now + LOOK_INTERVAL;
    afxdp_client_path_look_at_daemon (path, now);
  }
  if (G_UNLIKELY (path->state >= CLIENT_HEARING))
    afxdp_client_path_follow_return (path, now);
  if (G_UNLIKELY (path->twins_until && now >= path->twins_until)) {
    path->twins_until = 0;
    afxdp_twins_end (&path->twins);
  }
  if (path->link.has_path)
    take_path (path);
  if (G_LIKELY (!path->news))
    return FALSE;
  path->news = FALSE;
  if (path->state != CLIENT_SERVED)
    return tell_loss (path, change);
  return path->told.path && tell_path (path, change);
}

/* For who waits. */

static guint
room (const AfxdpProvider *provider)
{
  const AfxdpClientPath *path = (const AfxdpClientPath *) provider;
  guint held;

  if (!path->memory)
    return G_MAXUINT;
  held = atomic_load_explicit (&path->memory->n_ours, memory_order_relaxed);
  return path->memory->n_slots - MIN (held, path->memory->n_slots - 1);
}

/* The flag first, then a look: the daemon writes first, and then looks at the flag. */
static gboolean
arm (AfxdpClientPath *path)
{
  if (!++path->n_sleeps)
    path->n_sleeps = 1;
  __atomic_store_n (
      &path->memory->words->sleeping, path->n_sleeps, __ATOMIC_SEQ_CST);
  path->armed = TRUE;
  return !afxdp_client_input_has_more (&path->input);
}

/* Until follow() has something to do again, if nothing wakes us. */
static guint64
next_look (const AfxdpClientPath *path, guint64 now)
{
  if (path->state == CLIENT_HEARING || path->state == CLIENT_DEAF)
    return AFXDP_MS;
  if (path->state == CLIENT_LEFT && path->link.state == AFXDP_LINK_DOWN)
    return now < path->retry_at ? path->retry_at - now : LOOK_INTERVAL;
  return path->state == CLIENT_LEFT ||
          now - MIN (now, path->input.input.last_arrival) < SILENCE
      ? LOOK_INTERVAL
      : SILENT_LOOK_INTERVAL;
}

static guint64
rest (AfxdpProvider *provider)
{
  AfxdpClientPath *path = (AfxdpClientPath *) provider;

  path->look_at = 0;
  if (path->state == CLIENT_SERVED && path->memory && !arm (path))
    return 0;
  return next_look (path, afxdp_now ());
}

static void
saw (AfxdpProvider *provider, const AfxdpPacket *packets, guint n)
{
  AfxdpClientPath *path = (AfxdpClientPath *) provider;

  for (guint i = 0; i < n; i++)
    afxdp_twins_note (&path->twins, packets[i].data, packets[i].size);
  path->heard_at = packets[n - 1].arrival;
}

static void
pause_reading (AfxdpProvider *provider)
{
  afxdp_client_input_pause (&((AfxdpClientPath *) provider)->input);
}

static guint64
end (AfxdpProvider *provider)
{
  AfxdpClientPath *path = (AfxdpClientPath *) provider;

  return afxdp_client_input_end (&path->input);
}

static const AfxdpProviderKind kind = {
  .name = "distributor",
  .follow = follow,
  .room = room,
  .rest = rest,
  .saw = saw,
  .pause = pause_reading,
  .frames = count_frames,
  .close = end,
};

AfxdpProvider *
afxdp_client_path_provider (AfxdpClientPath *path)
{
  path->provider.kind = &kind;
  path->provider.gathers = TRUE;
  return &path->provider;
}

void
afxdp_client_path_want_drops (AfxdpClientPath *path, guint64 until)
{
  afxdp_client_input_want_drops (&path->input, until);
}

const gchar *
afxdp_client_path_interface (const AfxdpClientPath *path)
{
  return path->interface;
}

void
afxdp_client_path_free (AfxdpClientPath *path)
{
  if (!path)
    return;
  drop_memory (path);
  afxdp_client_link_clear (&path->link);
  afxdp_client_input_clear (&path->input);
  afxdp_twins_end (&path->twins);
  if (path->epoll >= 0)
    close (path->epoll);
  pthread_mutex_destroy (&path->lock);
  g_free (path->interface);
  g_free (path->lost);
  g_free (path);
}
