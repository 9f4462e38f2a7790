/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two hosts on one wire, for one test. The test's own process becomes the
 * receiving host, with the interface "rx0" (10.9.0.2, fd09::2); the sending host
 * is a namespace that a child process holds open, with "tx0" (10.9.0.1,
 * fd09::1). Both have routes for multicast. Nothing has a name outside of the
 * test: when it ends, however it ends, both hosts are gone.
 *
 * For tests that gst-check forks, before any other thread is started. A command
 * that fails fails the test.
 */
#pragma once

#include "../check/suite.h"

/* Exits with 77 and the reason, when this process may not make namespaces. */
void network_require_privileges (void);

/* Creates both hosts; queues is the number of RX queues in use on rx0. */
void network_up (guint queues);
/* The same, with room for more queues, which "ethtool -L" can put to use. */
void network_up_with_room (guint queues, guint room);
void network_up_with_one_queue (void);
void network_up_with_two_queues (void);
/* A second wire between the same hosts, rx1 (10.9.1.2) and tx1 (10.9.1.1). */
void network_add_wire (void);
void network_up_with_two_wires (void);
void network_down (void);
/* After rx0 and tx0 were removed: makes others of the same names. */
void network_up_again (void);
/* After rx0 was in another namespace: gives it back what it lost there. */
void network_set_up_wire (void);

/* Sets rx0 up, and waits until the sending host sees that it may send. */
void network_link_up (void);

/* The sending host's network namespace, as nsenter --net takes it. */
const gchar *network_sender (void);

/* A socket on the sending host, for what rtpgen does not send. */
int network_sender_socket (int domain, int type, int protocol);

/* Runs a shell command on the receiving host. */
void network_run (const gchar *format, ...) G_GNUC_PRINTF (1, 2);
/* The same on the sending host. */
void network_run_on_sender (const gchar *format, ...) G_GNUC_PRINTF (1, 2);
/* What a command on the receiving host prints. */
gchar *network_output (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

/* A counter of rx0 that ethtool -S shows, such as "rx_queue_0_drops". */
guint64 network_counter (const gchar *name);
/* Until so many bytes, as the kernel counts them, wait in the receiving host's
 * UDP sockets of port. */
void network_wait_for_backlog (guint port, guint64 bytes);

/* What the socket has no room for is dropped there, and never before it by the
 * program: somebody else could get it. (When a pipeline comes back from a stall, a
 * few of its packets are the one or the other, as time has it; see overload.c.) */
void network_drop_in_socket (void);

/* Packets for which the receiving host's UDP sockets, those that are open now, had
 * no room. */
guint64 network_socket_drops (void);

/* The kernel's number of the XDP program that is attached to an interface; 0: none,
 * or there is no such interface. */
guint32 network_program_on (const gchar *interface);
/* Whether one is attached to rx0, or to another interface. */
gboolean network_has_program (void);
gboolean network_has_program_on (const gchar *interface);
/* The kernel's numbers of it and of the link that attaches it, in words: others
 * after every attaching and every change of programs. */
gchar *network_describe_program (void);
/* Detaches it as somebody else would with bpftool link detach. */
void network_detach_program (void);
void network_detach_program_of (const gchar *interface);
/* Puts a program that passes all into the link that attaches one, as if the driver
 * did not run that. Returns its number. */
guint32 network_replace_program (void);
/* Attaches a program that passes all, as somebody else would. It is there until the
 * descriptor is closed that this returns. */
int network_attach_program (const gchar *name);
int network_attach_program_to (const gchar *interface, const gchar *name);

/* A program of tests, each between such hosts: network_up_with_one_queue, or what
 * does more, then network_down. */
#define NETNS_SUITE(name, set_up)                                  \
  int main (int argc, char **argv)                                 \
  {                                                                \
    network_require_privileges ();                                 \
    return suite_run (argc, argv, name, 60, set_up, network_down); \
  }
