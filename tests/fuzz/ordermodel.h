/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stage that orders packets, against a naive model: that knows each packet's true
 * number, keeps all that wait in a list, and looks through all of it for each packet.
 * Bytes are a script: how long is waited and for how many bytes, and what happens to
 * the packets of up to three senders. Any bytes are one.
 *
 * What holds, or it aborts: what goes out, what is late and what is repeated are the
 * model's, in its order; each packet ends once; nothing waits longer than it may. After
 * a restart or a stray, with which a script may end, the model is silent, and the rest
 * still holds.
 *
 * Of two legs the model knows in what order packets of which true numbers arrive, of a
 * sender of which either leg loses some, is cut, or is behind.
 */
#pragma once

#include <glib.h>

void order_model_run (const guint8 *bytes, gsize size);
void legs_model_run (const guint8 *bytes, gsize size);
