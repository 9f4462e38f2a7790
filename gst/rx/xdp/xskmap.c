/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Receiving from an XDP program that is somebody else's. */
#include "xskmap.h"

#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <pthread.h>

#include "budget.h"
#include "error.h"
#include "foreign.h"
#include "fork.h"
#include "grace.h"
#include "log.h"
#include "xskmappin.h"
#include "xskmode.h"

/* How often a queue is tried that is busy, and how long apart, in us: one second in
 * all, which is more than the kernel takes. */
#define BUSY_ATTEMPTS 20
#define BUSY_INTERVAL 50000

struct _AfxdpXskMap
{
  gchar *path;
  guint queue;
  AfxdpNetdev netdev;
  guint64 namespace; /* of netdev */
  guint generation;  /* see fork.h */
  gchar *description;

  AfxdpXskMapPin pin;
  AfxdpUmem *umem;
  AfxdpXskPool *pool;
  AfxdpXsk *xsk;
  gboolean is_entered;
  guint share;
  __u64
      told; /* what the pool would tell a program of ours; it must outlive that */

  AfxdpForeign program; /* that was attached at the last check */
  guint first_program;  /* its number at the first one that found any */
  AfxdpXskMapState state;

  AfxdpXskMap *next;
};

/* Innermost. Protects the list of those that are open. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static AfxdpXskMap *open_maps;

static gboolean
is_same_queue (const AfxdpXskMap *a, const AfxdpXskMap *b)
{
  return a->generation == b->generation && a->queue == b->queue &&
      (a->pin.id == b->pin.id ||
          (a->namespace == b->namespace && a->netdev.index == b->netdev.index));
}

/* An RX ring has one reader, and a map one socket for each queue. Two elements could
 * share one only if the first handed the other one its packets, for which both would
 * have to be one thread's, and live equally long: that is what the distributor daemon
 * is. So the first one takes the queue, and the second one is told. The kernel would
 * refuse it too, but says that it is another process. */
static gboolean
claim (AfxdpXskMap *map, GError **error)
{
  const AfxdpXskMap *other;

  pthread_mutex_lock (&lock);
  for (other = open_maps; other; other = other->next)
    if (is_same_queue (map, other))
      break;
  if (other) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "Another element of this process receives from RX queue %u of %s "
        "through xsk-map=%s, and only one element can: its AF_XDP ring has one "
        "reader. Set queue to another RX queue here, or receive several "
        "streams of a queue through the distributor",
        map->queue, other->netdev.name, other->path);
  } else {
    map->next = open_maps;
    open_maps = map;
  }
  pthread_mutex_unlock (&lock);
  return !other;
}

/* Also of one that claimed nothing. */
static void
unclaim (AfxdpXskMap *map)
{
  pthread_mutex_lock (&lock);
  for (AfxdpXskMap **at = &open_maps; *at; at = &(*at)->next)
    if (*at == map) {
      *at = map->next;
      break;
    }
  pthread_mutex_unlock (&lock);
}

static gboolean
is_generic (const AfxdpNetdev *netdev)
{
  LIBBPF_OPTS (bpf_xdp_query_opts, options);

  return !bpf_xdp_query (netdev->index, 0, &options) &&
      options.attach_mode == XDP_ATTACHED_SKB;
}

/* As engine.c's check_stays(), for queues which virtio_net has only while a program is
 * attached. They come behind those that there are without it, so that queue 0 is none. */
static gboolean
check_stays (const AfxdpXskMap *map, AfxdpZeroCopy zero_copy, GError **error)
{
  if (zero_copy != AFXDP_ZERO_COPY_REQUIRE || !map->queue ||
      !afxdp_netdev_may_add_queues (&map->netdev))
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
      "RX queue %u of %s may be there only while an XDP program is attached, "
      "and zero-copy on such a queue would crash the kernel later. Set "
      "zero-copy=auto or never, or queue=0",
      map->queue, map->netdev.name);
  return FALSE;
}

