/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The XDP program held against the user-space parser, on any frame. The fixture
 * (program-fixture.h) is set up.
 */
#pragma once

#include <glib.h>

/* The kernel runs no frame without a whole Ethernet header. */
#define SHORTEST 14

typedef struct
{
  gboolean is_udp; /* to the parser */
  gboolean is_redirected;
} Agreement;

/*
 * What the parser takes for UDP, the program redirects, if the flow of the
 * destination that the parser found is there, the MAC address is multicast or
 * ours, and the frame fits; what the parser does not, the program passes,
 * whatever flows are there. Nothing is dropped or changed; what should be
 * counted is, in the flow's words, and nothing else.
 *
 * Returns FALSE when one of that is not so, after printing the frame.
 */
gboolean program_agrees_with_parser (
    const guint8 *frame, gsize size, Agreement *agreement);
