/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The receivers of this process by their names. */
#include "receivers.h"

#include <pthread.h>

#include "fork.h"
#include "log.h"

typedef struct
{
  AfxdpReceiver *receiver;
  guint n_users;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *entries; /* name, which is the receiver's, -> Entry */
static guint generation;    /* see fork.h */

/* Those of the parent have no thread here. Called with the lock. */
static void
forget_parents (void)
{
  if (generation != afxdp_fork_generation ())
    entries = NULL;
  generation = afxdp_fork_generation ();
  if (!entries)
    entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
}

/* Called with the lock. */
static Entry *
find_or_make (
    const gchar *name, const AfxdpReceiverSettings *settings, GError **error)
{
  AfxdpReceiver *receiver;
  Entry *entry;

  forget_parents ();
  entry = g_hash_table_lookup (entries, name);
  if (entry)
    return entry;
  receiver = afxdp_receiver_new (name, settings, error);
  if (!receiver)
    return NULL;
  AFXDP_INFO (AFXDP_LOG_STREAM, name, "the receiver begins");
  entry = g_new0 (Entry, 1);
  entry->receiver = receiver;
  g_hash_table_insert (
      entries, (gpointer) afxdp_receiver_name (receiver), entry);
  return entry;
}

AfxdpReceiver *
afxdp_receivers_get (
    const gchar *name, const AfxdpReceiverSettings *settings, GError **error)
{
  Entry *entry;

  pthread_mutex_lock (&lock);
  entry = find_or_make (name, settings, error);
  if (entry)
    entry->n_users++;
  pthread_mutex_unlock (&lock);
  return entry ? entry->receiver : NULL;
}

void
afxdp_receivers_let_go (AfxdpReceiver *receiver)
{
  const gchar *name = afxdp_receiver_name (receiver);
  Entry *entry;
  gboolean last;

  pthread_mutex_lock (&lock);
  forget_parents ();
  entry = g_hash_table_lookup (entries, name);
  /* The parent's is left as it is. */
  last = entry && entry->receiver == receiver && !--entry->n_users;
  if (last)
    g_hash_table_remove (entries, name);
  pthread_mutex_unlock (&lock);
  if (!last)
    return;
  AFXDP_INFO (AFXDP_LOG_STREAM, name, "the receiver ends");
  afxdp_receiver_free (receiver);
}
