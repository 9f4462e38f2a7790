/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client may say to the distributor daemon, and what it may have of memory and
 * streams: messages of every wrong kind, over a socket pair.
 */
#include "distributor/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distributor/ask.h"
#include "distributor/quotas.h"
#include "error.h"
#include "suite.h"

static int daemon_end, client_end;

static void
set_up (void)
{
  int ends[2];

  fail_if (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, ends));
  daemon_end = ends[0];
  client_end = ends[1];
}

static void
tear_down (void)
{
  close (daemon_end);
  if (client_end >= 0)
    close (client_end);
}

static void
say (gconstpointer message, gsize size)
{
  fail_unless (send (client_end, message, size, 0) == (gssize) size);
}

static AfxdpReceived
receive (AfxdpRequest *request)
{
  const gchar *violation = NULL;
  AfxdpReceived received =
      afxdp_request_receive (daemon_end, request, &violation);

  fail_unless ((received == AFXDP_RECEIVED_VIOLATION) == (violation != NULL));
  return received;
}

/* The lowest descriptor that is free: what was left open raises it. */
static int
next_descriptor (void)
{
  int fd = fcntl (client_end, F_DUPFD, 0);

  close (fd);
  return fd;
}

TEST (test_receive)
{
  const struct afxdp_hello hello = { { AFXDP_MESSAGE_HELLO, sizeof hello },
    AFXDP_PROTOCOL_VERSION, 0 };
  AfxdpRequest request;

  fail_unless (receive (&request) == AFXDP_RECEIVED_NOTHING);
  say (&hello, sizeof hello);
  fail_unless (receive (&request) == AFXDP_RECEIVED_REQUEST);
  fail_if (memcmp (&request, &hello, sizeof hello));
  fail_unless (receive (&request) == AFXDP_RECEIVED_NOTHING);
  close (client_end);
  client_end = -1;
  fail_unless (receive (&request) == AFXDP_RECEIVED_END);
}

static const struct
{
  guint32 type, size; /* that the message says */
  gsize sent;
} wrong[] = {
  { AFXDP_MESSAGE_HELLO, sizeof (struct afxdp_hello), 1 },
  { AFXDP_MESSAGE_HELLO, sizeof (struct afxdp_hello), 7 },
  { AFXDP_MESSAGE_HELLO, sizeof (struct afxdp_hello), 8 },
  { AFXDP_MESSAGE_HELLO, sizeof (struct afxdp_hello), 15 },
  { AFXDP_MESSAGE_HELLO, sizeof (struct afxdp_hello), 17 },
  { AFXDP_MESSAGE_HELLO, 15, sizeof (struct afxdp_hello) },
  { AFXDP_MESSAGE_HELLO, G_MAXUINT32, sizeof (struct afxdp_hello) },
  { AFXDP_MESSAGE_OPEN, sizeof (struct afxdp_open),
      sizeof (struct afxdp_open) - 1 },
  { AFXDP_MESSAGE_OPEN, sizeof (struct afxdp_open),
      sizeof (struct afxdp_open) + 1 },
  { AFXDP_MESSAGE_OPEN, sizeof (struct afxdp_open), 4096 },
  { AFXDP_MESSAGE_WELCOME, sizeof (struct afxdp_welcome),
      sizeof (struct afxdp_welcome) },
  { AFXDP_MESSAGE_WAKE, sizeof (struct afxdp_wake),
      sizeof (struct afxdp_wake) },
  { 0, 8, 8 },
  { 99, 8, 8 },
  { G_MAXUINT32, 8, 8 },
};

TABLE_TEST (test_wrong_message, wrong)
{
  union
  {
    struct afxdp_message message;
    gchar bytes[4096];
  } said = { 0 };
  AfxdpRequest request;

  said.message.type = wrong[__i__].type;
  said.message.size = wrong[__i__].size;
  say (&said, wrong[__i__].sent);
  fail_unless (receive (&request) == AFXDP_RECEIVED_VIOLATION);
}

/* A descriptor may be anything: it is closed, whatever comes with it. */
static const guint numbers_of_descriptors[] = { 1, 2, 253 };

