/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client, from HELLO to its end. */
#include "connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "competing.h"
#include "error.h"
#include "messages.h"
#include "netroutes.h"
#include "notify.h"
#include "sharedmemory.h"

/* s that a client may take for its next word. */
#define PATIENCE 5
#define SMALLEST_SLOT 2048

typedef enum
{
  STATE_NEW,     /* HELLO is next */
  STATE_GREETED, /* OPEN or STATUS */
  STATE_OPENING, /* nothing, as from here on */
  STATE_STREAMING,
} State;

struct _AfxdpConnection
{
  const AfxdpConnectionHost *host;
  int socket;
  gint64 pid;
  AfxdpPeer peer;
  State state;
  guint input, patience; /* sources */

  /* The stream. */
  AfxdpAsk ask;
  guint which; /* interface */
  gboolean is_counted;
  gboolean is_noted;     /* its own socket */
  AfxdpRingOrder *order; /* while its ring is being made */
  AfxdpClientRing *ring;
  gsize memory;
  AfxdpFeedUse *use;
  guint64 since;
};

/* The end. */

static void end (AfxdpConnection *self, AfxdpJournalLevel level,
    const gchar *format, ...) G_GNUC_PRINTF (3, 4);

/* Frees self. */
static void
end (AfxdpConnection *self, AfxdpJournalLevel level, const gchar *format, ...)
{
  g_autofree gchar *why = NULL;
  va_list arguments;

  va_start (arguments, format);
  why = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  afxdp_chatter_tell (self->host->chatter, self->peer.uid, level,
      "Client %" G_GINT64_FORMAT " of user %u: %s", self->pid,
      (guint) self->peer.uid, why);
  self->host->over (self->host->over_data, self);
}

static void
end_for_violation (AfxdpConnection *self, const gchar *what)
{
  end (self, AFXDP_JOURNAL_WARNING, "it broke the protocol by %s: hung up",
      what);
}

static void
send_refusal (const AfxdpConnection *self, const GError *error)
{
  struct afxdp_refused refused = {
    .message = { AFXDP_MESSAGE_REFUSED, sizeof refused },
    .code = error->domain == AFXDP_ERROR ? error->code : AFXDP_ERROR_FAILED,
  };

  afxdp_message_set_text (refused.text, sizeof refused.text, error->message);
  afxdp_message_send (self->socket, &refused.message, NULL, 0);
}

/* Frees self. */
static void
refuse (AfxdpConnection *self, const GError *error)
{
  send_refusal (self, error);
  end (self, AFXDP_JOURNAL_NOTICE, "refused: %s", error->message);
}

/* Returns FALSE, and has freed self, when the client does not read. */
static gboolean
say (AfxdpConnection *self, const struct afxdp_message *message, const int *fds,
    guint n_fds)
{
  if (afxdp_message_send (self->socket, message, fds, n_fds))
    return TRUE;
  if (errno == EAGAIN)
    end (self, AFXDP_JOURNAL_WARNING,
        "it does not read what it is told: hung up");
  else
    end (self, AFXDP_JOURNAL_INFO, "it has gone: %s", g_strerror (errno));
  return FALSE;
}

/* What its stream tells. */

static void
on_path (gpointer user_data, const struct afxdp_path *path)
{
  say (user_data, &path->message, NULL, 0);
}

static void
on_ended (gpointer user_data, const GError *error)
{
  send_refusal (user_data, error);
  end (user_data, AFXDP_JOURNAL_WARNING, "its stream has ended: %s",
      error->message);
}

static void
on_suspect (gpointer user_data)
{
  AfxdpConnection *self = user_data;
  const gchar *violation = afxdp_client_ring_violation (self->ring);

  if (violation)
    end_for_violation (self, violation);
}

static const AfxdpFeedUseEvents events = { on_path, on_ended, on_suspect };

/* Opening a stream. */

static gboolean
find_interface (
    AfxdpConnection *self, const gchar *name, guint *which, GError **error)
{
  guint n = afxdp_workers_n_interfaces (self->host->workers);

  for (*which = 0; *which < n; ++*which)
    if (g_str_equal (name, self->host->settings->interfaces->pdata[*which]))
      return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
      "The distributor daemon does not receive on an interface \"%s\": ask for "
      "one that --status shows, or have its administrator add it to "
      "interfaces=",
      name);
  return FALSE;
}

