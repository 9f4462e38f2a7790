/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client of the distributor daemon, and a daemon that does anything. */
#include "clientmodel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "clientinput.h"
#include "clientlink.h"
#include "clock.h"

#define MOST_STEPS 400
#define BATCH 8
/* Descriptors that are looked at. */
#define MOST_FDS 128
#define MOST_LENT 64

#define N_SLOTS 8
#define SLOT_SIZE 128
#define N_LARGE 2
#define LARGE_SIZE 320
#define N_RECORDS 16
#define RECORDS_OFFSET 128
#define SLOTS_OFFSET 4096
#define LARGE_OFFSET (SLOTS_OFFSET + N_SLOTS * SLOT_SIZE)
#define MEMORY_SIZE 8192
#define WORDS_SIZE 4096

/* Of a script, in the order of their numbers. */
enum
{
  SAY_ANYTHING,
  SAY_WELCOME,
  SAY_OPENED,
  SAY_PATH,
  WRITE_RECORD,
  WRITE_MEMORY,
  SHOW,
  WRITE_WORDS,
  HANG_UP,
  CLIENT_READS_LINK,
  CLIENT_ASKS,
  CLIENT_READS,
  CLIENT_LENDS,
  CLIENT_FREES,
  CLIENT_LOOKS,
  CLIENT_PAUSES,
  N_STEPS,
};

typedef struct
{
  const guint8 *bytes; /* what is left to be read */
  gsize size;

  /* The daemon. */
  int socket; /* -1: it has hung up */
  int memory_fd, words_fd, unsealed_fd;
  guint8 *memory; /* that it writes to */
  struct afxdp_client_words *words;

  /* The client. */
  AfxdpClientLink link;
  AfxdpClientMemory *own; /* NULL: none yet */
  AfxdpClientInput input;
  AfxdpAccount *account;
  AfxdpTwins twins;
  AfxdpDrops drops;
  guint32 lent[MOST_LENT];
  guint n_lent;
} Model;

static guint64
take (Model *model, guint n)
{
  return bytes_take (&model->bytes, &model->size, n);
}

static void
take_bytes (Model *model, guint8 *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] = take (model, 1);
}

/* The daemon. */

static int
make_memory (gsize size, gboolean sealed)
{
  int fd = memfd_create ("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);

  g_assert (fd >= 0 && !ftruncate (fd, size));
  if (sealed)
    g_assert (!fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK));
  return fd;
}

static gpointer
map (int fd, gsize size)
{
  gpointer address =
      mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

  g_assert (address != MAP_FAILED);
  return address;
}

