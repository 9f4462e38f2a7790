/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libFuzzer calls. A target asserts; an assertion that fails aborts, and
 * libFuzzer prints and keeps the input.
 */
#pragma once

#include <glib.h>
#include <stddef.h>

/* Once; most targets have none. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
/* For each input. */
int LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size);
