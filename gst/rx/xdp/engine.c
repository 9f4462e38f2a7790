/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program, UMEM, queues and slots of one interface. */
#include "engine.h"

#include <stdio.h>
#include <sys/utsname.h>

#include "budget.h"
#include "error.h"
#include "grace.h"
#include "log.h"
#include "xskclose.h"
#include "xskfd.h"
#include "xskmode.h"

/* Sockets made in advance for as many queues, while we have the privilege. */
#define SPARE_QUEUES 4

static void
change_slots (AfxdpEngine *engine, AfxdpSlotState from, AfxdpSlotState to)
{
  for (guint slot = 0; engine && slot < engine->n_slots; slot++)
    if (engine->slots[slot] == from)
      engine->slots[slot] = to;
}

void
afxdp_engine_begin_grace_period (AfxdpEngine *engine)
{
  change_slots (engine, AFXDP_SLOT_RESTING, AFXDP_SLOT_RESTED);
}

void
afxdp_engine_end_grace_period (AfxdpEngine *engine)
{
  change_slots (engine, AFXDP_SLOT_RESTED, AFXDP_SLOT_FREE);
}

void
afxdp_engine_wait_for_grace_period (AfxdpEngine *engine, const gchar *cause)
{
  afxdp_engine_begin_grace_period (engine);
  afxdp_grace_wait (engine ? engine->netdev.name : NULL, cause);
  /* Those too that rest until one that began earlier is over. */
  afxdp_engine_end_grace_period (engine);
}

/* Sockets for the owners of queues that may come into use. */
static guint
n_owners (const AfxdpEngine *engine)
{
  return MIN (engine->netdev.rx_queues, SPARE_QUEUES);
}

static gboolean
load (AfxdpEngine *engine, GError **error)
{
  const AfxdpNetdev *netdev = &engine->netdev;
  const gchar *why_not =
      afxdp_xskmode_why_no_zero_copy (netdev, engine->settings.zero_copy,
          engine->settings.xdp_mode == AFXDP_XDP_MODE_GENERIC);
  gboolean zero_copy = !why_not;
  guint frame_size = afxdp_xskmode_frame_size (netdev, zero_copy);
  guint nic_ring = zero_copy ? afxdp_netdev_rx_ring (netdev) : 0;

  AFXDP_INFO (AFXDP_LOG_XDP, netdev->name,
      "AF_XDP is set up on kind \"%s\", MTU %u, with %u of %u RX queues in "
      "use; zero-copy is %s%s",
      netdev->kind, netdev->mtu, netdev->rx_active, netdev->rx_queues,
      zero_copy ? "tried" : "not tried: ", zero_copy ? "" : why_not);
  if (!zero_copy && engine->settings.zero_copy == AFXDP_ZERO_COPY_AUTO)
    engine->settings.zero_copy = AFXDP_ZERO_COPY_NEVER;
  if (engine->settings.automatic)
    engine->settings.n_frames += n_owners (engine) * nic_ring;
  /* What may be refused comes before what costs: the frames take 64 MiB. */
  if (!afxdp_xskfd_check_allowed (error))
    return FALSE;
  engine->prog =
      afxdp_xdpprog_new (netdev->rx_queues, frame_size - AFXDP_HEADROOM, error);
  if (!engine->prog)
    return FALSE;
  AFXDP_INFO (AFXDP_LOG_XDP, netdev->name,
      "XDP programs loaded, with and without metadata, for packets of up to "
      "%u bytes",
      frame_size - AFXDP_HEADROOM);
  if (!afxdp_xdpprog_check_free (netdev->index, netdev->name, error))
    return FALSE;
  engine->umem = afxdp_umem_new (engine->settings.n_frames, frame_size, error);
  if (!engine->umem)
    return FALSE;
  engine->pool = afxdp_xsk_pool_new (engine->umem, netdev->index, netdev->name,
      netdev->rx_queues, nic_ring, error);
  if (!engine->pool ||
      !afxdp_xsk_pool_keep_spare (engine->pool, n_owners (engine), error))
    return FALSE;
  afxdp_xdpprog_set_mac (engine->prog, netdev->mac);
  /* Last, since it takes longest. */
  afxdp_umem_populate (engine->umem, G_MAXUINT);
  if (engine->settings.prepare)
    engine->settings.prepare (engine->umem, G_MAXUINT);
  return TRUE;
}

