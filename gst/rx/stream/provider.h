/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A fast path that is somebody else's: a daemon's, or a program that is not ours. It
 * brings packets by an input of its own, and opens and closes by itself; paths.h asks
 * it how things are, before each batch. A kind is a table of functions, and a file:
 * clientpath, mappath. It embeds AfxdpProvider as its first field.
 *
 * For the streaming thread alone; none of it sleeps.
 */
#pragma once

#include "pathchange.h"

G_BEGIN_DECLS

typedef struct _AfxdpProvider AfxdpProvider;

typedef struct
{
  const gchar *name; /* as messages have it */
  /* Looks after it. Returns TRUE, and sets change as afxdp_path_change_set() does, if
   * another path serves than the last time, or for another reason. */
  gboolean (*follow) (AfxdpProvider *provider, AfxdpPathChange *change);
  /* How many packets may come now before one is lost. */
  guint (*room) (const AfxdpProvider *provider);
  /* All that came is taken, and the thread may sleep until events tell of more. Returns
   * how long at most, in ns; 0: something has come. */
  guint64 (*rest) (AfxdpProvider *provider);
  /* Packets that came by the socket while the provider listens. */
  void (*saw) (AfxdpProvider *provider, const AfxdpPacket *packets, guint n);
  /* Nobody reads for a while; the next follow() ends that. */
  void (*pause) (AfxdpProvider *provider);
  /* Frames of its packets, and those that the application does not have; neither is set
   * where there are none. Any thread. */
  void (*frames) (AfxdpProvider *provider, guint *n_frames, guint *n_free);
  /* For ever. Returns how many packets had come and were not read. */
  guint64 (*close) (AfxdpProvider *provider);
} AfxdpProviderKind;

struct _AfxdpProvider
{
  const AfxdpProviderKind *kind;
  AfxdpInput *input;
  AfxdpAccount
      *account;       /* that its frames are lent from; NULL: there are none */
  guint share;        /* so many of them may be */
  AfxdpXsk *xsk;      /* of which the driver is polled; NULL: of none */
  gboolean zero_copy; /* and before a sleep woken, if it has to be */
  gboolean open;      /* packets come by it */
  gboolean settling;  /* what the other path still holds is older */
  gboolean listens;   /* wants to know what comes by the socket */
  /* Packets come in batches, each with one wake-up: to sleep for more of them would only
   * make them late. */
  gboolean gathers;
  /* While settling: all that the socket had at that moment has been handed out. */
  guint64 socket_read_at;
};

G_END_DECLS
