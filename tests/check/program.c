/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The XDP program, run by BPF_PROG_TEST_RUN: against the packet table, against
 * the user-space parser, and each of its counters and words alone.
 *
 * A test run ends with the verdict, nothing is delivered. Hence the AF_XDP
 * socket in the map need not be bound; the interface is there only because
 * the kernel takes a queue's number from one (net/bpf/test_run.c, Linux 6.18).
 * All in a network namespace of its own, which dies with the process.
 */
#include "program-fixture.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mutations.h"
#include "program-parser.h"
#include "suite.h"

#define EXIT_SKIP 77

static void
run_case (const PacketCase *packet, guint metadata_size)
{
  struct afxdp_slot expected = {
    .redirected = packet->verdict == PACKET_REDIRECTED,
    .passed = packet->verdict == PACKET_TOO_LONG,
    .too_long = packet->verdict == PACKET_TOO_LONG,
  };
  guint32 verdict =
      packet->verdict == PACKET_REDIRECTED ? XDP_REDIRECT : XDP_PASS;
  Result result;

  open_path (INDEX (0), 1);
  result = run (packet->frame, packet->size, 0);
  fail_unless (result.verdict == verdict, "%s: verdict %u instead of %u",
      packet->name, result.verdict, verdict);
  fail_unless (
      result.metadata_size == (verdict == XDP_REDIRECT ? metadata_size : 0),
      "%s: %u bytes of metadata", packet->name, result.metadata_size);
  assert_counters_at (__LINE__, packet->name, INDEX (0), &expected);
}

TEST (test_table)
{
  guint n_cases, n_skipped = 0;
  const PacketCase *cases = packet_table (&n_cases);

  for (guint i = 0; i < n_cases; i++) {
    if (cases[i].size < SHORTEST) {
      n_skipped++;
      continue;
    }
    program = bpf_program__fd (skeleton->progs.afxdp_metadata);
    run_case (&cases[i], sizeof (struct afxdp_metadata));
    program = bpf_program__fd (skeleton->progs.afxdp_plain);
    run_case (&cases[i], 0);
  }
  g_print ("%u of %u cases, %u are too short for a test run\n",
      n_cases - n_skipped, n_cases, n_skipped);
}

/* HOSTILE_FRAMES and HOSTILE_SEED in the environment: others than these. */
#define HOSTILE_FRAMES 30000
#define HOSTILE_SEED 6
#define HOSTILE_ROUNDS 4

static guint
from_environment (const gchar *name, guint otherwise)
{
  const gchar *text = g_getenv (name);

  return text ? g_ascii_strtoull (text, NULL, 10) : otherwise;
}

LOOP_TEST (test_agrees_with_parser, HOSTILE_ROUNDS)
{
  guint seed = from_environment ("HOSTILE_SEED", HOSTILE_SEED) + __i__;
  guint n = from_environment ("HOSTILE_FRAMES", HOSTILE_FRAMES);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autofree guint *done = g_new0 (guint, packet_n_mutations ());
  guint n_udp = 0, n_redirected = 0;

  g_print ("seed %u: ", seed);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GByteArray) frame = packet_mutation (random, done);
    Agreement agreement;

    if (!program_agrees_with_parser (frame->data, frame->len, &agreement))
      fail ("program and parser differ on frame %u of seed %u", i, seed);
    n_udp += agreement.is_udp;
    n_redirected += agreement.is_redirected;
  }
  g_print (
      "%u frames, %u of them UDP, %u redirected\n", n, n_udp, n_redirected);
  fail_unless (n_redirected > n / 10);
  fail_unless (n_udp - n_redirected > n / 100);
  fail_unless (n - n_udp > n / 10);
  for (guint i = 0; i < packet_n_mutations (); i++)
    fail_unless (done[i] > n / 100, "%s: only %u times",
        packet_mutation_name (i), done[i]);
}

TEST (test_closed_path)
{
  slots[INDEX (0)].redirect = AFXDP_REDIRECT_OFF;
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  assert_counters (INDEX (0), .passed = 1);
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_OFF);

  slots[INDEX (0)].redirect = AFXDP_REDIRECT_ON;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  assert_counters (INDEX (0), .passed = 1, .redirected = 1);
}

