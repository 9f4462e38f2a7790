/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptor of an AF_XDP socket: creating it, its rings, binding it. */
#include "xskfd.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/if_xdp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "error.h"
#include "fork.h"
#include "log.h"

/* No TX, but the kernel wants a completion ring beside every fill ring. */
#define COMPLETION_SIZE 16

int
afxdp_xskfd_new (GError **error)
{
  int fd = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

  if (fd >= 0) {
    afxdp_fork_withhold (fd);
    return fd;
  }
  if (errno == EPERM || errno == EACCES)
    afxdp_error_set (error, errno,
        "Could not create an AF_XDP socket: CAP_NET_RAW is %s",
        afxdp_has_capability (CAP_NET_RAW)
            ? "there, but only in a user namespace, or a security policy "
              "forbids it"
            : "missing");
  else if (errno == EAFNOSUPPORT)
    afxdp_error_set (error, errno,
        "Could not create an AF_XDP socket: this kernel is built without "
        "CONFIG_XDP_SOCKETS");
  else
    afxdp_error_set (error, errno, "Could not create an AF_XDP socket");
  return -1;
}

gboolean
afxdp_xskfd_check_allowed (GError **error)
{
  int fd = afxdp_xskfd_new (error);

  if (fd < 0)
    return FALSE;
  afxdp_fork_close (fd);
  return TRUE;
}

gboolean
afxdp_xskfd_register_umem (
    int fd, const gchar *interface, AfxdpUmem *umem, GError **error)
{
  struct xdp_umem_reg registration;
  struct rlimit limit = { 0 };
  const gchar *privilege;
  gsize size = afxdp_umem_size (umem);
  gboolean huge;

  memset (&registration, 0, sizeof registration);
  /* All of it is resident from here on; in huge pages it takes few entries of the
   * TLB, which many streams make much use of. */
  huge = !madvise (afxdp_umem_area (umem), size, MADV_HUGEPAGE);
  registration.addr = (guintptr) afxdp_umem_area (umem);
  registration.len = size;
  registration.chunk_size = afxdp_umem_frame_size (umem);
  if (!setsockopt (
          fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof registration)) {
    AFXDP_INFO (AFXDP_LOG_XDP, interface,
        "%" G_GSIZE_FORMAT " KiB of packet memory registered: %u frames of %u "
        "bytes, in %s pages",
        size / 1024, afxdp_umem_n_frames (umem), registration.chunk_size,
        huge ? "huge pages where there are some, else in small" : "small");
    return TRUE;
  }
  if (errno != ENOBUFS)
    return afxdp_error_set (error, errno,
        "Could not register %" G_GSIZE_FORMAT " bytes of packet memory", size);
  getrlimit (RLIMIT_MEMLOCK, &limit);
  /* capable() of the kernel's xdp_umem_account_pages() asks for the first one. */
  privilege = afxdp_has_capability (CAP_IPC_LOCK)
      ? "CAP_IPC_LOCK, which this process has in a user namespace, counts in "
        "the "
        "initial user namespace only"
      : "CAP_IPC_LOCK is missing";
  return afxdp_error_set (error, errno,
      "Could not register %" G_GSIZE_FORMAT
      " bytes of packet memory: RLIMIT_MEMLOCK is %" G_GUINT64_FORMAT
      " bytes for everything that the user locks, and %s; raise the limit "
      "(ulimit -l, LimitMEMLOCK= of systemd), or lower umem-frames",
      size, (guint64) limit.rlim_cur, privilege);
}

static gboolean
set_ring_size (int fd, int option, guint size, GError **error)
{
  if (!setsockopt (fd, SOL_XDP, option, &size, sizeof size))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not create an AF_XDP ring of %u entries", size);
}

static gpointer
map_ring (int fd, guint64 page_offset, const struct xdp_ring_offset *offset,
    gsize entries_size, AfxdpRingMapping *mapping, GError **error)
{
  gpointer memory = mmap (NULL, offset->desc + entries_size,
      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page_offset);

  if (memory == MAP_FAILED) {
    afxdp_error_set (error, errno, "Could not map an AF_XDP ring");
    return NULL;
  }
  /* It holds the socket as a descriptor does. */
  madvise (memory, offset->desc + entries_size, MADV_DONTFORK);
  mapping->memory = memory;
  mapping->size = offset->desc + entries_size;
  return memory;
}

