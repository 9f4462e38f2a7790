/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a thread that serves many streams has to know of one, to sleep. */
#include "streamstate.h"

#include <poll.h>

#include "clock.h"
#include "wakeup.h"

/* The first of the inputs is the socket. */
enum
{
  WAKEUP,
  FIRST_INPUT,
  SOCKET = FIRST_INPUT,
};

int
afxdp_stream_fd (const AfxdpStream *stream, guint i)
{
  const AfxdpInputs *inputs = &stream->inputs;

  if (i == WAKEUP)
    return stream->wait.wakeup;
  i -= FIRST_INPUT;
  return i < inputs->n ? inputs->all[i]->fd : -1;
}

void
afxdp_stream_note_events (AfxdpStream *stream, guint i, guint events)
{
  if (i == WAKEUP)
    afxdp_wakeup_clear (stream->wait.wakeup);
  if (i != SOCKET)
    return;
  afxdp_inputs_socket_is_due (&stream->inputs);
  if (events & ~POLLIN)
    afxdp_socket_look_for_errors (stream->socket);
}

void
afxdp_stream_look_into_socket (AfxdpStream *stream)
{
  afxdp_inputs_socket_is_due (&stream->inputs);
}

void
afxdp_stream_rest (AfxdpStream *stream, AfxdpStreamRest *rest)
{
  const AfxdpPaths *paths = &stream->paths;
  guint64 wait = afxdp_paths_rest (
      paths, afxdp_wait_for_drivers (&stream->wait, paths, G_MAXUINT64));

  rest->n = afxdp_coalesce_take (&stream->wait.coalesce);
  if (afxdp_paths_are_gathered (paths))
    rest->n = 0;
  rest->room = afxdp_paths_room (paths);
  rest->longest = afxdp_paths_is_open (paths)
      ? G_MAXUINT64
      : rest->room * AFXDP_SHORTEST_SPACE;
  rest->settling = afxdp_paths_is_settling (paths);
  rest->look_at = wait < G_MAXUINT64 ? afxdp_now () + wait : G_MAXUINT64;
}

gboolean
afxdp_stream_has_more (const AfxdpStream *stream)
{
  const AfxdpInputs *inputs = &stream->inputs;

  /* What waits for the other path to be over does so for a while; that one is to be
   * over soon. */
  if (afxdp_paths_is_settling (&stream->paths))
    return afxdp_stream_has_news (stream) ||
        !afxdp_inputs_are_drained (inputs, stream->paths.first);
  return inputs->socket_due || afxdp_stream_has_news (stream) ||
      !afxdp_inputs_are_drained (inputs, AFXDP_PATH_SLOW) ||
      !afxdp_inputs_are_drained (inputs, AFXDP_PATH_FAST);
}