/* A used-up credit ends redirecting, and giving back does not begin it. */
TEST (test_credit)
{
  struct afxdp_slot *slot = &slots[INDEX (0)];

  open_path (INDEX (0), 3);
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  fail_unless_equals_int (slot->redirect, AFXDP_REDIRECT_ON);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  fail_unless_equals_int (slot->redirect, AFXDP_REDIRECT_EXHAUSTED);
  assert_counters (INDEX (0), .redirected = 3, .passed = 1);

  slot->released = 3;
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  fail_unless_equals_int (slot->redirect, AFXDP_REDIRECT_EXHAUSTED);
  assert_counters (INDEX (0), .redirected = 3, .passed = 2);

  slot->released = 1;
  slot->redirect = AFXDP_REDIRECT_ON;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  fail_unless_equals_int (slot->redirect, AFXDP_REDIRECT_EXHAUSTED);
  assert_counters (INDEX (0), .redirected = 4, .passed = 3);
  fail_unless_equals_int (slots[INDEX (1)].redirect, AFXDP_REDIRECT_ON);
}

TEST (test_no_credit)
{
  open_path (INDEX (0), 0);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_EXHAUSTED);
  assert_counters (INDEX (0), .passed = 1);
}

/* What user space calls overloaded is dropped where it would be passed, for as long as
 * that was said: not what passes for another reason, and nobody else's. */
TEST (test_overloaded)
{
  struct afxdp_slot *slot = &slots[INDEX (0)];
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);
  struct timespec now;
  guint64 in_a_minute;

  clock_gettime (CLOCK_MONOTONIC, &now);
  in_a_minute = (now.tv_sec + 60) * G_GUINT64_CONSTANT (1000000000);
  slot->redirect = AFXDP_REDIRECT_OVERLOADED;
  slot->drop_until = in_a_minute;
  fail_unless_equals_int (run_good (0).verdict, XDP_DROP);
  assert_counters (INDEX (0), .dropped = 1);
  fail_unless_equals_int (slot->redirect, AFXDP_REDIRECT_OVERLOADED);

  /* The lease is over, or there was none. */
  slot->drop_until = in_a_minute - 61 * G_GUINT64_CONSTANT (1000000000);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  slot->drop_until = 0;
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  assert_counters (INDEX (0), .dropped = 1, .passed = 2);

  /* A lease alone drops nothing. */
  slot->drop_until = in_a_minute;
  slot->redirect = AFXDP_REDIRECT_OFF;
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  slot->redirect = AFXDP_REDIRECT_EXHAUSTED;
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  slot->redirect = AFXDP_REDIRECT_ON;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  assert_counters (INDEX (0), .dropped = 1, .passed = 4, .redirected = 1);

  slot->redirect = AFXDP_REDIRECT_OVERLOADED;
  for (guint i = 0; i < n_cases; i++)
    if (cases[i].verdict != PACKET_REDIRECTED && cases[i].size >= SHORTEST)
      fail_unless_equals_int (
          run (cases[i].frame, cases[i].size, 0).verdict, XDP_PASS);
  fail_unless_equals_uint64 (slot->dropped, 1);
  slot->drop_until = 0;
}

/* No frame in the queue's fill ring ends redirecting for whose packet finds none;
 * what other slots took counts, other queues do not. */
TEST (test_no_frame)
{
  queues[0].frames = 3;
  queues[0].redirected = 1;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_EXHAUSTED);
  assert_counters (INDEX (0), .redirected = 2, .passed = 1, .no_frame = 1);
  fail_unless_equals_uint64 (queues[0].redirected, 3);
  fail_unless_equals_uint64 (queues[1].redirected, 0);

  queues[0].frames = 4;
  slots[INDEX (0)].redirect = AFXDP_REDIRECT_ON;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_ON);
}

/* A packet that is too long for the frames does not ask for credit. */
TEST (test_too_long_without_credit)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);

  open_path (INDEX (0), 0);
  for (guint i = 0; i < n_cases; i++)
    if (cases[i].verdict == PACKET_TOO_LONG) {
      run (cases[i].frame, cases[i].size, 0);
      break;
    }
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_ON);
  assert_counters (INDEX (0), .passed = 1, .too_long = 1);
}