static gboolean
choose_interface (AfxdpConnection *self, GError **error)
{
  const AfxdpAsk *ask = &self->ask;
  AfxdpWorkers *workers = self->host->workers;
  AfxdpNetdev netdev;

  self->which = 0;
  if (*ask->interface) {
    if (!find_interface (self, ask->interface, &self->which, error))
      return FALSE;
  } else if (afxdp_workers_n_interfaces (workers) > 1) {
    if (!afxdp_netdev_by_route (ask->address, &netdev, error) ||
        !find_interface (self, netdev.name, &self->which, error))
      return FALSE;
  }
  return afxdp_workers_are_ready (workers, self->which, error);
}

/* A group is for whoever joins it. What is sent to this host is for the socket that is
 * bound to it, and a redirect would take it away from there. */
static gboolean
is_nobodys (AfxdpConnection *self, const AfxdpWanted *wanted, GError **error)
{
  const AfxdpNetdev *netdev;
  g_autofree gchar *address = NULL;
  guint n = 0;

  if (g_inet_address_get_is_multicast (wanted->address) ||
      afxdp_feeds_has (self->host->feeds, wanted))
    return TRUE;
  netdev = afxdp_workers_interface (self->host->workers, self->which);
  if (afxdp_competing_sockets_count (
          wanted->address, wanted->port, 0, netdev->index, &n) &&
      !n)
    return TRUE;
  address = g_inet_address_to_string (wanted->address);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_PORT_IN_USE,
      "The distributor daemon does not take %s port %u away from another "
      "socket of this host: close that (ss -ulpn shows whose it is)",
      address, (guint) wanted->port);
  return FALSE;
}

/* Memory of those that have gone may have been let go of just now. */
static gboolean
count_stream (AfxdpConnection *self, GError **error)
{
  const AfxdpConnectionHost *host = self->host;

  if (afxdp_quotas_take (
          host->quotas, host->settings->rules, &self->peer, NULL))
    return TRUE;
  afxdp_leftovers_look (host->leftovers);
  return afxdp_quotas_take (
      host->quotas, host->settings->rules, &self->peer, error);
}

/* Returns whether self is still there. */
static gboolean
say_opened (AfxdpConnection *self)
{
  const AfxdpNetdev *netdev = afxdp_feed_use_netdev (self->use);
  struct afxdp_opened opened = { 0 };
  const int fds[] = { afxdp_client_ring_memory (self->ring),
    afxdp_client_ring_words (self->ring) };

  if (!netdev)
    netdev = afxdp_workers_interface (self->host->workers, self->which);
  afxdp_client_ring_describe (self->ring, &opened);
  opened.message.type = AFXDP_MESSAGE_OPENED;
  opened.message.size = sizeof opened;
  afxdp_message_set_text (
      opened.interface, sizeof opened.interface, netdev->name);
  opened.ifindex = netdev->index;
  opened.mtu = netdev->mtu;
  return say (self, &opened.message, fds, G_N_ELEMENTS (fds));
}

static void
tell_opened (const AfxdpConnection *self)
{
  g_autofree gchar *address = g_inet_address_to_string (self->ask.address);
  g_autofree gchar *memory =
      g_format_size_full (self->memory, G_FORMAT_SIZE_IEC_UNITS);
  AfxdpClientRingCounts counts;

  afxdp_client_ring_counts (self->ring, &counts);
  afxdp_chatter_tell (self->host->chatter, self->peer.uid, AFXDP_JOURNAL_INFO,
      "Client %" G_GINT64_FORMAT
      " of user %u: gets %s port %u of %s, by %u slots (%s)",
      self->pid, (guint) self->peer.uid, address, (guint) self->ask.port,
      (const gchar *) self->host->settings->interfaces->pdata[self->which],
      counts.n_slots, memory);
}

static AfxdpWanted
what_is_wanted (const AfxdpConnection *self)
{
  return (AfxdpWanted){
    .interface = self->which,
    .address = self->ask.address,
    .port = self->ask.port,
    .sources = self->ask.sources,
    .verify_checksum = self->ask.verify_checksum,
  };
}

static void
on_ring_made (gpointer user_data, AfxdpClientRing *ring, const GError *error)
{
  AfxdpConnection *self = user_data;
  const AfxdpWanted wanted = what_is_wanted (self);
  const struct afxdp_path *path;
  g_autoptr (GError) refusal = NULL;

  self->order = NULL;
  self->ring = ring;
  if (ring)
    self->use = afxdp_feeds_use (self->host->feeds, &wanted, ring, self->socket,
        &events, self, &refusal);
  if (!self->use) {
    refuse (self, ring ? refusal : error);
    return;
  }
  self->state = STATE_STREAMING;
  self->since = afxdp_now ();
  tell_opened (self);
  if (!say_opened (self))
    return;
  path = afxdp_feed_use_path (self->use);
  if (path)
    say (self, &path->message, NULL, 0);
}

