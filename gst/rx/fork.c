/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a child of fork() must not have. */
#include "fork.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  int fd;
  guint64 inode; /* of a socket: its own, and its owner may close it */
  int family;    /* of what the child gets for it, or 0: nothing */
} Entry;

/* Innermost. Protects entries. Held over a fork, so that they are whole in the
 * child. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GArray *entries;
static gint generation;

static void
before_fork (void)
{
  pthread_mutex_lock (&lock);
}

static void
in_parent (void)
{
  pthread_mutex_unlock (&lock);
}

/* Nothing here that may not be called in the child of a process with threads. */
static void
take_away (const Entry *entry)
{
  struct stat status;
  int other;

  if (fstat (entry->fd, &status) || status.st_ino != entry->inode)
    return;
  if (!entry->family) {
    close (entry->fd);
    return;
  }
  other = socket (entry->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (other < 0)
    return;
  dup3 (other, entry->fd, O_CLOEXEC);
  close (other);
}

static void
in_child (void)
{
  for (guint i = 0; i < entries->len; i++)
    take_away (&g_array_index (entries, Entry, i));
  g_array_set_size (entries, 0);
  g_atomic_int_inc (&generation);
  pthread_mutex_unlock (&lock);
}

static void
begin (void)
{
  entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  pthread_atfork (before_fork, in_parent, in_child);
}

static void
add (int fd, int family)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  struct stat status = { 0 };
  Entry entry = { .fd = fd, .family = family };

  pthread_once (&once, begin);
  fstat (fd, &status);
  entry.inode = status.st_ino;
  pthread_mutex_lock (&lock);
  g_array_append_val (entries, entry);
  pthread_mutex_unlock (&lock);
}

void
afxdp_fork_withhold (int fd)
{
  add (fd, 0);
}

void
afxdp_fork_replace (int fd, int family)
{
  add (fd, family);
}

gboolean
afxdp_fork_forget (int fd)
{
  gboolean known = FALSE;

  pthread_mutex_lock (&lock);
  /* Also that of a former socket, which its owner had closed. */
  for (guint i = entries ? entries->len : 0; i-- > 0;)
    if (g_array_index (entries, Entry, i).fd == fd) {
      g_array_remove_index_fast (entries, i);
      known = TRUE;
    }
  pthread_mutex_unlock (&lock);
  return known;
}

void
afxdp_fork_close (int fd)
{
  if (afxdp_fork_forget (fd) || !afxdp_fork_generation ())
    close (fd);
}

guint
afxdp_fork_generation (void)
{
  return g_atomic_int_get (&generation);
}
