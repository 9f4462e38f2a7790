/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Faults on the way from the XDP program to the element, made behind the back of
 * an element in this process: through its own BPF maps and sockets. For one RX queue,
 * and, but for the limits, one stream.
 *
 * The executable has a setsockopt() of its own, which notes the sockets that get
 * an RX ring; it must be linked so that the plugin finds it.
 */
#pragma once

#include <glib.h>

/* The program counts neither what the reader is behind with, so that the RX ring
 * can run over, nor what is left in the fill ring, so that it can run dry. Until
 * limits_on(); a thread sees to it, since each refill, and each division of the
 * frames (any event of the interface), tells the program anew. */
void switches_limits_off (void);
void switches_limits_on (void);
/* Skips the test if the machine let them be on again meanwhile. */
void switches_excuse (void);
/* The stream has no credit, as while the program is replaced; and has it again. */
void switches_credit_off (void);
void switches_credit_on (void);
/* Packets are redirected to a socket that is not bound; and to the stream's own
 * again. */
void switches_misdirect (void);
void switches_direct (void);

/* Packets that were redirected, and of which the reader does not know yet. */
guint64 switches_outstanding (void);

/* Bytes of each frame of the memory that was registered last. */
guint switches_frame_size (void);

/* What the kernel counted for the stream's AF_XDP socket. */
guint64 switches_rx_ring_full (void);
guint64 switches_rx_dropped (void);
