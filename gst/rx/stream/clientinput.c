/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring that the distributor daemon fills, as a source of packets. */
#include "clientinput.h"

#include <string.h>

#include "clock.h"

/* Slots that the stream may hold before whoever frees one has to return it: the thread
 * may be blocked downstream. */
#define HELD_QUIETLY(memory) ((memory)->n_slots / 8)

/* Packets that nobody can have missed between two. */
#define MOST_MISSED (G_GUINT64_CONSTANT (1) << 40)

static const AfxdpColumn columns[AFXDP_PROTOCOL_N_DROPS] = {
  [AFXDP_PROTOCOL_DROP_NIC] = AFXDP_COLUMN_NIC,
  [AFXDP_PROTOCOL_DROP_RX_RING] = AFXDP_COLUMN_RX_RING,
  [AFXDP_PROTOCOL_DROP_FILL_RING] = AFXDP_COLUMN_FILL_RING,
  [AFXDP_PROTOCOL_DROP_REDIRECT] = AFXDP_COLUMN_REDIRECT,
  [AFXDP_PROTOCOL_DROP_SOCKET_BUFFER] = AFXDP_COLUMN_SOCKET_BUFFER,
  [AFXDP_PROTOCOL_DROP_OVERLOAD] = AFXDP_COLUMN_OVERLOAD,
};

guint
afxdp_client_input_n_waiting (const AfxdpClientInput *self)
{
  guint32 n;

  if (!self->memory || self->broken ||
      !afxdp_client_memory_is_here (self->memory))
    return 0;
  n = afxdp_client_memory_produced (self->memory) - self->consumed;
  /* More than there are is a lie, which read() finds. */
  return MIN (n, self->memory->n_records + 1);
}

static guint64
own_time (const AfxdpClientInput *self, guint64 time)
{
  return time + self->clock;
}

/* Of the daemon's clock, which begins before ours does where that is of another time
 * namespace, or is what the daemon likes. */
static guint64
no_later (const AfxdpClientInput *self, guint64 time, guint64 than)
{
  gint64 own = own_time (self, time);

  return own > 0 ? MIN ((guint64) own, than) : 0;
}

/* While the daemon stood still, the socket heard in its place, as far as anything did:
 * what the daemon had no room for then has come, or is the fault of its standstill. */
static gboolean
was_in_our_place (const AfxdpClientInput *self, guint64 from)
{
  return afxdp_twins_are_noted (self->twins) &&
      (self->holds || from < self->heard_until);
}

/* What the host dropped before the packet that arrived at until. since: of the daemon's
 * clock; NULL: the last packet. */
static void
follow_drops (AfxdpClientInput *self, const guint32 *drops,
    const guint64 *since, guint64 until)
{
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++) {
    gint32 n = drops[i] - self->drops[i];
    guint64 from;

    if (G_LIKELY (!n))
      continue;
    self->drops[i] = drops[i];
    from = since ? no_later (self, since[i], until) : self->input.last_arrival;
    if (G_LIKELY (!was_in_our_place (self, from)))
      afxdp_drops_add (self->input.drops, columns[i], n, from, until);
  }
}

/* For these there was no slot. What the pause had filled is full until some time after
 * it. */
static void
follow_ordinal (AfxdpClientInput *self, guint64 ordinal, guint64 until)
{
  guint64 n = ordinal - self->next_ordinal;

  self->next_ordinal = ordinal;
  if (G_LIKELY (!n))
    return;
  afxdp_drops_add (self->input.drops,
      until > self->paused_at &&
              (self->paused || self->input.last_arrival <= self->resumed_at)
          ? AFXDP_COLUMN_PAUSED
          : AFXDP_COLUMN_CLIENT_RING,
      MIN (n, G_MAXINT64), self->input.last_arrival, until);
}

/* What the daemon found malformed since the last time. */
static guint32
take_malformed (AfxdpClientInput *self)
{
  guint32 all =
      __atomic_load_n (&self->memory->head->malformed, __ATOMIC_RELAXED);
  guint32 n = all - self->malformed;

  self->malformed = all;
  return n;
}

static void
take_sender (AfxdpSender *sender, const guint8 *address,
    const struct afxdp_record *record)
{
  *sender = (AfxdpSender){
    .address = address,
    .scope = record->sender_scope,
    .port = record->sender_port,
    .version = record->sender_version,
  };
}

static void
return_large (AfxdpClientInput *self)
{
  if (G_LIKELY (!self->n_large))
    return;
  afxdp_client_memory_return (self->memory, self->large, self->n_large);
  self->n_large = 0;
}

/* The slot goes back without its packet. */
static void
give_up_slot (AfxdpClientInput *self, guint32 slot)
{
  if (afxdp_client_memory_is_large (self->memory, slot))
    self->large[self->n_large++] = slot;
  else
    afxdp_umem_give (self->input.umem, &slot, 1);
}

