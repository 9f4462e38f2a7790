/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The XDP program loaded, run, and its counters compared. */
#include "program-fixture.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct afxdp_bpf *skeleton;
struct afxdp_slot *slots;
struct afxdp_queue *queues;
int xsk;
int program;

/* Two cache lines: the program's words and user space's. */
G_STATIC_ASSERT (sizeof (struct afxdp_slot) == 128);

struct afxdp_flow_key
make_key (guint version, const guint8 *address, guint16 port)
{
  struct afxdp_flow_key key = { .version = version };

  memcpy (key.address, address, version == 4 ? 4 : 16);
  key.port = GUINT16_TO_BE (port);
  return key;
}

void
set_filtered_flow (
    const struct afxdp_flow_key *key, guint32 slot, enum afxdp_filter filter)
{
  struct afxdp_flow flow = { .slot = slot, .filter = filter };

  fail_if (bpf_map_update_elem (
      bpf_map__fd (skeleton->maps.flows), key, &flow, BPF_ANY));
}

void
set_flow (const struct afxdp_flow_key *key, guint32 slot)
{
  set_filtered_flow (key, slot, AFXDP_FILTER_NONE);
}

void
remove_flow (const struct afxdp_flow_key *key)
{
  bpf_map_delete_elem (bpf_map__fd (skeleton->maps.flows), key);
}

void
set_socket (guint32 index)
{
  fail_if (bpf_map_update_elem (
      bpf_map__fd (skeleton->maps.sockets), &index, &xsk, BPF_ANY));
}

static int
make_part (void)
{
  LIBBPF_OPTS (bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);

  return bpf_map_create (BPF_MAP_TYPE_ARRAY, "slots", sizeof (guint32),
      sizeof (struct afxdp_slot), N_WORDS, &options);
}

static struct afxdp_slot *
map_part (int map)
{
  gpointer words = mmap (NULL, N_WORDS * sizeof *slots, PROT_READ | PROT_WRITE,
      MAP_SHARED, map, 0);

  fail_if (words == MAP_FAILED);
  return words;
}

struct afxdp_slot *
add_part (guint32 part)
{
  int map = make_part ();
  struct afxdp_slot *words;

  fail_if (map < 0);
  fail_if (bpf_map_update_elem (
      bpf_map__fd (skeleton->maps.more_slots), &part, &map, BPF_ANY));
  words = map_part (map);
  close (map);
  return words;
}

void
remove_part (struct afxdp_slot *words)
{
  munmap (words, N_WORDS * sizeof *words);
}

struct afxdp_bpf *
load (void)
{
  struct afxdp_bpf *loaded = afxdp_bpf__open ();
  int example, error;

  if (!loaded)
    return NULL;
  loaded->rodata->queues = QUEUES;
  loaded->rodata->longest_packet = PACKET_TABLE_LONGEST;
  bpf_map__set_max_entries (loaded->maps.slots, N_WORDS);
  bpf_map__set_max_entries (loaded->maps.sockets, AFXDP_SLOTS * QUEUES);
  bpf_map__set_max_entries (loaded->maps.rx_queues, QUEUES);
  example = make_part ();
  bpf_map__set_inner_map_fd (loaded->maps.more_slots, example);
  error = example < 0 || afxdp_bpf__load (loaded) ? errno : 0;
  if (example >= 0)
    close (example);
  if (!error)
    return loaded;
  afxdp_bpf__destroy (loaded);
  errno = error;
  return NULL;
}

void
open_path (guint index, guint32 credit)
{
  slots[index] = (struct afxdp_slot){
    .redirect = AFXDP_REDIRECT_ON,
    .credit = credit,
  };
}