static gboolean
check_queue (const AfxdpXskMap *map, GError **error)
{
  if (map->queue < map->netdev.rx_active)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s has no RX queue %u, but %u of them in use: set queue to one of 0 to "
      "%u, or give it more (ethtool -L)",
      map->netdev.name, map->queue, map->netdev.rx_active,
      map->netdev.rx_active - 1);
  return FALSE;
}

/* The kernel releases a queue some time after its socket was closed (Linux 6.18,
 * xp_release_deferred()): a stream that starts again would find it busy with itself. */
static gboolean
open_queue (AfxdpXskMap *map, guint frames, AfxdpZeroCopy zero_copy,
    gboolean generic, GError **error)
{
  for (guint attempt = 0;; attempt++) {
    g_autoptr (GError) busy = NULL;

    if (afxdp_xsk_pool_open_queue (map->pool, map->queue, frames, zero_copy,
            generic, &map->told, &busy))
      return TRUE;
    if (attempt == BUSY_ATTEMPTS ||
        !g_error_matches (busy, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY)) {
      g_propagate_error (error, g_steal_pointer (&busy));
      return FALSE;
    }
    g_usleep (BUSY_INTERVAL);
  }
}

/* All of the frames are one stream's: what the program redirects, no credit bounds, so
 * that the queue's frames do. */
static gboolean
open_socket (
    AfxdpXskMap *map, const AfxdpXskMapSettings *settings, GError **error)
{
  const AfxdpNetdev *netdev = &map->netdev;
  AfxdpClaim claim = { 1, settings->ring_size, settings->batch };
  gboolean generic = is_generic (netdev);
  const gchar *why_not =
      afxdp_xskmode_why_no_zero_copy (netdev, settings->zero_copy, generic);
  AfxdpZeroCopy zero_copy =
      why_not && settings->zero_copy == AFXDP_ZERO_COPY_AUTO
      ? AFXDP_ZERO_COPY_NEVER
      : settings->zero_copy;
  guint frame_size = afxdp_xskmode_frame_size (netdev, !why_not);
  guint nic_ring = why_not ? 0 : afxdp_netdev_rx_ring (netdev);
  guint n_frames =
      afxdp_budget_frames (settings->n_frames, settings->ring_size);
  AfxdpBudget budget;
  guint of_nic;

  if (!check_stays (map, zero_copy, error))
    return FALSE;
  if (!settings->n_frames)
    n_frames += nic_ring;
  map->umem = afxdp_umem_new (n_frames, frame_size, error);
  if (!map->umem)
    return FALSE;
  map->pool = afxdp_xsk_pool_new (
      map->umem, netdev->index, netdev->name, map->queue + 1, nic_ring, error);
  if (!map->pool)
    return FALSE;
  afxdp_umem_populate (map->umem, G_MAXUINT);
  if (settings->prepare)
    settings->prepare (map->umem, G_MAXUINT);
  if (!open_queue (
          map, n_frames / AFXDP_FIRST_FILL_PART, zero_copy, generic, error))
    return FALSE;
  of_nic =
      afxdp_budget_of_nic (afxdp_xsk_pool_nic_frames (map->pool), n_frames);
  budget = afxdp_budget (&claim, n_frames - of_nic, 1, 1);
  map->share = budget.share;
  afxdp_xsk_pool_set_frames (map->pool, map->queue,
      budget.credit + afxdp_budget_slack (n_frames) + of_nic);
  map->xsk = afxdp_xsk_new (map->pool, map->queue, settings->ring_size, error);
  return map->xsk != NULL;
}

static gboolean
enter (AfxdpXskMap *map, GError **error)
{
  map->is_entered = afxdp_xsk_map_pin_enter (
      &map->pin, map->path, map->queue, afxdp_xsk_fd (map->xsk), error);
  if (!map->is_entered)
    return FALSE;
  map->description = g_strdup_printf (
      "%s from the XSKMAP \"%s\" (id %u) pinned at %s, RX queue %u of %s",
      afxdp_xsk_map_is_zero_copy (map) ? "zero-copy" : "copy", map->pin.name,
      map->pin.id, map->path, map->queue, map->netdev.name);
  AFXDP_INFO (
      AFXDP_LOG_XDP, map->netdev.name, "receives in %s", map->description);
  return TRUE;
}