AfxdpEngine *
afxdp_engine_new (const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, GError **error)
{
  AfxdpEngine *engine;

  if (!afxdp_xskmode_check_kind (netdev, error))
    return NULL;
  engine = g_new0 (AfxdpEngine, 1);
  engine->netdev = *netdev;
  engine->settings = *settings;
  engine->n_rings = g_new0 (guint, netdev->rx_queues);
  engine->unused = g_ptr_array_new ();
  if (load (engine, error))
    return engine;
  afxdp_engine_free (engine);
  return NULL;
}

void
afxdp_engine_free (AfxdpEngine *engine)
{
  if (!engine)
    return;
  /* Nothing may be redirected to a socket that closes; but threads that free
   * frames tell the program about them until the pool is gone. */
  if (engine->prog)
    afxdp_xdpprog_detach (engine->prog);
  afxdp_xsk_close_all (engine->unused);
  afxdp_xsk_pool_unref (engine->pool);
  afxdp_xdpprog_free (engine->prog);
  afxdp_umem_unref (engine->umem);
  for (guint slot = 0; slot < engine->n_slots; slot++)
    afxdp_sources_unref (engine->sources[slot]);
  g_free (engine->n_rings);
  g_free (engine);
}

gboolean
afxdp_engine_driver_refuses_metadata (const AfxdpEngine *engine)
{
  if (!afxdp_xdpprog_has_metadata (engine->prog))
    return FALSE;
  /* Only what is about to be redirected to a ring is to have some. */
  for (guint queue = 0; queue < engine->netdev.rx_queues; queue++)
    for (guint slot = 0; engine->n_rings[queue] && slot < engine->n_slots;
         slot++)
      if (engine->slots[slot] == AFXDP_SLOT_BOUND &&
          __atomic_load_n (
              &afxdp_xdpprog_slot (engine->prog, slot, queue)->no_metadata,
              __ATOMIC_RELAXED))
        return TRUE;
  return FALSE;
}

static guint
n_slots_waiting (const AfxdpEngine *engine)
{
  guint n = 0;

  for (guint slot = 0; slot < engine->n_slots; slot++)
    n += engine->slots[slot] == AFXDP_SLOT_WAITING;
  return n;
}

static gboolean
any_slot_rests (const AfxdpEngine *engine)
{
  for (guint slot = 0; slot < engine->n_slots; slot++)
    if (engine->slots[slot] == AFXDP_SLOT_RESTING ||
        engine->slots[slot] == AFXDP_SLOT_RESTED)
      return TRUE;
  return FALSE;
}

static gint
find_free_slot (const AfxdpEngine *engine)
{
  for (guint slot = 0; slot < engine->n_slots; slot++)
    if (engine->slots[slot] == AFXDP_SLOT_FREE)
      return slot;
  return engine->n_slots < AFXDP_SLOTS ? (gint) engine->n_slots : -1;
}

/* A free slot that has words in the program. */
static gint
find_slot_with_words (const AfxdpEngine *engine, GError **error)
{
  gint slot = find_free_slot (engine);

  if (slot < 0)
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
        "%s already serves %d streams of this process, which is the most "
        "that it can",
        engine->netdev.name, AFXDP_SLOTS);
  else if (!afxdp_xdpprog_make_room (engine->prog, slot, error))
    slot = -1;
  return slot;
}

