/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds an interface, and waits for it while it is away. */
#include "hold.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "error.h"
#include "log.h"
#include "registry.h"
#include "thread.h"
#include "wakeup.h"

/* How often it is looked for an interface that is away, and whether it still is the
 * one that is held; and how soon again when the registry is in use. */
#define LOOK_INTERVAL AFXDP_S
#define REGISTRY_INTERVAL (20 * AFXDP_MS)

struct _AfxdpHold
{
  gchar name[IF_NAMESIZE];
  AfxdpRegistrationSettings settings;
  AfxdpHoldNews news;
  gpointer user_data;
  pthread_t thread;
  int wake;
  atomic_bool quit;

  /* The thread's own, once it runs. */
  AfxdpDistributor *distributor; /* NULL: the interface is away */

  pthread_mutex_t lock; /* innermost; protects state */
  AfxdpHoldState state;
};

void
afxdp_hold_state_clear (AfxdpHoldState *state)
{
  g_clear_pointer (&state->reason, g_free);
}

void
afxdp_hold_state (AfxdpHold *hold, AfxdpHoldState *state)
{
  pthread_mutex_lock (&hold->lock);
  *state = hold->state;
  state->reason = g_strdup (hold->state.reason);
  pthread_mutex_unlock (&hold->lock);
}

/* Those that nobody has to be told of are the interface's. */
static gboolean
is_news (const AfxdpHoldState *former, const AfxdpHoldState *now)
{
  return former->there != now->there || former->attached != now->attached ||
      former->xdp_mode != now->xdp_mode ||
      g_strcmp0 (former->reason, now->reason);
}

/* Takes reason. */
static void
set_state (AfxdpHold *hold, const AfxdpHoldState *state)
{
  AfxdpHoldState former;

  pthread_mutex_lock (&hold->lock);
  former = hold->state;
  hold->state = *state;
  hold->state.since =
      former.attached == state->attached ? former.since : afxdp_now ();
  pthread_mutex_unlock (&hold->lock);
  /* The state is written by one thread at a time: whoever has the interface. */
  if (is_news (&former, state))
    hold->news (hold->user_data, state);
  afxdp_hold_state_clear (&former);
}

/* In the control thread. */
static void
tell (gpointer holder, const AfxdpInterface *interface)
{
  const AfxdpAttachment *attachment = &interface->attachment;
  AfxdpHold *hold = holder;
  AfxdpHoldState state = {
    .there = TRUE,
    .netdev = interface->netdev,
    .attached = attachment->attached,
  };

  if (attachment->attached)
    state.xdp_mode = afxdp_xdpprog_mode (attachment->engine->prog);
  else if (attachment->error)
    state.reason = g_strdup (attachment->error->message);
  set_state (hold, &state);
}

/* The interface is away, as error says. */
static void
tell_absence (AfxdpHold *hold, const GError *error)
{
  AfxdpHoldState state = {
    .netdev = hold->state.netdev, /* nobody else writes it now */
    .reason = g_strdup (error->message),
  };

  set_state (hold, &state);
}

/* What is there is held from now on. */
static void
begin (AfxdpHold *hold, AfxdpDistributor *distributor)
{
  hold->distributor = distributor;
  afxdp_holding_begin (&distributor->holding, &hold->settings, tell, hold);
  afxdp_wakeup_signal (distributor->wake);
}

static void
end (AfxdpHold *hold)
{
  afxdp_holding_end (&hold->distributor->holding);
  afxdp_registry_unref (g_steal_pointer (&hold->distributor));
}

/* Looks for the interface, which is away. */
static void
look (AfxdpHold *hold)
{
  g_autoptr (GError) error = NULL;
  AfxdpDistributor *distributor = NULL;
  AfxdpNetdev netdev;

  if (afxdp_netdev_by_name (hold->name, &netdev, &error))
    distributor = afxdp_registry_get (&netdev, afxdp_control_run, &error);
  if (distributor)
    begin (hold, distributor);
  else
    tell_absence (hold, error);
}

/* The interface was removed, or is left for copy mode, which another distributor has
 * then. FALSE: not just now. */
static gboolean
go_over (AfxdpHold *hold)
{
  AfxdpDistributor *successor = NULL;
  g_autoptr (GError) error = NULL;
  AfxdpNetdev netdev;

  if (afxdp_netdev_by_name (hold->name, &netdev, &error) &&
      !afxdp_registry_try_to_succeed (hold->distributor, &netdev, &successor))
    return FALSE;
  end (hold);
  if (successor)
    begin (hold, successor);
  else if (error)
    tell_absence (hold, error);
  return TRUE;
}

/* Returns after how long to look again. */
static guint64
follow (AfxdpHold *hold)
{
  if (!hold->distributor)
    look (hold);
  else if (atomic_load (&hold->distributor->interface.gone) && !go_over (hold))
    return REGISTRY_INTERVAL;
  return LOOK_INTERVAL;
}

static gpointer
run (gpointer data)
{
  AfxdpHold *hold = data;
  guint64 pause = LOOK_INTERVAL;

  for (;;) {
    struct pollfd fd = { .fd = hold->wake, .events = POLLIN };

    poll (&fd, 1, pause / AFXDP_MS);
    if (atomic_load (&hold->quit))
      return NULL;
    pause = follow (hold);
  }
}

static void
hold_free (AfxdpHold *hold)
{
  if (hold->distributor)
    end (hold);
  if (hold->wake >= 0)
    close (hold->wake);
  pthread_mutex_destroy (&hold->lock);
  afxdp_hold_state_clear (&hold->state);
  g_free (hold);
}

/* What is there is known from the beginning. */
static gboolean
start (AfxdpHold *hold, GError **error)
{
  g_autoptr (GError) absent = NULL;
  AfxdpDistributor *distributor;

  hold->wake = afxdp_wakeup_new ();
  if (hold->wake < 0)
    return afxdp_error_set (error, errno, "Could not create an eventfd");
  if (!afxdp_netdev_by_name (hold->name, &hold->state.netdev, &absent)) {
    g_strlcpy (hold->state.netdev.name, hold->name, IF_NAMESIZE);
    tell_absence (hold, absent);
  } else {
    distributor =
        afxdp_registry_get (&hold->state.netdev, afxdp_control_run, error);
    if (!distributor)
      return FALSE;
    hold->state.there = TRUE;
    begin (hold, distributor);
  }
  return afxdp_thread_start (&hold->thread, "afxdp-hold", run, hold, error);
}

AfxdpHold *
afxdp_hold_new (const gchar *interface, const AfxdpHoldSettings *settings,
    AfxdpHoldNews news, gpointer user_data, GError **error)
{
  AfxdpHold *hold = g_new0 (AfxdpHold, 1);

  g_strlcpy (hold->name, interface, sizeof hold->name);
  hold->settings = (AfxdpRegistrationSettings){
    .socket_only = !settings->attaches,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .umem_frames = settings->umem_frames,
    .ring_size = settings->ring_size,
  };
  hold->state.since = afxdp_now ();
  hold->news = news;
  hold->user_data = user_data;
  pthread_mutex_init (&hold->lock, NULL);
  if (start (hold, error))
    return hold;
  hold_free (hold);
  return NULL;
}

void
afxdp_hold_free (AfxdpHold *hold)
{
  if (!hold)
    return;
  atomic_store (&hold->quit, TRUE);
  afxdp_wakeup_signal (hold->wake);
  pthread_join (hold->thread, NULL);
  hold_free (hold);
}
