/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection to the distributor daemon. */
#include "clientlink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "fork.h"
#include "namespaces.h"
#include "sources.h"

/* Longer than any message that a daemon may send. */
#define LONGEST (sizeof (struct afxdp_path) + 8)
#define MOST_DESCRIPTORS 2
/* That are taken in a row: a daemon that talks without end must not hold up the thread. */
#define MOST_MESSAGES 64

typedef struct
{
  union
  {
    struct afxdp_message head;
    struct afxdp_welcome welcome;
    struct afxdp_opened opened;
    struct afxdp_refused refused;
    struct afxdp_path path;
    guint8 bytes[LONGEST];
  };
  gsize size;
  int fds[MOST_DESCRIPTORS];
  guint n_fds;
  gboolean cut; /* there were more descriptors, or there is no room for them */
} Message;

void
afxdp_client_link_init (AfxdpClientLink *link, const gchar *path, int epoll)
{
  *link = (AfxdpClientLink){
    .path = g_strdup (path),
    .epoll = epoll,
    .fd = -1,
    .memory = -1,
    .words = -1,
  };
}

static void
close_descriptor (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

void
afxdp_client_link_end (AfxdpClientLink *link)
{
  if (link->fd >= 0) {
    /* Another process may have it too, one that is about to call exec(): then closing it
     * would leave it there. */
    if (link->epoll >= 0)
      epoll_ctl (link->epoll, EPOLL_CTL_DEL, link->fd, NULL);
    afxdp_fork_close (link->fd);
  }
  link->fd = -1;
  close_descriptor (&link->memory);
  close_descriptor (&link->words);
  if (link->beat)
    munmap ((gpointer) link->beat, sizeof *link->beat);
  link->beat = NULL;
  link->has_path = FALSE;
  link->state = AFXDP_LINK_DOWN;
}

void
afxdp_client_link_clear (AfxdpClientLink *link)
{
  afxdp_client_link_end (link);
  g_clear_pointer (&link->path, g_free);
}

/* Sending. */

static gboolean
say (AfxdpClientLink *link, gconstpointer message, gsize size, GError **error)
{
  if (send (link->fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
      (gssize) size)
    return TRUE;
  afxdp_error_set (
      error, errno, "Could not write to the distributor at %s", link->path);
  afxdp_client_link_end (link);
  return FALSE;
}

static gboolean
watch (const AfxdpClientLink *link, GError **error)
{
  struct epoll_event event = { .events = EPOLLIN };

  if (link->epoll < 0 ||
      !epoll_ctl (link->epoll, EPOLL_CTL_ADD, link->fd, &event))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not watch the distributor's socket");
}

gboolean
afxdp_client_link_connect (AfxdpClientLink *link, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const struct afxdp_hello hello = {
    .message = { AFXDP_MESSAGE_HELLO, sizeof hello },
    .version = AFXDP_PROTOCOL_VERSION,
  };

  if (g_strlcpy (address.sun_path, link->path, sizeof address.sun_path) >=
      sizeof address.sun_path) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "The path of the distributor's socket, %s, is longer than %u bytes: "
        "choose another",
        link->path, (guint) sizeof address.sun_path - 1);
    return FALSE;
  }
  link->fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (link->fd < 0)
    return afxdp_error_set (
        error, errno, "Could not create a socket for the distributor");
  afxdp_fork_withhold (link->fd);
  if (!watch (link, error)) {
    afxdp_client_link_end (link);
    return FALSE;
  }
  if (connect (link->fd, (struct sockaddr *) &address, sizeof address)) {
    int errnum = errno;

    afxdp_client_link_end (link);
    if (errnum == ENOENT || errnum == ECONNREFUSED) {
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
          "No distributor listens at %s", link->path);
      return FALSE;
    }
    return afxdp_error_set (error, errnum,
        "Could not connect to the distributor at %s", link->path);
  }
  if (!say (link, &hello, sizeof hello, error))
    return FALSE;
  link->state = AFXDP_LINK_GREETING;
  return TRUE;
}

