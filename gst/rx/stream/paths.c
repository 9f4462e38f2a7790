/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two paths of a stream: which is open, and what comes next. */
#include "paths.h"

#include "budget.h"
#include "clock.h"
#include "log.h"

/* Nobody waits longer than this for the order of two paths. */
#define LONGEST_SETTLING (100 * AFXDP_MS)
/* How long the program may drop what neither ring nor socket have room for, until it
 * is told again: a streaming thread that is held up does not. */
#define LEASE (10 * AFXDP_MS)
/* Between two times that a credit used up is told. */
#define EXHAUSTED_INTERVAL (100 * AFXDP_MS)
/* Bytes that a packet takes of a socket's buffer, where the kernel counts twice
 * what was asked for: a page, and its sk_buff. */
#define SOCKET_PACKET_COST 4608

void
afxdp_paths_init (AfxdpPaths *paths, AfxdpInputs *inputs, const gchar *name,
    const gchar *slow_reason)
{
  paths->inputs = inputs;
  paths->name = name;
  paths->slow_reason = slow_reason;
}

void
afxdp_paths_set_provider (AfxdpPaths *paths, AfxdpProvider *provider)
{
  paths->provider = provider;
  paths->first = AFXDP_PATH_SLOW;
  afxdp_inputs_add (paths->inputs, provider->input);
}

guint
afxdp_paths_change_interface (
    AfxdpPaths *paths, AfxdpSubscription *subscription, const gchar *interface)
{
  guint n = afxdp_inputs_remove_rings (paths->inputs);

  afxdp_fast_path_clear (&paths->fast);
  paths->fast = (AfxdpFastPath){ .state = AFXDP_FAST_PATH_FAILED };
  paths->version = 0;
  paths->open = paths->exhausted = paths->settling = paths->dropping = FALSE;
  paths->grace = 0;
  paths->subscription = subscription;
  paths->interface = interface;
  return n;
}

void
afxdp_paths_clear (AfxdpPaths *paths)
{
  afxdp_fast_path_clear (&paths->fast);
  afxdp_path_change_clear (&paths->change);
  g_clear_pointer (&paths->competing, g_free);
}

/* What is told of the paths. */

/* Counts path if it is another one than before, also where that is not told. */
static void
note (AfxdpPaths *paths, AfxdpPath path)
{
  paths->n_changes += paths->noted != path;
  paths->noted = path;
}

#define tell(paths, path, error, ...)                                    \
  do {                                                                   \
    note (paths, path);                                                  \
    if (afxdp_path_change_set (                                          \
            &(paths)->change, path, &(paths)->fast, error, __VA_ARGS__)) \
      (paths)->changed = TRUE;                                           \
  } while (0)

gboolean
afxdp_paths_take_change (AfxdpPaths *paths, AfxdpPathChange *change)
{
  if (!paths->changed)
    return FALSE;
  paths->changed = FALSE;
  afxdp_path_change_copy (change, &paths->change);
  return TRUE;
}

/* Opening and closing: one store for each ring. */

/* From here on packets of both paths may be on their way at the same time, and
 * those of first are the older ones. */
static void
begin_settling (AfxdpPaths *paths, AfxdpPath first)
{
  paths->first =
      paths->settling && paths->first != first ? AFXDP_PATH_NONE : first;
  paths->settling = TRUE;
  paths->grace = afxdp_subscription_request_grace (paths->subscription);
  paths->settle_by = afxdp_now () + LONGEST_SETTLING;
}

static void
settle (AfxdpPaths *paths, const gchar *cause)
{
  paths->settling = FALSE;
  AFXDP_DEBUG (AFXDP_LOG_STREAM, paths->name,
      "the order of both paths is settled after %" G_GINT64_FORMAT " us: %s",
      (gint64) (LONGEST_SETTLING + afxdp_now () - paths->settle_by) / 1000,
      cause);
}

static void
set_paths (AfxdpPaths *paths, enum afxdp_redirect path)
{
  for (guint i = 0; i < paths->fast.n_rings; i++)
    afxdp_ring_set_redirect (&paths->fast.rings[i], path);
}

static void
tell_open (AfxdpPaths *paths)
{
  const AfxdpFastPath *fast = &paths->fast;

  tell (paths, AFXDP_PATH_FAST, NULL,
      "Packets come through AF_XDP on %s (%s mode, %s)%s%s%s", paths->interface,
      fast->xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic" : "native",
      fast->zero_copy ? "zero-copy" : "copy", fast->note ? "; " : "",
      fast->note ? fast->note : "", paths->competing);
}

/* Packets for which the program found no frame. */
static guint64
count_no_frame (const AfxdpPaths *paths)
{
  guint64 n = 0;

  for (guint i = 0; i < paths->fast.n_rings; i++)
    n += afxdp_ring_word (&paths->fast.rings[i].words->no_frame);
  return n;
}

