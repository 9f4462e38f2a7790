/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A listening socket, and its file. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"
#include "notify.h"

/* Since Linux 6.16; the C library's headers may be older. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

#define BACKLOG 64
#define DIRECTORY_MODE 0755
#define FILE_MODE 0660
#define LOCK_MODE 0600

struct _AfxdpListener
{
  int socket;
  int lock;         /* of that file; -1: there is none */
  gchar *lock_path; /* NULL: it is not ours */
  gchar *path;      /* of the file that is ours; NULL: none is */
  /* What the file is: another daemon may have put its own there since. */
  dev_t device;
  ino_t inode;
};

static int
make_socket (void)
{
  return socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static struct sockaddr_un
address_of (const gchar *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  return address;
}

int
afxdp_listener_connect (const gchar *path)
{
  const struct sockaddr_un address = address_of (path);
  int fd = make_socket (), errnum;

  if (fd < 0 ||
      !connect (fd, (const struct sockaddr *) &address, sizeof address))
    return fd;
  errnum = errno;
  close (fd);
  errno = errnum;
  return -1;
}

static gboolean
refuse_as_taken (const gchar *path, GError **error)
{
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE,
      "Another daemon has %s: end that, or give this one another --socket",
      path);
  return FALSE;
}

/* Whether the file is still the one that is locked: its owner removes it when he ends. */
static gboolean
is_in_place (int lock, const gchar *path)
{
  struct stat ours, there;

  return !fstat (lock, &ours) && !lstat (path, &there) &&
      ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Of two daemons that start at once both would find a file that nobody listens at, and
 * one would remove what the other has just made. The kernel lets go of the lock when a
 * daemon is killed. */
static gboolean
lock (AfxdpListener *listener, const gchar *path, GError **error)
{
  g_autofree gchar *lock_path = g_strconcat (path, ".lock", NULL);

  while (!listener->lock_path) {
    listener->lock = open (lock_path,
        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, LOCK_MODE);
    if (listener->lock < 0)
      return afxdp_error_set (error, errno, "Could not make %s", lock_path);
    if (flock (listener->lock, LOCK_EX | LOCK_NB))
      return errno == EWOULDBLOCK
          ? refuse_as_taken (path, error)
          : afxdp_error_set (error, errno, "Could not lock %s", lock_path);
    if (is_in_place (listener->lock, lock_path))
      listener->lock_path = g_steal_pointer (&lock_path);
    else
      close (listener->lock);
  }
  return TRUE;
}

static void
unlock (AfxdpListener *listener)
{
  if (listener->lock_path)
    unlink (listener->lock_path);
  if (listener->lock >= 0)
    close (listener->lock);
  g_free (listener->lock_path);
}

/* A file that nobody listens at is one that a daemon left which was killed. Anything but
 * a socket is somebody else's, and bind() says so. */
static gboolean
remove_stale (const gchar *path, GError **error)
{
  struct stat status;
  int fd;

  if (lstat (path, &status) || !S_ISSOCK (status.st_mode))
    return TRUE;
  fd = afxdp_listener_connect (path);
  if (fd < 0 && errno == ECONNREFUSED) {
    if (!unlink (path))
      return TRUE;
    return afxdp_error_set (
        error, errno, "Could not remove %s, which another daemon left", path);
  }
  /* EAGAIN: its backlog is full. */
  if (fd < 0 && errno != EAGAIN)
    return afxdp_error_set (
        error, errno, "Could not find out whether a daemon has %s", path);
  if (fd >= 0)
    close (fd);
  return refuse_as_taken (path, error);
}

static gboolean
make_directory (const gchar *path, GError **error)
{
  g_autofree gchar *directory = g_path_get_dirname (path);

  if (!g_mkdir_with_parents (directory, DIRECTORY_MODE))
    return TRUE;
  return afxdp_error_set (error, errno,
      "Could not make the directory %s of the socket: start the daemon as "
      "root, or give it another --socket",
      directory);
}

static gboolean
find_group (const gchar *name, gid_t *gid, GError **error)
{
  const struct group *group;

  *gid = (gid_t) -1;
  if (!name)
    return TRUE;
  group = getgrnam (name);
  if (group) {
    *gid = group->gr_gid;
    return TRUE;
  }
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
      "There is no group %s, whose members were to connect: add it (groupadd "
      "--system %s), or mend group=",
      name, name);
  return FALSE;
}

/* Nobody connects before the file has its group and mode: it listens after that. */
static gboolean
bind_file (
    AfxdpListener *listener, const gchar *path, gid_t gid, GError **error)
{
  const struct sockaddr_un address = address_of (path);
  struct stat status;

  if (bind (
          listener->socket, (const struct sockaddr *) &address, sizeof address))
    return afxdp_error_set (error, errno,
        "Could not make the socket %s: a file that is none may be there", path);
  if (!lstat (path, &status)) {
    listener->path = g_strdup (path);
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
  }
  if (chown (path, (uid_t) -1, gid) || chmod (path, FILE_MODE))
    return afxdp_error_set (error, errno,
        "Could not give %s to the group whose members connect: start the "
        "daemon as root or as a member of it",
        path);
  if (!listen (listener->socket, BACKLOG))
    return TRUE;
  return afxdp_error_set (error, errno, "Could not listen at %s", path);
}

static gboolean
make (AfxdpListener *listener, const AfxdpDaemonSettings *settings,
    GError **error)
{
  gid_t gid;

  if (!find_group (settings->group, &gid, error) ||
      !make_directory (settings->socket, error) ||
      !lock (listener, settings->socket, error) ||
      !remove_stale (settings->socket, error))
    return FALSE;
  listener->socket = make_socket ();
  if (listener->socket < 0)
    return afxdp_error_set (error, errno, "Could not make a socket");
  return bind_file (listener, settings->socket, gid, error);
}

/* Those that connect get it too. An older kernel lets descriptors come, and the last
 * close() of one may wait: a TCP socket's with SO_LINGER. */
static void
forbid_descriptors (int socket)
{
  const int no = 0;

  setsockopt (socket, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no);
}

AfxdpListener *
afxdp_listener_new (const AfxdpDaemonSettings *settings, GError **error)
{
  g_autoptr (AfxdpListener) listener = g_new0 (AfxdpListener, 1);

  listener->lock = -1;
  if (!afxdp_notify_socket (&listener->socket, error))
    return NULL;
  if (listener->socket < 0 && !make (listener, settings, error))
    return NULL;
  forbid_descriptors (listener->socket);
  fcntl (listener->socket, F_SETFL,
      fcntl (listener->socket, F_GETFL) | O_NONBLOCK);
  return g_steal_pointer (&listener);
}

void
afxdp_listener_free (AfxdpListener *listener)
{
  struct stat status;

  if (!listener)
    return;
  if (listener->path && !lstat (listener->path, &status) &&
      status.st_dev == listener->device && status.st_ino == listener->inode)
    unlink (listener->path);
  if (listener->socket >= 0)
    close (listener->socket);
  unlock (listener);
  g_free (listener->path);
  g_free (listener);
}

int
afxdp_listener_socket (const AfxdpListener *listener)
{
  return listener->socket;
}