TABLE_TEST (test_descriptors, numbers_of_descriptors)
{
  struct afxdp_hello hello = { { AFXDP_MESSAGE_HELLO, sizeof hello },
    AFXDP_PROTOCOL_VERSION, 0 };
  guint n = numbers_of_descriptors[__i__];
  g_autofree int *fds = g_new (int, n);
  int next = next_descriptor ();
  gchar control[CMSG_SPACE (253 * sizeof (int))] = { 0 };
  struct iovec part = { &hello, sizeof hello };
  struct msghdr header = { .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = control,
    .msg_controllen = CMSG_SPACE (n * sizeof (int)) };
  struct cmsghdr *rights = CMSG_FIRSTHDR (&header);
  AfxdpRequest request;

  for (guint i = 0; i < n; i++)
    fds[i] = client_end;
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN (n * sizeof (int));
  memcpy (CMSG_DATA (rights), fds, n * sizeof (int));
  fail_unless (sendmsg (client_end, &header, 0) == sizeof hello);
  fail_unless (receive (&request) == AFXDP_RECEIVED_VIOLATION);
  fail_unless_equals_int (next_descriptor (), next);
}

TEST (test_full)
{
  struct afxdp_path path = { { AFXDP_MESSAGE_PATH, sizeof path } };
  guint n = 0;

  while (afxdp_message_send (daemon_end, &path.message, NULL, 0))
    n++;
  fail_unless_equals_int (errno, EAGAIN);
  fail_unless (n > 0);
  close (client_end);
  client_end = -1;
  fail_if (afxdp_message_send (daemon_end, &path.message, NULL, 0));
}

/* OPEN. */

/* Texts that do not fit are cut between characters; others' may be of any bytes. */
static const struct
{
  const gchar *text, *expected;
} texts[] = {
  { "", "" },
  { "short", "short" },
  { "seven b", "seven b" },
  { "eight by", "eight b" },
  { "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", "\xc3\xa4\xc3\xb6\xc3\xbc" },
  { "abcd\xf0\x9f\x8e\xa5", "abcd" },
  { "abc\xf0\x9f\x8e\xa5", "abc\xf0\x9f\x8e\xa5" },
  { "a\xff", "a\xef\xbf\xbd" },
};

TABLE_TEST (test_set_text, texts)
{
  gchar field[10] = "xxxxxxxx";

  field[8] = field[9] = 'y';
  afxdp_message_set_text (field, 8, texts[__i__].text);
  fail_unless_equals_string (field, texts[__i__].expected);
  fail_unless (field[8] == 'y' && field[9] == 'y');
}

static struct afxdp_open
make_open (void)
{
  return (struct afxdp_open){
    .version = 4,
    .port = 5000,
    .address = { 239, 1, 1, 1 },
    .interface = "eth1",
    .slots = 1000,
  };
}

TEST (test_ask)
{
  struct afxdp_open open = make_open ();
  g_auto (AfxdpAsk) ask = { 0 };
  g_autofree gchar *text = NULL;

  open.sources_kind = AFXDP_SOURCES_INCLUDE;
  open.n_sources = AFXDP_PROTOCOL_SOURCES;
  for (guint i = 0; i < open.n_sources; i++)
    memcpy (open.sources[i], (guint8[]){ 10, 0, 0, i + 1 }, 4);
  open.socket = 4711;
  open.verify_checksum = 1;
  fail_unless (afxdp_ask_init (&ask, &open) == NULL);
  text = g_inet_address_to_string (ask.address);
  fail_unless_equals_string (text, "239.1.1.1");
  fail_unless_equals_int (ask.port, 5000);
  fail_unless_equals_string (ask.interface, "eth1");
  fail_unless_equals_int (ask.n_slots, 1000);
  fail_unless (ask.verify_checksum);
  fail_unless_equals_uint64 (ask.socket, 4711);
  fail_unless_equals_int (
      afxdp_sources_n (ask.sources), AFXDP_PROTOCOL_SOURCES);
  fail_unless_equals_int (afxdp_sources_get (ask.sources, 63)[3], 64);
}

static const guint slots[][2] = { { 0, 16384 }, { 1, 64 }, { 64, 64 },
  { 100, 100 }, { 1 << 20, 1 << 20 }, { G_MAXUINT, 1 << 20 } };

TABLE_TEST (test_slots, slots)
{
  struct afxdp_open open = make_open ();
  g_auto (AfxdpAsk) ask = { 0 };

  open.slots = slots[__i__][0];
  fail_unless (afxdp_ask_init (&ask, &open) == NULL);
  fail_unless_equals_int (ask.n_slots, slots[__i__][1]);
}

#define FIELD(name) G_STRUCT_OFFSET (struct afxdp_open, name)