static void
open_fast_path (AfxdpPaths *paths, const gchar *cause)
{
  AFXDP_DEBUG (AFXDP_LOG_STREAM, paths->name,
      "opens the fast path on %u queues of %s: %s", paths->fast.n_rings,
      paths->interface, cause);
  paths->exhausted = FALSE;
  paths->no_frames = count_no_frame (paths);
  paths->open = TRUE;
  paths->dropping = FALSE;
  set_paths (paths, AFXDP_REDIRECT_ON);
  begin_settling (paths, AFXDP_PATH_SLOW);
  tell_open (paths);
}

static void
close_fast_path (AfxdpPaths *paths, const gchar *cause)
{
  AFXDP_DEBUG (
      AFXDP_LOG_STREAM, paths->name, "closes the fast path: %s", cause);
  paths->open = paths->dropping = FALSE;
  set_paths (paths, AFXDP_REDIRECT_OFF);
  begin_settling (paths, AFXDP_PATH_FAST);
}

static void
stop_dropping (AfxdpPaths *paths)
{
  if (!paths->dropping)
    return;
  AFXDP_DEBUG (AFXDP_LOG_STREAM, paths->name, "the program drops no more");
  paths->dropping = FALSE;
  set_paths (paths, AFXDP_REDIRECT_OFF);
}

void
afxdp_paths_close (AfxdpPaths *paths)
{
  if (paths->provider) {
    paths->provider->kind->pause (paths->provider);
    return;
  }
  if (paths->open)
    close_fast_path (paths, "nobody reads");
  stop_dropping (paths);
}

/* The paths are closed since the credit or the frames are used up. What the socket
 * has no room for either and nobody else could get is dropped at the path, which
 * costs a tenth of what the stack takes for it. */
static void
drop_what_nobody_can_hold (AfxdpPaths *paths)
{
  guint64 now = afxdp_now ();

  if (!afxdp_socket_is_full (afxdp_inputs_socket (paths->inputs)) ||
      !afxdp_subscription_is_alone (paths->subscription, now)) {
    stop_dropping (paths);
    return;
  }
  for (guint i = 0; i < paths->fast.n_rings; i++)
    afxdp_ring_set_drop_until (&paths->fast.rings[i], now + LEASE);
  if (paths->dropping)
    return;
  AFXDP_DEBUG (AFXDP_LOG_STREAM, paths->name,
      "the program drops packets: socket and rings are full, and nobody else "
      "could get them");
  afxdp_inputs_begin_overload (paths->inputs, now);
  paths->dropping = TRUE;
  set_paths (paths, AFXDP_REDIRECT_OVERLOADED);
}

static gboolean
is_exhausted (const AfxdpPaths *paths)
{
  for (guint i = 0; i < paths->fast.n_rings; i++)
    if (afxdp_ring_redirect (&paths->fast.rings[i]) == AFXDP_REDIRECT_EXHAUSTED)
      return TRUE;
  return FALSE;
}

/* At an overload the path closes and opens hundreds of times in a second; ten of
 * them tell as much. */
static void
tell_exhausted (AfxdpPaths *paths)
{
  guint64 now = afxdp_now ();

  note (paths, AFXDP_PATH_SLOW);
  if (now < paths->tell_exhausted_at)
    return;
  paths->tell_exhausted_at = now + EXHAUSTED_INTERVAL;
  if (paths->no_frame)
    tell (paths, AFXDP_PATH_SLOW, NULL,
        "Packets come through the socket for now: buffers that are still in "
        "use downstream take up the packet memory of %s. Release them "
        "sooner, or raise umem-frames",
        paths->interface);
  else
    tell (paths, AFXDP_PATH_SLOW, NULL,
        "Packets come through the socket for now: the pipeline takes them "
        "more slowly than they arrive, and its share of the packet memory is "
        "used up. Find out what slows the pipeline down; if it stalls only "
        "briefly, raise ring-size");
}

/* Whether the rings have room enough again to be worth opening, and nothing that
 * was redirected is still on its way: it is older than what the socket got. */
static gboolean
has_recovered (const AfxdpPaths *paths)
{
  for (guint i = 0; i < paths->fast.n_rings; i++) {
    const AfxdpRing *ring = &paths->fast.rings[i];
    guint credit = afxdp_ring_credit (ring);
    guint64 out = afxdp_ring_outstanding (ring);

    /* None: it is not divided yet, or nothing may be redirected. */
    if (!credit || afxdp_budget_is_used_up (credit, out) ||
        out > afxdp_xsk_n_waiting (ring->xsk) ||
        afxdp_budget_is_dry (credit, afxdp_ring_frames_left (ring)))
      return FALSE;
  }
  return TRUE;
}