TEST (test_no_socket)
{
  guint32 index = INDEX (0);

  fail_if (bpf_map_delete_elem (bpf_map__fd (skeleton->maps.sockets), &index));
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  assert_counters (INDEX (0), .passed = 1, .no_socket = 1);
  fail_unless_equals_int (slots[INDEX (0)].redirect, AFXDP_REDIRECT_ON);
}

/* The driver has put there all the metadata that there is room for beside the
 * kernel's struct xdp_frame of 40 bytes, and ours is too much. */
TEST (test_no_metadata)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);
  Result result =
      run_behind (AFXDP_HEADROOM - 40, cases[0].frame, cases[0].size, 0);

  fail_unless_equals_int (result.verdict, XDP_PASS);
  fail_unless_equals_int (result.metadata_size, AFXDP_HEADROOM - 40);
  assert_counters (INDEX (0), .passed = 1, .no_metadata = 1);

  program = bpf_program__fd (skeleton->progs.afxdp_plain);
  result = run_behind (AFXDP_HEADROOM - 40, cases[0].frame, cases[0].size, 0);
  fail_unless_equals_int (result.verdict, XDP_REDIRECT);
  assert_counters (INDEX (0), .passed = 1, .no_metadata = 1, .redirected = 1);
}

static guint64
monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GUINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* Ordinals number what is redirected, and nothing else. */
TEST (test_metadata)
{
  guint64 before, after;
  guint32 n_passed = 0;

  for (guint32 i = 0; i < 100; i++) {
    Result result;

    if (i % 3 == 0) {
      slots[INDEX (0)].redirect = AFXDP_REDIRECT_OFF;
      fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
      slots[INDEX (0)].redirect = AFXDP_REDIRECT_ON;
      n_passed++;
    }
    before = monotonic ();
    result = run_good (0);
    after = monotonic ();
    fail_unless_equals_int (result.verdict, XDP_REDIRECT);
    fail_unless_equals_int (
        result.metadata_size, sizeof (struct afxdp_metadata));
    fail_unless_equals_int (result.metadata.ordinal, i);
    fail_unless (result.metadata.time >= before);
    fail_unless (result.metadata.time <= after);
  }
  assert_counters (INDEX (0), .redirected = 100, .passed = n_passed);
}

/* Counters and ordinals do not wrap. */
TEST (test_counters_beyond_32_bits)
{
  struct afxdp_slot *slot = &slots[INDEX (0)];

  open_path (INDEX (0), 2);
  slot->redirected = slot->released = G_MAXUINT32;
  slot->passed = G_GUINT64_CONSTANT (0x500000007);
  fail_unless_equals_uint64 (run_good (0).metadata.ordinal, G_MAXUINT32);
  fail_unless_equals_uint64 (
      run_good (0).metadata.ordinal, G_MAXUINT32 + G_GUINT64_CONSTANT (1));
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  slot->released = slot->redirected;
  slot->redirect = AFXDP_REDIRECT_ON;
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  assert_counters (INDEX (0),
      .redirected = G_MAXUINT32 + G_GUINT64_CONSTANT (3),
      .passed = G_GUINT64_CONSTANT (0x500000008));
}

TEST (test_plain)
{
  program = bpf_program__fd (skeleton->progs.afxdp_plain);
  for (guint i = 0; i < 3; i++) {
    Result result = run_good (0);

    fail_unless_equals_int (result.verdict, XDP_REDIRECT);
    fail_unless_equals_int (result.metadata_size, 0);
  }
  assert_counters (INDEX (0), .redirected = 3);
}

/* Each queue has its words, its socket and its ordinals. */
TEST (test_queues)
{
  guint32 index = INDEX (1);

  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (run_good (1).metadata.ordinal, i);
  assert_counters (INDEX (1), .redirected = 3);

  open_path (INDEX (1), 1);
  fail_unless_equals_int (run_good (0).metadata.ordinal, 0);
  assert_counters (INDEX (0), .redirected = 1);

  fail_if (bpf_map_delete_elem (bpf_map__fd (skeleton->maps.sockets), &index));
  fail_unless_equals_int (run_good (0).verdict, XDP_REDIRECT);
  open_path (INDEX (0), 1);
  fail_unless_equals_int (run_good (1).verdict, XDP_PASS);
  assert_counters (INDEX (1), .passed = 1, .no_socket = 1);
}