gint
afxdp_engine_take_slot (
    AfxdpEngine *engine, AfxdpSources *sources, GError **error)
{
  gboolean rests = any_slot_rests (engine);
  gint slot = find_slot_with_words (engine, rests ? NULL : error);
  g_autoptr (GError) no_spare = NULL;
  guint spare;

  if (slot < 0 && rests) {
    afxdp_engine_wait_for_grace_period (engine, "a slot is used again");
    slot = find_slot_with_words (engine, error);
  }
  if (slot < 0 ||
      !afxdp_xdpprog_add_sources (engine->prog, slot, sources, error))
    return -1;
  engine->slots[slot] = AFXDP_SLOT_WAITING;
  engine->n_slots = MAX (engine->n_slots, (guint) slot + 1);
  /* One for the queue on which it will show, unless one is unused. Without the
   * privilege, that will say so. */
  spare = n_owners (engine) + n_slots_waiting (engine);
  if (spare > engine->unused->len &&
      !afxdp_xsk_pool_keep_spare (
          engine->pool, spare - engine->unused->len, &no_spare))
    AFXDP_DEBUG (AFXDP_LOG_XDP, engine->netdev.name,
        "no sockets in advance: %s", no_spare->message);
  engine->sources[slot] = afxdp_sources_ref (sources);
  return slot;
}

gboolean
afxdp_engine_set_flow (AfxdpEngine *engine, const struct afxdp_flow_key *flow,
    guint slot, GError **error)
{
  return afxdp_xdpprog_set_flow (
      engine->prog, flow, slot, engine->sources[slot], error);
}

void
afxdp_engine_remove_flow (
    AfxdpEngine *engine, const struct afxdp_flow_key *flow)
{
  afxdp_xdpprog_remove_flow (engine->prog, flow);
}

guint64
afxdp_engine_n_seen (const AfxdpEngine *engine)
{
  guint64 n = 0;

  for (guint queue = 0; queue < engine->netdev.rx_queues; queue++)
    n += afxdp_ring_word (&afxdp_xdpprog_queue (engine->prog, queue)->seen);
  return n;
}

static AfxdpXsk *
take_idle (AfxdpEngine *engine, guint queue, guint ring_size)
{
  for (guint i = 0; i < engine->unused->len; i++) {
    AfxdpXsk *xsk = engine->unused->pdata[i];

    if (afxdp_xsk_queue (xsk) == queue &&
        afxdp_xsk_ring_size (xsk) == ring_size)
      return g_ptr_array_steal_index_fast (engine->unused, i);
  }
  return NULL;
}

/* Before Linux 6.15 (commit a1356ac7749c) generic mode has a lock for each socket,
 * and none for the fill ring that those of a queue share: two CPUs may take the
 * same frame. */
static gboolean
generic_mode_may_share (void)
{
  struct utsname name;
  guint major, minor;

  if (uname (&name) || sscanf (name.release, "%u.%u", &major, &minor) != 2)
    return FALSE;
  return major > 6 || (major == 6 && minor >= 15);
}

static gboolean
check_sharing (AfxdpEngine *engine, guint queue, GError **error)
{
  if (!engine->n_rings[queue] || generic_mode_may_share ())
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
      "Generic mode before Linux 6.15 allows only one stream on an RX queue, "
      "since the kernel may give one frame to two AF_XDP sockets; another "
      "stream has RX queue %u of %s",
      queue, engine->netdev.name);
  return FALSE;
}

/* virtio_net removes the queues that it made for the program before it could let go of
 * the memory of their AF_XDP sockets, and keeps a pointer to that; the next program
 * that is attached crashes the kernel (seen with Linux 7.3, virtnet_xsk_pool_disable()
 * and xp_alloc_batch()). */
static gboolean
check_stays (const AfxdpEngine *engine, guint queue, GError **error)
{
  if (engine->settings.zero_copy == AFXDP_ZERO_COPY_NEVER ||
      queue < engine->netdev.rx_active ||
      !afxdp_netdev_may_add_queues (&engine->netdev))
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
      "The stream arrives on RX queue %u of %s, which is there only while an "
      "XDP "
      "program is attached, and on which zero-copy would crash the kernel "
      "later. "
      "Set zero-copy=auto or never",
      queue, engine->netdev.name);
  return FALSE;
}