gboolean
afxdp_client_link_open (
    AfxdpClientLink *link, struct afxdp_open *open, GError **error)
{
  open->message = (struct afxdp_message){ AFXDP_MESSAGE_OPEN, sizeof *open };
  if (!say (link, open, sizeof *open, error))
    return FALSE;
  link->state = AFXDP_LINK_OPENING;
  return TRUE;
}

/* What the daemon says. Each of these returns FALSE if it breaks the protocol. */

static int
take_descriptor (Message *message, guint i)
{
  int fd = message->fds[i];

  message->fds[i] = -1;
  return fd;
}

/* What can be cut off would end this process by SIGBUS. */
static gboolean
is_whole (int fd, guint64 size)
{
  struct stat status;
  int seals = fcntl (fd, F_GET_SEALS);

  return seals >= 0 && (seals & F_SEAL_SHRINK) && !fstat (fd, &status) &&
      (guint64) status.st_size >= size;
}

static gboolean
take_welcome (AfxdpClientLink *link, Message *message)
{
  const struct afxdp_welcome *welcome = &message->welcome;
  gpointer beat;

  if (link->state != AFXDP_LINK_GREETING || message->n_fds != 1 ||
      welcome->version != AFXDP_PROTOCOL_VERSION ||
      !is_whole (message->fds[0], sizeof (struct afxdp_beat)))
    return FALSE;
  beat = mmap (NULL, sizeof (struct afxdp_beat), PROT_READ, MAP_SHARED,
      message->fds[0], 0);
  if (beat == MAP_FAILED)
    return FALSE;
  link->beat = beat;
  link->network = welcome->network;
  /* Any number may be told. */
  link->clock =
      (guint64) afxdp_namespaces_clock_offset () - welcome->monotonic_offset;
  link->state = AFXDP_LINK_MET;
  return TRUE;
}

static gboolean
take_opened (AfxdpClientLink *link, Message *message)
{
  if (link->state != AFXDP_LINK_OPENING || message->n_fds != 2 ||
      !is_whole (message->fds[0], message->opened.memory_size) ||
      !is_whole (message->fds[1], message->opened.words_size))
    return FALSE;
  message->opened.interface[sizeof message->opened.interface - 1] = 0;
  if (!g_utf8_validate (message->opened.interface, -1, NULL))
    return FALSE;
  link->opened = message->opened;
  link->memory = take_descriptor (message, 0);
  link->words = take_descriptor (message, 1);
  link->state = AFXDP_LINK_OPEN;
  return TRUE;
}

static gboolean
take_path (AfxdpClientLink *link, Message *message)
{
  struct afxdp_path *path = &message->path;

  path->reason[sizeof path->reason - 1] = 0;
  if (link->state != AFXDP_LINK_OPEN || path->path < 1 || path->path > 2 ||
      path->n_queues > AFXDP_PROTOCOL_QUEUES ||
      path->error > AFXDP_ERROR_DOWN + 1 ||
      !g_utf8_validate (path->reason, -1, NULL))
    return FALSE;
  link->news = *path;
  link->has_path = TRUE;
  return TRUE;
}

static void
take_refusal (
    const AfxdpClientLink *link, const Message *message, GError **error)
{
  const struct afxdp_refused *refused = &message->refused;
  g_autofree gchar *text = g_strndup (refused->text, sizeof refused->text - 1);
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);

  g_set_error (error, AFXDP_ERROR,
      refused->code <= AFXDP_ERROR_DOWN ? refused->code : AFXDP_ERROR_FAILED,
      link->state == AFXDP_LINK_OPEN
          ? "The distributor has ended the stream: %s"
          : "The distributor refuses: %s",
      valid);
}

static const gsize sizes[] = {
  [AFXDP_MESSAGE_WELCOME] = sizeof (struct afxdp_welcome),
  [AFXDP_MESSAGE_OPENED] = sizeof (struct afxdp_opened),
  [AFXDP_MESSAGE_REFUSED] = sizeof (struct afxdp_refused),
  [AFXDP_MESSAGE_PATH] = sizeof (struct afxdp_path),
  [AFXDP_MESSAGE_WAKE] = sizeof (struct afxdp_wake),
};