/* A queue that showed after the maps were made has no words. */
TEST (test_unknown_queue)
{
  open_path (INDEX (QUEUES), G_MAXUINT32);
  set_socket (INDEX (QUEUES));
  for (guint queue = QUEUES; queue < INTERFACE_QUEUES; queue++)
    fail_unless_equals_int (run_good (queue).verdict, XDP_PASS);
  fail_unless_equals_int (
      skeleton->bss->unknown_queue, INTERFACE_QUEUES - QUEUES);
  assert_counters (INDEX (0), 0);
}

/* Flows of different slots do not touch one another; a slot beyond the map
 * means the stack. */
TEST (test_slots)
{
  static const guint32 others[] = { 0, SLOT + 1, AFXDP_SLOTS_OF_PART - 1 };
  struct afxdp_flow_key key = make_key (packet_table_flows[0].version,
      packet_table_flows[0].address, PACKET_TABLE_PORT);

  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    guint index = others[i] * QUEUES + 1;

    set_flow (&key, others[i]);
    set_socket (index);
    open_path (index, 1);
    fail_unless_equals_int (run_good (1).verdict, XDP_REDIRECT);
    assert_counters (index, .redirected = 1);
    open_path (index, 1);
  }
  set_flow (&key, AFXDP_SLOTS);
  fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
  assert_counters (INDEX (0), 0);
}

/* Slots of the other parts, which come when they are needed: the first and the last of
 * each, whose words are nobody else's. */
TEST (test_parts)
{
  static const guint32 within[] = { 0, SLOT, AFXDP_SLOTS_OF_PART - 1 };
  static const char *const names[] = { "afxdp_metadata", "afxdp_plain" };
  struct afxdp_flow_key key = make_key (packet_table_flows[0].version,
      packet_table_flows[0].address, PACKET_TABLE_PORT);

  fail_unless_equals_int (AFXDP_PARTS * AFXDP_SLOTS_OF_PART, AFXDP_SLOTS);
  for (guint32 part = 1; part < AFXDP_PARTS; part++) {
    struct afxdp_slot *words;

    set_flow (&key, part * AFXDP_SLOTS_OF_PART);
    fail_unless_equals_int (run_good (1).verdict, XDP_PASS);
    words = add_part (part);
    for (guint i = 0; i < G_N_ELEMENTS (within); i++) {
      guint index = within[i] * QUEUES + 1;

      program = bpf_program__fd (
          bpf_object__find_program_by_name (skeleton->obj, names[i % 2]));
      set_flow (&key, part * AFXDP_SLOTS_OF_PART + within[i]);
      set_socket (part * N_WORDS + index);
      words[index].redirect = AFXDP_REDIRECT_ON;
      words[index].credit = 1;
      fail_unless_equals_int (run_good (1).verdict, XDP_REDIRECT);
      fail_unless_equals_int (run_good (1).verdict, XDP_PASS);
      fail_unless_equals_int (run_good (0).verdict, XDP_PASS);
      g_assert_cmpuint (words[index].redirected, ==, 1);
      g_assert_cmpuint (words[index].passed, ==, 1);
      g_assert_cmpuint (words[index - 1].passed, ==, 1);
    }
    for (guint i = 0, n = 0; i < N_WORDS; i++) {
      n += words[i].redirected + words[i].passed;
      if (i == N_WORDS - 1)
        g_assert_cmpuint (n, ==, 3 * G_N_ELEMENTS (within));
    }
    remove_part (words);
  }
  /* Those of the first part have seen nothing of it. */
  assert_counters (INDEX (0), 0);
}

/* There is room for as many flows as the layout says, and no more. */
TEST (test_flows_full)
{
  struct afxdp_flow_key key = { .version = 4, .port = 1 };
  struct afxdp_flow flow = { 0 };
  int map = bpf_map__fd (skeleton->maps.flows);

  /* Those of the table are there. */
  for (guint32 i = PACKET_TABLE_FLOWS; i <= AFXDP_FLOWS; i++) {
    int error;

    memcpy (key.address, &i, sizeof i);
    error = bpf_map_update_elem (map, &key, &flow, BPF_ANY);
    fail_unless_equals_int (!!error, i == AFXDP_FLOWS);
  }
}

