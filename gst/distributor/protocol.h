/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What afxdp-distributor and its clients tell each other: messages over a socket, and
 * two pieces of memory for each stream. The only file that both sides share; all of it
 * is of one host, and so in its byte order.
 *
 * One connection (SOCK_SEQPACKET) is one stream.
 *
 *   client                                   daemon
 *     HELLO  ------------------------------->
 *            <-------------------------------  WELCOME, with the beat's memory
 *     OPEN   ------------------------------->
 *            <-------------------------------  OPENED, with memory and words
 *                                              (or REFUSED, also later, when the
 *                                              stream has ended; then it hangs up)
 *            <-------------------------------  PATH, now and at each change
 *            <-------------------------------  WAKE, when packets have come and the
 *                                              client sleeps
 *
 * or, in the place of OPEN, STATUS, which is answered with STATE, whose memory has a
 * text; then the daemon hangs up. A side that is told anything else hangs up, with the
 * reason in its log. A stream ends when its client hangs up.
 *
 * Packets do not come by the socket. The daemon owns all memory, and a client can do no
 * more to it than hurt its own stream:
 *
 *   memory  The daemon writes and the client reads it (sealed against all else):
 *           struct afxdp_stream_head, then records, then slots, then large slots.
 *           A slot is a frame: at any moment the daemon's or the client's. Each record
 *           hands one over, with a packet in it.
 *   words   The client writes and the daemon reads them: struct afxdp_client_words.
 *           Slots go back by the array in them. The daemon believes nothing of it: it
 *           knows by itself which slots are the client's.
 *
 * Indices count up and wrap at 2^32; places in arrays are taken modulo their length, a
 * power of two. Who writes an index stores it behind what it covers (release), who reads
 * it loads it first (acquire).
 */
#pragma once

#include <glib.h>

#include <net/if.h>

G_BEGIN_DECLS

/* Another one is another protocol: it is refused, by number. */
#define AFXDP_PROTOCOL_VERSION 1

/* Where the daemon listens, unless it is told otherwise. */
#define AFXDP_PROTOCOL_SOCKET "/run/afxdp/distributor.sock"

enum afxdp_message_type
{
  AFXDP_MESSAGE_HELLO = 1,
  AFXDP_MESSAGE_WELCOME,
  AFXDP_MESSAGE_OPEN,
  AFXDP_MESSAGE_OPENED,
  AFXDP_MESSAGE_REFUSED,
  AFXDP_MESSAGE_PATH,
  AFXDP_MESSAGE_WAKE,
  AFXDP_MESSAGE_STATUS,
  AFXDP_MESSAGE_STATE,
};

/* In front of each message, whose struct is as long as size says. */
struct afxdp_message
{
  guint32 type; /* enum afxdp_message_type */
  guint32 size; /* bytes, this included */
};

#define AFXDP_PROTOCOL_TEXT 512   /* bytes of a text, its final 0 included */
#define AFXDP_PROTOCOL_SOURCES 64 /* most senders that a stream names */
#define AFXDP_PROTOCOL_QUEUES 64

struct afxdp_hello
{
  struct afxdp_message message;
  guint32 version; /* AFXDP_PROTOCOL_VERSION */
  guint32 zero;
};

/* With a descriptor: memory of a struct afxdp_beat, to be mapped read-only. */
struct afxdp_welcome
{
  struct afxdp_message message;
  guint32 version;
  guint32 pid;     /* of the daemon, as it sees itself: to be shown */
  guint64 network; /* cookie of its network namespace (SO_NETNS_COOKIE) */
  gint64 monotonic_offset; /* ns: /proc/self/timens_offsets, 0 without one */
};

struct afxdp_open
{
  struct afxdp_message message;
  guint32 version;    /* 4 or 6 */
  guint32 port;       /* 1 to 65535 */
  guint8 address[16]; /* network order, 4 or 16 bytes */
  gchar
      interface[IF_NAMESIZE]; /* the daemon's name of it; "": its route decides */
  guint32 slots;              /* that are asked for; the daemon decides */
  guint32 verify_checksum;    /* of what comes by the fast path */
  guint64
      socket; /* inode of the client's own socket on the flow, which is no competing
                     one; 0: it has none */
  guint32 sources_kind; /* AfxdpSourcesKind */
  guint32 n_sources;
  guint8 sources[AFXDP_PROTOCOL_SOURCES][16];
};

/* With two descriptors: memory and words. */
struct afxdp_opened
{
  struct afxdp_message message;
  gchar interface[IF_NAMESIZE];
  guint32 ifindex; /* in the daemon's network namespace */
  guint32 mtu;
  /* Of memory, all offsets in bytes; those of slots are multiples of a page. */
  guint64 memory_size;
  guint64 records_offset;
  guint64 slots_offset;
  guint64 large_offset;
  guint32 n_records; /* a power of two, at least n_slots + n_large */
  guint32 n_slots;   /* numbered from 0 */
  guint32 slot_size; /* bytes, a power of two */
  guint32 n_large;   /* numbered from n_slots on */
  guint32 large_size;
  guint32 n_returns; /* a power of two, at least n_slots + n_large */
  guint64 words_size;
};

struct afxdp_refused
{
  struct afxdp_message message;
  guint32 code; /* AfxdpError */
  guint32 zero;
  gchar
      text[AFXDP_PROTOCOL_TEXT]; /* a sentence for the user, without its stop */
};

