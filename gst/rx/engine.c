/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Program, UMEM, queues and slots of one interface. */
#include "engine.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"

/* Sockets made in advance for as many queues, while we have the privilege. */
#define SPARE_QUEUES 4
/* Threads that close sockets. */
#define CLOSERS 31

typedef enum
{
  SLOT_FREE,
  SLOT_WAITING, /* taken, and without a ring */
  SLOT_BOUND,
  SLOT_RESTING, /* until a grace period is over */
} SlotState;

struct _AfxdpEngine
{
  AfxdpNetdev netdev;
  AfxdpEngineSettings settings;
  AfxdpUmem *umem;
  AfxdpXskPool *pool;
  AfxdpXdpProg *prog;
  SlotState slots[AFXDP_SLOTS];
  AfxdpSources *sources[AFXDP_SLOTS]; /* in the program too */
  guint *n_rings;                     /* of slots, on each queue */
  GPtrArray *idle; /* AfxdpXsk, bound but in no map: closing one costs a grace
                      period, and using it again nothing */
};

void
afxdp_engine_wait_for_grace_period (AfxdpEngine *engine)
{
  /* membarrier is synchronize_rcu(), which waits for softirqs to end (Linux
   * 6.18, kernel/sched/membarrier.c). nohz_full kernels refuse it; there 100 ms
   * are many polls. */
  if (syscall (SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
    g_usleep (100000);
  for (guint slot = 0; engine && slot < AFXDP_SLOTS; slot++)
    if (engine->slots[slot] == SLOT_RESTING)
      engine->slots[slot] = SLOT_FREE;
}

static gboolean
check_kind (const AfxdpNetdev *netdev, GError **error)
{
  static const struct
  {
    const gchar *kind, *why;
  } refused[] = {
    { "bond", "a bond: its members receive, with programs of their own" },
    { "team", "a team: its members receive, with programs of their own" },
    { "vlan", "a VLAN interface: its packets are tagged when XDP sees them" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_equal (netdev->kind, refused[i].kind)) {
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED, "%s is %s",
          netdev->name, refused[i].why);
      return FALSE;
    }
  if (netdev->loopback) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "%s is the loopback interface, where AF_XDP gains nothing",
        netdev->name);
    return FALSE;
  }
  return TRUE;
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
  /* Room for an Ethernet header with a tag, and a checksum behind. */
  guint frame_size = netdev->mtu + 22 > 2048 - AFXDP_HEADROOM ? 4096 : 2048;

  engine->umem = afxdp_umem_new (engine->settings.n_frames, frame_size, error);
  if (!engine->umem)
    return FALSE;
  engine->pool = afxdp_xsk_pool_new (
      engine->umem, netdev->index, netdev->name, netdev->rx_queues, error);
  if (!engine->pool ||
      !afxdp_xsk_pool_keep_spare (engine->pool, n_owners (engine), error))
    return FALSE;
  engine->prog =
      afxdp_xdpprog_new (netdev->rx_queues, frame_size - AFXDP_HEADROOM, error);
  if (!engine->prog)
    return FALSE;
  /* So that tests reach the path of drivers that have no room for it. */
  if (g_getenv ("AFXDP_TEST_WITHOUT_METADATA"))
    afxdp_xdpprog_drop_metadata (engine->prog, NULL);
  afxdp_xdpprog_set_mac (engine->prog, netdev->mac);
  return TRUE;
}

AfxdpEngine *
afxdp_engine_new (const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, GError **error)
{
  AfxdpEngine *engine;

  if (!check_kind (netdev, error))
    return NULL;
  engine = g_new0 (AfxdpEngine, 1);
  engine->netdev = *netdev;
  engine->settings = *settings;
  engine->n_rings = g_new0 (guint, netdev->rx_queues);
  engine->idle = g_ptr_array_new ();
  if (load (engine, error))
    return engine;
  afxdp_engine_free (engine);
  return NULL;
}