AfxdpXskMap *
afxdp_xsk_map_open (const AfxdpXskMapSettings *settings,
    const AfxdpNetdev *netdev, GError **error)
{
  AfxdpXskMap *map = g_new0 (AfxdpXskMap, 1);

  map->path = g_strdup (settings->path);
  map->queue = MAX (0, settings->queue);
  map->netdev = *netdev;
  map->namespace = afxdp_netdev_namespace ();
  map->generation = afxdp_fork_generation ();
  map->pin.map = map->pin.probe = -1;
  /* What may be refused comes before what costs: the frames take 64 MiB. */
  if (!afxdp_xskmode_check_kind (netdev, error) ||
      !afxdp_xsk_map_pin_open (&map->pin, map->path, map->queue, error) ||
      !check_queue (map, error) || !claim (map, error) ||
      !open_socket (map, settings, error) || !enter (map, error)) {
    afxdp_xsk_map_close (map, NULL);
    return NULL;
  }
  afxdp_foreign_look (&map->program, netdev->index);
  map->first_program = map->program.id;
  return map;
}

static guint
drain (AfxdpXskMap *map)
{
  AfxdpXskPacket packet;
  guint n = 0;

  for (; afxdp_xsk_receive (map->xsk, &packet, 1); n++)
    afxdp_umem_give (map->umem, &packet.frame, 1);
  return n;
}

guint
afxdp_xsk_map_close (AfxdpXskMap *map, AfxdpXskLoss *loss)
{
  AfxdpXskLoss here = { 0 };
  guint n = 0;

  if (map->is_entered) {
    afxdp_xsk_map_pin_remove (&map->pin, map->queue, afxdp_xsk_fd (map->xsk));
    afxdp_grace_wait (map->netdev.name, "an XSKMAP's entry is removed");
    n = drain (map);
    afxdp_xsk_find_loss (map->xsk, &here);
  }
  if (loss)
    *loss = here;
  afxdp_xsk_unref (map->xsk);
  afxdp_xsk_pool_unref (map->pool);
  afxdp_umem_unref (map->umem);
  /* Not before the kernel has let go of the queue: the next element may have it. */
  unclaim (map);
  afxdp_xsk_map_pin_close (&map->pin);
  afxdp_foreign_clear (&map->program);
  g_free (map->description);
  g_free (map->path);
  g_free (map);
  return n;
}

/* What is told of the program, when it is another one than before. */
static gchar *
describe_program (AfxdpXskMap *map, AfxdpXskMapState state)
{
  g_autofree gchar *program = afxdp_foreign_describe (&map->program);

  if (state == AFXDP_XSK_MAP_NO_PROGRAM)
    return g_strdup_printf (
        "No XDP program is attached to %s, so that nothing is "
        "redirected to xsk-map=%s. Attach it again, or unset xsk-map",
        map->netdev.name, map->path);
  if (state == AFXDP_XSK_MAP_MOVED)
    return g_strdup_printf (
        "Another XDP program is attached to %s, %s, and another map is pinned "
        "at xsk-map=%s: this stream has an entry of the former one. Start the "
        "stream again",
        map->netdev.name, program, map->path);
  return g_strdup_printf (
      "Another XDP program is attached to %s, %s: whether it redirects to "
      "xsk-map=%s cannot be seen",
      map->netdev.name, program, map->path);
}