/* Sources: of the table's frames 192.0.2.9 and 2001:db8::9. */

static const struct
{
  guint version;
  guint8 listed[16]; /* the source in the map */
  guint32 slot;      /* of the entry there */
  gboolean is_frames;
} sources[] = {
  { 4, { 192, 0, 2, 9 }, SLOT, TRUE },
  { 4, { 192, 0, 2, 8 }, SLOT, FALSE },
  { 4, { 9, 2, 0, 192 }, SLOT, FALSE },
  { 4, { 192, 0, 2, 9, 1 }, SLOT, FALSE },
  { 4, { 192, 0, 2, 9 }, SLOT + 1, FALSE },
  { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 }, SLOT, TRUE },
  { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 8 }, SLOT, FALSE },
  { 6, { 0x20, 0x01, 0x0d, 0xb9, [15] = 9 }, SLOT, FALSE },
  { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 }, SLOT - 1, FALSE },
  /* What an IPv4 packet's source would be, were there no version. */
  { 6, { 192, 0, 2, 9 }, SLOT, FALSE },
};

static const guint8 present = 1;

static struct afxdp_source_key
source_key (guint32 slot, guint version, const guint8 *address)
{
  struct afxdp_source_key key = { .slot = slot, .version = version };

  memcpy (key.address, address, sizeof key.address);
  return key;
}

/* Runs both multicast frames of the table, and holds the one of version against
 * what should become of it. */
static void
check_filter (guint version, enum afxdp_filter filter, gboolean wanted)
{
  guint n_cases;
  const PacketCase *packet = packet_table (&n_cases) + (version == 6 ? 2 : 0);
  const PacketFlow *flow = &packet_table_flows[version == 6 ? 2 : 0];
  struct afxdp_flow_key key =
      make_key (flow->version, flow->address, PACKET_TABLE_PORT);

  set_filtered_flow (&key, SLOT, filter);
  open_path (INDEX (1), G_MAXUINT32);
  fail_unless_equals_int (run (packet->frame, packet->size, 1).verdict,
      wanted ? XDP_REDIRECT : XDP_PASS);
  assert_counters (INDEX (1), .redirected = wanted, .filtered = !wanted);

  /* Whatever becomes of a packet that is filtered, it is not passed. */
  open_path (INDEX (1), 0);
  fail_unless_equals_int (
      run (packet->frame, packet->size, 1).verdict, XDP_PASS);
  assert_counters (INDEX (1), .passed = wanted, .filtered = !wanted);
  fail_unless_equals_int (slots[INDEX (1)].redirect,
      wanted ? AFXDP_REDIRECT_EXHAUSTED : AFXDP_REDIRECT_ON);
  open_path (INDEX (1), G_MAXUINT32);
}

TABLE_TEST (test_sources, sources)
{
  static const char *const names[] = { "afxdp_metadata", "afxdp_plain" };
  struct afxdp_source_key key = source_key (
      sources[__i__].slot, sources[__i__].version, sources[__i__].listed);
  int map = bpf_map__fd (skeleton->maps.sources);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    gboolean listed = sources[__i__].is_frames;
    guint version = sources[__i__].version;
    guint other = 10 - version;

    program = bpf_program__fd (
        bpf_object__find_program_by_name (skeleton->obj, names[i]));
    fail_if (bpf_map_update_elem (map, &key, &present, BPF_ANY));
    check_filter (version, AFXDP_FILTER_INCLUDE, listed);
    check_filter (version, AFXDP_FILTER_EXCLUDE, !listed);
    check_filter (version, AFXDP_FILTER_NONE, TRUE);
    check_filter (other, AFXDP_FILTER_INCLUDE, FALSE);
    check_filter (other, AFXDP_FILTER_EXCLUDE, TRUE);

    fail_if (bpf_map_delete_elem (map, &key));
    check_filter (version, AFXDP_FILTER_INCLUDE, FALSE);
    check_filter (version, AFXDP_FILTER_EXCLUDE, TRUE);
  }
}

