/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for other processes: how it is made and sealed. */
#include "sharedmemory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"

/* Linux 5.1; older headers do not know it. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
/* Linux 5.14; before, the first packets pay for it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PIECE (1 << 20)

/* There is no page that a later access could find missing: that would end the process
 * by SIGBUS. */
static gboolean
reserve (int fd, guint64 size)
{
  int result;

  if (ftruncate (fd, size))
    return FALSE;
  do
    result = fallocate (fd, 0, 0, size);
  while (result && errno == EINTR);
  return !result;
}

/* In pieces: while one is populated, a thread that changes the process's mappings waits,
 * and so do, behind it, those of all other threads that have page faults. */
static gboolean
map (AfxdpSharedMemory *memory)
{
  guint8 *address = mmap (
      NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);

  if (address == MAP_FAILED)
    return FALSE;
  memory->address = address;
  /* Both save page faults, and are not worth an error: RLIMIT_MEMLOCK may be small. */
  for (guint64 at = 0; at < memory->size; at += PIECE) {
    guint64 size = MIN (PIECE, memory->size - at);

    madvise (address + at, size, MADV_POPULATE_WRITE);
    mlock (address + at, size);
  }
  return TRUE;
}

/* What others are to write to can still get holes (FALLOC_FL_PUNCH_HOLE, MADV_REMOVE):
 * F_SEAL_WRITE alone forbids that, and it forbids writing. A hole costs us a page fault,
 * and then reads as zeros, which its owner could have written as well. */
static gboolean
seal (int fd, AfxdpSharedAccess access)
{
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

  if (access == AFXDP_SHARED_READ)
    seals |= F_SEAL_FUTURE_WRITE;
  return !fcntl (fd, F_ADD_SEALS, seals);
}

static int
open_again (int fd, int flags)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  return open (path, flags | O_CLOEXEC);
}

/* The kernel counts who has opened a file, but not memfd_create(): so that is left, and
 * ours and the others' are opened. Without /proc all have the one that was made. */
static void
part_from_others (AfxdpSharedMemory *memory, AfxdpSharedAccess access)
{
  int own = open_again (memory->fd, O_RDWR);
  int others = own < 0 ? -1
                       : open_again (memory->fd,
                             access == AFXDP_SHARED_READ ? O_RDONLY : O_RDWR);

  if (others >= 0) {
    close (memory->fd);
    memory->fd = others;
    memory->own = own;
  } else if (own >= 0) {
    close (own);
  }
}

gboolean
afxdp_shared_memory_init (AfxdpSharedMemory *memory, const gchar *name,
    guint64 size, AfxdpSharedAccess access, GError **error)
{
  *memory = (AfxdpSharedMemory){ .size = size, .own = -1 };
  memory->fd = memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory->fd < 0)
    return afxdp_error_set (
        error, errno, "Could not make the shared memory \"%s\"", name);
  errno = ENOMEM;
  if (size <= G_MAXSSIZE && reserve (memory->fd, size) && map (memory) &&
      seal (memory->fd, access)) {
    part_from_others (memory, access);
    return TRUE;
  }
  afxdp_error_set (error, errno == ENOSPC ? ENOMEM : errno,
      "Could not reserve, map and seal %" G_GUINT64_FORMAT
      " bytes of shared memory \"%s\"",
      size, name);
  afxdp_shared_memory_clear (memory);
  return FALSE;
}

void
afxdp_shared_memory_clear (AfxdpSharedMemory *memory)
{
  if (memory->address)
    munmap (memory->address, memory->size);
  if (memory->fd >= 0)
    close (memory->fd);
  if (memory->own >= 0)
    close (memory->own);
  *memory = (AfxdpSharedMemory){ .fd = -1, .own = -1 };
}

int
afxdp_shared_memory_leave (AfxdpSharedMemory *memory)
{
  int own = memory->own;

  memory->own = -1;
  afxdp_shared_memory_clear (memory);
  return own;
}

/* A write lease is for who alone has the file open; what is mapped is open. */
gboolean
afxdp_shared_memory_is_held (int descriptor)
{
  if (fcntl (descriptor, F_SETLEASE, F_WRLCK))
    return errno == EAGAIN;
  fcntl (descriptor, F_SETLEASE, F_UNLCK);
  return FALSE;
}
