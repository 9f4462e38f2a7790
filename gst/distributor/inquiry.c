/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --status: the daemon's answer. */
#include "inquiry.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "listener.h"
#include "messages.h"
#include "status.h"
#include "statustext.h"

/* ms for each of its answers. */
#define PATIENCE 5000
/* Bytes: no state of so many clients as there may be is longer. */
#define LONGEST_STATE (256 << 20)

typedef union
{
  struct afxdp_message message;
  struct afxdp_welcome welcome;
  struct afxdp_refused refused;
  struct afxdp_state state;
} Answer;

static gboolean
fail (GError **error, AfxdpError code, const gchar *path, const gchar *what)
{
  g_set_error (error, AFXDP_ERROR, code, "%s: %s", path, what);
  return FALSE;
}

static int
call (const gchar *path, GError **error)
{
  int fd = afxdp_listener_connect (path);

  if (fd >= 0)
    return fd;
  if (errno == ENOENT || errno == ECONNREFUSED)
    fail (error, AFXDP_ERROR_NOT_FOUND, path,
        "no distributor daemon is there. Start it (systemctl start "
        "afxdp-distributor, or afxdp-distributor --interface NAME as root), "
        "or name its --socket");
  else if (errno == EACCES)
    fail (error, AFXDP_ERROR_PERMISSION, path,
        "you may not connect to the distributor daemon. Become a member of the "
        "group that owns this file, or ask as root");
  else
    afxdp_error_set (
        error, errno, "%s: could not connect to the distributor daemon", path);
  return -1;
}

/* Takes the descriptor that comes with it. */
static gboolean
receive (int fd, Answer *answer, int *descriptor)
{
  union
  {
    struct cmsghdr head;
    gchar room[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part = { answer, sizeof *answer };
  struct msghdr header = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &control,
    .msg_controllen = sizeof control,
  };
  struct pollfd wait = { fd, POLLIN, 0 };
  const struct cmsghdr *rights;
  gssize size;

  memset (answer, 0, sizeof *answer);
  if (poll (&wait, 1, PATIENCE) <= 0)
    return FALSE;
  size = recvmsg (fd, &header, MSG_CMSG_CLOEXEC);
  rights = size > 0 ? CMSG_FIRSTHDR (&header) : NULL;
  *descriptor = -1;
  if (rights && rights->cmsg_type == SCM_RIGHTS)
    memcpy (descriptor, CMSG_DATA (rights), sizeof *descriptor);
  return size >= (gssize) sizeof answer->message &&
      size == (gssize) answer->message.size;
}

/* Sends request; the answer must be of that type. */
static gboolean
ask (int fd, const gchar *path, const struct afxdp_message *request,
    enum afxdp_message_type type, Answer *answer, int *descriptor,
    GError **error)
{
  if (!afxdp_message_send (fd, request, NULL, 0) ||
      !receive (fd, answer, descriptor))
    return fail (error, AFXDP_ERROR_FAILED, path,
        "the distributor daemon does not answer. Its log says why: journalctl "
        "-u afxdp-distributor");
  if (answer->message.type == type && *descriptor >= 0)
    return TRUE;
  if (*descriptor >= 0)
    close (*descriptor);
  if (answer->message.type == AFXDP_MESSAGE_REFUSED &&
      answer->message.size == sizeof answer->refused) {
    answer->refused.text[sizeof answer->refused.text - 1] = 0;
    return fail (error, answer->refused.code, path, answer->refused.text);
  }
  return fail (error, AFXDP_ERROR_UNSUPPORTED, path,
      "what answers there is no distributor daemon of this release");
}

static gchar *
read_state (const gchar *path, int memory, guint64 size, GError **error)
{
  gchar *mapped, *text;

  if (size > LONGEST_STATE ||
      (mapped = mmap (NULL, MAX (size, 1), PROT_READ, MAP_SHARED, memory, 0)) ==
          MAP_FAILED) {
    fail (error, AFXDP_ERROR_FAILED, path,
        "the answer of the distributor daemon cannot be read");
    return NULL;
  }
  text = g_strndup (mapped, size);
  munmap (mapped, MAX (size, 1));
  return text;
}

/* Names of users, which may have to be asked of another host: the daemon tells none. */

static void
name_user (JsonArray *clients, guint i, JsonNode *node, gpointer user_data)
{
  JsonObject *client = json_node_get_object (node);
  gint64 uid = json_object_get_int_member (client, "uid");
  GHashTable *names = user_data;
  gpointer name;

  if (!g_hash_table_lookup_extended (
          names, GUINT_TO_POINTER (uid), NULL, &name)) {
    const struct passwd *user = getpwuid (uid);

    name = user ? g_utf8_make_valid (user->pw_name, -1) : NULL;
    g_hash_table_insert (names, GUINT_TO_POINTER (uid), name);
  }
  if (name)
    json_object_set_string_member (client, "user", name);
  else
    json_object_set_null_member (client, "user");
}

static void
name_users (JsonNode *status)
{
  JsonArray *clients =
      json_object_get_array_member (json_node_get_object (status), "clients");
  g_autoptr (GHashTable) names =
      g_hash_table_new_full (NULL, NULL, NULL, g_free);

  json_array_foreach_element (clients, name_user, names);
}

/* told: by the daemon, as JSON. */
static gchar *
describe (const gchar *told, const gchar *path, gboolean json, GError **error)
{
  g_autoptr (JsonNode) status = json_from_string (told, NULL);

  if (!status || !JSON_NODE_HOLDS_OBJECT (status) ||
      !json_object_has_member (json_node_get_object (status), "clients")) {
    fail (error, AFXDP_ERROR_FAILED, path,
        "the answer of the distributor daemon cannot be read");
    return NULL;
  }
  name_users (status);
  return json ? afxdp_status_to_json (status) : afxdp_status_to_text (status);
}

gchar *
afxdp_inquire (const gchar *path, gboolean json, GError **error)
{
  const struct afxdp_hello hello = {
    .message = { AFXDP_MESSAGE_HELLO, sizeof hello },
    .version = AFXDP_PROTOCOL_VERSION,
  };
  const struct afxdp_status status = {
    .message = { AFXDP_MESSAGE_STATUS, sizeof status },
    .json = TRUE,
  };
  int fd = call (path, error), memory = -1;
  g_autofree gchar *told = NULL;
  gchar *text = NULL;
  Answer answer;

  if (fd < 0)
    return NULL;
  if (!ask (fd, path, &hello.message, AFXDP_MESSAGE_WELCOME, &answer, &memory,
          error))
    goto close_socket;
  close (memory);
  if (!ask (fd, path, &status.message, AFXDP_MESSAGE_STATE, &answer, &memory,
          error))
    goto close_socket;
  told = read_state (path, memory, answer.state.size, error);
  close (memory);
  if (told)
    text = describe (told, path, json, error);

close_socket:
  close (fd);
  return text;
}
