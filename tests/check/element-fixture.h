/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the element share: for each test a sender on this host, a
 * pipeline that receives from it through the socket, and what leaves the
 * element. Whoever makes the pipeline ends it in the same test; then it must
 * have left nothing behind.
 */
#pragma once

#include "../netns/receiver.h"
#include "loopback.h"
#include "tap.h"

G_BEGIN_DECLS

extern Loopback *loopback;
extern Receiver *receiver;
extern Tap *tap;

/* "afxdpsrc ADDRESS PORT mode=socket PROPERTIES ! REST". */
void element_new (const gchar *properties, const gchar *rest);
/* The same, and PLAYING. */
void element_play (const gchar *properties, const gchar *rest);

/* NULL, and gone: before GST_END_TEST, which waits for all streaming threads. */
void element_end (void);

/* Until all n packets have passed, then the stats say the same. */
void element_wait (guint n);

/* What passed as packet number came with these caps; NULL: with none. */
void element_assert_caps (guint number, const gchar *caps);

/* A suite of tests with the fixture above: what main() returns. plugins are
 * those of the system that it needs, ending with NULL. */
int element_run (int argc, char **argv, const gchar *name,
    const gchar *const *plugins, void (*add_tests) (TCase *tcase));

G_END_DECLS
