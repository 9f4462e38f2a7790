/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Works out a job: addresses from the interface, numbers from the options.
 */
#include "rtpgen-job.h"

#include <string.h>

#define NS G_GINT64_CONSTANT (1000000000)

/* RTP's static payload type (RFC 3551 6). */
#define MPEG_TS 33

/* How much longer than --duration a run with a rate may take to send its
 * packets. */
#define GRACE NS

static void
fill_plan (RtpgenJob *self)
{
  const RtpgenOptions *options = self->options;
  struct rtpgen_plan *plan = &self->plan;
  guint64 rate;

  plan->rate = options->rate;
  plan->burst = options->burst;
  plan->flows = options->destinations->len;
  plan->turns = options->packets;
  plan->start_ns = options->start_at;
  plan->marker_every = options->marker_every;
  plan->first_sequence = options->first_sequence;
  rtpgen_clock_fill_plan (&options->clock, plan);
  plan->line_packets = options->line_packets;
  plan->packet_pixels = options->packet_pixels;
  plan->packet_bytes = options->payload_size - RTPGEN_VIDEO_HEADER;
  rate = plan->rate;
  if (options->duration > 0) {
    const guint64 duration = options->duration * NS;

    plan->limit_ns = rate ? duration + GRACE : MAX (duration, 1);
    if (rate) {
      const guint64 turns = MAX (options->duration * rate + 0.5, 1);

      plan->turns = plan->turns ? MIN (plan->turns, turns) : turns;
    }
  }
}

static gboolean
fill_route (RtpgenJob *self, guint number, GError **error)
{
  const RtpgenOptions *options = self->options;
  RtpgenRoute *route = &self->routes[number];
  gboolean given = FALSE;

  route->number = number;
  route->ssrc = options->ssrc + number;
  route->destination =
      g_array_index (options->destinations, RtpgenAddress, number);
  for (guint i = 0; i < options->sources->len; i++) {
    const RtpgenAddress *source =
        &g_array_index (options->sources, RtpgenAddress, i);

    if (source->family == route->destination.family) {
      route->source = *source;
      given = TRUE;
    }
  }
  if (!given &&
      !rtpgen_interface_get_address (
          self->interface, &route->destination, &route->source, error))
    return FALSE;
  route->source.port = options->source_port + number;

  memcpy (route->source_mac, self->interface->mac, 6);
  if (options->has_destination_mac)
    memcpy (route->destination_mac, options->destination_mac, 6);
  else
    rtpgen_packet_group_mac (&route->destination, route->destination_mac);
  return TRUE;
}

static void
fill_layout (RtpgenJob *self, guint number, gboolean marker)
{
  const RtpgenOptions *options = self->options;
  const RtpgenShape shape = {
    .payload_size = marker ? options->marker_size : options->payload_size,
    .payload_type = options->payload_type,
    .ttl = options->ttl,
    .marker = marker,
    .ip_option = marker && options->marker_ip_option,
    .video = options->line_packets > 0,
  };
  struct rtpgen_flow *flow = &self->flows[number];
  struct rtpgen_layout *layout = marker ? &flow->marker : &flow->ordinary;

  rtpgen_packet_fill_layout (
      layout, &self->routes[number], &shape, self->payload);
  layout->move_head = (gint32) self->headers - (gint32) layout->headers;
  layout->move_tail = (gint32) shape.payload_size - (gint32) self->payload_size;
}

/* A socket's packets may be fragmented; live frames must fit. */
static gboolean
check_size (const RtpgenJob *self, GError **error)
{
  const gsize size = self->headers - 14 + 12 + self->payload_size +
      (self->options->marker_ip_option ? sizeof rtpgen_ip_option : 0);

  if (self->options->method == RTPGEN_METHOD_SOCKET ||
      size <= self->interface->mtu)
    return TRUE;
  return rtpgen_refuse (error,
      "IP packets of %" G_GSIZE_FORMAT " bytes (RTP payload of %" G_GSIZE_FORMAT
      ") do not fit interface %s, whose MTU is %u: make "
      "--payload-size and --marker-size smaller, or raise the MTU of both "
      "ends",
      size, self->payload_size, self->interface->name, self->interface->mtu);
}

RtpgenJob *
rtpgen_job_new (const RtpgenOptions *options, GError **error)
{
  g_autoptr (RtpgenJob) self = g_new0 (RtpgenJob, 1);

  self->options = options;
  self->interface = rtpgen_interface_new (options->interface, error);
  if (!self->interface)
    return NULL;
  fill_plan (self);
  self->stretches = g_new0 (struct rtpgen_stretch, RTPGEN_STRETCHES);
  if (!rtpgen_script_compile (options->events, options->script_every,
          &options->clock, &self->plan, self->stretches, error))
    return NULL;
  if (self->plan.rate && self->plan.limit_ns)
    self->plan.limit_ns += rtpgen_script_pauses (
        &self->plan, self->stretches, self->plan.turns / self->plan.flows + 1);

  self->routes = g_new0 (RtpgenRoute, self->plan.flows);
  self->flows = g_new0 (struct rtpgen_flow, self->plan.flows);
  self->payload_size = options->payload_size;
  if (self->plan.marker_every)
    self->payload_size = MAX (self->payload_size, (gsize) options->marker_size);
  self->payload = g_malloc (self->payload_size);
  rtpgen_packet_fill_payload (self->payload, self->payload_size,
      options->payload_type == MPEG_TS &&
          options->payload_size % RTPGEN_TS_PACKET == 0);

  for (guint i = 0; i < self->plan.flows; i++) {
    if (!fill_route (self, i, error))
      return NULL;
    self->headers = MAX (self->headers,
        rtpgen_packet_headers (self->routes[i].destination.family, FALSE));
  }
  if (!check_size (self, error))
    return NULL;
  for (guint i = 0; i < self->plan.flows; i++) {
    fill_layout (self, i, FALSE);
    if (self->plan.marker_every)
      fill_layout (self, i, TRUE);
  }
  return g_steal_pointer (&self);
}

void
rtpgen_job_free (RtpgenJob *self)
{
  if (!self)
    return;
  rtpgen_interface_free (self->interface);
  g_free (self->stretches);
  g_free (self->routes);
  g_free (self->flows);
  g_free (self->payload);
  g_free (self);
}

guint64
rtpgen_job_count_packets (const RtpgenJob *self)
{
  guint64 packets = 0;

  for (guint i = 0; i < self->plan.flows; i++)
    packets += self->flows[i].packets;
  return packets;
}

guint64
rtpgen_job_count_turns (const RtpgenJob *self)
{
  guint64 turns = rtpgen_job_count_packets (self);

  for (guint i = 0; i < self->plan.flows; i++)
    turns += self->flows[i].silent;
  return turns;
}
