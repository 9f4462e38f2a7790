/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the XDP program attached to an interface. */
#include "attachment.h"

#include "error.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* How often the link is looked at: always, and at most when somebody doubts,
 * since asking for it takes RTNL: packets that the program passes for good, such
 * as those with IP options, must not make that a habit. */
#define CHECK_INTERVAL (1000 * MS)
#define DOUBT_INTERVAL (100 * MS)
/* Between two attempts: somebody may have done on purpose what we undo. */
#define FIRST_BACKOFF (1000 * MS)
#define LAST_BACKOFF (30000 * MS)
/* Streams close their doors in the meantime, before the program changes. */
#define SWAP_DELAY (50 * MS)

void
afxdp_attachment_init (AfxdpAttachment *attachment)
{
  *attachment = (AfxdpAttachment){
    .backoff = FIRST_BACKOFF,
    .retry_at = AFXDP_NEVER, /* the first stream tries */
  };
}

void
afxdp_attachment_clear (AfxdpAttachment *attachment)
{
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

/* Takes error: why the program is not attached. */
static void
fail (AfxdpAttachment *attachment, GError *error, guint64 now)
{
  g_clear_error (&attachment->error);
  attachment->error = error;
  attachment->attached = FALSE;
  if (!afxdp_attachment_may_heal (error)) {
    attachment->retry_at = AFXDP_NEVER;
    return;
  }
  /* A stream that joins tries at once: the others' time stays as it is. */
  if (attachment->retry_at != AFXDP_NEVER && now < attachment->retry_at)
    return;
  attachment->retry_at = now + attachment->backoff;
  attachment->backoff = MIN (2 * attachment->backoff, LAST_BACKOFF);
}

void
afxdp_attachment_try (AfxdpAttachment *attachment, const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, guint64 now)
{
  AfxdpEngine *engine = attachment->engine;
  GError *error = NULL;

  if (!engine) {
    engine = afxdp_engine_new (netdev, settings, &error);
    g_atomic_pointer_set (&attachment->engine, engine);
  }
  if (!engine || !afxdp_engine_attach (engine, &error)) {
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
check (AfxdpAttachment *attachment, const AfxdpNetdev *netdev, guint64 now)
{
  AfxdpEngine *engine = attachment->engine;
  GError *error = NULL;

  attachment->check_at = now + CHECK_INTERVAL;
  if (!afxdp_engine_is_attached (engine)) {
    /* Patience grows only with those who insist. */
    if (now - attachment->attached_at > LAST_BACKOFF)
      attachment->backoff = FIRST_BACKOFF;
    fail (attachment,
        g_error_new (AFXDP_ERROR, AFXDP_ERROR_FOREIGN,
            "Somebody detached the XDP program from %s; attaching it again in "
            "%" G_GUINT64_FORMAT " s",
            netdev->name, attachment->backoff / (1000 * MS)),
        now);
    return TRUE;
  }
  if (attachment->swapping) {
    attachment->swapping = FALSE;
    if (!afxdp_engine_drop_metadata (engine, &error))
      fail (attachment, error, now);
    return TRUE;
  }
  if (afxdp_engine_driver_refuses_metadata (engine)) {
    attachment->swapping = TRUE;
    attachment->check_at = now + SWAP_DELAY;
    return TRUE;
  }
  return FALSE;
}

gboolean
afxdp_attachment_work (AfxdpAttachment *attachment, const AfxdpNetdev *netdev,
    const AfxdpEngineSettings *settings, gboolean doubt, guint64 now)
{
  guint64 due = attachment->check_at;

  if (!attachment->attached) {
    if (now < attachment->retry_at)
      return FALSE;
    afxdp_attachment_try (attachment, netdev, settings, now);
    return TRUE;
  }
  if (doubt && !attachment->swapping)
    due -= CHECK_INTERVAL - DOUBT_INTERVAL;
  return now >= due && check (attachment, netdev, now);
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
afxdp_attachment_interface_gone (
    AfxdpAttachment *attachment, const AfxdpNetdev *netdev)
{
  if (attachment->engine)
    afxdp_engine_detach (attachment->engine);
  g_clear_error (&attachment->error);
  attachment->error = g_error_new (AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
      "Interface %s was removed", netdev->name);
  attachment->attached = FALSE;
  attachment->retry_at = AFXDP_NEVER;
}
