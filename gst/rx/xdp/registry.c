/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The distributors of this process, one for each network interface. */
#include "registry.h"

#include <errno.h>
#include <unistd.h>

#include "error.h"
#include "fork.h"
#include "thread.h"
#include "wakeup.h"

/* Outermost. Protects the table of distributors and their counts; held while
 * one is torn down, since the next one of the interface would find its program
 * still attached. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *distributors;
static guint generation; /* see fork.h */
/* Why zero-copy was left, gchar for the key of each such interface; likewise. */
static GHashTable *left;

static gboolean
start_control_thread (AfxdpDistributor *distributor, GError **error)
{
  distributor->has_thread = afxdp_thread_start (&distributor->thread,
      "afxdp-control", distributor->run, distributor, error);
  return distributor->has_thread;
}

static void
stop_control_thread (AfxdpDistributor *distributor)
{
  if (!distributor->has_thread)
    return;
  afxdp_requests_quit (&distributor->requests);
  pthread_join (distributor->thread, NULL);
}

static void
distributor_free (AfxdpDistributor *distributor)
{
  stop_control_thread (distributor);
  afxdp_grace_clear (&distributor->grace);
  afxdp_interface_clear (&distributor->interface);
  g_free (distributor->failed);
  afxdp_requests_clear (&distributor->requests);
  afxdp_holding_clear (&distributor->holding);
  g_ptr_array_unref (distributor->registrations);
  if (distributor->wake >= 0)
    close (distributor->wake);
  if (distributor->monitor >= 0)
    close (distributor->monitor);
  g_free (distributor);
}

/* With the lock. */
static AfxdpDistributor *
distributor_new (const AfxdpNetdev *netdev, guint64 key,
    gpointer (*run) (gpointer), GError **error)
{
  AfxdpDistributor *distributor = g_new0 (AfxdpDistributor, 1);

  distributor->key = key;
  distributor->run = run;
  afxdp_interface_init (&distributor->interface, netdev,
      left ? g_strdup (g_hash_table_lookup (left, &key)) : NULL);
  distributor->registrations = g_ptr_array_new ();
  distributor->wake = afxdp_wakeup_new ();
  if (distributor->wake < 0)
    afxdp_error_set (error, errno, "Could not create an eventfd");
  distributor->monitor =
      distributor->wake < 0 ? -1 : afxdp_netdev_monitor_new (error);
  afxdp_requests_init (&distributor->requests, distributor->wake);
  afxdp_holding_init (&distributor->holding);
  afxdp_grace_init (&distributor->grace, distributor->wake);
  if (distributor->monitor >= 0 && start_control_thread (distributor, error))
    return distributor;
  distributor_free (distributor);
  return NULL;
}

/* With the lock. */
static AfxdpDistributor *
get (const AfxdpNetdev *netdev, gpointer (*run) (gpointer), GError **error)
{
  guint64 key = afxdp_netdev_namespace () << 32 | (guint32) netdev->index;
  AfxdpDistributor *distributor;

  /* Those of the parent have no control thread here. */
  if (generation != afxdp_fork_generation ())
    distributors = NULL;
  generation = afxdp_fork_generation ();
  if (!distributors)
    distributors = g_hash_table_new (g_int64_hash, g_int64_equal);
  distributor = g_hash_table_lookup (distributors, &key);
  /* An interface that went to another namespace and came back has its index. */
  if (!distributor || atomic_load (&distributor->interface.gone)) {
    distributor = distributor_new (netdev, key, run, error);
    if (distributor)
      g_hash_table_replace (distributors, &distributor->key, distributor);
  }
  if (distributor)
    distributor->refs++;
  return distributor;
}

AfxdpDistributor *
afxdp_registry_get (
    const AfxdpNetdev *netdev, gpointer (*run) (gpointer), GError **error)
{
  AfxdpDistributor *distributor;

  pthread_mutex_lock (&lock);
  distributor = get (netdev, run, error);
  pthread_mutex_unlock (&lock);
  return distributor;
}

void
afxdp_registry_unref (AfxdpDistributor *distributor)
{
  pthread_mutex_lock (&lock);
  if (!--distributor->refs) {
    if (g_hash_table_lookup (distributors, &distributor->key) == distributor)
      g_hash_table_remove (distributors, &distributor->key);
    distributor_free (distributor);
  }
  pthread_mutex_unlock (&lock);
}

AfxdpRegistration *
afxdp_registry_register (AfxdpDistributor *distributor,
    const AfxdpNetdev *netdev, const AfxdpRegistrationSettings *settings,
    int wake)
{
  AfxdpRegistration *registration = afxdp_registration_new (
      &distributor->interface, netdev, settings, distributor->wake, wake);

  registration->distributor = distributor;
  afxdp_requests_make (
      &distributor->requests, registration, AFXDP_REGISTRATION_BEGINS);
  return registration;
}

/* With the lock. An interface that was removed and has come again is another
 * one, even when it has got the same number. */
static void
remember_failure (const AfxdpDistributor *distributor)
{
  if (!left)
    left = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  if (distributor->failed)
    g_hash_table_replace (left,
        g_memdup2 (&distributor->key, sizeof distributor->key),
        g_strdup (distributor->failed));
  else
    g_hash_table_remove (left, &distributor->key);
}

gboolean
afxdp_registry_try_to_succeed (const AfxdpDistributor *former,
    const AfxdpNetdev *netdev, AfxdpDistributor **successor)
{
  if (pthread_mutex_trylock (&lock))
    return FALSE;
  remember_failure (former);
  *successor = get (netdev, former->run, NULL);
  pthread_mutex_unlock (&lock);
  return TRUE;
}