static gboolean
order_ring (AfxdpConnection *self, GError **error)
{
  guint mtu = afxdp_workers_interface (self->host->workers, self->which)->mtu;
  guint slot_size = SMALLEST_SLOT, n_slots = self->ask.n_slots;

  while (slot_size < mtu)
    slot_size *= 2;
  if (!afxdp_quotas_slots (self->host->settings->rules, &self->peer,
          afxdp_client_ring_bytes, slot_size, &n_slots, error))
    return FALSE;
  self->memory = afxdp_client_ring_bytes (n_slots, slot_size);
  self->order = afxdp_ring_maker_order (
      self->host->ring_maker, n_slots, slot_size, on_ring_made, self);
  return TRUE;
}

/* Whoever fails here is freed with all that it has so far. */
static gboolean
begin_opening (AfxdpConnection *self, GError **error)
{
  const AfxdpAsk *ask = &self->ask;
  AfxdpWanted wanted;

  if (!afxdp_rules_allow (self->host->settings->rules, &self->peer,
          ask->address, ask->port, error) ||
      !choose_interface (self, error))
    return FALSE;
  self->is_counted = count_stream (self, error);
  if (!self->is_counted)
    return FALSE;
  /* Before anybody counts. */
  self->is_noted = afxdp_competing_note_client (ask->socket, self->peer.uid);
  wanted = what_is_wanted (self);
  return is_nobodys (self, &wanted, error) && order_ring (self, error);
}

static void
on_open (AfxdpConnection *self, const struct afxdp_open *open)
{
  const gchar *fault = afxdp_ask_init (&self->ask, open);
  g_autoptr (GError) error = NULL;

  if (fault) {
    end_for_violation (self, fault);
    return;
  }
  if (!begin_opening (self, &error)) {
    refuse (self, error);
    return;
  }
  self->state = STATE_OPENING;
  g_clear_handle_id (&self->patience, g_source_remove);
}

/* Other words. */

static void
on_hello (AfxdpConnection *self, const struct afxdp_hello *hello)
{
  const struct afxdp_welcome welcome = {
    .message = { AFXDP_MESSAGE_WELCOME, sizeof welcome },
    .version = AFXDP_PROTOCOL_VERSION,
    .pid = getpid (),
    .network = self->host->network,
    .monotonic_offset = self->host->monotonic_offset,
  };
  const int memory = afxdp_beat_memory (self->host->beat);
  g_autoptr (GError) error = NULL;

  if (hello->version != AFXDP_PROTOCOL_VERSION) {
    g_set_error (&error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "The distributor daemon speaks version %d of its protocol, and the "
        "client version %u: install the same release of both",
        AFXDP_PROTOCOL_VERSION, hello->version);
    refuse (self, error);
    return;
  }
  self->state = STATE_GREETED;
  say (self, &welcome.message, &memory, 1);
}

static void
on_status (AfxdpConnection *self, const struct afxdp_status *status)
{
  struct afxdp_state state = {
    .message = { AFXDP_MESSAGE_STATE, sizeof state },
  };
  g_autofree gchar *text = NULL;
  AfxdpSharedMemory memory;
  g_autoptr (GError) error = NULL;

  if (status->json > 1) {
    end_for_violation (self, "a switch that is neither on nor off");
    return;
  }
  text = self->host->describe (self->host->describe_data, status->json);
  state.size = strlen (text);
  if (!afxdp_shared_memory_init (
          &memory, "afxdp-state", state.size, AFXDP_SHARED_READ, &error)) {
    refuse (self, error);
    return;
  }
  memcpy (memory.address, text, state.size);
  if (say (self, &state.message, &memory.fd, 1))
    end (self, AFXDP_JOURNAL_DEBUG, "has asked how the daemon is");
  afxdp_shared_memory_clear (&memory);
}

static void
on_request (AfxdpConnection *self, const AfxdpRequest *request)
{
  guint32 type = request->message.type;

  if (self->state == STATE_NEW && type == AFXDP_MESSAGE_HELLO)
    on_hello (self, &request->hello);
  else if (self->state == STATE_GREETED && type == AFXDP_MESSAGE_OPEN)
    on_open (self, &request->open);
  else if (self->state == STATE_GREETED && type == AFXDP_MESSAGE_STATUS)
    on_status (self, &request->status);
  else
    end_for_violation (self, "a message that it may not send now");
}

