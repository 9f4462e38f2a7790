/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of a stream share: stream.c opens and closes it, streamreceive.c hands
 * out its packets, streammove.c goes over to an interface that came again,
 * streamsources.c to other senders. For no one else.
 */
#pragma once

#include "stream.h"

#include "clientpath.h"
#include "interfaces.h"
#include "mappath.h"
#include "wait.h"

G_BEGIN_DECLS

struct _AfxdpStream
{
  /* Hot: for each batch. The streaming thread's own, as is what wait() needs. */
  AfxdpInput *handed_out; /* batch between receive() and done() */
  guint n_handed_out;
  guint lendable;        /* reserved in account, not yet lent */
  AfxdpAccount *account; /* that its frames are lent from */
  AfxdpSocket *socket;
  AfxdpWait wait;
  AfxdpDrops drops;

  /* Hot, and written by any thread. */
  atomic_bool woken;
  atomic_bool paused;   /* woken since the last receive(), or not begun */
  atomic_bool resuming; /* what came while it was paused is being read */
  /* when it was woken, after the last resuming */
  _Atomic guint32 dropped_unpaused;

  /* What destination and socket are to compare with from now on, handed over by who
   * changes sources; NULL: nothing new. */
  AfxdpSources *_Atomic next_sources;

  AfxdpPaths paths;
  AfxdpInputs inputs;

  /* Cold. */
  AfxdpStreamSettings settings; /* its pointers are not to be used */
  gchar *name;                  /* ADDRESS:PORT, in the log */
  GInetAddress *address;
  AfxdpSources *sources; /* as socket and program know them */
  AfxdpSources
      *wanted; /* as destination has them; the streaming thread's own */
  AfxdpDestination destination;
  AfxdpInterfaces interfaces;
  AfxdpClientPath *client; /* of the distributor daemon; NULL: it is not */
  gchar *refusal;          /* why it is not, if it might be; or NULL */
  AfxdpMapPath *map; /* through somebody else's program; NULL: it is not */
  AfxdpRegistration
      *registration;       /* that of interfaces which has a fast path, or whose
                        interface is asked what it dropped; or NULL */
  _Atomic guint64 move_at; /* the socket has to go over, then; 0: it has not */
  gboolean opened;         /* all went well */
  guint64 interface_drops; /* that the interface counted, */
  guint64 interface_asked; /* and when; 0: it has not told */
  guint64 interface_since; /* what it dropped before is not this stream's */
  gboolean alone; /* a client's: the daemon does not tell what it dropped */
  guint32 dropped_before; /* by the socket, before it was ours */
  guint64 discarded;
};

/* receive() is these, and wait.h: who serves several streams may ask each of them in
 * turn, and sleep once for all. Neither sleeps. */

/* Whether something but packets waits for the stream's owner: it was woken, the path
 * has changed, or the socket is broken. */
gboolean afxdp_stream_has_news (const AfxdpStream *stream);
/* Fills in batch with up to max packets, as receive() does. FALSE: none has come,
 * or the owner is to look first. */
gboolean afxdp_stream_take (AfxdpStream *stream, AfxdpBatch *batch, guint max);

/* Compares from now on with what was handed over, if anything was. */
void afxdp_stream_take_sources (AfxdpStream *stream);
/* registration was made before the stream's sources changed, or maybe after. */
void afxdp_stream_renew_sources (
    AfxdpStream *stream, AfxdpRegistration *registration);

/* Goes over to the fast path of registration. */
void afxdp_stream_set_registration (
    AfxdpStream *stream, AfxdpRegistration *registration);
/* What was still on its way to the stream is counted. */
void afxdp_stream_leave_distributor (
    AfxdpStream *stream, AfxdpRegistration *registration);

G_END_DECLS
