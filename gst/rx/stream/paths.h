/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two paths of a stream: which of them is open, what is told of it, and
 * which of their packets comes next while one follows the other (law 1).
 *
 * For the streaming thread. None of it sleeps.
 */
#pragma once

#include "inputs.h"
#include "pathchange.h"
#include "provider.h"

G_BEGIN_DECLS

typedef struct
{
  /* Hot: for each batch. */
  AfxdpInputs *inputs;
  AfxdpSubscription *subscription; /* NULL: we have no fast path of our own */
  AfxdpProvider *provider;         /* whose fast path it is then, or NULL */
  guint version;                   /* of fast */
  gboolean open;      /* our word on it; the program may know better */
  gboolean exhausted; /* closed because the credit was used up, */
  gboolean settling;  /* one path follows the other: the order is not certain */
  gboolean changed;   /* change is to be told */
  guint grace;        /* ticket: after it, first has got all it will get */
  /* whose packets are older, while settling; NONE: the paths changed again
   * before that was certain */
  AfxdpPath first;
  guint64 settle_by;
  AfxdpFastPath fast;

  /* Cold: for each change. */
  const gchar *name; /* of the stream, in the log */
  const gchar *interface;
  const gchar *slow_reason;  /* why there is only the socket */
  gchar *competing;          /* who else wants what fast takes; owned */
  gboolean dropping;         /* while exhausted: ring and socket have no room */
  gboolean no_frame;         /* exhausted, since the frames were used up */
  guint64 no_frames;         /* the program's count of that, at the opening */
  guint64 tell_exhausted_at; /* not again before */
  AfxdpPathChange change;    /* what was told, or is to be */
  AfxdpPath noted;           /* what is so, told or not */
  guint n_changes;           /* so often it has become another one */
} AfxdpPaths;

/* paths is all zeros. The others must outlive it. slow_reason: why there is only the
 * socket, or NULL. */
void afxdp_paths_init (AfxdpPaths *paths, AfxdpInputs *inputs,
    const gchar *name, const gchar *slow_reason);
/* The fast path is somebody else's, who must outlive paths. Before anything is read. */
void afxdp_paths_set_provider (AfxdpPaths *paths, AfxdpProvider *provider);
/* Goes over to the fast path of an interface: the first, or another since the former
 * one was removed. The slow path stays as it is. Returns how many packets of the former
 * path were dropped, that had been read and not handed out. */
guint afxdp_paths_change_interface (
    AfxdpPaths *paths, AfxdpSubscription *subscription, const gchar *interface);
void afxdp_paths_clear (AfxdpPaths *paths);

/* Opens or closes the fast path, as things are now, and reads the inputs. Returns the
 * one whose first packet is next, or NULL: there is none, or it must wait for older
 * ones of the other path, since it does not continue what was handed out last. */
AfxdpInput *afxdp_paths_next (AfxdpPaths *paths);
/* Nobody reads any more: what comes is for the socket, or waits with a provider. */
void afxdp_paths_close (AfxdpPaths *paths);

/* See afxdp_stream_path_changed() and afxdp_stream_n_path_changes(). */
gboolean afxdp_paths_take_change (AfxdpPaths *paths, AfxdpPathChange *change);

static inline guint
afxdp_paths_n_changes (const AfxdpPaths *paths)
{
  return paths->n_changes;
}

static inline gboolean
afxdp_paths_have_changed (const AfxdpPaths *paths)
{
  return paths->changed;
}

/* What frames of the fast path are lent from, and how many may be. */
static inline AfxdpAccount *
afxdp_paths_account (const AfxdpPaths *paths, guint *share)
{
  if (G_UNLIKELY (paths->provider)) {
    *share = paths->provider->share;
    return paths->provider->account;
  }
  *share = afxdp_subscription_share (paths->subscription);
  return paths->fast.account;
}

/* For who waits. */

static inline gboolean
afxdp_paths_is_open (const AfxdpPaths *paths)
{
  return paths->open;
}

static inline gboolean
afxdp_paths_is_settling (const AfxdpPaths *paths)
{
  return paths->settling;
}

/* Whether packets come in batches already. */
static inline gboolean
afxdp_paths_are_gathered (const AfxdpPaths *paths)
{
  return paths->open && paths->provider && paths->provider->gathers;
}

/* How many packets may come now before one is lost, or changes paths. */
guint afxdp_paths_room (const AfxdpPaths *paths);
/* All that came is taken, and the thread is about to sleep until events tell of more,
 * for wait ns at most. Returns how long it may; 0: something has come. */
guint64 afxdp_paths_rest (const AfxdpPaths *paths, guint64 wait);
/* Makes the drivers of the rings look for packets. */
void afxdp_paths_poll_drivers (const AfxdpPaths *paths);
/* Wakes those that wait to be woken. FALSE: none of them ever does. */
gboolean afxdp_paths_wake_drivers (const AfxdpPaths *paths);

G_END_DECLS