static gboolean
on_input (gint fd, GIOCondition condition, gpointer user_data)
{
  AfxdpConnection *self = user_data;
  const gchar *violation = NULL;
  AfxdpRequest request;

  switch (afxdp_request_receive (fd, &request, &violation)) {
    case AFXDP_RECEIVED_REQUEST:
      on_request (self, &request);
      break;
    case AFXDP_RECEIVED_END:
      end (self, AFXDP_JOURNAL_INFO, "has hung up");
      break;
    case AFXDP_RECEIVED_VIOLATION:
      end_for_violation (self, violation);
      break;
    default:
      break;
  }
  /* Streams that open and close wait for the kernel, one after the other. */
  afxdp_notify_alive ();
  /* Whether self is there or not: its end has removed the source. */
  return G_SOURCE_CONTINUE;
}

static gboolean
on_patience_over (gpointer user_data)
{
  AfxdpConnection *self = user_data;

  self->patience = 0;
  end (self, AFXDP_JOURNAL_WARNING,
      "it has not said for %d s what it wants: hung up", PATIENCE);
  return G_SOURCE_REMOVE;
}

/* Who it is. */

/* FALSE: too old a kernel, or it has gone. */
static gboolean
find_groups (int socket, guint32 **groups, guint *n)
{
  socklen_t size = 0;

  if (!getsockopt (socket, SOL_SOCKET, SO_PEERGROUPS, NULL, &size))
    return TRUE;
  if (errno != ERANGE)
    return FALSE;
  *groups = g_malloc (size);
  if (getsockopt (socket, SOL_SOCKET, SO_PEERGROUPS, *groups, &size)) {
    g_clear_pointer (groups, g_free);
    return FALSE;
  }
  *n = size / sizeof **groups;
  return TRUE;
}

static gboolean
find_peer (AfxdpConnection *self)
{
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  g_autofree guint32 *groups = NULL;
  guint n = 0;

  if (getsockopt (self->socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) ||
      !find_groups (self->socket, &groups, &n))
    return FALSE;
  self->pid = credentials.pid;
  self->peer.uid = credentials.uid;
  self->peer.groups = g_new (guint32, n + 1);
  self->peer.groups[0] = credentials.gid;
  for (guint i = 0; i < n; i++)
    self->peer.groups[i + 1] = groups[i];
  self->peer.n_groups = n + 1;
  return TRUE;
}

AfxdpConnection *
afxdp_connection_new (const AfxdpConnectionHost *host, int socket)
{
  AfxdpConnection *self = g_new0 (AfxdpConnection, 1);

  self->host = host;
  self->socket = socket;
  if (!find_peer (self)) {
    afxdp_connection_free (self);
    return NULL;
  }
  self->input = g_unix_fd_add (socket, G_IO_IN, on_input, self);
  self->patience = g_timeout_add_seconds (PATIENCE, on_patience_over, self);
  return self;
}

void
afxdp_connection_free (AfxdpConnection *self)
{
  g_clear_handle_id (&self->patience, g_source_remove);
  g_clear_handle_id (&self->input, g_source_remove);
  g_clear_pointer (&self->order, afxdp_ring_order_cancel);
  g_clear_pointer (&self->use, afxdp_feed_use_end);
  if (self->is_noted)
    afxdp_competing_forget_client (self->ask.socket, self->peer.uid);
  /* It has no ring that is not counted. */
  if (self->is_counted)
    afxdp_leftovers_take (
        self->host->leftovers, g_steal_pointer (&self->ring), self->peer.uid);
  afxdp_ask_clear (&self->ask);
  close (self->socket);
  g_free (self->peer.groups);
  g_free (self);
}

gboolean
afxdp_connection_waits (const AfxdpConnection *self)
{
  return self->state < STATE_OPENING;
}

guint32
afxdp_connection_uid (const AfxdpConnection *self)
{
  return self->peer.uid;
}

gboolean
afxdp_connection_state (
    const AfxdpConnection *self, AfxdpConnectionState *state)
{
  if (self->state != STATE_STREAMING)
    return FALSE;
  state->pid = self->pid;
  state->uid = self->peer.uid;
  state->address = self->ask.address;
  state->port = self->ask.port;
  state->interface = self->host->settings->interfaces->pdata[self->which];
  state->memory = self->memory;
  state->since = self->since;
  afxdp_client_ring_counts (self->ring, &state->counts);
  return TRUE;
}