/* A packet without its end is the stream's when it is from one of its sources. */
LOOP_TEST (test_cut, 2)
{
  guint n_cases;
  const PacketCase *packet = packet_table (&n_cases) + 2 * __i__;
  const PacketFlow *flow = &packet_table_flows[2 * __i__];
  struct afxdp_flow_key key =
      make_key (flow->version, flow->address, PACKET_TABLE_PORT);
  struct afxdp_slot *slot = &slots[INDEX (1)];

  fail_unless_equals_int (
      run (packet->frame, packet->size - 1, 1).verdict, XDP_PASS);
  fail_unless_equals_uint64 (slot->cut, 1);
  assert_counters (INDEX (1), 0);
  set_filtered_flow (&key, SLOT, AFXDP_FILTER_EXCLUDE);
  fail_unless_equals_int (
      run (packet->frame, packet->size - 1, 1).verdict, XDP_PASS);
  fail_unless_equals_uint64 (slot->cut, 2);
  assert_counters (INDEX (1), 0);
  set_filtered_flow (&key, SLOT, AFXDP_FILTER_INCLUDE);
  fail_unless_equals_int (
      run (packet->frame, packet->size - 1, 1).verdict, XDP_PASS);
  fail_unless_equals_uint64 (slot->cut, 2);
  assert_counters (INDEX (1), .filtered = 1);
}

/* There is room for as many as the layout says, and no more. */
TEST (test_sources_full)
{
  struct afxdp_source_key key = { .version = 4 };
  int map = bpf_map__fd (skeleton->maps.sources);

  for (guint32 i = 0; i <= AFXDP_SOURCES; i++) {
    int error;

    memcpy (key.address, &i, sizeof i);
    error = bpf_map_update_elem (map, &key, &present, BPF_ANY);
    fail_unless_equals_int (!!error, i == AFXDP_SOURCES);
  }
}

/* User space follows the interface's address while the program runs. */
TEST (test_mac_changes)
{
  guint n_cases;
  const PacketCase *unicast = packet_table (&n_cases) + 1;

  fail_unless_equals_string (unicast->name, "IPv4 unicast");
  skeleton->bss->interface_mac[5]++;
  fail_unless_equals_int (
      run (unicast->frame, unicast->size, 0).verdict, XDP_PASS);
  assert_counters (INDEX (0), 0);
  skeleton->bss->interface_mac[5]--;
  fail_unless_equals_int (
      run (unicast->frame, unicast->size, 0).verdict, XDP_REDIRECT);
}

/* Only a missing privilege is a reason to skip. */
static int
skip_or_fail (const gchar *what, const gchar *privilege)
{
  gboolean forbidden = errno == EPERM;

  g_print ("%s: cannot %s (%s): %s\n", forbidden ? "SKIP" : "failed", what,
      privilege, g_strerror (errno));
  return forbidden ? EXIT_SKIP : EXIT_FAILURE;
}

/* ip(8) does not tell why it fails. */
static gboolean
may_set_up_interfaces (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean may = fd >= 0 && !ioctl (fd, SIOCSIFFLAGS, &request);
  int reason = errno;

  close (fd);
  errno = reason;
  return may;
}

int
main (int argc, char **argv)
{
  g_autofree gchar *add_interface = g_strdup_printf (
      "ip link add " INTERFACE " numrxqueues %u numtxqueues %u type veth "
      "peer name " INTERFACE "peer",
      INTERFACE_QUEUES, INTERFACE_QUEUES);
  struct afxdp_bpf *probe;
  int probe_fd;

  if (unshare (CLONE_NEWNET))
    return skip_or_fail ("make a network namespace", "CAP_SYS_ADMIN");
  probe_fd = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (probe_fd < 0)
    return skip_or_fail ("make an AF_XDP socket", "CAP_NET_RAW");
  close (probe_fd);
  probe = load ();
  if (!probe)
    return skip_or_fail ("load the XDP program", "CAP_BPF, CAP_NET_ADMIN");
  afxdp_bpf__destroy (probe);
  if (!may_set_up_interfaces ())
    return skip_or_fail ("set an interface up", "CAP_NET_ADMIN");
  if (system (add_interface)) {
    g_print ("failed: %s\n", add_interface);
    return EXIT_FAILURE;
  }

  return suite_run (argc, argv, "program", 60, set_up, tear_down);
}