gboolean
afxdp_engine_add_ring (AfxdpEngine *engine, guint slot, guint queue,
    guint ring_size, AfxdpRing *ring, GError **error)
{
  gboolean generic =
      afxdp_xdpprog_mode (engine->prog) == AFXDP_XDP_MODE_GENERIC;
  struct afxdp_slot *words = afxdp_xdpprog_slot (engine->prog, slot, queue);
  struct afxdp_queue *queue_words = afxdp_xdpprog_queue (engine->prog, queue);
  AfxdpXsk *xsk;

  if (generic && !check_sharing (engine, queue, error))
    return FALSE;
  if (!check_stays (engine, queue, error))
    return FALSE;
  if (!afxdp_xsk_pool_open_queue (engine->pool, queue,
          engine->settings.n_frames / AFXDP_FIRST_FILL_PART,
          engine->settings.zero_copy, generic, &queue_words->frames, error))
    return FALSE;
  xsk = take_idle (engine, queue, ring_size);
  if (!xsk)
    xsk = afxdp_xsk_new (engine->pool, queue, ring_size, error);
  if (!xsk)
    return FALSE;
  /* A slot's counters go on from the stream that had it before. */
  __atomic_store_n (&words->released,
      __atomic_load_n (&words->redirected, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
  if (!afxdp_xdpprog_set_socket (
          engine->prog, slot, queue, afxdp_xsk_fd (xsk), error)) {
    g_ptr_array_add (engine->unused, xsk);
    return FALSE;
  }
  engine->slots[slot] = AFXDP_SLOT_BOUND;
  engine->n_rings[queue]++;
  *ring = (AfxdpRing){
    .queue = queue, .xsk = xsk, .words = words, .queue_words = queue_words
  };
  return TRUE;
}

void
afxdp_engine_disconnect (
    AfxdpEngine *engine, guint slot, const AfxdpRing *rings, guint n_rings)
{
  for (guint i = 0; i < n_rings; i++) {
    afxdp_ring_set_redirect (&rings[i], AFXDP_REDIRECT_OFF);
    afxdp_xdpprog_remove_socket (engine->prog, slot, rings[i].queue);
  }
}

static guint
drain (AfxdpEngine *engine, const AfxdpRing *ring, AfxdpXskLoss *loss)
{
  AfxdpXskPacket packet;
  AfxdpXskLoss here;
  gint64 lost;
  guint n = 0;

  for (; afxdp_xsk_receive (ring->xsk, &packet, 1); n++)
    afxdp_umem_give (engine->umem, &packet.frame, 1);
  lost = (gint64) afxdp_ring_outstanding (ring) - n;
  afxdp_xsk_took_no_frame (ring->xsk, lost);
  afxdp_xsk_explain_loss (ring->xsk, MAX (lost, 0), &here);
  afxdp_xsk_loss_add (loss, &here);
  /* What is left is nothing to the next stream. */
  afxdp_xsk_find_loss (ring->xsk, &here);
  return n;
}

guint
afxdp_engine_free_slot (AfxdpEngine *engine, guint slot, const AfxdpRing *rings,
    guint n_rings, AfxdpXskLoss *loss)
{
  guint n_packets = 0;

  for (guint i = 0; i < n_rings; i++) {
    n_packets += drain (engine, &rings[i], loss);
    engine->n_rings[rings[i].queue]--;
    g_ptr_array_add (engine->unused, rings[i].xsk);
  }
  afxdp_xdpprog_remove_sources (engine->prog, slot, engine->sources[slot]);
  g_clear_pointer (&engine->sources[slot], afxdp_sources_unref);
  engine->slots[slot] = AFXDP_SLOT_RESTING;
  return n_packets;
}
