/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who else could get a stream's packets, by what /proc says: files of this test, or
 * none. What cannot be read counts as somebody.
 */
#include "onlookers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "competing.h"
#include "suite.h"

/* A file that can be opened and not read. */
#define BROKEN "broken"

/* The files of a host. */
typedef struct
{
  const gchar *name;
  const gchar *text; /* NULL: it cannot be opened, since */
  int errnum;
} File;

#define PACKET_HEADER \
  "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n"
#define PACKET(protocol, interface)                      \
  PACKET_HEADER "0000000000000000 3      3    " protocol \
                "   " interface "     1 0      0      4711\n"
#define UDP_HEADER                                                      \
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when " \
  "retrnsmt   uid  timeout inode ref pointer drops\n"
#define UDP(address)                                                         \
  UDP_HEADER "  100: " address ":1388 " address                              \
             ":0000 07 00000000:00000000 00:00000000 00000000     0        " \
             "0 4711 2 0000000000000000 0\n"
#define ANY_4 "00000000"
#define ANY_6 "00000000000000000000000000000000"
#define PORT 5000

/* What is there where nobody is. */
static const File nobody[] = {
  { "ipv4/conf/rx0/forwarding", "0\n" },
  { "ipv4/conf/rx0/mc_forwarding", "0\n" },
  { "ipv6/conf/rx0/forwarding", "0\n" },
  { "ipv6/conf/rx0/mc_forwarding", "0\n" },
  { "net/packet", PACKET_HEADER },
  { "net/udp", UDP_HEADER },
  { "net/udp6", UDP_HEADER },
};

/* Those that differ. */
static const File *changed;
static guint n_changed;

static ssize_t
fail_to_read (void *file, char *buffer, size_t size)
{
  errno = EIO;
  return -1;
}

/* What errno is after fclose() says nothing. */
static int
change_errno (void *cookie)
{
  errno = ENOENT;
  return 0;
}

static const File *
find_file (const File *files, guint n, const gchar *path)
{
  for (guint i = 0; i < n; i++)
    if (files[i].name && g_str_has_suffix (path, files[i].name))
      return &files[i];
  return NULL;
}

/* In the C library's place, for what is tested. */
FILE *
fopen (const char *restrict path, const char *restrict mode)
{
  const cookie_io_functions_t broken = { .read = fail_to_read,
    .close = change_errno };
  const File *file = find_file (changed, n_changed, path);

  if (!file)
    file = find_file (nobody, G_N_ELEMENTS (nobody), path);
  fail_unless (file != NULL, "%s", path);
  if (!file->text) {
    errno = file->errnum;
    return NULL;
  }
  if (g_str_equal (file->text, BROKEN))
    return fopencookie (NULL, "r", broken);
  return fmemopen ((gpointer) file->text, strlen (file->text), "r");
}

/* Not what is tested. */
gboolean
afxdp_netdev_has_uppers (const AfxdpNetdev *netdev)
{
  return FALSE;
}

static const struct
{
  const gchar *what;
  File files[7];
  gboolean onlookers;
  gboolean known_4, known_6; /* competing sockets, for each version */
  guint n_4, n_6;
} hosts[] = {
  { "nobody", { { NULL } }, FALSE, TRUE, TRUE },
  { "a router", { { "ipv4/conf/rx0/forwarding", "1\n" } }, TRUE, TRUE, TRUE },
  { "one for IPv6 multicast", { { "ipv6/conf/rx0/mc_forwarding", "1\n" } },
      TRUE, TRUE, TRUE },
  { "a program that captures", { { "net/packet", PACKET ("0003", "0") } }, TRUE,
      TRUE, TRUE },
  { "one on another interface", { { "net/packet", PACKET ("0003", "8") } },
      FALSE, TRUE, TRUE },
  { "one that does not capture IP", { { "net/packet", PACKET ("88cc", "7") } },
      FALSE, TRUE, TRUE },
  { "an IPv4 socket", { { "net/udp", UDP (ANY_4) } }, FALSE, TRUE, TRUE, 1 },
  { "an IPv6 socket", { { "net/udp6", UDP (ANY_6) } }, FALSE, TRUE, TRUE, 1,
      1 },
  /* What is not in the kernel gets nothing. */
  { "no IPv6",
      { { "ipv6/conf/rx0/forwarding", NULL, ENOENT },
          { "ipv6/conf/rx0/mc_forwarding", NULL, ENOENT },
          { "net/udp6", NULL, ENOENT } },
      FALSE, TRUE, FALSE },
  { "no packet sockets", { { "net/packet", NULL, ENOENT } }, FALSE, TRUE,
      TRUE },
  /* What cannot be read may be somebody. */
  { "no /proc",
      { { "ipv4/conf/rx0/forwarding", NULL, ENOENT },
          { "ipv4/conf/rx0/mc_forwarding", NULL, ENOENT },
          { "ipv6/conf/rx0/forwarding", NULL, ENOENT },
          { "ipv6/conf/rx0/mc_forwarding", NULL, ENOENT },
          { "net/packet", NULL, ENOENT }, { "net/udp", NULL, ENOENT },
          { "net/udp6", NULL, ENOENT } },
      TRUE, FALSE, FALSE },
  { "no descriptor for a switch",
      { { "ipv4/conf/rx0/mc_forwarding", NULL, EMFILE } }, TRUE, TRUE, TRUE },
  { "none for IPv6's", { { "ipv6/conf/rx0/forwarding", NULL, EMFILE } }, TRUE,
      TRUE, TRUE },
  { "a broken switch", { { "ipv4/conf/rx0/forwarding", BROKEN } }, TRUE, TRUE,
      TRUE },
  { "no descriptor for packet sockets", { { "net/packet", NULL, EMFILE } },
      TRUE, TRUE, TRUE },
  { "a broken list of them", { { "net/packet", BROKEN } }, TRUE, TRUE, TRUE },
  { "no descriptor for IPv4 sockets", { { "net/udp", NULL, EMFILE } }, FALSE,
      FALSE, TRUE },
  { "none for IPv6 sockets", { { "net/udp6", NULL, EMFILE } }, FALSE, FALSE,
      FALSE },
  { "broken lists of them", { { "net/udp", BROKEN }, { "net/udp6", BROKEN } },
      FALSE, FALSE, FALSE },
  { "a broken list of IPv6 sockets", { { "net/udp6", BROKEN } }, FALSE, FALSE,
      FALSE },
  { "forbidden lists",
      { { "net/udp", NULL, EACCES }, { "net/udp6", NULL, EACCES } }, FALSE,
      FALSE, FALSE },
};

