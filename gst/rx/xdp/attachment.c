/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the XDP program attached to an interface. */
#include "attachment.h"

#include "clock.h"
#include "error.h"
#include "log.h"

/* How often the link is looked at: always, and at most when a recheck is asked for,
 * since asking for it takes RTNL: packets that the program passes for good, such
 * as those with IP options, must not make that a habit. */
#define CHECK_INTERVAL AFXDP_S
#define RECHECK_INTERVAL (100 * AFXDP_MS)
/* Between two attempts: somebody may have done on purpose what we undo. */
#define FIRST_BACKOFF AFXDP_S
#define LAST_BACKOFF (30000 * AFXDP_MS)

void
afxdp_attachment_init (AfxdpAttachment *attachment, const AfxdpNetdev *netdev)
{
  *attachment = (AfxdpAttachment){
    .netdev = netdev,
    .backoff = FIRST_BACKOFF,
    .retry_at = AFXDP_NEVER, /* the first stream tries, or who holds it */
  };
}

void
afxdp_attachment_clear (AfxdpAttachment *attachment)
{
  if (attachment->engine)
    AFXDP_INFO (AFXDP_LOG_XDP, attachment->netdev->name,
        "detached, since nobody receives there any more");
  g_clear_pointer (&attachment->engine, afxdp_engine_free);
  g_clear_error (&attachment->error);
}

AfxdpEngine *
afxdp_attachment_engine (AfxdpAttachment *attachment)
{
  return g_atomic_pointer_get (&attachment->engine);
}

gboolean
afxdp_attachment_may_heal (const GError *error)
{
  return !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_PERMISSION) &&
      !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED) &&
      !g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS);
}

/* Takes error. */
static void
be_detached (AfxdpAttachment *attachment, GError *error)
{
  AFXDP_INFO (AFXDP_LOG_XDP, attachment->netdev->name, "not attached: %s",
      error->message);
  g_clear_error (&attachment->error);
  attachment->error = error;
  attachment->attached = FALSE;
}

/* Takes error: why the program is not attached. */
static void
fail (AfxdpAttachment *attachment, GError *error, guint64 now)
{
  be_detached (attachment, error);
  if (!afxdp_attachment_may_heal (error)) {
    attachment->retry_at = AFXDP_NEVER;
    return;
  }
  /* A stream that registers tries at once. When that fails, the next attempt for the
   * others is not put off. */
  if (attachment->retry_at != AFXDP_NEVER && now < attachment->retry_at)
    return;
  attachment->retry_at = now + attachment->backoff;
  attachment->backoff = MIN (2 * attachment->backoff, LAST_BACKOFF);
}

void
afxdp_attachment_try (AfxdpAttachment *attachment, guint64 now)
{
  AfxdpEngine *engine = attachment->engine;
  GError *error = NULL;

  if (!engine) {
    engine =
        afxdp_engine_new (attachment->netdev, &attachment->settings, &error);
    g_atomic_pointer_set (&attachment->engine, engine);
  }
  if (!engine ||
      !afxdp_xdpprog_attach (engine->prog, attachment->netdev,
          attachment->settings.xdp_mode, &error)) {
    fail (attachment, error, now);
    return;
  }
  g_clear_error (&attachment->error);
  attachment->attached = TRUE;
  attachment->attached_at = now;
  attachment->check_at = now + CHECK_INTERVAL;
}

/* Looks whether all is as it should be. Returns whether it was not. */
static gboolean
check (AfxdpAttachment *attachment, guint64 now)
{
  AfxdpEngine *engine = attachment->engine;
  GError *error = NULL;

  attachment->check_at = now + CHECK_INTERVAL;
  if (!afxdp_xdpprog_is_attached (engine->prog)) {
    /* Patience grows only with those who insist. */
    if (now - attachment->attached_at > LAST_BACKOFF)
      attachment->backoff = FIRST_BACKOFF;
    fail (attachment,
        g_error_new (AFXDP_ERROR, AFXDP_ERROR_FOREIGN,
            "Somebody detached the XDP program from %s; it will be attached "
            "again in %" G_GUINT64_FORMAT " s",
            attachment->netdev->name, attachment->backoff / AFXDP_S),
        now);
    return TRUE;
  }
  if (attachment->swapping) {
    attachment->swapping = FALSE;
    if (afxdp_xdpprog_drop_metadata (engine->prog, &error))
      AFXDP_INFO (AFXDP_LOG_XDP, attachment->netdev->name,
          "the XDP program without metadata is attached in place of the other");
    else
      fail (attachment, error, now);
    return TRUE;
  }
  if (afxdp_engine_driver_refuses_metadata (engine)) {
    AFXDP_DEBUG (AFXDP_LOG_XDP, attachment->netdev->name,
        "the driver has no room for metadata: the program changes when the "
        "paths are closed");
    attachment->swapping = TRUE;
    attachment->check_at = now + AFXDP_TIME_TO_TELL;
    return TRUE;
  }
  return FALSE;
}

gboolean
afxdp_attachment_work (
    AfxdpAttachment *attachment, gboolean recheck, guint64 now)
{
  guint64 due = attachment->check_at;

  if (!attachment->attached) {
    if (now < attachment->retry_at)
      return FALSE;
    afxdp_attachment_try (attachment, now);
    return TRUE;
  }
  if (recheck && !attachment->swapping)
    due -= CHECK_INTERVAL - RECHECK_INTERVAL;
  return now >= due && check (attachment, now);
}

guint64
afxdp_attachment_next_time (const AfxdpAttachment *attachment)
{
  return attachment->attached ? attachment->check_at : attachment->retry_at;
}

void
afxdp_attachment_interface_up (AfxdpAttachment *attachment)
{
  if (!attachment->attached && attachment->retry_at != AFXDP_NEVER)
    attachment->retry_at = 0;
}

void
afxdp_attachment_give_up (AfxdpAttachment *attachment, GError *error)
{
  if (attachment->engine)
    afxdp_xdpprog_detach (attachment->engine->prog);
  be_detached (attachment, error);
  attachment->retry_at = AFXDP_NEVER;
}

void
afxdp_attachment_renew (AfxdpAttachment *attachment, GError *error, guint64 now)
{
  afxdp_attachment_give_up (attachment, error);
  attachment->retry_at = now;
}

void
afxdp_attachment_interface_gone (AfxdpAttachment *attachment)
{
  afxdp_attachment_give_up (attachment,
      g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
          "Interface %s was removed; the stream goes on when it comes back",
          attachment->netdev->name));
}