static gboolean
is_sound (const struct afxdp_record *record)
{
  return (record->sender_version == 4 || record->sender_version == 6) &&
      (record->path == AFXDP_PATH_FAST || record->path == AFXDP_PATH_SLOW);
}

/* Takes one record over. Returns FALSE, and takes nothing, where it breaks the protocol,
 * or is of another path, or stamped otherwise, than those before it. raw: where its copy is to be, as long as
 * the packet is. */
static gboolean
take_record (AfxdpClientInput *self, guint32 number, struct afxdp_record *raw,
    guint64 now, guint skip, guint *n_malformed)
{
  AfxdpClientMemory *memory = self->memory;
  AfxdpInput *input = &self->input;
  AfxdpPacket *packet = &input->packets[input->end];
  const guint8 *data;

  *raw = memory->records[number & (memory->n_records - 1)];
  /* From here on the copy alone is read. */
  atomic_signal_fence (memory_order_seq_cst);
  if (input->end &&
      (raw->path != input->by || !raw->stamped != !input->stamped))
    return FALSE;
  if (G_UNLIKELY (!is_sound (raw) ||
          raw->ordinal - self->next_ordinal > MOST_MISSED ||
          !afxdp_client_memory_take (memory, raw, &data))) {
    self->broken = TRUE;
    return FALSE;
  }
  input->by = raw->path;
  input->stamped = raw->stamped != 0;
  packet->arrival = MIN (own_time (self, raw->arrival), now);
  follow_drops (self, raw->drops, raw->since,
      MIN (packet->arrival + raw->behind * G_GUINT64_CONSTANT (1000), now));
  follow_ordinal (self, raw->ordinal, packet->arrival);
  self->next_ordinal++;
  input->last_arrival = packet->arrival;
  packet->frame = afxdp_client_memory_is_large (memory, raw->slot)
      ? AFXDP_NO_FRAME
      : raw->slot;
  if (!afxdp_input_take_payload (packet, data, raw->size, skip)) {
    give_up_slot (self, raw->slot);
    (*n_malformed)++;
    return TRUE;
  }
  if (G_UNLIKELY (afxdp_twins_are_noted (self->twins) &&
          (packet->arrival < self->heard_until ||
              afxdp_twins_take (self->twins, packet->data, packet->size)))) {
    give_up_slot (self, raw->slot);
    return TRUE;
  }
  if (packet->frame == AFXDP_NO_FRAME)
    self->large[self->n_large++] = raw->slot;
  take_sender (&packet->sender, raw->sender, raw);
  input->end++;
  return TRUE;
}

static guint
read_records (AfxdpInput *input, guint skip)
{
  AfxdpClientInput *self = (AfxdpClientInput *) input;
  struct afxdp_record *raw = input->raw;
  guint n, taken = 0, n_malformed;
  guint64 now;

  input->first = input->end = 0;
  if (G_UNLIKELY (!self->memory || self->broken))
    return 0;
  return_large (self);
  afxdp_client_memory_give_back (self->memory);
  if (G_UNLIKELY (self->holds))
    return 0;
  if (G_UNLIKELY (!afxdp_client_memory_is_here (self->memory)))
    return 0;
  n = afxdp_client_input_n_waiting (self);
  /* Behind it: what came with these packets has been told before them. */
  n_malformed = take_malformed (self);
  if (!n)
    return n_malformed;
  self->broken = n > self->memory->n_records;
  n = MIN (n, input->batch);
  now = afxdp_now ();
  if (G_UNLIKELY (self->paused)) {
    self->paused = FALSE;
    self->resumed_at = now;
  }
  while (taken < n && !self->broken &&
      take_record (self, self->consumed + taken, &raw[input->end], now, skip,
          &n_malformed))
    taken++;
  self->consumed += taken;
  atomic_fetch_add_explicit (
      &self->memory->n_ours, taken, memory_order_relaxed);
  afxdp_umem_set_hungry (input->umem,
      atomic_load_explicit (&self->memory->n_ours, memory_order_relaxed) >
          HELD_QUIETLY (self->memory));
  return n_malformed;
}

/* The daemon writes since first, and so none is read that is of later drops. */
static void
read_drops (
    const struct afxdp_stream_head *head, guint32 *drops, guint64 *since)
{
  for (guint i = 0; i < AFXDP_PROTOCOL_N_DROPS; i++) {
    drops[i] = __atomic_load_n (&head->drops[i], __ATOMIC_ACQUIRE);
    since[i] = __atomic_load_n (&head->since[i], __ATOMIC_ACQUIRE);
  }
}

/* What records that wait tell is not known before they are read: since when, in the
 * daemon's clock; G_MAXUINT64: they tell nothing. */
static guint64
waiting_since (const AfxdpClientInput *self, guint n)
{
  const AfxdpClientMemory *memory = self->memory;
  guint64 since = G_MAXUINT64;

  for (guint i = 0; i < MIN (n, memory->n_records); i++) {
    const struct afxdp_record *record =
        &memory->records[(self->consumed + i) & (memory->n_records - 1)];

    for (guint j = 0; j < AFXDP_PROTOCOL_N_DROPS; j++)
      since = MIN (since, record->since[j]);
  }
  return since;
}

