/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Somebody else's program on rx0 (xskmap.bpf.c), which redirects UDP ports 5000 and 5001
 * to an XSKMAP that is pinned in a BPF file system of the test's own; and whoever has
 * few privileges.
 */
#pragma once

#include <glib.h>
#include <linux/if_link.h>

/* A BPF file system of the test's own is mounted here. */
#define FIREWALL_PINS "/sys/fs/bpf/"
#define FIREWALL_MAP FIREWALL_PINS "xsks_map"
/* Everything that a process without privileges can be. */
#define FIREWALL_NOBODY 65534

/* A network with one queue, the program in native mode and its map. */
void firewall_up (void);
void firewall_down (void);

/* mode: XDP_FLAGS_DRV_MODE and the like. */
void firewall_attach (guint mode);
void firewall_detach (void);
/* Its owner starts it again: another map is pinned, and another program is there, to be
 * attached. */
void firewall_renew (void);

void firewall_pin (int fd, const gchar *path);
int firewall_map (void);
/* A map of another type. */
int firewall_other_map (void);
int firewall_program (void);
/* Whether no socket is entered for queue 0. */
gboolean firewall_entry_is_empty (void);

/* Packets to its ports. */
guint64 firewall_n_redirected (void);
guint64 firewall_n_passed (void);

/* Runs it in a child process, and waits. */
void firewall_in_child (void (*run) (void));
/* All but some capabilities (bits) are gone, and the user is nobody. */
void firewall_become_nobody (guint32 capabilities);
