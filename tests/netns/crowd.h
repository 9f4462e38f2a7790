/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several receivers in this process, on one interface, and a generator that
 * sends each a flow of its own: flow n, with SSRC GENERATOR_SSRC + n, is that of
 * receiver n.
 */
#pragma once

#include "generator.h"
#include "receiver.h"

/* A sink that keeps nothing. */
#define CROWD_SINK "fakesink async=false enable-last-sample=false"

typedef struct
{
  guint n;
  Receiver *receivers[GENERATOR_FLOWS];
  GString *destinations; /* rtpgen's options */
} Crowd;

/* As many descriptors as the process may have at all: each receiver takes six. */
void crowd_raise_descriptor_limit (void);

/* n receivers of 239.2.0.1 and the addresses that follow, port 5000. */
Crowd *crowd_new (guint n, const gchar *properties);
void crowd_free (Crowd *crowd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Crowd, crowd_free)

/* One more. address is IPv4 or IPv6, a group or rx0's own. */
Receiver *crowd_add (
    Crowd *crowd, const gchar *address, guint port, const gchar *properties);

/* All PLAYING, and the first choice of a path made. */
void crowd_play (Crowd *crowd);
/* All READY, before one of them is freed: those that are freed one by one from PLAYING
 * wait for a grace period each. */
void crowd_halt (Crowd *crowd);
/* PLAYING, with the first choice of a path AF_XDP. */
void crowd_play_by_af_xdp (Crowd *crowd);

/* options are those of rtpgen but --destination. */
Generator *crowd_generate (Crowd *crowd, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Waits until the receivers from first on have all that the wire delivered of
 * their flows, and asserts that each has it once, and nothing else. */
void crowd_assert_complete (
    Crowd *crowd, guint first, const GeneratorReport *sent);
/* All that the receivers from first on have came this way, "delivered-xdp" for
 * one, and no path changed after the first choice. */
void crowd_assert_one_path (Crowd *crowd, guint first, const gchar *delivered);