/* Bytes that make an OPEN wrong, at one place or two. */
static const struct
{
  const gchar *what;
  struct
  {
    gsize offset, size;
    guint8 bytes[17];
  } changes[2];
} wrong_opens[] = {
  { "version 0", { { FIELD (version), 1, { 0 } } } },
  { "version 5", { { FIELD (version), 1, { 5 } } } },
  { "port 0", { { FIELD (port), 4, { 0 } } } },
  { "port 65536", { { FIELD (port), 4, { 0, 0, 1, 0 } } } },
  { "any address", { { FIELD (address), 4, { 0 } } } },
  { "any IPv6 address",
      { { FIELD (version), 1, { 6 } }, { FIELD (address), 16, { 0 } } } },
  { "IPv4 in IPv6",
      { { FIELD (version), 1, { 6 } },
          { FIELD (address), 16,
              { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1 } } } },
  { "a name without an end",
      { { FIELD (interface), IF_NAMESIZE, "0123456789abcdef" } } },
  { "half a switch", { { FIELD (verify_checksum), 1, { 2 } } } },
  { "no kind of sources", { { FIELD (sources_kind), 1, { 3 } } } },
  { "a kind without sources", { { FIELD (sources_kind), 1, { 1 } } } },
  { "sources without a kind", { { FIELD (n_sources), 1, { 1 } } } },
  { "too many sources",
      { { FIELD (sources_kind), 1, { 1 } },
          { FIELD (n_sources), 1, { 65 } } } },
  { "far too many sources",
      { { FIELD (sources_kind), 1, { 1 } },
          { FIELD (n_sources), 4, { 255, 255, 255, 255 } } } },
};

TABLE_TEST (test_wrong_open, wrong_opens)
{
  struct afxdp_open open = make_open ();
  g_auto (AfxdpAsk) ask = { 0 };

  for (guint i = 0; i < 2; i++)
    memcpy ((guint8 *) &open + wrong_opens[__i__].changes[i].offset,
        wrong_opens[__i__].changes[i].bytes,
        wrong_opens[__i__].changes[i].size);
  fail_unless (
      afxdp_ask_init (&ask, &open) != NULL, "%s", wrong_opens[__i__].what);
  fail_unless (!ask.address && !ask.sources);
}

/* Sources of this host's own address. */
TEST (test_unicast_sources)
{
  struct afxdp_open open = make_open ();
  g_auto (AfxdpAsk) ask = { 0 };

  open.address[0] = 10;
  open.sources_kind = AFXDP_SOURCES_INCLUDE;
  open.n_sources = 1;
  open.sources[0][0] = 10;
  fail_unless (afxdp_ask_init (&ask, &open) != NULL);
}

/* Quotas. */

static gboolean
take (AfxdpQuotas *quotas, const AfxdpRules *rules, guint32 uid)
{
  const AfxdpPeer peer = { uid, NULL, 0 };

  return afxdp_quotas_take (quotas, rules, &peer, NULL);
}

TEST (test_streams)
{
  g_autoptr (AfxdpQuotas) quotas = afxdp_quotas_new (3);
  g_autoptr (AfxdpRules) rules = afxdp_rules_new ();

  afxdp_rules_set_quota (
      rules, (AfxdpSubject){ AFXDP_SUBJECT_EVERYBODY }, AFXDP_QUOTA_STREAMS, 2);
  fail_unless (take (quotas, rules, 0));
  fail_unless (take (quotas, rules, 0));
  fail_if (take (quotas, rules, 0));
  fail_unless (take (quotas, rules, 1));
  fail_if (take (quotas, rules, 2));
  afxdp_quotas_give_back (quotas, 0);
  fail_unless (take (quotas, rules, 0));
  fail_if (take (quotas, rules, 0));
}

static gsize
ring_bytes (guint n_slots, guint slot_size)
{
  return 1000 + (gsize) n_slots * slot_size;
}

TEST (test_memory)
{
  g_autoptr (AfxdpRules) rules = afxdp_rules_new ();
  g_autoptr (GError) error = NULL;
  const AfxdpPeer peer = { 0, NULL, 0 };
  const AfxdpSubject everybody = { AFXDP_SUBJECT_EVERYBODY };
  guint n = 100;

  afxdp_rules_set_quota (
      rules, everybody, AFXDP_QUOTA_MEMORY, 1000 + 200 * 2048);
  fail_unless (afxdp_quotas_slots (rules, &peer, ring_bytes, 2048, &n, &error));
  fail_unless_equals_int (n, 100);
  n = 1 << 20;
  fail_unless (afxdp_quotas_slots (rules, &peer, ring_bytes, 2048, &n, &error));
  fail_unless_equals_int (n, 200);
  n = 1 << 20;
  fail_unless (afxdp_quotas_slots (rules, &peer, ring_bytes, 4096, &n, &error));
  fail_unless_equals_int (n, 100);
  fail_if (afxdp_quotas_slots (rules, &peer, ring_bytes, 16384, &n, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
}

SUITE ("distributor-words", 0, set_up, tear_down)