static gchar *
describe_entry (const AfxdpXskMap *map, AfxdpXskMapEntry entry)
{
  if (entry == AFXDP_XSK_MAP_ENTRY_OTHER)
    return g_strdup_printf (
        "Another AF_XDP socket took the place of this stream's in entry %u of "
        "xsk-map=%s. End its process, or set queue to another RX queue",
        map->queue, map->path);
  if (entry == AFXDP_XSK_MAP_ENTRY_RETURNED)
    return g_strdup_printf (
        "Somebody removed this stream's AF_XDP socket from entry %u of "
        "xsk-map=%s; it was entered again. If the queue is to be somebody "
        "else's, end this stream",
        map->queue, map->path);
  return g_strdup_printf ("This stream's AF_XDP socket is in entry %u of "
                          "xsk-map=%s, and an XDP program is attached to %s",
      map->queue, map->path, map->netdev.name);
}

static AfxdpXskMapState
find_state (AfxdpXskMap *map, AfxdpXskMapEntry entry)
{
  AfxdpNetdev netdev;
  g_autoptr (GError) error = NULL;

  /* Its number may be used again, but its socket is unbound for good. */
  if (map->state == AFXDP_XSK_MAP_NO_INTERFACE ||
      (!afxdp_netdev_by_index (map->netdev.index, &netdev, &error) &&
          g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND)))
    return AFXDP_XSK_MAP_NO_INTERFACE;
  if (entry == AFXDP_XSK_MAP_ENTRY_OTHER)
    return AFXDP_XSK_MAP_TAKEN;
  if (!map->program.id)
    return AFXDP_XSK_MAP_NO_PROGRAM;
  /* Only both: the former program still has the former map. */
  if (map->program.id != map->first_program &&
      afxdp_xsk_map_pin_is_other (&map->pin, map->path))
    return AFXDP_XSK_MAP_MOVED;
  return AFXDP_XSK_MAP_SERVES;
}

AfxdpXskMapState
afxdp_xsk_map_check (AfxdpXskMap *map, gchar **news)
{
  AfxdpXskMapEntry entry =
      afxdp_xsk_map_pin_check (&map->pin, map->queue, afxdp_xsk_fd (map->xsk));
  gboolean other_program =
      afxdp_foreign_look (&map->program, map->netdev.index);
  AfxdpXskMapState before = map->state;

  if (!map->first_program)
    map->first_program = map->program.id;
  map->state = find_state (map, entry);
  *news = NULL;
  if (map->state == AFXDP_XSK_MAP_NO_INTERFACE) {
    if (map->state != before)
      *news = g_strdup_printf (
          "%s was removed, and the AF_XDP socket with it", map->netdev.name);
  } else if (entry == AFXDP_XSK_MAP_ENTRY_RETURNED ||
      (map->state == AFXDP_XSK_MAP_TAKEN && map->state != before)) {
    *news = describe_entry (map, entry);
  } else if (map->state != AFXDP_XSK_MAP_TAKEN &&
      (map->state != before || other_program)) {
    /* That of the beginning, or the first: nothing is to be doubted. */
    *news = map->state == AFXDP_XSK_MAP_SERVES &&
            map->program.id == map->first_program
        ? describe_entry (map, AFXDP_XSK_MAP_ENTRY_OURS)
        : describe_program (map, map->state);
  }
  if (*news)
    AFXDP_DEBUG (AFXDP_LOG_XDP, map->netdev.name, "%s", *news);
  return map->state;
}

gboolean
afxdp_xsk_map_is_generic (const AfxdpXskMap *map)
{
  return is_generic (&map->netdev);
}

AfxdpXsk *
afxdp_xsk_map_xsk (const AfxdpXskMap *map)
{
  return map->xsk;
}

AfxdpUmem *
afxdp_xsk_map_umem (const AfxdpXskMap *map)
{
  return map->umem;
}

guint
afxdp_xsk_map_share (const AfxdpXskMap *map)
{
  return map->share;
}

gboolean
afxdp_xsk_map_is_zero_copy (const AfxdpXskMap *map)
{
  return afxdp_xsk_pool_is_zero_copy (map->pool);
}

const gchar *
afxdp_xsk_map_describe (const AfxdpXskMap *map)
{
  return map->description;
}
