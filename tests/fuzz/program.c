/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as an Ethernet frame, for the XDP program, which the kernel runs, and
 * the parser in user space, which has to agree. Root. Only the parser's coverage
 * guides the fuzzer: the two are copies of one another.
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "program-fixture.h"
#include "program-parser.h"
#include "target.h"

#define EXIT_SKIP 77

/* The fixture asserts as libcheck does, and outside of its runner libcheck cannot
 * tell: these take the place of GStreamer's. */

void
_ck_assert_failed (const char *file, int line, const char *expression, ...)
{
  va_list arguments;
  const char *format;

  fprintf (stderr, "%s:%d: %s\n", file, line, expression);
  va_start (arguments, expression);
  format = va_arg (arguments, const char *);
  if (format)
    vfprintf (stderr, format, arguments);
  va_end (arguments);
  abort ();
}

void
_mark_point (const char *file, int line)
{
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  struct afxdp_bpf *probe = load ();

  if (!probe) {
    printf ("SKIP: cannot load the XDP program: %s\n", g_strerror (errno));
    exit (EXIT_SKIP);
  }
  afxdp_bpf__destroy (probe);
  set_up ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  Agreement agreement;

  if (size < SHORTEST || size > LARGEST)
    return 0;
  if (!program_agrees_with_parser (bytes, size, &agreement))
    abort ();
  return 0;
}
