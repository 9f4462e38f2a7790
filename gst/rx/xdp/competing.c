/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The other UDP sockets of this host. */
#include "competing.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ANY "00000000000000000000000000000000"
#define LONGEST_ADDRESS (sizeof ANY - 1)

/* What is asked of a line of /proc/net/udp and udp6. */
typedef struct
{
  gchar
      address[LONGEST_ADDRESS + 1]; /* as there: in words of the host's order */
  gchar port_text[8]; /* as there, in front of the peer's address */
  guint port;
  gulong own;
  guint ifindex;
} Question;

/* Where a socket of this process is received from. */
typedef struct
{
  gulong socket;
  guint ifindex;
} Own;

/* Whom this process receives for. */
typedef struct
{
  gulong socket;
  guint uid;
} Client;

/* Protects the two tables; innermost. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GArray *owns;    /* Own */
static GArray *clients; /* Client */

void
afxdp_competing_note_own (guint64 socket, guint ifindex)
{
  const Own own = { socket, ifindex };

  if (!socket)
    return;
  pthread_mutex_lock (&lock);
  if (!owns)
    owns = g_array_new (FALSE, FALSE, sizeof (Own));
  g_array_append_val (owns, own);
  pthread_mutex_unlock (&lock);
}

void
afxdp_competing_forget_own (guint64 socket, guint ifindex)
{
  pthread_mutex_lock (&lock);
  for (guint i = 0; owns && i < owns->len; i++) {
    const Own *own = &g_array_index (owns, Own, i);

    if (own->socket != socket || own->ifindex != ifindex)
      continue;
    g_array_remove_index_fast (owns, i);
    break;
  }
  if (owns && !owns->len)
    g_clear_pointer (&owns, g_array_unref);
  pthread_mutex_unlock (&lock);
}

gboolean
afxdp_competing_note_client (guint64 socket, guint32 uid)
{
  const Client client = { socket, uid };

  if (!socket)
    return FALSE;
  pthread_mutex_lock (&lock);
  if (!clients)
    clients = g_array_new (FALSE, FALSE, sizeof (Client));
  g_array_append_val (clients, client);
  pthread_mutex_unlock (&lock);
  return TRUE;
}

void
afxdp_competing_forget_client (guint64 socket, guint32 uid)
{
  pthread_mutex_lock (&lock);
  for (guint i = 0; clients && i < clients->len; i++) {
    const Client *client = &g_array_index (clients, Client, i);

    if (client->socket != socket || client->uid != uid)
      continue;
    g_array_remove_index_fast (clients, i);
    break;
  }
  if (clients && !clients->len)
    g_clear_pointer (&clients, g_array_unref);
  pthread_mutex_unlock (&lock);
}

static gboolean
is_client (gulong socket, guint uid)
{
  gboolean found = FALSE;

  pthread_mutex_lock (&lock);
  for (guint i = 0; clients && i < clients->len; i++) {
    const Client *client = &g_array_index (clients, Client, i);

    found |= client->socket == socket && client->uid == uid;
  }
  pthread_mutex_unlock (&lock);
  return found;
}

/* Whether it is known to be received from, and on no interface but others. */
static gboolean
is_elsewhere (gulong socket, guint ifindex)
{
  gboolean there = FALSE, elsewhere = FALSE;

  pthread_mutex_lock (&lock);
  for (guint i = 0; owns && i < owns->len; i++) {
    const Own *own = &g_array_index (owns, Own, i);

    there |= own->socket == socket && own->ifindex == ifindex;
    elsewhere |= own->socket == socket && own->ifindex != ifindex;
  }
  pthread_mutex_unlock (&lock);
  return elsewhere && !there;
}

static void
write_address (gchar *text, GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  gsize size = g_inet_address_get_native_size (address);
  guint32 word;

  for (gsize i = 0; i < size; i += sizeof word) {
    memcpy (&word, bytes + i, sizeof word);
    sprintf (text + 2 * i, "%08X", word);
  }
}

static gboolean
is_any (const gchar *address)
{
  return !strncmp (address, ANY, strlen (address));
}

static gboolean
meets (const gchar *address, const gchar *wanted)
{
  return is_any (address) || !strcmp (address, wanted) ||
      (is_any (wanted) && strlen (address) == strlen (wanted));
}

static gboolean
answers (const gchar *line, const Question *question)
{
  gchar address[LONGEST_ADDRESS + 1];
  guint port, peer_port, uid;
  gulong inode;

  /* Number, address, peer, state, queues, timer, retransmissions, user, timeout. */
  return sscanf (line,
             "%*u: %32[0-9A-F]:%x %*[0-9A-F]:%x %*s %*s %*s %*s %u %*s %lu",
             address, &port, &peer_port, &uid, &inode) == 5 &&
      port == question->port && !peer_port && inode != question->own &&
      meets (address, question->address) &&
      !is_elsewhere (inode, question->ifindex) && !is_client (inode, uid);
}

/* Adds to n those in a file. Returns 0, or the errno with which it cannot be read. */
static int
count (const gchar *path, const Question *question, guint *n)
{
  FILE *file = fopen (path, "re");
  gchar line[256];
  int error;

  if (!file)
    return errno;
  /* Whole pages of it: for each read the kernel looks from the start for the place
   * where the one before ended. */
  setvbuf (file, NULL, _IOFBF, 4 * 4096);
  /* There may be hundreds, and most are of other ports: taking a line apart costs as
   * much as the kernel took to write it. */
  while (fgets (line, sizeof line, file))
    *n += strstr (line, question->port_text) && answers (line, question);
  error = ferror (file) ? errno : 0;
  fclose (file);
  return error;
}

gboolean
afxdp_competing_sockets_count (
    GInetAddress *address, guint16 port, guint64 own, guint ifindex, guint *n)
{
  gboolean ipv4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;
  Question question = { .port = port, .own = own, .ifindex = ifindex };
  int error;

  write_address (question.address, address);
  g_snprintf (
      question.port_text, sizeof question.port_text, ":%04X ", (guint) port);
  *n = 0;
  /* An IPv6 socket that is bound to any address gets what is IPv4's, too. A kernel
   * without IPv6 has no such file. */
  error = count ("/proc/thread-self/net/udp6", &question, n);
  if (error && !(ipv4 && error == ENOENT))
    return FALSE;
  return !ipv4 || !count ("/proc/thread-self/net/udp", &question, n);
}
