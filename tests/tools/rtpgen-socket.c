/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The socket sender. It sleeps until a burst is due, then sends all that is
 * due by then; so what a late wake-up has cost is made good at once.
 */
#include "rtpgen-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NS G_GUINT64_CONSTANT (1000000000)

/* Most messages of one sendmmsg(): the range of --batch. */
#define MESSAGES 256

/* A message that is prepared, and what to count when it is sent. */
typedef struct
{
  gint fd;
  struct rtpgen_flow *flow;
  gboolean marker;
  struct rtpgen_rtp head;
  struct iovec pieces[2];
} Message;

typedef struct
{
  RtpgenJob *job;
  RtpgenRun *run;
  gint *sockets;                    /* one for each flow */
  gint *option_sockets;             /* likewise, or NULL */
  Message messages[MESSAGES];       /* in the order of the plan */
  const Message *ordered[MESSAGES]; /* flow by flow */
  struct mmsghdr headers[MESSAGES]; /* of ordered */
} Sender;

static guint64
clock_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS + now.tv_nsec;
}

static void
sleep_until (guint64 time_ns)
{
  const struct timespec until = { time_ns / NS, time_ns % NS };

  clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static socklen_t
to_socket_address (
    const RtpgenAddress *address, guint scope, struct sockaddr_storage *storage)
{
  struct sockaddr_in6 *six = (struct sockaddr_in6 *) storage;
  struct sockaddr_in *four = (struct sockaddr_in *) storage;

  memset (storage, 0, sizeof *storage);
  storage->ss_family = address->family;
  if (address->family == AF_INET6) {
    six->sin6_port = htons (address->port);
    six->sin6_scope_id = scope; /* ignored but for link-local addresses */
    memcpy (&six->sin6_addr, address->address, sizeof six->sin6_addr);
    return sizeof *six;
  }
  four->sin_port = htons (address->port);
  memcpy (&four->sin_addr, address->address, sizeof four->sin_addr);
  return sizeof *four;
}

static gboolean
set_option (gint fd, gint level, gint name, gint value)
{
  return setsockopt (fd, level, name, &value, sizeof value) == 0;
}

/* IP_RECVERR: without it a packet that a full qdisc drops counts as sent. */
static gboolean
set_options (gint fd, const RtpgenJob *job, gint family)
{
  const gint ttl = job->options->ttl;
  const gchar *name = job->interface->name;
  const gint index = job->interface->index;
  const struct ip_mreqn membership = { .imr_ifindex = index };

  if (!set_option (fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
      setsockopt (fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen (name)) < 0)
    return FALSE;
  if (family == AF_INET6)
    return set_option (fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
        set_option (fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
        set_option (fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl) &&
        set_option (fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl) &&
        set_option (fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  return setsockopt (fd, IPPROTO_IP, IP_MULTICAST_IF, &membership,
             sizeof membership) == 0 &&
      set_option (fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
      set_option (fd, IPPROTO_IP, IP_MULTICAST_TTL, ttl) &&
      (ttl == 0 || set_option (fd, IPPROTO_IP, IP_TTL, ttl)) &&
      set_option (fd, IPPROTO_IP, IP_RECVERR, 1);
}

/* Returns a socket, or -1. */
static gint
open_socket (const RtpgenJob *job, const RtpgenRoute *route, gboolean ip_option,
    GError **error)
{
  const gint family = route->destination.family;
  const gint fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_autofree gchar *source = NULL, *destination = NULL;
  struct sockaddr_storage address;
  const gchar *step = "set up";
  socklen_t size;
  gint code;

  if (fd < 0 || !set_options (fd, job, family))
    goto failed;
  if (ip_option &&
      setsockopt (fd, IPPROTO_IP, IP_OPTIONS, rtpgen_ip_option,
          sizeof rtpgen_ip_option) < 0)
    goto failed;
  step = "bind";
  size = to_socket_address (&route->source, job->interface->index, &address);
  if (bind (fd, (struct sockaddr *) &address, size) < 0)
    goto failed;
  step = "connect";
  size =
      to_socket_address (&route->destination, job->interface->index, &address);
  if (connect (fd, (struct sockaddr *) &address, size) < 0)
    goto failed;
  return fd;

failed:
  code = errno;
  source = rtpgen_address_to_string (&route->source);
  destination = rtpgen_address_to_string (&route->destination);
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "Cannot %s the UDP socket of flow %u, from %s to %s on %s: %s%s", step,
      route->number, source, destination, job->interface->name,
      g_strerror (code),
      code == EADDRNOTAVAIL
          ? ". The address is not (or, in IPv6, not yet) the interface's"
          : "");
  if (fd >= 0)
    close (fd);
  return -1;
}

static gint *
open_sockets (const RtpgenJob *job, gboolean ip_option, GError **error)
{
  g_autofree gint *sockets = g_new (gint, job->plan.flows);

  for (guint i = 0; i < job->plan.flows; i++) {
    sockets[i] = open_socket (job, &job->routes[i], ip_option, error);
    if (sockets[i] < 0) {
      while (i > 0)
        close (sockets[--i]);
      return NULL;
    }
  }
  return g_steal_pointer (&sockets);
}

static void
close_sockets (gint *sockets, guint count)
{
  for (guint i = 0; sockets && i < count; i++)
    close (sockets[i]);
  g_free (sockets);
}

static gboolean
sender_open (Sender *self, GError **error)
{
  const RtpgenJob *job = self->job;

  self->sockets = open_sockets (job, FALSE, error);
  if (!self->sockets)
    return FALSE;
  if (!job->options->marker_ip_option)
    return TRUE;
  self->option_sockets = open_sockets (job, TRUE, error);
  return self->option_sockets != NULL;
}

static void
sender_close (Sender *self)
{
  close_sockets (self->option_sockets, self->job->plan.flows);
  close_sockets (self->sockets, self->job->plan.flows);
}

/* Makes the flow's next packet into a message, if it is sent. */
static gboolean
prepare (Sender *self, guint place, guint number)
{
  const RtpgenJob *job = self->job;
  const struct rtpgen_plan *plan = &job->plan;
  Message *message = &self->messages[place];
  struct rtpgen_flow *flow = &job->flows[number];
  const struct rtpgen_layout *layout;
  guint64 index = rtpgen_cursor_next (&flow->cursor, plan, job->stretches);
  gsize size;

  if (flow->cursor.kind == RTPGEN_STRETCH_SILENT) {
    flow->silent++;
    return FALSE;
  }
  message->flow = flow;
  message->marker = rtpgen_plan_is_marker (plan, index);
  layout = message->marker ? &flow->marker : &flow->ordinary;
  message->fd = message->marker && self->option_sockets
      ? self->option_sockets[number]
      : self->sockets[number];
  size = layout->frame - layout->headers;

  memcpy (&message->head, (const guint8 *) layout->head + layout->headers,
      sizeof message->head);
  rtpgen_rtp_number (&message->head, plan, index, flow->cursor.ticks);
  message->pieces[0] = (struct iovec){ &message->head, sizeof message->head };
  message->pieces[1] = (struct iovec){
    job->payload + sizeof message->head - 12,
    size - sizeof message->head,
  };
  return TRUE;
}

static void
count_sent (const Message *message)
{
  struct rtpgen_flow *flow = message->flow;
  const struct rtpgen_layout *layout =
      message->marker ? &flow->marker : &flow->ordinary;

  flow->packets++;
  flow->markers += message->marker;
  flow->bytes += layout->frame;
}

/* Puts the messages of each flow together, so that fewer calls send them. */
static void
order_messages (Sender *self, guint count)
{
  gboolean taken[MESSAGES] = { FALSE };
  guint place = 0;

  for (guint first = 0; first < count; first++) {
    for (guint i = first; !taken[first] && i < count; i++)
      if (self->messages[i].flow == self->messages[first].flow) {
        taken[i] = i > first;
        self->ordered[place++] = &self->messages[i];
      }
  }
  for (guint i = 0; i < count; i++)
    self->headers[i] = (struct mmsghdr){
      .msg_hdr = {
        .msg_iov = (struct iovec *)self->ordered[i]->pieces,
        .msg_iovlen = G_N_ELEMENTS (self->ordered[i]->pieces),
      },
    };
}

/* Sends the first count messages. */
static gboolean
send_messages (Sender *self, guint count, GError **error)
{
  guint done = 0;

  order_messages (self, count);
  while (done < count) {
    const gint fd = self->ordered[done]->fd;
    guint end = done + 1;
    gint sent;

    while (end < count && self->ordered[end]->fd == fd)
      end++;
    self->run->calls++;
    sent = sendmmsg (fd, &self->headers[done], end - done, 0);
    for (; sent > 0; sent--)
      count_sent (self->ordered[done++]);
    /* A full qdisc, and what ICMP said of the packet before: send it again. */
    if (sent < 0 && errno != EINTR && errno != ENOBUFS &&
        errno != ECONNREFUSED && errno != EHOSTUNREACH) {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
          "Cannot send %" G_GSIZE_FORMAT " bytes of RTP on %s: %s",
          self->ordered[done]->pieces[0].iov_len +
              self->ordered[done]->pieces[1].iov_len,
          self->job->interface->name, g_strerror (errno));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
send_plan (Sender *self, const volatile sig_atomic_t *stop, GError **error)
{
  const struct rtpgen_plan *plan = &self->job->plan;
  const guint batch = self->job->options->batch;
  struct rtpgen_schedule schedule = { 0 };
  guint64 turns = 0;

  rtpgen_schedule_start (&schedule, plan, clock_ns ());
  self->run->start_ns = schedule.start_ns;
  while (!*stop && (!plan->turns || turns < plan->turns)) {
    guint64 now = clock_ns ();
    guint count = 0;

    if (rtpgen_schedule_is_over (&schedule, plan, now))
      break;
    if (!rtpgen_schedule_is_due (&schedule, now)) {
      sleep_until (MAX (schedule.due_ns, schedule.hold_ns));
      continue;
    }
    if (plan->rate)
      self->run->late_max_ns = MAX (
          self->run->late_max_ns, rtpgen_schedule_lateness (&schedule, now));
    while (count < batch && rtpgen_schedule_is_due (&schedule, now) &&
        (!plan->turns || turns < plan->turns)) {
      const guint flow = rtpgen_schedule_next (&schedule, plan);

      count += prepare (self, count, flow);
      if (!flow)
        rtpgen_schedule_heed (
            &schedule, &self->job->flows[0].cursor, self->job->stretches);
      turns++;
    }
    if (!send_messages (self, count, error))
      return FALSE;
    /* With a rate the last packets' share of time is added later. */
    self->run->last_ns = plan->rate ? now : clock_ns ();
  }
  return TRUE;
}

gboolean
rtpgen_socket_run (RtpgenJob *job, const volatile sig_atomic_t *stop,
    RtpgenRun *run, GError **error)
{
  g_autofree Sender *sender = g_new0 (Sender, 1);
  gboolean sent = FALSE;

  sender->job = job;
  sender->run = run;
  prctl (PR_SET_TIMERSLACK, 1UL); /* ns; 50,000 without */
  if (sender_open (sender, error))
    sent = send_plan (sender, stop, error);
  sender_close (sender);
  return sent;
}
