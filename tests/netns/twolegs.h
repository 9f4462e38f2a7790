/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream over two networks (ST 2022-7): leg n of the receiver is rx<n>, and a generator
 * on tx<n> sends the same packets as the other one, but for what its options leave out.
 * Both generators have processor 0, so that each is held up by the other for some ms;
 * by --method=socket they sleep, and are exact to less than one. For tests that are set
 * up by network_up_with_two_wires().
 */
#pragma once

#include "generator.h"
#include "payload.h"
#include "receiver.h"

#define TWOLEGS 2
/* The group of both, and the second leg's interface. */
#define TWOLEGS_ADDRESS                  \
  "multicast-group=239.1.1.1 port=5000 " \
  "multicast-iface=rx0 "                 \
  "redundant-uri=afxdp://239.1.1.1:5000?multicast-iface=rx1 "

/* Of a generator: it sleeps, in front of other processes. For up to some 20,000/s. */
#define TWOLEGS_STEADY "--method=socket --realtime "

/* Plays, by these paths, "af-xdp" or "socket", of which one may be of each kind: then
 * the leg that is to have the socket finds another program on its interface. modes may be
 * NULL: both by AF_XDP. watch: what leaves is watched from the beginning, or NULL.
 * properties may not have mode. */
Receiver *twolegs_start (
    const gchar *properties, const gchar *const *modes, PayloadWatch *watch);

/* Of leg n, fields of stats. */
guint64 twolegs_stat (Receiver *receiver, guint leg, const gchar *name);
/* Valid until the receiver is described again. */
gboolean twolegs_text_is (
    Receiver *receiver, guint leg, const gchar *name, const gchar *text);
/* What is known of both, in words. Valid until the next call. */
const gchar *twolegs_describe (Receiver *receiver);

/* From now on, when a generator that is started now has come to its start: ns, for
 * --start-at. */
guint64 twolegs_start_time (void);
/* Sends by that leg's wire. */
Generator *twolegs_generate (guint leg, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);
/* By both, each with options of its own behind those of both, and the second one so many
 * ms later, or earlier; until both have sent all. */
void twolegs_send (const gchar *options, const gchar *const more[TWOLEGS],
    gint behind, GeneratorReport sent[TWOLEGS]);

/* Until all that the wires delivered is in a column of the receiver, so that nothing waits
 * any more. Returns whether n packets have left and none was lost, late or dropped. */
gboolean twolegs_settle (
    Receiver *receiver, const GeneratorReport sent[TWOLEGS], guint64 n);
/* Called before a test fails for packets that are missing: skips it if one of the
 * generators that have ended was later than so many ms, or the receiving host had no
 * time. */
void twolegs_excuse (
    Receiver *receiver, const GeneratorReport sent[TWOLEGS], gdouble ms);

#define twolegs_assert_stat(receiver, leg, name, value)                     \
  fail_unless (twolegs_stat (receiver, leg, name) == (guint64) (value),     \
      "%s of leg %u is not %" G_GUINT64_FORMAT ": %s", name, (guint) (leg), \
      (guint64) (value), twolegs_describe (receiver))
