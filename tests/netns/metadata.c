/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver that leaves no room for metadata. */
#include "metadata.h"

#include <dlfcn.h>
#include <errno.h>
#include <glib.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>

typedef long (*Syscall) (long, ...);

static gint refuses;

/* A copy in which each call of bpf_xdp_adjust_meta() is what it returns with such a
 * driver. */
static struct bpf_insn *
without_room (const struct bpf_insn *instructions, guint n)
{
  struct bpf_insn *copy = g_memdup2 (instructions, n * sizeof *copy);

  for (guint i = 0; i < n; i++)
    if (copy[i].code == (BPF_JMP | BPF_CALL) && !copy[i].src_reg &&
        copy[i].imm == BPF_FUNC_xdp_adjust_meta)
      copy[i] = (struct bpf_insn){
        .code = BPF_ALU64 | BPF_MOV | BPF_K,
        .dst_reg = BPF_REG_0,
        .imm = -EOPNOTSUPP,
      };
  return copy;
}

static long
load (Syscall call, union bpf_attr *attributes, long size)
{
  __u64 instructions = attributes->insns;
  g_autofree struct bpf_insn *copy = without_room (
      (const struct bpf_insn *) (guintptr) instructions, attributes->insn_cnt);
  long result;

  attributes->insns = (guintptr) copy;
  result = call (SYS_bpf, BPF_PROG_LOAD, attributes, size);
  attributes->insns = instructions;
  return result;
}

__attribute__ ((visibility ("default"))) long
syscall (long number, ...)
{
  Syscall call = (Syscall) dlsym (RTLD_NEXT, "syscall");
  long a[6];
  va_list list;

  va_start (list, number);
  for (guint i = 0; i < G_N_ELEMENTS (a); i++)
    a[i] = va_arg (list, long);
  va_end (list);
  if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && g_atomic_int_get (&refuses))
    return load (call, (union bpf_attr *) a[1], a[2]);
  return call (number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

void
metadata_refuse (void)
{
  g_atomic_int_set (&refuses, TRUE);
}
