/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One byte is a deed and its operands follow. */
#include "script.h"

#include "bytes.h"

#define US G_GUINT64_CONSTANT (1000)
#define MS (1000 * US)

void
script_init (Script *script, const guint8 *bytes, gsize size,
    void (*packet) (const AfxdpRtp *rtp, guint64 arrival, gpointer data),
    gpointer data)
{
  *script = (Script){
    .bytes = bytes,
    .size = size,
    .now = SCRIPT_BEGIN,
    .pace = 1 * MS,
    .packet = packet,
    .data = data,
  };
  for (guint i = 0; i < SCRIPT_SENDERS; i++)
    script->senders[i].units = 90;
}

guint64
script_take (Script *script, guint n)
{
  return bytes_take (&script->bytes, &script->size, n);
}

static void
send (Script *script, guint32 ssrc, guint16 seqnum, guint32 timestamp)
{
  const AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = ssrc,
    .timestamp = timestamp,
    .seqnum = seqnum,
    .payload_type = 96 + ssrc % 3,
    .marker = seqnum % 5 == 0,
    .size = 12 + seqnum % 1317,
    .payload_size = seqnum % 1317,
  };

  if (script->n_packets >= SCRIPT_PACKETS)
    return;
  script->n_packets++;
  script->packet (&rtp, script->now, script->data);
}

static void
send_next (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];

  send (script, script->sender, sender->seqnum++, sender->timestamp);
  sender->timestamp += sender->units;
  script->now += script->pace;
}

/* Deeds. */

static void
go_on (Script *script)
{
  for (guint n = script_take (script, 1) + 1; n; n--)
    send_next (script);
}

static void
lose (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];
  guint n = script_take (script, 2);

  sender->seqnum += n;
  sender->timestamp += n * sender->units;
  script->now += n * script->pace;
}

/* A packet, and some that do not come, again and again. */
static void
lose_often (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];
  guint times = 8 * script_take (script, 1), n = script_take (script, 1);

  for (; times; times--) {
    send_next (script);
    sender->seqnum += n;
  }
}

/* Those of before, or duplicates of them; one after the other backwards. */
static void
come_late (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];
  guint behind = script_take (script, 2), n = script_take (script, 1);
  guint step = script_take (script, 1);

  for (; n; n--, behind += step)
    send (script, script->sender, sender->seqnum - behind,
        sender->timestamp - behind * sender->units);
}

static void
restart (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];

  sender->seqnum = script_take (script, 2);
  sender->timestamp = script_take (script, 4);
}

/* One packet that belongs nowhere. */
static void
stray (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];
  guint16 ahead = script_take (script, 2);
  gint32 units = (gint8) script_take (script, 1);

  send (script, script->sender, sender->seqnum + ahead,
      sender->timestamp + units * (gint32) sender->units);
}

/* With the numbers standing still, or running on as far as in 64 bits. */
static void
be_silent (Script *script)
{
  ScriptSender *sender = &script->senders[script->sender];
  guint64 time = script_take (script, 3) * 100 * US;
  gboolean runs_on = script_take (script, 1) & 1;
  guint64 n = runs_on && script->pace ? time / script->pace : 0;

  script->now += time;
  sender->seqnum += n;
  sender->timestamp += n * sender->units;
}

static void
step_back (Script *script)
{
  script->now -= MIN (script_take (script, 2) * MS, script->now);
}

static void
change_pace (Script *script)
{
  script->pace = script_take (script, 2) * US;
  script->senders[script->sender].units = script_take (script, 2);
}

static void
change_sender (Script *script)
{
  script->sender = script_take (script, 1) % SCRIPT_SENDERS;
}

/* Of each a packet, or two, which makes it believed. */
static void
crowd (Script *script)
{
  guint n = script_take (script, 1), each = script_take (script, 1) % 4;

  for (; n; n--) {
    guint32 ssrc = SCRIPT_SENDERS + script->next_of_crowd++;

    for (guint i = 0; i < each; i++)
      send (script, ssrc, i + i / 2, 90 * i);
  }
}

static void
run_to_the_wrap (Script *script)
{
  script->senders[script->sender].seqnum = -(guint16) script_take (script, 1);
}

static void (*const deeds[]) (Script *script) = {
  go_on,
  lose,
  lose_often,
  come_late,
  restart,
  stray,
  be_silent,
  step_back,
  change_pace,
  change_sender,
  crowd,
  run_to_the_wrap,
};

gboolean
script_step (Script *script)
{
  if (!script->size || script->n_packets >= SCRIPT_PACKETS)
    return FALSE;
  deeds[script_take (script, 1) % G_N_ELEMENTS (deeds)](script);
  return TRUE;
}