/* All flows of the table in SLOT, paths of all queues open. */
void
set_up (void)
{
  skeleton = load ();
  fail_unless (skeleton != NULL, "cannot load: %s", g_strerror (errno));
  slots = map_part (bpf_map__fd (skeleton->maps.slots));
  queues = mmap (NULL, QUEUES * sizeof *queues, PROT_READ | PROT_WRITE,
      MAP_SHARED, bpf_map__fd (skeleton->maps.rx_queues), 0);
  fail_if (queues == MAP_FAILED);
  xsk = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  fail_if (xsk < 0);
  program = bpf_program__fd (skeleton->progs.afxdp_metadata);

  memcpy (
      skeleton->bss->interface_mac, packet_table_mac, sizeof packet_table_mac);
  for (guint i = 0; i < PACKET_TABLE_FLOWS; i++) {
    struct afxdp_flow_key key = make_key (packet_table_flows[i].version,
        packet_table_flows[i].address, PACKET_TABLE_PORT);

    set_flow (&key, SLOT);
  }
  for (guint queue = 0; queue < QUEUES; queue++) {
    set_socket (INDEX (queue));
    queues[queue].frames = G_MAXUINT64;
    open_path (INDEX (queue), G_MAXUINT32);
  }
}

void
tear_down (void)
{
  close (xsk);
  remove_part (slots);
  munmap (queues, QUEUES * sizeof *queues);
  afxdp_bpf__destroy (skeleton);
}

/* Runs the program on a frame behind so many bytes of metadata, which a driver
 * can have put there. The program may put its own in front of the packet, and
 * changes nothing else. */
Result
run_behind (guint before, const guint8 *frame, gsize size, guint queue)
{
  static guint8 in[LARGEST], out[LARGEST];
  struct xdp_md from = {
    .data = before,
    .data_end = before + size,
    .ingress_ifindex = queue ? if_nametoindex (INTERFACE) : 0,
    .rx_queue_index = queue,
  };
  struct xdp_md to = { 0 };
  LIBBPF_OPTS (bpf_test_run_opts, options, .data_in = in,
      .data_size_in = before + size, .data_out = out,
      .data_size_out = sizeof out, .ctx_in = &from, .ctx_size_in = sizeof from,
      .ctx_out = &to, .ctx_size_out = sizeof to, .repeat = 1);
  Result result = { 0 };
  int error;

  memcpy (in + before, frame, size);
  error = bpf_prog_test_run_opts (program, &options);
  fail_if (error, "test run of %" G_GSIZE_FORMAT " bytes: %s", size,
      g_strerror (-error));
  fail_unless_equals_int (options.data_size_out, to.data + size);
  fail_unless (!memcmp (out + to.data, frame, size), "the packet was changed");
  result.verdict = options.retval;
  result.metadata_size = to.data;
  if (to.data == sizeof result.metadata)
    memcpy (&result.metadata, out, sizeof result.metadata);
  return result;
}

Result
run (const guint8 *frame, gsize size, guint queue)
{
  return run_behind (0, frame, size, queue);
}

/* Runs it on the first frame of the table: good, and belongs to SLOT. */
Result
run_good (guint queue)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);

  return run (cases[0].frame, cases[0].size, queue);
}

static gboolean
is_counted (const struct afxdp_slot *is, const struct afxdp_slot *should_be)
{
  return is->redirected == should_be->redirected &&
      is->passed == should_be->passed && is->too_long == should_be->too_long &&
      is->no_frame == should_be->no_frame &&
      is->no_socket == should_be->no_socket &&
      is->no_metadata == should_be->no_metadata &&
      is->filtered == should_be->filtered && is->dropped == should_be->dropped;
}

/* The first of the words that counted something else, or N_WORDS. */
static guint
find_wrong (guint index, const struct afxdp_slot *expected)
{
  static const struct afxdp_slot none;
  guint i = 0;

  while (i < N_WORDS && is_counted (&slots[i], i == index ? expected : &none))
    i++;
  return i;
}

gboolean
counters_are (guint index, const struct afxdp_slot *expected)
{
  return find_wrong (index, expected) == N_WORDS;
}

void
assert_counters_at (guint line, const gchar *name, guint index,
    const struct afxdp_slot *expected)
{
  guint i = find_wrong (index, expected);
  const struct afxdp_slot *is = &slots[i % N_WORDS];

  fail_unless (i == N_WORDS,
      "line %u: %s: counters at %u: redirected %llu, passed %llu, "
      "too_long %llu, no_frame %llu, no_socket %llu, no_metadata %llu, "
      "filtered %llu",
      line, name, i, is->redirected, is->passed, is->too_long, is->no_frame,
      is->no_socket, is->no_metadata, is->filtered);
}
