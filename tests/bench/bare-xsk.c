/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit of AF_XDP: a loop that reads the RTP header of each packet and gives
 * its frame straight back to the fill ring. The XDP program is the element's, so
 * that the sending core does the same; rings and UMEM are libxdp's own.
 *
 *   bare-xsk [--latency] INTERFACE GROUP PORT
 *
 * receives what comes on queue 0, in native mode. --latency: it reads the time of
 * arrival in front of each packet too. session.h says how it is driven.
 */
#include <linux/if_link.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <xdp/xsk.h>

#include "clock.h"
#include "netdev.h"
#include "session.h"
#include "xdpprog.h"

#define BATCH 64
#define FRAME_SIZE 2048
#define RING_SIZE 16384 /* as the element's default */
#define N_FRAMES (2 * RING_SIZE)
/* Ethernet, IPv4 without options, UDP. */
#define RTP_OFFSET (14 + 20 + 8)

typedef struct
{
  AfxdpXdpProg *prog;
  struct afxdp_slot *slot;
  struct afxdp_queue *queue;
  guint8 *area;
  struct xsk_umem *umem;
  struct xsk_socket *xsk;
  struct xsk_ring_prod fill;
  struct xsk_ring_cons completion, rx;
  BareLoop loop;
} Receiver;

static gboolean
open_rings (Receiver *receiver)
{
  const struct xsk_umem_config umem = {
    .fill_size = N_FRAMES,
    .comp_size = 64,
    .frame_size = FRAME_SIZE,
  };
  const struct xsk_socket_config xsk = {
    .rx_size = RING_SIZE,
    .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
    .bind_flags = XDP_COPY,
  };
  gsize size = (gsize) N_FRAMES * FRAME_SIZE;
  guint32 index = 0;

  receiver->area = mmap (NULL, size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (receiver->area == MAP_FAILED)
    return FALSE;
  if (xsk_umem__create (&receiver->umem, receiver->area, size, &receiver->fill,
          &receiver->completion, &umem) ||
      xsk_socket__create (&receiver->xsk, receiver->loop.interface, 0,
          receiver->umem, &receiver->rx, NULL, &xsk))
    return FALSE;
  xsk_ring_prod__reserve (&receiver->fill, N_FRAMES, &index);
  for (guint i = 0; i < N_FRAMES; i++)
    *xsk_ring_prod__fill_addr (&receiver->fill, index + i) =
        (guint64) i * FRAME_SIZE;
  xsk_ring_prod__submit (&receiver->fill, N_FRAMES);
  return TRUE;
}

/* The program with one flow, in slot 0, on queue 0. */
static gboolean
open_program (Receiver *receiver, const AfxdpNetdev *netdev, GError **error)
{
  g_autoptr (GInetAddress) address =
      g_inet_address_new_from_string (receiver->loop.group);
  g_autoptr (AfxdpSources) any = afxdp_sources_parse (NULL, 4, NULL);
  struct afxdp_flow_key key;

  receiver->prog =
      afxdp_xdpprog_new (netdev->rx_queues, FRAME_SIZE - AFXDP_HEADROOM, error);
  if (!receiver->prog)
    return FALSE;
  receiver->slot = afxdp_xdpprog_slot (receiver->prog, 0, 0);
  receiver->queue = afxdp_xdpprog_queue (receiver->prog, 0);
  receiver->queue->frames = N_FRAMES;
  receiver->slot->credit = RING_SIZE;
  receiver->slot->redirect = AFXDP_REDIRECT_ON;
  afxdp_xdpprog_set_mac (receiver->prog, netdev->mac);
  afxdp_xdpprog_flow_key (&key, address, receiver->loop.port);
  return afxdp_xdpprog_set_flow (receiver->prog, &key, 0, any, error) &&
      afxdp_xdpprog_set_socket (
          receiver->prog, 0, 0, xsk_socket__fd (receiver->xsk), error) &&
      afxdp_xdpprog_attach (
          receiver->prog, netdev, AFXDP_XDP_MODE_NATIVE, error);
}

/* What the program could not redirect, since the credit was used up, is lost to
 * this receiver; the element would have it from its socket. */
static void
give_credit (Receiver *receiver, guint n)
{
  __atomic_fetch_add (&receiver->queue->frames, n, __ATOMIC_RELEASE);
  __atomic_fetch_add (&receiver->slot->released, n, __ATOMIC_RELEASE);
  if (G_UNLIKELY (__atomic_load_n (&receiver->slot->redirect,
                      __ATOMIC_RELAXED) != AFXDP_REDIRECT_ON))
    __atomic_store_n (
        &receiver->slot->redirect, AFXDP_REDIRECT_ON, __ATOMIC_RELAXED);
}

static void
measure (Receiver *receiver, const guint8 *frame, guint64 now)
{
  struct afxdp_metadata metadata;

  memcpy (&metadata, frame - sizeof metadata, sizeof metadata);
  afxdp_latency_add (&receiver->loop.latency, now - MIN (now, metadata.time));
}

static gpointer
receive (gpointer data)
{
  Receiver *receiver = data;
  struct pollfd wait = { xsk_socket__fd (receiver->xsk), POLLIN };
  guint touched = 0;

  for (;;) {
    guint32 from, to = 0;
    guint n = xsk_ring_cons__peek (&receiver->rx, BATCH, &from);
    guint64 now;

    if (!n) {
      poll (&wait, 1, -1);
      continue;
    }
    /* As many frames come back as went out. */
    xsk_ring_prod__reserve (&receiver->fill, n, &to);
    now = receiver->loop.stamped ? afxdp_now () : 0;
    for (guint i = 0; i < n; i++) {
      const struct xdp_desc *packet =
          xsk_ring_cons__rx_desc (&receiver->rx, from + i);
      const guint8 *frame = receiver->area + packet->addr;

      if (receiver->loop.stamped)
        measure (receiver, frame, now);
      touched += frame[RTP_OFFSET + 2] << 8 | frame[RTP_OFFSET + 3];
      *xsk_ring_prod__fill_addr (&receiver->fill, to + i) = packet->addr;
    }
    xsk_ring_prod__submit (&receiver->fill, n);
    xsk_ring_cons__release (&receiver->rx, n);
    give_credit (receiver, n);
    receiver->loop.packets += n;
    atomic_store_explicit (
        &receiver->loop.touched, touched, memory_order_relaxed);
  }
  return NULL;
}

int
main (int argc, char **argv)
{
  static Receiver receiver = { .loop.umem_bytes = N_FRAMES * FRAME_SIZE };
  g_autoptr (GError) error = NULL;
  AfxdpNetdev netdev;
  pthread_t thread;
  int status;

  if (!session_read_arguments (&receiver.loop, argc, argv))
    return 2;
  if (!afxdp_netdev_by_name (receiver.loop.interface, &netdev, &error)) {
    fprintf (stderr, "bare-xsk: %s\n", error->message);
    return 2;
  }
  if (!open_rings (&receiver)) {
    perror ("bare-xsk");
    return 2;
  }
  if (!open_program (&receiver, &netdev, &error)) {
    fprintf (stderr, "bare-xsk: %s\n", error->message);
    return 2;
  }
  pthread_create (&thread, NULL, receive, &receiver);
  status = session_run_bare (&receiver.loop);
  afxdp_xdpprog_free (receiver.prog);
  return status;
}