/* What no record shows yet stands in the head, whose ordinal is older than the number of
 * records: what it counts and no record shows has none. */
static guint64
look_for_drops (AfxdpInput *input)
{
  AfxdpClientInput *self = (AfxdpClientInput *) input;
  const AfxdpClientMemory *memory = self->memory;
  guint64 now = afxdp_now (), known, ordinal;
  guint64 since[AFXDP_PROTOCOL_N_DROPS];
  guint32 drops[AFXDP_PROTOCOL_N_DROPS];
  guint n;

  if (!memory || self->broken || !afxdp_client_memory_is_here (memory))
    return self->unsure_since;
  known = __atomic_load_n (&memory->head->known, __ATOMIC_ACQUIRE);
  read_drops (memory->head, drops, since);
  ordinal = __atomic_load_n (&memory->head->ordinal, __ATOMIC_ACQUIRE);
  n = afxdp_client_input_n_waiting (self);
  if (!n && ordinal - self->next_ordinal <= MOST_MISSED) {
    follow_drops (self, drops, since, now);
    follow_ordinal (self, ordinal, now);
  }
  /* The socket hears, and the daemon has nothing to tell of that. */
  if (self->over || self->holds)
    return self->unsure_since;
  if (n)
    known = MIN (known, waiting_since (self, n));
  return known ? MIN (no_later (self, known, now), self->unsure_since) : 0;
}

void
afxdp_client_input_want_drops (AfxdpClientInput *self, guint64 until)
{
  const AfxdpClientMemory *memory = self->memory;

  if (memory && !self->over && afxdp_client_memory_is_here (memory))
    __atomic_store_n (
        &memory->words->wanted, until - self->clock, __ATOMIC_RELEASE);
}

guint
afxdp_client_input_end (AfxdpClientInput *self)
{
  const AfxdpClientMemory *memory = self->memory;
  const struct afxdp_stream_head *head;
  guint64 since[AFXDP_PROTOCOL_N_DROPS];
  guint32 drops[AFXDP_PROTOCOL_N_DROPS];
  guint64 now = afxdp_now (), ordinal, last;
  guint n;

  if (!memory || self->broken || !afxdp_client_memory_is_here (memory))
    return 0;
  head = memory->head;
  read_drops (head, drops, since);
  ordinal = __atomic_load_n (&head->ordinal, __ATOMIC_ACQUIRE);
  n = MIN (afxdp_client_input_n_waiting (self), memory->n_records);
  /* It goes on meanwhile. */
  last = self->consumed + n - 1;
  if (n)
    last = memory->records[last & (memory->n_records - 1)].ordinal + 1;
  if (n && ordinal - self->next_ordinal < last - self->next_ordinal)
    ordinal = last;
  /* What waits tells of drops that were before those of the head. */
  follow_drops (self, drops, n ? NULL : since, now);
  self->next_ordinal += n;
  if (ordinal - self->next_ordinal <= MOST_MISSED)
    follow_ordinal (self, ordinal, now);
  self->broken = TRUE;
  return n + take_malformed (self);
}

static gboolean
is_drained (const AfxdpInput *input)
{
  const AfxdpClientInput *self = (const AfxdpClientInput *) input;

  return self->holds || !afxdp_client_input_n_waiting (self);
}

static const AfxdpInputKind kind = {
  .path = AFXDP_PATH_FAST,
  .read = read_records,
  .look_for_drops = look_for_drops,
  .is_drained = is_drained,
};

void
afxdp_client_input_init (AfxdpClientInput *self, int fd, guint batch,
    AfxdpTwins *twins, AfxdpDrops *drops)
{
  /* It has yet to begin to play. */
  *self = (AfxdpClientInput){
    .twins = twins,
    .paused = TRUE,
    .unsure_since = G_MAXUINT64,
  };
  afxdp_input_init (&self->input, &kind, NULL, fd, batch,
      sizeof (struct afxdp_record), drops);
  self->large = g_new (guint32, batch);
}

void
afxdp_client_input_clear (AfxdpClientInput *self)
{
  afxdp_input_clear (&self->input);
  g_clear_pointer (&self->large, g_free);
}

void
afxdp_client_input_set_memory (
    AfxdpClientInput *self, AfxdpClientMemory *memory, gint64 clock)
{
  self->memory = memory;
  self->input.umem = memory ? memory->umem : NULL;
  self->clock = clock;
  self->consumed = 0;
  self->next_ordinal = 0;
  memset (self->drops, 0, sizeof self->drops);
  self->malformed = 0;
  self->n_large = 0;
  self->heard_until = 0;
  self->broken = self->over = FALSE;
}

void
afxdp_client_input_pause (AfxdpClientInput *self)
{
  if (!self->paused)
    self->paused_at = afxdp_now ();
  self->paused = TRUE;
}
