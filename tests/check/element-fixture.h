/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the element share: for each test a sender on this host, a
 * pipeline that receives from it through the socket, and what leaves the
 * element. The pipeline ends with the test, and must have left nothing behind.
 */
#pragma once

#include "../netns/receiver.h"
#include "loopback.h"
#include "suite.h"
#include "tap.h"

G_BEGIN_DECLS

extern Loopback *loopback;
extern Receiver *receiver;
extern Tap *tap;

/* "afxdpsrc ADDRESS PORT mode=socket PROPERTIES ! REST". */
void element_new (const gchar *properties, const gchar *rest);
/* The same, and PLAYING. */
void element_play (const gchar *properties, const gchar *rest);

/* NULL, and gone: what a test does itself when the pipeline uses its variables. */
void element_end (void);

/* Until all n packets have passed, then the stats say the same. */
void element_wait (guint n);

/* Sends n packets with numbers from first on, and waits until all to the last of them
 * have passed. */
void element_receive (guint8 payload_type, guint16 first, guint n);

/* Sends n packets, and waits until so many in all have passed. */
void element_pass (guint8 payload_type, guint16 first, guint n, guint all);

/* What passed as packet number came with these caps; NULL: with none. */
void element_assert_caps (guint number, const gchar *caps);

int element_run (
    int argc, char **argv, const gchar *name, const gchar *const *plugins);

/* A program of tests with the fixture above. Behind the name, the plugins of the
 * system that it needs, and NULL. */
#define ELEMENT_SUITE(name, ...)                           \
  int main (int argc, char **argv)                         \
  {                                                        \
    static const gchar *const plugins[] = { __VA_ARGS__ }; \
                                                           \
    return element_run (argc, argv, name, plugins);        \
  }

G_END_DECLS
