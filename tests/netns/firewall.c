/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody else's program. */
#include "firewall.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network.h"
#include "xskmap.skel.h"

static struct xskmap_bpf *firewall, *former;
static int program_link = -1; /* that attaches it */

void
firewall_attach (guint mode)
{
  LIBBPF_OPTS (bpf_link_create_opts, options, .flags = mode);

  program_link = bpf_link_create (bpf_program__fd (firewall->progs.firewall),
      if_nametoindex ("rx0"), BPF_XDP, &options);
  fail_unless (program_link >= 0, "%s", g_strerror (errno));
}

void
firewall_detach (void)
{
  network_detach_program ();
  close (program_link);
  program_link = -1;
}

void
firewall_pin (int fd, const gchar *path)
{
  fail_if (bpf_obj_pin (fd, path), "%s: %s", path, g_strerror (errno));
}

static void
load (void)
{
  firewall = xskmap_bpf__open_and_load ();
  fail_unless (firewall, "the program: %s", g_strerror (errno));
  firewall_pin (firewall_map (), FIREWALL_MAP);
}

void
firewall_renew (void)
{
  former = firewall;
  fail_if (unlink (FIREWALL_MAP));
  load ();
}

void
firewall_up (void)
{
  network_up (1);
  fail_if (unshare (CLONE_NEWNS) ||
          mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
          mount ("bpf", FIREWALL_PINS, "bpf", 0, NULL),
      "a BPF file system: %s", g_strerror (errno));
  load ();
  firewall_attach (XDP_FLAGS_DRV_MODE);
}

void
firewall_down (void)
{
  if (program_link >= 0)
    close (program_link);
  xskmap_bpf__destroy (firewall);
  xskmap_bpf__destroy (former);
  umount (FIREWALL_PINS);
  network_down ();
}

int
firewall_map (void)
{
  return bpf_map__fd (firewall->maps.sockets);
}

int
firewall_other_map (void)
{
  return bpf_map__fd (firewall->maps.numbers);
}

int
firewall_program (void)
{
  return bpf_program__fd (firewall->progs.firewall);
}

/* Whose it is, by trying to enter another one. */
gboolean
firewall_entry_is_empty (void)
{
  int fd = socket (AF_XDP, SOCK_RAW, 0);
  guint32 key = 0;
  int result = bpf_map_update_elem (firewall_map (), &key, &fd, BPF_NOEXIST);

  close (fd);
  return !result;
}

guint64
firewall_n_redirected (void)
{
  return __atomic_load_n (&firewall->bss->redirected, __ATOMIC_ACQUIRE);
}

guint64
firewall_n_passed (void)
{
  return __atomic_load_n (&firewall->bss->passed, __ATOMIC_ACQUIRE);
}

void
firewall_in_child (void (*run) (void))
{
  pid_t child = fork ();
  int status;

  if (!child) {
    run ();
    _exit (0);
  }
  waitpid (child, &status, 0);
  fail_unless (
      WIFEXITED (status) && !WEXITSTATUS (status), "status %x", status);
}

void
firewall_become_nobody (guint32 capabilities)
{
  struct __user_cap_header_struct header = {
    .version = _LINUX_CAPABILITY_VERSION_3,
  };
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
    { .effective = capabilities, .permitted = capabilities },
  };

  fail_if (prctl (PR_SET_KEEPCAPS, 1) ||
      syscall (
          SYS_setresgid, FIREWALL_NOBODY, FIREWALL_NOBODY, FIREWALL_NOBODY) ||
      syscall (
          SYS_setresuid, FIREWALL_NOBODY, FIREWALL_NOBODY, FIREWALL_NOBODY) ||
      syscall (SYS_capset, &header, sets));
}
