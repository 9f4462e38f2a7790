/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps a stream's place in somebody else's XSKMAP (xskmap.h): opens the map, looks once
 * a second whether packets can come through it, and opens it again when it was not
 * there, is another one, or its interface has come again. All of that may wait for RTNL,
 * so that a thread of the keeper's own does it.
 *
 * The reader of the map's socket asks has_news() before each batch, and take() then tells
 * what map to read. When that is none any more it reads what the former one still has,
 * and calls give_back(): only then the former one is closed.
 *
 * new(), open(), start(), stop() and free() are for the thread that opens and closes the
 * stream; the others are for the reader, unless they say otherwise.
 */
#pragma once

#include "settings.h"
#include "xskmap.h"

G_BEGIN_DECLS

typedef struct _AfxdpMapKeeper AfxdpMapKeeper;

typedef struct
{
  AfxdpXskMap *map;    /* to read; NULL: none */
  gboolean serves;     /* packets can come through it */
  gboolean is_generic; /* the program that is attached */
  gint error;          /* an AFXDP_ERROR, why not */
  gchar *reason;       /* a sentence that a user can act on */
  guint64
      discarded; /* packets that former maps still held when they were closed */
  AfxdpXskLoss loss; /* that was found then */
} AfxdpMapNews;

void afxdp_map_news_clear (AfxdpMapNews *news);

/* wake: an eventfd that is signalled when there is news. */
AfxdpMapKeeper *afxdp_map_keeper_new (
    const AfxdpStreamSettings *settings, const AfxdpNetdev *netdev, int wake);
/* The first attempt, which waits. FALSE: packets cannot come; error says why. Errors:
 * as of afxdp_xsk_map_open(); _FAILED: no program is attached; _QUEUE_BUSY. */
gboolean afxdp_map_keeper_open (AfxdpMapKeeper *keeper, GError **error);
/* Goes on from there. Errors: AFXDP_ERROR_FAILED, there may be no more threads. */
gboolean afxdp_map_keeper_start (AfxdpMapKeeper *keeper, GError **error);
/* Closes the map for ever, which nobody reads any more. May wait for a second. last: what
 * has not been taken. */
void afxdp_map_keeper_stop (AfxdpMapKeeper *keeper, AfxdpMapNews *last);
void afxdp_map_keeper_free (AfxdpMapKeeper *keeper);

gboolean afxdp_map_keeper_has_news (const AfxdpMapKeeper *keeper);
/* To be cleared by the caller. */
void afxdp_map_keeper_take (AfxdpMapKeeper *keeper, AfxdpMapNews *news);
/* The map that take() told is not read any more. */
void afxdp_map_keeper_give_back (AfxdpMapKeeper *keeper);
/* Something has changed: it is to look soon. */
void afxdp_map_keeper_ask (AfxdpMapKeeper *keeper);

/* Whether the interface was removed, and another one of its name is there. Any thread. */
gboolean afxdp_map_keeper_has_moved (const AfxdpMapKeeper *keeper);
/* The same, and which; it is news no more. */
gboolean afxdp_map_keeper_take_netdev (
    AfxdpMapKeeper *keeper, AfxdpNetdev *netdev);

G_END_DECLS