/* With the path closed, a grace period over and the rings empty, what is still
 * missing was lost, and would use up credit for ever. */
static void
forget_lost (AfxdpPaths *paths)
{
  if (paths->open ||
      !afxdp_subscription_grace_over (paths->subscription, paths->grace) ||
      !afxdp_inputs_are_drained (paths->inputs, AFXDP_PATH_FAST))
    return;
  afxdp_inputs_forget_lost (paths->inputs);
}

/* Nobody else tells who should know it. */
static gchar *
describe_competing (const AfxdpFastPath *fast)
{
  guint n = fast->n_competing;

  if (!n)
    return g_strdup ("");
  return g_strdup_printf (
      "; the stream does not reach %u other %s of this host that %s bound to "
      "the same port. If it must, set mode=socket here",
      n, n == 1 ? "socket" : "sockets", n == 1 ? "is" : "are");
}

/* Reads what the distributor published. Returns whether there was news. */
static gboolean
read_fast_path (AfxdpPaths *paths)
{
  guint version = afxdp_subscription_version (paths->subscription);

  if (version == paths->version)
    return FALSE;
  paths->version = version;
  afxdp_fast_path_clear (&paths->fast);
  afxdp_subscription_read (paths->subscription, &paths->fast);
  g_free (paths->competing);
  paths->competing = describe_competing (&paths->fast);
  afxdp_inputs_add_rings (paths->inputs, &paths->fast);
  return TRUE;
}

/* The program may have closed the path by itself. Returns whether it did. To be asked
 * again when the socket has been read, or what was passed after it closed could be
 * taken for older than the ring, since the stack gets its packets in the midst of a
 * poll and rings at its end (Linux 6.18, veth_poll()). */
static gboolean
follow_program (AfxdpPaths *paths)
{
  if (!paths->open || !is_exhausted (paths))
    return FALSE;
  paths->exhausted = TRUE;
  paths->no_frame = count_no_frame (paths) != paths->no_frames;
  close_fast_path (
      paths, paths->no_frame ? "no frame is left" : "the credit is used up");
  tell_exhausted (paths);
  return TRUE;
}

static void
follow_provider (AfxdpPaths *paths, AfxdpProvider *provider)
{
  if (G_UNLIKELY (provider->settling))
    provider->socket_read_at = afxdp_inputs_socket_read_at (paths->inputs);
  if (G_UNLIKELY (provider->kind->follow (provider, &paths->change))) {
    note (paths, paths->change.path);
    paths->changed = TRUE;
  }
  paths->open = provider->open;
  paths->settling = provider->settling;
}

static void
follow (AfxdpPaths *paths)
{
  guint n_rings = paths->fast.n_rings;
  gboolean ready, news;

  if (paths->provider) {
    follow_provider (paths, paths->provider);
    return;
  }
  if (!paths->subscription) {
    if (!paths->change.reason)
      tell (paths, AFXDP_PATH_SLOW, NULL, "%s", paths->slow_reason);
    return;
  }
  news = read_fast_path (paths);
  forget_lost (paths);
  ready = paths->fast.state == AFXDP_FAST_PATH_READY;
  if (!ready)
    stop_dropping (paths);
  if (paths->open && !ready) {
    close_fast_path (paths, paths->fast.error->message);
  } else if (follow_program (paths)) {
    /* Not open again before it has been closed for a while. */
  } else if (ready && paths->exhausted) {
    /* Not when the socket is empty: that may never be, at a rate that only the
     * fast path can take. */
    if (has_recovered (paths)) {
      open_fast_path (paths, "there is credit again");
    } else {
      drop_what_nobody_can_hold (paths);
      tell_exhausted (paths);
    }
  } else if (ready &&
      (paths->fast.n_rings > n_rings || (!paths->open && !paths->settling))) {
    open_fast_path (paths, "the distributor is ready");
  } else if (ready && news && paths->open) {
    tell_open (paths);
  }
  if (!ready && news)
    tell (paths, AFXDP_PATH_SLOW, paths->fast.error, "%s",
        paths->fast.error->message);
}

/* Before the program closes the path again: what is missing was most likely lost
 * in the socket, and waiting for it would cost more. */
static gboolean
rings_fill_up (const AfxdpPaths *paths)
{
  for (guint i = 0; i < paths->fast.n_rings && paths->open; i++) {
    const AfxdpRing *ring = &paths->fast.rings[i];

    if (afxdp_budget_is_used_up (
            afxdp_ring_credit (ring), afxdp_ring_outstanding (ring)))
      return TRUE;
  }
  return FALSE;
}

/* Ends the settling when it is time: whatever first had on the way has been handed
 * out, or nobody can wait any longer. */