/* By which path the daemon gets the stream's packets now. */
struct afxdp_path
{
  struct afxdp_message message;
  guint32 path;      /* AfxdpPath, fast or slow */
  guint32 xdp_mode;  /* AfxdpXdpMode */
  guint32 zero_copy; /* 0 or 1 */
  guint32
      error; /* 1 + AfxdpError: why the fast path is not open; 0: no fault */
  guint32 n_queues;
  guint32 queues[AFXDP_PROTOCOL_QUEUES];
  guint32 zero;
  gchar reason[AFXDP_PROTOCOL_TEXT];
};

struct afxdp_wake
{
  struct afxdp_message message;
};

struct afxdp_status
{
  struct afxdp_message message;
  guint32 json; /* 0: a text for people */
  guint32 zero;
};

/* With a descriptor: memory of size bytes, UTF-8. */
struct afxdp_state
{
  struct afxdp_message message;
  guint64 size;
};

/* One for all clients of a daemon. */
struct afxdp_beat
{
  guint64
      time; /* when it lived last: ns of the daemon's CLOCK_MONOTONIC; each 10 ms */
};

/* ns: a daemon whose beat stands still for so long is not waited for. */
#define AFXDP_PROTOCOL_BEAT_INTERVAL (10 * G_GUINT64_CONSTANT (1000000))
#define AFXDP_PROTOCOL_BEAT_PATIENCE (50 * G_GUINT64_CONSTANT (1000000))

/* Where the host lost packets of the stream, before the daemon could copy them: columns
 * of the ledger. That a client's own ring was full is told by ordinals. */
enum afxdp_protocol_drop
{
  AFXDP_PROTOCOL_DROP_NIC,
  AFXDP_PROTOCOL_DROP_RX_RING,
  AFXDP_PROTOCOL_DROP_FILL_RING,
  AFXDP_PROTOCOL_DROP_REDIRECT,
  AFXDP_PROTOCOL_DROP_SOCKET_BUFFER,
  AFXDP_PROTOCOL_DROP_OVERLOAD,
  AFXDP_PROTOCOL_N_DROPS,
};

/* At the beginning of memory. */
struct afxdp_stream_head
{
  guint32 produced;                      /* records, ever */
  guint32 drops[AFXDP_PROTOCOL_N_DROPS]; /* in all; they wrap */
  guint32
      malformed; /* datagrams that the daemon had and that are damaged, or not this
                    stream's, in all; it wraps. Stored before produced. */
  guint64
      ordinal; /* of the next packet: so many have been the client's to get, also
                      those for which it had no slot. Stored after produced
                      (release), so that it counts no packet whose record does not
                      show. */
  guint64
      known; /* until when drops above are all, ns of the daemon's CLOCK_MONOTONIC */
  /* As in a record, of what none tells that shows: written before drops, and set anew
   * behind produced. */
  guint64 since[AFXDP_PROTOCOL_N_DROPS];
};

struct afxdp_record
{
  guint64
      ordinal; /* of this packet; what is missing in between found no slot */
  guint64 arrival; /* ns of the daemon's CLOCK_MONOTONIC */
  guint32 slot;
  guint32 size; /* bytes of the UDP payload, at the beginning of the slot */
  guint32
      drops[AFXDP_PROTOCOL_N_DROPS]; /* as in the head, when it was put there */
  /* What is new in drops was dropped between these moments (ns of the daemon's
   * CLOCK_MONOTONIC; G_MAXUINT64: nothing is new) and the arrival, or so many us behind
   * it: counters are read before what waited. */
  guint64 since[AFXDP_PROTOCOL_N_DROPS];
  guint8 sender[16]; /* network order, 4 or 16 bytes */
  guint32 sender_scope;
  guint32 behind;
  guint16 sender_port;
  guint8 sender_version; /* 4 or 6 */
  guint8 path;           /* AfxdpPath that it came to the daemon by */
  guint8 stamped;        /* arrival is its own, and not that of its batch */
  guint8 zero[3];
};

/* All that a client writes. The parts that its threads write are in cache lines of their
 * own. */
struct afxdp_client_words
{
  /* 1, as it is at first: packets are to be put into the ring; else they are nobody's */
  guint32 on;
  guint32 zero1;
  guint64 wanted; /* drops are to be known until then; 0: nothing is asked */
  guint8 zero2[48];
  guint32 sleeping; /* the how-manieth sleep it is; 0: the client is awake */
  guint8 zero3[60];
  guint32 returned; /* slots that were ever written to returns */
  guint8 zero4[60];
  guint32 returns[]; /* n_returns slots */
};

/* What either side was compiled with may be another compiler's. */
G_STATIC_ASSERT (sizeof (struct afxdp_hello) == 16);
G_STATIC_ASSERT (sizeof (struct afxdp_welcome) == 32);
G_STATIC_ASSERT (
    sizeof (struct afxdp_open) == 72 + 16 * AFXDP_PROTOCOL_SOURCES);
G_STATIC_ASSERT (sizeof (struct afxdp_opened) == 96);
G_STATIC_ASSERT (sizeof (struct afxdp_refused) == 528);
G_STATIC_ASSERT (sizeof (struct afxdp_path) ==
    32 + 4 * AFXDP_PROTOCOL_QUEUES + AFXDP_PROTOCOL_TEXT);
G_STATIC_ASSERT (sizeof (struct afxdp_wake) == 8);
G_STATIC_ASSERT (sizeof (struct afxdp_status) == 16);
G_STATIC_ASSERT (sizeof (struct afxdp_state) == 16);
G_STATIC_ASSERT (sizeof (struct afxdp_stream_head) == 96);
G_STATIC_ASSERT (sizeof (struct afxdp_record) == 128);
G_STATIC_ASSERT (sizeof (struct afxdp_client_words) == 192);

G_END_DECLS