static gboolean
take (AfxdpClientLink *link, Message *message, GError **error)
{
  guint32 type = message->head.type;
  gboolean sound = message->size >= sizeof message->head && !message->cut &&
      message->head.size == message->size && type < G_N_ELEMENTS (sizes) &&
      sizes[type] == message->size;

  if (sound)
    switch (type) {
      case AFXDP_MESSAGE_WELCOME:
        sound = take_welcome (link, message);
        break;
      case AFXDP_MESSAGE_OPENED:
        sound = take_opened (link, message);
        break;
      case AFXDP_MESSAGE_PATH:
        sound = take_path (link, message);
        break;
      case AFXDP_MESSAGE_REFUSED:
        take_refusal (link, message, error);
        return FALSE;
      case AFXDP_MESSAGE_WAKE:
        break;
    }
  if (!sound)
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
        "The distributor at %s does not keep to the protocol (message %u of "
        "%" G_GSIZE_FORMAT " bytes%s). Are both of one version?",
        link->path, message->size >= sizeof message->head ? type : 0,
        message->size,
        message->cut ? ", with too many descriptors, or more than this process "
                       "may open (ulimit -n)"
                     : "");
  return sound;
}

static void
take_descriptors (Message *message, struct msghdr *header)
{
  for (struct cmsghdr *control = CMSG_FIRSTHDR (header); control;
       control = CMSG_NXTHDR (header, control)) {
    guint n = (control->cmsg_len - CMSG_LEN (0)) / sizeof (int);

    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
      continue;
    n = MIN (n, MOST_DESCRIPTORS - message->n_fds);
    memcpy (
        &message->fds[message->n_fds], CMSG_DATA (control), n * sizeof (int));
    message->n_fds += n;
  }
}

/* Returns whether there is a message, or the end (of size 0). */
static gboolean
receive (AfxdpClientLink *link, Message *message)
{
  union
  {
    struct cmsghdr align;
    guint8 bytes[CMSG_SPACE (MOST_DESCRIPTORS * sizeof (int))];
  } control;
  struct iovec vector = { message->bytes, sizeof message->bytes };
  struct msghdr header = {
    .msg_iov = &vector,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  gssize size;

  message->n_fds = 0;
  message->head = (struct afxdp_message){ 0 };
  do
    size = recvmsg (link->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return FALSE;
  message->size = MAX (size, 0);
  message->cut = size >= 0 && (header.msg_flags & MSG_CTRUNC);
  /* Nothing at all may have some, too. */
  if (size >= 0)
    take_descriptors (message, &header);
  return TRUE;
}

gboolean
afxdp_client_link_read (AfxdpClientLink *link, GError **error)
{
  Message message;

  if (link->fd < 0) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "There is no connection to the distributor at %s", link->path);
    return FALSE;
  }
  for (guint i = 0; i < MOST_MESSAGES && receive (link, &message); i++) {
    gboolean sound = FALSE;

    if (message.size)
      sound = take (link, &message, error);
    else
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
          "The distributor at %s has hung up", link->path);
    for (guint j = 0; j < message.n_fds; j++)
      close_descriptor (&message.fds[j]);
    if (!sound) {
      afxdp_client_link_end (link);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
afxdp_client_link_wait (AfxdpClientLink *link, AfxdpLinkState state,
    guint timeout_ms, GError **error)
{
  guint64 deadline = afxdp_now () + timeout_ms * AFXDP_MS;

  while (afxdp_client_link_read (link, error)) {
    guint64 now = afxdp_now ();
    struct pollfd fd = { .fd = link->fd, .events = POLLIN };

    if (link->state >= state)
      return TRUE;
    if (now >= deadline) {
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
          "The distributor at %s does not answer within %u ms", link->path,
          timeout_ms);
      afxdp_client_link_end (link);
      return FALSE;
    }
    poll (&fd, 1, (deadline - now) / AFXDP_MS + 1);
  }
  return FALSE;
}

gboolean
afxdp_client_link_beats (const AfxdpClientLink *link, guint64 now)
{
  guint64 beat;

  if (!link->beat)
    return FALSE;
  beat = __atomic_load_n (&link->beat->time, __ATOMIC_RELAXED) +
      (guint64) link->clock;
  return (gint64) (now - beat) < (gint64) AFXDP_PROTOCOL_BEAT_PATIENCE;
}