static void
try_to_settle (AfxdpPaths *paths, gboolean grace_over)
{
  /* A provider's is over when it says so. */
  if (!paths->settling || paths->provider)
    return;
  if (grace_over && afxdp_inputs_are_drained (paths->inputs, paths->first))
    settle (paths, "nothing older can come");
  else if (rings_fill_up (paths))
    settle (paths, "the rings fill up");
  else if (afxdp_now () >= paths->settle_by)
    settle (paths, "nobody can wait any longer");
}

/* The next packet. */

/* Packets by the socket although the program should have redirected them, and it
 * has passed none on the queues that we know: do they come on another one? And
 * if it has redirected none either: does it still run? */
static void
recheck (AfxdpPaths *paths, const AfxdpProgramDid *did)
{
  AfxdpRechecks rechecks = 0;

  if (paths->fast.state == AFXDP_FAST_PATH_WAITING ||
      (paths->open && !paths->settling && !did->passed))
    rechecks = AFXDP_RECHECK_QUEUE;
  if (rechecks && !did->redirected)
    rechecks |= AFXDP_RECHECK_PROGRAM;
  if (!rechecks)
    return;
  AFXDP_LOG (AFXDP_LOG_STREAM, paths->name,
      "packets came through the socket that the program did not pass%s",
      rechecks & AFXDP_RECHECK_PROGRAM ? ", nor redirect any" : "");
  afxdp_subscription_ask_recheck (paths->subscription, rechecks);
}

static void
read_inputs (AfxdpPaths *paths)
{
  AfxdpSocketTurn turn =
      paths->settling ? AFXDP_SOCKET_EACH_TIME : AFXDP_SOCKET_NOW_AND_THEN;
  AfxdpProgramDid did;

  if (afxdp_inputs_read (paths->inputs, turn, &did) && paths->subscription)
    recheck (paths, &did);
}

/* first may still get some that are older. */
static gboolean
must_wait (const AfxdpPaths *paths, const AfxdpInput *input)
{
  return paths->settling && input->kind->path != paths->first &&
      !afxdp_inputs_have (paths->inputs, paths->first) &&
      !afxdp_inputs_continue (paths->inputs, input);
}

static AfxdpInput *
next_input (const AfxdpPaths *paths)
{
  AfxdpInput *first = afxdp_inputs_first (paths->inputs);

  return first && !must_wait (paths, first) ? first : NULL;
}

AfxdpInput *
afxdp_paths_next (AfxdpPaths *paths)
{
  gboolean grace_over;
  AfxdpInput *input;

  follow (paths);
  /* Asked before they are read: what comes after the answer is not older. */
  grace_over = paths->settling && paths->subscription &&
      afxdp_subscription_grace_over (paths->subscription, paths->grace);
  read_inputs (paths);
  if (follow_program (paths))
    grace_over = FALSE;
  try_to_settle (paths, grace_over);
  input = next_input (paths);
  if (input && afxdp_inputs_miss_some (paths->inputs, input)) {
    read_inputs (paths);
    input = next_input (paths);
  }
  return input;
}

/* For who waits. */

guint
afxdp_paths_room (const AfxdpPaths *paths)
{
  guint n = 2 *
      (guint64) afxdp_socket_buffer_size (afxdp_inputs_socket (paths->inputs)) /
      SOCKET_PACKET_COST;

  if (paths->open && paths->provider)
    return paths->provider->kind->room (paths->provider);
  if (paths->open) {
    n = G_MAXUINT;
    for (guint i = 0; i < paths->fast.n_rings; i++)
      n = MIN (n, afxdp_ring_credit (&paths->fast.rings[i]));
  }
  return n;
}

guint64
afxdp_paths_rest (const AfxdpPaths *paths, guint64 wait)
{
  AfxdpProvider *provider = paths->provider;

  return provider ? MIN (wait, provider->kind->rest (provider)) : wait;
}

void
afxdp_paths_poll_drivers (const AfxdpPaths *paths)
{
  if (paths->provider && paths->provider->xsk)
    afxdp_xsk_poll_driver (paths->provider->xsk);
  for (guint i = 0; i < paths->fast.n_rings; i++)
    afxdp_xsk_poll_driver (paths->fast.rings[i].xsk);
}

gboolean
afxdp_paths_wake_drivers (const AfxdpPaths *paths)
{
  const AfxdpProvider *provider = paths->provider;

  if (provider && provider->xsk && provider->zero_copy) {
    afxdp_xsk_wake_driver (provider->xsk);
    return TRUE;
  }
  if (!paths->fast.zero_copy)
    return FALSE;
  for (guint i = 0; i < paths->fast.n_rings; i++)
    afxdp_xsk_wake_driver (paths->fast.rings[i].xsk);
  return TRUE;
}