static void
say (Model *model, gconstpointer message, gsize size, const int *fds, guint n)
{
  union
  {
    struct cmsghdr head;
    guint8 bytes[CMSG_SPACE (4 * sizeof (int))];
  } control = { 0 };
  struct iovec vector = { (gpointer) message, size };
  struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

  if (model->socket < 0)
    return;
  if (n) {
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN (n * sizeof (int));
    memcpy (CMSG_DATA (&control.head), fds, n * sizeof (int));
    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE (n * sizeof (int));
  }
  sendmsg (model->socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static guint
take_fds (Model *model, int fds[4])
{
  const int all[] = { model->memory_fd, model->words_fd, model->unsealed_fd,
    model->socket };
  guint n = take (model, 1) % 5;

  for (guint i = 0; i < n; i++)
    fds[i] = all[take (model, 1) % G_N_ELEMENTS (all)];
  return n;
}

static void
say_anything (Model *model)
{
  union
  {
    struct afxdp_message head;
    guint8 bytes[1024];
  } message = { 0 };
  guint n = take (model, 2) % sizeof message;
  int fds[4];

  message.head.type = take (model, 1) % 12;
  message.head.size = n ^ take (model, 1) % 2;
  take_bytes (model, message.bytes + sizeof message.head,
      MIN (take (model, 1), sizeof message - sizeof message.head));
  say (model, &message, n, fds, take_fds (model, fds));
}

static void
say_welcome (Model *model)
{
  const struct afxdp_welcome welcome = {
    .message = { AFXDP_MESSAGE_WELCOME, sizeof welcome },
    .version = AFXDP_PROTOCOL_VERSION,
    .monotonic_offset = take (model, 1) << 56,
  };

  say (model, &welcome, sizeof welcome, &model->memory_fd, 1);
}

/* Right, but for a member or so. */
static void
say_opened (Model *model)
{
  struct afxdp_opened opened = {
    .message = { AFXDP_MESSAGE_OPENED, sizeof opened },
    .interface = "eth0",
    .memory_size = MEMORY_SIZE,
    .records_offset = RECORDS_OFFSET,
    .slots_offset = SLOTS_OFFSET,
    .large_offset = LARGE_OFFSET,
    .n_records = N_RECORDS,
    .n_slots = N_SLOTS,
    .slot_size = SLOT_SIZE,
    .n_large = N_LARGE,
    .large_size = LARGE_SIZE,
    .n_returns = N_RECORDS,
    .words_size = WORDS_SIZE,
  };
  const int fds[] = { model->memory_fd, model->words_fd };

  for (guint n = take (model, 1) % 4; n; n--) {
    guint place = take (model, 1) % (sizeof opened / 4);
    guint32 value = 1u << take (model, 1) % 32;

    value += take (model, 1);
    if (place >= 2)
      memcpy ((guint8 *) &opened + place * 4, &value, sizeof value);
  }
  say (model, &opened, sizeof opened, fds, 2);
}

static void
say_path (Model *model)
{
  struct afxdp_path path = {
    .message = { AFXDP_MESSAGE_PATH, sizeof path },
    .path = take (model, 1) % 4,
    .error = take (model, 1),
    .n_queues = take (model, 1),
  };

  say (model, &path, sizeof path, NULL, 0);
}

static struct afxdp_record *
record_at (Model *model, guint32 number)
{
  struct afxdp_record *records = (gpointer) (model->memory + RECORDS_OFFSET);

  return &records[number % N_RECORDS];
}

/* The next one, nearly right as a rule. */
static void
write_record (Model *model)
{
  struct afxdp_stream_head *head = (gpointer) model->memory;
  struct afxdp_record *record = record_at (model, head->produced);

  record->slot = take (model, 1) % (N_SLOTS + N_LARGE + 1);
  record->size = take (model, 1) * 2;
  record->ordinal = head->ordinal + take (model, 1) % 3;
  record->arrival = take (model, 1) << take (model, 1) % 57;
  record->path = 1 + take (model, 1) % 2;
  record->sender_version = 4;
  record->stamped = 1;
  head->ordinal = record->ordinal + 1;
  head->produced++;
}

static void
write_memory (Model *model)
{
  gsize place = take (model, 2) % MEMORY_SIZE;
  gsize n = MIN (take (model, 1) % 16, MEMORY_SIZE - place);

  take_bytes (model, model->memory + place, n);
}

static void
show (Model *model)
{
  struct afxdp_stream_head *head = (gpointer) model->memory;

  head->produced += (gint8) take (model, 1);
  head->ordinal += (gint8) take (model, 1);
  head->known = take (model, 8);
  head->malformed += take (model, 1);
  head->drops[take (model, 1) % AFXDP_PROTOCOL_N_DROPS] += take (model, 4);
  head->since[take (model, 1) % AFXDP_PROTOCOL_N_DROPS] = take (model, 8);
}

static void
hang_up (Model *model)
{
  if (model->socket >= 0)
    close (model->socket);
  model->socket = -1;
}

/* The client. */

static void
free_lent (Model *model, guint n)
{
  for (; n && model->n_lent; n--)
    afxdp_umem_give_back (model->own->umem, model->lent[--model->n_lent]);
}

static void
give_batch (Model *model)
{
  afxdp_input_discard (&model->input.input);
}

/* Lives on in what was lent of it. */
static void
drop_memory (Model *model)
{
  if (!model->own)
    return;
  give_batch (model);
  free_lent (model, MOST_LENT);
  afxdp_client_input_set_memory (&model->input, NULL, 0);
  afxdp_account_close (model->account);
  afxdp_umem_unref (model->own->umem);
  model->own = NULL;
}

static void
read_link (Model *model)
{
  AfxdpClientLink *link = &model->link;
  g_autoptr (GError) error = NULL;
  AfxdpClientMemory *memory;
  gboolean up = afxdp_client_link_read (link, &error);

  g_assert (up == (error == NULL));
  g_assert (up == (link->fd >= 0) && up == (link->state > AFXDP_LINK_DOWN));
  if (!up || link->state != AFXDP_LINK_OPEN || link->memory < 0)
    return;
  memory = afxdp_client_memory_new (
      &link->opened, link->memory, link->words, &error);
  g_assert ((memory == NULL) == (error != NULL));
  close (link->memory);
  close (link->words);
  link->memory = link->words = -1;
  if (!memory)
    return;
  drop_memory (model);
  model->own = memory;
  model->account = afxdp_account_new (memory->umem);
  afxdp_client_input_set_memory (&model->input, memory, link->clock);
}

static void
ask (Model *model)
{
  struct afxdp_open open = { 0 };
  guint8 heard[2048];

  if (model->link.state == AFXDP_LINK_MET)
    afxdp_client_link_open (&model->link, &open, NULL);
  if (model->socket >= 0)
    while (recv (model->socket, heard, sizeof heard, MSG_DONTWAIT) > 0)
      ;
}

/* In its slot, whole. */
static void
check_packet (
    const AfxdpClientMemory *memory, const AfxdpPacket *packet, guint64 now)
{
  gsize offset;

  g_assert (packet->arrival <= now);
  if (packet->frame == AFXDP_NO_FRAME) {
    g_assert (packet->data >= memory->large);
    offset = packet->data - memory->large;
    g_assert (offset % memory->large_size == 0);
    g_assert (offset / memory->large_size < memory->n_large);
    g_assert (packet->size <= memory->large_size);
  } else {
    g_assert (packet->frame < memory->n_slots);
    g_assert (packet->data == afxdp_umem_frame (memory->umem, packet->frame));
    g_assert (packet->size <= memory->slot_size);
  }
  g_assert (packet->data >= memory->base &&
      packet->data + packet->size <= memory->base + memory->size);
}

static void
read_batch (Model *model)
{
  AfxdpInput *input = &model->input.input;
  volatile guint8 last;
  guint skip = take (model, 1) % 4 == 3;
  guint64 now;

  give_batch (model);
  afxdp_input_read (input, skip);
  now = afxdp_now ();
  for (guint i = input->first; i < input->end; i++) {
    AfxdpPacket packet = input->packets[i];

    last = packet.sender.address[15];
    if (packet.size)
      last = packet.data[packet.size - 1];
    packet.data -= skip;
    packet.size += skip;
    check_packet (model->own, &packet, now);
  }
  (void) last;
  model->drops.n = 0;
}

static void
lend (Model *model)
{
  AfxdpInput *input = &model->input.input;

  if (!model->own)
    return;
  for (; input->first < input->end && model->n_lent < MOST_LENT;
       input->first++) {
    guint32 frame = input->packets[input->first].frame;

    if (frame == AFXDP_NO_FRAME)
      continue;
    afxdp_account_reserve (model->account, 1);
    afxdp_account_lend (model->account, frame);
    model->lent[model->n_lent++] = frame;
  }
}

static void
do_step (Model *model)
{
  switch (take (model, 1) % N_STEPS) {
    case SAY_ANYTHING:
      say_anything (model);
      break;
    case SAY_WELCOME:
      say_welcome (model);
      break;
    case SAY_OPENED:
      say_opened (model);
      break;
    case SAY_PATH:
      say_path (model);
      break;
    case WRITE_RECORD:
      write_record (model);
      break;
    case WRITE_MEMORY:
      write_memory (model);
      break;
    case SHOW:
      show (model);
      break;
    case WRITE_WORDS:
      take_bytes (model, (guint8 *) model->words + take (model, 1),
          take (model, 1) % 8);
      break;
    case HANG_UP:
      hang_up (model);
      break;
    case CLIENT_READS_LINK:
      read_link (model);
      break;
    case CLIENT_ASKS:
      ask (model);
      break;
    case CLIENT_READS:
      read_batch (model);
      break;
    case CLIENT_LENDS:
      lend (model);
      break;
    case CLIENT_FREES:
      free_lent (model, take (model, 1));
      break;
    case CLIENT_LOOKS:
      afxdp_client_link_beats (&model->link, afxdp_now ());
      afxdp_client_input_want_drops (&model->input, afxdp_now ());
      afxdp_input_look_for_drops (&model->input.input);
      model->drops.n = 0;
      break;
    case CLIENT_PAUSES:
      afxdp_client_input_pause (&model->input);
      break;
  }
}

static guint
count_fds (void)
{
  guint n = 0;

  for (int fd = 0; fd < MOST_FDS; fd++)
    n += fcntl (fd, F_GETFD) >= 0;
  return n;
}

static void
begin (Model *model)
{
  int sockets[2];

  g_assert (!socketpair (
      AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets));
  model->socket = sockets[0];
  model->memory_fd = make_memory (MEMORY_SIZE, TRUE);
  model->words_fd = make_memory (WORDS_SIZE, TRUE);
  model->unsealed_fd = make_memory (MEMORY_SIZE, FALSE);
  model->memory = map (model->memory_fd, MEMORY_SIZE);
  model->words = map (model->words_fd, WORDS_SIZE);
  afxdp_client_link_init (&model->link, "fuzz", -1);
  /* As behind connect(). */
  model->link.fd = sockets[1];
  model->link.state = AFXDP_LINK_GREETING;
  afxdp_client_input_init (
      &model->input, -1, BATCH, &model->twins, &model->drops);
}

static void
end (Model *model)
{
  afxdp_client_input_end (&model->input);
  drop_memory (model);
  afxdp_client_input_clear (&model->input);
  afxdp_client_link_clear (&model->link);
  hang_up (model);
  munmap (model->memory, MEMORY_SIZE);
  munmap (model->words, WORDS_SIZE);
  close (model->memory_fd);
  close (model->words_fd);
  close (model->unsealed_fd);
}

void
client_model_run (const guint8 *bytes, gsize size)
{
  Model model = { .bytes = bytes, .size = size };
  guint n = count_fds ();

  begin (&model);
  /* Most scripts are to come so far. */
  if (take (&model, 1) % 8) {
    say_welcome (&model);
    read_link (&model);
    ask (&model);
    say_opened (&model);
    read_link (&model);
  }
  for (guint i = 0; i < MOST_STEPS && model.size; i++)
    do_step (&model);
  end (&model);
  g_assert_cmpuint (count_fds (), ==, n);
}