void
afxdp_xskfd_unmap (AfxdpRingMapping *mapping)
{
  if (mapping->memory)
    munmap (mapping->memory, mapping->size);
  mapping->memory = NULL;
}

static gboolean
ring_offsets (int fd, struct xdp_mmap_offsets *offsets, GError **error)
{
  socklen_t size = sizeof *offsets;

  if (!getsockopt (fd, SOL_XDP, XDP_MMAP_OFFSETS, offsets, &size))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not get the layout of the AF_XDP rings");
}

gboolean
afxdp_xskfd_create_fill_ring (int fd, guint size, struct xsk_ring_prod *ring,
    AfxdpRingMapping *mapping, GError **error)
{
  struct xdp_mmap_offsets offsets;
  guint8 *memory;

  if (!set_ring_size (fd, XDP_UMEM_FILL_RING, size, error) ||
      !set_ring_size (fd, XDP_UMEM_COMPLETION_RING, COMPLETION_SIZE, error) ||
      !set_ring_size (fd, XDP_RX_RING, 1, error) ||
      !ring_offsets (fd, &offsets, error))
    return FALSE;
  memory = map_ring (fd, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr,
      size * sizeof (guint64), mapping, error);
  if (!memory)
    return FALSE;
  *ring = (struct xsk_ring_prod){
    .mask = size - 1,
    .size = size,
    .producer = (guint32 *) (memory + offsets.fr.producer),
    .consumer = (guint32 *) (memory + offsets.fr.consumer),
    .flags = (guint32 *) (memory + offsets.fr.flags),
    .ring = memory + offsets.fr.desc,
    .cached_cons = size,
  };
  return TRUE;
}

gboolean
afxdp_xskfd_create_rx_ring (int fd, guint size, struct xsk_ring_cons *ring,
    AfxdpRingMapping *mapping, GError **error)
{
  struct xdp_mmap_offsets offsets;
  guint8 *memory;

  if (!set_ring_size (fd, XDP_RX_RING, size, error) ||
      !ring_offsets (fd, &offsets, error))
    return FALSE;
  memory = map_ring (fd, XDP_PGOFF_RX_RING, &offsets.rx,
      size * sizeof (struct xdp_desc), mapping, error);
  if (!memory)
    return FALSE;
  *ring = (struct xsk_ring_cons){
    .mask = size - 1,
    .size = size,
    .producer = (guint32 *) (memory + offsets.rx.producer),
    .consumer = (guint32 *) (memory + offsets.rx.consumer),
    .flags = (guint32 *) (memory + offsets.rx.flags),
    .ring = memory + offsets.rx.desc,
  };
  return TRUE;
}

gboolean
afxdp_xskfd_bind (int fd, int ifindex, const gchar *interface, guint queue,
    guint flags, int shared_with, GError **error)
{
  struct sockaddr_xdp address = {
    .sxdp_family = AF_XDP,
    .sxdp_flags = flags,
    .sxdp_ifindex = ifindex,
    .sxdp_queue_id = queue,
    .sxdp_shared_umem_fd = shared_with,
  };

  if (!bind (fd, (struct sockaddr *) &address, sizeof address))
    return TRUE;
  if (errno == EBUSY) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "RX queue %u of %s belongs to an AF_XDP socket of another process: "
        "end it. It may be a child that this process made by clone() while "
        "it received",
        queue, interface);
    return FALSE;
  }
  if (flags & XDP_ZEROCOPY) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The driver of %s refuses zero-copy on RX queue %u: %s", interface,
        queue, g_strerror (errno));
    return FALSE;
  }
  return afxdp_error_set (error, errno,
      "Could not bind an AF_XDP socket to RX queue %u of %s", queue, interface);
}

gboolean
afxdp_xskfd_is_zero_copy (int fd)
{
  struct xdp_options options = { 0 };
  socklen_t size = sizeof options;

  return !getsockopt (fd, SOL_XDP, XDP_OPTIONS, &options, &size) &&
      options.flags & XDP_OPTIONS_ZEROCOPY;
}
