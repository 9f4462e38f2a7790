/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client ring of the distributor daemon, and a model of it: bytes are a script of
 * packets and drops that the daemon puts there, and of what the client writes, as the
 * protocol has it or not. Any bytes are a script.
 */
#pragma once

#include <glib.h>

/* Asserts after each step that a slot has one owner, that what a client has is not
 * changed, that all is counted, and that what breaks the protocol, and nothing else,
 * is found. */
void client_ring_model_run (const guint8 *bytes, gsize size);