static void
assert_competing (
    const gchar *what, const gchar *address, gboolean known, guint n)
{
  g_autoptr (GInetAddress) group = g_inet_address_new_from_string (address);
  guint found = G_MAXUINT;

  fail_unless (
      afxdp_competing_sockets_count (group, PORT, 0, 7, &found) == known &&
          (!known || found == n),
      "%s: %u sockets compete for %s", what, found, address);
}

TABLE_TEST (test_host, hosts)
{
  AfxdpNetdev netdev = { .index = 7, .name = "rx0" };
  gboolean there;

  changed = hosts[__i__].files;
  n_changed = G_N_ELEMENTS (hosts[__i__].files);
  there = afxdp_onlookers_are_there (&netdev);
  fail_unless (
      there == hosts[__i__].onlookers, "%s: %d", hosts[__i__].what, there);
  assert_competing (
      hosts[__i__].what, "239.1.1.1", hosts[__i__].known_4, hosts[__i__].n_4);
  assert_competing (
      hosts[__i__].what, "ff15::1", hosts[__i__].known_6, hosts[__i__].n_6);
}

/* A socket of this process that is received from on another interface is meant for
 * nothing that arrives on this one: the other leg of a stream, for example. */
TEST (test_own_sockets)
{
  static const File files[] = { { "net/udp", UDP (ANY_4) } };

  changed = files;
  n_changed = G_N_ELEMENTS (files);
  assert_competing ("not known", "239.1.1.1", TRUE, 1);
  afxdp_competing_note_own (4711, 8);
  assert_competing ("on another interface", "239.1.1.1", TRUE, 0);
  afxdp_competing_note_own (4711, 7);
  assert_competing ("on both", "239.1.1.1", TRUE, 1);
  afxdp_competing_forget_own (4711, 7);
  assert_competing ("on the other again", "239.1.1.1", TRUE, 0);
  afxdp_competing_forget_own (4711, 8);
  assert_competing ("on none", "239.1.1.1", TRUE, 1);
}

/* A client of the distributor daemon keeps its socket, and what it gets by the daemon is
 * not taken away from it. It may say so of none but its user's. */
TEST (test_sockets_of_clients)
{
  static const File files[] = { { "net/udp", UDP (ANY_4) } };

  changed = files;
  n_changed = G_N_ELEMENTS (files);
  fail_if (afxdp_competing_note_client (0, 0));
  fail_unless (afxdp_competing_note_client (4711, 1000));
  assert_competing ("somebody else's", "239.1.1.1", TRUE, 1);
  fail_unless (afxdp_competing_note_client (4711, 0));
  fail_unless (afxdp_competing_note_client (4711, 0));
  assert_competing ("a client's", "239.1.1.1", TRUE, 0);
  afxdp_competing_forget_client (4711, 0);
  assert_competing ("still a client's", "239.1.1.1", TRUE, 0);
  afxdp_competing_forget_client (4711, 0);
  assert_competing ("a former client's", "239.1.1.1", TRUE, 1);
  afxdp_competing_forget_client (4711, 1000);
  assert_competing ("nobody's", "239.1.1.1", TRUE, 1);
}

SUITE ("onlookers", 0, NULL, NULL)