typedef struct
{
  GPtrArray *sockets;
  atomic_uint next;
} Closing;

static gpointer
close_some (gpointer data)
{
  Closing *closing = data;
  guint i;

  while ((i = atomic_fetch_add (&closing->next, 1)) < closing->sockets->len)
    afxdp_xsk_unref (closing->sockets->pdata[i]);
  return NULL;
}

/* Each close waits for a grace period of the network stack, and those that close
 * at the same time wait for the same one. */
static void
close_sockets (GPtrArray *sockets)
{
  Closing closing = { .sockets = sockets };
  pthread_t threads[CLOSERS];
  sigset_t all, former;
  guint n = 0;

  /* Signals are the application's. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &former);
  while (n < CLOSERS && n + 1 < sockets->len &&
      !pthread_create (&threads[n], NULL, close_some, &closing))
    n++;
  pthread_sigmask (SIG_SETMASK, &former, NULL);
  close_some (&closing);
  while (n)
    pthread_join (threads[--n], NULL);
  g_ptr_array_unref (sockets);
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
  close_sockets (engine->idle);
  afxdp_xsk_pool_unref (engine->pool);
  afxdp_xdpprog_free (engine->prog);
  afxdp_umem_unref (engine->umem);
  for (guint slot = 0; slot < AFXDP_SLOTS; slot++)
    afxdp_sources_unref (engine->sources[slot]);
  g_free (engine->n_rings);
  g_free (engine);
}

gboolean
afxdp_engine_attach (AfxdpEngine *engine, GError **error)
{
  return afxdp_xdpprog_attach (engine->prog, engine->netdev.index,
      engine->netdev.name, engine->settings.xdp_mode, error);
}

void
afxdp_engine_detach (AfxdpEngine *engine)
{
  afxdp_xdpprog_detach (engine->prog);
}

gboolean
afxdp_engine_is_attached (AfxdpEngine *engine)
{
  return afxdp_xdpprog_is_attached (engine->prog);
}

void
afxdp_engine_set_mac (AfxdpEngine *engine, const guint8 mac[6])
{
  afxdp_xdpprog_set_mac (engine->prog, mac);
}

AfxdpXdpMode
afxdp_engine_xdp_mode (const AfxdpEngine *engine)
{
  return afxdp_xdpprog_mode (engine->prog);
}

gboolean
afxdp_engine_is_zero_copy (const AfxdpEngine *engine)
{
  return afxdp_xsk_pool_is_zero_copy (engine->pool);
}

gboolean
afxdp_engine_has_metadata (const AfxdpEngine *engine)
{
  return afxdp_xdpprog_has_metadata (engine->prog);
}

gboolean
afxdp_engine_driver_refuses_metadata (const AfxdpEngine *engine)
{
  if (!afxdp_xdpprog_has_metadata (engine->prog))
    return FALSE;
  for (guint slot = 0; slot < AFXDP_SLOTS; slot++)
    for (guint queue = 0;
         engine->slots[slot] == SLOT_BOUND && queue < engine->netdev.rx_queues;
         queue++)
      if (__atomic_load_n (
              &afxdp_xdpprog_slot (engine->prog, slot, queue)->no_metadata,
              __ATOMIC_RELAXED))
        return TRUE;
  return FALSE;
}

gboolean
afxdp_engine_drop_metadata (AfxdpEngine *engine, GError **error)
{
  return afxdp_xdpprog_drop_metadata (engine->prog, error);
}

AfxdpUmem *
afxdp_engine_umem (const AfxdpEngine *engine)
{
  return engine->umem;
}

guint
afxdp_engine_n_home (AfxdpEngine *engine)
{
  return afxdp_umem_n_free (engine->umem) +
      afxdp_xsk_pool_n_frames (engine->pool);
}

static guint
n_slots_waiting (const AfxdpEngine *engine)
{
  guint n = 0;

  for (guint slot = 0; slot < AFXDP_SLOTS; slot++)
    n += engine->slots[slot] == SLOT_WAITING;
  return n;
}

static gint
find_slot (AfxdpEngine *engine, SlotState state)
{
  for (guint slot = 0; slot < AFXDP_SLOTS; slot++)
    if (engine->slots[slot] == state)
      return slot;
  return -1;
}

gint
afxdp_engine_take_slot (
    AfxdpEngine *engine, AfxdpSources *sources, GError **error)
{
  gint slot = find_slot (engine, SLOT_FREE);
  guint spare;

  if (slot < 0 && find_slot (engine, SLOT_RESTING) >= 0) {
    afxdp_engine_wait_for_grace_period (engine);
    slot = find_slot (engine, SLOT_FREE);
  }
  if (slot < 0) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY,
        "%s serves %d streams of this process already", engine->netdev.name,
        AFXDP_SLOTS);
    return -1;
  }
  if (!afxdp_xdpprog_add_sources (engine->prog, slot, sources, error))
    return -1;
  engine->slots[slot] = SLOT_WAITING;
  /* One for the queue on which it will show, unless one is idle. Without the
   * privilege, that will say so. */
  spare = n_owners (engine) + n_slots_waiting (engine);
  if (spare > engine->idle->len)
    afxdp_xsk_pool_keep_spare (engine->pool, spare - engine->idle->len, NULL);
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

const struct afxdp_slot *
afxdp_engine_words (const AfxdpEngine *engine, guint slot, guint queue)
{
  return afxdp_xdpprog_slot (engine->prog, slot, queue);
}

static AfxdpXsk *
take_idle (AfxdpEngine *engine, guint queue, guint ring_size)
{
  for (guint i = 0; i < engine->idle->len; i++) {
    AfxdpXsk *xsk = engine->idle->pdata[i];

    if (afxdp_xsk_queue (xsk) == queue &&
        afxdp_xsk_ring_size (xsk) == ring_size)
      return g_ptr_array_steal_index_fast (engine->idle, i);
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
      "Generic mode before Linux 6.15 may give a frame to two AF_XDP sockets "
      "of "
      "one queue, and another stream has RX queue %u of %s",
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
  if (!afxdp_xsk_pool_open_queue (engine->pool, queue,
          engine->settings.n_frames / 4, engine->settings.zero_copy, generic,
          &queue_words->frames, error))
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
    g_ptr_array_add (engine->idle, xsk);
    return FALSE;
  }
  engine->slots[slot] = SLOT_BOUND;
  engine->n_rings[queue]++;
  *ring = (AfxdpRing){
    .queue = queue, .xsk = xsk, .words = words, .queue_words = queue_words
  };
  return TRUE;
}

void
afxdp_engine_set_frames (AfxdpEngine *engine, guint queue, guint frames)
{
  afxdp_xsk_pool_set_frames (engine->pool, queue, frames);
}

guint
afxdp_engine_queue_frames (AfxdpEngine *engine, guint queue)
{
  return afxdp_xsk_pool_queue_frames (engine->pool, queue);
}

void
afxdp_engine_disconnect (
    AfxdpEngine *engine, guint slot, const AfxdpRing *rings, guint n_rings)
{
  for (guint i = 0; i < n_rings; i++) {
    afxdp_ring_set_door (&rings[i], AFXDP_DOOR_CLOSED);
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
  loss->rx_ring += here.rx_ring;
  loss->fill_ring += here.fill_ring;
  loss->redirect += here.redirect;
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
    g_ptr_array_add (engine->idle, rings[i].xsk);
  }
  afxdp_xdpprog_remove_sources (engine->prog, slot, engine->sources[slot]);
  g_clear_pointer (&engine->sources[slot], afxdp_sources_unref);
  engine->slots[slot] = SLOT_RESTING;
  return n_packets;
}
